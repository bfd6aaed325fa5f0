// The real function under the real framework, stopped in the middle of its work.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ensureTable, tableApiOf, tableDefinition } from '../../../functions/maintain/tables.ts';
import { streamTables } from '../../../functions/stream-tables.ts';
import { dateOf, intradayTable } from '../../../functions/table-shard.ts';
import { PROJECT, startLocalBigQuery } from './local-writer.ts';
import type { LocalBigQuery } from './local-writer.ts';
import { envelopeOf, goodEvent, messageOf, pushBodyOf } from './messages.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
let local: LocalBigQuery;
let child: ChildProcess | undefined;
beforeAll(async () => { local = await startLocalBigQuery(); });
afterAll(async () => { await local.stop(); });
afterEach(() => { child?.kill('SIGKILL'); });

const freePort = (): Promise<number> => new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    server.close(() => done(port));
  });
});

async function startFunction(): Promise<{ push: (body: Buffer) => Promise<number>; running: ChildProcess; ended: Promise<number | null> }> {
  const port = await freePort();
  const running = spawn(process.execPath, ['--import', './emulators/preload.ts', join('node_modules/@google-cloud/functions-framework/build/src/main.js'), '--source=functions/write/bigquery/function.ts', '--target=writeBigquery', `--port=${port}`], {
    cwd: ROOT, stdio: 'ignore',
    env: { PATH: process.env['PATH'], GOOGLE_CLOUD_PROJECT: PROJECT, METADATA_SERVER_DETECTION: 'none', BIGQUERY_EMULATOR_HOST: process.env['BIGQUERY_EMULATOR_HOST'], PUBSUB_EMULATOR_HOST: '127.0.0.1:9', CHIPLOG_BIGQUERY_WRITE_ENDPOINT: local.writeEndpoint },
  });
  child = running;
  const ended = new Promise<number | null>((done) => { running.once('exit', (code) => done(code)); });
  const push = async (body: Buffer): Promise<number> => (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: new Uint8Array(body) })).status;
  for (let tries = 0; tries < 200; tries += 1) {
    if (await fetch(`http://127.0.0.1:${port}/`).then(() => true, () => false)) return { push, running, ended };
    await sleep(100);
  }
  throw new Error('the function did not start');
}

test('F4: SIGTERM while an append is under way: the message is acknowledged, new ones are refused, and the process ends', async () => {
  const now = Date.now();
  const table = intradayTable('events', dateOf(now, 'UTC'));
  const events = streamTables().find(({ stream }) => stream === 'events')!;
  await ensureTable(tableApiOf(local.dataset), tableDefinition(events, 'intraday', dateOf(now, 'UTC')));
  const body = (): Buffer => pushBodyOf(messageOf([envelopeOf([goodEvent({ event_timestamp: now * 1_000 })])], { publishTimeMs: now }));
  const { push, running, ended } = await startFunction();
  expect(await push(body())).toBe(204);

  local.faults.add({ method: 'AppendRows', kind: 'delay', delay_ms: 3_000, times: 1 });
  const underWay = push(body());
  await expect.poll(() => local.faults.stats()['AppendRows.delay'], { timeout: 10_000 }).toBe(1);
  running.kill('SIGTERM');
  await sleep(200);
  expect(await push(body())).toBe(503);
  expect(await underWay).toBe(204);
  expect(await ended).toBe(0);
  expect(await local.rowsOf(table)).toHaveLength(2);
});
