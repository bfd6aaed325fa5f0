// Contract cases of topics: names, making, reading, changing, listing and deleting them.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { DOCS, expectRefusal, publish, pull, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;
type Page = [{ name?: string | null }[], unknown, { nextPageToken?: string | null }];

const NAMES: [kind: string, name: (unique: string) => string, isTaken: boolean][] = [
  ['of-two-characters', () => 'ab', false],
  ['of-255-characters', (unique) => unique.padEnd(255, 'x'), true],
  ['of-256-characters', (unique) => unique.padEnd(256, 'x'), false],
  ['that-begins-with-a-digit', (unique) => `1${unique}`, false],
  ['that-begins-with-goog', (unique) => `goog${unique}`, false],
  ['with-every-allowed-sign', (unique) => `${unique}.a~b+c%d_e-F9`, true],
  ['with-a-space', (unique) => `${unique} a`, false],
  ['with-a-slash', (unique) => `${unique}/a`, false],
  ['that-is-empty', () => '', false],
];

const nameCases = NAMES.map(([kind, name, isTaken]): Case => ({
  name: `topic-name-${kind}`,
  promise: `a topic name ${kind.replaceAll('-', ' ')} is ${isTaken ? 'taken' : 'refused with INVALID_ARGUMENT'}`,
  methods: ['Publisher.CreateTopic'],
  source: `${DOCS.rpc}#topic`,
  ...(isTaken ? {} : { differs: { independent: { reason: 'pstest does not check the names of topics' } } }),
  async run(world) {
    const path = world.path('topics');
    const parts = path.split('/');
    const full = [...parts.slice(0, 3), name(parts[3]!)].join('/');
    const call = world.publisher.createTopic({ name: full });
    if (!isTaken) return expectRefusal(call, 'INVALID_ARGUMENT');
    expect((await call)[0].name).toBe(full);
    await world.publisher.deleteTopic({ topic: full });
  },
}));

