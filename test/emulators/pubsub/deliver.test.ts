// What Google's own client sees of the local Pub/Sub when it publishes, pulls and streams.
import { v1, type Message } from '@google-cloud/pubsub';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { localPubSub, PROJECT, until, type LocalPubSub } from './local-pubsub.ts';

let local: LocalPubSub;
let subscriber: v1.SubscriberClient;
beforeAll(async () => {
  local = await localPubSub();
  subscriber = new v1.SubscriberClient(await local.client.getClientConfig() as ConstructorParameters<typeof v1.SubscriberClient>[0]);
});
afterAll(async () => {
  await subscriber.close();
  await local.close();
});

let names = 0;
async function topicAndSubscription(options: Record<string, unknown> = {}): Promise<{ topic: ReturnType<LocalPubSub['client']['topic']>; name: string; path: string }> {
  names += 1;
  const [topic] = await local.client.createTopic(`topic-${names}`);
  const name = `subscription-${names}`;
  await topic.createSubscription(name, options);
  return { topic, name, path: `projects/${PROJECT}/subscriptions/${name}` };
}

async function pull(path: string, maxMessages = 10): Promise<{ ackId: string; data: Buffer; attributes: Record<string, string>; messageId: string; deliveryAttempt: number }[]> {
  const [{ receivedMessages }] = await subscriber.pull({ subscription: path, maxMessages });
  return (receivedMessages ?? []).map(({ ackId, message, deliveryAttempt }) => ({
    ackId: ackId!, data: Buffer.from(message!.data as Uint8Array), attributes: message!.attributes!, messageId: message!.messageId!, deliveryAttempt: deliveryAttempt!,
  }));
}

test('a pulled message has the bytes, the attributes, the id and the time that publishing gave', async () => {
  const { topic, path } = await topicAndSubscription();
  const data = Buffer.from([0, 1, 255, 254, 10, 13]);
  const beforeMs = Date.now();
  const messageId = await topic.publishMessage({ data, attributes: { plain: 'yes', 'ключ': '값' } });
  const [{ receivedMessages }] = await subscriber.pull({ subscription: path, maxMessages: 1 });
  const { message, deliveryAttempt } = receivedMessages![0]!;
  expect(Buffer.from(message!.data as Uint8Array)).toEqual(data);
  expect(message!.attributes).toEqual({ plain: 'yes', 'ключ': '값' });
  expect(message!.messageId).toBe(messageId);
  const publishMs = Number(message!.publishTime!.seconds) * 1_000 + message!.publishTime!.nanos! / 1e6;
  expect(publishMs).toBeGreaterThanOrEqual(beforeMs);
  expect(publishMs).toBeLessThanOrEqual(Date.now());
  expect(deliveryAttempt).toBe(0);
});

test('an acknowledged message never comes again, a refused one comes at once', async () => {
  const { topic, path } = await topicAndSubscription();
  await topic.publishMessage({ data: Buffer.from('once') });
  const [first] = await pull(path);
  await subscriber.modifyAckDeadline({ subscription: path, ackIds: [first!.ackId], ackDeadlineSeconds: 0 });
  const [second] = await pull(path);
  expect(second!.messageId).toBe(first!.messageId);
  await subscriber.acknowledge({ subscription: path, ackIds: [second!.ackId] });
  const [{ receivedMessages }] = await subscriber.pull({ subscription: path, maxMessages: 1, returnImmediately: true });
  expect(receivedMessages ?? []).toEqual([]);
});

test('a message whose deadline passed comes again, and a longer deadline holds it back', async () => {
  const { topic, path } = await topicAndSubscription();
  await topic.publishMessage({ data: Buffer.from('slow') });
  const [first] = await pull(path);
  await subscriber.modifyAckDeadline({ subscription: path, ackIds: [first!.ackId], ackDeadlineSeconds: 2 });
  const startMs = performance.now();
  const [again] = await pull(path);
  expect(again!.messageId).toBe(first!.messageId);
  expect(performance.now() - startMs).toBeGreaterThan(1_800);
});

test('each subscription of a topic gets every message, and one made later gets only what comes later', async () => {
  const { topic, path } = await topicAndSubscription();
  await topic.publishMessage({ data: Buffer.from('early') });
  await topic.createSubscription(`late-${names}`);
  await topic.publishMessage({ data: Buffer.from('late') });
  const texts = async (of: string): Promise<string[]> => (await pull(of)).map(({ data }) => data.toString());
  expect(await texts(path)).toEqual(['early', 'late']);
  expect(await texts(`projects/${PROJECT}/subscriptions/late-${names}`)).toEqual(['late']);
});

