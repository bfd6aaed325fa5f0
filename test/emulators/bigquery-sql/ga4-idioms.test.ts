// The queries that analysts write for the GA4 export, with answers counted by hand from the six events of ga4-data.ts.
import { beforeAll, expect, test } from 'vitest';
import { startGa4Engine, TEN_O_CLOCK } from './ga4-data.ts';
import type { Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => { engine = await startGa4Engine(); });

const cases: [guarantee: string, sql: string, rows: unknown[][]][] = [
  ['counts sessions by a scalar subquery over bare field names, grouped by its alias',
    "WITH s AS (SELECT user_pseudo_id, (SELECT value.int_value FROM UNNEST(event_params) WHERE key = 'ga_session_id') AS session_id, COUNT(*) AS n FROM `p-1.d.events_*` WHERE _TABLE_SUFFIX BETWEEN '20260101' AND '20260131' GROUP BY user_pseudo_id, session_id) SELECT COUNT(*), SUM(n) FROM s",
    [['3', '5']]],
  ['takes a correlated subquery inside aggregates',
    "SELECT event_date, COUNT(DISTINCT CONCAT(user_pseudo_id, (SELECT CAST(value.int_value AS STRING) FROM UNNEST(event_params) WHERE key = 'ga_session_id'))), SUM((SELECT value.int_value FROM UNNEST(event_params) WHERE key = 'engagement_time_msec')) / 1000 FROM `d.events_*` GROUP BY 1 ORDER BY event_date DESC",
    [['20260116', '1', null], ['20260115', '2', 0.35], ['20260114', '1', null]]],
  ['unnests items by a comma join with an alias', "SELECT i.item_id, SUM(i.price * i.quantity) AS revenue FROM d.events_20260115, UNNEST(items) AS i WHERE event_name = 'purchase' GROUP BY i.item_id ORDER BY revenue DESC", [['sku1', 20.5], ['sku2', 10]]],
  ['unnests an array by its path', 'SELECT item_id, quantity FROM d.events_20260115 e, e.items WHERE quantity > 1', [['sku1', '2']]],
  ['keeps rows without elements in a LEFT JOIN', 'SELECT event_name, item_id FROM d.events_20260115 LEFT JOIN UNNEST(items) ORDER BY 1, 2', [['page_view', null], ['page_view', null], ['purchase', 'sku1'], ['purchase', 'sku2'], ['session_start', null]]],
  ['puts the condition of a LEFT JOIN inside', "SELECT event_name, i.item_id FROM d.events_20260115 LEFT JOIN UNNEST(items) AS i ON i.price > 10 WHERE event_name != 'page_view' ORDER BY 1", [['purchase', 'sku1'], ['session_start', null]]],
  ['counts from 0 in WITH OFFSET', 'SELECT event_name, off, ep.key FROM d.events_20260115, UNNEST(event_params) AS ep WITH OFFSET AS off WHERE off = 1 ORDER BY event_timestamp', [['session_start', '1', 'engagement_time_msec'], ['page_view', '1', 'page_location'], ['purchase', '1', 'value']]],
  ['pivots parameters by MAX(IF)', "SELECT MAX(IF(ep.key = 'ga_session_id', ep.value.int_value, NULL)), user_pseudo_id FROM d.events_20260115, UNNEST(event_params) ep GROUP BY event_timestamp, user_pseudo_id ORDER BY event_timestamp", [['10', 'u1'], ['10', 'u1'], ['10', 'u1'], ['20', 'u2']]],
  ['knows EXISTS and LIKE', "SELECT event_name FROM d.events_20260115 WHERE EXISTS (SELECT 1 FROM UNNEST(event_params) WHERE key = 'page_location' AND value.string_value LIKE '%/b%')", [['page_view']]],
  ['knows IN over a subquery on an array', "SELECT event_name FROM d.events_20260115 WHERE 'sku2' IN (SELECT item_id FROM UNNEST(items))", [['purchase']]],
  ['builds arrays of structs', "SELECT ARRAY(SELECT AS STRUCT key, value.int_value AS v FROM UNNEST(event_params) WHERE value.int_value IS NOT NULL) FROM d.events_20260115 WHERE event_name = 'session_start'", [[[{ key: 'ga_session_id', v: '10' }, { key: 'engagement_time_msec', v: '100' }]]]],
  ['aggregates within a row', "SELECT (SELECT SUM(quantity * price) FROM UNNEST(items)), (SELECT STRING_AGG(item_id, ',' ORDER BY item_id DESC) FROM UNNEST(items)), (SELECT item_id FROM UNNEST(items) ORDER BY price LIMIT 1) FROM d.events_20260115 WHERE ARRAY_LENGTH(items) > 0", [[30.5, 'sku2,sku1', 'sku2']]],
  ['counts 0 in a row without elements', 'SELECT (SELECT COUNT(*) FROM UNNEST(items) WHERE price > 10), (SELECT MAX(price) FROM UNNEST(items)) FROM d.events_20260115 ORDER BY event_timestamp', [['0', null], ['0', null], ['1', 10.25], ['0', null]]],
  ['walks a funnel with named windows and IGNORE NULLS',
    'SELECT user_pseudo_id, event_name, LEAD(event_name) OVER w, FIRST_VALUE(ecommerce.purchase_revenue IGNORE NULLS) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM d.events_20260115 WINDOW w AS (PARTITION BY user_pseudo_id ORDER BY event_timestamp) ORDER BY 1, event_timestamp',
    [['u1', 'session_start', 'page_view', 30.5], ['u1', 'page_view', 'purchase', 30.5], ['u1', 'purchase', null, 30.5], ['u2', 'page_view', null, null]]],
  ['takes a window over an aggregate', 'SELECT user_pseudo_id, SUM(COUNT(*)) OVER () AS total, RANK() OVER (ORDER BY COUNT(*) DESC) AS r FROM d.events_20260115 GROUP BY 1 ORDER BY r', [['u1', '4', '1'], ['u2', '4', '2']]],
  ['sessionises by gaps', 'SELECT user_pseudo_id, SUM(is_new) AS sessions FROM (SELECT *, IF(event_timestamp - LAG(event_timestamp) OVER (PARTITION BY user_pseudo_id ORDER BY event_timestamp) > 30 * 60 * 1000000 OR LAG(event_timestamp) OVER (PARTITION BY user_pseudo_id ORDER BY event_timestamp) IS NULL, 1, 0) AS is_new FROM `d.events_*`) GROUP BY 1 ORDER BY 1', [['u1', '2'], ['u2', '2']]],
  ['leaves out shards by a suffix relative to today', "SELECT _TABLE_SUFFIX AS suffix, COUNT(*) FROM `p-1.d.events_*` WHERE REGEXP_EXTRACT(_TABLE_SUFFIX, r'[0-9]+') BETWEEN FORMAT_DATE('%Y%m%d', DATE_SUB(CURRENT_DATE(), INTERVAL 1 DAY)) AND FORMAT_DATE('%Y%m%d', CURRENT_DATE()) GROUP BY 1 ORDER BY 1", [['20260115', '4'], ['intraday_20260116', '1']]],
  ['dodges intraday tables by events_2*', "SELECT FORMAT_DATE('%Y-%m', PARSE_DATE('%Y%m%d', event_date)) AS m, COUNT(*) FROM `d.events_2*` GROUP BY m", [['2026-01', '5']]],
  ['reads local hours', "SELECT DATETIME(TIMESTAMP_MICROS(event_timestamp), 'Asia/Seoul'), EXTRACT(HOUR FROM TIMESTAMP_MICROS(event_timestamp) AT TIME ZONE 'America/New_York') FROM d.events_20260114", [['2026-01-14 19:00:00', '5']]],
  ['pivots', "SELECT * FROM (SELECT event_name, device.category FROM d.events_20260115) PIVOT(COUNT(*) AS n FOR event_name IN ('page_view', 'purchase'))", [['mobile', '2', '1']]],
  ['takes the latest by ARRAY_AGG', 'SELECT ARRAY_AGG(STRUCT(event_name, event_timestamp) ORDER BY event_timestamp DESC LIMIT 1)[OFFSET(0)].event_name AS name FROM d.events_20260115 GROUP BY user_pseudo_id ORDER BY name', [['page_view'], ['purchase']]],
  ['merges the column of USING', 'SELECT user_pseudo_id, COUNT(b.event_name) FROM d.events_20260114 a LEFT JOIN d.events_20260115 b USING (user_pseudo_id) GROUP BY user_pseudo_id', [['u1', '3']]],
  ['deduplicates by QUALIFY', 'SELECT event_date, user_pseudo_id FROM `d.events_*` QUALIFY ROW_NUMBER() OVER (PARTITION BY user_pseudo_id ORDER BY event_timestamp DESC) = 1 ORDER BY 2', [['20260115', 'u1'], ['20260116', 'u2']]],
  ['fills days without events', "SELECT date, COUNT(e.event_date) FROM UNNEST(GENERATE_DATE_ARRAY('2026-01-13', '2026-01-15')) AS date LEFT JOIN `d.events_*` e ON PARSE_DATE('%Y%m%d', e.event_date) = date GROUP BY date ORDER BY date", [['2026-01-13', '0'], ['2026-01-14', '1'], ['2026-01-15', '4']]],
  ['groups by ALL and by ROLLUP', 'SELECT event_name, COUNT(*) FROM d.events_20260115 GROUP BY ROLLUP(event_name) ORDER BY 1', [[null, '4'], ['page_view', '2'], ['purchase', '1'], ['session_start', '1']]],
  ['takes the median by APPROX_QUANTILES', 'SELECT APPROX_QUANTILES(event_timestamp, 2)[OFFSET(1)] FROM d.events_20260115', [[String(TEN_O_CLOCK + 1_000_000)]]],
  ['runs a script with variables in the suffix filter', "DECLARE first STRING DEFAULT FORMAT_DATE('%Y%m%d', DATE_SUB(CURRENT_DATE(), INTERVAL 2 DAY)); DECLARE last STRING; SET last = '20260115'; SELECT COUNT(*) FROM `d.events_*` WHERE _TABLE_SUFFIX BETWEEN first AND last", [['5']]],
  ['takes numbers in CONCAT, as session keys are made', "SELECT COUNT(DISTINCT CONCAT(user_pseudo_id, '-', (SELECT value.int_value FROM UNNEST(event_params) WHERE key = 'ga_session_id'))) FROM `d.events_*`", [['4']]],
  ['reads variables from tables', 'DECLARE last_day STRING DEFAULT (SELECT MAX(event_date) FROM d.events_20260115); SELECT event_name FROM d.events_20260115 WHERE event_date = last_day AND EXISTS (SELECT 1 FROM UNNEST(items) WHERE last_day IS NOT NULL)', [['purchase']]],
  ['inlines temporary functions', "CREATE TEMP FUNCTION param(p ARRAY<STRUCT<k STRING, v INT64>>, n STRING) AS ((SELECT v FROM UNNEST(p) WHERE k = n)); SELECT param([('a', 1), ('b', 2)], 'b')", [['2']]],
  ['lists tables and columns', "SELECT table_name, data_type FROM d.INFORMATION_SCHEMA.TABLES JOIN d.INFORMATION_SCHEMA.COLUMNS USING (table_name) WHERE column_name = 'items' ORDER BY 1 LIMIT 1", [['events_20260114', 'ARRAY<STRUCT<item_id STRING, price FLOAT64, quantity INT64>>']]],
  ['counts rows in __TABLES__', 'SELECT table_id, row_count FROM `d.__TABLES__` ORDER BY 1 LIMIT 2', [['events_20260114', '1'], ['events_20260115', '4']]],
];

test.each(cases)('%s', async (_guarantee, sql, rows) => {
  expect(await engine.rows(sql)).toEqual(rows);
});

test.each(['`p-1.d.events_20260115`', '`p-1`.d.events_20260115', '`p-1`.`d`.`events_20260115`', 'p-1.d.events_20260115', '`d.events_20260115`', 'd.events_20260115', 'events_20260115', '`p-1.d`.events_20260115'])('reads a table written as %s', async (name) => {
  expect(await engine.rows(`SELECT COUNT(*) FROM ${name}`)).toEqual([['4']]);
});
