// The words of delivering: a message that somebody waits for, its delivery to one subscription, the lease that a consumer holds on it.
// backlog.ts works with them; push.ts and stream.ts are consumers, store.ts keeps the entries.
import type { Place } from './journal.ts';

/** One message on disk that somebody waits for. */
export type Entry = {
  id: number;
  topic: number;
  publishMs: number;
  place: Place;
  rawBytes: number;
  /** Its ordering key, where one of its subscriptions keeps the order; else ''. */
  key: string;
  /** How many subscriptions have not acknowledged it. */
  holders: number;
  /** The message itself while the memory budget allows; else it is read from the journal. */
  raw: Buffer | undefined;
};

export type Delivery = {
  entry: Entry;
  attempt: number;
  lease: Lease | undefined;
  isDone: boolean;
  /** Backing off. */
  isWaiting: boolean;
};
export type Lease = { ackId: string; delivery: Delivery; attempt: number; consumer: Consumer; endsMs: number };

export type Consumer = {
  room(): { messages: number; bytes: number };
  deliver(leases: Lease[]): void;
  /** A lease of this consumer ended; `isAcked` false: refused, or its deadline passed. */
  ended(lease: Lease, isAcked: boolean): void;
  /** How long a lease lasts; Infinity where the consumer ends it itself. */
  leaseMs: number;
  /** Gets no second message of an ordering key while one is under way. */
  isSerial?: boolean;
};

export type BacklogRules = {
  isOrdered?: boolean;
  /** An ack id counts only while it is the message's latest and its deadline has not passed. */
  isExactlyOnce?: boolean;
  backoffMs?: { min: number; max: number };
  /** Attempts after which a message goes to the dead-letter topic. */
  attemptsMax?: number;
};

export type BacklogEvents = {
  acked(entry: Entry): void;
  /** Delivered in vain, for the `attempts`-th time. */
  refused(entry: Entry, attempts: number): void;
  /** Exactly-once delivery: somebody has it for so long from now; 0: nobody any more. */
  leased(entry: Entry, ackId: string, leftMs: number): void;
  /** Resolves true when the message stands in the dead-letter topic. */
  deadLetter(delivery: Delivery): Promise<boolean>;
};

/** What is known of a message from an earlier run. */
export type Earlier = { attempts?: number; lease?: { ackId: string; leftMs: number } | undefined };

/** Who had a lease in an earlier run. */
export const GONE: Consumer = { room: () => ({ messages: 0, bytes: 0 }), deliver: () => {}, ended: () => {}, leaseMs: 0 };
