// Seeks and snapshots, without the network: any mix of publishing, acknowledging, seeking, crashes and tidying up, compared with plain sets.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkSubscription } from '../../../emulators/pubsub/resources.ts';
import { expire } from '../../../emulators/pubsub/retention.ts';
import { seekToSnapshot, seekToTime } from '../../../emulators/pubsub/seek.ts';
import { makeSnapshot } from '../../../emulators/pubsub/snapshots.ts';
import { Store } from '../../../emulators/pubsub/store.ts';
import type { Consumer, Lease } from '../../../emulators/pubsub/delivery.ts';
import { encodeMessage, readMessage } from '../../../emulators/pubsub/wire.ts';

const TOPIC = 'projects/p/topics/topic';
const NAMES = ['all', 'even'] as const;
type Name = (typeof NAMES)[number];
const named = (name: Name): string => `projects/p/subscriptions/${name}`;

const OF = fc.constantFrom(...NAMES);
const STEP = fc.oneof(
  fc.record({ do: fc.constant('publish' as const), sizes: fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 5 }) }),
  fc.record({ do: fc.constant('acknowledge' as const), of: OF, every: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('seek' as const), of: OF, to: fc.nat(100) }),
  fc.record({ do: fc.constant('snapshot' as const), of: OF }),
  fc.record({ do: fc.constant('restore' as const), of: OF, which: fc.nat(20) }),
  fc.record({ do: fc.constantFrom('crash' as const, 'tidy' as const) }),
);

async function acknowledge(store: Store, name: Name, isChosen: (n: number) => boolean): Promise<void> {
  const { backlog } = store.catalogue.subscription(named(name));
  const leases: Lease[] = [];
  const consumer: Consumer = { leaseMs: Infinity, ended: () => {}, room: () => ({ messages: Infinity, bytes: Infinity }), deliver: (more) => leases.push(...more) };
  backlog.join(consumer);
  await new Promise((done) => setTimeout(done, 2));
  backlog.leave(consumer);
  for (const lease of leases) {
    if (isChosen(numberOf(store, lease.delivery.entry))) backlog.ack(lease.ackId);
    else backlog.postpone(lease, 0);
  }
  await store.acksWritten(store.catalogue.subscription(named(name)), false);
}

const numberOf = (store: Store, entry: Parameters<Store['rawOf']>[0]): number => parseInt(readMessage(store.rawOf(entry)).data.toString());
const waiting = (store: Store, name: Name): number[] => store.catalogue.subscription(named(name)).backlog.pending().map((entry) => numberOf(store, entry)).sort((a, b) => a - b);

