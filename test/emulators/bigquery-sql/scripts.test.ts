// Scripts run in the local BigQuery through Google's client: variables, control flow, exceptions, dynamic SQL, temporary tables, child jobs.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocal, type LocalBigQuery } from '../bigquery/local-bigquery.ts';

let bq: LocalBigQuery;
beforeAll(async () => {
  bq = await startLocal();
  await bq.client.createDataset('d');
  await bq.client.query('CREATE TABLE d.numbers AS SELECT n, CONCAT("n", n) AS name FROM UNNEST([1, 2, 3]) AS n');
});
afterAll(() => bq.remove());

/** Rows of the script's result as arrays of values in the client's form. */
async function rows(script: string, options: object = {}): Promise<unknown[][]> {
  const [found] = await bq.client.query({ query: script, useLegacySql: false, ...options });
  return (found as Record<string, unknown>[]).map((row) => Object.values(row));
}

const cases: [guarantee: string, script: string, rows: unknown[][]][] = [
  ['declares several names of one type with one default', 'DECLARE x, y INT64 DEFAULT 4; SET y = y + 1; SELECT x, y', [[4, 5]]],
  ['infers a type from DEFAULT, and starts at NULL without one', "DECLARE d DEFAULT DATE '2026-01-31'; DECLARE s STRING; SELECT CAST(DATE_ADD(d, INTERVAL 1 MONTH) AS STRING), s IS NULL", [['2026-02-28', true]]],
  ['coerces INT64 into a FLOAT64 variable', 'DECLARE f FLOAT64 DEFAULT 1; SELECT f / 4', [[0.25]]],
  ['reads a variable from a table and keeps what it read', 'DECLARE top INT64 DEFAULT (SELECT MAX(n) FROM d.numbers); INSERT INTO d.numbers (n) VALUES (9); SET top = top * 10; DELETE FROM d.numbers WHERE n = 9; SELECT top', [[30]]],
  ['swaps by SET of a tuple', "DECLARE a, b INT64; SET (a, b) = (1, 2); SET (a, b) = (b, a); SELECT a, b", [[2, 1]]],
  ['sets several from SELECT AS STRUCT', 'DECLARE lo, hi INT64; SET (lo, hi) = (SELECT AS STRUCT MIN(n), MAX(n) FROM d.numbers); SELECT lo, hi', [[1, 3]]],
  ['keeps arrays of structs, nulls and non-ASCII text', "DECLARE a ARRAY<STRUCT<k STRING, v INT64>> DEFAULT [('서울 \\'q\\'', 1), (NULL, NULL)]; SELECT (SELECT STRING_AGG(IFNULL(k, '-'), '|' ORDER BY off) FROM UNNEST(a) WITH OFFSET off), ARRAY_LENGTH(a)", [["서울 'q'|-", 2]]],
  ['keeps microseconds, bytes and dates', "DECLARE t TIMESTAMP DEFAULT TIMESTAMP '2026-01-15 10:00:00.123456+09:00'; DECLARE b BYTES DEFAULT b'\\x00\\xff'; DECLARE u DATETIME DEFAULT '2026-01-15 01:02:03'; SELECT UNIX_MICROS(t), TO_HEX(b), CAST(u AS STRING)", [[1_768_438_800_123_456, '00ff', '2026-01-15 01:02:03']]],
  ['uses an array variable in IN UNNEST', "DECLARE names ARRAY<STRING> DEFAULT ['n1', 'n3']; SELECT COUNT(*) FROM d.numbers WHERE name IN UNNEST(names)", [[2]]],
  ['prefers a column to a variable of the same name', 'DECLARE n INT64 DEFAULT 100; SELECT MAX(n) FROM d.numbers', [[3]]],
  ['takes the ELSEIF whose condition holds', "DECLARE x INT64 DEFAULT 2; IF x = 1 THEN SELECT 'one'; ELSEIF x = 2 THEN SELECT 'two'; ELSE SELECT 'many'; END IF", [['two']]],
  ['takes NULL in a condition for false', "IF CAST(NULL AS BOOL) THEN SELECT 'yes'; ELSE SELECT 'no'; END IF", [['no']]],
  ['asks a table in a condition', "IF EXISTS (SELECT 1 FROM d.numbers WHERE n = 2) THEN SELECT 'there'; END IF", [['there']]],
  ['chooses by CASE with and without an operand', "DECLARE r STRING; CASE 2 WHEN 1 THEN SET r = 'one'; WHEN 2 THEN SET r = 'two'; END CASE; CASE WHEN r = 'x' THEN SET r = 'bad'; ELSE SET r = CONCAT(r, '!'); END CASE; SELECT r", [['two!']]],
  ['loops by WHILE with CONTINUE and BREAK', 'DECLARE i, total INT64 DEFAULT 0; WHILE TRUE DO SET i = i + 1; IF i = 3 THEN CONTINUE; END IF; IF i > 5 THEN BREAK; END IF; SET total = total + i; END WHILE; SELECT i, total', [[6, 12]]],
  ['loops by LOOP and leaves an outer loop by its label', "DECLARE i INT64 DEFAULT 0; outer_loop: LOOP LOOP SET i = i + 1; IF i >= 4 THEN LEAVE outer_loop; END IF; END LOOP; END LOOP outer_loop; SELECT i", [[4]]],
  ['loops by REPEAT at least once', 'DECLARE i INT64 DEFAULT 9; REPEAT SET i = i + 1; UNTIL i > 3 END REPEAT; SELECT i', [[10]]],
  ['walks over rows by FOR', "DECLARE s STRING DEFAULT ''; FOR r IN (SELECT n, name FROM d.numbers ORDER BY n DESC) DO SET s = CONCAT(s, r.name, '=', r.n, ';'); END FOR; SELECT s", [['n3=3;n2=2;n1=1;']]],
  ['shows the result of the last statement', 'SELECT 1 AS a; SELECT 2 AS b; SELECT 3 AS c', [[3]]],
  ['keeps a variable inside its block', 'DECLARE x INT64 DEFAULT 1; BEGIN DECLARE y INT64 DEFAULT 5; SET x = x + y; END; BEGIN DECLARE y STRING DEFAULT "again"; SELECT x, y; END', [[6, 'again']]],
  ['handles an error and knows its message', "BEGIN SELECT 1 / 0; EXCEPTION WHEN ERROR THEN SELECT @@error.message, @@error.statement_text; END", [['division by zero: 1 / 0', 'SELECT 1 / 0']]],
  ['handles what the analysis refuses, too', "BEGIN SELECT nothing_such; EXCEPTION WHEN ERROR THEN SELECT CONTAINS_SUBSTR(@@error.message, 'Unrecognized name: nothing_such'); END", [[true]]],
  ['raises to the next handler', "BEGIN BEGIN RAISE USING MESSAGE = CONCAT('no ', 'way'); EXCEPTION WHEN ERROR THEN RAISE; END; EXCEPTION WHEN ERROR THEN SELECT @@error.message; END", [['no way']]],
  ['runs text by EXECUTE IMMEDIATE with names and positions', "DECLARE y INT64; EXECUTE IMMEDIATE 'SELECT @a * ? ' || '+ 0' INTO y USING 6 AS a, 7; SELECT y", [[42]]],
  ['sets several variables by EXECUTE IMMEDIATE INTO, NULL when there is no row', "DECLARE a, b INT64 DEFAULT 5; EXECUTE IMMEDIATE 'SELECT n, n + 1 FROM d.numbers WHERE n = 2' INTO a, b; SELECT a, b", [[2, 3]]],
  ['builds a PIVOT from the data', "EXECUTE IMMEDIATE FORMAT('SELECT * FROM (SELECT name, n FROM d.numbers) PIVOT(SUM(n) FOR name IN (%s))', (SELECT STRING_AGG(FORMAT(\"'%s'\", name), ', ' ORDER BY name) FROM d.numbers))", [[1, 2, 3]]],
  ['keeps temporary tables for the script, by name and by _SESSION', 'CREATE TEMP TABLE t AS SELECT n * 10 AS m FROM d.numbers; INSERT INTO t VALUES (7); UPDATE _SESSION.t SET m = 8 WHERE m = 7; SELECT STRING_AGG(CAST(m AS STRING), "," ORDER BY m) FROM t', [['8,10,20,30']]],
  ['replaces and drops a temporary table', 'CREATE TEMP TABLE t (a INT64); CREATE OR REPLACE TEMP TABLE t AS SELECT 1 AS b; DROP TABLE t; CREATE TEMP TABLE t AS SELECT "new" AS c; SELECT * FROM t', [['new']]],
  ['sees temporary functions and variables in every statement', 'DECLARE k INT64 DEFAULT 3; CREATE TEMP FUNCTION times(x INT64, y INT64) AS (x * y); CREATE TEMP FUNCTION squared(x INT64) AS (times(x, x)); SELECT squared(n + k) FROM d.numbers WHERE n = 1', [[16]]],
  ['counts the rows that a statement changed', 'UPDATE d.numbers SET name = name WHERE n > 1; SELECT @@row_count', [[2]]],
  ['knows its project and dataset', "SET @@dataset_id = 'd'; SELECT @@project_id, @@dataset_id, @@time_zone, COUNT(*) FROM numbers", [['chiplog-local', 'd', 'UTC', 3]]],
  ['ends at RETURN', 'SELECT 1 AS before; IF TRUE THEN RETURN; END IF; SELECT 2 AS after', [[1]]],
  ['passes over an assertion that holds', "ASSERT (SELECT COUNT(*) FROM d.numbers) = 3 AS 'three'; SELECT 'fine'", [['fine']]],
];

