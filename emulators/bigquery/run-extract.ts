// An extract job: the rows of a table (without the streaming buffer) as newline-delimited JSON or CSV, plain or gzip, into objects of the local Cloud Storage.
import { gzipSync } from 'node:zlib';
import { isRepeated, quoted, typeOf, type TableField } from './fields.ts';
import type { Job, TableReference, Work } from './jobs.ts';
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
    const nested = fields.find((field) => field.fields !== undefined || isRepeated(field));
    if (format === 'CSV' && nested !== undefined) throw new Refusal('invalid', `Operation cannot be performed on a nested schema. Field: ${nested.name}`);
    const writer = new Objects(uri, compression === 'GZIP', storageUrl);
    const header = format === 'CSV' && config.printHeader !== false ? `${csvLine(fields.map(({ name }) => name), config.fieldDelimiter)}\n` : '';
    const sql = `SELECT ${wireRowSql(fields, fields.map((field) => quoted(field.name)))} FROM ${physicalSql(table.physical)} WHERE ${store.visibleSql(table)}`;
    await store.engine.read(async (connection) => {
      for await (const rows of wireRows(connection, sql)) {
        for (const row of rows) {
          const { f: cells } = JSON.parse(row) as { f: Cell[] };
          const line = format === 'CSV' ? csvLine(cells.map(({ v }, at) => plainText(fields[at]!, v)), config.fieldDelimiter) : JSON.stringify(record(fields, cells));
          await writer.line(`${line}\n`, header);
        }
      }
    });
    const files = await writer.end(header);
    return { statistics: { extract: { destinationUriFileCounts: [String(files)] } } };
  });
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
