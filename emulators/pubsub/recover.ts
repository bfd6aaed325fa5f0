// The journal of earlier runs in, the catalogue and every subscription's backlog as they were, out. store.ts calls it at its start.
import type { Catalogue, Subscription } from './catalogue.ts';
import type { Entry } from './delivery.ts';
import type { Journal, Place, Segment } from './journal.ts';
import { decodeRecord, type KeptLease, type MessageHead } from './records.ts';
import { readMessage, type RawMessage } from './wire.ts';

/** By subscription: what it waits for, how often each was delivered in vain, and who has it. */
type HeldBy = { entries: Map<number, Entry>; attempts: Map<number, number>; leases: Map<number, KeptLease> };
type Held = Map<number, HeldBy>;

export type ReceiversOf = (head: MessageHead, raw: RawMessage) => Subscription[];

/** Returns the largest message id. */
export function recover(journal: Journal, catalogue: Catalogue, receiversOf: ReceiversOf, release: (entry: Entry) => void): number {
  const held: Held = new Map();
  let lastId = 0;
  const heldBy = (subscription: number): HeldBy => {
    const known: HeldBy = held.get(subscription) ?? { entries: new Map(), attempts: new Map(), leases: new Map() };
    held.set(subscription, known);
    return known;
  };
  const letGo = (subscription: number, id: number): void => {
    const { entries, attempts, leases } = heldBy(subscription);
    const entry = entries.get(id);
    attempts.delete(id);
    leases.delete(id);
    entries.delete(id);
    if (entry !== undefined) release(entry);
  };
  const message = (head: MessageHead, raw: RawMessage, place: Place): void => {
    lastId = Math.max(lastId, head.id);
    const receivers = receiversOf(head, raw);
    const entry = entryOf(head, place, raw, receivers);
    for (const { number } of receivers) {
      // Written again by compaction: the newer place counts, and the attempts stay.
      const { entries } = heldBy(number);
      const older = entries.get(head.id);
      if (older !== undefined) release(older);
      entries.set(head.id, entry);
    }
  };
  journal.recover((payload, { segment, offset }) => {
    const record = decodeRecord(payload);
    if (record.kind === 'admin') for (const change of record.changes) catalogue.apply(change);
    else if (record.kind === 'acks') for (const id of record.ids) letGo(record.subscription, id);
    else if (record.kind === 'attempts') heldBy(record.subscription).attempts.set(record.id, record.attempts);
    else if (record.kind === 'lease') heldBy(record.subscription).leases.set(record.id, record.lease);
    else message(record.head, payload.subarray(record.rawOffset), { segment, offset: offset + record.rawOffset });
  });
  const nowMs = performance.timeOrigin + performance.now(); // leases run on the machine's own clock
  for (const [number, { entries, attempts, leases }] of held) {
    const subscription = catalogue.subscriptionNumbered(number);
    for (const entry of [...entries.values()].sort((a, b) => a.id - b.id)) {
      if (subscription === undefined || subscription.resource.detached === true) release(entry);
      else subscription.backlog.add(entry, { attempts: attempts.get(entry.id) ?? 0, lease: leftOf(leases.get(entry.id), nowMs) });
    }
  }
  return lastId;
}

function leftOf(lease: KeptLease | undefined, nowMs: number): { ackId: string; leftMs: number } | undefined {
  return lease === undefined || lease.endsMs <= nowMs ? undefined : { ackId: lease.ackId, leftMs: lease.endsMs - nowMs };
}

export function entryOf(head: MessageHead, place: Place, raw: RawMessage, receivers: readonly Subscription[]): Entry {
  const { newestMs } = place.segment;
  newestMs.set(head.topic, Math.max(newestMs.get(head.topic) ?? 0, head.publishMs));
  if (receivers.length > 0) countLive(place.segment, 1, raw.length);
  const key = receivers.some(({ resource }) => resource.enable_message_ordering === true) ? readMessage(raw).orderingKey : '';
  return { id: head.id, topic: head.topic, publishMs: head.publishMs, place, rawBytes: raw.length, key, holders: receivers.length, raw: undefined };
}

export function countLive(segment: Segment, by: 1 | -1, bytes: number): void {
  segment.live += by;
  segment.liveBytes += by * bytes;
}
