// One visit of the scheduler: in go the streams, the clock and what may be asked of Google, out comes what was done.
// Each step is safe to repeat, and one that fails does not keep the others from being done. Called by function.ts.
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Outcome } from '../outcome.ts';
import { hourOf } from '../raw-object.ts';
import { checkTimeZone } from '../reporting-zone.ts';
import type { LabelApi } from '../reporting-zone.ts';
import type { StreamTables } from '../stream-tables.ts';
import { addDays, closesAt, dateOf } from '../table-shard.ts';
import type { EventDate } from '../table-shard.ts';
import { compactHour } from './compact.ts';
import type { CompactionApi } from './compact.ts';
import { applyMigration, planMigration } from './migration.ts';
import { countLeftSpilled } from './spill.ts';
import type { ListSpilled } from './spill.ts';
import { tableDefinition } from './table-definition.ts';
import { ensureTable } from './tables.ts';
import type { TableApi } from './tables.ts';

export type Maintenance = {
  streams: readonly StreamTables[];
  timeZone: string;
  tablesAheadDays: number;
  /** Raw objects of an hour are joined when the hour ended this long ago: no redelivery can name one of them any more. */
  compactAfterMs: number;
  labels: LabelApi;
  tables: TableApi;
  raw: CompactionApi;
  listSpilled: ListSpilled;
  /** Creates or replaces the table functions. Last, since they read the shards. */
  replaceTableFunctions: () => Promise<number>;
  clock: Clock;
  wait: (ms: number) => Promise<unknown>;
  log: Log;
};

export type MaintenanceDone = {
  tables_created: string[];
  tables_migrated: string[];
  conflicts: string[];
  table_functions: number;
  hours_compacted: number;
  messages_left_spilled: number;
  failures: string[];
};

const HOUR_MS = 3_600_000;
/** How far back hours are looked at: `maintain` may have been out for a week. */
const COMPACT_WINDOW_MS = 7 * 24 * HOUR_MS;

export async function maintain(options: Maintenance): Promise<Outcome<MaintenanceDone>> {
  // Before any table is made: with another zone the tables would be those of other days.
  const zone = await checkTimeZone(options.labels, options.timeZone, { write: true });
  if (zone.kind !== 'accepted') return zone;
  const done: MaintenanceDone = { tables_created: [], tables_migrated: [], conflicts: [], table_functions: 0, hours_compacted: 0, messages_left_spilled: 0, failures: [] };
  const step = async (name: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      options.log('ERROR', `${name} failed`, { error });
      done.failures.push(`${name}: ${(error as Error).message}`);
    }
  };
  await step('making tables', async () => { done.tables_created = await makeTables(options); });
  await step('migrating tables', async () => {
    const plans = await planMigration(options.tables, options.streams);
    const { changed, conflicts } = await applyMigration(options.tables, plans, options.streams, options);
    Object.assign(done, { tables_migrated: changed, conflicts });
    for (const conflict of conflicts) options.log('ERROR', 'a table contradicts the schema', { conflict });
  });
  await step('replacing table functions', async () => { done.table_functions = await options.replaceTableFunctions(); });
  await step('compacting raw files', async () => { done.hours_compacted = await compactHours(options); });
  await step('looking at spilled messages', async () => { done.messages_left_spilled = await countLeftSpilled(options.listSpilled, options.clock(), options.log); });
  return { kind: 'accepted', value: done };
}

/** Intraday and late tables of every day that is open, and of some days ahead. A closed day's are the rollover's to drop: never made again. */
async function makeTables({ streams, tables, timeZone, tablesAheadDays, clock }: Maintenance): Promise<string[]> {
  const today = dateOf(clock(), timeZone);
  const dates: EventDate[] = Array.from({ length: tablesAheadDays + 2 }, (_, days) => addDays(today, days - 1))
    .filter((date) => clock() < closesAt(date, timeZone));
  const there = new Set(await tables.list());
  const created: string[] = [];
  for (const of of streams) {
    for (const kind of ['intraday', 'late'] as const) {
      for (const date of dates) {
        const definition = tableDefinition(of, kind, date);
        if (!there.has(definition.table) && await ensureTable(tables, definition)) created.push(definition.table);
      }
    }
  }
  return created;
}

async function compactHours({ streams, raw, compactAfterMs, clock }: Maintenance): Promise<number> {
  const newestMs = clock() - compactAfterMs - HOUR_MS;
  let compacted = 0;
  for (const { stream } of streams) {
    // One list call tells which hours of the window have anything to do.
    for (let ms = newestMs; ms > newestMs - COMPACT_WINDOW_MS; ms -= 24 * HOUR_MS) {
      const hours = await hoursWithParts(raw, stream, ms, newestMs);
      for (const hour of hours) {
        const { kind } = await compactHour(raw, { stream, dt: hourOf(stream, ms).dt, hour });
        if (kind === 'compacted') compacted += 1;
      }
    }
  }
  return compacted;
}

/** Hours of the day of `ms` that ended before `newestMs + 1 h` and hold several objects, or an unfinished compaction. */
async function hoursWithParts(raw: CompactionApi, stream: string, ms: number, newestMs: number): Promise<string[]> {
  const { dt } = hourOf(stream, ms);
  const counts = new Map<string, number>();
  const unfinished = await raw.list(`compacting/${stream}/dt=${dt}/`);
  for (const { name } of unfinished) counts.set(/hour=(\d{2})/.exec(name)?.[1] ?? '', 2);
  for (const { name } of await raw.list(`raw/${stream}/dt=${dt}/`)) {
    const hour = /\/hour=(\d{2})\//.exec(name)?.[1] ?? '';
    counts.set(hour, (counts.get(hour) ?? 0) + 1);
  }
  const newest = hourOf(stream, newestMs);
  return [...counts].filter(([hour, count]) => hour !== '' && count > 1 && (dt < newest.dt || hour <= newest.hour)).map(([hour]) => hour).sort();
}
