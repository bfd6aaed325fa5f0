// The gRPC calls of Publisher and Subscriber: requests in, answers or Google's refusals out. server.ts registers them.
import { pauseFor, type FaultKind, type Faults } from '../faults.ts';
import { isAckId } from './backlog.ts';
import type { Subscription } from './catalogue.ts';
import { checkPublish } from './publish-limits.ts';
import { invalid, Refusal, refusalByName, unsupported } from './refusal.ts';
import { applyMask, checkPushConfig, checkSubscription, checkTopic, checkName, type PushConfig } from './resources.ts';
import { seek } from './retention.ts';
import type { Store } from './store.ts';
import { pullOnce } from './stream.ts';
import type { PublishRequest } from './wire.ts';

type Request = Record<string, unknown>;
/** `fault`: what a plan wants of this call beyond waiting and failing, which are done before. */
export type Call = (request: never, fault: FaultKind | undefined) => Promise<unknown>;

const ACK_DEADLINE_SECONDS_MAX = 600;
const PULL_WAIT_MS = 5_000;
/** How long a reordered publish is held back, so that others overtake it. */
const REORDER_MS = 200;
const PAGE_SIZE = { default: 100, max: 1_000 };
const TOPIC_FIELDS = ['labels', 'message_retention_duration', 'message_storage_policy'];
const SUBSCRIPTION_FIELDS = ['push_config', 'ack_deadline_seconds', 'retain_acked_messages', 'message_retention_duration', 'labels', 'expiration_policy', 'dead_letter_policy', 'retry_policy'];

/** Runs a call under the fault plan that meets it, if one does. */
export async function underFaults(faults: Faults, method: string, resource: string, run: (fault: FaultKind | undefined) => Promise<unknown>): Promise<unknown> {
  const plan = faults.take(method, resource);
  if (plan === undefined) return run(undefined);
  const isAnswerLost = plan.kind === 'fail' || plan.kind === 'hang';
  if (isAnswerLost && plan.takes_effect) await run(undefined);
  await pauseFor(plan);
  if (plan.kind === 'fail') throw refusalByName(plan.status ?? 'UNAVAILABLE');
  return run(plan.kind);
}

export function publisherCalls(store: Store): Record<string, Call> {
  const { catalogue } = store;
  return {
    async CreateTopic(request: Request) {
      const topic = checkTopic(request);
      await store.createTopic(topic);
      return topic;
    },
    async UpdateTopic({ topic: patch, update_mask: mask }: { topic: Request; update_mask?: { paths?: string[] } }) {
      const topic = catalogue.topic(String(patch?.['name'] ?? ''));
      const changed = checkTopic(applyMask(topic.resource, patch, mask?.paths, TOPIC_FIELDS));
      await store.updateTopic(topic, changed);
      return changed;
    },
    async GetTopic({ topic }: { topic: string }) {
      return catalogue.topic(checkName('topics', topic)).resource;
    },
    async ListTopics(request: { project: string; page_size?: number; page_token?: string }) {
      const { items, next } = pageOf([...catalogue.topics.values()].map(({ resource }) => resource).filter(({ name }) => name.startsWith(`${request.project}/`)), request);
      return { topics: items, next_page_token: next };
    },
    async ListTopicSubscriptions(request: { topic: string; page_size?: number; page_token?: string }) {
      const { items, next } = pageOf([...catalogue.topic(request.topic).subscriptions].map(({ resource }) => resource), request);
      return { subscriptions: items.map(({ name }) => name), next_page_token: next };
    },
    async DeleteTopic({ topic }: { topic: string }) {
      await store.deleteTopic(catalogue.topic(checkName('topics', topic)));
      return {};
    },
    async Publish(request: PublishRequest, fault) {
      const topic = catalogue.topic(checkName('topics', request.topic));
      checkPublish(request);
      if (fault === 'lose') return { message_ids: request.messages.map((_, index) => String(Date.now() * 1_000 + index)) };
      const ids = await store.publish(topic, request.messages, fault === 'reorder' ? REORDER_MS : 0);
      if (fault === 'duplicate') await store.publish(topic, request.messages);
      return { message_ids: ids };
    },
  } as Record<string, Call>;
}

