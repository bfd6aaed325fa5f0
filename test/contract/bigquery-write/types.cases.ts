// Contract cases of types on the wire: which protobuf type each column takes, and what becomes of its values.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { message, type FieldSpec } from './messages.ts';
import type { WriteWorld } from './world.ts';

const TYPES = 'https://docs.cloud.google.com/bigquery/docs/supported-data-types';

/** NUMERIC as Google's encoders write it: the number times 10^9, little endian, two's complement, as few bytes as hold it. */
function numericBytes(scaled: bigint): Uint8Array {
  const bytes: number[] = [];
  let left = scaled;
  do {
    bytes.push(Number(left & 0xffn));
    left >>= 8n;
  } while (!((left === 0n && (bytes.at(-1)! & 0x80) === 0) || (left === -1n && (bytes.at(-1)! & 0x80) !== 0)));
  return Uint8Array.from(bytes);
}
const civilTime = (hour: number, minute: number, second: number, micros: number): bigint => (BigInt((hour << 12) | (minute << 6) | second) << 20n) | BigInt(micros);
const civilDatetime = (year: number, month: number, day: number, time: bigint): bigint => (((BigInt(year) << 26n) | (BigInt(month) << 22n) | (BigInt(day) << 17n)) << 20n) | time;

type Taken = { column: string; proto: string; given: readonly unknown[]; shown: string; expected: readonly (string | null)[] };
/** `shown`: how the column `v` is read back as text. */
const TAKEN: readonly Taken[] = [
  { column: 'STRING', proto: 'string', given: ['', 'ä"\\\n\u0000😀'], shown: 'v', expected: ['', 'ä"\\\n\u0000😀'] },
  { column: 'BYTES', proto: 'bytes', given: [Buffer.from([0, 255, 10])], shown: 'TO_HEX(v)', expected: ['00ff0a'] },
  { column: 'INTEGER', proto: 'int64', given: ['9223372036854775807', '-9223372036854775808', 0], shown: 'CAST(v AS STRING)', expected: ['9223372036854775807', '-9223372036854775808', '0'] },
  { column: 'INTEGER', proto: 'int32', given: [-1, 2_147_483_647], shown: 'CAST(v AS STRING)', expected: ['-1', '2147483647'] },
  { column: 'INTEGER', proto: 'uint32', given: [4_294_967_295], shown: 'CAST(v AS STRING)', expected: ['4294967295'] },
  { column: 'INTEGER', proto: 'sint64', given: ['-9223372036854775808', 1], shown: 'CAST(v AS STRING)', expected: ['-9223372036854775808', '1'] },
  { column: 'INTEGER', proto: 'sfixed64', given: ['-2'], shown: 'CAST(v AS STRING)', expected: ['-2'] },
  { column: 'FLOAT', proto: 'double', given: [0.1, NaN, Infinity, -1e300], shown: "CASE WHEN IS_NAN(v) THEN 'not a number' WHEN IS_INF(v) THEN 'infinite' ELSE CAST(v AS STRING) END", expected: ['0.1', 'not a number', 'infinite', '-1e+300'] },
  { column: 'FLOAT', proto: 'float', given: [0.5], shown: 'CAST(v AS STRING)', expected: ['0.5'] },
  { column: 'BOOLEAN', proto: 'bool', given: [true, false], shown: 'CAST(v AS STRING)', expected: ['true', 'false'] },
  { column: 'BOOLEAN', proto: 'int64', given: [1, 0, 5], shown: 'CAST(v AS STRING)', expected: ['true', 'false', 'true'] },
  { column: 'DATE', proto: 'int32', given: [0, 20_000, -719_162], shown: 'CAST(v AS STRING)', expected: ['1970-01-01', '2024-10-04', '0001-01-01'] },
  { column: 'DATE', proto: 'string', given: ['2024-02-29'], shown: 'CAST(v AS STRING)', expected: ['2024-02-29'] },
  { column: 'TIMESTAMP', proto: 'int64', given: ['1767225600123456', -1], shown: 'CAST(UNIX_MICROS(v) AS STRING)', expected: ['1767225600123456', '-1'] },
  { column: 'TIMESTAMP', proto: 'string', given: ['2026-01-01 00:00:00.5+01:00'], shown: 'CAST(UNIX_MICROS(v) AS STRING)', expected: ['1767222000500000'] },
  { column: 'DATETIME', proto: 'string', given: ['2026-01-02T03:04:05.000006'], shown: 'CAST(v AS STRING)', expected: ['2026-01-02 03:04:05.000006'] },
  { column: 'DATETIME', proto: 'int64', given: [String(civilDatetime(2026, 1, 2, civilTime(3, 4, 5, 6)))], shown: 'CAST(v AS STRING)', expected: ['2026-01-02 03:04:05.000006'] },
  { column: 'TIME', proto: 'string', given: ['23:59:59.999999'], shown: 'CAST(v AS STRING)', expected: ['23:59:59.999999'] },
  { column: 'TIME', proto: 'int64', given: [String(civilTime(23, 59, 59, 999_999)), 0], shown: 'CAST(v AS STRING)', expected: ['23:59:59.999999', '00:00:00'] },
  { column: 'NUMERIC', proto: 'string', given: ['-12345678901234567890.000000001'], shown: 'CAST(v AS STRING)', expected: ['-12345678901234567890.000000001'] },
  { column: 'NUMERIC', proto: 'bytes', given: [numericBytes(1n), numericBytes(-1_500_000_000n), numericBytes(128n * 1_000_000_000n)], shown: 'CAST(v AS STRING)', expected: ['0.000000001', '-1.5', '128'] },
  { column: 'NUMERIC', proto: 'int64', given: [-7], shown: 'CAST(v AS STRING)', expected: ['-7'] },
  { column: 'NUMERIC', proto: 'double', given: [1.5], shown: 'CAST(v AS STRING)', expected: ['1.5'] },
  { column: 'JSON', proto: 'string', given: ['{"a": [1, null, "ä"]}', 'null', '12345678901234567890'], shown: 'IF(v IS NULL, NULL, TO_JSON_STRING(v))', expected: ['{"a":[1,null,"ä"]}', 'null', '12345678901234567890'] },
];

