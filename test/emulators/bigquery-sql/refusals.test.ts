// What real BigQuery refuses is refused with its words and place; what is not supported is named; a wrong answer is never given instead.
import { beforeAll, expect, test } from 'vitest';
import { GoogleSqlError } from '../../../emulators/bigquery/sql/google-sql-error.ts';
import { FIELDS, startGa4Engine } from './ga4-data.ts';
import type { Engine } from './engine.ts';

let engine: Engine;
beforeAll(async () => { engine = await startGa4Engine(); });

test.each([
  ['SELECT nope FROM d.events_20260115', 'Unrecognized name: nope at [1:8]'],
  ['SELECT\n  device.nope FROM d.events_20260115', 'Field name nope does not exist in STRUCT<category STRING, web_info STRUCT<hostname STRING>> at [2:10]'],
  ['SELECT * FROM d.nothing', 'Not found: Table p-1:d.nothing was not found in location US'],
  ['SELECT FROM x', 'Syntax error: Unexpected keyword FROM at [1:8]'],
  ['SELECT 1 FROM d.events_20260115 WHERE', 'Syntax error: Unexpected end of script at [1:38]'],
  ["SELECT 1 AS x, 2 AS X", 'Duplicate column names in the result are not supported. Found duplicate(s): X at [1:1]'],
  ["SELECT event_name FROM d.events_20260115 WHERE event_date = DATE '2026-01-15'", 'No matching signature for operator = for argument types: STRING, DATE at [1:48]'],
  ['SELECT user_pseudo_id FROM d.events_20260115 WHERE user_pseudo_id = 5', 'No matching signature for operator = for argument types: STRING, INT64 at [1:52]'],
  ['SELECT user_pseudo_id, event_name, COUNT(*) FROM d.events_20260115 GROUP BY 1', 'SELECT list expression references column event_name which is neither grouped nor aggregated at [1:24]'],
  ['SELECT event_name FROM d.events_20260115 WHERE COUNT(*) > 1', 'Aggregate function COUNT not allowed in WHERE clause at [1:48]'],
  ['SELECT no_such_function_anywhere(1)', 'Function not found: no_such_function_anywhere at [1:8]'],
  ['SELECT a.event_name FROM d.events_20260114 a, d.events_20260115 b WHERE event_name = "x"', 'Column name event_name is ambiguous at [1:73]'],
  ["SELECT 'a", 'Syntax error: Unclosed string literal at [1:8]'],
  ['SELECT 1 UNION ALL SELECT 1, 2', 'Queries in UNION ALL have mismatched column count; query 1 has 1 column, query 2 has 2 columns at [1:20]'],
  ["SELECT 1 UNION ALL SELECT 'a'", 'Column 1 in UNION ALL has incompatible types: INT64, STRING at [1:20]'],
  ['SELECT x FROM UNNEST(5) AS x', 'Values referenced in UNNEST must be arrays. UNNEST contains expression of type INT64 at [1:15]'],
  ['DELETE FROM d.events_20260114', 'DELETE must have a WHERE clause at [1:1]'],
  ['SELECT @missing', "Query parameter 'missing' not found at [1:8]"],
])('%s', async (sql, message) => {
  const failure = await engine.rows(sql).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(GoogleSqlError);
  expect(failure).toMatchObject({ message, reason: message.startsWith('Not found') ? 'notFound' : 'invalidQuery', location: 'query' });
});

test.each([
  ['SELECT 1 |> CALL f()', 'The pipe operator CALL'],
  ['SELECT * FROM `d.events_*` FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()', 'FOR SYSTEM_TIME AS OF a wildcard table'], ['SELECT ST_GEOGPOINT(1, 2)', 'ST_GEOGPOINT'],
  ['CALL d.procedure(1)', 'The statement CALL'],
])('%s is refused by name', async (sql, construct) => {
  await expect(engine.rows(sql)).rejects.toThrow(construct);
  await expect(engine.rows(sql)).rejects.toMatchObject({ reason: 'notImplemented' });
});

test.each([['SELECT 1 / 0', 'division by zero: 1 / 0'], ['SELECT [1][OFFSET(1)]', 'Array index 1 is out of bounds'], ['SELECT (SELECT value.int_value FROM UNNEST(event_params)) FROM d.events_20260115', 'Scalar subquery produced more than one element']])(
  '%s stops while running', async (sql, message) => { await expect(engine.rows(sql)).rejects.toThrow(message); });

