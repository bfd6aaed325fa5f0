// Which topics, subscriptions and snapshots there are, by name and by their number in the journal. store.ts applies changes here, live and after a crash.
import type { Backlog } from './backlog.ts';
import { durationMs } from './duration.ts';
import { parseFilter, type Filter } from './filter.ts';
import type { AdminChange } from './records.ts';
import { notFound } from './refusal.ts';
import type { SubscriptionResource, TopicResource } from './resources.ts';
import type { SnapshotResource } from './snapshots.ts';

export type Topic = { number: number; resource: TopicResource; subscriptions: Set<Subscription> };
export type Subscription = {
  number: number;
  resource: SubscriptionResource;
  /** Absent: the topic was deleted. */
  topic: Topic | undefined;
  backlog: Backlog;
  /** Absent: every message is for it. */
  filter: Filter | undefined;
  /** The last message that was handed out when it was made; it never had older ones. */
  madeAtId: number;
  /** Acknowledged, not yet written. */
  ackedIds: number[];
  /** On the steered clock; for expiry of idle subscriptions. */
  activeMs: number;
};

export class Catalogue {
  readonly topics = new Map<string, Topic>();
  readonly subscriptions = new Map<string, Subscription>();
  readonly snapshots = new Map<string, SnapshotResource>();
  private readonly topicNumbers = new Map<number, Topic>();
  private readonly subscriptionNumbers = new Map<number, Subscription>();
  /** Never used before, in this run or an earlier one. */
  nextNumber = 1;
  private readonly open: (number: number, resource: SubscriptionResource) => Subscription;
  private readonly closed: (subscription: Subscription) => void;

  /** `open` makes a subscription's backlog, `closed` lets go of what it held. */
  constructor(open: (number: number, resource: SubscriptionResource) => Subscription, closed: (subscription: Subscription) => void) {
    this.open = open;
    this.closed = closed;
  }

  topic(name: string): Topic {
    const topic = this.topics.get(name);
    if (topic === undefined) throw notFound(name);
    return topic;
  }

  subscription(name: string): Subscription {
    const subscription = this.subscriptions.get(name);
    if (subscription === undefined) throw notFound(name);
    return subscription;
  }

  snapshot(name: string): SnapshotResource {
    const snapshot = this.snapshots.get(name);
    if (snapshot === undefined) throw notFound(name);
    return snapshot;
  }

  topicNumbered(number: number): Topic | undefined {
    return this.topicNumbers.get(number);
  }

  subscriptionNumbered(number: number): Subscription | undefined {
    return this.subscriptionNumbers.get(number);
  }

  apply(change: AdminChange): void {
    if ('put_topic' in change) this.putTopic(change.put_topic.number, change.put_topic.topic);
    else if ('put_subscription' in change) this.putSubscription(change.put_subscription);
    else if ('delete_topic' in change) this.deleteTopic(change.delete_topic.number);
    else if ('delete_subscription' in change) this.deleteSubscription(change.delete_subscription.number);
    else if ('put_snapshot' in change) this.snapshots.set(change.put_snapshot.name, change.put_snapshot);
    else this.snapshots.delete(change.delete_snapshot.name);
  }

  /** All there is, as changes that make it anew. */
  everything(): AdminChange[] {
    return [
      ...[...this.topics.values()].map(({ number, resource }) => ({ put_topic: { number, topic: resource } })),
      ...[...this.subscriptions.values()].map(({ number, topic, resource, madeAtId }) => ({ put_subscription: { number, topic_number: topic?.number ?? 0, subscription: resource, made_at_id: madeAtId } })),
      ...[...this.snapshots.values()].map((snapshot) => ({ put_snapshot: snapshot })),
    ];
  }

  private putTopic(number: number, resource: TopicResource): void {
    this.nextNumber = Math.max(this.nextNumber, number + 1);
    const topic = this.topicNumbers.get(number) ?? { number, resource, subscriptions: new Set() };
    topic.resource = resource;
    this.topics.set(resource.name, topic);
    this.topicNumbers.set(number, topic);
  }

  private putSubscription({ number, topic_number, subscription: resource, made_at_id: madeAtId = 0 }: PutSubscription): void {
    this.nextNumber = Math.max(this.nextNumber, number + 1);
    const subscription = this.subscriptionNumbers.get(number) ?? this.open(number, resource);
    subscription.resource = resource;
    subscription.madeAtId = madeAtId;
    subscription.filter = resource.filter ? parseFilter(resource.filter) : undefined;
    subscription.backlog.rules = rulesOf(resource);
    subscription.topic = this.topicNumbers.get(topic_number);
    if (resource.detached === true) subscription.topic?.subscriptions.delete(subscription);
    else subscription.topic?.subscriptions.add(subscription);
    this.subscriptions.set(resource.name, subscription);
    this.subscriptionNumbers.set(number, subscription);
  }

  private deleteTopic(number: number): void {
    const topic = this.topicNumbers.get(number);
    if (topic === undefined) return;
    this.topics.delete(topic.resource.name);
    this.topicNumbers.delete(number);
    // Detached ones are not among its subscriptions, but still name it.
    for (const subscription of this.subscriptions.values()) {
      if (subscription.topic !== topic) continue;
      subscription.topic = undefined;
      subscription.resource = { ...subscription.resource, topic: '_deleted-topic_' };
    }
  }

  private deleteSubscription(number: number): void {
    const subscription = this.subscriptionNumbers.get(number);
    if (subscription === undefined) return;
    this.subscriptions.delete(subscription.resource.name);
    this.subscriptionNumbers.delete(number);
    subscription.topic?.subscriptions.delete(subscription);
    this.closed(subscription);
  }
}

type PutSubscription = Extract<AdminChange, { put_subscription: unknown }>['put_subscription'];

function rulesOf({ retry_policy, dead_letter_policy, enable_message_ordering, enable_exactly_once_delivery }: SubscriptionResource): Backlog['rules'] {
  return {
    isOrdered: enable_message_ordering === true, isExactlyOnce: enable_exactly_once_delivery === true,
    ...(retry_policy && { backoffMs: { min: durationMs(retry_policy.minimum_backoff!), max: durationMs(retry_policy.maximum_backoff!) } }),
    ...(dead_letter_policy && { attemptsMax: dead_letter_policy.max_delivery_attempts! }),
  };
}
