// `npm run generate`: schemas/ in, schemas/generated/, docs/schemas/ and two lists for infra/ out, and a line for each file that changed.
// `--check` writes nothing and exits 1 when a file is stale; `npm run check` and a test call it.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SchemaRefusal } from './generate/refuse.ts';
import { readCatalogue } from './generate/read-catalogue.ts';
import { tableFields, writeDescriptor, writeStreams } from './generate/write-columns.ts';
import { writeDocs } from './generate/write-docs.ts';
import { writeEncoders } from './generate/write-encoders.ts';
import { writeKeptTables, writeTimeZones } from './generate/write-infra.ts';
import { writeTypes } from './generate/write-types.ts';
import { writeValidators } from './generate/write-validators.ts';
import { optionsOrExit } from './local/options.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDERS = ['schemas/generated', 'docs/schemas'];
const HELP = `Usage: npm run generate [-- --check] [-- --root DIR]

Makes schemas/generated/ and docs/schemas/ from schemas/, and two lists for infra/; says which files changed.
  --check     write nothing; exit 1 and name the files when they are stale
  --root DIR  the folder that holds schemas/ (default: this repository)
  --help      this text
`;

/** All generated files by path below the root. The same schemas give the same bytes. */
export function generatedFiles(root: string): Map<string, string> {
  const catalogue = readCatalogue(join(root, 'schemas'));
  const { js, dts } = writeValidators(catalogue);
  const files = new Map([
    ['schemas/generated/types.ts', writeTypes(catalogue)],
    ['schemas/generated/streams.ts', writeStreams(catalogue)],
    ['schemas/generated/validators.js', js],
    ['schemas/generated/validators.d.ts', dts],
    ['schemas/generated/rows.ts', writeEncoders(catalogue)],
    ['schemas/generated/raw.bigquery.json', json(tableFields(catalogue.raw))],
  ]);
  // A root of somebody's own schemas (--root) has no Terraform.
  if (existsSync(join(root, 'infra'))) files.set('infra/kept-tables.json', writeKeptTables()).set('infra/time-zones.json', writeTimeZones());
  for (const stream of catalogue.streams) {
    files.set(`schemas/generated/${stream.name}.bigquery.json`, json(tableFields(stream.columns)));
    files.set(`schemas/generated/${stream.name}.descriptor.ts`, writeDescriptor(stream));
    files.set(`docs/schemas/${stream.name}.md`, writeDocs(stream));
  }
  return files;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Files that are not as they would be generated, with what is the matter. */
export function staleFiles(root: string, files: Map<string, string>): { path: string; change: 'new' | 'changed' | 'gone' }[] {
  const stale: { path: string; change: 'new' | 'changed' | 'gone' }[] = [];
  for (const [path, content] of files) {
    const present = readIfPresent(join(root, path));
    if (present !== content) stale.push({ path, change: present === undefined ? 'new' : 'changed' });
  }
  for (const folder of FOLDERS) {
    for (const name of namesIn(join(root, folder))) if (!files.has(`${folder}/${name}`)) stale.push({ path: `${folder}/${name}`, change: 'gone' });
  }
  return stale.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function main(): number {
  const values = optionsOrExit({ help: { type: 'boolean' }, check: { type: 'boolean' }, root: { type: 'string', default: ROOT } });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const files = generatedFiles(values.root);
  const stale = staleFiles(values.root, files);
  if (values.check) {
    for (const { path, change } of stale) process.stderr.write(`stale: ${path} (${change})\n`);
    process.stdout.write(stale.length === 0 ? `${files.size} generated files are up to date.\n` : 'Run `npm run generate` and commit what changes.\n');
    return stale.length === 0 ? 0 : 1;
  }
  for (const { path, change } of stale) {
    const file = join(values.root, path);
    if (change === 'gone') {
      rmSync(file);
    } else {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, files.get(path)!);
    }
    process.stdout.write(`${change}: ${path}\n`);
  }
  process.stdout.write(stale.length === 0 ? 'Nothing changed.\n' : `${stale.length} of ${files.size} files changed.\n`);
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = main();
  } catch (error) {
    if (!(error instanceof SchemaRefusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
