// One row from protobuf to a line, against an independent encoder (protobufjs): any values, and fields in any order.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planOf, type Descriptor } from '../../../emulators/bigquery/proto-descriptor.ts';
import { RowWriter } from '../../../emulators/bigquery/proto-row.ts';
import { messageType } from './local-bigquery.ts';

const VALUE = messageType('Value', { s: { id: 1, type: 'string' }, i: { id: 2, type: 'int64' }, d: { id: 3, type: 'double' } });
const PARAM = messageType('Param', { key: { id: 1, type: 'string' }, value: { id: 2, type: 'message', nested: VALUE } });
const ROW = messageType('Row', { id: { id: 1, type: 'string' }, n: { id: 2, type: 'sint64' }, params: { id: 3, type: 'message', repeated: true, nested: PARAM }, list: { id: 4, type: 'int64', repeated: true } });
const FIELDS = [
  { name: 'id', type: 'STRING' }, { name: 'n', type: 'INT64' },
  { name: 'params', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'key', type: 'STRING' }, { name: 'value', type: 'RECORD', fields: [{ name: 's', type: 'STRING' }, { name: 'i', type: 'INT64' }, { name: 'd', type: 'FLOAT64' }] }] },
  { name: 'list', type: 'INT64', mode: 'REPEATED' }, { name: 'absent', type: 'STRING', mode: 'REPEATED' },
];
const TYPES: Record<number, string> = { 1: 'TYPE_DOUBLE', 3: 'TYPE_INT64', 9: 'TYPE_STRING', 11: 'TYPE_MESSAGE', 18: 'TYPE_SINT64' };
/** The descriptor as proto-loader gives it to the server. */
const received = (descriptor: typeof ROW.descriptor): Descriptor => ({
  name: descriptor.name!, nestedType: descriptor.nestedType!.map(received),
  field: descriptor.field!.map((field) => ({ name: field.name!, number: field.number!, label: field.label === 3 ? 'LABEL_REPEATED' : 'LABEL_OPTIONAL', type: TYPES[field.type as number]!, typeName: field.typeName ?? '' })),
});
const plan = planOf(received(ROW.descriptor), FIELDS);
const lineOf = (bytes: Uint8Array): string => {
  const writer = new RowWriter();
  writer.write(plan, Buffer.from(bytes));
  return writer.take().toString('utf8');
};

const text = fc.string({ unit: 'binary', maxLength: 40 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const value = fc.record({ s: text, i: int64.map(String), d: fc.double({ noNaN: true, noDefaultInfinity: true }) }, { requiredKeys: [] });
const row = fc.record({ id: text, n: int64.map(String), params: fc.array(fc.record({ key: text, value }, { requiredKeys: [] }), { maxLength: 4 }), list: fc.array(int64.map(String), { maxLength: 4 }) }, { requiredKeys: [] });

test('any row comes out as its own JSON, with empty arrays where it has none', () => {
  fc.assert(fc.property(row, (given) => {
    const line = lineOf(ROW.encode(given));
    expect(line.endsWith('\n')).toBe(true);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    const wanted = { ...given, params: given.params ?? [], list: given.list ?? [], absent: [] };
    // Whole numbers are compared as text, since JSON.parse would round them.
    const parsed = JSON.parse(line.replace(/"(n|i)":(-?\d+)/g, '"$1":"$2"').replace(/"list":\[([-\d,]+)\]/, (_, list: string) => `"list":[${list.split(',').map((item) => `"${item}"`).join(',')}]`)) as object;
    expect(parsed).toEqual(wanted);
  }), { numRuns: 300 });
});

test('fields that come twice or in pieces merge as protobuf says', () => {
  const first = ROW.encode({ id: 'old', params: [{ key: 'a', value: { s: 'x' } }], list: ['1'] });
  const second = ROW.encode({ id: 'new', n: '5', params: [{ key: 'b' }], list: ['2', '3'] });
  expect(JSON.parse(lineOf(Buffer.concat([first, second])))).toEqual({ id: 'new', n: 5, params: [{ key: 'a', value: { s: 'x' } }, { key: 'b' }], list: [1, 2, 3], absent: [] });
});

test('cut or damaged bytes are a problem of the row, and leave nothing behind', () => {
  const whole = Buffer.from(ROW.encode({ id: 'abc', params: [{ key: 'k', value: { i: '300' } }] }));
  const writer = new RowWriter();
  for (let size = 1; size < whole.length; size += 1) {
    try {
      writer.write(plan, whole.subarray(0, size));
    } catch (error) {
      expect((error as Error).name).toBe('RowProblem');
    }
  }
  writer.take();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    try {
      writer.write(plan, Buffer.from(bytes));
      JSON.parse(writer.take().toString('utf8'));
    } catch (error) {
      expect((error as Error).name).toBe('RowProblem');
      expect(writer.take().length).toBe(0);
    }
  }), { numRuns: 500 });
});
