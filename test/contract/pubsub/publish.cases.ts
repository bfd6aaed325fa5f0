// Contract cases of publishing: what a message is made of when it comes out again, who gets it, and what is refused.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { ack, DOCS, expectNothing, expectRefusal, publish, pull, pullOne, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;
type Message = { data?: Buffer | string; attributes?: Record<string, string>; orderingKey?: string; messageId?: string; publishTime?: { seconds: number } };

const REQUEST_BYTES_MAX = 10_000_000;
const data = (bytes: number): Buffer => Buffer.alloc(bytes, 'x');
const attributes = (count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'v']));
const size = (...messages: Message[]): string => `${messages.length} message${messages.length === 1 ? '' : 's'}`;

/** What is taken and what is refused, on both sides of each limit. */
const LIMITS: { name: string; what: string; messages: Message[]; isTaken: boolean; differs?: Case['differs'] }[] = [
  { name: 'empty-message', what: 'a message with neither data nor attributes', messages: [{}], isTaken: false, differs: { independent: { reason: 'pstest takes empty messages' } } },
  { name: 'empty-among-good-ones', what: 'a request in which one message of three is empty', messages: [{ data: data(1) }, { data: data(0) }, { data: data(1) }], isTaken: false, differs: { independent: { reason: 'pstest takes empty messages' } } },
  { name: 'attribute-without-data', what: 'a message with one attribute and no data', messages: [{ attributes: { a: '' } }], isTaken: true },
  { name: 'no-messages', what: 'a request without messages', messages: [], isTaken: false, differs: { independent: { reason: 'pstest answers a request without messages with no ids' } } },
  { name: 'a-thousand-messages', what: 'a request of 1,000 messages', messages: Array.from({ length: 1_000 }, () => ({ data: data(1) })), isTaken: true },
  { name: 'one-over-a-thousand-messages', what: 'a request of 1,001 messages', messages: Array.from({ length: 1_001 }, () => ({ data: data(1) })), isTaken: false, differs: { independent: { reason: 'pstest has no limit of messages in a request' } } },
  { name: 'ten-megabytes', what: 'a message so large that the request has nearly 10 MB', messages: [{ data: data(REQUEST_BYTES_MAX - 400) }], isTaken: true, differs: { independent: { reason: 'pstest is a gRPC server with the default bound of 4 MiB a request' } } },
  { name: 'over-ten-megabytes', what: 'a message of more than 10 MB', messages: [{ data: data(REQUEST_BYTES_MAX + 1) }], isTaken: false, differs: { independent: { reason: 'pstest is a gRPC server with the default bound of 4 MiB a request: RESOURCE_EXHAUSTED' } } },
  { name: 'over-ten-megabytes-together', what: 'a request of small messages that have more than 10 MB together', messages: Array.from({ length: 11 }, () => ({ data: data(1_000_000) })), isTaken: false, differs: { independent: { reason: 'pstest is a gRPC server with the default bound of 4 MiB a request: RESOURCE_EXHAUSTED' } } },
  { name: 'hundred-attributes', what: 'a message with 100 attributes', messages: [{ attributes: attributes(100) }], isTaken: true },
  { name: 'one-over-hundred-attributes', what: 'a message with 101 attributes', messages: [{ attributes: attributes(101) }], isTaken: false, differs: { independent: { reason: 'pstest does not limit attributes' } } },
  { name: 'longest-attribute-key', what: 'an attribute key of 256 bytes', messages: [{ attributes: { ['k'.repeat(256)]: 'v' } }], isTaken: true },
  { name: 'attribute-key-too-long', what: 'an attribute key of 257 bytes', messages: [{ attributes: { ['k'.repeat(257)]: 'v' } }], isTaken: false, differs: { independent: { reason: 'pstest does not limit attributes' } } },
  { name: 'attribute-key-too-long-in-bytes', what: 'an attribute key of 129 characters that has 258 bytes', messages: [{ attributes: { ['é'.repeat(129)]: 'v' } }], isTaken: false, differs: { independent: { reason: 'pstest does not limit attributes' } } },
  { name: 'longest-attribute-value', what: 'an attribute value of 1,024 bytes', messages: [{ attributes: { k: 'v'.repeat(1_024) } }], isTaken: true },
  { name: 'attribute-value-too-long', what: 'an attribute value of 1,025 bytes', messages: [{ attributes: { k: 'v'.repeat(1_025) } }], isTaken: false, differs: { independent: { reason: 'pstest does not limit attributes' } } },
  { name: 'attribute-value-too-long-in-bytes', what: 'an attribute value of 513 characters that has 1,026 bytes', messages: [{ attributes: { k: 'é'.repeat(513) } }], isTaken: false, differs: { independent: { reason: 'pstest does not limit attributes' } } },
  { name: 'reserved-attribute-key', what: 'an attribute whose key begins with goog', messages: [{ attributes: { googclient: 'v' } }], isTaken: false, differs: { independent: { reason: 'pstest does not limit attributes' } } },
  { name: 'empty-attribute-key', what: 'an attribute with an empty key', messages: [{ attributes: { '': 'v' } }], isTaken: false, differs: { independent: { reason: 'pstest does not limit attributes' } } },
  { name: 'longest-ordering-key', what: 'an ordering key of 1,024 bytes', messages: [{ data: data(1), orderingKey: 'k'.repeat(1_024) }], isTaken: true },
  { name: 'ordering-key-too-long', what: 'an ordering key of 1,025 bytes', messages: [{ data: data(1), orderingKey: 'k'.repeat(1_025) }], isTaken: false, differs: { independent: { reason: 'pstest does not limit ordering keys' } } },
  { name: 'two-ordering-keys', what: 'a request with two different ordering keys', messages: [{ data: data(1), orderingKey: 'a' }, { data: data(1), orderingKey: 'b' }], isTaken: false, differs: { independent: { reason: 'pstest takes any mix of ordering keys' } } },
];

