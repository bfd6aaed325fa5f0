// One run of one date: audit -> fold -> user days -> describe -> record. In goes a due day, out comes how far it got. Called by
// rollover.ts, by several at once if it so happens: every step is a job with an id that follows from stream, date and run number,
// so whoever comes second finds the first one's job and waits for it, and a call that died is continued by the next.
import { dailyTable, utcMidnightOf } from '../table-shard.ts';
import type { EventDate } from '../table-shard.ts';
import type { StreamTables } from '../stream-tables.ts';
import type { StreamColumns } from './columns.ts';
import type { DueDay } from './plan.ts';
import { auditSql, conflictsSql, rowCountSql } from './sql/audit.ts';
import { foldSql } from './sql/fold.ts';
import { insertRunSql } from './sql/ledger.ts';
import type { Run } from './sql/ledger.ts';
import { userDaysSql } from './sql/user-days.ts';
import { USER_DAYS } from './tables.ts';
import type { Destination, JobState, Row, Warehouse } from './warehouse.ts';

export type DayContext = {
  warehouse: Warehouse;
  tables: StreamTables;
  columns: StreamColumns;
  /** Waits for a job until the call's time is up; undefined: it still runs. */
  settled: (jobId: string) => Promise<Exclude<JobState, { state: 'running' }> | undefined>;
  nowMicros: () => number;
  /** Whether a source was closed at an instant, so that what was counted then is all there will ever be. */
  wasClosed: (table: string, atMs: number) => boolean;
};

export type DayResult =
  | { state: 'running'; run: number; step: string }
  | { state: 'recorded'; run: Run };

const DAY_MS = 86_400_000;
/** A step of a run that fails for a passing reason is tried under further ids before the run is given up. */
const STEP_ATTEMPTS_MAX = 3;

export const jobIdOf = (stream: string, date: EventDate, run: number): string => `rollover_${stream}_${date}_${run}`;

/** Continues the run that is under way, or starts the next one. `lastRecorded` is the highest run number in `rollovers`. */
export async function runDay(context: DayContext, day: DueDay, lastRecorded: number): Promise<DayResult> {
  const run = await openRun(context, day.date, lastRecorded);
  const jobId = jobIdOf(context.tables.stream, day.date, run.number);
  const running = (step: string): DayResult => ({ state: 'running', run: run.number, step });

  if (!run.isAudited) await context.warehouse.submit(`${jobId}_audit`, auditSql(context.warehouse.at, context.columns, day.date, day.tables));
  const audited = await context.settled(`${jobId}_audit`);
  if (audited === undefined) return running('audit');
  if (audited.state !== 'done') return record(context, failedRun(context, day.date, run.number, audited, 'audit'));
  const evidence = evidenceOf(await context.warehouse.rows(`${jobId}_audit`), audited.startedMs);
  if (evidence === undefined) return record(context, failedRun(context, day.date, run.number, audited, 'audit (its result is no longer kept)'));

  const daily = dailyTable(context.tables.prefix, day.date);
  await context.warehouse.submit(jobId, foldSql(context.warehouse.at, context.columns, day.date, evidence.sources.map(({ table }) => table)), { table: daily, clustering: context.tables.clustering });
  const folded = await context.settled(jobId);
  if (folded === undefined) return running('fold');
  if (folded.state !== 'done') return record(context, { ...failedRun(context, day.date, run.number, folded, 'fold'), startedMs: evidence.startedMs });

  const steps: [string, string, Destination | undefined][] = [];
  if (context.columns.hasUsers) steps.push(['users', userDaysSql(context.warehouse.at, day.date, daily), { table: `${USER_DAYS}$${day.date}`, clustering: ['user_pseudo_id'], partitionedBy: 'event_date' }]);
  if (evidence.read > evidence.ids) steps.push(['conflicts', conflictsSql(context.warehouse.at, context.columns, day.date, evidence.sources.map(({ table }) => table)), undefined]);
  let conflicts = 0;
  for (const [name, sql, destination] of steps) {
    const step = await stepOf(context, `${jobId}_${name}`, sql, destination);
    if (step === undefined) return running(name);
    if (step.state !== 'done') return record(context, { ...failedRun(context, day.date, run.number, step, name), startedMs: evidence.startedMs });
    if (name === 'conflicts') conflicts = Number((await context.warehouse.rows(step.jobId))?.[0]?.['id_conflict'] ?? 0);
  }
  // The job of an earlier dataset with this name, or a hand that dropped the table: the next run makes it again.
  if ((await describeDaily(context, day.date, daily)) === 'absent') return record(context, { ...failedRun(context, day.date, run.number, folded, `fold (${daily} is not there)`), startedMs: evidence.startedMs });
  const kept = Number((await context.warehouse.ask(rowCountSql(context.warehouse.at, daily)))[0]?.['row_count']);
  return record(context, finishedRun(context, day.date, run.number, evidence, folded, kept, conflicts));
}

