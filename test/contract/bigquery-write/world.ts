// What a case of the Storage Write API works with: Google's clients at BIGQUERY_WRITE_ENDPOINT (or at Google), and the REST world for tables and queries.
import { credentials } from '@grpc/grpc-js';
import { BigQueryWriteClient, managedwriter, protos } from '@google-cloud/bigquery-storage';
import { GoogleAuth, OAuth2Client } from 'google-auth-library';
import { openWorld as openRest, type BigQueryWorld, type Field } from '../bigquery/world.ts';
import type { Launched } from '../implementations.ts';
import type { Message } from './messages.ts';

export type AppendResponse = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;
export type AppendRequest = protos.google.cloud.bigquery.storage.v1.IAppendRowsRequest;
const { StorageError } = protos.google.cloud.bigquery.storage.v1;

export type Connection = {
  /** One request; its answer, or the failure that ended the connection. */
  send(request: AppendRequest): Promise<AppendResponse>;
  /** Rows of one message; stream and descriptor go with the first request. */
  append(message: Message, rows: readonly object[], more?: AppendRequest): Promise<AppendResponse>;
  close(): void;
  cancel(): void;
};

export type WriteWorld = BigQueryWorld & {
  writer: BigQueryWriteClient;
  managed: managedwriter.WriterClient;
  tablePath(table: string): string;
  defaultStream(table: string): string;
  newTable(fields: readonly Field[], name?: string): Promise<string>;
  connect(stream: string): Connection;
  /** Rows of a table, in the order of the given column. */
  stored(table: string, order?: string): Promise<Record<string, unknown>[]>;
};

export async function openWorld(launched: Launched): Promise<WriteWorld & { close(): Promise<void> }> {
  const rest = await openRest(launched);
  const options = clientOptions(launched);
  const writer = new BigQueryWriteClient(options as never);
  const managed = new managedwriter.WriterClient(options as never);
  const tablePath = (table: string): string => `projects/${launched.project}/datasets/${rest.dataset}/tables/${table}`;
  return {
    ...rest, writer, managed, tablePath,
    defaultStream: (table) => `${tablePath(table)}/streams/_default`,
    newTable: async (fields, name = rest.name('w')) => (await rest.table(fields, {}, name)).id!,
    connect: (stream) => connect(writer, stream, launched.implementation === 'independent'),
    stored: (table, order = 'id') => rest.rows(`SELECT * FROM ${table} ORDER BY ${order}`, { useQueryCache: false }),
    async close() {
      managed.close();
      await writer.close();
      await rest.close();
    },
  };
}

function clientOptions(launched: Launched): object {
  if (launched.implementation === 'cloud') return { projectId: launched.project };
  const [apiEndpoint, port] = process.env['BIGQUERY_WRITE_ENDPOINT']!.split(':') as [string, string];
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: 'contract', expiry_date: Date.now() + 86_400_000 });
  return { projectId: launched.project, auth: new GoogleAuth({ authClient, projectId: launched.project } as never), apiEndpoint, port: Number(port), sslCreds: credentials.createInsecure() };
}

const IDLE_MS = 2_000;

/** `endsWhenIdle`: for a service that has a thread for each open connection, and only a few of them. */
function connect(writer: BigQueryWriteClient, stream: string, endsWhenIdle: boolean): Connection {
  const call = writer.appendRows({ otherArgs: { headers: { 'x-goog-request-params': `write_stream=${stream}` } }, retry: null } as never);
  const waiting: { done(response: AppendResponse): void; fail(error: Error): void }[] = [];
  let failure: Error | undefined;
  const end = (error: Error): void => {
    failure = error;
    for (const entry of waiting.splice(0)) entry.fail(error);
  };
  let idle: NodeJS.Timeout | undefined;
  call.on('data', (response: AppendResponse) => {
    waiting.shift()?.done(response);
    clearTimeout(idle);
    if (endsWhenIdle && waiting.length === 0) idle = setTimeout(() => call.end(), IDLE_MS);
  });
  call.on('error', end);
  call.on('end', () => end(new Error('The connection was ended by the service.')));
  let isFirst = true;
  const send = (request: AppendRequest): Promise<AppendResponse> => new Promise((done, fail) => {
    if (failure !== undefined) return fail(failure);
    clearTimeout(idle);
    waiting.push({ done, fail });
    call.write(request);
  });
  return {
    send,
    append(message, rows, more = {}) {
      const head = isFirst ? { writeStream: stream } : {};
      const schema = isFirst ? { writerSchema: { protoDescriptor: message.descriptor } } : {};
      isFirst = false;
      return send({ ...head, protoRows: { ...schema, rows: { serializedRows: rows.map((row) => message.encode(row)) } }, ...more });
    },
    close: () => call.end(),
    cancel: () => call.cancel(),
  };
}

/** The StorageError that comes with an `error`, by its name. */
export function storageCode({ error }: AppendResponse): string | undefined {
  const detail = error?.details?.[0];
  return detail === undefined ? undefined : StorageError.StorageErrorCode[StorageError.decode(detail.value as Uint8Array).code as number];
}
