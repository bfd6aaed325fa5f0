// What Pub/Sub refuses, on both sides of each limit, with Google's status; and what a fault plan does to a publisher.
import { v1 } from '@google-cloud/pubsub';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { localPubSub, PROJECT, type LocalPubSub } from './local-pubsub.ts';

const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const UNIMPLEMENTED = 12;

let local: LocalPubSub;
let publisher: v1.PublisherClient;
let subscriber: v1.SubscriberClient;
const TOPIC = `projects/${PROJECT}/topics/here`;
const SUBSCRIPTION = `projects/${PROJECT}/subscriptions/here`;
beforeAll(async () => {
  local = await localPubSub();
  const config = await local.client.getClientConfig() as ConstructorParameters<typeof v1.PublisherClient>[0];
  publisher = new v1.PublisherClient(config);
  subscriber = new v1.SubscriberClient(config);
  await publisher.createTopic({ name: TOPIC });
  await subscriber.createSubscription({ name: SUBSCRIPTION, topic: TOPIC });
});
afterAll(async () => {
  await publisher.close();
  await subscriber.close();
  await local.close();
});
beforeEach(() => local.faults.clear());

const publish = (...messages: object[]): Promise<unknown> => publisher.publish({ topic: TOPIC, messages }, { retry: null, timeout: 3_000 });
const data = (bytes: number): Buffer => Buffer.alloc(bytes, 'x');

