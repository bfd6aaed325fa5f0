// HAVING MAX and HAVING MIN inside aggregates: the answers are those of Google's own evaluator.
import { beforeAll, expect, test } from 'vitest';
import { check, type Asked } from './asked.ts';
import { startEngine, type Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => { engine = await startEngine(); });

const ASKED: Asked[] = [
  ['SELECT SUM(x HAVING MAX y), MIN(x HAVING MIN y), COUNT(x HAVING MAX y), AVG(x HAVING MAX y), ARRAY_AGG(x HAVING MAX y) FROM UNNEST([STRUCT(1 AS x, 1 AS y), (2, 1), (5, 3), (7, 3), (NULL, NULL)])', ['f0_', 'f1_', 'f2_', 'f3_', 'f4_'], [['12', '1', '2', 6, ['5', '7']]]],
  ["SELECT ARRAY_AGG(x HAVING MAX y ORDER BY x DESC LIMIT 1), STRING_AGG(CAST(x AS STRING), '-' HAVING MIN y), COUNT(DISTINCT x HAVING MAX y), COUNTIF(x > 5 HAVING MAX y), LOGICAL_OR(x > 5 HAVING MIN y) FROM UNNEST([STRUCT(1 AS x, 1 AS y), (2, 1), (5, 3), (7, 3), (NULL, NULL)])", ['f0_', 'f1_', 'f2_', 'f3_', 'f4_'], [[['7'], '1-2', '2', '1', false]]],
  ['SELECT SUM(x HAVING MAX y), ANY_VALUE(x HAVING MAX y) FROM UNNEST([STRUCT(1 AS x, CAST(NULL AS INT64) AS y), (2, NULL)])', ['f0_', 'f1_'], [[null, null]]],
  ["SELECT SUM(x HAVING MAX y) FROM UNNEST([STRUCT(1 AS x, 1.0 AS y), (2, CAST('nan' AS FLOAT64))])", ['f0_'], [[null]]],
  ["SELECT k, SUM(x HAVING MAX y) FROM UNNEST([STRUCT('a' AS k, 1 AS x, 1 AS y), ('a', 2, 1), ('b', 5, 3), ('b', 7, 3), ('b', 9, 1)]) GROUP BY k", ['k', 'f0_'], [['b', '12'], ['a', '3']]],
  ['SELECT SUM(DISTINCT x HAVING MAX y) FROM UNNEST([STRUCT(1 AS x, 1 AS y)])', ['f0_'], [['1']]],
  ['SELECT SUM(x HAVING MAX 1) FROM UNNEST([STRUCT(1 AS x, 1 AS y)])', ['f0_'], [['1']]],
  ['SELECT COUNT(* HAVING MAX y) FROM UNNEST([STRUCT(1 AS x, 1 AS y)])', ['f0_'], [['1']]],
  ['SELECT CORR(x, z HAVING MAX y) FROM UNNEST([STRUCT(1 AS x, 1 AS y, 3 AS z), (2, 1, 7), (4, 0, -9)])', ['f0_'], [[1]]],
  ["SELECT SUM(x HAVING MIN y), COUNT(x HAVING MIN y), ARRAY_AGG(x HAVING MIN y) FROM UNNEST([STRUCT(1 AS x, CAST('nan' AS FLOAT64) AS y), (2, 0.0), (3, -0.0)])", ['f0_', 'f1_', 'f2_'], [[null, '0', null]]],
  ['SELECT SUM(x HAVING MIN y), COUNT(x HAVING MIN y) FROM UNNEST([STRUCT(1 AS x, NULL AS y)])', ['f0_', 'f1_'], [[null, '0']]],
  ['SELECT COUNT(x HAVING MIN y), ARRAY_AGG(x HAVING MIN y) FROM UNNEST(ARRAY<STRUCT<x INT64, y INT64>>[])', ['f0_', 'f1_'], [['0', null]]],
  ['SELECT SUM(x HAVING MAX (SELECT MAX(v) FROM UNNEST([y, 2]) v)) FROM UNNEST([STRUCT(1 AS x, 1 AS y), (5, 7)])', ['f0_'], [['5']]],
  ['SELECT ANY_VALUE(x HAVING MAX y) FROM UNNEST([STRUCT(NULL AS x, 5 AS y), (1, 5), (2, 1)])', ['f0_'], [[null]]],
  ["SELECT ANY_VALUE(x HAVING MAX y) FROM UNNEST([STRUCT(1 AS x, CAST('nan' AS FLOAT64) AS y), (2, 1)])", ['f0_'], [[null]]],
  ["SELECT ARRAY_CONCAT_AGG([x] HAVING MAX y), ARRAY_AGG(x IGNORE NULLS HAVING MAX y) FROM UNNEST([STRUCT('a' AS x, 1 AS y), ('b', 0), (NULL, 1)])", ['f0_', 'f1_'], [[['a', null], ['a']]]],
  ["SELECT k, COUNT(*) OVER (), SUM(x HAVING MIN d) FROM UNNEST([STRUCT(1 AS k, 5 AS x, DATE '2026-01-01' AS d), (1, 6, '2026-01-02'), (2, 7, '2026-01-02')]) GROUP BY k ORDER BY k", ['k', 'f0_', 'f1_'], [['1', '2', '5'], ['2', '2', '7']]],
  ["SELECT SUM(x HAVING MAX s) FROM UNNEST([STRUCT(1 AS x, 'a' AS s), (3, 'b'), (4, 'b')])", ['f0_'], [['7']]],
  ["SELECT STDDEV(x HAVING MAX s), BIT_OR(x HAVING MAX s), VAR_POP(x HAVING MAX s), MIN(x HAVING MAX s) FROM UNNEST([STRUCT(1 AS x, 'a' AS s), (3, 'b'), (4, 'b')])", ['f0_', 'f1_', 'f2_', 'f3_'], [[0.7071067811865476, '7', 0.25, '3']]],
  ['SELECT SUM(x HAVING MAX TRUE) FROM UNNEST([1,2]) x', ['f0_'], [['3']]],
  ["SELECT * FROM (SELECT 'a' AS c, 1 AS x, 1 AS y UNION ALL SELECT 'b', 2, 5 UNION ALL SELECT 'a', 7, 0) PIVOT (SUM(x HAVING MAX y) FOR c IN ('a', 'b'))", ['a', 'b'], [['1', '2']]],
  ['SELECT u.k + 1 AS k1, COUNT(* HAVING MAX v.o), ARRAY_AGG(STRUCT(u.k, v.o) HAVING MIN v.o + u.k), COUNT(*) FROM UNNEST([1, 2, 3]) k JOIN (SELECT 1 AS k UNION ALL SELECT 2) u USING (k) LEFT JOIN (SELECT 1 AS k, 3 AS o UNION ALL SELECT 1, 4) v ON v.k = u.k GROUP BY k1 ORDER BY k1', ['k1', 'f0_', 'f1_', 'f2_'], [['2', '1', [{ k: '1', o: '3' }], '2'], ['3', '0', null, '1']]],
  ['SELECT id, (SELECT SUM(x HAVING MAX y) FROM UNNEST(xs)) FROM (SELECT 1 AS id, [STRUCT(1 AS x, 1 AS y), (2, 3), (4, 3)] AS xs UNION ALL SELECT 2, [STRUCT(9 AS x, 1 AS y)]) ORDER BY id', ['id', 'f0_'], [['1', '6'], ['2', '9']]],
  ['SELECT k FROM UNNEST([STRUCT(1 AS k, 2 AS x, 3 AS y), (2, 1, 1)]) GROUP BY k HAVING SUM(x HAVING MAX y) > 1 ORDER BY SUM(x HAVING MIN y)', ['k'], [['1']]],
  ['SELECT t.k, COUNT(t HAVING MAX t.y) FROM (SELECT 1 AS k, 2 AS y UNION ALL SELECT 1, 3) t GROUP BY t.k', ['k', 'f0_'], [['1', '1']]],
  ["SELECT e, SUM(n HAVING MAX d), SUM(n HAVING MIN d), SUM(n) FROM UNNEST([STRUCT('a' AS e, 1 AS n, TIMESTAMP '2026-01-01' AS d), ('a', 5, TIMESTAMP '2026-01-02'), ('a', 7, TIMESTAMP '2026-01-02'), (NULL, 3, NULL), (NULL, 4, TIMESTAMP '2026-01-02')]) GROUP BY e ORDER BY e", ['e', 'f0_', 'f1_', 'f2_'], [[null, '4', '4', '7'], ['a', '12', '1', '13']]],
];

test.each(ASKED)('%s', async (...asked) => check(engine, asked));

test.each([
  ['SELECT SUM(x HAVING MAX SUM(y)) FROM UNNEST([STRUCT(1 AS x, 1 AS y)])', 'Aggregations of aggregations are not allowed at [1:8]'],
  ['SELECT SUM(x HAVING MAX [y]) FROM UNNEST([STRUCT(1 AS x, 1 AS y)])', 'HAVING modifier does not support expressions of type ARRAY<INT64> at [1:14]'],
  ['SELECT GROUPING(x HAVING MAX x) FROM UNNEST([1]) x GROUP BY x', 'Aggregate function GROUPING does not support HAVING in arguments at [1:19]'],
  ['SELECT k, SUM(x HAVING MAX y) FROM UNNEST([STRUCT(1 AS k, 2 AS x, 3 AS y)]) GROUP BY ROLLUP(k)', 'HAVING MAX inside an aggregate beside GROUPING SETS, ROLLUP or CUBE is not supported by the local BigQuery'],
])('%s is refused', async (sql, message) => {
  await expect(engine.rows(sql)).rejects.toThrow(message);
});
