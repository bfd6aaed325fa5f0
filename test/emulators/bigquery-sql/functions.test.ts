// GoogleSQL's functions against answers from Google's documentation or worked out by hand; each row is one SELECT over no table.
import { beforeAll, describe, expect, test } from 'vitest';
import { startEngine } from './engine.ts';
import type { Engine } from './engine.ts';
import { farmFingerprintOfText } from '../../../emulators/bigquery/sql/farm-fingerprint.ts';

let engine: Engine;
beforeAll(async () => { engine = await startEngine(); });

const one = async (expression: string): Promise<unknown> => (await engine.rows(`SELECT ${expression}`))[0]?.[0];

describe('FARM_FINGERPRINT', () => {
  // The first three are in BigQuery's documentation; the others were made with Google's own C++ farmhash (pyfarmhash).
  test.each([
    ['1footrue', -1541654101129638711n], ['2applefalse', 2794438866806483259n], ['3true', -4880158226897771312n], ['', -7286425919675154353n],
    ['a'.repeat(20), -3381482602415553746n], ['abcdefgh'.repeat(6), 7951444621980299630n], ['abcdefgh'.repeat(8), -4244481608822700862n],
    [`${'abcdefgh'.repeat(30)}xyz`, 8856088212333469426n], ['abc'.repeat(43), -4160494966949580888n], ['é'.repeat(100), 5454368170614913498n],
  ])('of %j', (text, hash) => { expect(farmFingerprintOfText(text)).toBe(hash); });

  test('is the same of STRING and BYTES, and NULL of NULL', async () => {
    expect(await engine.rows("SELECT FARM_FINGERPRINT('3true'), FARM_FINGERPRINT(b'3true'), FARM_FINGERPRINT(CAST(NULL AS STRING))")).toEqual([['-4880158226897771312', '-4880158226897771312', null]]);
  });

  test('hashes texts beyond the first page of memory and small ones after them', () => {
    farmFingerprintOfText('x'.repeat(300_000));
    expect(farmFingerprintOfText('3true')).toBe(-4880158226897771312n);
  });
});

describe('TO_JSON_STRING', () => {
  test.each([
    ["STRUCT(1 AS a, 1.5 AS b, 2.0 AS c, 'q\"' AS d, CAST(NULL AS STRING) AS n)", '{"a":1,"b":1.5,"c":2,"d":"q\\"","n":null}'],
    ["TIMESTAMP '2026-01-01 00:00:00+00'", '"2026-01-01T00:00:00Z"'], ["TIMESTAMP '2026-01-01 00:00:00.120+00'", '"2026-01-01T00:00:00.120Z"'],
    ['9007199254740993', '"9007199254740993"'], ['-9007199254740992', '-9007199254740992'], ["CAST('nan' AS FLOAT64)", '"NaN"'], ["CAST('-inf' AS FLOAT64)", '"-Infinity"'],
    ["[STRUCT('a' AS k, DATE '2026-01-01' AS d)]", '[{"k":"a","d":"2026-01-01"}]'], ["b'abc'", '"YWJj"'], ['TRUE', 'true'], ["DATETIME '2026-01-01 01:02:03'", '"2026-01-01T01:02:03"'],
    ["STRUCT([STRUCT([1, 2] AS inner_list)] AS outer_list)", '{"outer_list":[{"inner_list":[1,2]}]}'], ['NUMERIC "1.50"', '"1.5"'], ['JSON \'{"a":[1]}\'', '{"a":[1]}'],
  ])('of %s', async (expression, json) => { expect(await one(`TO_JSON_STRING(${expression})`)).toBe(json); });

  test('of a row keeps the order of columns and NULL fields', async () => {
    expect(await engine.rows("SELECT TO_JSON_STRING(t) FROM (SELECT 2 AS b, CAST(NULL AS INT64) AS a) AS t")).toEqual([['{"b":2,"a":null}']]);
  });
});

