// The five columns that only conversion can fill, and user_days, on two days of a few users whose answers can be worked out by hand.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tableFunctionSql } from '../../functions/rollover/table-function.ts';
import { EVENTS, makeYard, startBigQuery } from './local-warehouse.ts';
import type { LocalBigQuery, Yard } from './local-warehouse.ts';

let local: LocalBigQuery;
let yard: Yard;
const micros = (iso: string): number => Date.parse(iso) * 1_000;

beforeAll(async () => {
  local = await startBigQuery();
  local.setNow('2026-01-17T02:30:00Z');
  yard = await makeYard(local, 'computed', {
    events_intraday_20260114: [
      { id: 'anna-1', at: '2026-01-14T10:00:00Z', user: 'anna', source: 'newsletter', params: { ga_session_id: 7 } },
      { id: 'anna-2', at: '2026-01-14T10:30:00Z', user: 'anna', source: 'search', params: { ga_session_id: 7, engagement_time_msec: 1500 } },
      { id: 'ben-1', at: '2026-01-14T11:00:00Z', user: 'ben', name: 'purchase', revenue: 5, params: { currency: 'eur' } },
      { id: 'ben-2', at: '2026-01-14T12:00:00Z', user: 'ben', name: 'in_app_purchase', params: { currency: 'USD', value: 3 } },
    ],
    events_intraday_20260115: [
      { id: 'anna-3', at: '2026-01-15T10:00:00Z', user: 'anna', source: 'somewhere-else', params: { ga_session_id: 8 } },
      { id: 'anna-4', at: '2026-01-15T11:00:00Z', user: 'anna', name: 'user_engagement', params: { ga_session_id: 9, engagement_time_msec: 200 } },
      { id: 'anna-5', at: '2026-01-15T12:00:00Z', user: 'anna' },
      { id: 'ben-3', at: '2026-01-15T09:00:00Z', user: 'ben', name: 'session_start' },
      { id: 'ben-4', at: '2026-01-15T09:30:00Z', user: 'ben', name: 'purchase', revenue: 0.1, params: { currency: 'USD' } },
      { id: 'ben-5', at: '2026-01-15T09:40:00Z', user: 'ben', name: 'purchase', revenue: 0.2, params: { currency: 'USD' } },
      { id: 'cleo-1', at: '2026-01-15T08:00:00Z', user: 'cleo', name: 'screen_view' },
      { id: 'nobody', at: '2026-01-15T13:00:00Z', user: null, name: 'first_open', revenue: 9, source: 'x' },
      { id: 'dora-1', at: '2026-01-15T14:00:00Z', user: 'dora', name: 'purchase', revenue: 1e300, params: { currency: 'USD' } },
    ],
    events_intraday_20260117: [{ id: 'today-1', at: '2026-01-17T01:00:00Z', user: 'anna' }],
  });
  const report = await yard.roll();
  expect(report).toMatchObject({ pending: false, problems: [] });
}, 120_000);
afterAll(() => local?.close());

type Computed = { event_id: string; previous: number | null; first: number | null; revenue: number | null; currency: string | null; source: string | null; medium: string | null; is_active_user: boolean | null };
const computed = async (): Promise<Record<string, Omit<Computed, 'event_id'>>> => Object.fromEntries((await yard.ask<Computed>(`
  SELECT event_id, event_previous_timestamp AS previous, user_first_touch_timestamp AS first, user_ltv.revenue AS revenue, user_ltv.currency AS currency,
    traffic_source.source AS source, traffic_source.medium AS medium, is_active_user
  FROM events_20260115`)).map(({ event_id, ...rest }) => [event_id, rest]));

test('the previous occurrence is the last event of the same name of the same user, of an earlier day too', async () => {
  const rows = await computed();
  expect(rows['anna-3']!.previous).toBe(micros('2026-01-14T10:30:00Z'));
  expect(rows['anna-5']!.previous).toBe(micros('2026-01-15T10:00:00Z'));
  expect(rows['anna-4']!.previous).toBeNull();
  expect(rows['ben-4']!.previous).toBe(micros('2026-01-14T11:00:00Z'));
  expect(rows['ben-5']!.previous).toBe(micros('2026-01-15T09:30:00Z'));
});

test('first touch and traffic source are those of the first day that the user was seen', async () => {
  const rows = await computed();
  expect(rows['anna-3']).toMatchObject({ first: micros('2026-01-14T10:00:00Z'), source: 'newsletter', medium: 'cpc' });
  expect(rows['ben-3']).toMatchObject({ first: micros('2026-01-14T11:00:00Z'), source: '(direct)', medium: '(none)' });
  expect(rows['cleo-1']).toMatchObject({ first: micros('2026-01-15T08:00:00Z'), source: '(direct)', medium: '(none)' });
});

test('lifetime value is summed in the currency of the last purchase, up to the end of the day, the same on all rows of the user', async () => {
  const rows = await computed();
  for (const id of ['ben-3', 'ben-4', 'ben-5']) {
    expect(rows[id]).toMatchObject({ currency: 'USD' });
    expect(rows[id]!.revenue).toBe(3.3);
  }
  expect(rows['anna-3']).toMatchObject({ revenue: 0, currency: null });
});

