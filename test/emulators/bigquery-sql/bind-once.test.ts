// Operands that a function's SQL names several times are worked out once and written once, also where they are subqueries; the rows are those of Google's own evaluator.
import { beforeAll, describe, expect, test } from 'vitest';
import { translate } from '../../../emulators/bigquery/sql/translate.ts';
import { check, type Asked } from './asked.ts';
import type { Engine } from './engine.ts';
import { startGa4Engine } from './ga4-data.ts';

let engine: Engine;
beforeAll(async () => { engine = await startGa4Engine(); });

const ASKED: Asked[] = [
  ["SELECT (SELECT AS STRUCT d.* EXCEPT(b), d.a / 3600 AS tz) FROM (SELECT STRUCT(7200 AS a, 2 AS b, 'x' AS c) AS d)", ['f0_'], [[{ a: '7200', c: 'x', tz: 2 }]]],
  ['SELECT ARRAY(SELECT AS STRUCT d.a / 2 AS a) FROM (SELECT STRUCT(7200 AS a) AS d)', ['f0_'], [[[{ a: 3600 }]]]],
  ['SELECT ARRAY(SELECT AS STRUCT d.a / n AS a FROM UNNEST([1, 2]) n ORDER BY n) FROM (SELECT STRUCT(7200 AS a) AS d)', ['f0_'], [[[{ a: 7200 }, { a: 3600 }]]]],
  ['SELECT (SELECT AS STRUCT SUM(n) / d.a AS s, NULLIF(d.a, 1) AS n, IFNULL(d.a, 2) AS i FROM UNNEST([1, 2]) n) FROM (SELECT STRUCT(2 AS a) AS d)', ['f0_'], [[{ s: 1.5, n: '2', i: '2' }]]],
  ["SELECT TO_JSON_STRING((SELECT AS STRUCT * EXCEPT(b) FROM UNNEST([t]))) FROM (SELECT 1 AS a, 2 AS b, 'x' AS c) t", ['f0_'], [['{"a":1,"c":"x"}']]],
  ["SELECT TO_JSON_STRING((SELECT AS STRUCT t.* EXCEPT(b))) FROM (SELECT 1 AS a, 2 AS b, 'x' AS c) t", ['f0_'], [['{"a":1,"c":"x"}']]],
  ["SELECT TO_JSON_STRING((SELECT AS STRUCT * REPLACE(a + 1 AS a) FROM UNNEST([t]))) FROM (SELECT 1 AS a, 2 AS b, 'x' AS c) t", ['f0_'], [['{"a":2,"b":2,"c":"x"}']]],
  ['SELECT (SELECT x FROM UNNEST([1]) x), (SELECT x + 1 FROM UNNEST([a]) x) FROM UNNEST([5]) a', ['f0_', 'f1_'], [['1', '6']]],
  ["SELECT ARRAY(SELECT AS STRUCT * FROM UNNEST([STRUCT(1 AS a, 'x' AS b)]))", ['f0_'], [[[{ a: '1', b: 'x' }]]]],
  ['SELECT ARRAY(SELECT 1), ARRAY(SELECT x FROM UNNEST([3]) x), ARRAY(SELECT x FROM UNNEST([3]) x WHERE x > 5)', ['f0_', 'f1_', 'f2_'], [[['1'], ['3'], []]]],
  ["SELECT LOWER(LOWER(LOWER(LOWER((SELECT MAX(x) FROM UNNEST(['ÀBC', 'Ab']) x)))))", ['f0_'], [['àbc']]],
  ["SELECT REPLACE((SELECT MAX(x) FROM UNNEST(['abc']) x), (SELECT MIN(x) FROM UNNEST(['b']) x), 'z')", ['f0_'], [['azc']]],
  ["SELECT k, LOWER(CONCAT(MAX(x), (SELECT MAX(y) FROM UNNEST(['B']) y))) FROM UNNEST([STRUCT('a' AS k, 'X' AS x), ('a', 'Y')]) GROUP BY k", ['k', 'f0_'], [['a', 'yb']]],
  ["SELECT LOWER(CONCAT(x, (SELECT MAX(y) FROM UNNEST(['B']) y))) AS l, COUNT(*) FROM UNNEST(['A','a','B']) x GROUP BY l ORDER BY l", ['l', 'f0_'], [['ab', '2'], ['bb', '1']]],
  ["SELECT REGEXP_EXTRACT(REGEXP_EXTRACT(REGEXP_EXTRACT((SELECT MAX(x) FROM UNNEST(['https://a.b/c?d=e']) x), r'.*'), r'//(.*)'), r'\\?(.*)', 1, 1)", ['f0_'], [['d=e']]],
  ["SELECT REGEXP_EXTRACT((SELECT MAX(x) FROM UNNEST(['abcabc']) x), (SELECT MAX(x) FROM UNNEST(['b.']) x), (SELECT 3), (SELECT 1))", ['f0_'], [['bc']]],
  ["SELECT REGEXP_INSTR((SELECT MAX(x) FROM UNNEST(['abcabc']) x), 'b', 3), SUBSTR((SELECT MAX(x) FROM UNNEST(['abcabc']) x), -(SELECT 2)), REGEXP_EXTRACT_ALL((SELECT MAX(x) FROM UNNEST(['abcabc']) x), 'b.?')", ['f0_', 'f1_', 'f2_'], [['5', 'bc', ['bc', 'bc']]]],
  [`SELECT JSON_VALUE((SELECT MAX(x) FROM UNNEST(['{"a":{"b":1.50}}']) x), '$.a.b'), JSON_VALUE(JSON_QUERY((SELECT MAX(x) FROM UNNEST(['{"a":{"b":"c"}}']) x), '$.a'), '$.b')`, ['f0_', 'f1_'], [['1.50', 'c']]],
  ["SELECT LOWER(x) OVER_ FROM (SELECT MAX(x) OVER (PARTITION BY k) AS x FROM UNNEST([STRUCT('a' AS k, 'X' AS x), ('a', 'Y')]))", ['OVER_'], [['y'], ['y']]],
  ["SELECT LOWER(CONCAT(MAX(x) OVER (PARTITION BY k), (SELECT 'Z' FROM UNNEST([1]) z WHERE z > 0))) FROM UNNEST([STRUCT('a' AS k, 'X' AS x), ('a', 'Y')])", ['f0_'], [['yz'], ['yz']]],
  ["SELECT TO_JSON_STRING((SELECT d)) FROM (SELECT STRUCT(1 AS a, STRUCT(2 AS c, [STRUCT(DATE '2026-01-01' AS e)] AS l) AS b) AS d)", ['f0_'], [['{"a":1,"b":{"c":2,"l":[{"e":"2026-01-01"}]}}']]],
  ["SELECT TO_JSON_STRING((SELECT ANY_VALUE(d) FROM UNNEST([STRUCT(1 AS a, STRUCT(2 AS c, [STRUCT(DATE '2026-01-01' AS e)] AS l) AS b), NULL]) d))", ['f0_'], [['{"a":1,"b":{"c":2,"l":[{"e":"2026-01-01"}]}}']]],
];

