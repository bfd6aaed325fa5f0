// What `npm run tomorrow` says of a rollover.
import { expect, it } from 'vitest';
import { tellRollover, type LedgerRow } from '../../scripts/local/tell-rollover.ts';

const row = (more: Partial<LedgerRow>): LedgerRow => ({ stream: 'events', event_date: '20260310', run: 1, status: 'done', reason: null, read: 10, kept: 8, duplicate: 2, late: 0, ...more });
const tell = (ledger: LedgerRow[], more = {}) => tellRollover({ ledger, made: [], dropped: [], last: { days: [], problems: [] }, ...more });

it('says what was kept, left out and late', () => {
  expect(tell([row({ late: 1 })])).toContain('events_20260310: 8 rows kept of 10 read, 2 duplicates left out, 1 of them had come late');
  expect(tell([row({ kept: 1, duplicate: 1, read: 2 })])).toContain('1 row kept of 2 read, 1 duplicate left out');
});
it('says why a day is not final, and that nothing was dropped', () => {
  expect(tell([row({ status: 'provisional', reason: 'the counts do not agree' })])).toContain('provisional (the counts do not agree); nothing was dropped');
});
it('tells daily tables from those of coming days, and what was dropped', () => {
  const text = tell([row({})], { made: ['events_20260310', 'events_intraday_20260313'], dropped: ['events_intraday_20260310'] });
  expect(text).toMatch(/Daily tables made: +events_20260310\n/);
  expect(text).toMatch(/coming days: +events_intraday_20260313/);
  expect(text).toMatch(/Dropped.*events_intraday_20260310/);
});
it('mentions waiting late rows, but not that coming days are open', () => {
  const text = tell([row({})], { last: { problems: [], days: [{ stream: 'events', date: '20260301', state: 'waiting', why: 'late_rows_wait', until: 'T' }, { stream: 'events', date: '20260312', state: 'waiting', why: 'not_closed' }] } });
  expect(text).toContain('events of 20260301');
  expect(text).not.toContain('20260312');
});
