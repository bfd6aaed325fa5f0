// Seek: a subscription's acknowledgements set as they would be at a time, or as a snapshot holds them. The Seek call comes here.
import type { Subscription } from './catalogue.ts';
import { durationMs } from './duration.ts';
import { decodeRecord, type MessageHead } from './records.ts';
import { Refusal } from './refusal.ts';
import type { SnapshotResource } from './snapshots.ts';
import type { Store } from './store.ts';
import { readMessage, type RawMessage } from './wire.ts';

type Found = { head: MessageHead; raw: RawMessage };

/** Everything published before `ms` counts as acknowledged, everything after as not, as far as it is still there. */
export async function seekToTime(store: Store, subscription: Subscription, ms: number): Promise<void> {
  const { backlog, resource, topic, madeAtId } = subscription;
  backlog.dropBefore(ms);
  if (topic !== undefined) {
    // What the topic retains is for every subscription; what this one retains begins with its own first message.
    const nowMs = store.now();
    const topicFromMs = topic.resource.message_retention_duration ? nowMs - durationMs(topic.resource.message_retention_duration) : Infinity;
    const ownFromMs = resource.retain_acked_messages ? nowMs - durationMs(resource.message_retention_duration!) : Infinity;
    await requeue(store, subscription, Math.max(ms, Math.min(topicFromMs, ownFromMs)), ({ publishMs, id }) => publishMs >= topicFromMs || (publishMs >= ownFromMs && id > madeAtId));
  }
  await store.acksWritten(subscription, true);
}

/** What the snapshot holds is not acknowledged, all else is. */
export async function seekToSnapshot(store: Store, subscription: Subscription, snapshot: SnapshotResource): Promise<void> {
  const { backlog, topic } = subscription;
  if (topic === undefined || topic.number !== snapshot.topic_number) throw new Refusal('INVALID_ARGUMENT', 'The snapshot and the subscription are not on the same topic.');
  const unacked = new Set(snapshot.unacked_ids);
  const isHeld = (id: number): boolean => id > snapshot.made_at_id || unacked.has(id);
  backlog.drop(({ id }) => !isHeld(id));
  await requeue(store, subscription, snapshot.oldest_ms, ({ id }) => isHeld(id));
  await store.acksWritten(subscription, true);
}

/** Hands out again what the journal still has of the topic and the subscription does not wait for. */
async function requeue(store: Store, subscription: Subscription, fromMs: number, isWanted: (head: MessageHead) => boolean): Promise<void> {
  const { backlog, filter, topic } = subscription;
  if (topic === undefined || fromMs === Infinity) return;
  await store.journal.settled();
  const waiting = new Set(backlog.pending().map(({ id }) => id));
  const found = new Map<number, Found>();
  for (const segment of store.journal.segments) {
    if ((segment.newestMs.get(topic.number) ?? -Infinity) < fromMs) continue;
    store.journal.scan(segment, (payload) => {
      const record = decodeRecord(payload);
      if (record.kind !== 'message' || record.head.topic !== topic.number || record.head.publishMs < fromMs || waiting.has(record.head.id) || !isWanted(record.head)) return;
      const raw = payload.subarray(record.rawOffset);
      if (filter === undefined || filter(readMessage(raw).attributes)) found.set(record.head.id, { head: record.head, raw: Buffer.from(raw) });
    });
  }
  await store.requeue(subscription, [...found.values()].sort((a, b) => a.head.id - b.head.id));
}
