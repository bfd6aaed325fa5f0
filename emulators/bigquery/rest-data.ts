// tabledata.*: rows in by insertAll, rows out by list. Handlers for http.ts.
import type { Table } from './catalogue.ts';
import { quoted } from './fields.ts';
import { isOn, readToken, tokenOf, type Call, type Routes } from './http.ts';
import { lineOf, type RowProblem } from './json-row.ts';
import { Refusal } from './refusal.ts';
import { readPage } from './results.ts';
import { rowsOf } from './engine.ts';
import { physicalSql, type TableStore } from './table-store.ts';
import { hasTimestamp, withTimestamps, wireRowSql, type TimestampFormat } from './wire-rows.ts';

const INSERT_ROWS_MAX = 50_000; // quotas#streaming_inserts
const INSERT_BYTES_MAX = 10_000_000;
const INSERT_ID_KEPT_MS = 60_000; // "at least one minute" (docs/write-api-rest#dataconsistency)
const INSERT_IDS_MAX = 500_000;

/** insertIds of the last minute, per incarnation of a table. */
class SeenIds {
  private readonly seen = new Map<string, number>();

  /** Answers whether the id is new, and remembers it. */
  add(key: string, nowMs: number): boolean {
    const before = this.seen.get(key);
    if (before !== undefined && nowMs - before < INSERT_ID_KEPT_MS) return false;
    this.seen.delete(key);
    this.seen.set(key, nowMs);
    for (const [old, at] of this.seen) {
      if (nowMs - at < INSERT_ID_KEPT_MS && this.seen.size <= INSERT_IDS_MAX) break;
      this.seen.delete(old);
    }
    return true;
  }
  forget(keys: string[]): void {
    for (const key of keys) this.seen.delete(key);
  }
}

type InsertRow = { insertId?: string; json?: unknown };
type InsertError = { index: number; errors: RowProblem[] };

async function insertAll(store: TableStore, seen: SeenIds, call: Call): Promise<{ body: object }> {
  const template = tableOf(store, call);
  const rows = call.body['rows'] as InsertRow[] | undefined;
  if (!Array.isArray(rows) || rows.length === 0) throw new Refusal('invalid', 'No rows present in the request.');
  if (rows.length > INSERT_ROWS_MAX) throw new Refusal('invalid', `too many rows present in the request, limit: ${INSERT_ROWS_MAX} row count: ${rows.length}.`);
  if (call.raw.length > INSERT_BYTES_MAX) throw new Refusal('invalid', `Request payload size exceeds the limit: ${INSERT_BYTES_MAX} bytes.`);
  const table = await instanceOf(store, template, call.body['templateSuffix']);
  const { lines, errors } = convert(table, rows, call.body['ignoreUnknownValues'] === true);
  if (errors.length > 0 && call.body['skipInvalidRows'] !== true) {
    const named = new Set(errors.map((error) => error.index));
    // A mismatch in one row rejects all; the good ones come back as `stopped`.
    const stopped = rows.flatMap((_, index) => (named.has(index) ? [] : [{ index, errors: [{ reason: 'stopped', location: '', debugInfo: '', message: '' }] }]));
    return { body: { kind: 'bigquery#tableDataInsertAllResponse', insertErrors: [...errors, ...stopped] } };
  }
  const now = store.now();
  const kept = lines.filter(({ insertId }) => insertId === undefined || seen.add(`${table.uid} ${insertId}`, now));
  if (kept.length > 0) {
    try {
      await store.append(table, Buffer.from(kept.map(({ line }) => `${line}\n`).join('')), kept.length, 'insert');
    } catch (error) {
      seen.forget(kept.flatMap(({ insertId }) => (insertId === undefined ? [] : [`${table.uid} ${insertId}`])));
      throw error;
    }
  }
  return { body: { kind: 'bigquery#tableDataInsertAllResponse', ...(errors.length > 0 ? { insertErrors: errors } : {}) } };
}

/** `templateSuffix`: the table of the template's name and the suffix, with the template's columns and layout; made when it is first written to. */
async function instanceOf(store: TableStore, template: Table, suffix: unknown): Promise<Table> {
  if (suffix === undefined || suffix === null || suffix === '') return template;
  const { project, dataset, fields, clustering, timePartitioning } = template;
  const name = `${template.table}${String(suffix)}`;
  if (!/^[\w-]{1,1024}$/.test(name)) throw new Refusal('invalid', `Invalid table ID "${name}".`);
  const { table, publish } = await store.engine.change(async (connection) => {
    const found = store.catalogue.findTable(project, dataset, name);
    if (found !== undefined) return { table: found, publish: () => undefined };
    return store.create(connection, { project, dataset, table: name, fields, ...(clustering === undefined ? {} : { clustering }), ...(timePartitioning === undefined ? {} : { timePartitioning }) });
  });
  publish();
  return table;
}

