// SAFE. before functions of aggregates, windows and subqueries, and what it does not cover: the answers are those of Google's own evaluator.
import { beforeAll, expect, test } from 'vitest';
import { check, type Asked } from './asked.ts';
import { startEngine, type Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => { engine = await startEngine(); });

const ASKED: Asked[] = [
  ['SELECT SAFE_MULTIPLY(MAX(x), 2), SAFE_ADD(MAX(x), 1), SAFE_SUBTRACT(MIN(x), 1), SAFE_NEGATE(MIN(x)), SAFE_DIVIDE(SUM(x), COUNT(*)) FROM UNNEST([1, 92]) x', ['f0_', 'f1_', 'f2_', 'f3_', 'f4_'], [['184', '93', '0', '-1', 46.5]]],
  ["SELECT SAFE.PARSE_DATE('%Y%m%d', MIN(x)) FROM UNNEST(['20260101', '20260102']) x", ['f0_'], [['2026-01-01']]],
  ["SELECT x, SAFE.PARSE_DATE('%Y%m%d', MIN(x) OVER (PARTITION BY LENGTH(x) ORDER BY x)) FROM UNNEST(['20260101', '2026', '20260102']) x", ['x', 'f0_'], [['2026', null], ['20260101', '2026-01-01'], ['20260102', '2026-01-01']]],
  ["SELECT k, SAFE.DIV(SUM(x), k), SAFE.SUBSTR(k || '', 1, -1) FROM UNNEST([STRUCT(0 AS k, 5 AS x), (2, 5), (2, 4)]) GROUP BY k", ['k', 'f0_', 'f1_'], [['0', null, null], ['2', '4', null]]],
  ['SELECT SAFE.ANY_VALUE(x) FROM UNNEST([1]) x', ['f0_'], [['1']]],
  ['SELECT SAFE.SUM(x) FROM UNNEST([9223372036854775800, 9223372036854775800]) x', ['f0_'], [[null]]],
  ['SELECT SAFE.ROW_NUMBER() OVER (ORDER BY x) FROM UNNEST([1]) x', ['f0_'], [['1']]],
  ['SELECT x, SAFE_ADD(SUM(x) OVER (ORDER BY x), 9223372036854775800) FROM UNNEST([1, 2, 100]) x', ['x', 'f0_'], [['1', '9223372036854775801'], ['2', '9223372036854775803'], ['100', null]]],
  ['SELECT x FROM UNNEST([1, 2, 100]) x WHERE TRUE QUALIFY SAFE.DIV(10, ROW_NUMBER() OVER (ORDER BY x)) > 4', ['x'], [['1'], ['2']]],
  ['SELECT x FROM UNNEST([1, 2, 100]) x GROUP BY x HAVING SAFE.DIV(10, SUM(x)) > 4', ['x'], [['2'], ['1']]],
  ['SELECT SAFE.ABS(SAFE.DIV(1, 0))', ['f0_'], [[null]]],
  ['SELECT k, SUM(x) AS s FROM UNNEST([STRUCT(1 AS k, 2 AS x)]) GROUP BY k HAVING SAFE_ADD(s, 1) > 1 ORDER BY SAFE.DIV(s, 0), SAFE.DIV(1, k)', ['k', 's'], [['1', '2']]],
  ["SELECT SAFE.AVG(x), SAFE.COUNT(x), SAFE.STRING_AGG('a'), SAFE.ARRAY_AGG(x) FROM UNNEST([1]) x", ['f0_', 'f1_', 'f2_', 'f3_'], [[1, '1', 'a', ['1']]]],
  ['SELECT SAFE_ADD((SELECT 1 FROM UNNEST([1,2]) x GROUP BY x LIMIT 1), 2), SAFE_SUBTRACT(1, (SELECT MAX(x) FROM UNNEST([1,2]) x))', ['f0_', 'f1_'], [['3', '-1']]],
  ["SELECT SAFE.SUBSTR(STRING_AGG(x), 1, -1), SAFE.SUBSTR(STRING_AGG(x), 1, 2), SAFE.LENGTH(STRING_AGG(x, '-' ORDER BY x DESC)) FROM UNNEST(['ab', 'c']) x", ['f0_', 'f1_', 'f2_'], [[null, 'ab', '4']]],
  ["SELECT IFNULL(SAFE.PARSE_DATE('%Y%m%d', MAX(x)), DATE '2000-01-01'), COUNT(*) FROM UNNEST(['x', 'a']) x", ['f0_', 'f1_'], [['2000-01-01', '2']]],
  ['SELECT a, SAFE.DIV(SUM(SUM(b)) OVER (ORDER BY a), a) FROM UNNEST([STRUCT(0 AS a, 2 AS b), (1, 3), (2, 9)]) GROUP BY a ORDER BY a', ['a', 'f0_'], [['0', null], ['1', '5'], ['2', '7']]],
  [`SELECT SAFE.JSON_VALUE(ANY_VALUE(j), '$.a'), SAFE.STRING(PARSE_JSON(MAX('1'))) FROM UNNEST(['{"a": 5}']) j`, ['f0_', 'f1_'], [['5', null]]],
  ['SELECT SAFE.ARRAY_LENGTH(ARRAY_AGG(x)), ARRAY_AGG(x)[SAFE_OFFSET(9)], SAFE.DIV(MAX(x), MIN(x) - 1) FROM UNNEST([1, 2]) x', ['f0_', 'f1_', 'f2_'], [['2', null, null]]],
  ['SELECT SAFE.IF(TRUE, 1, 2)', ['f0_'], [['1']]],
  ['SELECT SAFE.COALESCE(MAX(x), 2) FROM UNNEST([1]) x', ['f0_'], [['1']]],
  ["SELECT SAFE.CONCAT(MAX(x), 'a'), SAFE.CHR(SUM(-5)) FROM UNNEST(['a']) x", ['f0_', 'f1_'], [['aa', null]]],
  ['SELECT k, SAFE.DIV(SUM(x), k), SAFE.SUBSTR(CAST(k AS STRING), 1, -1) FROM UNNEST([STRUCT(0 AS k, 5 AS x), (2, 5), (2, 4)]) GROUP BY k', ['k', 'f0_', 'f1_'], [['0', null, null], ['2', '4', null]]],
  ["SELECT k, SAFE.DATE_ADD(MIN(d), INTERVAL k DAY), SAFE.DATE_TRUNC(MIN(d), WEEK(MONDAY)), SAFE.DATE_ADD(MIN(d), INTERVAL COUNT(*) YEAR) FROM UNNEST([STRUCT(DATE '9999-12-31' AS d, 1 AS k), ('2026-01-01', 2)]) GROUP BY k", ['k', 'f0_', 'f1_', 'f2_'], [['2', '2026-01-03', '2025-12-29', '2027-01-01'], ['1', null, '9999-12-27', null]]],
  ['SELECT x, SAFE.DIV(x, ROW_NUMBER() OVER (ORDER BY x) - 1), SAFE_MULTIPLY(x, SUM(x) OVER ()) FROM UNNEST([1, 2, 100]) x', ['x', 'f0_', 'f1_'], [['1', null, '103'], ['2', '2', '206'], ['100', '50', '10300']]],
  ["SELECT SAFE.DIV(x, LENGTH(y)), SAFE.PARSE_DATE('%Y%m%d', SUBSTR(y, 1, x)) FROM UNNEST([STRUCT(1 AS x, '' AS y), (8, '20260101x')])", ['f0_', 'f1_'], [[null, null], ['0', '2026-01-01']]],
  ['SELECT ARRAY(SELECT SAFE.DIV(10, v + n) FROM UNNEST(vs) v), (SELECT SUM(SAFE.DIV(10, v - n)) FROM UNNEST(vs) v) FROM (SELECT [0, 1, 5] AS vs, 0 AS n)', ['f0_', 'f1_'], [[[null, '10', '2'], '12']]],
  ["SELECT ARRAY_AGG(SAFE.DIV(10, v - 1)), MAX(SAFE_ADD(v, 1)), SUM(SAFE_CAST(s AS INT64)) FROM UNNEST([STRUCT(1 AS v, 'a' AS s), (2, '7')])", ['f0_', 'f1_', 'f2_'], [[[null, '10'], '3', '7']]],
  ['SELECT k, SUM(x) AS s FROM UNNEST([STRUCT(1 AS k, 2 AS x)]) GROUP BY k HAVING SAFE_ADD(s, 1) > 1', ['k', 's'], [['1', '2']]],
  ['SELECT k, SUM(x) AS s FROM UNNEST([STRUCT(1 AS k, 2 AS x)]) GROUP BY k ORDER BY SAFE.DIV(s, 0)', ['k', 's'], [['1', '2']]],
  ['SELECT k, SUM(x) AS s FROM UNNEST([STRUCT(1 AS k, 2 AS x)]) GROUP BY k ORDER BY SAFE.DIV(1, k)', ['k', 's'], [['1', '2']]],
  ['SELECT k, SUM(x) AS s FROM UNNEST([STRUCT(1 AS k, 2 AS x), (2, 3)]) GROUP BY k HAVING SAFE_ADD(SUM(x), 1) > 1', ['k', 's'], [['2', '3'], ['1', '2']]],
  ["SELECT day, SAFE.DATE_TRUNC(day, MONTH), SAFE.DATE_DIFF(MAX(day), DATE '2026-01-01', DAY) FROM (SELECT DATE '2026-01-05' AS day) GROUP BY day", ['day', 'f0_', 'f1_'], [['2026-01-05', '2026-01-01', '4']]],
  ["SELECT SAFE.DATE_TRUNC(MAX(week), WEEK(MONDAY)), SAFE.LAST_DAY(MAX(week), MONTH), SAFE.LAST_DAY(MAX(week)) FROM (SELECT DATE '2026-01-07' AS week)", ['f0_', 'f1_', 'f2_'], [['2026-01-05', '2026-01-31', '2026-01-31']]],
  ["SELECT SAFE.NORMALIZE(MAX(x), NFC), SAFE.TRUNC(MAX(1.57), 1) FROM UNNEST(['a']) x", ['f0_', 'f1_'], [['a', 1.5]]],
];

test.each(ASKED)('%s', async (...asked) => check(engine, asked));

test.each([
  ['SELECT SAFE.ABS(1/0)', 'division by zero: 1 / 0'],
  ['SELECT SAFE.ABS(1/x) FROM UNNEST([0]) x', 'division by zero: 1 / 0'],
  ["SELECT SAFE.LENGTH(SUBSTR('a', 1, -1))", 'Third argument in SUBSTR() cannot be negative'],
  ["SELECT SAFE.PARSE_DATE('%Y%m%d', CAST(CAST(x AS INT64) AS STRING)) FROM UNNEST(['a']) x", 'Bad int64 value: a'],
  ['SELECT SAFE.SUM(1/x) FROM UNNEST([0]) x', 'division by zero: 1 / 0'],
])('%s stops: an argument failed, not the function', async (sql, message) => {
  await expect(engine.rows(sql)).rejects.toThrow(message);
});
