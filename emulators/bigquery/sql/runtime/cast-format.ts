// A format of CAST … FORMAT and a point in time in, text out, and a text in, the time as ISO text out; registered by install. What is wrong with a format is an error that names the element.
import { clockOf, DAYS, MONTHS } from './format-time.ts';
import type { Clock, TimeKind } from './format-time.ts';
import { failed } from './register.ts';

/** What was read so far; `month` and `year` are those of today until they are. */
type Read = { year: number; month: number; day: number; hour: number; minute: number; second: number; fraction: string; isPm?: boolean; zone?: { sign: string; hours: number; minutes: number } };
/** Without `take` BigQuery writes such an element, but reads none. */
type Element = { category: string; part: 'date' | 'time' | 'zone'; write: (clock: Clock, written: string) => string; pattern?: RegExp; take?: (read: Read, found: string) => void };

const two = (value: number): string => String(value).padStart(2, '0');
/** month, MONTH and Month: as the element is written. */
const cased = (text: string, written: string): string => (/^[a-z]/.test(written) ? text.toLowerCase() : /^.[a-z]/.test(written) ? text : text.toUpperCase());
const within = (found: string, low: number, high: number): number => {
  const value = Number(found);
  if (value < low || value > high) throw new RangeError(found);
  return value;
};
const digits = (most: number): RegExp => new RegExp(`\\d{1,${most}}`, 'y');

/** The last digits of a year; those before are today's. */
const year = (last: number): Element => ({
  category: 'YEAR', part: 'date', pattern: digits(last),
  write: (clock) => String(clock.year).padStart(4, '0').slice(-last),
  take: (read, found) => { read.year = Math.floor(read.year / 10 ** last) * 10 ** last + Number(found); },
});
const wholeYear: Element = { category: 'YEAR', part: 'date', pattern: digits(5), write: (clock) => String(clock.year).padStart(4, '0'), take: (read, found) => { read.year = within(found, 1, 9_999); } };
/** Of the hundred years around this half of the century. */
const roundedYear: Element = { ...year(2), take: (read, found) => {
  const [isLateNow, isLate] = [read.year % 100 >= 50, Number(found) >= 50];
  read.year = Math.floor(read.year / 100) * 100 + Number(found) + (isLateNow === isLate ? 0 : isLate ? -100 : 100);
} };
const month = (length: number | undefined): Element => ({
  category: 'MONTH', part: 'date', pattern: new RegExp(MONTHS.map((name) => name.slice(0, length)).join('|'), 'iy'),
  write: (clock, written) => cased((MONTHS[clock.month - 1] ?? '').slice(0, length), written),
  take: (read, found) => { read.month = MONTHS.findIndex((name) => name.slice(0, 3).toLowerCase() === found.slice(0, 3).toLowerCase()) + 1; },
});
const weekday = (length: number | undefined): Element => ({ category: 'DAY', part: 'date', write: (clock, written) => cased((DAYS[clock.weekday] ?? '').slice(0, length), written) });
const number = (category: string, part: 'date' | 'time', key: 'month' | 'day' | 'hour' | 'minute' | 'second', low: number, high: number): Element => ({
  category, part, pattern: digits(2), write: (clock) => two(clock[key]), take: (read, found) => { read[key] = within(found, low, high); },
});
const hour12: Element = { ...number('HOUR', 'time', 'hour', 1, 12), write: ({ hour }) => two((hour + 11) % 12 + 1) };
const meridian: Element = { category: 'MERIDIAN_INDICATOR', part: 'time', write: ({ hour }, written) => cased(hour < 12 ? 'AM' : 'PM', written) };
const dottedMeridian: Element = {
  ...meridian, pattern: /[AP]\.M\./iy, write: ({ hour }, written) => cased(hour < 12 ? 'A.M.' : 'P.M.', written),
  take: (read, found) => { read.isPm = /^p/i.test(found); },
};
const fraction = (count: number): Element => ({
  category: 'FRACTIONAL_SECOND', part: 'time', pattern: digits(count),
  write: ({ micros }) => String(micros).padStart(6, '0').padEnd(9, '0').slice(0, count),
  take: (read, found) => { read.fraction = found.padEnd(6, '0').slice(0, 6); },
});
const secondOfDay: Element = {
  category: 'SECOND', part: 'time', pattern: digits(5),
  write: ({ hour, minute, second }) => String((hour * 60 + minute) * 60 + second).padStart(5, '0'),
  take: (read, found) => {
    const seconds = within(found, 0, 86_399);
    Object.assign(read, { hour: Math.floor(seconds / 3_600), minute: Math.floor(seconds / 60) % 60, second: seconds % 60 });
  },
};
const zoneHour: Element = {
  category: 'TIME_ZONE', part: 'zone', pattern: /[+ -]\d{1,2}/y,
  write: ({ offsetSeconds }) => `${offsetSeconds < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offsetSeconds) / 3_600))}`,
  take: (read, found) => { read.zone = { sign: found.startsWith('-') ? '-' : '+', hours: within(found.slice(1), 0, 14), minutes: 0 }; },
};
const zoneMinute: Element = {
  category: 'TIME_ZONE', part: 'zone', pattern: digits(2), write: ({ offsetSeconds }) => two(Math.floor(Math.abs(offsetSeconds) / 60) % 60),
  take: (read, found) => { read.zone = { ...(read.zone ?? { sign: '+', hours: 0 }), minutes: within(found, 0, 59) }; },
};

