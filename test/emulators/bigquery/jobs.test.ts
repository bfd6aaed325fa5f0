// Jobs with Google's own client: ids, dispositions, partitions, results by page, statistics, errors.
import { gzipSync } from 'node:zlib';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startLocal, type LocalBigQuery } from './local-bigquery.ts';

let bq: LocalBigQuery;
beforeAll(async () => {
  bq = await startLocal();
  await bq.client.createDataset('d');
});
beforeEach(() => bq.faults.clear());
afterAll(() => bq.remove());

const rowsOf = async (sql: string): Promise<unknown[]> => (await bq.client.query(sql))[0];
const table = (name: string) => bq.client.dataset('d').table(name);
/** Runs a query job to its end and gives its metadata. */
async function job(query: string, options: object = {}, jobId?: string) {
  const [made] = await bq.client.createJob({ ...(jobId === undefined ? {} : { jobId }), configuration: { query: { query, useLegacySql: false, ...options } } } as never);
  return ended(made.id!);
}
async function ended(jobId: string): Promise<Record<string, any>> {
  for (;;) {
    const [metadata] = await bq.client.job(jobId).getMetadata();
    if (metadata.status.state === 'DONE') return metadata;
    await new Promise((done) => setTimeout(done, 20));
  }
}
const into = (name: string, options: object = {}) => ({ destinationTable: { projectId: 'chiplog-local', datasetId: 'd', tableId: name }, ...options });

test('a job id is taken for ever, also when its job failed', async () => {
  await job('SELECT 1 AS one', {}, 'only_once');
  await expect(bq.client.createJob({ jobId: 'only_once', configuration: { query: { query: 'SELECT 2 AS two', useLegacySql: false } } } as never)).rejects.toMatchObject({ code: 409, errors: [{ reason: 'duplicate' }] });
  await expect(job('SELECT nonsense', {}, 'broken')).rejects.toMatchObject({ code: 400, errors: [{ reason: 'invalidQuery' }] });
  await expect(job('SELECT 1 AS one', {}, 'broken')).rejects.toMatchObject({ code: 409 });
  expect((await ended('broken')).status.errorResult.reason).toBe('invalidQuery');
});

