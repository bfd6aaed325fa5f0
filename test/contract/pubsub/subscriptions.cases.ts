// Contract cases of subscriptions: making, reading, listing and deleting them, with Google's defaults and limits. Changing them: updates.cases.ts.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { DOCS, expectNothing, expectRefusal, publish, pull, pullNow, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;
type Page = [{ name?: string | null }[], unknown, { nextPageToken?: string | null }];

const DAY = 86_400;
const DEAD = (maxDeliveryAttempts: number) => (topic: string): object => ({ deadLetterPolicy: { deadLetterTopic: topic, maxDeliveryAttempts } });
const always = (options: object) => (): object => options;

const UNKNOWN_CODE = { independent: { reason: 'pstest refuses it with the code UNKNOWN' } };

/** Options on both sides of each limit; `is` is what the subscription then says. */
const LIMITS: { name: string; what: string; options: (topic: string) => object; is?: object; differs?: Case['differs'] }[] = [
  { name: 'ack-deadline-9', what: 'an ack deadline of 9 s', options: always({ ackDeadlineSeconds: 9 }), differs: { independent: { reason: 'pstest takes any deadline from 0 s' } } },
  { name: 'ack-deadline-10', what: 'an ack deadline of 10 s', options: always({ ackDeadlineSeconds: 10 }), is: { ackDeadlineSeconds: 10 } },
  { name: 'ack-deadline-600', what: 'an ack deadline of 600 s', options: always({ ackDeadlineSeconds: 600 }), is: { ackDeadlineSeconds: 600 } },
  { name: 'ack-deadline-601', what: 'an ack deadline of 601 s', options: always({ ackDeadlineSeconds: 601 }), differs: UNKNOWN_CODE },
  { name: 'ack-deadline-negative', what: 'an ack deadline of -1 s', options: always({ ackDeadlineSeconds: -1 }), differs: UNKNOWN_CODE },
  { name: 'retention-599', what: 'a message retention of 599 s', options: always({ messageRetentionDuration: { seconds: 599 } }) },
  { name: 'retention-600', what: 'a message retention of 10 minutes', options: always({ messageRetentionDuration: { seconds: 600 } }), is: { messageRetentionDuration: { seconds: '600' } } },
  { name: 'retention-31-days', what: 'a message retention of 31 days', options: always({ messageRetentionDuration: { seconds: 31 * DAY }, expirationPolicy: {} }), is: { messageRetentionDuration: { seconds: String(31 * DAY) } }, differs: { independent: { reason: 'pstest has the former maximum of 7 days' } } },
  { name: 'retention-over-31-days', what: 'a message retention of 31 days and a second', options: always({ messageRetentionDuration: { seconds: 31 * DAY + 1 }, expirationPolicy: {} }) },
  { name: 'expiry-under-a-day', what: 'an expiry after 23 h 59 min 59 s', options: always({ messageRetentionDuration: { seconds: 600 }, expirationPolicy: { ttl: { seconds: DAY - 1 } } }), differs: { independent: { reason: 'pstest does not check the expiration policy' } } },
  { name: 'expiry-after-a-day', what: 'an expiry after a day', options: always({ messageRetentionDuration: { seconds: 600 }, expirationPolicy: { ttl: { seconds: DAY } } }), is: { expirationPolicy: { ttl: { seconds: String(DAY) } } } },
  { name: 'no-expiry', what: 'an expiration policy without a time (never)', options: always({ expirationPolicy: {} }), is: { expirationPolicy: { ttl: null } } },
  { name: 'attempts-4', what: 'a dead-letter policy with 4 attempts', options: DEAD(4), differs: { independent: { reason: 'pstest does not check the number of attempts' } } },
  { name: 'attempts-5', what: 'a dead-letter policy with 5 attempts', options: DEAD(5), is: { deadLetterPolicy: { maxDeliveryAttempts: 5 } } },
  { name: 'attempts-100', what: 'a dead-letter policy with 100 attempts', options: DEAD(100), is: { deadLetterPolicy: { maxDeliveryAttempts: 100 } } },
  { name: 'attempts-101', what: 'a dead-letter policy with 101 attempts', options: DEAD(101), differs: { independent: { reason: 'pstest does not check the number of attempts' } } },
  { name: 'attempts-0', what: 'a dead-letter policy that leaves the attempts open (5)', options: DEAD(0), is: { deadLetterPolicy: { maxDeliveryAttempts: 5 } }, differs: { independent: { reason: 'pstest keeps the 0' } } },
  { name: 'backoff-of-both-bounds', what: 'a retry policy from 0 s to 600 s', options: always({ retryPolicy: { minimumBackoff: { seconds: 0 }, maximumBackoff: { seconds: 600 } } }), is: { retryPolicy: { minimumBackoff: { seconds: '0' }, maximumBackoff: { seconds: '600' } } } },
  { name: 'backoff-over-the-maximum', what: 'a maximum backoff of 601 s', options: always({ retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 601 } } }), differs: { independent: { reason: 'pstest stores the retry policy without a look' } } },
  { name: 'backoff-upside-down', what: 'a minimum backoff above the maximum', options: always({ retryPolicy: { minimumBackoff: { seconds: 20 }, maximumBackoff: { seconds: 10 } } }), differs: { independent: { reason: 'pstest stores the retry policy without a look' } } },
  { name: 'backoff-negative', what: 'a negative minimum backoff', options: always({ retryPolicy: { minimumBackoff: { seconds: -1 }, maximumBackoff: { seconds: 10 } } }), differs: { independent: { reason: 'pstest stores the retry policy without a look' } } },
  { name: 'backoff-by-default', what: 'an empty retry policy (10 s to 600 s)', options: always({ retryPolicy: {} }), is: { retryPolicy: { minimumBackoff: { seconds: '10' }, maximumBackoff: { seconds: '600' } } }, differs: { independent: { reason: 'pstest stores the retry policy without a look' } } },
  { name: 'endpoint-that-is-no-url', what: 'a push endpoint that is no URL', options: always({ pushConfig: { pushEndpoint: 'not a url' } }), differs: { independent: { reason: 'pstest stores the push configuration without a look' } } },
  { name: 'endpoint-of-another-scheme', what: 'a push endpoint that is not HTTP', options: always({ pushConfig: { pushEndpoint: 'ftp://writer.example/' } }), differs: { independent: { reason: 'pstest stores the push configuration without a look' } } },
];

