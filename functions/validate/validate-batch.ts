// A mapped batch in, a verdict on every event out. The good path is one call of the generated validator and a small loop; only
// a batch that failed, or whose text carried a mark, is looked at event by event and for all its errors. Pure. Called by `collect`.
import { ingestError, type IngestError } from '../errors.ts';
import { isEventId } from '../event-id.ts';
import { LIMITS } from '../limits.ts';
import { findForbidden } from './find-forbidden.ts';
import { describeSchemaErrors } from './describe-schema-errors.ts';
import { judgeTimestamp } from './judge-timestamp.ts';
import { VALIDATORS, type CollectedStream } from './validators.ts';

export type Candidate = {
  stream: CollectedStream;
  /** Native batch fields; `events` and `write_key` in it are not fields. */
  batch: Record<string, unknown>;
  events: readonly unknown[];
  /** The client's own values: where keys, numbers and characters are judged. */
  asSent: { batch: unknown; events: readonly unknown[] };
  /** Whether the text had anything that makes a walk over all values necessary. */
  isMarked: boolean;
  /** Bytes of the largest event; an upper bound is fine. */
  largestEventBytes: number;
  /** Verdicts that fell before parsing, by what stands in for the event. */
  cutEvents: ReadonlyMap<unknown, { error: IngestError }>;
  receivedMicros: number;
  lateDaysMax: number;
};

export type Verdict = {
  /** Index -> all that is wrong; events that are not in it are accepted. */
  rejected: ReadonlyMap<number, readonly IngestError[]>;
  /** What each event repeats when it becomes a row. */
  batchFieldBytes: number;
  /** The batch fields alone are too large: every event is rejected for it. */
  isBatchTooLarge: boolean;
};

/** The version of every stream's schema that is known here. */
export const SCHEMA_VERSION = 1;

/** An answer stays readable, and bounded. */
const ERRORS_PER_EVENT_MAX = 20;

export function validateBatch(candidate: Candidate): Verdict {
  const { batch, events, largestEventBytes } = candidate;
  const fields = fieldsOf(batch);
  const batchFieldBytes = Buffer.byteLength(JSON.stringify(fields));
  if (batchFieldBytes > LIMITS.batchFieldBytesMax) {
    const error = ingestError('batch_fields_too_large', { bytes: batchFieldBytes, batchFieldBytesMax: LIMITS.batchFieldBytesMax });
    return { rejected: new Map(events.map((_, index) => [index, [error]])), batchFieldBytes, isBatchTooLarge: true };
  }
  const version = batch['schema_version'] ?? SCHEMA_VERSION;
  if (version !== SCHEMA_VERSION) {
    const error = ingestError('unknown_schema', { version: JSON.stringify(version), stream: candidate.stream });
    return { rejected: new Map(events.map((_, index) => [index, [error]])), batchFieldBytes, isBatchTooLarge: false };
  }
  const { batch: validWhole } = VALIDATORS[candidate.stream];
  const whole = batch['events'] === events ? batch : { ...batch, events };
  const isGood = !candidate.isMarked && candidate.cutEvents.size === 0
    && largestEventBytes + batchFieldBytes <= LIMITS.eventBytesMax && validWhole(whole);
  return { rejected: isGood ? judgeTimes(candidate) : judgeEach(candidate, fields, batchFieldBytes), batchFieldBytes, isBatchTooLarge: false };
}

/** The fields of a batch that each of its events inherits. */
export function fieldsOf(batch: Record<string, unknown>): Record<string, unknown> {
  const { events, write_key, ...fields } = batch;
  return fields;
}

/** What the schema cannot say of an event that satisfies it. */
function judgeTimes({ events, receivedMicros, lateDaysMax }: Candidate): Map<number, IngestError[]> {
  const rejected = new Map<number, IngestError[]>();
  for (let index = 0; index < events.length; index++) {
    const event = events[index] as { event_timestamp: unknown };
    const timeError = judgeTimestamp(event.event_timestamp, receivedMicros, lateDaysMax);
    if (timeError !== undefined) rejected.set(index, [timeError]);
  }
  return rejected;
}

function judgeEach(candidate: Candidate, fields: Record<string, unknown>, batchFieldBytes: number): Map<number, IngestError[]> {
  const { events, asSent, cutEvents } = candidate;
  const { context, contextAll } = VALIDATORS[candidate.stream];
  const ofBatch: IngestError[] = [];
  if (candidate.isMarked) ofBatch.push(...findForbidden(fieldsOf(asSent.batch as Record<string, unknown>)));
  if (!context(fields) && !contextAll(fields)) ofBatch.push(...describeSchemaErrors(contextAll.errors ?? [], fields));
  const inherited = ofBatch.map((error) => ({ ...error, message: `In the batch fields: ${error.message}` }));
  const rejected = new Map<number, IngestError[]>();
  for (let index = 0; index < events.length; index++) {
    const cut = cutEvents.get(events[index]) ?? cutEvents.get(asSent.events[index]);
    const errors = cut === undefined ? [...judgeEvent(candidate, index, batchFieldBytes), ...inherited] : [cut.error];
    if (errors.length > 0) rejected.set(index, onePerPointer(errors).slice(0, ERRORS_PER_EVENT_MAX));
  }
  return rejected;
}

function judgeEvent(candidate: Candidate, index: number, batchFieldBytes: number): IngestError[] {
  const event = candidate.events[index];
  const { event: valid, eventAll } = VALIDATORS[candidate.stream];
  const errors: IngestError[] = [];
  if (typeof event === 'object' && event !== null && !Array.isArray(event)) {
    const { event_id: id, event_timestamp: timestamp } = event as { event_id?: unknown; event_timestamp?: unknown };
    if (!isEventId(id)) errors.push(ingestError('bad_event_id', {}, '/event_id'));
    const timeError = judgeTimestamp(timestamp, candidate.receivedMicros, candidate.lateDaysMax);
    if (timeError !== undefined) errors.push(timeError);
  }
  if (candidate.largestEventBytes + batchFieldBytes > LIMITS.eventBytesMax) {
    const bytes = Buffer.byteLength(JSON.stringify(candidate.asSent.events[index]) ?? '') + batchFieldBytes;
    if (bytes > LIMITS.eventBytesMax) errors.push(ingestError('event_too_large', { bytes, eventBytesMax: LIMITS.eventBytesMax }, ''));
  }
  if (candidate.isMarked) errors.push(...findForbidden(candidate.asSent.events[index]));
  if (!valid(event) && !eventAll(event)) errors.push(...describeSchemaErrors(eventAll.errors ?? [], event));
  return errors;
}

/** The first error about a place is the one that says most; schema errors about the same place only repeat it. */
function onePerPointer(errors: readonly IngestError[]): IngestError[] {
  const seen = new Set<string>();
  return errors.filter(({ code, pointer, message }) => {
    const key = pointer === undefined || pointer === '' ? `${code} ${message}` : pointer;
    return !seen.has(key) && seen.add(key);
  });
}
