// Columns without a name, GROUP BY of arrays, the WITH expression: the answers are those of Google's own evaluator.
import { beforeAll, expect, test } from 'vitest';
import { fromDuckError } from '../../../emulators/bigquery/sql/google-sql-error.ts';
import { check, type Asked } from './asked.ts';
import { startEngine, type Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => { engine = await startEngine(); });

const ASKED: Asked[] = [
  ['SELECT WITH(a AS 1, a + 1)', ['f0_'], [['2']]],
  ['SELECT WITH(a AS x + 1, b AS a * 2, a + b) FROM UNNEST([1,2]) x', ['f0_'], [['6'], ['9']]],
  ['SELECT WITH(a AS SUM(x), b AS a * 2, a + b) FROM UNNEST([1,2]) x', ['f0_'], [['9']]],
  ['SELECT k, WITH(a AS SUM(x), b AS k, a + b + COUNT(*) + k) FROM UNNEST([STRUCT(1 AS k, 2 AS x), (1, 4)]) GROUP BY k', ['k', 'f0_'], [['1', '10']]],
  ['SELECT WITH(x AS x * 10, x + 1), WITH(a AS ROW_NUMBER() OVER (ORDER BY x), a * a) FROM UNNEST([3, 4]) x', ['f0_', 'f1_'], [['31', '1'], ['41', '4']]],
  ['SELECT WITH(a AS [1, 2], (SELECT SUM(v) FROM UNNEST(a) v))', ['f0_'], [['3']]],
  ['SELECT a, COUNT(*) FROM (SELECT [1,2] AS a UNION ALL SELECT [1,2] UNION ALL SELECT [2]) GROUP BY a', ['a', 'f0_'], [[['1', '2'], '2'], [['2'], '1']]],
  ['SELECT COUNT(*) FROM (SELECT CAST(NULL AS ARRAY<INT64>) AS a UNION ALL SELECT [] UNION ALL SELECT [NULL] UNION ALL SELECT [NULL]) GROUP BY a', ['f0_'], [['2'], ['1'], ['1']]],
  ["SELECT ARRAY_LENGTH(a), COUNT(*) FROM (SELECT [STRUCT(1 AS x, 'a' AS y)] AS a UNION ALL SELECT [STRUCT(1 AS x, 'a')] UNION ALL SELECT [STRUCT(1, 'b')]) GROUP BY a", ['f0_', 'f1_'], [['1', '1'], ['1', '2']]],
  ['SELECT a, COUNT(*) FROM (SELECT STRUCT([1] AS x) AS a) GROUP BY a', ['a', 'f0_'], [[{ x: ['1'] }, '1']]],
  ['SELECT ARRAY(SELECT v FROM UNNEST(xs) v ORDER BY v) AS k, COUNT(*) FROM UNNEST([STRUCT([2, 1] AS xs), STRUCT([1, 2])]) GROUP BY k', ['k', 'f0_'], [[['1', '2'], '2']]],
  ['WITH t AS (SELECT 1, 2) SELECT *, 3 FROM t', ['f0_', 'f1_', 'f2_'], [['1', '2', '3']]],
  ['SELECT *, 5 FROM (SELECT 1, 2 AS b)', ['f0_', 'b', 'f1_'], [['1', '2', '5']]],
  ['SELECT t, TO_JSON_STRING(t) FROM (SELECT 1, 2 AS b) t', ['t', 'f0_'], [[{ _field_1: '1', b: '2' }, '{"":1,"b":2}']]],
  ['SELECT * FROM (SELECT 1 UNION ALL SELECT 2) ORDER BY 1', ['f0_'], [['1'], ['2']]],
  ['SELECT 1 UNION ALL SELECT 2 ORDER BY 1 DESC', ['f0_'], [['2'], ['1']]],
  ['SELECT * FROM (SELECT 1, 2 AS a, 3 AS b) UNPIVOT (v FOR n IN (a, b))', ['f0_', 'v', 'n'], [['1', '2', 'a'], ['1', '3', 'b']]],
  ["SELECT * FROM (SELECT 1, 'a' AS c, 3 AS b) PIVOT (SUM(b) FOR c IN ('a'))", ['f0_', 'a'], [['1', '3']]],
  ['SELECT (SELECT MAX(b) FROM (SELECT 1, 2 AS b))', ['f0_'], [['2']]],
  ['SELECT ARRAY(SELECT AS STRUCT * FROM (SELECT 1, 2 AS b))', ['f0_'], [[[{ f0_: '1', b: '2' }]]]],
  ['SELECT COUNT(*) FROM (SELECT COUNT(*) FROM UNNEST([1]))', ['f0_'], [['1']]],
  ['SELECT t.* FROM (SELECT 1, 2) t', ['f0_', 'f1_'], [['1', '2']]],
  ['SELECT WITH(a AS 1, a + SUM(x)), COUNT(*) FROM UNNEST([1,2]) x', ['f0_', 'f1_'], [['4', '2']]],
  ['SELECT k, WITH(a AS MIN(x), WITH(b AS MAX(x), a + b + SUM(x))) FROM UNNEST([STRUCT(1 AS k, 2 AS x), (1, 4)]) GROUP BY k', ['k', 'f0_'], [['1', '12']]],
];

