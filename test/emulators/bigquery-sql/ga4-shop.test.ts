// The constructs that GA4 analysts use, each over the shop's events, with the rows that Google's reference evaluator gives.
import { beforeAll, expect, test } from 'vitest';
import type { Engine } from './engine.ts';
import { SHOP_CASES } from './ga4-shop.cases.ts';
import { startShopEngine } from './ga4-shop-tables.ts';
import { wireAnswer } from './wire.ts';

let engine: Engine;
beforeAll(async () => { engine = await startShopEngine(); });

test.each(SHOP_CASES)('%s', async (_what, sql, rows) => { expect((await wireAnswer(engine, sql)).rows).toEqual(rows); });

test('a temporary function over parameters, and a script with a variable, answer as the query written out', async () => {
  expect(await engine.rows(`DECLARE wanted STRING DEFAULT 'purchase';
    CREATE TEMP FUNCTION int_param(params ANY TYPE, name STRING) AS ((SELECT value.int_value FROM UNNEST(params) WHERE key = name));
    SELECT user_pseudo_id, int_param(event_params, 'ga_session_id') FROM \`d.events_*\` WHERE event_name = wanted ORDER BY event_timestamp`)).toEqual([['anna.1', '101'], ['cleo.3', '301']]);
});

test('approximate functions stay within what an exact count gives', async () => {
  // 14 events, 7 names, page_view four times; the median of 1 … 14 is the 7th.
  expect(await engine.rows("SELECT APPROX_COUNT_DISTINCT(event_name), APPROX_TOP_COUNT(event_name, 1), HLL_COUNT.EXTRACT(HLL_COUNT.INIT(event_name)), APPROX_QUANTILES(n, 2) FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY event_timestamp) AS n FROM `d.events_*`)"))
    .toEqual([['7', [{ value: 'page_view', count: '4' }], '7', ['1', '7', '14']]]);
});

test('MAX_BY and ANY_VALUE HAVING MAX take the value beside the greatest key', async () => {
  expect(await engine.rows('SELECT user_pseudo_id, MAX_BY(event_name, event_timestamp), ANY_VALUE(event_name HAVING MIN event_timestamp) FROM `d.events_*` GROUP BY 1 ORDER BY 1'))
    .toEqual([['anna.1', 'purchase', 'session_start'], ['ben.2', 'scroll', 'session_start'], ['cleo.3', 'purchase', 'first_visit']]);
});
