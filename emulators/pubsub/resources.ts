// Topics and subscriptions as requests carry them (google.pubsub.v1, field names as in the .proto), with Google's defaults and refusals.
import { durationMs, durationOf, type Duration } from './duration.ts';
import { parseFilter } from './filter.ts';
import { checkPushConfig, type PushConfig } from './push-config.ts';
import { invalid, unsupported } from './refusal.ts';

export type TopicResource = { name: string; labels?: Record<string, string>; message_retention_duration?: Duration };
export type SubscriptionResource = {
  name: string;
  topic: string;
  push_config?: PushConfig;
  ack_deadline_seconds?: number;
  retain_acked_messages?: boolean;
  message_retention_duration?: Duration;
  labels?: Record<string, string>;
  enable_message_ordering?: boolean;
  enable_exactly_once_delivery?: boolean;
  expiration_policy?: { ttl?: Duration };
  filter?: string;
  dead_letter_policy?: { dead_letter_topic?: string; max_delivery_attempts?: number };
  retry_policy?: { minimum_backoff?: Duration; maximum_backoff?: Duration };
  detached?: boolean;
};

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** pubsub.proto; quotas of cloud.google.com/pubsub/quotas. */
export const ACK_DEADLINE_SECONDS = { min: 10, max: 600, default: 10 };
const RETENTION_MS = { min: 10 * MINUTE, max: 31 * DAY, default: 7 * DAY };
const EXPIRATION_MS = { min: 1 * DAY, default: 31 * DAY };
const BACKOFF_MS = { max: 600 * SECOND, defaultMin: 10 * SECOND };
const ATTEMPTS = { min: 5, max: 100, default: 5 };
/** https://docs.cloud.google.com/pubsub/docs/create-topic-labels */
const LABELS_MAX = 64;
const LABEL_KEY = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const LABEL_VALUE = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;

/** Refused by name: nothing that a user sets may be taken and not done. */
const TOPIC_ABSENT = {
  message_storage_policy: 'message storage policies (there are no regions here)', kms_key_name: 'customer-managed keys', schema_settings: 'schemas on topics',
  ingestion_data_source_settings: 'ingestion from other sources', message_transforms: 'message transforms', tags: 'tags',
};
const SUBSCRIPTION_ABSENT = {
  bigquery_config: 'BigQuery subscriptions', cloud_storage_config: 'Cloud Storage subscriptions', bigtable_config: 'Bigtable subscriptions', message_transforms: 'message transforms', tags: 'tags',
};
/** Said by the service only; Google ignores them in requests. */
const TOPIC_SAID = ['state', 'satisfies_pzs'];
const SUBSCRIPTION_SAID = ['state', 'topic_message_retention_duration', 'analytics_hub_subscription_info'];

/** What UpdateTopic and UpdateSubscription may name; the absent ones are refused by name when they have a value. */
export const TOPIC_CHANGEABLE: readonly string[] = ['labels', 'message_retention_duration', ...Object.keys(TOPIC_ABSENT).filter((name) => name !== 'tags')];
export const SUBSCRIPTION_CHANGEABLE: readonly string[] = [
  'push_config', 'ack_deadline_seconds', 'retain_acked_messages', 'message_retention_duration', 'labels', 'expiration_policy', 'dead_letter_policy', 'retry_policy',
  'enable_exactly_once_delivery', ...Object.keys(SUBSCRIPTION_ABSENT).filter((name) => name !== 'tags'),
];

/** 3-255 characters of this set after a letter, and not Google's own prefix. */
export function checkName(kind: 'topics' | 'subscriptions' | 'snapshots', name: string | undefined): string {
  const match = /^projects\/([^/]+)\/(topics|subscriptions|snapshots)\/([A-Za-z][A-Za-z0-9._~%+-]{2,254})$/.exec(name ?? '');
  if (match === null || match[2] !== kind || match[3]!.startsWith('goog')) throw invalid(`Invalid [${kind}] name: (name=${name ?? ''})`);
  return name!;
}

export function checkTopic(topic: Record<string, unknown>): TopicResource {
  checkName('topics', topic['name'] as string);
  refuseFields(topic, TOPIC_ABSENT);
  const resource = without(topic, TOPIC_SAID) as TopicResource;
  checkLabels(resource.labels);
  if (resource.message_retention_duration) checkRetention(resource.message_retention_duration);
  return resource;
}

