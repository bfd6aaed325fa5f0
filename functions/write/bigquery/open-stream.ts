// Opens AppendRows streams with Google's generated client: in goes an endpoint (or none: Google's own), out comes a function that
// opens a stream. Called by function.ts.
import { createRequire } from 'node:module';
import { v1 } from '@google-cloud/bigquery-storage';
import { SettingsError } from '../../config.ts';
import type { AppendStream } from './append-connection.ts';

/** The copy of gRPC that the client itself uses: it refuses credentials that another copy made. */
const requireAsClient = createRequire(createRequire(import.meta.url).resolve('@google-cloud/bigquery-storage'));
const { grpc } = requireAsClient('google-gax') as { grpc: { credentials: { createInsecure(): unknown } } };

/** Keeps idle connections known to be alive, as Google's managed writer does. */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 10_000 };

export function createStreamOpener(endpoint: string): { openStream: (writeStream: string) => AppendStream; close: () => Promise<void> } {
  const client = new v1.BigQueryWriteClient({ ...KEEPALIVE, ...addressOf(endpoint) });
  return {
    // The header tells BigQuery which region to route to.
    openStream: (writeStream) => client.appendRows({ otherArgs: { headers: { 'x-goog-request-params': `write_stream=${writeStream}` } } }) as unknown as AppendStream,
    close: () => client.close(),
  };
}

/** `http://` means without TLS, `https://` or a bare host with it. */
function addressOf(endpoint: string): { apiEndpoint?: string; port?: number; sslCreds?: never } {
  if (endpoint === '') return {};
  let url: URL;
  try {
    url = new URL(endpoint.includes('://') ? endpoint : `https://${endpoint}`);
  } catch {
    throw new SettingsError(`The write endpoint ${JSON.stringify(endpoint)} is no address.`);
  }
  const plain = url.protocol === 'http:';
  const port = url.port === '' ? (plain ? 80 : 443) : Number(url.port);
  return { apiEndpoint: url.hostname, port, ...(plain ? { sslCreds: grpc.credentials.createInsecure() as never } : {}) };
}
