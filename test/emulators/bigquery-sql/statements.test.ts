// DML, DDL and INFORMATION_SCHEMA in the local BigQuery, through Google's client; answers are counted by hand.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocal, type LocalBigQuery } from '../bigquery/local-bigquery.ts';

let bq: LocalBigQuery;
beforeAll(async () => {
  bq = await startLocal();
  await bq.client.createDataset('d');
});
afterAll(() => bq.remove());

async function rows(sql: string): Promise<unknown[]> {
  return (await bq.client.query({ query: sql, useLegacySql: false }))[0];
}
const affected = async (sql: string): Promise<string> => {
  const [job] = await bq.client.createQueryJob({ query: sql });
  await job.getQueryResults();
  return (await job.getMetadata())[0].statistics.query.numDmlAffectedRows;
};

test('INSERT fills what it does not name with the column\'s DEFAULT, and DEFAULT is a value', async () => {
  await rows("CREATE TABLE d.filled (id INT64, name STRING DEFAULT CONCAT('no', 'ne'), n INT64)");
  expect(await affected("INSERT d.filled (id) VALUES (1), (2)")).toBe('2');
  await rows("INSERT INTO d.filled (id, name, n) VALUES (3, DEFAULT, DEFAULT), (4, '서울', 5)");
  await rows('INSERT INTO d.filled (id, n) SELECT 5, 6');
  expect(await rows('SELECT * FROM d.filled ORDER BY id')).toEqual([
    { id: 1, name: 'none', n: null }, { id: 2, name: 'none', n: null }, { id: 3, name: 'none', n: null }, { id: 4, name: '서울', n: 5 }, { id: 5, name: 'none', n: 6 },
  ]);
  await expect(rows("INSERT INTO d.filled (id, name) VALUES ('a', 'b')")).rejects.toThrow('Value has type STRING which cannot be inserted into column id, which has type INT64 at [1:41]');
  await expect(rows('INSERT INTO d.filled (id, name) SELECT 1, 2')).rejects.toThrow('Query column 2 has type INT64 which cannot be inserted into column name, which has type STRING');
});

test('UPDATE changes fields inside a STRUCT and leaves the others', async () => {
  await rows("CREATE TABLE d.nested AS SELECT 1 AS id, STRUCT(1 AS a, STRUCT('p' AS c, 'q' AS e) AS b) AS r UNION ALL SELECT 2, NULL");
  await rows("UPDATE d.nested SET r.a = r.a + 10, nested.r.b.c = 'new' WHERE id = 1");
  expect(await rows('SELECT r FROM d.nested WHERE id = 1')).toEqual([{ r: { a: 11, b: { c: 'new', e: 'q' } } }]);
  await expect(rows('UPDATE d.nested SET r.a = 1 WHERE id = 2')).rejects.toThrow('Cannot set field of NULL STRUCT');
  await expect(rows('UPDATE d.nested SET r.z = 1 WHERE id = 1')).rejects.toThrow('Field name z does not exist in STRUCT<a INT64');
  await expect(rows('UPDATE d.nested SET r.a = 1, r.a = 2 WHERE id = 1')).rejects.toThrow('assigned more than once');
});

test('UPDATE … FROM joins, and a row that two source rows meet is refused, in MERGE as well', async () => {
  await rows("CREATE TABLE d.met AS SELECT id, 'old' AS v FROM UNNEST([1, 2, 3]) AS id");
  expect(await affected("UPDATE d.met AS m SET v = s.v FROM (SELECT 1 AS id, 'a' AS v UNION ALL SELECT 3, 'c') AS s WHERE m.id = s.id")).toBe('2');
  expect(await rows('SELECT v FROM d.met ORDER BY id')).toEqual([{ v: 'a' }, { v: 'old' }, { v: 'c' }]);
  const twice = "(SELECT 1 AS id, 'x' AS v UNION ALL SELECT 1, 'y')";
  await expect(rows(`UPDATE d.met AS m SET v = s.v FROM ${twice} AS s WHERE m.id = s.id`)).rejects.toThrow('UPDATE/MERGE must match at most one source row for each target row');
  await expect(rows(`MERGE d.met AS m USING ${twice} AS s ON m.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v`)).rejects.toThrow('UPDATE/MERGE must match at most one source row for each target row');
  // Only one of the two meets the condition of the clause.
  expect(await affected(`MERGE d.met AS m USING ${twice} AS s ON m.id = s.id WHEN MATCHED AND s.v = 'y' THEN UPDATE SET v = s.v`)).toBe('1');
});

