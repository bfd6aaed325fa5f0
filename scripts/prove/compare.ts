// Compares, as sets, what was sent with what is stored: event ids in the daily tables, bodies in the raw files, rejected ids.
// Reads only through Google's own clients. `npm run prove` prints what it returns.
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { BigQuery } from '@google-cloud/bigquery';
import type { Bucket } from '@google-cloud/storage';

export type SetDifference = { what: string; missing: string[]; unexpected: string[] };

export function differenceOf(what: string, expected: ReadonlySet<string>, found: ReadonlySet<string>): SetDifference {
  return {
    what,
    missing: [...expected].filter((item) => !found.has(item)),
    unexpected: [...found].filter((item) => !expected.has(item)),
  };
}

/** Names of the daily tables of a stream, e.g. events_20260310. */
export async function dailyTables(bigquery: BigQuery, dataset: string, prefix: string): Promise<string[]> {
  const [tables] = await bigquery.dataset(dataset).getTables();
  return tables.map((table) => table.id!).filter((id) => new RegExp(`^${prefix}_\\d{8}$`).test(id)).sort();
}

/** Every event_id of the daily tables, and how many rows hold an id that another row holds too. */
export async function eventIds(bigquery: BigQuery, dataset: string): Promise<{ ids: Set<string>; rows: number; repeated: number }> {
  const ids = new Set<string>();
  let rows = 0;
  for (const table of await dailyTables(bigquery, dataset, 'events')) {
    const [counts] = await bigquery.query(`SELECT COUNT(*) AS row_count, COUNT(DISTINCT event_id) AS id_count FROM \`${dataset}.${table}\``);
    const [{ row_count: rowCount, id_count: idCount }] = counts as [{ row_count: number; id_count: number }];
    if (rowCount !== idCount) console.error(`${table}: ${rowCount} rows, ${idCount} ids`);
    const [found] = await bigquery.query({ query: `SELECT event_id FROM \`${dataset}.${table}\``, maxResults: 50_000 });
    for (const { event_id: id } of found as { event_id: string }[]) ids.add(id);
    rows += rowCount;
  }
  return { ids, rows, repeated: rows - ids.size };
}

/** Distinct event ids (as the client sent them) of everything in the daily rejected tables. */
export async function rejectedIds(bigquery: BigQuery, dataset: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const table of await dailyTables(bigquery, dataset, 'rejected')) {
    const [found] = await bigquery.query({ query: `SELECT DISTINCT JSON_VALUE(event, '$.event_id') AS id FROM \`${dataset}.${table}\``, maxResults: 50_000 });
    for (const { id } of found as { id: string }[]) ids.add(id);
  }
  return ids;
}

const BODY_KEY = '"body":';

/** The client's text inside an envelope line: `body` is the line's last key, so nothing needs to be parsed or written again. */
export function bodyOfLine(line: string): string {
  const start = line.indexOf(BODY_KEY);
  if (start < 0) throw new Error(`A raw line has no body: ${line.slice(0, 200)}`);
  return line.slice(start + BODY_KEY.length, line.lastIndexOf('}'));
}

/** SHA-256 of every body in the raw files of a stream, and the names of the files. */
export async function storedBodies(bucket: Bucket, stream: string): Promise<{ bodies: Set<string>; files: string[] }> {
  const bodies = new Set<string>();
  const [files] = await bucket.getFiles({ prefix: `raw/${stream}/` });
  for (const file of files) {
    const [bytes] = await file.download({ validation: false, decompress: false });
    for (const line of gunzipSync(bytes).toString('utf8').split('\n')) {
      if (line !== '') bodies.add(createHash('sha256').update(bodyOfLine(line)).digest('hex'));
    }
  }
  return { bodies, files: files.map(({ name }) => name) };
}