const limitCases = LIMITS.map(({ name, what, options, is, differs }): Case => ({
  name: `subscription-${name}`,
  promise: `${what} is ${is === undefined ? 'refused with INVALID_ARGUMENT, and there is no such subscription' : 'taken, and reads back so'}`,
  methods: ['Subscriber.CreateSubscription', 'Subscriber.GetSubscription'],
  source: `${DOCS.rpc}#subscription`,
  ...(differs === undefined ? {} : { differs }),
  async run({ topic, path, subscriber }) {
    const { name: onTopic } = await topic();
    const subscription = path('subscriptions');
    const call = subscriber.createSubscription({ name: subscription, topic: onTopic, ...options(onTopic) }, { timeout: 8_000, retry: null });
    if (is === undefined) {
      await expectRefusal(call, 'INVALID_ARGUMENT');
      await expectRefusal(subscriber.getSubscription({ subscription }), 'NOT_FOUND');
    } else {
      for (const said of [(await call)[0], (await subscriber.getSubscription({ subscription }))[0]]) expect(said).toMatchObject(is);
    }
  },
}));

export const SUBSCRIPTION_CASES: readonly Case[] = [
  {
    name: 'subscription-defaults',
    promise: 'a subscription made with nothing but names is a pull subscription with 10 s, 7 days, an expiry after 31 days, and no policies',
    methods: ['Subscriber.CreateSubscription', 'Subscriber.GetSubscription'],
    source: `${DOCS.rpc}#subscription`,
    differs: { independent: { reason: 'pstest says neither the expiry nor the state' } },
    async run({ topic, path, subscriber }) {
      const { name: onTopic } = await topic();
      const name = path('subscriptions');
      const [made] = await subscriber.createSubscription({ name, topic: onTopic });
      for (const said of [made, (await subscriber.getSubscription({ subscription: name }))[0]]) {
        expect(said).toMatchObject({
          name, topic: onTopic, ackDeadlineSeconds: 10, messageRetentionDuration: { seconds: String(7 * DAY) }, expirationPolicy: { ttl: { seconds: String(31 * DAY) } },
          retainAckedMessages: false, enableMessageOrdering: false, enableExactlyOnceDelivery: false, detached: false, filter: '', labels: {}, state: 'ACTIVE',
          deadLetterPolicy: null, retryPolicy: null, bigqueryConfig: null, cloudStorageConfig: null, topicMessageRetentionDuration: null,
        });
        expect(said.pushConfig?.pushEndpoint ?? '').toBe('');
      }
    },
  },
  {
    name: 'subscription-as-the-product-makes-it',
    promise: 'push endpoint, deadline, retention, expiry, backoff, dead letters and labels read back as they were given',
    methods: ['Subscriber.CreateSubscription', 'Subscriber.GetSubscription'],
    source: `${DOCS.rpc}#subscription`,
    differs: { independent: { reason: 'pstest says no x-goog-version' } },
    async run({ topic, path, subscriber }) {
      const [{ name: onTopic }, { name: dead }] = [await topic(), await topic()];
      const name = path('subscriptions');
      await subscriber.createSubscription({
        name, topic: onTopic, pushConfig: { pushEndpoint: 'https://writer.example/push', oidcToken: { serviceAccountEmail: 'push@p.iam.gserviceaccount.com', audience: 'https://writer.example' } },
        ackDeadlineSeconds: 60, messageRetentionDuration: { seconds: 7 * DAY }, expirationPolicy: {}, labels: { stream: 'events' },
        retryPolicy: { minimumBackoff: { seconds: 10 }, maximumBackoff: { seconds: 600 } }, deadLetterPolicy: { deadLetterTopic: dead, maxDeliveryAttempts: 100 },
      });
      expect((await subscriber.getSubscription({ subscription: name }))[0]).toMatchObject({
        name, topic: onTopic, ackDeadlineSeconds: 60, expirationPolicy: { ttl: null }, labels: { stream: 'events' }, deadLetterPolicy: { deadLetterTopic: dead, maxDeliveryAttempts: 100 },
        pushConfig: { pushEndpoint: 'https://writer.example/push', attributes: { 'x-goog-version': 'v1' }, oidcToken: { serviceAccountEmail: 'push@p.iam.gserviceaccount.com', audience: 'https://writer.example' } },
        retryPolicy: { minimumBackoff: { seconds: '10' }, maximumBackoff: { seconds: '600' } },
      });
    },
  },
  {
    name: 'subscription-made-twice',
    promise: 'a name that is taken is refused with ALREADY_EXISTS, and the subscription stays as it was',
    methods: ['Subscriber.CreateSubscription'],
    source: `${DOCS.rpc}#subscriber`,
    async run({ pair, subscriber }) {
      const { topic, path } = await pair({ ackDeadlineSeconds: 20 });
      await expectRefusal(subscriber.createSubscription({ name: path, topic: topic.name, ackDeadlineSeconds: 30 }), 'ALREADY_EXISTS');
      expect((await subscriber.getSubscription({ subscription: path }))[0].ackDeadlineSeconds).toBe(20);
    },
  },
  {
    name: 'subscription-names-refused',
    promise: 'a subscription that is named like a topic, or against the rules for names, or of a topic that is no name is refused with INVALID_ARGUMENT',
    methods: ['Subscriber.CreateSubscription'],
    source: `${DOCS.rpc}#subscription`,
    differs: { independent: { reason: 'pstest does not check the names of subscriptions' } },
    async run({ topic, path, subscriber, launched }) {
      const { name: onTopic } = await topic();
      for (const name of [path('topics'), `projects/${launched.project}/subscriptions/1a-digit`, `projects/${launched.project}/subscriptions/googmine`, `projects/${launched.project}/subscriptions/ab`, 'plain']) {
        await expectRefusal(subscriber.createSubscription({ name, topic: onTopic }), 'INVALID_ARGUMENT');
      }
      await expectRefusal(subscriber.createSubscription({ name: path('subscriptions'), topic: 'plain' }), 'INVALID_ARGUMENT');
    },
  },
  {
    name: 'subscription-not-there',
    promise: 'a subscription that is not there is NOT_FOUND to every call that names one',
    methods: ['Subscriber.GetSubscription', 'Subscriber.DeleteSubscription', 'Subscriber.UpdateSubscription', 'Subscriber.Pull', 'Subscriber.Acknowledge', 'Subscriber.ModifyAckDeadline', 'Subscriber.ModifyPushConfig', 'Subscriber.Seek', 'Publisher.DetachSubscription'],
    source: `${DOCS.rpc}#subscriber`,
    differs: { independent: { reason: 'pstest has no ModifyPushConfig' } },
    async run({ path, subscriber, publisher }) {
      const subscription = path('subscriptions');
      await expectRefusal(subscriber.getSubscription({ subscription }), 'NOT_FOUND');
      await expectRefusal(subscriber.deleteSubscription({ subscription }), 'NOT_FOUND');
      await expectRefusal(subscriber.updateSubscription({ subscription: { name: subscription, ackDeadlineSeconds: 20 }, updateMask: { paths: ['ack_deadline_seconds'] } }), 'NOT_FOUND');
      await expectRefusal(subscriber.pull({ subscription, maxMessages: 1 }), 'NOT_FOUND');
      await expectRefusal(subscriber.acknowledge({ subscription, ackIds: ['1-1-1'] }), 'NOT_FOUND');
      await expectRefusal(subscriber.modifyAckDeadline({ subscription, ackIds: ['1-1-1'], ackDeadlineSeconds: 10 }), 'NOT_FOUND');
      await expectRefusal(subscriber.modifyPushConfig({ subscription, pushConfig: {} }), 'NOT_FOUND');
      await expectRefusal(subscriber.seek({ subscription, time: { seconds: 1 } }), 'NOT_FOUND');
      await expectRefusal(publisher.detachSubscription({ subscription }), 'NOT_FOUND');
    },
  },
  {
    name: 'subscription-without-a-name',
    promise: 'a subscription made without a name is given one, in the project of its topic',
    methods: ['Subscriber.CreateSubscription'],
    source: `${DOCS.rpc}#subscriber`,
    differs: { independent: { reason: 'pstest refuses a subscription without a name' }, cloud: { reason: 'the generated client puts the name into the routing header, which the service wants filled' } },
    async run({ topic, subscriber, launched }) {
      const { name: onTopic } = await topic();
      const [{ name }] = await subscriber.createSubscription({ name: '', topic: onTopic });
      expect(name).toMatch(new RegExp(`^projects/${launched.project}/subscriptions/[A-Za-z][\\w.~+%-]{2,254}$`));
      expect((await subscriber.getSubscription({ subscription: name! }))[0].topic).toBe(onTopic);
      await subscriber.deleteSubscription({ subscription: name! });
    },
  },
  {
    name: 'dead-letter-topic-must-be-there',
    promise: 'a subscription with a dead-letter topic that is not there is not made',
    methods: ['Subscriber.CreateSubscription', 'Subscriber.UpdateSubscription'],
    source: `${DOCS.rpc}#deadletterpolicy`,
    differs: { independent: { reason: 'pstest takes a missing dead-letter topic in an update' } },
    async run({ topic, path, pair, subscriber }) {
      const { name: onTopic } = await topic();
      const name = path('subscriptions');
      const deadLetterPolicy = { deadLetterTopic: path('topics'), maxDeliveryAttempts: 5 };
      await expectRefusal(subscriber.createSubscription({ name, topic: onTopic, deadLetterPolicy }), 'NOT_FOUND');
      await expectRefusal(subscriber.getSubscription({ subscription: name }), 'NOT_FOUND');
      const { path: made } = await pair();
      await expectRefusal(subscriber.updateSubscription({ subscription: { name: made, deadLetterPolicy }, updateMask: { paths: ['dead_letter_policy'] } }), 'NOT_FOUND');
      expect((await subscriber.getSubscription({ subscription: made }))[0].deadLetterPolicy).toBeNull();
    },
  },
  {
    name: 'retention-of-the-topic-is-told',
    promise: 'a subscription says the message retention of its topic, as it is now, and a request can not set it',
    methods: ['Subscriber.GetSubscription', 'Publisher.UpdateTopic'],
    source: `${DOCS.rpc}#subscription`,
    differs: { independent: { reason: 'pstest copies the retention of the topic at creation' } },
    async run({ topic, subscription, subscriber, publisher }) {
      const { name } = await topic({ messageRetentionDuration: { seconds: 3_600 } });
      const path = await subscription(name, { topicMessageRetentionDuration: { seconds: 700 } });
      const told = async (): Promise<string | undefined> => (await subscriber.getSubscription({ subscription: path }))[0].topicMessageRetentionDuration?.seconds?.toString();
      expect(await told()).toBe('3600');
      await publisher.updateTopic({ topic: { name, messageRetentionDuration: { seconds: 1_200 } }, updateMask: { paths: ['message_retention_duration'] } });
      expect(await told()).toBe('1200');
    },
  },
  {
    name: 'subscriptions-in-pages',
    promise: 'subscriptions come in pages of the asked size, each whole and once, and an empty token ends the list',
    methods: ['Subscriber.ListSubscriptions'],
    source: `${DOCS.rpc}#listsubscriptionsrequest`,
    // Nobody promises pages of a list that grows meanwhile: pstest counts them from the beginning.
    isAlone: true,
    async run({ topic, subscription, subscriber, launched }) {
      const onTopic = await topic();
      const wanted = await Promise.all(Array.from({ length: 5 }, () => subscription(onTopic, { ackDeadlineSeconds: 33 })));
      const seen: { name?: string | null; ackDeadlineSeconds?: number }[] = [];
      let pages = 0;
      for (let pageToken = ''; pages === 0 || pageToken !== ''; pages += 1) {
        const [page, , answer] = (await subscriber.listSubscriptions({ project: `projects/${launched.project}`, pageSize: 2, pageToken }, { autoPaginate: false })) as unknown as Page;
        expect(page.length).toBeLessThanOrEqual(2);
        seen.push(...page);
        pageToken = answer.nextPageToken ?? '';
      }
      for (const name of wanted) expect(seen.filter((one) => one.name === name)).toMatchObject([{ name, ackDeadlineSeconds: 33 }]);
    },
  },
  {
    name: 'subscription-deleted',
    promise: 'a deleted subscription is gone with its messages, and one made anew under its name begins empty',
    methods: ['Subscriber.DeleteSubscription'],
    source: `${DOCS.rpc}#subscriber`,
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'before');
      await world.subscriber.deleteSubscription({ subscription: path });
      await expectRefusal(world.subscriber.pull({ subscription: path, maxMessages: 1 }), 'NOT_FOUND');
      await expectRefusal(world.subscriber.deleteSubscription({ subscription: path }), 'NOT_FOUND');
      expect((await world.publisher.listTopicSubscriptions({ topic: topic.name }))[0]).toEqual([]);
      await world.subscriber.createSubscription({ name: path, topic: topic.name });
      await expectNothing(world, path);
      await publish(topic, 'after');
      expect((await pull(world, path)).map(({ text }) => text)).toEqual(['after']);
    },
  },
  {
    name: 'detached-subscription',
    promise: 'a detached subscription stays, says so, loses its messages, is not of its topic any more, and answers pulls with FAILED_PRECONDITION',
    methods: ['Publisher.DetachSubscription', 'Subscriber.Pull', 'Publisher.ListTopicSubscriptions'],
    source: `${DOCS.rpc}#publisher`,
    differs: { independent: { reason: 'pstest deletes the subscription' } },
    async run(world) {
      const { topic, path } = await world.pair();
      const other = await world.subscription(topic);
      await publish(topic, 'before');
      await world.publisher.detachSubscription({ subscription: path });
      expect((await world.subscriber.getSubscription({ subscription: path }))[0]).toMatchObject({ detached: true, topic: topic.name });
      expect((await world.publisher.listTopicSubscriptions({ topic: topic.name }))[0]).toEqual([other]);
      await publish(topic, 'after');
      await expectRefusal(world.subscriber.pull({ subscription: path, maxMessages: 1 }), 'FAILED_PRECONDITION');
      await expectRefusal(pullNow(world, path), 'FAILED_PRECONDITION');
      expect((await pull(world, other, 2)).map(({ text }) => text).sort()).toEqual(['after', 'before']);
      await expectRefusal(world.subscriber.seek({ subscription: path, time: { seconds: 1 } }), 'FAILED_PRECONDITION');
      // Detaching twice changes nothing.
      await world.publisher.detachSubscription({ subscription: path });
    },
  },
  ...limitCases,
];