test('MERGE updates, inserts and deletes by all of its clauses', async () => {
  await rows("CREATE TABLE d.merged (id INT64, name STRING DEFAULT 'dflt', r STRUCT<a INT64, b INT64>)");
  await rows("INSERT d.merged VALUES (1, 'one', (1, 2)), (2, 'two', NULL), (3, 'three', (5, 6))");
  expect(await affected("MERGE INTO d.merged t USING (SELECT 1 AS id UNION ALL SELECT 9) s ON t.id = s.id WHEN MATCHED AND t.name = 'none' THEN DELETE WHEN MATCHED THEN UPDATE SET r.a = s.id * 100 WHEN NOT MATCHED BY TARGET THEN INSERT (id) VALUES (s.id) WHEN NOT MATCHED BY SOURCE AND t.id = 2 THEN DELETE")).toBe('3');
  expect(await rows('SELECT id, name, r.a, r.b FROM d.merged ORDER BY id')).toEqual([{ id: 1, name: 'one', a: 100, b: 2 }, { id: 3, name: 'three', a: 5, b: 6 }, { id: 9, name: 'dflt', a: null, b: null }]);
  await rows('CREATE TABLE d.pair AS SELECT 1 AS a, 2 AS b');
  await rows('MERGE d.pair USING (SELECT 3 AS a, 4 AS b) ON FALSE WHEN NOT MATCHED THEN INSERT ROW WHEN NOT MATCHED BY SOURCE THEN DELETE');
  expect(await rows('SELECT * FROM d.pair')).toEqual([{ a: 3, b: 4 }]);
});

test('ALTER TABLE renames, widens, describes; a view may name its columns', async () => {
  await rows('CREATE TABLE d.altered AS SELECT 1 AS a, "x" AS b');
  await rows('ALTER TABLE d.altered RENAME COLUMN b TO c');
  await rows('ALTER TABLE d.altered ALTER COLUMN a SET DATA TYPE FLOAT64, ALTER COLUMN c SET DEFAULT "new", ALTER COLUMN c SET OPTIONS (description = "the c")');
  await rows('INSERT d.altered (a) VALUES (2.5)');
  await rows('ALTER TABLE d.altered RENAME TO renamed');
  expect(await rows('SELECT * FROM d.renamed ORDER BY a')).toEqual([{ a: 1, c: 'x' }, { a: 2.5, c: 'new' }]);
  await expect(rows('SELECT * FROM d.altered')).rejects.toThrow('Not found: Table');
  await expect(rows('ALTER TABLE d.renamed ALTER COLUMN c SET DATA TYPE INT64')).rejects.toThrow('is assignable to the new type');
  const [{ schema }] = await bq.client.dataset('d').table('renamed').getMetadata();
  expect(schema.fields).toEqual([expect.objectContaining({ name: 'a', type: 'FLOAT' }), expect.objectContaining({ name: 'c', type: 'STRING', description: 'the c' })]);
  await rows('CREATE VIEW d.shown (first, second) AS SELECT a, c FROM d.renamed');
  expect(await rows('SELECT second FROM d.shown WHERE first = 1')).toEqual([{ second: 'x' }]);
});

