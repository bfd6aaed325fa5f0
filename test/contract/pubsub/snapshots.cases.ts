// Contract cases of snapshots: what one holds, who can seek to it, how long it lives.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { until } from '../wait.ts';
import { moveClock } from './steering.ts';
import { ack, DOCS, expectNothing, expectRefusal, publish, pull, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;
const DAY_MS = 86_400_000;
const NO_SNAPSHOTS = { independent: { reason: 'pstest has no snapshots' } };
const EVENTUALLY = { cloud: { reason: 'a seek takes effect after a while', isSkipped: true as const } };
const textsOf = async (world: PubSubWorld, path: string, count: number): Promise<string[]> => (await pull(world, path, count)).map(({ text }) => text).sort();

export const SNAPSHOT_CASES: readonly Case[] = [
  {
    name: 'snapshot-restores',
    promise: 'a seek to a snapshot brings back what was not acknowledged when it was made and everything published since, and nothing that was acknowledged then',
    methods: ['Subscriber.CreateSnapshot', 'Subscriber.Seek'],
    source: `${DOCS.rpc}#createsnapshotrequest`,
    differs: { ...NO_SNAPSHOTS, ...EVENTUALLY },
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'acknowledged', 'waiting');
      const messages = await pull(world, path, 2);
      await ack(world, path, messages.find(({ text }) => text === 'acknowledged')!);
      const name = world.path('snapshots');
      await world.subscriber.createSnapshot({ name, subscription: path });
      await publish(topic, 'later');
      await ack(world, path, ...(await pull(world, path, 1)), messages.find(({ text }) => text === 'waiting')!);
      await expectNothing(world, path);
      await world.subscriber.seek({ subscription: path, snapshot: name });
      const again = await pull(world, path, 2);
      expect(again.map(({ text }) => text).sort()).toEqual(['later', 'waiting']);
      expect(again.find(({ text }) => text === 'waiting')!.id).toBe(messages.find(({ text }) => text === 'waiting')!.id);
      await ack(world, path, ...again);
      await expectNothing(world, path);
      // A snapshot is not used up.
      await world.subscriber.seek({ subscription: path, snapshot: name });
      expect(await textsOf(world, path, 2)).toEqual(['later', 'waiting']);
    },
  },
  {
    name: 'snapshot-for-another-subscription',
    promise: 'another subscription of the topic can seek to the snapshot, and then waits for what it holds and for nothing else',
    methods: ['Subscriber.Seek'],
    source: `${DOCS.rpc}#seekrequest`,
    differs: { ...NO_SNAPSHOTS, ...EVENTUALLY },
    async run(world) {
      const { topic, path } = await world.pair();
      const other = await world.subscription(topic);
      await publish(topic, 'a', 'b');
      const messages = await pull(world, path, 2);
      await ack(world, path, messages.find(({ text }) => text === 'a')!);
      const name = world.path('snapshots');
      await world.subscriber.createSnapshot({ name, subscription: path });
      await world.subscriber.seek({ subscription: other, snapshot: name });
      expect(await textsOf(world, other, 1)).toEqual(['b']);
      await expectNothing(world, other);
    },
  },
  {
    name: 'snapshot-as-asked',
    promise: 'a snapshot says its name, topic, labels and when it expires: seven days after the oldest message that it holds',
    methods: ['Subscriber.CreateSnapshot', 'Subscriber.GetSnapshot'],
    source: `${DOCS.rpc}#snapshot`,
    differs: NO_SNAPSHOTS,
    async run(world) {
      const { topic, path } = await world.pair();
      const name = world.path('snapshots');
      const [made] = await world.subscriber.createSnapshot({ name, subscription: path, labels: { a: 'b' } });
      for (const said of [made, (await world.subscriber.getSnapshot({ snapshot: name }))[0]]) {
        expect(said).toMatchObject({ name, topic: topic.name, labels: { a: 'b' } });
        expect(Math.abs(Number(said.expireTime!.seconds) * 1_000 - (Date.now() + 7 * DAY_MS))).toBeLessThan(120_000);
      }
    },
  },
  {
    name: 'snapshot-refused',
    promise: 'a snapshot of a name that is taken is ALREADY_EXISTS, one of no subscription NOT_FOUND; a seek to one that is not there NOT_FOUND, to one of another topic INVALID_ARGUMENT',
    methods: ['Subscriber.CreateSnapshot', 'Subscriber.GetSnapshot', 'Subscriber.DeleteSnapshot', 'Subscriber.Seek'],
    source: `${DOCS.rpc}#subscriber`,
    differs: NO_SNAPSHOTS,
    async run(world) {
      const { path } = await world.pair();
      const { path: elsewhere } = await world.pair();
      const name = world.path('snapshots');
      await world.subscriber.createSnapshot({ name, subscription: path });
      await expectRefusal(world.subscriber.createSnapshot({ name, subscription: path }), 'ALREADY_EXISTS');
      await expectRefusal(world.subscriber.createSnapshot({ name: world.path('snapshots'), subscription: world.path('subscriptions') }), 'NOT_FOUND');
      const missing = world.path('snapshots');
      await expectRefusal(world.subscriber.getSnapshot({ snapshot: missing }), 'NOT_FOUND');
      await expectRefusal(world.subscriber.deleteSnapshot({ snapshot: missing }), 'NOT_FOUND');
      await expectRefusal(world.subscriber.seek({ subscription: path, snapshot: missing }), 'NOT_FOUND');
      await expectRefusal(world.subscriber.seek({ subscription: elsewhere, snapshot: name }), 'INVALID_ARGUMENT');
    },
  },
  {
    name: 'snapshots-listed-changed-deleted',
    promise: 'snapshots are listed by project and by topic, their labels can be changed, and a deleted one is gone',
    methods: ['Subscriber.ListSnapshots', 'Publisher.ListTopicSnapshots', 'Subscriber.UpdateSnapshot', 'Subscriber.DeleteSnapshot'],
    source: `${DOCS.rpc}#subscriber`,
    differs: NO_SNAPSHOTS,
    async run(world) {
      const { topic, path } = await world.pair();
      const { path: elsewhere } = await world.pair();
      const [one, two, other] = [world.path('snapshots'), world.path('snapshots'), world.path('snapshots')];
      for (const name of [one, two]) await world.subscriber.createSnapshot({ name, subscription: path });
      await world.subscriber.createSnapshot({ name: other, subscription: elsewhere });
      const listed = (await world.subscriber.listSnapshots({ project: `projects/${world.launched.project}` }))[0].map(({ name }) => name!);
      expect(listed).toEqual(expect.arrayContaining([one, two, other]));
      const [page, , { nextPageToken }] = (await world.publisher.listTopicSnapshots({ topic: topic.name, pageSize: 1 }, { autoPaginate: false })) as unknown as [string[], unknown, { nextPageToken: string }];
      const [rest] = await world.publisher.listTopicSnapshots({ topic: topic.name, pageSize: 1, pageToken: nextPageToken }, { autoPaginate: false });
      expect([...page, ...rest].sort()).toEqual([one, two].sort());
      const [changed] = await world.subscriber.updateSnapshot({ snapshot: { name: one, labels: { c: 'd' } }, updateMask: { paths: ['labels'] } });
      expect(changed.labels).toEqual({ c: 'd' });
      await expectRefusal(world.subscriber.updateSnapshot({ snapshot: { name: one, topic: 'x' }, updateMask: { paths: ['topic'] } }), 'INVALID_ARGUMENT');
      await world.subscriber.deleteSnapshot({ snapshot: one });
      await expectRefusal(world.subscriber.getSnapshot({ snapshot: one }), 'NOT_FOUND');
      expect((await world.publisher.listTopicSnapshots({ topic: topic.name }))[0]).toEqual([two]);
    },
  },
  {
    name: 'snapshot-expiry-changed',
    promise: 'an update whose mask names expire_time moves the moment at which a snapshot expires, and leaves its labels',
    methods: ['Subscriber.UpdateSnapshot'],
    source: `${DOCS.rpc}#updatesnapshotrequest`,
    differs: NO_SNAPSHOTS,
    async run(world) {
      const { path } = await world.pair();
      const name = world.path('snapshots');
      await world.subscriber.createSnapshot({ name, subscription: path, labels: { a: 'b' } });
      const seconds = Math.floor(Date.now() / 1_000) + 3 * 86_400;
      const [changed] = await world.subscriber.updateSnapshot({ snapshot: { name, expireTime: { seconds } }, updateMask: { paths: ['expire_time'] } });
      for (const said of [changed, (await world.subscriber.getSnapshot({ snapshot: name }))[0]]) {
        expect([Number(said.expireTime!.seconds), said.labels]).toEqual([seconds, { a: 'b' }]);
      }
    },
  },
  {
    name: 'snapshot-expires',
    promise: 'a snapshot is gone when its time has come, and a backlog so old that its snapshot would live less than an hour gives none',
    methods: ['Subscriber.CreateSnapshot', 'expiry and retention'],
    source: `${DOCS.rpc}#snapshot`,
    needs: ['clock'],
    isAlone: true,
    async run(world) {
      const { topic, path } = await world.pair({ expirationPolicy: {} });
      await publish(topic, 'x');
      const name = world.path('snapshots');
      await world.subscriber.createSnapshot({ name, subscription: path });
      const clock = await moveClock(world, 6.98 * DAY_MS);
      try {
        await expectRefusal(world.subscriber.createSnapshot({ name: world.path('snapshots'), subscription: path }), 'FAILED_PRECONDITION');
        expect((await world.subscriber.getSnapshot({ snapshot: name }))[0].name).toBe(name);
        await clock.move(7.01 * DAY_MS);
        await until('it is gone', () => world.subscriber.getSnapshot({ snapshot: name }).then(() => false, () => true));
      } finally {
        await clock.reset();
      }
    },
  },
];