export function checkSubscription(subscription: Record<string, unknown>, before?: SubscriptionResource): SubscriptionResource {
  refuseFields(subscription, SUBSCRIPTION_ABSENT);
  const given = without(subscription, SUBSCRIPTION_SAID) as SubscriptionResource;
  checkName('subscriptions', given.name);
  checkLabels(given.labels);
  if (given.detached && before?.detached !== true) throw invalid('A subscription is detached by DetachSubscription, not by its field.');
  if (given.filter) parseFilter(given.filter);
  const push = checkPushConfig(given.push_config, before?.push_config);
  if (given.enable_exactly_once_delivery && push.push_endpoint) throw invalid('Exactly-once delivery is for pull subscriptions only.');
  const ackDeadline = given.ack_deadline_seconds || ACK_DEADLINE_SECONDS.default;
  if (ackDeadline < ACK_DEADLINE_SECONDS.min || ackDeadline > ACK_DEADLINE_SECONDS.max) {
    throw invalid(`Invalid ack deadline given (ack_deadline_seconds=${ackDeadline}): it must be between ${ACK_DEADLINE_SECONDS.min} and ${ACK_DEADLINE_SECONDS.max} seconds.`);
  }
  const retention = given.message_retention_duration ?? durationOf(RETENTION_MS.default);
  checkRetention(retention);
  const complete: SubscriptionResource = {
    ...given, push_config: push, ack_deadline_seconds: ackDeadline, message_retention_duration: retention,
    expiration_policy: checkExpiration(given.expiration_policy, durationMs(retention)),
  };
  if (given.retry_policy) complete.retry_policy = checkRetryPolicy(given.retry_policy);
  if (given.dead_letter_policy) complete.dead_letter_policy = checkDeadLetterPolicy(given.dead_letter_policy);
  return complete;
}

/** `ttl` absent in a given policy: never expires; no policy at all: 31 days. */
function checkExpiration(policy: SubscriptionResource['expiration_policy'], retentionMs: number): { ttl?: Duration } {
  if (!policy) return { ttl: durationOf(EXPIRATION_MS.default) };
  if (!policy.ttl || durationMs(policy.ttl) === 0) return {};
  if (durationMs(policy.ttl) < Math.max(EXPIRATION_MS.min, retentionMs)) throw invalid('Invalid expiration policy: the TTL must be at least 1 day, and not shorter than the message retention.');
  return policy;
}

function checkRetention(retention: Duration): void {
  const ms = durationMs(retention);
  if (ms < RETENTION_MS.min || ms > RETENTION_MS.max) throw invalid(`Invalid message retention duration given (${ms / SECOND} s): it must be between 10 minutes and 31 days.`);
}

function checkRetryPolicy(policy: NonNullable<SubscriptionResource['retry_policy']>): NonNullable<SubscriptionResource['retry_policy']> {
  const min = policy.minimum_backoff ? durationMs(policy.minimum_backoff) : BACKOFF_MS.defaultMin;
  const max = policy.maximum_backoff ? durationMs(policy.maximum_backoff) : BACKOFF_MS.max;
  if (min < 0 || max > BACKOFF_MS.max || min > max) throw invalid('Invalid retry policy: 0 s <= minimum backoff <= maximum backoff <= 600 s.');
  return { minimum_backoff: durationOf(min), maximum_backoff: durationOf(max) };
}

function checkDeadLetterPolicy(policy: NonNullable<SubscriptionResource['dead_letter_policy']>): NonNullable<SubscriptionResource['dead_letter_policy']> {
  const attempts = policy.max_delivery_attempts || ATTEMPTS.default;
  if (attempts < ATTEMPTS.min || attempts > ATTEMPTS.max) throw invalid(`Invalid dead letter policy: max_delivery_attempts is ${attempts}, it must be between ${ATTEMPTS.min} and ${ATTEMPTS.max}.`);
  return { dead_letter_topic: checkName('topics', policy.dead_letter_topic), max_delivery_attempts: attempts };
}

export function checkLabels(labels: Record<string, string> | undefined): void {
  const pairs = Object.entries(labels ?? {});
  if (pairs.length > LABELS_MAX) throw invalid(`Too many labels: ${pairs.length}, the maximum is ${LABELS_MAX}.`);
  const wrong = pairs.find(([key, value]) => !LABEL_KEY.test(key) || !LABEL_VALUE.test(value));
  if (wrong !== undefined) throw invalid(`Invalid label ${JSON.stringify(wrong[0])}: keys and values hold lower-case letters, digits, _ and -, at most 63; a key begins with a letter.`);
}

export function refuseFields(resource: Record<string, unknown>, names: Record<string, string>): void {
  for (const [field, what] of Object.entries(names)) {
    const value = resource[field];
    const isEmpty = !value || (Array.isArray(value) ? value.length === 0 : field === 'tags' && Object.keys(value).length === 0);
    if (!isEmpty) throw unsupported(what);
  }
}

function without(resource: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(resource).filter(([name]) => !fields.includes(name)));
}
