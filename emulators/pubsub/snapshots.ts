// Snapshots: which messages a subscription had not acknowledged at a moment, kept until the snapshot expires. Requests in, resources out; the
// journal keeps the messages (retention.ts), a seek brings them back.
import { randomBytes } from 'node:crypto';
import type { Subscription } from './catalogue.ts';
import { checkLabels, checkName, refuseFields } from './resources.ts';
import { Refusal } from './refusal.ts';

export type SnapshotResource = {
  name: string;
  topic_number: number;
  labels?: Record<string, string>;
  /** On the steered clock. */
  expire_ms: number;
  /** The last message that had been handed out when it was made; younger ones belong to it, too. */
  made_at_id: number;
  unacked_ids: number[];
  /** Publish time of the oldest message that it keeps. */
  oldest_ms: number;
};

const DAY_MS = 86_400_000;
const LIFETIME_MS_MAX = 7 * DAY_MS;
const LIFETIME_MS_MIN = 3_600_000;

export type CreateSnapshotRequest = { name?: string; subscription?: string; labels?: Record<string, string>; tags?: Record<string, string> };

/** What a snapshot of the subscription is now; `lastId` is the last message that was handed to subscriptions. */
export function makeSnapshot(request: CreateSnapshotRequest, { topic, backlog }: Subscription, nowMs: number, lastId: number): SnapshotResource {
  refuseFields(request, { tags: 'tags' });
  checkLabels(request.labels);
  if (topic === undefined) throw new Refusal('FAILED_PRECONDITION', 'The subscription has no topic any more: a snapshot can not be made of it.');
  const project = topic.resource.name.split('/')[1]!;
  const name = checkName('snapshots', request.name || `projects/${project}/snapshots/s${randomBytes(8).toString('hex')}`);
  const waiting = backlog.pending();
  const oldestMs = waiting.reduce((least, { publishMs }) => Math.min(least, publishMs), nowMs);
  const expireMs = oldestMs + LIFETIME_MS_MAX;
  if (expireMs - nowMs < LIFETIME_MS_MIN) throw new Refusal('FAILED_PRECONDITION', 'The backlog of the subscription is too old: the snapshot would expire in less than an hour.');
  return {
    name, topic_number: topic.number, expire_ms: expireMs, made_at_id: lastId, oldest_ms: oldestMs, unacked_ids: waiting.map(({ id }) => id),
    ...(request.labels === undefined ? {} : { labels: request.labels }),
  };
}

/** As google.pubsub.v1.Snapshot. */
export function snapshotView({ name, labels, expire_ms: expireMs }: SnapshotResource, topicName: string | undefined): object {
  const seconds = Math.floor(expireMs / 1_000);
  return { name, topic: topicName ?? '_deleted-topic_', expire_time: { seconds: String(seconds), nanos: Math.round((expireMs - seconds * 1_000) * 1e6) }, ...(labels === undefined ? {} : { labels }) };
}