export const TOPIC_CASES: readonly Case[] = [
  ...nameCases,
  {
    name: 'topic-is-made-as-asked',
    promise: 'a new topic has the labels and the retention that were asked for, and reads back the same',
    methods: ['Publisher.CreateTopic', 'Publisher.GetTopic'],
    source: `${DOCS.rpc}#topic`,
    async run({ path, publisher }) {
      const name = path('topics');
      const [made] = await publisher.createTopic({ name, labels: { team: 'events', 'env-1': '' }, messageRetentionDuration: { seconds: 600 } });
      const [read] = await publisher.getTopic({ topic: name });
      for (const topic of [made, read]) {
        expect(topic).toMatchObject({ name, labels: { team: 'events', 'env-1': '' }, kmsKeyName: '', schemaSettings: null, ingestionDataSourceSettings: null });
        expect(Number(topic.messageRetentionDuration!.seconds)).toBe(600);
      }
    },
  },
  {
    name: 'topic-is-active',
    promise: 'a topic without trouble says that its state is ACTIVE',
    methods: ['Publisher.GetTopic'],
    source: `${DOCS.rpc}#state`,
    differs: { independent: { reason: 'pstest says no state' } },
    async run({ topic, publisher }) {
      const { name } = await topic();
      expect((await publisher.getTopic({ topic: name }))[0].state).toBe('ACTIVE');
    },
  },
  {
    name: 'topic-made-twice',
    promise: 'a name that is taken is refused with ALREADY_EXISTS, and the topic stays as it was',
    methods: ['Publisher.CreateTopic'],
    source: `${DOCS.rpc}#publisher`,
    async run({ topic, publisher }) {
      const { name } = await topic({ labels: { first: 'yes' } });
      await expectRefusal(publisher.createTopic({ name, labels: { first: 'no' } }), 'ALREADY_EXISTS');
      expect((await publisher.getTopic({ topic: name }))[0].labels).toEqual({ first: 'yes' });
    },
  },
  {
    name: 'topic-not-there',
    promise: 'a topic that is not there is NOT_FOUND to every call that names one',
    methods: ['Publisher.GetTopic', 'Publisher.DeleteTopic', 'Publisher.Publish', 'Publisher.UpdateTopic', 'Publisher.ListTopicSubscriptions', 'Subscriber.CreateSubscription'],
    source: `${DOCS.rpc}#publisher`,
    differs: { independent: { reason: 'pstest lists the subscriptions of a topic that is not there as none' } },
    async run({ path, publisher, subscriber }) {
      const topic = path('topics');
      await expectRefusal(publisher.getTopic({ topic }), 'NOT_FOUND');
      await expectRefusal(publisher.deleteTopic({ topic }), 'NOT_FOUND');
      await expectRefusal(publisher.publish({ topic, messages: [{ data: Buffer.from('x') }] }), 'NOT_FOUND');
      await expectRefusal(publisher.updateTopic({ topic: { name: topic, labels: { a: 'b' } }, updateMask: { paths: ['labels'] } }), 'NOT_FOUND');
      await expectRefusal(publisher.listTopicSubscriptions({ topic }), 'NOT_FOUND');
      await expectRefusal(subscriber.createSubscription({ name: path('subscriptions'), topic }), 'NOT_FOUND');
    },
  },
  ...([[599, false], [600, true], [2_678_400, true], [2_678_401, false]] as const).map(([seconds, isTaken]): Case => ({
    name: `topic-retention-${seconds}-seconds`,
    promise: `a topic's message retention of ${seconds} s is ${isTaken ? 'taken' : 'refused: 10 minutes to 31 days'}`,
    methods: ['Publisher.CreateTopic'],
    source: `${DOCS.rpc}#topic`,
    async run({ path, publisher }) {
      const call = publisher.createTopic({ name: path('topics'), messageRetentionDuration: { seconds } });
      if (isTaken) expect(Number((await call)[0].messageRetentionDuration!.seconds)).toBe(seconds);
      else await expectRefusal(call, 'INVALID_ARGUMENT');
    },
  })),
  {
    name: 'topic-update-by-mask',
    promise: 'an update changes what its mask names and nothing else, and a masked field without value is cleared',
    methods: ['Publisher.UpdateTopic'],
    source: `${DOCS.rpc}#updatetopicrequest`,
    async run({ topic, publisher }) {
      const { name } = await topic({ labels: { a: '1' }, messageRetentionDuration: { seconds: 600 } });
      const [changed] = await publisher.updateTopic({ topic: { name, labels: { b: '2' }, messageRetentionDuration: { seconds: 1_200 } }, updateMask: { paths: ['labels'] } });
      expect(changed.labels).toEqual({ b: '2' });
      expect(Number(changed.messageRetentionDuration!.seconds)).toBe(600);
      const [cleared] = await publisher.updateTopic({ topic: { name }, updateMask: { paths: ['message_retention_duration'] } });
      expect(cleared.messageRetentionDuration).toBeNull();
      expect((await publisher.getTopic({ topic: name }))[0]).toMatchObject({ labels: { b: '2' }, messageRetentionDuration: null });
    },
  },
  {
    name: 'topic-update-refused',
    promise: 'an update without a mask, of a field that is not there, or of the name is refused with INVALID_ARGUMENT, and so is a wrong value',
    methods: ['Publisher.UpdateTopic'],
    source: `${DOCS.rpc}#updatetopicrequest`,
    differs: { independent: { reason: 'pstest takes an update without a mask' } },
    async run({ topic, publisher }) {
      const { name } = await topic({ labels: { a: '1' } });
      await expectRefusal(publisher.updateTopic({ topic: { name, labels: {} }, updateMask: { paths: [] } }), 'INVALID_ARGUMENT');
      await expectRefusal(publisher.updateTopic({ topic: { name, labels: {} }, updateMask: { paths: ['colour'] } }), 'INVALID_ARGUMENT');
      await expectRefusal(publisher.updateTopic({ topic: { name }, updateMask: { paths: ['name'] } }), 'INVALID_ARGUMENT');
      await expectRefusal(publisher.updateTopic({ topic: { name, messageRetentionDuration: { seconds: 1 } }, updateMask: { paths: ['message_retention_duration'] } }), 'INVALID_ARGUMENT');
      expect((await publisher.getTopic({ topic: name }))[0]).toMatchObject({ labels: { a: '1' }, messageRetentionDuration: null });
    },
  },
  {
    name: 'topics-in-pages',
    promise: 'topics come in pages of the asked size, each topic once, and an empty token ends the list',
    methods: ['Publisher.ListTopics'],
    source: `${DOCS.rpc}#listtopicsrequest`,
    // Nobody promises pages of a list that grows meanwhile: pstest counts them from the beginning.
    isAlone: true,
    async run({ topic, publisher, launched }) {
      const wanted = await Promise.all(Array.from({ length: 5 }, () => topic()));
      const project = `projects/${launched.project}`;
      const seen: string[] = [];
      let pages = 0;
      for (let pageToken = ''; pages === 0 || pageToken !== ''; pages += 1) {
        const [page, , answer] = (await publisher.listTopics({ project, pageSize: 2, pageToken }, { autoPaginate: false })) as unknown as Page;
        expect(page.length).toBeLessThanOrEqual(2);
        seen.push(...page.map(({ name }) => name!));
        pageToken = answer.nextPageToken ?? '';
      }
      expect(pages).toBeGreaterThanOrEqual(3);
      for (const { name } of wanted) expect(seen.filter((one) => one === name)).toEqual([name]);
    },
  },
  {
    name: 'topics-of-one-project',
    promise: 'a list holds topics of its own project only, and a project that has none is an empty list',
    methods: ['Publisher.ListTopics'],
    source: `${DOCS.rpc}#listtopicsrequest`,
    differs: { cloud: { reason: 'a credential of one project may not list another one', isSkipped: true } },
    async run({ topic, publisher, launched }) {
      await topic();
      const listed = async (project: string): Promise<string[]> => (await publisher.listTopics({ project: `projects/${project}` }))[0].map(({ name }) => name!);
      expect((await listed(launched.project)).every((name) => name.startsWith(`projects/${launched.project}/topics/`))).toBe(true);
      expect(await listed(`${launched.project}-else`)).toEqual([]);
    },
  },
  {
    name: 'list-asks-refused',
    promise: 'a list of something that is no project, with a negative page size or with a made-up page token is refused with INVALID_ARGUMENT',
    methods: ['Publisher.ListTopics', 'Subscriber.ListSubscriptions'],
    source: `${DOCS.rpc}#listtopicsrequest`,
    differs: { independent: { reason: 'pstest checks neither project nor page size' } },
    async run({ publisher, subscriber, launched }) {
      const project = `projects/${launched.project}`;
      await expectRefusal(publisher.listTopics({ project: 'elsewhere' }, { autoPaginate: false }), 'INVALID_ARGUMENT');
      await expectRefusal(publisher.listTopics({ project, pageSize: -1 }, { autoPaginate: false }), 'INVALID_ARGUMENT');
      await expectRefusal(publisher.listTopics({ project, pageToken: '\u0001made up' }, { autoPaginate: false }), 'INVALID_ARGUMENT');
      await expectRefusal(subscriber.listSubscriptions({ project: '' }, { autoPaginate: false }), 'INVALID_ARGUMENT');
    },
  },
  {
    name: 'subscriptions-of-a-topic',
    promise: 'a topic lists the full names of its own subscriptions, in pages',
    methods: ['Publisher.ListTopicSubscriptions'],
    source: `${DOCS.rpc}#listtopicsubscriptionsrequest`,
    async run({ topic, subscription, publisher }) {
      const [mine, other] = [await topic(), await topic()];
      const wanted = [await subscription(mine), await subscription(mine), await subscription(mine)];
      await subscription(other);
      const [first, , { nextPageToken }] = (await publisher.listTopicSubscriptions({ topic: mine.name, pageSize: 2 }, { autoPaginate: false })) as unknown as [string[], unknown, { nextPageToken: string }];
      const [second, , last] = (await publisher.listTopicSubscriptions({ topic: mine.name, pageSize: 2, pageToken: nextPageToken }, { autoPaginate: false })) as unknown as [string[], unknown, { nextPageToken: string }];
      expect([first.length, second.length, last.nextPageToken]).toEqual([2, 1, '']);
      expect([...first, ...second].sort()).toEqual(wanted.sort());
    },
  },
  {
    name: 'topic-deleted',
    promise: 'a deleted topic is gone, its subscriptions stay, say _deleted-topic_ and still deliver what they had',
    methods: ['Publisher.DeleteTopic', 'Subscriber.GetSubscription', 'Subscriber.Pull'],
    source: `${DOCS.rpc}#publisher`,
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'before');
      await world.publisher.deleteTopic({ topic: topic.name });
      await expectRefusal(world.publisher.getTopic({ topic: topic.name }), 'NOT_FOUND');
      expect((await world.subscriber.getSubscription({ subscription: path }))[0].topic).toBe('_deleted-topic_');
      expect((await pull(world, path))[0]!.text).toBe('before');
    },
  },
  {
    name: 'topic-made-anew',
    promise: 'a topic made anew under the name of a deleted one is another topic: nothing of the old one, and the old subscriptions get nothing from it',
    methods: ['Publisher.DeleteTopic', 'Publisher.CreateTopic', 'Publisher.ListTopicSubscriptions'],
    source: `${DOCS.rpc}#publisher`,
    differs: { independent: { reason: 'pstest gives the subscriptions of the old topic to the new one' } },
    async run(world) {
      const { topic, path } = await world.pair({}, { labels: { old: 'yes' } });
      await world.publisher.deleteTopic({ topic: topic.name });
      await world.publisher.createTopic({ name: topic.name });
      const fresh = await world.subscription(topic);
      await publish(topic, 'new');
      expect((await pull(world, fresh))[0]!.text).toBe('new');
      expect((await world.publisher.getTopic({ topic: topic.name }))[0].labels).toEqual({});
      expect((await world.publisher.listTopicSubscriptions({ topic: topic.name }))[0]).toEqual([fresh]);
      expect((await world.subscriber.getSubscription({ subscription: path }))[0].topic).toBe('_deleted-topic_');
      const [{ receivedMessages }] = await world.subscriber.pull({ subscription: path, maxMessages: 1, returnImmediately: true });
      expect(receivedMessages).toEqual([]);
    },
  },
  {
    name: 'refusals-in-words',
    promise: "what is missing and what is there already is told in Google's words, with the last part of its name",
    methods: ['Publisher.GetTopic', 'Publisher.CreateTopic', 'Subscriber.GetSubscription', 'Subscriber.CreateSubscription'],
    source: DOCS.errors,
    differs: { independent: { reason: 'pstest has sentences of its own' } },
    async run({ path, pair, publisher, subscriber }) {
      const { topic, path: subscription } = await pair();
      const last = (name: string): string => name.split('/').at(-1)!;
      const [noTopic, noSubscription] = [path('topics'), path('subscriptions')];
      await expectRefusal(publisher.getTopic({ topic: noTopic }), 'NOT_FOUND', new RegExp(`Resource not found \\(resource=${last(noTopic)}\\)\\.`));
      await expectRefusal(subscriber.getSubscription({ subscription: noSubscription }), 'NOT_FOUND', new RegExp(`Resource not found \\(resource=${last(noSubscription)}\\)\\.`));
      await expectRefusal(publisher.createTopic({ name: topic.name }), 'ALREADY_EXISTS', new RegExp(`Resource already exists in the project \\(resource=${last(topic.name)}\\)\\.`));
      await expectRefusal(subscriber.createSubscription({ name: subscription, topic: topic.name }), 'ALREADY_EXISTS', new RegExp(`Resource already exists in the project \\(resource=${last(subscription)}\\)\\.`));
    },
  },
];
