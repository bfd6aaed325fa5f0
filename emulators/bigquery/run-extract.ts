// An extract job: the rows of a table (without the streaming buffer) as newline-delimited JSON or CSV, plain or gzip, into objects of the local Cloud Storage.
// EXPORT DATA does the same with the rows of a query.
import { gzipSync } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { isRepeated, quoted, typeOf, type TableField } from './fields.ts';
import type { Job, TableReference, Work } from './jobs.ts';
import { expand } from './load-sources.ts';
import { Refusal } from './refusal.ts';
import { wireRows } from './results.ts';
import { physicalSql, type TableStore } from './table-store.ts';
import { wireRowSql } from './wire-rows.ts';

type ExtractConfiguration = { sourceTable?: TableReference; destinationUris?: string[]; destinationUri?: string; destinationFormat?: string; compression?: string; fieldDelimiter?: string; printHeader?: boolean };
type Cell = { v: unknown };
/** A file of an export with a wildcard in its name holds at most this much here; Google says only that it decides. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;

export async function runExtract(store: TableStore, storageUrl: string | undefined, job: Job): Promise<Work> {
  const config = job.configuration['extract'] as ExtractConfiguration;
  const uris = config.destinationUris ?? (config.destinationUri === undefined ? [] : [config.destinationUri]);
  const format = config.destinationFormat ?? 'CSV';
  const compression = config.compression ?? 'NONE';
  if (!['CSV', 'NEWLINE_DELIMITED_JSON'].includes(format)) throw new Refusal('notImplemented', `Extracting ${format} is not implemented in the local BigQuery: use NEWLINE_DELIMITED_JSON or CSV.`);
  if (!['NONE', 'GZIP'].includes(compression)) throw new Refusal('invalid', `Invalid value for compression: ${compression} is not a valid value with ${format}.`);
  if (config.sourceTable === undefined || uris.length === 0) throw new Refusal('required', 'Required parameter is missing: sourceTable and destinationUris');
  const [uri] = uris;
  if (uris.length > 1 || uri === undefined) throw new Refusal('notImplemented', 'Extracting to several URIs is not implemented in the local BigQuery: give one.');
  const { projectId, datasetId, tableId } = config.sourceTable;
  const find = () => store.catalogue.table(projectId, datasetId, tableId);
  if (find().type === 'VIEW') throw new Refusal('invalid', `${tableId} is a view, which extract jobs do not take.`);
  await store.settle(find());
  return store.reading(async () => {
    const table = find();
    const { fields } = table;
    const target = { uri, isCsv: format === 'CSV', isGzip: compression === 'GZIP', hasHeader: config.printHeader !== false, delimiter: config.fieldDelimiter, storageUrl };
    const sql = `SELECT ${wireRowSql(fields, fields.map((field) => quoted(field.name)))} FROM ${physicalSql(table.physical)} WHERE ${store.visibleSql(table)}`;
    const { files } = await store.engine.read((connection) => writeObjects(connection, sql, fields, target));
    return { statistics: { extract: { destinationUriFileCounts: [String(files)] } } };
  });
}

export type ExportTarget = { uri: string; isCsv: boolean; isGzip: boolean; hasHeader: boolean; delimiter: string | undefined; storageUrl: string | undefined };

/** `sql` gives rows as the wire has them, with these fields. */
export async function writeObjects(connection: DuckDBConnection, sql: string, fields: TableField[], { uri, isCsv, isGzip, hasHeader, delimiter, storageUrl }: ExportTarget): Promise<{ files: number; rows: number }> {
  const nested = fields.find((field) => field.fields !== undefined || isRepeated(field));
  if (isCsv && nested !== undefined) throw new Refusal('invalid', `Operation cannot be performed on a nested schema. Field: ${nested.name}`);
  const writer = new Objects(uri, isGzip, storageUrl);
  const header = isCsv && hasHeader ? `${csvLine(fields.map(({ name }) => name), delimiter)}\n` : '';
  let written = 0;
  for await (const rows of wireRows(connection, sql)) {
    for (const row of rows) {
      const { f: cells } = JSON.parse(row) as { f: Cell[] };
      const line = isCsv ? csvLine(cells.map(({ v }, at) => plainText(fields[at]!, v)), delimiter) : JSON.stringify(record(fields, cells));
      await writer.line(`${line}\n`, header);
      written += 1;
    }
  }
  return { files: await writer.end(header), rows: written };
}

const EXPORT_OPTIONS = new Set(['uri', 'format', 'overwrite', 'header', 'field_delimiter', 'compression']);

