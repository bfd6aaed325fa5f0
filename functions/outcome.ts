// The three ways a step can end. Every room answers with one of these; throwing is for the impossible.
import type { IngestError } from './errors.ts';

export type Accepted<T> = { kind: 'accepted'; value: T };
/** The same bytes will never pass: the sender's fault. */
export type Rejected = { kind: 'rejected'; error: IngestError };
/** Our or Google's trouble: send the same bytes again, not before `afterMs` milliseconds. */
export type Retry = { kind: 'retry'; error: IngestError; afterMs?: number };

export type Outcome<T> = Accepted<T> | Rejected | Retry;

export const accepted = <T>(value: T): Accepted<T> => ({ kind: 'accepted', value });
export const rejected = (error: IngestError): Rejected => ({ kind: 'rejected', error });
export const retry = (error: IngestError, afterMs?: number): Retry =>
  afterMs === undefined ? { kind: 'retry', error } : { kind: 'retry', error, afterMs };
