// What a fold is about to read: in goes a day and its source tables, out comes one SELECT whose single row is the ledger's evidence.
// It reads the id and the date only, so it costs a few per cent of the fold. Called by run-day.ts; its job's result, which no later
// call can change, decides what the fold of the same run reads.
import type { StreamColumns } from '../columns.ts';
import { column, list, path, stringLiteral } from './text.ts';
import type { DatasetPath } from './text.ts';

/** `table_names` and `table_rows` are lists with commas: a result that every reader of JSON understands alike. */
export type AuditRow = { table_names: string; table_rows: string; row_count: number; id_count: number; rows_without_id: number };

export function auditSql(at: DatasetPath, columns: StreamColumns, date: string, tables: readonly string[]): string {
  const counts = tables.map((_, index) => `CAST(COUNTIF(source = ${index}) AS STRING)`);
  return `SELECT
  ${stringLiteral(tables.join(','))} AS table_names,
  CONCAT(${counts.join(", ',', ")}) AS table_rows,
  COUNT(*) AS row_count,
  COUNT(DISTINCT id) AS id_count,
  COUNTIF(id IS NULL) AS rows_without_id
FROM (
  ${copiesOf(at, date, tables, (index) => [`${index} AS source`, `${column(columns.id)} AS id`]).join('\n  UNION ALL\n  ')}
)`;
}

/** How many ids have copies with different content. Asked only when the audit saw duplicates: it reads what the client wrote. */
export function conflictsSql(at: DatasetPath, columns: StreamColumns, date: string, tables: readonly string[]): string {
  const content = `TO_HEX(MD5(TO_JSON_STRING(STRUCT(${list(columns.content.map(column), ' ')})))) AS content`;
  return `SELECT COUNT(*) AS id_conflict
FROM (
  SELECT id
  FROM (
    ${copiesOf(at, date, tables, () => [`${column(columns.id)} AS id`, content]).join('\n    UNION ALL\n    ')}
  )
  GROUP BY id
  HAVING COUNT(DISTINCT content) > 1
)`;
}

/** Rows of each date in one closed table: what must have been folded before it may go. */
export function datesInTableSql(at: DatasetPath, table: string): string {
  return `SELECT event_date, COUNT(*) AS row_count FROM ${path(at, table)} GROUP BY event_date ORDER BY event_date`;
}

/** The size of a daily table, without reading a column. */
export function rowCountSql(at: DatasetPath, table: string): string {
  return `SELECT COUNT(*) AS row_count FROM ${path(at, table)}`;
}

/** One SELECT a source: the rows of the date. A table named for the date is filtered too, so that a stray row goes to its own day. */
export function copiesOf(at: DatasetPath, date: string, tables: readonly string[], columnsOfSource: (index: number) => string[]): string[] {
  if (tables.length === 0) throw new Error(`No source for ${date}`);
  return tables.map((table, index) => `SELECT ${columnsOfSource(index).join(', ')} FROM ${path(at, table)} WHERE event_date = ${stringLiteral(date)}`);
}
