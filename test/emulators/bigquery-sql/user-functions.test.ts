// Functions that a query brings along or a dataset keeps: SQL, templated, table functions, JavaScript. Answers are computed by hand.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocal, type LocalBigQuery } from '../bigquery/local-bigquery.ts';

let bq: LocalBigQuery;
beforeAll(async () => {
  bq = await startLocal();
  await bq.client.createDataset('d');
});
afterAll(() => bq.remove());

async function rows(sql: string): Promise<unknown[][]> {
  const [found] = await bq.client.query({ query: sql, useLegacySql: false });
  return (found as Record<string, unknown>[]).map((row) => Object.values(row));
}

const PARAMS = "[STRUCT('page' AS key, STRUCT('/a' AS string_value, CAST(NULL AS INT64) AS int_value) AS value), ('n', (NULL, 7))]";

test.each([
  ['takes a typed argument and coerces it', 'CREATE TEMP FUNCTION half(x FLOAT64) AS (x / 2); SELECT half(5)', [[2.5]]],
  ['gives the type that RETURNS says', 'CREATE TEMP FUNCTION whole(x INT64) RETURNS FLOAT64 AS (x); SELECT whole(3) / 2', [[1.5]]],
  ['takes ANY TYPE', "CREATE TEMP FUNCTION pick(ps ANY TYPE, k STRING) AS ((SELECT value.string_value FROM UNNEST(ps) WHERE key = k)); SELECT pick(" + PARAMS + ", 'page'), pick(" + PARAMS + ", 'none')", [['/a', null]]],
  ['calls another, and is called over rows', 'CREATE TEMP FUNCTION one(x INT64) AS (x + 1); CREATE TEMP FUNCTION two(x INT64) AS (one(one(x))); SELECT SUM(two(x)) FROM UNNEST([1, 2]) AS x', [[7]]],
  ['does not see the columns of the query', 'CREATE TEMP FUNCTION f(x INT64) AS (x * 10); SELECT f(y) FROM (SELECT 1 AS x, 2 AS y)', [[20]]],
  ['aggregates an argument', 'CREATE TEMP FUNCTION best(xs ANY TYPE) AS ((SELECT MAX(x) FROM UNNEST(xs) AS x)); SELECT best([3, 9, 4]), best(["a", "b"])', [[9, 'b']]],
])('a temporary function %s', async (_guarantee, sql, expected) => {
  expect(await rows(sql)).toEqual(expected);
});

test.each([
  ['gets numbers as Number and NULL as null', 'CREATE TEMP FUNCTION f(x FLOAT64) RETURNS STRING LANGUAGE js AS r"""return x === null ? "none" : typeof x;"""; SELECT f(1.5), f(NULL)', [['number', 'none']]],
  ['decodes non-ASCII text', 'CREATE TEMP FUNCTION f(s STRING) RETURNS STRING LANGUAGE js AS """try { return decodeURIComponent(s); } catch (e) { return s; }"""; SELECT f("%EC%84%9C%EC%9A%B8"), f("%")', [['서울', '%']]],
  ['gives an array of structs', "CREATE TEMP FUNCTION f(s STRING) RETURNS ARRAY<STRUCT<i INT64, t STRING>> LANGUAGE js AS \"return s.split(',').map((t, i) => ({ t: t, i: i }));\"; SELECT p.i, p.t FROM UNNEST(f('a,b')) AS p ORDER BY 1", [[0, 'a'], [1, 'b']]],
  ['gets a struct with its names', "CREATE TEMP FUNCTION f(s STRUCT<a FLOAT64, b ARRAY<STRING>>) RETURNS STRING LANGUAGE js AS \"return s.b.join('+') + s.a;\"; SELECT f(STRUCT(1, ['x', 'y']))", [['x+y1']]],
  ['works with points in time', "CREATE TEMP FUNCTION f(t TIMESTAMP) RETURNS TIMESTAMP LANGUAGE js AS 'return new Date(t.getTime() + 86400000);'; SELECT STRING(f(TIMESTAMP '2026-01-31 23:00:00+00'))", [['2026-02-01 23:00:00+00']]],
  ['cannot reach the process around it', "CREATE TEMP FUNCTION f(x STRING) RETURNS STRING LANGUAGE js AS r\"\"\"return typeof process + x.constructor.constructor('return typeof process')();\"\"\"; SELECT f('a')", [['undefinedundefined']]],
])('a JavaScript function %s', async (_guarantee, sql, expected) => {
  expect(await rows(sql)).toEqual(expected);
});

test('stored functions, SQL and JavaScript, and table functions are called by their names', async () => {
  await rows('CREATE FUNCTION d.plus(x INT64, y INT64) RETURNS FLOAT64 AS (x + y)');
  await rows('CREATE OR REPLACE FUNCTION `chiplog-local.d.middle`(xs ARRAY<FLOAT64>) RETURNS FLOAT64 LANGUAGE js AS "const s = xs.slice().sort((a, b) => a - b); return s[Math.floor(s.length / 2)];"');
  expect(await rows('SELECT d.plus(1, 2) / 2, `chiplog-local.d.middle`([3.5, 1, 2]), `chiplog-local`.d.plus(1, 1)')).toEqual([[1.5, 2, 2]]);
  await rows('CREATE TABLE FUNCTION d.upto(n INT64, label ANY TYPE) RETURNS TABLE<x INT64, y STRING> AS SELECT x, CAST(label AS STRING) AS y FROM UNNEST(GENERATE_ARRAY(1, n)) AS x');
  expect(await rows("SELECT a.x, a.y, b.y AS z FROM d.upto(2, 'q') AS a JOIN d.upto(1, 5) AS b USING (x)")).toEqual([[1, 'q', '5']]);
});

test.each([
  ["CREATE TEMP FUNCTION f(x STRING) AS (x); SELECT f(1)", 'No matching signature for function F for argument types: INT64. Supported signature: F(STRING) at [1:49]'],
  ['CREATE TEMP FUNCTION f(x INT64) AS (x); SELECT f(1, 2)', 'Number of arguments does not match for function F'],
  ['CREATE TEMP FUNCTION f(x INT64) AS (y); SELECT f(1)', 'Unrecognized name: y'],
  ['CREATE TEMP FUNCTION f(x STRING) LANGUAGE js AS "return x"; SELECT f("a")', 'Non-SQL functions must specify a return type'],
  ['CREATE TEMP FUNCTION f(x STRING) RETURNS STRING LANGUAGE js AS "throw new Error(x)"; SELECT f("went wrong")', 'Error: went wrong'],
  ['CREATE TEMP FUNCTION f(x STRING) RETURNS STRING LANGUAGE js OPTIONS (library = "gs://b/o.js") AS "return x"; SELECT f("a")', 'The option library of a JavaScript function is not supported'],
  ['CREATE TEMP FUNCTION f(x STRING) RETURNS STRING LANGUAGE python AS "x"; SELECT f("a")', 'LANGUAGE python is not supported'],
])('%s is refused', async (sql, message) => {
  await expect(rows(sql)).rejects.toThrow(message);
});
