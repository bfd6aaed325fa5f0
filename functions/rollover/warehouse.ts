// BigQuery as the rollover needs it: table names, query jobs with ids of our choice, one drop. In goes Google's client, out comes
// a handful of functions. Called by function.ts; tests wrap it to die after any call.
import { randomUUID } from 'node:crypto';
import type { BigQuery } from '@google-cloud/bigquery';
import type { TableField } from '../stream-tables.ts';
import type { DatasetPath } from './sql/text.ts';

export type JobState =
  | { state: 'absent' }
  | { state: 'running' }
  | { state: 'done'; startedMs: number; elapsedMs: number; bytesProcessed: number }
  | { state: 'failed'; startedMs: number; reason: string };

export type Row = Record<string, unknown>;
/** The result replaces the table (or the partition, as table$YYYYMMDD). */
export type Destination = { table: string; clustering?: readonly string[]; partitionedBy?: string };

export type Warehouse = {
  at: DatasetPath;
  /** The id that BigQuery knows a job by. Ids are unique in a project, which may hold several datasets of Chiplog. */
  fullJobId(id: string): string;
  tables(): Promise<string[]>;
  job(id: string): Promise<JobState>;
  /** Starts a query job. That there is one with this id already is no error: it is the same one, started by another call. */
  submit(id: string, sql: string, destination?: Destination): Promise<void>;
  /** The result of a done job; undefined when it is no longer kept (BigQuery: 24 h). */
  rows(id: string): Promise<Row[] | undefined>;
  /** A query whose job nobody needs to find again. */
  ask(sql: string): Promise<Row[]>;
  /** The same about one table; undefined when the table is gone, since another call may have dropped it a moment ago. */
  askOfTable(sql: string): Promise<Row[] | undefined>;
  /** BigQuery's clock, milliseconds since 1970. */
  nowMs(): Promise<number>;
  /** Columns' descriptions and the day the table expires: a job that replaces a table does not carry them over. */
  describe(table: string, about: { description: string; fields: readonly TableField[]; expirationMs?: number }): Promise<'described' | 'absent'>;
  /** That it is gone already is no error. */
  drop(table: string): Promise<void>;
};

const codeOf = (error: unknown): number => Number((error as { code?: unknown }).code);
const NOT_FOUND = 404;
const ALREADY_EXISTS = 409;

export function createWarehouse(bigquery: BigQuery, at: DatasetPath, location: string): Warehouse {
  const dataset = bigquery.dataset(at.dataset);
  const fullJobId = (id: string): string => `${id}_in_${at.dataset}`;

  async function job(id: string): Promise<JobState> {
    try {
      const [metadata] = await bigquery.job(fullJobId(id), { location }).getMetadata() as [JobMetadata, unknown];
      return stateOf(metadata);
    } catch (error) {
      if (codeOf(error) === NOT_FOUND) return { state: 'absent' };
      throw error;
    }
  }

  async function submit(id: string, sql: string, destination?: Destination): Promise<void> {
    try {
      await bigquery.createJob({ jobId: fullJobId(id), location, configuration: { query: { query: sql, useLegacySql: false, ...(destination === undefined ? {} : writing(at, destination)) } } });
    } catch (error) {
      if (codeOf(error) === ALREADY_EXISTS) return;
      // A job that fails at once is reported by the client as a failed call; the job is there and says why itself.
      if ((await job(id)).state === 'absent') throw error;
    }
  }

  async function rows(id: string): Promise<Row[] | undefined> {
    try {
      const [result] = await bigquery.job(fullJobId(id), { location }).getQueryResults();
      return result as Row[];
    } catch (error) {
      if (codeOf(error) === NOT_FOUND) return undefined;
      throw error;
    }
  }

  const ask = async (sql: string): Promise<Row[]> => (await bigquery.query({ query: sql, location, jobId: `rollover_ask_${randomUUID()}` }))[0] as Row[];

  async function askOfTable(sql: string): Promise<Row[] | undefined> {
    try {
      return await ask(sql);
    } catch (error) {
      if (codeOf(error) === NOT_FOUND) return undefined;
      throw error;
    }
  }

  return {
    at,
    fullJobId,
    ask,
    askOfTable,
    job,
    submit,
    rows,
    tables: async () => (await dataset.getTables())[0].map(({ id }) => id!).sort(),
    nowMs: async () => Number((await ask('SELECT UNIX_MILLIS(CURRENT_TIMESTAMP()) AS now_ms'))[0]?.['now_ms']),
    describe: async (table, { description, fields, expirationMs }) => {
      try {
        await dataset.table(table).setMetadata({ description, schema: { fields: [...fields] }, ...(expirationMs === undefined ? {} : { expirationTime: String(expirationMs) }) });
        return 'described';
      } catch (error) {
        if (codeOf(error) === NOT_FOUND) return 'absent';
        throw error;
      }
    },
    drop: async (table) => { await dataset.table(table).delete({ ignoreNotFound: true }); },
  };
}

function writing({ project, dataset }: DatasetPath, { table, clustering, partitionedBy }: Destination): object {
  return {
    destinationTable: { projectId: project, datasetId: dataset, tableId: table },
    createDisposition: 'CREATE_IF_NEEDED',
    writeDisposition: 'WRITE_TRUNCATE',
    ...(clustering === undefined || clustering.length === 0 ? {} : { clustering: { fields: [...clustering] } }),
    ...(partitionedBy === undefined ? {} : { timePartitioning: { type: 'DAY', field: partitionedBy } }),
  };
}

type JobMetadata = {
  status?: { state?: string; errorResult?: { reason?: string; message?: string } };
  statistics?: { creationTime?: string; startTime?: string; endTime?: string; totalBytesProcessed?: string };
};

function stateOf({ status, statistics }: JobMetadata): JobState {
  if (status?.state !== 'DONE') return { state: 'running' };
  const startedMs = Number(statistics?.startTime ?? statistics?.creationTime ?? 0);
  if (status.errorResult !== undefined) return { state: 'failed', startedMs, reason: `${status.errorResult.reason ?? 'error'}: ${status.errorResult.message ?? 'no message'}` };
  return { state: 'done', startedMs, elapsedMs: Math.max(0, Number(statistics?.endTime ?? startedMs) - startedMs), bytesProcessed: Number(statistics?.totalBytesProcessed ?? 0) };
}