type Refused = { column: string; proto: string; wrong: unknown };
const REFUSED_VALUES: readonly Refused[] = [
  { column: 'DATE', proto: 'string', wrong: '2026-02-30' }, { column: 'DATE', proto: 'int32', wrong: 2_147_483_647 }, { column: 'TIMESTAMP', proto: 'int64', wrong: '9223372036854775807' }, { column: 'TIMESTAMP', proto: 'string', wrong: 'yesterday' },
  { column: 'DATETIME', proto: 'int64', wrong: String(civilDatetime(2026, 13, 1, 0n)) }, { column: 'TIME', proto: 'int64', wrong: String(civilTime(24, 0, 0, 0)) }, { column: 'TIME', proto: 'string', wrong: '25:00:00' },
  { column: 'NUMERIC', proto: 'string', wrong: '1.2.3' }, { column: 'JSON', proto: 'string', wrong: '{"a":' },
];
const REFUSED_TYPES: readonly (readonly [column: string, proto: string])[] = [['STRING', 'int64'], ['INTEGER', 'string'], ['INTEGER', 'double'], ['FLOAT', 'bool'], ['BOOLEAN', 'double'], ['DATE', 'double'], ['TIMESTAMP', 'bool'], ['JSON', 'bytes'], ['BYTES', 'int64']];

