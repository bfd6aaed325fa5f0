// `fields`: the part of an answer that the caller wants, as `items(name,size),nextPageToken` or `items/name`. server.ts cuts answers with it.
import { invalid } from './refusal.ts';

/** Wanted keys of an object, each with what is wanted of its value; undefined: all of it. */
type Mask = Map<string, Mask | undefined>;

/** The value without what the mask does not name; an array is cut item by item. Names that are not there are passed over, as by Google. */
export function partOf(value: unknown, fields: string): unknown {
  return cut(value, readMask(fields));
}

function cut(value: unknown, mask: Mask | undefined): unknown {
  if (mask === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => cut(item, mask));
  const whole = mask.has('*');
  const kept: Record<string, unknown> = {};
  for (const [name, held] of Object.entries(value)) {
    if (mask.has(name)) kept[name] = cut(held, mask.get(name));
    else if (whole) kept[name] = cut(held, mask.get('*'));
  }
  return kept;
}

function readMask(text: string): Mask {
  let at = 0;
  const fail = (): Error => invalid(`Invalid field selection ${text}`, 'fields');

  function list(): Mask {
    const mask: Mask = new Map();
    for (;;) {
      one(mask);
      if (text[at] !== ',') return mask;
      at += 1;
    }
  }

  function one(mask: Mask): void {
    const name = /^[\w*-]+/.exec(text.slice(at))?.[0];
    if (name === undefined) throw fail();
    at += name.length;
    mask.set(name, merge(mask, name, below()));
  }

  function below(): Mask | undefined {
    if (text[at] === '/') {
      at += 1;
      const mask: Mask = new Map();
      one(mask);
      return mask;
    }
    if (text[at] !== '(') return undefined;
    at += 1;
    const mask = list();
    if (text[at] !== ')') throw fail();
    at += 1;
    return mask;
  }

  const mask = list();
  if (at !== text.length) throw fail();
  return mask;
}

/** `a/b,a/c` wants both; a bare `a` beside them wants all. */
function merge(mask: Mask, name: string, more: Mask | undefined): Mask | undefined {
  const before = mask.get(name);
  if (!mask.has(name)) return more;
  return before === undefined || more === undefined ? undefined : new Map([...before, ...more]);
}
