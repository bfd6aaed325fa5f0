// What DuckDB is asked in another form than it was written, because as written it would keep or sort whole arrays of events: the rows stay those of
// Google's own evaluator, and DuckDB's plan is the one that was wanted.
import { beforeAll, describe, expect, test } from 'vitest';
import { translate } from '../../../emulators/bigquery/sql/translate.ts';
import { check, type Asked } from './asked.ts';
import type { Engine } from './engine.ts';
import { startGa4Engine } from './ga4-data.ts';

let engine: Engine;
beforeAll(async () => { engine = await startGa4Engine(); });

const ASKED: Asked[] = [
  ["SELECT s.source, COUNT(*) AS n FROM (SELECT STRUCT('a' AS source) AS s UNION ALL SELECT STRUCT('b')) GROUP BY source ORDER BY source", ['source', 'n'], [['a', '1'], ['b', '1']]],
  ["SELECT s.source, COUNT(*) AS n FROM (SELECT STRUCT('a' AS source) AS s, 1 AS source UNION ALL SELECT STRUCT('a'), 2) AS t GROUP BY SOURCE", ['source', 'n'], [['a', '2']]],
  ['SELECT s.a, COUNT(*) AS n FROM (SELECT STRUCT(1 AS a) AS s) t GROUP BY a HAVING a > 0 ORDER BY a', ['a', 'n'], [['1', '1']]],
  ['SELECT x.a, COUNT(*) AS n FROM (SELECT 1 AS a) x JOIN (SELECT 1 AS a) y ON x.a = y.a GROUP BY a', ['a', 'n'], [['1', '1']]],
  ['SELECT arr[OFFSET(0)].x, COUNT(*) FROM (SELECT [STRUCT(1 AS x)] AS arr) GROUP BY x', ['x', 'f0_'], [['1', '1']]],
  ["SELECT DATE(e.ts), COUNT(*) AS n FROM (SELECT TIMESTAMP '2026-01-01' AS ts) AS e GROUP BY DATE(ts)", ['f0_', 'n'], [['2026-01-01', '1']]],
  ['SELECT (SELECT AS STRUCT 1 AS a, 2 AS b).a, COUNT(*) FROM (SELECT 1) GROUP BY a', ['a', 'f0_'], [['1', '1']]],
  ['SELECT (SELECT AS STRUCT a, b + 1 AS c), (SELECT a), (SELECT NULL), (SELECT AS STRUCT 1 AS a).a, (SELECT a + 1 AS z) AS z FROM (SELECT 1 AS a, 2 AS b)', ['f0_', 'f1_', 'f2_', 'a', 'z'], [[{ a: '1', c: '3' }, '1', null, '1', '2']]],
  ['SELECT (SELECT AS STRUCT (SELECT MAX(x) FROM UNNEST([a, 5]) x) AS m, [1, 2] AS arr) FROM (SELECT 1 AS a)', ['f0_'], [[{ m: '5', arr: ['1', '2'] }]]],
  ['SELECT a, (SELECT AS STRUCT a) AS s, COUNT(*) FROM (SELECT 1 AS a) GROUP BY a', ['a', 's', 'f0_'], [['1', { a: '1' }, '1']]],
  ["SELECT ARRAY_AGG((SELECT AS STRUCT a, 'x' AS y) ORDER BY a LIMIT 1)[OFFSET(0)].y, SUM((SELECT a)) FROM UNNEST([3, 1]) AS a", ['y', 'f0_'], [['x', '4']]],
  ["SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY k LIMIT 1), ARRAY_AGG(x ORDER BY k LIMIT 1), ARRAY_AGG(x ORDER BY k DESC LIMIT 1), ARRAY_AGG(x ORDER BY k DESC, x LIMIT 1)[OFFSET(0)], ARRAY_AGG(x ORDER BY k)[SAFE_OFFSET(0)], ARRAY_AGG(x ORDER BY k)[ORDINAL(1)], ARRAY_AGG(x ORDER BY k)[OFFSET(1)] FROM UNNEST([STRUCT('a' AS x, 2 AS k), (NULL, 1), ('b', 3), ('c', NULL)])", ['f0_', 'f1_', 'f2_', 'f3_', 'f4_', 'f5_', 'f6_'], [[['c'], ['c'], ['b'], 'b', 'c', 'c', null]]],
  ['SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY k LIMIT 1) IS NULL, ARRAY_AGG(x IGNORE NULLS ORDER BY k LIMIT 1)[SAFE_OFFSET(0)] FROM UNNEST([STRUCT(CAST(NULL AS STRING) AS x, 2 AS k)])', ['f0_', 'f1_'], [[true, null]]],
  ['SELECT ARRAY_AGG(x ORDER BY k LIMIT 1)[OFFSET(0)], ARRAY_AGG(x ORDER BY k)[SAFE_OFFSET(0)] FROM (SELECT 1 AS x, 2 AS k) WHERE FALSE', ['f0_', 'f1_'], [[null, null]]],
  ["SELECT g, ARRAY_AGG(STRUCT(x, k) ORDER BY k DESC LIMIT 1)[OFFSET(0)].x FROM UNNEST([STRUCT(1 AS g, 'a' AS x, 2 AS k), (1, 'b', 3), (2, NULL, NULL)]) GROUP BY g ORDER BY g", ['g', 'x'], [['1', 'b'], ['2', null]]],
  ["SELECT id, p.k, q.v FROM (SELECT 1 AS id, [STRUCT('a' AS k, 1 AS v), ('b', 2)] AS ps UNION ALL SELECT 2, [] UNION ALL SELECT 3, NULL) AS t LEFT JOIN UNNEST(ps) AS p ON p.k = 'a' LEFT JOIN UNNEST(ps) AS q ON q.k = 'b' AND q.v > p.v ORDER BY id", ['id', 'k', 'v'], [['1', 'a', '2'], ['2', null, null], ['3', null, null]]],
  ['SELECT id, v FROM (SELECT 1 AS id, [3, NULL, 5] AS ps) AS t LEFT JOIN UNNEST(ps) AS v ON v > id + 3', ['id', 'v'], [['1', '5']]],
  ['SELECT id, v FROM (SELECT 1 AS id, [3, NULL, 5] AS ps) AS t JOIN UNNEST(ps) AS v ON v IS NULL', ['id', 'v'], [['1', null]]],
  ['SELECT id, v FROM (SELECT 1 AS id, [3, NULL, 5] AS ps) AS t LEFT JOIN UNNEST(ps) AS v ON v IN (SELECT 5)', ['id', 'v'], [['1', '5']]],
  ["SELECT id, v FROM (SELECT 1 AS id, [STRUCT('a' AS k, [1, 2] AS vs)] AS ps) AS t LEFT JOIN UNNEST(ps) AS p ON p.k = 'a' LEFT JOIN UNNEST(p.vs) AS v ON v > 1", ['id', 'v'], [['1', '2']]],
  ["SELECT ROW_NUMBER() OVER (PARTITION BY (SELECT k FROM UNNEST(ps) WHERE v = 1) ORDER BY id) AS r, id, (SELECT k FROM UNNEST(ps) WHERE v = 2) AS two, EXISTS (SELECT 1 FROM UNNEST(ps) WHERE v = 2) AS e, ARRAY(SELECT v FROM UNNEST(ps) WHERE k > 'a') AS arr FROM (SELECT 1 AS id, [STRUCT('a' AS k, 1 AS v), ('b', 2)] AS ps UNION ALL SELECT 2, [] UNION ALL SELECT 3, NULL UNION ALL SELECT 4, [('a', 1)]) AS t WHERE id != 2 QUALIFY r < 5 ORDER BY (SELECT v FROM UNNEST(ps) WHERE k = 'b'), id", ['r', 'id', 'two', 'e', 'arr'], [['1', '3', null, false, []], ['2', '4', null, false, []], ['1', '1', 'b', true, ['2']]]],
  ["SELECT DISTINCT FIRST_VALUE((SELECT k FROM UNNEST(ps) WHERE v = 1)) OVER (ORDER BY id) AS f FROM (SELECT 1 AS id, [STRUCT('a' AS k, 1 AS v), ('b', 2)] AS ps UNION ALL SELECT 2, []) AS t", ['f'], [['a']]],
  ["SELECT t.*, LAG((SELECT k FROM UNNEST(ps) WHERE v = 1)) OVER (ORDER BY id) AS before FROM (SELECT 1 AS id, [STRUCT('a' AS k, 1 AS v)] AS ps UNION ALL SELECT 2, []) AS t ORDER BY id", ['id', 'ps', 'before'], [['1', [{ k: 'a', v: '1' }], null], ['2', [], 'a']]],
  ["SELECT 1 AS a, [] AS b UNION ALL SELECT 2, [] UNION ALL SELECT 3, ['x']", ['a', 'b'], [['1', []], ['2', []], ['3', ['x']]]],
  ['SELECT [] UNION ALL SELECT [1.5]', ['f0_'], [[[]], [[1.5]]]],
];