const ELEMENTS: Record<string, Element> = {
  YYYY: wholeYear, YYY: year(3), YY: year(2), Y: year(1), RRRR: wholeYear, RR: roundedYear,
  MM: number('MONTH', 'date', 'month', 1, 12), MON: month(3), MONTH: month(undefined),
  DDD: { category: 'DAY', part: 'date', write: ({ dayOfYear }) => String(dayOfYear).padStart(3, '0') }, DD: number('DAY', 'date', 'day', 1, 31),
  D: { category: 'DAY', part: 'date', write: (clock) => String(clock.weekday + 1) }, DAY: weekday(undefined), DY: weekday(3),
  HH: hour12, HH12: hour12, HH24: number('HOUR', 'time', 'hour', 0, 23), MI: number('MINUTE', 'time', 'minute', 0, 59),
  SS: number('SECOND', 'time', 'second', 0, 59), SSSSS: secondOfDay,
  ...Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`FF${index + 1}`, fraction(index + 1)])),
  AM: meridian, PM: meridian, 'A.M.': dottedMeridian, 'P.M.': dottedMeridian, TZH: zoneHour, TZM: zoneMinute,
};
/** Elements of other databases, which BigQuery knows only to refuse them: without them `WW` would be refused as `W`, and `SYYYY` as `S`. */
const FOREIGN = ['Y,YYY', 'IYYY', 'IYY', 'IY', 'I', 'SYYYY', 'YEAR', 'SYEAR', 'RM', 'J', 'CC', 'SCC', 'Q', 'IW', 'WW', 'W', 'AD', 'BC', 'A.D.', 'B.C.', 'SP', 'TH', 'SPTH', 'THSP', 'FM'];
/** The longest name that fits is meant. */
const NAMES = [...Object.keys(ELEMENTS), ...FOREIGN].toSorted((a, b) => b.length - a.length).map((name) => name.replaceAll('.', '\\.')).join('|');
const PIECE = new RegExp(`(${NAMES})|"((?:[^"\\\\]|\\\\["\\\\])*)"|( +)|([-./,';:])`, 'iy');

const PARTS: Record<TimeKind, string[]> = { DATE: ['date'], TIME: ['time'], DATETIME: ['date', 'time'], TIMESTAMP: ['date', 'time', 'zone'] };

type Piece = { kind: 'space' } | { kind: 'plain'; text: string } | { kind: 'element'; name: string; written: string; element: Element };
class FormatError extends Error {}

/** Formats as pieces: the same few are met millions of times. */
const remembered = new Map<string, Piece[]>();
const REMEMBERED_MAX = 500;

function piecesOf(kind: TimeKind, format: string, isRead: boolean): Piece[] {
  const key = `${kind} ${isRead} ${format}`;
  let pieces = remembered.get(key);
  if (pieces === undefined) {
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    pieces = split(kind, format, isRead);
    if (isRead) checkTogether(pieces.flatMap((piece) => (piece.kind === 'element' ? [piece] : [])));
    remembered.set(key, pieces);
  }
  return pieces;
}

function split(kind: TimeKind, format: string, isRead: boolean): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < format.length; at = PIECE.lastIndex) {
    PIECE.lastIndex = at;
    const [whole, written, quoted, space] = PIECE.exec(format) ?? [];
    if (whole === undefined) throw new FormatError(`Cannot find matched format element at ${at} of CAST … FORMAT '${format}'`);
    if (written === undefined) pieces.push(space !== undefined && isRead ? { kind: 'space' } : { kind: 'plain', text: quoted?.replace(/\\(.)/g, '$1') ?? whole });
    else pieces.push(elementOf(kind, written, isRead));
  }
  return pieces;
}

