// PIVOT and UNPIVOT: names of columns, tuples, types. The answers are those of Google's own evaluator.
import { beforeAll, expect, test } from 'vitest';
import { check, type Asked } from './asked.ts';
import { startEngine, type Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => { engine = await startEngine(); });

const ASKED: Asked[] = [
  ["SELECT * FROM (SELECT 'm' AS c, 1 AS p, 5 AS n) PIVOT (SUM(n) FOR c IN ('m' || 'x' AS mx))", ['p', 'mx'], [['1', null]]],
  ["SELECT * FROM (SELECT 'm' AS c, NUMERIC '1.5' AS p, 5 AS n) PIVOT (SUM(n) FOR p IN (NUMERIC '1.5', NUMERIC '-2', 3))", ['c', '_1_point_5', 'minus_2', '_3'], [['m', '5', null, null]]],
  ["SELECT * FROM (SELECT 'b c' AS c, 5 AS n) PIVOT (SUM(n) FOR c IN ('b c', '', 'a-b', 'é', 'a.b', 'A'))", ['b c', 'empty_string_value', 'a-b', 'é', 'a.b', 'A'], [['5', null, null, null, null, null]]],
  ["SELECT * FROM (SELECT 'b c' AS c, 5 AS n) PIVOT (SUM(n) AS x FOR c IN ('b c', '', '2x'))", ['x_b c', 'x__empty_string_value', 'x_2x'], [['5', null, null]]],
  ["SELECT * FROM (SELECT '1' AS c, 5 AS n) PIVOT (SUM(n) FOR c IN ('1' AS `1`, '2'))", ['1', '2'], [['5', null]]],
  ['SELECT * FROM (SELECT TRUE AS c, 5 AS n) PIVOT (SUM(n) FOR c IN (TRUE, NULL))', ['true', 'NULL'], [['5', null]]],
  ['SELECT * FROM (SELECT 1 AS a, NULL AS b) UNPIVOT INCLUDE NULLS (v FOR n IN (a, b))', ['v', 'n'], [['1', 'a'], [null, 'b']]],
  ["SELECT * FROM (SELECT 'x' AS k, '2x' AS x UNION ALL SELECT 'x', 'b') PIVOT (COUNT(*) FOR x IN ('2x', 'b'))", ['k', '2x', 'b'], [['x', '1', '1']]],
  ['SELECT * FROM (SELECT 1 AS k, 20 AS x) PIVOT (COUNT(*) FOR x IN (20, -5, 30 AS c))', ['k', '_20', 'minus_5', 'c'], [['1', '1', '0', '0']]],
  ["SELECT * FROM (SELECT 1 AS k, DATE '2026-01-01' AS x) PIVOT (COUNT(*) FOR x IN (DATE '2026-01-01'))", ['k', '_2026_01_01'], [['1', '1']]],
  ['SELECT * FROM (SELECT TRUE AS c, 5 AS n) PIVOT (SUM(n) FOR c IN (TRUE, FALSE, NULL))', ['true', 'false', 'NULL'], [['5', null, null]]],
  ['SELECT * FROM (SELECT 1 AS d, 5 AS n) PIVOT (SUM(n) FOR d IN (0x1F, 007))', ['_31', '_7'], [[null, null]]],
];

test.each(ASKED)('%s', async (...asked) => check(engine, asked));

test.each([
  ["SELECT * FROM (SELECT 1 AS c, 5 AS n) PIVOT (SUM(n) AS s, COUNT(*) FOR c IN (1))", 'PIVOT expression must specify an alias unless it is the only pivot expression in the PIVOT clause at [1:59]'],
  ["SELECT * FROM (SELECT 1.5 AS c, 5 AS n) PIVOT (SUM(n) FOR c IN (1.5))", 'PIVOT values of type FLOAT64 must specify an alias at [1:65]'],
  ["SELECT * FROM (SELECT 'm' AS c, 5 AS n) PIVOT (SUM(n) FOR c IN ('m' || 'x'))", 'Generating an implicit alias for this PIVOT value is not supported; please provide an explicit alias at [1:65]'],
  ["SELECT * FROM (SELECT 1 AS a, 2.5 AS b) UNPIVOT (v FOR n IN (a, b))", 'The datatype of column does not match with other datatypes in the IN clause. Expected INT64, Found FLOAT64 at [1:65]'],
  ["SELECT * FROM (SELECT 'x' AS a, NULL AS b) UNPIVOT (v FOR n IN (a, b))", 'The datatype of column does not match with other datatypes in the IN clause. Expected STRING, Found INT64 at [1:68]'],
])('%s is refused', async (sql, message) => {
  await expect(engine.rows(sql)).rejects.toThrow(message);
});
