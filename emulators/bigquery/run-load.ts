// A load job: newline-delimited JSON, plain or gzip, from the local Cloud Storage or from the request itself, into a destination table.
import { createWriteStream, rmSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { createInterface } from 'node:readline';
import { checkDestination, commitRows, readDisposition } from './destination.ts';
import { quoted, readFields, type TableField } from './fields.ts';
import { lineOf } from './json-row.ts';
import type { Job, TableReference, Work } from './jobs.ts';
import { Refusal, type ErrorProto } from './refusal.ts';
import { prepareRows } from './run-query.ts';
import { readLinesSql, type TableStore } from './table-store.ts';

type LoadConfiguration = { sourceUris?: string[]; sourceFormat?: string; destinationTable?: TableReference; schema?: { fields?: unknown }; maxBadRecords?: number; ignoreUnknownValues?: boolean; autodetect?: boolean } & Record<string, unknown>;
/** The bytes of one source, as they are stored. */
type Source = { name: string; open: () => Promise<Readable> };
type Loaded = { rows: number; bytes: number; errors: ErrorProto[] };

export type LoadOptions = { store: TableStore; dataDir: string; storageUrl: string | undefined };

export async function runLoad({ store, dataDir, storageUrl }: LoadOptions, job: Job, upload: Buffer | undefined): Promise<Work> {
  const config = job.configuration['load'] as LoadConfiguration;
  if (config.sourceFormat !== 'NEWLINE_DELIMITED_JSON') throw new Refusal('notImplemented', `Loading ${config.sourceFormat ?? 'CSV'} is not implemented in the local BigQuery: use NEWLINE_DELIMITED_JSON.`);
  if (config.destinationTable === undefined) throw new Refusal('required', 'Required parameter is missing: destinationTable');
  const to = readDisposition(config, 'WRITE_APPEND', config.destinationTable);
  const target = checkDestination(store, to);
  const fields = config.schema?.fields === undefined ? target?.fields : readFields(config.schema.fields);
  if (fields === undefined || fields.length === 0) throw new Refusal(config.autodetect === true ? 'notImplemented' : 'invalid', config.autodetect === true ? 'Schema detection is not implemented in the local BigQuery: give a schema.' : 'No schema specified on job or table.');
  const sources: Source[] = upload === undefined ? (await Promise.all((config.sourceUris ?? []).map((uri) => expand(uri, storageUrl)))).flat() : [{ name: 'the upload', open: async () => Readable.from([upload]) }];
  if (sources.length === 0) throw new Refusal('notFound', `Not found: URI ${(config.sourceUris ?? []).join(', ')}`);
  const path = join(dataDir, `load-${Date.now()}-${Math.random().toString(36).slice(2)}.ndjson`);
  try {
    const loaded = await convert(sources, fields, config, path);
    const columns = fields.map((field) => quoted(field.name)).join(', ');
    const { physical, rows } = await store.engine.read((connection) => prepareRows(connection, `SELECT ${columns} FROM (${readLinesSql(path, fields)})`, fields));
    if (target !== undefined) await store.settle(target);
    return {
      statistics: { load: { inputFiles: String(sources.length), inputFileBytes: String(loaded.bytes), outputRows: String(rows), outputBytes: String(loaded.bytes), badRecords: String(loaded.errors.length) } },
      ...(loaded.errors.length > 0 ? { errors: loaded.errors } : {}),
      commit: (connection) => commitRows(store, connection, to, physical, fields),
      abandon: () => store.release({ type: 'TABLE', physical }),
    };
  } finally {
    rmSync(path, { force: true });
  }
}

/** Checks each line and writes what DuckDB reads; stops at the first bad line beyond those that are allowed. */
async function convert(sources: Source[], fields: TableField[], config: LoadConfiguration, path: string): Promise<Loaded> {
  const loaded: Loaded = { rows: 0, bytes: 0, errors: [] };
  const file = createWriteStream(path);
  for (const source of sources) {
    let position = 0;
    for await (const line of createInterface({ input: await inflated(source), crlfDelay: Infinity })) {
      if (line.trim() !== '') {
        const made = lineFrom(line, fields, config.ignoreUnknownValues === true);
        if ('problem' in made) bad(loaded, config.maxBadRecords ?? 0, `Error while reading data, error message: ${made.problem} File: ${source.name}; Line start position: ${position}`, source.name);
        else {
          loaded.rows += 1;
          if (!file.write(`${made.line}\n`)) await once(file, 'drain');
        }
      }
      position += Buffer.byteLength(line) + 1;
    }
    loaded.bytes += position;
  }
  await new Promise<void>((done) => file.end(() => done()));
  return loaded;
}

function bad(loaded: Loaded, badMax: number, message: string, location: string): void {
  loaded.errors.push({ reason: 'invalid', message, location });
  if (loaded.errors.length > badMax) throw new Refusal('invalid', message, location);
}

function lineFrom(line: string, fields: TableField[], ignoreUnknown: boolean): { line: string } | { problem: string } {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (error) {
    return { problem: `JSON parsing error in row: ${(error as Error).message}` };
  }
  const made = lineOf(fields, row, { ignoreUnknown, jsonAsText: false });
  return 'problems' in made ? { problem: made.problems.map((problem) => `${problem.message} (${problem.location})`).join('; ') } : made;
}

/** gzip is known by its first two bytes; members one after another are one file. */
async function inflated(source: Source): Promise<Readable> {
  const input = await source.open();
  const iterator = (input as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  const first = await iterator.next();
  const rest = async function* (): AsyncGenerator<Buffer> {
    if (first.done === true) return;
    yield first.value;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  };
  const plain = Readable.from(rest());
  const isGzip = first.done !== true && first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (!isGzip) return plain;
  const gunzip = createGunzip();
  plain.once('error', (error) => gunzip.destroy(error));
  return plain.pipe(gunzip);
}

/** `gs://bucket/path*` as objects of the Cloud Storage at STORAGE_EMULATOR_HOST. */
async function expand(uri: string, storageUrl: string | undefined): Promise<Source[]> {
  const match = /^gs:\/\/([^/]+)\/(.+)$/.exec(uri);
  if (match === null) throw new Refusal('invalid', `Source URI must be a Google Cloud Storage location: ${uri}`);
  if (storageUrl === undefined) throw new Refusal('invalid', 'Loading from gs:// needs a Cloud Storage: STORAGE_EMULATOR_HOST is not set for the local BigQuery.');
  const [, bucket, pattern] = match as unknown as [string, string, string];
  const api = `${storageUrl.replace(/\/$/, '')}/storage/v1/b/${bucket}/o`;
  const star = pattern.indexOf('*');
  const names = star === -1 ? [pattern] : (await listed(api, pattern.slice(0, star))).filter((name) => name.endsWith(pattern.slice(star + 1)) && name.length >= pattern.length - 1);
  return names.map((name) => ({ name: `gs://${bucket}/${name}`, open: () => download(`${api}/${encodeURIComponent(name)}?alt=media`, `gs://${bucket}/${name}`) }));
}

async function listed(api: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  let token: string | undefined;
  do {
    const response = await fetch(`${api}?prefix=${encodeURIComponent(prefix)}${token === undefined ? '' : `&pageToken=${token}`}`);
    if (!response.ok) throw new Refusal('notFound', `Not found: ${api} (${response.status})`);
    const page = await response.json() as { items?: { name: string }[]; nextPageToken?: string };
    names.push(...(page.items ?? []).map((item) => item.name));
    token = page.nextPageToken;
  } while (token !== undefined);
  return names.sort();
}

async function download(url: string, name: string): Promise<Readable> {
  // Stored bytes are wanted as they are: an Accept-Encoding without gzip would make the storage inflate objects marked as gzip.
  const response = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
  if (response.status === 404) throw new Refusal('notFound', `Not found: URI ${name}`);
  if (!response.ok || response.body === null) throw new Refusal('backendError', `${name} could not be read: ${response.status}`);
  return Readable.fromWeb(response.body as import('node:stream/web').ReadableStream);
}