test('a seek to a time or a snapshot leaves exactly the messages that the subscription should wait for, also after crashes and tidying', async () => {
  await fc.assert(fc.asyncProperty(fc.array(STEP, { minLength: 4, maxLength: 25 }), async (steps) => {
    const own = mkdtempSync(join(tmpdir(), 'replay-'));
    let nowMs = Date.parse('2026-01-15T10:00:00Z');
    let folder = 0;
    const open = (): Store => new Store({ dir: join(own, String(folder)), now: () => nowMs, deadLetter: async () => false, segmentBytes: 3_000, cacheBytesMax: 4_000 });
    let store = open();
    await store.createTopic({ name: TOPIC, message_retention_duration: { seconds: '86400' } });
    await store.createSubscription(checkSubscription({ name: named('all'), topic: TOPIC }));
    await store.createSubscription(checkSubscription({ name: named('even'), topic: TOPIC, filter: 'attributes:even' }));

    const published: { n: number; atMs: number }[] = [];
    const expected: Record<Name, Set<number>> = { all: new Set(), even: new Set() };
    const snapshots: { name: string; held: Set<number>; count: number }[] = [];
    const isFor = (name: Name, n: number): boolean => name === 'all' || n % 2 === 0;
    for (const step of steps) {
      nowMs += 1_000;
      if (step.do === 'publish') {
        const raws = step.sizes.map((size) => {
          const n = published.length;
          published.push({ n, atMs: nowMs });
          for (const name of NAMES) if (isFor(name, n)) expected[name].add(n);
          return encodeMessage({ data: Buffer.from(`${n} ${'x'.repeat(size)}`), attributes: new Map(n % 2 === 0 ? [['even', '']] : []), orderingKey: '' });
        });
        await store.publish(store.catalogue.topic(TOPIC), raws);
      } else if (step.do === 'acknowledge') {
        await acknowledge(store, step.of, (n) => n % step.every === 0);
        for (const n of expected[step.of]) if (n % step.every === 0) expected[step.of].delete(n);
      } else if (step.do === 'seek') {
        const ms = (published[step.to % Math.max(1, published.length)]?.atMs ?? nowMs) + (step.to % 3) - 1;
        await seekToTime(store, store.catalogue.subscription(named(step.of)), ms);
        expected[step.of] = new Set(published.filter(({ n, atMs }) => atMs >= ms && isFor(step.of, n)).map(({ n }) => n));
      } else if (step.do === 'snapshot') {
        const name = `projects/p/snapshots/s${snapshots.length}-x`;
        await store.putSnapshot(makeSnapshot({ name }, store.catalogue.subscription(named(step.of)), nowMs, store.lastHandedId));
        snapshots.push({ name, held: new Set(expected[step.of]), count: published.length });
      } else if (step.do === 'restore') {
        const snapshot = snapshots[step.which % Math.max(1, snapshots.length)];
        if (snapshot === undefined) continue;
        await seekToSnapshot(store, store.catalogue.subscription(named(step.of)), store.catalogue.snapshot(snapshot.name));
        expected[step.of] = new Set(published.filter(({ n }) => (n >= snapshot.count || snapshot.held.has(n)) && isFor(step.of, n)).map(({ n }) => n));
      } else if (step.do === 'tidy') await expire(store, () => {});
      else {
        // The folder as it stands, as after SIGKILL; the store that is killed closes only to free its files.
        cpSync(join(own, String(folder)), join(own, String(folder + 1)), { recursive: true });
        await store.close();
        folder += 1;
        store = open();
      }
      for (const name of NAMES) expect([name, waiting(store, name)]).toEqual([name, [...expected[name]].sort((a, b) => a - b)]);
    }
    await store.close();
    rmSync(own, { recursive: true, force: true });
  }), { numRuns: 30 });
}, 60_000);

test('a snapshot keeps on disk what it holds, and lets go of it when it is deleted', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'replay-'));
  let nowMs = Date.parse('2026-01-15T10:00:00Z');
  const store = new Store({ dir, now: () => nowMs, deadLetter: async () => false, segmentBytes: 5_000 });
  await store.createTopic({ name: TOPIC });
  await store.createSubscription(checkSubscription({ name: named('all'), topic: TOPIC }));
  const publish = (text: string): Promise<string[]> => store.publish(store.catalogue.topic(TOPIC), [encodeMessage({ data: Buffer.from(text), attributes: new Map(), orderingKey: '' })]);
  await publish('0 kept');
  await store.putSnapshot(makeSnapshot({ name: 'projects/p/snapshots/one' }, store.catalogue.subscription(named('all')), nowMs, store.lastHandedId));
  for (let n = 1; n < 30; n += 1) {
    nowMs += 60_000;
    await publish(`${n} ${'x'.repeat(2_000)}`);
    await acknowledge(store, 'all', () => true);
    await expire(store, () => {});
  }
  expect(store.gauges()['journal_bytes']).toBeGreaterThan(50_000);
  await seekToSnapshot(store, store.catalogue.subscription(named('all')), store.catalogue.snapshot('projects/p/snapshots/one'));
  expect(waiting(store, 'all')).toEqual(Array.from({ length: 30 }, (_, n) => n));
  await acknowledge(store, 'all', () => true);
  await store.deleteSnapshot(store.catalogue.snapshot('projects/p/snapshots/one'));
  await publish('30 later');
  await expire(store, () => {});
  expect(store.gauges()['journal_bytes']).toBeLessThan(50_000);
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});
