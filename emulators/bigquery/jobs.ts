// Jobs: ids that are never used twice, states that survive kill -9, and the step that commits a job's work together with its DONE.
// Called by the REST resources; the work itself is in run-query.ts, run-load.ts and run-copy.ts.
import type { DuckDBConnection } from '@duckdb/node-api';
import { rowsOf, type Engine } from './engine.ts';
import type { TableField } from './fields.ts';
import { Refusal, refusalOf, type ErrorProto } from './refusal.ts';

export type TableReference = { projectId: string; datasetId: string; tableId: string };
export type Configuration = { jobType?: string; dryRun?: boolean; labels?: Record<string, string> } & Record<string, unknown>;

export type Job = {
  project: string;
  jobId: string;
  location: string;
  configuration: Configuration;
  /** Of a statement inside a script: the script's job. */
  parentJobId?: string;
  state: 'PENDING' | 'RUNNING' | 'DONE';
  createdMs: number;
  startedMs?: number;
  endedMs?: number;
  errorResult?: ErrorProto;
  /** Problems that did not fail the job, or the one that did. */
  errors?: ErrorProto[];
  /** `statistics` besides the times: totalBytesProcessed, query, load, copy. */
  statistics: Record<string, unknown>;
  /** Rows of a query: in a file of results.ts, or in its destination table. */
  result?: { fields: TableField[]; rows: number; file?: string; table?: TableReference; dmlRows?: number };
};

export type JobListWish = { states: string[]; parentJobId: string | undefined; fromMs: number; toMs: number; after: { createdMs: number; jobId: string } | undefined; jobsMax: number };

/** What a job's work leaves to do: `commit` runs in the transaction that also writes DONE, and answers what to make visible after it. */
export type Work = {
  statistics: Record<string, unknown>;
  result?: Job['result'];
  errors?: ErrorProto[];
  commit?: (connection: DuckDBConnection) => Promise<() => void>;
  /** Undoes what was prepared when the job fails before its commit. */
  abandon?: () => void;
};

const JOBS_IN_MEMORY_MAX = 2_000;
const keyOf = (project: string, jobId: string): string => `${project}:${jobId}`;

/** Says how running work is interrupted; `undefined` when it can't be any more. Throws when the job has been cancelled already. */
export type OnCancel = (interrupt: (() => void) | undefined) => void;

type Running = { done: Promise<void>; cancelled: boolean; interrupt?: () => void };

const INTERRUPT_AGAIN_MS = 50;
const cancelled = (): Refusal => new Refusal('stopped', 'Job execution was cancelled: User requested cancellation');

export class Jobs {
  private readonly engine: Engine;
  private readonly now: () => number;
  /** Every id ever used. */
  private readonly ids = new Set<string>();
  private readonly recent = new Map<string, Job>();
  private readonly running = new Map<string, Running>();

  private constructor(engine: Engine, now: () => number) {
    this.engine = engine;
    this.now = now;
  }

  static async load(engine: Engine, now: () => number): Promise<Jobs> {
    const jobs = new Jobs(engine, now);
    const killed = await engine.change(async (connection) => {
      await connection.run('CREATE TABLE IF NOT EXISTS meta.job(key VARCHAR, state VARCHAR, created_ms BIGINT, doc VARCHAR)');
      for (const row of await rowsOf(connection, 'SELECT key FROM meta.job')) jobs.ids.add(row['key'] as string);
      return rowsOf(connection, "SELECT doc FROM meta.job WHERE state <> 'DONE'");
    });
    for (const row of killed) await jobs.fail(JSON.parse(row['doc'] as string) as Job, new Refusal('backendError', 'The local BigQuery was stopped while this job ran; nothing of it was committed.'));
    return jobs;
  }

  async find(project: string, jobId: string): Promise<Job> {
    const key = keyOf(project, jobId);
    const known = this.recent.get(key);
    if (known !== undefined) return known;
    const rows = this.ids.has(key) ? await this.engine.alone((connection) => rowsOf(connection, 'SELECT doc FROM meta.job WHERE key = $1', [key])) : [];
    if (rows[0] === undefined) throw new Refusal('notFound', `Not found: Job ${project}:${jobId}`);
    return JSON.parse(rows[0]['doc'] as string) as Job;
  }

  /** The newest first, behind the job that `after` names. Jobs that come meanwhile move no page. */
  list(project: string, wish: JobListWish): Promise<Job[]> {
    return this.engine.alone(async (connection) => {
      const rows = await rowsOf(connection, `
        SELECT doc FROM meta.job
        WHERE starts_with(key, $1) AND created_ms BETWEEN $2 AND $3 AND ($4 = '' OR contains($4, state)) AND coalesce(json_extract_string(doc, '$.parentJobId'), '') = $5
          AND ($6 = '' OR (-created_ms, key) > (-CAST($7 AS BIGINT), $6))
        ORDER BY created_ms DESC, key LIMIT $8`, [
        `${project}:`, wish.fromMs, wish.toMs, wish.states.join(), wish.parentJobId ?? '', wish.after === undefined ? '' : keyOf(project, wish.after.jobId), String(wish.after?.createdMs ?? 0), wish.jobsMax,
      ]);
      return rows.map((row) => JSON.parse(row['doc'] as string) as Job);
    });
  }

