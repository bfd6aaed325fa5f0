// Which table a row goes to: the borders of days, of closings, and both clock changes of three zones.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../functions/limits.ts';
import { addDays, closesAt, dateOf, endOf, eventDateOf, shardFor, shardHoldsUntil, utcMidnightOf } from '../functions/table-shard.ts';

const HOUR_MS = 3_600_000;
const at = (text: string): number => Date.parse(text);

/** Days of the clock changes of 2026, with the instants of their midnights worked out by hand from the zones' rules. */
const CHANGES = [
  // Berlin: UTC+1 in winter, UTC+2 in summer; changes at 01:00 UTC on 29 March and 25 October.
  { zone: 'Europe/Berlin', date: '20260328', ends: '2026-03-28T23:00:00Z', hours: 24 },
  { zone: 'Europe/Berlin', date: '20260329', ends: '2026-03-29T22:00:00Z', hours: 23 },
  { zone: 'Europe/Berlin', date: '20261024', ends: '2026-10-24T22:00:00Z', hours: 24 },
  { zone: 'Europe/Berlin', date: '20261025', ends: '2026-10-25T23:00:00Z', hours: 25 },
  // New York: UTC-5 and UTC-4; changes at 02:00 local on 8 March and 1 November.
  { zone: 'America/New_York', date: '20260307', ends: '2026-03-08T05:00:00Z', hours: 24 },
  { zone: 'America/New_York', date: '20260308', ends: '2026-03-09T04:00:00Z', hours: 23 },
  { zone: 'America/New_York', date: '20261031', ends: '2026-11-01T04:00:00Z', hours: 24 },
  { zone: 'America/New_York', date: '20261101', ends: '2026-11-02T05:00:00Z', hours: 25 },
  // Lord Howe: UTC+10:30 and UTC+11, the change is half an hour; 5 April and 4 October at 02:00 local.
  { zone: 'Australia/Lord_Howe', date: '20260404', ends: '2026-04-04T13:00:00Z', hours: 24 },
  { zone: 'Australia/Lord_Howe', date: '20260405', ends: '2026-04-05T13:30:00Z', hours: 24.5 },
  { zone: 'Australia/Lord_Howe', date: '20261003', ends: '2026-10-03T13:30:00Z', hours: 24 },
  { zone: 'Australia/Lord_Howe', date: '20261004', ends: '2026-10-04T13:00:00Z', hours: 23.5 },
] as const;

describe.each(CHANGES)('$date in $zone', ({ zone, date, ends, hours }) => {
  test('ends at its last midnight', () => {
    expect(endOf(date, zone)).toBe(at(ends));
    expect((endOf(date, zone) - endOf(addDays(date, -1), zone)) / HOUR_MS).toBe(hours);
  });

  test('the last millisecond is of the day, the next one of the next', () => {
    expect(dateOf(at(ends) - 1, zone)).toBe(date);
    expect(dateOf(at(ends), zone)).toBe(addDays(date, 1));
    expect(eventDateOf(at(ends) * 1_000 - 1, zone)).toBe(date);
    expect(eventDateOf(at(ends) * 1_000, zone)).toBe(addDays(date, 1));
  });

  test('closes two elapsed hours after it, and a row of the last instant before goes to intraday, of that instant to late', () => {
    const closing = at(ends) + 2 * HOUR_MS;
    expect(closesAt(date, zone)).toBe(closing);
    expect(shardFor('events', date, closing - 1, zone)).toEqual({ kind: 'intraday', date, table: `events_intraday_${date}` });
    expect(shardFor('events', date, closing, zone)).toEqual({ kind: 'late', date: addDays(date, 1), table: `late_events_${addDays(date, 1)}` });
  });

  test('never opens again: through the clock change every later instant of the two days finds it closed', () => {
    for (let ms = closesAt(date, zone); ms < closesAt(date, zone) + 52 * HOUR_MS; ms += HOUR_MS / 4) {
      expect(shardFor('events', date, ms, zone).kind).toBe('late');
    }
  });
});

test('a zone that skips a midnight or lives it twice still ends each day once', () => {
  // Cairo 2024: 26 April begins at 01:00; 31 October ends with 23:00 lived twice. Apia skipped 30 December 2011.
  expect(dateOf(endOf('20240425', 'Africa/Cairo'), 'Africa/Cairo')).toBe('20240426');
  expect(dateOf(endOf('20240425', 'Africa/Cairo') - 1, 'Africa/Cairo')).toBe('20240425');
  expect(dateOf(endOf('20241031', 'Africa/Cairo'), 'Africa/Cairo')).toBe('20241101');
  expect(dateOf(endOf('20241031', 'Africa/Cairo') - 1, 'Africa/Cairo')).toBe('20241031');
  expect(dateOf(endOf('20111229', 'Pacific/Apia'), 'Pacific/Apia')).toBe('20111231');
});

const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Kiritimati', 'America/Sao_Paulo');
const instants = fc.integer({ min: at('2020-01-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z') });

test('every instant lies in the day that it is dated: after the end of the day before, before its own end', () => {
  fc.assert(fc.property(instants, zones, (ms, zone) => {
    const date = dateOf(ms, zone);
    return ms < endOf(date, zone) && ms >= endOf(addDays(date, -1), zone);
  }), { numRuns: 300 });
});

test('the date is the one that the zone\'s own calendar shows', () => {
  fc.assert(fc.property(instants, zones, (ms, zone) => {
    const shown = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(ms).replaceAll('-', '');
    expect(dateOf(ms, zone)).toBe(shown);
  }), { numRuns: 300 });
});

test('a table is open at every instant at which a row is sent to it, and the choice holds until it says', () => {
  fc.assert(fc.property(instants, zones, fc.integer({ min: -40, max: 2 }), (ms, zone, days) => {
    const eventDate = addDays(dateOf(ms, zone), days);
    const shard = shardFor('events', eventDate, ms, zone);
    expect(ms).toBeLessThan(closesAt(shard.date, zone));
    const until = shardHoldsUntil(shard, zone);
    expect(until).toBeGreaterThan(ms);
    expect(until).toBeLessThanOrEqual(closesAt(shard.date, zone));
    expect(shardFor('events', eventDate, until - 1, zone)).toEqual(shard);
    expect(shardFor('events', eventDate, until, zone)).not.toEqual(shard);
  }), { numRuns: 300 });
});

test('closing is a duration after midnight, not a wall-clock time', () => {
  expect(LIMITS.closeAfterMidnightMs).toBe(2 * HOUR_MS);
});

test.each(['20260230', '2026-01-01', '20261301', '', '20260100'])('%j is no date', (text) => {
  expect(() => utcMidnightOf(text)).toThrow(RangeError);
});
