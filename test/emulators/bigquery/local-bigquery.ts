// The local BigQuery and Google's own clients for it, for the tests of this folder.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BigQuery } from '@google-cloud/bigquery';
import { managedwriter, protos } from '@google-cloud/bigquery-storage';
import { Faults } from '../../../emulators/faults.ts';
import { start } from '../../../emulators/bigquery/server.ts';
import { credentials } from '@grpc/grpc-js';
import { OAuth2Client } from 'google-auth-library';

export const PROJECT = 'chiplog-local';

export function newDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'local-bigquery-'));
}

/** Google's client with a token that nobody asks for. */
export function clientFor(port: number): BigQuery {
  process.env['BIGQUERY_EMULATOR_HOST'] = `http://127.0.0.1:${port}`;
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: 'local', expiry_date: Date.now() + 86_400_000 });
  return new BigQuery({ projectId: PROJECT, authClient: authClient as never });
}

export function writerFor(writePort: number): managedwriter.WriterClient {
  return new managedwriter.WriterClient({ projectId: PROJECT, apiEndpoint: '127.0.0.1', port: writePort, sslCreds: credentials.createInsecure() } as never);
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