test('an absurd amount counts as nothing and does not stop the day', async () => {
  expect((await computed())['dora-1']).toMatchObject({ revenue: 0, currency: null });
});

test('a user is active on a day with engagement, not for a session alone', async () => {
  const rows = await computed();
  expect(['anna-3', 'anna-4', 'anna-5'].map((id) => rows[id]!.is_active_user)).toEqual([true, true, true]);
  expect(['ben-3', 'cleo-1'].map((id) => rows[id]!.is_active_user)).toEqual([false, false]);
});

test('an event of nobody gets none of the five', async () => {
  expect((await computed())['nobody']).toEqual({ previous: null, first: null, revenue: null, currency: null, source: null, medium: null, is_active_user: null });
});

test('user_days has one row per user and day, with what later days need', async () => {
  const rows = await yard.ask(`
    SELECT CAST(event_date AS STRING) AS day, user_pseudo_id, events, sessions, engagement_time_msec, is_active, purchases, last_currency,
      (SELECT STRING_AGG(CONCAT(r.currency, ' ', CAST(r.value AS STRING)), ', ' ORDER BY r.currency) FROM UNNEST(revenue) AS r) AS revenue,
      (SELECT STRING_AGG(e.event_name, ', ' ORDER BY e.event_name) FROM UNNEST(last_events) AS e) AS names
    FROM user_days ORDER BY event_date, user_pseudo_id`);
  expect(rows).toEqual([
    { day: '2026-01-14', user_pseudo_id: 'anna', events: 2, sessions: 1, engagement_time_msec: 1500, is_active: true, purchases: 0, last_currency: null, revenue: null, names: 'screen_view' },
    { day: '2026-01-14', user_pseudo_id: 'ben', events: 2, sessions: 0, engagement_time_msec: 0, is_active: false, purchases: 2, last_currency: 'USD', revenue: 'EUR 5, USD 3', names: 'in_app_purchase, purchase' },
    { day: '2026-01-15', user_pseudo_id: 'anna', events: 3, sessions: 2, engagement_time_msec: 200, is_active: true, purchases: 0, last_currency: null, revenue: null, names: 'screen_view, user_engagement' },
    { day: '2026-01-15', user_pseudo_id: 'ben', events: 3, sessions: 0, engagement_time_msec: 0, is_active: false, purchases: 2, last_currency: 'USD', revenue: 'USD 0.3', names: 'purchase, session_start' },
    { day: '2026-01-15', user_pseudo_id: 'cleo', events: 1, sessions: 0, engagement_time_msec: 0, is_active: false, purchases: 0, last_currency: null, revenue: null, names: 'screen_view' },
    { day: '2026-01-15', user_pseudo_id: 'dora', events: 1, sessions: 0, engagement_time_msec: 0, is_active: false, purchases: 0, last_currency: null, revenue: null, names: 'purchase' },
  ]);
});

test('the daily table has the columns of the schema in their order', async () => {
  const [metadata] = await local.bigquery.dataset(yard.dataset).table('events_20260115').getMetadata() as unknown as [{ schema: { fields: { name: string }[] }; clustering: { fields: string[] } }];
  expect(metadata.schema.fields.map(({ name }) => name)).toEqual(EVENTS.fields.map(({ name }) => name));
  expect(metadata.clustering.fields).toEqual(['event_name']);
});

test('the table function reads each date from exactly one table: daily where it is done, else intraday', async () => {
  // Daily and intraday of one date side by side, as between fold and drop.
  await yard.ask('CREATE TABLE events_intraday_20260115 LIKE events_20260115');
  await yard.insert('events_intraday_20260115', [{ id: 'counted-twice-if-wrong', at: '2026-01-15T10:00:00Z' }]);
  await yard.ask(tableFunctionSql(yard.warehouse.at, EVENTS));
  const days = (from: string, to: string): Promise<unknown[]> => yard.ask(`SELECT event_date, COUNT(*) AS n FROM ${yard.dataset}.events('${from}', '${to}') GROUP BY event_date ORDER BY event_date`);
  expect(await days('20260101', '20260131')).toEqual([{ event_date: '20260114', n: 4 }, { event_date: '20260115', n: 9 }, { event_date: '20260117', n: 1 }]);
  expect(await days('20260115', '20260116')).toEqual([{ event_date: '20260115', n: 9 }]);
  expect(await days('20260117', '20260117')).toEqual([{ event_date: '20260117', n: 1 }]);
});

test('an earlier day that changes reaches later days with a recomputation', async () => {
  await yard.ask('CREATE TABLE late_events_20260117 LIKE events_20260115');
  await yard.insert('late_events_20260117', [{ id: 'cleo-0', at: '2026-01-14T08:00:00Z', user: 'cleo', source: 'poster' }]);
  await yard.roll({ date: '20260114' });
  expect((await computed())['cleo-1']!.source).toBe('(direct)');
  await yard.roll({ recomputeFrom: '20260114', recomputeSinceMs: await yard.warehouse.nowMs() });
  expect((await computed())['cleo-1']).toMatchObject({ source: 'poster', first: micros('2026-01-14T08:00:00Z'), previous: micros('2026-01-14T08:00:00Z') });
}, 120_000);
