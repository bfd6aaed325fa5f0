// What is due: in go the tables that exist, how many rows of which date wait in them, the runs so far and the clock; out comes, in
// ascending order, which dates to fold from which tables, which wait and until when. Pure. Called by rollover.ts before every step.
import { LIMITS } from '../limits.ts';
import { addDays, closesAt, dailyTable, dateOf, intradayTable, lateTable } from '../table-shard.ts';
import type { EventDate } from '../table-shard.ts';
import type { Run } from './sql/ledger.ts';

export type SourceTable = { table: string; kind: 'intraday' | 'late'; date: EventDate };
/** Rows of one event date in one table; null is a row without a date, which is nobody's day. */
export type DateRows = { date: EventDate | null; rows: number };

export type Situation = {
  nowMs: number;
  timeZone: string;
  prefix: string;
  sources: readonly SourceTable[];
  dailies: ReadonlySet<string>;
  /** Of every source table that was counted: all that are ready, and open late tables when a date was asked for. */
  counted: ReadonlyMap<string, readonly DateRows[]>;
  /** All rows of `rollovers` of the stream, ascending by date and run. */
  runs: readonly Run[];
};

export type Wish = {
  date?: EventDate;
  /** Every day from here on is folded again, in ascending order, unless it has been since `recomputeSinceMs`. */
  recomputeFrom?: EventDate;
  recomputeSinceMs?: number;
  /** Do not let older late rows wait for their week. */
  allLate?: boolean;
};

export type Pace = {
  /** Late rows of days younger than this are folded every night. */
  recentDays: number;
  /** Those of older days wait until this long after their table closed, since one late row costs a rewrite of its day. */
  olderEveryDays: number;
};

export type DueDay = { date: EventDate; tables: string[] };
export type WaitingDay = { date: EventDate; why: 'not_closed' | 'late_rows_wait' | 'retry_waits'; untilMs: number };
export type Plan = { due: DueDay[]; waiting: WaitingDay[] };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** From this instant on a day may be folded and its table counts as closed, appends under way included. */
export const readyAt = (date: EventDate, timeZone: string): number => closesAt(date, timeZone) + LIMITS.foldAfterCloseMs;

/** The source tables of a stream among the dataset's table names. A name that only looks like a date is nobody's. */
export function sourceTables(prefix: string, tables: readonly string[]): SourceTable[] {
  return tables.flatMap((table): SourceTable[] => {
    const date = /_(\d{8})$/.exec(table)?.[1];
    if (date === undefined || !isDate(date)) return [];
    if (table === intradayTable(prefix, date)) return [{ table, kind: 'intraday', date }];
    if (table === lateTable(prefix, date)) return [{ table, kind: 'late', date }];
    return [];
  }).sort((a, b) => (a.table < b.table ? -1 : 1));
}

export function isDate(text: string): boolean {
  try {
    return addDays(text, 0) === text;
  } catch {
    return false;
  }
}

export function planDays(situation: Situation, wish: Wish, pace: Pace): Plan {
  const plan: Plan = { due: [], waiting: [] };
  for (const date of datesOf(situation, wish)) {
    const readyMs = readyAt(date, situation.timeZone);
    const isAsked = wish.date === date;
    const news = newSources(situation, date);
    if (situation.nowMs < readyMs) {
      if (isAsked) plan.waiting.push({ date, why: 'not_closed', untilMs: readyMs });
      continue;
    }
    const isRecompute = isToRecompute(situation, wish, date);
    if (news.length === 0 && !isRecompute) continue;
    const retryMs = retryAtMs(situation.runs, date, isRecompute ? wish.recomputeSinceMs ?? Infinity : 0);
    const paceMs = isAsked || isRecompute || wish.allLate === true ? 0 : paceAtMs(situation, date, news, pace);
    if (retryMs > situation.nowMs) plan.waiting.push({ date, why: 'retry_waits', untilMs: retryMs });
    else if (paceMs > situation.nowMs) plan.waiting.push({ date, why: 'late_rows_wait', untilMs: paceMs });
    else plan.due.push({ date, tables: tablesToRead(situation, date) });
  }
  return plan;
}

/** The dates that anything could be due for, ascending: fold D uses what is known of users from the days before it. */
function datesOf({ sources, counted, dailies, prefix }: Situation, wish: Wish): EventDate[] {
  const dates = new Set<EventDate>();
  for (const { kind, date } of sources) if (kind === 'intraday') dates.add(date);
  for (const rows of counted.values()) for (const { date } of rows) if (date !== null && isDate(date)) dates.add(date);
  if (wish.recomputeFrom !== undefined) {
    for (const table of dailies) dates.add(table.slice(prefix.length + 1));
    for (const date of dates) if (date < wish.recomputeFrom) dates.delete(date);
    if (wish.date !== undefined) for (const date of dates) if (date > wish.date) dates.delete(date);
  } else if (wish.date !== undefined) {
    return [wish.date];
  }
  return [...dates].sort();
}

