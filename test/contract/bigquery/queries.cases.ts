// Contract cases of queries through REST: wildcards, parameters, results by page, and values on the wire. GoogleSQL itself is judged in test/contract/googlesql.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { schemaText, type BigQueryWorld, type Field, type Resource } from './world.ts';

const WILDCARDS = 'https://docs.cloud.google.com/bigquery/docs/querying-wildcard-tables';
const PARAMETERS = 'https://docs.cloud.google.com/bigquery/docs/parameterized-queries';
const PAGES = 'https://docs.cloud.google.com/bigquery/docs/paging-results';
const QUERY = 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query';

/** A dataset with tables of these columns and rows (`INSERT` values). */
async function shards(world: BigQueryWorld, tables: Record<string, { fields: Field[]; values?: string }>): Promise<string> {
  const dataset = await world.newDataset();
  for (const [name, { fields, values }] of Object.entries(tables)) {
    await world.client.dataset(dataset).createTable(name, { schema: { fields } } as never);
    if (values !== undefined) await world.rows(`INSERT INTO ${dataset}.${name} (${fields.map((field) => field.name).join(', ')}) VALUES ${values}`);
  }
  return dataset;
}
const N: Field = { name: 'n', type: 'INTEGER' };
const parameter = (type: object, value: object, name?: string): object => ({ ...(name === undefined ? {} : { name }), parameterType: type, parameterValue: value });
const ask = async (world: BigQueryWorld, body: object): Promise<Resource> => (await world.call({ method: 'POST', path: '/queries', body: { useLegacySql: false, ...body } })).body;
const cells = (body: Resource): unknown[][] => ((body['rows'] ?? []) as Resource[]).map((row) => (row['f'] as { v: unknown }[]).map((cell) => cell.v));

