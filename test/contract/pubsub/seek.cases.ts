// Contract cases of what is kept and what comes back: retention by the clock, seek to a time. Snapshots: snapshots.cases.ts.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { until } from '../wait.ts';
import { moveClock } from './steering.ts';
import { ack, DOCS, expectNothing, expectRefusal, nack, publish, pull, pullNow, pullOne, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SEEK_BACK = { independent: { reason: 'a seek back ends the process of pstest', isSkipped: true as const } };
const EVENTUALLY = { cloud: { reason: 'a seek takes effect after a while', isSkipped: true as const } };

const timeOf = (ms: number): { seconds: number; nanos: number } => ({ seconds: Math.floor(ms / 1_000), nanos: Math.round((ms % 1_000) * 1e6) });
const seek = ({ subscriber }: PubSubWorld, subscription: string, ms: number): Promise<unknown> => subscriber.seek({ subscription, time: timeOf(ms) });
const apart = (): Promise<void> => new Promise((done) => setTimeout(done, 30));
const textsOf = async (world: PubSubWorld, path: string, count: number): Promise<string[]> => (await pull(world, path, count)).map(({ text }) => text).sort();

/** Publishes one after the other, and gives the moments before each and after the last. */
async function publishApart(topic: Awaited<ReturnType<PubSubWorld['topic']>>, ...texts: string[]): Promise<number[]> {
  const moments: number[] = [];
  for (const text of texts) {
    await apart();
    moments.push(Date.now());
    await apart();
    await publish(topic, text);
  }
  await apart();
  return [...moments, Date.now()];
}

export const SEEK_CASES: readonly Case[] = [
  {
    name: 'seek-forward',
    promise: 'a seek to a time acknowledges everything published before it, outstanding or not, and leaves what came after',
    methods: ['Subscriber.Seek'],
    source: `${DOCS.rpc}#seekrequest`,
    differs: { ...EVENTUALLY, independent: { reason: 'what follows the seek ends the process of pstest', isSkipped: true } },
    async run(world) {
      const { topic, path } = await world.pair();
      const [, , beforeC] = await publishApart(topic, 'a', 'b', 'c');
      const outstanding = await pullOne(world, path);
      await seek(world, path, beforeC!);
      expect(await textsOf(world, path, 1)).toEqual(['c']);
      await nack(world, path, outstanding);
      await expectNothing(world, path);
    },
  },
  {
    name: 'seek-to-a-publish-time',
    promise: 'a seek to the publish time of a message acknowledges what was published before it, and not the message itself',
    methods: ['Subscriber.Seek'],
    source: `${DOCS.rpc}#seekrequest`,
    differs: { ...EVENTUALLY, independent: { reason: 'what follows the seek ends the process of pstest', isSkipped: true } },
    async run(world) {
      const { topic, path } = await world.pair();
      await publishApart(topic, 'a', 'b', 'c');
      const held = await pull(world, path, 3);
      await seek(world, path, held.find(({ text }) => text === 'b')!.publishMs);
      await nack(world, path, ...held);
      expect(await textsOf(world, path, 2)).toEqual(['b', 'c']);
      await expectNothing(world, path);
    },
  },
  {
    name: 'seek-to-the-future',
    promise: 'a seek to a time ahead purges the whole backlog',
    methods: ['Subscriber.Seek'],
    source: DOCS.replay,
    differs: EVENTUALLY,
    async run(world) {
      const { topic, path } = await world.pair();
      const other = await world.subscription(topic);
      await publish(topic, 'a', 'b');
      await pullOne(world, path);
      await seek(world, path, Date.now() + DAY_MS);
      await expectNothing(world, path);
      expect(await textsOf(world, other, 2)).toEqual(['a', 'b']);
    },
  },
  {
    name: 'seek-back-with-retained-acks',
    promise: 'with retain_acked_messages a seek back brings acknowledged messages again, those published after the time only, with their ids and bytes',
    methods: ['Subscriber.Seek', 'Subscriber.Acknowledge'],
    source: `${DOCS.rpc}#seekrequest`,
    differs: { ...SEEK_BACK, ...EVENTUALLY },
    async run(world) {
      const { topic, path } = await world.pair({ retainAckedMessages: true });
      const [, beforeB] = await publishApart(topic, 'a', 'b', 'c');
      const all = await pull(world, path, 3);
      await ack(world, path, ...all);
      await seek(world, path, beforeB!);
      const again = await pull(world, path, 2);
      expect(again.map(({ id }) => id).sort()).toEqual(all.filter(({ text }) => text !== 'a').map(({ id }) => id).sort());
      expect(again.map(({ text }) => text).sort()).toEqual(['b', 'c']);
      await ack(world, path, ...again);
      await expectNothing(world, path);
    },
  },
  {
    name: 'seek-back-without-retention',
    promise: 'where nothing retains acknowledged messages a seek back brings none, also when another subscription of the topic retains its own',
    methods: ['Subscriber.Seek'],
    source: `${DOCS.rpc}#seekrequest`,
    differs: { ...SEEK_BACK, ...EVENTUALLY },
    async run(world) {
      const { topic, path } = await world.pair();
      await world.subscription(topic, { retainAckedMessages: true });
      const [before] = await publishApart(topic, 'acknowledged', 'waiting');
      const messages = await pull(world, path, 2);
      await ack(world, path, messages.find(({ text }) => text === 'acknowledged')!);
      await nack(world, path, messages.find(({ text }) => text === 'waiting')!);
      await seek(world, path, before!);
      expect(await textsOf(world, path, 1)).toEqual(['waiting']);
      await expectNothing(world, path);
    },
  },
  {
    name: 'seek-back-with-topic-retention',
    promise: "with a topic's retention any subscription can seek back, also one made after the messages",
    methods: ['Subscriber.Seek'],
    source: `${DOCS.rpc}#topic`,
    differs: { ...SEEK_BACK, ...EVENTUALLY },
    async run(world) {
      const { topic, path } = await world.pair({}, { messageRetentionDuration: { seconds: 3_600 } });
      const [before] = await publishApart(topic, 'a', 'b');
      await ack(world, path, ...(await pull(world, path, 2)));
      const late = await world.subscription(topic);
      await expectNothing(world, late, 0);
      await seek(world, path, before!);
      await seek(world, late, before!);
      expect(await textsOf(world, path, 2)).toEqual(['a', 'b']);
      expect(await textsOf(world, late, 2)).toEqual(['a', 'b']);
    },
  },
  {
    name: 'seek-back-before-creation',
    promise: 'a subscription that retains only its own messages does not seek back to those before its creation',
    methods: ['Subscriber.Seek'],
    source: `${DOCS.rpc}#seekrequest`,
    differs: { ...SEEK_BACK, ...EVENTUALLY },
    async run(world) {
      const { topic } = await world.pair({ retainAckedMessages: true });
      const [before] = await publishApart(topic, 'early');
      const late = await world.subscription(topic, { retainAckedMessages: true });
      await publish(topic, 'late');
      await ack(world, late, ...(await pull(world, late, 1)));
      await seek(world, late, before!);
      expect(await textsOf(world, late, 1)).toEqual(['late']);
      await expectNothing(world, late);
    },
  },
  {
    name: 'seek-of-one-subscription',
    promise: 'a seek concerns its own subscription only',
    methods: ['Subscriber.Seek'],
    source: DOCS.replay,
    differs: { ...SEEK_BACK, ...EVENTUALLY },
    async run(world) {
      const { topic, path } = await world.pair({ retainAckedMessages: true });
      const other = await world.subscription(topic, { retainAckedMessages: true });
      const [before] = await publishApart(topic, 'a');
      for (const each of [path, other]) await ack(world, each, await pullOne(world, each));
      await seek(world, path, before!);
      expect(await textsOf(world, path, 1)).toEqual(['a']);
      await expectNothing(world, other);
    },
  },
  {
    name: 'seek-to-nothing',
    promise: 'a seek that names neither a time nor a snapshot is refused with INVALID_ARGUMENT',
    methods: ['Subscriber.Seek'],
    source: `${DOCS.rpc}#seekrequest`,
    differs: { independent: { reason: 'a seek without a target ends the process of pstest', isSkipped: true } },
    async run({ pair, subscriber }) {
      const { path } = await pair();
      await expectRefusal(subscriber.seek({ subscription: path }), 'INVALID_ARGUMENT');
    },
  },
  {
    name: 'retention-of-a-subscription',
    promise: 'a message that waited as long as the retention of its subscription is gone from it, and not a minute before; another subscription that keeps longer still has it',
    methods: ['expiry and retention', 'Subscriber.Pull'],
    source: `${DOCS.rpc}#subscription`,
    needs: ['clock'],
    isAlone: true,
    async run(world) {
      const { topic, path } = await world.pair({ messageRetentionDuration: { seconds: 3_600 }, expirationPolicy: {} });
      const long = await world.subscription(topic, { messageRetentionDuration: { seconds: 7_200 }, expirationPolicy: {} });
      await publish(topic, 'old');
      const clock = await moveClock(world, HOUR_MS - 60_000);
      try {
        await new Promise((done) => setTimeout(done, 3_000));
        const kept = await pullOne(world, path);
        expect(kept.text).toBe('old');
        await nack(world, path, kept);
        await clock.move(HOUR_MS + 60_000);
        await until('it is gone', async () => {
          const found = await pullNow(world, path);
          if (found.length > 0) await nack(world, path, ...found);
          return found.length === 0;
        });
        await expectNothing(world, path);
        expect((await pullOne(world, long)).text).toBe('old');
      } finally {
        await clock.reset();
      }
    },
  },
  {
    name: 'retention-of-a-topic',
    promise: 'a seek back finds what was published within the retention of the topic, and nothing older',
    methods: ['expiry and retention', 'Subscriber.Seek'],
    source: `${DOCS.rpc}#topic`,
    needs: ['clock'],
    isAlone: true,
    async run(world) {
      const { topic, path } = await world.pair({ expirationPolicy: {} }, { messageRetentionDuration: { seconds: 2 * 3_600 } });
      const startMs = Date.now();
      await publish(topic, 'old');
      const clock = await moveClock(world, 1.5 * HOUR_MS);
      try {
        await publish(topic, 'young');
        await ack(world, path, ...(await pull(world, path, 2)));
        await seek(world, path, startMs - HOUR_MS);
        const both = await pull(world, path, 2);
        expect(both.map(({ text }) => text).sort()).toEqual(['old', 'young']);
        await ack(world, path, ...both);
        await clock.move(2.5 * HOUR_MS);
        await seek(world, path, startMs - HOUR_MS);
        expect(await textsOf(world, path, 1)).toEqual(['young']);
        await expectNothing(world, path);
      } finally {
        await clock.reset();
      }
    },
  },
];
