// One pushed message in, accepted (every row is stored, everything bad is on the rejected topic) or retry out. Called by function.ts.
// Bad is never a reason for a redelivery: what can never be stored moves to the rejected topic, and the message is acknowledged.
import { ENVELOPE_VERSIONS_READ } from '../../envelope.ts';
import type { Envelope, PushedMessage } from '../../envelope.ts';
import { ingestError } from '../../errors.ts';
import { accepted, retry } from '../../outcome.ts';
import type { Outcome } from '../../outcome.ts';
import { readMessage, readPush } from '../../read-message.ts';
import { makeTicket } from './pending-row.ts';
import type { PendingRow } from './pending-row.ts';
import type { RefusedEvent, RejectedSink } from './refuse.ts';
import type { RowWriter } from './row-writer.ts';
import { rowsOfEnvelope } from './rows-of-envelope.ts';
import type { RowMaking } from './rows-of-envelope.ts';

export type WriteCounts = { rows: number; refused: number };
export type MessageWriting = {
  making: RowMaking;
  writer: Pick<RowWriter, 'write'>;
  rejected: RejectedSink;
  /** Given by tests: code of the version before and after read side by side. */
  envelopeVersionsRead?: readonly number[];
};

/** The body of a push request, to its end. */
export async function writePush(body: Buffer, writing: MessageWriting): Promise<Outcome<WriteCounts>> {
  const pushed = readPush(body);
  if (pushed.kind === 'accepted') return writeMessage(pushed.value, writing);
  if (pushed.kind === 'retry') return pushed;
  return whenRefused(await writing.rejected.refuseMessage({ data: body }, pushed.error), { rows: 0, refused: 1 });
}

export async function writeMessage(message: PushedMessage, writing: MessageWriting): Promise<Outcome<WriteCounts>> {
  const read = readMessage(message, writing.envelopeVersionsRead ?? ENVELOPE_VERSIONS_READ);
  if (read.kind === 'retry') return read;
  if (read.kind === 'rejected') return whenRefused(await writing.rejected.refuseMessage(message, read.error), { rows: 0, refused: 1 });
  return writeEnvelopes(read.value, message, writing);
}

async function writeEnvelopes(envelopes: readonly Envelope[], message: PushedMessage, { making, writer, rejected }: MessageWriting): Promise<Outcome<WriteCounts>> {
  const ticket = makeTicket(message.publishTimeMs);
  // A replayed message makes the rows that the original made.
  const messageId = message.attributes.replay_of ?? message.messageId;
  const rows: PendingRow[] = [];
  const refused: RefusedEvent[] = [];
  for (const envelope of envelopes) {
    const made = rowsOfEnvelope(envelope, messageId, ticket, making);
    // Nothing of this message is under way yet, so it may wait as a whole.
    if (made.kind !== 'accepted') return made;
    for (const row of made.value.rows) rows.push(row);
    for (const event of made.value.refused) refused.push(event);
  }
  if (rows.length > 0) {
    writer.write(rows);
    await ticket.done;
    if (ticket.trouble !== undefined) return retry(ticket.trouble);
  }
  if (refused.length === 0) return accepted({ rows: rows.length, refused: 0 });
  return whenRefused(await rejected.refuseEvents(refused), { rows: rows.length, refused: refused.length });
}

/** Only what the rejected topic has acknowledged may be acknowledged here. */
function whenRefused(outcome: Outcome<unknown>, counts: WriteCounts): Outcome<WriteCounts> {
  if (outcome.kind === 'accepted') return accepted(counts);
  return outcome.kind === 'retry' ? outcome : retry(ingestError('publish_unavailable', { reason: outcome.error.message }));
}
