// The AppendRows stream with a pretended BigQuery at its other end: every answer, error and silence it can give.
import { EventEmitter } from 'node:events';
import { protos } from '@google-cloud/bigquery-storage';
import { describe, expect, test } from 'vitest';
import { answerOfError, answerOfResponse } from '../../../functions/write/bigquery/append-answer.ts';
import { createAppendClient } from '../../../functions/write/bigquery/append-client.ts';
import { openAppendConnection } from '../../../functions/write/bigquery/append-connection.ts';
import type { AppendStream } from '../../../functions/write/bigquery/append-connection.ts';

type Request = protos.google.cloud.bigquery.storage.v1.IAppendRowsRequest;
type Response = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;

class PretendedStream extends EventEmitter {
  readonly requests: Request[] = [];
  isEnded = false;
  isDestroyed = false;
  readonly onWrite: ((stream: PretendedStream, request: Request) => void) | undefined;
  constructor(onWrite?: (stream: PretendedStream, request: Request) => void) {
    super();
    this.onWrite = onWrite;
  }
  write(request: Request): void {
    this.requests.push(request);
    this.onWrite?.(this, request);
  }
  end(): void { this.isEnded = true; }
  destroy(): void { this.isDestroyed = true; }
  answer(response: Response): void { this.emit('data', response); }
  fail(code: number, message: string): void { this.emit('error', Object.assign(new Error(message), { code })); }
}
const STORED: Response = { appendResult: {} };
const storedAtOnce = (stream: PretendedStream): void => queueMicrotask(() => stream.answer(STORED));
const open = (stream: PretendedStream, timeoutMs = 5_000) =>
  openAppendConnection({ writeStream: 'projects/p/datasets/d/tables/t/streams/_default', descriptor: { name: 'Row' }, timeoutMs, openStream: () => stream as unknown as AppendStream });
const row = (text: string): Uint8Array => Buffer.from(text);

describe('a connection', () => {
  test('names its table and the form of its rows once, and answers in the order of the requests', async () => {
    const stream = new PretendedStream();
    const connection = open(stream);
    const answers = [connection.append([row('a')]), connection.append([row('b')])];
    stream.answer(STORED);
    stream.answer({ error: { code: 8, message: 'quota' } });
    expect(await Promise.all(answers)).toEqual([{ kind: 'stored' }, { kind: 'unavailable', reason: 'RESOURCE_EXHAUSTED: quota', outage: true }]);
    expect(stream.requests[0]).toMatchObject({ writeStream: 'projects/p/datasets/d/tables/t/streams/_default', protoRows: { writerSchema: { protoDescriptor: { name: 'Row' } } } });
    expect(stream.requests[1]!.writeStream).toBeUndefined();
    expect(stream.requests[1]!.protoRows!.writerSchema).toBeUndefined();
  });

  test('F21: when the connection breaks every append under way is answered, and it is not used again', async () => {
    const stream = new PretendedStream();
    const connection = open(stream);
    const answers = [connection.append([row('a')]), connection.append([row('b')])];
    stream.fail(14, 'reset');
    expect((await Promise.all(answers)).map(({ kind }) => kind)).toEqual(['unavailable', 'unavailable']);
    expect(connection.usable()).toBe(false);
  });

  test('a stream that just ends answers too', async () => {
    const stream = new PretendedStream();
    const connection = open(stream);
    const answer = connection.append([row('a')]);
    stream.emit('end');
    expect(await answer).toMatchObject({ kind: 'unavailable' });
  });

  test('silence is an answer after the deadline, and the stream is given up', async () => {
    const stream = new PretendedStream();
    const connection = open(stream, 20);
    expect(await connection.append([row('a')])).toEqual({ kind: 'unavailable', reason: 'no answer in 20 ms', outage: true });
    expect([connection.usable(), stream.isDestroyed]).toEqual([false, true]);
  });

  test('a changed table schema ends the connection after its appends, so that the next one sees the new columns', async () => {
    const stream = new PretendedStream();
    const connection = open(stream);
    const answers = [connection.append([row('a')]), connection.append([row('b')])];
    stream.answer({ ...STORED, updatedSchema: { fields: [] } });
    expect([connection.usable(), stream.isEnded]).toEqual([false, false]);
    stream.answer(STORED);
    expect(await Promise.all(answers)).toEqual([{ kind: 'stored' }, { kind: 'stored' }]);
    expect(stream.isEnded).toBe(true);
  });
});

