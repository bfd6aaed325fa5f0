// Native event to row and to protobuf and back: what a client sent is what the columns hold.
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { DESCRIPTORS, encodeEventsRow, encodeInferenceRow, encodeRejectedRow } from '../../../schemas/generated/rows.ts';
import type { ClientFacts } from '../../../functions/envelope.ts';
import { makeRejectedEnvelope } from '../../../functions/publish/message.ts';
import { ingestError } from '../../../functions/errors.ts';
import { keyValues, rowContext, toRow } from '../../../functions/write/bigquery/row.ts';
import type { RequestFacts } from '../../../functions/write/bigquery/row.ts';
import { toRejectedRow } from '../../../functions/write/bigquery/rejected-row.ts';
import { envelopeOf, goodEvent, NOON_MICROS } from './messages.ts';

const factsWith = (client: ClientFacts = {}): RequestFacts =>
  ({ requestId: 'r1', receivedTimestamp: NOON_MICROS, source: 'demo-app', protocol: 'native', messageId: '77', client });
const rowOf = (event: Record<string, unknown>, batch: Record<string, unknown> = {}, client: ClientFacts = {}, stream = 'events') =>
  toRow(stream, rowContext(batch, factsWith(client)), event, '20260115', factsWith(client), false);

type Descriptor = { name?: string | null; field?: { name?: string | null; number?: number | null; label?: unknown; type?: unknown; typeName?: string | null }[] | null; nestedType?: Descriptor[] | null };
/** An independent reader of the bytes: protobuf.js, given the descriptor that BigQuery is given. */
function readerOf(descriptor: Descriptor): protobuf.Type {
  const TYPES: Record<number, string> = { 1: 'double', 3: 'int64', 8: 'bool', 9: 'string' };
  const type = new protobuf.Type(descriptor.name!);
  for (const nested of descriptor.nestedType ?? []) type.add(readerOf(nested));
  for (const { name, number, label, type: kind, typeName } of descriptor.field ?? []) {
    type.add(new protobuf.Field(name!, number!, kind === 11 ? typeName!.split('.').at(-1)! : TYPES[Number(kind)]!, label === 3 ? 'repeated' : 'optional'));
  }
  return type;
}
const readers = { events: readerOf(DESCRIPTORS.events as Descriptor), rejected: readerOf(DESCRIPTORS.rejected as Descriptor), inference: readerOf(DESCRIPTORS.inference as Descriptor) };
const read = (stream: keyof typeof readers, bytes: Uint8Array): Record<string, unknown> => {
  const type = readers[stream];
  return type.toObject(type.decode(bytes), { longs: Number, arrays: false });
};

