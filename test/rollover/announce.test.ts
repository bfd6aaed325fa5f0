// The message about a finished day: which kind it is, and what it says of the change.
import { expect, test } from 'vitest';
import { dayMessage } from '../../functions/rollover/announce.ts';
import type { Run } from '../../functions/rollover/sql/ledger.ts';

const run = (number: number, status: Run['status'], kept: number | null, date = '20260115'): Run => ({
  stream: 'events', date, run: number, jobId: `job_${number}`, status, reason: null, read: kept, kept, duplicate: 0, idConflict: 1, late: 2,
  startedMs: number, elapsedMs: 1, bytesProcessed: 1, isAnnounced: false, sources: [],
});

test('the first finished run of a date finalizes it, also after runs that failed', () => {
  const runs = [run(1, 'failed', null), run(2, 'provisional', 9), run(3, 'done', 10), run(1, 'done', 99, '20260114')];
  expect(dayMessage(runs[2]!, runs, 'events_20260115')).toEqual({
    type: 'day.finalized', stream: 'events', date: '20260115', table: 'events_20260115', run: 3, kept: 10, added: 10, late: 2, id_conflict: 1,
  });
});

test('every later one changes it, and says by how many rows', () => {
  const runs = [run(1, 'done', 10), run(2, 'failed', null), run(3, 'done', 12), run(4, 'done', 11)];
  expect(dayMessage(runs[2]!, runs, 't')).toMatchObject({ type: 'day.changed', run: 3, kept: 12, added: 2 });
  expect(dayMessage(runs[3]!, runs, 't')).toMatchObject({ type: 'day.changed', run: 4, added: -1 });
  // Told again, the first one is still the first.
  expect(dayMessage(runs[0]!, runs, 't')).toMatchObject({ type: 'day.finalized', run: 1, added: 10 });
});
