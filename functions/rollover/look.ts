// What is there: in goes a stream, out comes the situation that plan.ts judges. Called by rollover.ts before every step, so that
// nothing is remembered between calls: tables, job ids and `rollovers` are the whole state.
import { addDays, dailyTable, dateOf } from '../table-shard.ts';
import { isDate, readyAt, sourceTables } from './plan.ts';
import type { DateRows, Situation, SourceTable, Wish } from './plan.ts';
import { datesInTableSql } from './sql/audit.ts';
import { runOfRow, runsSql } from './sql/ledger.ts';
import type { JobState, Row, Warehouse } from './warehouse.ts';

export type LookContext = {
  warehouse: Warehouse;
  stream: string;
  prefix: string;
  timeZone: string;
  nowMs: number;
  settled: (jobId: string) => Promise<Exclude<JobState, { state: 'running' }> | undefined>;
  /** Counts of closed tables that this call has seen; they cannot change. */
  seen: Map<string, readonly DateRows[]>;
};

/** Undefined when a count still runs. */
export async function look(context: LookContext, wish: Wish): Promise<Situation | undefined> {
  const { warehouse, stream, prefix, timeZone, nowMs } = context;
  const tables = await warehouse.tables();
  const runs = (await warehouse.ask(runsSql(warehouse.at))).map(runOfRow).filter((run) => run.stream === stream);
  const sources = new Set(sourceTables(prefix, tables));
  const counted = new Map<string, readonly DateRows[]>();
  // Late tables that are still open are read only for somebody who asks for a date by name: their rows are due when they close.
  const wantsOpen = wish.date !== undefined || wish.recomputeFrom !== undefined;
  for (const source of sources) {
    const isReady = nowMs >= readyAt(source.date, timeZone);
    if (!isReady && !(wantsOpen && source.kind === 'late')) continue;
    const rows = isReady ? await countClosed(context, source) : (await warehouse.askOfTable(datesInTableSql(warehouse.at, source.table)))?.map(dateRowsOf) ?? 'gone';
    if (rows === undefined) return undefined;
    if (rows === 'gone') sources.delete(source);
    else counted.set(source.table, rows);
  }
  const isDaily = (table: string): boolean => isDate(table.slice(prefix.length + 1)) && table === dailyTable(prefix, table.slice(prefix.length + 1));
  return { nowMs, timeZone, prefix, sources: [...sources], dailies: new Set(tables.filter(isDaily)), counted, runs };
}

/**
 * Rows by date of a table that nobody writes to any more. The answer cannot change, so the day's first call asks under an id that
 * names table and day, and the other 95 calls of the day read that job's result, which costs nothing.
 */
async function countClosed({ warehouse, nowMs, settled, seen }: LookContext, { table }: SourceTable): Promise<readonly DateRows[] | 'gone' | undefined> {
  const known = seen.get(table);
  if (known !== undefined) return known;
  const sql = datesInTableSql(warehouse.at, table);
  const jobId = `rollover_count_${table}_on_${dateOf(nowMs, 'UTC')}`;
  await warehouse.submit(jobId, sql);
  const job = await settled(jobId);
  if (job === undefined) return undefined;
  const rows = ((job.state === 'done' ? await warehouse.rows(jobId) : undefined) ?? await warehouse.askOfTable(sql))?.map(dateRowsOf);
  if (rows === undefined) return 'gone';
  seen.set(table, rows);
  return rows;
}

export const dateRowsOf = (row: Row): DateRows => ({ date: row['event_date'] === null ? null : String(row['event_date']), rows: Number(row['row_count']) });

/** Dates that a person may ask for: real, and not in a year that is a typing error. */
export const isPlausible = (date: string, nowMs: number): boolean => isDate(date) && date >= '20000101' && date <= addDays(dateOf(nowMs, 'UTC'), 2);
