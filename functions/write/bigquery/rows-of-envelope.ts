// One envelope in, its pending rows out, and the events that could not be made into rows. Called by write-message.ts.
// The mapping is the collector's own, run again on what was archived: a mapping bug is repaired by replaying.
import { protocolNamed } from '../../collect/protocols/registry.ts';
import type { Envelope } from '../../envelope.ts';
import { ingestError } from '../../errors.ts';
import { accepted, retry } from '../../outcome.ts';
import type { Outcome } from '../../outcome.ts';
import { eventDateOf } from '../../table-shard.ts';
import type { EventDate } from '../../table-shard.ts';
import type { PendingRow, RowOrigin, Ticket } from './pending-row.ts';
import type { RefusedEvent } from './refuse.ts';
import { rejectedDateOf, toRejectedRow } from './rejected-row.ts';
import { rowContext, toRow } from './row.ts';
import type { RequestFacts } from './row.ts';

export type Encoders = Readonly<Record<string, (row: never) => Uint8Array>>;
export type EnvelopeRows = { rows: PendingRow[]; refused: RefusedEvent[] };

export type RowMaking = {
  encoders: Encoders;
  timeZone: string;
  /** Whether the date's intraday table has closed by now: the first guess, made again when the row is appended. */
  isLateNow: (stream: string, eventDate: EventDate, publishTimeMs: number) => boolean;
};

/** Rows of every event that the collector accepted. A stream or protocol that this code does not know waits for newer code. */
export function rowsOfEnvelope(envelope: Envelope, messageId: string, ticket: Ticket, making: RowMaking): Outcome<EnvelopeRows> {
  const encode = making.encoders[envelope.stream] as ((row: unknown) => Uint8Array) | undefined;
  if (encode === undefined) return retry(ingestError('code_too_old', { what: `stream ${envelope.stream}` }));
  if (envelope.stream === 'rejected') return accepted(rejectedRow(envelope, messageId, ticket, making, encode));
  // Everything was rejected (or unreadable): the events are on their own topic, here is nothing to write.
  if (envelope.events === envelope.rejected.length) return accepted({ rows: [], refused: [] });
  const protocol = protocolNamed(envelope.protocol);
  if (protocol === undefined) return retry(ingestError('code_too_old', { what: `protocol ${envelope.protocol}` }));

  const facts: RequestFacts = {
    requestId: envelope.request_id,
    receivedTimestamp: envelope.received_timestamp,
    source: envelope.source,
    protocol: envelope.protocol,
    messageId,
    client: envelope.client,
  };
  const origin: RowOrigin = { envelope, asSent: { batch: envelope.body, events: [] } };
  const result: EnvelopeRows = { rows: [], refused: [] };
  const mapped = mapBody(protocol, envelope, facts, origin);
  if (mapped === undefined) {
    result.refused.push({ origin, index: -1, error: ingestError('mapping_failed', { reason: 'the body is no batch of its protocol' }) });
    return accepted(result);
  }
  const context = rowContext(mapped.batch, facts);
  const rejectedIndexes = envelope.rejected.length === 0 ? undefined : new Set(envelope.rejected);
  const { events } = mapped;
  for (let index = 0; index < events.length; index += 1) {
    if (rejectedIndexes?.has(index) === true) continue;
    try {
      result.rows.push(pendingRow(events[index], index));
    } catch (error) {
      result.refused.push({ origin, index, error: ingestError('mapping_failed', { reason: (error as Error).message }) });
    }
  }
  ticket.open += result.rows.length;
  return accepted(result);

  function pendingRow(event: unknown, index: number): PendingRow {
    if (typeof event !== 'object' || event === null || Array.isArray(event)) throw new TypeError('the event is not an object');
    const fields = event as Record<string, unknown>;
    // Clients may send 64-bit integers as text.
    const sent = fields['event_timestamp'];
    const timestamp = typeof sent === 'string' && sent !== '' ? Number(sent) : sent;
    if (typeof timestamp !== 'number' || !Number.isSafeInteger(timestamp)) throw new TypeError('event_timestamp is not an integer');
    const eventDate = eventDateOf(timestamp, making.timeZone);
    const encodeFor = (isLate: boolean): Uint8Array => encode!(toRow(envelope.stream, context, fields, eventDate, facts, isLate));
    const isLate = making.isLateNow(envelope.stream, eventDate, ticket.publishTimeMs);
    return { stream: envelope.stream, eventDate, bytes: encodeFor(isLate), isLate, encode: encodeFor, origin, index, ticket };
  }
}

function mapBody(protocol: NonNullable<ReturnType<typeof protocolNamed>>, envelope: Envelope, facts: RequestFacts, origin: RowOrigin) {
  if (envelope.body_encoding === 'base64' || !protocol.isBatch(envelope.body)) return undefined;
  const mapped = protocol.toBatch(envelope.body, facts);
  origin.asSent = mapped.asSent;
  return mapped;
}

function rejectedRow(envelope: Envelope, messageId: string, ticket: Ticket, making: RowMaking, encode: (row: unknown) => Uint8Array): EnvelopeRows {
  const origin: RowOrigin = { envelope, asSent: { batch: envelope.body, events: [] } };
  try {
    const eventDate = rejectedDateOf(envelope, making.timeZone);
    const encodeFor = (isLate: boolean): Uint8Array => encode(toRejectedRow(envelope, eventDate, messageId, isLate));
    const isLate = making.isLateNow('rejected', eventDate, ticket.publishTimeMs);
    const row = { stream: 'rejected', eventDate, bytes: encodeFor(isLate), isLate, encode: encodeFor, origin, index: 0, ticket };
    ticket.open += 1;
    return { rows: [row], refused: [] };
  } catch (error) {
    return { rows: [], refused: [{ origin, index: -1, error: ingestError('mapping_failed', { reason: (error as Error).message }) }] };
  }
}
