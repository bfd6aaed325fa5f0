// Everything that Pub/Sub remembers: topics, subscriptions, and which messages each subscription still waits for. The gRPC calls change it here,
// the journal keeps it. After a crash it is what the journal says: every acknowledged publish, less the acknowledgements that were written.
import { Backlog } from './backlog.ts';
import type { Delivery, Entry } from './delivery.ts';
import { Catalogue, type Subscription, type Topic } from './catalogue.ts';
import { Journal, type Place } from './journal.ts';
import { countLive, entryOf, recover } from './recover.ts';
import { encodeAcks, encodeAdmin, encodeAttempts, encodeLease, encodeMessageHead, messageHeadBytes, type AdminChange, type MessageHead } from './records.ts';
import { alreadyExists, Refusal } from './refusal.ts';
import type { SubscriptionResource, TopicResource } from './resources.ts';
import type { SnapshotResource } from './snapshots.ts';
import { readMessage, type RawMessage } from './wire.ts';

export type StoreOptions = {
  dir: string;
  now: () => number;
  /** Publishes to the dead-letter topic; true when the message stands there. */
  deadLetter: (store: Store, subscription: Subscription, delivery: Delivery) => Promise<boolean>;
  /** Smaller in tests. */
  segmentBytes?: number;
  cacheBytesMax?: number;
};

/** Messages kept in memory until acknowledged; beyond it they are read back from the journal. */
const CACHE_BYTES_MAX = 64 * 1024 * 1024;
/** A message that is a smaller part of its request than this is copied, or it would hold the whole request in memory. */
const COPIED_PART_MAX = 0.5;

export class Store {
  readonly catalogue: Catalogue;
  readonly journal: Journal;
  readonly now: () => number;
  /** Called when nobody waits for anything in the oldest segment any more. */
  oldestIsEmpty: () => void = () => {};
  /** The last message that was handed to its subscriptions; they are handed out in the order of their ids. */
  lastHandedId = 0;
  private nextId = 0;
  private cacheBytes = 0;
  private readonly cacheBytesMax: number;
  private readonly ackWaiters = new Set<Subscription>();

  constructor({ dir, now, deadLetter, segmentBytes, cacheBytesMax = CACHE_BYTES_MAX }: StoreOptions) {
    this.now = now;
    this.cacheBytesMax = cacheBytesMax;
    const open = (number: number, resource: SubscriptionResource): Subscription => {
      const subscription: Subscription = {
        number, resource, topic: undefined, filter: undefined, madeAtId: 0, ackedIds: [], activeMs: now(),
        backlog: new Backlog(number, {
          leased: (entry, ackId, leftMs) => this.journal.append([encodeLease(number, entry.id, { ackId, endsMs: leftMs === 0 ? 0 : realNowMs() + leftMs })], false),
          acked: (entry) => this.acked(subscription, entry), refused: (entry, attempts) => this.refused(subscription, entry, attempts),
          deadLetter: (delivery) => deadLetter(this, subscription, delivery),
        }),
      };
      return subscription;
    };
    this.catalogue = new Catalogue(open, ({ backlog }) => {
      for (const entry of backlog.pending()) this.release(entry);
      backlog.close();
    });
    this.journal = new Journal(dir, () => encodeAdmin(this.catalogue.everything()), segmentBytes);
    this.recover();
  }

  // --- topics and subscriptions: changed in memory at once, answered when written

  async createTopic(resource: TopicResource): Promise<void> {
    if (this.catalogue.topics.has(resource.name)) throw alreadyExists(resource.name);
    await this.change({ put_topic: { number: this.catalogue.nextNumber, topic: resource } });
  }

  async updateTopic({ number }: Topic, resource: TopicResource): Promise<void> {
    await this.change({ put_topic: { number, topic: resource } });
  }

  async deleteTopic({ number }: Topic): Promise<void> {
    await this.change({ delete_topic: { number } });
  }

  async createSubscription(resource: SubscriptionResource): Promise<void> {
    if (this.catalogue.subscriptions.has(resource.name)) throw alreadyExists(resource.name);
    const topic = this.catalogue.topic(resource.topic);
    await this.change({ put_subscription: { number: this.catalogue.nextNumber, topic_number: topic.number, subscription: resource, made_at_id: this.lastHandedId } });
  }

  async updateSubscription({ number, topic, madeAtId }: Subscription, resource: SubscriptionResource): Promise<void> {
    await this.change({ put_subscription: { number, topic_number: topic?.number ?? 0, subscription: resource, made_at_id: madeAtId } });
  }

