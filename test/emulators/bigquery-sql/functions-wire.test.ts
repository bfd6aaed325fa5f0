// Each type of BigQuery on the wire, as the REST API documents it, and what Google's own client makes of it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocal } from '../bigquery/local-bigquery.ts';
import type { LocalBigQuery } from '../bigquery/local-bigquery.ts';

let local: LocalBigQuery;
beforeAll(async () => { local = await startLocal(); });
afterAll(async () => { await local.remove(); });

type Cell = { v: unknown };
type Answer = { schema: { fields: { name: string; type: string; mode?: string; fields?: unknown[] }[] }; rows: { f: Cell[] }[] };

async function rest(query: string, formatOptions?: object): Promise<Answer> {
  const response = await fetch(`${local.url}/bigquery/v2/projects/chiplog-local/queries`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ query, useLegacySql: false, ...(formatOptions && { formatOptions }) }),
  });
  const answer = await response.json() as Answer & { error?: { message: string } };
  if (answer.error) throw new Error(answer.error.message);
  return answer;
}

test.each([
  ['INT64', '9223372036854775807', 'INTEGER', '9223372036854775807'], ['INT64', '-9223372036854775808', 'INTEGER', '-9223372036854775808'],
  ['FLOAT64', "CAST('nan' AS FLOAT64)", 'FLOAT', 'NaN'], ['FLOAT64', "CAST('inf' AS FLOAT64)", 'FLOAT', 'Infinity'], ['FLOAT64', "CAST('-inf' AS FLOAT64)", 'FLOAT', '-Infinity'],
  ['FLOAT64', '0.1', 'FLOAT', '0.1'], ['BOOL', 'TRUE', 'BOOLEAN', 'true'], ['BOOL', 'FALSE', 'BOOLEAN', 'false'], ['STRING', "'é\"\\\\ \\n'", 'STRING', 'é"\\ \n'], ['STRING', "''", 'STRING', ''],
  ['BYTES', "b'\\x00\\xff'", 'BYTES', 'AP8='], ['DATE', "DATE '0001-01-01'", 'DATE', '0001-01-01'], ['DATE', "DATE '9999-12-31'", 'DATE', '9999-12-31'],
  ['TIME', "TIME '23:59:59.000001'", 'TIME', '23:59:59.000001'], ['TIME', "TIME '01:02:03'", 'TIME', '01:02:03'],
  ['DATETIME', "DATETIME '2026-01-15 10:00:00'", 'DATETIME', '2026-01-15T10:00:00'], ['DATETIME', "DATETIME '1969-12-31 23:59:59.5'", 'DATETIME', '1969-12-31T23:59:59.500000'],
  ['NUMERIC', "NUMERIC '-0.000000001'", 'NUMERIC', '-0.000000001'], ['NUMERIC', "NUMERIC '99999999999999999999999999999.999999999'", 'NUMERIC', '99999999999999999999999999999.999999999'],
  ['NUMERIC', "NUMERIC '120'", 'NUMERIC', '120'], ['JSON', 'JSON \'{"b": [1, 2.50], "a": null}\'', 'JSON', '{"a":null,"b":[1,2.5]}'],
  ['INTERVAL', "DATE '2026-03-01' - DATE '2026-01-01'", 'INTERVAL', '0-0 59 0:0:0'], ['INTERVAL', "INTERVAL '1-2 3 -4:5:6.789' YEAR TO SECOND", 'INTERVAL', '1-2 3 -4:5:6.789'],
  ['INT64', 'NULL', 'INTEGER', null], ['STRING', 'CAST(NULL AS STRING)', 'STRING', null],
])('%s %s is sent as %s %j', async (_type, expression, type, value) => {
  const { schema, rows } = await rest(`SELECT ${expression} AS x`);
  expect(schema.fields).toMatchObject([{ name: 'x', type }]);
  expect(rows).toEqual([{ f: [{ v: value }] }]);
});

test('TIMESTAMP is seconds with microseconds, or an integer, or text, as the caller wants it', async () => {
  const query = "SELECT TIMESTAMP '2026-01-15 10:00:00.123456+00' AS x, TIMESTAMP '1969-12-31 23:59:59.999999+00' AS y";
  const seconds = (await rest(query)).rows[0]?.f.map(({ v }) => Number(v));
  expect(seconds).toEqual([1768471200.123456, -0.000001]);
  expect((await rest(query, { useInt64Timestamp: true })).rows[0]?.f).toEqual([{ v: '1768471200123456' }, { v: '-1' }]);
});

