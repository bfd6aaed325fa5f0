// What a Pub/Sub contract case works with: Google's clients at the address in PUBSUB_EMULATOR_HOST (or at Google), and names of its own.
import { PubSub, v1, type Topic } from '@google-cloud/pubsub';
import { expect } from 'vitest';
import type { Launched } from '../implementations.ts';
import { uniqueName } from '../wait.ts';

export type PubSubWorld = {
  launched: Launched;
  client: PubSub;
  /** Google's generated clients, one method for each call of the API: for what the handwritten client hides. */
  publisher: v1.PublisherClient;
  subscriber: v1.SubscriberClient;
  /** A name that nobody used, in full: projects/P/topics/…. Whatever stands under it is removed when the suite ends. */
  path(kind: 'topics' | 'subscriptions' | 'snapshots', what?: string): string;
  /** A new topic; removed when the suite ends. */
  topic(options?: object): Promise<Topic>;
  /** A new subscription of the topic, by its full name. */
  subscription(topic: Topic | string, options?: object): Promise<string>;
  /** Both at once. */
  pair(subscription?: object, topic?: object): Promise<{ topic: Topic; path: string }>;
};

export type Pulled = { ackId: string; id: string; text: string; data: Buffer; attributes: Record<string, string>; attempt: number; publishMs: number; orderingKey: string };

/** gRPC status codes, as Google's documentation names them. */
export const CODE = {
  CANCELLED: 1, INVALID_ARGUMENT: 3, DEADLINE_EXCEEDED: 4, NOT_FOUND: 5, ALREADY_EXISTS: 6, PERMISSION_DENIED: 7, RESOURCE_EXHAUSTED: 8, FAILED_PRECONDITION: 9, ABORTED: 10, UNIMPLEMENTED: 12, INTERNAL: 13, UNAVAILABLE: 14,
} as const;

export async function openWorld(launched: Launched): Promise<PubSubWorld & { close(): Promise<void> }> {
  const client = new PubSub({ projectId: launched.project });
  const config = (await client.getClientConfig()) as ConstructorParameters<typeof v1.PublisherClient>[0];
  const publisher = new v1.PublisherClient(config);
  const subscriber = new v1.SubscriberClient(config);
  const made: string[] = [];
  const world: PubSubWorld = {
    launched, client, publisher, subscriber,
    path(kind, what = kind.slice(0, -1)) {
      const path = `projects/${launched.project}/${kind}/${uniqueName(what)}`;
      made.push(path);
      return path;
    },
    async topic(options = {}) {
      const name = world.path('topics');
      await publisher.createTopic({ name, ...options });
      // A message is sent when it is published, not when a batch is full: most cases publish one and look.
      return client.topic(name, { batching: { maxMilliseconds: 0 } });
    },
    async subscription(topic, options = {}) {
      const name = world.path('subscriptions');
      await subscriber.createSubscription({ name, topic: typeof topic === 'string' ? topic : topic.name, ...options });
      return name;
    },
    async pair(subscription = {}, topicOptions = {}) {
      const topic = await world.topic(topicOptions);
      return { topic, path: await world.subscription(topic, subscription) };
    },
  };
  return {
    ...world,
    async close() {
      // Only a real project outlives the suite.
      if (launched.implementation === 'cloud') for (const path of made.toReversed()) await remove(world, path);
      await Promise.all([publisher.close(), subscriber.close(), client.close()]);
    },
  };
}

async function remove({ publisher, subscriber }: PubSubWorld, path: string): Promise<void> {
  const kind = path.split('/')[2];
  if (kind === 'topics') await publisher.deleteTopic({ topic: path }).catch(() => {});
  else if (kind === 'snapshots') await subscriber.deleteSnapshot({ snapshot: path }).catch(() => {});
  else await subscriber.deleteSubscription({ subscription: path }).catch(() => {});
}

type Received = { ackId?: string | null; deliveryAttempt?: number | null; message?: { data?: Uint8Array | string | null; attributes?: Record<string, string> | null; messageId?: string | null; publishTime?: { seconds?: unknown; nanos?: number | null } | null; orderingKey?: string | null } | null };

export function readReceived({ ackId, message, deliveryAttempt }: Received): Pulled {
  const data = Buffer.from((message!.data as Uint8Array | null | undefined) ?? '');
  return {
    ackId: ackId!, id: message!.messageId!, text: data.toString('utf8'), data, attributes: message!.attributes ?? {}, attempt: deliveryAttempt ?? 0,
    publishMs: Number(message!.publishTime!.seconds) * 1_000 + (message!.publishTime!.nanos ?? 0) / 1e6, orderingKey: message!.orderingKey ?? '',
  };
}

