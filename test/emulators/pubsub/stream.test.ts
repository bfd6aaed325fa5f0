// Open streams: their heartbeat, their bounds, and how they end and begin again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v1, type Message } from '@google-cloud/pubsub';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { localProcess } from '../local-process.ts';
import { clientAt, localPubSub, PROJECT, until, type LocalPubSub } from './local-pubsub.ts';

type Received = { receivedMessages: { ackId: string; message: { data: Buffer } }[] };

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

async function stream(name: string, first: object = {}): Promise<{ topic: ReturnType<LocalPubSub['client']['topic']>; call: ReturnType<v1.SubscriberClient['streamingPull']>; answers: Received[]; ended: Promise<number> }> {
  const [topic] = await local.client.createTopic(name);
  await topic.createSubscription(name);
  const call = subscriber.streamingPull();
  const answers: Received[] = [];
  call.on('data', (answer: Received) => answers.push(answer));
  const ended = new Promise<number>((done) => { call.on('error', (error: { code?: number }) => done(error.code ?? -1)); });
  call.write({ subscription: `projects/${PROJECT}/subscriptions/${name}`, streamAckDeadlineSeconds: 10, ...first });
  await until('greeting', () => answers.length === 1);
  return { topic, call, answers, ended };
}

test('a heartbeat is answered, or the client would take the stream for dead', async () => {
  const { call, answers } = await stream('heartbeat');
  call.write({});
  await until('answer', () => answers.length === 2, 2_000);
  expect(answers[1]!.receivedMessages).toEqual([]);
  call.destroy();
});

test('a stream gets no more than its bound, and more when something is acknowledged on the stream', async () => {
  const { topic, call, answers } = await stream('bounded', { maxOutstandingMessages: 3 });
  await Promise.all(Array.from({ length: 10 }, (_, n) => topic.publishMessage({ data: Buffer.from(`n${n}`) })));
  const received = (): Received['receivedMessages'] => answers.flatMap(({ receivedMessages }) => receivedMessages);
  await until('three', () => received().length === 3);
  await new Promise((done) => setTimeout(done, 100));
  expect(received()).toHaveLength(3);
  call.write({ ackIds: received().slice(0, 2).map(({ ackId }) => ackId) });
  await until('two more', () => received().length === 5);
  await new Promise((done) => setTimeout(done, 100));
  expect(received()).toHaveLength(5);
  call.destroy();
});

test('a stream ends with NOT_FOUND when its subscription is deleted', async () => {
  const { ended } = await stream('deleted');
  await local.client.subscription('deleted').delete();
  expect(await ended).toBe(5);
});

test('two streams share what comes', async () => {
  const { topic, call, answers } = await stream('shared', { maxOutstandingMessages: 5 });
  const second = subscriber.streamingPull();
  const others: Received[] = [];
  second.on('data', (answer: Received) => others.push(answer)).on('error', () => {});
  second.write({ subscription: `projects/${PROJECT}/subscriptions/shared`, streamAckDeadlineSeconds: 10, maxOutstandingMessages: 5 });
  await until('greeting', () => others.length === 1);
  await Promise.all(Array.from({ length: 10 }, (_, n) => topic.publishMessage({ data: Buffer.from(`n${n}`) })));
  const texts = (of: Received[]): string[] => of.flatMap(({ receivedMessages }) => receivedMessages.map(({ message }) => message.data.toString()));
  await until('all', () => texts(answers).length + texts(others).length === 10);
  expect(new Set([...texts(answers), ...texts(others)]).size).toBe(10);
  call.destroy();
  second.destroy();
});

test('a subscriber of Google\'s client goes on after the service was killed and came back', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pubsub-stream-'));
  let running = await localProcess('pubsub', dataDir);
  const client = clientAt(running.port);
  const [topic] = await client.createTopic('long-lived');
  const [subscription] = await topic.createSubscription('long-lived');
  const seen = new Set<string>();
  subscription.on('message', (message: Message) => {
    seen.add(message.data.toString());
    message.ack();
  }).on('error', () => {});
  await topic.publishMessage({ data: Buffer.from('before') });
  await until('before', () => seen.has('before'));
  await running.kill('SIGKILL');
  running = await localProcess('pubsub', dataDir, { port: running.port });
  await topic.publishMessage({ data: Buffer.from('after') });
  await until('after', () => seen.has('after'), 20_000);
  await subscription.close();
  await client.close();
  await running.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});
