// Contract cases of tabledata: rows in by insertAll, rows out by list, and the streaming buffer between the two.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { until } from '../wait.ts';
import { errorOf, type Answer, type BigQueryWorld, type Field, type Resource } from './world.ts';

const STREAM = 'https://docs.cloud.google.com/bigquery/docs/write-api-rest';
const INSERT = 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll';
const LIST = 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/list';
const FIELDS: Field[] = [{ name: 'id', type: 'STRING', mode: 'REQUIRED' }, { name: 'n', type: 'INTEGER' }];
const MINUTE = 60_000;

const insert = (world: BigQueryWorld, table: string, rows: readonly object[], options: object = {}): Promise<Answer> =>
  world.call({ method: 'POST', path: `/datasets/${world.dataset}/tables/${table}/insertAll`, body: { rows, ...options } });
const idsOf = async (world: BigQueryWorld, table: string): Promise<string[]> => (await world.rows(`SELECT id FROM ${table} ORDER BY id`, { useQueryCache: false })).map((row) => row['id'] as string);
const list = async (world: BigQueryWorld, table: string, query: object = {}): Promise<Resource> => (await world.call({ path: `/datasets/${world.dataset}/tables/${table}/data`, query: { ...query } })).body;
const firstCells = (body: Resource): unknown[] => ((body['rows'] ?? []) as Resource[]).map((row) => row['f'][0].v);
const reasons = ({ body }: Answer): unknown[] => (body['insertErrors'] as Resource[]).map((entry) => [entry['index'], entry['errors'][0].reason, entry['errors'][0].location]).sort();

