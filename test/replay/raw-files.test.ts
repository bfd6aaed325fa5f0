// The raw files through Google's own client against the local Cloud Storage: archived, joined, read again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Storage } from '@google-cloud/storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Faults } from '../../emulators/faults.ts';
import type { RunningService } from '../../emulators/service.ts';
import { start } from '../../emulators/storage/server.ts';
import type { Envelope } from '../../functions/envelope.ts';
import { compactHour } from '../../functions/maintain/compact.ts';
import { compactionApiOf } from '../../functions/maintain/compaction-api.ts';
import { accepted } from '../../functions/outcome.ts';
import { filesIn } from '../../functions/replay/files.ts';
import { replay } from '../../functions/replay/run.ts';
import { archiveMessage } from '../../functions/write/storage/archive-message.ts';
import { createObjectsIn } from '../../functions/write/storage/create-object.ts';
import { envelopeOf, goodEvent, messageOf, NOON } from '../write/bigquery/messages.ts';

const BUCKET = 'chiplog-local-raw';
const faults = new Faults();
const dataDir = mkdtempSync(join(tmpdir(), 'chiplog-raw-'));
const HOUR = { stream: 'events', dt: '2026-01-15', hour: '12' };
let service: RunningService;

beforeAll(async () => {
  service = await start({ host: '127.0.0.1', port: 0, dataDir, project: 'chiplog-local', faults, now: () => Date.now() });
  process.env['STORAGE_EMULATOR_HOST'] = `http://127.0.0.1:${service.port}`;
  await new Storage({ projectId: 'chiplog-local' }).createBucket(BUCKET);
});
afterAll(async () => {
  delete process.env['STORAGE_EMULATOR_HOST'];
  await service?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const archiving = () => ({ createObject: createObjectsIn('chiplog-local', BUCKET), clock: () => NOON });
const message = (number: number) => messageOf([envelopeOf([goodEvent()], { request_id: `r${number}` })], { messageId: String(1_000 + number), attributes: { stream: 'events', events: '1', rejected: '0' } });
const names = async (): Promise<string[]> => (await new Storage({ projectId: 'chiplog-local' }).bucket(BUCKET).getFiles())[0].map(({ name }) => name);

test('F30: a message is an object with its bytes, counts and type; delivered again it is there already', async () => {
  const first = message(0);
  expect(await archiveMessage(first, archiving())).toMatchObject({ kind: 'accepted', value: { wasThere: false } });
  expect(await archiveMessage(first, archiving())).toMatchObject({ kind: 'accepted', value: { wasThere: true } });
  const file = new Storage({ projectId: 'chiplog-local' }).bucket(BUCKET).file('raw/events/dt=2026-01-15/hour=12/1000.ndjson.gz');
  const [bytes] = await file.download({ decompress: false });
  expect(bytes.equals(Buffer.from(first.data))).toBe(true);
  expect((await file.getMetadata())[0]).toMatchObject({ contentType: 'application/gzip', metadata: { events: '1', rejected: '0', stream: 'events', message_id: '1000' } });
  expect((await file.getMetadata())[0].contentEncoding).toBeUndefined();
});

test('F31: bytes that were damaged on the way never become an object', async () => {
  const createObject = createObjectsIn('chiplog-local', BUCKET);
  const object = { name: 'raw/events/dt=2026-01-15/hour=12/damaged.ndjson.gz', bytes: Buffer.from('what arrived'), contentType: 'application/gzip', md5Base64: 'AAAAAAAAAAAAAAAAAAAAAA==', metadata: {} };
  await expect(createObject(object)).rejects.toThrow();
  expect(await names()).not.toContain(object.name);
});

test('F30: a reply that was lost is asked for again by the client, and the object is there once', async () => {
  faults.add({ method: 'objects.insert', kind: 'fail', status: '503', takes_effect: true });
  expect(await archiveMessage(message(1), archiving())).toMatchObject({ kind: 'accepted' });
  expect((await names()).filter((name) => name.endsWith('/1001.ndjson.gz'))).toHaveLength(1);
});

test('an hour of seventy objects becomes one, and a replay of it finds every request once', async () => {
  for (let number = 2; number < 70; number += 1) await archiveMessage(message(number), archiving());
  const api = compactionApiOf('chiplog-local', BUCKET);
  expect(await compactHour(api, HOUR)).toMatchObject({ kind: 'compacted', parts: 70 });
  const [only, ...others] = await names();
  expect(others).toEqual([]);
  const file = new Storage({ projectId: 'chiplog-local' }).bucket(BUCKET).file(only!);
  expect((await file.getMetadata())[0]).toMatchObject({ contentType: 'application/gzip', metadata: { events: '70', rejected: '0', parts: '70' } });

  // As after a crash between joining and deleting: one of the single objects is still there.
  await archiveMessage(message(5), archiving());
  const requests: string[] = [];
  const outcome = await replay({ stream: 'events', from: '2026-01-15', to: '2026-01-15', store: 'raw', dryRun: false, dateByReceipt: false }, {
    streams: ['events'], files: filesIn('chiplog-local', BUCKET), wait: async () => undefined, lateDaysMax: 30,
    sendTo: () => async (data) => {
      for (const line of gunzipSync(data).toString().trimEnd().split('\n')) requests.push((JSON.parse(line) as Envelope).request_id);
      return accepted({ messageId: '1' });
    },
  });
  expect(outcome).toMatchObject({ kind: 'accepted', value: { files: 2, requests: 70, repeated: 1, unreadable: 0 } });
  expect(new Set(requests).size).toBe(70);
});