function elementOf(kind: TimeKind, written: string, isRead: boolean): Piece {
  const name = written.toUpperCase();
  const element = ELEMENTS[name];
  if (!element || !PARTS[kind].includes(element.part)) throw new FormatError(`${kind} does not support the format element '${name}' in CAST … FORMAT`);
  if (isRead && !element.take) throw new FormatError(`The format element '${name}' of CAST … FORMAT is not supported for parsing`);
  return { kind: 'element', name, written, element };
}

/** Two elements that say the same would contradict each other. */
function checkTogether(pieces: { name: string; element: Element }[]): void {
  const names = new Map(pieces.map(({ name, element }) => [element.category, name]));
  for (const [index, { name, element }] of pieces.entries()) {
    const twin = pieces.slice(index + 1).find((other) => other.element.category === element.category && (element.part !== 'zone' || other.name === name));
    if (twin) throw new FormatError(`More than one format element in category ${element.category} exist in CAST … FORMAT: '${name}' and '${twin.name}'`);
  }
  const hour = names.get('HOUR');
  if ((hour === 'HH' || hour === 'HH12') !== names.has('MERIDIAN_INDICATOR')) throw new FormatError("In CAST … FORMAT the format elements HH and HH12 need A.M. or P.M., and no other element may have it");
  if (names.get('SECOND') === 'SSSSS' && (hour ?? names.get('MINUTE')) !== undefined) throw new FormatError("In CAST … FORMAT the format element SSSSS cannot stand beside hours or minutes");
}

export function castWrite(kind: TimeKind, format: string, wallMicros: bigint, offsetMicros: bigint): string {
  try {
    const clock = clockOf(wallMicros, offsetMicros);
    return piecesOf(kind, format, false).map((piece) => (piece.kind === 'plain' ? piece.text : piece.kind === 'element' ? piece.element.write(clock, piece.written) : '')).join('');
  } catch (error) {
    if (error instanceof FormatError) return failed(error.message);
    throw error;
  }
}

/** `nowMicros` is today's wall clock. */
export function castRead(kind: TimeKind, format: string, text: string, nowMicros: bigint): string {
  try {
    const now = clockOf(nowMicros, 0n);
    const read: Read = { year: now.year, month: now.month, day: 1, hour: 0, minute: 0, second: 0, fraction: '000000' };
    readAll(piecesOf(kind, format, true), text.trim(), read);
    return isoText(read);
  } catch (error) {
    if (error instanceof FormatError) return failed(error.message);
    if (error instanceof RangeError) return failed(`Failed to parse input timestamp string '${text}' with CAST … FORMAT '${format}'`);
    throw error;
  }
}

const SPACE = /\s+/y;
const FOUR_DIGITS = digits(4);

function readAll(pieces: Piece[], text: string, read: Read): void {
  let at = 0;
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === 'plain') {
      if (!text.startsWith(piece.text, at)) throw new RangeError(piece.text);
      at += piece.text.length;
    } else if (piece.kind === 'space') {
      at += found(SPACE, text, at).length;
    } else {
      const next = pieces[index + 1];
      const isBeforeDigits = next?.kind === 'element' && next.element.pattern?.source.startsWith('\\d');
      const taken = found(piece.element === wholeYear && isBeforeDigits ? FOUR_DIGITS : piece.element.pattern ?? SPACE, text, at);
      piece.element.take?.(read, taken);
      at += taken.length;
    }
  }
  if (at < text.length) throw new RangeError(text);
}

function found(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  const [whole] = pattern.exec(text) ?? [];
  if (whole === undefined) throw new RangeError(text);
  return whole;
}

function isoText({ year: years, month: months, day, hour, minute, second, fraction: part, isPm, zone }: Read): string {
  const date = new Date(0);
  date.setUTCFullYear(years, months - 1, day);
  if (years < 1 || date.getUTCDate() !== day) throw new RangeError('no such day');
  date.setUTCHours(isPm === undefined ? hour : hour % 12 + (isPm ? 12 : 0), minute, second);
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}.${part}${zone ? `${zone.sign}${two(zone.hours)}:${two(zone.minutes)}` : ''}`;
}
