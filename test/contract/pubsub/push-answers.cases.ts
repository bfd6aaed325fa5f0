// Contract cases of push: which answers acknowledge, what comes again and when, and how much is under way at once.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { until } from '../wait.ts';
import { openEndpoint, pushedText, withEndpoint, wrapped, type PushEndpoint } from './endpoint.ts';
import { DOCS, publish, pullOne, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;
type Topic = Awaited<ReturnType<PubSubWorld['topic']>>;
const METHODS = ['push delivery'];
const ACKS = [200, 201, 202, 204];
const REFUSALS = [203, 205, 301, 302, 400, 401, 403, 404, 408, 429, 500, 502, 503];

function pushing(options: object, run: (made: { world: PubSubWorld; topic: Topic; path: string; endpoint: PushEndpoint }) => Promise<void>): Case['run'] {
  return (world) => withEndpoint(async (endpoint) => {
    const topic = await world.topic();
    const path = await world.subscription(topic, { pushConfig: { pushEndpoint: endpoint.url }, ...options });
    try {
      await run({ world, topic, path, endpoint });
    } finally {
      await world.subscriber.deleteSubscription({ subscription: path }).catch(() => {});
    }
  });
}

const gaps = ({ pushes }: PushEndpoint): number[] => pushes.slice(1).map(({ atMs }, index) => atMs - pushes[index]!.atMs);

export const PUSH_ANSWER_CASES: readonly Case[] = [
  ...ACKS.map((status): Case => ({
    name: `push-answer-${status}-acknowledges`,
    promise: `the answer ${status} acknowledges: the message does not come again`,
    methods: METHODS,
    source: `${DOCS.push}#receive_push`,
    needs: ['loopback'],
    run: pushing({}, async ({ topic, endpoint }) => {
      endpoint.answer = () => status;
      await publish(topic, 'x');
      await until('a push', () => endpoint.pushes.length === 1);
      await new Promise((done) => setTimeout(done, 1_000));
      expect(endpoint.pushes).toHaveLength(1);
    }),
  })),
  {
    name: 'push-answer-102-acknowledges',
    promise: 'the answer 102 Processing acknowledges, even when nothing follows it',
    methods: METHODS,
    source: `${DOCS.push}#receive_push`,
    needs: ['loopback'],
    run: async (world) => {
      // Node's own server can't end a request with an informational status, so the bytes are written by hand.
      const { createServer } = await import('node:net');
      let count = 0;
      const server = createServer((socket) => {
        socket.on('error', () => {}).on('data', (bytes) => {
          if (!bytes.toString('latin1').startsWith('POST')) return;
          count += 1;
          socket.write('HTTP/1.1 102 Processing\r\n\r\n');
        });
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const { port } = server.address() as { port: number };
      const topic = await world.topic();
      const path = await world.subscription(topic, { pushConfig: { pushEndpoint: `http://127.0.0.1:${port}/` }, ackDeadlineSeconds: 10 });
      try {
        await publish(topic, 'x');
        await until('a push', () => count === 1);
        await new Promise((done) => setTimeout(done, 11_500));
        expect(count).toBe(1);
      } finally {
        await world.subscriber.deleteSubscription({ subscription: path });
        server.close();
      }
    },
  },
  ...REFUSALS.map((status): Case => ({
    name: `push-answer-${status}-refuses`,
    promise: `the answer ${status} refuses: the same message comes again, unchanged, until it is acknowledged`,
    methods: METHODS,
    source: `${DOCS.push}#receive_push`,
    needs: ['loopback'],
    run: pushing({}, async ({ topic, endpoint }) => {
      endpoint.answer = (_, number) => (number < 3 ? status : 204);
      await publish(topic, 'x');
      await until('three pushes', () => endpoint.pushes.length === 3);
      expect(new Set(endpoint.pushes.map(({ text }) => text)).size).toBe(1);
      await new Promise((done) => setTimeout(done, 1_000));
      expect(endpoint.pushes).toHaveLength(3);
    }),
  })),
  {
    name: 'push-without-an-answer',
    promise: 'an endpoint that does not answer within the ack deadline has refused: the message comes again',
    methods: METHODS,
    source: `${DOCS.rpc}#subscription`,
    needs: ['loopback'],
    run: pushing({ ackDeadlineSeconds: 10 }, async ({ topic, endpoint }) => {
      endpoint.answer = (_, number) => (number === 1 ? 'silence' : 204);
      const startMs = performance.now();
      await publish(topic, 'x');
      await until('a second push', () => endpoint.pushes.length === 2, 25_000);
      expect(endpoint.pushes[1]!.atMs - startMs).toBeGreaterThan(9_990);
    }),
  },
  {
    name: 'push-slow-answer-counts',
    promise: 'an answer that comes late, but within the ack deadline, acknowledges',
    methods: METHODS,
    source: `${DOCS.rpc}#subscription`,
    needs: ['loopback'],
    run: pushing({ ackDeadlineSeconds: 10 }, async ({ topic, endpoint }) => {
      endpoint.answer = () => new Promise((done) => { setTimeout(() => done(204), 7_000); });
      await publish(topic, 'x');
      await until('a push', () => endpoint.pushes.length === 1);
      await new Promise((done) => setTimeout(done, 9_000));
      expect(endpoint.pushes).toHaveLength(1);
    }),
  },
  {
    name: 'push-connection-broken',
    promise: 'an endpoint that is not there, or breaks the connection, has refused; when it is there everything comes',
    methods: METHODS,
    source: DOCS.push,
    needs: ['loopback'],
    async run(world) {
      const gone = await openEndpoint();
      await gone.close();
      const topic = await world.topic();
      const path = await world.subscription(topic, { pushConfig: { pushEndpoint: gone.url } });
      await publish(topic, ...Array.from({ length: 30 }, (_, n) => `n${n}`));
      await new Promise((done) => setTimeout(done, 300));
      await withEndpoint(async (endpoint) => {
        await world.subscriber.modifyPushConfig({ subscription: path, pushConfig: { pushEndpoint: endpoint.url } });
        await until('all', () => new Set(endpoint.pushes.map(pushedText)).size === 30);
        await world.subscriber.deleteSubscription({ subscription: path });
      });
    },
  },
  {
    name: 'push-backoff',
    promise: 'while everything is refused the pauses of a push subscription double from 100 ms',
    methods: METHODS,
    source: `${DOCS.push}#push_backoff`,
    needs: ['loopback'],
    // Of three the shortest counts: a busy machine makes pauses longer. The endpoint notes a push when it is there, so one may seem shorter, too.
    async run(world) {
      const all: number[][] = [];
      const one = pushing({}, async ({ topic, endpoint }) => {
        endpoint.answer = (_, number) => (number < 6 ? 503 : 204);
        await publish(topic, 'x');
        await until('six pushes', () => endpoint.pushes.length === 6);
        all.push(gaps(endpoint));
      });
      // Not in step, so that one hold-up does not meet all.
      await Promise.all([0, 700, 1_500].map((ms) => new Promise((done) => setTimeout(done, ms)).then(() => one(world))));
      [100, 200, 400, 800, 1_600].forEach((pause, index) => {
        const waits = all.map((each) => each[index]!);
        expect(Math.max(...waits), `pause ${index + 1}: ${waits.map(Math.round).join(', ')}`).toBeGreaterThan(pause - 10);
        expect(Math.min(...waits), `pause ${index + 1}: ${waits.map(Math.round).join(', ')}`).toBeLessThan(pause * 1.8 + 200);
      });
    },
  },
  {
    name: 'push-backoff-of-the-subscription',
    promise: 'the pause is for the whole subscription: while one message is refused the others wait, too',
    methods: METHODS,
    source: `${DOCS.push}#push_backoff`,
    needs: ['loopback'],
    run: pushing({}, async ({ topic, endpoint }) => {
      endpoint.answer = (_, number) => (number <= 4 ? 503 : 204);
      await publish(topic, 'refused');
      await until('refused four times', () => endpoint.pushes.length === 4);
      const lastMs = endpoint.pushes[3]!.atMs;
      await publish(topic, 'other');
      await until('both acknowledged', () => new Set(endpoint.pushes.slice(4).map(pushedText)).size === 2);
      expect(endpoint.pushes[4]!.atMs - lastMs).toBeGreaterThan(500);
    }),
  },
  {
    name: 'push-retry-policy-is-longer',
    promise: "a message's own retry policy holds it back although the pause of the subscription is shorter, and others pass meanwhile",
    methods: METHODS,
    source: DOCS.retries,
    needs: ['loopback'],
    run: pushing({ retryPolicy: { minimumBackoff: { seconds: 2 }, maximumBackoff: { seconds: 10 } } }, async ({ topic, endpoint }) => {
      endpoint.answer = (push, number) => (number === 1 ? 503 : 204);
      const startMs = performance.now();
      await publish(topic, 'refused');
      await until('refused', () => endpoint.pushes.length === 1);
      await publish(topic, 'passes');
      await until('all three', () => endpoint.pushes.length === 3);
      expect(endpoint.pushes.map(pushedText)).toEqual(['refused', 'passes', 'refused']);
      expect(endpoint.pushes[2]!.atMs - startMs).toBeGreaterThan(1_990);
    }),
  },
  {
    name: 'push-one-bad-among-good',
    promise: 'a message that is always refused does not keep the good ones from being acknowledged',
    methods: METHODS,
    source: DOCS.push,
    needs: ['loopback'],
    run: pushing({ retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 60 } } }, async ({ topic, endpoint }) => {
      endpoint.answer = (push) => (pushedText(push) === 'bad' ? 503 : 204);
      await publish(topic, 'bad', ...Array.from({ length: 40 }, (_, n) => `good ${n}`));
      await until('all good ones, the bad one twice', () => new Set(endpoint.pushes.map(pushedText)).size === 41 && endpoint.pushes.filter((push) => pushedText(push) === 'bad').length >= 2);
      expect(endpoint.pushes.filter((push) => pushedText(push) !== 'bad')).toHaveLength(40);
    }),
  },
  {
    name: 'push-attempts-and-dead-letter',
    promise: 'with a dead-letter policy each push says its deliveryAttempt behind the subscription, and the message refused at the last one goes to the dead-letter topic',
    methods: ['push delivery', 'dead letters'],
    source: DOCS.deadLetters,
    needs: ['loopback'],
    async run(world) {
      const deadTopic = await world.topic();
      const dead = await world.subscription(deadTopic);
      await pushing({ deadLetterPolicy: { deadLetterTopic: deadTopic.name, maxDeliveryAttempts: 5 } }, async ({ topic, path, endpoint }) => {
        endpoint.answer = () => 503;
        await publish(topic, 'poison');
        const letter = await pullOne(world, dead, 20_000);
        expect(endpoint.pushes.map((push) => /"subscription":"([^"]+)","deliveryAttempt":(\d+)\}$/.exec(push.text)?.slice(1))).toEqual(['1', '2', '3', '4', '5'].map((attempt) => [path, attempt]));
        expect(letter).toMatchObject({ text: 'poison', attributes: { CloudPubSubDeadLetterSourceDeliveryCount: '5', CloudPubSubDeadLetterSourceSubscription: path.split('/')[3] } });
        await new Promise((done) => setTimeout(done, 1_500));
        expect(endpoint.pushes).toHaveLength(5);
      })(world);
    },
  },
  {
    name: 'push-without-policy-says-no-attempt',
    promise: 'without a dead-letter policy no push says a deliveryAttempt',
    methods: METHODS,
    source: DOCS.failures,
    needs: ['loopback'],
    run: pushing({}, async ({ topic, endpoint }) => {
      endpoint.answer = (_, number) => (number === 1 ? 503 : 204);
      await publish(topic, 'x');
      await until('twice', () => endpoint.pushes.length === 2);
      expect(endpoint.pushes.map((push) => wrapped(push).deliveryAttempt)).toEqual([undefined, undefined]);
    }),
  },
  {
    name: 'push-slow-start',
    promise: 'pushes under way at once begin with a small window, which grows while they are acknowledged, and stay bounded',
    methods: METHODS,
    source: `${DOCS.push}#delivery_rate`,
    needs: ['loopback'],
    run: pushing({}, async ({ world, topic, endpoint }) => {
      let most = 0;
      const atFirst: number[] = [];
      endpoint.answer = async (_, number) => {
        most = Math.max(most, endpoint.underWay);
        if (number <= 16) atFirst.push(endpoint.underWay);
        await new Promise((done) => setTimeout(done, 60));
        return 204;
      };
      for (let part = 0; part < 3; part += 1) await world.publisher.publish({ topic: topic.name, messages: Array.from({ length: 300 }, (_, n) => ({ data: Buffer.from(`${part}-${n}`) })) });
      await until('all', () => endpoint.pushes.length >= 900, 20_000);
      expect(Math.max(...atFirst)).toBeLessThanOrEqual(16);
      expect(most).toBeGreaterThan(16);
      expect(most).toBeLessThanOrEqual(3_000);
      expect(new Set(endpoint.pushes.map(pushedText)).size).toBe(900);
    }),
  },
  {
    name: 'push-window-shrinks',
    promise: 'when an endpoint refuses everything, fewer and fewer pushes are tried at once',
    methods: METHODS,
    source: `${DOCS.push}#delivery_rate`,
    needs: ['loopback'],
    run: pushing({}, async ({ world, topic, endpoint }) => {
      const atOnce: { atMs: number; count: number }[] = [];
      endpoint.answer = async (push) => {
        await new Promise((done) => setTimeout(done, 30));
        atOnce.push({ atMs: push.atMs, count: endpoint.underWay });
        return 503;
      };
      await world.publisher.publish({ topic: topic.name, messages: Array.from({ length: 200 }, (_, n) => ({ data: Buffer.from(`n${n}`) })) });
      await until('pushes of later', () => atOnce.length > 0 && atOnce.at(-1)!.atMs - atOnce[0]!.atMs > 3_000);
      const most = (isEarly: boolean): number => Math.max(...atOnce.filter(({ atMs }) => (atMs - atOnce[0]!.atMs < 1_000) === isEarly).map(({ count }) => count));
      expect(most(true)).toBeGreaterThan(1);
      expect(atOnce.at(-1)!.count).toBeLessThan(most(true));
      expect(endpoint.pushes.length).toBeLessThan(200);
    }),
  },
];