test.each(cases)('a script %s', async (_guarantee, script, expected) => {
  expect(await rows(script)).toEqual(expected);
});

test.each([
  ['SELECT 1; SELEC 2', 'Syntax error'],
  ['SELECT 1; DECLARE x INT64', 'Variable declarations are allowed only at the start of a block or script at [1:11]'],
  ['DECLARE x INT64; DECLARE X STRING; SELECT x', "Variable 'X' redeclaration is not allowed at [1:26]"],
  ['SET y = 1; SELECT 1', 'Undeclared variable: y at [1:5]'],
  ["DECLARE x INT64; SET x = 'a'; SELECT x", 'INT64'],
  ["ASSERT 1 = 2 AS 'one is not two'; SELECT 1", 'one is not two'],
  ["RAISE USING MESSAGE = 'stop here'; SELECT 1", 'stop here'],
  ["DECLARE x INT64; EXECUTE IMMEDIATE 'SELECT n FROM d.numbers' INTO x; SELECT x", 'more than one row'],
  ['CREATE TEMP TABLE t AS SELECT 1 AS a', 'Use of CREATE TEMPORARY TABLE requires a script or session'],
])('%s is refused', async (script, message) => {
  await expect(rows(script)).rejects.toThrow(message);
});

test('a syntax error anywhere stops the script before anything ran; an error while it runs leaves what ran before', async () => {
  await expect(rows('CREATE TABLE d.never AS SELECT 1 AS a; SELECT FROM')).rejects.toThrow('Syntax error');
  expect((await bq.client.dataset('d').table('never').exists())[0]).toBe(false);
  await expect(rows('CREATE TABLE d.kept AS SELECT 1 AS a; SELECT nothing FROM d.kept; CREATE TABLE d.later AS SELECT 2 AS a')).rejects.toThrow('Unrecognized name: nothing at [1:46]');
  expect((await bq.client.dataset('d').table('kept').exists())[0]).toBe(true);
  expect((await bq.client.dataset('d').table('later').exists())[0]).toBe(false);
});

