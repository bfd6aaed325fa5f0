// Contract cases of ordering keys and of exactly-once delivery.
import { expect } from 'vitest';
import type { Message } from '@google-cloud/pubsub';
import type { ContractCase } from '../contract.ts';
import { refusalOf, until } from '../wait.ts';
import { pushedText, withEndpoint } from './endpoint.ts';
import { openStream } from './stream.ts';
import { ack, CODE, DOCS, expectNothing, modifyDeadline, nack, pull, pullNow, pullOne, publish, type Pulled, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;
type Topic = Awaited<ReturnType<PubSubWorld['topic']>>;
const ORDERED = { enableMessageOrdering: true };
const EXACTLY_ONCE = { enableExactlyOnceDelivery: true };

const publishKeyed = async ({ publisher }: PubSubWorld, topic: Topic, orderingKey: string, ...texts: string[]): Promise<void> => {
  for (const text of texts) await publisher.publish({ topic: topic.name, messages: [{ data: Buffer.from(text), orderingKey }] });
};

/** Pulls and acknowledges one after the other, as they come. */
async function drain(world: PubSubWorld, path: string, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const messages = await pull(world, path, 1);
    await ack(world, path, ...messages);
    texts.push(...messages.map(({ text }) => text));
  }
  return texts;
}

export const ORDERING_CASES: readonly Case[] = [
  {
    name: 'ordered-by-key',
    promise: 'messages of one ordering key come in the order in which they were published, those of each key for itself',
    methods: ['ordering keys'],
    source: DOCS.ordering,
    async run(world) {
      const { topic, path } = await world.pair(ORDERED);
      const numbers = Array.from({ length: 15 }, (_, n) => n);
      await Promise.all(['a', 'b', 'c'].map((key) => publishKeyed(world, topic, key, ...numbers.map((n) => `${key}${n}`))));
      const texts = await drain(world, path, 45);
      for (const key of ['a', 'b', 'c']) expect(texts.filter((text) => text.startsWith(key))).toEqual(numbers.map((n) => `${key}${n}`));
    },
  },
  {
    name: 'ordered-stream',
    promise: 'a streaming subscriber is given the messages of a key in their order, a hundred of them',
    methods: ['ordering keys', 'Subscriber.StreamingPull'],
    source: DOCS.ordering,
    async run(world) {
      const { topic, path } = await world.pair(ORDERED);
      const expected = Array.from({ length: 100 }, (_, n) => `n${n}`);
      await world.publisher.publish({ topic: topic.name, messages: expected.map((text) => ({ data: Buffer.from(text), orderingKey: 'k' })) });
      const seen: string[] = [];
      const reader = world.client.subscription(path).on('message', (message: Message) => {
        seen.push(message.data.toString());
        setTimeout(() => message.ack(), Math.random() * 5);
      }).on('error', () => {});
      await until('all', () => seen.length >= 100);
      await reader.close();
      expect(seen).toEqual(expected);
    },
  },
  {
    name: 'ordered-after-a-nack',
    promise: 'when a message is refused, those of its key behind it come again after it; other keys and messages without a key do not wait',
    methods: ['ordering keys', 'Subscriber.ModifyAckDeadline'],
    source: DOCS.ordering,
    async run(world) {
      const { topic, path } = await world.pair(ORDERED);
      await publishKeyed(world, topic, 'a', 'a1', 'a2', 'a3');
      const [first] = (await pull(world, path, 1)) as [Pulled];
      expect(first.text).toBe('a1');
      await publishKeyed(world, topic, 'b', 'b1');
      await publish(topic, 'free');
      const others: Pulled[] = [];
      await until('b1 and the free one', async () => {
        others.push(...(await pullNow(world, path)));
        return ['b1', 'free'].every((text) => others.some((one) => one.text === text));
      });
      await nack(world, path, first);
      const rest: string[] = [];
      await until('a1, a2, a3 acknowledged', async () => {
        const [message] = await pullNow(world, path, 1);
        if (message?.orderingKey !== 'a') return false;
        rest.push(message.text);
        await ack(world, path, message);
        return rest.includes('a3');
      }, 25_000);
      expect(rest.slice(-3)).toEqual(['a1', 'a2', 'a3']);
    },
  },
  {
    name: 'ordered-nack-in-a-stream',
    promise: 'a refused message that others of its key had overtaken on the same stream comes again before them',
    methods: ['ordering keys', 'Subscriber.StreamingPull'],
    source: DOCS.ordering,
    differs: { independent: { reason: 'pstest gives a stream one message of a key at a time' } },
    async run(world) {
      const { topic, path } = await world.pair(ORDERED);
      await publishKeyed(world, topic, 'k', '1', '2', '3');
      const stream = openStream(world, path);
      await until('three', () => stream.received().length === 3);
      stream.write({ modifyDeadlineAckIds: [stream.received()[0]!.ackId], modifyDeadlineSeconds: [0] });
      await until('three more', () => stream.received().length === 6);
      stream.close();
      expect(stream.received().map(({ text }) => text)).toEqual(['1', '2', '3', '1', '2', '3']);
    },
  },
  {
    name: 'ordered-one-subscriber-a-key',
    promise: 'while a message of a key is outstanding, others of that key are not given to another subscriber',
    methods: ['ordering keys', 'Subscriber.Pull'],
    source: DOCS.ordering,
    async run(world) {
      const { topic, path } = await world.pair(ORDERED);
      await publishKeyed(world, topic, 'k', '1', '2');
      const [first] = (await pull(world, path, 1)) as [Pulled];
      await expectNothing(world, path);
      await ack(world, path, first);
      expect((await pullOne(world, path)).text).toBe('2');
    },
  },
  {
    name: 'ordered-after-a-seek',
    promise: 'what a seek back brings again comes before younger messages of its key that wait already, all in their order',
    methods: ['ordering keys', 'Subscriber.Seek'],
    source: DOCS.ordering,
    differs: { independent: { reason: 'a seek back ends the process of pstest', isSkipped: true }, cloud: { reason: 'a seek takes effect after a while', isSkipped: true } },
    async run(world) {
      const { topic, path } = await world.pair({ ...ORDERED, retainAckedMessages: true });
      const beganMs = Date.now() - 1_000;
      await publishKeyed(world, topic, 'k', '1', '2', '3');
      expect(await drain(world, path, 3)).toEqual(['1', '2', '3']);
      await publishKeyed(world, topic, 'k', '4', '5');
      await world.subscriber.seek({ subscription: path, time: { seconds: Math.floor(beganMs / 1_000) } });
      expect(await drain(world, path, 5)).toEqual(['1', '2', '3', '4', '5']);
      await expectNothing(world, path);
    },
  },
  {
    name: 'ordered-push',
    promise: 'a push endpoint gets one message of a key at a time, in their order, also when it refuses some; other keys are pushed meanwhile',
    methods: ['ordering keys', 'push delivery'],
    source: DOCS.ordering,
    needs: ['loopback'],
    run: (world) => withEndpoint(async (endpoint) => {
      const topic = await world.topic();
      const underWay = new Map<string, number>();
      let most = 0;
      const accepted: string[] = [];
      endpoint.answer = async (push, number) => {
        const key = pushedText(push)[0]!;
        underWay.set(key, (underWay.get(key) ?? 0) + 1);
        most = Math.max(most, underWay.get(key)!);
        await new Promise((done) => setTimeout(done, 15));
        underWay.set(key, underWay.get(key)! - 1);
        if (number % 7 === 3) return 503;
        accepted.push(pushedText(push));
        return 204;
      };
      const path = await world.subscription(topic, { ...ORDERED, pushConfig: { pushEndpoint: endpoint.url } });
      const numbers = Array.from({ length: 12 }, (_, n) => n);
      await Promise.all(['a', 'b'].map((key) => publishKeyed(world, topic, key, ...numbers.map((n) => `${key}${n}`))));
      await until('all', () => accepted.length === 24, 20_000);
      expect(most).toBe(1);
      for (const key of ['a', 'b']) expect(accepted.filter((text) => text.startsWith(key))).toEqual(numbers.map((n) => `${key}${n}`));
      await world.subscriber.deleteSubscription({ subscription: path });
    }),
  },
  {
    name: 'ordered-dead-letter',
    promise: 'a message that went to the dead-letter topic does not hold up its key any more',
    methods: ['ordering keys', 'dead letters'],
    source: DOCS.ordering,
    differs: { cloud: { reason: 'dead-lettering is best effort, with seconds of delay', isSkipped: true }, independent: { reason: 'pstest holds the key up for ever' } },
    async run(world) {
      const dead = await world.topic();
      const letters = await world.subscription(dead);
      const { topic, path } = await world.pair({ ...ORDERED, deadLetterPolicy: { deadLetterTopic: dead.name, maxDeliveryAttempts: 5 } });
      await publishKeyed(world, topic, 'k', 'poison', 'next');
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const message = await pullOne(world, path);
        expect(message.text).toBe('poison');
        await nack(world, path, message);
      }
      expect((await pullOne(world, path)).text).toBe('next');
      expect(await pullOne(world, letters)).toMatchObject({ text: 'poison', orderingKey: 'k' });
    },
  },
];

