// Which table a row goes to, and when a day closes: pure functions of an event date and a clock. Every writer, the rollover
// and `maintain` compute them alike, which is why a closed table can be folded and dropped (docs/decisions).
import { LIMITS } from './limits.ts';

/** A calendar day in the reporting time zone, YYYYMMDD. */
export type EventDate = string;

/** Table prefix of a stream: `events` gives events_intraday_D, late_events_D, events_D. */
export const intradayTable = (prefix: string, date: EventDate): string => `${prefix}_intraday_${date}`;
export const lateTable = (prefix: string, date: EventDate): string => `late_${prefix}_${date}`;
export const dailyTable = (prefix: string, date: EventDate): string => `${prefix}_${date}`;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Zones change their offset on quarter hours at the finest (Lord Howe: half an hour), so one look-up serves 15 minutes. */
const OFFSET_BUCKET_MS = HOUR_MS / 4;

const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, Map<number, number>>();

/** Milliseconds that `timeZone` is ahead of UTC at the instant `ms`. */
export function zoneOffsetMs(ms: number, timeZone: string): number {
  if (timeZone === 'UTC') return 0;
  let known = offsets.get(timeZone);
  if (known === undefined) offsets.set(timeZone, (known = new Map()));
  const bucket = Math.floor(ms / OFFSET_BUCKET_MS);
  let offset = known.get(bucket);
  if (offset === undefined) {
    if (known.size > 10_000) known.clear();
    known.set(bucket, (offset = lookUpOffsetMs(bucket * OFFSET_BUCKET_MS, timeZone)));
  }
  return offset;
}

function lookUpOffsetMs(ms: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-u-ca-iso8601', {
      timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
    });
    formats.set(timeZone, format);
  }
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)])) as Record<string, number>;
  const local = Date.UTC(part['year']!, part['month']! - 1, part['day'], part['hour'], part['minute'], part['second']);
  return local - Math.floor(ms / 1_000) * 1_000;
}

let lastDay = NaN;
let lastDate = '';
/** The day of a local wall-clock reading given as if it were UTC milliseconds. */
function dateOfLocalMs(localMs: number): EventDate {
  const day = Math.floor(localMs / DAY_MS);
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '');
    lastDay = day;
  }
  return lastDate;
}

/** The event date of an instant. */
export const dateOf = (ms: number, timeZone: string): EventDate => dateOfLocalMs(ms + zoneOffsetMs(ms, timeZone));

/** The event date of `event_timestamp` (microseconds since 1970). */
export const eventDateOf = (timestampMicros: number, timeZone: string): EventDate => dateOf(Math.floor(timestampMicros / 1_000), timeZone);

/** YYYYMMDD as milliseconds of that day's midnight in UTC. Throws on anything else, 30 February included. */
export function utcMidnightOf(date: EventDate): number {
  const ms = /^\d{8}$/.test(date) ? Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6))) : NaN;
  if (Number.isNaN(ms) || dateOfLocalMs(ms) !== date) throw new RangeError(`${JSON.stringify(date)} is not a date YYYYMMDD`);
  return ms;
}

export const addDays = (date: EventDate, days: number): EventDate => dateOfLocalMs(utcMidnightOf(date) + days * DAY_MS);

/** The instant at which `date` ends in the zone: the last one that its clocks show as the next midnight. */
export function endOf(date: EventDate, timeZone: string): number {
  const midnight = utcMidnightOf(date) + DAY_MS;
  // At most two offsets are in force around a midnight; with a jump at midnight only one of the two instants starts the new day.
  const instants = [midnight - zoneOffsetMs(midnight - DAY_MS, timeZone), midnight - zoneOffsetMs(midnight + DAY_MS, timeZone)];
  const starts = instants.filter((ms) => dateOf(ms, timeZone) > date && dateOf(ms - 1, timeZone) <= date);
  return Math.max(...(starts.length > 0 ? starts : instants));
}

/** The instant (ms) after which no writer appends to the intraday table of `date`, nor to the late table of that day of writing. */
export const closesAt = (date: EventDate, timeZone: string): number => endOf(date, timeZone) + LIMITS.closeAfterMidnightMs;

export type Shard = { kind: 'intraday' | 'late'; date: EventDate; table: string };

/**
 * The table for a row. `nowMs` is the later of the writer's clock and the message's publish time; the choice is made again
 * at every append attempt. An open event date has its intraday table; after closing the row goes to a late table, named by
 * the day of writing (a day of writing is open by definition).
 */
export function shardFor(prefix: string, eventDate: EventDate, nowMs: number, timeZone: string): Shard {
  if (nowMs < closesAtCached(eventDate, timeZone)) return { kind: 'intraday', date: eventDate, table: intradayTable(prefix, eventDate) };
  const today = dateOf(nowMs, timeZone);
  return { kind: 'late', date: today, table: lateTable(prefix, today) };
}

/**
 * Until when a row that `shardFor` sent to `shard` stays right there: an intraday table until it closes, a late table until its
 * day of writing ends (rows of one append then have one day of writing; the table itself stays open two hours longer).
 */
export const shardHoldsUntil = (shard: Shard, timeZone: string): number =>
  shard.kind === 'intraday' ? closesAtCached(shard.date, timeZone) : endOf(shard.date, timeZone);

const closings = new Map<string, number>();
function closesAtCached(date: EventDate, timeZone: string): number {
  const key = `${timeZone} ${date}`;
  let ms = closings.get(key);
  if (ms === undefined) {
    if (closings.size > 1_000) closings.clear();
    closings.set(key, (ms = closesAt(date, timeZone)));
  }
  return ms;
}