/** The run to work on: the highest one that was begun and has no row in `rollovers` yet, else a new one. */
async function openRun({ warehouse, tables }: DayContext, date: EventDate, lastRecorded: number): Promise<{ number: number; isAudited: boolean }> {
  let number = lastRecorded;
  while ((await warehouse.job(`${jobIdOf(tables.stream, date, number + 1)}_audit`)).state !== 'absent') number += 1;
  return number > lastRecorded ? { number, isAudited: true } : { number: number + 1, isAudited: false };
}

type Evidence = { startedMs: number; read: number; ids: number; rowsWithoutId: number; sources: { table: string; rows: number }[] };

function evidenceOf(rows: Row[] | undefined, startedMs: number): Evidence | undefined {
  const row = rows?.[0];
  if (row === undefined) return undefined;
  const counts = String(row['table_rows']).split(',').map(Number);
  return {
    // The start of the audit, not of the fold: what is written between the two may or may not have been counted.
    startedMs,
    read: Number(row['row_count']), ids: Number(row['id_count']), rowsWithoutId: Number(row['rows_without_id']),
    sources: String(row['table_names']).split(',').map((table, index) => ({ table, rows: counts[index]! })),
  };
}

/** A step that may be repeated under another id, because its effect is the same each time. */
async function stepOf(context: DayContext, id: string, sql: string, destination?: Destination): Promise<(Exclude<JobState, { state: 'running' }> & { jobId: string }) | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const jobId = attempt === 1 ? id : `${id}_${attempt}`;
    await context.warehouse.submit(jobId, sql, destination);
    const state = await context.settled(jobId);
    if (state === undefined) return undefined;
    if (state.state === 'done' || attempt === STEP_ATTEMPTS_MAX) return { ...state, jobId };
  }
}

async function describeDaily({ warehouse, tables, nowMicros }: DayContext, date: EventDate, daily: string): Promise<'described' | 'absent'> {
  // BigQuery refuses an expiry in the past, which a day folded again after its time would have.
  const expiresMs = Math.max(utcMidnightOf(date) + ((tables.dailyExpirationDays ?? 0) + 1) * DAY_MS, nowMicros() / 1_000 + DAY_MS);
  return warehouse.describe(daily, {
    description: `Stream ${tables.stream}, event date ${date}: each event once.`,
    fields: tables.fields,
    ...(tables.dailyExpirationDays === null ? {} : { expirationMs: Math.floor(expiresMs) }),
  });
}

function failedRun({ warehouse, tables }: DayContext, date: EventDate, run: number, job: JobState, step: string): Run {
  return {
    stream: tables.stream, date, run, jobId: warehouse.fullJobId(jobIdOf(tables.stream, date, run)), status: 'failed', reason: `${step}: ${job.state === 'failed' ? job.reason : job.state}`,
    read: null, kept: null, duplicate: null, idConflict: null, late: null, startedMs: 'startedMs' in job ? job.startedMs : 0, elapsedMs: null, bytesProcessed: null, isAnnounced: true, sources: [],
  };
}

function finishedRun(context: DayContext, date: EventDate, run: number, evidence: Evidence, folded: JobState & { state: 'done' }, kept: number, conflicts: number): Run {
  const { stream, prefix } = context.tables;
  const late = evidence.sources.filter(({ table }) => table.startsWith(`late_${prefix}_`)).reduce((sum, { rows }) => sum + rows, 0);
  const reason = disagreement(evidence, kept, evidence.sources.every(({ table }) => context.wasClosed(table, evidence.startedMs)));
  return {
    stream, date, run, jobId: context.warehouse.fullJobId(jobIdOf(stream, date, run)), status: reason === null ? 'done' : 'provisional', reason,
    read: evidence.read, kept, duplicate: Math.max(0, evidence.read - kept), idConflict: conflicts, late,
    startedMs: evidence.startedMs, elapsedMs: folded.elapsedMs, bytesProcessed: folded.bytesProcessed, isAnnounced: reason !== null, sources: evidence.sources,
  };
}

/** Why the counts do not agree, or null. An open late table may have grown between the audit and the fold; it must not have shrunk. */
export function disagreement({ ids, rowsWithoutId }: Pick<Evidence, 'ids' | 'rowsWithoutId'>, kept: number, allClosed: boolean): string | null {
  if (rowsWithoutId > 0) return `${rowsWithoutId} rows have no id; one of them would stand for all`;
  if (kept < ids || (allClosed && kept !== ids)) return `the sources have ${ids} ids, the daily table has ${kept} rows`;
  return null;
}

async function record(context: DayContext, run: Run): Promise<DayResult> {
  const sql = insertRunSql(context.warehouse.at, run, context.nowMicros());
  const step = await stepOf(context, `${jobIdOf(run.stream, run.date, run.run)}_record`, sql);
  if (step === undefined) return { state: 'running', run: run.run, step: 'record' };
  if (step.state !== 'done') throw new Error(`Job ${step.jobId} could not write the row of the run into rollovers: ${step.state === 'failed' ? step.reason : step.state}`);
  return { state: 'recorded', run };
}
