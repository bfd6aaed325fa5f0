// One event_timestamp in, what is wrong with it out. Time is judged here once, at receipt; the writers do not judge it again,
// so that old raw files can be replayed. Pure. Called by validate-batch.ts.
import { ingestError, type IngestError } from '../errors.ts';
import { LIMITS } from '../limits.ts';

const POINTER = '/event_timestamp';
const HOUR_MICROS = 3_600_000_000;
/** Nobody's events are older or newer; a reading outside is another unit or a broken clock. */
const YEAR_2000 = Date.UTC(2000, 0) * 1_000;
const YEAR_2100 = Date.UTC(2100, 0) * 1_000;

/** `timestamp` is as the client sent it: microseconds since 1970 as a number, or as a text of digits. */
export function judgeTimestamp(timestamp: unknown, receivedMicros: number, lateDaysMax: number): IngestError | undefined {
  const micros = typeof timestamp === 'string' && /^-?\d{1,18}$/.test(timestamp) ? Number(timestamp) : timestamp;
  if (typeof micros !== 'number' || !Number.isInteger(micros)) return ingestError('bad_timestamp', {}, POINTER);
  if (micros < YEAR_2000 || micros >= YEAR_2100) {
    return isOtherUnit(micros) ? ingestError('bad_timestamp', {}, POINTER) : ingestError('ts_out_of_range', { timestamp: micros }, POINTER);
  }
  if (micros > receivedMicros + LIMITS.futureHoursMax * HOUR_MICROS) return ingestError('timestamp_in_future', LIMITS, POINTER);
  if (micros < receivedMicros - lateDaysMax * 24 * HOUR_MICROS) return ingestError('too_late', { lateDaysMax }, POINTER);
  return undefined;
}

/** Whether the number is a time of this century in seconds, milliseconds or nanoseconds. Never converted: a guess can be wrong. */
const isOtherUnit = (value: number): boolean => [1_000_000, 1_000, 0.001].some((factor) => value * factor >= YEAR_2000 && value * factor < YEAR_2100);
