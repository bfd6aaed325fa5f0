// Google's Pub/Sub client as the one function that the publisher needs. One long-lived client per instance: a client per request
// leaks connections. Its own batching is off, since our messages are batches already, and its own retries (600 s) are ours.
import { PubSub } from '@google-cloud/pubsub';
import type { PublishCall } from './send.ts';

export type OpenTopic = (name: string, timeoutMs: number) => PublishCall;

export function openTopics(projectId: string): OpenTopic {
  const client = new PubSub({ projectId });
  return (name, timeoutMs) => {
    const topic = client.topic(name, { batching: { maxMessages: 1 }, gaxOpts: { timeout: timeoutMs, retry: null as never } });
    return (data, attributes) => topic.publishMessage({ data, attributes });
  };
}
