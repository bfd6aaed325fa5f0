// What Pub/Sub remembers, without the network: any mix of publishing, acknowledging, crashes and tidying up, compared with a plain set.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Consumer, Lease } from '../../../emulators/pubsub/delivery.ts';
import { checkSubscription } from '../../../emulators/pubsub/resources.ts';
import { expire } from '../../../emulators/pubsub/retention.ts';
import { seekToTime } from '../../../emulators/pubsub/seek.ts';
import { Store } from '../../../emulators/pubsub/store.ts';
import { encodeMessage, readMessage } from '../../../emulators/pubsub/wire.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const TOPIC = 'projects/p/topics/topic';
const named = (name: string): string => `projects/p/subscriptions/of-${name}`;

let dir: string;
let nowMs: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'store-'));
  nowMs = Date.parse('2026-01-15T10:00:00Z');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const opened = (options: { segmentBytes?: number; cacheBytesMax?: number } = {}, at = dir): Store =>
  new Store({ dir: at, now: () => nowMs, deadLetter: async () => false, ...options });
const raw = (text: string): Buffer => encodeMessage({ data: Buffer.from(text), attributes: new Map(), orderingKey: '' });

async function withSubscriptions(store: Store, names: string[], options: Record<string, unknown> = {}): Promise<void> {
  await store.createTopic({ name: TOPIC });
  for (const name of names) await store.createSubscription(checkSubscription({ name: named(name), topic: TOPIC, ...options }));
}
const publish = (store: Store, ...texts: string[]): Promise<string[]> => store.publish(store.catalogue.topic(TOPIC), texts.map(raw));
const waiting = (store: Store, name: string): string[] => store.catalogue.subscription(named(name)).backlog.pending().map((entry) => readMessage(store.rawOf(entry)).data.toString());

/** Leases everything that a subscription has. */
async function takeAll(store: Store, name: string): Promise<Map<string, Lease>> {
  const leases = new Map<string, Lease>();
  const consumer: Consumer = {
    leaseMs: Infinity, ended: () => {}, room: () => ({ messages: Infinity, bytes: Infinity }),
    deliver: (more) => more.forEach((lease) => leases.set(readMessage(store.rawOf(lease.delivery.entry)).data.toString(), lease)),
  };
  const { backlog } = store.catalogue.subscription(named(name));
  backlog.join(consumer);
  await new Promise((done) => setTimeout(done, 2));
  backlog.leave(consumer);
  return leases;
}

async function acknowledge(store: Store, name: string, isChosen: (text: string) => boolean): Promise<void> {
  const { backlog } = store.catalogue.subscription(named(name));
  for (const [text, lease] of await takeAll(store, name)) {
    if (isChosen(text)) backlog.ack(lease.ackId);
    else backlog.refuse(lease);
  }
  await new Promise((done) => setImmediate(done));
  await store.journal.settled();
}

test('any mix of publishing, acknowledging, tidying and crashes leaves exactly what was published and not acknowledged', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('publish' as const), sizes: fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 8 }) }),
    fc.record({ do: fc.constant('acknowledge' as const), of: fc.constantFrom('a', 'b'), every: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constantFrom('crash' as const, 'tidy' as const) }),
  );
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
    const own = mkdtempSync(join(tmpdir(), 'store-any-'));
    const options = { segmentBytes: 4_000, cacheBytesMax: 5_000 };
    let store = opened(options, join(own, '0'));
    await withSubscriptions(store, ['a', 'b']);
    const expected = { a: new Set<string>(), b: new Set<string>() };
    let count = 0;
    for (const [number, each] of steps.entries()) {
      if (each.do === 'publish') {
        const texts = each.sizes.map((size) => `${count += 1} ${'x'.repeat(size)}`);
        await publish(store, ...texts);
        for (const text of texts) { expected.a.add(text); expected.b.add(text); }
      } else if (each.do === 'acknowledge') {
        await acknowledge(store, each.of, (text) => parseInt(text) % each.every === 0);
        for (const text of expected[each.of as 'a']) if (parseInt(text) % each.every === 0) expected[each.of as 'a'].delete(text);
      } else if (each.do === 'tidy') await expire(store, () => {});
      else {
        // The folder as it stands, as after SIGKILL; the store that is killed closes only to free its files.
        cpSync(join(own, String(number && lastOf(own))), join(own, String(number + 1)), { recursive: true });
        await store.close();
        store = opened(options, join(own, String(number + 1)));
      }
      for (const name of ['a', 'b'] as const) expect(new Set(waiting(store, name))).toEqual(expected[name]);
    }
    await store.close();
    rmSync(own, { recursive: true, force: true });
  }), { numRuns: 60 });
});
const lastOf = (folder: string): number => Math.max(...readdirSync(folder).map(Number));