describe('dates and times', () => {
  test.each([
    ["DATE_TRUNC(DATE '2026-01-15', WEEK(MONDAY))", '2026-01-12'], ["DATE_TRUNC(DATE '2026-01-15', WEEK)", '2026-01-11'], ["DATE_TRUNC(DATE '2026-01-11', ISOWEEK)", '2026-01-05'],
    ["DATE_TRUNC(DATE '2026-05-15', QUARTER)", '2026-04-01'], ["DATE_TRUNC(DATE '2027-01-02', ISOYEAR)", '2025-12-29'],
    // 2026-01-17 is a Saturday, 2026-01-18 a Sunday.
    ["DATE_DIFF(DATE '2026-01-18', DATE '2026-01-17', WEEK)", '1'], ["DATE_DIFF(DATE '2026-01-18', DATE '2026-01-17', WEEK(MONDAY))", '0'], ["DATE_DIFF(DATE '2026-01-19', DATE '2026-01-18', ISOWEEK)", '1'],
    ["DATE_DIFF(DATE '1969-12-28', DATE '1969-12-27', WEEK)", '1'],
    ["DATE_DIFF(DATE '2026-03-01', DATE '2026-01-31', MONTH)", '2'], ["DATE_DIFF(DATE '2026-01-01', DATE '2025-12-31', YEAR)", '1'],
    ["EXTRACT(WEEK FROM DATE '2026-01-03')", '0'], ["EXTRACT(WEEK FROM DATE '2026-01-04')", '1'], ["EXTRACT(WEEK(MONDAY) FROM DATE '2026-01-05')", '1'], ["EXTRACT(WEEK(MONDAY) FROM DATE '2026-01-04')", '0'],
    ["EXTRACT(ISOWEEK FROM DATE '2026-01-03')", '1'], ["EXTRACT(ISOYEAR FROM DATE '2025-12-29')", '2026'], ["EXTRACT(DAYOFWEEK FROM DATE '2026-01-04')", '1'],
    ["EXTRACT(MILLISECOND FROM TIMESTAMP '2026-01-01 00:00:05.123456+00')", '123'], ["EXTRACT(DATE FROM TIMESTAMP '2026-01-15 23:30:00+00' AT TIME ZONE 'Asia/Seoul')", '2026-01-16'],
    ["DATE_ADD(DATE '2026-01-31', INTERVAL 1 MONTH)", '2026-02-28'], ["LAST_DAY(DATE '2026-02-03')", '2026-02-28'], ["DATE '2026-01-31' + 1", '2026-02-01'],
    ["TIMESTAMP_DIFF(TIMESTAMP '2001-02-01 01:00:00+00', TIMESTAMP '2001-02-01 00:00:01+00', HOUR)", '0'], ["TIMESTAMP_DIFF(TIMESTAMP '2018-08-14', TIMESTAMP '2018-10-14', DAY)", '-61'],
    ["DATETIME_DIFF(DATETIME '2026-01-02 00:00:00', DATETIME '2026-01-01 23:59:59', DAY)", '1'],
    ["TIMESTAMP_TRUNC(TIMESTAMP '2026-01-14 10:00:00+00', DAY, 'Asia/Seoul')", '2026-01-13 15:00:00+00'],
    ["FORMAT_DATE('%A %d %b %e %Q %G-W%V', DATE '2026-01-05')", 'Monday 05 Jan  5 1 2026-W02'], ["FORMAT_DATE('%%Y 100%%', DATE '2026-01-05')", '%Y 100%'],
    ["FORMAT_TIMESTAMP('%F %T', TIMESTAMP '2026-01-01 00:00:00+00', 'Asia/Seoul')", '2026-01-01 09:00:00'], ["FORMAT_TIMESTAMP('%H:%M:%E3S%Ez', TIMESTAMP_MICROS(1768471200123456), 'America/New_York')", '05:00:00.123-05:00'],
    ["PARSE_DATE('%Y%m%d', '20260115')", '2026-01-15'], ["UNIX_MICROS(PARSE_TIMESTAMP('%Y-%m-%dT%H:%M:%E*SZ', '2026-01-01T00:00:00.5Z'))", '1767225600500000'],
    ["UNIX_MICROS(PARSE_TIMESTAMP('%Y-%m-%d %H:%M', '2026-01-01 09:00', 'Asia/Seoul'))", '1767225600000000'],
    ["DATE(TIMESTAMP '2026-03-29 00:30:00+00', 'Europe/Berlin')", '2026-03-29'], ["CAST(TIMESTAMP '2026-01-01 01:02:03.120+00' AS STRING)", '2026-01-01 01:02:03.120+00'],
    ["STRING(TIMESTAMP '2026-01-01 00:00:00+00', 'Asia/Kolkata')", '2026-01-01 05:30:00+05:30'], ["CAST('2026-01-01 09:00:00+09' AS TIMESTAMP) = TIMESTAMP '2026-01-01 00:00:00 UTC'", true],
    ["TIMESTAMP '2026-01-01 09:00:00 Asia/Seoul' = TIMESTAMP '2026-01-01'", true], ['CURRENT_DATE', '2026-01-16'], ["CURRENT_DATE('Pacific/Kiritimati')", '2026-01-17'],
    // Names of months are read as Google's documentation says, which the reference evaluator does not; what is left out is this year's and this month's.
    ["CAST('DEC 03, 2018' AS DATE FORMAT 'MON DD, YYYY')", '2018-12-03'], ["CAST('3 december 2018' AS DATE FORMAT 'DD Month YYYY')", '2018-12-03'], ["CAST('05' AS DATE FORMAT 'DD')", '2026-01-05'], ["CAST('7' AS DATE FORMAT 'Y')", '2027-01-01'],
    ["CAST('23' AS TIMESTAMP FORMAT 'HH24' AT TIME ZONE 'Pacific/Kiritimati') = TIMESTAMP '2026-01-01 23:00:00+14'", true],
    ["DATE_SUB(CURRENT_DATE(), INTERVAL 1 WEEK)", '2026-01-09'], ["UNIX_SECONDS(TIMESTAMP '1969-12-31 23:59:59.5+00')", '-1'],
  ])('%s', async (expression, answer) => { expect(await one(expression)).toEqual(answer); });
});

