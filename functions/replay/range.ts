// Which files a replay reads: in go two texts such as 2026-01-15 or 2026-01-15T07 (both ends belong to it, UTC by publish time),
// out come the days and hours. Called by run.ts and by scripts/replay.ts.
import { ingestError } from '../errors.ts';
import { accepted, rejected } from '../outcome.ts';
import type { Outcome } from '../outcome.ts';

export type HourRange = {
  /** First and last hour, as `YYYY-MM-DDTHH`. */
  from: string;
  to: string;
  /** All days of the range, `YYYY-MM-DD`, in order. */
  days: string[];
};

const DAY_MS = 86_400_000;
const DAYS_MAX = 3_700;

export function parseRange(fromText: string, toText: string): Outcome<HourRange> {
  const from = hourText(fromText, '00');
  const to = hourText(toText, '23');
  if (from === undefined) return rejected(ingestError('setting_invalid', { name: 'from', value: fromText, expected: 'YYYY-MM-DD or YYYY-MM-DDTHH' }));
  if (to === undefined) return rejected(ingestError('setting_invalid', { name: 'to', value: toText, expected: 'YYYY-MM-DD or YYYY-MM-DDTHH' }));
  const firstMs = Date.parse(`${from.slice(0, 10)}T00:00:00Z`);
  const lastMs = Date.parse(`${to.slice(0, 10)}T00:00:00Z`);
  if (from > to || (lastMs - firstMs) / DAY_MS > DAYS_MAX) return rejected(ingestError('setting_invalid', { name: 'to', value: toText, expected: `not before from, at most ${DAYS_MAX} days after it` }));
  const days: string[] = [];
  for (let ms = firstMs; ms <= lastMs; ms += DAY_MS) days.push(new Date(ms).toISOString().slice(0, 10));
  return accepted({ from, to, days });
}

function hourText(text: string, defaultHour: string): string | undefined {
  const [, day, hour = defaultHour] = /^(\d{4}-\d{2}-\d{2})(?:T([01]\d|2[0-3]))?$/.exec(text) ?? [];
  const ms = day === undefined ? NaN : Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== day) return undefined;
  return `${day}T${hour}`;
}

export const isInRange = ({ from, to }: HourRange, { dt, hour }: { dt: string; hour: string }): boolean => {
  const at = `${dt}T${hour}`;
  return from <= at && at <= to;
};