describe('an event', () => {
  test('an event\'s own field replaces the batch\'s, as a whole', () => {
    const row = rowOf(goodEvent({ platform: 'IOS', device: { language: 'de' } }), { platform: 'ANDROID', user_id: 'u1', device: { language: 'ko', category: 'mobile' } });
    expect(row).toMatchObject({ platform: 'IOS', user_id: 'u1', device: { language: 'de' } });
    expect(row.device).not.toHaveProperty('category');
  });

  test('parameters take the form of the GA4 export', () => {
    expect(keyValues({ whole: 3, half: 0.5, big: 2 ** 53, text: 'x', yes: true, no: false, none: null, list: [1, 'a'], record: { a: 1 }, empty: '', zero: 0, negative: -7 })).toEqual([
      { key: 'whole', value: { int_value: 3 } },
      { key: 'half', value: { double_value: 0.5 } },
      { key: 'big', value: { double_value: 2 ** 53 } },
      { key: 'text', value: { string_value: 'x' } },
      { key: 'yes', value: { string_value: 'true' } },
      { key: 'no', value: { string_value: 'false' } },
      { key: 'list', value: { string_value: '[1,"a"]' } },
      { key: 'record', value: { string_value: '{"a":1}' } },
      { key: 'empty', value: { string_value: '' } },
      { key: 'zero', value: { int_value: 0 } },
      { key: 'negative', value: { int_value: -7 } },
    ]);
  });

  test('a user property keeps the time since when it holds', () => {
    expect(rowOf(goodEvent({ user_properties: { plan: { value: 'pro', set_timestamp_micros: 5 }, age: 7 } })).user_properties).toEqual([
      { key: 'plan', value: { string_value: 'pro', set_timestamp_micros: 5 } }, { key: 'age', value: { int_value: 7 } },
    ]);
  });

  test('ours are the date, the receipt, the way it came, and how far the client\'s clock was off', () => {
    expect(rowOf(goodEvent(), { sent_timestamp: NOON_MICROS - 120_000 })).toMatchObject({
      event_date: '20260115', received_timestamp: NOON_MICROS, event_server_timestamp_offset: 120_000,
      ingest: { source: 'demo-app', protocol: 'native', message_id: '77', request_id: 'r1', is_late: false },
    });
  });

  test('a client cannot fill the columns that are ours or the rollover\'s', () => {
    const claimed = { event_date: '19990101', received_timestamp: 1, ingest: { source: 'other' }, event_server_timestamp_offset: 9, user_ltv: { revenue: 1 }, traffic_source: { name: 'x' }, is_active_user: true, event_previous_timestamp: 1, user_first_touch_timestamp: 1 };
    const row = rowOf(goodEvent(claimed), claimed);
    expect(row).toMatchObject({ event_date: '20260115', received_timestamp: NOON_MICROS, ingest: { source: 'demo-app' } });
    for (const column of ['user_ltv', 'traffic_source', 'is_active_user', 'event_previous_timestamp', 'user_first_touch_timestamp', 'event_server_timestamp_offset'] as const) expect(row[column]).toBeUndefined();
  });

  test('what the collector knows of the sender fills what the client did not say', () => {
    expect(rowOf(goodEvent(), {}, { platform: 'WEB', geo: { country: 'DE' } })).toMatchObject({ platform: 'WEB', geo: { country: 'DE' } });
    expect(rowOf(goodEvent(), { platform: 'IOS' }, { platform: 'WEB' }).platform).toBe('IOS');
  });

  test.each([
    ['the source', {}, {}, { analytics_storage: 'No' }],
    ['the batch', {}, { privacy_info: { analytics_storage: 'No' } }, {}],
    ['the event', { privacy_info: { analytics_storage: 'No' } }, {}, {}],
  ] as const)('without consent of %s no id of the person or the device is stored', (_who, event, batch, client) => {
    const row = rowOf(goodEvent({ user_id: 'u1', ...event }), { user_pseudo_id: 'a1', device: { vendor_id: 'v', advertising_id: 'ad', language: 'ko' }, ...batch }, client);
    expect(row).toMatchObject({ user_id: undefined, user_pseudo_id: undefined, device: { vendor_id: undefined, advertising_id: undefined, language: 'ko' }, privacy_info: { analytics_storage: 'No' } });
  });

  test('a value in dollars has its column, another currency has not', () => {
    expect(rowOf(goodEvent({ event_params: { value: 12.5, currency: 'USD' } })).event_value_in_usd).toBe(12.5);
    expect(rowOf(goodEvent({ event_params: { value: 12.5, currency: 'EUR' } })).event_value_in_usd).toBeUndefined();
    expect(rowOf(goodEvent({ event_params: null })).event_value_in_usd).toBeUndefined();
  });

  test('the bytes say what the row says, to an independent reader', () => {
    const event = goodEvent({ event_params: { a: 1, b: 'x', c: 1.5 }, items: [{ item_id: 'sku1', price: 12.5, quantity: 2, item_params: { fit: 'slim' } }], ecommerce: { purchase_revenue: 25, transaction_id: 't' } });
    expect(read('events', encodeEventsRow(rowOf(event, { user_id: 'u1' })))).toMatchObject({
      event_date: '20260115', event_timestamp: event['event_timestamp'], event_id: event['event_id'], user_id: 'u1',
      event_params: [{ key: 'a', value: { int_value: 1 } }, { key: 'b', value: { string_value: 'x' } }, { key: 'c', value: { double_value: 1.5 } }],
      items: [{ item_id: 'sku1', price: 12.5, quantity: 2, item_params: [{ key: 'fit', value: { string_value: 'slim' } }] }],
      ecommerce: { purchase_revenue: 25, transaction_id: 't' }, ingest: { message_id: '77', is_late: false },
    });
  });

  test('any parameters come back from the bytes as they went in', () => {
    const values = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 50 }), fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)), fc.boolean());
    fc.assert(fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), values, { maxKeys: 30 }), (params) => {
      const back = (read('events', encodeEventsRow(rowOf(goodEvent({ event_params: params }))))['event_params'] ?? []) as { key: string; value?: Record<string, unknown> }[];
      const expected = Object.entries(params).map(([key, value]) => [key, typeof value === 'boolean' ? String(value) : value]);
      expect(back.map(({ key, value }) => [key, value?.['string_value'] ?? value?.['int_value'] ?? value?.['double_value']])).toEqual(expected);
    }), { numRuns: 200 });
  });

  test('a value of the wrong type throws, it is not bent into shape', () => {
    expect(() => encodeEventsRow(rowOf(goodEvent({ event_name: 7 })))).toThrow(/event_name/);
    expect(() => rowOf(goodEvent({ event_params: [1] }))).toThrow(TypeError);
    expect(() => rowOf(goodEvent({ items: 'x' }))).toThrow(TypeError);
  });
});