test('a script is one job with a child job for each statement, and keeps no temporary table', async () => {
  const [job] = await bq.client.createQueryJob({ query: 'DECLARE x INT64 DEFAULT 1; CREATE TEMP TABLE t AS SELECT x AS a; SELECT a FROM t; SELECT a + 1 AS b FROM t' });
  expect((await job.getQueryResults())[0]).toEqual([{ b: 2 }]);
  const [{ statistics }] = await job.getMetadata();
  expect(statistics).toMatchObject({ numChildJobs: '3', query: { statementType: 'SCRIPT' } });
  const [children] = await bq.client.getJobs({ parentJobId: job.id } as never);
  expect(children.map((child) => child.metadata.statistics.query.statementType).toSorted()).toEqual(['CREATE_TABLE_AS_SELECT', 'SELECT', 'SELECT']);
  expect(children.map((child) => child.metadata.statistics.parentJobId)).toEqual([job.id, job.id, job.id]);
  expect((await bq.client.getJobs())[0].some(({ id }) => id === children[0]?.id)).toBe(false);
  expect((await bq.client.getDatasets())[0].map(({ id }) => id)).toEqual(['d']);
});

const TRANSFERS = 'CREATE OR REPLACE TABLE d.accounts AS SELECT * FROM UNNEST([STRUCT("a" AS id, 10 AS n), ("b", 0)]); ';

