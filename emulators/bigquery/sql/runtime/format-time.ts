// A format with BigQuery's codes and a point in time in, text out: FORMAT_DATE, FORMAT_TIME, FORMAT_DATETIME and FORMAT_TIMESTAMP where DuckDB's strftime lacks the code.

export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
export const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAY_US = 86_400_000_000n;
const DAY_MS = 86_400_000;

export type TimeKind = 'DATE' | 'TIME' | 'DATETIME' | 'TIMESTAMP';

/** A wall clock, and how far it is from UTC. */
export type Clock = { year: number; month: number; day: number; hour: number; minute: number; second: number; micros: number; weekday: number; dayOfYear: number; epochSeconds: bigint; offsetSeconds: number };
type Code = (clock: Clock) => string;

const two = (value: number, fill = '0'): string => String(value).padStart(2, fill);
const hour12 = ({ hour }: Clock): number => (hour + 11) % 12 + 1;
const fraction = ({ micros }: Clock, digits: number): string => (digits === 0 ? '' : `.${String(micros).padStart(6, '0').padEnd(digits, '0').slice(0, digits)}`);
const sundayWeek = (clock: Clock): number => Math.floor((clock.dayOfYear + 6 - clock.weekday) / 7);
const mondayWeek = (clock: Clock): number => Math.floor((clock.dayOfYear + 6 - (clock.weekday + 6) % 7) / 7);

const DATE_CODES: Record<string, Code> = {
  A: ({ weekday }) => DAYS[weekday] ?? '', a: ({ weekday }) => (DAYS[weekday] ?? '').slice(0, 3),
  B: ({ month }) => MONTHS[month - 1] ?? '', b: ({ month }) => (MONTHS[month - 1] ?? '').slice(0, 3), h: ({ month }) => (MONTHS[month - 1] ?? '').slice(0, 3),
  C: ({ year }) => String(Math.floor(year / 100)), D: (clock) => `${two(clock.month)}/${two(clock.day)}/${two(clock.year % 100)}`,
  d: ({ day }) => two(day), e: ({ day }) => two(day, ' '), F: (clock) => `${clock.year}-${two(clock.month)}-${two(clock.day)}`,
  G: (clock) => String(isoWeek(clock).year), g: (clock) => two(isoWeek(clock).year % 100), V: (clock) => two(isoWeek(clock).week),
  J: (clock) => String(isoWeek(clock).day).padStart(3, '0'), j: ({ dayOfYear }) => String(dayOfYear).padStart(3, '0'),
  m: ({ month }) => two(month), Q: ({ month }) => String(Math.ceil(month / 3)), U: (clock) => two(sundayWeek(clock)), W: (clock) => two(mondayWeek(clock)),
  u: ({ weekday }) => String(weekday === 0 ? 7 : weekday), w: ({ weekday }) => String(weekday), x: (clock) => `${two(clock.month)}/${two(clock.day)}/${two(clock.year % 100)}`,
  Y: ({ year }) => String(year), y: ({ year }) => two(year % 100), E4Y: ({ year }) => String(year).padStart(4, '0'),
};
const TIME_CODES: Record<string, Code> = {
  H: ({ hour }) => two(hour), I: (clock) => two(hour12(clock)), k: ({ hour }) => two(hour, ' '), l: (clock) => two(hour12(clock), ' '), M: ({ minute }) => two(minute),
  P: ({ hour }) => (hour < 12 ? 'am' : 'pm'), p: ({ hour }) => (hour < 12 ? 'AM' : 'PM'), R: (clock) => `${two(clock.hour)}:${two(clock.minute)}`,
  r: (clock) => `${two(hour12(clock))}:${two(clock.minute)}:${two(clock.second)} ${clock.hour < 12 ? 'AM' : 'PM'}`, S: ({ second }) => two(second),
  T: (clock) => `${two(clock.hour)}:${two(clock.minute)}:${two(clock.second)}`, X: (clock) => `${two(clock.hour)}:${two(clock.minute)}:${two(clock.second)}`,
  'E*S': (clock) => `${two(clock.second)}${clock.micros === 0 ? '' : fraction(clock, 6).replace(/0+$/, '')}`,
  ...Object.fromEntries(Array.from({ length: 10 }, (_, digits) => [`E${digits}S`, (clock: Clock) => `${two(clock.second)}${fraction(clock, digits)}`])),
};
const BOTH_CODES: Record<string, Code> = {
  c: (clock) => `${DATE_CODES['a']?.(clock)} ${DATE_CODES['b']?.(clock)} ${two(clock.day, ' ')} ${TIME_CODES['T']?.(clock)} ${clock.year}`,
  s: ({ epochSeconds }) => String(epochSeconds),
};
const ZONE_CODES: Record<string, Code> = {
  z: ({ offsetSeconds }) => offsetText(offsetSeconds, ''), Ez: ({ offsetSeconds }) => offsetText(offsetSeconds, ':'),
  Z: ({ offsetSeconds }) => (offsetSeconds === 0 ? 'UTC' : `UTC${offsetText(offsetSeconds, '').replace(/^([+-])0/, '$1').replace(/00$/, '')}`.replace(/^UTC([+-])(\d{3})$/, 'UTC$10$2')),
};
const PLAIN_CODES: Record<string, Code> = { '%': () => '%', n: () => '\n', t: () => '\t' };
/** POSIX' alternative forms mean the same here. */
const ALTERNATIVES = /^(?:E(?=[YyCcxX]$)|O(?=[deHImMSuUVwWy]$))/;

