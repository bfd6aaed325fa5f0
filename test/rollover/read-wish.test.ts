// The body of a call: what is asked for, or one sentence that says what is wrong.
import { expect, test } from 'vitest';
import { readWish } from '../../functions/rollover/read-wish.ts';

const NOW_MS = Date.parse('2026-01-16T12:00:00Z');
const read = (body: unknown): unknown => readWish(body, ['events', 'inference'], NOW_MS);

test.each([{}, undefined, '', null])('an empty body (%j) asks for whatever is due', (body) => {
  expect(read(body)).toEqual({ streams: ['events', 'inference'], wish: {} });
});

test('a date, a stream and a recomputation are understood', () => {
  expect(read({ date: '20260115', stream: 'events' })).toEqual({ streams: ['events'], wish: { date: '20260115' } });
  expect(read({ recompute_from: '20260101', recompute_since_ms: 5, all_late: true })).toEqual({ streams: ['events', 'inference'], wish: { recomputeFrom: '20260101', recomputeSinceMs: 5, allLate: true } });
});

test.each([
  [{ date: '2026-01-15' }, 'date'], [{ date: '20260230' }, 'date'], [{ date: 20260115 }, 'date'], [{ date: '20260119' }, 'date'], [{ date: '19991231' }, 'date'],
  [{ recompute_from: "20260115'; DROP" }, 'recompute_from'], [{ stream: 'rejected' }, 'stream'], [{ recompute_since_ms: '5' }, 'recompute_since_ms'], [{ all_late: 'yes' }, 'all_late'], [{ dat: '20260115' }, 'dat'],
])('%j is refused with a sentence that names the field', (body, field) => {
  expect(read(body)).toEqual({ problem: expect.stringContaining(`"${field}"`) });
});

test.each([[[]], ['20260115'], [5], [Buffer.from('x')]])('a body that is no object is refused', (body) => {
  expect(read(body)).toEqual({ problem: expect.stringContaining('JSON object') });
});
