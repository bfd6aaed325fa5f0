// The Storage Write API (gRPC): AppendRows on the default stream of a table and on named ones. Rows are acknowledged when they are on disk.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { loadSync } from '@grpc/proto-loader';
import { loadPackageDefinition, Metadata, Server, ServerCredentials, status, type GrpcObject, type ServerDuplexStream, type ServiceClientConstructor, type ServiceDefinition } from '@grpc/grpc-js';
import { pauseFor, type FaultPlan, type Faults } from '../faults.ts';
import type { Table } from './catalogue.ts';
import type { TableField } from './fields.ts';
import { planOf, SchemaMismatch, type Descriptor, type MessagePlan } from './proto-descriptor.ts';
import { RowWriter } from './proto-row.ts';
import type { RecentDrops } from './recent-drops.ts';
import { Refusal } from './refusal.ts';
import { RowProblem } from './row-problem.ts';
import { StreamFailure } from './stream-failure.ts';
import { batchCommit, createWriteStream, finalizeWriteStream, flushRows, getWriteStream, schemaOf, streamAt, type WriteContext } from './write-calls.ts';
import type { WriteStream } from './write-streams.ts';

/** "AppendRows request: 20 MB" (quotas). Counted as Google's message says it: the serialized request. */
const REQUEST_BYTES_MAX = 20 * 1024 * 1024;
const ROW_ERRORS_MAX = 50; // storage.proto gives no number; a request of 10,000 bad rows should not answer 10,000 messages.

export type AppendOptions = WriteContext & { faults: Faults; drops: RecentDrops; host: string; port: number };

type AppendRequest = {
  write_stream: string;
  offset?: { value?: string | number } | null;
  missing_value_interpretations?: Record<string, string>;
  default_missing_value_interpretation?: string;
  proto_rows?: { writer_schema?: { proto_descriptor?: Descriptor } | null; rows?: { serialized_rows?: Buffer[] } | null } | null;
  arrow_rows?: object | null;
};
type Sized<T> = { bytes: number; message: T };
type AppendResponse = Record<string, unknown>;
type AppendCall = ServerDuplexStream<Sized<AppendRequest>, AppendResponse>;

function loadService(): { service: ServiceDefinition; storageError: (value: object) => Buffer } {
  const require = createRequire(import.meta.url);
  const root = (name: string): string => join(dirname(require.resolve(name)), '..');
  const definition = loadSync('google/cloud/bigquery/storage/v1/storage.proto', {
    keepCase: true, longs: String, enums: String, oneofs: false, defaults: false,
    includeDirs: [join(root('@google-cloud/bigquery-storage'), 'protos'), join(root('google-gax'), 'protos')],
  });
  const loaded = loadPackageDefinition(definition) as unknown as { google: { cloud: { bigquery: { storage: { v1: GrpcObject } } } } };
  const { service } = loaded.google.cloud.bigquery.storage.v1['BigQueryWrite'] as ServiceClientConstructor;
  const append = service['AppendRows']!;
  const parse = append.requestDeserialize;
  const sized = { ...append, requestDeserialize: (bytes: Buffer) => ({ bytes: bytes.length, message: parse(bytes) as AppendRequest }) };
  const error = definition['google.cloud.bigquery.storage.v1.StorageError'] as unknown as { serialize: (value: object) => Buffer };
  return { service: { ...service, AppendRows: sized }, storageError: error.serialize };
}

