// Which shards a filter on _TABLE_SUFFIX leaves, told before the query runs, and what the rows are. "Now" is 2026-01-16 10:00 UTC.
import { beforeAll, expect, test } from 'vitest';
import { translateScript } from '../../../emulators/bigquery/sql/translate.ts';
import { startGa4Engine } from './ga4-data.ts';
import type { Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => { engine = await startGa4Engine(); });

/** The shards that the last statement of the script reads. */
async function shards(sql: string): Promise<string[]> {
  const steps = translateScript(sql, engine.context());
  let tables: string[] = [];
  for (let step = steps.next(); !step.done;) {
    tables = step.value.tables.map(({ table }) => table);
    const rows = (await engine.connection.runAndReadAll(step.value.duckSql)).getRows();
    step = steps.next({ rows });
  }
  return tables;
}

const ALL = ['events_20260114', 'events_20260115', 'events_intraday_20260116'];
const [FOURTEENTH, FIFTEENTH] = ['events_20260114', 'events_20260115'];
const count = (where: string): string => `SELECT COUNT(*) FROM \`d.events_*\` WHERE ${where}`;

test.each([
  ["_TABLE_SUFFIX BETWEEN '20260114' AND '20260115'", [FOURTEENTH, FIFTEENTH]],
  ["_table_suffix IN ('20260115', 'intraday_20260116')", [FIFTEENTH, 'events_intraday_20260116']],
  ["_TABLE_SUFFIX >= FORMAT_DATE('%Y%m%d', CURRENT_DATE() - 1) AND _TABLE_SUFFIX < 'i'", [FIFTEENTH]],
  ["_TABLE_SUFFIX = FORMAT_DATE('%Y%m%d', DATE_SUB(CURRENT_DATE('Asia/Seoul'), INTERVAL 1 DAY))", [FIFTEENTH]],
  ["_TABLE_SUFFIX = CONCAT('intraday_', FORMAT_DATE('%Y%m%d', CURRENT_DATE()))", ['events_intraday_20260116']],
  ["_TABLE_SUFFIX BETWEEN FORMAT_DATE('%Y%m%d', DATE_SUB(DATE '2026-02-28', INTERVAL 1 MONTH)) AND '20260131'", []],
  ["_TABLE_SUFFIX >= FORMAT_DATE('%Y%m%d', DATE_TRUNC(CURRENT_DATE(), MONTH))", ALL],
  ["_TABLE_SUFFIX < FORMAT_DATE('%Y%m%d', PARSE_DATE('%Y%m%d', '20260115'))", [FOURTEENTH]],
  ["REPLACE(_TABLE_SUFFIX, 'intraday_', '') = '20260116'", ALL],
])('%s reads %j', async (where, expected) => {
  expect(await shards(count(where))).toEqual(expected);
});

test.each([
  ["DECLARE day DATE DEFAULT DATE '2026-01-15'", "_TABLE_SUFFIX = FORMAT_DATE('%Y%m%d', day)", [FIFTEENTH]],
  ["DECLARE first, last STRING; SET (first, last) = ('20260114', '20260114')", '_TABLE_SUFFIX BETWEEN first AND last', [FOURTEENTH]],
  // A column of that name hides the variable, so nothing is known before the query runs.
  ["DECLARE event_date STRING DEFAULT '20260114'", '_TABLE_SUFFIX = event_date', ALL],
])('%s; %s reads %j', async (before, where, expected) => {
  expect(await shards(`${before}; ${count(where)}`)).toEqual(expected);
});

test('a variable is not taken for known where another relation could bring a column of its name', async () => {
  const joined = "SELECT COUNT(*) FROM `d.events_*` AS e JOIN (SELECT '20260115' AS day) AS days ON TRUE WHERE _TABLE_SUFFIX = day";
  expect(await engine.rows(`DECLARE day STRING DEFAULT '20260114'; ${joined}`)).toEqual([['4']]);
  expect(await engine.rows("DECLARE key STRING DEFAULT '20260114'; SELECT COUNT(*) FROM `d.events_*`, UNNEST(event_params) WHERE _TABLE_SUFFIX = key")).toEqual([['0']]);
});

test('the suffix can be selected, grouped by, qualified and joined', async () => {
  expect(await engine.rows("SELECT _TABLE_SUFFIX AS s, COUNT(*) FROM `p-1.d.events_*` GROUP BY s ORDER BY s")).toEqual([['20260114', '1'], ['20260115', '4'], ['intraday_20260116', '1']]);
  expect(await engine.rows("SELECT a._TABLE_SUFFIX, b._TABLE_SUFFIX AS other FROM `d.events_*` AS a JOIN `d.events_2*` AS b USING (user_pseudo_id) WHERE a._TABLE_SUFFIX = '20260114' AND b._TABLE_SUFFIX = '0260115' LIMIT 1")).toEqual([['20260114', '0260115']]);
  expect(await engine.rows("WITH e AS (SELECT *, _TABLE_SUFFIX AS suffix FROM `d.events_intraday_*`) SELECT suffix, event_name FROM e")).toEqual([['20260116', 'page_view']]);
});

test('an array that an older shard lacks is empty, at any depth', async () => {
  const id = { name: 'id', type: 'INTEGER' };
  const list = { name: 'l', type: 'INTEGER', mode: 'REPEATED' };
  await engine.table('lists_1', [id, { name: 'r', type: 'RECORD', fields: [id] }], ["1, {'id': 1}"]);
  await engine.table('lists_2', [id, { name: 'r', type: 'RECORD', fields: [id, list] }, list], ["2, {'id': 2, 'l': [5]}, [6]"]);
  expect(await engine.rows('SELECT id, ARRAY_LENGTH(l), ARRAY_LENGTH(r.l) FROM `d.lists_*` ORDER BY id')).toEqual([['1', '0', '0'], ['2', '1', '1']]);
});
