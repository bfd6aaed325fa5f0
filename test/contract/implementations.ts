// The implementations of each Google service that a contract suite can run against: ours, an independent one where it is installed, a real project
// where credentials are given. launch() starts one and puts its address into the environment, where Google's clients look for it.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { launchIndependent } from './independent.ts';
import { localProcess, type LocalProcess } from '../emulators/local-process.ts';

export type ServiceName = 'pubsub' | 'storage' | 'bigquery' | 'bigquery-write';
export type Implementation = 'ours' | 'independent' | 'cloud';

/** What a case may ask for besides calls: moving the clock, breaking calls on purpose, SIGKILL and a restart on the same data, an HTTP endpoint on loopback that the service can reach. */
export type Power = 'clock' | 'faults' | 'restart' | 'loopback';

/** What can be done with each: the docs are generated from it, too. */
export const POWERS: Record<Implementation, readonly Power[]> = { ours: ['clock', 'faults', 'restart', 'loopback'], independent: [], cloud: [] };

export type Launched = {
  implementation: Implementation;
  project: string;
  powers: ReadonlySet<Power>;
  /** Ours only: the control address and the clock file, and a SIGKILL followed by a start on the same data and port. */
  ours?: { controlUrl: string; clockFile: string; restart(): Promise<void> };
  stop(): Promise<void>;
};

export const ROOT = resolve(import.meta.dirname, '../..');
/** Where `npm run contract -- --install` puts what is not ours; git ignores it. */
export const INSTALLED = join(ROOT, '.contract');
export const PROJECT = 'test-project';

export const INDEPENDENT: Record<ServiceName, { name: string; version: string; file: string }> = {
  pubsub: { name: 'pstest', version: '2.8.1', file: join(INSTALLED, 'bin/pstest-server') },
  storage: { name: 'fake-gcs-server', version: '1.56.1', file: join(INSTALLED, 'bin/fake-gcs-server') },
  bigquery: { name: 'bqemulator', version: '1.4.0', file: join(INSTALLED, 'bqemulator/bin/python') },
  'bigquery-write': { name: 'bqemulator', version: '1.4.0', file: join(INSTALLED, 'bqemulator/bin/python') },
};

/** Why an implementation can't be run on this machine now, or undefined when it can. */
export function whyAbsent(service: ServiceName, implementation: Implementation): string | undefined {
  if (implementation === 'independent' && !existsSync(INDEPENDENT[service].file)) return `${INDEPENDENT[service].name} is not installed: npm run contract -- --install`;
  if (implementation === 'cloud' && cloudProject() === undefined) return 'no project is named: npm run contract -- --against cloud --project P';
  return undefined;
}

export function cloudProject(): string | undefined {
  return process.env['CONTRACT_CLOUD_PROJECT'];
}

export async function launch(service: ServiceName, implementation: Implementation): Promise<Launched> {
  switch (implementation) {
    case 'ours': return launchOurs(service);
    case 'independent': return launchIndependent(service);
    case 'cloud': return { implementation, project: cloudProject()!, powers: new Set(POWERS.cloud), stop: async () => {} };
  }
}

async function launchOurs(service: ServiceName): Promise<Launched> {
  const dir = mkdtempSync(join(tmpdir(), `contract-${service}-`));
  const clockFile = join(dir, 'clock.json');
  const env = { LOCAL_CLOUD_CLOCK_FILE: clockFile };
  const isBigQuery = service === 'bigquery' || service === 'bigquery-write';
  // Load jobs read from the local Cloud Storage.
  const storage = isBigQuery ? await localProcess('storage', join(dir, 'storage'), { env }) : undefined;
  if (storage !== undefined) process.env['STORAGE_EMULATOR_HOST'] = `http://127.0.0.1:${storage.port}`;
  const name = isBigQuery ? 'bigquery' : service;
  let running = await localProcess(name, join(dir, name), { env });
  setAddress(service, running);
  return {
    implementation: 'ours', project: PROJECT, powers: new Set(POWERS.ours),
    ours: {
      get controlUrl() { return `http://127.0.0.1:${running.control_port}`; },
      clockFile,
      async restart() {
        const { port, control_port: controlPort, write_port: writePort } = running;
        await running.kill('SIGKILL');
        running = await localProcess(name, join(dir, name), { env, port, controlPort, ...(writePort === undefined ? {} : { writePort }) });
      },
    },
    async stop() {
      await running.kill('SIGTERM');
      await storage?.kill('SIGTERM');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function setAddress(service: ServiceName, { port, write_port: writePort }: LocalProcess): void {
  process.env['METADATA_SERVER_DETECTION'] = 'none';
  if (service === 'pubsub') process.env['PUBSUB_EMULATOR_HOST'] = `127.0.0.1:${port}`;
  else if (service === 'storage') process.env['STORAGE_EMULATOR_HOST'] = `http://127.0.0.1:${port}`;
  else {
    process.env['BIGQUERY_EMULATOR_HOST'] = `http://127.0.0.1:${port}`;
    process.env['BIGQUERY_WRITE_ENDPOINT'] = `127.0.0.1:${writePort}`;
  }
}