test('a streaming subscriber gets 2,000 messages once each, and megabytes whole', async () => {
  const { topic, name } = await topicAndSubscription();
  const seen = new Map<string, number>();
  const big = Buffer.alloc(3_000_000, 'x');
  let bigBytes = 0;
  const subscription = local.client.subscription(name);
  subscription.on('message', (message: Message) => {
    if (message.length === big.length) bigBytes += message.data.equals(big) ? message.length : 0;
    else seen.set(message.data.toString(), (seen.get(message.data.toString()) ?? 0) + 1);
    message.ack();
  });
  await Promise.all([...Array.from({ length: 2_000 }, (_, n) => topic.publishMessage({ data: Buffer.from(`n${n}`) })), topic.publishMessage({ data: big }), topic.publishMessage({ data: big })]);
  await until('all arrived', () => seen.size === 2_000 && bigBytes === 2 * big.length);
  await subscription.close();
  expect(Math.max(...seen.values())).toBe(1);
});

test('a subscriber that refuses a message on a stream gets it again', async () => {
  const { topic, name } = await topicAndSubscription();
  const subscription = local.client.subscription(name);
  let times = 0;
  subscription.on('message', (message: Message) => {
    times += 1;
    if (times < 3) message.nack();
    else message.ack();
  });
  await topic.publishMessage({ data: Buffer.from('stubborn') });
  await until('third delivery', () => times === 3);
  await subscription.close();
});

test('after max_delivery_attempts a message stands in the dead-letter topic with its source, and nowhere else', async () => {
  const [graveyard] = await local.client.createTopic('graveyard');
  await graveyard.createSubscription('graveyard-reader');
  const { topic, path } = await topicAndSubscription({ deadLetterPolicy: { deadLetterTopic: `projects/${PROJECT}/topics/graveyard`, maxDeliveryAttempts: 5 } });
  await topic.publishMessage({ data: Buffer.from('poison'), attributes: { stream: 'events' } });
  const attempts: number[] = [];
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const [message] = await pull(path);
    attempts.push(message!.deliveryAttempt);
    await subscriber.modifyAckDeadline({ subscription: path, ackIds: [message!.ackId], ackDeadlineSeconds: 0 });
  }
  expect(attempts).toEqual([1, 2, 3, 4, 5]);
  const [dead] = await pull(`projects/${PROJECT}/subscriptions/graveyard-reader`);
  expect(dead!.data.toString()).toBe('poison');
  expect(dead!.attributes).toEqual({
    stream: 'events', CloudPubSubDeadLetterSourceDeliveryCount: '5', CloudPubSubDeadLetterSourceSubscription: path.split('/')[3],
    CloudPubSubDeadLetterSourceSubscriptionProject: PROJECT, CloudPubSubDeadLetterSourceTopicPublishTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  });
  const [{ receivedMessages }] = await subscriber.pull({ subscription: path, maxMessages: 1, returnImmediately: true });
  expect(receivedMessages ?? []).toEqual([]);
});

test('a retry policy holds a refused message back for its minimum backoff', async () => {
  const { topic, path } = await topicAndSubscription({ retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 5 } } });
  await topic.publishMessage({ data: Buffer.from('later') });
  const [first] = await pull(path);
  const startMs = performance.now();
  await subscriber.modifyAckDeadline({ subscription: path, ackIds: [first!.ackId], ackDeadlineSeconds: 0 });
  await pull(path);
  expect(performance.now() - startMs).toBeGreaterThan(990);
});

test('messages older than the retention are gone; a seek back brings acknowledged ones again, a seek forward lets go of waiting ones', async () => {
  const { topic, path } = await topicAndSubscription({ retainAckedMessages: true, messageRetentionDuration: { seconds: 3_600 } });
  const startMs = Date.now();
  await topic.publishMessage({ data: Buffer.from('kept') });
  const [message] = await pull(path);
  await subscriber.acknowledge({ subscription: path, ackIds: [message!.ackId] });
  await subscriber.seek({ subscription: path, time: { seconds: Math.floor(startMs / 1_000) - 1 } });
  const [again] = await pull(path);
  expect(again).toMatchObject({ messageId: message!.messageId, data: Buffer.from('kept') });
  await subscriber.seek({ subscription: path, time: { seconds: Math.floor(Date.now() / 1_000) + 10 } });
  const [{ receivedMessages }] = await subscriber.pull({ subscription: path, maxMessages: 1, returnImmediately: true });
  expect(receivedMessages ?? []).toEqual([]);
});