export async function startAppends(options: AppendOptions): Promise<{ port: number; close(): Promise<void> }> {
  const { service, storageError } = loadService();
  const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024, 'grpc.max_send_message_length': 64 * 1024 * 1024 });
  const unary = <R extends object>(name: string, entityOf: (request: R) => string, handler: (context: WriteContext, request: R) => Promise<object>) =>
    async (call: { request: R }, reply: (error: object | null, answer?: object) => void): Promise<void> => {
      try {
        const fault = options.faults.take(name, entityOf(call.request));
        if (fault !== undefined && fault.takes_effect !== true) await meet(fault, entityOf(call.request));
        const answer = await handler(options, call.request);
        if (fault?.takes_effect === true) await meet(fault, entityOf(call.request));
        reply(null, answer);
      } catch (error) {
        reply(grpcError(error));
      }
    };
  const byName = (request: { name: string }): string => request.name;
  const byParent = (request: { parent: string }): string => request.parent;
  server.addService(service, {
    AppendRows: (call: AppendCall) => new Connection(options, call, storageError),
    CreateWriteStream: unary('CreateWriteStream', byParent, createWriteStream), GetWriteStream: unary('GetWriteStream', byName, getWriteStream),
    FinalizeWriteStream: unary('FinalizeWriteStream', byName, finalizeWriteStream), BatchCommitWriteStreams: unary('BatchCommitWriteStreams', byParent, batchCommit),
    FlushRows: unary('FlushRows', (request: { write_stream: string }) => request.write_stream, flushRows),
  });
  const port = await new Promise<number>((done, fail) =>
    server.bindAsync(`${options.host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) => (error === null ? done(bound) : fail(error))));
  return { port, close: async () => server.forceShutdown() };
}

function grpcError(error: unknown): { code: number; details: string; metadata: Metadata } {
  const known = error instanceof StreamFailure;
  if (!known) console.error('bigquery: AppendRows', error);
  return { code: known ? error.code : status.INTERNAL, details: (error as Error).message, metadata: new Metadata() };
}

/** A named stream, and where in it the request says that its rows begin. */
type NamedPlace = { named: WriteStream; offset: number | undefined };

/** What a row lacks is NULL here. Where a column has a default and the request asks for it, that would be wrong. */
function checkMissingValues(request: AppendRequest, table: Table, stream: string): void {
  const wanted = [request.default_missing_value_interpretation, ...Object.values(request.missing_value_interpretations ?? {})];
  const defaulted = table.fields.find((field) => (field as { defaultValueExpression?: string }).defaultValueExpression !== undefined);
  if (wanted.includes('DEFAULT_VALUE') && defaulted !== undefined) {
    throw new StreamFailure(status.UNIMPLEMENTED, `Missing values as DEFAULT_VALUE are not implemented in the local BigQuery (column ${defaulted.name}). Entity: ${stream}`);
  }
}

/** One bidirectional stream: requests are answered in the order in which they came. */
class Connection {
  private readonly options: AppendOptions;
  private readonly call: AppendCall;
  private readonly storageError: (value: object) => Buffer;
  private readonly writer = new RowWriter();
  private stream = '';
  private descriptor: Descriptor | undefined;
  private plan: { fields: TableField[]; descriptor: Descriptor; plan: MessagePlan } | undefined;
  /** Columns that the client was told of. */
  private toldFields: TableField[] | undefined;
  private tail: Promise<void> = Promise.resolve();
  private ended = false;

  constructor(options: AppendOptions, call: AppendCall, storageError: (value: object) => Buffer) {
    this.options = options;
    this.call = call;
    this.storageError = storageError;
    call.on('data', (request: Sized<AppendRequest>) => {
      const answered = this.handle(request);
      answered.catch(() => undefined);
      this.tail = this.tail.then(async () => this.reply(await answered)).catch((error: unknown) => this.fail(error));
    });
    call.on('end', () => void this.tail.then(() => this.end()));
    call.on('error', () => { this.ended = true; });
    call.on('cancelled', () => { this.ended = true; });
  }

  private reply(response: AppendResponse): void {
    if (!this.ended) this.call.write(response);
  }
  private end(): void {
    if (!this.ended) this.call.end();
    this.ended = true;
  }
  private fail(error: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.call.emit('error', grpcError(error));
  }

  private async handle({ bytes, message }: Sized<AppendRequest>): Promise<AppendResponse> {
    // The name and the descriptor may be in the first request only; another name (several tables over one connection) brings its own descriptor.
    if (message.write_stream && message.write_stream !== this.stream) {
      this.stream = message.write_stream;
      this.descriptor = undefined;
      this.toldFields = undefined;
    }
    const schema = message.proto_rows?.writer_schema?.proto_descriptor;
    if (schema !== undefined && schema !== null) this.descriptor = schema;
    const { stream, descriptor } = this;
    const fault = this.options.faults.take('AppendRows', stream);
    if (fault !== undefined && fault.takes_effect !== true) await meet(fault, stream);
    const { table, stream: named } = streamAt(this.options, stream);
    if (bytes > REQUEST_BYTES_MAX) throw new StreamFailure(status.INVALID_ARGUMENT, `AppendRows request too large: ${bytes} limit ${REQUEST_BYTES_MAX} Entity: ${stream}`);
    if (message.arrow_rows) throw new StreamFailure(status.UNIMPLEMENTED, 'Arrow rows are not implemented in the local BigQuery: send protobuf rows.');
    checkMissingValues(message, table, stream);
    if (named === undefined && message.offset !== undefined && message.offset !== null) return this.refused(status.INVALID_ARGUMENT, `Cannot append to the default stream with an offset. Entity: ${stream}`);
    const offset = message.offset === undefined || message.offset === null ? undefined : Number(message.offset.value ?? 0);
    if (descriptor === undefined) throw new StreamFailure(status.INVALID_ARGUMENT, `The first request of a connection must have a writer schema. Entity: ${stream}`);
    const recreated = this.options.drops.has(table) ? this.options.faults.take('AppendRows.recreated', stream) : undefined;
    const answer = await this.append(table, descriptor, message.proto_rows?.rows?.serialized_rows ?? [], recreated ?? fault, named === undefined ? undefined : { named, offset });
    // Stored, but the caller is told that it failed, or hears nothing.
    if (fault?.takes_effect === true) await meet(fault, stream);
    return answer;
  }

  private async append(table: Table, descriptor: Descriptor, rows: Buffer[], fault: FaultPlan | undefined, to: NamedPlace | undefined): Promise<AppendResponse> {
    let plan: MessagePlan;
    try {
      plan = this.planFor(table, descriptor);
    } catch (error) {
      if (!(error instanceof SchemaMismatch)) throw error;
      const code = error.extraFields.length > 0 ? 'SCHEMA_MISMATCH_EXTRA_FIELDS' : 'STORAGE_ERROR_CODE_UNSPECIFIED';
      return this.refused(status.INVALID_ARGUMENT, `${error.message}. Entity: ${this.stream}`, code);
    }
    const problems: { index: string; code: string; message: string }[] = [];
    for (const [index, row] of rows.entries()) {
      try {
        this.writer.write(plan, row);
      } catch (error) {
        if (!(error instanceof RowProblem)) throw error;
        if (problems.length < ROW_ERRORS_MAX) problems.push({ index: String(index), code: 'FIELDS_ERROR', message: error.message });
      }
    }
    if (fault?.status === 'ROW_ERRORS') problems.unshift({ index: '0', code: 'FIELDS_ERROR', message: 'A fault plan asked for this row to be refused.' });
    const lines = this.writer.take();
    if (problems.length > 0) return { ...this.refused(status.INVALID_ARGUMENT, `Errors found while processing rows. Please refer to the row_errors field for details. The list may not be complete because of the size limitations. Entity: ${this.stream}`), row_errors: problems };
    if (to !== undefined) return this.appendNamed(table, to, lines, rows.length, fault);
    if (rows.length > 0 && fault?.kind !== 'lose') await this.store(table, lines, rows.length, fault?.kind === 'duplicate');
    return { append_result: {}, write_stream: this.stream, ...this.news(table) };
  }

  /** The offset is judged and taken in turn: of two requests with one offset, one is stored. */
  private appendNamed(table: Table, { named, offset }: NamedPlace, lines: Buffer, rows: number, fault: FaultPlan | undefined): Promise<AppendResponse> {
    const { stream } = this;
    return named.inTurn(async () => {
      if (named.doc.isFinalized) return this.refused(status.INVALID_ARGUMENT, `The stream is finalized and takes no more rows. Entity: ${stream}`, 'STREAM_FINALIZED');
      const at = named.rows;
      if (offset !== undefined && offset < at) return this.refused(status.ALREADY_EXISTS, `The offset is within stream, expected offset ${at}, received ${offset}. Entity: ${stream}`, 'OFFSET_ALREADY_EXISTS');
      if (offset !== undefined && offset > at) return this.refused(status.OUT_OF_RANGE, `The offset is beyond stream, expected offset ${at}, received ${offset}. Entity: ${stream}`, 'OFFSET_OUT_OF_RANGE');
      if (rows > 0 && fault?.kind !== 'lose') await named.append(lines, rows);
      return { append_result: { offset: { value: String(at) } }, write_stream: stream, ...this.news(table) };
    });
  }

  private async store(table: Table, lines: Buffer, rows: number, isDoubled: boolean): Promise<void> {
    try {
      await this.options.store.append(table, lines, rows, 'write');
      if (isDoubled) await this.options.store.append(table, lines, rows, 'write');
    } catch (error) {
      if (error instanceof Refusal && error.reason === 'notFound') throw new StreamFailure(status.NOT_FOUND, `Requested entity was not found. Entity: ${this.stream}`);
      throw error;
    }
  }

  private planFor(table: Table, descriptor: Descriptor): MessagePlan {
    if (this.plan?.fields !== table.fields || this.plan.descriptor !== descriptor) {
      this.plan = { fields: table.fields, descriptor, plan: planOf(descriptor, table.fields) };
    }
    return this.plan.plan;
  }

  /** Columns that were added since this connection last heard of them. */
  private news(table: Table): AppendResponse {
    const before = this.toldFields;
    this.toldFields = table.fields;
    if (before === undefined || before === table.fields || JSON.stringify(before) === JSON.stringify(table.fields)) return {};
    return { updated_schema: schemaOf(table.fields) };
  }

  private refused(code: number, message: string, storageCode?: string): AppendResponse {
    const detail = storageCode === undefined ? [] : [{
      type_url: 'type.googleapis.com/google.cloud.bigquery.storage.v1.StorageError',
      value: this.storageError({ code: storageCode, entity: this.stream, error_message: message }),
    }];
    return { error: { code, message, details: detail }, write_stream: this.stream };
  }
}

/** ROW_ERRORS is no end of the stream but an answer: append() gives it. */
async function meet(fault: FaultPlan, stream: string): Promise<void> {
  await pauseFor(fault);
  if (fault.kind === 'fail' && fault.status !== 'ROW_ERRORS') throw new StreamFailure(statusOf(fault), `A fault asked for ${fault.status ?? 'UNAVAILABLE'}. Entity: ${stream}`);
}

const statusOf = (fault: FaultPlan): number => {
  const code = (status as unknown as Record<string, number>)[fault.status ?? 'UNAVAILABLE'];
  return typeof code === 'number' ? code : status.UNAVAILABLE;
};
