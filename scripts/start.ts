// `npm start`: a small Google Cloud and every function of the flow on this machine, each in a process of its own, kept alive until
// Ctrl-C. Writes .chiplog/local.json when ready, so that the other scripts find it.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join, resolve } from 'node:path';
import { now, realNow, readOffset, setNow } from '../emulators/clock.ts';
import { bigqueryWriteEndpoint } from '../emulators/env.ts';
import { startGateway, type Gateway } from '../emulators/gateway.ts';
import { startScheduler, type Scheduler } from '../emulators/scheduler.ts';
import { readSources } from '../functions/collect/sources.ts';
import type { Child } from './local/child.ts';
import { claimDataFolder } from './local/data-folder.ts';
import { BUCKET, childSpecs, cloudVariables, DATASET, dealPorts, portsNeeded, PREFIX, PROJECT, SERVICES, type Ports } from './local/environment.ts';
import { FUNCTIONS } from './local/function-settings.ts';
import type { LocalRun } from './local/local-run.ts';
import { ExpectedError, runScript } from './local/options.ts';
import { freePortFrom, freePorts } from './local/ports.ts';
import { readStartOptions, START_HELP, type StartOptions } from './local/start-options.ts';
import { summary } from './local/summary.ts';
import { Supervisor } from './local/supervisor.ts';
import { writeWhole } from './local/write-whole.ts';

const ROOT = resolve(import.meta.dirname, '..');
const ROLLOVER_SECONDS = 900;
const MAINTAIN_SECONDS = 3_600;
const NODE_MAJOR = 24;
const DEMO_PHONES = 12;
const DEMO_EVENTS = 300;

const say = (line: string): void => console.log(line);

await runScript(async () => {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) throw new ExpectedError(`This is Node ${process.versions.node}; Chiplog runs on Node ${NODE_MAJOR}, which npm ci has put into node_modules/.bin. Start it with: npm start`);
  const options = readStartOptions(process.argv.slice(2));
  if (options === undefined) return void process.stdout.write(START_HELP);
  await run(options);
});