test('a message that waits does not keep on disk what came after it', async () => {
  const store = opened({ segmentBytes: 10_000 });
  await withSubscriptions(store, ['a']);
  await publish(store, 'stuck');
  for (let n = 0; n < 40; n += 1) {
    await publish(store, `${n} ${'x'.repeat(5_000)}`);
    await acknowledge(store, 'a', (text) => text !== 'stuck');
    await expire(store, () => {});
  }
  expect(store.gauges()['journal_bytes']).toBeLessThan(60_000);
  await store.close();
  const again = opened({ segmentBytes: 10_000 });
  expect(waiting(again, 'a')).toEqual(['stuck']);
  await again.close();
});

test('killed in the middle of compaction: the message is there once, and both copies go when it is acknowledged', async () => {
  const [original, copy] = [join(dir, 'original'), join(dir, 'copy')];
  const store = opened({ segmentBytes: 2_000 }, original);
  await withSubscriptions(store, ['a', 'b']);
  for (const text of ['stuck', 'x'.repeat(3_000), 'y'.repeat(3_000)]) await publish(store, text);
  const { backlog } = store.catalogue.subscription(named('a'));
  await store.move(backlog.pending()[0]!, [...store.catalogue.subscriptions.values()]);
  cpSync(original, copy, { recursive: true });
  await store.close();
  const again = opened({ segmentBytes: 2_000 }, copy);
  expect(waiting(again, 'a').map((text) => text.slice(0, 5))).toEqual(['stuck', 'xxxxx', 'yyyyy']);
  for (const name of ['a', 'b']) await acknowledge(again, name, () => true);
  await publish(again, 'after');
  await expire(again, () => {});
  expect(again.gauges()['journal_segments']).toBeLessThanOrEqual(2);
  await again.close();
});

test('messages beyond the memory budget are read back from disk, whole', async () => {
  const store = opened({ cacheBytesMax: 10_000 });
  await withSubscriptions(store, ['a']);
  const texts = Array.from({ length: 20 }, (_, n) => `${n} ${'ÿ'.repeat(1_000)}`);
  await publish(store, ...texts);
  expect(store.gauges()['cached_bytes']).toBeLessThanOrEqual(10_000);
  expect([...(await takeAll(store, 'a')).keys()]).toEqual(texts);
  await acknowledge(store, 'a', () => true);
  await store.close();
});

test.each([[7 * DAY_MS, 1], [7 * DAY_MS + 1, 0]])('after %i ms on the local clock %i messages are left of one that 7 days keep', async (ageMs, left) => {
  const store = opened();
  await withSubscriptions(store, ['a'], { expiration_policy: {} });
  await publish(store, 'old');
  nowMs += ageMs;
  await expire(store, () => {});
  expect(waiting(store, 'a')).toHaveLength(left);
  await store.close();
});

