// The tour, first stop: a client posts, and is told the truth.
import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, batchOf, countIds, eventAt, eventually, send, spawnLocalRun, type SpawnedRun } from './tour.ts';

let run: SpawnedRun;
beforeAll(async () => { run = await spawnLocalRun(); });
afterAll(() => run?.stop());

test('an event that is answered 200 can be queried a moment later', async () => {
  const event = eventAt(Date.now(), 'purchase', { event_params: { currency: 'USD', value: 12.5 } });
  const answer = await send(run, '/v1/events', batchOf([event]));
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({ accepted: 1, rejected: [] });
  const [row] = await eventually('the row', async () => {
    const rows = await ask(run, 'SELECT event_name, event_id, event_date, user_pseudo_id, (SELECT value.double_value FROM UNNEST(event_params) WHERE key = \'value\') AS value FROM `events_*` WHERE event_id = @id', { id: event.event_id });
    return rows.length > 0 && rows;
  });
  expect(row).toEqual({ event_name: 'purchase', event_id: event.event_id, event_date: new Date().toISOString().slice(0, 10).replaceAll('-', ''), user_pseudo_id: 'phone-1', value: 12.5 });
});

test.each([
  ['Authorization: Bearer', (key: string) => ({ path: '/v1/events', headers: { authorization: `Bearer ${key}` } })],
  ['X-Write-Key', (key: string) => ({ path: '/v1/events', headers: { 'x-write-key': key } })],
  ['?key=', (key: string) => ({ path: `/v1/events?key=${key}`, headers: {} })],
])('the key may travel in %s', async (_where, at) => {
  const { path, headers } = at(run.write_key);
  expect((await send(run, path, batchOf([eventAt(Date.now())]), headers as Record<string, string>)).status).toBe(200);
  const wrong = at(randomUUID());
  expect((await send(run, wrong.path, batchOf([eventAt(Date.now())]), wrong.headers as Record<string, string>)).status).toBe(401);
});

test('the key may travel in the body', async () => {
  expect((await send(run, '/v1/events', batchOf([eventAt(Date.now())], { write_key: run.write_key }), {})).status).toBe(200);
  expect((await send(run, '/v1/events', batchOf([eventAt(Date.now())]), {})).status).toBe(401);
});

test('plain, gzip and newline-delimited bodies all arrive', async () => {
  const events = [eventAt(Date.now()), eventAt(Date.now()), eventAt(Date.now()), eventAt(Date.now())];
  expect((await send(run, '/v1/events', batchOf([events[0]]))).status).toBe(200);
  expect((await send(run, '/v1/events', gzipSync(JSON.stringify(batchOf([events[1]]))), { 'authorization': `Bearer ${run.write_key}`, 'content-encoding': 'gzip' })).status).toBe(200);
  const lines = [events[2], events[3]].map((event) => JSON.stringify(event)).join('\n');
  const answer = await send(run, '/v1/events', lines, { 'authorization': `Bearer ${run.write_key}`, 'content-type': 'application/x-ndjson' });
  expect(answer.body).toEqual({ accepted: 2, rejected: [] });
  await eventually('four rows', async () => (await countIds(run, 'events_*', events.map(({ event_id: id }) => id))) === 4);
});

test('inference logs go their own way to their own table', async () => {
  const id = randomUUID();
  const answer = await send(run, '/v1/inference', { events: [{ event_id: id, event_name: 'inference', event_timestamp: Date.now() * 1_000, request_id: 'r-1', model: { name: 'ranker', version: '3' }, latency_ms: 12.5 }] });
  expect(answer.body).toEqual({ accepted: 1, rejected: [] });
  const [row] = await eventually('the row', async () => {
    const rows = await ask(run, 'SELECT request_id, model.name AS model, latency_ms FROM `inference_*` WHERE event_id = @id', { id });
    return rows.length > 0 && rows;
  });
  expect(row).toEqual({ request_id: 'r-1', model: 'ranker', latency_ms: 12.5 });
});
