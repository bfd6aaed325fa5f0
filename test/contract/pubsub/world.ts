// What a Pub/Sub contract case works with: Google's client at the address in PUBSUB_EMULATOR_HOST (or at Google), and names of its own.
import { PubSub, type Subscription, type Topic } from '@google-cloud/pubsub';
import type { Launched } from '../implementations.ts';
import { uniqueName } from '../wait.ts';

export type PubSubWorld = {
  launched: Launched;
  client: PubSub;
  /** A new topic; removed when the suite ends. */
  topic(options?: object): Promise<Topic>;
  subscription(topic: Topic, options?: object): Promise<Subscription>;
};

export async function openWorld(launched: Launched): Promise<PubSubWorld & { close(): Promise<void> }> {
  const client = new PubSub({ projectId: launched.project });
  const made: { delete(): Promise<unknown> }[] = [];
  return {
    launched, client,
    async topic(options = {}) {
      const [topic] = await client.createTopic({ name: uniqueName('topic'), ...options });
      made.push(topic);
      return topic;
    },
    async subscription(topic, options = {}) {
      const [subscription] = await topic.createSubscription(uniqueName('subscription'), options);
      made.push(subscription);
      return subscription;
    },
    async close() {
      // Only a real project outlives the suite.
      if (launched.implementation === 'cloud') await Promise.allSettled(made.toReversed().map((one) => one.delete()));
      await client.close();
    },
  };
}
