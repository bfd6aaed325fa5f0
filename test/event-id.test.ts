// Ids: which ones a client may send, and what the derived ones depend on.
import { expect, test } from 'vitest';
import { hashedId, isEventId } from '../functions/event-id.ts';

test.each(['0198f2f0-0000-7000-8000-00000000abcd', 'F47AC10B-58CC-4372-A567-0E02B2C3D479', 'ffffffff-ffff-ffff-ffff-ffffffffffff'])('%s is an id', (id) => {
  expect(isEventId(id)).toBe(true);
});

test('the nil UUID, which a broken generator sends for every event, is none', () => {
  expect(isEventId('00000000-0000-0000-0000-000000000000')).toBe(false);
});

test.each(['', 'x', '0198f2f0-0000-7000-8000-00000000abc', '0198f2f0-0000-7000-8000-00000000abcd0', ' 0198f2f0-0000-7000-8000-00000000abcd', '0198f2f0-0000-7000-8000-00000000abcd\n', '0198f2f000007000800000000000abcd', 7, null, undefined, {}])('%j is no id', (id) => {
  expect(isEventId(id)).toBe(false);
});

test('a derived id is a UUID of its own version, the same for the same parts, another for any other', () => {
  const id = hashedId('a', 'bc', 1);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(isEventId(id)).toBe(true);
  expect(hashedId('a', 'bc', 1)).toBe(id);
  const others = [hashedId('ab', 'c', 1), hashedId('a', 'bc', 2), hashedId('a', 'bc', '1'), hashedId('a', 'bc'), hashedId('bc', 'a', 1)];
  expect(new Set([id, ...others]).size).toBe(6);
});