describe('numbers, strings and the rest', () => {
  test.each([
    ['7 / 2', 3.5], ['DIV(-7, 2)', '-3'], ['MOD(-7, 2)', '-1'], ['SAFE_DIVIDE(1, 0)', null], ['SAFE_DIVIDE(10, 4)', 2.5], ['CAST(2.5 AS INT64)', '3'], ['CAST(-1.5 AS INT64)', '-2'], ['CAST(1.0 AS STRING)', '1'],
    ["SAFE_CAST('1.5' AS INT64)", null], ["CAST('0x1F' AS INT64)", '31'], ['GREATEST(1, NULL)', null], ['5 ^ 3', '6'], ['1 << 4', '16'], ['ROUND(2.567, 2)', 2.57], ['SIGN(-2)', '-1'],
    ["SUBSTR('hello', -3, 2)", 'll'], ["SUBSTR('hello', 0, 2)", 'he'], ["INITCAP('hello wORLD')", 'Hello World'], ["CONTAINS_SUBSTR('Hello', 'ELL')", true], ["SPLIT('a,b,c')[OFFSET(1)]", 'b'],
    ["REGEXP_EXTRACT('https://x.com/p', r'https?://([^/]+)')", 'x.com'], ["REGEXP_EXTRACT('abc', 'z')", null], ["REGEXP_REPLACE('abc', r'(b)', r'[\\1]')", 'a[b]c'], ["REGEXP_EXTRACT_ALL('a1b2', r'[a-z](\\d)')", ['1', '2']],
    ["NET.HOST('https://www.x.com:80/a')", 'www.x.com'], ["NET.HOST('//user:pw@h.org?q')", 'h.org'], ["'a_b' LIKE r'a\\_b'", true], ["'axb' LIKE r'a\\_b'", false],
    ["FORMAT('%05d|%.2f|%s', 42, 3.14159, 'x')", '00042|3.14|x'], ["TO_HEX(MD5('a'))", '0cc175b9c0f1b6a831c399e269772661'], ["TO_BASE64(b'abc')", 'YWJj'],
    ["JSON_VALUE('{\"a\":{\"b\":5}}', '$.a.b')", '5'], ["JSON_VALUE('{\"a\":{\"b\":5}}', '$.a')", null], ["JSON_VALUE('not json', '$.a')", null], ["JSON_EXTRACT('{\"a\":[1,2]}', '$.a')", '[1,2]'], ["JSON_EXTRACT_SCALAR('{\"a b\":\"z\"}', \"$['a b']\")", 'z'],
    ["PARSE_JSON('{\"a\":[1,{\"b\":\"x\"}]}').a[1].b", '"x"'],
    ['GENERATE_ARRAY(1, 10, 3)', ['1', '4', '7', '10']], ['[1, 2][ORDINAL(2)]', '2'], ['[1, 2, 3][SAFE_OFFSET(7)]', null], ['2 IN UNNEST([1, 2])', true], ['NULL IN UNNEST([1, 2])', null],
    ["(1, 'a') IN ((1, 'a'), (2, 'b'))", true], ["SAFE.PARSE_DATE('%Y%m%d', 'bad')", null], ["ARRAY_TO_STRING(['a', NULL, 'c'], '-', 'x')", 'a-x-c'], ['IF(NULL, 1, 2)', '2'], ["'\\u00e9\\n' = '''é\n'''", true],
    ["(SELECT STRING_AGG(x, '-' ORDER BY x DESC) FROM UNNEST(['a', 'c', 'b']) AS x)", 'c-b-a'], ['(SELECT ANY_VALUE(x HAVING MAX y) FROM UNNEST([STRUCT(1 AS x, 5 AS y), (2, 9), (3, 7)]))', '2'],
    ['(SELECT APPROX_TOP_COUNT(x, 1) FROM UNNEST([1, 2, 2]) AS x)', [{ value: '2', count: '2' }]], ['(SELECT LOGICAL_AND(x > 0) FROM UNNEST([1, 2]) AS x)', true], ['(SELECT COUNTIF(x > 1) FROM UNNEST([1, 2, 3]) AS x)', '2'],
    ['ARRAY(SELECT x FROM UNNEST([3, NULL, 1]) AS x ORDER BY x)', [null, '1', '3']], ['ARRAY(SELECT x FROM UNNEST([3, NULL, 1]) AS x ORDER BY x DESC)', ['3', '1', null]],
  ])('%s', async (expression, answer) => { expect(await one(expression)).toEqual(answer); });

  test('PERCENTILE_CONT interpolates', async () => {
    expect(await engine.rows('SELECT DISTINCT PERCENTILE_CONT(x, 0.5) OVER (), PERCENTILE_DISC(x, 0.5) OVER () FROM UNNEST([1, 2, 3, 4]) AS x')).toEqual([[2.5, '2']]);
  });

  test('parameters of every kind are typed', async () => {
    const rows = await engine.rows('SELECT @n + 1, @s, @d, @list[OFFSET(1)], @pair.b, "x" IN UNNEST(@names)', [
      { name: 'n', parameterType: { type: 'INT64' }, parameterValue: { value: '41' } },
      { name: 's', parameterType: { type: 'STRING' }, parameterValue: { value: "it's" } },
      { name: 'd', parameterType: { type: 'DATE' }, parameterValue: { value: '2026-01-15' } },
      { name: 'list', parameterType: { type: 'ARRAY', arrayType: { type: 'INT64' } }, parameterValue: { arrayValues: [{ value: '1' }, { value: '2' }] } },
      { name: 'pair', parameterType: { type: 'STRUCT', structTypes: [{ name: 'a', type: { type: 'INT64' } }, { name: 'b', type: { type: 'STRING' } }] }, parameterValue: { structValues: { a: { value: '1' }, b: { value: 'z' } } } },
      { name: 'names', parameterType: { type: 'ARRAY', arrayType: { type: 'STRING' } }, parameterValue: { arrayValues: [] } },
    ]);
    expect(rows).toEqual([['42', "it's", '2026-01-15', '2', 'z', false]]);
  });

  test('positional parameters follow the order of the text', async () => {
    expect(await engine.rows('SELECT ?, ?', [{ parameterType: { type: 'STRING' }, parameterValue: { value: 'a' } }, { parameterType: { type: 'INT64' }, parameterValue: { value: '2' } }])).toEqual([['a', '2']]);
  });
});
