// The calls of google.pubsub.v1.Publisher: requests in, answers or Google's refusals out. server.ts registers them.
import { pageOf, prefixOf, type Call, type PageRequest, type Request } from './calls.ts';
import type { Subscription } from './catalogue.ts';
import { applyMask } from './field-mask.ts';
import { checkPublish } from './publish-limits.ts';
import { Refusal } from './refusal.ts';
import { checkName, checkTopic, TOPIC_CHANGEABLE } from './resources.ts';
import type { Store } from './store.ts';
import { topicView } from './views.ts';
import type { PublishRequest } from './wire.ts';

/** How long a reordered publish is held back, so that others overtake it. */
const REORDER_MS = 1_000;

/** `changed` is told of a subscription whose receivers must look again. */
export function publisherCalls(store: Store, changed: (subscription: Subscription) => void): Record<string, Call> {
  const { catalogue } = store;
  return {
    async CreateTopic(request: Request) {
      const topic = checkTopic(request);
      await store.createTopic(topic);
      return topicView(topic);
    },
    async UpdateTopic({ topic: patch, update_mask: mask }: { topic?: Request; update_mask?: { paths?: string[] } }) {
      const topic = catalogue.topic(checkName('topics', patch?.['name'] as string));
      const updated = checkTopic(applyMask(topic.resource, patch!, mask?.paths, TOPIC_CHANGEABLE));
      await store.updateTopic(topic, updated);
      return topicView(updated);
    },
    async GetTopic({ topic }: { topic: string }) {
      return topicView(catalogue.topic(checkName('topics', topic)).resource);
    },
    async ListTopics(request: PageRequest & { project?: string }) {
      const prefix = prefixOf(request.project);
      const { items, next } = pageOf([...catalogue.topics.values()].map(({ resource }) => resource).filter(({ name }) => name.startsWith(prefix)), request);
      return { topics: items.map(topicView), next_page_token: next };
    },
    async ListTopicSubscriptions(request: PageRequest & { topic: string }) {
      const { items, next } = pageOf([...catalogue.topic(checkName('topics', request.topic)).subscriptions].map(({ resource }) => resource), request);
      return { subscriptions: items.map(({ name }) => name), next_page_token: next };
    },
    async ListTopicSnapshots(request: PageRequest & { topic: string }) {
      const { number } = catalogue.topic(checkName('topics', request.topic));
      const { items, next } = pageOf([...catalogue.snapshots.values()].filter(({ topic_number }) => topic_number === number), request);
      return { snapshots: items.map(({ name }) => name), next_page_token: next };
    },
    async DeleteTopic({ topic }: { topic: string }) {
      await store.deleteTopic(catalogue.topic(checkName('topics', topic)));
      return {};
    },
    async DetachSubscription({ subscription: name }: { subscription: string }) {
      const subscription = catalogue.subscription(checkName('subscriptions', name));
      await store.detachSubscription(subscription);
      changed(subscription);
      return {};
    },
    async Publish(request: PublishRequest, { fault, bytes }) {
      const topic = catalogue.topic(checkName('topics', request.topic));
      checkPublish(request, bytes);
      if (fault === 'lose') return { message_ids: request.messages.map((_, index) => String(Date.now() * 1_000 + index)) };
      if (fault === 'truncate') {
        await store.publish(topic, request.messages.slice(0, Math.ceil(request.messages.length / 2)));
        throw new Refusal('UNAVAILABLE', 'A fault plan asked for a publish by halves.');
      }
      const ids = await store.publish(topic, request.messages, fault === 'reorder' ? REORDER_MS : 0);
      if (fault === 'duplicate') await store.publish(topic, request.messages);
      return { message_ids: ids };
    },
  } as Record<string, Call>;
}
