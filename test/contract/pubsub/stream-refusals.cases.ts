// Contract cases of requests on a stream that end it.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { until } from '../wait.ts';
import { openStream } from './stream.ts';
import { CODE, DOCS, publish, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;

/** What ends a stream with INVALID_ARGUMENT, as the first request or as a later one. */
const WRONG: { name: string; what: string; first?: object; later?: (ackId: string) => object; isCrash?: true }[] = [
  { name: 'no-deadline', what: 'a first request without an ack deadline', first: { streamAckDeadlineSeconds: 0 } },
  { name: 'deadline-of-9', what: 'a stream ack deadline of 9 s', first: { streamAckDeadlineSeconds: 9 } },
  { name: 'deadline-of-601', what: 'a stream ack deadline of 601 s', first: { streamAckDeadlineSeconds: 601 } },
  { name: 'subscription-again', what: 'a later request that names a subscription', later: () => ({ subscription: 'projects/p/subscriptions/other' }) },
  { name: 'bounds-later', what: 'a later request that sets max_outstanding_messages', later: () => ({ maxOutstandingMessages: 5 }) },
  { name: 'malformed-ack-id', what: 'a malformed ack id', later: () => ({ ackIds: ['made up'] }) },
  { name: 'uneven-lists', what: 'a request with more ack ids than deadlines', later: (ackId) => ({ modifyDeadlineAckIds: [ackId], modifyDeadlineSeconds: [] }), isCrash: true },
  { name: 'negative-deadline', what: 'a negative deadline for a message', later: (ackId) => ({ modifyDeadlineAckIds: [ackId], modifyDeadlineSeconds: [-1] }) },
];

export const STREAM_REFUSAL_CASES: readonly Case[] = WRONG.map(({ name, what, first, later, isCrash }) => ({
  name: `stream-refuses-${name}`,
  promise: `${what} ends the stream with INVALID_ARGUMENT`,
  methods: ['Subscriber.StreamingPull'],
  source: `${DOCS.rpc}#streamingpullrequest`,
  differs: { independent: isCrash === true ? { reason: 'it ends the process of pstest', isSkipped: true } : { reason: 'pstest takes it, and the stream stays open' } },
  async run(world) {
    const { topic, path } = await world.pair();
    const stream = openStream(world, path, first);
    try {
      if (later !== undefined) {
        await publish(topic, 'x');
        await until('a message', () => stream.received().length === 1);
        stream.write(later(stream.received()[0]!.ackId));
      }
      expect(await stream.endedSoon()).toBe(CODE.INVALID_ARGUMENT);
    } finally {
      stream.close();
    }
  },
}));
