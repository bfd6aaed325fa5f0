// The calls of the Storage Write API beside AppendRows: CreateWriteStream, GetWriteStream, FinalizeWriteStream, BatchCommitWriteStreams, FlushRows.
// Called by append-rows.ts, which makes a gRPC service of them.
import { status } from '@grpc/grpc-js';
import type { Table } from './catalogue.ts';
import { isRepeated, isRequired, typeOf, type TableField } from './fields.ts';
import { StreamFailure } from './stream-failure.ts';
import type { TableStore } from './table-store.ts';
import type { StreamType, WriteStream, WriteStreams } from './write-streams.ts';

export type WriteContext = { store: TableStore; streams: WriteStreams };
const TYPES = ['COMMITTED', 'PENDING', 'BUFFERED'];
const TABLE = /^projects\/([^/]+)\/datasets\/([^/]+)\/tables\/([^/]+)$/;

export const timeOf = (ms: number): object => ({ seconds: String(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 });
const notFound = (entity: string): StreamFailure => new StreamFailure(status.NOT_FOUND, `Requested entity was not found. Entity: ${entity}`);

/** `projects/…/tables/t` as a table that takes rows. `entity` is what the caller named. */
export function tableAt({ store }: WriteContext, path: string, entity: string): Table {
  const match = TABLE.exec(path);
  if (match === null) throw new StreamFailure(status.INVALID_ARGUMENT, `Invalid stream name: ${JSON.stringify(entity)}. Entity: ${entity}`);
  const [, project, dataset, name] = match as unknown as [string, string, string, string];
  if (name.includes('$')) throw new StreamFailure(status.UNIMPLEMENTED, 'Appending by partition decorator is not implemented in the local BigQuery.');
  const table = store.catalogue.findTable(project, dataset, name);
  if (table === undefined) throw notFound(entity);
  if (table.type === 'VIEW') throw new StreamFailure(status.INVALID_ARGUMENT, `Cannot append to a view. Entity: ${entity}`);
  return table;
}

/** A stream by its name; `stream` is undefined for the default stream of the table. */
export function streamAt(context: WriteContext, name: string): { table: Table; stream: WriteStream | undefined } {
  const match = /^(.*?)\/(?:streams\/([^/]+)|_default)$/.exec(name);
  if (match === null) throw new StreamFailure(status.INVALID_ARGUMENT, `Invalid stream name: ${JSON.stringify(name)}. Entity: ${name}`);
  const table = tableAt(context, match[1]!, name);
  if (match[2] === undefined || match[2] === '_default') return { table, stream: undefined };
  const stream = context.streams.find(name, table);
  if (stream === undefined) throw notFound(name);
  return { table, stream };
}

function namedStream(context: WriteContext, name: string, what: string): { table: Table; stream: WriteStream } {
  const { table, stream } = streamAt(context, name);
  if (stream === undefined) throw new StreamFailure(status.INVALID_ARGUMENT, `${what} is not supported on the default stream. Entity: ${name}`);
  return { table, stream };
}

function resource(name: string, table: Table, stream: WriteStream | undefined, withSchema: boolean): object {
  return {
    name, type: stream?.doc.type ?? 'COMMITTED', create_time: timeOf(stream?.doc.createdMs ?? table.createdMs), write_mode: 'INSERT', location: 'US',
    ...(stream?.doc.committedMs === undefined ? {} : { commit_time: timeOf(stream.doc.committedMs) }), ...(withSchema ? { table_schema: schemaOf(table.fields) } : {}),
  };
}

export async function createWriteStream(context: WriteContext, request: { parent: string; write_stream?: { type?: string } | null }): Promise<object> {
  const table = tableAt(context, request.parent, request.parent);
  const type = request.write_stream?.type ?? 'TYPE_UNSPECIFIED';
  if (!TYPES.includes(type)) throw new StreamFailure(status.INVALID_ARGUMENT, `Stream type must be COMMITTED, PENDING or BUFFERED, not ${type}. Entity: ${request.parent}`);
  const stream = await context.streams.create(request.parent, table, type as StreamType);
  return resource(stream.doc.name, table, stream, true);
}

/** "The default view": without the schema; FULL has it. */
export async function getWriteStream(context: WriteContext, request: { name: string; view?: string }): Promise<object> {
  const { table, stream } = streamAt(context, request.name);
  return resource(request.name, table, stream, request.view === 'FULL');
}

export async function finalizeWriteStream(context: WriteContext, request: { name: string }): Promise<object> {
  const { table, stream } = namedStream(context, request.name, 'FinalizeWriteStream');
  await stream.inTurn(() => context.streams.change(table, [stream], (doc) => ({ ...doc, isFinalized: true })));
  return { row_count: String(stream.rows) };
}

export async function flushRows(context: WriteContext, request: { write_stream: string; offset?: { value?: string | number } | null }): Promise<object> {
  const { table, stream } = namedStream(context, request.write_stream, 'FlushRows');
  if (stream.doc.type !== 'BUFFERED') throw new StreamFailure(status.INVALID_ARGUMENT, `Stream must be created in buffered mode, actual: ${shown(stream)}. Entity: ${request.write_stream}`);
  const offset = Number(request.offset?.value ?? 0);
  if (offset >= stream.rows) throw new StreamFailure(status.OUT_OF_RANGE, `The offset ${offset} is beyond the end of the stream, which has ${stream.rows} rows. Entity: ${request.write_stream}`);
  await stream.inTurn(() => context.streams.change(table, [stream], (doc) => ({ ...doc, flushed: Math.max(doc.flushed, offset + 1) })));
  return { offset: String(offset) };
}

/** COMMITTED is called so in Google's messages. */
const shown = (stream: WriteStream): string => (stream.doc.type === 'COMMITTED' ? 'WRITE_OPTIMIZED' : stream.doc.type);

/** All of them, or none and the reason for each that stands in the way. */
export async function batchCommit(context: WriteContext, request: { parent: string; write_streams?: string[] }): Promise<object> {
  const table = tableAt(context, request.parent, request.parent);
  const streams = (request.write_streams ?? []).map((name) => ({ name, stream: context.streams.find(name, table) }));
  const errors = streams.flatMap(({ name, stream }) => {
    const error = (code: string, message: string): object[] => [{ code, entity: name, error_message: message }];
    if (stream === undefined) return error('STREAM_NOT_FOUND', `Stream ${name} was not found`);
    if (stream.doc.type !== 'PENDING') return error('INVALID_STREAM_TYPE', `Stream must be created in pending mode, actual: ${shown(stream)}`);
    if (stream.doc.committedMs !== undefined) return error('STREAM_ALREADY_COMMITTED', `Stream ${name} is already committed`);
    return stream.doc.isFinalized ? [] : error('INVALID_STREAM_STATE', `Stream ${name} must be finalized before it is committed`);
  });
  if (errors.length > 0) return { stream_errors: errors };
  const now = context.store.now();
  await context.streams.change(table, streams.map(({ stream }) => stream!), (doc) => ({ ...doc, committedMs: now }));
  return { commit_time: timeOf(now) };
}

const WRITE_TYPES: Record<string, string> = { INTEGER: 'INT64', FLOAT: 'DOUBLE', BOOLEAN: 'BOOL', RECORD: 'STRUCT' };

/** Columns as the Storage Write API's TableSchema. */
export function schemaOf(fields: TableField[]): { fields: object[] } {
  return {
    fields: fields.map((field) => ({
      name: field.name, type: WRITE_TYPES[typeOf(field)] ?? typeOf(field), mode: isRepeated(field) ? 'REPEATED' : isRequired(field) ? 'REQUIRED' : 'NULLABLE',
      ...(field.description === undefined ? {} : { description: field.description }), ...(field.fields === undefined ? {} : { fields: schemaOf(field.fields).fields }),
    })),
  };
}
