// Contract cases of tables as resources: what is kept, what changes, what goes, and what time does to them.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { refusalOf, until } from '../wait.ts';
import { errorOf, type Answer, type BigQueryWorld, type Resource } from './world.ts';

const TABLES = 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/tables';
const HOUR = 3_600_000;
const STRING_A = [{ name: 'a', type: 'STRING' }];

const create = (world: BigQueryWorld, body: object, tableId = world.name('t')): Promise<Answer> =>
  world.call({ method: 'POST', path: `/datasets/${world.dataset}/tables`, body: { tableReference: { tableId }, ...body } });

export const TABLE_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'table-resource', promise: 'a table answers with its reference, times, sizes, description, labels, clustering and partitioning', methods: ['tables.insert', 'tables.get'], source: TABLES,
    async run(world) {
      const beganMs = Date.now();
      const tableId = world.name('t');
      const { body } = await create(world, {
        schema: { fields: [{ name: 'day', type: 'DATE' }, { name: 'a', type: 'STRING' }] }, description: 'what it is', friendlyName: 'a friend', labels: { team: 'x' },
        clustering: { fields: ['a'] }, timePartitioning: { type: 'DAY', field: 'day', expirationMs: '86400000' },
      }, tableId);
      expect(body).toMatchObject({
        kind: 'bigquery#table', id: `${world.launched.project}:${world.dataset}.${tableId}`, tableReference: { projectId: world.launched.project, datasetId: world.dataset, tableId }, type: 'TABLE',
        description: 'what it is', friendlyName: 'a friend', labels: { team: 'x' }, clustering: { fields: ['a'] }, timePartitioning: { type: 'DAY', field: 'day', expirationMs: '86400000' },
        numRows: '0', numBytes: '0', etag: expect.any(String), location: expect.any(String),
      });
      expect(Number(body['creationTime'])).toBeGreaterThan(beganMs - 60_000);
      expect(Number(body['lastModifiedTime'])).toBeGreaterThanOrEqual(Number(body['creationTime']));
    },
  },
  {
    name: 'table-ids', promise: 'a table id has letters, marks, numbers, connectors, dashes or spaces, and at most 1,024 bytes of UTF-8', methods: ['tables.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/tables#table_naming',
    async run(world) {
      const unique = world.name('t');
      expect((await create(world, {}, `${unique} Tàble-01_ü`)).status).toBe(200);
      expect((await create(world, {}, `${unique}${'x'.repeat(1_024 - unique.length)}`)).status).toBe(200);
      expect((await create(world, {}, `${unique}${'x'.repeat(1_025 - unique.length)}`)).status).toBe(400);
      expect((await create(world, {}, `${unique}${'ü'.repeat(600)}`)).status).toBe(400);
      for (const bad of [`${unique}.x`, `${unique}!`, '']) expect((await create(world, {}, bad)).status).toBe(400);
    },
  },
  {
    name: 'table-sizes', promise: 'numRows and numBytes follow what is written, by the sizes that BigQuery counts', methods: ['tables.get'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types#data_type_sizes',
    async run(world) {
      const table = await world.table([{ name: 'a', type: 'STRING' }, { name: 'n', type: 'INTEGER' }]);
      await world.query(`INSERT INTO ${table.id} (a, n) VALUES ('abc', 1), ('abc', NULL)`);
      // 2 + 3 bytes and 8; 2 + 3 bytes and nothing for NULL.
      expect((await table.getMetadata())[0]).toMatchObject({ numRows: '2', numBytes: '18' });
      await world.query(`DELETE FROM ${table.id} WHERE n IS NULL`);
      expect((await table.getMetadata())[0]).toMatchObject({ numRows: '1', numBytes: '13' });
    },
  },
  {
    name: 'table-patched', promise: 'PATCH changes what it names, merges labels and removes what is null; PUT replaces the whole', methods: ['tables.patch', 'tables.update'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/tables/patch',
    async run(world) {
      const table = await world.table(STRING_A, { description: 'one', labels: { a: '1', b: '2' } });
      const path = `/datasets/${world.dataset}/tables/${table.id}`;
      const { body } = await world.call({ method: 'PATCH', path, body: { friendlyName: 'f', labels: { b: null, c: '3' } } });
      expect(body).toMatchObject({ description: 'one', friendlyName: 'f', labels: { a: '1', c: '3' } });
      expect(body['labels'].b).toBeUndefined();
      expect((await world.call({ method: 'PATCH', path, body: { description: null } })).body['description']).toBeUndefined();
      const put = await world.call({ method: 'PUT', path, body: { tableReference: { projectId: world.launched.project, datasetId: world.dataset, tableId: table.id }, schema: { fields: STRING_A }, labels: { d: '4' } } });
      expect(put.body).toMatchObject({ labels: { d: '4' } });
      expect(put.body['friendlyName']).toBeUndefined();
    },
  },
  {
    name: 'table-layout-patched', promise: 'PATCH changes the clustering of a table and how long it keeps its partitions; what it does not name stays', methods: ['tables.patch'], source: 'https://docs.cloud.google.com/bigquery/docs/manage-clustered-tables#modifying-cluster-spec',
    async run(world) {
      const table = await world.table([{ name: 'day', type: 'DATE' }, ...STRING_A, { name: 'b', type: 'INTEGER' }], { clustering: { fields: ['a'] }, timePartitioning: { type: 'DAY', field: 'day', expirationMs: String(48 * HOUR) } });
      const path = `/datasets/${world.dataset}/tables/${table.id}`;
      const patched = async (body: object): Promise<unknown[]> => {
        await world.call({ method: 'PATCH', path, body });
        const { clustering, timePartitioning } = (await world.call({ path })).body;
        return [clustering?.fields, timePartitioning];
      };
      const partitioning = { type: 'DAY', field: 'day' };
      expect(await patched({ description: 'd' })).toMatchObject([['a'], { ...partitioning, expirationMs: String(48 * HOUR) }]);
      expect(await patched({ clustering: { fields: ['b', 'a'] } })).toMatchObject([['b', 'a'], { ...partitioning, expirationMs: String(48 * HOUR) }]);
      expect(await patched({ timePartitioning: { ...partitioning, expirationMs: String(72 * HOUR) } })).toMatchObject([['b', 'a'], { ...partitioning, expirationMs: String(72 * HOUR) }]);
    },
  },
  {
    name: 'table-options-by-statement', promise: 'ALTER TABLE SET OPTIONS changes description, labels and expiry of a table, and leaves the options that it does not name', methods: ['jobs.insert', 'tables.get'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#alter_table_set_options_statement',
    async run(world) {
      const table = await world.table(STRING_A, { description: 'before', friendlyName: 'stays', labels: { old: '1' } });
      await world.query(`ALTER TABLE ${table.id} SET OPTIONS (description = 'after', labels = [('new', '2')], expiration_timestamp = TIMESTAMP '2199-01-01 00:00:00 UTC')`);
      const [metadata] = await table.getMetadata();
      expect(metadata).toMatchObject({ description: 'after', friendlyName: 'stays', labels: { new: '2' }, expirationTime: String(Date.UTC(2199, 0, 1)) });
      await world.query(`ALTER TABLE ${table.id} SET OPTIONS (description = NULL)`);
      expect((await table.getMetadata())[0].description ?? null).toBeNull();
    },
  },
  {
    name: 'table-etag', promise: 'an update with an If-Match of another state is 412, with the present one it works and changes the etag', methods: ['tables.patch', 'datasets.patch'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/tables/update',
    async run(world) {
      const table = await world.table(STRING_A);
      for (const path of [`/datasets/${world.dataset}/tables/${table.id}`, `/datasets/${await world.newDataset()}`]) {
        const { etag } = (await world.call({ path })).body as { etag: string };
        const patch = (given: string): Promise<Answer> => world.call({ method: 'PATCH', path, body: { description: `by ${given}` }, headers: { 'If-Match': given } });
        expect(errorOf(await patch('"old"'))).toMatchObject({ status: 412, reason: 'conditionNotMet' });
        expect((await patch(etag)).status).toBe(200);
        expect((await patch(etag)).status).toBe(412);
        expect((await world.call({ path })).body['etag']).not.toBe(etag);
      }
    },
  },
  {
    name: 'table-modified', promise: 'lastModifiedTime moves with the description of a table and with its rows, creationTime stays', methods: ['tables.get', 'tables.patch'], source: TABLES,
    async run(world) {
      const table = await world.table(STRING_A);
      const times = async (): Promise<[number, number]> => {
        const [{ creationTime, lastModifiedTime }] = await table.getMetadata();
        return [Number(creationTime), Number(lastModifiedTime)];
      };
      const [created, atFirst] = await times();
      let before = atFirst;
      for (const change of [() => world.query(`INSERT INTO ${table.id} (a) VALUES ('x')`), () => table.setMetadata({ description: 'd' }), () => world.query(`DELETE FROM ${table.id} WHERE TRUE`)]) {
        await new Promise((done) => setTimeout(done, 5));
        await change();
        const [stays, moved] = await times();
        expect([stays, moved > before]).toEqual([created, true]);
        before = moved;
      }
    },
  },
  {
    name: 'tables-listed', promise: 'tables.list names every table and view of the dataset once, in order, by pages', methods: ['tables.list'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/tables/list',
    async run(world) {
      const dataset = await world.newDataset();
      for (const name of ['b', 'a', 'c', 'd']) await world.client.dataset(dataset).createTable(name, { schema: { fields: STRING_A }, labels: { is: name } } as never);
      await world.rows(`CREATE VIEW ${dataset}.e AS SELECT 1 AS n`);
      const seen: Resource[] = [];
      let pageToken: string | undefined;
      do {
        const { body } = await world.call({ path: `/datasets/${dataset}/tables`, query: { maxResults: 2, ...(pageToken === undefined ? {} : { pageToken }) } });
        expect(body['totalItems']).toBe(5);
        expect(body['tables'].length).toBeLessThanOrEqual(2);
        seen.push(...(body['tables'] as Resource[]));
        pageToken = body['nextPageToken'];
      } while (pageToken !== undefined);
      expect(seen.map((table) => [table['tableReference'].tableId, table['type']])).toEqual([['a', 'TABLE'], ['b', 'TABLE'], ['c', 'TABLE'], ['d', 'TABLE'], ['e', 'VIEW']]);
      expect(seen[0]!['labels']).toEqual({ is: 'a' });
    },
  },
  {
    name: 'table-deleted', promise: 'a deleted table is gone at once for every call, and can be made again empty', methods: ['tables.delete', 'tables.insert'], source: TABLES,
    async run(world) {
      const table = await world.table(STRING_A);
      await world.query(`INSERT INTO ${table.id} (a) VALUES ('1')`);
      await table.delete();
      expect((await table.exists())[0]).toBe(false);
      await world.table([{ name: 'b', type: 'STRING' }], {}, table.id);
      expect(await world.rows(`SELECT * FROM ${table.id}`)).toEqual([]);
    },
  },
  {
    name: 'table-expires', promise: 'a table whose expirationTime has passed is gone', methods: ['tables.insert', 'tables.get'], source: 'https://docs.cloud.google.com/bigquery/docs/managing-tables#updating_a_tables_expiration_time', needs: ['clock'], isAlone: true,
    async run(world) {
      const table = await world.table(STRING_A, { expirationTime: String(Date.now() + HOUR) });
      const kept = await world.table(STRING_A);
      expect((await table.getMetadata())[0].expirationTime).toMatch(/^\d{13}$/);
      await world.later(2 * HOUR, async () => {
        await until('the table is gone', async () => !(await table.exists())[0]);
        expect(await refusalOf(world.rows(`SELECT * FROM ${table.id}`))).toMatchObject({ code: 404 });
        expect((await kept.exists())[0]).toBe(true);
      });
    },
  },
  {
    name: 'table-expires-by-default', promise: 'a new table of a dataset with defaultTableExpirationMs expires by that, one made before does not', methods: ['datasets.insert', 'datasets.patch', 'tables.get'], source: 'https://docs.cloud.google.com/bigquery/docs/updating-datasets#table-expiration', needs: ['clock'], isAlone: true,
    async run(world) {
      const dataset = await world.newDataset();
      const [before] = await world.client.dataset(dataset).createTable('before', {});
      await world.client.dataset(dataset).setMetadata({ defaultTableExpirationMs: String(HOUR) });
      const [after] = await world.client.dataset(dataset).createTable('after', {});
      await world.rows(`CREATE TABLE ${dataset}.by_statement AS SELECT 1 AS n`);
      const expiry = Number((await after.getMetadata())[0].expirationTime);
      expect(Math.abs(expiry - Date.now() - HOUR)).toBeLessThan(60_000);
      await world.later(2 * HOUR, async () => {
        await until('both are gone', async () => (await world.client.dataset(dataset).getTables())[0].map((table) => table.id).join() === 'before');
        expect((await before.exists())[0]).toBe(true);
      });
    },
  },
  {
    name: 'partitions-expire-by-default', promise: 'a new partitioned table of a dataset with defaultPartitionExpirationMs keeps its partitions for that long, unless it says otherwise; other tables keep theirs', methods: ['datasets.insert', 'tables.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/updating-datasets#partition-expiration',
    async run(world) {
      const dataset = await world.newDataset({ defaultPartitionExpirationMs: String(48 * HOUR), defaultTableExpirationMs: String(24 * HOUR) });
      const made = async (name: string, options: object): Promise<Resource> => (await (await world.client.dataset(dataset).createTable(name, { schema: { fields: [{ name: 'day', type: 'DATE' }] }, ...options } as never))[0].getMetadata())[0];
      const byDefault = await made('by_default', { timePartitioning: { type: 'DAY', field: 'day' } });
      expect([byDefault['timePartitioning'].expirationMs, byDefault['expirationTime']]).toEqual([String(48 * HOUR), undefined]);
      expect((await made('by_itself', { timePartitioning: { type: 'DAY', field: 'day', expirationMs: String(72 * HOUR) } }))['timePartitioning'].expirationMs).toBe(String(72 * HOUR));
      const whole = await made('whole', {});
      expect([whole['timePartitioning'], typeof whole['expirationTime']]).toEqual([undefined, 'string']);
    },
  },
  {
    name: 'partitions-expire', promise: 'rows of a partition that is older than the expiration of its table are gone', methods: ['tables.insert', 'jobs.query'], source: 'https://docs.cloud.google.com/bigquery/docs/managing-partitioned-tables#partition-expiration', needs: ['clock'], isAlone: true,
    async run(world) {
      const table = await world.table([{ name: 'day', type: 'DATE' }], { timePartitioning: { type: 'DAY', field: 'day', expirationMs: String(48 * HOUR) } });
      const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
      const today = day(Date.now());
      await world.query(`INSERT INTO ${table.id} (day) VALUES ('${today}'), ('${day(Date.now() + 48 * HOUR)}')`);
      const days = async (): Promise<string[]> => (await world.rows(`SELECT CAST(day AS STRING) AS day FROM ${table.id} ORDER BY day`, { useQueryCache: false })).map((row) => row['day'] as string);
      expect(await days()).toHaveLength(2);
      await world.later(73 * HOUR, async () => {
        await until('the older is gone', async () => (await days()).join() === day(Date.now() + 48 * HOUR));
      });
    },
  },
  {
    name: 'partition-filter-required', promise: 'a table with requirePartitionFilter is not read without a condition on its partitioning column', methods: ['tables.insert', 'jobs.query'], source: 'https://docs.cloud.google.com/bigquery/docs/querying-partitioned-tables#require_a_partition_filter_in_queries',
    async run(world) {
      const table = await world.table([{ name: 'day', type: 'DATE' }, { name: 'n', type: 'INTEGER' }], { timePartitioning: { type: 'DAY', field: 'day' }, requirePartitionFilter: true });
      await world.query(`INSERT INTO ${table.id} (day, n) VALUES ('2026-01-01', 1), ('2026-01-02', 2)`);
      expect(await world.failure(`SELECT n FROM ${table.id}`)).toMatchObject({ reason: 'invalidQuery', message: expect.stringMatching(/without a filter over column\(s\) 'day'.* that can be used for partition elimination/) });
      expect(await world.failure(`SELECT n FROM ${table.id} WHERE n = 1`)).toMatchObject({ reason: 'invalidQuery' });
      expect(await world.rows(`SELECT n FROM ${table.id} WHERE day >= '2026-01-02'`)).toEqual([{ n: 2 }]);
    },
  },
  {
    name: 'clustering-checked', promise: 'clustering takes at most four top-level columns that exist and can be ordered', methods: ['tables.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/creating-clustered-tables#limitations',
    async run(world) {
      const fields = [...['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, type: 'STRING' })), { name: 'f', type: 'FLOAT' }, { name: 'l', type: 'STRING', mode: 'REPEATED' }];
      const status = async (...names: string[]): Promise<number> => (await create(world, { schema: { fields }, clustering: { fields: names } })).status;
      expect([await status('a', 'b', 'c', 'd'), await status('a', 'b', 'c', 'd', 'e'), await status('x'), await status('f'), await status('l')]).toEqual([200, 400, 400, 400, 400]);
    },
  },
  {
    name: 'partitioning-checked', promise: 'a table is partitioned by DAY, HOUR, MONTH or YEAR of a DATE, DATETIME or TIMESTAMP column', methods: ['tables.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/creating-partitioned-tables',
    async run(world) {
      const fields = [{ name: 'd', type: 'DATE' }, { name: 't', type: 'TIMESTAMP' }, { name: 's', type: 'STRING' }];
      const status = async (timePartitioning: object): Promise<number> => (await create(world, { schema: { fields }, timePartitioning })).status;
      expect([await status({ type: 'DAY', field: 'd' }), await status({ type: 'HOUR', field: 't' }), await status({ type: 'MONTH', field: 'd' }), await status({ type: 'YEAR', field: 't' })]).toEqual([200, 200, 200, 200]);
      expect([await status({ type: 'DAY', field: 's' }), await status({ type: 'DAY', field: 'x' }), await status({ type: 'WEEK', field: 'd' })]).toEqual([400, 400, 400]);
    },
  },
  {
    name: 'view-resource', promise: 'a view is a table of type VIEW with its query and the columns of its result; it reads what is there now', methods: ['tables.insert', 'tables.get', 'tables.patch'], source: 'https://docs.cloud.google.com/bigquery/docs/views',
    async run(world) {
      const table = await world.table(STRING_A);
      const view = world.name('v');
      const query = `SELECT a, LENGTH(a) AS n FROM \`${world.dataset}.${table.id}\``;
      expect((await create(world, { view: { query, useLegacySql: false } }, view)).body).toMatchObject({ type: 'VIEW', view: { query, useLegacySql: false }, schema: { fields: [{ name: 'a', type: 'STRING' }, { name: 'n', type: 'INTEGER' }] } });
      await world.query(`INSERT INTO ${table.id} (a) VALUES ('xyz')`);
      expect(await world.rows(`SELECT * FROM ${view}`)).toEqual([{ a: 'xyz', n: 3 }]);
      await world.call({ method: 'PATCH', path: `/datasets/${world.dataset}/tables/${view}`, body: { view: { query: `SELECT UPPER(a) AS b FROM \`${world.dataset}.${table.id}\``, useLegacySql: false } } });
      expect(await world.rows(`SELECT * FROM ${view}`)).toEqual([{ b: 'XYZ' }]);
      expect((await create(world, { view: { query: 'SELECT nonsense', useLegacySql: false } })).status).toBe(400);
    },
  },
  {
    name: 'tables-of-other-kinds-refused', promise: 'external and materialised tables, snapshots, range partitions and keys are refused by name here', methods: ['tables.insert'], source: TABLES, needs: ['faults'],
    async run(world) {
      const kinds = { externalDataConfiguration: { sourceUris: ['gs://b/o'], sourceFormat: 'CSV' }, materializedView: { query: 'SELECT 1' }, rangePartitioning: { field: 'n' }, snapshotDefinition: {}, cloneDefinition: {}, tableConstraints: { primaryKey: { columns: ['a'] } }, encryptionConfiguration: { kmsKeyName: 'k' } };
      for (const [name, value] of Object.entries(kinds)) {
        expect(errorOf(await create(world, { schema: { fields: STRING_A }, [name]: value }))).toMatchObject({ status: 501, reason: 'notImplemented', message: expect.stringContaining(name) });
      }
      for (const type of ['GEOGRAPHY', 'BIGNUMERIC', 'RANGE']) expect(errorOf(await create(world, { schema: { fields: [{ name: 'x', type }] } }))).toMatchObject({ status: 501, reason: 'notImplemented', message: expect.stringContaining(type) });
    },
  },
  {
    name: 'deletions-outlive-kill', promise: 'tables, views, functions and datasets that were deleted, changed or made before the service was killed are so after it', methods: ['tables.delete', 'datasets.delete', 'routines.delete', 'datasets.patch'], source: TABLES, needs: ['restart'], isAlone: true,
    async run(world) {
      const [dataset, whole] = [await world.newDataset({ labels: { a: 'b' } }), await world.newDataset()];
      for (const name of ['by_call', 'by_statement', 'replaced', 'stays']) await world.rows(`CREATE TABLE ${dataset}.${name} AS SELECT 1 AS n`);
      await world.rows(`CREATE VIEW ${dataset}.seen AS SELECT n FROM ${dataset}.stays`);
      await world.rows(`CREATE FUNCTION ${dataset}.twice(n INT64) AS (n * 2)`);
      await world.client.dataset(dataset).table('by_call').delete();
      await world.rows(`DROP TABLE ${dataset}.by_statement`);
      await world.rows(`CREATE OR REPLACE TABLE ${dataset}.replaced AS SELECT 2 AS m`);
      await world.rows(`DROP VIEW ${dataset}.seen`);
      await world.rows(`DROP FUNCTION ${dataset}.twice`);
      await world.call({ method: 'PATCH', path: `/datasets/${dataset}`, body: { description: 'changed', labels: { a: null } } });
      expect((await world.call({ method: 'DELETE', path: `/datasets/${whole}` })).status).toBe(204);
      await world.launched.ours!.restart();
      expect((await world.client.dataset(dataset).getTables())[0].map((table) => table.id)).toEqual(['replaced', 'stays']);
      expect(await world.rows(`SELECT m, n FROM ${dataset}.replaced, ${dataset}.stays`)).toEqual([{ m: 2, n: 1 }]);
      expect((await world.call({ path: `/datasets/${dataset}/routines` })).body['routines'] ?? []).toEqual([]);
      const { body } = await world.call({ path: `/datasets/${dataset}` });
      expect([body['description'], body['labels'] ?? {}]).toEqual(['changed', {}]);
      expect((await world.call({ path: `/datasets/${whole}` })).status).toBe(404);
    },
  },
];
