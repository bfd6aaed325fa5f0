// What one subscription has not acknowledged yet, and who gets it next. Entries come in from store.ts; consumers (a push endpoint, a stream,
// a waiting pull) say how much they have room for and get leases; acknowledgements, refusals and passed deadlines end them.
import { ackIdOf, entryIdOf, RecentAckIds } from './ack-id.ts';
import { GONE, type BacklogEvents, type BacklogRules, type Consumer, type Delivery, type Earlier, type Entry, type Lease } from './delivery.ts';
import { FreshQueue } from './fresh-queue.ts';
import { KeyLines } from './key-lines.ts';
import { Schedule } from './schedule.ts';

/** How often passed deadlines are looked for. */
const SWEEP_MS = 100;
/** What one consumer gets in one turn, so that several share a backlog. */
const TURN = { messages: 100, bytes: 4 * 1024 * 1024 };
/** When the dead-letter topic is missing, Pub/Sub goes on delivering; so do we, at this pace. */
const DEAD_LETTER_RETRY_MS = 10_000;

export class Backlog {
  rules: BacklogRules = {};
  private readonly fresh = new FreshQueue();
  private again: Delivery[] = [];
  private readonly later = new Schedule<Delivery>((delivery) => this.queueAgain(delivery));
  private readonly lines = new KeyLines();
  private readonly attempted = new Map<number, Delivery>();
  /** Attempts of earlier runs, of messages that were not delivered in this one. */
  private readonly earlierAttempts = new Map<number, number>();
  private readonly acknowledged = new RecentAckIds();
  private readonly leases = new Set<Lease>();
  private consumers: Consumer[] = [];
  private sweeper: NodeJS.Timeout | undefined;
  private isPumpDue = false;
  private isClosed = false;
  private readonly events: BacklogEvents;
  /** Of the subscription, in its ack ids. */
  private readonly number: number;

  constructor(number: number, events: BacklogEvents) {
    this.number = number;
    this.events = events;
  }

  get size(): number {
    return this.fresh.size + this.attempted.size;
  }

  /** Of the messages that are not acknowledged. */
  get oldestPublishMs(): number {
    const firstFresh = this.fresh.first?.publishMs ?? Infinity;
    return [...this.attempted.values()].reduce((oldest, { entry }) => Math.min(oldest, entry.publishMs), firstFresh);
  }

  get outstanding(): number {
    return this.leases.size;
  }

  get hasConsumers(): boolean {
    return this.consumers.length > 0;
  }

  add(entry: Entry, { attempts = 0, lease }: Earlier = {}): void {
    if (attempts > 0) this.earlierAttempts.set(entry.id, attempts);
    if (lease !== undefined && this.rules.isExactlyOnce === true) return this.addLeased(entry, lease);
    if (this.rules.isOrdered === true && entry.key !== '') this.lines.add(this.deliveryOf(entry));
    else this.fresh.push(entry);
    this.wake();
  }

  /** Somebody got it in an earlier run, and may still acknowledge it. */
  private addLeased(entry: Entry, { ackId, leftMs }: NonNullable<Earlier['lease']>): void {
    const delivery = this.deliveryOf(entry);
    delivery.attempt += 1;
    delivery.lease = { ackId, delivery, attempt: delivery.attempt, consumer: GONE, endsMs: performance.now() + leftMs };
    this.leases.add(delivery.lease);
    if (this.isInLine(delivery)) this.lines.add(delivery);
    this.sweeper ??= setInterval(() => this.sweep(), SWEEP_MS);
  }

  /** Messages that were sought back stand behind younger ones: into their order again. */
  sort(): void {
    this.fresh.sort();
    this.lines.sort();
  }

  join(consumer: Consumer): void {
    this.consumers.push(consumer);
    this.wake();
  }

  /** Its leases stay until they are acknowledged or pass, as at Google. */
  leave(consumer: Consumer): void {
    this.consumers = this.consumers.filter((other) => other !== consumer);
  }

