// What may be forgotten: messages older than a subscription keeps, subscriptions that nobody used, journal segments that nobody needs.
// server.ts calls `expire` now and then; seek.ts brings back what is still there.
import type { Entry } from './delivery.ts';
import type { Subscription, Topic } from './catalogue.ts';
import type { Segment } from './journal.ts';
import { durationMs } from './duration.ts';
import type { Store } from './store.ts';

/** Compaction: with this many segments, an oldest one with less than this part waiting is written again. */
const SEGMENTS_MAX = 4;
const LIVE_PART_MAX = 0.25;

/** How far back acknowledged messages of a topic can be sought. */
export function retentionMs({ resource, subscriptions }: Topic): number {
  const own = resource.message_retention_duration ? durationMs(resource.message_retention_duration) : 0;
  const retaining = [...subscriptions].filter((subscription) => subscription.resource.retain_acked_messages);
  return Math.max(own, ...retaining.map((subscription) => durationMs(subscription.resource.message_retention_duration!)));
}

/** `deleted` is told of a subscription that expired. */
export async function expire(store: Store, deleted: (subscription: Subscription) => void): Promise<void> {
  const nowMs = store.now();
  for (const subscription of [...store.catalogue.subscriptions.values()]) {
    const { backlog, resource } = subscription;
    if (backlog.size > 0) backlog.dropBefore(nowMs - durationMs(resource.message_retention_duration!));
    if (backlog.hasConsumers && !resource.push_config?.push_endpoint) subscription.activeMs = nowMs;
    const ttl = resource.expiration_policy?.ttl;
    if (ttl === undefined || nowMs - subscription.activeMs <= durationMs(ttl)) continue;
    await store.deleteSubscription(subscription);
    deleted(subscription);
  }
  for (const snapshot of [...store.catalogue.snapshots.values()]) if (snapshot.expire_ms <= nowMs) await store.deleteSnapshot(snapshot);
  dropEmptySegments(store);
  await compact(store);
}

/** Only ever the oldest, and only when the next one begins with the list of all topics and subscriptions. */
export function dropEmptySegments({ journal, catalogue, now }: Store): void {
  const isRetained = (segment: Segment): boolean => [...segment.newestMs].some(([number, newestMs]) => {
    const topic = catalogue.topicNumbered(number);
    if (topic !== undefined && newestMs + retentionMs(topic) > now()) return true;
    return [...catalogue.snapshots.values()].some((snapshot) => snapshot.topic_number === number && snapshot.oldest_ms <= newestMs);
  });
  for (let [oldest, next] = journal.segments; oldest && next; [oldest, next] = journal.segments) {
    if (oldest.live > 0 || next.size === 0 || isRetained(oldest)) return;
    journal.dropOldest();
  }
}

/** One message that waits for weeks must not keep all that came after it on disk. */
async function compact(store: Store): Promise<void> {
  const [oldest] = store.journal.segments;
  if (oldest === undefined || store.journal.segments.length < SEGMENTS_MAX || oldest.liveBytes > store.journal.segmentBytes * LIVE_PART_MAX) return;
  const waiting = new Map<Entry, Subscription[]>();
  for (const subscription of store.catalogue.subscriptions.values()) {
    for (const entry of subscription.backlog.pending()) {
      if (entry.place.segment === oldest) waiting.set(entry, [...waiting.get(entry) ?? [], subscription]);
    }
  }
  await Promise.all([...waiting].map(([entry, holders]) => store.move(entry, holders)));
  dropEmptySegments(store);
}
