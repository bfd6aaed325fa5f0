// Pushes through Google's Storage Write client into the local BigQuery, and the rows read back from the table.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tableDefinition } from '../../../functions/maintain/tables.ts';
import type { Outcome } from '../../../functions/outcome.ts';
import { ENCODERS } from '../../../schemas/generated/rows.ts';
import { startLocalBigQuery, startWriter } from './local-writer.ts';
import type { LocalBigQuery } from './local-writer.ts';
import { envelopeOf, goodEvent, messageOf, NOON, NOON_MICROS, pushBodyOf } from './messages.ts';

let local: LocalBigQuery;
let writer: ReturnType<typeof startWriter>;
let clock = NOON;
beforeAll(async () => { local = await startLocalBigQuery(); });
afterAll(async () => { await local.stop(); });
beforeEach(async () => {
  clock = NOON;
  local.faults.clear();
  const [tables] = await local.dataset.getTables();
  for (const table of tables) await table.delete();
  await writer?.stop();
  writer = startWriter(local, { clock: () => clock });
  for (const stream of writer.streams.values()) {
    for (const kind of ['intraday', 'late'] as const) await writer.tables.create(tableDefinition(stream, kind, '20260115'));
  }
});
afterAll(async () => { await writer.stop(); });

const push = (envelopes: unknown[]): Promise<Outcome<unknown>> => writer.write(pushBodyOf(messageOf(envelopes)));

test('an event that was pushed is a row a moment later, every field in its column', async () => {
  const event = goodEvent({
    event_params: { ga_session_id: 1_700_000_000, price: 12.5, screen: 'Start', big: 9_007_199_254_740_991 }, user_properties: { plan: 'pro' },
    items: [{ item_id: 'sku1', price: 12.5, quantity: 2 }], device: { language: 'ko-kr', time_zone_offset_seconds: -3_600 },
  });
  expect(await push([envelopeOf([event])])).toEqual({ kind: 'accepted', value: { rows: 1, refused: 0 } });
  const [row] = await local.rowsOf('events_intraday_20260115');
  expect(row).toMatchObject({
    event_date: '20260115', event_timestamp: NOON_MICROS - 1_000, event_name: 'purchase', event_id: event['event_id'], user_pseudo_id: 'a1', platform: 'ANDROID',
    device: { language: 'ko-kr', time_zone_offset_seconds: -3_600 }, items: [{ item_id: 'sku1', price: 12.5, quantity: 2 }],
    event_params: [
      { key: 'ga_session_id', value: { int_value: 1_700_000_000 } }, { key: 'price', value: { double_value: 12.5 } },
      { key: 'screen', value: { string_value: 'Start' } }, { key: 'big', value: { int_value: 9_007_199_254_740_991 } },
    ],
    user_properties: [{ key: 'plan', value: { string_value: 'pro' } }],
    ingest: { source: 'demo-app', protocol: 'native', message_id: '77', request_id: 'request-1', is_late: false },
    user_ltv: null, is_active_user: null,
  });
});

test('late events are in the late table of the day, and say so', async () => {
  await push([envelopeOf([goodEvent({ event_timestamp: NOON_MICROS - 3 * 86_400_000_000 })])]);
  expect(await local.rowsOf('late_events_20260115')).toMatchObject([{ event_date: '20260112', ingest: { is_late: true } }]);
});

test('inference and rejected rows have their own tables', async () => {
  await push([envelopeOf([goodEvent({ event_name: 'inference', model: { name: 'm' }, features: [{ key: 'x', value: 1.5 }] })], { stream: 'inference' })]);
  expect(await local.rowsOf('inference_intraday_20260115')).toMatchObject([{ model: { name: 'm' }, features: [{ key: 'x', value: { double_value: 1.5 } }] }]);
  await push([envelopeOf([], { stream: 'rejected', events: 1, body: { rejected_id: 'i', rejected_stream: 'events', stage: 'collect', errors: [{ code: 'bad_name', message: 'm' }], event: { a: 1 }, attempt: 0 } })]);
  expect(await local.rowsOf('rejected_intraday_20260115')).toMatchObject([{ error_code: 'bad_name', event: '{"a":1}', event_id: 'i' }]);
});

test('F26: a table that is missing is made, the message is asked for again, and then its rows are there once', async () => {
  await local.dataset.table('events_intraday_20260115').delete();
  const body = pushBodyOf(messageOf([envelopeOf([goodEvent()])]));
  expect(await writer.write(body)).toMatchObject({ kind: 'retry', error: { code: 'table_missing' } });
  expect(await writer.write(body)).toMatchObject({ kind: 'accepted' });
  expect(await local.rowsOf('events_intraday_20260115')).toHaveLength(1);
});

