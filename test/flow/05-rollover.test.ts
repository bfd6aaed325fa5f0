// Fifth stop: the day ends, and its table holds each event once.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, batchOf, countIds, eventAt, eventually, fingerprintOf, moveClockTo, rollOver, send, spawnLocalRun, tablesOf, type SpawnedRun } from './tour.ts';

const NOON = Date.parse('2026-03-10T12:00:00Z');
const MINUTE_MS = 60_000;
let run: SpawnedRun;
const events = Array.from({ length: 40 }, (_, i) => eventAt(NOON - i * MINUTE_MS, i % 10 === 0 ? 'purchase' : 'screen_view', i % 10 === 0 ? { ecommerce: { purchase_revenue: 10 } } : {}));

beforeAll(async () => { run = await spawnLocalRun(['--now', '2026-03-10T12:00:00Z']); });
afterAll(() => run?.stop());

test('a client that sends again makes a second row in the intraday table', async () => {
  await send(run, '/v1/events', batchOf(events));
  await send(run, '/v1/events', batchOf(events.slice(0, 10)));
  const [row] = await eventually('50 rows', async () => {
    const rows = await ask<{ n: number; ids: number }>(run, 'SELECT COUNT(*) AS n, COUNT(DISTINCT event_id) AS ids FROM events_intraday_20260310');
    return rows[0]!.n === 50 && rows;
  });
  expect(row).toEqual({ n: 50, ids: 40 });
});

test('a day is not rolled over before it has closed', async () => {
  await rollOver(run, '20260310').catch(() => undefined);
  expect(await tablesOf(run)).not.toContain('events_20260310');
}, 120_000);

test('after the rollover each event id is one row, and the intraday table is gone', async () => {
  await moveClockTo(run, '2026-03-11T02:31:00Z');
  await rollOver(run);
  expect(await ask(run, 'SELECT COUNT(*) AS n, COUNT(DISTINCT event_id) AS ids FROM events_20260310')).toEqual([{ n: 40, ids: 40 }]);
  expect(await tablesOf(run)).not.toContain('events_intraday_20260310');
}, 120_000);

test('a GA4 query over the wildcard with _TABLE_SUFFIX runs unchanged', async () => {
  const rows = await ask(run, `
    SELECT (SELECT value.int_value FROM UNNEST(event_params) WHERE key = 'ga_session_id') AS session, COUNT(*) AS events
    FROM \`${run.project}.${run.dataset}.events_*\`
    WHERE _TABLE_SUFFIX BETWEEN '20260301' AND '20260331'
    GROUP BY session ORDER BY session`);
  expect(rows.reduce((sum, row) => sum + (row['events'] as number), 0)).toBe(40);
  expect(rows).toHaveLength(3);
});

test('the table function answers each day from exactly one source', async () => {
  const today = eventAt(Date.parse('2026-03-11T02:00:00Z'));
  await send(run, '/v1/events', batchOf([today]));
  await eventually('the row of the new day', async () => (await countIds(run, 'events_intraday_20260311', [today.event_id])) === 1);
  await call('maintain');
  expect(await ask(run, `SELECT event_date, COUNT(*) AS n FROM \`${run.dataset}.events\`('20260310', '20260311') GROUP BY event_date ORDER BY event_date`)).toEqual([{ event_date: '20260310', n: 40 }, { event_date: '20260311', n: 1 }]);
});

test('what only conversion can fill is filled', async () => {
  const rows = await ask<{ ltv: number; active: boolean; first: number | null; unset: number }>(run, `
    SELECT MAX(user_ltv.revenue) AS ltv, LOGICAL_OR(is_active_user) AS active, MIN(user_first_touch_timestamp) AS first, COUNTIF(event_previous_timestamp IS NULL) AS unset FROM events_20260310`);
  expect(rows[0]).toMatchObject({ ltv: 40, active: true, first: (NOON - 39 * MINUTE_MS) * 1_000 });
  // The first purchase and the first screen_view of the user have no previous occurrence.
  expect(rows[0]!.unset).toBe(2);
});

test('a late event gets into its own day, and nothing else of what clients sent changes there', async () => {
  const before = await fingerprintOf(run, 'events_20260310');
  await rollOver(run, '20260310');
  expect(await fingerprintOf(run, 'events_20260310')).toBe(before);
  const late = eventAt(NOON);
  await send(run, '/v1/events', batchOf([late], { user_pseudo_id: 'phone-2' }));
  await eventually('the late row', async () => (await countIds(run, 'late_events_20260311', [late.event_id])) === 1);
  await rollOver(run, '20260310');
  expect(await countIds(run, 'events_20260310', [late.event_id])).toBe(1);
  expect(await ask(run, 'SELECT COUNT(*) AS n FROM events_20260310')).toEqual([{ n: 41 }]);
}, 120_000);

const call = (name: string) => fetch(run.functions[name]!, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }).then((response) => expect(response.status).toBe(200));
