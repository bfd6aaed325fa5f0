// What is due when: the rules of closing, of the pace of late rows, of retrying and of dropping, with plain values.
import { describe, expect, test } from 'vitest';
import { isDate, planDays, readyAt, reasonToKeep, sourceTables } from '../../functions/rollover/plan.ts';
import type { DateRows, Situation, Wish } from '../../functions/rollover/plan.ts';
import type { Run } from '../../functions/rollover/sql/ledger.ts';
import { closesAt } from '../../functions/table-shard.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const PACE = { recentDays: 3, olderEveryDays: 7 };
const at = (iso: string): number => Date.parse(iso);

function situation(tables: Record<string, DateRows[] | undefined>, nowMs: number, runs: Run[] = [], timeZone = 'UTC'): Situation {
  const names = Object.keys(tables);
  return {
    nowMs, timeZone, prefix: 'events', runs, sources: sourceTables('events', names),
    dailies: new Set(names.filter((name) => /^events_\d{8}$/.test(name))),
    counted: new Map(Object.entries(tables).filter((entry): entry is [string, DateRows[]] => entry[1] !== undefined)),
  };
}
function run(date: string, number: number, startedMs: number, sources: Record<string, number>, status: Run['status'] = 'done'): Run {
  return { stream: 'events', date, run: number, jobId: `rollover_events_${date}_${number}`, status, reason: null, read: 1, kept: 1, duplicate: 0, idConflict: 0, late: 0, startedMs, elapsedMs: 1, bytesProcessed: 1, isAnnounced: true, sources: Object.entries(sources).map(([table, rows]) => ({ table, rows })) };
}
const rows = (date: string | null, count: number): DateRows => ({ date, rows: count });
const dueDates = (of: Situation, wish: Wish = {}): string[] => planDays(of, wish, PACE).due.map(({ date }) => date);

describe('when a day is due', () => {
  const tables = { events_intraday_20260115: [rows('20260115', 5)] };

  test('a day is refused until 30 minutes after its closing, also when it is asked for by name', () => {
    const readyMs = at('2026-01-16T02:30:00Z');
    expect(readyAt('20260115', 'UTC')).toBe(readyMs);
    for (const wish of [{}, { date: '20260115' }, { recomputeFrom: '20260101' }, { allLate: true }]) {
      const early = planDays(situation(tables, readyMs - 1), wish, PACE);
      expect(early.due).toEqual([]);
      // Only somebody who asked is told: that today is not over is no news.
      expect(early.waiting).toEqual('date' in wish ? [{ date: '20260115', why: 'not_closed', untilMs: readyMs }] : []);
      expect(dueDates(situation(tables, readyMs), wish)).toEqual(['20260115']);
    }
  });

  test.each([['Europe/Berlin', '20260328', '2026-03-29T01:00:00Z'], ['Europe/Berlin', '20261025', '2026-10-26T01:00:00Z'], ['America/New_York', '20260308', '2026-03-09T06:00:00Z'], ['Australia/Lord_Howe', '20260405', '2026-04-05T15:30:00Z']])('closing is two hours after the last midnight of the day in %s on %s', (zone, date, closing) => {
    expect(closesAt(date, zone)).toBe(at(closing));
    const of = (nowMs: number): Situation => situation({ [`events_intraday_${date}`]: [rows(date, 1)] }, nowMs, [], zone);
    expect(dueDates(of(at(closing) + 30 * MINUTE_MS - 1))).toEqual([]);
    expect(dueDates(of(at(closing) + 30 * MINUTE_MS))).toEqual([date]);
  });

  test('an empty intraday table makes an empty day, so that no date is missing', () => {
    expect(dueDates(situation({ events_intraday_20260115: [] }, at('2026-01-16T03:00:00Z')))).toEqual(['20260115']);
  });

  test('dates come in ascending order, since later days know users from earlier ones', () => {
    expect(dueDates(situation({ events_intraday_20260117: [], events_intraday_20260115: [], events_intraday_20260116: [] }, at('2026-01-20T03:00:00Z')))).toEqual(['20260115', '20260116', '20260117']);
  });

  test('a finished day is not due again, and a row too many makes it due', () => {
    const finished = run('20260115', 1, at('2026-01-16T02:31:00Z'), { events_intraday_20260115: 5 });
    expect(dueDates(situation(tables, at('2026-01-16T03:00:00Z'), [finished]))).toEqual([]);
    expect(dueDates(situation({ events_intraday_20260115: [rows('20260115', 6)] }, at('2026-01-16T03:00:00Z'), [finished]))).toEqual(['20260115']);
  });

  test('a run that started before the table closed proves nothing', () => {
    const early = run('20260115', 1, at('2026-01-16T01:59:59Z'), { events_intraday_20260115: 5 });
    expect(dueDates(situation(tables, at('2026-01-16T03:00:00Z'), [early]))).toEqual(['20260115']);
  });

  test('a fold reads the daily table, its intraday table, and each late table with rows of the date, and no other', () => {
    const plan = planDays(situation({ events_20260115: undefined, events_intraday_20260115: [rows('20260115', 1)], late_events_20260115: [rows('20260114', 2)], late_events_20260116: [rows('20260115', 3), rows('20260110', 1)], events_intraday_20260116: undefined }, at('2026-01-17T03:00:00Z')), { date: '20260115' }, PACE);
    expect(plan.due).toEqual([{ date: '20260115', tables: ['events_20260115', 'events_intraday_20260115', 'late_events_20260116'] }]);
  });
});