test('forty messages at once are forty messages in the table', async () => {
  const outcomes = await Promise.all(Array.from({ length: 40 }, () => push([envelopeOf([goodEvent(), goodEvent(), goodEvent()])])));
  expect(outcomes.every(({ kind }) => kind === 'accepted')).toBe(true);
  const ids = (await local.rowsOf('events_intraday_20260115')).map((row) => row['event_id']);
  expect(new Set(ids).size).toBe(120);
  expect(ids).toHaveLength(120);
});

test('F20: a row that BigQuery refuses goes to the rejected topic as it was sent, the other rows of its append are stored', async () => {
  await writer.stop();
  // Bytes that are no text: our encoder cannot make them, so that only a bug in it could.
  const encode = (row: never): Uint8Array => ((row as { event_name?: string }).event_name === 'poison' ? Buffer.from([0x0a, 0x02, 0xff, 0xfe]) : ENCODERS.events(row));
  writer = startWriter(local, { clock: () => clock, encoders: { ...ENCODERS, events: encode } });
  const poison = goodEvent({ event_name: 'poison' });
  expect(await push([envelopeOf([goodEvent(), poison, goodEvent()])])).toMatchObject({ kind: 'accepted' });
  expect((await local.rowsOf('events_intraday_20260115')).map((row) => row['event_name'])).toEqual(['purchase', 'purchase']);
  expect(writer.refused).toMatchObject([{ stream: 'rejected', body: { stage: 'write-bigquery', index: 1, event: poison, errors: [{ code: 'row_refused' }] } }]);
});

describe('trouble', () => {
  test('F19: an append that BigQuery answers with UNAVAILABLE is asked for again', async () => {
    local.faults.add({ method: 'AppendRows', kind: 'fail', status: 'UNAVAILABLE', times: 2 });
    expect(await push([envelopeOf([goodEvent()])])).toMatchObject({ kind: 'retry', error: { code: 'bigquery_unavailable' } });
    local.faults.clear();
    expect(await push([envelopeOf([goodEvent()])])).toMatchObject({ kind: 'accepted' });
  });

  test('F21: a connection that breaks once is replaced, and no message notices', async () => {
    await push([envelopeOf([goodEvent()])]);
    local.faults.add({ method: 'AppendRows', kind: 'fail', status: 'ABORTED', times: 1 });
    expect(await push([envelopeOf([goodEvent()])])).toMatchObject({ kind: 'accepted' });
    expect(await local.rowsOf('events_intraday_20260115')).toHaveLength(2);
  });

  test('an append that is never answered ends by its own deadline', async () => {
    await writer.stop();
    writer = startWriter(local, { clock: () => clock, timeoutMs: 2_000 });
    local.faults.add({ method: 'AppendRows', kind: 'hang', times: 1 });
    expect(await push([envelopeOf([goodEvent()])])).toMatchObject({ kind: 'retry', error: { code: 'bigquery_unavailable' } });
    expect(await push([envelopeOf([goodEvent()])])).toMatchObject({ kind: 'accepted' });
  });

  test('F22: an exhausted quota rejects nothing', async () => {
    local.faults.add({ method: 'AppendRows', kind: 'fail', status: 'RESOURCE_EXHAUSTED', times: null });
    expect(await push([envelopeOf([goodEvent()])])).toMatchObject({ kind: 'retry' });
    expect(writer.refused).toEqual([]);
  });

  test('F24: rows with a column that the table lacks wait, and are stored after the column was added', async () => {
    const events = writer.streams.get('events')!;
    await local.dataset.table('events_intraday_20260115').delete();
    const older = { ...events, fields: events.fields.filter(({ name }) => name !== 'platform') };
    await writer.tables.create(tableDefinition(older, 'intraday', '20260115'));
    const body = pushBodyOf(messageOf([envelopeOf([goodEvent()])]));
    expect(await writer.write(body)).toMatchObject({ kind: 'retry', error: { code: 'bigquery_unavailable' } });
    expect(writer.troubles.at(-1)).toContain('columns_missing');
    expect(writer.refused).toEqual([]);
    await writer.tables.setFields('events_intraday_20260115', [...older.fields, ...events.fields.filter(({ name }) => name === 'platform')]);
    expect(await writer.write(body)).toMatchObject({ kind: 'accepted' });
    expect(await local.rowsOf('events_intraday_20260115')).toMatchObject([{ platform: 'ANDROID' }]);
  });
});
