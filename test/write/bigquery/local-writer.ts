// The writer as function.ts wires it, in the test's own process, against the local BigQuery. The rejected topic is a list.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BigQuery } from '@google-cloud/bigquery';
import { start } from '../../../emulators/bigquery/server.ts';
import { Faults } from '../../../emulators/faults.ts';
import type { Envelope } from '../../../functions/envelope.ts';
import { LIMITS } from '../../../functions/limits.ts';
import { ensureTable, tableApiOf, tableDefinition } from '../../../functions/maintain/tables.ts';
import { accepted } from '../../../functions/outcome.ts';
import { streamTables } from '../../../functions/stream-tables.ts';
import type { StreamTables } from '../../../functions/stream-tables.ts';
import { shardFor, shardHoldsUntil } from '../../../functions/table-shard.ts';
import { createAppendClient } from '../../../functions/write/bigquery/append-client.ts';
import { createStreamOpener } from '../../../functions/write/bigquery/open-stream.ts';
import { createRejectedSink } from '../../../functions/write/bigquery/refuse.ts';
import { createRowWriter } from '../../../functions/write/bigquery/row-writer.ts';
import { writePush } from '../../../functions/write/bigquery/write-message.ts';
import { DESCRIPTORS, ENCODERS } from '../../../schemas/generated/rows.ts';

export const PROJECT = 'chiplog-local';
export const DATASET = 'chiplog';

export type LocalBigQuery = Awaited<ReturnType<typeof startLocalBigQuery>>;

export async function startLocalBigQuery() {
  const dataDir = mkdtempSync(join(tmpdir(), 'chiplog-bigquery-'));
  const faults = new Faults();
  const service = await start({ host: '127.0.0.1', port: 0, dataDir, project: PROJECT, faults, now: () => Date.now() });
  // No Google machine is looked for.
  process.env['METADATA_SERVER_DETECTION'] = 'none';
  process.env['BIGQUERY_EMULATOR_HOST'] = `http://127.0.0.1:${service.port}`;
  const bigquery = new BigQuery({ projectId: PROJECT });
  await bigquery.createDataset(DATASET);
  const dataset = bigquery.dataset(DATASET);
  return {
    faults, bigquery, dataset, writeEndpoint: `http://127.0.0.1:${service.writePort}`,
    // A query, since tabledata.list does not see rows that were just streamed.
    rowsOf: async (table: string): Promise<Record<string, unknown>[]> => (await bigquery.query({ query: `SELECT * FROM \`${DATASET}.${table}\`` }))[0] as Record<string, unknown>[],
    async stop() {
      delete process.env['BIGQUERY_EMULATOR_HOST'];
      await service.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** `withColumn`: writes a column that the generated schema does not have, as the code after a migration would. */
export function startWriter(local: LocalBigQuery, options: { clock: () => number; descriptors?: typeof DESCRIPTORS; encoders?: typeof ENCODERS; streams?: StreamTables[]; timeoutMs?: number }) {
  const streams = new Map((options.streams ?? streamTables()).map((stream) => [stream.stream, stream]));
  const tables = tableApiOf(local.dataset);
  const troubles: string[] = [];
  const refused: Envelope[] = [];
  const opener = createStreamOpener(local.writeEndpoint);
  const appends = createAppendClient({ project: PROJECT, dataset: DATASET, descriptors: options.descriptors ?? DESCRIPTORS, openStream: opener.openStream, timeoutMs: options.timeoutMs ?? 5_000, clock: options.clock });
  const rejected = createRejectedSink({
    async publish(line) {
      refused.push(JSON.parse(Buffer.concat(line.chunks.map(({ bytes, isGzip }) => (isGzip ? gunzipSync(bytes) : bytes))).toString()) as Envelope);
      return accepted(undefined);
    },
    clock: options.clock, codeVersion: 'test', log: () => undefined,
  });
  const shardOf = (stream: string, date: string, nowMs: number) => {
    const shard = shardFor(streams.get(stream)!.prefix, date, nowMs, 'UTC');
    return { ...shard, untilMs: shardHoldsUntil(shard, 'UTC') };
  };
  const writer = createRowWriter({
    append: appends.append, shardOf, clock: options.clock, limits: LIMITS,
    ensureTable: async (stream, { kind, date }) => void await ensureTable(tables, tableDefinition(streams.get(stream)!, kind, date)),
    refuse: async (rows) => rejected.refuseEvents(rows.map(({ row, error }) => ({ origin: row.origin, index: row.index, error }))),
    onTrouble: (what, data) => void troubles.push(`${what}: ${JSON.stringify(data)}`),
  });
  const making = { encoders: options.encoders ?? ENCODERS, timeZone: 'UTC', isLateNow: (stream: string, date: string, ms: number) => shardOf(stream, date, Math.max(options.clock(), ms)).kind === 'late' };
  return {
    write: (body: Buffer) => writePush(body, { making, writer, rejected }),
    tables, streams, troubles, refused,
    async stop() { appends.close(); await opener.close(); },
  };
}
