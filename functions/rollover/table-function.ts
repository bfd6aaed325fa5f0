// `events(from_date, to_date)`: the days of a stream, each from exactly one table. In goes a stream, out comes the statement that
// makes or replaces the function. Called by `maintain` after it has made the shards (the wildcard must match at least one table).
import type { StreamTables } from '../stream-tables.ts';
import { column, list, path, stringLiteral } from './sql/text.ts';
import type { DatasetPath } from './sql/text.ts';
import { ROLLOVERS } from './tables.ts';

/**
 * A date that has a "done" row is read from its daily table, every other one from its intraday table, so a day is never counted
 * twice while both are there, nor missing while the intraday table is being dropped. The two bounds are plain comparisons of
 * _TABLE_SUFFIX, which is what lets BigQuery leave out the other shards. "events_*" stands in both halves because a wildcard that
 * matches no table is an error, and a dataset may have no intraday table for a moment; 'intraday_…' sorts behind every date.
 */
export function tableFunctionSql(at: DatasetPath, { stream, prefix, fields }: Pick<StreamTables, 'stream' | 'prefix' | 'fields'>): string {
  const columns = list(fields.map(({ name }) => column(name)), '    ');
  const shards = path(at, `${prefix}_*`);
  const done = `SELECT event_date FROM ${path(at, ROLLOVERS)} WHERE stream = ${stringLiteral(stream)} AND status = 'done' AND event_date IS NOT NULL`;
  return `CREATE OR REPLACE TABLE FUNCTION ${path(at, prefix)}(from_date STRING, to_date STRING) AS (
  SELECT
    ${columns}
  FROM ${shards}
  WHERE _TABLE_SUFFIX BETWEEN from_date AND to_date
    AND _TABLE_SUFFIX IN (${done})
  UNION ALL
  SELECT
    ${columns}
  FROM ${shards}
  WHERE _TABLE_SUFFIX BETWEEN CONCAT('intraday_', from_date) AND CONCAT('intraday_', to_date)
    AND SUBSTR(_TABLE_SUFFIX, 10) NOT IN (${done})
)`;
}
