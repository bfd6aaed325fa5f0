// One long-lived AppendRows stream to one table: in go encoded rows, out comes an AppendAnswer. Called by append-client.ts.
// Google's managed writer resolves on refused rows and can leave a promise hanging when it reconnects, so the stream of its
// generated client is used directly: answers come in the order of the requests, each wait has a deadline.
import type { protos } from '@google-cloud/bigquery-storage';
import { answerOfError, answerOfResponse } from './append-answer.ts';
import type { AppendAnswer } from './append-answer.ts';

type AppendRowsRequest = protos.google.cloud.bigquery.storage.v1.IAppendRowsRequest;
type AppendRowsResponse = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;

/** The part of a gRPC two-way stream that is used here. */
export type AppendStream = {
  write(request: AppendRowsRequest): unknown;
  end(): unknown;
  destroy(): unknown;
  cancel?(): unknown;
  on(event: 'data', listener: (response: AppendRowsResponse) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
};

export type AppendConnection = {
  append(rows: readonly Uint8Array[]): Promise<AppendAnswer>;
  /** False after an error, a changed table schema, or `close`: the next append needs a new connection. */
  usable(): boolean;
  idle(): boolean;
  /** Appends that were answered: one that fails on a connection that never answered is not tried again at once. */
  answered(): number;
  close(): void;
};

type Waiting = { resolve: (answer: AppendAnswer) => void; timer: NodeJS.Timeout };

export function openAppendConnection(options: {
  /** projects/P/datasets/D/tables/T/streams/_default */
  writeStream: string;
  descriptor: protos.google.protobuf.IDescriptorProto;
  timeoutMs: number;
  openStream: (writeStream: string) => AppendStream;
}): AppendConnection {
  const stream = options.openStream(options.writeStream);
  const waiting: Waiting[] = [];
  let usable = true;
  let first = true;
  let answered = 0;

  const answerNext = (answer: AppendAnswer): void => {
    const next = waiting.shift();
    if (next === undefined) return;
    clearTimeout(next.timer);
    next.resolve(answer);
  };
  const fail = (answer: AppendAnswer): void => {
    usable = false;
    while (waiting.length > 0) answerNext(answer);
  };
  const destroy = (): void => {
    usable = false;
    if (stream.cancel !== undefined) stream.cancel();
    stream.destroy();
  };

  stream.on('data', (response) => {
    answered += 1;
    // A column was added: an open stream keeps the old schema, so later appends get a new one.
    if (response.updatedSchema !== undefined && response.updatedSchema !== null) usable = false;
    const answer = answerOfResponse(response);
    if (answer.kind === 'columns_missing' || answer.kind === 'table_missing') usable = false;
    answerNext(answer);
    if (!usable && waiting.length === 0) stream.end();
  });
  stream.on('error', (error) => fail(answerOfError(error)));
  const closed = (): void => fail({ kind: 'unavailable', reason: 'BigQuery closed the connection', outage: false });
  stream.on('end', closed);
  stream.on('close', closed);

  return {
    append: (rows) => new Promise((resolve) => {
      const timer = setTimeout(() => {
        // Later answers could no longer be told apart from this one, so the stream is given up with everything on it.
        fail({ kind: 'unavailable', reason: `no answer in ${options.timeoutMs} ms`, outage: true });
        destroy();
      }, options.timeoutMs);
      waiting.push({ resolve, timer });
      const protoRows = { rows: { serializedRows: rows as Uint8Array[] } };
      try {
        stream.write(first
          ? { writeStream: options.writeStream, protoRows: { ...protoRows, writerSchema: { protoDescriptor: options.descriptor } } }
          : { protoRows });
      } catch (error) {
        fail(answerOfError(error));
      }
      first = false;
    }),
    usable: () => usable,
    idle: () => waiting.length === 0,
    answered: () => answered,
    close: () => {
      if (waiting.length === 0 && usable) stream.end();
      usable = false;
    },
  };
}
