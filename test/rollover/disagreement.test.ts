// When the counts of a day agree: the ids that its sources have, and the rows that its daily table has.
import { expect, test } from 'vitest';
import { disagreement } from '../../functions/rollover/run-day.ts';

test('as many rows as ids agree', () => {
  expect(disagreement({ ids: 2, rowsWithoutId: 0 }, 2, true)).toBeNull();
  expect(disagreement({ ids: 0, rowsWithoutId: 0 }, 0, true)).toBeNull();
});

test('one row fewer never agrees, one row more only while a source is open and may have grown', () => {
  expect(disagreement({ ids: 2, rowsWithoutId: 0 }, 1, true)).toBe('the sources have 2 ids, the daily table has 1 rows');
  expect(disagreement({ ids: 2, rowsWithoutId: 0 }, 1, false)).toBe('the sources have 2 ids, the daily table has 1 rows');
  expect(disagreement({ ids: 2, rowsWithoutId: 0 }, 3, true)).toBe('the sources have 2 ids, the daily table has 3 rows');
  expect(disagreement({ ids: 2, rowsWithoutId: 0 }, 3, false)).toBeNull();
});

test('a single row without an id is a disagreement, whatever the counts are: more of them would be merged into one', () => {
  expect(disagreement({ ids: 2, rowsWithoutId: 1 }, 3, false)).toContain('1 rows have no id');
  expect(disagreement({ ids: 2, rowsWithoutId: 1 }, 2, true)).toContain('1 rows have no id');
});