test('two at once under one id: one runs, the other is told 409', async () => {
  const both = await Promise.allSettled([job('SELECT 1 AS a', {}, 'race'), job('SELECT 1 AS a', {}, 'race')]);
  expect(both.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('WRITE_TRUNCATE replaces rows and columns, WRITE_APPEND adds, WRITE_EMPTY refuses rows, CREATE_NEVER refuses to create', async () => {
  await job('SELECT 1 AS a', into('target', { clustering: { fields: ['a'] } }));
  await job('SELECT 2 AS a', into('target', { writeDisposition: 'WRITE_APPEND' }));
  expect(await rowsOf('SELECT a FROM d.target ORDER BY a')).toEqual([{ a: 1 }, { a: 2 }]);
  expect((await job('SELECT 3 AS a', into('target'))).status.errorResult).toMatchObject({ reason: 'duplicate' });
  await job("SELECT 'x' AS b, [STRUCT(1 AS n)] AS l", into('target', { writeDisposition: 'WRITE_TRUNCATE', clustering: { fields: ['b'] } }));
  expect(await rowsOf('SELECT * FROM d.target')).toEqual([{ b: 'x', l: [{ n: 1 }] }]);
  const [metadata] = await table('target').getMetadata();
  expect(metadata.clustering).toEqual({ fields: ['b'] });
  expect(metadata.schema.fields.map((field: { name: string; type: string }) => `${field.name} ${field.type}`)).toEqual(['b STRING', 'l RECORD']);
  await expect(job('SELECT 1 AS a', into('never', { createDisposition: 'CREATE_NEVER' }))).rejects.toMatchObject({ code: 404 });
});

test('a WRITE_TRUNCATE that reads its own destination sees the old rows, and a failing one changes nothing', async () => {
  await job('SELECT 1 AS a UNION ALL SELECT 2 AS a', into('self'));
  await job('SELECT a * 10 AS a FROM d.self', into('self', { writeDisposition: 'WRITE_TRUNCATE' }));
  expect(await rowsOf('SELECT a FROM d.self ORDER BY a')).toEqual([{ a: 10 }, { a: 20 }]);
  const failed = await job("SELECT CAST(CONCAT('x', CAST(a AS STRING)) AS INT64) AS a FROM d.self", into('self', { writeDisposition: 'WRITE_TRUNCATE' }));
  expect(failed.status.errorResult.reason).toBe('invalidQuery');
  expect(await rowsOf('SELECT a FROM d.self ORDER BY a')).toEqual([{ a: 10 }, { a: 20 }]);
});

test('a partition decorator truncates that partition only, and takes no rows of another', async () => {
  await bq.client.dataset('d').createTable('parts', { schema: { fields: [{ name: 'day', type: 'DATE' }, { name: 'n', type: 'INTEGER' }] }, timePartitioning: { type: 'DAY', field: 'day' }, clustering: { fields: ['n'] } } as never);
  await job("SELECT DATE '2026-01-01' AS day, 1 AS n UNION ALL SELECT DATE '2026-01-02' AS day, 2 AS n", into('parts', { writeDisposition: 'WRITE_APPEND' }));
  await job("SELECT DATE '2026-01-02' AS day, 3 AS n", into('parts$20260102', { writeDisposition: 'WRITE_TRUNCATE' }));
  expect(await rowsOf('SELECT n FROM d.parts ORDER BY n')).toEqual([{ n: 1 }, { n: 3 }]);
  expect((await job("SELECT DATE '2026-01-05' AS day, 4 AS n", into('parts$20260102', { writeDisposition: 'WRITE_TRUNCATE' }))).status.errorResult.message).toContain('different partitions');
  expect(await rowsOf('SELECT n FROM d.parts ORDER BY n')).toEqual([{ n: 1 }, { n: 3 }]);
});

test('results come page by page, from jobs.query and from a destination table', async () => {
  const numbers = 'SELECT n FROM UNNEST(GENERATE_ARRAY(1, 2500)) AS n ORDER BY n';
  const [rows] = await bq.client.query({ query: numbers, maxResults: 1000 } as never);
  expect(rows.length).toBe(2500);
  expect(rows.at(-1)).toEqual({ n: 2500 });
  const [made] = await bq.client.createQueryJob({ query: numbers, destination: table('pages') });
  const [page, next] = await made.getQueryResults({ maxResults: 7, autoPaginate: false, startIndex: '10' } as never);
  expect([page.map((row: { n: number }) => row.n), next === null]).toEqual([[11, 12, 13, 14, 15, 16, 17], false]);
  const [all] = await made.getQueryResults();
  expect(all.length).toBe(2500);
});

test('statistics say what kind of statement it was, what it read and what it changed', async () => {
  await job('SELECT 1 AS a UNION ALL SELECT 2 AS a', into('counted'));
  const select = await job('SELECT a FROM d.counted');
  expect(select.statistics.query).toMatchObject({ statementType: 'SELECT', totalBytesProcessed: '16', cacheHit: false, referencedTables: [{ datasetId: 'd', tableId: 'counted' }] });
  const changed = await job('UPDATE d.counted SET a = 5 WHERE a = 1');
  expect(changed.statistics.query).toMatchObject({ statementType: 'UPDATE', numDmlAffectedRows: '1' });
  expect(Number(changed.statistics.endTime)).toBeGreaterThanOrEqual(Number(changed.statistics.startTime));
});

test('a dry run says bytes and columns, runs nothing and leaves no job', async () => {
  const [dry] = await bq.client.createQueryJob({ query: 'SELECT 1 AS a', dryRun: true, jobId: 'dry' } as never);
  expect(dry.metadata).toMatchObject({ status: { state: 'DONE' }, statistics: { query: { schema: { fields: [{ name: 'a', type: 'INTEGER' }] } } } });
  await expect(bq.client.job('dry').getMetadata()).rejects.toMatchObject({ code: 404 });
});

test('a slow job is RUNNING for a while, and can be cancelled', async () => {
  bq.faults.add({ method: 'job.run', kind: 'delay', delay_ms: 400 });
  const [slow] = await bq.client.createQueryJob({ query: 'SELECT 1 AS a', jobId: 'slow' } as never);
  expect((await bq.client.job('slow').getMetadata())[0].status.state).toBe('RUNNING');
  await slow.cancel();
  expect((await ended('slow')).status.errorResult.reason).toBe('stopped');
});

test('parameters, a default dataset and labels reach the query', async () => {
  const [rows] = await bq.client.query({ query: 'SELECT @name AS name, a FROM counted WHERE a = @n', params: { name: 'x', n: 5 }, defaultDataset: { datasetId: 'd' }, labels: { who: 'test' } } as never);
  expect(rows).toEqual([{ name: 'x', a: 5 }]);
});

test('errors have the shape and the words of Google', async () => {
  await expect(rowsOf('SELEC 1')).rejects.toMatchObject({ code: 400, errors: [{ reason: 'invalidQuery', domain: 'global', location: 'query', message: expect.stringMatching(/\[1:1\]$/) }] });
  await expect(rowsOf('SELECT * FROM d.missing')).rejects.toMatchObject({ code: 404, errors: [{ reason: 'notFound' }] });
  const response = await fetch(`${bq.url}/bigquery/v2/projects/chiplog-local/jobs/j/delete`, { method: 'DELETE' });
  expect([response.status, ((await response.json()) as { error: { status: string } }).error.status]).toEqual([501, 'UNIMPLEMENTED']);
  const legacy = await fetch(`${bq.url}/projects/chiplog-local/queries`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query: 'SELECT 1' }) });
  expect(legacy.status).toBe(501);
});

