// `npm run check` is clean: types, lint, generated files.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

test('types, lint and generated files are in order', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/check.ts'], { cwd: resolve(import.meta.dirname, '..'), encoding: 'utf8', timeout: 170_000 });
  expect(status === 0 ? '' : `${stdout}\n${stderr}`).toBe('');
}, 180_000);
