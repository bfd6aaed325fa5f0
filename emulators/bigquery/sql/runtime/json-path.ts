// JSON text and a path in, the value there out, numbers spelled as they were: JSON_VALUE, JSON_QUERY and their kin over STRING; also JSON's normal form for the type JSON.
import { listValue } from '@duckdb/node-api';
import { compactJson } from './json-layout.ts';
import { failed } from './register.ts';

type Json =
  | { kind: 'object'; entries: [string, Json][]; raw: string }
  | { kind: 'array'; items: Json[]; raw: string }
  | { kind: 'string' | 'number' | 'boolean' | 'null'; raw: string };

const WHITE = /\s*/y;
const SCALAR = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** Deeper texts are no JSON to us: each level is a call of its own. */
const DEPTH_MAX = 500;

class Reader {
  private at = 0;
  private readonly text: string;
  constructor(text: string) { this.text = text; }

  /** Undefined where the text is no JSON. */
  whole(): Json | undefined {
    const value = this.value(0);
    this.skip();
    return this.at === this.text.length ? value : undefined;
  }

  private value(depth: number): Json | undefined {
    this.skip();
    const start = this.at;
    const open = this.text[start];
    if (depth > DEPTH_MAX) return undefined;
    if (open === '{') {
      const entries = this.members<[string, Json]>('}', () => this.entry(depth));
      return entries && { kind: 'object', entries, raw: this.text.slice(start, this.at) };
    }
    if (open === '[') {
      const items = this.members<Json>(']', () => this.value(depth + 1));
      return items && { kind: 'array', items, raw: this.text.slice(start, this.at) };
    }
    const raw = this.scalar();
    return raw === undefined ? undefined : { kind: raw.startsWith('"') ? 'string' : raw === 'null' ? 'null' : raw === 'true' || raw === 'false' ? 'boolean' : 'number', raw };
  }

  private members<T>(close: string, member: () => T | undefined): T[] | undefined {
    const members: T[] = [];
    this.at += 1;
    this.skip();
    if (this.take(close)) return members;
    do {
      const found = member();
      if (found === undefined) return undefined;
      members.push(found);
      this.skip();
    } while (this.take(','));
    return this.take(close) ? members : undefined;
  }

  private entry(depth: number): [string, Json] | undefined {
    this.skip();
    const key = this.scalar();
    this.skip();
    if (!key?.startsWith('"') || !this.take(':')) return undefined;
    const value = this.value(depth + 1);
    return value && [JSON.parse(key) as string, value];
  }