describe('the client', () => {
  function client(openStream: () => PretendedStream) {
    const opened: PretendedStream[] = [];
    const clock = { nowMs: 0 };
    const made = createAppendClient({
      project: 'p', dataset: 'd', descriptors: { events: { name: 'EventsRow' } }, timeoutMs: 1_000, clock: () => clock.nowMs,
      openStream: () => { const stream = openStream(); opened.push(stream); return stream as unknown as AppendStream; },
    });
    return { append: (table: string) => made.append(table, 'events', [row('x')]), opened, clock };
  }

  test('keeps one connection for a table', async () => {
    const { append, opened } = client(() => new PretendedStream(storedAtOnce));
    await append('a');
    await append('a');
    await append('b');
    expect(opened.map(({ requests }) => requests.length)).toEqual([2, 1]);
  });

  test('a connection that BigQuery closed while it idled is replaced without anybody noticing', async () => {
    const { append, opened } = client(() => new PretendedStream(storedAtOnce));
    await append('a');
    opened[0]!.fail(10, 'closed because it idled');
    expect(await append('a')).toEqual({ kind: 'stored' });
    expect(opened).toHaveLength(2);
  });

  test('an append that broke a used connection is tried once more on a new one, an append on a new one is not', async () => {
    let breaking = false;
    const { append, opened } = client(() => new PretendedStream((stream) => (breaking ? queueMicrotask(() => stream.fail(14, 'reset')) : storedAtOnce(stream))));
    await append('a');
    breaking = true;
    expect(await append('a')).toMatchObject({ kind: 'unavailable' });
    expect(opened).toHaveLength(2);
  });

  test('idle connections are closed when another is opened', async () => {
    const { append, opened, clock } = client(() => new PretendedStream(storedAtOnce));
    await append('a');
    clock.nowMs = 11 * 60_000;
    await append('b');
    expect(opened.map(({ isEnded }) => isEnded)).toEqual([true, false]);
  });
});

describe('what an answer means', () => {
  const storageError = (code: number) => ({
    type_url: 'type.googleapis.com/google.cloud.bigquery.storage.v1.StorageError',
    value: protos.google.cloud.bigquery.storage.v1.StorageError.encode({ code, entity: 't', errorMessage: '' }).finish(),
  });
  const { StorageErrorCode } = protos.google.cloud.bigquery.storage.v1.StorageError;

  test.each([
    ['stored', STORED, { kind: 'stored' }],
    ['refused rows, by index', { rowErrors: [{ index: 1, code: 1, message: 'bad date' }], error: { code: 3, message: 'Errors found' } }, { kind: 'rows_refused', reasons: new Map([[1, 'bad date']]) }],
    ['a missing table', { error: { code: 5, message: 'not found' } }, { kind: 'table_missing' }],
    ['a missing table, by the storage error', { error: { code: 3, message: 'x', details: [storageError(StorageErrorCode.TABLE_NOT_FOUND)] } }, { kind: 'table_missing' }],
    ['a missing column', { error: { code: 3, message: 'x', details: [storageError(StorageErrorCode.SCHEMA_MISMATCH_EXTRA_FIELDS)] } }, { kind: 'columns_missing', reason: 'INVALID_ARGUMENT: x' }],
    ['a request that is too large', { error: { code: 3, message: 'Request is too large' } }, { kind: 'too_large', reason: 'INVALID_ARGUMENT: Request is too large' }],
    ['no permission, which no rejecting of rows would cure', { error: { code: 7, message: 'x' } }, { kind: 'unavailable', reason: 'PERMISSION_DENIED: x', outage: false }],
    ['an argument that is wrong in a way not known here', { error: { code: 3, message: 'x' } }, { kind: 'unavailable', reason: 'INVALID_ARGUMENT: x', outage: false }],
  ] as const)('%s', (_name, response, answer) => {
    expect(answerOfResponse(response as Response)).toEqual(answer);
  });

  test('a gRPC error with Google\'s details', () => {
    expect(answerOfError(Object.assign(new Error('3 INVALID_ARGUMENT: x'), { code: 3, details: 'x', statusDetails: [{ code: 'SCHEMA_MISMATCH_EXTRA_FIELDS', entity: 't' }] }))).toMatchObject({ kind: 'columns_missing' });
    expect(answerOfError(Object.assign(new Error('5 NOT_FOUND'), { code: 5 }))).toEqual({ kind: 'table_missing' });
    expect(answerOfError(new Error('boom'))).toMatchObject({ kind: 'unavailable', outage: true });
  });
});
