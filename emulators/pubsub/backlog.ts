// What one subscription has not acknowledged yet, and who gets it next. Entries come in from store.ts; consumers (a push endpoint, a stream,
// a waiting pull) say how much they have room for and get leases; acknowledgements, refusals and passed deadlines end them.
import type { Place } from './journal.ts';
import { Schedule } from './schedule.ts';

/** One message on disk that somebody waits for. */
export type Entry = {
  id: number;
  topic: number;
  publishMs: number;
  place: Place;
  rawBytes: number;
  /** How many subscriptions have not acknowledged it. */
  holders: number;
  /** The message itself while the memory budget allows; else it is read from the journal. */
  raw: Buffer | undefined;
};

export type Delivery = { entry: Entry; attempt: number; lease: Lease | undefined; isDone: boolean };
export type Lease = { ackId: string; delivery: Delivery; attempt: number; consumer: Consumer; endsMs: number };

export type Consumer = {
  room(): { messages: number; bytes: number };
  deliver(leases: Lease[]): void;
  /** A lease of this consumer ended; `isAcked` false: refused, or its deadline passed. */
  ended(lease: Lease, isAcked: boolean): void;
  /** How long a lease lasts; Infinity where the consumer ends it itself. */
  leaseMs: number;
};

export type BacklogRules = {
  backoffMs?: { min: number; max: number };
  /** Attempts after which a message goes to the dead-letter topic. */
  attemptsMax?: number;
};

export type BacklogEvents = {
  acked(entry: Entry): void;
  /** Resolves true when the message stands in the dead-letter topic. */
  deadLetter(delivery: Delivery): Promise<boolean>;
};

/** How often passed deadlines are looked for. */
const SWEEP_MS = 100;
/** What one consumer gets in one turn, so that several share a backlog. */
const TURN = { messages: 100, bytes: 4 * 1024 * 1024 };
/** When the dead-letter topic is missing, Pub/Sub goes on delivering; so do we, at this pace. */
const DEAD_LETTER_RETRY_MS = 10_000;

export class Backlog {
  rules: BacklogRules = {};
  private fresh: Entry[] = [];
  private freshFrom = 0;
  private again: Delivery[] = [];
  private readonly later = new Schedule<Delivery>((delivery) => this.queueAgain(delivery));
  private readonly attempted = new Map<number, Delivery>();
  private readonly leases = new Set<Lease>();
  private consumers: Consumer[] = [];
  private sweeper: NodeJS.Timeout | undefined;
  private isPumpDue = false;
  private isClosed = false;
  private readonly events: BacklogEvents;

  constructor(events: BacklogEvents) {
    this.events = events;
  }

  /** Messages not acknowledged. */
  get size(): number {
    return this.fresh.length - this.freshFrom + this.attempted.size;
  }

  /** Of the messages that are not acknowledged. */
  get oldestPublishMs(): number {
    const firstFresh = this.fresh[this.freshFrom]?.publishMs ?? Infinity;
    return [...this.attempted.values()].reduce((oldest, { entry }) => Math.min(oldest, entry.publishMs), firstFresh);
  }

  get outstanding(): number {
    return this.leases.size;
  }

  get hasConsumers(): boolean {
    return this.consumers.length > 0;
  }

