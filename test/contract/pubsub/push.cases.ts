// Contract cases of push: what an endpoint gets, byte for byte, and from where. What its answers do: push-answers.cases.ts.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { until } from '../wait.ts';
import { pushedText, withEndpoint, wrapped, type Push, type PushEndpoint } from './endpoint.ts';
import { ack, CODE, DOCS, expectNothing, expectRefusal, publish, pull, pullOne, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;
type Topic = Awaited<ReturnType<PubSubWorld['topic']>>;
const METHODS = ['push delivery'];
const OIDC = { serviceAccountEmail: 'push@p.iam.gserviceaccount.com', audience: 'https://writer.example' };

/** A subscription that pushes to an endpoint of this case. */
function pushCase(options: object, run: (made: { world: PubSubWorld; topic: Topic; path: string; endpoint: PushEndpoint }) => Promise<void>): Case['run'] {
  return (world) => withEndpoint(async (endpoint) => {
    const topic = await world.topic();
    const { pushConfig, ...others } = options as { pushConfig?: object };
    const path = await world.subscription(topic, { pushConfig: { pushEndpoint: endpoint.url, ...pushConfig }, ...others });
    try {
      await run({ world, topic, path, endpoint });
    } finally {
      await world.subscriber.deleteSubscription({ subscription: path }).catch(() => {});
    }
  });
}

const first = async (endpoint: PushEndpoint): Promise<Push> => {
  await until('a push', () => endpoint.pushes.length > 0);
  return endpoint.pushes[0]!;
};
const timesOf = (push: Push): { publishTime: string; publish_time: string } => (JSON.parse(push.text) as { message: { publishTime: string; publish_time: string } }).message;
const claimsOf = (push: Push): Record<string, unknown> => JSON.parse(Buffer.from(push.headers.authorization!.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;

export const PUSH_CASES: readonly Case[] = [
  {
    name: 'push-wrapping-exact',
    promise: "a push is Google's JSON byte for byte: message, then subscription; attributes, data in base64, messageId and message_id, publishTime and publish_time, in this order",
    methods: METHODS,
    source: `${DOCS.push}#receive_push`,
    needs: ['loopback'],
    run: pushCase({}, async ({ world, topic, path, endpoint }) => {
      const [{ messageIds }] = await world.publisher.publish({ topic: topic.name, messages: [{ data: Buffer.from([255, 0, 10, 62, 63]), attributes: { b: 'zwei "quoted"\n' } }] });
      const push = await first(endpoint);
      const { publishTime } = timesOf(push);
      expect(publishTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/);
      const id = messageIds![0];
      expect(push.text).toBe(`{"message":{"attributes":{"b":"zwei \\"quoted\\"\\n"},"data":"/wAKPj8=","messageId":"${id}","message_id":"${id}","publishTime":"${publishTime}","publish_time":"${publishTime}"},"subscription":"${path}"}`);
    }),
  },
  {
    name: 'push-publish-time-form',
    promise: "the pushed publish time is the message's, in protobuf's JSON form: with three digits of a second, or with none when it is whole",
    methods: METHODS,
    source: 'https://protobuf.dev/programming-guides/json/',
    needs: ['loopback'],
    run: pushCase({}, async ({ world, topic, endpoint }) => {
      const pulled = await world.subscription(topic);
      for (let n = 0; n < 20; n += 1) await publish(topic, `n${n}`);
      const timeOf = new Map((await pull(world, pulled, 20)).map(({ id, publishMs }) => [id, new Date(publishMs).toISOString().replace('.000Z', 'Z')]));
      await until('all pushed', () => endpoint.pushes.length === 20);
      for (const push of endpoint.pushes) expect(timesOf(push)).toMatchObject({ publishTime: timeOf.get(wrapped(push).message.messageId), publish_time: timeOf.get(wrapped(push).message.messageId) });
    }),
  },
  {
    name: 'push-request-form',
    promise: 'a push is a POST of application/json with its length to the path of the endpoint, without a token unless one is asked for',
    methods: METHODS,
    source: `${DOCS.push}#receive_push`,
    needs: ['loopback'],
    run: pushCase({}, async ({ topic, endpoint }) => {
      await publish(topic, 'x');
      const { method, path, headers, body } = await first(endpoint);
      expect([method, path, headers['content-type'], headers['content-length'], headers.authorization, headers.from]).toEqual(['POST', '/push', 'application/json', String(body.length), undefined, 'noreply@google.com']);
      expect(headers['user-agent']).toMatch(/Google/);
    }),
  },
  {
    name: 'push-without-attributes',
    promise: 'a pushed message without attributes has none in its JSON, one without data has empty data',
    methods: METHODS,
    source: `${DOCS.push}#receive_push`,
    needs: ['loopback'],
    run: pushCase({}, async ({ topic, endpoint }) => {
      await publish(topic, 'x');
      expect((await first(endpoint)).text).toMatch(/^\{"message":\{"data":"eA==","messageId":"/);
      await topic.publishMessage({ attributes: { only: 'this' } });
      await until('a second', () => endpoint.pushes.length === 2);
      expect(wrapped(endpoint.pushes[1]!).message).toMatchObject({ attributes: { only: 'this' } });
      expect(wrapped(endpoint.pushes[1]!).message.data ?? '').toBe('');
    }),
  },
  {
    name: 'push-odd-attributes',
    promise: 'attribute keys that are numbers, __proto__ or of any script arrive as they were',
    methods: METHODS,
    source: `${DOCS.push}#receive_push`,
    needs: ['loopback'],
    run: pushCase({}, async ({ topic, endpoint }) => {
      const attributes = Object.fromEntries([['7', 'seven'], ['ключ', '값'], ['a.b-c/d', '\u2028'], ['constructor', 'x']]);
      await topic.publishMessage({ data: Buffer.from('x'), attributes });
      expect(wrapped(await first(endpoint)).message.attributes).toEqual(attributes);
    }),
  },
  {
    name: 'push-ordering-key',
    promise: 'an ordering key is pushed as orderingKey of the message',
    methods: METHODS,
    source: `${DOCS.push}#receive_push`,
    needs: ['loopback'],
    run: pushCase({}, async ({ world, topic, endpoint }) => {
      await world.publisher.publish({ topic: topic.name, messages: [{ data: Buffer.from('x'), orderingKey: 'user-1' }] });
      expect(wrapped(await first(endpoint)).message).toMatchObject({ orderingKey: 'user-1' });
    }),
  },
  {
    name: 'push-large-message',
    promise: 'a message of 5 MB that holds every byte arrives whole',
    methods: METHODS,
    source: DOCS.quotas,
    needs: ['loopback'],
    run: pushCase({}, async ({ topic, endpoint }) => {
      const data = Buffer.alloc(5_000_000);
      for (let n = 0; n < data.length; n += 1) data[n] = (n * 7 + (n >> 9)) & 0xff;
      await topic.publishMessage({ data });
      expect(Buffer.from(wrapped(await first(endpoint)).message.data!, 'base64').equals(data)).toBe(true);
    }),
  },
  {
    name: 'push-oidc-token',
    promise: 'with an OIDC account each push carries a bearer token: a JWT of Google for that account and audience, now valid',
    methods: METHODS,
    source: 'https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions',
    needs: ['loopback'],
    run: pushCase({ pushConfig: { oidcToken: OIDC } }, async ({ topic, endpoint }) => {
      await publish(topic, 'x');
      const push = await first(endpoint);
      expect(push.headers.authorization).toMatch(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/);
      const claims = claimsOf(push) as { iat: number; exp: number };
      expect(claims).toMatchObject({ aud: OIDC.audience, email: OIDC.serviceAccountEmail, email_verified: true, iss: 'https://accounts.google.com' });
      expect(claims.iat * 1_000).toBeLessThanOrEqual(Date.now());
      expect(claims.exp * 1_000).toBeGreaterThan(Date.now());
    }),
  },
  {
    name: 'push-oidc-default-audience',
    promise: "without an audience the token is for the endpoint's URL",
    methods: METHODS,
    source: `${DOCS.rpc}#oidctoken`,
    needs: ['loopback'],
    run: pushCase({ pushConfig: { oidcToken: { serviceAccountEmail: OIDC.serviceAccountEmail } } }, async ({ topic, endpoint }) => {
      await publish(topic, 'x');
      expect(claimsOf(await first(endpoint))['aud']).toBe(endpoint.url);
    }),
  },
  {
    name: 'push-config-refused',
    promise: 'a token without an account, an unknown version of the format and an unknown attribute are refused with INVALID_ARGUMENT',
    methods: ['Subscriber.CreateSubscription', 'Subscriber.ModifyPushConfig'],
    source: `${DOCS.rpc}#pushconfig`,
    differs: { independent: { reason: 'pstest stores the push configuration without a look' } },
    async run({ topic, path, pair, subscriber }) {
      const { name } = await topic();
      const { path: made } = await pair();
      for (const pushConfig of [{ oidcToken: { audience: 'https://writer.example' } }, { attributes: { 'x-goog-version': 'v7' } }, { attributes: { colour: 'red' } }]) {
        await expectRefusal(subscriber.createSubscription({ name: path('subscriptions'), topic: name, pushConfig: { pushEndpoint: 'https://writer.example/', ...pushConfig } }), 'INVALID_ARGUMENT');
        await expectRefusal(subscriber.modifyPushConfig({ subscription: made, pushConfig: { pushEndpoint: 'https://writer.example/', ...pushConfig } }), 'INVALID_ARGUMENT');
      }
    },
  },
  {
    name: 'push-unwrapped',
    promise: 'without a wrapper the body is the data and nothing else, and no attribute becomes a header',
    methods: METHODS,
    source: DOCS.unwrapping,
    needs: ['loopback'],
    run: pushCase({ pushConfig: { noWrapper: { writeMetadata: false } } }, async ({ topic, endpoint }) => {
      const data = Buffer.from([0, 255, 10, 123]);
      await topic.publishMessage({ data, attributes: { stream: 'events' } });
      const { body, headers } = await first(endpoint);
      expect(body.equals(data)).toBe(true);
      expect([headers['stream'], headers['x-goog-pubsub-message-id'], headers['content-length']]).toEqual([undefined, undefined, '4']);
    }),
  },
  {
    name: 'push-unwrapped-with-metadata',
    promise: 'without a wrapper but with metadata, subscription, id, time and ordering key are x-goog-pubsub- headers, and each attribute is a header of its own',
    methods: METHODS,
    source: DOCS.unwrapping,
    needs: ['loopback'],
    run: pushCase({ pushConfig: { noWrapper: { writeMetadata: true } } }, async ({ world, topic, path, endpoint }) => {
      const [{ messageIds }] = await world.publisher.publish({ topic: topic.name, messages: [{ data: Buffer.from('{"status":"here"}'), attributes: { 'Content-Type': 'application/json', stream: 'events' }, orderingKey: 'some-key' }] });
      const { text, headers } = await first(endpoint);
      expect(text).toBe('{"status":"here"}');
      expect(headers).toMatchObject({ 'x-goog-pubsub-subscription-name': path, 'x-goog-pubsub-message-id': messageIds![0], 'x-goog-pubsub-ordering-key': 'some-key', 'content-type': 'application/json', stream: 'events' });
      expect(headers['x-goog-pubsub-publish-time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    }),
  },
  {
    name: 'push-becomes-pull',
    promise: 'an empty push configuration stops the pushes: messages wait until they are pulled; a new one begins them again with what waits',
    methods: ['Subscriber.ModifyPushConfig', 'push delivery'],
    source: `${DOCS.rpc}#modifypushconfigrequest`,
    needs: ['loopback'],
    run: pushCase({}, async ({ world, topic, path, endpoint }) => {
      await publish(topic, 'pushed');
      await first(endpoint);
      await until('acknowledged', () => endpoint.underWay === 0);
      await world.subscriber.modifyPushConfig({ subscription: path, pushConfig: {} });
      await publish(topic, 'pulled', 'waits');
      const messages = await pull(world, path, 2);
      await ack(world, path, messages.find(({ text }) => text === 'pulled')!);
      await world.subscriber.modifyAckDeadline({ subscription: path, ackIds: [messages.find(({ text }) => text === 'waits')!.ackId], ackDeadlineSeconds: 0 });
      expect(endpoint.pushes.map(pushedText)).toEqual(['pushed']);
      await world.subscriber.modifyPushConfig({ subscription: path, pushConfig: { pushEndpoint: endpoint.url } });
      await until('the one that waited', () => endpoint.pushes.length === 2);
      expect(pushedText(endpoint.pushes[1]!)).toBe('waits');
      await expectRefusal(world.subscriber.pull({ subscription: path, maxMessages: 1 }), 'FAILED_PRECONDITION');
    }),
  },
  {
    name: 'pull-becomes-push',
    promise: 'a pull subscription that is given an endpoint pushes what waits, and its open streams end',
    methods: ['Subscriber.ModifyPushConfig', 'push delivery', 'Subscriber.StreamingPull'],
    source: `${DOCS.rpc}#modifypushconfigrequest`,
    needs: ['loopback'],
    run: (world) => withEndpoint(async (endpoint) => {
      const { topic, path } = await world.pair();
      const stream = world.subscriber.streamingPull();
      const ended = new Promise<number>((done) => { stream.on('error', ({ code }: { code: number }) => done(code)); });
      stream.on('data', () => {});
      stream.write({ subscription: path, streamAckDeadlineSeconds: 10, maxOutstandingMessages: 1 });
      await publish(topic, 'a', 'b', 'c');
      await new Promise((done) => setTimeout(done, 200));
      await world.subscriber.modifyPushConfig({ subscription: path, pushConfig: { pushEndpoint: endpoint.url } });
      expect(await ended).toBe(CODE.FAILED_PRECONDITION);
      await until('those that nobody held', () => endpoint.pushes.length >= 2);
      await world.subscriber.deleteSubscription({ subscription: path });
    }),
  },
  {
    name: 'push-to-a-new-endpoint',
    promise: 'after a change of the endpoint everything goes to the new one',
    methods: ['Subscriber.ModifyPushConfig', 'push delivery'],
    source: `${DOCS.rpc}#modifypushconfigrequest`,
    needs: ['loopback'],
    run: pushCase({}, ({ world, topic, path, endpoint }) => withEndpoint(async (next) => {
      await publish(topic, 'old');
      await first(endpoint);
      await world.subscriber.modifyPushConfig({ subscription: path, pushConfig: { pushEndpoint: next.url } });
      await publish(topic, 'new');
      expect(pushedText(await first(next))).toBe('new');
      expect(endpoint.pushes.map(pushedText)).toEqual(['old']);
    })),
  },
  {
    name: 'push-ends-with-its-subscription',
    promise: 'nothing is pushed any more when the subscription is deleted or detached',
    methods: ['Subscriber.DeleteSubscription', 'Publisher.DetachSubscription', 'push delivery'],
    source: `${DOCS.rpc}#publisher`,
    needs: ['loopback'],
    run: (world) => withEndpoint(async (endpoint) => {
      const topic = await world.topic();
      const make = (): Promise<string> => world.subscription(topic, { pushConfig: { pushEndpoint: endpoint.url } });
      const [deleted, detached] = [await make(), await make()];
      endpoint.answer = () => 503;
      await publish(topic, 'refused');
      await until('both were pushed to', () => new Set(endpoint.pushes.map((push) => wrapped(push).subscription)).size === 2);
      await world.subscriber.deleteSubscription({ subscription: deleted });
      await world.publisher.detachSubscription({ subscription: detached });
      await new Promise((done) => setTimeout(done, 150));
      const before = endpoint.pushes.length;
      await publish(topic, 'later');
      await new Promise((done) => setTimeout(done, 1_500));
      expect(endpoint.pushes.length).toBe(before);
    }),
  },
  {
    name: 'push-and-pull-of-one-topic',
    promise: 'a push and a pull subscription of one topic each get every message',
    methods: ['push delivery', 'Subscriber.Pull'],
    source: DOCS.push,
    needs: ['loopback'],
    run: pushCase({}, async ({ world, topic, endpoint }) => {
      const other = await world.subscription(topic);
      await publish(topic, 'both');
      expect(pushedText(await first(endpoint))).toBe('both');
      const message = await pullOne(world, other);
      expect(message.text).toBe('both');
      await ack(world, other, message);
      await expectNothing(world, other, 0);
    }),
  },
];
