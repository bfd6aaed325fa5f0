// The function as deployed, in its own process under functions-framework: what Cloud Scheduler sends, what it is answered, and a
// process that is really killed.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PubSub } from '@google-cloud/pubsub';
import type { Message } from '@google-cloud/pubsub';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Faults } from '../../emulators/faults.ts';
import { start as startMetadata } from '../../emulators/metadata/server.ts';
import { start as startPubSub } from '../../emulators/pubsub/server.ts';
import type { RunningService } from '../../emulators/service.ts';
import { makeYard, PROJECT, startBigQuery } from './local-warehouse.ts';
import type { LocalBigQuery, Yard } from './local-warehouse.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const NOW = '2026-01-16T02:30:00Z';
let local: LocalBigQuery;
let pubsubService: RunningService;
let metadata: RunningService;
let pubsub: PubSub;
let yard: Yard;
let folder: string;
let port: number;
let child: ChildProcess;
const messages: { attributes: Record<string, string>; data: unknown }[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chiplog-rollover-function-'));
  local = await startBigQuery();
  local.setNow(NOW);
  pubsubService = await startPubSub({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'pubsub'), project: PROJECT, faults: new Faults(), now: () => Date.now() });
  metadata = await startMetadata({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'metadata'), project: PROJECT, faults: new Faults(), now: () => Date.now() });
  Object.assign(process.env, { PUBSUB_EMULATOR_HOST: `127.0.0.1:${pubsubService.port}`, METADATA_SERVER_DETECTION: 'none' });
  pubsub = new PubSub({ projectId: PROJECT });
  const [topic] = await pubsub.createTopic('chiplog-days');
  const [subscription] = await topic.createSubscription('test-days');
  subscription.on('message', (message: Message) => {
    messages.push({ attributes: message.attributes, data: JSON.parse(message.data.toString()) });
    message.ack();
  });
  yard = await makeYard(local, 'chiplog', {
    events_intraday_20260114: [{ id: 'a', at: '2026-01-14T10:00:00Z' }, { id: 'a', at: '2026-01-14T10:00:00Z', received: '2026-01-14T10:01:00Z' }],
    events_intraday_20260115: [{ id: 'b', at: '2026-01-15T10:00:00Z' }],
    events_intraday_20260116: [],
  });
  port = await freePort();
  writeFileSync(join(folder, 'clock.json'), JSON.stringify({ offset_ms: Date.parse(NOW) - Date.now() }));
  await startFunction();
}, 120_000);

afterAll(async () => {
  child?.kill('SIGKILL');
  await pubsub?.close();
  await pubsubService?.close();
  await metadata?.close();
  await local?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return free;
}

async function startFunction(): Promise<void> {
  child = spawn(process.execPath, ['--import', './emulators/preload.ts', 'node_modules/@google-cloud/functions-framework/build/src/main.js', '--source=functions/rollover/function.ts', '--target=rollover', `--port=${port}`], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'], HOME: process.env['HOME'], GOOGLE_CLOUD_PROJECT: PROJECT, PUBSUB_EMULATOR_HOST: process.env['PUBSUB_EMULATOR_HOST'], BIGQUERY_EMULATOR_HOST: process.env['BIGQUERY_EMULATOR_HOST'],
      GCE_METADATA_HOST: `127.0.0.1:${metadata.port}`, METADATA_SERVER_DETECTION: 'assume-present', LOCAL_CLOUD_CLOCK_FILE: join(folder, 'clock.json'),
    },
  });
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => { output += chunk.toString(); });
  for (let waited = 0; waited < 30_000; waited += 20) {
    if (output.includes('URL: http')) return;
    if (child.exitCode !== null) break;
    await sleep(20);
  }
  throw new Error(`The function did not start:\n${output}`);
}

type Answer = { status: number; body: { pending: boolean; done: boolean; days: { stream: string; date: string; state: string; kept?: number }[]; dropped: string[]; error?: string } };
async function call(body: unknown): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() as Answer['body'] };
}

test('a call that is wrong is answered 400 with a sentence, and does nothing', async () => {
  expect(await call({ date: 'yesterday' })).toMatchObject({ status: 400, body: { error: expect.stringContaining('"date"') } });
  expect(await yard.tables()).not.toContain('events_20260114');
});

test('a date that is not ready is refused', async () => {
  expect(await call({ date: '20260116' })).toMatchObject({ status: 200, body: { pending: false, done: true, days: expect.arrayContaining([{ stream: 'events', date: '20260116', state: 'waiting', why: 'not_closed', until: '2026-01-17T02:30:00.000Z' }]) } });
});

test('two calls at once and a kill in the middle end as one daily table a date, each announced', async () => {
  const both = Promise.allSettled([call({}), call({})]);
  // Somewhere in the first date's jobs.
  for (let waited = 0; !(await yard.tables()).includes('events_20260114') && waited < 20_000; waited += 20) await sleep(20);
  child.kill('SIGKILL');
  await both;
  await startFunction();
  for (let calls = 0; ; calls += 1) {
    const { status, body } = await call({});
    expect(status).toBe(200);
    if (!body.pending) break;
    if (calls > 20) throw new Error(`It does not end: ${JSON.stringify(body)}`);
  }
  expect(await yard.tables()).toEqual(['events_20260114', 'events_20260115', 'events_intraday_20260116', 'rollovers', 'user_days']);
  expect(await yard.ask('SELECT event_date, run, status, `read`, kept FROM rollovers ORDER BY event_date, run')).toEqual([
    { event_date: '20260114', run: 1, status: 'done', read: 2, kept: 1 }, { event_date: '20260115', run: 1, status: 'done', read: 1, kept: 1 },
  ]);
  for (let waited = 0; new Set(messages.map(({ attributes }) => attributes['date'])).size < 2 && waited < 10_000; waited += 50) await sleep(50);
  expect(new Set(messages.map(({ attributes }) => `${attributes['type']} ${attributes['stream']} ${attributes['date']}`))).toEqual(new Set(['day.finalized events 20260114', 'day.finalized events 20260115']));
}, 120_000);