/** Tables with rows of the date that no finished run has read completely. */
function newSources(situation: Situation, date: EventDate): SourceTable[] {
  return sourcesWith(situation, date).filter((source) => !isFolded(situation, source, date, rowsIn(situation, source, date)));
}

/** The date's own intraday table, also when it is empty: a day without events is a day. Others only when they have rows of it. */
function sourcesWith(situation: Situation, date: EventDate): SourceTable[] {
  return situation.sources.filter((source) => (source.kind === 'intraday' && source.date === date) || rowsIn(situation, source, date) > 0);
}

const rowsIn = ({ counted }: Situation, { table }: SourceTable, date: EventDate): number =>
  counted.get(table)?.find((rows) => rows.date === date)?.rows ?? 0;

/** Read by a done run that started after the table closed; while the table is open, by one that saw at least these rows. */
function isFolded({ runs, timeZone, nowMs }: Pick<Situation, 'runs' | 'timeZone' | 'nowMs'>, source: SourceTable, date: EventDate, rows: number): boolean {
  const closedMs = closesAt(source.date, timeZone);
  return runs.some((run) => {
    const read = run.date === date && run.status === 'done' ? run.sources.find(({ table }) => table === source.table)?.rows : undefined;
    return read !== undefined && (nowMs < closedMs ? read >= rows : run.startedMs >= closedMs && read === rows);
  });
}

function isToRecompute({ runs, dailies, prefix }: Situation, wish: Wish, date: EventDate): boolean {
  if (wish.recomputeFrom === undefined || date < wish.recomputeFrom || !dailies.has(dailyTable(prefix, date))) return false;
  const sinceMs = wish.recomputeSinceMs ?? Infinity;
  return !runs.some((run) => run.date === date && run.status === 'done' && run.startedMs >= sinceMs);
}

function tablesToRead(situation: Situation, date: EventDate): string[] {
  const daily = dailyTable(situation.prefix, date);
  return [...(situation.dailies.has(daily) ? [daily] : []), ...sourcesWith(situation, date).map(({ table }) => table)];
}

/** A day's own intraday table is folded at once; late rows at the pace of their day's age. */
function paceAtMs({ nowMs, timeZone }: Situation, date: EventDate, news: readonly SourceTable[], pace: Pace): number {
  const isFirstFold = news.some(({ kind }) => kind === 'intraday');
  if (isFirstFold || date > addDays(dateOf(nowMs, timeZone), -pace.recentDays)) return 0;
  return Math.min(...news.map((source) => closesAt(source.date, timeZone))) + pace.olderEveryDays * DAY_MS;
}

/** After three failures in a row a day is tried hourly; when counts did not agree, every six hours: each try rewrites the day. */
function retryAtMs(runs: readonly Run[], date: EventDate, sinceMs: number): number {
  const ofDate = runs.filter((run) => run.date === date && run.startedMs >= sinceMs);
  const last = ofDate.at(-1);
  if (last === undefined || last.status === 'done') return 0;
  if (last.status === 'provisional') return last.startedMs + 6 * HOUR_MS;
  const failures = ofDate.length - 1 - ofDate.findLastIndex((run) => run.status !== 'failed');
  return failures < 3 ? 0 : last.startedMs + HOUR_MS;
}

/**
 * Why a source table must stay; undefined when it may be dropped: it is closed, and each date in it was folded by a done run that
 * started after the closing and read exactly the rows that `rows`, counted by a query of its own, says are there.
 */
export function reasonToKeep(situation: Pick<Situation, 'nowMs' | 'timeZone' | 'runs'>, source: SourceTable, rows: readonly DateRows[]): string | undefined {
  if (situation.nowMs < readyAt(source.date, situation.timeZone)) return 'it is not closed';
  if (rows.some(({ date, rows: count }) => date === null && count > 0)) return 'it has rows without an event date';
  const dates = rows.filter((row): row is { date: EventDate; rows: number } => row.date !== null && row.rows > 0);
  if (source.kind === 'intraday' && !dates.some(({ date }) => date === source.date)) dates.push({ date: source.date, rows: 0 });
  const missing = dates.find(({ date, rows: count }) => !isFolded(situation, source, date, count));
  return missing === undefined ? undefined : `no finished run read exactly the ${missing.rows} rows of ${missing.date} after it closed`;
}
