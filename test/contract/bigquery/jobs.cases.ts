// Contract cases of jobs: ids, states, cancelling, lists, waiting, dry runs and statistics.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { refusalOf, until } from '../wait.ts';
import { errorOf, type BigQueryWorld, type Resource } from './world.ts';

const JOBS = 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/Job';
const IDS = 'https://docs.cloud.google.com/bigquery/docs/running-jobs#generate-jobid';
/** Long enough to be met while it runs. */
const SLOW = 'SELECT COUNT(*) AS n FROM UNNEST(GENERATE_ARRAY(1, 30000)) AS a CROSS JOIN UNNEST(GENERATE_ARRAY(1, 100000)) AS b WHERE MOD(a * b, 7) = 3';

export const JOB_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'job-id-used-twice', promise: 'a job id that was used is 409 duplicate, and jobs.get gives the job that has it', methods: ['jobs.insert', 'jobs.get'], source: IDS,
    async run(world) {
      const jobId = world.name('job');
      await world.query('SELECT 1 AS one', {}, { jobId });
      const answer = await world.call({ method: 'POST', path: '/jobs', body: { jobReference: { jobId }, configuration: { query: { query: 'SELECT 2 AS two', useLegacySql: false } } } });
      expect(errorOf(answer)).toMatchObject({ status: 409, reason: 'duplicate', message: expect.stringMatching(new RegExp(`^Already Exists: Job .*${jobId}`)) });
      expect((await world.ended(jobId))['configuration'].query.query).toBe('SELECT 1 AS one');
    },
  },
  {
    name: 'job-id-kept-by-failed-job', promise: 'the id of a job that failed stays taken, and the job says why it failed', methods: ['jobs.insert', 'jobs.get'], source: IDS,
    async run(world) {
      const jobId = world.name('job');
      const failed = await world.query("SELECT CAST(CONCAT('x', CAST(n AS STRING)) AS INT64) AS n FROM UNNEST([1]) AS n", {}, { jobId }).catch((error: Resource) => ({ status: { errorResult: error['errors'][0] } }));
      expect(failed['status'].errorResult.reason).toBe('invalidQuery');
      expect(await refusalOf(world.query('SELECT 1 AS one', {}, { jobId }))).toMatchObject({ code: 409 });
      expect((await world.ended(jobId))['status']).toMatchObject({ state: 'DONE', errorResult: { reason: 'invalidQuery' }, errors: [{ reason: 'invalidQuery' }] });
    },
  },
  {
    name: 'job-id-raced', promise: 'of many inserts at once under one id exactly one starts a job, all others are 409', methods: ['jobs.insert'], source: IDS,
    async run(world) {
      const jobId = world.name('job');
      const answers = await Promise.all(Array.from({ length: 6 }, (_, n) => world.call({ method: 'POST', path: '/jobs', body: { jobReference: { jobId }, configuration: { query: { query: `SELECT ${n} AS n`, useLegacySql: false } } } })));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
    },
  },
  {
    name: 'job-id-form', promise: 'a job id has letters, digits, underscores and dashes, and at most 1,024 characters', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/JobReference',
    async run(world) {
      const insert = async (jobId: string): Promise<number> => (await world.call({ method: 'POST', path: '/jobs', body: { jobReference: { jobId }, configuration: { query: { query: 'SELECT 1 AS a', useLegacySql: false } } } })).status;
      const unique = world.name('job');
      expect(await insert(`${unique}${'-'.repeat(1_024 - unique.length)}`)).toBe(200);
      expect(await insert(`${unique}${'_'.repeat(1_025 - unique.length)}`)).toBe(400);
      expect(await insert(`${unique}.x`)).toBe(400);
    },
  },
  {
    name: 'job-resource', promise: 'a job answers with its reference, configuration, state and times in order', methods: ['jobs.insert', 'jobs.get'], source: JOBS,
    async run(world) {
      const jobId = world.name('job');
      const beganMs = Date.now();
      const done = await world.job({ query: { query: 'SELECT 1 AS one', useLegacySql: false, priority: 'INTERACTIVE' }, labels: { who: 'contract' } }, { jobId });
      expect(done).toMatchObject({ kind: 'bigquery#job', jobReference: { projectId: world.launched.project, jobId }, configuration: { jobType: 'QUERY', labels: { who: 'contract' }, query: { priority: 'INTERACTIVE' } }, status: { state: 'DONE' } });
      const { creationTime, startTime, endTime } = done['statistics'] as { creationTime: string; startTime: string; endTime: string };
      expect(Number(creationTime)).toBeGreaterThan(beganMs - 60_000);
      expect(Number(startTime)).toBeGreaterThanOrEqual(Number(creationTime));
      expect(Number(endTime)).toBeGreaterThanOrEqual(Number(startTime));
    },
  },
  {
    name: 'job-unknown', promise: 'jobs.get and jobs.getQueryResults of an id that nobody used are 404 notFound', methods: ['jobs.get', 'jobs.getQueryResults', 'jobs.cancel'], source: JOBS,
    async run(world) {
      const id = world.name('never');
      for (const call of [{ path: `/jobs/${id}` }, { path: `/queries/${id}` }, { method: 'POST', path: `/jobs/${id}/cancel` }]) {
        expect(errorOf(await world.call(call))).toMatchObject({ status: 404, reason: 'notFound', message: expect.stringMatching(/^Not found: Job /) });
      }
    },
  },
  {
    name: 'job-without-kind', promise: 'a job that is neither query, load, copy nor extract is refused', methods: ['jobs.insert'], source: JOBS,
    async run(world) {
      expect(errorOf(await world.call({ method: 'POST', path: '/jobs', body: { configuration: { labels: {} } } }))).toMatchObject({ status: 400, reason: expect.stringMatching(/required|invalid/) });
    },
  },
  {
    name: 'job-cancelled', promise: 'a running job that is cancelled ends with the reason stopped', methods: ['jobs.cancel', 'jobs.get'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/cancel',
    async run(world) {
      const jobId = world.name('job');
      await world.client.createJob({ jobId, configuration: { query: { query: SLOW, useLegacySql: false } } } as never);
      const answer = await world.call({ method: 'POST', path: `/jobs/${jobId}/cancel` });
      expect(answer).toMatchObject({ status: 200, body: { kind: 'bigquery#jobCancelResponse', job: { jobReference: { jobId } } } });
      expect((await world.ended(jobId))['status']).toMatchObject({ state: 'DONE', errorResult: { reason: 'stopped' } });
    },
  },
  {
    name: 'job-cancelled-too-late', promise: 'cancelling a job that is done answers 200 and changes nothing', methods: ['jobs.cancel'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/cancel',
    async run(world) {
      const jobId = world.name('job');
      await world.query('SELECT 1 AS one', {}, { jobId });
      expect((await world.call({ method: 'POST', path: `/jobs/${jobId}/cancel` })).status).toBe(200);
      expect((await world.ended(jobId))['status'].errorResult).toBeUndefined();
    },
  },
  {
    name: 'query-timeout', promise: 'jobs.query answers jobComplete false after timeoutMs and the job goes on; getQueryResults waits for it', methods: ['jobs.query', 'jobs.getQueryResults'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query#QueryRequest',
    async run(world) {
      const { body } = await world.call({ method: 'POST', path: '/queries', body: { query: SLOW, useLegacySql: false, timeoutMs: 1 } });
      expect(body).toMatchObject({ kind: 'bigquery#queryResponse', jobComplete: false, jobReference: { jobId: expect.any(String) } });
      expect(body['rows']).toBeUndefined();
      const { jobId } = body['jobReference'];
      const waiting = await world.call({ path: `/queries/${jobId}`, query: { timeoutMs: 1 } });
      expect(waiting.body['jobComplete']).toBe(false);
      await world.call({ method: 'POST', path: `/jobs/${jobId}/cancel` });
      await world.ended(jobId);
    },
  },
  {
    name: 'dry-run', promise: 'a dry run answers schema, statement and bytes, keeps no job and changes nothing', methods: ['jobs.insert', 'jobs.query', 'jobs.get'], source: 'https://docs.cloud.google.com/bigquery/docs/running-queries#dry-run',
    async run(world) {
      const table = await world.table([{ name: 'a', type: 'INTEGER' }, { name: 's', type: 'STRING' }]);
      await world.query(`INSERT INTO ${table.id} (a, s) VALUES (1, 'ab'), (2, 'cd')`);
      const jobId = world.name('job');
      const insert = (query: string): Promise<Resource> => world.call({ method: 'POST', path: '/jobs', body: { jobReference: { jobId }, configuration: { dryRun: true, query: { query, useLegacySql: false, defaultDataset: { datasetId: world.dataset } } } } });
      expect(await insert(`SELECT a, s AS text FROM ${table.id}`)).toMatchObject({ status: 200, body: {
        configuration: { dryRun: true }, status: { state: 'DONE' },
        // Two integers of 8 bytes; two texts of 2 bytes and 2 each (docs/reference/standard-sql/data-types).
        statistics: { totalBytesProcessed: '24', query: { statementType: 'SELECT', schema: { fields: [{ name: 'a', type: 'INTEGER' }, { name: 'text', type: 'STRING' }] } } },
      } });
      expect((await world.call({ path: `/jobs/${jobId}` })).status).toBe(404);
      expect((await insert(`DELETE FROM ${table.id} WHERE TRUE`))['status']).toBe(200);
      expect(await world.rows(`SELECT COUNT(*) AS n FROM ${table.id}`)).toEqual([{ n: 2 }]);
      expect(errorOf(await insert('SELECT nonsense FROM nowhere') as never).status).toBeGreaterThanOrEqual(400);
      const { body } = await world.call({ method: 'POST', path: '/queries', body: { query: 'SELECT 1 AS one', useLegacySql: false, dryRun: true } });
      expect(body).toMatchObject({ jobComplete: true, totalBytesProcessed: '0', schema: { fields: [{ name: 'one', type: 'INTEGER' }] } });
    },
  },
  {
    name: 'statistics-of-statements', promise: 'statistics name the statement, the tables that were read, the rows that DML changed and what DDL did', methods: ['jobs.get'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2',
    async run(world) {
      const table = await world.table([{ name: 'a', type: 'INTEGER' }]);
      const reference = { projectId: world.launched.project, datasetId: world.dataset, tableId: table.id };
      const of = async (query: string): Promise<Resource> => (await world.query(query))['statistics'].query;
      expect(await of(`INSERT INTO ${table.id} (a) VALUES (1), (2), (3)`)).toMatchObject({ statementType: 'INSERT', numDmlAffectedRows: '3' });
      expect(await of(`UPDATE ${table.id} SET a = a + 1 WHERE a > 1`)).toMatchObject({ statementType: 'UPDATE', numDmlAffectedRows: '2' });
      expect(await of(`SELECT a FROM ${table.id}`)).toMatchObject({ statementType: 'SELECT', totalBytesProcessed: '24', referencedTables: [reference] });
      expect(await of(`DELETE FROM ${table.id} WHERE a = 1`)).toMatchObject({ statementType: 'DELETE', numDmlAffectedRows: '1' });
      expect(await of(`MERGE ${table.id} t USING (SELECT 9 AS a) s ON t.a = s.a WHEN NOT MATCHED THEN INSERT (a) VALUES (a)`)).toMatchObject({ statementType: 'MERGE', numDmlAffectedRows: '1' });
      const made = world.name('made');
      expect(await of(`CREATE TABLE ${made} AS SELECT 1 AS x`)).toMatchObject({ statementType: 'CREATE_TABLE_AS_SELECT', ddlOperationPerformed: 'CREATE', ddlTargetTable: { tableId: made } });
      expect(await of(`CREATE TABLE IF NOT EXISTS ${made} (x INT64)`)).toMatchObject({ ddlOperationPerformed: 'SKIP' });
      expect(await of(`CREATE OR REPLACE TABLE ${made} (x INT64)`)).toMatchObject({ ddlOperationPerformed: 'REPLACE' });
      expect(await of(`DROP TABLE ${made}`)).toMatchObject({ statementType: 'DROP_TABLE', ddlOperationPerformed: 'DROP' });
      expect(await of(`DROP TABLE IF EXISTS ${made}`)).toMatchObject({ ddlOperationPerformed: 'SKIP' });
    },
  },
  {
    name: 'dml-answers-counts', promise: 'jobs.query of a DML statement answers numDmlAffectedRows and no rows', methods: ['jobs.query'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query#QueryResponse',
    async run(world) {
      const table = await world.table([{ name: 'a', type: 'INTEGER' }]);
      const { body } = await world.call({ method: 'POST', path: '/queries', body: { query: `INSERT INTO ${table.id} (a) VALUES (1), (2)`, useLegacySql: false, defaultDataset: { datasetId: world.dataset } } });
      expect(body).toMatchObject({ jobComplete: true, numDmlAffectedRows: '2' });
      expect(body['rows']).toBeUndefined();
    },
  },
  {
    name: 'jobs-listed', promise: 'jobs.list gives the newest first, by pages, by state and between two creation times', methods: ['jobs.list'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/list',
    async run(world) {
      const ids = ['a', 'b', 'c'].map((letter) => world.name(`listed_${letter}`));
      const times: number[] = [];
      for (const jobId of ids) times.push(Number((await world.query('SELECT 1 AS one', {}, { jobId }))['statistics'].creationTime));
      const list = async (query: object): Promise<Resource> => (await world.call({ path: '/jobs', query: { projection: 'full', minCreationTime: times[0], maxCreationTime: times[2], ...query } })).body;
      const named = (body: Resource): string[] => ((body['jobs'] ?? []) as Resource[]).map((job) => job['jobReference'].jobId as string).filter((id) => ids.includes(id));
      expect(named(await list({ maxResults: 1_000 }))).toEqual(ids.toReversed());
      expect(named(await list({ maxResults: 1_000, stateFilter: 'running' }))).toEqual([]);
      expect(named(await list({ maxResults: 1_000, stateFilter: 'done' }))).toEqual(ids.toReversed());
      const seen: string[] = [];
      let pageToken: string | undefined;
      do {
        const page = await list({ maxResults: 2, ...(pageToken === undefined ? {} : { pageToken }) });
        expect(page['jobs'].length).toBeLessThanOrEqual(2);
        seen.push(...named(page));
        pageToken = page['nextPageToken'];
      } while (pageToken !== undefined);
      expect(seen).toEqual(ids.toReversed());
      expect(named((await world.call({ path: '/jobs', query: { minCreationTime: times[2]! + 60_000, maxResults: 1_000 } })).body)).toEqual([]);
    },
  },
  {
    name: 'child-jobs-listed-by-parent', promise: 'jobs.list shows the child jobs of a script to those who name their parent, and otherwise the jobs at the top only', methods: ['jobs.list'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/list',
    async run(world) {
      const jobId = world.name('script');
      const job = await world.query('SELECT 1 AS a; SELECT 2 AS b;', {}, { jobId });
      const list = async (query: object): Promise<Resource[]> => ((await world.call({ path: '/jobs', query: { projection: 'full', maxResults: 1_000, ...query } })).body['jobs'] ?? []) as Resource[];
      const children = await list({ parentJobId: jobId });
      expect(children.map((child) => child['statistics'].parentJobId)).toEqual([jobId, jobId]);
      const top = await list({ minCreationTime: job['statistics'].creationTime });
      expect(top.filter((one) => one['statistics'].parentJobId !== undefined)).toEqual([]);
      expect(top.map((one) => one['jobReference'].jobId)).toContain(jobId);
    },
  },
  {
    name: 'job-location', promise: 'a job says the location that it was asked to run in', methods: ['jobs.insert', 'jobs.get', 'jobs.query'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/JobReference',
    async run(world) {
      const { project } = world.launched;
      const jobId = world.name('located');
      const { body } = await world.call({ method: 'POST', path: '/jobs', body: { jobReference: { jobId, location: 'EU' }, configuration: { query: { query: 'SELECT 1 AS one', useLegacySql: false } } } });
      expect(body).toMatchObject({ id: `${project}:EU.${jobId}`, jobReference: { projectId: project, jobId, location: 'EU' } });
      expect((await world.call({ path: `/jobs/${jobId}`, query: { location: 'EU' } })).body['jobReference'].location).toBe('EU');
      const asked = await world.call({ method: 'POST', path: '/queries', body: { query: 'SELECT 1 AS one', useLegacySql: false, location: 'EU' } });
      expect(asked.body['jobReference'].location).toBe('EU');
    },
  },
  {
    name: 'job-labels-checked', promise: 'labels of a job are kept; a label key may not begin with a capital', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/labels-intro#requirements',
    async run(world) {
      const insert = (labels: object): Promise<Resource> => world.call({ method: 'POST', path: '/jobs', body: { configuration: { labels, query: { query: 'SELECT 1 AS a', useLegacySql: false } } } });
      expect((await insert({ team_1: 'größe-x', empty: '' }))['status']).toBe(200);
      expect((await insert({ Team: 'x' }))['status']).toBe(400);
      expect((await insert({ team: 'X' }))['status']).toBe(400);
      expect((await insert({ team: 'x'.repeat(64) }))['status']).toBe(400);
    },
  },
  {
    name: 'job-runs-after-answer', promise: 'jobs.insert answers before the job is done; its state goes from RUNNING (or PENDING) to DONE', methods: ['jobs.insert', 'jobs.get'], source: JOBS, needs: ['faults'], isAlone: true,
    async run(world) {
      await world.breakCalls({ method: 'job.run', kind: 'delay', delay_ms: 600 });
      const jobId = world.name('slow');
      const { body } = await world.call({ method: 'POST', path: '/jobs', body: { jobReference: { jobId }, configuration: { query: { query: 'SELECT 1 AS one', useLegacySql: false } } } });
      expect(body['status'].state).toMatch(/PENDING|RUNNING/);
      await until('it is done', async () => (await world.call({ path: `/jobs/${jobId}` })).body['status'].state === 'DONE');
    },
  },
  {
    name: 'job-outlives-kill', promise: 'jobs and their results are there after the service was killed, and their ids stay taken', methods: ['jobs.get', 'jobs.getQueryResults'], source: JOBS, needs: ['restart'], isAlone: true,
    async run(world) {
      const jobId = world.name('kept');
      await world.query('SELECT n FROM UNNEST(GENERATE_ARRAY(1, 1500)) AS n ORDER BY n', {}, { jobId });
      await world.launched.ours!.restart();
      const { body } = await world.call({ path: `/queries/${jobId}`, query: { maxResults: 2, startIndex: 1_400 } });
      expect(body).toMatchObject({ jobComplete: true, totalRows: '1500', rows: [{ f: [{ v: '1401' }] }, { f: [{ v: '1402' }] }] });
      expect(await refusalOf(world.query('SELECT 1 AS one', {}, { jobId }))).toMatchObject({ code: 409 });
    },
  },
  {
    name: 'running-job-ends-with-a-kill', promise: 'a job that runs when the service is killed is DONE afterwards, with an error, and has written nothing; its id stays taken', methods: ['jobs.insert', 'jobs.get'], source: JOBS, needs: ['restart'], isAlone: true,
    async run(world) {
      const [jobId, table] = [world.name('met'), world.name('t')];
      const query = { query: SLOW, useLegacySql: false, ...world.into(table) };
      const { body } = await world.call({ method: 'POST', path: '/jobs', body: { jobReference: { jobId }, configuration: { query } } });
      expect(body['status'].state).not.toBe('DONE');
      await world.launched.ours!.restart();
      const { errorResult, state } = (await world.call({ path: `/jobs/${jobId}` })).body['status'];
      expect([state, typeof errorResult?.reason]).toEqual(['DONE', 'string']);
      expect((await world.call({ path: `/datasets/${world.dataset}/tables/${table}` })).status).toBe(404);
      expect(await refusalOf(world.query('SELECT 1 AS one', {}, { jobId }))).toMatchObject({ code: 409 });
    },
  },
];
