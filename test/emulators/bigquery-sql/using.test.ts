// JOIN … USING with arrays, their elements and offsets on either side: the answers are those of Google's own evaluator.
import { beforeAll, test } from 'vitest';
import { check, type Asked } from './asked.ts';
import { startEngine, type Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => { engine = await startEngine(); });

const ASKED: Asked[] = [
  ["SELECT k, v FROM UNNEST(['a','b','c']) k WITH OFFSET JOIN UNNEST([1,2,3]) v WITH OFFSET USING (offset)", ['k', 'v'], [['a', '1'], ['b', '2'], ['c', '3']]],
  ["SELECT * FROM UNNEST(['a','b','c']) k WITH OFFSET LEFT JOIN UNNEST([1,2]) v WITH OFFSET USING (offset)", ['offset', 'k', 'v'], [['0', 'a', '1'], ['1', 'b', '2'], ['2', 'c', null]]],
  ["SELECT event_name, n FROM (SELECT 'page_view' AS event_name, 1 AS n UNION ALL SELECT 'x', 2) t JOIN UNNEST(['page_view','purchase']) AS event_name USING (event_name)", ['event_name', 'n'], [['page_view', '1']]],
  ["SELECT * FROM (SELECT 1 AS d, 'x' AS n UNION ALL SELECT 5, 'y') t FULL JOIN UNNEST([1, 2]) d USING (d)", ['d', 'n'], [['1', 'x'], ['5', 'y'], ['2', null]]],
  ["SELECT * FROM (SELECT 1 AS d, 'x' AS n UNION ALL SELECT 5, 'y') t RIGHT JOIN UNNEST([1, 2]) d USING (d)", ['d', 'n'], [['1', 'x'], ['2', null]]],
  ["SELECT * FROM (SELECT 'page_view' AS event_name UNION ALL SELECT 'x') LEFT JOIN UNNEST([STRUCT('page_view' AS event_name, 'v' AS grp)]) m USING (event_name)", ['event_name', 'grp'], [['page_view', 'v'], ['x', null]]],
  ['SELECT * FROM UNNEST([7,8]) a WITH OFFSET AS pos JOIN UNNEST([9,10]) b WITH OFFSET AS pos USING (pos)', ['pos', 'a', 'b'], [['0', '7', '9'], ['1', '8', '10']]],
  ['SELECT t.id, x FROM (SELECT 1 AS id, [1,2] AS xs UNION ALL SELECT 2, [3]) t LEFT JOIN UNNEST(t.xs) AS id USING (id), UNNEST([1]) x', ['id', 'x'], [['1', '1'], ['2', '1']]],
  ['SELECT id, COUNT(*) FROM (SELECT 1 AS id, [1,2] AS xs UNION ALL SELECT 2, [3]) t JOIN UNNEST(t.xs) AS id USING (id) GROUP BY id', ['id', 'f0_'], [['1', '1']]],
  ["SELECT d, n FROM UNNEST(GENERATE_DATE_ARRAY('2026-01-01','2026-01-03')) d LEFT JOIN (SELECT DATE '2026-01-01' AS d, 5 AS n) USING (d)", ['d', 'n'], [['2026-01-01', '5'], ['2026-01-02', null], ['2026-01-03', null]]],
  ["SELECT d, n FROM UNNEST(GENERATE_DATE_ARRAY('2026-01-01','2026-01-03')) d JOIN (SELECT DATE '2026-01-01' AS d, 5 AS n) USING (d)", ['d', 'n'], [['2026-01-01', '5']]],
  ["SELECT d, SUM(n) FROM UNNEST(GENERATE_DATE_ARRAY('2026-01-01','2026-01-03')) d LEFT JOIN (SELECT DATE '2026-01-01' AS d, 5 AS n) USING (d) GROUP BY d", ['d', 'f0_'], [['2026-01-01', '5'], ['2026-01-02', null], ['2026-01-03', null]]],
  ["SELECT d, SUM(n) FROM UNNEST(GENERATE_DATE_ARRAY('2026-01-01','2026-01-03')) d LEFT JOIN (SELECT DATE '2026-01-01' AS d, 5 AS n) x USING (d) WHERE d > '2026-01-01' GROUP BY d", ['d', 'f0_'], [['2026-01-02', null], ['2026-01-03', null]]],
  ["SELECT EXTRACT(DAY FROM d), x.d FROM UNNEST(GENERATE_DATE_ARRAY('2026-01-01','2026-01-03')) d LEFT JOIN (SELECT DATE '2026-01-01' AS d, 5 AS n) x USING (d)", ['f0_', 'd'], [['1', '2026-01-01'], ['2', null], ['3', null]]],
  ['SELECT TO_JSON_STRING(d) FROM UNNEST([1]) d JOIN (SELECT 1 AS d) x USING (d)', ['f0_'], [['1']]],
  ['SELECT d, o FROM UNNEST([1]) d WITH OFFSET o LEFT JOIN (SELECT 1 AS d) x USING (d) LEFT JOIN (SELECT 1 AS d, 4 AS y) y USING (d)', ['d', 'o'], [['1', '0']]],
  ['SELECT * FROM (SELECT 1 k, 2 a) JOIN (SELECT 1 k, 3 b) USING (k, k)', ['k', 'a', 'b'], [['1', '2', '3']]],
  ['SELECT k FROM (SELECT 1 k, 2 a) JOIN (SELECT 1 k, 3 b) USING (k, k)', ['k'], [['1']]],
  ['SELECT a.k, b.k AS bk, k AS c FROM UNNEST([STRUCT(1 AS k), STRUCT(2)]) a FULL JOIN UNNEST([STRUCT(2 AS k), STRUCT(3)]) b USING (k) ORDER BY c', ['k', 'bk', 'c'], [['1', null, '1'], ['2', '2', '2'], [null, '3', '3']]],
  ["SELECT id, n FROM (SELECT 1 AS id, [STRUCT(1 AS id, 'a' AS n), (2, 'b')] AS xs UNION ALL SELECT 2, NULL) t LEFT JOIN t.xs USING (id) ORDER BY id", ['id', 'n'], [['1', 'a'], ['2', null]]],
  ['SELECT id, o FROM (SELECT 1 AS id, [1, 2, 1] AS xs UNION ALL SELECT 2, [1]) t LEFT JOIN UNNEST(t.xs) AS id WITH OFFSET o USING (id) ORDER BY id, o', ['id', 'o'], [['1', '0'], ['1', '2'], ['2', null]]],
  ['SELECT k FROM UNNEST([1, 2]) k JOIN UNNEST([2.0, 3.0]) k2 ON k = k2', ['k'], [['2']]],
  ['SELECT k FROM UNNEST([1, 2]) k FULL JOIN UNNEST([STRUCT(2.5 AS k)]) USING (k) ORDER BY k', ['k'], [[1], [2], [2.5]]],
  ['SELECT k, x FROM (SELECT 1 AS k, 5 AS x) LEFT JOIN (SELECT 1 AS k) USING (k) JOIN UNNEST([1, 2]) k USING (k)', ['k', 'x'], [['1', '5']]],
];

test.each(ASKED)('%s', async (...asked) => check(engine, asked));