export const STREAMING_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'insert-seen-at-once', promise: 'rows of insertAll are seen by the next query, also right after the table was made', methods: ['tabledata.insertAll', 'jobs.query'], source: STREAM,
    async run(world) {
      const table = await world.table(FIELDS);
      const answer = await insert(world, table.id!, [{ json: { id: 'a', n: '1' } }, { json: { id: 'b' } }]);
      expect(answer).toMatchObject({ status: 200, body: { kind: 'bigquery#tableDataInsertAllResponse' } });
      expect(answer.body['insertErrors'] ?? []).toEqual([]);
      await until('rows are there', async () => (await idsOf(world, table.id!)).join() === 'a,b');
    },
  },
  {
    name: 'insert-errors', promise: 'one wrong row keeps all rows of the request out: it is named with reason, location and message, the others are stopped', methods: ['tabledata.insertAll'], source: `${STREAM}#troubleshooting`,
    async run(world) {
      const table = await world.table(FIELDS);
      const answer = await insert(world, table.id!, [{ json: { id: 'a' } }, { json: { id: 'b', n: 'x' } }, { json: { id: 'c', extra: 1 } }, { json: { n: 1 } }]);
      expect(answer.status).toBe(200);
      expect(reasons(answer)).toEqual([[0, 'stopped', ''], [1, 'invalid', 'n'], [2, 'invalid', 'extra'], [3, 'invalid', 'id']]);
      expect(JSON.stringify(answer.body)).toContain('no such field: extra.');
      expect(await idsOf(world, table.id!)).toEqual([]);
    },
  },
  {
    name: 'insert-wrong-types', promise: 'a value that its column cannot hold is named by its path, also inside records and lists', methods: ['tabledata.insertAll'], source: INSERT,
    async run(world) {
      const table = await world.table([{ name: 'i', type: 'INTEGER' }, { name: 'b', type: 'BOOLEAN' }, { name: 't', type: 'TIMESTAMP' }, { name: 'd', type: 'DATE' }, { name: 'r', type: 'RECORD', fields: [{ name: 'f', type: 'FLOAT' }] }, { name: 'l', type: 'INTEGER', mode: 'REPEATED' }]);
      const wrong: [object, string][] = [
        [{ i: 1.5 }, 'i'], [{ i: '9223372036854775808' }, 'i'], [{ i: true }, 'i'], [{ b: 'maybe' }, 'b'], [{ t: 'yesterday' }, 't'], [{ t: '2026-02-30 00:00:00' }, 't'], [{ d: '2026-02-30' }, 'd'],
        [{ r: { f: 'x' } }, 'r.f'], [{ r: 1 }, 'r'], [{ l: 1 }, 'l'], [{ l: [1, null] }, 'l'], [{ i: [1] }, 'i'], [{ r: { g: 1 } }, 'r.g'],
      ];
      for (const [json, location] of wrong) expect({ json, reasons: reasons(await insert(world, table.id!, [{ json }])) }).toEqual({ json, reasons: [[0, 'invalid', location]] });
      expect(await world.rows(`SELECT COUNT(*) AS n FROM ${table.id}`)).toEqual([{ n: 0 }]);
    },
  },
  {
    name: 'required-inside-records', promise: 'a REQUIRED column inside a RECORD has to be there where the RECORD is, in each one of a list too; a RECORD that is NULL needs none', methods: ['tabledata.insertAll'], source: 'https://docs.cloud.google.com/bigquery/docs/schemas#modes',
    async run(world) {
      const fields: Field[] = [{ name: 'must', type: 'INTEGER', mode: 'REQUIRED' }, { name: 'n', type: 'INTEGER' }];
      const table = await world.table([{ name: 'r', type: 'RECORD', fields }, { name: 'l', type: 'RECORD', mode: 'REPEATED', fields }]);
      for (const [json, location] of [[{ r: { n: 1 } }, 'r.must'], [{ r: { must: null } }, 'r.must'], [{ l: [{ must: 1 }, { n: 2 }] }, 'l.must']] as const) {
        expect({ json, reasons: reasons(await insert(world, table.id!, [{ json }])) }).toEqual({ json, reasons: [[0, 'invalid', location]] });
      }
      expect((await insert(world, table.id!, [{ json: {} }, { json: { r: { must: 1 }, l: [{ must: 2 }] } }])).body['insertErrors'] ?? []).toEqual([]);
      expect(await world.rows(`SELECT COUNT(*) AS n FROM ${table.id}`)).toEqual([{ n: 2 }]);
    },
  },
  {
    name: 'skip-invalid-rows', promise: 'with skipInvalidRows the valid rows are stored and only the wrong ones are named', methods: ['tabledata.insertAll'], source: INSERT,
    async run(world) {
      const table = await world.table(FIELDS);
      const answer = await insert(world, table.id!, [{ json: { id: 'a' } }, { json: { id: 'b', n: 'x' } }], { skipInvalidRows: true });
      expect(reasons(answer)).toEqual([[1, 'invalid', 'n']]);
      expect(await idsOf(world, table.id!)).toEqual(['a']);
    },
  },
  {
    name: 'ignore-unknown-values', promise: 'with ignoreUnknownValues fields that the table lacks are dropped, at every depth, and the row is stored', methods: ['tabledata.insertAll'], source: INSERT,
    async run(world) {
      const table = await world.table([...FIELDS, { name: 'r', type: 'RECORD', fields: [{ name: 'a', type: 'STRING' }] }]);
      const answer = await insert(world, table.id!, [{ json: { id: 'a', more: { x: 1 }, r: { a: '1', b: 2 } } }], { ignoreUnknownValues: true });
      expect(answer.body['insertErrors'] ?? []).toEqual([]);
      expect(await world.rows(`SELECT id, r.a AS a FROM ${table.id}`)).toEqual([{ id: 'a', a: '1' }]);
      expect(reasons(await insert(world, table.id!, [{ json: { id: 'b', n: 'x' } }], { ignoreUnknownValues: true }))).toEqual([[0, 'invalid', 'n']]);
    },
  },
  {
    name: 'insert-id-deduplicates', promise: 'a row whose insertId came within the last minute is not stored again; without insertId every row is', methods: ['tabledata.insertAll'], source: `${STREAM}#dataconsistency`, needs: ['clock'], isAlone: true,
    async run(world) {
      const table = await world.table(FIELDS);
      const twice = [{ insertId: '1', json: { id: 'a' } }, { json: { id: 'b' } }];
      await insert(world, table.id!, twice);
      await insert(world, table.id!, twice);
      expect(await idsOf(world, table.id!)).toEqual(['a', 'b', 'b']);
      await world.later(2 * MINUTE, async () => {
        await insert(world, table.id!, twice);
        expect(await idsOf(world, table.id!)).toEqual(['a', 'a', 'b', 'b', 'b']);
      });
    },
  },
  {
    name: 'insert-id-per-table', promise: 'an insertId counts within its table only, and not for a row that was refused', methods: ['tabledata.insertAll'], source: `${STREAM}#dataconsistency`,
    async run(world) {
      const [one, other] = [await world.table(FIELDS), await world.table(FIELDS)];
      await insert(world, one.id!, [{ insertId: '1', json: { id: 'a', n: 'x' } }]);
      for (const table of [one, other]) await insert(world, table.id!, [{ insertId: '1', json: { id: 'a' } }]);
      expect([await idsOf(world, one.id!), await idsOf(world, other.id!)]).toEqual([['a'], ['a']]);
    },
  },
  {
    name: 'insert-limits', promise: 'a request without rows, with 50,001 rows, or with an insertId of 129 characters is refused; 50,000 rows and 128 characters are taken', methods: ['tabledata.insertAll'], source: 'https://docs.cloud.google.com/bigquery/quotas#streaming_inserts',
    async run(world) {
      const table = await world.table([{ name: 'n', type: 'INTEGER' }]);
      const rows = Array.from({ length: 50_000 }, (_, n) => ({ json: { n } }));
      expect(errorOf(await insert(world, table.id!, []))).toMatchObject({ status: 400, reason: 'invalid' });
      expect(errorOf(await insert(world, table.id!, [...rows, { json: { n: 1 } }]))).toMatchObject({ status: 400, reason: 'invalid' });
      expect((await insert(world, table.id!, rows)).status).toBe(200);
      expect((await insert(world, table.id!, [{ insertId: 'x'.repeat(128), json: { n: 0 } }])).status).toBe(200);
      expect((await insert(world, table.id!, [{ insertId: 'x'.repeat(129), json: { n: 0 } }])).status).toBe(400);
      expect(await world.rows(`SELECT COUNT(*) AS n FROM ${table.id}`)).toEqual([{ n: 50_001 }]);
    },
  },
  {
    name: 'insert-request-size', promise: 'a request of more than 10 MB is refused, one just below is taken', methods: ['tabledata.insertAll'], source: 'https://docs.cloud.google.com/bigquery/quotas#streaming_inserts',
    async run(world) {
      const table = await world.table([{ name: 'id', type: 'STRING' }]);
      const of = (bytes: number): object[] => [{ json: { id: 'x'.repeat(bytes) } }];
      expect((await insert(world, table.id!, of(9_900_000))).status).toBe(200);
      const refused = await insert(world, table.id!, of(10_600_000));
      expect([400, 413]).toContain(refused.status);
    },
  },
  {
    name: 'template-suffix', promise: 'templateSuffix writes into a table of the template\'s schema and layout, which is made at the first row', methods: ['tabledata.insertAll', 'tables.get'], source: `${STREAM}#template-tables`,
    async run(world) {
      const table = await world.table(FIELDS, { clustering: { fields: ['id'] } });
      await insert(world, table.id!, [{ json: { id: 'a' } }], { templateSuffix: '_20260115' });
      await insert(world, table.id!, [{ json: { id: 'b' } }], { templateSuffix: '_20260115' });
      await until('rows are there', async () => (await idsOf(world, `${table.id}_20260115`)).join() === 'a,b');
      expect((await world.client.dataset(world.dataset).table(`${table.id}_20260115`).getMetadata())[0].clustering).toEqual({ fields: ['id'] });
      expect(await idsOf(world, table.id!)).toEqual([]);
    },
  },
  {
    name: 'insert-into-view', promise: 'a view takes no rows', methods: ['tabledata.insertAll', 'tabledata.list'], source: INSERT,
    async run(world) {
      const view = world.name('v');
      await world.query(`CREATE VIEW ${view} AS SELECT 1 AS n`);
      expect(errorOf(await insert(world, view, [{ json: { n: 1 } }]))).toMatchObject({ status: 400, reason: 'invalid' });
      expect(errorOf(await world.call({ path: `/datasets/${world.dataset}/tables/${view}/data` }))).toMatchObject({ status: 400, reason: 'invalid' });
    },
  },
  {
    name: 'buffer-invisible-to-list', promise: 'rows in the streaming buffer are seen by queries and not by tabledata.list; the table says how many wait, and 90 minutes later none', methods: ['tabledata.list', 'tables.get', 'jobs.query'], source: `${STREAM}#dataavailability`, needs: ['clock'], isAlone: true,
    async run(world) {
      const table = await world.table(FIELDS);
      await world.query(`INSERT INTO ${table.id} (id) VALUES ('old')`);
      await insert(world, table.id!, [{ json: { id: 'new' } }, { json: { id: 'newer' } }]);
      expect(await idsOf(world, table.id!)).toEqual(['new', 'newer', 'old']);
      expect(firstCells(await list(world, table.id!))).toEqual(['old']);
      const [waiting] = await table.getMetadata();
      expect(waiting).toMatchObject({ numRows: '1', streamingBuffer: { estimatedRows: '2', estimatedBytes: expect.stringMatching(/^[1-9]\d*$/), oldestEntryTime: expect.stringMatching(/^\d{13}$/) } });
      await world.later(91 * MINUTE, async () => {
        expect(firstCells(await list(world, table.id!)).sort()).toEqual(['new', 'newer', 'old']);
        const [moved] = await table.getMetadata();
        expect(moved.numRows).toBe('3');
        expect(moved.streamingBuffer).toBeUndefined();
      });
    },
  },
  {
    name: 'dml-on-recent-rows', promise: 'UPDATE, DELETE and MERGE that meet rows of insertAll younger than 30 minutes are refused; later they work', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/data-manipulation-language#limitations', needs: ['clock'], isAlone: true,
    async run(world) {
      const table = await world.table(FIELDS);
      await world.query(`INSERT INTO ${table.id} (id) VALUES ('old')`);
      await insert(world, table.id!, [{ json: { id: 'new' } }]);
      const refused = { reason: 'invalidQuery', message: expect.stringMatching(/would affect rows in the streaming buffer, which is not supported$/) };
      expect(await world.failure(`DELETE FROM ${table.id} WHERE TRUE`)).toMatchObject(refused);
      expect(await world.failure(`UPDATE ${table.id} SET n = 1 WHERE id = 'new'`)).toMatchObject(refused);
      expect((await world.query(`UPDATE ${table.id} SET n = 1 WHERE id = 'old'`))['status'].errorResult).toBeUndefined();
      expect(await world.rows(`SELECT id, n FROM ${table.id} ORDER BY id`)).toEqual([{ id: 'new', n: null }, { id: 'old', n: 1 }]);
      await world.later(31 * MINUTE, async () => {
        expect((await world.query(`DELETE FROM ${table.id} WHERE id = 'new'`))['statistics'].query.numDmlAffectedRows).toBe('1');
      });
    },
  },
  {
    name: 'list-pages', promise: 'tabledata.list gives every row once over its pages, from a start index too, and totalRows', methods: ['tabledata.list'], source: LIST,
    async run(world) {
      const table = await world.table([{ name: 'n', type: 'INTEGER' }]);
      await world.query(`INSERT INTO ${table.id} (n) SELECT n FROM UNNEST(GENERATE_ARRAY(1, 25)) AS n`);
      const seen: unknown[] = [];
      let pageToken: string | undefined;
      do {
        const page = await list(world, table.id!, { maxResults: 10, ...(pageToken === undefined ? {} : { pageToken }) });
        expect(page['totalRows']).toBe('25');
        seen.push(...firstCells(page));
        pageToken = page['pageToken'];
      } while (pageToken !== undefined);
      expect(seen.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, n) => n + 1));
      expect(firstCells(await list(world, table.id!, { startIndex: 20, maxResults: 100 }))).toEqual(seen.slice(20));
      expect(firstCells(await list(world, table.id!, { maxResults: 0 }))).toEqual([]);
      expect(firstCells(await list(world, table.id!, { startIndex: 25 }))).toEqual([]);
    },
  },
  {
    name: 'list-selected-fields', promise: 'selectedFields leaves the named columns in the order of the schema', methods: ['tabledata.list'], source: LIST,
    async run(world) {
      const table = await world.table([{ name: 'a', type: 'STRING' }, { name: 'b', type: 'STRING' }, { name: 'c', type: 'STRING' }]);
      await world.query(`INSERT INTO ${table.id} (a, b, c) VALUES ('1', '2', '3')`);
      expect((await list(world, table.id!, { selectedFields: 'c,a' }))['rows']).toEqual([{ f: [{ v: '1' }, { v: '3' }] }]);
    },
  },
  {
    name: 'bad-page-token', promise: 'a page token that nobody gave is 400', methods: ['tabledata.list', 'tables.list', 'datasets.list', 'jobs.list', 'jobs.getQueryResults'], source: 'https://docs.cloud.google.com/bigquery/docs/paging-results',
    async run(world) {
      const table = await world.table(FIELDS);
      const job = await world.query('SELECT 1 AS one');
      const paths = [`/datasets/${world.dataset}/tables/${table.id}/data`, `/datasets/${world.dataset}/tables`, '/datasets', '/jobs', `/queries/${job['jobReference'].jobId}`];
      for (const path of paths) expect({ path, status: (await world.call({ path, query: { pageToken: 'nonsense!' } })).status }).toEqual({ path, status: 400 });
    },
  },
  {
    name: 'insert-outlives-kill', promise: 'rows that insertAll answered for are there once after the service was killed', methods: ['tabledata.insertAll'], source: STREAM, needs: ['restart'], isAlone: true,
    async run(world) {
      const table = await world.table(FIELDS);
      for (let n = 0; n < 5; n += 1) await insert(world, table.id!, [{ json: { id: `${n}` } }]);
      await world.launched.ours!.restart();
      expect(await idsOf(world, table.id!)).toEqual(['0', '1', '2', '3', '4']);
    },
  },
];
