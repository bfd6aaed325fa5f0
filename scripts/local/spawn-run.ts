// Starts a local run as a child of the caller, in a folder of its own, and ends it. For `npm run prove`, the benchmarks and the
// tests in test/flow, which all must not meet the run that a person has going.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BigQuery } from '@google-cloud/bigquery';
import { PubSub } from '@google-cloud/pubsub';
import { Storage } from '@google-cloud/storage';

/** What `.chiplog/local.json` says of a run that is ready. */
export type LocalRunFacts = {
  collector_url: string;
  write_key: string;
  project: string;
  dataset: string;
  bucket: string;
  /** Variables that lead Google's clients to the local services. */
  env: Record<string, string>;
  /** What the product's own setting for it is here; Google's client knows no variable. */
  bigquery_write_endpoint: string;
  pid: number;
  /** URLs of the functions by name. */
  functions: Record<string, string>;
  /** Control addresses of the services by name. */
  control: Record<string, string>;
  /** One control address for all of them: faults, time, kills (emulators/README.md). */
  control_url: string;
  clock_file: string;
  processes_file: string;
};

export type SpawnedRun = LocalRunFacts & {
  folder: string;
  bigquery: BigQuery;
  storage: Storage;
  pubsub: PubSub;
  /** Ends the run tidily; `keepData` leaves its folder, so that another run can be started on it. */
  stop: (keepData?: boolean) => Promise<void>;
};

const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 20_000;

/** Starts a run in `folder` (default: a new one under the system's temporary folder) and resolves when it is ready. */
export async function spawnLocalRun(args: readonly string[] = [], folder = mkdtempSync(join(tmpdir(), 'chiplog-'))): Promise<SpawnedRun> {
  const script = resolve(import.meta.dirname, '..', 'start.ts');
  const output: string[] = [];
  const child = spawn(process.execPath, [script, '--no-demo', '--port', '0', ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
  const file = join(folder, '.chiplog', 'local.json');
  const facts = await waitForFacts(child, file, output);
  Object.assign(process.env, facts.env);
  const projectId = facts.project;
  const pubsub = new PubSub({ projectId });
  return {
    ...facts, folder, pubsub, bigquery: new BigQuery({ projectId }), storage: new Storage({ projectId }),
    stop: async (keepData = false) => {
      await pubsub.close();
      await end(child);
      if (!keepData) rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function waitForFacts(child: ChildProcess, file: string, output: string[]): Promise<LocalRunFacts> {
  const startedAt = Date.now();
  while (Date.now() - startedAt < READY_MS_MAX) {
    if (child.exitCode !== null) throw new Error(`The local run ended with ${child.exitCode}:\n${output.join('')}`);
    if (existsSync(file)) {
      const facts = JSON.parse(readFileSync(file, 'utf8')) as LocalRunFacts;
      // A file that an earlier run left behind names another process.
      if (facts.pid === child.pid) return facts;
    }
    await sleep(50);
  }
  await end(child);
  throw new Error(`The local run was not ready within ${READY_MS_MAX / 1_000} s:\n${output.join('')}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await ended;
  clearTimeout(timer);
}