test.each(ASKED)('%s', async (...asked) => check(engine, asked));

async function planOf(sql: string): Promise<string> {
  const [statement] = translate(sql, engine.context());
  return (await engine.connection.runAndReadAll(`EXPLAIN ${statement!.duckSql}`)).getRows()[0]![1] as string;
}

const SESSION = "(SELECT value.int_value FROM UNNEST(event_params) WHERE key = 'ga_session_id')";

describe('what DuckDB does with it', () => {
  test.each([
    ['QUALIFY', `SELECT event_name FROM \`d.events_*\` WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY user_pseudo_id, ${SESSION} ORDER BY event_timestamp) = 1`],
    ['a window beside a parameter', `SELECT ${SESSION} AS session, LAG(event_name) OVER (PARTITION BY user_pseudo_id ORDER BY event_timestamp) AS before FROM \`d.events_*\``],
    ['a window over a parameter', `SELECT FIRST_VALUE(${SESSION} IGNORE NULLS) OVER (PARTITION BY user_pseudo_id ORDER BY event_timestamp) AS first FROM d.events_20260115 AS e`],
  ])('parameters are read before the window keeps its rows: %s', async (_what, sql) => {
    const plan = (await planOf(sql)).split('\n');
    const from = plan.findIndex((line) => line.includes('WINDOW'));
    const below = plan.slice(from).findIndex((line) => line.includes('PROJECTION'));
    expect(Math.min(from, below)).toBeGreaterThan(-1);
    expect(plan.slice(0, from + below).join('\n')).not.toContain('event_params');
  });

  test.each([
    ['LEFT JOIN … ON', "SELECT p.value.int_value FROM `d.events_*` LEFT JOIN UNNEST(event_params) AS p ON p.key = 'ga_session_id' LEFT JOIN UNNEST(event_params) AS q ON q.key = 'value' AND q.key > p.key"],
    ['INNER JOIN … ON', "SELECT p.value.int_value FROM `d.events_*` JOIN UNNEST(event_params) AS p ON p.key = 'ga_session_id'"],
    ['a STRUCT of parameters', `SELECT (SELECT AS STRUCT ${SESSION} AS session, event_name) FROM \`d.events_*\``],
  ])('no row is joined with its own array: %s', async (_what, sql) => {
    const plan = await planOf(sql);
    for (const join of ['DELIM_JOIN', 'HASH_JOIN', 'NESTED_LOOP_JOIN', 'BLOCKWISE_NL_JOIN', 'CROSS_PRODUCT']) expect(plan).not.toContain(join);
  });

  test.each([
    'ARRAY_AGG(event_name IGNORE NULLS ORDER BY event_timestamp LIMIT 1)[SAFE_OFFSET(0)]', 'ARRAY_AGG(STRUCT(event_name) ORDER BY event_timestamp DESC, event_name)[OFFSET(0)]', 'ARRAY_AGG(event_name ORDER BY event_timestamp)[SAFE_ORDINAL(1)]',
  ])('the first of an order is found without sorting: %s', async (aggregate) => {
    expect(await planOf(`SELECT user_pseudo_id, ${aggregate} AS first FROM \`d.events_*\` GROUP BY user_pseudo_id`)).toMatch(/arg_min_null|first\(/);
    expect(await planOf(`SELECT user_pseudo_id, ${aggregate} AS first FROM \`d.events_*\` GROUP BY user_pseudo_id`)).not.toMatch(/\blist\(/);
  });
});

test('a list whose reading may fail is read where it was written', async () => {
  const sql = "SELECT IF(k = 'n', (SELECT CAST(v AS INT64) FROM UNNEST(vs) AS v), NULL) AS n, ROW_NUMBER() OVER (ORDER BY k) AS r FROM (SELECT 'n' AS k, ['1'] AS vs UNION ALL SELECT 't', ['x']) ORDER BY k";
  expect(await engine.rows(sql)).toEqual([['1', '1'], [null, '2']]);
});
