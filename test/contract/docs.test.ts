// docs/contract.md and the tables of emulators/README.md are what the suites say now.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderDocs } from '../../scripts/contract/write-docs.ts';
import { ROOT } from './implementations.ts';

test.each(await renderDocs(ROOT))('$file is as the suites make it: npm run contract -- --write-docs', ({ file, text }) => {
  expect(readFileSync(join(ROOT, file), 'utf8')).toBe(text);
});
