// Starts Google's GoogleSQL server (analyser and reference evaluator) where `npm run contract -- --install` put it; used by the contract tests.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const LIB = join(import.meta.dirname, '../../../.contract/zetasql/node_modules/@fivetrandevelopers/zetasql/lib/zetasql');
const SERVER = join(LIB, `remote_server${process.arch.startsWith('arm') ? '_arm' : ''}${process.platform === 'darwin' ? '' : '.so'}`);
const MESSAGE_BYTES_MAX = 500 * 1024 * 1024;
const START_TIMEOUT_MS = 30_000;

export const isReferenceInstalled = existsSync(SERVER);

export type Method = 'analyze' | 'evaluateQuery' | 'registerCatalog' | 'unregisterCatalog' | 'getLanguageOptions' | 'parse';
export type ReferenceServer = { call(method: Method, request: object): Promise<Record<string, any>>; stop(): void };

export async function startReferenceServer(): Promise<ReferenceServer> {
  const port = await freePort();
  const server = spawn(SERVER, ['localhost', String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the GoogleSQL server did not start')), START_TIMEOUT_MS);
    server.stdout.on('data', (text: Buffer) => {
      if (!text.includes('listening')) return;
      clearTimeout(timer);
      resolve();
    });
    server.once('exit', (code) => reject(new Error(`the GoogleSQL server ended with code ${code}`)));
  });
  const client = connect(port);
  return {
    call: (method, request) => new Promise((resolve, reject) => {
      client[method]?.(request, (error, response) => (error ? reject(error) : resolve(response)));
    }),
    stop() {
      client.close?.();
      server.kill('SIGKILL');
    },
  };
}

type Client = Record<string, (request: object, done: (error: Error | null, response: Record<string, any>) => void) => void> & { close?: () => void };

function connect(port: number): Client {
  const definition = loadSync('local_service.proto', { keepCase: true, defaults: false, oneofs: true, longs: String, enums: String, includeDirs: [join(LIB, 'protos')] });
  const service = loadPackageDefinition(definition) as any;
  return new service.zetasql.local_service.ZetaSqlLocalService(`localhost:${port}`, credentials.createInsecure(), {
    'grpc.max_send_message_length': MESSAGE_BYTES_MAX, 'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  });
}

/** The server takes a port and tells none, so one is looked for; another process could take it in between, which ends the start with an error. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
