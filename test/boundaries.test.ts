// The rules about who may import whom, and which words stay out of which rooms. They keep the flow readable by listing folders.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

function filesUnder(folder: string, endings = ['.ts']): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => !name.includes('node_modules') && endings.some((ending) => name.endsWith(ending)));
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** What a file imports: packages by name, own files as paths from the root. */
function importsOf(file: string): string[] {
  const found = read(file).matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:\n[^'";]*?)*?from\s*'([^']+)'|import\('([^']+)'\)|(?:^|\n)import\s*'([^']+)'/g);
  return [...found].map((match) => (match[1] ?? match[2] ?? match[3])!).map((name) =>
    name.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(file), name)) : name);
}

/** Which rooms a room may use, beside itself, the nouns (functions/*.ts) and what was generated. */
const MAY_USE: Record<string, string[]> = {
  'functions/collect': ['functions/validate', 'functions/publish', 'functions/write/bigquery/row.ts'],
  'functions/validate': [],
  'functions/publish': [],
  'functions/write': ['functions/collect/protocols', 'functions/publish', 'functions/maintain/tables.ts'],
  'functions/rollover': [],
  'functions/maintain': ['functions/rollover'],
  'functions/replay': ['functions/collect/protocols', 'functions/validate', 'functions/publish'],
};

const roomOf = (file: string): string | undefined => Object.keys(MAY_USE).find((room) => file.startsWith(`${room}/`));

test('imports in functions/ run only along the flow, or to nouns', () => {
  const wrong: string[] = [];
  for (const file of filesUnder('functions')) {
    const room = roomOf(file);
    for (const name of importsOf(file)) {
      if (!name.includes('/') || !/\.(ts|js|json)$/.test(name)) continue;
      const isNoun = /^functions\/[^/]+\.ts$/.test(name) || name.startsWith('schemas/');
      const isAllowed = isNoun || (room !== undefined && [room, ...MAY_USE[room]!].some((use) => name === use || name.startsWith(`${use}/`)));
      if (!isAllowed) wrong.push(`${file} imports ${name}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('the local cloud imports nothing of the product, and the product nothing of the local cloud, scripts or tests', () => {
  const wrong = [
    ...filesUnder('emulators').flatMap((file) => importsOf(file).filter((name) => /^(functions|scripts|test|sdk)\//.test(name)).map((name) => `${file} imports ${name}`)),
    ...[...filesUnder('functions'), ...filesUnder('sdk')].flatMap((file) => importsOf(file).filter((name) => /^(emulators|scripts|test|benchmarks)\//.test(name)).map((name) => `${file} imports ${name}`)),
  ];
  expect(wrong).toEqual([]);
});

test('product code knows nothing of emulators', () => {
  const named = [...filesUnder('functions', ['.ts', '.js', '.json']), ...filesUnder('sdk', ['.ts', '.js', '.json', '.py'])].filter((file) => /emulator/i.test(read(file)));
  expect(named).toEqual([]);
});

test('process.env is read in functions/config.ts only', () => {
  const readers = [...filesUnder('functions'), ...filesUnder('sdk')].filter((file) => /process\.env/.test(read(file).replace(/^\s*\/\/.*$/gm, '')));
  expect(readers).toEqual(['functions/config.ts']);
});

test('product code imports only production dependencies', () => {
  const dependencies = Object.keys(JSON.parse(read('package.json')).dependencies as Record<string, string>);
  const foreign = filesUnder('functions').flatMap((file) => importsOf(file)
    .filter((name) => !/\.(ts|js|json)$/.test(name) && !name.startsWith('node:'))
    .map((name) => name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/'))
    .filter((name) => !dependencies.includes(name)).map((name) => `${file} imports ${name}`));
  expect(foreign).toEqual([]);
});

test('a room is named by a verb or noun of the field, and no file is called utils, common, helpers or types', () => {
  const wrong = ['functions', 'emulators', 'scripts'].flatMap((folder) => filesUnder(folder)).filter((file) => /\/(utils?|common|helpers?|types)\.ts$/.test(file));
  expect(wrong).toEqual([]);
});