test('a copy job leaves out the streaming buffer, and takes the layout of its source', async () => {
  await bq.client.dataset('d').createTable('copied', { schema: { fields: [{ name: 'a', type: 'INTEGER' }] }, clustering: { fields: ['a'] } } as never);
  await job('SELECT 1 AS a', into('copied', { writeDisposition: 'WRITE_APPEND' }));
  await table('copied').insert([{ a: 2 }]);
  await (table('copied').copy(table('copy')) as Promise<unknown>);
  expect(await rowsOf('SELECT a FROM d.copied ORDER BY a')).toEqual([{ a: 1 }, { a: 2 }]);
  await ended((await bq.client.getJobs({ maxResults: 1 }))[0][0]!.id!);
  expect(await rowsOf('SELECT a FROM d.copy')).toEqual([{ a: 1 }]);
  expect((await table('copy').getMetadata())[0].clustering).toEqual({ fields: ['a'] });
});

test('a file of lines is loaded with its JSON columns, by upload and from Cloud Storage, gzip members and all', async () => {
  const schema = { fields: [{ name: 'id', type: 'STRING' }, { name: 'at', type: 'TIMESTAMP' }, { name: 'body', type: 'JSON' }, { name: 'tags', type: 'STRING', mode: 'REPEATED' }] };
  const file = join(bq.dataDir, 'lines.ndjson');
  writeFileSync(file, '{"id":"a","at":"2026-01-15T00:00:00.5Z","body":{"x":[1,2.5]},"tags":["t"]}\n{"id":"b"}\n');
  const [loaded] = await table('uploaded').load(file, { sourceFormat: 'NEWLINE_DELIMITED_JSON', schema } as never);
  expect((await ended(loaded.jobReference!.jobId!)).statistics.load.outputRows).toBe('2');
  expect(await rowsOf("SELECT id, JSON_VALUE(body, '$.x[1]') AS x, ARRAY_LENGTH(tags) AS tags FROM d.uploaded ORDER BY id")).toEqual([{ id: 'a', x: '2.5', tags: 1 }, { id: 'b', x: null, tags: 0 }]);

  const object = Buffer.concat([gzipSync('{"id":"c"}\n'), gzipSync('{"id":"d","body":"text"}\n')]);
  const storage = createServer((request, response) => {
    if (request.url?.includes('alt=media')) response.end(object);
    else response.end(JSON.stringify({ items: [{ name: 'raw/1.ndjson.gz' }] }));
  });
  await new Promise<void>((done) => storage.listen(0, '127.0.0.1', done));
  process.env['STORAGE_EMULATOR_HOST'] = `http://127.0.0.1:${(storage.address() as AddressInfo).port}`;
  const [made] = await bq.client.createJob({ configuration: { load: { sourceUris: ['gs://b/raw/*'], sourceFormat: 'NEWLINE_DELIMITED_JSON', schema, destinationTable: into('uploaded').destinationTable } } } as never);
  expect((await ended(made.id!)).status.errorResult).toBeUndefined();
  expect(await rowsOf('SELECT id FROM d.uploaded ORDER BY id')).toEqual([{ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'd' }]);
  delete process.env['STORAGE_EMULATOR_HOST'];
  storage.close();
  storage.closeAllConnections();
});

