// A row on its way into a table, and the ticket of the message it came in. Made by rows-of-envelope.ts, moved by row-writer.ts.
import type { Envelope } from '../../envelope.ts';
import type { IngestError } from '../../errors.ts';
import type { Outcome } from '../../outcome.ts';
import type { EventDate } from '../../table-shard.ts';

/** Where a row came from: all that is needed to send the event to the rejected stream, whole. Shared by the events of one request. */
export type RowOrigin = {
  envelope: Envelope;
  /** The batch fields and the events as the client sent them; `events[row.index]` is the row's. */
  asSent: { batch: unknown; events: readonly unknown[] };
};

export type PendingRow = {
  stream: string;
  eventDate: EventDate;
  /** The row in protobuf, for the kind of table in `isLate`. */
  bytes: Uint8Array;
  isLate: boolean;
  /** Makes the bytes again for the other kind of table: a day may close while the row waits. */
  encode: (isLate: boolean) => Uint8Array;
  origin: RowOrigin;
  index: number;
  ticket: Ticket;
};

/** Counts what is still open of one message; `done` resolves when every row of it is stored, refused, or known to have failed. */
export type Ticket = {
  /** Milliseconds since 1970: Pub/Sub's clock, the other one of the two that decide the table. */
  publishTimeMs: number;
  open: number;
  /** The first trouble that asks for a redelivery. */
  trouble: IngestError | undefined;
  finish: () => void;
  done: Promise<void>;
};

export function makeTicket(publishTimeMs: number): Ticket {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { publishTimeMs, open: 0, trouble: undefined, finish: resolve, done: promise };
}

/** One row of the ticket has found its place (`trouble` absent) or could not. */
export function settle(ticket: Ticket, trouble?: IngestError): void {
  ticket.trouble ??= trouble;
  ticket.open -= 1;
  if (ticket.open === 0) ticket.finish();
}

/** What a row that BigQuery will never take becomes: the rejected topic's answer decides whether the message may be acknowledged. */
export type Refuse = (rows: readonly { row: PendingRow; error: IngestError }[]) => Promise<Outcome<unknown>>;
