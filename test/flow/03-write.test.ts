// Third stop: the same message becomes rows and a file, each on its own.
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bodyOfLine } from '../../scripts/prove/compare.ts';
import { ask, batchOf, eventAt, eventually, send, spawnLocalRun, type SpawnedRun } from './tour.ts';

let run: SpawnedRun;
beforeAll(async () => { run = await spawnLocalRun(); });
afterAll(() => run?.stop());

async function rawLines(stream: string): Promise<string[]> {
  const [files] = await run.storage.bucket(run.bucket).getFiles({ prefix: `raw/${stream}/` });
  const texts = await Promise.all(files.map(async (file) => gunzipSync((await file.download({ decompress: false }))[0]).toString()));
  return texts.flatMap((text) => text.split('\n')).filter((line) => line !== '');
}

test('the file holds the body as it was sent, to the byte', async () => {
  const body = `{ "user_pseudo_id" : "ünïcode-日本",   "events":[${JSON.stringify(eventAt(Date.now()))}] }`;
  expect((await send(run, '/v1/events', body)).status).toBe(200);
  const sha = (text: string): string => createHash('sha256').update(text).digest('hex');
  await eventually('the body in a raw file', async () => (await rawLines('events')).some((line) => sha(bodyOfLine(line)) === sha(body)));
});

test('a file is named by date, hour and message id, and counts its events', async () => {
  const events = [eventAt(Date.now()), { ...eventAt(Date.now()), event_name: '' }];
  expect((await send(run, '/v1/events', batchOf(events))).status).toBe(200);
  const file = await eventually('a file with one rejected event', async () => {
    const [files] = await run.storage.bucket(run.bucket).getFiles({ prefix: 'raw/events/' });
    return files.find(({ metadata }) => metadata.metadata?.['rejected'] === '1');
  });
  expect(file.name).toMatch(/^raw\/events\/dt=\d{4}-\d{2}-\d{2}\/hour=\d{2}\/\d+\.ndjson\.gz$/);
  expect(file.metadata.metadata).toMatchObject({ events: '1', rejected: '1' });
  expect(file.metadata.contentEncoding).toBeUndefined();
});

test('a row has the columns of the GA4 export, in their order, before ours', async () => {
  const event = eventAt(Date.now(), 'purchase', { ecommerce: { transaction_id: 'T1', purchase_revenue: 25 }, items: [{ item_id: 'sku1', price: 12.5, quantity: 2 }], user_properties: { plan: 'pro', logins: 3 } });
  await send(run, '/v1/events', batchOf([event], { user_id: 'u1', device: { language: 'ko-kr' }, app_info: { id: 'com.example', version: '1.2' } }));
  const [row] = await eventually('the row', async () => {
    const rows = await ask<Record<string, any>>(run, 'SELECT * FROM `events_*` WHERE event_id = @id', { id: event.event_id });
    return rows.length > 0 && rows;
  });
  expect(Object.keys(row!)).toEqual([
    'event_date', 'event_timestamp', 'event_name', 'event_params', 'event_previous_timestamp', 'event_value_in_usd', 'event_bundle_sequence_id', 'event_server_timestamp_offset',
    'user_id', 'user_pseudo_id', 'privacy_info', 'user_properties', 'user_first_touch_timestamp', 'user_ltv', 'device', 'geo', 'app_info', 'traffic_source', 'stream_id', 'platform',
    'event_dimensions', 'ecommerce', 'items', 'collected_traffic_source', 'is_active_user', 'batch_event_index', 'batch_page_id', 'batch_ordering_id',
    'session_traffic_source_last_click', 'publisher', 'event_original_occurrence_timestamp', 'event_id', 'received_timestamp', 'ingest',
  ]);
  expect(row).toMatchObject({ event_name: 'purchase', user_id: 'u1', user_pseudo_id: 'phone-1', platform: 'ANDROID', user_ltv: null, is_active_user: null });
  expect(row!['event_timestamp']).toBe(event.event_timestamp);
  expect(row!['device'].language).toBe('ko-kr');
  expect(row!['items'][0]).toMatchObject({ item_id: 'sku1', price: 12.5, quantity: 2 });
  expect(row!['ecommerce']).toMatchObject({ transaction_id: 'T1', purchase_revenue: 25 });
  expect(row!['user_properties'].map(({ key, value }: any) => [key, value.string_value ?? value.int_value])).toEqual([['plan', 'pro'], ['logins', 3]]);
  expect(row!['ingest']).toMatchObject({ protocol: 'native', is_late: false });
});

test('with Pub/Sub delivering everything twice, the file is there once', async () => {
  const before = (await rawLines('events')).length;
  await fetch(`${run.control['pubsub']}/faults`, { method: 'POST', body: JSON.stringify({ method: 'Push', kind: 'duplicate', times: 4 }) });
  const event = eventAt(Date.now());
  await send(run, '/v1/events', batchOf([event]));
  await eventually('two rows of one message', async () => {
    const rows = await ask(run, 'SELECT event_id FROM `events_*` WHERE event_id = @id', { id: event.event_id });
    return rows.length === 2;
  });
  expect((await rawLines('events')).length).toBe(before + 1);
});
