// jobs.* of the REST API, with queries and their results. Handlers for http.ts.
import { randomUUID } from 'node:crypto';
import { readPage, type Page } from './results.ts';
import { isOn, readToken, tokenOf, type Answer, type Call, type Routes } from './http.ts';
import type { Configuration, Job, Jobs, Work } from './jobs.ts';
import { checkLabels } from './labels.ts';
import { Refusal, refusalOf } from './refusal.ts';
import { etagOf } from './rest-datasets.ts';
import { isScript, plan, processedBytes, resultFields, runQuery, statisticsOf, type QueryConfiguration, type QueryRunner } from './run-query.ts';
import { runScript } from './run-script.ts';
import { physicalSql } from './table-store.ts';
import { hasTimestamp, withTimestamps, wireRowSql, type TimestampFormat } from './wire-rows.ts';
import { quoted } from './fields.ts';

export type JobsApi = QueryRunner & {
  jobs: Jobs;
  /** Waits as a fault says, so that a job stays RUNNING. */
  pause: (job: Job) => Promise<void>;
  load: (job: Job, upload: readonly Buffer[] | undefined) => Promise<Work>;
  copy: (job: Job) => Promise<Work>;
  extract: (job: Job) => Promise<Work>;
};

const LOCATION = 'US';
/** "The default is 10 seconds" (jobs.query timeoutMs). */
const TIMEOUT_MS = 10_000;

export function jobResource(job: Job, base: string): object {
  const times = {
    creationTime: String(job.createdMs), ...(job.startedMs === undefined ? {} : { startTime: String(job.startedMs) }), ...(job.endedMs === undefined ? {} : { endTime: String(job.endedMs) }),
    ...(job.endedMs === undefined ? {} : { totalSlotMs: String(Math.max(1, job.endedMs - job.createdMs)) }),
  };
  const query = job.statistics['query'] as object | undefined;
  const dml = job.result?.dmlRows === undefined ? {} : { numDmlAffectedRows: String(job.result.dmlRows) };
  return {
    kind: 'bigquery#job', etag: etagOf(job), id: `${job.project}:${job.location}.${job.jobId}`, selfLink: `${base}/bigquery/v2/projects/${job.project}/jobs/${job.jobId}?location=${job.location}`,
    user_email: 'local@chiplog.invalid', jobReference: { projectId: job.project, jobId: job.jobId, location: job.location }, configuration: job.configuration,
    statistics: { ...times, ...(job.parentJobId === undefined ? {} : { parentJobId: job.parentJobId }), ...job.statistics, ...(query === undefined ? {} : { query: { ...query, ...dml } }) },
    status: { state: job.state, ...(job.errorResult === undefined ? {} : { errorResult: job.errorResult }), ...(job.errors === undefined ? {} : { errors: job.errors }) },
  };
}

const KINDS = ['query', 'load', 'copy', 'extract'] as const;

/** Starts a job of any kind. Refusals of the configuration come as HTTP errors, as Google's do; its id is then used up all the same. */
export async function insertJob(api: JobsApi, project: string, body: Record<string, unknown>, upload?: readonly Buffer[]): Promise<{ job: Job; done: Promise<void> }> {
  const given = (body['configuration'] ?? {}) as Configuration;
  const kind = KINDS.find((name) => given[name] !== undefined);
  if (kind === undefined) throw new Refusal('required', 'Required parameter is missing: job type specific configuration');
  const reference = (body['jobReference'] ?? {}) as { jobId?: string; location?: string };
  const jobId = reference.jobId ?? `job_${randomUUID().replaceAll('-', '')}`;
  if (!/^[\w-]{1,1024}$/.test(jobId)) throw new Refusal('invalid', `Invalid job ID "${jobId}": letters, numbers, underscores and dashes, at most 1024 characters.`);
  const configuration: Configuration = { ...given, jobType: kind.toUpperCase() };
  checkLabels(given.labels);
  const spec = { project, jobId, location: reference.location ?? LOCATION, configuration };
  if (given.dryRun === true) return { job: await dryRun(api, spec), done: Promise.resolve() };
  let refused: unknown;
  let isScriptPlanned = false;
  if (kind === 'query') {
    try {
      isScriptPlanned = isScript(plan(api, project, given['query'] as QueryConfiguration));
    } catch (error) {
      refused = error;
    }
  }
  const started = await api.jobs.start(spec, async (job, onCancel) => {
    if (refused !== undefined) throw refused;
    await api.pause(job);
    if (kind === 'load') return api.load(job, upload);
    if (kind === 'extract') return api.extract(job);
    if (kind === 'copy') return api.copy(job);
    return isScriptPlanned ? runScript(api, job, onCancel) : runQuery(api, job, onCancel);
  });
  if (refused !== undefined) {
    await started.done;
    throw refusalOf(refused, 'invalidQuery');
  }
  return started;
}

