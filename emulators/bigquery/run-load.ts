// A load job: newline-delimited JSON or CSV, plain or gzip, from the local Cloud Storage or from the request itself, into a destination table.
import { createWriteStream, rmSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { detectFields } from './detect-schema.ts';
import { checkDestination, commitRows, readDisposition } from './destination.ts';
import { quoted, readFields, type TableField } from './fields.ts';
import type { Job, TableReference, Work } from './jobs.ts';
import { lineOf } from './json-row.ts';
import { readCsv, type CsvOptions } from './load-csv.ts';
import { readJsonLines, type Entry } from './load-json.ts';
import { expand, inflated, type Source } from './load-sources.ts';
import { Refusal, type ErrorProto } from './refusal.ts';
import { prepareRows } from './run-query.ts';
import { readLinesSql, type TableStore } from './table-store.ts';

type LoadConfiguration = CsvOptions & { sourceUris?: string[]; sourceFormat?: string; destinationTable?: TableReference; schema?: { fields?: unknown }; maxBadRecords?: number; ignoreUnknownValues?: boolean; autodetect?: boolean } & Record<string, unknown>;
type Loaded = { rows: number; bytes: number; errors: ErrorProto[] };

export type LoadOptions = { store: TableStore; dataDir: string; storageUrl: string | undefined };

const FORMATS = ['CSV', 'NEWLINE_DELIMITED_JSON'];
const NOT_IMPLEMENTED = ['hivePartitioningOptions', 'projectionFields', 'decimalTargetTypes', 'parquetOptions', 'jsonExtension', 'columnNameCharacterMap', 'connectionProperties', 'createSession', 'referenceFileSchemaUri', 'fileSetSpecType'];

export async function runLoad({ store, dataDir, storageUrl }: LoadOptions, job: Job, upload: readonly Buffer[] | undefined): Promise<Work> {
  const config = job.configuration['load'] as LoadConfiguration;
  const format = config.sourceFormat ?? 'CSV';
  if (!FORMATS.includes(format)) throw new Refusal('notImplemented', `Loading ${format} is not implemented in the local BigQuery: use NEWLINE_DELIMITED_JSON or CSV.`);
  // `bq` sends empty lists.
  const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== false && !(Array.isArray(value) && value.length === 0);
  for (const name of NOT_IMPLEMENTED) if (isGiven(config[name])) throw new Refusal('notImplemented', `configuration.load.${name} is not implemented in the local BigQuery.`);
  if (config.destinationTable === undefined) throw new Refusal('required', 'Required parameter is missing: destinationTable');
  const to = readDisposition(config, 'WRITE_APPEND', config.destinationTable);
  const target = checkDestination(store, to);
  const sources: Source[] = upload === undefined ? (await Promise.all((config.sourceUris ?? []).map((uri) => expand(uri, storageUrl)))).flat() : [{ name: 'the upload', open: async () => Readable.from(piecesOf(upload)) }];
  if (sources.length === 0) throw new Refusal('notFound', `Not found: URI ${(config.sourceUris ?? []).join(', ')}`);
  const fields = await fieldsOf(config, target?.fields, sources);
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

/** Whoever reads a file makes text of each piece, so an upload comes in pieces as a file does. */
function* piecesOf(parts: readonly Buffer[]): Generator<Buffer> {
  for (const part of parts) for (let from = 0; from < part.length; from += PIECE_BYTES) yield part.subarray(from, from + PIECE_BYTES);
}

const PIECE_BYTES = 256 * 1_024;

/** The job's schema, else the table's, else (if asked for) what the first rows look like. */
async function fieldsOf(config: LoadConfiguration, ofTable: TableField[] | undefined, sources: readonly Source[]): Promise<TableField[]> {
  const given = config.schema?.fields === undefined ? ofTable : readFields(config.schema.fields);
  if (given !== undefined && given.length > 0) return given;
  if (config.autodetect !== true) throw new Refusal('invalid', 'No schema specified on job or table.');
  const isCsv = config.sourceFormat !== 'NEWLINE_DELIMITED_JSON';
  const detected = await detectFields(await inflated(sources[0]!), isCsv ? config : undefined);
  if (isCsv && detected.hasHeader) config.skipLeadingRows = Math.max(1, Number(config.skipLeadingRows ?? 0));
  return readFields(detected.fields);
}

const WRITTEN_AT_ONCE_CHARS = 256 * 1_024;

/** Checks each record and writes what DuckDB reads; stops at the first bad one beyond those that are allowed. */
async function convert(sources: Source[], fields: TableField[], config: LoadConfiguration, path: string): Promise<Loaded> {
  const loaded: Loaded = { rows: 0, bytes: 0, errors: [] };
  const file = createWriteStream(path);
  let lines = '';
  const options = { ignoreUnknown: config.ignoreUnknownValues === true, jsonAsText: config.sourceFormat !== 'NEWLINE_DELIMITED_JSON' };
  for (const source of sources) {
    const input = await inflated(source);
    const entries = config.sourceFormat === 'NEWLINE_DELIMITED_JSON' ? readJsonLines(input) : readCsv(input, fields, config, options.ignoreUnknown);
    for await (const entry of entries) {
      loaded.bytes += entry.bytes;
      const made = lineFrom(entry, fields, options);
      if ('problem' in made) bad(loaded, config.maxBadRecords ?? 0, `Error while reading data, error message: ${made.problem} File: ${source.name}; Line start position: ${entry.position}`, source.name);
      else {
        loaded.rows += 1;
        lines += `${made.line}\n`;
        if (lines.length < WRITTEN_AT_ONCE_CHARS) continue;
        if (!file.write(lines)) await once(file, 'drain');
        lines = '';
      }
    }
  }
  file.write(lines);
  await new Promise<void>((done) => file.end(() => done()));
  return loaded;
}

function bad(loaded: Loaded, badMax: number, message: string, location: string): void {
  loaded.errors.push({ reason: 'invalid', message, location });
  if (loaded.errors.length > badMax) throw new Refusal('invalid', message, location);
}

function lineFrom(entry: Entry, fields: TableField[], options: Parameters<typeof lineOf>[2]): { line: string } | { problem: string } {
  if ('problem' in entry) return { problem: entry.problem };
  const made = lineOf(fields, entry.row, options);
  return 'problems' in made ? { problem: made.problems.map((problem) => `${problem.message} (${problem.location})`).join('; ') } : made;
}
