// `npm run mutants`: damages functions/ (and `--emulators`, or `npm run contract -- --damages`: emulators/) in one line at a time, each damage breaking a promise, and expects a test to fail for each.
// It works on a copy of the tree, so the working tree is never touched.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { optionsOrExit } from './local/options.ts';
import { EMULATOR_MUTANTS } from './mutants/emulators.ts';
import { MUTANTS, type Mutant } from './mutants/list.ts';

const HELP = `npm run mutants -- [options]

Damages the code in one line at a time (${MUTANTS.length} damages, each breaking a promise) and expects a test to fail for each.

  --emulators   the ${EMULATOR_MUTANTS.length} damages of the small Google Cloud instead: each must fail a contract case
  --only TEXT   only damages whose promise or file contains TEXT
  --list        print the damages and stop
  --help        this text

Exit code 0 when every damage is caught.`;

const options = optionsOrExit({ emulators: { type: 'boolean', default: false }, only: { type: 'string' }, list: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } });
const ALL = options.emulators ? EMULATOR_MUTANTS : MUTANTS;
const ROOT = resolve(import.meta.dirname, '..');

function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'chiplog-mutants-'));
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  for (const file of files) {
    mkdirSync(join(copy, dirname(file)), { recursive: true });
    cpSync(join(ROOT, file), join(copy, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

function applyTo(copy: string, mutant: Mutant): () => void {
  const file = join(copy, mutant.file);
  const before = readFileSync(file, 'utf8');
  const places = before.split(mutant.find).length - 1;
  if (places !== 1) throw new Error(`${mutant.file}: ${JSON.stringify(mutant.find)} stands ${places} times, expected once. Bring scripts/mutants/ up to date.`);
  writeFileSync(file, before.replace(mutant.find, () => mutant.replace));
  return () => writeFileSync(file, before);
}

/** Runs the named tests in the copy; true when at least one failed as a test (not because the runner could not start). */
function isCaught(copy: string, tests: string[], named?: string): { caught: boolean; by: string; output: string } {
  const run = spawnSync(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--bail', '1', ...(named === undefined ? [] : ['-t', named]), ...tests], { cwd: copy, encoding: 'utf8', timeout: 300_000 });
  const output = `${run.stdout}${run.stderr}`;
  const plain = output.replaceAll(/\u001b\[[0-9;]*m/g, '');
  // A file that does not even load proves nothing of its tests: at least one of them must have run and failed.
  const failure = /Tests\s+\d+ failed/.test(plain) ? /FAIL\s+(.*)/.exec(plain)?.[1] : undefined;
  return { caught: run.status !== 0 && failure !== undefined, by: failure ?? '', output: plain };
}

function main(): number {
  const chosen = ALL.filter(({ promise, file }) => options.only === undefined || promise.includes(options.only) || file.includes(options.only));
  const copy = copyTree();
  let missed = 0;
  try {
    const tests = [...new Set(chosen.flatMap((mutant) => mutant.tests))];
    const undamaged = isCaught(copy, tests);
    if (undamaged.caught) throw new Error(`The tests fail without any damage; mend that first.\n${undamaged.output.slice(-6_000)}`);
    for (const [number, mutant] of chosen.entries()) {
      const restore = applyTo(copy, mutant);
      const began = performance.now();
      const { caught, by } = isCaught(copy, mutant.tests, mutant.named);
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      restore();
      if (!caught) missed += 1;
      console.log(`${String(number + 1).padStart(3)} of ${chosen.length}  ${caught ? 'caught' : 'MISSED'} in ${seconds} s  ${mutant.promise}\n            ${mutant.file}: ${mutant.find.trim().slice(0, 90)}${caught ? `\n            by ${by}` : ''}`);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  console.log(`\n${chosen.length - missed} of ${chosen.length} damages caught`);
  return missed === 0 ? 0 : 1;
}

if (options.help) console.log(HELP);
else if (options.list) for (const { promise, file, find, replace } of ALL) console.log(`${promise}\n    ${file}\n    - ${find.trim()}\n    + ${replace.trim()}`);
else process.exitCode = main();
