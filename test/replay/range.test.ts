// The range of a replay: both ends belong to it, and what is no range is refused before anything is read.
import { expect, test } from 'vitest';
import { parseRange } from '../../functions/replay/range.ts';

test('both ends belong to the range', () => {
  expect(parseRange('2026-02-27', '2026-03-01')).toEqual({ kind: 'accepted', value: { from: '2026-02-27T00', to: '2026-03-01T23', days: ['2026-02-27', '2026-02-28', '2026-03-01'] } });
  expect(parseRange('2026-01-15T07', '2026-01-15T07')).toMatchObject({ value: { from: '2026-01-15T07', to: '2026-01-15T07', days: ['2026-01-15'] } });
});

test.each([['yesterday', '2026-01-15'], ['2026-01-15', '2026-1-15'], ['2026-01-16', '2026-01-15'], ['2026-01-15T08', '2026-01-15T07'], ['2000-01-01', '2026-01-15']])('%s to %s is refused', (from, to) => {
  const outcome = parseRange(from, to);
  expect(outcome.kind === 'rejected' && outcome.error.code).toBe('setting_invalid');
});
