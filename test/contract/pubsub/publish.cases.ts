// Contract cases of publishing: what a message is made of when it comes out again.
import { expect } from 'vitest';
import type { Message } from '@google-cloud/pubsub';
import type { ContractCase } from '../contract.ts';
import type { PubSubWorld } from './world.ts';

export const PUBLISH_CASES: readonly ContractCase<PubSubWorld>[] = [
  {
    name: 'data-and-attributes-exact',
    promise: 'a message is delivered with the bytes and the attributes that were published',
    methods: ['Publisher.Publish', 'Subscriber.StreamingPull'],
    source: 'https://docs.cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1#pubsubmessage',
    async run({ topic, subscription }) {
      const made = await topic();
      const reader = await subscription(made);
      const data = Buffer.from([0, 255, 10, 13, 195, 40]);
      const arrived = new Promise<Message>((done, fail) => reader.once('message', done).once('error', fail));
      const id = await made.publishMessage({ data, attributes: { stream: 'events', größe: 'ü' } });
      const message = await arrived;
      message.ack();
      await reader.close();
      expect(message.id).toBe(id);
      expect(message.data.equals(data)).toBe(true);
      expect(message.attributes).toEqual({ stream: 'events', größe: 'ü' });
    },
  },
];
