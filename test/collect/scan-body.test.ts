// The scan before parsing: what it says must be what the parsed value is, for any JSON, and it must end for any bytes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scanBody } from '../../functions/collect/scan-body.ts';
import { LIMITS } from '../../functions/limits.ts';

const scan = (text: string, limits = LIMITS) => scanBody(Buffer.from(text), 3, limits);

const countKeys = (value: unknown): number =>
  typeof value !== 'object' || value === null ? 0 : Array.isArray(value) ? value.reduce((sum: number, entry) => sum + countKeys(entry), 0)
    : Object.entries(value).reduce((sum, [, entry]) => sum + 1 + countKeys(entry), 0);
const depthOf = (value: unknown): number => (typeof value !== 'object' || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf)));

test('keys and depth are those of the value, whatever stands inside its strings', () => {
  const nasty = fc.constantFrom('{"a":1}', '[[[', '\\', '"', '\\"', '\u2028', 'a\\u0041:', '}]', ':').chain((piece) => fc.string().map((text) => `${text}${piece}${text}`));
  const json = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 6 }, nasty, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(nasty, tie('value'), { maxKeys: 4 })),
  })).value;
  fc.assert(fc.property(json, fc.boolean(), (value, isSpaced) => {
    const text = isSpaced ? JSON.stringify(value, null, 1) : JSON.stringify(value);
    // No event begins on level 1,000, so all keys are the batch's.
    const { batchKeys, isTooDeep, hasLineBreaks } = scanBody(Buffer.from(text), 1_000, { ...LIMITS, depthMax: 3 } as never);
    expect(batchKeys).toBe(countKeys(value));
    // As deep as the values here are: a limit of 16 would never be reached.
    expect(isTooDeep).toBe(depthOf(value) > 3);
    expect(hasLineBreaks).toBe(text.includes('\n'));
  }), { numRuns: 300 });
});

test('the deepest body is one of sixteen levels, counted from its root', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  expect(scanBody(Buffer.from(nested(LIMITS.depthMax)), 1_000).isTooDeep).toBe(false);
  expect(scanBody(Buffer.from(nested(LIMITS.depthMax + 1)), 1_000).isTooDeep).toBe(true);
  // An event begins on level 3: its own values have 13 more.
  const event = (depth: number): string => `{"events":[{"a":1},{"a":${nested(depth)}},{"a":1}]}`;
  expect(scan(event(LIMITS.depthMax - 3)).cuts).toEqual([]);
  expect(scan(event(LIMITS.depthMax - 2)).cuts).toEqual([expect.objectContaining({ code: 'too_deep' })]);
});

test('it ends for any bytes, and its cuts lie inside them', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.constantFrom(...Buffer.from('{}[]":,\\0123456789eE.-')), { maxLength: 200 }), (random, jsonish) => {
    for (const bytes of [random, Uint8Array.from(jsonish)]) {
      for (const { start, end } of scanBody(bytes, 3, { ...LIMITS, depthMax: 3, keysPerEventMax: 0 } as never).cuts) expect(start >= 0 && start < end && end <= bytes.length).toBe(true);
    }
  }), { numRuns: 300 });
});

test('an integer literal is unsafe exactly when no number keeps it', () => {
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), (integer) => {
    expect(scan(`{"a":${integer}}`).hasUnsafeInteger).toBe(!Number.isSafeInteger(Number(integer)));
  }), { numRuns: 300 });
  for (const near of [-1n, 0n, 1n]) {
    const integer = 2n ** 53n - 1n + near;
    expect(scan(`[${integer}]`).hasUnsafeInteger).toBe(near === 1n);
    expect(scan(`[-${integer}]`).hasUnsafeInteger).toBe(near === 1n);
  }
  for (const text of ['[0.12345678901234567890]', '[12345678901234567890.5]', '["12345678901234567890"]', '[1e300]']) expect(scan(text).hasUnsafeInteger).toBe(false);
  expect(scan('[1e300]').hasExponent).toBe(true);
});

test('marks: NUL and surrogates by their escapes, odd keys by their spelling', () => {
  expect(scan('{"a":"\\u0000"}').hasNul).toBe(true);
  expect(scan('{"a":"\\\\u0000"}').hasNul).toBe(false);
  expect(scan('{"a":"\\ud800"}').hasSurrogateEscape).toBe(true);
  for (const key of ['', '__proto__', 'constructor', '\\u005f_proto__', 'k'.repeat(LIMITS.keyLengthMax + 1)]) expect(scan(`{"${key}":1}`).hasOddKey, key).toBe(true);
  for (const key of ['a', 'proto', 'parameter_', 'k'.repeat(LIMITS.keyLengthMax)]) expect(scan(`{"${key}":1}`).hasOddKey, key).toBe(false);
  expect(scan('{"a":["__proto__","constructor",""]}').hasOddKey).toBe(false);
});

test('only the event with too many keys is cut out', () => {
  const event = (keys: number): string => `{${Array.from({ length: keys }, (_, i) => `"k${i}":1`).join(',')}}`;
  const text = `{"events":[${event(3)},${event(4)},${event(3)}],"x":1}`;
  const { cuts, batchKeys, largestEventBytes } = scan(text, { ...LIMITS, keysPerEventMax: 3 } as never);
  expect(cuts.map(({ start, end, code }) => [text.slice(start, end), code])).toEqual([[event(4), 'too_many_keys']]);
  expect(batchKeys).toBe(2);
  expect(largestEventBytes).toBe(event(4).length);
});
