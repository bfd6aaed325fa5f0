// What the processes of the local run are started with: ports, arguments and variables of each. scripts/start.ts calls childSpecs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bigqueryWriteEndpoint, clientVariables, preloadVariables } from '../../emulators/env.ts';
import type { ChildSpec } from './child.ts';
import { FUNCTIONS, variablesFor } from './function-settings.ts';

export const PROJECT = 'chiplog-local';
export const DATASET = 'chiplog';
export const PREFIX = 'chiplog';
export const BUCKET = 'chiplog-local-raw';
const LOOPBACK = '127.0.0.1';

export const SERVICES = ['pubsub', 'bigquery', 'storage', 'metadata'] as const;
export type ServiceName = (typeof SERVICES)[number];

export type Ports = {
  services: Record<ServiceName, { port: number; control: number }>;
  bigqueryWrite: number;
  functions: Record<string, number>;
};

export const portsNeeded = SERVICES.length * 2 + 1 + FUNCTIONS.length - 1;

/** Deals out free ports; the collector has its own. */
export function dealPorts(free: number[], collectorPort: number): Ports {
  const next = (): number => free.shift()!;
  const services = Object.fromEntries(SERVICES.map((name) => [name, { port: next(), control: next() }])) as Ports['services'];
  return { services, bigqueryWrite: next(), functions: Object.fromEntries(FUNCTIONS.map(({ name }) => [name, name === 'collect' ? collectorPort : next()])) };
}

export type Surroundings = { root: string; dataDir: string; stateDir: string; clockFile: string; timeZone: string; sourcesFile: string; host: string; ports: Ports };

/** Variables by which Google's clients in any process reach the local services, and nothing else. */
export function cloudVariables({ dataDir, clockFile, ports }: Pick<Surroundings, 'dataDir' | 'clockFile' | 'ports'>): Record<string, string> {
  const { pubsub, bigquery, storage, metadata } = ports.services;
  return {
    ...clientVariables({ host: LOOPBACK, project: PROJECT, pubsubPort: pubsub.port, bigqueryPort: bigquery.port, bigqueryWritePort: ports.bigqueryWrite, storagePort: storage.port, metadataPort: metadata.port, clockFile }),
    // So that the auth library never finds a person's real credentials here.
    CLOUDSDK_CONFIG: join(dataDir, 'no-gcloud'),
  };
}

export function childSpecs(around: Surroundings): { services: ChildSpec[]; functions: ChildSpec[] } {
  const preload = (name: string): string[] => ['--import', join(around.root, name)];
  const imports = [...preload('emulators/preload.ts'), ...preload('scripts/local/follow-parent.ts')];
  const base = (host: string): Record<string, string> => ({
    ...inherited(), ...preloadVariables({ host, clockFile: around.clockFile }),
    NODE_COMPILE_CACHE: join(around.stateDir, 'compile-cache'),
  });
  const services = SERVICES.map((name): ChildSpec => {
    const { port, control } = around.ports.services[name];
    const write = name === 'bigquery' ? ['--write-port', String(around.ports.bigqueryWrite)] : [];
    return {
      name, port, readyPort: control, host: LOOPBACK, env: base(LOOPBACK),
      args: [...imports, 'emulators/run.ts', name, '--data', join(around.dataDir, name), '--port', String(port), '--control-port', String(control), ...write, '--project', PROJECT],
    };
  });
  const settings = { ...cloudVariables(around), ...productVariables(around) };
  const functions = FUNCTIONS.filter(({ folder }) => existsSync(join(around.root, folder, 'function.ts'))).map((spec): ChildSpec => {
    const host = spec.name === 'collect' ? around.host : LOOPBACK;
    const port = around.ports.functions[spec.name]!;
    return {
      name: spec.name, port, readyPort: port, host: host === '0.0.0.0' || host === '::' ? LOOPBACK : host,
      env: { ...base(host), ...cloudVariables(around), ...variablesFor(around.root, spec, settings) },
      args: [...imports, 'node_modules/@google-cloud/functions-framework/build/src/main.js', `--source=${spec.folder}/function.ts`, `--target=${spec.target}`, `--port=${port}`],
    };
  });
  return { services, functions };
}

function productVariables(around: Surroundings): Record<string, string> {
  return {
    GOOGLE_CLOUD_PROJECT: PROJECT, CHIPLOG_PREFIX: PREFIX, CHIPLOG_DATASET: DATASET, CHIPLOG_BUCKET: BUCKET, CHIPLOG_TIME_ZONE: around.timeZone, CHIPLOG_SOURCES_FILE: around.sourcesFile,
    CHIPLOG_BIGQUERY_WRITE_ENDPOINT: bigqueryWriteEndpoint({ host: LOOPBACK, bigqueryWritePort: around.ports.bigqueryWrite }),
  };
}

/** The person's own variables, without any that would lead a child to a real project or change its settings. */
function inherited(): Record<string, string> {
  const foreign = /^(CHIPLOG_|GOOGLE_|GCLOUD_|GCE_|CLOUDSDK_|K_|FUNCTION_|LOCAL_CLOUD_|NODE_OPTIONS$|NODE_CHANNEL|npm_)|_EMULATOR_HOST$/;
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && !foreign.test(entry[0])));
}