test('a wildcard that matches a view is refused, as is one whose shards differ in type; missing columns read NULL', async () => {
  await engine.table('old_1', [{ name: 'a', type: 'INTEGER' }, { name: 'r', type: 'RECORD', fields: [{ name: 'x', type: 'INTEGER' }] }], ["1, {'x': 7}"]);
  await engine.table('old_2', [{ name: 'a', type: 'INTEGER' }, { name: 'b', type: 'STRING' }, { name: 'r', type: 'RECORD', fields: [{ name: 'x', type: 'INTEGER' }, { name: 'y', type: 'STRING' }] }], ["2, 'two', {'x': 8, 'y': 'z'}"]);
  expect(await engine.rows('SELECT a, b, r.x, r.y, _TABLE_SUFFIX AS s FROM `d.old_*` ORDER BY a')).toEqual([['1', null, '7', null, '1'], ['2', 'two', '8', 'z', '2']]);
  await engine.table('old_3', [{ name: 'a', type: 'STRING' }]);
  await expect(engine.rows('SELECT a FROM `d.old_*`')).rejects.toThrow('as STRING');
  engine.view('seen_v', 'SELECT 1 AS x');
  await engine.table('seen_1', [{ name: 'x', type: 'INTEGER' }]);
  await expect(engine.rows('SELECT x FROM `d.seen_*`')).rejects.toThrow('Views cannot be queried through prefix');
});

test('a view and a table function are answered by their bodies', async () => {
  engine.view('views_of_day', "SELECT user_pseudo_id, COUNT(*) AS n FROM `p-1.d.events_20260115` WHERE event_name = 'page_view' GROUP BY 1");
  expect(await engine.rows('SELECT SUM(n) FROM d.views_of_day AS v WHERE v.user_pseudo_id IS NOT NULL')).toEqual([['2']]);
  engine.routine({ dataset: 'd', name: 'between_days', kind: 'TABLE_FUNCTION', arguments: [{ name: 'first', type: { kind: 'STRING' } }, { name: 'last', type: { kind: 'STRING' } }], body: 'SELECT event_name FROM `p-1.d.events_*` WHERE _TABLE_SUFFIX BETWEEN first AND last' });
  expect(await engine.rows("SELECT COUNT(*) FROM `p-1.d.between_days`('20260114', '20260115')")).toEqual([['5']]);
});

test('DML answers with the affected count', async () => {
  await engine.table('changes', FIELDS.slice(0, 3));
  expect(await engine.rows("INSERT INTO d.changes (event_date, event_name) VALUES ('20260101', 'a'), ('20260102', 'b')")).toEqual([['2']]);
  expect(await engine.rows("UPDATE d.changes SET event_name = 'c' WHERE event_date > '20260101'")).toEqual([['1']]);
  expect(await engine.rows("MERGE d.changes t USING (SELECT '20260102' AS day, 9 AS n UNION ALL SELECT '20260103', 10) s ON t.event_date = s.day WHEN MATCHED THEN UPDATE SET event_timestamp = s.n WHEN NOT MATCHED THEN INSERT (event_date, event_timestamp) VALUES (s.day, s.n)")).toEqual([['2']]);
  expect(await engine.rows('SELECT event_date, event_timestamp, event_name FROM d.changes ORDER BY 1')).toEqual([['20260101', null, 'a'], ['20260102', '9', 'c'], ['20260103', '10', null]]);
  expect(await engine.rows("DELETE FROM d.changes WHERE event_timestamp >= 9")).toEqual([['2']]);
  expect(await engine.rows('TRUNCATE TABLE d.changes')).toEqual([['1']]);
});

test('a script takes the branch that its condition says', async () => {
  expect(await engine.rows('DECLARE x INT64 DEFAULT 3; SET x = x + 1; IF x > 3 THEN SELECT x * 2; ELSE SELECT 0; END IF')).toEqual([['8']]);
  // A variable keeps the value that it was set to, also when the table that it was read from has changed since.
  await engine.table('counted', [{ name: 'n', type: 'INTEGER' }], ['1']);
  expect(await engine.rows('DECLARE x INT64 DEFAULT (SELECT MAX(n) FROM d.counted); INSERT INTO d.counted (n) VALUES (9); SELECT x')).toEqual([['1']]);
  await expect(engine.rows("ASSERT (SELECT MAX(n) FROM d.counted) = 1 AS 'nine is not one'")).rejects.toThrow('nine is not one');
  expect(await engine.rows('DECLARE x INT64 DEFAULT 0; WHILE x < 3 DO SET x = x + 1; END WHILE; SELECT x')).toEqual([['3']]);
});
