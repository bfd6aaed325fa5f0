// Contract cases of changing a subscription: masks, what can't be changed, push and pull, and the end of one that nobody uses.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { until } from '../wait.ts';
import { moveClock } from './steering.ts';
import { ack, DOCS, expectRefusal, publish, pull, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;

const DAY_MS = 86_400_000;
/** What Google fixes at creation, and a new value for it. */
const IMMUTABLE: [field: string, value: (topic: string) => object][] = [
  ['topic', (topic) => ({ topic })],
  ['name', () => ({})],
  ['filter', () => ({ filter: 'attributes:a' })],
  ['enable_message_ordering', () => ({ enableMessageOrdering: true })],
  ['colour', () => ({})],
  ['ack_deadline_seconds.seconds', () => ({ ackDeadlineSeconds: 20 })],
];

export const UPDATE_CASES: readonly Case[] = [
  {
    name: 'update-by-mask',
    promise: 'an update changes the fields that its mask names, clears those that it names and does not give, and leaves all others',
    methods: ['Subscriber.UpdateSubscription'],
    source: `${DOCS.rpc}#updatesubscriptionrequest`,
    async run({ pair, subscriber }) {
      const { topic, path } = await pair({ ackDeadlineSeconds: 20, labels: { a: '1' }, retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 2 } } });
      const [changed] = await subscriber.updateSubscription({
        subscription: { name: path, ackDeadlineSeconds: 30, labels: { b: '2' }, retainAckedMessages: true, messageRetentionDuration: { seconds: 900 } },
        updateMask: { paths: ['ack_deadline_seconds', 'retain_acked_messages', 'retry_policy'] },
      });
      const expected = { name: path, topic: topic.name, ackDeadlineSeconds: 30, labels: { a: '1' }, retainAckedMessages: true, messageRetentionDuration: { seconds: '604800' }, retryPolicy: null };
      expect(changed).toMatchObject(expected);
      expect((await subscriber.getSubscription({ subscription: path }))[0]).toMatchObject(expected);
    },
  },
  {
    name: 'update-everything-changeable',
    promise: 'deadline, labels, retention, expiry, backoff, dead letters, push endpoint and exactly-once can all be changed',
    methods: ['Subscriber.UpdateSubscription'],
    source: DOCS.properties,
    async run({ pair, topic, subscriber }) {
      const { path } = await pair();
      const { name: dead } = await topic();
      const set = async (field: string, value: object, is: object = value): Promise<void> => {
        await subscriber.updateSubscription({ subscription: { name: path, ...value }, updateMask: { paths: [field] } });
        expect((await subscriber.getSubscription({ subscription: path }))[0], field).toMatchObject(is);
      };
      await set('labels', { labels: { c: '3' } });
      await set('message_retention_duration', { messageRetentionDuration: { seconds: 600 } }, { messageRetentionDuration: { seconds: '600' } });
      await set('expiration_policy', { expirationPolicy: { ttl: { seconds: 86_400 } } }, { expirationPolicy: { ttl: { seconds: '86400' } } });
      await set('expiration_policy', { expirationPolicy: {} }, { expirationPolicy: { ttl: null } });
      await set('dead_letter_policy', { deadLetterPolicy: { deadLetterTopic: dead, maxDeliveryAttempts: 7 } });
      await set('enable_exactly_once_delivery', { enableExactlyOnceDelivery: true });
      await set('enable_exactly_once_delivery', { enableExactlyOnceDelivery: false });
      await set('push_config', { pushConfig: { pushEndpoint: 'https://writer.example/' } });
    },
  },
  {
    name: 'update-of-a-part',
    promise: 'a mask that names a part of a policy changes that part only',
    methods: ['Subscriber.UpdateSubscription'],
    source: 'https://protobuf.dev/reference/protobuf/google.protobuf/#field-mask',
    differs: { independent: { reason: 'pstest knows whole fields in masks only' } },
    async run({ pair, subscriber }) {
      const { path } = await pair({ retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 20 } } });
      await subscriber.updateSubscription({ subscription: { name: path, retryPolicy: { minimumBackoff: { seconds: 2 } } }, updateMask: { paths: ['retry_policy.minimum_backoff'] } });
      expect((await subscriber.getSubscription({ subscription: path }))[0].retryPolicy).toMatchObject({ minimumBackoff: { seconds: '2' }, maximumBackoff: { seconds: '20' } });
    },
  },
  ...IMMUTABLE.map(([field, value]): Case => ({
    differs: { independent: { reason: 'pstest changes what stands in the mask before what it refuses, or takes it' } },
    name: `update-refused-of-${field.replaceAll(/[_.]/g, '-')}`,
    promise: `an update whose mask names ${field} is refused with INVALID_ARGUMENT and changes nothing`,
    methods: ['Subscriber.UpdateSubscription'],
    source: DOCS.properties,
    async run({ pair, topic, subscriber }) {
      const { path } = await pair();
      const before = (await subscriber.getSubscription({ subscription: path }))[0];
      const { name: other } = await topic();
      await expectRefusal(subscriber.updateSubscription({ subscription: { name: path, labels: { x: 'y' }, ...value(other) }, updateMask: { paths: ['labels', field] } }), 'INVALID_ARGUMENT');
      expect((await subscriber.getSubscription({ subscription: path }))[0]).toEqual(before);
    },
  })),
  {
    name: 'update-without-a-mask',
    promise: 'an update without a mask is refused with INVALID_ARGUMENT',
    methods: ['Subscriber.UpdateSubscription'],
    source: `${DOCS.rpc}#updatesubscriptionrequest`,
    differs: { independent: { reason: 'pstest takes an update without a mask' } },
    async run({ pair, subscriber }) {
      const { path } = await pair();
      await expectRefusal(subscriber.updateSubscription({ subscription: { name: path, ackDeadlineSeconds: 30 }, updateMask: { paths: [] } }), 'INVALID_ARGUMENT');
    },
  },
  {
    name: 'update-with-a-wrong-value',
    promise: 'an update with a value that creation would refuse is refused, and the subscription stays as it was',
    methods: ['Subscriber.UpdateSubscription'],
    source: `${DOCS.rpc}#updatesubscriptionrequest`,
    differs: { independent: { reason: 'pstest refuses it with the code UNKNOWN' } },
    async run({ pair, subscriber }) {
      const { path } = await pair({ ackDeadlineSeconds: 20 });
      await expectRefusal(subscriber.updateSubscription({ subscription: { name: path, ackDeadlineSeconds: 601 }, updateMask: { paths: ['ack_deadline_seconds'] } }, { timeout: 8_000, retry: null }), 'INVALID_ARGUMENT');
      await expectRefusal(subscriber.updateSubscription({ subscription: { name: path, messageRetentionDuration: { seconds: 1 } }, updateMask: { paths: ['message_retention_duration'] } }), 'INVALID_ARGUMENT');
      expect((await subscriber.getSubscription({ subscription: path }))[0]).toMatchObject({ ackDeadlineSeconds: 20, messageRetentionDuration: { seconds: '604800' } });
    },
  },
  {
    name: 'expires-when-nobody-uses-it',
    promise: 'a subscription that nobody used for the time of its expiration policy is deleted; one without expiry and one in use stay',
    methods: ['expiry and retention', 'Subscriber.CreateSubscription'],
    source: `${DOCS.rpc}#expirationpolicy`,
    needs: ['clock'],
    isAlone: true,
    async run(world) {
      const ttl = { messageRetentionDuration: { seconds: 600 }, expirationPolicy: { ttl: { seconds: 86_400 } } };
      const { topic, path: idle } = await world.pair(ttl);
      const forEver = await world.subscription(topic, { expirationPolicy: {} });
      const streamed = await world.subscription(topic, ttl);
      const pulled = await world.subscription(topic, ttl);
      const reader = world.client.subscription(streamed).on('message', (message) => message.ack()).on('error', () => {});
      const isThere = (subscription: string): Promise<boolean> => world.subscriber.getSubscription({ subscription }).then(() => true, () => false);
      const clock = await moveClock(world, DAY_MS - 60_000);
      try {
        await publish(topic, 'still here');
        await ack(world, pulled, ...(await pull(world, pulled)));
        // A round of expiry comes every two seconds; whoever was wrongly taken would be gone by then.
        await new Promise((done) => setTimeout(done, 3_000));
        expect(await isThere(idle)).toBe(true);
        await clock.move(DAY_MS + 60_000);
        await until('the idle one is gone', async () => !(await isThere(idle)));
        expect(await Promise.all([forEver, streamed, pulled].map(isThere))).toEqual([true, true, true]);
        expect((await world.publisher.listTopicSubscriptions({ topic: topic.name }))[0]).not.toContain(idle);
      } finally {
        await reader.close();
        await clock.reset();
      }
    },
  },
];
