// One query to BigQuery through its REST API and Google's client: SQL and parameters in, schema and raw rows of all wanted pages out. scripts/query.ts calls it.
import type { BigQuery } from '@google-cloud/bigquery';

export type Field = { name: string; type: string; mode?: string; fields?: Field[] };
export type RawRow = { f: { v: unknown }[] };
export type Parameter = { name: string; type: string; value: string };

export type Question = {
  sql: string;
  dataset: string;
  location: string;
  parameters: Parameter[];
  /** Absent: all. */
  rowsMax?: number;
};

export type QueryAnswer = { fields: Field[]; rows: RawRow[]; rowsTotal: number; bytes: number; isFromCache: boolean; /** Rows that a DML statement changed. */ changed?: number };

type Response = {
  jobComplete?: boolean; jobReference?: { jobId?: string; location?: string }; schema?: { fields?: Field[] }; rows?: RawRow[]; pageToken?: string;
  totalRows?: string; totalBytesProcessed?: string; cacheHit?: boolean; numDmlAffectedRows?: string;
};

const PAGE_ROWS = 10_000;
const WAIT_MS = 10_000;

export async function ask(bigquery: BigQuery, question: Question): Promise<QueryAnswer> {
  const pageRows = Math.min(question.rowsMax ?? PAGE_ROWS, PAGE_ROWS);
  let page = await request(bigquery, 'POST', '/queries', { ...bodyOf(question), maxResults: pageRows, timeoutMs: WAIT_MS });
  const first = page;
  const job = page.jobReference?.jobId;
  const rows: RawRow[] = [...(page.rows ?? [])];
  while (page.jobComplete === false || (page.pageToken && rows.length < (question.rowsMax ?? Infinity))) {
    const query = { location: page.jobReference?.location ?? question.location, maxResults: pageRows, timeoutMs: WAIT_MS, 'formatOptions.useInt64Timestamp': true, ...(page.pageToken ? { pageToken: page.pageToken } : {}) };
    page = { ...(await request(bigquery, 'GET', `/queries/${job}`, query)) };
    rows.push(...(page.rows ?? []));
    if (page.schema !== undefined) first.schema = page.schema;
    first.totalRows = page.totalRows ?? first.totalRows ?? '0';
    first.totalBytesProcessed ??= page.totalBytesProcessed ?? '0';
  }
  return {
    fields: first.schema?.fields ?? [], rows: rows.slice(0, question.rowsMax), rowsTotal: Number(first.totalRows ?? rows.length),
    bytes: Number(first.totalBytesProcessed ?? 0), isFromCache: first.cacheHit === true,
    ...(first.numDmlAffectedRows === undefined ? {} : { changed: Number(first.numDmlAffectedRows) }),
  };
}

/** What the query would read, without running it. */
export async function dryRun(bigquery: BigQuery, question: Question): Promise<{ bytes: number; fields: Field[] }> {
  const answer = await request(bigquery, 'POST', '/queries', { ...bodyOf(question), dryRun: true });
  return { bytes: Number(answer.totalBytesProcessed ?? 0), fields: answer.schema?.fields ?? [] };
}

function bodyOf({ sql, dataset, location, parameters }: Question): Record<string, unknown> {
  return {
    query: sql, useLegacySql: false, defaultDataset: { datasetId: dataset }, location, formatOptions: { useInt64Timestamp: true },
    ...(parameters.length === 0 ? {} : { parameterMode: 'NAMED', queryParameters: parameters.map(({ name, type, value }) => ({ name, parameterType: { type }, parameterValue: { value } })) }),
  };
}

function request(bigquery: BigQuery, method: 'GET' | 'POST', uri: string, content: Record<string, unknown>): Promise<Response> {
  return new Promise((resolve, reject) => {
    bigquery.request({ method, uri, ...(method === 'POST' ? { json: content } : { qs: content }) }, (error, body) => {
      if (error) reject(error);
      else resolve(body as Response);
    });
  });
}

/** `name=value` or `name:TYPE=value`; without a type, numbers and true/false are taken for what they look like. */
export function readParameter(text: string): Parameter | undefined {
  const [, name, type, value] = /^([A-Za-z_]\w*)(?::([A-Za-z0-9]+))?=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) return undefined;
  return { name, value, type: type?.toUpperCase() ?? typeOf(value) };
}

const typeOf = (value: string): string =>
  /^-?\d{1,18}$/.test(value) ? 'INT64' : /^-?\d+\.\d+$/.test(value) ? 'FLOAT64' : /^(true|false)$/i.test(value) ? 'BOOL' : 'STRING';
