// The local BigQuery and Google's own clients for it, for the tests of this folder.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BigQuery } from '@google-cloud/bigquery';
import { BigQueryWriteClient, managedwriter, protos } from '@google-cloud/bigquery-storage';
import protobuf from 'protobufjs';
import { Faults } from '../../../emulators/faults.ts';
import { start } from '../../../emulators/bigquery/server.ts';
import { credentials } from '@grpc/grpc-js';
import { GoogleAuth, OAuth2Client } from 'google-auth-library';

const { Field, Type } = protobuf;
const Types = protos.google.protobuf.FieldDescriptorProto.Type;

export const PROJECT = 'chiplog-local';

export function newDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'local-bigquery-'));
}

/** Google's client with a token that nobody asks for. */
function withToken(): OAuth2Client {
  const client = new OAuth2Client();
  client.setCredentials({ access_token: 'local', expiry_date: Date.now() + 86_400_000 });
  return client;
}

export function clientFor(port: number): BigQuery {
  process.env['BIGQUERY_EMULATOR_HOST'] = `http://127.0.0.1:${port}`;
  const authClient = withToken();
  return new BigQuery({ projectId: PROJECT, authClient: authClient as never });
}

export function writerFor(writePort: number): managedwriter.WriterClient {
  return new managedwriter.WriterClient({ projectId: PROJECT, auth: new GoogleAuth({ authClient: withToken(), projectId: PROJECT } as never), apiEndpoint: '127.0.0.1', port: writePort, sslCreds: credentials.createInsecure() } as never);
}

export type LocalBigQuery = Awaited<ReturnType<typeof startLocal>>;

export async function startLocal(dataDir = newDataDir()) {
  const faults = new Faults();
  const clock = { offsetMs: 0 };
  const service = await start({ host: '127.0.0.1', port: 0, writePort: 0, dataDir, project: PROJECT, faults, now: () => Date.now() + clock.offsetMs });
  return {
    service, faults, clock, dataDir, client: clientFor(service.port), writer: writerFor(service.writePort),
    url: `http://127.0.0.1:${service.port}`,
    async stop(): Promise<void> {
      await service.close();
    },
    async remove(): Promise<void> {
      await service.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export const streamOf = (dataset: string, table: string): string => `projects/${PROJECT}/datasets/${dataset}/tables/${table}/streams/_default`;
export type DescriptorProto = protos.google.protobuf.IDescriptorProto;

type AppendResponse = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;
type AppendRequest = protos.google.cloud.bigquery.storage.v1.IAppendRowsRequest;

/** One AppendRows stream of Google's generated client; requests and answers pair up in order. */
export function appendStream(writePort: number, dataset: string, table: string) {
  const client = new BigQueryWriteClient({ projectId: PROJECT, auth: new GoogleAuth({ authClient: withToken(), projectId: PROJECT } as never), apiEndpoint: '127.0.0.1', port: writePort, sslCreds: credentials.createInsecure() } as never);
  const name = streamOf(dataset, table);
  const call = client.appendRows({ otherArgs: { headers: { 'x-goog-request-params': `write_stream=${name}` } } });
  const waiting: { done: (response: AppendResponse) => void; failed: (error: Error) => void }[] = [];
  let failure: Error | undefined;
  call.on('data', (response: AppendResponse) => waiting.shift()?.done(response));
  call.on('error', (error: Error) => {
    failure = error;
    for (const entry of waiting.splice(0)) entry.failed(error);
  });
  let isFirst = true;
  return {
    send(request: AppendRequest): Promise<AppendResponse> {
      return new Promise((done, failed) => {
        if (failure !== undefined) return failed(failure);
        waiting.push({ done, failed });
        call.write(request);
      });
    },
    append(descriptor: DescriptorProto, rows: readonly Uint8Array[]): Promise<AppendResponse> {
      const schema = isFirst ? { writeStream: name, protoRows: { writerSchema: { protoDescriptor: descriptor }, rows: { serializedRows: [...rows] } } } : { protoRows: { rows: { serializedRows: [...rows] } } };
      isFirst = false;
      return this.send(schema);
    },
    async close(): Promise<void> {
      call.end();
      await client.close();
    },
  };
}

/** A message type from a few lines: `{ name: [number, type, label?, nested?] }`, with protobufjs as the encoder. */
export function messageType(name: string, fields: Record<string, { id: number; type: string; repeated?: boolean; nested?: ReturnType<typeof messageType> }>) {
  const type = new Type(name);
  const descriptor: DescriptorProto = { name, field: [], nestedType: [] };
  for (const [key, field] of Object.entries(fields)) {
    if (field.nested !== undefined) {
      type.add(field.nested.type);
      descriptor.nestedType!.push(field.nested.descriptor);
    }
    type.add(new Field(key, field.id, field.nested?.type.name ?? field.type, field.repeated === true ? 'repeated' : 'optional'));
    descriptor.field!.push({
      name: key, number: field.id, label: field.repeated === true ? 3 : 1, type: Types[`TYPE_${(field.nested === undefined ? field.type : 'message').toUpperCase()}` as keyof typeof Types], ...(field.nested === undefined ? {} : { typeName: field.nested.type.name }),
    });
  }
  return { type, descriptor, encode: (row: object): Uint8Array => type.encode(type.fromObject(row)).finish() };
}
