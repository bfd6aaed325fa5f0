// The state machine: look at what is there, do the next step, look again, until nothing is due or the call's time is up. In goes a
// wish (a date, or whatever is due), out comes what was done and what is pending. Called by function.ts, every 15 minutes or by hand.
import type { Clock } from '../clock.ts';
import { microsOf } from '../clock.ts';
import type { Log } from '../log.ts';
import { closesAt, dailyTable } from '../table-shard.ts';
import type { StreamTables } from '../stream-tables.ts';
import { dayMessage } from './announce.ts';
import type { PublishDay } from './announce.ts';
import { columnsOf } from './columns.ts';
import { dateRowsOf, look } from './look.ts';
import { planDays, readyAt, reasonToKeep } from './plan.ts';
import type { DateRows, Pace, Plan, Situation, SourceTable, WaitingDay, Wish } from './plan.ts';
import { jobIdOf, runDay } from './run-day.ts';
import type { DayContext } from './run-day.ts';
import { datesInTableSql } from './sql/audit.ts';
import { markAnnouncedSql } from './sql/ledger.ts';
import type { Run } from './sql/ledger.ts';
import type { JobState, Warehouse } from './warehouse.ts';

export type RolloverContext = {
  warehouse: Warehouse;
  publish: PublishDay;
  clock: Clock;
  log: Log;
  timeZone: string;
  pace: Pace;
  /** How long a call may take; what is not done then is done by the next. */
  waitMs: number;
  sleep: (ms: number) => Promise<void>;
};

export type DayReport =
  | { stream: string; date: string; state: 'done' | 'provisional' | 'failed'; run: number; read: number | null; kept: number | null; duplicate: number | null; id_conflict: number | null; late: number | null; elapsed_ms: number | null; bytes_processed: number | null; reason: string | null }
  | { stream: string; date: string; state: 'running'; run: number; step: string }
  | { stream: string; date: string; state: 'due' }
  | { stream: string; date: string; state: 'waiting'; why: WaitingDay['why']; until: string };

export type StreamReport = { stream: string; pending: boolean; days: DayReport[]; dropped: string[]; problems: string[] };

const POLL_MS_MIN = 100;
const POLL_MS_MAX = 2_000;

const HOUR_MS = 3_600_000;
/** Retries of a failed day and a busy night fit into it. */
const OLD_HOURS = 6;

export async function rollOverStream(context: RolloverContext, tables: StreamTables, wish: Wish): Promise<StreamReport> {
  const { warehouse, clock, timeZone } = context;
  const deadlineMs = clock() + context.waitMs;
  const settled = settledBy(context, deadlineMs);
  const report: StreamReport = { stream: tables.stream, pending: false, days: [], dropped: [], problems: [] };
  const dayContext: DayContext = {
    warehouse, tables, columns: columnsOf(tables), settled, nowMicros: () => microsOf(clock()),
    // The daily table is written by nobody but the rollover itself.
    wasClosed: (table, atMs) => table === dailyTable(tables.prefix, table.slice(-8)) || atMs >= closesAt(table.slice(-8), timeZone),
  };
  const tried = new Set<string>();
  const seen = new Map<string, readonly DateRows[]>();
  for (;;) {
    const situation = await look({ warehouse, stream: tables.stream, prefix: tables.prefix, timeZone, nowMs: clock(), settled, seen }, wish);
    if (situation === undefined) return { ...report, pending: true };
    await announceRuns(context, situation, tables, settled, report);
    await dropFolded(context, situation, report);
    const plan = planDays(situation, wish, context.pace);
    const day = plan.due.find(({ date }) => !tried.has(date));
    if (day === undefined || clock() >= deadlineMs) {
      tellOfOld(context, situation, report);
      return finish(report, plan, tables.stream);
    }
    tried.add(day.date);
    const result = await runDay(dayContext, day, lastRunOf(situation, day.date));
    if (result.state === 'running') {
      report.days.push({ stream: tables.stream, date: day.date, state: 'running', run: result.run, step: result.step });
      return finish(report, plan, tables.stream);
    }
    report.days.push(reportOf(result.run));
    logRun(context.log, result.run);
  }
}

const lastRunOf = ({ runs }: Situation, date: string): number => Math.max(0, ...runs.filter((run) => run.date === date).map(({ run }) => run));

/** Waits for a job while the call has time; a job that is done by then is always seen, however late it is. */
type Settled = (jobId: string) => Promise<Exclude<JobState, { state: 'running' }> | undefined>;
function settledBy({ warehouse, clock, sleep }: RolloverContext, deadlineMs: number): Settled {
  return async (jobId) => {
    for (let pollMs = POLL_MS_MIN; ; pollMs = Math.min(pollMs * 1.5, POLL_MS_MAX)) {
      const job = await warehouse.job(jobId);
      if (job.state !== 'running') return job;
      if (clock() + pollMs > deadlineMs) return undefined;
      await sleep(pollMs);
    }
  };
}

