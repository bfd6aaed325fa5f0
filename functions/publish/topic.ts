// Google's Pub/Sub client as the one function that the publisher needs. One long-lived client per instance: a client per request
// leaks connections. `PubSub` finds project, address and credentials; messages go through its generated client, since our messages
// are batches already and the batching layer above it would cost half as much again a message. Its retries (600 s) are ours.
import { PubSub, v1 } from '@google-cloud/pubsub';
import type { PublishCall } from './send.ts';

export type OpenTopic = (name: string) => PublishCall;

export function openTopics(projectId: string): OpenTopic {
  const { options } = new PubSub({ projectId });
  const client = new v1.PublisherClient(options as ConstructorParameters<typeof v1.PublisherClient>[0]);
  return (name) => {
    const topic = `projects/${projectId}/topics/${name}`;
    return async (data, attributes, timeoutMs) => {
      const [{ messageIds }] = await client.publish({ topic, messages: [{ data, attributes }] }, { timeout: timeoutMs, retry: null as never });
      const messageId = messageIds?.[0];
      if (messageId === undefined) throw new Error('Pub/Sub answered without a message id');
      return messageId;
    };
  };
}