describe('late rows', () => {
  const late = (date: string, written: string, nowMs: number, runs: Run[] = []): Situation => situation({ [`late_events_${written}`]: [rows(date, 1)] }, nowMs, runs);

  test('of a day younger than three days are folded the night their table closes', () => {
    expect(dueDates(late('20260114', '20260115', at('2026-01-16T02:30:00Z')))).toEqual(['20260114']);
  });

  test('of an older day wait a week from the closing of their table, unless somebody asks', () => {
    const untilMs = at('2026-01-23T02:00:00Z');
    const early = planDays(late('20260113', '20260115', at('2026-01-16T02:30:00Z')), {}, PACE);
    expect(early).toEqual({ due: [], waiting: [{ date: '20260113', why: 'late_rows_wait', untilMs }] });
    expect(dueDates(late('20260113', '20260115', untilMs - 1))).toEqual([]);
    expect(dueDates(late('20260113', '20260115', untilMs))).toEqual(['20260113']);
    expect(dueDates(late('20260113', '20260115', at('2026-01-16T02:30:00Z')), { allLate: true })).toEqual(['20260113']);
    expect(dueDates(late('20260113', '20260115', at('2026-01-16T02:30:00Z')), { date: '20260113' })).toEqual(['20260113']);
  });

  test('of a table that is still open are folded for somebody who asks, once for each new row', () => {
    const nowMs = at('2026-01-17T12:00:00Z');
    expect(dueDates(late('20260115', '20260117', nowMs), { date: '20260115' })).toEqual(['20260115']);
    const folded = run('20260115', 2, nowMs - MINUTE_MS, { late_events_20260117: 1 });
    expect(dueDates(late('20260115', '20260117', nowMs, [folded]), { date: '20260115' })).toEqual([]);
    expect(dueDates(situation({ late_events_20260117: [rows('20260115', 2)] }, nowMs, [folded]), { date: '20260115' })).toEqual(['20260115']);
    // Once the table has closed, a run from before the closing no longer counts.
    expect(dueDates(late('20260115', '20260117', at('2026-01-18T02:30:00Z'), [folded]), { allLate: true })).toEqual(['20260115']);
  });
});

describe('after a failure', () => {
  const tables = { events_intraday_20260115: [rows('20260115', 5)] };
  const nowMs = at('2026-01-16T12:00:00Z');
  const failed = (number: number): Run => run('20260115', number, nowMs - 10 * MINUTE_MS, {}, 'failed');

  test('the next call tries again; after three in a row only every hour', () => {
    expect(dueDates(situation(tables, nowMs, [failed(1), failed(2)]))).toEqual(['20260115']);
    const thrice = [failed(1), failed(2), failed(3)];
    expect(planDays(situation(tables, nowMs, thrice), {}, PACE)).toEqual({ due: [], waiting: [{ date: '20260115', why: 'retry_waits', untilMs: nowMs + 50 * MINUTE_MS }] });
    expect(dueDates(situation(tables, nowMs + 50 * MINUTE_MS, thrice))).toEqual(['20260115']);
  });

  test('a day whose counts did not agree is tried every six hours', () => {
    const provisional = run('20260115', 1, nowMs, { events_intraday_20260115: 5 }, 'provisional');
    expect(dueDates(situation(tables, nowMs + 6 * HOUR_MS - 1, [provisional]))).toEqual([]);
    expect(dueDates(situation(tables, nowMs + 6 * HOUR_MS, [provisional]))).toEqual(['20260115']);
  });
});