  /** Something changed: a message, room, time. Hands out what can be handed out, in a later turn of the event loop. */
  wake(): void {
    if (this.isPumpDue || this.isClosed || this.consumers.length === 0) return;
    this.isPumpDue = true;
    setImmediate(() => {
      this.isPumpDue = false;
      this.pump();
    });
  }

  /** An acknowledgement counts whenever it comes, also after the deadline, unless delivery is exactly once. False: it did not count. */
  ack(ackId: string): boolean {
    const delivery = this.attempted.get(entryIdOf(ackId));
    const isCurrent = delivery?.lease?.ackId === ackId;
    if (this.rules.isExactlyOnce === true && !isCurrent) return this.acknowledged.has(ackId);
    if (delivery !== undefined) this.finish(delivery);
    if (this.rules.isExactlyOnce === true) this.acknowledged.add(ackId);
    return true;
  }

  /** Moves the deadline of a lease; 0 gives the message back. Leases that ended are left alone: false. */
  extend(ackId: string, ms: number): boolean {
    const lease = this.attempted.get(entryIdOf(ackId))?.lease;
    if (lease === undefined || lease.ackId !== ackId) return false;
    if (ms === 0) this.refuse(lease);
    else lease.endsMs = performance.now() + ms;
    if (ms > 0) this.tellLease(lease, ms);
    return true;
  }

  /** The consumer does not want it (now): redelivered after the backoff, or dead-lettered. */
  refuse(lease: Lease): void {
    if (lease.delivery.lease !== lease) return;
    this.endLease(lease, false);
    this.tellLease(lease, 0);
    const { delivery } = lease;
    for (const behind of this.lines.leasedBehind(delivery)) this.postpone(behind, 0);
    this.events.refused(delivery.entry, delivery.attempt);
    if (this.rules.attemptsMax !== undefined && delivery.attempt >= this.rules.attemptsMax) {
      delivery.isWaiting = true;
      void this.events.deadLetter(delivery).then((isStored) => {
        if (isStored) this.finish(delivery);
        else if (!delivery.isDone) this.later.add(delivery, DEAD_LETTER_RETRY_MS);
      });
      return;
    }
    const { backoffMs } = this.rules;
    const waitMs = backoffMs === undefined ? 0 : Math.min(backoffMs.max, backoffMs.min * 2 ** (delivery.attempt - 1));
    this.queueLater(delivery, waitMs);
  }

  /** Every message that is not under way may go out now, whatever it was waiting for; deadlines of those that are pass now. */
  redeliverNow(): void {
    for (const lease of [...this.leases]) if (lease.consumer.leaseMs !== Infinity) this.refuse(lease);
    for (const delivery of this.later.takeAll()) this.queueAgain(delivery);
  }

  /** Gives a lease back as if it had never been: behind the others, without counting the attempt. */
  postpone(lease: Lease, ms: number): void {
    if (lease.delivery.lease !== lease) return;
    this.endLease(lease, true);
    this.tellLease(lease, 0);
    lease.delivery.attempt -= 1;
    this.queueLater(lease.delivery, ms);
  }

  /** Drops what was published before `ms`: retention, or a seek forward. */
  dropBefore(ms: number): void {
    // Asked every few seconds: a backlog whose oldest message is young must cost nothing.
    const isFirstYoung = (this.fresh.first?.publishMs ?? ms) >= ms;
    if (isFirstYoung && [...this.attempted.values()].every(({ entry }) => entry.publishMs >= ms)) return;
    this.drop(({ publishMs }) => publishMs < ms);
  }

  drop(isDropped: (entry: Entry) => boolean): void {
    const dropped = this.pending().filter(isDropped);
    const ids = new Set(dropped.map(({ id }) => id));
    this.fresh.drop(({ id }) => ids.has(id));
    for (const entry of dropped) {
      this.earlierAttempts.delete(entry.id);
      const delivery = this.attempted.get(entry.id);
      if (delivery === undefined) this.events.acked(entry);
      else this.finish(delivery);
    }
  }

  leaseOf({ id }: Entry): Lease | undefined {
    return this.attempted.get(id)?.lease;
  }

