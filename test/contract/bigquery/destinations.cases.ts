// Contract cases of jobs that write into tables: dispositions, atomicity, partitions, schema changes by jobs, and copy jobs.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { schemaText, type BigQueryWorld, type Resource } from './world.ts';

const QUERY = 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationQuery';
const COPY = 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationTableCopy';
const DAYS = [{ name: 'day', type: 'DATE' }, { name: 'n', type: 'INTEGER' }];

/** Runs a query into a table; answers why it failed, or undefined. */
async function write(world: BigQueryWorld, query: string, table: string, options: object = {}): Promise<Resource | undefined> {
  const job = await world.query(query, world.into(table, options)).catch((error: Resource) => ({ status: { errorResult: error['errors'][0] } }));
  return job['status'].errorResult;
}
const numbers = async (world: BigQueryWorld, table: string): Promise<number[]> => (await world.rows(`SELECT n FROM ${table} ORDER BY n`)).map((row) => row['n'] as number);
const copy = (world: BigQueryWorld, sources: readonly string[], table: string, options: object = {}): Promise<Resource> => {
  const reference = (tableId: string): object => ({ projectId: world.launched.project, datasetId: world.dataset, tableId });
  return world.job({ copy: { sourceTables: sources.map(reference), destinationTable: reference(table), ...options } }).catch((error: Resource) => ({ status: { errorResult: error['errors'][0] } }));
};

