// A format with BigQuery's codes and a text in, the time as ISO text out: PARSE_DATE and its kin where DuckDB's strptime lacks the code or has another default.
import { failed } from './register.ts';
import type { TimeKind } from './format-time.ts';

const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** What was read so far; what no code gives is that of 1970-01-01 00:00:00. */
type Parsed = { year: number; month: number; day: number; hour: number; minute: number; second: number; fraction: string; isPm?: boolean; has12?: boolean; century?: number; dayOfYear?: number; epochSeconds?: number; zone?: string };
type Reader = { pattern: RegExp; take: (parsed: Parsed, found: string) => void };

const number = (digits: number, key: 'month' | 'day' | 'hour' | 'minute' | 'second', low: number, high: number): Reader => ({
  pattern: new RegExp(`\\s*(\\d{1,${digits}})`, 'y'),
  take(parsed, found) {
    const value = Number(found);
    if (value < low || value > high) throw new RangeError(found);
    parsed[key] = value;
  },
});
const named = (names: string[], take: (parsed: Parsed, index: number) => void): Reader => ({
  pattern: new RegExp(`(${names.join('|')}|${names.map((name) => name.slice(0, 3)).join('|')})`, 'iy'),
  take: (parsed, found) => take(parsed, names.findIndex((name) => name.slice(0, 3) === found.slice(0, 3).toLowerCase())),
});
const fractional = (digits: string): Reader => ({
  pattern: new RegExp(`(\\d{1,2}(?:\\.\\d{0,${digits}})?)`, 'y'),
  take(parsed, found) {
    const [second = '', fraction = ''] = found.split('.');
    if (Number(second) > 60) throw new RangeError(found);
    parsed.second = Number(second);
    parsed.fraction = fraction.padEnd(6, '0').slice(0, 6);
  },
});
const half: Reader = { pattern: /([ap]m)/iy, take: (parsed, found) => { parsed.isPm = found.toLowerCase() === 'pm'; } };
const hour12: Reader = { pattern: /\s*(\d{1,2})/y, take(parsed, found) { if (Number(found) < 1 || Number(found) > 12) throw new RangeError(found); parsed.hour = Number(found) % 12; parsed.has12 = true; } };
const month = named(MONTHS, (parsed, index) => { parsed.month = index + 1; });
const weekday = named(DAYS, () => undefined);
const offset: Reader = { pattern: /([+-]\d{1,2}:?(?:\d{2})?|Z)/iy, take: (parsed, found) => { parsed.zone = found.toUpperCase() === 'Z' ? '+00:00' : found.replace(/^([+-])(\d)(?=:|$)/, '$10$2').replace(/^([+-]\d\d):?(\d\d)$/, '$1:$2'); } };

const READERS: Record<string, Reader> = {
  Y: { pattern: /\s*([+-]?\d{1,4})/y, take: (parsed, found) => { parsed.year = Number(found); } },
  E4Y: { pattern: /(\d{4})/y, take: (parsed, found) => { parsed.year = Number(found); } },
  y: { pattern: /\s*(\d{1,2})/y, take: (parsed, found) => { parsed.year = Number(found) + (Number(found) < 69 ? 2000 : 1900); } },
  C: { pattern: /\s*(\d{1,2})/y, take: (parsed, found) => { parsed.century = Number(found); } },
  Q: { pattern: /\s*([1-4])/y, take: (parsed, found) => { parsed.month = Number(found) * 3 - 2; } },
  m: number(2, 'month', 1, 12), d: number(2, 'day', 1, 31), e: number(2, 'day', 1, 31), H: number(2, 'hour', 0, 23), k: number(2, 'hour', 0, 23), M: number(2, 'minute', 0, 59), S: number(2, 'second', 0, 60),
  I: hour12, l: hour12, p: half, P: half, B: month, b: month, h: month, A: weekday, a: weekday,
  j: { pattern: /\s*(\d{1,3})/y, take: (parsed, found) => { parsed.dayOfYear = Number(found); } },
  s: { pattern: /\s*(-?\d{1,12})/y, take: (parsed, found) => { parsed.epochSeconds = Number(found); } },
  z: offset, Ez: offset, Z: { pattern: /(\S+)/y, take: (parsed, found) => { parsed.zone = found; } },
  'E*S': fractional(''), ...Object.fromEntries(Array.from({ length: 10 }, (_, digits) => [`E${digits}S`, fractional(String(digits))])),
};
const EXPANDED: Record<string, string> = { F: '%Y-%m-%d', T: '%H:%M:%S', D: '%m/%d/%y', R: '%H:%M', x: '%m/%d/%y', X: '%H:%M:%S', c: '%a %b %e %H:%M:%S %Y', r: '%I:%M:%S %p' };