const ALLOWED: Record<TimeKind, Record<string, Code>> = {
  DATE: { ...PLAIN_CODES, ...DATE_CODES }, TIME: { ...PLAIN_CODES, ...TIME_CODES },
  DATETIME: { ...PLAIN_CODES, ...DATE_CODES, ...TIME_CODES, ...BOTH_CODES }, TIMESTAMP: { ...PLAIN_CODES, ...DATE_CODES, ...TIME_CODES, ...BOTH_CODES, ...ZONE_CODES },
};

/** A code that the kind does not have stays in the text as it is written. */
export function formatTime(kind: TimeKind, format: string, wallMicros: bigint, offsetMicros: bigint): string {
  const clock = clockOf(wallMicros, offsetMicros);
  let text = '';
  for (const piece of piecesOf(kind, format)) text += typeof piece === 'string' ? piece : piece(clock);
  return text;
}

/** Formats as pieces: the same few are written millions of times. */
const compiled = new Map<string, (string | Code)[]>();
const COMPILED_MAX = 500;

function piecesOf(kind: TimeKind, format: string): (string | Code)[] {
  const key = `${kind} ${format}`;
  let pieces = compiled.get(key);
  if (pieces === undefined) {
    if (compiled.size >= COMPILED_MAX) compiled.clear();
    pieces = (format.match(/%(?:E\*S|E\dS|E4Y|E[A-Za-z]|O[A-Za-z]|[\s\S])|[^%]+|%/g) ?? []).map((part) => (part.startsWith('%') ? ALLOWED[kind][part.slice(1).replace(ALTERNATIVES, '')] ?? part : part));
    compiled.set(key, pieces);
  }
  return pieces;
}

export function clockOf(wallMicros: bigint, offsetMicros: bigint): Clock {
  const rest = ((wallMicros % DAY_US) + DAY_US) % DAY_US;
  const days = Number((wallMicros - rest) / DAY_US);
  const date = new Date(days * DAY_MS);
  const micros = Number(rest);
  const year = date.getUTCFullYear();
  const second = Math.floor(micros / 1e6);
  const instant = wallMicros - offsetMicros;
  return {
    year, month: date.getUTCMonth() + 1, day: date.getUTCDate(), weekday: date.getUTCDay(), dayOfYear: days - yearStart(year) + 1,
    hour: Math.floor(second / 3_600), minute: Math.floor(second / 60) % 60, second: second % 60, micros: micros % 1e6,
    epochSeconds: (instant - (((instant % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n, offsetSeconds: Number(offsetMicros / 1_000_000n),
  };
}

/** Days since 1970 of 1 January; Date.UTC would take a year below 100 for one of the 20th century. */
function yearStart(year: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, 0, 1);
  return date.getTime() / DAY_MS;
}

function isoWeek(clock: Clock): { year: number; week: number; day: number } {
  const days = yearStart(clock.year) + clock.dayOfYear - 1;
  const thursday = days + 3 - (clock.weekday + 6) % 7;
  const year = new Date(thursday * DAY_MS).getUTCFullYear();
  const firstMonday = yearStart(year) + 3 - (new Date((yearStart(year) + 3) * DAY_MS).getUTCDay() + 6) % 7;
  return { year, week: Math.floor((thursday - yearStart(year)) / 7) + 1, day: days - firstMonday + 1 };
}

function offsetText(seconds: number, separator: string): string {
  const size = Math.abs(seconds);
  return `${seconds < 0 ? '-' : '+'}${two(Math.floor(size / 3_600))}${separator}${two(Math.floor(size / 60) % 60)}`;
}
