// Contract cases of what happens to a message that nobody wants: backoff, delivery attempts, dead letters.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { until } from '../wait.ts';
import { ack, DOCS, expectNothing, modifyDeadline, nack, publish, pull, pullNow, pullOne, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;
const POLICY_IGNORED = { independent: { reason: 'pstest stores the retry policy and does not follow it' } };
const WITHOUT_ATTRIBUTES = { independent: { reason: 'pstest writes no attributes into a dead letter' } };
const BEST_EFFORT = { reason: 'dead-lettering and attempts are best effort, with seconds of delay', isSkipped: true } as const;

/** Refuses the message `times` times, and says how long each redelivery took at most. */
async function waitsOf(world: PubSubWorld, path: string, times: number): Promise<number[]> {
  const waits: number[] = [];
  let message = await pullOne(world, path);
  for (let n = 0; n < times; n += 1) {
    const startMs = performance.now();
    await nack(world, path, message);
    message = await pullOne(world, path, 30_000);
    waits.push(performance.now() - startMs);
  }
  await ack(world, path, message);
  return waits;
}

/** A subscription with 5 attempts, a dead-letter topic, and one that reads it. */
async function withDeadLetters(world: PubSubWorld, options: object = {}): Promise<{ topic: Awaited<ReturnType<PubSubWorld['topic']>>; path: string; dead: string; deadTopic: string }> {
  const deadTopic = await world.topic();
  const dead = await world.subscription(deadTopic);
  const { topic, path } = await world.pair({ deadLetterPolicy: { deadLetterTopic: deadTopic.name, maxDeliveryAttempts: 5 }, ...options });
  return { topic, path, dead, deadTopic: deadTopic.name };
}

async function refuseTimes(world: PubSubWorld, path: string, times: number): Promise<number[]> {
  const attempts: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const message = await pullOne(world, path);
    attempts.push(message.attempt);
    await nack(world, path, message);
  }
  return attempts;
}