  /** Its messages are let go of at once, and it gets no more. */
  async detachSubscription(subscription: Subscription): Promise<void> {
    subscription.backlog.dropBefore(Infinity);
    await this.updateSubscription(subscription, { ...subscription.resource, detached: true });
  }

  async deleteSubscription({ number }: Subscription): Promise<void> {
    await this.change({ delete_subscription: { number } });
  }

  async putSnapshot(snapshot: SnapshotResource): Promise<void> {
    await this.change({ put_snapshot: snapshot });
  }

  async deleteSnapshot({ name }: SnapshotResource): Promise<void> {
    await this.change({ delete_snapshot: { name } });
  }

  // --- messages

  /** Resolves with the message ids when all of them are on disk. `heldMs`: subscribers get them so much later, in the opposite order. */
  publish(topic: Topic, raws: readonly RawMessage[], heldMs = 0): Promise<string[]> {
    const heads = raws.map((): MessageHead => ({ topic: topic.number, id: this.newId(), publishMs: Math.floor(this.now()) }));
    const stored: [MessageHead, Place, RawMessage][] = [];
    return new Promise((done, fail) => {
      let left = raws.length;
      const oneWritten = (index: number, error: Error | null, place: Place): void => {
        if (error !== null) fail(new Refusal('UNAVAILABLE', `The message could not be stored: ${error.message}`));
        else stored.push([heads[index]!, place, raws[index]!]);
        if (--left > 0) return;
        if (heldMs > 0) setTimeout(() => stored.reverse().forEach((one) => this.hand(...one)), heldMs);
        else for (const one of stored) this.hand(...one);
        done(heads.map(({ id }) => String(id)));
      };
      raws.forEach((raw, index) => this.journal.append([encodeMessageHead(heads[index]!), raw], true, (error, place) => oneWritten(index, error, place)));
    });
  }

  rawOf(entry: Entry): RawMessage {
    return entry.raw ?? this.journal.read(entry.place, entry.rawBytes);
  }

  /** Resolves when what this subscription acknowledged is in the journal; `isSynced`: on the disk. */
  acksWritten({ number, ackedIds }: Subscription, isSynced: boolean): Promise<void> {
    return this.write([encodeAcks(number, ackedIds.splice(0))], () => {}, isSynced);
  }

  /** Puts published messages before one subscription again (a seek back). */
  async requeue({ number, backlog }: Subscription, messages: readonly { head: MessageHead; raw: Buffer }[]): Promise<void> {
    await Promise.all(messages.map(({ head, raw }) => {
      const own: MessageHead = { ...head, subscriptions: [number] };
      return this.write([encodeMessageHead(own), raw], (place) => this.hand(own, place, raw));
    }));
    backlog.sort();
  }

  /** Writes a waiting message again, at the journal's end, so that its old segment can go. */
  async move(entry: Entry, holders: readonly Subscription[]): Promise<void> {
    const head: MessageHead = { topic: entry.topic, id: entry.id, publishMs: entry.publishMs, subscriptions: holders.map(({ number }) => number) };
    await this.write([encodeMessageHead(head), this.rawOf(entry)], ({ segment, offset }) => {
      if (entry.holders === 0) return;
      countLive(entry.place.segment, -1, entry.rawBytes);
      entry.place = { segment, offset: offset + messageHeadBytes(head) };
      countLive(segment, 1, entry.rawBytes);
    });
    // Its attempts and leases stand in segments that may go with the old place.
    for (const { number, backlog } of holders) {
      const attempts = backlog.attemptsOf(entry);
      if (attempts > 0) this.journal.append([encodeAttempts(number, entry.id, attempts)], false);
      const lease = backlog.rules.isExactlyOnce === true ? backlog.leaseOf(entry) : undefined;
      if (lease !== undefined) this.journal.append([encodeLease(number, entry.id, { ackId: lease.ackId, endsMs: realNowMs() + lease.endsMs - performance.now() })], false);
    }
  }