test('a transaction is seen by its script alone until COMMIT, and leaves nothing after ROLLBACK or an error', async () => {
  await rows(TRANSFERS);
  const change = 'BEGIN TRANSACTION; UPDATE d.accounts SET n = n - 4 WHERE id = "a"; UPDATE d.accounts SET n = n + 4 WHERE id = "b"; INSERT d.accounts VALUES ("c", 1); ';
  const sums = 'SELECT STRING_AGG(CONCAT(id, n) ORDER BY id) FROM d.accounts';
  expect(await rows(`DECLARE inside STRING; ${change} SET inside = (${sums}); ROLLBACK TRANSACTION; SELECT inside, (${sums})`)).toEqual([['a6,b4,c1', 'a10,b0']]);
  await expect(rows(`${change} SELECT 1 / 0; COMMIT TRANSACTION`)).rejects.toThrow('division by zero');
  await rows(`${change} SELECT 1`);
  expect(await rows(sums)).toEqual([['a10,b0']]);
  expect(await rows(`BEGIN ${change} COMMIT TRANSACTION; ${sums}; EXCEPTION WHEN ERROR THEN ROLLBACK TRANSACTION; END`)).toEqual([['a6,b4,c1']]);
  expect(await rows(sums)).toEqual([['a6,b4,c1']]);
});

test('a transaction that meets a change by somebody else is aborted', async () => {
  await rows(TRANSFERS);
  // The script waits for a table before it commits.
  const [job] = await bq.client.createQueryJob({ query: 'BEGIN TRANSACTION; UPDATE d.accounts SET n = 99 WHERE id = "a"; WHILE (SELECT COUNT(*) FROM `d.INFORMATION_SCHEMA.TABLES` WHERE table_name = "signal") = 0 DO SELECT 1; END WHILE; COMMIT TRANSACTION' });
  for (let asked = 0; asked < 200; asked += 1) {
    const [children] = await bq.client.getJobs({ parentJobId: job.id } as never);
    if (children.some((child) => child.metadata.statistics.query?.statementType === 'UPDATE' && child.metadata.status.state === 'DONE')) break;
  }
  await rows('UPDATE d.accounts SET n = 1 WHERE id = "b"');
  await rows('CREATE TABLE d.signal AS SELECT 1 AS x');
  await expect(job.getQueryResults()).rejects.toThrow('Transaction is aborted due to concurrent update against table chiplog-local:d.accounts');
  expect(await rows('SELECT n FROM d.accounts ORDER BY id')).toEqual([[10], [1]]);
});

test.each([
  ['COMMIT TRANSACTION; SELECT 1', 'only allowed when there is an active transaction'],
  ['BEGIN TRANSACTION; BEGIN TRANSACTION; SELECT 1', 'already active'],
  ['BEGIN TRANSACTION; CREATE TABLE d.inside AS SELECT 1 AS a; COMMIT TRANSACTION', 'CREATE TABLE AS SELECT is not supported inside a transaction'],
])('%s is refused', async (script, message) => {
  await expect(rows(script)).rejects.toThrow(message);
});

test('a script that never ends can be cancelled, and a dry run only reads it', async () => {
  const [job] = await bq.client.createQueryJob({ query: 'DECLARE i INT64 DEFAULT 0; LOOP SET i = i + 1; END LOOP' });
  await job.cancel();
  await expect(job.getQueryResults()).rejects.toThrow('Job execution was cancelled');
  const [dry] = await bq.client.createQueryJob({ query: 'CREATE TABLE d.dry AS SELECT 1 AS a; SELECT * FROM d.dry', dryRun: true });
  expect(dry.metadata.statistics.query.statementType).toBe('SCRIPT');
  expect((await bq.client.dataset('d').table('dry').exists())[0]).toBe(false);
});

test('temporary functions before one query are no script', async () => {
  const [job] = await bq.client.createQueryJob({ query: 'CREATE TEMP FUNCTION f(x INT64) AS (x + 1); SELECT f(1) AS y' });
  expect((await job.getQueryResults())[0]).toEqual([{ y: 2 }]);
  expect((await job.getMetadata())[0].statistics.query.statementType).toBe('SELECT');
});
