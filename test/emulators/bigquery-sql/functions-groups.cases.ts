// More aggregates and windows, order of NULLs and text. The answers are those of Google's reference evaluator; test/contract/googlesql/evaluator.test.ts asks it again.
import type { Case } from './wire.ts';

export const GROUPS: Case[] = [
  ['SELECT COUNT(*) FROM UNNEST([1,2]) x WHERE x > (SELECT AVG(y) FROM UNNEST([1,2]) y)', 'INT64', [['1']]],
  ["SELECT k, ARRAY_AGG(STRUCT(v, f) ORDER BY f DESC LIMIT 1)[OFFSET(0)].v FROM UNNEST([STRUCT('a' AS k, 1 AS v, 2.5 AS f), ('a', 2, 3.5)]) GROUP BY k", 'STRING, INT64', [['a', '2']]],
  ['SELECT x, SUM(x) OVER (ORDER BY x ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) FROM UNNEST([1,2,3]) x ORDER BY x', 'INT64, INT64', [['1', '3'], ['2', '5'], ['3', '3']]],
  ["SELECT IF(x IS NULL, 'none', CAST(x AS STRING)) FROM UNNEST([1,NULL]) x ORDER BY 1", 'STRING', [['1'], ['none']]],
  ["SELECT DATE_DIFF(DATE '2026-01-15', x, WEEK(SUNDAY)) FROM UNNEST([DATE '2026-01-04', '2025-12-31']) x ORDER BY 1", 'INT64', [['1'], ['2']]],
  ['SELECT LAG(x, 2, -1) OVER (ORDER BY x) FROM UNNEST([1,2,3]) x ORDER BY 1', 'INT64', [['-1'], ['-1'], ['1']]],
  ['SELECT ARRAY_AGG(x ORDER BY x DESC LIMIT 2) FROM UNNEST([1,2,3]) x', 'ARRAY<INT64>', [[['3', '2']]]],
  ['SELECT ARRAY_AGG(DISTINCT x) FROM UNNEST([1,1]) x', 'ARRAY<INT64>', [[['1']]]],
  ["SELECT STRING_AGG(CAST(x AS STRING), '' ORDER BY x DESC) FROM UNNEST([1,2,3]) x", 'STRING', [['321']]],
  ['SELECT COUNT(DISTINCT (x, 1)) FROM UNNEST([1,1]) x', 'INT64', [['1']]],
  ['SELECT COUNT(DISTINCT STRUCT(x, 1)) FROM UNNEST([1,1]) x', 'INT64', [['1']]],
  ["SELECT MIN(x), MAX(x) FROM UNNEST(['b','a',NULL]) x", 'STRING, STRING', [['a', 'b']]],
  ['SELECT MAX(x) FROM UNNEST([TRUE, FALSE]) x', 'BOOL', [['true']]],
  ["SELECT SUM(x) FROM UNNEST([NUMERIC '1.1', NUMERIC '2.2']) x", 'NUMERIC', [['3.3']]],
  ["SELECT AVG(x) FROM UNNEST([NUMERIC '1', NUMERIC '2']) x", 'NUMERIC', [['1.5']]],
  ['SELECT SUM(CAST(x AS NUMERIC)) / COUNT(*) FROM UNNEST([1,2,4]) x', 'NUMERIC', [['2.333333333']]],
  ['SELECT AVG(x) FROM UNNEST([1,2,2]) x', 'FLOAT64', [['1.6666666666666667']]],
  ['SELECT LOGICAL_AND(x) FROM UNNEST([TRUE, NULL]) x', 'BOOL', [['true']]],
  ['SELECT BIT_AND(x), BIT_OR(x), BIT_XOR(x) FROM UNNEST([5, 3]) x', 'INT64, INT64, INT64', [['1', '7', '6']]],
  ['SELECT COUNT(x) OVER (PARTITION BY MOD(x, 2)) c, x FROM UNNEST([1,2,3]) x ORDER BY x', 'INT64, INT64', [['2', '1'], ['1', '2'], ['2', '3']]],
  ['SELECT FIRST_VALUE(x IGNORE NULLS) OVER (ORDER BY o ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING), o FROM UNNEST([NULL, 2, NULL, 4]) x WITH OFFSET o ORDER BY o', 'INT64, INT64', [['2', '0'], ['2', '1'], ['4', '2'], ['4', '3']]],
  ['SELECT LAST_VALUE(x IGNORE NULLS) OVER (ORDER BY o), o FROM UNNEST([1, NULL, 3, NULL]) x WITH OFFSET o ORDER BY o', 'INT64, INT64', [['1', '0'], ['1', '1'], ['3', '2'], ['3', '3']]],
  ['SELECT NTH_VALUE(x, 2 IGNORE NULLS) OVER (ORDER BY o ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM UNNEST([NULL, 2, 3]) x WITH OFFSET o', 'INT64', [['3'], ['3'], ['3']]],
  ['SELECT PERCENTILE_CONT(x, 0.9) OVER() FROM UNNEST([1.5, 2, NULL, 10]) x LIMIT 1', 'FLOAT64', [['8.4']]],
  ["SELECT PERCENTILE_DISC(x, 0.5) OVER() FROM UNNEST(['a','b','c']) x LIMIT 1", 'STRING', [['b']]],
  ["SELECT PERCENTILE_CONT(x, 0.5) OVER() FROM UNNEST([NUMERIC '1', NUMERIC '2']) x LIMIT 1", 'FLOAT64', [['1.5']]],
  ['SELECT SUM(x) OVER (ORDER BY d RANGE BETWEEN 86400 PRECEDING AND CURRENT ROW) FROM (SELECT 1 x, 5 d UNION ALL SELECT 2, 90000) ORDER BY 1', 'INT64', [['1'], ['2']]],
  ['SELECT SUM(x) OVER (ORDER BY d DESC ROWS 1 PRECEDING) FROM (SELECT 1 x, 5 d UNION ALL SELECT 2, 9 UNION ALL SELECT 4, 11) ORDER BY 1', 'INT64', [['3'], ['4'], ['6']]],
  ['SELECT RANK() OVER (ORDER BY x DESC NULLS LAST), x FROM UNNEST([1, NULL, 3]) x ORDER BY 1', 'INT64, INT64', [['1', '3'], ['2', '1'], ['3', null]]],
  ["SELECT x FROM UNNEST(['b', 'A', 'a', 'é', NULL]) x ORDER BY x", 'STRING', [[null], ['A'], ['a'], ['b'], ['é']]],
  ["SELECT x FROM UNNEST([b'b', b'a']) x ORDER BY x DESC", 'BYTES', [['Yg=='], ['YQ==']]],
  ['SELECT GREATEST(x, 2), LEAST(x, 2) FROM UNNEST([1, NULL, 3]) x ORDER BY 1', 'INT64, INT64', [[null, null], ['2', '1'], ['3', '2']]],
  ["SELECT MIN(d), MAX(d) FROM UNNEST([DATE '2026-01-01', NULL]) d", 'DATE, DATE', [['2026-01-01', '2026-01-01']]],
  ['SELECT CORR(x, y) FROM UNNEST([STRUCT(1 AS x, 2 AS y), (1, 4)])', 'FLOAT64', [['NaN']]],
  ['SELECT VAR_POP(x), STDDEV_POP(x) FROM UNNEST([5]) x', 'FLOAT64, FLOAT64', [['0', '0']]],
  ['SELECT COUNTIF(x > 1) / COUNT(*) FROM UNNEST([1,2,3]) x', 'FLOAT64', [['0.6666666666666666']]],
  ['SELECT ROUND(COUNTIF(x > 1) / COUNT(*) * 100, 2) FROM UNNEST([1,2,3]) x', 'FLOAT64', [['66.67']]],
  ['SELECT ANY_VALUE(x) FROM UNNEST([NULL, 5]) x WHERE x IS NOT NULL', 'INT64', [['5']]],
  ['SELECT ARRAY_CONCAT_AGG(x) FROM UNNEST([STRUCT([1] AS x), STRUCT([2,3])])', 'ARRAY<INT64>', [[['1', '2', '3']]]],
];

/** Both refuse these. */
export const GROUPS_REFUSED: string[] = [
  'SELECT SUM(x) FROM UNNEST([9223372036854775807, 1]) x',
];