const infoOf = (error: unknown): Record<string, unknown> => {
  const { code, reason, domain, errorInfoMetadata } = error as { code: number; reason?: string; domain?: string; errorInfoMetadata?: Record<string, string> };
  return { code, reason, domain, metadata: errorInfoMetadata };
};
const staleAckId = (ackId: string): Record<string, unknown> => ({ code: CODE.INVALID_ARGUMENT, reason: 'EXACTLY_ONCE_ACKID_FAILURE', domain: 'pubsub.googleapis.com', metadata: { [ackId]: 'PERMANENT_FAILURE_INVALID_ACK_ID' } });
const NO_INFO = { independent: { reason: 'pstest answers OK to ack ids that have expired' } };

export const EXACTLY_ONCE_CASES: readonly Case[] = [
  {
    name: 'exactly-once-acknowledged',
    promise: "a streaming subscriber of Google's hears that its acknowledgement succeeded, and the message never comes again",
    methods: ['exactly-once delivery', 'Subscriber.StreamingPull'],
    source: DOCS.exactlyOnce,
    async run(world) {
      const { topic, path } = await world.pair(EXACTLY_ONCE);
      const answers: string[] = [];
      const reader = world.client.subscription(path).on('message', (message: Message) => {
        void message.ackWithResponse().then((answer) => answers.push(answer), (error: unknown) => answers.push(`failed: ${String(error)}`));
      }).on('error', () => {});
      await publish(topic, 'a', 'b', 'c');
      await until('three answers', () => answers.length === 3);
      await reader.close();
      expect(answers).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
      await expectNothing(world, path);
    },
  },
  {
    name: 'exactly-once-late-ack',
    promise: 'an acknowledgement after the deadline fails, says which ack id it was, and the message comes again under another one that counts',
    methods: ['exactly-once delivery', 'Subscriber.Acknowledge'],
    source: DOCS.exactlyOnce,
    differs: NO_INFO,
    async run(world) {
      const { topic, path } = await world.pair(EXACTLY_ONCE);
      await publish(topic, 'x');
      const late = await pullOne(world, path);
      await modifyDeadline(world, path, 1, late);
      await new Promise((done) => setTimeout(done, 1_500));
      expect(infoOf(await ack(world, path, late).catch((error: unknown) => error))).toEqual(staleAckId(late.ackId));
      const again = await pullOne(world, path);
      expect(again.id).toBe(late.id);
      expect(infoOf(await ack(world, path, late).catch((error: unknown) => error))).toEqual(staleAckId(late.ackId));
      await ack(world, path, again);
      await ack(world, path, again);
      await expectNothing(world, path);
    },
  },
  {
    name: 'exactly-once-partly',
    promise: 'in a request with good and expired ack ids the good ones are acknowledged and only the expired ones are named',
    methods: ['exactly-once delivery', 'Subscriber.Acknowledge'],
    source: DOCS.exactlyOnce,
    differs: NO_INFO,
    async run(world) {
      const { topic, path } = await world.pair(EXACTLY_ONCE);
      await publish(topic, 'good', 'late');
      const messages = await pull(world, path, 2);
      const [good, late] = ['good', 'late'].map((text) => messages.find((one) => one.text === text)!) as [Pulled, Pulled];
      await nack(world, path, late);
      const again = await pullOne(world, path);
      expect(again.id).toBe(late.id);
      expect(infoOf(await ack(world, path, good, late).catch((error: unknown) => error))).toEqual(staleAckId(late.ackId));
      await nack(world, path, again);
      expect((await pullOne(world, path)).text).toBe('late');
      expect(await pullNow(world, path)).toEqual([]);
    },
  },
  {
    name: 'exactly-once-late-extension',
    promise: 'extending a deadline that has passed fails, and says which ack id it was',
    methods: ['exactly-once delivery', 'Subscriber.ModifyAckDeadline'],
    source: DOCS.exactlyOnce,
    differs: NO_INFO,
    async run(world) {
      const { topic, path } = await world.pair(EXACTLY_ONCE);
      await publish(topic, 'x');
      const message = await pullOne(world, path);
      await modifyDeadline(world, path, 20, message);
      await nack(world, path, message);
      expect(infoOf(await modifyDeadline(world, path, 20, message).catch((error: unknown) => error))).toEqual(staleAckId(message.ackId));
    },
  },
  {
    name: 'exactly-once-confirmed-on-the-stream',
    promise: 'acknowledgements and deadlines sent over a stream are confirmed on it: the good ones as done, the expired ones as invalid',
    methods: ['exactly-once delivery', 'Subscriber.StreamingPull'],
    source: `${DOCS.rpc}#acknowledgeconfirmation`,
    differs: { independent: { reason: 'pstest confirms nothing on a stream' } },
    async run(world) {
      const { topic, path } = await world.pair(EXACTLY_ONCE);
      const stream = openStream(world, path, { streamAckDeadlineSeconds: 10 });
      await publish(topic, 'a');
      await until('it came', () => stream.received().length === 1);
      const [{ ackId: old }] = stream.received() as [Pulled];
      stream.write({ modifyDeadlineAckIds: [old], modifyDeadlineSeconds: [0] });
      await until('it came again', () => stream.received().length === 2);
      const { ackId } = stream.received()[1]!;
      stream.write({ modifyDeadlineAckIds: [ackId, old], modifyDeadlineSeconds: [30, 30] });
      stream.write({ ackIds: [ackId, old] });
      type Confirmation = { ackIds: string[]; invalidAckIds: string[] } | null | undefined;
      const confirmed = (name: 'acknowledgeConfirmation' | 'modifyAckDeadlineConfirmation'): { ackIds: string[]; invalidAckIds: string[] }[] => stream.answers.flatMap((answer) => (answer as unknown as Record<string, Confirmation>)[name] ?? []);
      await until('an acknowledgement is confirmed', () => confirmed('acknowledgeConfirmation').length > 0);
      stream.close();
      expect(confirmed('acknowledgeConfirmation')[0]).toMatchObject({ ackIds: [ackId], invalidAckIds: [old] });
      expect(confirmed('modifyAckDeadlineConfirmation').at(-1)).toMatchObject({ ackIds: [ackId], invalidAckIds: [old] });
      await expectNothing(world, path, 0);
    },
  },
  {
    name: 'exactly-once-is-for-pull',
    promise: 'a push subscription can not deliver exactly once: INVALID_ARGUMENT, when it is made and when it is changed',
    methods: ['exactly-once delivery', 'Subscriber.CreateSubscription', 'Subscriber.ModifyPushConfig'],
    source: DOCS.exactlyOnce,
    differs: { independent: { reason: 'pstest takes the two together' } },
    async run({ topic, path, subscription, subscriber }) {
      const onTopic = await topic();
      const pushConfig = { pushEndpoint: 'https://writer.example/' };
      expect(await refusalOf(subscriber.createSubscription({ name: path('subscriptions'), topic: onTopic.name, ...EXACTLY_ONCE, pushConfig }))).toMatchObject({ code: CODE.INVALID_ARGUMENT });
      const made = await subscription(onTopic, EXACTLY_ONCE);
      expect(await refusalOf(subscriber.modifyPushConfig({ subscription: made, pushConfig }))).toMatchObject({ code: CODE.INVALID_ARGUMENT });
    },
  },
];
