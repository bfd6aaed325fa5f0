// Every command of package.json explains itself, and refuses an option that it does not know.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const { scripts } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const commands = Object.entries(scripts).filter(([, line]) => line.startsWith('node ')).map(([name, line]) => ({ name, file: line.slice('node '.length) }));

const run = (file: string, argument: string) => spawnSync(process.execPath, [file, argument], { cwd: ROOT, encoding: 'utf8', timeout: 20_000 });

test.each(commands)('npm run $name -- --help says what the command does and takes', ({ name, file }) => {
  const { status, stdout } = run(file, '--help');
  expect(status).toBe(0);
  expect(stdout).toContain(name === 'start' ? 'npm start' : `npm run ${name}`);
  expect(stdout).toContain('--help');
});

test.each(commands)('npm run $name refuses an option that it does not know, and names it', ({ file }) => {
  const { status, stderr } = run(file, '--no-such-option');
  expect({ status, stderr: stderr.trim() }).toEqual({ status: 2, stderr: 'There is no option --no-such-option. --help lists those there are.' });
});

test('the README names every command', () => {
  const readme = readFileSync(resolve(ROOT, 'README.md'), 'utf8');
  expect(Object.keys(scripts).filter((name) => !readme.includes(`npm ${name === 'start' || name === 'test' ? name : `run ${name}`}`))).toEqual([]);
});
