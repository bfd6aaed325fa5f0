// Joins with arrays: the left side's names, the elements' names and their positions stay what they are, whatever else the query holds.
import { beforeAll, expect, test } from 'vitest';
import { translate } from '../../../emulators/bigquery/sql/translate.ts';
import { startGa4Engine } from './ga4-data.ts';
import type { Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => { engine = await startGa4Engine(); });

const PURCHASE = "d.events_20260115 AS e, UNNEST(e.event_params) AS p, UNNEST(e.items) AS i WITH OFFSET AS pos";

test.each<[guarantee: string, sql: string, rows: unknown[][]]>([
  ['conditions on the row and on the element together', "SELECT e.event_name, p.value.int_value FROM d.events_20260115 e, UNNEST(event_params) p WHERE p.key = 'ga_session_id' AND e.event_name != 'page_view' ORDER BY 1", [['purchase', '10'], ['session_start', '10']]],
  ['bare fields of the element beside columns of the row', "SELECT event_name, value.int_value FROM d.events_20260115, UNNEST(event_params) WHERE key = 'engagement_time_msec' ORDER BY 2", [['session_start', '100'], ['page_view', '250']]],
  ['two arrays of one row multiply', `SELECT p.key, i.item_id, pos FROM ${PURCHASE} ORDER BY 1, 3`, [['ga_session_id', 'sku1', '0'], ['ga_session_id', 'sku2', '1'], ['value', 'sku1', '0'], ['value', 'sku2', '1']]],
  ['a condition on each of two arrays and on the row', `SELECT i.item_id FROM ${PURCHASE} WHERE p.key = 'value' AND pos = 1 AND device.category = 'mobile'`, [['sku2']]],
  ['positions in a LEFT JOIN are NULL where there is no element', 'SELECT event_name, item_id, pos FROM d.events_20260115 LEFT JOIN UNNEST(items) WITH OFFSET AS pos WHERE event_name IN (\'purchase\', \'session_start\') ORDER BY 1, 3', [['purchase', 'sku1', '0'], ['purchase', 'sku2', '1'], ['session_start', null, null]]],
  ['the row without elements is found by IS NULL', 'SELECT COUNT(*) FROM d.events_20260115 LEFT JOIN UNNEST(items) AS i WHERE i.item_id IS NULL', [['3']]],
  ['an INNER JOIN with a condition over both sides', 'SELECT i.item_id FROM d.events_20260115 AS e INNER JOIN UNNEST(items) AS i ON i.price < e.ecommerce.purchase_revenue / 3', [['sku2']]],
  ['a join of tables first, then an array of one of them', 'SELECT user_pseudo_id, a.event_date, i.item_id FROM d.events_20260114 a JOIN d.events_20260115 b USING (user_pseudo_id), UNNEST(b.items) AS i ORDER BY 3', [['u1', '20260114', 'sku1'], ['u1', '20260114', 'sku2']]],
  ['an array of an element', 'SELECT s.n, v FROM UNNEST([STRUCT(1 AS n, [10, 11] AS vs), STRUCT(2, [20])]) AS s, UNNEST(s.vs) AS v WHERE v != 11 ORDER BY v', [['1', '10'], ['2', '20']]],
  ['elements of an array column by its path, twice', 'SELECT COUNT(*) FROM d.events_20260115 t, t.items a, t.items b WHERE a.item_id < b.item_id', [['1']]],
  ['a scalar element and an empty array', 'SELECT id, v FROM (SELECT 1 AS id, [7, 8] AS vs UNION ALL SELECT 2, ARRAY<INT64>[]), UNNEST(vs) AS v ORDER BY v', [['1', '7'], ['1', '8']]],
  ['NULL for a NULL array in a LEFT JOIN, nothing in a cross join', 'SELECT (SELECT COUNT(*) FROM (SELECT CAST(NULL AS ARRAY<INT64>) AS vs) LEFT JOIN UNNEST(vs) AS v), (SELECT COUNT(*) FROM (SELECT CAST(NULL AS ARRAY<INT64>) AS vs), UNNEST(vs) AS v)', [['1', '0']]],
  ['a NULL element is an element', 'SELECT COUNT(*), COUNT(v) FROM (SELECT [1, NULL, 3] AS vs), UNNEST(vs) AS v', [['3', '2']]],
  ['the whole row beside an element', "SELECT JSON_VALUE(TO_JSON_STRING(t), '$.id'), v FROM (SELECT 5 AS id, [1, 2] AS vs) AS t, UNNEST(t.vs) AS v ORDER BY v", [['5', '1'], ['5', '2']]],
  ['an array of the outer row inside a subquery with two arrays', "SELECT event_name, (SELECT COUNT(*) FROM UNNEST(e.items) AS i, UNNEST(e.event_params) AS p WHERE p.key = 'value' AND i.quantity > 1) FROM d.events_20260115 AS e WHERE ARRAY_LENGTH(items) > 0", [['purchase', '1']]],
  ['shards with their suffix', "SELECT _TABLE_SUFFIX, COUNT(DISTINCT p.value.int_value) FROM `d.events_*`, UNNEST(event_params) AS p WHERE p.key = 'ga_session_id' AND _TABLE_SUFFIX BETWEEN '20260114' AND '20260115' GROUP BY 1 ORDER BY 1", [['20260114', '1'], ['20260115', '2']]],
  ['GROUP BY, HAVING and ORDER BY of names from both sides', "SELECT e.user_pseudo_id AS who, p.key, COUNT(*) AS n FROM d.events_20260115 e CROSS JOIN UNNEST(e.event_params) AS p GROUP BY who, p.key HAVING n > 1 ORDER BY who, p.key", [['u1', 'engagement_time_msec', '2'], ['u1', 'ga_session_id', '3']]],
])('%s', async (_guarantee, sql, rows) => {
  expect(await engine.rows(sql)).toEqual(rows);
});

test('SELECT * gives the columns of the row, then those of the element', async () => {
  expect(await engine.rows('SELECT * FROM (SELECT 1 AS id, [STRUCT(2 AS a, 3 AS b)] AS l) AS t, UNNEST(l)')).toEqual([['1', [{ a: '2', b: '3' }], '2', '3']]);
});

test('no join with an array makes DuckDB hash the left side', async () => {
  for (const join of ['CROSS JOIN UNNEST(event_params) AS p', 'LEFT JOIN UNNEST(event_params) AS p', ', UNNEST(event_params) AS p WITH OFFSET AS o']) {
    const [statement] = translate(`SELECT event_name, COUNT(p.key) FROM \`d.events_*\` AS e ${join} WHERE p.key = 'a' AND e.event_name = 'b' GROUP BY 1`, engine.context());
    const plan = (await engine.connection.runAndReadAll(`EXPLAIN ${statement!.duckSql}`)).getRows()[0]![1] as string;
    expect(plan).toContain('UNNEST');
    expect(plan).not.toContain('DELIM_JOIN');
  }
});