describe('an inference', () => {
  const inference = goodEvent({ model: { name: 'm' }, features: [{ key: 'price', value: 12.5 }, { key: 'shop', value: 'x', role: 'feature' }], input_json: { text: 'hi' }, output_json: '{"a":1}', prediction: undefined, latency_ms: 12 });
  test('features are typed, payloads are JSON text, a missing name is the stream\'s', () => {
    const row = rowOf({ ...inference, event_name: undefined }, {}, {}, 'inference');
    expect(read('inference', encodeInferenceRow(row))).toMatchObject({
      event_name: 'inference', input_json: '{"text":"hi"}', output_json: '{"a":1}',
      features: [{ key: 'price', value: { double_value: 12.5 } }, { key: 'shop', role: 'feature', value: { string_value: 'x' } }],
    });
  });
  test('without consent to log inputs the payload is left out and the rest is kept', () => {
    const row = rowOf(inference, { consent: { log_inputs: 'No' } }, {}, 'inference');
    expect(row).toMatchObject({ input_json: undefined, output_json: undefined, features: undefined, latency_ms: 12 });
  });
});

test('a rejected event is a row with its reasons and the event as sent', () => {
  const { body: _body, events: _events, rejected: _rejected, envelope: _version, ...request } = envelopeOf([]);
  const errors = [ingestError('bad_event_id', {}, '/event_id'), ingestError('bad_name', {}, '/event_name')];
  const envelope = makeRejectedEnvelope({ request, stage: 'collect', errors, index: 3, batch: { platform: 'IOS' }, event: { event_name: '9', x: 1 } });
  const row = read('rejected', encodeRejectedRow(toRejectedRow(envelope, '20260115', '77', true)));
  expect(row).toMatchObject({
    event_date: '20260115', stream: 'events', stage: 'collect', error_code: 'bad_event_id', pointer: '/event_id', event_name: '9', event_index: 3,
    batch: '{"platform":"IOS"}', event: '{"event_name":"9","x":1}', received_timestamp: NOON_MICROS, ingest: { request_id: 'request-1', is_late: true },
  });
  expect(row['errors']).toHaveLength(2);
  expect(row['event_id']).toBe((envelope.body as { rejected_id: string }).rejected_id);
});
