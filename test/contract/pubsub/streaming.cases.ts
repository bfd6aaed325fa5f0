// Contract cases of StreamingPull: what a stream brings, its bounds, its acknowledgements and how it ends. Google's subscriber class and the bare call. What it refuses: stream-refusals.cases.ts.
import { expect } from 'vitest';
import type { Message, Subscription } from '@google-cloud/pubsub';
import type { ContractCase } from '../contract.ts';
import { refusalOf, until } from '../wait.ts';
import { openStream } from './stream.ts';
import { CODE, DOCS, expectNothing, publish, pull, pullNow, type Pulled, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;
/** Google's subscriber, with what it got. */
function listen({ client }: PubSubWorld, path: string, onMessage: (message: Message, count: number) => void, options: object = {}): { reader: Subscription; seen: Message[] } {
  const seen: Message[] = [];
  const reader = client.subscription(path, options);
  reader.on('message', (message: Message) => {
    seen.push(message);
    onMessage(message, seen.length);
  }).on('error', () => {});
  return { reader, seen };
}

export const STREAMING_CASES: readonly Case[] = [
  {
    name: 'streamed-message-exact',
    promise: 'a streamed message has the bytes, attributes, id and ordering key that were published',
    methods: ['Subscriber.StreamingPull'],
    source: `${DOCS.rpc}#pubsubmessage`,
    async run(world) {
      const { topic, path } = await world.pair();
      const data = Buffer.from([0, 255, 10, 13, 195, 40]);
      const { reader, seen } = listen(world, path, (message) => message.ack());
      const [{ messageIds }] = await world.publisher.publish({ topic: topic.name, messages: [{ data, attributes: { größe: 'ü' }, orderingKey: 'k' }] });
      await until('it came', () => seen.length === 1);
      await reader.close();
      expect(seen[0]!.data.equals(data)).toBe(true);
      expect(seen[0]).toMatchObject({ id: messageIds![0], attributes: { größe: 'ü' }, orderingKey: 'k' });
    },
  },
  {
    name: 'stream-brings-all-once',
    promise: 'a streaming subscriber that acknowledges gets a thousand messages, each once',
    methods: ['Subscriber.StreamingPull'],
    source: DOCS.pull,
    differs: { cloud: { reason: 'delivery is at least once: a message may come twice', isSkipped: true } },
    async run(world) {
      const { topic, path } = await world.pair();
      const { reader, seen } = listen(world, path, (message) => message.ack());
      await Promise.all(Array.from({ length: 10 }, (_, part) => world.publisher.publish({ topic: topic.name, messages: Array.from({ length: 100 }, (__, n) => ({ data: Buffer.from(`${part}-${n}`) })) })));
      await until('a thousand', () => seen.length >= 1_000);
      await new Promise((done) => setTimeout(done, 300));
      await reader.close();
      expect(seen).toHaveLength(1_000);
      expect(new Set(seen.map(({ id }) => id)).size).toBe(1_000);
      await expectNothing(world, path, 0);
    },
  },
  {
    name: 'stream-nack-redelivers',
    promise: 'a message that a streaming subscriber refuses comes again until it is acknowledged, and then no more',
    methods: ['Subscriber.StreamingPull', 'Subscriber.ModifyAckDeadline'],
    source: DOCS.failures,
    async run(world) {
      const { topic, path } = await world.pair();
      const { reader, seen } = listen(world, path, (message, count) => (count < 3 ? message.nack() : message.ack()));
      await publish(topic, 'stubborn');
      await until('three times', () => seen.length === 3);
      await new Promise((done) => setTimeout(done, 500));
      await reader.close();
      expect(seen.map(({ id }) => id)).toEqual([seen[0]!.id, seen[0]!.id, seen[0]!.id]);
      await expectNothing(world, path, 0);
    },
  },
  {
    name: 'client-extends-leases',
    promise: 'a message that a streaming subscriber holds longer than the deadline is kept from others while the client extends it',
    methods: ['Subscriber.StreamingPull', 'Subscriber.ModifyAckDeadline'],
    source: 'https://docs.cloud.google.com/pubsub/docs/lease-management',
    async run(world) {
      const { topic, path } = await world.pair({ ackDeadlineSeconds: 10 });
      const { reader, seen } = listen(world, path, (message) => { setTimeout(() => message.ack(), 13_000); });
      await publish(topic, 'slow work');
      await until('it came', () => seen.length === 1);
      const untilMs = performance.now() + 13_500;
      const others: Pulled[] = [];
      while (performance.now() < untilMs) {
        others.push(...(await pullNow(world, path)));
        await new Promise((done) => setTimeout(done, 500));
      }
      expect(others).toEqual([]);
      expect(seen).toHaveLength(1);
      await reader.close();
      await expectNothing(world, path, 0);
    },
  },
  {
    name: 'stream-heartbeat',
    promise: 'an empty request of the client is answered, so that it knows the stream is alive',
    methods: ['Subscriber.StreamingPull'],
    source: 'https://github.com/googleapis/nodejs-pubsub/blob/main/src/message-stream.ts',
    differs: { cloud: { reason: 'the real service sends its heartbeats when it likes', isSkipped: true }, independent: { reason: 'pstest answers no heartbeats' } },
    async run(world) {
      const { path } = await world.pair();
      const stream = openStream(world, path);
      await until('a first word', () => stream.answers.length >= 1, 5_000);
      const before = stream.answers.length;
      stream.write({});
      await until('an answer', () => stream.answers.length > before, 6_000);
      expect(stream.received()).toEqual([]);
      stream.close();
    },
  },
  {
    name: 'stream-message-bound',
    promise: 'a stream has no more messages outstanding than its bound, and gets more as they are acknowledged or refused',
    methods: ['Subscriber.StreamingPull'],
    source: `${DOCS.rpc}#streamingpullrequest`,
    differs: { independent: { reason: 'pstest ignores the bounds of a stream' } },
    async run(world) {
      const { topic, path } = await world.pair();
      const stream = openStream(world, path, { maxOutstandingMessages: 3 });
      await publish(topic, ...Array.from({ length: 10 }, (_, n) => `n${n}`));
      await until('three', () => stream.received().length === 3);
      await new Promise((done) => setTimeout(done, 300));
      expect(stream.received()).toHaveLength(3);
      const [first, second] = stream.received();
      stream.write({ ackIds: [first!.ackId] });
      await until('a fourth', () => stream.received().length === 4);
      stream.write({ modifyDeadlineAckIds: [second!.ackId], modifyDeadlineSeconds: [0] });
      await until('a fifth', () => stream.received().length === 5);
      await new Promise((done) => setTimeout(done, 300));
      expect(stream.received()).toHaveLength(5);
      stream.close();
    },
  },
  {
    name: 'stream-byte-bound',
    promise: 'a stream that has as many bytes outstanding as its bound gets nothing more until some are acknowledged',
    methods: ['Subscriber.StreamingPull'],
    source: `${DOCS.rpc}#streamingpullrequest`,
    differs: { independent: { reason: 'pstest ignores the bounds of a stream' } },
    async run(world) {
      const { topic, path } = await world.pair();
      const stream = openStream(world, path, { maxOutstandingBytes: 250_000 });
      for (let n = 0; n < 6; n += 1) await topic.publishMessage({ data: Buffer.alloc(100_000, n) });
      await until('some', () => stream.received().length >= 3);
      await new Promise((done) => setTimeout(done, 1_500));
      const outstanding = stream.received();
      expect(outstanding.length).toBeLessThan(6);
      stream.write({ ackIds: outstanding.map(({ ackId }) => ackId) });
      await until('the rest', () => stream.received().length === 6);
      stream.close();
    },
  },
  ...[0, 2_500].map((bound): Case => ({
    name: bound === 0 ? 'stream-without-a-bound' : 'stream-with-a-large-bound',
    promise: `a stream ${bound === 0 ? 'without a bound' : 'with a bound of 2,500 messages'} has 2,000 messages outstanding at once, though it acknowledges none`,
    methods: ['Subscriber.StreamingPull'],
    source: `${DOCS.rpc}#streamingpullrequest`,
    differs: { cloud: { reason: 'the real service also bounds what one subscriber may hold', isSkipped: true }, independent: { reason: 'pstest hands out less than a hundred messages a second' } },
    async run(world) {
      const { topic, path } = await world.pair();
      for (let part = 0; part < 2; part += 1) await world.publisher.publish({ topic: topic.name, messages: Array.from({ length: 1_000 }, (_, n) => ({ data: Buffer.from(`${part}-${n}`) })) });
      const stream = openStream(world, path, { streamAckDeadlineSeconds: 60, maxOutstandingMessages: bound });
      await until('all of them', () => stream.received().length >= 2_000, 20_000);
      stream.close();
      expect(new Set(stream.received().map(({ id }) => id)).size).toBe(2_000);
    },
  })),
  {
    name: 'stream-acknowledges',
    promise: 'what is acknowledged over the stream is gone, and a deadline set over the stream passes when it says',
    methods: ['Subscriber.StreamingPull'],
    source: `${DOCS.rpc}#streamingpullrequest`,
    async run(world) {
      const { topic, path } = await world.pair();
      const stream = openStream(world, path);
      await publish(topic, 'done', 'later');
      await until('both', () => stream.received().length === 2);
      const [done, later] = ['done', 'later'].map((text) => stream.received().find((one) => one.text === text)!);
      stream.write({ ackIds: [done!.ackId], modifyDeadlineAckIds: [later!.ackId], modifyDeadlineSeconds: [1] });
      await until('it comes again', () => stream.received().length === 3, 8_000);
      expect(stream.received()[2]).toMatchObject({ text: 'later', id: later!.id });
      stream.write({ ackIds: [stream.received()[2]!.ackId] });
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      expect(stream.received()).toHaveLength(3);
      stream.close();
      await expectNothing(world, path, 0);
    },
  },
  {
    name: 'stream-deadline',
    promise: 'the deadline of a stream is the one that its first request names, not the one of the subscription',
    methods: ['Subscriber.StreamingPull'],
    source: `${DOCS.rpc}#streamingpullrequest`,
    async run(world) {
      const { topic, path } = await world.pair({ ackDeadlineSeconds: 600 });
      const stream = openStream(world, path, { streamAckDeadlineSeconds: 10 });
      const startMs = performance.now();
      await publish(topic, 'x');
      await until('it comes again', () => stream.received().length === 2, 20_000);
      expect(performance.now() - startMs).toBeGreaterThan(9_990);
      stream.close();
    },
  },
  {
    name: 'stream-deadline-changed',
    promise: 'a later request of a stream may name another deadline, which holds for what is delivered from then on',
    methods: ['Subscriber.StreamingPull'],
    source: `${DOCS.rpc}#streamingpullrequest`,
    differs: { independent: { reason: 'pstest hears the deadline of the first request only' } },
    timeoutMs: 60_000,
    async run(world) {
      const { topic, path } = await world.pair();
      const stream = openStream(world, path, { streamAckDeadlineSeconds: 600 });
      await publish(topic, 'before');
      await until('the first is there', () => stream.received().length === 1);
      stream.write({ streamAckDeadlineSeconds: 10 });
      await new Promise((done) => setTimeout(done, 1_000));
      await publish(topic, 'after');
      await until('what came after is there again', () => stream.received().length === 3, 20_000);
      expect(stream.received().map(({ text }) => text)).toEqual(['before', 'after', 'after']);
      stream.close();
    },
  },
  {
    name: 'streams-share',
    promise: 'two streams on one subscription share its messages, none gets one that the other has',
    methods: ['Subscriber.StreamingPull'],
    source: DOCS.pull,
    async run(world) {
      const { topic, path } = await world.pair();
      const both = [openStream(world, path, { maxOutstandingMessages: 10 }), openStream(world, path, { maxOutstandingMessages: 10 })];
      await publish(topic, ...Array.from({ length: 20 }, (_, n) => `n${n}`));
      const received = (): Pulled[] => both.flatMap((stream) => stream.received());
      await until('all', () => received().length === 20);
      expect(new Set(received().map(({ id }) => id)).size).toBe(20);
      if (world.launched.implementation === 'ours') expect(both.map((stream) => stream.received().length)).toEqual([10, 10]);
      for (const stream of both) stream.close();
    },
  },
  {
    name: 'stream-left-behind',
    promise: 'what a stream had when it ended without acknowledging comes again, to whoever asks',
    methods: ['Subscriber.StreamingPull'],
    source: DOCS.pull,
    async run(world) {
      const { topic, path } = await world.pair();
      const stream = openStream(world, path);
      await publish(topic, 'orphan');
      await until('it came', () => stream.received().length === 1);
      stream.close();
      const [again] = await pull(world, path, 1, 25_000);
      expect(again!.id).toBe(stream.received()[0]!.id);
    },
  },
  {
    name: 'stream-to-nowhere',
    promise: 'a stream on a subscription that is not there ends with NOT_FOUND, and so does one whose subscription is deleted',
    methods: ['Subscriber.StreamingPull', 'Subscriber.DeleteSubscription'],
    source: `${DOCS.rpc}#subscriber`,
    differs: { independent: { reason: 'pstest keeps the stream of a deleted subscription open' } },
    async run(world) {
      const { path } = await world.pair();
      const [missing, deleted] = [openStream(world, world.path('subscriptions')), openStream(world, path)];
      expect(await missing.endedSoon()).toBe(CODE.NOT_FOUND);
      await new Promise((done) => setTimeout(done, 200));
      await world.subscriber.deleteSubscription({ subscription: path });
      expect(await deleted.endedSoon()).toBe(CODE.NOT_FOUND);
    },
  },
  {
    name: 'stream-of-a-push-subscription',
    promise: 'a push subscription can be neither streamed nor pulled: FAILED_PRECONDITION',
    methods: ['Subscriber.StreamingPull', 'Subscriber.Pull'],
    source: DOCS.push,
    differs: { independent: { reason: 'pstest lets push subscriptions be streamed and pulled' } },
    async run(world) {
      const { path } = await world.pair({ pushConfig: { pushEndpoint: 'https://writer.example/' } });
      expect(await openStream(world, path).endedSoon()).toBe(CODE.FAILED_PRECONDITION);
      expect(await refusalOf(world.subscriber.pull({ subscription: path, maxMessages: 1 }))).toMatchObject({ code: CODE.FAILED_PRECONDITION });
    },
  },
  {
    name: 'stream-of-a-detached-subscription',
    promise: 'a stream ends with FAILED_PRECONDITION when its subscription is detached, and a new one is not opened',
    methods: ['Subscriber.StreamingPull', 'Publisher.DetachSubscription'],
    source: `${DOCS.rpc}#publisher`,
    differs: { independent: { reason: 'pstest keeps the stream open' } },
    async run(world) {
      const { path } = await world.pair();
      const open = openStream(world, path);
      await new Promise((done) => setTimeout(done, 200));
      await world.publisher.detachSubscription({ subscription: path });
      expect(await open.endedSoon()).toBe(CODE.FAILED_PRECONDITION);
      expect(await openStream(world, path).endedSoon()).toBe(CODE.FAILED_PRECONDITION);
    },
  },
  {
    name: 'stream-says-its-properties',
    promise: 'a stream tells whether its subscription keeps the order and delivers exactly once',
    methods: ['Subscriber.StreamingPull'],
    source: `${DOCS.rpc}#subscriptionproperties`,
    async run(world) {
      for (const [options, expected] of [[{}, [false, false]], [{ enableMessageOrdering: true }, [false, true]], [{ enableExactlyOnceDelivery: true }, [true, false]]] as const) {
        const { topic, path } = await world.pair(options);
        const stream = openStream(world, path);
        await publish(topic, 'x'); // some services say so with the first message only
        await until('the properties', () => stream.answers.some(({ subscriptionProperties }) => subscriptionProperties));
        const said = stream.answers.find(({ subscriptionProperties }) => subscriptionProperties)!.subscriptionProperties!;
        stream.close();
        expect([said.exactlyOnceDeliveryEnabled, said.messageOrderingEnabled]).toEqual(expected);
      }
    },
  },
];