/** OPTIONS of EXPORT DATA. Without `overwrite` no object that its URI names may be there. */
export async function readExport(options: Record<string, unknown>, storageUrl: string | undefined): Promise<ExportTarget> {
  const unknown = Object.keys(options).find((name) => !EXPORT_OPTIONS.has(name));
  if (unknown !== undefined) throw new Refusal('notImplemented', `The option ${unknown} of EXPORT DATA is not implemented in the local BigQuery.`, 'query');
  const { uri, overwrite = false, header = false, field_delimiter: delimiter } = options;
  const format = String(options['format']).toUpperCase();
  const compression = String(options['compression'] ?? 'NONE').toUpperCase();
  if (!['CSV', 'JSON'].includes(format)) throw new Refusal('notImplemented', `EXPORT DATA with format ${format} is not implemented in the local BigQuery: use JSON or CSV.`, 'query');
  if (!['NONE', 'GZIP'].includes(compression)) throw new Refusal('invalidQuery', `Invalid value for compression: ${compression} is not a valid value with ${format}.`, 'query');
  if (typeof uri !== 'string' || uri.split('*').length !== 2) throw new Refusal('invalidQuery', 'Option \'uri\' value must be a wild card URI with exactly one \'*\'.', 'query');
  if (overwrite !== true && (await expand(uri, storageUrl)).length > 0) throw new Refusal('invalidQuery', `Invalid value: Destination is not empty: ${uri}. Set overwrite to replace what is there.`, 'query');
  return { uri, isCsv: format === 'CSV', isGzip: compression === 'GZIP', hasHeader: header === true, delimiter: delimiter === undefined ? undefined : String(delimiter), storageUrl };
}

/** Lines into one object, or, where the URI has a `*`, into several with a number of twelve digits in its place. */
class Objects {
  private readonly uri: string;
  private readonly isGzip: boolean;
  private readonly storageUrl: string | undefined;
  private lines: string[] = [];
  private bytes = 0;
  private files = 0;

  constructor(uri: string, isGzip: boolean, storageUrl: string | undefined) {
    this.uri = uri;
    this.isGzip = isGzip;
    this.storageUrl = storageUrl;
  }

  async line(line: string, header: string): Promise<void> {
    this.lines.push(line);
    this.bytes += line.length;
    if (this.bytes > FILE_BYTES_MAX && this.uri.includes('*')) await this.store(header);
  }

  async end(header: string): Promise<number> {
    if (this.lines.length > 0 || this.files === 0) await this.store(header);
    return this.files;
  }

  private async store(header: string): Promise<void> {
    const match = /^gs:\/\/([^/]+)\/(.+)$/.exec(this.uri);
    if (match === null) throw new Refusal('invalid', `Destination URI must be a Google Cloud Storage location: ${this.uri}`);
    if (this.storageUrl === undefined) throw new Refusal('invalid', 'Extracting to gs:// needs a Cloud Storage: STORAGE_EMULATOR_HOST is not set for the local BigQuery.');
    const text = Buffer.from(header + this.lines.join(''));
    const name = match[2]!.replace('*', String(this.files).padStart(12, '0'));
    const url = `${this.storageUrl.replace(/\/$/, '')}/upload/storage/v1/b/${match[1]}/o?uploadType=media&name=${encodeURIComponent(name)}`;
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: this.isGzip ? gzipSync(text) : text });
    if (response.status === 404) throw new Refusal('notFound', `Not found: URI ${this.uri}`);
    if (!response.ok) throw new Refusal('backendError', `${this.uri} could not be written: ${response.status}`);
    this.files += 1;
    this.lines = [];
    this.bytes = 0;
  }
}

/** A value as exports write it: times with their zone in words. */
function plainText(field: TableField, value: unknown): string {
  if (value === null) return '';
  if (typeOf(field) !== 'TIMESTAMP') return String(value);
  const micros = BigInt(value as string);
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const text = new Date(Number((micros - rest) / 1_000n)).toISOString().slice(0, 19).replace('T', ' ');
  return `${text}${rest === 0n ? '' : `.${String(rest).padStart(6, '0').replace(/0+$/, '')}`} UTC`;
}

/** Integers and decimals as text, floats and booleans bare, NULL left out (docs/exporting-data). */
function record(fields: TableField[], cells: Cell[]): Record<string, unknown> {
  const value = (field: TableField, v: unknown): unknown => {
    if (Array.isArray(v)) return (v as Cell[]).map((cell) => value({ ...field, mode: 'NULLABLE' }, cell.v));
    switch (typeOf(field)) {
      case 'RECORD': return record(field.fields ?? [], (v as { f: Cell[] }).f);
      case 'FLOAT': return Number.isFinite(Number(v)) ? Number(v) : v;
      case 'BOOLEAN': return v === 'true';
      case 'JSON': return JSON.parse(v as string);
      default: return plainText(field, v);
    }
  };
  return Object.fromEntries(fields.flatMap((field, at) => (cells[at]!.v === null ? [] : [[field.name, value(field, cells[at]!.v)]])));
}

const csvLine = (cells: readonly string[], delimiter = ','): string =>
  cells.map((text) => (text.includes(delimiter) || /["\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(delimiter);
