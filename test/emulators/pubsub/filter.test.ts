// Filters: any expression written down in Google's language is judged as its parts say, however it is spelled; and parsing anything ends with a
// filter or a refusal, never otherwise.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseFilter, type Attributes } from '../../../emulators/pubsub/filter.ts';
import { Refusal } from '../../../emulators/pubsub/refusal.ts';

type Expression =
  | { is: 'has'; key: string } | { is: 'equals' | 'differs' | 'prefix'; key: string; value: string }
  | { is: 'not'; inner: Expression } | { is: 'and' | 'or'; parts: Expression[] };

const key = fc.constantFrom('a', 'b-c', 'd_1', 'e.f', 'ü', 'x y', '7');
const value = fc.constantFrom('', 'v', 'vw', 'V', '"', '\\', 'ü', 'a b');
const { tree } = fc.letrec<{ tree: Expression; leaf: Expression }>((tie) => ({
  leaf: fc.oneof(fc.record({ is: fc.constant('has' as const), key }), fc.record({ is: fc.constantFrom('equals' as const, 'differs' as const, 'prefix' as const), key, value })),
  tree: fc.oneof({ depthSize: 'small', withCrossShrink: true },
    tie('leaf'), fc.record({ is: fc.constant('not' as const), inner: tie('tree') }),
    fc.record({ is: fc.constantFrom('and' as const, 'or' as const), parts: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }) })),
}));

const quoted = (text: string): string => `"${text.replace(/["\\]/g, (sign) => `\\${sign}`)}"`;
const keyText = (name: string): string => (/^[\p{L}\p{N}_][\p{L}\p{N}_-]*$/u.test(name) ? name : quoted(name));

function written(one: Expression, not: string): string {
  switch (one.is) {
    case 'has': return `attributes:${keyText(one.key)}`;
    case 'equals': return `attributes.${keyText(one.key)} = ${quoted(one.value)}`;
    case 'differs': return `attributes.${keyText(one.key)}!=${quoted(one.value)}`;
    case 'prefix': return `hasPrefix( attributes.${keyText(one.key)} ,${quoted(one.value)})`;
    case 'not': return `${not}(${written(one.inner, not)})`;
    case 'and': case 'or': return one.parts.map((part) => `(${written(part, not)})`).join(one.is === 'and' ? ' AND ' : ' OR ');
  }
}

function judged(one: Expression, attributes: Attributes): boolean {
  switch (one.is) {
    case 'has': return attributes.has(one.key);
    case 'equals': return attributes.get(one.key) === one.value;
    case 'differs': return attributes.get(one.key) !== one.value;
    case 'prefix': return attributes.get(one.key)?.startsWith(one.value) ?? false;
    case 'not': return !judged(one.inner, attributes);
    case 'and': return one.parts.every((part) => judged(part, attributes));
    case 'or': return one.parts.some((part) => judged(part, attributes));
  }
}

test('a filter judges attributes as its expression says', () => {
  fc.assert(fc.property(tree, fc.array(fc.tuple(key, value), { maxLength: 5 }), fc.constantFrom('NOT ', '-'), (expression, pairs, not) => {
    const text = written(expression, not);
    fc.pre(Buffer.byteLength(text) <= 256);
    const attributes = new Map(pairs);
    expect([text, parseFilter(text)(attributes)]).toEqual([text, judged(expression, attributes)]);
  }), { numRuns: 2_000 });
});

test('whatever is given as a filter is taken or refused with a sentence', () => {
  const piece = fc.constantFrom('attributes', '.', ':', '=', '!=', '"v"', '"', '\\', 'AND', 'OR', 'NOT', '-', '(', ')', ',', 'hasPrefix', 'k', ' ', '\u0000', 'ü', '\\uZZZZ', '"\\U00110000"');
  fc.assert(fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
    try {
      expect(typeof parseFilter(pieces.join(''))(new Map())).toBe('boolean');
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
      expect((error as Refusal).message).toMatch(/^Invalid filter/);
    }
  }), { numRuns: 3_000 });
});