async function dryRun(api: JobsApi, spec: Pick<Job, 'project' | 'jobId' | 'location' | 'configuration'>): Promise<Job> {
  const config = spec.configuration['query'] as QueryConfiguration | undefined;
  if (config === undefined) throw new Refusal('notImplemented', 'Dry runs of other jobs than queries are not implemented in the local BigQuery.');
  const statements = plan(api, spec.project, config);
  const statistics = statisticsOf(statements, await processedBytes(api, statements));
  const last = statements.at(-1)!;
  if (last.kind === 'select') {
    const fields = await api.store.engine.read((connection) => resultFields(connection, last)).catch((error: unknown) => { throw refusalOf(error, 'invalidQuery'); });
    (statistics['query'] as Record<string, unknown>)['schema'] = { fields };
  }
  const now = api.store.now();
  return { ...spec, state: 'DONE', createdMs: now, startedMs: now, endedMs: now, statistics };
}

const formatOf = (timestamp: string | null | undefined, int64: boolean): TimestampFormat =>
  timestamp === 'ISO8601_STRING' ? 'ISO8601_STRING' : timestamp === 'INT64' || int64 ? 'INT64' : 'FLOAT64';

/** A part of a finished query's rows. Rows of a destination table are read from the table, as Google does. */
async function resultPage(api: JobsApi, job: Job, start: number, rowsMax: number): Promise<Page> {
  const result = job.result;
  if (result === undefined || rowsMax === 0) return { rows: [], nextStart: undefined };
  if (result.file !== undefined) return api.results.read(result.file, start, rowsMax);
  if (result.table === undefined) return { rows: [], nextStart: undefined };
  const { projectId, datasetId, tableId } = result.table;
  return api.store.reading(async () => {
    const table = api.store.catalogue.table(projectId, datasetId, tableId);
    const rows = await api.store.engine.read((connection) => readPage(connection,
      `SELECT ${wireRowSql(result.fields, result.fields.map((field) => quoted(field.name)))} FROM (SELECT * FROM ${physicalSql(table.physical)} LIMIT ${Math.min(rowsMax, result.rows - start)} OFFSET ${start})`));
    return { rows, nextStart: start + rows.length < result.rows && rows.length > 0 ? start + rows.length : undefined };
  });
}

async function queryAnswer(api: JobsApi, job: Job, options: { start: number; rowsMax: number; format: TimestampFormat; kind: string }): Promise<Answer> {
  const reference = { kind: options.kind, jobReference: { projectId: job.project, jobId: job.jobId, location: job.location } };
  if (job.state !== 'DONE') return { body: { ...reference, jobComplete: false } };
  if (job.errorResult !== undefined) throw refusalOf({ ...job.errorResult });
  const result = job.result;
  const page = await resultPage(api, job, options.start, options.rowsMax);
  const fields = result?.fields ?? [];
  const rows = options.format !== 'INT64' && hasTimestamp(fields) ? page.rows.map((row) => JSON.stringify(withTimestamps(JSON.parse(row) as { f: { v: unknown }[] }, fields, options.format))) : page.rows;
  const query = job.statistics['query'] as Record<string, unknown> | undefined;
  const isRows = result?.file !== undefined || result?.table !== undefined;
  return {
    body: {
      ...reference, etag: etagOf(job), jobComplete: true, cacheHit: false, totalBytesProcessed: query?.['totalBytesProcessed'] ?? '0',
      ...(isRows ? { schema: { fields }, totalRows: String(result.rows) } : { totalRows: '0' }),
      ...(result?.dmlRows === undefined ? {} : { numDmlAffectedRows: String(result.dmlRows) }),
      ...(page.nextStart === undefined ? {} : { pageToken: tokenOf(page.nextStart) }),
    },
    ...(rows.length > 0 ? { rows } : {}),
  };
}

