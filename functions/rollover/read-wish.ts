// The body of a call to the rollover: in goes unknown JSON, out comes a wish, or the sentence that says what is wrong with it.
// Called by function.ts.
import { isPlausible } from './look.ts';
import type { Wish } from './plan.ts';

export type Call = { wish: Wish; streams: string[] };

const KEYS = ['date', 'stream', 'recompute_from', 'recompute_since_ms', 'all_late'];

export function readWish(body: unknown, streams: readonly string[], nowMs: number): Call | { problem: string } {
  const fields: Record<string, unknown> = isRecord(body) ? body : {};
  if (body !== undefined && body !== null && body !== '' && !isRecord(body) && !isEmptyBuffer(body)) return { problem: 'The body must be a JSON object, such as {} or {"date":"20260115"}.' };
  const unknown = Object.keys(fields).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return { problem: `${JSON.stringify(unknown)} is not known; known are ${KEYS.join(', ')}.` };
  const { date, stream, recompute_from: recomputeFrom, recompute_since_ms: recomputeSinceMs, all_late: allLate } = fields;
  for (const [key, value] of Object.entries({ date, recompute_from: recomputeFrom })) {
    if (value !== undefined && (typeof value !== 'string' || !isPlausible(value, nowMs))) return { problem: `"${key}" must be a date such as "20260115".` };
  }
  if (stream !== undefined && !streams.includes(stream as string)) return { problem: `"stream" must be one of ${streams.join(', ')}.` };
  if (recomputeSinceMs !== undefined && !Number.isSafeInteger(recomputeSinceMs)) return { problem: '"recompute_since_ms" must be milliseconds since 1970.' };
  if (allLate !== undefined && typeof allLate !== 'boolean') return { problem: '"all_late" must be true or false.' };
  return {
    streams: stream === undefined ? [...streams] : [stream as string],
    wish: {
      ...(date === undefined ? {} : { date: date as string }),
      // The first call of a recomputation has no "since"; its answer says which one the next calls must send.
      ...(recomputeFrom === undefined ? {} : { recomputeFrom: recomputeFrom as string }),
      ...(recomputeSinceMs === undefined ? {} : { recomputeSinceMs: recomputeSinceMs as number }),
      ...(allLate === undefined ? {} : { allLate: allLate as boolean }),
    },
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
const isEmptyBuffer = (value: unknown): boolean => Buffer.isBuffer(value) && value.length === 0;