  gauges(): Record<string, number> {
    const backlogs = [...this.catalogue.subscriptions.values()].map(({ backlog }) => backlog);
    // Google has these two as metrics of Cloud Monitoring, by subscription.
    const bySubscription = [...this.catalogue.subscriptions.values()].flatMap(({ resource: { name }, backlog }) => [
      [`num_undelivered_messages of ${name}`, backlog.size], [`oldest_unacked_message_age_ms of ${name}`, backlog.size === 0 ? 0 : this.now() - backlog.oldestPublishMs],
    ]);
    return {
      ...Object.fromEntries(bySubscription),
      topics: this.catalogue.topics.size, subscriptions: this.catalogue.subscriptions.size,
      unacked_messages: backlogs.reduce((sum, { size }) => sum + size, 0), outstanding_messages: backlogs.reduce((sum, { outstanding }) => sum + outstanding, 0),
      cached_bytes: this.cacheBytes, journal_writes: this.journal.writes, journal_segments: this.journal.segments.length, journal_bytes: this.journal.segments.reduce((sum, { size }) => sum + size, 0),
    };
  }

  async close(): Promise<void> {
    this.flushAcks();
    for (const { backlog } of this.catalogue.subscriptions.values()) backlog.close();
    await this.journal.close();
  }

  // --- inside

  /** Acknowledgements are written with the next write; one that a crash loses means a redelivery. */
  private acked(subscription: Subscription, entry: Entry): void {
    this.release(entry);
    subscription.ackedIds.push(entry.id);
    if (this.ackWaiters.size === 0) setImmediate(() => this.flushAcks());
    this.ackWaiters.add(subscription);
  }

  /** Counted for the dead-letter policy, so that a restart does not give a message all its attempts again. */
  private refused({ number, resource }: Subscription, { id }: Entry, attempts: number): void {
    if (resource.dead_letter_policy) this.journal.append([encodeAttempts(number, id, attempts)], false);
  }

  private flushAcks(): void {
    for (const subscription of this.ackWaiters) {
      if (subscription.ackedIds.length > 0) this.journal.append([encodeAcks(subscription.number, subscription.ackedIds.splice(0))], false);
    }
    this.ackWaiters.clear();
  }

  private async change(change: AdminChange): Promise<void> {
    this.catalogue.apply(change);
    await this.write([encodeAdmin([change])], () => {});
  }

  private write(parts: Buffer[], written: (place: Place) => void, isSynced = true): Promise<void> {
    return new Promise((done, fail) => this.journal.append(parts, isSynced, (error, place) => {
      if (error !== null) return fail(new Refusal('UNAVAILABLE', `The change could not be stored: ${error.message}`));
      written(place);
      done();
    }));
  }

  /** A message that stands on disk goes to the subscriptions that it is for. */
  private hand(head: MessageHead, { segment, offset }: Place, raw: RawMessage): void {
    this.lastHandedId = Math.max(this.lastHandedId, head.id);
    const receivers = this.receiversOf(head, raw);
    const entry = entryOf(head, { segment, offset: offset + messageHeadBytes(head) }, raw, receivers);
    if (receivers.length === 0) return;
    if (this.cacheBytes + raw.length <= this.cacheBytesMax) {
      entry.raw = raw.length < raw.buffer.byteLength * COPIED_PART_MAX ? Buffer.from(raw) : raw;
      this.cacheBytes += raw.length;
    }
    for (const { backlog } of receivers) backlog.add(entry);
  }

  private receiversOf({ topic, subscriptions }: MessageHead, raw: RawMessage): Subscription[] {
    if (subscriptions === undefined) {
      const all = [...this.catalogue.topicNumbered(topic)?.subscriptions ?? []];
      if (all.every(({ filter }) => filter === undefined)) return all;
      const { attributes } = readMessage(raw);
      return all.filter(({ filter }) => filter === undefined || filter(attributes));
    }
    return subscriptions.map((number) => this.catalogue.subscriptionNumbered(number)).filter((subscription) => subscription !== undefined);
  }

  private release(entry: Entry): void {
    entry.holders -= 1;
    if (entry.holders > 0) return;
    const { segment } = entry.place;
    countLive(segment, -1, entry.rawBytes);
    if (entry.raw !== undefined) this.cacheBytes -= entry.rawBytes;
    entry.raw = undefined;
    if (segment.live === 0 && segment === this.journal.segments[0]) this.oldestIsEmpty();
  }

  /** Ids follow real time in microseconds, so that none is used twice: not after a crash, and not on a new data folder either (raw files are named by them). */
  private newId(): number {
    this.nextId = Math.max(this.nextId + 1, Math.floor(realNowMs() * 1_000));
    return this.nextId;
  }

  private recover(): void {
    this.nextId = recover(this.journal, this.catalogue, (head, raw) => this.receiversOf(head, raw), (entry) => this.release(entry));
    this.lastHandedId = this.nextId;
  }
}

/** By the machine's own clock, also where `Date` is shifted. */
const realNowMs = (): number => performance.timeOrigin + performance.now();