test('a subscription that nobody used for its policy\'s time is deleted, one without expiry stays', async () => {
  const store = opened();
  await withSubscriptions(store, ['idle']);
  await store.createSubscription(checkSubscription({ name: named('for-ever'), topic: TOPIC, expiration_policy: {} }));
  const deleted: string[] = [];
  nowMs += 31 * DAY_MS;
  await expire(store, ({ resource }) => deleted.push(resource.name));
  expect(deleted).toEqual([]);
  nowMs += 1;
  await expire(store, ({ resource }) => deleted.push(resource.name));
  expect(deleted).toEqual([named('idle')]);
  expect([...store.catalogue.subscriptions.keys()]).toEqual([named('for-ever')]);
  await store.close();
});

test('a topic\'s retention keeps acknowledged messages for a seek, over a restart, and lets them go in time', async () => {
  let store = opened({ segmentBytes: 1_000 });
  await store.createTopic({ name: TOPIC, message_retention_duration: { seconds: '86400' } });
  await store.createSubscription(checkSubscription({ name: named('a'), topic: TOPIC }));
  for (let n = 0; n < 10; n += 1) {
    await publish(store, `${n} ${'x'.repeat(400)}`);
    nowMs += HOUR_MS;
  }
  await acknowledge(store, 'a', () => true);
  await store.close();
  store = opened({ segmentBytes: 1_000 });
  expect(waiting(store, 'a')).toEqual([]);
  await seekToTime(store, store.catalogue.subscription(named('a')), nowMs - 3 * HOUR_MS);
  expect(waiting(store, 'a').map((text) => parseInt(text)).sort()).toEqual([7, 8, 9]);
  await store.close();
  store = opened({ segmentBytes: 1_000 });
  expect(waiting(store, 'a').map((text) => parseInt(text)).sort()).toEqual([7, 8, 9]);
  await acknowledge(store, 'a', () => true);
  const before = store.gauges()['journal_segments']!;
  nowMs += 2 * DAY_MS;
  await expire(store, () => {});
  expect(store.gauges()['journal_segments']!).toBeLessThan(before);
  expect(store.gauges()['journal_segments']!).toBeLessThanOrEqual(2);
  await store.close();
});

test('concurrent publishes share a write, and each is answered only after its own', async () => {
  const store = opened();
  await withSubscriptions(store, ['a']);
  const before = store.journal.writes;
  await Promise.all(Array.from({ length: 500 }, async (_, n) => {
    await publish(store, `n${n}`);
    const [file] = readdirSync(dir).map((name) => readFileSync(join(dir, name)));
    expect(file!.includes(raw(`n${n}`))).toBe(true);
  }));
  expect(store.journal.writes - before).toBeLessThan(10);
  await store.close();
});

test('message ids grow, also over a restart and on an empty folder', async () => {
  const first = opened();
  await withSubscriptions(first, ['a']);
  const ids = (await publish(first, ...Array.from({ length: 500 }, (_, n) => `n${n}`))).map(Number);
  await first.close();
  const second = opened();
  ids.push(...(await publish(second, 'after')).map(Number));
  await second.close();
  const elsewhere = opened({}, join(dir, 'empty'));
  await withSubscriptions(elsewhere, []);
  ids.push(...(await publish(elsewhere, 'new folder')).map(Number));
  await elsewhere.close();
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  expect(ids.every(Number.isSafeInteger)).toBe(true);
});

test('deleted topics and subscriptions stay deleted, and their numbers are not used again', async () => {
  const first = opened();
  await withSubscriptions(first, ['a', 'b']);
  await publish(first, 'one');
  await first.deleteSubscription(first.catalogue.subscription(named('a')));
  await first.deleteTopic(first.catalogue.topic(TOPIC));
  await first.close();
  const second = opened();
  expect([...second.catalogue.topics.keys()]).toEqual([]);
  expect([...second.catalogue.subscriptions.keys()]).toEqual([named('b')]);
  expect(waiting(second, 'b')).toEqual(['one']);
  await second.createTopic({ name: TOPIC });
  await second.createSubscription(checkSubscription({ name: named('a'), topic: TOPIC }));
  await publish(second, 'two');
  expect([waiting(second, 'a'), waiting(second, 'b')]).toEqual([['two'], ['one']]);
  await second.close();
});