  attemptsOf({ id }: Entry): number {
    return this.attempted.get(id)?.attempt ?? this.earlierAttempts.get(id) ?? 0;
  }

  pending(): Entry[] {
    return [...[...this.attempted.values()].map(({ entry }) => entry), ...this.fresh.all()];
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.sweeper);
    this.later.close();
    this.consumers = [];
    this.leases.clear();
    this.attempted.clear();
    this.fresh.drop(() => true);
    this.again = [];
    this.lines.clear();
    this.earlierAttempts.clear();
  }

  private pump(): void {
    for (let isBusy = true; isBusy; ) {
      isBusy = false;
      for (const consumer of this.consumers) {
        const leases = this.lease(consumer);
        if (leases.length === 0) continue;
        isBusy = true;
        consumer.deliver(leases);
      }
    }
  }

  private lease(consumer: Consumer): Lease[] {
    const room = consumer.room();
    let messages = Math.min(room.messages, TURN.messages);
    let bytes = Math.min(room.bytes, TURN.bytes);
    const leases: Lease[] = [];
    while (messages > 0 && bytes > 0) {
      const delivery = this.next(consumer);
      if (delivery === undefined) break;
      delivery.attempt += 1;
      delivery.lease = { ackId: ackIdOf(this.number, delivery.entry.id), delivery, attempt: delivery.attempt, consumer, endsMs: performance.now() + consumer.leaseMs };
      this.leases.add(delivery.lease);
      leases.push(delivery.lease);
      this.tellLease(delivery.lease, consumer.leaseMs);
      messages -= 1;
      bytes -= delivery.entry.rawBytes;
    }
    if (leases.length > 0 && consumer.leaseMs !== Infinity) this.sweeper ??= setInterval(() => this.sweep(), SWEEP_MS);
    return leases;
  }

  private next(consumer: Consumer): Delivery | undefined {
    for (let delivery = this.again.shift(); delivery !== undefined; delivery = this.again.shift()) {
      if (!delivery.isDone) return delivery;
    }
    const inLine = this.lines.next(consumer);
    if (inLine !== undefined) return inLine;
    const entry = this.fresh.take();
    return entry === undefined ? undefined : this.deliveryOf(entry);
  }

  private deliveryOf(entry: Entry): Delivery {
    const delivery: Delivery = { entry, attempt: this.earlierAttempts.get(entry.id) ?? 0, lease: undefined, isDone: false, isWaiting: false };
    this.earlierAttempts.delete(entry.id);
    this.attempted.set(entry.id, delivery);
    return delivery;
  }

  private isInLine({ entry }: Delivery): boolean {
    return this.rules.isOrdered === true && entry.key !== '';
  }

  private queueLater(delivery: Delivery, ms: number): void {
    delivery.isWaiting = ms > 0;
    if (ms > 0) this.later.add(delivery, ms);
    else this.queueAgain(delivery);
  }

  private queueAgain(delivery: Delivery): void {
    if (delivery.isDone) return;
    delivery.isWaiting = false;
    if (this.isInLine(delivery)) this.lines.reopen(delivery);
    else this.again.push(delivery);
    this.wake();
  }

  private finish(delivery: Delivery): void {
    if (delivery.isDone) return;
    delivery.isDone = true;
    this.attempted.delete(delivery.entry.id);
    if (this.isInLine(delivery)) {
      this.lines.remove(delivery);
      this.wake(); // whoever stood behind it may go
    }
    if (delivery.lease !== undefined) this.endLease(delivery.lease, true);
    this.events.acked(delivery.entry);
  }

  private tellLease({ delivery: { entry }, ackId }: Lease, leftMs: number): void {
    if (this.rules.isExactlyOnce === true) this.events.leased(entry, ackId, leftMs);
  }

  private endLease(lease: Lease, isAcked: boolean): void {
    this.leases.delete(lease);
    lease.delivery.lease = undefined;
    lease.consumer.ended(lease, isAcked);
    this.wake();
  }

  private sweep(): void {
    const nowMs = performance.now();
    for (const lease of this.leases) if (lease.endsMs <= nowMs) this.refuse(lease);
    if (this.leases.size > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }
}