test.each(ASKED)('%s', async (...asked) => check(engine, asked));

test.each([
  ['SELECT f0_ FROM (SELECT 1)', 'Unrecognized name: f0_ at [1:8]'],
  ['WITH t AS (SELECT 1, 2) SELECT f0_ FROM t', 'Unrecognized name: f0_ at [1:32]'],
  ['SELECT 1 UNION ALL SELECT 2 ORDER BY f0_', 'Unrecognized name: f0_ at [1:38]'],
  ['SELECT WITH(1 + 1)', 'Syntax error: Unexpected integer literal "1" at [1:13]'],
  ['SELECT WITH(a AS 1, SUM(x + a)) FROM UNNEST([1, 2]) x', 'Unrecognized name: a'],
  ['SELECT WITH(a AS RAND(), a - a)', 'WITH over a value that is another one each time is not supported'],
  ["SELECT a, COUNT(*) FROM (SELECT STRUCT(JSON '1' AS x) AS a) GROUP BY a", 'Grouping by expressions of type STRUCT containing JSON is not allowed at [1:70]'],
  ["SELECT a, COUNT(*) FROM (SELECT [JSON '1'] AS a) GROUP BY a", 'Grouping by expressions of type ARRAY containing JSON is not allowed at [1:59]'],
])('%s is refused', async (sql, message) => {
  await expect(engine.rows(sql)).rejects.toThrow(message);
});

test('what DuckDB has no plan for is named, without its words', async () => {
  const failure: unknown = await engine.rows('SELECT x.id, (SELECT MAX(rn) FROM (SELECT ROW_NUMBER() OVER (ORDER BY (SELECT v FROM UNNEST(t.ps) v WHERE v > x.id)) rn FROM (SELECT [1, 2] AS ps) t)) FROM (SELECT 1 AS id) x').catch((error: unknown) => error);
  expect(fromDuckError((failure as Error).message)).toMatchObject({ reason: 'notImplemented', message: 'A reference to a row of an outer query inside a window or a join is not supported by the local BigQuery' });
  const doubled: unknown = await engine.rows('SELECT STRUCT(1 AS a, 2 AS a)').catch((error: unknown) => error);
  expect(fromDuckError((doubled as Error).message)).toMatchObject({ reason: 'notImplemented', message: 'A STRUCT with two fields of one name is not supported by the local BigQuery' });
  expect(fromDuckError('INTERNAL Error: Failed to bind column reference "v"')).toMatchObject({ reason: 'notImplemented', message: 'This combination of constructs is not supported by the local BigQuery' });
});
