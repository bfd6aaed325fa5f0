// Google's clients at given addresses, without retries of their own, so that a test sees every answer. For the faults and the kills.
import { credentials } from '@grpc/grpc-js';
import { BigQuery } from '@google-cloud/bigquery';
import { BigQueryWriteClient, protos } from '@google-cloud/bigquery-storage';
import { v1 } from '@google-cloud/pubsub';
import { Storage } from '@google-cloud/storage';
import { GoogleAuth, OAuth2Client } from 'google-auth-library';
import protobuf from 'protobufjs';

export type Addresses = { project: string; pubsub: string; storage: string; bigquery: string; write: string };
export type GoogleClients = ReturnType<typeof openClients>;

/** Calls of the gRPC clients: no retry, and an end. */
export const once = (timeout: number): { retry: null; timeout: number } => ({ retry: null, timeout });

export function openClients({ project, pubsub, storage, bigquery, write }: Addresses) {
  const [host, port] = pubsub.split(':') as [string, string];
  const insecure = { projectId: project, sslCreds: credentials.createInsecure() };
  const publisher = new v1.PublisherClient({ ...insecure, servicePath: host, port: Number(port) } as never);
  const subscriber = new v1.SubscriberClient({ ...insecure, servicePath: host, port: Number(port) } as never);
  const [writeHost, writePort] = write.replace(/^http:\/\//, '').split(':') as [string, string];
  const auth = new GoogleAuth({ authClient: tokenHolder(), projectId: project } as never);
  const writer = new BigQueryWriteClient({ ...insecure, auth, apiEndpoint: writeHost, port: Number(writePort) } as never);
  return {
    project, publisher, subscriber, writer,
    topic: (name: string): string => `projects/${project}/topics/${name}`,
    subscription: (name: string): string => `projects/${project}/subscriptions/${name}`,
    storage: new Storage({ projectId: project, apiEndpoint: storage, authClient: tokenHolder() as never, retryOptions: { autoRetry: false, maxRetries: 0 } }),
    bigquery: new BigQuery({ projectId: project, apiEndpoint: bigquery, authClient: tokenHolder() as never, autoRetry: false, maxRetries: 0 }),
    async close(): Promise<void> {
      await Promise.allSettled([publisher.close(), subscriber.close(), writer.close()]);
    },
  };
}

/** A token that nobody asks for. */
function tokenHolder(): OAuth2Client {
  const client = new OAuth2Client();
  client.setCredentials({ access_token: 'local', expiry_date: Date.now() + 86_400_000 });
  return client;
}

export type Row = { id: string; n: number };
type AppendResponse = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;

const { Type, Field } = protobuf;
const ROW = new Type('Row').add(new Field('id', 1, 'string')).add(new Field('n', 2, 'int64'));
const Kind = protos.google.protobuf.FieldDescriptorProto.Type;
const Label = protos.google.protobuf.FieldDescriptorProto.Label;
const DESCRIPTOR = { name: 'Row', field: [{ name: 'id', number: 1, type: Kind.TYPE_STRING, label: Label.LABEL_OPTIONAL }, { name: 'n', number: 2, type: Kind.TYPE_INT64, label: Label.LABEL_OPTIONAL }] };

/** The columns that `append` writes. */
export const ROW_FIELDS = [{ name: 'id', type: 'STRING' }, { name: 'n', type: 'INTEGER' }];

export const tablePath = ({ project }: Pick<GoogleClients, 'project'>, dataset: string, table: string): string => `projects/${project}/datasets/${dataset}/tables/${table}`;

/** One request to the default stream. */
export function append(clients: Pick<GoogleClients, 'writer' | 'project'>, dataset: string, table: string, rows: readonly Row[], timeoutMs = 5_000): Promise<AppendResponse> {
  return appendTo(clients, `${tablePath(clients, dataset, table)}/streams/_default`, rows, timeoutMs);
}

/** One request over a connection of its own; the answer, or the error that ended it. Never settles later than `timeoutMs`. */
export function appendTo({ writer }: Pick<GoogleClients, 'writer'>, name: string, rows: readonly Row[], timeoutMs = 5_000): Promise<AppendResponse> {
  const call = writer.appendRows({ otherArgs: { headers: { 'x-goog-request-params': `write_stream=${name}` } }, retry: null } as never);
  return new Promise<AppendResponse>((done, fail) => {
    const timer = setTimeout(() => {
      call.cancel();
      fail(new Error(`No answer within ${timeoutMs} ms.`));
    }, timeoutMs);
    const settle = (end: () => void) => (): void => {
      clearTimeout(timer);
      end();
    };
    call.once('data', (response: AppendResponse) => settle(() => {
      call.end();
      done(response);
    })());
    call.on('error', (error: Error) => settle(() => fail(error))());
    call.once('end', settle(() => fail(new Error('The stream ended without an answer.'))));
    call.write({ writeStream: name, protoRows: { writerSchema: { protoDescriptor: DESCRIPTOR }, rows: { serializedRows: rows.map((row) => ROW.encode(row).finish()) } } });
  });
}
