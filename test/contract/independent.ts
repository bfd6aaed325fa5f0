// Starts the independent implementation of a service, as `npm run contract -- --install` left it, on a free loopback port, and sets the address that the clients read.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepts, freePorts } from '../../scripts/local/ports.ts';
import { INDEPENDENT, INSTALLED, POWERS, PROJECT, type Launched, type ServiceName } from './implementations.ts';

const READY_MS = 60_000;

type Start = { args: string[]; env?: Record<string, string>; variables: Record<string, string> };

export async function launchIndependent(service: ServiceName): Promise<Launched> {
  const dir = mkdtempSync(join(tmpdir(), `contract-${INDEPENDENT[service].name}-`));
  const ports = (await freePorts(2, '127.0.0.1')) as [number, number];
  const how = HOW[service](ports, dir);
  const child = spawn(INDEPENDENT[service].file, how.args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...how.env } });
  const errors: string[] = [];
  child.stderr!.on('data', (chunk: Buffer) => { if (errors.length < 50) errors.push(chunk.toString('utf8')); });
  const end = (): void => { child.kill('SIGKILL'); };
  process.once('exit', end);
  await reachable(ports[0], child, errors);
  Object.assign(process.env, { METADATA_SERVER_DETECTION: 'none', ...how.variables });
  return {
    implementation: 'independent', project: PROJECT, powers: new Set(POWERS.independent),
    async stop() {
      process.off('exit', end);
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Arguments and addresses of each, from the port (and a second one) that it is given. */
const HOW: Record<ServiceName, (ports: [number, number], dir: string) => Start> = {
  pubsub: ([port]) => ({ args: ['-port', String(port)], variables: { PUBSUB_EMULATOR_HOST: `127.0.0.1:${port}` } }),
  storage: ([port]) => ({ args: ['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-backend', 'memory', '-public-host', `127.0.0.1:${port}`], variables: { CONTRACT_STORAGE_ENDPOINT: `http://127.0.0.1:${port}` } }),
  bigquery: bqemulator,
  'bigquery-write': bqemulator,
};

function bqemulator([port, writePort]: [number, number]): Start {
  return {
    // HOME is where install-bqemulator.ts put the extension that it needs.
    args: ['-m', 'bqemulator', 'start', '--rest-port', String(port), '--grpc-port', String(writePort), '--project', PROJECT, '--log-level', 'error'], env: { HOME: join(INSTALLED, 'bqemulator/home') },
    variables: { BIGQUERY_EMULATOR_HOST: `http://127.0.0.1:${port}`, BIGQUERY_WRITE_ENDPOINT: `127.0.0.1:${writePort}` },
  };
}

async function reachable(port: number, child: ChildProcess, errors: readonly string[]): Promise<void> {
  const endMs = performance.now() + READY_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode} before it was ready:\n${errors.join('')}`);
    if (await accepts(port)) return;
    if (performance.now() > endMs) throw new Error(`It did not listen within ${READY_MS} ms:\n${errors.join('')}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