/** Codes that a kind refuses. */
export const REFUSED: Record<TimeKind, RegExp> = {
  DATE: /^(?:[EO])?[HIMPRSTXZcklprszE]$|^E[\d*]S$/, TIME: /^(?:[EO])?[ABCDFGUVWYZabcdeghjmsuwxyzQ]$|^E4Y$/, DATETIME: /^E?[Zz]$/, TIMESTAMP: /^$/,
};

/** `2026-01-15 10:00:00.000000`, with the zone behind it if the text had one. */
export function parseTime(kind: TimeKind, format: string, text: string): string {
  const parsed: Parsed = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, fraction: '000000' };
  try {
    const end = read(kind, format, text, parsed);
    if (typeof end === 'string') return failed(end);
    return text.slice(end).trim() === '' ? isoText(parsed) : failed(`Illegal non-space trailing data '${text.slice(end)}' in string "${text}"`);
  } catch (error) {
    if (error instanceof RangeError) return failed(`Failed to parse input string "${text}"`);
    throw error;
  }
}

const expand = (format: string): string => format.replace(/%(E?)([\s\S])/g, (whole, _: string, code: string) => EXPANDED[code] ?? whole);

type Step = { kind: 'space' } | { kind: 'plain'; text: string } | { kind: 'reader'; reader: Reader } | { kind: 'unreadable' };

/** Formats as steps: the same few are read millions of times. */
const compiled = new Map<string, Step[] | string>();
const COMPILED_MAX = 500;

function stepsOf(kind: TimeKind, format: string): Step[] | string {
  const key = `${kind} ${format}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  const steps = compile(kind, expand(format));
  compiled.set(key, steps);
  return steps;
}

/** The steps, or what is wrong with the format. */
function compile(kind: TimeKind, format: string): Step[] | string {
  const steps: Step[] = [];
  for (const [whole, code, space] of format.matchAll(/%(E\*S|E\dS|E4Y|E[A-Za-z]|O[A-Za-z]|[\s\S])|(\s+)|[^%\s]+|%/g)) {
    if (space !== undefined || code === 'n' || code === 't') steps.push({ kind: 'space' });
    else if (code === undefined || code === '%') steps.push({ kind: 'plain', text: code === '%' ? '%' : whole });
    else {
      if (REFUSED[kind].test(code)) return `Invalid format: %${code} is not allowed for the ${kind} type.`;
      if (/^[GgVJ]$/.test(code)) return 'ISO parse elements are not supported yet';
      if (/^[uUwW]$/.test(code)) return 'Weekday parse elements are not supported yet';
      const reader = READERS[code] ?? READERS[code.replace(/^[EO]/, '')];
      steps.push(reader ? { kind: 'reader', reader } : { kind: 'unreadable' });
    }
  }
  return steps;
}

const WHITE = /\s*/y;

function skipWhite(text: string, at: number): number {
  WHITE.lastIndex = at;
  WHITE.test(text);
  return WHITE.lastIndex;
}

/** Where reading ended, or what is wrong with the format. */
function read(kind: TimeKind, format: string, text: string, parsed: Parsed): number | string {
  const steps = stepsOf(kind, format);
  if (typeof steps === 'string') return steps;
  let at = skipWhite(text, 0);
  for (const step of steps) {
    switch (step.kind) {
      case 'space': at = skipWhite(text, at); break;
      case 'plain':
        if (!text.startsWith(step.text, at)) throw new RangeError(step.text);
        at += step.text.length;
        break;
      case 'reader': at = readOne(step.reader, text, at, parsed); break;
      case 'unreadable': throw new RangeError(text);
    }
  }
  return at;
}

function readOne({ pattern, take }: Reader, text: string, at: number, parsed: Parsed): number {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  if (found?.[1] === undefined) throw new RangeError(text);
  take(parsed, found[1]);
  return pattern.lastIndex;
}

function isoText(parsed: Parsed): string {
  if (parsed.epochSeconds !== undefined) return `${new Date(parsed.epochSeconds * 1_000).toISOString().slice(0, 19).replace('T', ' ')}.000000+00:00`;
  const year = parsed.century === undefined ? parsed.year : parsed.century * 100 + parsed.year % 100;
  const hour = parsed.has12 && parsed.isPm ? parsed.hour + 12 : parsed.hour;
  const date = new Date(0);
  date.setUTCFullYear(year, parsed.dayOfYear === undefined ? parsed.month - 1 : 0, parsed.dayOfYear ?? parsed.day);
  if (year < 1 || year > 9999 || (parsed.dayOfYear === undefined && date.getUTCDate() !== parsed.day)) throw new RangeError('no such day');
  date.setUTCHours(hour, parsed.minute, parsed.second);
  const zone = parsed.zone === undefined ? '' : /^[+-]/.test(parsed.zone) ? parsed.zone : ` ${parsed.zone}`;
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}.${parsed.fraction}${zone}`;
}