test('a bad line fails the whole load and names the file and the place', async () => {
  const file = join(bq.dataDir, 'bad.ndjson');
  writeFileSync(file, '{"id":"a"}\n{"id":"b","extra":1}\n');
  const [loaded] = await table('bad_load').load(file, { sourceFormat: 'NEWLINE_DELIMITED_JSON', schema: { fields: [{ name: 'id', type: 'STRING' }] } } as never).catch((error: unknown) => [error as never]);
  const id = (loaded as { jobReference?: { jobId: string } }).jobReference?.jobId ?? (await bq.client.getJobs({ maxResults: 1 }))[0][0]!.id!;
  expect((await ended(id)).status.errorResult.message).toMatch(/no such field: extra.*Line start position: 11/);
  expect((await table('bad_load').exists())[0]).toBe(false);
});

test('a table function and a function are made over REST and by statement, listed, used and deleted', async () => {
  await rowsOf('CREATE OR REPLACE TABLE FUNCTION d.above(low INT64) AS (SELECT a FROM d.counted WHERE a > low)');
  expect(await rowsOf('SELECT a FROM d.above(3)')).toEqual([{ a: 5 }]);
  await bq.client.dataset('d').createRoutine('twice', { routineType: 'SCALAR_FUNCTION', language: 'SQL', definitionBody: 'x * 2', arguments: [{ name: 'x', dataType: { typeKind: 'INT64' } }] } as never);
  expect(await rowsOf('SELECT d.twice(21) AS y')).toEqual([{ y: 42 }]);
  const [routines] = await bq.client.dataset('d').getRoutines();
  expect(routines.map((routine) => routine.id)).toEqual(['above', 'twice']);
  await bq.client.dataset('d').routine('twice').delete();
  await expect(bq.client.dataset('d').routine('twice').getMetadata()).rejects.toMatchObject({ code: 404 });
});

test('statements make, change and drop tables and views', async () => {
  await rowsOf('CREATE TABLE d.made (a INT64, r STRUCT<x STRING>) CLUSTER BY a');
  await rowsOf("INSERT INTO d.made VALUES (1, STRUCT('p'))");
  await rowsOf('ALTER TABLE d.made ADD COLUMN b STRING');
  await rowsOf('CREATE VIEW d.looked AS SELECT a, b FROM d.made');
  expect(await rowsOf('SELECT * FROM d.looked')).toEqual([{ a: 1, b: null }]);
  await rowsOf('CREATE OR REPLACE TABLE d.made AS SELECT 7 AS a, CAST(NULL AS STRING) AS b');
  expect(await rowsOf('SELECT * FROM d.looked')).toEqual([{ a: 7, b: null }]);
  await rowsOf('DROP VIEW d.looked');
  await rowsOf('DROP TABLE d.made');
  await rowsOf('DROP TABLE IF EXISTS d.made');
  await expect(rowsOf('SELECT * FROM d.made')).rejects.toMatchObject({ code: 404 });
});