/** Pulls until `count` messages have come; a pull may return fewer than asked for. */
export async function pull({ subscriber }: PubSubWorld, subscription: string, count = 1, ms = 15_000): Promise<Pulled[]> {
  const pulled: Pulled[] = [];
  for (const endMs = performance.now() + ms; pulled.length < count; ) {
    if (performance.now() > endMs) throw new Error(`Not within ${ms} ms: ${count} messages (came: ${pulled.map(({ text }) => text.slice(0, 40)).join(', ') || 'none'})`);
    const [{ receivedMessages }] = await subscriber.pull({ subscription, maxMessages: count - pulled.length }, { timeout: 10_000 });
    pulled.push(...(receivedMessages ?? []).map(readReceived));
  }
  return pulled;
}

export async function pullOne(world: PubSubWorld, subscription: string, ms?: number): Promise<Pulled> {
  return (await pull(world, subscription, 1, ms))[0]!;
}

/** One pull that does not wait. */
export async function pullNow({ subscriber }: PubSubWorld, subscription: string, maxMessages = 100): Promise<Pulled[]> {
  const [{ receivedMessages }] = await subscriber.pull({ subscription, maxMessages, returnImmediately: true });
  return (receivedMessages ?? []).map(readReceived);
}

/** Nothing is there now, nor a little later. */
export async function expectNothing(world: PubSubWorld, subscription: string, ms = 300): Promise<void> {
  expect((await pullNow(world, subscription)).map(({ text }) => text)).toEqual([]);
  await new Promise((done) => setTimeout(done, ms));
  expect((await pullNow(world, subscription)).map(({ text }) => text)).toEqual([]);
}

export const ack = ({ subscriber }: PubSubWorld, subscription: string, ...messages: readonly { ackId: string }[]): Promise<unknown> =>
  subscriber.acknowledge({ subscription, ackIds: messages.map(({ ackId }) => ackId) });

export const modifyDeadline = ({ subscriber }: PubSubWorld, subscription: string, ackDeadlineSeconds: number, ...messages: readonly { ackId: string }[]): Promise<unknown> =>
  subscriber.modifyAckDeadline({ subscription, ackIds: messages.map(({ ackId }) => ackId), ackDeadlineSeconds });

/** Gives messages back: redelivered at once, or after the retry policy's backoff. */
export const nack = (world: PubSubWorld, subscription: string, ...messages: readonly { ackId: string }[]): Promise<unknown> => modifyDeadline(world, subscription, 0, ...messages);

export const publish = (topic: Topic, ...texts: string[]): Promise<string[]> => Promise.all(texts.map((text) => topic.publishMessage({ data: Buffer.from(text) })));

/** The call is refused with this status; `says` must be in its sentence. */
export async function expectRefusal(call: Promise<unknown>, code: keyof typeof CODE, says?: RegExp): Promise<void> {
  const error = await call.then((value) => { throw new Error(`Not refused, but answered ${JSON.stringify(value)?.slice(0, 200)}`); }, (thrown: unknown) => thrown as { code?: number; message: string });
  expect({ code: error.code, message: error.message }).toMatchObject({ code: CODE[code] });
  if (says !== undefined) expect(error.message).toMatch(says);
}

export const DOCS = {
  rpc: 'https://docs.cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1',
  quotas: 'https://docs.cloud.google.com/pubsub/quotas#resource_limits',
  push: 'https://docs.cloud.google.com/pubsub/docs/push',
  failures: 'https://docs.cloud.google.com/pubsub/docs/handling-failures',
  pull: 'https://docs.cloud.google.com/pubsub/docs/pull',
  replay: 'https://docs.cloud.google.com/pubsub/docs/replay-overview',
  properties: 'https://docs.cloud.google.com/pubsub/docs/subscription-properties',
  retries: 'https://docs.cloud.google.com/pubsub/docs/subscription-retry-policy',
  deadLetters: 'https://docs.cloud.google.com/pubsub/docs/dead-letter-topics',
  ordering: 'https://docs.cloud.google.com/pubsub/docs/ordering',
  exactlyOnce: 'https://docs.cloud.google.com/pubsub/docs/exactly-once-delivery',
  filters: 'https://docs.cloud.google.com/pubsub/docs/subscription-message-filter',
  unwrapping: 'https://docs.cloud.google.com/pubsub/docs/payload-unwrapping',
  errors: 'https://docs.cloud.google.com/pubsub/docs/reference/error-codes',
} as const;