async function run(options: StartOptions): Promise<void> {
  const startedAt = performance.now();
  mkdirSync(options.stateDir, { recursive: true });
  const data = await claimDataFolder(options.dataDir, options.isFresh, options.timeZone);
  const localFile = join(options.stateDir, 'local.json');
  let scheduler: Scheduler | undefined;
  let gateway: Gateway | undefined;
  let ending: Promise<void> | undefined;

  const supervisor = new Supervisor({ root: ROOT, stateDir: options.stateDir, say, onGiveUp: (child) => void end(1, gaveUp(child)) });
  const end = (code: number, reason: string): Promise<void> => (ending ??= (async () => {
    say(reason);
    rmSync(localFile, { force: true });
    await scheduler?.close();
    await gateway?.close();
    const writers = FUNCTIONS.map(({ name }) => name).filter((name) => name !== 'collect');
    await supervisor.stop([['collect'], writers, SERVICES]);
    data.release();
    process.exit(code);
  })());
  onSignals(() => {
    if (ending !== undefined) {
      supervisor.kill();
      data.release();
      process.exit(1);
    }
    void end(0, '\nEnding …');
  });

  try {
    if (options.nowMs !== undefined) setNow(data.clockFile, options.nowMs);
    const sources = prepareSources(options, data.dir);
    const ports = await choosePorts(options);
    const around = { root: ROOT, dataDir: data.dir, stateDir: options.stateDir, clockFile: data.clockFile, timeZone: data.timeZone, sourcesFile: sources.file, host: options.host, ports };
    const specs = childSpecs(around);
    const services = specs.services.map((spec) => supervisor.start(spec));
    const functions = specs.functions.map((spec) => supervisor.start(spec));
    Object.assign(process.env, cloudVariables(around));
    const urlOf = (name: string): string => `http://127.0.0.1:${ports.functions[name]}`;

    // Loaded while the children load.
    const { provision } = await import('./provision.ts');
    await Promise.all(services.map((child) => child.ready()));
    await provision({ project: PROJECT, prefix: PREFIX, dataset: DATASET, bucket: BUCKET, writers: { bigquery: `${urlOf('write-bigquery')}/`, storage: `${urlOf('write-storage')}/` }, retryAfterSeconds: options.retryAfterSeconds, catalogueFile: join(ROOT, 'schemas/streams.json') });
    await Promise.all(functions.map((child) => child.ready()));

    scheduler = startScheduler({
      jobs: [{ name: 'rollover', everySeconds: ROLLOVER_SECONDS, url: urlOf('rollover') }, { name: 'maintain', everySeconds: MAINTAIN_SECONDS, url: urlOf('maintain') }],
      now: () => now(data.clockFile),
    });
    const status = await scheduler.runNow('maintain');
    if (status !== 200) say(`maintain answered ${status === 0 ? 'nothing' : status}; tables may be missing. See ${join(options.stateDir, 'logs/maintain.log')}`);

    const control = Object.fromEntries(SERVICES.map((name) => [name, `http://127.0.0.1:${ports.services[name].control}`]));
    const children = new Map([...services, ...functions].map((child) => [child.spec.name, child]));
    gateway = await startGateway({
      host: '127.0.0.1', port: await freePortFrom(options.port === 0 ? 0 : options.port + 1, '127.0.0.1'), services: control, clockFile: data.clockFile,
      kill: { names: [...children.keys()], run: (name) => children.get(name)!.killAndReturn() },
    });

    const facts: LocalRun = {
      collector_url: `http://${isEveryAddress(options.host) ? '127.0.0.1' : isIPv6(options.host) ? `[${options.host}]` : options.host}:${ports.functions['collect']}`,
      write_key: sources.writeKey, project: PROJECT, dataset: DATASET, bucket: BUCKET, env: cloudVariables(around), bigquery_write_endpoint: bigqueryWriteEndpoint({ host: '127.0.0.1', bigqueryWritePort: ports.bigqueryWrite }), pid: process.pid,
      control, control_url: `http://127.0.0.1:${gateway.port}`,
      functions: Object.fromEntries(FUNCTIONS.map(({ name }) => [name, urlOf(name)])),
      sources_file: sources.file, clock_file: data.clockFile, processes_file: supervisor.processesFile, time_zone: data.timeZone, data_dir: data.dir,
    };
    if (ending !== undefined) return await ending;
    writeWhole(localFile, facts);
    say(summary(facts, now(data.clockFile), { seconds: (performance.now() - startedAt) / 1_000, isClockMoved: readOffset(data.clockFile) !== 0, isOpen: isEveryAddress(options.host) }));
    // After the word "ready": whoever waits for it need not wait for pretend phones.
    if (options.withDemo) sendDemo(facts).then((line) => { if (ending === undefined) say(line); }, (error: unknown) => { if (ending === undefined) say(`The demo traffic failed: ${String(error)}`); });
  } catch (error) {
    await end(1, error instanceof ExpectedError ? error.message : `It could not be started: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

async function choosePorts(options: StartOptions): Promise<Ports> {
  const collector = await freePortFrom(options.port, options.host);
  if (options.port !== 0 && collector !== options.port) say(`Port ${options.port} is busy; the collector takes ${collector}.`);
  return dealPorts(await freePorts(portsNeeded, '127.0.0.1'), collector);
}

function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

type Sources = { file: string; writeKey: string };

/** The person's own sources document, or one with a source for trying things out. */
function prepareSources(options: StartOptions, dataDir: string): Sources {
  const file = options.sourcesFile ?? join(dataDir, 'sources.json');
  if (options.sourcesFile === undefined) {
    if (!existsSync(file)) writeFileSync(file, `${JSON.stringify({ sources: [{ id: 'demo-app', write_keys: ['demo'], platform: 'ANDROID', streams: ['events', 'inference'], origins: ['*'], enabled: true }] }, null, 2)}\n`);
  }
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ExpectedError(`The sources document ${file} can't be read: ${(error as Error).message}`);
  }
  const read = readSources(text, undefined, () => performance.now());
  if ('problems' in read) throw new ExpectedError(`The sources document ${file} has problems:\n${read.problems.map((problem) => `  - ${problem}`).join('\n')}`);
  const writeKey = [...read.list.byKey].find(([, source]) => source.isEnabled && source.streams.has('events'))?.[0];
  if (writeKey === undefined) throw new ExpectedError(`The sources document ${file} has no enabled source that may send to the stream events.`);
  return { file, writeKey };
}

/** A few hundred events of a dozen phones, so that the first query has something to show. */
async function sendDemo(facts: LocalRun): Promise<string> {
  const [{ planPhones }, { sendPlan }] = await Promise.all([import('./send/phones.ts'), import('./send/sender.ts')]);
  // Every start brings new events: the seed is the time.
  const plan = planPhones({ phones: DEMO_PHONES, events: DEMO_EVENTS, duplicatesPercent: 5, badPercent: 2, latePercent: 5, seed: Math.floor(realNow() / 1_000), nowMs: now(facts.clock_file) });
  const tally = await sendPlan(plan, { collectorUrl: facts.collector_url, writeKey: facts.write_key, gzipShare: 0.5 });
  return `Demo: ${DEMO_PHONES} pretend phones sent ${tally.accepted} events, and ${tally.rejected} bad ones that were rejected. They can be queried now.\n`;
}

function gaveUp(child: Child): string {
  return `${child.spec.name} can't be kept running. Its last lines (all: ${child.logFile}):\n${child.lastLines.map((line) => `    ${line}`).join('\n')}\nEnding …`;
}

function onSignals(stop: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
}