async function query(api: JobsApi, call: Call): Promise<Answer> {
  const { query: text, defaultDataset, queryParameters, parameterMode, labels, dryRun: dry, timeoutMs, maxResults, formatOptions, useLegacySql, connectionProperties, createSession, continuous } = call.body;
  // The REST default of useLegacySql is true; who leaves it out would get another language from Google.
  if (useLegacySql !== false) throw new Refusal('notImplemented', 'Legacy SQL is not implemented in the local BigQuery: say useLegacySql: false.');
  const config = Object.fromEntries(Object.entries({ query: text, defaultDataset, queryParameters, parameterMode, useLegacySql, connectionProperties, createSession, continuous }).filter(([, value]) => value !== undefined));
  const configuration = { query: config, ...(labels === undefined ? {} : { labels }), ...(dry === true ? { dryRun: true } : {}) };
  const location = typeof call.body['location'] === 'string' ? { location: call.body['location'] } : {};
  const { job } = await insertJob(api, call.params['project']!, { configuration, jobReference: location });
  if (dry === true) {
    const statistics = job.statistics['query'] as Record<string, unknown>;
    return { body: { kind: 'bigquery#queryResponse', jobComplete: true, totalRows: '0', totalBytesProcessed: statistics['totalBytesProcessed'], schema: statistics['schema'], cacheHit: false } };
  }
  await api.jobs.wait(job, Number(timeoutMs ?? TIMEOUT_MS));
  const format = formatOptions as { useInt64Timestamp?: boolean; timestampOutputFormat?: string } | undefined;
  return queryAnswer(api, job, { start: 0, rowsMax: Number(maxResults ?? Infinity), format: formatOf(format?.timestampOutputFormat, format?.useInt64Timestamp === true), kind: 'bigquery#queryResponse' });
}

async function queryResults(api: JobsApi, call: Call): Promise<Answer> {
  const job = await api.jobs.find(call.params['project']!, call.params['job']!);
  if (job.configuration.jobType !== 'QUERY') throw new Refusal('invalid', `Job ${job.jobId} is not a query.`);
  await api.jobs.wait(job, Number(call.query.get('timeoutMs') ?? TIMEOUT_MS));
  const token = call.query.get('pageToken');
  const start = token === null || token === '' ? Number(call.query.get('startIndex') ?? 0) : readToken(token);
  const rowsMax = Number(call.query.get('maxResults') ?? Infinity);
  const format = formatOf(call.query.get('formatOptions.timestampOutputFormat'), isOn(call, 'formatOptions.useInt64Timestamp'));
  return queryAnswer(api, job, { start, rowsMax, format, kind: 'bigquery#getQueryResultsResponse' });
}

async function listJobs(api: JobsApi, call: Call): Promise<Answer> {
  const token = call.query.get('pageToken') ?? '';
  const after = token === '' ? undefined : /^job=(\d+):(.+)$/.exec(Buffer.from(token, 'base64url').toString());
  if (after === null) throw new Refusal('invalid', `Invalid page token: ${token}`);
  const jobsMax = Math.min(Number(call.query.get('maxResults') ?? 50) || 50, 1_000);
  const jobs = await api.jobs.list(call.params['project']!, {
    states: call.query.getAll('stateFilter').map((state) => state.toUpperCase()),
    // Child jobs of a script are listed for their parent only.
    parentJobId: call.query.get('parentJobId') ?? undefined,
    fromMs: Number(call.query.get('minCreationTime') ?? 0), toMs: Number(call.query.get('maxCreationTime') ?? Number.MAX_SAFE_INTEGER),
    after: after === undefined ? undefined : { createdMs: Number(after[1]), jobId: after[2]! }, jobsMax: jobsMax + 1,
  });
  const part = jobs.slice(0, jobsMax);
  const last = part.at(-1);
  const nextPageToken = jobs.length > jobsMax && last !== undefined ? Buffer.from(`job=${last.createdMs}:${last.jobId}`).toString('base64url') : undefined;
  return { body: { kind: 'bigquery#jobList', jobs: part.map((job) => ({ ...jobResource(job, call.base), kind: undefined, state: job.state, errorResult: job.errorResult })), nextPageToken } };
}

export function jobRoutes(api: JobsApi): Routes {
  const path = '/projects/{project}/jobs';
  return {
    [`POST ${path}`]: { method: 'jobs.insert', handler: async (call) => ({ body: jobResource((await insertJob(api, call.params['project']!, call.body)).job, call.base) }) },
    [`GET ${path}`]: { method: 'jobs.list', handler: (call) => listJobs(api, call) },
    [`GET ${path}/{job}`]: { method: 'jobs.get', handler: async (call) => ({ body: jobResource(await api.jobs.find(call.params['project']!, call.params['job']!), call.base) }) },
    [`POST ${path}/{job}/cancel`]: { method: 'jobs.cancel', handler: async (call) => {
      const job = await api.jobs.find(call.params['project']!, call.params['job']!);
      api.jobs.cancel(job);
      return { body: { kind: 'bigquery#jobCancelResponse', job: jobResource(job, call.base) } };
    } },
    'POST /projects/{project}/queries': { method: 'jobs.query', handler: (call) => query(api, call) },
    'GET /projects/{project}/queries/{job}': { method: 'jobs.getQueryResults', handler: (call) => queryResults(api, call) },
  };
}