function convert(table: Table, rows: InsertRow[], ignoreUnknown: boolean): { lines: { line: string; insertId?: string }[]; errors: InsertError[] } {
  const lines: { line: string; insertId?: string }[] = [];
  const errors: InsertError[] = [];
  for (const [index, { json, insertId }] of rows.entries()) {
    if (insertId !== undefined && insertId.length > 128) throw new Refusal('invalid', 'insertId must be at most 128 characters long.');
    const made = lineOf(table.fields, json, { ignoreUnknown, jsonAsText: true });
    if ('problems' in made) errors.push({ index, errors: made.problems });
    else lines.push({ line: made.line, ...(insertId === undefined ? {} : { insertId }) });
  }
  return { lines, errors };
}

function tableOf(store: TableStore, call: Call): Table {
  const id = call.params['table']!;
  if (id.includes('$')) throw new Refusal('notImplemented', 'Partition decorators in tabledata are not implemented in the local BigQuery.');
  const table = store.catalogue.table(call.params['project']!, call.params['dataset']!, id);
  if (table.type === 'VIEW') throw new Refusal('invalid', `Cannot list or insert rows of a table of type VIEW: ${id}.`);
  return table;
}

/** Rows in order of arrival; those of the streaming buffer are not among them (docs/write-api-rest). */
async function list(store: TableStore, call: Call): Promise<{ body: object; rows?: string[] }> {
  const table = tableOf(store, call);
  await store.settle(table);
  return store.reading(async () => {
    const current = tableOf(store, call);
    const token = call.query.get('pageToken');
    const start = token === null || token === '' ? Number(call.query.get('startIndex') ?? 0) : readToken(token);
    const rowsMax = Math.max(0, Math.min(Number(call.query.get('maxResults') ?? 100_000), 100_000));
    const selected = call.query.get('selectedFields')?.split(',').map((name) => name.toLowerCase());
    const fields = selected === undefined ? current.fields : current.fields.filter((field) => selected.includes(field.name.toLowerCase()));
    const from = `FROM ${physicalSql(current.physical)} WHERE ${store.visibleSql(current)}`;
    const { rows, total } = await store.engine.read(async (connection) => {
      const wire = wireRowSql(fields, fields.map((field) => quoted(field.name)));
      const page = rowsMax === 0 || fields.length === 0 ? [] : await readPage(connection, `SELECT ${wire} FROM (SELECT * ${from} LIMIT ${rowsMax} OFFSET ${start})`);
      return { rows: page, total: Number((await rowsOf(connection, `SELECT count(*) AS n ${from}`))[0]?.['n'] ?? 0) };
    });
    const next = start + rows.length;
    return {
      body: { kind: 'bigquery#tableDataList', etag: `"${current.uid}-${total}"`, totalRows: String(total), ...(next < total && rows.length > 0 ? { pageToken: tokenOf(next) } : {}) },
      ...(rows.length > 0 ? { rows: formatted(rows, fields, call) } : {}),
    };
  });
}

function formatted(rows: string[], fields: Table['fields'], call: Call): string[] {
  const output = call.query.get('formatOptions.timestampOutputFormat');
  const format: TimestampFormat = output === 'ISO8601_STRING' ? output : output === 'INT64' || isOn(call, 'formatOptions.useInt64Timestamp') ? 'INT64' : 'FLOAT64';
  if (format === 'INT64' || !hasTimestamp(fields)) return rows;
  return rows.map((row) => JSON.stringify(withTimestamps(JSON.parse(row) as { f: { v: unknown }[] }, fields, format)));
}

export function dataRoutes(store: TableStore): Routes {
  const seen = new SeenIds();
  const path = '/projects/{project}/datasets/{dataset}/tables/{table}';
  return {
    [`POST ${path}/insertAll`]: { method: 'tabledata.insertAll', handler: (call) => insertAll(store, seen, call) },
    [`GET ${path}/data`]: { method: 'tabledata.list', handler: (call) => list(store, call) },
  };
}
