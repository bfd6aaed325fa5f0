// The streams of the catalogue with the columns of their tables: in go the generated files, out comes one list.
// Called by the writer, `maintain` and scripts/migrate.ts at start.
import { readFileSync } from 'node:fs';
import { STREAMS } from '../schemas/generated/streams.ts';

export type TableField = {
  name: string;
  type: string;
  mode?: string;
  description?: string;
  fields?: TableField[];
};

/** What the catalogue (schemas/streams.json) says of a stream, with its generated columns. */
export type StreamTables = {
  stream: string;
  prefix: string;
  clustering: readonly string[];
  dailyExpirationDays: number | null;
  fields: readonly TableField[];
};

/** All streams. The generated columns are data beside the code, so a stream is added without naming it here. */
export function streamTables(): StreamTables[] {
  return Object.values(STREAMS).map(({ name, table_prefix: prefix, clustering, daily_expiration_days: dailyExpirationDays }) => ({
    stream: name,
    prefix,
    clustering,
    dailyExpirationDays,
    fields: JSON.parse(readFileSync(new URL(`../schemas/generated/${name}.bigquery.json`, import.meta.url), 'utf8')) as TableField[],
  }));
}
