// The body of an envelope on the rejected topic in, its row out. Called by rows-of-envelope.ts. Pure.
import type { Envelope, RejectedBody } from '../../envelope.ts';
import type { RejectedRow } from '../../../schemas/generated/types.ts';
import { eventDateOf } from '../../table-shard.ts';
import type { EventDate } from '../../table-shard.ts';

/** Rejected rows have the date of their receipt: the event's own time may be what is wrong with it. */
export const rejectedDateOf = (envelope: Envelope, timeZone: string): EventDate => eventDateOf(envelope.received_timestamp, timeZone);

/** An event that the collector kept as text (it was too large to parse) is text already. */
const text = (value: unknown): string | undefined => (value === undefined || typeof value === 'string' ? value : JSON.stringify(value));

export function toRejectedRow(envelope: Envelope, eventDate: EventDate, messageId: string, isLate: boolean): RejectedRow {
  const body = envelope.body as RejectedBody;
  if (typeof body !== 'object' || body === null || typeof body.rejected_id !== 'string' || !Array.isArray(body.errors)) {
    throw new TypeError('the body is not that of a rejected event');
  }
  const [first] = body.errors;
  const event = typeof body.event === 'object' && body.event !== null ? (body.event as Record<string, unknown>) : {};
  const nameOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return {
    event_date: eventDate,
    event_timestamp: envelope.received_timestamp,
    stream: body.rejected_stream,
    source: envelope.source,
    protocol: envelope.protocol,
    stage: body.stage,
    error_code: first?.code,
    error_message: first?.message,
    pointer: first?.pointer,
    errors: body.errors.map(({ code, message, pointer }) => ({ code, message, pointer })),
    event_name: nameOf(event['event_name']) ?? nameOf(event['name']),
    event_index: body.index,
    batch: text(body.batch),
    event: text(body.event),
    body_base64: body.raw?.base64,
    body_sha256: body.raw?.sha256,
    body_bytes: body.raw?.bytes,
    attempt: body.attempt,
    event_id: body.rejected_id,
    received_timestamp: envelope.received_timestamp,
    ingest: { source: envelope.source, protocol: envelope.protocol, message_id: messageId, request_id: envelope.request_id, is_late: isLate },
  };
}
