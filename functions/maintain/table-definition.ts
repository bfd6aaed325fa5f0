// How a shard looks: in goes a stream, a kind and a date, out comes the table that BigQuery is asked for. Pure.
// Called by tables.ts and migration.ts, so that intraday, late and daily tables of all days are the same (wildcards demand it).
import type { StreamTables, TableField } from '../stream-tables.ts';
import { dailyTable, intradayTable, lateTable, utcMidnightOf } from '../table-shard.ts';
import type { EventDate } from '../table-shard.ts';

export type TableKind = 'intraday' | 'late' | 'daily';

export type TableDefinition = {
  table: string;
  fields: readonly TableField[];
  clustering: readonly string[];
  description: string;
  /** Milliseconds since 1970; absent: the table stays. */
  expirationMs?: number;
};

const DAY_MS = 86_400_000;

export function tableNameOf(prefix: string, kind: TableKind, date: EventDate): string {
  return { intraday: intradayTable, late: lateTable, daily: dailyTable }[kind](prefix, date);
}

export function tableDefinition(of: StreamTables, kind: TableKind, date: EventDate): TableDefinition {
  const definition: TableDefinition = {
    table: tableNameOf(of.prefix, kind, date),
    fields: of.fields,
    // The rollover reads a late table by event date, everybody else reads by the stream's own columns.
    clustering: kind === 'late' ? ['event_date'] : of.clustering,
    description: {
      intraday: `Stream ${of.stream}, event date ${date}, as it comes in; an event may be there twice. The daily table replaces it.`,
      late: `Stream ${of.stream}, written on ${date}: events of days that had closed. The rollover puts each into its own day.`,
      daily: `Stream ${of.stream}, event date ${date}: each event_id once.`,
    }[kind],
  };
  // A day is kept for so many days after it, whenever its table was made. Intraday and late tables wait for the rollover, however long.
  if (kind === 'daily' && of.dailyExpirationDays !== null) definition.expirationMs = utcMidnightOf(date) + (of.dailyExpirationDays + 1) * DAY_MS;
  return definition;
}

/** The shard that a table of the dataset is; undefined for tables that are none of this stream's. */
export function shardOfTable(prefix: string, table: string): { kind: TableKind; date: EventDate } | undefined {
  const date = /(?:^|_)(\d{8})$/.exec(table)?.[1];
  if (date === undefined) return undefined;
  for (const kind of ['intraday', 'late', 'daily'] as const) {
    if (tableNameOf(prefix, kind, date) === table) return { kind, date };
  }
  return undefined;
}