export const DESTINATION_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'write-empty', promise: 'WRITE_EMPTY, the default of a query, writes into a new or empty table and refuses one with rows as duplicate', methods: ['jobs.insert'], source: QUERY,
    async run(world) {
      const table = await world.table([{ name: 'n', type: 'INTEGER' }]);
      expect(await write(world, 'SELECT 1 AS n', table.id!)).toBeUndefined();
      expect(await write(world, 'SELECT 2 AS n', table.id!)).toMatchObject({ reason: 'duplicate', message: expect.stringMatching(/^Already Exists: Table /) });
      expect(await numbers(world, table.id!)).toEqual([1]);
    },
  },
  {
    name: 'write-append', promise: 'WRITE_APPEND adds rows, matching columns by name, and leaves the table as it was when the job fails', methods: ['jobs.insert'], source: QUERY,
    async run(world) {
      const table = await world.table([{ name: 'n', type: 'INTEGER' }, { name: 's', type: 'STRING' }]);
      expect(await write(world, "SELECT 'x' AS s, 1 AS n", table.id!, { writeDisposition: 'WRITE_APPEND' })).toBeUndefined();
      expect(await write(world, 'SELECT 2 AS n', table.id!, { writeDisposition: 'WRITE_APPEND' })).toBeUndefined();
      expect(await write(world, "SELECT ERROR('no') AS n FROM UNNEST([1]) AS x", table.id!, { writeDisposition: 'WRITE_APPEND' })).toMatchObject({ reason: 'invalidQuery' });
      expect(await world.rows(`SELECT n, s FROM ${table.id} ORDER BY n`)).toEqual([{ n: 1, s: 'x' }, { n: 2, s: null }]);
    },
  },
  {
    name: 'write-truncate', promise: 'WRITE_TRUNCATE replaces rows and schema, and keeps the table when the job fails', methods: ['jobs.insert', 'tables.get'], source: QUERY,
    async run(world) {
      const table = await world.table([{ name: 'n', type: 'INTEGER' }]);
      await write(world, 'SELECT 1 AS n', table.id!);
      expect(await write(world, "SELECT ERROR('no') AS n FROM UNNEST([1]) AS x", table.id!, { writeDisposition: 'WRITE_TRUNCATE' })).toMatchObject({ reason: 'invalidQuery', message: expect.stringContaining('no') });
      expect(await numbers(world, table.id!)).toEqual([1]);
      expect(await write(world, "SELECT 'a' AS n, [1.5] AS fs", table.id!, { writeDisposition: 'WRITE_TRUNCATE' })).toBeUndefined();
      expect(schemaText((await table.getMetadata())[0].schema.fields)).toBe('n STRING, fs FLOAT[]');
      expect(await world.rows(`SELECT * FROM ${table.id}`)).toEqual([{ n: 'a', fs: [1.5] }]);
    },
  },
  {
    name: 'write-truncate-is-atomic', promise: 'whoever reads while WRITE_TRUNCATE runs sees all old rows or all new ones, never a mixture and never none', methods: ['jobs.insert', 'jobs.query'], source: 'https://docs.cloud.google.com/bigquery/docs/reliability-intro', timeoutMs: 60_000,
    async run(world) {
      const table = await world.table([{ name: 'round', type: 'INTEGER' }, { name: 'n', type: 'INTEGER' }]);
      const fill = (round: number): Promise<Resource> => world.query(`SELECT ${round} AS round, n FROM UNNEST(GENERATE_ARRAY(1, 20000)) AS n`, world.into(table.id!, { writeDisposition: 'WRITE_TRUNCATE' }));
      await fill(0);
      let isOver = false;
      const seen: Resource[] = [];
      const reader = async (): Promise<void> => {
        while (!isOver) seen.push(...await world.rows(`SELECT COUNT(*) AS n, MIN(round) AS low, MAX(round) AS high FROM ${table.id}`, { useQueryCache: false }));
      };
      const readers = [reader(), reader()];
      for (let round = 1; round <= 5; round += 1) await fill(round);
      isOver = true;
      await Promise.all(readers);
      expect(seen.length).toBeGreaterThan(3);
      expect(seen.filter(({ n, low, high }) => n !== 20_000 || low !== high)).toEqual([]);
    },
  },
  {
    name: 'truncate-reads-itself', promise: 'a query that truncates the table it reads sees the old rows', methods: ['jobs.insert'], source: QUERY,
    async run(world) {
      const table = await world.table([{ name: 'n', type: 'INTEGER' }]);
      await write(world, 'SELECT n FROM UNNEST([1, 2, 3]) AS n', table.id!);
      await write(world, `SELECT n * 10 AS n FROM ${table.id} WHERE n > 1`, table.id!, { writeDisposition: 'WRITE_TRUNCATE' });
      expect(await numbers(world, table.id!)).toEqual([20, 30]);
    },
  },
  {
    name: 'create-never', promise: 'CREATE_NEVER refuses a destination that is not there as notFound; CREATE_IF_NEEDED makes it', methods: ['jobs.insert'], source: QUERY,
    async run(world) {
      const table = world.name('made');
      expect(await write(world, 'SELECT 1 AS n', table, { createDisposition: 'CREATE_NEVER' })).toMatchObject({ reason: 'notFound', message: expect.stringMatching(/^Not found: Table /) });
      expect(await write(world, 'SELECT 1 AS n', table, { createDisposition: 'CREATE_IF_NEEDED' })).toBeUndefined();
      expect(await numbers(world, table)).toEqual([1]);
    },
  },
  {
    name: 'schema-update-options', promise: 'a job adds columns only with ALLOW_FIELD_ADDITION, and relaxes REQUIRED ones with ALLOW_FIELD_RELAXATION', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/managing-table-schemas#add_a_column_when_you_overwrite_or_append_data',
    async run(world) {
      const table = await world.table([{ name: 'n', type: 'INTEGER' }, { name: 'must', type: 'STRING', mode: 'REQUIRED' }]);
      const append = { writeDisposition: 'WRITE_APPEND' };
      expect(await write(world, "SELECT 1 AS n, 'a' AS must, 'new' AS extra", table.id!, append)).toMatchObject({ reason: expect.stringMatching(/^invalid/) });
      expect(await write(world, "SELECT 1 AS n, 'a' AS must, 'new' AS extra", table.id!, { ...append, schemaUpdateOptions: ['ALLOW_FIELD_ADDITION', 'ALLOW_FIELD_RELAXATION'] })).toBeUndefined();
      expect(schemaText((await table.getMetadata())[0].schema.fields)).toBe('n INTEGER, must STRING, extra STRING');
    },
  },
  {
    name: 'relaxation-needs-its-option', promise: 'rows of a NULLABLE column are not appended to a REQUIRED one without ALLOW_FIELD_RELAXATION: the job fails, and rows and mode stay', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/managing-table-schemas#change_required_to_nullable_in_a_query_append_job',
    async run(world) {
      const table = await world.table([{ name: 'n', type: 'INTEGER', mode: 'REQUIRED' }]);
      const mode = async (): Promise<string> => (await table.getMetadata())[0].schema.fields[0].mode;
      for (const schemaUpdateOptions of [[], ['ALLOW_FIELD_ADDITION']]) {
        expect(await write(world, 'SELECT 1 AS n', table.id!, { writeDisposition: 'WRITE_APPEND', schemaUpdateOptions })).toMatchObject({ reason: 'invalid', message: expect.stringMatching(/has changed mode from REQUIRED to NULLABLE/) });
      }
      expect([await mode(), await numbers(world, table.id!)]).toEqual(['REQUIRED', []]);
      expect(await write(world, 'SELECT 1 AS n', table.id!, { writeDisposition: 'WRITE_APPEND', schemaUpdateOptions: ['ALLOW_FIELD_RELAXATION'] })).toBeUndefined();
      expect([await mode(), await numbers(world, table.id!)]).toEqual(['NULLABLE', [1]]);
    },
  },
  {
    name: 'append-type-mismatch', promise: 'appending a column of another type is refused and the table keeps its rows', methods: ['jobs.insert'], source: QUERY,
    async run(world) {
      const table = await world.table([{ name: 'n', type: 'INTEGER' }]);
      await write(world, 'SELECT 1 AS n', table.id!);
      expect(await write(world, "SELECT 'x' AS n", table.id!, { writeDisposition: 'WRITE_APPEND' })).toMatchObject({ reason: expect.stringMatching(/^invalid/), message: expect.stringMatching(/has changed type from INTEGER to STRING/) });
      expect(await numbers(world, table.id!)).toEqual([1]);
    },
  },
  {
    name: 'clustering-in-job', promise: 'a query job gives its destination partitioning and clustering', methods: ['jobs.insert', 'tables.get'], source: QUERY,
    async run(world) {
      const table = world.name('laid_out');
      await write(world, "SELECT DATE '2026-01-01' AS day, 1 AS n", table, { clustering: { fields: ['n'] }, timePartitioning: { type: 'DAY', field: 'day' } });
      expect((await world.client.dataset(world.dataset).table(table).getMetadata())[0]).toMatchObject({ clustering: { fields: ['n'] }, timePartitioning: { type: 'DAY', field: 'day' } });
      expect(await write(world, 'SELECT 1 AS n', world.name('bad'), { clustering: { fields: ['missing'] } })).toMatchObject({ reason: expect.stringMatching(/^invalid/) });
    },
  },
  {
    name: 'partition-decorator', promise: 'WRITE_TRUNCATE into t$YYYYMMDD replaces that day only, and rows of another day are refused', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/managing-partitioned-table-data#write-to-partition',
    async run(world) {
      const table = await world.table(DAYS, { timePartitioning: { type: 'DAY', field: 'day' } });
      await write(world, "SELECT DATE '2026-01-01' AS day, 1 AS n UNION ALL SELECT DATE '2026-01-02', 2 UNION ALL SELECT NULL, 9", table.id!, { writeDisposition: 'WRITE_APPEND' });
      expect(await write(world, "SELECT DATE '2026-01-02' AS day, 3 AS n", `${table.id}$20260102`, { writeDisposition: 'WRITE_TRUNCATE' })).toBeUndefined();
      expect(await numbers(world, table.id!)).toEqual([1, 3, 9]);
      expect(await write(world, "SELECT DATE '2026-01-05' AS day, 4 AS n", `${table.id}$20260102`, { writeDisposition: 'WRITE_TRUNCATE' })).toMatchObject({ reason: 'invalid', message: expect.stringContaining('different partitions') });
      expect(await write(world, "SELECT DATE '2026-01-01' AS day, 5 AS n", `${table.id}$20260101`, { writeDisposition: 'WRITE_APPEND' })).toBeUndefined();
      expect(await numbers(world, table.id!)).toEqual([1, 3, 5, 9]);
      expect(await write(world, "SELECT DATE '2026-01-01' AS day, 5 AS n", `${table.id}$2026`, { writeDisposition: 'WRITE_APPEND' })).toMatchObject({ reason: 'invalid' });
    },
  },
  {
    name: 'partition-decorators-of-other-units', promise: 'the decorator of an hour has ten digits, of a month six, of a year four, and each names its own partition', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/managing-partitioned-table-data#write-to-partition',
    async run(world) {
      for (const [type, own, wrong] of [['HOUR', '2026021503', '20260215'], ['MONTH', '202602', '20260215'], ['YEAR', '2026', '202602']] as const) {
        const table = await world.table([{ name: 't', type: 'TIMESTAMP' }, { name: 'n', type: 'INTEGER' }], { timePartitioning: { type, field: 't' } });
        await write(world, "SELECT TIMESTAMP '2026-02-15 03:20:00' AS t, 1 AS n UNION ALL SELECT TIMESTAMP '2027-03-15 04:20:00', 2", table.id!, { writeDisposition: 'WRITE_APPEND' });
        expect(await write(world, "SELECT TIMESTAMP '2026-02-15 03:59:59' AS t, 3 AS n", `${table.id}$${own}`, { writeDisposition: 'WRITE_TRUNCATE' })).toBeUndefined();
        expect(await numbers(world, table.id!)).toEqual([2, 3]);
        expect(await write(world, "SELECT TIMESTAMP '2025-02-15 03:00:00' AS t, 4 AS n", `${table.id}$${own}`, { writeDisposition: 'WRITE_APPEND' })).toMatchObject({ reason: 'invalid' });
        expect(await write(world, "SELECT TIMESTAMP '2026-02-15 03:00:00' AS t, 4 AS n", `${table.id}$${wrong}`, { writeDisposition: 'WRITE_APPEND' })).toMatchObject({ reason: 'invalid' });
      }
    },
  },
  {
    name: 'destination-view-refused', promise: 'a view is no destination', methods: ['jobs.insert'], source: QUERY,
    async run(world) {
      const view = world.name('v');
      await world.query(`CREATE VIEW ${view} AS SELECT 1 AS n`);
      expect(await write(world, 'SELECT 2 AS n', view, { writeDisposition: 'WRITE_TRUNCATE' })).toMatchObject({ reason: 'invalid' });
    },
  },
  {
    name: 'dispositions-checked', promise: 'an unknown disposition is refused as invalid', methods: ['jobs.insert'], source: QUERY,
    async run(world) {
      expect(await write(world, 'SELECT 1 AS n', world.name('t'), { writeDisposition: 'WRITE_SOMEHOW' })).toMatchObject({ reason: expect.stringMatching(/^invalid/) });
      expect(await write(world, 'SELECT 1 AS n', world.name('t'), { createDisposition: 'CREATE_MAYBE' })).toMatchObject({ reason: expect.stringMatching(/^invalid/) });
    },
  },
  {
    name: 'results-of-destination', promise: 'the rows of a query with a destination are read from it through getQueryResults', methods: ['jobs.getQueryResults'], source: QUERY,
    async run(world) {
      const job = await world.query('SELECT n FROM UNNEST([3, 1, 2]) AS n ORDER BY n', world.into(world.name('kept')));
      const { body } = await world.call({ path: `/queries/${job['jobReference'].jobId}` });
      expect(body).toMatchObject({ totalRows: '3', schema: { fields: [{ name: 'n', type: 'INTEGER' }] } });
      expect((body['rows'] as Resource[]).map((row) => row['f'][0].v).sort()).toEqual(['1', '2', '3']);
    },
  },
  {
    name: 'copy-several', promise: 'a copy job joins the rows of several tables and gives the layout of the first to a new destination', methods: ['jobs.insert', 'tables.get'], source: COPY,
    async run(world) {
      const sources = [];
      for (const n of [1, 2]) {
        const table = await world.table(DAYS, { clustering: { fields: ['n'] }, timePartitioning: { type: 'DAY', field: 'day' } });
        await world.query(`INSERT INTO ${table.id} (day, n) VALUES ('2026-01-01', ${n})`);
        sources.push(table.id!);
      }
      const target = world.name('copy');
      expect((await copy(world, sources, target))['status'].errorResult).toBeUndefined();
      expect(await numbers(world, target)).toEqual([1, 2]);
      expect((await world.client.dataset(world.dataset).table(target).getMetadata())[0]).toMatchObject({ clustering: { fields: ['n'] }, timePartitioning: { type: 'DAY', field: 'day' } });
    },
  },
  {
    name: 'copy-dispositions', promise: 'a copy into a table with rows is refused unless it appends or truncates', methods: ['jobs.insert'], source: COPY,
    async run(world) {
      const [source, target] = [await world.table([{ name: 'n', type: 'INTEGER' }]), await world.table([{ name: 'n', type: 'INTEGER' }])];
      await world.query(`INSERT INTO ${source.id} (n) VALUES (1)`);
      await world.query(`INSERT INTO ${target.id} (n) VALUES (2)`);
      expect((await copy(world, [source.id!], target.id!))['status'].errorResult).toMatchObject({ reason: 'duplicate' });
      await copy(world, [source.id!], target.id!, { writeDisposition: 'WRITE_APPEND' });
      expect(await numbers(world, target.id!)).toEqual([1, 2]);
      await copy(world, [source.id!], target.id!, { writeDisposition: 'WRITE_TRUNCATE' });
      expect(await numbers(world, target.id!)).toEqual([1]);
      expect((await copy(world, [source.id!], world.name('none'), { createDisposition: 'CREATE_NEVER' }))['status'].errorResult).toMatchObject({ reason: 'notFound' });
      expect((await copy(world, [world.name('none')], target.id!))['status'].errorResult).toMatchObject({ reason: 'notFound' });
    },
  },
  {
    name: 'copy-schemas-differ', promise: 'tables of different schemas are not copied into one', methods: ['jobs.insert'], source: COPY,
    async run(world) {
      const [one, other] = [await world.table([{ name: 'n', type: 'INTEGER' }]), await world.table([{ name: 'n', type: 'STRING' }])];
      expect((await copy(world, [one.id!, other.id!], world.name('both')))['status'].errorResult).toMatchObject({ reason: 'invalid' });
    },
  },
  {
    name: 'copy-misses-buffer', promise: 'a copy job leaves out rows that are in the streaming buffer', methods: ['jobs.insert', 'tabledata.insertAll'], source: 'https://docs.cloud.google.com/bigquery/docs/write-api-rest#dataavailability', needs: ['clock'], isAlone: true,
    async run(world) {
      const table = await world.table([{ name: 'n', type: 'INTEGER' }]);
      await world.query(`INSERT INTO ${table.id} (n) VALUES (1)`);
      await table.insert([{ n: 2 }]);
      const [early, late] = [world.name('early'), world.name('late')];
      await copy(world, [table.id!], early);
      expect(await numbers(world, early)).toEqual([1]);
      await world.later(91 * 60_000, async () => {
        await copy(world, [table.id!], late);
        expect(await numbers(world, late)).toEqual([1, 2]);
      });
    },
  },
  {
    name: 'failed-job-keeps-table', promise: 'a job that fails in its last moment leaves the destination as it was', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/reliability-intro', needs: ['faults'], isAlone: true,
    async run(world) {
      const table = await world.table([{ name: 'n', type: 'INTEGER' }]);
      await write(world, 'SELECT 1 AS n', table.id!);
      await world.breakCalls({ method: 'job.run', kind: 'fail', status: 'resourcesExceeded' });
      expect(await write(world, 'SELECT 2 AS n', table.id!, { writeDisposition: 'WRITE_TRUNCATE' })).toMatchObject({ reason: 'resourcesExceeded' });
      expect(await numbers(world, table.id!)).toEqual([1]);
    },
  },
];
