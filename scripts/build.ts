// `npm run build`: every function as a zip that Cloud Functions takes, in dist/. Prints what each weighs. Terraform uploads them.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { frameworkPackage } from './build/framework-package.ts';
import { packageFunction } from './build/package-function.ts';
import { zip } from './build/zip.ts';
import { FUNCTIONS } from './local/function-settings.ts';
import { readOptions, runScript, UsageError } from './local/options.ts';
import { asTable, type Row } from './query/formats.ts';

const HELP = `npm run build -- [options]

Makes dist/<function>.zip for every function: one bundle with all that it needs, ready for Cloud Functions (2nd gen, Node 24).
The same sources give the same bytes, so Terraform deploys a function only when it changed.

  --only NAMES   functions, by commas: ${FUNCTIONS.map(({ name }) => name).join(', ')} (default: all)
  --out DIR      where the zips go (default dist)
  --help         this text
`;

const ROOT = resolve(import.meta.dirname, '..');

const COLUMNS = [['function', 'STRING'], ['zip KB', 'INTEGER'], ['code KB', 'INTEGER'], ['files', 'INTEGER'], ['sha256', 'STRING']].map(([name, type]) => ({ name: name!, type: type! }));

await runScript(async () => {
  const { values: options, positionals } = readOptions({ only: { type: 'string' }, out: { type: 'string', default: join(ROOT, 'dist') }, help: { type: 'boolean', default: false } });
  if (options.help) return void process.stdout.write(HELP);
  if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is not an option. --help lists those there are.`);
  const out = resolve(options.out);
  mkdirSync(out, { recursive: true });
  const framework = await frameworkPackage(ROOT);
  const table: Row[] = [];
  for (const spec of chosen(options.only)) {
    const { files, codeBytes } = await packageFunction(ROOT, spec, framework);
    const bytes = zip(files);
    writeFileSync(join(out, `${spec.name}.zip`), bytes);
    table.push({ function: spec.name, 'zip KB': kilo(bytes.length), 'code KB': kilo(codeBytes), files: Object.keys(files).length, sha256: createHash('sha256').update(bytes).digest('hex').slice(0, 12) });
  }
  console.log(asTable(COLUMNS, table));
  console.log(`${table.length} zips in ${out}`);
});

function chosen(only: string | undefined): typeof FUNCTIONS {
  if (only === undefined) return FUNCTIONS;
  return only.split(',').map((name) => {
    const spec = FUNCTIONS.find((candidate) => candidate.name === name.trim());
    if (spec === undefined) throw new UsageError(`--only: there is no function ${JSON.stringify(name)}. There are ${FUNCTIONS.map((candidate) => candidate.name).join(', ')}.`);
    return spec;
  });
}

function kilo(bytes: number): number {
  return Math.round(bytes / 1_000);
}
