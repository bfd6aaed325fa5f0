// Contract cases of synchronous pull: how many come, when they come again, and what acknowledging and deadlines do.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { ack, CODE, DOCS, expectNothing, expectRefusal, modifyDeadline, nack, publish, pull, pullNow, pullOne, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;

const timed = async <T>(run: () => Promise<T>): Promise<[T, number]> => {
  const startMs = performance.now();
  return [await run(), performance.now() - startMs];
};

export const PULL_CASES: readonly Case[] = [
  {
    name: 'pull-max-messages',
    promise: 'a pull returns no more messages than it asks for, and the next one returns others while those are outstanding',
    methods: ['Subscriber.Pull'],
    source: `${DOCS.rpc}#pullrequest`,
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'a', 'b', 'c', 'd', 'e');
      const [{ receivedMessages: first }] = await world.subscriber.pull({ subscription: path, maxMessages: 2 });
      expect(first!.length).toBeGreaterThan(0);
      expect(first!.length).toBeLessThanOrEqual(2);
      const rest = await pull(world, path, 5 - first!.length);
      const ids = [...first!.map(({ message }) => message!.messageId!), ...rest.map(({ id }) => id)];
      expect(new Set(ids).size).toBe(5);
      expect(await pullNow(world, path)).toEqual([]);
    },
  },
  ...[0, -1].map((maxMessages): Case => ({
    name: `pull-of-${maxMessages === 0 ? 'zero' : 'minus-one'}`,
    promise: `a pull of ${maxMessages} messages is refused with INVALID_ARGUMENT`,
    ...(maxMessages === 0 ? { differs: { independent: { reason: 'pstest answers it with nothing' } } } : {}),
    methods: ['Subscriber.Pull'],
    source: `${DOCS.rpc}#pullrequest`,
    async run({ pair, subscriber }) {
      const { path } = await pair();
      await expectRefusal(subscriber.pull({ subscription: path, maxMessages, returnImmediately: true }), 'INVALID_ARGUMENT');
    },
  })),
  {
    name: 'pull-returns-immediately',
    promise: 'a pull that asks to return immediately is answered at once, empty when there is nothing',
    methods: ['Subscriber.Pull'],
    source: `${DOCS.rpc}#pullrequest`,
    async run(world) {
      const { path } = await world.pair();
      const [came, ms] = await timed(() => pullNow(world, path));
      expect(came).toEqual([]);
      expect(ms).toBeLessThan(4_000);
    },
  },
  {
    name: 'pull-waits-for-a-message',
    promise: 'a pull waits a while for the first message, and is answered as soon as it comes',
    methods: ['Subscriber.Pull'],
    source: `${DOCS.rpc}#pullrequest`,
    async run(world) {
      const { topic, path } = await world.pair();
      const waiting = timed(() => pull(world, path));
      await new Promise((done) => setTimeout(done, 500));
      await publish(topic, 'at last');
      const [[message], ms] = await waiting;
      expect(message!.text).toBe('at last');
      expect(ms).toBeGreaterThan(450);
      expect(ms).toBeLessThan(4_800);
    },
  },
  {
    name: 'acknowledged-never-comes-again',
    promise: 'an acknowledged message is gone for good, and acknowledging it again is no error',
    methods: ['Subscriber.Acknowledge'],
    source: `${DOCS.rpc}#subscriber`,
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'once', 'twice');
      const messages = await pull(world, path, 2);
      await ack(world, path, ...messages);
      await ack(world, path, ...messages);
      await nack(world, path, ...messages);
      await expectNothing(world, path);
    },
  },
  {
    name: 'nack-redelivers',
    promise: 'a message whose deadline is set to 0 is redelivered at once, the same id, bytes and publish time, under another ack id',
    methods: ['Subscriber.ModifyAckDeadline'],
    source: `${DOCS.rpc}#modifyackdeadlinerequest`,
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'again');
      const [first] = await pull(world, path);
      await nack(world, path, first!);
      const [[second], ms] = await timed(() => pull(world, path));
      expect(second).toMatchObject({ id: first!.id, text: 'again', publishMs: first!.publishMs });
      expect(second!.ackId).not.toBe(first!.ackId);
      expect(ms).toBeLessThan(3_000);
    },
  },
  {
    name: 'redelivered-after-the-deadline',
    promise: 'a message that nobody acknowledges in its deadline of 10 s is redelivered after it, and not before',
    methods: ['Subscriber.Pull'],
    source: `${DOCS.rpc}#subscription`,
    async run(world) {
      const { topic, path } = await world.pair({ ackDeadlineSeconds: 10 });
      await publish(topic, 'slow');
      const [[first, again], ms] = await timed(async () => [await pullOne(world, path), await pullOne(world, path, 25_000)]);
      expect(again!.id).toBe(first!.id);
      expect(ms).toBeGreaterThan(9_990);
      expect(ms).toBeLessThan(20_000);
    },
  },
  {
    name: 'redelivered-after-a-longer-deadline',
    promise: 'the deadline of a pulled message is the one of its subscription: with 15 s it is not redelivered after 13, but soon after 15',
    methods: ['Subscriber.Pull'],
    source: `${DOCS.rpc}#subscription`,
    timeoutMs: 60_000,
    async run(world) {
      const { topic, path } = await world.pair({ ackDeadlineSeconds: 15 });
      await publish(topic, 'slower');
      const [[first, again], ms] = await timed(async () => [await pullOne(world, path), await pullOne(world, path, 30_000)]);
      expect(again!.id).toBe(first!.id);
      expect(ms).toBeGreaterThan(14_990);
      expect(ms).toBeLessThan(25_000);
    },
  },
  {
    name: 'deadline-set-shorter',
    promise: 'a deadline changed to 1 s passes 1 s after the change',
    methods: ['Subscriber.ModifyAckDeadline'],
    source: `${DOCS.rpc}#modifyackdeadlinerequest`,
    async run(world) {
      const { topic, path } = await world.pair({ ackDeadlineSeconds: 60 });
      await publish(topic, 'short');
      const first = await pullOne(world, path);
      const [again, ms] = await timed(async () => {
        await modifyDeadline(world, path, 1, first);
        return pullOne(world, path);
      });
      expect(again.id).toBe(first.id);
      expect(ms).toBeGreaterThan(990);
    },
  },
  {
    name: 'deadline-extended',
    promise: 'a deadline that is extended in time holds the message back for that much longer, and the old ack id still acknowledges it',
    methods: ['Subscriber.ModifyAckDeadline', 'Subscriber.Acknowledge'],
    source: `${DOCS.rpc}#modifyackdeadlinerequest`,
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'long');
      const [first] = await pull(world, path);
      await modifyDeadline(world, path, 4, first!);
      await new Promise((done) => setTimeout(done, 1_500));
      await modifyDeadline(world, path, 10, first!);
      await new Promise((done) => setTimeout(done, 3_500));
      expect(await pullNow(world, path)).toEqual([]);
      await ack(world, path, first!);
      await expectNothing(world, path, 1_500);
    },
  },
  ...([[-1, false], [0, true], [600, true], [601, false]] as const).map(([seconds, isTaken]): Case => ({
    name: `modify-deadline-${seconds === -1 ? 'minus-one' : seconds}`,
    promise: `changing a deadline to ${seconds} s is ${isTaken ? 'taken' : 'refused with INVALID_ARGUMENT, and the deadline stays'}`,
    methods: ['Subscriber.ModifyAckDeadline'],
    source: `${DOCS.rpc}#modifyackdeadlinerequest`,
    ...(isTaken ? {} : { differs: { independent: { reason: 'pstest takes any deadline' } } }),
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'x');
      const [message] = await pull(world, path);
      if (isTaken) await modifyDeadline(world, path, seconds, message!);
      else {
        await expectRefusal(modifyDeadline(world, path, seconds, message!), 'INVALID_ARGUMENT');
        expect(await pullNow(world, path)).toEqual([]);
      }
    },
  })),
  {
    name: 'ack-after-the-deadline',
    promise: 'an acknowledgement that comes after the deadline, while nobody else has the message, still counts',
    methods: ['Subscriber.Acknowledge'],
    source: `${DOCS.rpc}#subscriber`,
    differs: { cloud: { reason: 'Google says that it may succeed; ours always lets it', isSkipped: true } },
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'late');
      const [message] = await pull(world, path);
      await modifyDeadline(world, path, 1, message!);
      await new Promise((done) => setTimeout(done, 1_300));
      await ack(world, path, message!);
      await expectNothing(world, path);
    },
  },
  {
    name: 'ack-id-of-another-subscription',
    promise: 'the ack id of another subscription acknowledges nothing, neither here nor there',
    methods: ['Subscriber.Acknowledge', 'Subscriber.ModifyAckDeadline'],
    source: DOCS.errors,
    async run(world) {
      const { topic, path } = await world.pair();
      const other = await world.subscription(topic);
      await publish(topic, 'two copies');
      const [mine] = await pull(world, path);
      const [theirs] = await pull(world, other);
      await ack(world, other, mine!).catch((error: { code: number }) => expect(error.code).toBe(CODE.INVALID_ARGUMENT));
      await nack(world, other, mine!).catch((error: { code: number }) => expect(error.code).toBe(CODE.INVALID_ARGUMENT));
      await nack(world, path, mine!);
      await nack(world, other, theirs!);
      expect((await pull(world, path)).map(({ id }) => id)).toEqual([mine!.id]);
      expect((await pull(world, other)).map(({ id }) => id)).toEqual([mine!.id]);
    },
  },
  {
    name: 'ack-ids-refused',
    promise: 'acknowledging nothing, or something that is no ack id, is refused with INVALID_ARGUMENT; so is changing its deadline',
    methods: ['Subscriber.Acknowledge', 'Subscriber.ModifyAckDeadline'],
    source: `${DOCS.rpc}#acknowledgerequest`,
    differs: { independent: { reason: 'pstest ignores ack ids that it does not know' } },
    async run({ pair, subscriber }) {
      const { path } = await pair();
      await expectRefusal(subscriber.acknowledge({ subscription: path, ackIds: [] }), 'INVALID_ARGUMENT');
      await expectRefusal(subscriber.acknowledge({ subscription: path, ackIds: ['made up'] }), 'INVALID_ARGUMENT', /invalid ack ID/);
      await expectRefusal(subscriber.modifyAckDeadline({ subscription: path, ackIds: [], ackDeadlineSeconds: 10 }), 'INVALID_ARGUMENT');
      await expectRefusal(subscriber.modifyAckDeadline({ subscription: path, ackIds: ['made up'], ackDeadlineSeconds: 10 }), 'INVALID_ARGUMENT', /invalid ack ID/);
    },
  },
  {
    name: 'acknowledge-too-much-at-once',
    promise: 'an Acknowledge or ModifyAckDeadline request of more than 512 KiB is refused with INVALID_ARGUMENT',
    methods: ['Subscriber.Acknowledge', 'Subscriber.ModifyAckDeadline'],
    source: DOCS.quotas,
    differs: { independent: { reason: 'pstest does not limit these requests' } },
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, 'x');
      const { ackId } = await pullOne(world, path);
      const ids = (bytes: number): string[] => Array.from({ length: Math.floor(bytes / (Buffer.byteLength(ackId) + 2)) }, () => ackId);
      await expectRefusal(world.subscriber.acknowledge({ subscription: path, ackIds: ids(525_000) }), 'INVALID_ARGUMENT', /524288/);
      await expectRefusal(world.subscriber.modifyAckDeadline({ subscription: path, ackIds: ids(525_000), ackDeadlineSeconds: 0 }), 'INVALID_ARGUMENT', /524288/);
      expect(await pullNow(world, path)).toEqual([]);
      await world.subscriber.acknowledge({ subscription: path, ackIds: ids(500_000) });
    },
  },
  {
    name: 'two-subscribers-share',
    promise: 'two that pull from one subscription at once never hold the same message',
    methods: ['Subscriber.Pull'],
    source: DOCS.pull,
    async run(world) {
      const { topic, path } = await world.pair();
      await publish(topic, ...Array.from({ length: 60 }, (_, n) => `n${n}`));
      const both = await Promise.all([pull(world, path, 30), pull(world, path, 30)]);
      expect(new Set(both.flat().map(({ id }) => id)).size).toBe(60);
    },
  },
];