export const RETRY_CASES: readonly Case[] = [
  {
    name: 'no-policy-at-once',
    promise: 'without a retry policy a refused message is redelivered at once, again and again',
    methods: ['Subscriber.ModifyAckDeadline'],
    source: DOCS.retries,
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'x');
      const waits = (await waitsOf(world, path, 5)).sort((a, b) => a - b);
      expect(waits[2], 'the median').toBeLessThan(1_500);
    },
  },
  {
    name: 'backoff-grows',
    promise: 'with a retry policy the waits before redelivery begin at the minimum, double, and end at the maximum',
    methods: ['Subscriber.ModifyAckDeadline'],
    source: `${DOCS.rpc}#retrypolicy`,
    differs: { ...POLICY_IGNORED, cloud: { reason: 'the policy is followed on a best-effort basis', isSkipped: true } },
    async run(world) {
      // Of three at once the shortest counts: a busy machine makes waits longer, never shorter.
      const three = await Promise.all([1, 2, 3].map(async () => {
        const { topic, path } = await world.pair({ retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 3 } } });
        await publish(topic, 'x');
        return waitsOf(world, path, 4);
      }));
      const waits = [0, 1, 2, 3].map((n) => Math.min(...three.map((one) => one[n]!)));
      [1_000, 2_000, 3_000, 3_000].forEach((least, index) => {
        expect(waits[index], `wait ${index + 1} of ${waits.map(Math.round).join(', ')}`).toBeGreaterThan(least - 10);
        expect(waits[index], `wait ${index + 1} of ${waits.map(Math.round).join(', ')}`).toBeLessThan(least + 950);
      });
    },
  },
  {
    name: 'backoff-after-the-deadline-too',
    promise: 'the retry policy also holds a message back whose deadline passed',
    methods: ['Subscriber.ModifyAckDeadline'],
    source: `${DOCS.rpc}#retrypolicy`,
    differs: POLICY_IGNORED,
    async run(world) {
      const { topic, path } = await world.pair({ retryPolicy: { minimumBackoff: { seconds: 2 }, maximumBackoff: { seconds: 5 } } });
      await publish(topic, 'x');
      const message = await pullOne(world, path);
      const startMs = performance.now();
      await modifyDeadline(world, path, 1, message);
      await pullOne(world, path, 20_000);
      expect(performance.now() - startMs).toBeGreaterThan(2_900);
    },
  },
  {
    name: 'backoff-of-one-message-only',
    promise: 'a message that backs off does not hold up the others',
    methods: ['Subscriber.Pull'],
    source: DOCS.retries,
    differs: POLICY_IGNORED,
    async run(world) {
      const { topic, path } = await world.pair({ retryPolicy: { minimumBackoff: { seconds: 5 }, maximumBackoff: { seconds: 5 } } });
      await publish(topic, 'refused');
      await nack(world, path, await pullOne(world, path));
      await publish(topic, 'others');
      expect((await pullOne(world, path)).text).toBe('others');
      expect(await pullNow(world, path)).toEqual([]);
    },
  },
  {
    name: 'attempts-are-counted',
    promise: 'with a dead-letter policy each delivery says which attempt it is, after a refusal and after a passed deadline',
    methods: ['dead letters', 'Subscriber.Pull'],
    source: DOCS.failures,
    differs: { cloud: BEST_EFFORT },
    async run(world) {
      const { topic, path } = await withDeadLetters(world);
      await publish(topic, 'x', 'y');
      const [x, y] = (await pull(world, path, 2)) as [Awaited<ReturnType<typeof pullOne>>, Awaited<ReturnType<typeof pullOne>>];
      expect([x.attempt, y.attempt]).toEqual([1, 1]);
      await nack(world, path, x);
      const again = await pullOne(world, path);
      expect([again.id, again.attempt]).toEqual([x.id, 2]);
      await modifyDeadline(world, path, 1, again);
      const third = await pullOne(world, path);
      expect([third.id, third.attempt]).toEqual([x.id, 3]);
    },
  },
  {
    name: 'no-policy-no-attempts',
    promise: 'without a dead-letter policy no delivery says an attempt',
    methods: ['dead letters', 'Subscriber.Pull'],
    source: `${DOCS.rpc}#receivedmessage`,
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'x');
      await nack(world, path, await pullOne(world, path));
      expect((await pullOne(world, path)).attempt).toBe(0);
    },
  },
  {
    name: 'dead-letter-after-n-attempts',
    promise: 'a message refused 5 times of 5 stands in the dead-letter topic with its bytes, its attributes and those that say where it comes from, and nowhere else',
    methods: ['dead letters'],
    source: DOCS.deadLetters,
    differs: { ...WITHOUT_ATTRIBUTES, cloud: BEST_EFFORT },
    async run(world) {
      const { topic, path, dead } = await withDeadLetters(world);
      const data = Buffer.from([0, 255, 128]);
      await topic.publishMessage({ data, attributes: { stream: 'events', größe: 'ü' }, orderingKey: 'k' } as never);
      const [{ publishMs }] = await peek(world, path);
      expect(await refuseTimes(world, path, 4)).toEqual([2, 3, 4, 5]);
      const letter = await pullOne(world, dead);
      expect(letter.data.equals(data)).toBe(true);
      expect(letter.attributes).toEqual({
        stream: 'events', größe: 'ü', CloudPubSubDeadLetterSourceDeliveryCount: '5', CloudPubSubDeadLetterSourceSubscription: path.split('/')[3],
        CloudPubSubDeadLetterSourceSubscriptionProject: world.launched.project, CloudPubSubDeadLetterSourceTopicPublishTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$/),
      });
      expect(Math.abs(Date.parse(letter.attributes['CloudPubSubDeadLetterSourceTopicPublishTime']!) - publishMs)).toBeLessThan(1);
      expect(letter.attempt).toBe(0);
      await expectNothing(world, path);
    },
  },
  {
    name: 'dead-letter-is-a-new-message',
    promise: 'a dead letter is a message of its topic: it has an id and a publish time of its own',
    methods: ['dead letters'],
    source: DOCS.deadLetters,
    differs: { cloud: BEST_EFFORT, independent: { reason: 'pstest hands the message on with its id' } },
    async run(world) {
      const { topic, path, dead } = await withDeadLetters(world);
      const [id] = await publish(topic, 'x');
      await new Promise((done) => setTimeout(done, 50));
      await refuseTimes(world, path, 5);
      const letter = await pullOne(world, dead);
      expect(letter.id).not.toBe(id);
      expect(letter.text).toBe('x');
    },
  },
  {
    name: 'not-dead-before-n-attempts',
    promise: 'a message acknowledged at its last attempt is not dead-lettered',
    methods: ['dead letters'],
    source: DOCS.deadLetters,
    differs: { cloud: BEST_EFFORT },
    async run(world) {
      const { topic, path, dead } = await withDeadLetters(world);
      await publish(topic, 'just in time');
      await refuseTimes(world, path, 4);
      const last = await pullOne(world, path);
      expect(last.attempt).toBe(5);
      await ack(world, path, last);
      await expectNothing(world, path);
      await expectNothing(world, dead, 0);
    },
  },
  {
    name: 'deadlines-count-as-attempts',
    promise: 'deadlines that pass bring a message to the dead-letter topic as refusals do',
    methods: ['dead letters'],
    source: `${DOCS.rpc}#deadletterpolicy`,
    differs: { ...WITHOUT_ATTRIBUTES, cloud: BEST_EFFORT },
    async run(world) {
      const { topic, path, dead } = await withDeadLetters(world);
      await publish(topic, 'forgotten');
      await refuseTimes(world, path, 3);
      await modifyDeadline(world, path, 1, await pullOne(world, path));
      await modifyDeadline(world, path, 1, await pullOne(world, path));
      expect((await pullOne(world, dead)).attributes['CloudPubSubDeadLetterSourceDeliveryCount']).toBe('5');
    },
  },
  {
    name: 'no-policy-no-dead-letter',
    promise: 'without a dead-letter policy a message is redelivered for ever: the tenth time as the first',
    methods: ['dead letters'],
    source: DOCS.deadLetters,
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'for ever');
      expect(await refuseTimes(world, path, 10)).toHaveLength(10);
      expect((await pullOne(world, path)).text).toBe('for ever');
    },
  },
  {
    name: 'dead-letter-topic-is-gone',
    promise: 'while the dead-letter topic is gone the message is kept and delivered again, beyond its attempts',
    methods: ['dead letters', 'Publisher.DeleteTopic'],
    source: DOCS.deadLetters,
    differs: { cloud: BEST_EFFORT, independent: { reason: 'pstest refuses to delete a topic that is used for dead letters' } },
    timeoutMs: 40_000,
    async run(world) {
      const { topic, path, deadTopic } = await withDeadLetters(world);
      await world.publisher.deleteTopic({ topic: deadTopic });
      await publish(topic, 'nowhere to go');
      await refuseTimes(world, path, 5);
      const sixth = await pullOne(world, path, 25_000);
      expect(sixth).toMatchObject({ text: 'nowhere to go' });
      expect(sixth.attempt).toBeGreaterThan(5);
      await ack(world, path, sixth);
      await expectNothing(world, path);
    },
  },
  {
    name: 'dead-letter-policy-removed',
    promise: 'a dead-letter policy that is taken away lets the message be redelivered beyond its attempts; one that is lowered dead-letters at the next refusal',
    methods: ['dead letters', 'Subscriber.UpdateSubscription'],
    source: DOCS.deadLetters,
    differs: { cloud: BEST_EFFORT, independent: { reason: 'pstest delivers the message no more once the policy has changed' } },
    async run(world) {
      const { topic, path, dead, deadTopic } = await withDeadLetters(world, {});
      const change = (deadLetterPolicy: object | null): Promise<unknown> => world.subscriber.updateSubscription({ subscription: { name: path, deadLetterPolicy }, updateMask: { paths: ['dead_letter_policy'] } });
      await change(null);
      await publish(topic, 'x');
      await refuseTimes(world, path, 6);
      await change({ deadLetterTopic: deadTopic, maxDeliveryAttempts: 5 });
      await refuseTimes(world, path, 1);
      let text = '';
      await until('the letter', async () => {
        text = (await pullNow(world, dead))[0]?.text ?? '';
        return text !== '';
      });
      expect(text).toBe('x');
    },
  },
];

/** Refuses once and looks: the publish time is needed before the message is dead. */
async function peek(world: PubSubWorld, path: string): Promise<[{ publishMs: number }]> {
  const message = await pullOne(world, path);
  await nack(world, path, message);
  return [message];
}
