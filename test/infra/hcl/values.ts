// What an expression can be: plain data, something that is known only after an apply, or a resource. Used by evaluate.ts and functions.ts.

/** Known after the apply. */
export class Unknown {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
}

/** A resource or a nested block: what was not set in it is known after the apply, where plain data would be an error. */
export class Filled {
  readonly path: string;
  readonly fields: Record<string, Value>;
  constructor(path: string, fields: Record<string, Value>) {
    this.path = path;
    this.fields = fields;
  }
}

export type Value = null | string | number | boolean | Unknown | Filled | Value[] | { [name: string]: Value };

export type Fields = { [name: string]: Value };

export const isFields = (value: Value): value is Fields => value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Unknown) && !(value instanceof Filled);

export function firstUnknown(value: Value): Unknown | undefined {
  if (value instanceof Unknown) return value;
  if (value instanceof Filled) return new Unknown(value.path);
  if (Array.isArray(value)) for (const one of value) { const found = firstUnknown(one); if (found !== undefined) return found; }
  if (isFields(value)) for (const one of Object.values(value)) { const found = firstUnknown(one); if (found !== undefined) return found; }
  return undefined;
}

/** Plain data, with `undefined` (so nothing in JSON) where it is not known yet. */
export function plain(value: Value): unknown {
  if (value instanceof Unknown) return undefined;
  if (value instanceof Filled) return plain(value.fields);
  if (Array.isArray(value)) return value.map(plain);
  if (isFields(value)) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
  return value;
}

export function same(left: Value, right: Value): boolean {
  if (isFields(left) && isFields(right)) {
    const names = Object.keys(left);
    return names.length === Object.keys(right).length && names.every((name) => name in right && same(left[name]!, right[name]!));
  }
  if (Array.isArray(left) && Array.isArray(right)) return left.length === right.length && left.every((one, index) => same(one, right[index]!));
  return left === right;
}

export function textOf(value: Value): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error('a text, a number or a truth value was expected');
}