  private scalar(): string | undefined {
    SCALAR.lastIndex = this.at;
    const found = SCALAR.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private take(symbol: string): boolean {
    if (this.text[this.at] !== symbol) return false;
    this.at += 1;
    return true;
  }

  private skip(): void {
    WHITE.lastIndex = this.at;
    this.at += WHITE.exec(this.text)?.[0].length ?? 0;
  }
}

/** Paths as they were read: a query has a few, its rows are many. */
const paths = new Map<string, (string | number)[]>();
const PATHS_MAX = 500;

function stepsOf(path: string): (string | number)[] {
  let steps = paths.get(path);
  if (steps === undefined) {
    if (paths.size >= PATHS_MAX) paths.clear();
    steps = JSON.parse(path) as (string | number)[];
    paths.set(path, steps);
  }
  return steps;
}

/** `steps` is the path as JSON: keys are texts, positions numbers (see functions/json.ts). */
function find(text: string, steps: string): Json | undefined {
  let at = new Reader(text).whole();
  for (const step of stepsOf(steps)) {
    if (at?.kind === 'object') at = at.entries.find(([key]) => key === String(step))?.[1];
    else if (at?.kind === 'array' && /^\d+$/.test(String(step))) at = at.items[Number(step)];
    else return undefined;
  }
  return at;
}

function scalarText(value: Json | undefined): string | null {
  if (!value || value.kind === 'object' || value.kind === 'array' || value.kind === 'null') return null;
  return value.kind === 'string' ? JSON.parse(value.raw) as string : value.raw;
}

export const jsonValue = (text: string, steps: string): string | null => scalarText(find(text, steps));

export function jsonQuery(text: string, steps: string): string | null {
  const found = find(text, steps);
  return !found || found.kind === 'null' ? null : compactJson(found.raw);
}

/** Of the type JSON a null is a value. */
export function jsonPart(text: string, steps: string): string | null {
  const found = find(text, steps);
  return found ? compactJson(found.raw) : null;
}

/** The elements as JSON; NULL where the path leads to no array. */
export function jsonItems(text: string, steps: string): ReturnType<typeof listValue> | null {
  const found = find(text, steps);
  return found?.kind === 'array' ? listValue(found.items.map(({ raw }) => compactJson(raw))) : null;
}

/** The elements as texts; one that is an object or an array makes all of it NULL. */
export function jsonTexts(text: string, steps: string): ReturnType<typeof listValue> | null {
  const found = find(text, steps);
  if (found?.kind !== 'array' || found.items.some(({ kind }) => kind === 'object' || kind === 'array')) return null;
  return listValue(found.items.map(scalarText));
}

/** As the type JSON keeps it: keys in order, the first of equal keys, numbers as INT64, UINT64 or FLOAT64. */
export function normalJson(text: string, wide: string): string {
  const value = new Reader(text).whole();
  if (!value) return failed(`syntax error while parsing value - invalid JSON: ${text.slice(0, 50)}`);
  try {
    return normal(value, wide === 'round');
  } catch (error) {
    if (error instanceof RangeError) return failed(error.message);
    throw error;
  }
}

function normal(value: Json, isRounding: boolean): string {
  switch (value.kind) {
    case 'array': return `[${value.items.map((item) => normal(item, isRounding)).join(',')}]`;
    case 'object': {
      const first = new Map<string, Json>();
      for (const [key, item] of value.entries) if (!first.has(key)) first.set(key, item);
      return `{${[...first].sort(([a], [b]) => (Buffer.from(a) < Buffer.from(b) ? -1 : 1)).map(([key, item]) => `${JSON.stringify(key)}:${normal(item, isRounding)}`).join(',')}}`;
    }
    case 'number': return normalNumber(value.raw, isRounding);
    case 'string': return JSON.stringify(JSON.parse(value.raw));
    default: return value.raw;
  }
}

function normalNumber(raw: string, isRounding: boolean): string {
  if (/^-?\d+$/.test(raw)) {
    const integer = BigInt(raw);
    if (integer >= -(2n ** 63n) && integer < 2n ** 64n) return String(integer);
  }
  const float = Number(raw);
  if (!Number.isFinite(float)) throw new RangeError(`Input number: ${raw} cannot be stored as JSON`);
  if (!isRounding && !isSameNumber(raw, float)) throw new RangeError(`Input number: ${raw} cannot round-trip through string representation`);
  return doubleText(float);
}

/** As the type JSON writes a FLOAT64: with a point or an exponent, so that it stays told from an INT64. */
function doubleText(float: number): string {
  if (float === 0) return Object.is(float, -0) ? '-0.0' : '0.0';
  const [digits = '', exponent = ''] = float.toExponential().split('e');
  if (Number(exponent) >= -4 && Number(exponent) < 15) return Number.isInteger(float) ? `${float}.0` : String(float);
  return `${digits}e${exponent.replace(/^([+-])(\d)$/, '$10$2')}`;
}

/** Whether a double gives the digits back, zeros at the ends aside. */
function isSameNumber(raw: string, float: number): boolean {
  const digits = (text: string): string => text.replace(/[eE].*$/, '').replace(/[-.]/g, '').replace(/^0+|0+$/g, '');
  return digits(raw) === digits(String(float)) || digits(raw).length <= 15;
}

/** LAX_…: what a value of JSON gives as another type when it can be had at all. */
export function lax(kind: string, json: string): string | null {
  const value = new Reader(json).whole();
  const text = scalarText(value);
  if (!value || text === null) return null;
  if (kind === 'STRING') return value.kind === 'number' ? text.replace(/\.0$/, '') : text;
  if (kind === 'BOOL') return value.kind === 'number' ? String(Number(text) !== 0) : /^(?:true|false)$/i.test(text) ? text.toLowerCase() : null;
  const number = value.kind === 'boolean' ? Number(text === 'true') : Number(text);
  if (kind === 'FLOAT64') return value.kind === 'boolean' ? null : /^\s*[+-]?(?:inf(?:inity)?|nan)\s*$/i.test(text) ? text.trim() : text.trim() === '' || Number.isNaN(number) ? null : String(number);
  if (/^[+-]?\d+$/.test(text)) return BigInt.asIntN(64, BigInt(text)) === BigInt(text) ? String(BigInt(text)) : null;
  if (text.trim() === '' || !Number.isFinite(number) || Math.abs(number) >= 2 ** 63) return null;
  return String(BigInt(number < 0 ? -Math.round(-number) : Math.round(number)));
}
