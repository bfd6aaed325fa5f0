// Terraform's built-in functions, as far as infra/ uses them: arguments in, value out. Called by evaluate.ts.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { Filled, Unknown, firstUnknown, isFields, plain, same, textOf } from './values.ts';
import type { Value } from './values.ts';

type Builtin = (...values: Value[]) => Value;

const list = (value: Value): Value[] => {
  if (!Array.isArray(value)) throw new Error('a list was expected');
  return value;
};
const fields = (value: Value): Record<string, Value> => {
  if (value instanceof Filled) return value.fields;
  if (!isFields(value)) throw new Error('an object was expected');
  return value;
};
const texts = (value: Value): string[] => list(value).map(textOf);
const distinct = (values: Value[]): Value[] => values.filter((value, index) => values.findIndex((one) => same(one, value)) === index);
const sortedKeys = (value: Value): string[] => Object.keys(fields(value)).sort();

/** Go's JSON: names sorted, < > & escaped. */
function json(value: unknown): string {
  const sorted = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(sorted);
    if (one === null || typeof one !== 'object') return one;
    return Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, inner]) => [name, sorted(inner)]));
  };
  return JSON.stringify(sorted(value)).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
}

function regex(pattern: Value, text: Value): Value {
  const found = new RegExp(textOf(pattern), 'u').exec(textOf(text));
  if (found === null) throw new Error('the pattern does not match');
  return found.length === 1 ? found[0] : found.slice(1).map((group) => group ?? '');
}

/** These look at the outside of their arguments only, so an unknown inside does not matter. */
const OUTSIDE: Record<string, Builtin> = {
  concat: (...lists) => lists.flatMap(list),
  keys: (value) => sortedKeys(value),
  length: (value) => (typeof value === 'string' ? [...value].length : Array.isArray(value) ? value.length : Object.keys(fields(value)).length),
  merge: (...objects) => Object.assign({}, ...objects.filter((one) => one !== null).map(fields)) as Value,
  values: (value) => sortedKeys(value).map((name) => fields(value)[name]!),
  flatten: (value) => {
    const flat = (one: Value): Value[] => (Array.isArray(one) ? one.flatMap(flat) : [one]);
    return flat(value);
  },
};

const INSIDE: Record<string, Builtin> = {
  alltrue: (value) => list(value).every((one) => one === true),
  anytrue: (value) => list(value).some((one) => one === true),
  base64encode: (value) => Buffer.from(textOf(value)).toString('base64'),
  coalesce: (...values) => values.find((value) => value !== null && value !== '') ?? fail('every argument is empty'),
  contains: (value, wanted) => list(value).some((one) => same(one, wanted!)),
  distinct: (value) => distinct(list(value)),
  file: (name) => readFileSync(textOf(name), 'utf8'),
  fileexists: (name) => existsSync(textOf(name)),
  filesha256: (name) => createHash('sha256').update(readFileSync(textOf(name))).digest('hex'),
  floor: (value) => Math.floor(Number(value)),
  join: (between, value) => texts(value!).join(textOf(between)),
  jsondecode: (value) => JSON.parse(textOf(value)) as Value,
  jsonencode: (value) => json(plain(value)),
  lower: (value) => textOf(value).toLowerCase(),
  regex: (pattern, text) => regex(pattern!, text!),
  replace: (value, from, to) => textOf(value).replaceAll(textOf(from!), textOf(to!)),
  setsubtract: (value, less) => distinct(list(value)).filter((one) => !list(less!).some((other) => same(one, other))),
  sha256: (value) => createHash('sha256').update(textOf(value)).digest('hex'),
  sort: (value) => texts(value).sort(),
  split: (between, value) => textOf(value!).split(textOf(between)),
  startswith: (value, start) => textOf(value).startsWith(textOf(start!)),
  substr: (value, from, length) => textOf(value).slice(Number(from), Number(from) + Number(length)),
  toset: (value) => distinct(list(value)).sort(),
  tostring: (value) => (value === null ? null : textOf(value)),
  upper: (value) => textOf(value).toUpperCase(),
};

function fail(message: string): never {
  throw new Error(message);
}

export function call(name: string, values: Value[]): Value {
  const outside = OUTSIDE[name];
  const inside = INSIDE[name];
  if (outside === undefined && inside === undefined) throw new Error(`the test's reader does not know the function ${name}`);
  const unknown = outside === undefined ? firstUnknown(values) : values.find((value) => value instanceof Unknown);
  return unknown ?? (outside ?? inside)!(...values);
}