export const TYPE_CASES: readonly ContractCase<WriteWorld>[] = [
  ...TAKEN.map(({ column, proto, given, shown, expected }): ContractCase<WriteWorld> => ({
    name: `type-${column.toLowerCase()}-as-${proto}`, promise: `a ${column} column takes ${proto}, and its values come back exact`, methods: ['AppendRows'], source: TYPES,
    async run(world) {
      const table = await world.newTable([{ name: 'pos', type: 'INTEGER' }, { name: 'v', type: column }]);
      const row = message('Row', { pos: 'int64', v: proto });
      const answer = await world.connect(world.defaultStream(table)).append(row, [...given.map((v, pos) => ({ pos, v })), { pos: given.length }]);
      expect(answer.rowErrors ?? []).toEqual([]);
      expect(answer.error ?? null).toBeNull();
      expect((await world.rows(`SELECT ${shown} AS v FROM ${table} ORDER BY pos`)).map((one) => one['v'])).toEqual([...expected, null]);
    },
  })),
  {
    name: 'values-refused', promise: 'a value that its column can not hold is a row error, and none of the request is stored', methods: ['AppendRows'], source: TYPES,
    async run(world) {
      for (const { column, proto, wrong } of REFUSED_VALUES) {
        const table = await world.newTable([{ name: 'v', type: column }]);
        const answer = await world.connect(world.defaultStream(table)).append(message('Row', { v: proto }), [{}, { v: wrong }]);
        expect({ column, wrong, indexes: answer.rowErrors?.map((row) => Number(row.index)) }).toEqual({ column, wrong, indexes: [1] });
        expect(await world.rows(`SELECT COUNT(*) AS n FROM ${table}`)).toEqual([{ n: 0 }]);
      }
    },
  },
  {
    name: 'types-refused', promise: 'a protobuf type that its column does not take is INVALID_ARGUMENT naming the field', methods: ['AppendRows'], source: TYPES,
    async run(world) {
      for (const [column, proto] of REFUSED_TYPES) {
        const table = await world.newTable([{ name: 'v', type: column }]);
        const answer = await world.connect(world.defaultStream(table)).append(message('Row', { v: proto }), [{}]).catch((error: { code: number; message: string }) => ({ error }));
        expect({ column, proto, error: answer.error }).toMatchObject({ error: { code: 3, message: expect.stringMatching(/\bv\b/) } });
      }
    },
  },
  {
    name: 'modes-refused', promise: 'a list for a single column, or one value for a REPEATED column, is INVALID_ARGUMENT', methods: ['AppendRows'], source: TYPES,
    async run(world) {
      for (const [mode, proto] of [['NULLABLE', 'string[]'], ['REPEATED', 'string']] as const) {
        const table = await world.newTable([{ name: 'v', type: 'STRING', mode }]);
        const answer = await world.connect(world.defaultStream(table)).append(message('Row', { v: proto }), [{}]).catch((error: { code: number }) => ({ error }));
        expect(answer.error?.code).toBe(3);
      }
    },
  },
  {
    name: 'nested-rows', promise: 'records and lists of records at any depth are stored as they were sent, empty lists and absent records too', methods: ['AppendRows'], source: 'https://docs.cloud.google.com/bigquery/docs/write-api#data_type_conversions',
    async run(world) {
      const table = await world.newTable([{ name: 'id', type: 'STRING' }, { name: 'params', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'key', type: 'STRING' }, { name: 'value', type: 'RECORD', fields: [{ name: 's', type: 'STRING' }, { name: 'is', type: 'INTEGER', mode: 'REPEATED' }] }] }]);
      const value = message('Value', { s: 'string', is: 'int64[]' });
      const row = message('Row', { id: 'string', params: [message('Param', { key: 'string', value })] satisfies FieldSpec });
      const rows = [{ id: 'a', params: [{ key: 'k', value: { s: 'x', is: [1, 2] } }, { key: 'none' }, { key: 'empty', value: {} }] }, { id: 'b', params: [] }];
      await world.connect(world.defaultStream(table)).append(row, rows);
      expect(await world.stored(table)).toEqual([{ id: 'a', params: [{ key: 'k', value: { s: 'x', is: [1, 2] } }, { key: 'none', value: null }, { key: 'empty', value: { s: null, is: [] } }] }, { id: 'b', params: [] }]);
    },
  },
  {
    name: 'names-ignore-case', promise: 'fields meet columns whatever their case', methods: ['AppendRows'], source: TYPES,
    async run(world) {
      const table = await world.newTable([{ name: 'UserId', type: 'STRING' }]);
      expect((await world.connect(world.defaultStream(table)).append(message('Row', { userid: 'string' }), [{ userid: 'x' }])).error ?? null).toBeNull();
      expect(await world.stored(table, 'UserId')).toEqual([{ UserId: 'x' }]);
    },
  },
];
