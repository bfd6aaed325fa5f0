// DML and rows that insertAll brought a short while ago: what meets them is refused. Called by run-query.ts around a statement that changes rows.
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Table } from './catalogue.ts';
import { rowsOf } from './engine.ts';
import { Refusal } from './refusal.ts';
import { physicalSql, type TableStore } from './table-store.ts';

/** "… the recent writes are those that occurred within the last 30 minutes" (docs/data-manipulation-language#limitations). */
const RECENT_MS = 30 * 60_000;

/** Runs the change inside the caller's transaction; throws, so that all of it is undone, when it has touched such a row. */
export async function guardingRecentRows<T>(store: TableStore, connection: DuckDBConnection, table: Table, change: () => Promise<T>): Promise<T> {
  const recent = table.buffered.filter(({ way, atMs }) => way === 'insert' && atMs + RECENT_MS > store.now());
  if (recent.length === 0) return change();
  const where = recent.map(({ from, to }) => `(rowid >= ${from} AND rowid < ${to})`).join(' OR ');
  // One number for all of them: an update leaves a row's number or gives it another, both change the sum.
  const look = async (): Promise<string> => JSON.stringify(await rowsOf(connection, `SELECT count(*) AS n, sum(hash(t)) AS h FROM ${physicalSql(table.physical)} AS t WHERE ${where}`));
  const before = await look();
  const result = await change();
  if ((await look()) !== before) {
    throw new Refusal('invalidQuery', `UPDATE or DELETE statement over table ${table.project}.${table.dataset}.${table.table} would affect rows in the streaming buffer, which is not supported`, 'query');
  }
  return result;
}