test.each(['a', 'ab', '1abc', 'goog-mine', 'with space', `a${'b'.repeat(255)}`])('the topic name %j is refused', async (name) => {
  await expect(publisher.createTopic({ name: `projects/${PROJECT}/topics/${name}` })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
});

test.each(['abc', 'a.b~c+d%e_f-1', `a${'b'.repeat(254)}`])('the topic name %j is taken', async (name) => {
  await expect(publisher.createTopic({ name: `projects/${PROJECT}/topics/${name}` })).resolves.toBeDefined();
});

test('what is there already is ALREADY_EXISTS, what is not there NOT_FOUND', async () => {
  await expect(publisher.createTopic({ name: TOPIC })).rejects.toMatchObject({ code: ALREADY_EXISTS });
  await expect(subscriber.createSubscription({ name: SUBSCRIPTION, topic: TOPIC })).rejects.toMatchObject({ code: ALREADY_EXISTS });
  await expect(publisher.getTopic({ topic: `${TOPIC}-not` })).rejects.toMatchObject({ code: NOT_FOUND });
  await expect(subscriber.createSubscription({ name: `${SUBSCRIPTION}-2`, topic: `${TOPIC}-not` })).rejects.toMatchObject({ code: NOT_FOUND });
  await expect(publisher.publish({ topic: `${TOPIC}-not`, messages: [{ data: data(1) }] })).rejects.toMatchObject({ code: NOT_FOUND });
  await expect(subscriber.pull({ subscription: `${SUBSCRIPTION}-not`, maxMessages: 1 })).rejects.toMatchObject({ code: NOT_FOUND });
});

test.each([[9, false], [10, true], [600, true], [601, false]])('an ack deadline of %i s is accepted: %s', async (ackDeadlineSeconds, isTaken) => {
  const made = subscriber.createSubscription({ name: `${SUBSCRIPTION}-ack-${ackDeadlineSeconds}`, topic: TOPIC, ackDeadlineSeconds });
  if (isTaken) expect((await made)[0].ackDeadlineSeconds).toBe(ackDeadlineSeconds);
  else await expect(made).rejects.toMatchObject({ code: INVALID_ARGUMENT });
});

test.each([[4, false], [5, true], [100, true], [101, false]])('%i delivery attempts before the dead-letter topic are accepted: %s', async (maxDeliveryAttempts, isTaken) => {
  const made = subscriber.createSubscription({ name: `${SUBSCRIPTION}-dead-${maxDeliveryAttempts}`, topic: TOPIC, deadLetterPolicy: { deadLetterTopic: TOPIC, maxDeliveryAttempts } });
  if (isTaken) await expect(made).resolves.toBeDefined();
  else await expect(made).rejects.toMatchObject({ code: INVALID_ARGUMENT });
});

test('an empty message is refused; data or one attribute is enough', async () => {
  await expect(publish({})).rejects.toMatchObject({ code: INVALID_ARGUMENT });
  await expect(publish({ attributes: { a: '' } })).resolves.toBeDefined();
  await expect(publish()).rejects.toMatchObject({ code: INVALID_ARGUMENT });
});

test('a request of 1,000 messages or 10 MB is taken, one more is refused', async () => {
  const many = (count: number): object[] => Array.from({ length: count }, () => ({ data: data(1) }));
  await expect(publish(...many(1_000))).resolves.toBeDefined();
  await expect(publish(...many(1_001))).rejects.toMatchObject({ code: INVALID_ARGUMENT });
  const overhead = 60; // names and lengths around the data
  await expect(publish({ data: data(10_000_000 - overhead) })).resolves.toBeDefined();
  await expect(publish({ data: data(10_000_001) })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
});

test('attributes: 100 of them, keys of 256 bytes, values of 1,024 bytes, none named goog', async () => {
  const attributes = (count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'v']));
  await expect(publish({ attributes: attributes(100) })).resolves.toBeDefined();
  await expect(publish({ attributes: attributes(101) })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
  await expect(publish({ attributes: { ['k'.repeat(256)]: 'v'.repeat(1_024) } })).resolves.toBeDefined();
  await expect(publish({ attributes: { ['k'.repeat(257)]: 'v' } })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
  await expect(publish({ attributes: { k: '값'.repeat(342) } })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
  await expect(publish({ attributes: { googclient: 'v' } })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
});

test.each([
  ['BigQuery subscriptions', { bigqueryConfig: { table: 'p.d.t' } }], ['Cloud Storage subscriptions', { cloudStorageConfig: { bucket: 'b' } }],
  ['message transforms', { messageTransforms: [{ javascriptUdf: { functionName: 'f', code: '' } }] }], ['tags', { tags: { '1/a': 'b' } }],
])('%s are not supported, and the answer says so', async (what, options) => {
  await expect(subscriber.createSubscription({ name: `${SUBSCRIPTION}-x`, topic: TOPIC, ...options })).rejects.toMatchObject({ code: UNIMPLEMENTED, message: expect.stringContaining(what) });
});

test('a push subscription cannot be pulled, and a made-up ack id is refused', async () => {
  await subscriber.createSubscription({ name: `${SUBSCRIPTION}-push`, topic: TOPIC, pushConfig: { pushEndpoint: 'http://127.0.0.1:9/' } });
  await expect(subscriber.pull({ subscription: `${SUBSCRIPTION}-push`, maxMessages: 1 })).rejects.toMatchObject({ code: FAILED_PRECONDITION });
  await expect(subscriber.acknowledge({ subscription: SUBSCRIPTION, ackIds: ['mine'] })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
  await expect(subscriber.createSubscription({ name: `${SUBSCRIPTION}-bad`, topic: TOPIC, pushConfig: { pushEndpoint: 'not a url' } })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
  await subscriber.deleteSubscription({ subscription: `${SUBSCRIPTION}-push` });
});

test('lists are paged by name, updates change what the mask names, deletion leaves subscriptions without topic', async () => {
  for (const name of ['page-c', 'page-a', 'page-b']) await publisher.createTopic({ name: `projects/other/topics/${name}` });
  const [first, , { nextPageToken }] = await publisher.listTopics({ project: 'projects/other', pageSize: 2 }, { autoPaginate: false }) as unknown as [{ name: string }[], unknown, { nextPageToken: string }];
  const [second] = await publisher.listTopics({ project: 'projects/other', pageSize: 2, pageToken: nextPageToken }, { autoPaginate: false });
  expect([...first, ...second].map(({ name }) => name!.split('/')[3])).toEqual(['page-a', 'page-b', 'page-c']);

  const name = `projects/other/subscriptions/short-lived`;
  await subscriber.createSubscription({ name, topic: 'projects/other/topics/page-a', ackDeadlineSeconds: 20, labels: { a: 'b' } });
  await subscriber.updateSubscription({ subscription: { name, ackDeadlineSeconds: 30, labels: {} }, updateMask: { paths: ['ack_deadline_seconds'] } });
  expect((await subscriber.getSubscription({ subscription: name }))[0]).toMatchObject({ ackDeadlineSeconds: 30, labels: { a: 'b' } });
  await expect(subscriber.updateSubscription({ subscription: { name, topic: TOPIC }, updateMask: { paths: ['topic'] } })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
  await publisher.deleteTopic({ topic: 'projects/other/topics/page-a' });
  expect((await subscriber.getSubscription({ subscription: name }))[0].topic).toBe('_deleted-topic_');
});

test('a fault plan fails the next publishes with its status, then lets them pass', async () => {
  local.faults.add({ method: 'Publish', kind: 'fail', status: 'RESOURCE_EXHAUSTED', times: 2, after: 1 });
  await expect(publish({ data: data(1) })).resolves.toBeDefined();
  await expect(publish({ data: data(1) })).rejects.toMatchObject({ code: RESOURCE_EXHAUSTED });
  await expect(publish({ data: data(1) })).rejects.toMatchObject({ code: RESOURCE_EXHAUSTED });
  await expect(publish({ data: data(1) })).resolves.toBeDefined();
});

test('a fault plan lets publishes hang, come late, be lost after OK, or be stored twice', async () => {
  const stored = async (run: () => Promise<unknown>): Promise<number> => {
    const before = local.service.gauges!()['unacked_messages']!;
    await run();
    const subscriptions = local.service.gauges!()['subscriptions']!;
    return (local.service.gauges!()['unacked_messages']! - before) / (subscriptions - 1); // all but the one whose topic is gone
  };
  local.faults.add({ method: 'Publish', kind: 'hang' });
  expect(await stored(() => expect(publisher.publish({ topic: TOPIC, messages: [{ data: data(1) }] }, { retry: null, timeout: 300 })).rejects.toMatchObject({ code: 4 }))).toBe(0);
  local.faults.add({ method: 'Publish', kind: 'delay', delay_ms: 200 });
  const startMs = performance.now();
  expect(await stored(() => publish({ data: data(1) }))).toBe(1);
  expect(performance.now() - startMs).toBeGreaterThan(195);
  local.faults.add({ method: 'Publish', kind: 'lose' });
  expect(await stored(() => publish({ data: data(1) }))).toBe(0);
  local.faults.add({ method: 'Publish', kind: 'duplicate' });
  expect(await stored(() => publish({ data: data(1) }))).toBe(2);
  local.faults.add({ method: 'Publish', kind: 'fail', takes_effect: true });
  expect(await stored(() => expect(publish({ data: data(1) })).rejects.toMatchObject({ code: 14 }))).toBe(1);
});