export function subscriberCalls(store: Store, pushChanged: (subscription: Subscription) => void): Record<string, Call> {
  const { catalogue } = store;
  const named = (name: string): Subscription => {
    const subscription = catalogue.subscription(checkName('subscriptions', name));
    return subscription;
  };
  return {
    async CreateSubscription(request: Request) {
      checkName('topics', request['topic'] as string);
      const resource = checkSubscription(request);
      await store.createSubscription(resource);
      pushChanged(named(resource.name));
      return resource;
    },
    async GetSubscription({ subscription }: { subscription: string }) {
      return named(subscription).resource;
    },
    async UpdateSubscription({ subscription: patch, update_mask: mask }: { subscription: Request; update_mask?: { paths?: string[] } }) {
      const subscription = named(String(patch?.['name'] ?? ''));
      const changed = checkSubscription(applyMask(subscription.resource, patch, mask?.paths, SUBSCRIPTION_FIELDS));
      await store.updateSubscription(subscription, changed);
      pushChanged(subscription);
      return changed;
    },
    async ListSubscriptions(request: { project: string; page_size?: number; page_token?: string }) {
      const { items, next } = pageOf([...catalogue.subscriptions.values()].map(({ resource }) => resource).filter(({ name }) => name.startsWith(`${request.project}/`)), request);
      return { subscriptions: items, next_page_token: next };
    },
    async DeleteSubscription({ subscription: name }: { subscription: string }) {
      const subscription = named(name);
      await store.deleteSubscription(subscription);
      pushChanged(subscription);
      return {};
    },
    async ModifyPushConfig({ subscription: name, push_config: push }: { subscription: string; push_config?: PushConfig }) {
      const subscription = named(name);
      checkPushConfig(push);
      await store.updateSubscription(subscription, { ...subscription.resource, push_config: push ?? {} });
      pushChanged(subscription);
      return {};
    },
    async Pull({ subscription: name, max_messages: messagesMax = 0, return_immediately: isImmediate }: { subscription: string; max_messages?: number; return_immediately?: boolean }) {
      const subscription = named(name);
      refusePush(subscription);
      if (messagesMax <= 0) throw invalid(`The value for max_messages is too small. You passed ${messagesMax} in the request, but the minimum value is 1.`);
      return pullOnce(store, subscription, messagesMax, isImmediate ? 10 : PULL_WAIT_MS);
    },
    async Acknowledge({ subscription: name, ack_ids: ackIds = [] }: { subscription: string; ack_ids?: string[] }, fault) {
      const subscription = named(name);
      checkAckIds(ackIds);
      if (fault !== 'lose') for (const ackId of ackIds) subscription.backlog.ack(ackId);
      subscription.activeMs = store.now();
      return {};
    },
    async ModifyAckDeadline({ subscription: name, ack_ids: ackIds = [], ack_deadline_seconds: seconds = 0 }: { subscription: string; ack_ids?: string[]; ack_deadline_seconds?: number }, fault) {
      const subscription = named(name);
      checkAckIds(ackIds);
      if (seconds < 0 || seconds > ACK_DEADLINE_SECONDS_MAX) throw invalid(`Invalid ack deadline given (ack_deadline_seconds=${seconds}): it must be between 0 and ${ACK_DEADLINE_SECONDS_MAX} seconds.`);
      if (fault !== 'lose') for (const ackId of ackIds) subscription.backlog.extend(ackId, seconds * 1_000);
      return {};
    },
    async Seek({ subscription: name, time, snapshot }: { subscription: string; time?: { seconds?: string; nanos?: number }; snapshot?: string }) {
      if (snapshot) throw unsupported('snapshots; seek to a time');
      if (!time) throw invalid('A seek needs a time.');
      await seek(store, named(name), Number(time.seconds ?? 0) * 1_000 + (time.nanos ?? 0) / 1_000_000);
      return {};
    },
  } as Record<string, Call>;
}

export function refusePush({ resource }: Subscription): void {
  if (resource.push_config?.push_endpoint) throw new Refusal('FAILED_PRECONDITION', 'This method is not supported for this subscription type.');
}

function checkAckIds(ackIds: readonly string[]): void {
  if (ackIds.length === 0) throw invalid('No ack ids specified.');
  const wrong = ackIds.find((ackId) => !isAckId(ackId));
  if (wrong !== undefined) throw invalid(`You have passed an invalid ack ID to the service (ack_id=${wrong}).`);
}

/** One page by name; the token is the name of the page's last item. */
function pageOf<T extends { name: string }>(items: T[], { page_size: size = 0, page_token: token = '' }: { page_size?: number; page_token?: string }): { items: T[]; next: string } {
  const sorted = items.sort((a, b) => (a.name < b.name ? -1 : 1)).filter(({ name }) => name > token);
  const page = sorted.slice(0, size > 0 ? Math.min(size, PAGE_SIZE.max) : PAGE_SIZE.default);
  return { items: page, next: sorted.length > page.length ? page.at(-1)!.name : '' };
}