  add(entry: Entry): void {
    this.fresh.push(entry);
    this.wake();
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

  /** An acknowledgement counts whenever it comes, also after the deadline; one for a message that is gone is ignored. */
  ack(ackId: string): void {
    const delivery = this.attempted.get(entryIdOf(ackId));
    if (delivery !== undefined) this.finish(delivery);
  }

  /** Moves the deadline of a lease; 0 gives the message back. Leases that ended are left alone. */
  extend(ackId: string, ms: number): void {
    const lease = this.attempted.get(entryIdOf(ackId))?.lease;
    if (lease === undefined || lease.ackId !== ackId) return;
    if (ms === 0) this.refuse(lease);
    else lease.endsMs = performance.now() + ms;
  }

  /** The consumer does not want it (now): redelivered after the backoff, or dead-lettered. */
  refuse(lease: Lease): void {
    if (lease.delivery.lease !== lease) return;
    this.endLease(lease, false);
    const { delivery } = lease;
    if (this.rules.attemptsMax !== undefined && delivery.attempt >= this.rules.attemptsMax) {
      void this.events.deadLetter(delivery).then((isStored) => {
        if (isStored) this.finish(delivery);
        else if (!delivery.isDone) this.later.add(delivery, DEAD_LETTER_RETRY_MS);
      });
      return;
    }
    const { backoffMs } = this.rules;
    const waitMs = backoffMs === undefined ? 0 : Math.min(backoffMs.max, backoffMs.min * 2 ** (delivery.attempt - 1));
    if (waitMs > 0) this.later.add(delivery, waitMs);
    else this.queueAgain(delivery);
  }

  /** Gives a lease back as if it had never been: behind the others, without counting the attempt. */
  postpone(lease: Lease, ms: number): void {
    if (lease.delivery.lease !== lease) return;
    this.endLease(lease, true);
    lease.delivery.attempt -= 1;
    this.later.add(lease.delivery, ms);
  }

  /** Drops what was published before `ms`: retention, or a seek forward. */
  dropBefore(ms: number): void {
    // Asked every few seconds: a backlog whose oldest message is young must cost nothing.
    const isFirstYoung = (this.fresh[this.freshFrom]?.publishMs ?? ms) >= ms;
    if (isFirstYoung && [...this.attempted.values()].every(({ entry }) => entry.publishMs >= ms)) return;
    const old = this.pending().filter((entry) => entry.publishMs < ms);
    const ids = new Set(old.map(({ id }) => id));
    this.fresh = this.fresh.slice(this.freshFrom).filter(({ id }) => !ids.has(id));
    this.freshFrom = 0;
    for (const entry of old) {
      const delivery = this.attempted.get(entry.id);
      if (delivery === undefined) this.events.acked(entry);
      else this.finish(delivery);
    }
  }

  pending(): Entry[] {
    return [...[...this.attempted.values()].map(({ entry }) => entry), ...this.fresh.slice(this.freshFrom)];
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.sweeper);
    this.later.close();
    this.consumers = [];
    this.leases.clear();
    this.attempted.clear();
    this.fresh = [];
    this.freshFrom = 0;
    this.again = [];
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
      const delivery = this.next();
      if (delivery === undefined) break;
      delivery.attempt += 1;
      delivery.lease = { ackId: `${delivery.entry.id}-${delivery.attempt}`, delivery, attempt: delivery.attempt, consumer, endsMs: performance.now() + consumer.leaseMs };
      this.leases.add(delivery.lease);
      leases.push(delivery.lease);
      messages -= 1;
      bytes -= delivery.entry.rawBytes;
    }
    if (leases.length > 0 && consumer.leaseMs !== Infinity) this.sweeper ??= setInterval(() => this.sweep(), SWEEP_MS);
    return leases;
  }

  private next(): Delivery | undefined {
    for (let delivery = this.again.shift(); delivery !== undefined; delivery = this.again.shift()) {
      if (!delivery.isDone) return delivery;
    }
    const entry = this.fresh[this.freshFrom];
    if (entry === undefined) return undefined;
    this.freshFrom += 1;
    if (this.freshFrom > 1_024 && this.freshFrom * 2 > this.fresh.length) {
      this.fresh = this.fresh.slice(this.freshFrom);
      this.freshFrom = 0;
    }
    const delivery: Delivery = { entry, attempt: 0, lease: undefined, isDone: false };
    this.attempted.set(entry.id, delivery);
    return delivery;
  }

  private queueAgain(delivery: Delivery): void {
    if (delivery.isDone) return;
    this.again.push(delivery);
    this.wake();
  }

  private finish(delivery: Delivery): void {
    if (delivery.isDone) return;
    delivery.isDone = true;
    this.attempted.delete(delivery.entry.id);
    if (delivery.lease !== undefined) this.endLease(delivery.lease, true);
    this.events.acked(delivery.entry);
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

/** Our ack ids are `<message id>-<attempt>`; anything else is nobody's. */
export const isAckId = (text: string): boolean => /^\d{1,16}-\d{1,9}$/.test(text);
const entryIdOf = (ackId: string): number => Number(ackId.slice(0, ackId.indexOf('-')));