test.each(ASKED)('%s', async (...asked) => check(engine, asked));

const PARAM = "(SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'page_location')";
const nest = (before: string, after: string): string => `SELECT ${before.repeat(8)}${PARAM}${after.repeat(8)} FROM d.events_20260115`;

describe('the SQL of eight nested calls is no longer than a few of them', () => {
  test.each([
    nest('LOWER(', ')'), nest('REVERSE(', ')'), nest('REGEXP_EXTRACT(', ", r'.*')"), nest("REPLACE(", ", 'a', 'b')"), nest('SUBSTR(', ', -9)'), nest('JSON_VALUE(', ", '$.a')"),
  ])('%s', async (sql) => {
    expect(translate(sql, engine.context()).at(-1)?.duckSql.length).toBeLessThan(4_000);
    expect(await engine.rows(sql)).toHaveLength(4);
  });
});

describe('a row made of fields of the row around it', () => {
  test('is text as if it were the row itself', async () => {
    const [made, plain] = await Promise.all(['(SELECT AS STRUCT * EXCEPT(event_params, items) FROM UNNEST([t]))', '(SELECT AS STRUCT event_date, event_timestamp, event_name, user_pseudo_id, device, ecommerce)']
      .map(async (row) => engine.rows(`SELECT TO_JSON_STRING(${row}) AS j FROM d.events_20260115 t ORDER BY j`)));
    expect(made).toEqual(plain);
    expect(JSON.parse(made?.[0]?.[0] as string)).toMatchObject({ event_date: '20260115', device: { category: 'mobile' } });
  });

  test.each([
    ["SELECT (SELECT AS STRUCT device.* EXCEPT(web_info), ecommerce.purchase_revenue / 2 AS half) FROM d.events_20260115 WHERE event_name = 'purchase'", { category: 'mobile', half: 15.25 }],
    ["SELECT ARRAY(SELECT AS STRUCT ecommerce.purchase_revenue / 2 AS a) FROM d.events_20260115 WHERE event_name = 'purchase'", [{ a: 15.25 }]],
    ["SELECT ARRAY(SELECT AS STRUCT ecommerce.purchase_revenue / i.quantity AS a FROM UNNEST(items) AS i ORDER BY a) FROM d.events_20260115 WHERE event_name = 'purchase'", [{ a: 15.25 }, { a: 30.5 }]],
  ])('%s', async (sql, row) => { expect(await engine.rows(sql)).toEqual([[row]]); });
});
