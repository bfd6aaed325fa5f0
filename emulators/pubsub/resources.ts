// Topics and subscriptions as requests carry them (google.pubsub.v1, field names as in the .proto), with Google's defaults and refusals.
import { invalid, unsupported } from './refusal.ts';

export type Duration = { seconds?: string; nanos?: number };
export type TopicResource = { name: string; labels?: Record<string, string>; message_retention_duration?: Duration };
export type PushConfig = {
  push_endpoint?: string;
  attributes?: Record<string, string>;
  oidc_token?: { service_account_email?: string; audience?: string };
  pubsub_wrapper?: object;
  no_wrapper?: object;
};
export type SubscriptionResource = {
  name: string;
  topic: string;
  push_config?: PushConfig;
  ack_deadline_seconds?: number;
  retain_acked_messages?: boolean;
  message_retention_duration?: Duration;
  labels?: Record<string, string>;
  enable_message_ordering?: boolean;
  expiration_policy?: { ttl?: Duration };
  filter?: string;
  dead_letter_policy?: { dead_letter_topic?: string; max_delivery_attempts?: number };
  retry_policy?: { minimum_backoff?: Duration; maximum_backoff?: Duration };
};

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** pubsub.proto; quotas of cloud.google.com/pubsub/quotas. */
const ACK_DEADLINE_SECONDS = { min: 10, max: 600, default: 10 };
const RETENTION_MS = { min: 10 * MINUTE, max: 31 * DAY, default: 7 * DAY };
const EXPIRATION_MS = { min: 1 * DAY, default: 31 * DAY };
const BACKOFF_MS = { max: 600 * SECOND, defaultMin: 10 * SECOND };
const ATTEMPTS = { min: 5, max: 100, default: 5 };

export const durationMs = (duration: Duration): number => Number(duration.seconds ?? 0) * SECOND + (duration.nanos ?? 0) / 1_000_000;
const durationOf = (ms: number): Duration => ({ seconds: String(Math.floor(ms / SECOND)), nanos: (ms % SECOND) * 1_000_000 });

/** 3-255 characters of this set after a letter, and not Google's own prefix. */
export function checkName(kind: 'topics' | 'subscriptions', name: string | undefined): string {
  const match = /^projects\/([^/]+)\/(topics|subscriptions)\/([A-Za-z][A-Za-z0-9._~%+-]{2,254})$/.exec(name ?? '');
  if (match === null || match[2] !== kind || match[3]!.startsWith('goog')) throw invalid(`Invalid [${kind}] name: (name=${name ?? ''})`);
  return name!;
}

export function checkTopic(topic: Record<string, unknown>): TopicResource {
  checkName('topics', topic['name'] as string);
  refuseFields(topic, { kms_key_name: 'customer-managed keys', schema_settings: 'schemas on topics', ingestion_data_source_settings: 'ingestion from other sources', message_transforms: 'message transforms' });
  const resource = topic as TopicResource;
  if (resource.message_retention_duration) checkRetention(resource.message_retention_duration);
  return resource;
}

export function checkSubscription(subscription: Record<string, unknown>): SubscriptionResource {
  refuseFields(subscription, {
    bigquery_config: 'BigQuery subscriptions', cloud_storage_config: 'Cloud Storage subscriptions', bigtable_config: 'Bigtable subscriptions', filter: 'filters',
    enable_message_ordering: 'ordered delivery', enable_exactly_once_delivery: 'exactly-once delivery', message_transforms: 'message transforms', detached: 'detached subscriptions',
  });
  const given = subscription as SubscriptionResource;
  checkName('subscriptions', given.name);
  checkPushConfig(given.push_config);
  const ackDeadline = given.ack_deadline_seconds || ACK_DEADLINE_SECONDS.default;
  if (ackDeadline < ACK_DEADLINE_SECONDS.min || ackDeadline > ACK_DEADLINE_SECONDS.max) {
    throw invalid(`Invalid ack deadline given (ack_deadline_seconds=${ackDeadline}): it must be between ${ACK_DEADLINE_SECONDS.min} and ${ACK_DEADLINE_SECONDS.max} seconds.`);
  }
  const retention = given.message_retention_duration ?? durationOf(RETENTION_MS.default);
  checkRetention(retention);
  const complete: SubscriptionResource = {
    ...given, push_config: given.push_config ?? {}, ack_deadline_seconds: ackDeadline, message_retention_duration: retention,
    expiration_policy: checkExpiration(given.expiration_policy, durationMs(retention)),
  };
  if (given.retry_policy) complete.retry_policy = checkRetryPolicy(given.retry_policy);
  if (given.dead_letter_policy) complete.dead_letter_policy = checkDeadLetterPolicy(given.dead_letter_policy);
  return complete;
}

export function checkPushConfig(push: PushConfig | null | undefined): void {
  if (!push?.push_endpoint) return;
  if (push.no_wrapper) throw unsupported('payload unwrapping');
  if (!URL.canParse(push.push_endpoint) || !/^https?:$/.test(new URL(push.push_endpoint).protocol)) {
    throw invalid(`Invalid push endpoint given (endpoint=${push.push_endpoint}).`);
  }
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

function refuseFields(resource: Record<string, unknown>, names: Record<string, string>): void {
  for (const [field, what] of Object.entries(names)) {
    const value = resource[field];
    if (value && !(Array.isArray(value) && value.length === 0)) throw unsupported(what);
  }
}

/** Copies the masked fields of `patch` over `resource`; only top-level fields, and only those that Google lets change. */
export function applyMask<T extends { name: string }>(resource: T, patch: Record<string, unknown>, paths: readonly string[] | undefined, changeable: readonly string[]): Record<string, unknown> {
  if (!paths || paths.length === 0) throw invalid('The update_mask must name at least one field.');
  const merged: Record<string, unknown> = { ...resource };
  for (const path of paths) {
    const field = path.split('.')[0]!.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (!changeable.includes(field)) throw invalid(`Invalid update_mask provided in the request: '${path}' is not a field that can be updated.`);
    if (patch[field] === undefined || patch[field] === null) delete merged[field];
    else merged[field] = patch[field];
  }
  return merged;
}
