// `npm run check`: types, lint, generated files up to date, and what the schemas' changes since a release mean for others.
// Exits 1 when types, lint or generated files are wrong; the comparison only tells, since a breaking change may be wanted.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareCatalogues, levelOf } from './check/compare-schemas.ts';
import { catalogueAt, lastRelease } from './check/schemas-since.ts';
import { readCatalogue } from './generate/read-catalogue.ts';
import { optionsOrExit } from './local/options.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const HELP = `Usage: npm run check [-- --schemas-since COMMIT] [-- --only types|lint|generated|schemas]

Checks types (tsc), lint (oxlint) and that the generated files are up to date, then compares schemas/ with those of the last
release tag and says whether the changes are a patch, minor or breaking, naming columns and fields.
  --schemas-since COMMIT  compare with this commit or tag instead
  --only CHECK            one check: types, lint, generated or schemas
  --help                  this text
`;

type Check = { name: string; run: () => boolean };

const runs = (command: string, ...args: string[]): boolean => spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' }).status === 0;
const tool = (name: string): string => join(ROOT, 'node_modules/.bin', name);

/** false when git does not know the commit or its schemas are not readable by today's rules; why is said. */
function readBefore(commit: string): ReturnType<typeof catalogueAt> | false {
  try {
    return catalogueAt(ROOT, commit);
  } catch (error) {
    process.stderr.write(`The schemas of ${commit} cannot be read: ${(error as Error).message.trim()}\n`);
    return false;
  }
}

function tellSchemaChanges(since: string | undefined): boolean {
  const commit = since ?? lastRelease(ROOT);
  if (commit === undefined) {
    process.stdout.write('No release tag yet: nothing to compare with. (--schemas-since COMMIT compares with any commit.)\n');
    return true;
  }
  const before = readBefore(commit);
  if (before === false) return false;
  if (before === undefined) {
    process.stdout.write(`${commit} has no schemas to compare with.\n`);
    return true;
  }
  const changes = compareCatalogues(before, readCatalogue(join(ROOT, 'schemas')));
  for (const { level, where, what } of changes) process.stdout.write(`${level.padEnd(8)} ${where}: ${what}\n`);
  process.stdout.write(`Schemas since ${commit}: ${levelOf(changes) ?? 'no change'}.\n`);
  return true;
}

function main(): number {
  const values = optionsOrExit({ help: { type: 'boolean' }, 'schemas-since': { type: 'string' }, only: { type: 'string' } });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const checks: Check[] = [
    { name: 'types', run: () => runs(tool('tsc'), '--noEmit') },
    { name: 'lint', run: () => runs(tool('oxlint')) },
    { name: 'generated', run: () => runs(process.execPath, join(ROOT, 'scripts/generate.ts'), '--check') },
    { name: 'schemas', run: () => tellSchemaChanges(values['schemas-since']) },
  ];
  const chosen = checks.filter(({ name }) => values.only === undefined || name === values.only);
  if (chosen.length === 0) {
    process.stderr.write(HELP);
    return 2;
  }
  const failed = chosen.filter(({ name, run }) => {
    process.stdout.write(`— ${name}\n`);
    return !run();
  });
  process.stdout.write(failed.length === 0 ? 'All checks passed.\n' : `Failed: ${failed.map(({ name }) => name).join(', ')}.\n`);
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = main();
