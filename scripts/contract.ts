// `npm run contract`: asks the contract suites of an implementation of Google's services, and runs what belongs to them: official clients in
// other languages, kills, damages, the installation of what is not ours, the generated docs.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { INDEPENDENT, whyAbsent, type Implementation } from '../test/contract/implementations.ts';
import { SERVICE_NAMES } from '../test/contract/suites.ts';
import { ExpectedError, readOptions, runScript, UsageError, wholeNumberOption } from './local/options.ts';

const HELP = `npm run contract -- [options]      do the services behave as Google documents? Asks with Google's own clients

  (nothing)          every suite, against the small Google Cloud of emulators/
  --against WHAT     ours, independent (what --install left), or cloud (a real project; needs --project and credentials)
  --project P        the real project: what is made there has a random name and is removed again
  --only SERVICE     one service: ${SERVICE_NAMES.join(', ')}
  --table            a line for each case, not only the counts
  --clients python   Google's Python clients (and other languages that are installed) against npm start
  --kills N          kill -9 under load, N times over the services; then everything acknowledged must be there
  --seed S           the random moments of --kills (printed by every run)
  --damages          one-line damages to emulators/, each of which a case must notice (--only TEXT: some of them)
  --install          puts what is not ours into .contract/: independent implementations, the GoogleSQL analyser, Python clients
  --write-docs       makes docs/contract.md and the tables of emulators/README.md from the suites
  --help             this text

Exit code 0 when everything asked did as it should.
`;

const TABLE = {
  against: { type: 'string' }, project: { type: 'string' }, only: { type: 'string' }, table: { type: 'boolean' }, clients: { type: 'string' }, kills: { type: 'string' }, seed: { type: 'string' },
  damages: { type: 'boolean' }, install: { type: 'boolean' }, 'write-docs': { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
} as const;
const ROOT = resolve(import.meta.dirname, '..');
const IMPLEMENTATIONS = ['ours', 'independent', 'cloud'] as const;

await runScript(async () => {
  const { values, positionals } = readOptions(TABLE);
  if (values.help === true) return void process.stdout.write(HELP);
  if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is not an option of npm run contract. --help lists those there are.`);
  if (values.install === true) return (await import('./contract/install.ts')).installAll(ROOT);
  if (values['write-docs'] === true) return (await import('./contract/write-docs.ts')).writeDocs(ROOT);
  if (values.damages === true) return node(['scripts/mutants.ts', '--emulators', ...(values.only === undefined ? [] : ['--only', values.only])]);
  if (values.clients !== undefined) return clients(values.clients);
  if (values.kills !== undefined) return kills(wholeNumberOption('kills', values.kills, 1, 100_000), values.seed);
  return suites(oneOf('against', values.against ?? 'ours', IMPLEMENTATIONS), values.project, values.only, values.table === true);
});

function suites(implementation: Implementation, project: string | undefined, only: string | undefined, isFull: boolean): Promise<number> {
  if (implementation === 'cloud' && project === undefined) throw new UsageError('--against cloud needs --project: the real project in which things are made and removed again.');
  if (implementation !== 'cloud' && project !== undefined) throw new UsageError('--project is for --against cloud.');
  const services = only === undefined ? SERVICE_NAMES : [oneOf('only', only, SERVICE_NAMES)];
  if (implementation === 'independent') {
    const absent = services.flatMap((service) => whyAbsent(service, 'independent') ?? []);
    if (absent.length > 0) throw new ExpectedError([...new Set(absent)].join('\n'));
    console.log(`Against ${[...new Set(services.map((service) => `${INDEPENDENT[service].name} ${INDEPENDENT[service].version}`))].join(', ')}`);
  }
  const files = services.map((service) => `test/contract/${service}/${implementation}.test.ts`).filter((file) => existsSync(join(ROOT, file)));
  return vitest(files, { ...(project === undefined ? {} : { CONTRACT_CLOUD_PROJECT: project }), ...(isFull ? { CONTRACT_TABLE: 'full' } : {}) });
}

function clients(language: string): Promise<number> {
  oneOf('clients', language, ['python']);
  return vitest(['test/contract/clients/'], { CONTRACT_CLIENTS_NEEDED: '1' });
}

function kills(count: number, seed: string | undefined): Promise<number> {
  return vitest(['test/contract/kills/'], { CONTRACT_KILLS: String(count), ...(seed === undefined ? {} : { CONTRACT_SEED: String(wholeNumberOption('seed', seed, 0, 2 ** 32 - 1)) }) });
}

function oneOf<T extends string>(option: string, value: string, known: readonly T[]): T {
  const found = known.find((name) => name === value);
  if (found === undefined) throw new UsageError(`--${option} is ${JSON.stringify(value)}; expected ${known.join(', ')}.`);
  return found;
}

function vitest(files: string[], env: Record<string, string>): Promise<number> {
  return node(['node_modules/vitest/vitest.mjs', 'run', ...files], env);
}

function node(args: string[], env: Record<string, string> = {}): Promise<number> {
  return new Promise((done, fail) => {
    spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } }).once('error', fail).once('exit', (code) => done(code ?? 1));
  });
}
