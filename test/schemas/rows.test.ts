// The generated encoders against protobufjs, an independent reader, which learns the row's shape from the generated descriptor.
import fc from 'fast-check';
import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor/index.js';
import { describe, expect, test } from 'vitest';
import { DESCRIPTORS, ENCODERS, encodeEventsRow, encodeInferenceRow } from '../../schemas/generated/rows.ts';
import type { StreamName } from '../../schemas/generated/streams.ts';
import { RowValueError } from '../../schemas/row-bytes.ts';
import events from '../../schemas/generated/events.bigquery.json' with { type: 'json' };
import inference from '../../schemas/generated/inference.bigquery.json' with { type: 'json' };
import rejected from '../../schemas/generated/rejected.bigquery.json' with { type: 'json' };

type Field = { name: string; type: string; mode: string; fields?: Field[] };
const TABLES: Record<StreamName, Field[]> = { events, inference, rejected };

const fromDescriptor = (protobuf.Root as unknown as { fromDescriptor(set: object): protobuf.Root }).fromDescriptor;
const messageOf = (stream: StreamName): protobuf.Type => {
  const root = fromDescriptor({ file: [{ name: 'row.proto', syntax: 'proto2', messageType: [DESCRIPTORS[stream]] }] });
  return root.lookupType(DESCRIPTORS[stream].name!);
};
const MESSAGES = { events: messageOf('events'), inference: messageOf('inference'), rejected: messageOf('rejected') };

/** Decoded values as plain ones: 64-bit integers as decimal text, doubles as numbers. */
const decode = (stream: StreamName, bytes: Uint8Array): unknown => MESSAGES[stream].toObject(MESSAGES[stream].decode(bytes), { longs: String });

const int64 = fc.oneof(
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.constantFrom(0, -1, 127, 128, 2 ** 31, 2 ** 32, 2 ** 35 - 1, 2 ** 53 - 1, -(2 ** 53 - 1), '9223372036854775807', '-9223372036854775808'),
);
const text = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 60 }), fc.constantFrom('', 'a'.repeat(40), 'a'.repeat(127), 'a'.repeat(128), 'ü'.repeat(64), '🙂'.repeat(5000), 'ü'.repeat(43), 'é'.repeat(8200)));
const SCALARS: Record<string, fc.Arbitrary<unknown>> = { STRING: text, INTEGER: int64, FLOAT: fc.double(), BOOLEAN: fc.boolean() };

function arbitraryRow(fields: Field[]): fc.Arbitrary<Record<string, unknown>> {
  const record = Object.fromEntries(fields.map((field) => {
    const one = field.fields === undefined ? SCALARS[field.type]! : arbitraryRow(field.fields);
    const value = field.mode === 'REPEATED' ? fc.array(one, { maxLength: 3 }) : one;
    return [field.name, fc.option(value, { freq: 2 })];
  }));
  return fc.record(record, { requiredKeys: [] });
}

/** What a reader must see: nulls and empty arrays gone, integers as text. */
function expected(value: unknown, field: Field, isItem = false): unknown {
  if (value === null || value === undefined) return undefined;
  if (field.mode === 'REPEATED' && !isItem) {
    const items = (value as unknown[]).map((item) => expected(item, field, true));
    return items.length === 0 ? undefined : items;
  }
  if (field.fields !== undefined) return expectedRow(value as Record<string, unknown>, field.fields);
  return field.type === 'INTEGER' ? BigInt(value as string).toString() : value;
}

function expectedRow(row: Record<string, unknown>, fields: Field[]): Record<string, unknown> {
  const entries = fields.map((field) => [field.name, expected(row[field.name], field)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

test.each(['events', 'inference', 'rejected'] as const)('any row of %s is read back as it was by an independent reader', (stream) => {
  fc.assert(fc.property(arbitraryRow(TABLES[stream]), (row) => {
    expect(decode(stream, ENCODERS[stream](row as never))).toEqual(expectedRow(row, TABLES[stream]));
  }), { numRuns: 60 });
}, 60_000);

test.each(['events', 'inference', 'rejected'] as const)('a protobuf message of %s written by protobufjs reads as the same row', (stream) => {
  fc.assert(fc.property(arbitraryRow(TABLES[stream]), (row) => {
    const theirs = MESSAGES[stream].encode(MESSAGES[stream].fromObject(expectedRow(row, TABLES[stream]))).finish();
    expect(decode(stream, ENCODERS[stream](row as never))).toEqual(decode(stream, theirs));
  }), { numRuns: 20 });
}, 60_000);

describe('a value of another type than its column is refused with the column\'s path', () => {
  const cases: [string, Record<string, unknown>][] = [
    ['event_timestamp', { event_timestamp: 'abc' }],
    ['event_timestamp', { event_timestamp: '' }],
    ['event_timestamp', { event_timestamp: ' 1' }],
    ['event_timestamp', { event_timestamp: '007' }],
    ['event_timestamp', { event_timestamp: 1.5 }],
    ['event_timestamp', { event_timestamp: NaN }],
    ['event_timestamp', { event_timestamp: 2 ** 53 }],
    ['event_timestamp', { event_timestamp: '9223372036854775808' }],
    ['event_timestamp', { event_timestamp: -(2n ** 63n) - 1n }],
    ['event_timestamp', { event_timestamp: true }],
    ['event_name', { event_name: 1 }],
    ['event_name', { event_name: {} }],
    ['is_active_user', { is_active_user: 'true' }],
    ['event_value_in_usd', { event_value_in_usd: '1' }],
    ['event_value_in_usd', { event_value_in_usd: 1n }],
    ['device', { device: 'phone' }],
    ['device', { device: [] }],
    ['device.web_info.browser', { device: { web_info: { browser: 1 } } }],
    ['items', { items: { item_id: 'a' } }],
    ['items', { items: [null] }],
    ['items.quantity', { items: [{ quantity: 1 }, { quantity: 'x' }] }],
    ['event_params.value.int_value', { event_params: [{ key: 'a', value: { int_value: 1.5 } }] }],
  ];
  test.each(cases)('%s of %o', (column, row) => {
    const encode = (): Uint8Array => encodeEventsRow(row as never);
    expect(encode).toThrow(RowValueError);
    expect(encode).toThrow(`Column ${column} takes `);
    // The row after a refused one is whole.
    expect(decode('events', encodeEventsRow({ event_name: 'next' }))).toEqual({ event_name: 'next' });
  });
});

test('a row larger than the buffer is whole, and the small one after it too', () => {
  const event_name = 'ü'.repeat(5_000_000);
  expect(decode('events', encodeEventsRow({ event_name, items: [{ item_id: 'b'.repeat(200_000) }] }))).toEqual({ event_name, items: [{ item_id: 'b'.repeat(200_000) }] });
  expect(decode('inference', encodeInferenceRow({ feature_vector: [1, -0.5] }))).toEqual({ feature_vector: [1, -0.5] });
});

test('bytes that were handed out do not change when the next row is written', () => {
  const first = encodeEventsRow({ event_name: 'first' });
  const copy = Buffer.from(first);
  encodeEventsRow({ event_name: 'other' });
  expect(Buffer.from(first)).toEqual(copy);
});

test('a lone surrogate is stored as U+FFFD', () => {
  expect(decode('events', encodeEventsRow({ event_name: 'a\ud800b', user_id: `${'x'.repeat(50)}\udc00` }))).toEqual({ event_name: 'a\ufffdb', user_id: `${'x'.repeat(50)}\ufffd` });
});