test('INFORMATION_SCHEMA tells of tables, columns, options, partitions and bytes', async () => {
  await bq.client.createDataset('e');
  await rows("CREATE TABLE e.events_20260101 (id INT64 NOT NULL, name STRING OPTIONS(description = 'who'), xs ARRAY<INT64>, day DATE) PARTITION BY day CLUSTER BY id OPTIONS(description = 'a table', labels = [('k', 'v')])");
  await rows("INSERT e.events_20260101 VALUES (1, '서울', [1, 2], '2026-01-15'), (2, NULL, [], '2026-01-16'), (3, 'c', NULL, NULL)");
  await rows('CREATE VIEW e.v AS SELECT id FROM e.events_20260101');
  expect(await rows('SELECT table_name, table_type FROM `chiplog-local.e.INFORMATION_SCHEMA.TABLES` ORDER BY 1')).toEqual([{ table_name: 'events_20260101', table_type: 'BASE TABLE' }, { table_name: 'v', table_type: 'VIEW' }]);
  expect(await rows("SELECT column_name, data_type, is_nullable, is_partitioning_column AS p, clustering_ordinal_position AS c FROM e.INFORMATION_SCHEMA.COLUMNS WHERE table_name = 'events_20260101' ORDER BY ordinal_position")).toEqual([
    { column_name: 'id', data_type: 'INT64', is_nullable: 'NO', p: 'NO', c: 1 }, { column_name: 'name', data_type: 'STRING', is_nullable: 'YES', p: 'NO', c: null },
    { column_name: 'xs', data_type: 'ARRAY<INT64>', is_nullable: 'YES', p: 'NO', c: null }, { column_name: 'day', data_type: 'DATE', is_nullable: 'YES', p: 'YES', c: null },
  ]);
  expect(await rows("SELECT option_name, option_value FROM e.INFORMATION_SCHEMA.TABLE_OPTIONS ORDER BY 1")).toEqual([{ option_name: 'description', option_value: '"a table"' }, { option_name: 'labels', option_value: '[STRUCT("k", "v")]' }]);
  expect(await rows("SELECT partition_id, total_rows FROM e.INFORMATION_SCHEMA.PARTITIONS ORDER BY 1")).toEqual([{ partition_id: '20260115', total_rows: 1 }, { partition_id: '20260116', total_rows: 1 }, { partition_id: '__NULL__', total_rows: 1 }]);
  // 3 ids and 2 days of 8 bytes, 2 array elements of 8, a text of 6 bytes and one of 1 with 2 each.
  expect(await rows('SELECT table_id, row_count, size_bytes, type FROM e.__TABLES__ ORDER BY 1')).toEqual([{ table_id: 'events_20260101', row_count: 3, size_bytes: 67, type: 1 }, { table_id: 'v', row_count: 0, size_bytes: 0, type: 2 }]);
  expect(await rows("SELECT total_logical_bytes FROM `region-us`.INFORMATION_SCHEMA.TABLE_STORAGE WHERE table_schema = 'e'")).toEqual([{ total_logical_bytes: 67 }]);
  expect(await rows('SELECT schema_name FROM INFORMATION_SCHEMA.SCHEMATA ORDER BY 1')).toEqual([{ schema_name: 'd' }, { schema_name: 'e' }]);
  expect(await rows("SELECT field_path FROM e.INFORMATION_SCHEMA.COLUMN_FIELD_PATHS WHERE description = 'who'")).toEqual([{ field_path: 'name' }]);
  expect(await rows("SELECT COUNT(*) AS n FROM `region-us`.INFORMATION_SCHEMA.JOBS_BY_PROJECT WHERE statement_type = 'CREATE_VIEW' AND state = 'DONE' AND query LIKE 'CREATE VIEW e.v%'")).toEqual([{ n: 1 }]);
  expect(await rows("SELECT ddl FROM e.INFORMATION_SCHEMA.TABLES WHERE table_name = 'v'")).toEqual([{ ddl: 'CREATE VIEW `chiplog-local.e.v`\nAS SELECT id FROM e.events_20260101;' }]);
  await expect(rows('SELECT * FROM nothing.INFORMATION_SCHEMA.TABLES')).rejects.toThrow('Not found: Dataset');
});

test('a materialised view answers as its query does now, whatever is said about its refreshing', async () => {
  await rows('CREATE TABLE d.sales AS SELECT 1 AS n');
  await rows('CREATE MATERIALIZED VIEW d.total PARTITION BY DATE(day) CLUSTER BY n OPTIONS (enable_refresh = true, refresh_interval_minutes = 30, max_staleness = INTERVAL "4:0:0" HOUR TO SECOND, description = "all") AS SELECT SUM(n) AS n, TIMESTAMP "2026-01-01" AS day FROM d.sales');
  await rows('INSERT INTO d.sales (n) VALUES (2)');
  expect(await rows('SELECT n FROM d.total')).toEqual([{ n: 3 }]);
  expect((await bq.client.dataset('d').table('total').getMetadata())[0]).toMatchObject({ type: 'VIEW', description: 'all' });
  await expect(rows('CREATE VIEW d.plain OPTIONS (enable_refresh = true) AS SELECT 1 AS n')).rejects.toThrow('enable_refresh');
  await rows('DROP MATERIALIZED VIEW d.total');
});
