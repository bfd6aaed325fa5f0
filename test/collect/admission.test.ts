// Load shedding, on both sides of its limits.
import { expect, test } from 'vitest';
import { createAdmission } from '../../functions/collect/admission.ts';
import { createTokenBucket } from '../../functions/collect/token-bucket.ts';

const limits = { inFlightBytesMax: 100, loopDelayMsMax: 200 };

test('bytes are taken up to the budget, and given back', () => {
  const admission = createAdmission({ loopDelayMs: () => 0, limits });
  expect(admission.take(60)).toBeUndefined();
  expect(admission.take(40)).toBeUndefined();
  expect(admission.take(1)?.code).toBe('overloaded');
  admission.release(40);
  expect(admission.take(40)).toBeUndefined();
  expect(admission.inFlightBytes()).toBe(100);
});

test('a late event loop refuses new requests while others are under way, never the only one', () => {
  let delayMs = 200;
  const admission = createAdmission({ loopDelayMs: () => delayMs, limits });
  expect(admission.take(1)).toBeUndefined();
  expect(admission.take(1)).toBeUndefined();
  delayMs = 200.1;
  expect(admission.take(1)?.code).toBe('overloaded');
  admission.release(2);
  expect(admission.take(1)).toBeUndefined();
});

test('a source may send its rate on average, and one batch beyond it', () => {
  let now = 0;
  const bucket = createTokenBucket(10, () => now);
  bucket.take(30);
  expect(bucket.waitMs()).toBe(2_100);
  now = 2_000;
  expect(bucket.waitMs()).toBeGreaterThan(0);
  now = 2_101;
  expect(bucket.waitMs()).toBe(0);
  now = 100_000;
  bucket.take(10);
  expect(bucket.waitMs()).toBeGreaterThan(0);
});
