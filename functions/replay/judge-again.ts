// The rejected events of one request in; out comes an envelope with those that are good now, and the others with their errors.
// Pure. Called by rejected.ts. Events keep their index in the request (the gaps count as rejected), so that ids which a protocol
// makes of the place in the request, or of the place among equals, stay the ids they were.
import { protocolNamed } from '../collect/protocols/registry.ts';
import { ENVELOPE_VERSION } from '../envelope.ts';
import type { Envelope, RejectedBody } from '../envelope.ts';
import { ingestError } from '../errors.ts';
import type { IngestError } from '../errors.ts';
import { fieldsOf, validateBatch } from '../validate/validate-batch.ts';
import type { CollectedStream } from '../validate/validators.ts';
import { VALIDATORS } from '../validate/validators.ts';

export type RejectedEvent = {
  envelope: Envelope;
  body: RejectedBody;
  /** Base name of the file it was found in. */
  file: string;
};
export type JudgedAgain = {
  good: { envelope: Envelope; events: number; replayOf: string } | undefined;
  stillBad: { event: RejectedEvent; errors: IngestError[] }[];
};

const ABOUT_TIME: ReadonlySet<string> = new Set(['too_late', 'timestamp_in_future', 'ts_out_of_range', 'bad_timestamp']);

export function judgeAgain(rejected: readonly RejectedEvent[], { lateDaysMax, dateByReceipt }: { lateDaysMax: number; dateByReceipt: boolean }): JudgedAgain {
  const [first] = rejected;
  const { envelope } = first!;
  const stream = first!.body.rejected_stream;
  const protocol = protocolNamed(envelope.protocol);
  if (protocol === undefined || !(stream in VALIDATORS)) {
    const error = ingestError('code_too_old', { what: protocol === undefined ? `protocol ${envelope.protocol}` : `stream ${stream}` });
    return { good: undefined, stillBad: rejected.map((event) => ({ event, errors: [error] })) };
  }
  const sent: unknown[] = [];
  for (const { body } of rejected) sent[body.index!] = eventOf(body.event);
  for (let index = 0; index < sent.length; index += 1) sent[index] ??= null;
  const body = { ...(first!.body.batch as object | undefined), events: sent };
  const mapped = protocol.toBatch(body, { requestId: envelope.request_id, receivedTimestamp: envelope.received_timestamp, source: envelope.source, client: envelope.client });
  const events = dateByReceipt ? datedByReceipt(mapped.events, rejected, envelope.received_timestamp) : mapped.events;

  const verdict = validateBatch({
    stream: stream as CollectedStream,
    batch: mapped.batch,
    events,
    asSent: mapped.asSent,
    isMarked: true,
    largestEventBytes: Math.max(...sent.map((event) => Buffer.byteLength(JSON.stringify(event)))),
    cutEvents: new Map(),
    receivedMicros: envelope.received_timestamp,
    lateDaysMax,
  });
  const stillBad = rejected.flatMap((event) => {
    const errors = verdict.rejected.get(event.body.index!);
    return errors === undefined ? [] : [{ event, errors: [...errors] }];
  });
  const goodIndexes = new Set(rejected.map(({ body: { index } }) => index!).filter((index) => !verdict.rejected.has(index)));
  if (goodIndexes.size === 0) return { good: undefined, stillBad };
  const request = {
    request_id: envelope.request_id,
    received_timestamp: envelope.received_timestamp,
    source: envelope.source,
    code_version: envelope.code_version,
    schema_version: envelope.schema_version,
    client: envelope.client,
  };
  const isGood = (_: unknown, index: number): boolean => goodIndexes.has(index);
  // An event whose time was replaced travels as the native event that it had become: its protocol would make the old time again.
  const kept = dateByReceipt ? { protocol: 'native', body: { ...fieldsOf(mapped.batch), events: onlyWhere(events, isGood) } } : { protocol: envelope.protocol, body: { ...body, events: onlyWhere(sent, isGood) } };
  return {
    good: {
      envelope: { envelope: ENVELOPE_VERSION, ...request, stream, ...kept, events: sent.length, rejected: sent.flatMap((_, index) => goodIndexes.has(index) ? [] : [index]) },
      events: goodIndexes.size,
      replayOf: first!.file,
    },
    stillBad,
  };
}

/** An event that the collector kept as text (it was too large to parse) is parsed now. */
function eventOf(event: unknown): unknown {
  if (typeof event !== 'string') return event;
  try {
    return JSON.parse(event);
  } catch {
    return event;
  }
}

/** Events that were refused for their time get the time of their receipt. */
function datedByReceipt(events: readonly unknown[], rejected: readonly RejectedEvent[], receivedTimestamp: number): unknown[] {
  const untimely = new Set(rejected.filter(({ body }) => body.errors.some(({ code }) => ABOUT_TIME.has(code))).map(({ body }) => body.index));
  return events.map((event, index) => untimely.has(index) && typeof event === 'object' && event !== null ? { ...event, event_timestamp: receivedTimestamp } : event);
}

const onlyWhere = (events: readonly unknown[], isKept: (event: unknown, index: number) => boolean): unknown[] =>
  events.map((event, index) => (isKept(event, index) ? event : null));