export const QUERY_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'wildcard-suffix', promise: '`prefix*` reads every table of that prefix, with the rest of the name as _TABLE_SUFFIX', methods: ['jobs.query'], source: WILDCARDS,
    async run(world) {
      const dataset = await shards(world, { events_20260101: { fields: [N], values: '(1)' }, events_20260102: { fields: [N], values: '(2), (3)' }, events_intraday_20260103: { fields: [N], values: '(4)' }, other_20260101: { fields: [N], values: '(9)' } });
      expect(await world.rows(`SELECT _TABLE_SUFFIX AS s, SUM(n) AS n FROM \`${dataset}.events_*\` GROUP BY s ORDER BY s`)).toEqual([{ s: '20260101', n: 1 }, { s: '20260102', n: 5 }, { s: 'intraday_20260103', n: 4 }]);
      expect(await world.rows(`SELECT SUM(n) AS n FROM \`${dataset}.events_*\` WHERE _TABLE_SUFFIX BETWEEN '20260102' AND '20260103'`)).toEqual([{ n: 5 }]);
    },
  },
  {
    name: 'wildcard-different-columns', promise: 'shards with different columns are read with the schema of the newest; older rows have NULL where they lack a column', methods: ['jobs.query'], source: `${WILDCARDS}#schema_used_for_query_evaluation`,
    async run(world) {
      const record = (...fields: Field[]): Field => ({ name: 'r', type: 'RECORD', fields: [N, ...fields] });
      const dataset = await shards(world, { t_1: { fields: [N, record()], values: '(1, STRUCT(1))' }, t_2: { fields: [N, record({ name: 'deep', type: 'STRING' }), { name: 'added', type: 'STRING' }], values: "(2, STRUCT(2, 'd'), 'x')" } });
      expect(await world.rows(`SELECT n, added, r.deep AS deep FROM \`${dataset}.t_*\` ORDER BY n`)).toEqual([{ n: 1, added: null, deep: null }, { n: 2, added: 'x', deep: 'd' }]);
    },
  },
  {
    name: 'wildcard-type-clash', promise: 'shards in which a column has different types fail as a whole', methods: ['jobs.query'], source: WILDCARDS,
    async run(world) {
      const dataset = await shards(world, { t_1: { fields: [{ name: 'v', type: 'STRING' }], values: "('1')" }, t_2: { fields: [{ name: 'v', type: 'INTEGER' }], values: '(2)' } });
      expect(await world.failure(`SELECT v FROM \`${dataset}.t_*\``)).toMatchObject({ reason: expect.stringMatching(/^invalid/), message: expect.stringMatching(/v|type/) });
    },
  },
  {
    name: 'wildcard-over-view', promise: 'a view under the prefix makes the wildcard fail', methods: ['jobs.query'], source: `${WILDCARDS}#limitations`,
    async run(world) {
      const dataset = await shards(world, { t_1: { fields: [N], values: '(1)' } });
      await world.rows(`CREATE VIEW ${dataset}.t_view AS SELECT 2 AS n`);
      expect(await world.failure(`SELECT n FROM \`${dataset}.t_*\` WHERE _TABLE_SUFFIX = '1'`)).toMatchObject({ message: expect.stringMatching(/Views cannot be queried through prefix/) });
    },
  },
  {
    name: 'wildcard-without-match', promise: 'a prefix that no table has is refused', methods: ['jobs.query'], source: WILDCARDS,
    async run(world) {
      const dataset = await shards(world, {});
      expect(await world.failure(`SELECT n FROM \`${dataset}.t_*\``)).toMatchObject({ reason: expect.stringMatching(/notFound|invalid/), message: expect.stringContaining('does not match any table') });
    },
  },
  {
    name: 'named-parameters', promise: 'named parameters of every type reach the query as values of that type', methods: ['jobs.query'], source: PARAMETERS,
    async run(world) {
      const scalar = (type: string, value: string | null, name: string): object => parameter({ type }, { value }, name);
      const body = await ask(world, {
        query: 'SELECT @s AS s, @i + 1 AS i, @f * 2 AS f, NOT @b AS b, LENGTH(@y) AS y, DATE_ADD(@d, INTERVAL 1 DAY) AS d, @dt AS dt, @t AS t, UNIX_MICROS(@ts) AS ts, @n + 1 AS n, @nothing IS NULL AS nothing',
        parameterMode: 'NAMED',
        queryParameters: [scalar('STRING', "o'clock \\", 's'), scalar('INT64', '9007199254740993', 'i'), scalar('FLOAT64', '1.5', 'f'), scalar('BOOL', 'false', 'b'), scalar('BYTES', 'AP8=', 'y'), scalar('DATE', '2026-02-28', 'd'),
          scalar('DATETIME', '2026-02-28 01:02:03', 'dt'), scalar('TIME', '01:02:03', 't'), scalar('TIMESTAMP', '2026-01-01 00:00:00.000001+00:00', 'ts'), scalar('NUMERIC', '0.000000001', 'n'), scalar('STRING', null, 'nothing')],
      });
      expect(cells(body)).toEqual([["o'clock \\", '9007199254740994', '3.0', 'true', '2', '2026-03-01', '2026-02-28T01:02:03', '01:02:03', '1767225600000001', '1.000000001', 'true'].map((v, at) => (at === 2 ? expect.stringMatching(/^3(\.0)?$/) : v))]);
    },
  },
  {
    name: 'array-and-struct-parameters', promise: 'arrays, empty ones too, and structs are parameters', methods: ['jobs.query'], source: `${PARAMETERS}#using_arrays_in_parameterized_queries`,
    async run(world) {
      const [rows] = await world.client.query({ query: 'SELECT ARRAY_LENGTH(@none) AS none, (SELECT SUM(x) FROM UNNEST(@list) AS x) AS s, @pair.name AS name, @pair.n AS n', params: { list: [1, 2, 3], none: [], pair: { name: 'ä', n: 7 } }, types: { none: ['INT64'] } } as never);
      expect(rows).toEqual([{ none: 0, s: 6, name: 'ä', n: 7 }]);
    },
  },
  {
    name: 'positional-parameters', promise: 'positional parameters fill the question marks in order', methods: ['jobs.query'], source: PARAMETERS,
    async run(world) {
      const [rows] = await world.client.query({ query: 'SELECT ? AS a, ? AS b', params: ['x', 2] } as never);
      expect(rows).toEqual([{ a: 'x', b: 2 }]);
    },
  },
  {
    name: 'parameter-missing', promise: 'a parameter that the request does not give is invalidQuery', methods: ['jobs.query'], source: PARAMETERS,
    async run(world) {
      expect(await world.failure('SELECT @absent AS a')).toMatchObject({ reason: 'invalidQuery', message: expect.stringContaining('absent') });
    },
  },
  {
    name: 'default-dataset', promise: 'tables without a dataset are looked up in defaultDataset', methods: ['jobs.query'], source: QUERY,
    async run(world) {
      const dataset = await shards(world, { here: { fields: [N], values: '(1)' } });
      expect(await world.rows('SELECT n FROM here', { defaultDataset: { datasetId: dataset } })).toEqual([{ n: 1 }]);
      expect(await world.failure('SELECT n FROM here', { defaultDataset: undefined })).toMatchObject({ message: expect.stringMatching(/must be qualified with a dataset/) });
    },
  },
  {
    name: 'results-by-page', promise: 'results come whole over pages of maxResults, each with the schema and the number of all rows', methods: ['jobs.query', 'jobs.getQueryResults'], source: PAGES,
    async run(world) {
      const first = await ask(world, { query: 'SELECT n, [n] AS l FROM UNNEST(GENERATE_ARRAY(1, 25)) AS n ORDER BY n', maxResults: 10 });
      expect(first).toMatchObject({ jobComplete: true, totalRows: '25', pageToken: expect.any(String) });
      const seen = cells(first);
      let { pageToken } = first as { pageToken?: string };
      while (pageToken !== undefined) {
        const { body } = await world.call({ path: `/queries/${first['jobReference'].jobId}`, query: { maxResults: 10, pageToken } });
        expect(body).toMatchObject({ kind: 'bigquery#getQueryResultsResponse', totalRows: '25' });
        expect(schemaText(body['schema'].fields)).toBe('n INTEGER, l INTEGER[]');
        seen.push(...cells(body));
        pageToken = body['pageToken'];
      }
      expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => [String(n + 1), [{ v: String(n + 1) }]]));
      const middle = await world.call({ path: `/queries/${first['jobReference'].jobId}`, query: { startIndex: 23, maxResults: 10 } });
      expect(cells(middle.body).map(([n]) => n)).toEqual(['24', '25']);
    },
  },
  {
    name: 'results-of-size', promise: 'a page ends at about 10 MB, and the client gets every row over as many pages as that takes', methods: ['jobs.getQueryResults'], source: PAGES, timeoutMs: 60_000,
    async run(world) {
      const body = await ask(world, { query: "SELECT n, REPEAT('x', 100000) AS s FROM UNNEST(GENERATE_ARRAY(1, 300)) AS n ORDER BY n" });
      expect(cells(body).length).toBeLessThan(300);
      expect(body['pageToken']).toBeDefined();
      const rows = await world.rows("SELECT n, REPEAT('y', 100000) AS s FROM UNNEST(GENERATE_ARRAY(1, 300)) AS n ORDER BY n");
      expect(rows.map((row) => row['n'])).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
    },
  },
  {
    name: 'empty-result', promise: 'a query without rows answers its schema and totalRows 0', methods: ['jobs.query'], source: QUERY,
    async run(world) {
      const body = await ask(world, { query: 'SELECT n FROM UNNEST([1]) AS n WHERE FALSE' });
      expect(body).toMatchObject({ jobComplete: true, totalRows: '0', schema: { fields: [{ name: 'n', type: 'INTEGER' }] } });
      expect(body['rows'] ?? []).toEqual([]);
    },
  },
  {
    name: 'values-on-the-wire', promise: 'every value is text in {f:[{v}]}: NULL is null, an empty array is [], structs nest, anonymous columns are f0_, f1_', methods: ['jobs.query'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults',
    async run(world) {
      const body = await ask(world, { query: "SELECT NULL, CAST('NaN' AS FLOAT64), CAST('-inf' AS FLOAT64), TRUE, ARRAY<STRING>[], [STRUCT(1 AS a, [TRUE] AS b)], STRUCT(NULL AS x, STRUCT('y' AS y)), b'\\x00\\xff', NUMERIC '1.50', 0.1 + 0.2, INTERVAL 90 MINUTE" });
      expect(cells(body)).toEqual([[null, 'NaN', expect.stringMatching(/^-Inf(inity)?$/), 'true', [], [{ v: { f: [{ v: '1' }, { v: [{ v: 'true' }] }] } }], { f: [{ v: null }, { v: { f: [{ v: 'y' }] } }] }, 'AP8=', '1.5', '0.30000000000000004', '0-0 0 1:30:0']]);
      expect((body['schema'].fields as Field[]).map((field) => field.name)).toEqual(['f0_', 'f1_', 'f2_', 'f3_', 'f4_', 'f5_', 'f6_', 'f7_', 'f8_', 'f9_', 'f10_']);
    },
  },
  {
    name: 'timestamp-formats', promise: 'a TIMESTAMP is seconds as a float unless the request asks for microseconds', methods: ['jobs.query', 'jobs.getQueryResults'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/DataFormatOptions',
    async run(world) {
      const query = "SELECT TIMESTAMP '2026-01-01 00:00:00.123456 UTC' AS t, TIMESTAMP '1969-12-31 23:59:59.5 UTC' AS before";
      const plain = await ask(world, { query });
      expect(cells(plain)[0]!.map(Number)).toEqual([1_767_225_600.123456, -0.5]);
      expect(cells(await ask(world, { query, formatOptions: { useInt64Timestamp: true } }))).toEqual([['1767225600123456', '-500000']]);
      const { body } = await world.call({ path: `/queries/${plain['jobReference'].jobId}`, query: { 'formatOptions.useInt64Timestamp': true } });
      expect(cells(body)).toEqual([['1767225600123456', '-500000']]);
    },
  },
  {
    name: 'timestamp-output-formats', promise: 'timestampOutputFormat INT64 gives microseconds, ISO8601_STRING the date and time with a Z, FLOAT64 seconds; in the answer of a query and in getQueryResults', methods: ['jobs.query', 'jobs.getQueryResults'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/DataFormatOptions',
    async run(world) {
      const query = "SELECT TIMESTAMP '2026-01-01 00:00:00.123456 UTC' AS t, [TIMESTAMP '2026-01-01 00:00:00 UTC'] AS list";
      const wanted = { INT64: ['1767225600123456', '1767225600000000'], ISO8601_STRING: ['2026-01-01T00:00:00.123456Z', '2026-01-01T00:00:00Z'] };
      const times = (body: Resource): string[] => {
        const [[time, list]] = cells(body) as [[string, { v: string }[]]];
        return [time, ...list.map(({ v }) => v)];
      };
      for (const [timestampOutputFormat, values] of Object.entries(wanted)) {
        const body = await ask(world, { query, formatOptions: { timestampOutputFormat } });
        expect(times(body)).toEqual(values);
        expect(times((await world.call({ path: `/queries/${body['jobReference'].jobId}`, query: { 'formatOptions.timestampOutputFormat': timestampOutputFormat } })).body)).toEqual(values);
      }
      expect(times(await ask(world, { query, formatOptions: { timestampOutputFormat: 'FLOAT64' } })).map(Number)).toEqual([1_767_225_600.123456, 1_767_225_600]);
    },
  },
  {
    name: 'duplicate-columns', promise: 'two result columns of one name are refused', methods: ['jobs.query'], source: QUERY,
    async run(world) {
      expect(await world.failure('SELECT 1 AS a, 2 AS A')).toMatchObject({ reason: 'invalidQuery', message: expect.stringMatching(/^Duplicate column names in the result are not supported/) });
    },
  },
  {
    name: 'script-last-result', promise: 'a script answers the rows of its last SELECT, and each statement has a child job', methods: ['jobs.query', 'jobs.list'], source: 'https://docs.cloud.google.com/bigquery/docs/multi-statement-queries',
    async run(world) {
      const body = await ask(world, { query: 'DECLARE x INT64 DEFAULT 2; SELECT 1 AS a; SET x = x * 3; SELECT x AS b;' });
      expect(cells(body)).toEqual([['6']]);
      const { jobId } = body['jobReference'];
      expect((await world.ended(jobId))['statistics']).toMatchObject({ query: { statementType: 'SCRIPT' } });
      const children = (await world.call({ path: '/jobs', query: { parentJobId: jobId } })).body['jobs'] as Resource[];
      expect(children.length).toBeGreaterThanOrEqual(2);
    },
  },
  {
    name: 'session-refused', promise: 'sessions are refused by name here', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/sessions-intro', needs: ['faults'],
    async run(world) {
      expect(await world.failure('SELECT 1 AS a', { createSession: true })).toMatchObject({ reason: 'notImplemented', message: expect.stringContaining('createSession') });
      expect(await world.failure('SELECT 1 AS a', { tableDefinitions: { x: { sourceUris: ['gs://b/o'], sourceFormat: 'CSV' } } })).toMatchObject({ reason: 'notImplemented', message: expect.stringContaining('tableDefinitions') });
    },
  },
];