const limitCases = LIMITS.map(({ name, what, messages, isTaken, differs }): Case => ({
  name: `publish-${name}`,
  promise: `${what} is ${isTaken ? 'taken whole' : 'refused with INVALID_ARGUMENT, and nothing of it is stored'}`,
  methods: ['Publisher.Publish'],
  source: name.includes('ordering') ? `${DOCS.rpc}#pubsubmessage` : DOCS.quotas,
  ...(differs === undefined ? {} : { differs }),
  async run(world) {
    const { topic, path } = await world.pair();
    const call = world.publisher.publish({ topic: topic.name, messages }, { timeout: 20_000, retry: null });
    if (isTaken) {
      const [{ messageIds }] = await call;
      expect(messageIds, size(...messages)).toHaveLength(messages.length);
      expect((await pull(world, path, messages.length)).map(({ id }) => id).sort()).toEqual([...messageIds!].sort());
    } else {
      await expectRefusal(call, 'INVALID_ARGUMENT');
      await expectNothing(world, path, 0);
    }
  },
}));

export const PUBLISH_CASES: readonly Case[] = [
  {
    name: 'data-and-attributes-exact',
    promise: 'a message is delivered with the bytes, the attributes and the ordering key that were published, and with the id that publishing gave',
    methods: ['Publisher.Publish', 'Subscriber.Pull'],
    source: `${DOCS.rpc}#pubsubmessage`,
    async run(world) {
      const { topic, path } = await world.pair();
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
      const given = { stream: 'events', größe: 'ü', '7': 'seven', empty: '', emoji: '🦊', quote: '"\\\n' };
      const [{ messageIds }] = await world.publisher.publish({ topic: topic.name, messages: [{ data: bytes, attributes: given, orderingKey: 'Schlüssel' }] });
      const [message] = await pull(world, path);
      expect(message!.data.equals(bytes)).toBe(true);
      expect(message).toMatchObject({ id: messageIds![0], attributes: given, orderingKey: 'Schlüssel', attempt: 0 });
    },
  },
  {
    name: 'large-message-exact',
    promise: 'a message of 3 MB that holds every byte comes out as it went in',
    methods: ['Publisher.Publish', 'Subscriber.Pull'],
    source: DOCS.quotas,
    async run(world) {
      const { topic, path } = await world.pair();
      const bytes = Buffer.alloc(3_000_000);
      for (let n = 0; n < bytes.length; n += 1) bytes[n] = (n * 31 + (n >> 8)) & 0xff;
      await topic.publishMessage({ data: bytes });
      expect((await pull(world, path))[0]!.data.equals(bytes)).toBe(true);
    },
  },
  {
    name: 'ids-of-a-request',
    promise: 'a request is answered with an id for each of its messages, in their order, all different, and each is the id of its own message',
    methods: ['Publisher.Publish'],
    source: `${DOCS.rpc}#publishresponse`,
    async run(world) {
      const { topic, path } = await world.pair();
      const texts = Array.from({ length: 50 }, (_, n) => `n${n}`);
      const [{ messageIds }] = await world.publisher.publish({ topic: topic.name, messages: texts.map((text) => ({ data: Buffer.from(text) })) });
      expect(new Set(messageIds).size).toBe(50);
      expect(messageIds!.every((id) => /^\d+$/.test(id) || world.launched.implementation === 'independent')).toBe(true);
      const textOf = new Map((await pull(world, path, 50)).map(({ id, text }) => [id, text]));
      expect(messageIds!.map((id) => textOf.get(id))).toEqual(texts);
    },
  },
  {
    name: 'publish-time',
    promise: 'the publish time is the moment at which the service took the message',
    methods: ['Publisher.Publish'],
    source: `${DOCS.rpc}#pubsubmessage`,
    async run(world) {
      const { topic, path } = await world.pair();
      const slackMs = world.launched.implementation === 'cloud' ? 5_000 : 5;
      const beforeMs = Date.now() - slackMs;
      await publish(topic, 'x');
      const afterMs = Date.now() + slackMs;
      const { publishMs } = await pullOne(world, path);
      expect(publishMs).toBeGreaterThanOrEqual(beforeMs);
      expect(publishMs).toBeLessThanOrEqual(afterMs);
    },
  },
  {
    name: 'publisher-sets-no-id',
    promise: 'an id and a time that a publisher puts into a message do not become those of the message',
    methods: ['Publisher.Publish'],
    source: `${DOCS.rpc}#pubsubmessage`,
    async run(world) {
      const { topic, path } = await world.pair();
      const [{ messageIds }] = await world.publisher.publish({ topic: topic.name, messages: [{ data: Buffer.from('x'), messageId: 'mine', publishTime: { seconds: 1, nanos: 5 } }] });
      const [message] = await pull(world, path);
      expect(message!.id).toBe(messageIds![0]);
      expect(message!.id).not.toBe('mine');
      expect(message!.publishMs).toBeGreaterThan(Date.now() - 600_000);
    },
  },
  {
    name: 'equal-messages-are-two',
    promise: 'the same bytes published twice are two messages with two ids',
    methods: ['Publisher.Publish'],
    source: `${DOCS.rpc}#pubsubmessage`,
    async run(world) {
      const { topic, path } = await world.pair();
      const ids = [...(await publish(topic, 'same')), ...(await publish(topic, 'same'))];
      expect(new Set(ids).size).toBe(2);
      expect((await pull(world, path, 2)).map(({ id }) => id).sort()).toEqual(ids.sort());
    },
  },
  {
    name: 'every-subscription-gets-a-copy',
    promise: 'each subscription of a topic gets every message, and acknowledging in one takes nothing from the others',
    methods: ['Publisher.Publish', 'Subscriber.Acknowledge'],
    source: `${DOCS.pull}`,
    async run(world) {
      const { topic, path } = await world.pair();
      const others = [await world.subscription(topic), await world.subscription(topic)];
      const ids = (await publish(topic, 'a', 'b')).sort();
      const first = await pull(world, path, 2);
      await ack(world, path, ...first);
      for (const other of others) expect((await pull(world, other, 2)).map(({ id }) => id).sort()).toEqual(ids);
      expect(first.map(({ id }) => id).sort()).toEqual(ids);
      await expectNothing(world, path);
    },
  },
  {
    name: 'subscription-after-publishing',
    promise: 'a subscription gets nothing of what was published before it was made',
    methods: ['Publisher.Publish', 'Subscriber.CreateSubscription'],
    source: 'https://docs.cloud.google.com/pubsub/docs/subscription-overview',
    async run(world) {
      const { topic } = await world.pair();
      await publish(topic, 'early');
      const late = await world.subscription(topic);
      await publish(topic, 'late');
      expect((await pull(world, late)).map(({ text }) => text)).toEqual(['late']);
      await expectNothing(world, late);
    },
  },
  {
    name: 'no-subscription-no-trouble',
    promise: 'publishing to a topic without subscriptions is acknowledged',
    methods: ['Publisher.Publish'],
    source: `${DOCS.rpc}#deadletterpolicy`,
    async run({ topic }) {
      expect((await publish(await topic(), 'to nobody'))[0]).toBeTruthy();
    },
  },
  {
    name: 'publish-to-no-topic-name',
    promise: 'publishing to something that is not the name of a topic is refused with INVALID_ARGUMENT',
    methods: ['Publisher.Publish'],
    source: `${DOCS.rpc}#publishrequest`,
    differs: { independent: { reason: 'pstest looks a wrong name up, and says NOT_FOUND' } },
    async run({ publisher, path }) {
      await expectRefusal(publisher.publish({ topic: path('subscriptions'), messages: [{ data: data(1) }] }), 'INVALID_ARGUMENT', /name/);
      await expectRefusal(publisher.publish({ topic: 'here', messages: [{ data: data(1) }] }), 'INVALID_ARGUMENT', /name/);
    },
  },
  {
    name: 'many-publishers-at-once',
    promise: 'five hundred messages published at once by two clients all get an id of their own and are all delivered',
    methods: ['Publisher.Publish', 'Subscriber.Pull'],
    source: `${DOCS.rpc}#publishresponse`,
    async run(world) {
      const { topic, path } = await world.pair();
      const ids = await Promise.all(Array.from({ length: 500 }, async (_, n) => {
        if (n % 2 === 0) return topic.publishMessage({ data: Buffer.from(`n${n}`) });
        return (await world.publisher.publish({ topic: topic.name, messages: [{ data: Buffer.from(`n${n}`) }] }))[0].messageIds![0]!;
      }));
      expect(new Set(ids).size).toBe(500);
      expect(new Set((await pull(world, path, 500)).map(({ id }) => id))).toEqual(new Set(ids));
    },
  },
  ...limitCases,
];
