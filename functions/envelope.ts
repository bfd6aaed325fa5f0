// The envelope: what travels on Pub/Sub. `collect` and `replay` make messages of envelope lines, the writers read them.
// One message = gzip of newline-delimited JSON, one line per HTTP request; the body in it is the client's own text.
import type { IngestError } from './errors.ts';

export const ENVELOPE_VERSION = 1;
/** Versions that the writers of this code accept (N and N-1). */
export const ENVELOPE_VERSIONS_READ: readonly number[] = [ENVELOPE_VERSION];

/** What is known of the sender besides the body. No IP address, ever. */
export type ClientFacts = {
  user_agent?: string;
  /** From the load balancer's headers, where there are any. */
  geo?: { country?: string; region?: string; city?: string };
  /** Whether user ids of this request may be stored: false when its source or its batch has no consent for analytics storage. */
  analytics_storage?: 'Yes' | 'No' | 'Unset';
  /** Values of the request's URL that its protocol needs to make rows (GA4: measurement_id, firebase_app_id). Never a key. */
  query?: Record<string, string>;
  /** The source's platform, for clients that do not say theirs. */
  platform?: string;
};

export type Envelope = {
  envelope: number;
  request_id: string;
  /** Microseconds since 1970, the collector's clock. */
  received_timestamp: number;
  stream: string;
  /** Source id, never the write key. */
  source: string;
  /** Folder name under functions/collect/protocols. */
  protocol: string;
  code_version: string;
  schema_version: number;
  client: ClientFacts;
  /** How many events the body holds, rejected ones included. */
  events: number;
  /** Indexes (into the body's events) that the collector rejected; they travel on the rejected topic. */
  rejected: number[];
  /** The request's JSON value as sent; a base64 text when `body_encoding` is "base64" (the body was not JSON). */
  body: unknown;
  body_encoding?: 'base64';
};

/** The body of an envelope on the `rejected` topic: one event (or one unreadable request), whole, with its reasons. */
export type RejectedBody = {
  /** UUID, a hash of source, event as sent, and index: the same event rejected twice is one row. */
  rejected_id: string;
  /** The stream it was meant for. */
  rejected_stream: string;
  /** Where it was refused: collect, write-bigquery, write-storage or replay. */
  stage: string;
  /** All that is wrong with it, at least one. */
  errors: IngestError[];
  /** Index in the original request's events; absent when the whole request was unreadable. */
  index?: number;
  /** The batch fields as sent (the body without its events). */
  batch?: unknown;
  /** The event as sent. */
  event?: unknown;
  /** For what could not be read: its first 64 KiB as base64, the whole's SHA-256 (hex) and length. */
  raw?: { base64: string; sha256: string; bytes: number };
  /** How often this event came back from a replay. */
  attempt: number;
};

/** Attributes of every message; all values are text. Nothing per user. */
export type MessageAttributes = {
  stream: string;
  envelope: string;
  /** Events accepted in the message (sum over its lines of events minus rejected). */
  events: string;
  rejected: string;
  encoding: 'gzip';
  /** Message id of the original, on a message that `replay` made. */
  replay_of?: string;
};

/** What Pub/Sub pushes (the JSON wrapping of a push subscription), already decoded. */
export type PushedMessage = {
  messageId: string;
  /** Milliseconds since 1970. */
  publishTimeMs: number;
  attributes: Partial<MessageAttributes> & Record<string, string>;
  data: Uint8Array;
  subscription: string;
  deliveryAttempt?: number;
};
