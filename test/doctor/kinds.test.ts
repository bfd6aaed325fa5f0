// Every kind of damage is in docs/doctor.md, and is found by a test that breaks something.
import { readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { KINDS } from '../../scripts/doctor/kinds.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const kinds = Object.values(KINDS).flatMap((group) => Object.entries(group) as [string, string][]);
const read = (file: string): string => readFileSync(resolve(ROOT, file), 'utf8');

test('docs/doctor.md lists every kind with its meaning, and no other', () => {
  const rows = [...read('docs/doctor.md').matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, kind, says]) => [kind, says]);
  expect(rows).toEqual(kinds);
});

test('every kind is found by a test', () => {
  const tests = ['damage.test.ts', 'stored-damage.test.ts', 'real-project.test.ts'].map((name) => read(`test/doctor/${name}`)).join('\n');
  expect(kinds.map(([kind]) => kind).filter((kind) => !tests.includes(`'${kind}'`))).toEqual([]);
});

test('every kind is made by a check', () => {
  const checks = readdirSync(resolve(ROOT, 'scripts/doctor')).filter((name) => name.startsWith('check-')).map((name) => read(`scripts/doctor/${name}`)).join('\n');
  expect(kinds.map(([kind]) => kind).filter((kind) => !checks.includes(`'${kind}'`))).toEqual([]);
});
