// DDL comes out as a description that the local BigQuery carries out; the result's columns carry BigQuery's types.
import { expect, test } from 'vitest';
import { translate } from '../../../emulators/bigquery/sql/translate.ts';
import { startGa4Engine } from './ga4-data.ts';

const engine = await startGa4Engine();
const ddl = (sql: string) => translate(sql, engine.context())[0];

test('CREATE TABLE keeps columns, partition, clustering and options', () => {
  expect(ddl("CREATE TABLE IF NOT EXISTS d.t (a INT64 NOT NULL OPTIONS(description='an a'), r ARRAY<STRUCT<x STRING, y ARRAY<FLOAT64>>>) PARTITION BY DATE(a) CLUSTER BY a OPTIONS(expiration_timestamp=NULL, labels=[('k', 'v')])")?.ddl).toEqual({
    kind: 'create_table', path: { project: 'p-1', dataset: 'd', table: 't' }, orReplace: false, ifNotExists: true, temporary: false, partitionBy: 'DATE(a)', clustering: ['a'],
    options: { expiration_timestamp: null, labels: [['k', 'v']] },
    fields: [
      { name: 'a', type: 'INTEGER', mode: 'REQUIRED', description: 'an a' },
      { name: 'r', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'x', type: 'STRING', mode: 'NULLABLE' }, { name: 'y', type: 'FLOAT', mode: 'REPEATED' }] },
    ],
  });
});

test('CREATE TABLE AS SELECT takes columns from the query', () => {
  const statement = ddl('CREATE OR REPLACE TABLE `p-1.d.t2` AS SELECT event_name, COUNT(*) AS n FROM d.events_20260115 GROUP BY 1');
  expect(statement).toMatchObject({ statementType: 'CREATE_TABLE_AS_SELECT', ddl: { orReplace: true, fields: [{ name: 'event_name', type: 'STRING' }, { name: 'n', type: 'INTEGER' }] } });
  expect(statement?.tables.map(({ table }) => table)).toEqual(['events_20260115']);
});

test('ALTER TABLE, DROP, CREATE VIEW and CREATE TABLE FUNCTION', () => {
  expect(ddl('ALTER TABLE d.events_20260115 ADD COLUMN IF NOT EXISTS extra STRING, DROP COLUMN items')?.ddl).toMatchObject({ kind: 'alter_table', actions: [{ kind: 'add_column', ifNotExists: true, field: { name: 'extra', type: 'STRING' } }, { kind: 'drop_column', name: 'items' }] });
  expect(ddl('DROP TABLE IF EXISTS `p-1.d.x`')?.ddl).toEqual({ kind: 'drop', object: 'TABLE', path: { project: 'p-1', dataset: 'd', table: 'x' }, ifExists: true, cascade: false });
  expect(ddl('CREATE VIEW d.v AS SELECT 1 AS one')?.ddl).toMatchObject({ kind: 'create_view', query: 'SELECT 1 AS one', fields: [{ name: 'one', type: 'INTEGER' }] });
  expect(ddl('CREATE OR REPLACE TABLE FUNCTION d.f(day STRING) AS (SELECT event_name FROM d.events_20260115 WHERE event_date = day)')?.ddl).toMatchObject({
    kind: 'create_function', orReplace: true,
    routine: { name: 'f', kind: 'TABLE_FUNCTION', arguments: [{ name: 'day', type: { kind: 'STRING' } }], body: 'SELECT event_name FROM d.events_20260115 WHERE event_date = day' },
  });
});

test('a suffix filter leaves shards out of the tables read', () => {
  const read = (where: string): (string | undefined)[] | undefined => ddl(`SELECT COUNT(*) FROM \`d.events_*\` WHERE ${where}`)?.tables.map(({ table }) => table);
  expect(read("_TABLE_SUFFIX = '20260115'")).toEqual(['events_20260115']);
  expect(read("_TABLE_SUFFIX BETWEEN FORMAT_DATE('%Y%m%d', DATE_SUB(CURRENT_DATE(), INTERVAL 2 DAY)) AND '20260114'")).toEqual(['events_20260114']);
  expect(read("_TABLE_SUFFIX NOT LIKE 'intraday%' AND event_name = 'x'")).toEqual(['events_20260114', 'events_20260115']);
  expect(read("_TABLE_SUFFIX = 'intraday_' || event_date")).toHaveLength(3);
});

test('columns without a name are f0_, f1_ and keep their types', () => {
  expect(engine.fields("SELECT 1, 'a' AS b, 1.5, [DATE '2026-01-01'], STRUCT(1 AS x), NULL")).toEqual([
    { name: 'f0_', type: 'INTEGER', mode: 'NULLABLE' }, { name: 'b', type: 'STRING', mode: 'NULLABLE' }, { name: 'f1_', type: 'FLOAT', mode: 'NULLABLE' },
    { name: 'f2_', type: 'DATE', mode: 'REPEATED' }, { name: 'f3_', type: 'RECORD', mode: 'NULLABLE', fields: [{ name: 'x', type: 'INTEGER', mode: 'NULLABLE' }] }, { name: 'f4_', type: 'INTEGER', mode: 'NULLABLE' },
  ]);
});
