// One envelope as one line of a message. A body that needs no cleaning is spliced in as the client sent it, compressed or not:
// that keeps the archive faithful, and saves serialising and compressing. Called by `collect`, the writers and `replay`.
import type { Envelope } from './envelope.ts';

/** A piece of a line: plain bytes, or one or more whole gzip members. */
export type LineChunk = { bytes: Uint8Array; isGzip: boolean };

export type EncodedLine = {
  /** Together they inflate to exactly one line, its line feed included. */
  chunks: readonly LineChunk[];
  /** Upper bound of what the line adds to a message: its chunks' lengths. */
  bytes: number;
  /** What a subscriber must hold for it: the inflated line, plus batch fields once more for each event. */
  mergedBytes: number;
  /** For the message's attributes. */
  accepted: number;
  rejected: number;
};

export type EnvelopeHead = Omit<Envelope, 'body'>;

/** The client's body, cleaned: one JSON text without BOM, CR or LF, as UTF-8 or as the gzip of exactly that. */
export type BodyBytes = LineChunk & { inflatedBytes: number };

const TAIL: LineChunk = { bytes: Buffer.from('}\n'), isGzip: false };

/** A line from its head and the body's own bytes. `batchFieldBytes` is what each event repeats once the writer merges it. */
export function spliceLine(head: EnvelopeHead, body: BodyBytes, batchFieldBytes = 0): EncodedLine {
  const opening = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"body":`);
  return {
    chunks: [{ bytes: opening, isGzip: false }, body, TAIL],
    bytes: opening.length + body.bytes.length + TAIL.bytes.length,
    mergedBytes: opening.length + body.inflatedBytes + head.events * batchFieldBytes,
    accepted: head.events - head.rejected.length,
    rejected: head.rejected.length,
  };
}

/** A line from a whole envelope: for envelopes that are made, not passed on (the rejected stream, replay). */
export function encodeLine(envelope: Envelope): EncodedLine {
  const bytes = Buffer.from(`${JSON.stringify(envelope)}\n`);
  return {
    chunks: [{ bytes, isGzip: false }],
    bytes: bytes.length,
    mergedBytes: bytes.length,
    accepted: envelope.events - envelope.rejected.length,
    rejected: envelope.rejected.length,
  };
}