  /**
   * Records the job and starts `work`. When this resolves the id is taken for ever; when the second promise resolves the job is DONE.
   * `work` may register how to interrupt it.
   */
  async start(spec: Pick<Job, 'project' | 'jobId' | 'location' | 'configuration' | 'parentJobId'>, work: (job: Job, onCancel: OnCancel) => Promise<Work>): Promise<{ job: Job; done: Promise<void> }> {
    const key = keyOf(spec.project, spec.jobId);
    if (this.ids.has(key)) throw new Refusal('duplicate', `Already Exists: Job ${spec.project}:${spec.location}.${spec.jobId}`);
    this.ids.add(key);
    const now = this.now();
    const job: Job = { ...spec, state: 'RUNNING', createdMs: now, startedMs: now, statistics: {} };
    try {
      await this.engine.change((connection) => connection.run('INSERT INTO meta.job VALUES ($1, $2, $3, $4)', [key, job.state, BigInt(now), JSON.stringify(job)]));
    } catch (error) {
      this.ids.delete(key);
      throw error;
    }
    this.remember(job);
    const entry: Running = { done: Promise.resolve(), cancelled: false };
    this.running.set(key, entry);
    const onCancel: OnCancel = (interrupt) => {
      if (interrupt === undefined) delete entry.interrupt;
      else if (entry.cancelled) throw cancelled();
      else entry.interrupt = interrupt;
    };
    entry.done = this.run(job, () => work(job, onCancel), entry).finally(() => this.running.delete(key));
    return { job, done: entry.done };
  }

  private async run(job: Job, work: () => Promise<Work>, entry: { cancelled: boolean }): Promise<void> {
    let made: Work | undefined;
    try {
      made = await work();
      await this.finish(job, made, entry);
    } catch (error) {
      made?.abandon?.();
      const refusal = entry.cancelled ? cancelled() : refusalOf(error, 'invalidQuery');
      await this.fail(job, refusal).catch((later: unknown) => console.error('bigquery: a failed job could not be recorded', later));
    }
  }

  private async finish(job: Job, work: Work, entry: { cancelled: boolean }): Promise<void> {
    const publish = await this.engine.change(async (connection) => {
      if (entry.cancelled) throw cancelled();
      const visible = await work.commit?.(connection);
      const done: Job = {
        ...job, state: 'DONE', endedMs: this.now(), statistics: work.statistics,
        ...(work.result === undefined ? {} : { result: work.result }), ...(work.errors === undefined ? {} : { errors: work.errors }),
      };
      await this.write(connection, done);
      return () => {
        visible?.();
        Object.assign(job, done);
      };
    });
    publish();
  }

  /** Ends a job with an error; also for one that was never run (a dry check of its query failed). */
  async fail(job: Job, refusal: Refusal): Promise<void> {
    const failed: Job = { ...job, state: 'DONE', endedMs: this.now(), errorResult: refusal.proto, errors: [refusal.proto] };
    await this.engine.change((connection) => this.write(connection, failed));
    Object.assign(job, failed);
  }

  private async write(connection: DuckDBConnection, job: Job): Promise<void> {
    await connection.run('UPDATE meta.job SET state = $1, doc = $2 WHERE key = $3', [job.state, JSON.stringify(job), keyOf(job.project, job.jobId)]);
  }

  /** Resolves when the job is DONE or the time is over. */
  async wait(job: Job, timeoutMs: number): Promise<void> {
    const running = this.running.get(keyOf(job.project, job.jobId));
    if (running === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([running.done, new Promise((done) => (timer = setTimeout(done, timeoutMs)))]);
    clearTimeout(timer);
  }

  cancel(job: Job): void {
    const running = this.running.get(keyOf(job.project, job.jobId));
    if (running === undefined) return;
    this.stop(running);
  }

  /** DuckDB forgets an interrupt that comes before a statement or between two, so it is repeated until the work has let go. */
  private stop(entry: Running): void {
    entry.cancelled = true;
    entry.interrupt?.();
    const again = setInterval(() => entry.interrupt?.(), INTERRUPT_AGAIN_MS);
    void entry.done.finally(() => clearInterval(again));
  }

  private remember(job: Job): void {
    this.recent.set(keyOf(job.project, job.jobId), job);
    if (this.recent.size <= JOBS_IN_MEMORY_MAX) return;
    for (const [key, old] of this.recent) {
      if (old.state !== 'DONE') continue;
      this.recent.delete(key);
      return;
    }
  }

  async close(): Promise<void> {
    for (const entry of this.running.values()) this.stop(entry);
    await Promise.all([...this.running.values()].map((entry) => entry.done));
  }
}
