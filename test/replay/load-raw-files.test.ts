// The archive as a table: raw files, as the functions store them, are loaded by a BigQuery load job with the generated schema.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Storage } from '@google-cloud/storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Faults } from '../../emulators/faults.ts';
import type { RunningService } from '../../emulators/service.ts';
import { start as startStorage } from '../../emulators/storage/server.ts';
import { encodeLine, spliceLine } from '../../functions/envelope-line.ts';
import { compactHour } from '../../functions/maintain/compact.ts';
import { compactionApiOf } from '../../functions/maintain/compaction-api.ts';
import { makeRejectedEnvelope, packMessage } from '../../functions/publish/message.ts';
import { archiveMessage } from '../../functions/write/storage/archive-message.ts';
import { createObjectsIn } from '../../functions/write/storage/create-object.ts';
import fields from '../../schemas/generated/raw.bigquery.json' with { type: 'json' };
import { startLocal, type LocalBigQuery } from '../emulators/bigquery/local-bigquery.ts';
import { envelopeOf, goodEvent, NOON } from '../write/bigquery/messages.ts';

const [PROJECT, BUCKET] = ['chiplog-local', 'chiplog-local-raw'];
const dataDir = mkdtempSync(join(tmpdir(), 'chiplog-load-'));
let bq: LocalBigQuery;
let service: RunningService;

beforeAll(async () => {
  bq = await startLocal();
  service = await startStorage({ host: '127.0.0.1', port: 0, dataDir, project: PROJECT, faults: new Faults(), now: () => Date.now() });
  process.env['STORAGE_EMULATOR_HOST'] = `http://127.0.0.1:${service.port}`;
  await new Storage({ projectId: PROJECT }).createBucket(BUCKET);
  await bq.client.createDataset('d');
});
afterAll(async () => {
  delete process.env['STORAGE_EMULATOR_HOST'];
  await service?.close();
  await bq?.remove();
  rmSync(dataDir, { recursive: true, force: true });
});

async function load(uri: string, table: string): Promise<void> {
  const [made] = await bq.client.createJob({ configuration: { load: {
    sourceUris: [uri], sourceFormat: 'NEWLINE_DELIMITED_JSON', schema: { fields }, destinationTable: { projectId: PROJECT, datasetId: 'd', tableId: table },
  } } } as never);
  for (;;) {
    const [{ status }] = await bq.client.job(made.id!).getMetadata() as [{ status: { state: string; errorResult?: unknown } }, unknown];
    if (status.state !== 'DONE') continue;
    expect(status.errorResult).toBeUndefined();
    return;
  }
}

test('files of requests and of rejected events, single and joined, load with raw.bigquery.json', async () => {
  const archiving = { createObject: createObjectsIn(PROJECT, BUCKET), clock: () => NOON };
  const event = goodEvent({ event_params: { price: 12.5 } });
  const { body, ...head } = envelopeOf([event, {}], { request_id: 'spliced', rejected: [1], client: { user_agent: 'phone', geo: { country: 'KR' } } });
  // One line as the collector makes it of a client's gzip, one made here: members one after another.
  const bytes = gzipSync(JSON.stringify(body));
  const lines = [spliceLine(head, { bytes, isGzip: true, inflatedBytes: JSON.stringify(body).length }), encodeLine(envelopeOf([goodEvent()], { request_id: 'plain' }))];
  const rejected = makeRejectedEnvelope({ request: { ...head, client: {} }, stage: 'collect', errors: [{ code: 'bad_event_id', message: 'm', pointer: '/event_id' }], index: 1, event: {} });
  const send = async (stream: string, messageId: string, ofStream: typeof lines): Promise<void> => {
    const { data, attributes } = await packMessage(stream, ofStream);
    expect(await archiveMessage({ messageId, publishTimeMs: NOON, attributes, data, subscription: '' }, archiving)).toMatchObject({ kind: 'accepted' });
  };
  await send('events', '1', lines);
  await send('events', '2', [encodeLine(envelopeOf([goodEvent()], { request_id: 'second' }))]);
  await send('rejected', '3', [encodeLine(rejected)]);

  const rowsOf = async (sql: string): Promise<unknown[]> => (await bq.client.query(sql))[0];
  const ask = (table: string): Promise<unknown[]> => rowsOf(`SELECT request_id, events, ARRAY_LENGTH(rejected) AS rejected, JSON_VALUE(body, '$.events[0].event_id') AS id, JSON_VALUE(client, '$.geo.country') AS country FROM d.${table} ORDER BY request_id DESC`);
  await load(`gs://${BUCKET}/raw/events/*`, 'raw');
  const single = await ask('raw');
  expect(single[0]).toEqual({ request_id: 'spliced', events: 2, rejected: 1, id: event['event_id'], country: 'KR' });
  expect(single.map((row) => (row as { request_id: string }).request_id)).toEqual(['spliced', 'second', 'plain']);

  await load(`gs://${BUCKET}/raw/rejected/*`, 'raw_rejected');
  expect(await rowsOf("SELECT stream, JSON_VALUE(body, '$.errors[0].code') AS code, JSON_VALUE(body, '$.rejected_stream') AS meant_for FROM d.raw_rejected")).toEqual([{ stream: 'rejected', code: 'bad_event_id', meant_for: 'events' }]);

  expect(await compactHour(compactionApiOf(PROJECT, BUCKET), { stream: 'events', dt: '2026-01-15', hour: '12' })).toMatchObject({ kind: 'compacted', parts: 2 });
  await load(`gs://${BUCKET}/raw/events/*`, 'raw_joined');
  expect(await ask('raw_joined')).toEqual(single);
});