/** Publishing comes after the row in `rollovers`, and its mark after the publishing: a call that dies between them repeats the message. */
async function announceRuns({ warehouse, publish, clock, log }: RolloverContext, { runs, prefix }: Situation, { stream }: StreamTables, settled: Settled, report: StreamReport): Promise<void> {
  for (const run of runs.filter(({ status, isAnnounced }) => status === 'done' && !isAnnounced)) {
    try {
      await publish(dayMessage(run, runs, dailyTable(prefix, run.date)));
      const jobId = `${jobIdOf(stream, run.date, run.run)}_announced`;
      const sql = markAnnouncedSql(warehouse.at, run, microsOf(clock()));
      await warehouse.submit(jobId, sql);
      if ((await settled(jobId))?.state === 'failed') await warehouse.ask(sql);
    } catch (error) {
      // The day itself is done; the next call tries again.
      report.problems.push(`Run ${run.run} of ${run.date} could not be announced: ${(error as Error).message}`);
      log('ERROR', 'A finished day could not be announced', { stream, date: run.date, run: run.run, error: error as Error });
    }
  }
}

/** Drops what was folded and is closed, after counting it once more by a query of its own. */
async function dropFolded({ warehouse, log }: RolloverContext, situation: Situation, report: StreamReport): Promise<void> {
  for (const source of situation.sources) {
    const rows = situation.counted.get(source.table);
    if (rows === undefined || reasonToKeep(situation, source, rows) !== undefined) continue;
    const fresh = (await warehouse.askOfTable(datesInTableSql(warehouse.at, source.table)))?.map(dateRowsOf);
    if (fresh === undefined) continue;
    const reason = reasonToKeep(situation, source, fresh);
    if (reason === undefined) {
      await warehouse.drop(source.table);
      report.dropped.push(source.table);
      log('INFO', 'A folded table was dropped', { table: source.table, rows: fresh });
    } else {
      report.problems.push(`${source.table} is kept: ${reason}.`);
      log('ERROR', 'A closed table does not have the rows that were folded; it is kept', { table: source.table, reason, rows: fresh });
    }
  }
  warnOfDateless(log, situation, situation.sources, report);
}

/** Whatever the reason was: somebody must look before the day after it is in the same state. An alert reads this line. */
function tellOfOld({ log, clock, timeZone }: RolloverContext, { sources }: Situation, { dropped }: StreamReport): void {
  for (const { table, kind, date } of sources) {
    const hours = Math.floor((clock() - readyAt(date, timeZone)) / HOUR_MS);
    if (kind === 'intraday' && hours >= OLD_HOURS && !dropped.includes(table)) log('ERROR', 'A closed intraday table is not folded, hours after it could be', { table, hours });
  }
}

function warnOfDateless(log: Log, situation: Situation, sources: readonly SourceTable[], report: StreamReport): void {
  for (const { table } of sources) {
    if (!(situation.counted.get(table) ?? []).some(({ date, rows }) => date === null && rows > 0)) continue;
    report.problems.push(`${table} has rows without an event date; it is kept.`);
    log('ERROR', 'A table has rows without an event date; it is kept', { table });
  }
}

function finish(report: StreamReport, plan: Plan, stream: string): StreamReport {
  const shown = new Set(report.days.filter(({ state }) => state === 'running').map(({ date }) => date));
  const due = plan.due.filter(({ date }) => !shown.has(date));
  report.days.push(...due.map(({ date }): DayReport => ({ stream, date, state: 'due' })));
  report.days.push(...plan.waiting.map(({ date, why, untilMs }): DayReport => ({ stream, date, state: 'waiting', why, until: new Date(untilMs).toISOString() })));
  return { ...report, pending: plan.due.length > 0 };
}

function reportOf(run: Run): DayReport {
  return {
    stream: run.stream, date: run.date, state: run.status, run: run.run, read: run.read, kept: run.kept, duplicate: run.duplicate, id_conflict: run.idConflict, late: run.late,
    elapsed_ms: run.elapsedMs, bytes_processed: run.bytesProcessed, reason: run.reason,
  };
}

function logRun(log: Log, run: Run): void {
  const data = { stream: run.stream, date: run.date, run: run.run, read: run.read, kept: run.kept, duplicate: run.duplicate, id_conflict: run.idConflict, late: run.late, reason: run.reason };
  if (run.status === 'done') log('INFO', 'A day was folded', data);
  else log('ERROR', run.status === 'provisional' ? 'The counts of a day do not agree; nothing is dropped' : 'The rollover of a day failed; its tables are as they were', data);
}

