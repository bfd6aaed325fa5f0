// The archive with a pretended bucket: which object a message becomes, and when it may be acknowledged.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { archivePush } from '../../../functions/write/storage/archive-message.ts';
import type { ObjectToCreate } from '../../../functions/write/storage/archive-message.ts';

const PUBLISHED = '2026-01-15T23:59:59.999Z';

function setUp(fail?: Error) {
  const objects = new Map<string, ObjectToCreate>();
  const archiving = {
    async createObject(object: ObjectToCreate) {
      if (fail !== undefined) throw fail;
      if (objects.has(object.name)) return false;
      objects.set(object.name, object);
      return true;
    },
    clock: () => Date.parse('2026-01-16T00:00:05Z'),
  };
  return { objects, archive: (push: unknown) => archivePush(Buffer.from(typeof push === 'string' ? push : JSON.stringify(push)), archiving) };
}

const push = (data: Uint8Array, attributes: Record<string, string> = { stream: 'events', events: '3', rejected: '1' }) => ({
  message: { messageId: '77', publishTime: PUBLISHED, attributes, data: Buffer.from(data).toString('base64') },
  subscription: 'projects/p/subscriptions/chiplog-events-to-storage',
});

test('a message becomes one object with its own bytes, named by the UTC hour of its publishing', async () => {
  const { objects, archive } = setUp();
  const data = gzipSync('{"envelope":1}\n');
  expect(await archive(push(data))).toEqual({ kind: 'accepted', value: { name: 'raw/events/dt=2026-01-15/hour=23/77.ndjson.gz', wasThere: false } });
  const [object] = objects.values();
  expect(Buffer.from(object!.bytes).equals(data)).toBe(true);
  expect(object).toMatchObject({
    contentType: 'application/gzip',
    md5Base64: createHash('md5').update(data).digest('base64'),
    metadata: { events: '3', rejected: '1', stream: 'events', message_id: '77', publish_time: PUBLISHED },
  });
});

test('F30: a redelivered message finds its object there and is acknowledged', async () => {
  const { objects, archive } = setUp();
  await archive(push(gzipSync('a')));
  expect(await archive(push(gzipSync('a')))).toMatchObject({ kind: 'accepted', value: { wasThere: true } });
  expect(objects.size).toBe(1);
});

test('F29: a message is sent again while Cloud Storage is in trouble', async () => {
  const { archive } = setUp(new Error('503'));
  expect(await archive(push(gzipSync('a')))).toMatchObject({ kind: 'retry', error: { code: 'storage_unavailable' } });
});

test('a replayed message is acknowledged and not archived again', async () => {
  const { objects, archive } = setUp();
  expect(await archive(push(gzipSync('a'), { stream: 'events', replay_of: '12' }))).toEqual({ kind: 'accepted', value: { replayOf: '12' } });
  expect(objects.size).toBe(0);
});

test('F16: bytes that are no gzip are archived as they were sent', async () => {
  const { objects, archive } = setUp();
  const data = Uint8Array.of(1, 2, 3, 255);
  await archive(push(data));
  expect([...objects.get('raw/events/dt=2026-01-15/hour=23/77.ndjson.gz')!.bytes]).toEqual([1, 2, 3, 255]);
});

test('a message without attributes goes to the stream of its subscription', async () => {
  const { objects, archive } = setUp();
  await archive(push(gzipSync('a'), {}));
  expect([...objects.keys()]).toEqual(['raw/events/dt=2026-01-15/hour=23/77.ndjson.gz']);
});

test('a stream name that would leave its folder is not used in an object name', async () => {
  const { objects, archive } = setUp();
  await archive(push(gzipSync('a'), { stream: '../../etc' }));
  expect([...objects.keys()]).toEqual(['raw/unreadable/dt=2026-01-15/hour=23/77.ndjson.gz']);
});

test('a body that is not Pub/Sub\'s is kept once, named by its content, and acknowledged', async () => {
  const { objects, archive } = setUp();
  await archive('hello');
  expect(await archive('hello')).toMatchObject({ kind: 'accepted', value: { wasThere: true } });
  const hash = createHash('sha256').update('hello').digest('hex');
  expect([...objects.keys()]).toEqual([`raw/unreadable/dt=2026-01-16/hour=00/${hash}.json`]);
});