test('a recomputation folds every day from there on once, in order, and stops at the date that was given', () => {
  const tables = { events_20260113: undefined, events_20260114: undefined, events_20260115: undefined, events_20260116: undefined };
  const sinceMs = at('2026-01-20T00:00:00Z');
  const wish: Wish = { recomputeFrom: '20260114', recomputeSinceMs: sinceMs };
  expect(dueDates(situation(tables, sinceMs), wish)).toEqual(['20260114', '20260115', '20260116']);
  expect(dueDates(situation(tables, sinceMs, [run('20260114', 2, sinceMs, {}), run('20260115', 9, sinceMs - 1, {})]), wish)).toEqual(['20260115', '20260116']);
  expect(dueDates(situation(tables, sinceMs), { ...wish, date: '20260115' })).toEqual(['20260114', '20260115']);
});

describe('what may be dropped', () => {
  const closedMs = at('2026-01-16T02:00:00Z');
  const nowMs = at('2026-01-16T04:00:00Z');
  const source = { table: 'late_events_20260115', kind: 'late', date: '20260115' } as const;
  const done = run('20260110', 1, closedMs, { late_events_20260115: 4 });
  const why = (runs: Run[], of: DateRows[], when = nowMs): string | undefined => reasonToKeep({ nowMs: when, timeZone: 'UTC', runs }, source, of);

  test('a closed table whose rows were all read by a done run that started after the closing', () => {
    expect(why([done], [rows('20260110', 4)])).toBeUndefined();
    expect(why([], [])).toBeUndefined();
  });
  test('never a table that is open, or closed for less than 30 minutes', () => {
    expect(why([done], [rows('20260110', 4)], at('2026-01-16T02:29:59Z'))).toBe('it is not closed');
  });
  test('never one with a date that was not folded, was folded before the closing, or by a run that did not end well', () => {
    expect(why([done], [rows('20260110', 4), rows('20260111', 1)])).toContain('the 1 rows of 20260111');
    expect(why([run('20260110', 1, closedMs - 1, { late_events_20260115: 4 })], [rows('20260110', 4)])).toContain('20260110');
    expect(why([{ ...done, status: 'provisional' }], [rows('20260110', 4)])).toContain('20260110');
    expect(why([{ ...done, status: 'failed' }], [rows('20260110', 4)])).toContain('20260110');
  });
  test('never one whose rows are not as many as were read, one more or one fewer', () => {
    expect(why([done], [rows('20260110', 5)])).toContain('the 5 rows');
    expect(why([done], [rows('20260110', 3)])).toContain('the 3 rows');
  });
  test('never one with a row that has no date', () => {
    expect(why([done], [rows('20260110', 4), rows(null, 1)])).toBe('it has rows without an event date');
  });
  test('an empty intraday table only after its day was folded', () => {
    const intraday = { table: 'events_intraday_20260115', kind: 'intraday', date: '20260115' } as const;
    expect(reasonToKeep({ nowMs, timeZone: 'UTC', runs: [] }, intraday, [])).toContain('20260115');
    expect(reasonToKeep({ nowMs, timeZone: 'UTC', runs: [run('20260115', 1, closedMs, { events_intraday_20260115: 0 })] }, intraday, [])).toBeUndefined();
  });
});

test('only names that are exactly a stream\'s are its sources', () => {
  expect(sourceTables('events', ['events_intraday_20260115', 'late_events_20260116', 'events_20260115', 'events_intraday_20260230', 'late_events_2026', 'my_events_intraday_20260115', 'rollovers']).map(({ table }) => table)).toEqual(['events_intraday_20260115', 'late_events_20260116']);
  expect(isDate('20260229')).toBe(false);
  expect(isDate('20280229')).toBe(true);
});