test('records are rows in rows, arrays are lists of values, and a missing array is an empty one', async () => {
  const { schema, rows } = await rest("SELECT [STRUCT('k' AS key, STRUCT(1 AS i, CAST(NULL AS STRING) AS s) AS value)] AS params, CAST(NULL AS ARRAY<INT64>) AS none, CAST(NULL AS STRUCT<a INT64>) AS nothing, ['a', 'b'] AS texts");
  expect(schema.fields).toMatchObject([
    { name: 'params', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'key', type: 'STRING' }, { name: 'value', type: 'RECORD', fields: [{ name: 'i', type: 'INTEGER' }, { name: 's', type: 'STRING' }] }] },
    { name: 'none', type: 'INTEGER', mode: 'REPEATED' }, { name: 'nothing', type: 'RECORD', mode: 'NULLABLE' }, { name: 'texts', type: 'STRING', mode: 'REPEATED' },
  ]);
  expect(rows[0]?.f).toEqual([{ v: [{ v: { f: [{ v: 'k' }, { v: { f: [{ v: '1' }, { v: null }] } }] } }] }, { v: [] }, { v: null }, { v: [{ v: 'a' }, { v: 'b' }] }]);
});

test("Google's client reads every type", async () => {
  const [[row]] = await local.client.query({
    query: `SELECT 5 AS i, CAST('nan' AS FLOAT64) AS nan, CAST('-inf' AS FLOAT64) AS inf, 1.5 AS f, TRUE AS b, 'é' AS s, b'\\x00\\xff' AS y, DATE '2026-01-15' AS d, TIME '10:00:00.5' AS t,
      DATETIME '2026-01-15 10:00:00' AS dt, TIMESTAMP '2026-01-15 10:00:00.123456+00' AS ts, NUMERIC '1.50' AS n, JSON '{"a":[1]}' AS j, [1, 2] AS l, STRUCT(1 AS a, [STRUCT('x' AS k)] AS b) AS r`,
  });
  expect(row).toMatchObject({ i: 5, nan: Number.NaN, inf: -Infinity, f: 1.5, b: true, s: 'é', y: Buffer.from([0, 255]), d: { value: '2026-01-15' }, dt: { value: '2026-01-15T10:00:00' }, l: [1, 2], r: { a: 1, b: [{ k: 'x' }] } });
  expect(row.t.value).toBe('10:00:00.500000');
  expect(row.ts.value).toBe('2026-01-15T10:00:00.123456000Z');
  expect(row.n.toString()).toBe('1.5');
  expect(row.j).toBe('{"a":[1]}');
});

test('parameters of every type come back as they went', async () => {
  const [[row]] = await local.client.query({
    query: 'SELECT @i AS i, @f AS f, @s AS s, @b AS b, @d AS d, @ts AS ts, @l AS l, @r.a AS ra, ARRAY_LENGTH(@e) AS e',
    params: { i: 7, f: 1.5, s: "it's é", b: true, d: local.client.date('2026-01-15'), ts: local.client.timestamp('2026-01-15T10:00:00.000Z'), l: ['a', 'b'], r: { a: 3 }, e: [] },
    types: { e: ['INT64'], f: 'FLOAT64' },
  });
  expect(row).toMatchObject({ i: 7, f: 1.5, s: "it's é", b: true, d: { value: '2026-01-15' }, l: ['a', 'b'], ra: 3, e: 0 });
  expect(row.ts.value).toMatch(/^2026-01-15T10:00:00/);
});

test('a parameter whose value is no text is refused, as the client sends a Buffer', async () => {
  await expect(local.client.query({ query: 'SELECT @y AS y', params: { y: Buffer.from([1, 2]) } })).rejects.toThrow('BYTES');
});

test.each([["BIGNUMERIC '1'", 'BIGNUMERIC'], ['CAST(1 AS BIGNUMERIC)', 'BIGNUMERIC'], ["RANGE<DATE> '[2026-01-01, 2026-02-01)'", 'RANGE'], ["ST_GEOGPOINT(1, 2)", 'ST_GEOGPOINT']])('%s is refused by name', async (expression, name) => {
  await expect(rest(`SELECT ${expression}`)).rejects.toThrow(name);
});
