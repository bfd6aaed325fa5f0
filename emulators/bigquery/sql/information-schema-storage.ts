// INFORMATION_SCHEMA.PARTITIONS and .TABLE_STORAGE: tables in, DuckDB SQL that counts when the query runs out; called by information-schema.ts.
import type { TableEntry } from './context.ts';
import type { Row, Shape } from './information-schema.ts';
import { rowSizeSql, tableSizeSql } from './logical-size.ts';
import type { Relation } from './scope.ts';
import { BOOL, duckType, INT64, quote, STRING, text, TIMESTAMP } from './sql-type.ts';

export const PARTITIONS: Shape = {
  table_catalog: STRING, table_schema: STRING, table_name: STRING, partition_id: STRING, total_rows: INT64, total_logical_bytes: INT64,
  total_billable_bytes: INT64, last_modified_time: TIMESTAMP, storage_tier: STRING,
};

const FORMATS: Record<string, string> = { HOUR: '%Y%m%d%H', DAY: '%Y%m%d', MONTH: '%Y%m', YEAR: '%Y' };
const modified = (entry: TableEntry): string => `make_timestamptz(${Math.round((entry.modifiedMs ?? entry.createdMs) * 1000)}::BIGINT)`;

/** The partitions of a table are known when the query runs only. */
export function partitionsRelation(tables: TableEntry[]): Relation {
  const columns = Object.entries(PARTITIONS).map(([name, type]) => ({ name, duckName: name, type }));
  const values = (row: Row): string => columns.map(({ name, type }, index) => `CAST(${row[index] ?? 'NULL'} AS ${duckType(type)}) AS ${quote(name)}`).join(', ');
  const parts = tables.filter(({ type }) => type === 'TABLE').map((entry) => {
    const { timePartitioning } = entry;
    const id = timePartitioning?.field === undefined ? 'NULL' : `coalesce(strftime(${quote(timePartitioning.field)}, ${text(FORMATS[timePartitioning.type] ?? '%Y%m%d')}), '__NULL__')`;
    const groups = `SELECT ${id} AS p, count(*) AS n, coalesce(sum(${rowSizeSql(entry)}), 0) AS b FROM ${entry.duckName}${timePartitioning?.field === undefined ? '' : ' GROUP BY 1'}`;
    return `SELECT ${values([text(entry.project), text(entry.dataset), text(entry.table), 'p', 'n', 'b', 'b', modified(entry), "'ACTIVE'"])} FROM (${groups})`;
  });
  return { sql: parts.length > 0 ? parts.join(' UNION ALL ') : `SELECT ${values([])} WHERE false`, columns };
}

export const TABLE_STORAGE: Shape = {
  project_id: STRING, project_number: INT64, table_catalog: STRING, table_schema: STRING, table_name: STRING, creation_time: TIMESTAMP, deleted: BOOL,
  storage_last_modified_time: TIMESTAMP, total_rows: INT64, total_partitions: INT64, total_logical_bytes: INT64, active_logical_bytes: INT64, long_term_logical_bytes: INT64,
  current_physical_bytes: INT64, total_physical_bytes: INT64, active_physical_bytes: INT64, long_term_physical_bytes: INT64, time_travel_physical_bytes: INT64,
  fail_safe_physical_bytes: INT64, table_type: STRING,
};

/** Physical bytes are nobody's here, so they are NULL rather than a guess. */
export function storageRow(entry: TableEntry): Row {
  const bytes = tableSizeSql(entry);
  return [
    text(entry.project), 'NULL', text(entry.project), text(entry.dataset), text(entry.table), `make_timestamptz(${Math.round(entry.createdMs * 1000)}::BIGINT)`, 'false', modified(entry),
    `(SELECT count(*) FROM ${entry.duckName})`, entry.timePartitioning?.field === undefined ? '0' : `(SELECT count(DISTINCT strftime(${quote(entry.timePartitioning.field)}, ${text(FORMATS[entry.timePartitioning.type] ?? '%Y%m%d')})) FROM ${entry.duckName})`,
    bytes, bytes, '0', 'NULL', 'NULL', 'NULL', 'NULL', 'NULL', 'NULL', "'BASE TABLE'",
  ];
}
