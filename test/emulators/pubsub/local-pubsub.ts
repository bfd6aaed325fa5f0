// Starts the local Pub/Sub in this process and Google's own client against it; a tiny push endpoint; and waiting until something holds.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PubSub } from '@google-cloud/pubsub';
import { Faults } from '../../../emulators/faults.ts';
import { start } from '../../../emulators/pubsub/server.ts';
import type { RunningService } from '../../../emulators/service.ts';

export const PROJECT = 'test-project';

export type LocalPubSub = { service: RunningService; faults: Faults; client: PubSub; dataDir: string; clock: { offsetMs: number }; restart(): Promise<void>; close(): Promise<void> };

export async function localPubSub(): Promise<LocalPubSub> {
  const dataDir = mkdtempSync(join(tmpdir(), 'pubsub-'));
  const faults = new Faults();
  const clock = { offsetMs: 0 };
  const open = (port: number): Promise<RunningService> => start({ host: '127.0.0.1', port, dataDir, project: PROJECT, faults, now: () => Date.now() + clock.offsetMs });
  const service = await open(0);
  const local: LocalPubSub = {
    service, faults, dataDir, clock, client: clientAt(service.port),
    async restart() {
      await local.service.close();
      local.service = await open(local.service.port);
    },
    async close() {
      await local.client.close();
      await local.service.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return local;
}

export function clientAt(port: number): PubSub {
  process.env['PUBSUB_EMULATOR_HOST'] = `127.0.0.1:${port}`;
  process.env['METADATA_SERVER_DETECTION'] = 'none';
  return new PubSub({ projectId: PROJECT });
}

export type Pushed = { body: string; headers: IncomingHttpHeaders; atMs: number };
export type Endpoint = { url: string; pushed: Pushed[]; answer: (pushed: Pushed) => number | Promise<number>; close(): Promise<void> };

/** Remembers every push, and answers what `answer` says (204 unless changed). */
export async function endpoint(): Promise<Endpoint> {
  const made: Endpoint = { url: '', pushed: [], answer: () => 204, close: async () => {} };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const pushed = { body: Buffer.concat(chunks).toString('utf8'), headers: request.headers, atMs: performance.now() };
    made.pushed.push(pushed);
    response.writeHead(await made.answer(pushed)).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  made.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  made.close = () => new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
  return made;
}

export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const endMs = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`Not within ${ms} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}
