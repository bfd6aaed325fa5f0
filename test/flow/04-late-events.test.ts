// Fourth stop: an event that comes after its day has closed waits in a late table for its own day.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, batchOf, eventAt, eventually, send, spawnLocalRun, type SpawnedRun } from './tour.ts';

const NOW = '2026-03-10T12:00:00Z';
const HOUR_MS = 3_600_000;
let run: SpawnedRun;
beforeAll(async () => { run = await spawnLocalRun(['--now', NOW]); });
afterAll(() => run?.stop());

const tableOf = (id: string) => eventually('the row', async () => {
  for (const table of ['events_intraday_20260310', 'events_intraday_20260309', 'late_events_20260310']) {
    const rows = await ask<{ late: boolean }>(run, `SELECT ingest.is_late AS late FROM \`${table}\` WHERE event_id = @id`, { id }).catch(() => []);
    if (rows.length > 0) return { table, late: rows[0]!.late };
  }
  return undefined;
});

test('an event of today goes to the intraday table of today', async () => {
  const event = eventAt(Date.parse(NOW) - HOUR_MS);
  await send(run, '/v1/events', batchOf([event]));
  expect(await tableOf(event.event_id)).toEqual({ table: 'events_intraday_20260310', late: false });
});

test('an event of a closed day goes to the late table of today, marked', async () => {
  const event = eventAt(Date.parse(NOW) - 30 * HOUR_MS);
  await send(run, '/v1/events', batchOf([event]));
  expect(await tableOf(event.event_id)).toEqual({ table: 'late_events_20260310', late: true });
});

test('an event older than the late limit is rejected as too_late, one of the day after tomorrow as timestamp_in_future', async () => {
  const answer = await send(run, '/v1/events', batchOf([eventAt(Date.parse(NOW) - 31 * 24 * HOUR_MS), eventAt(Date.parse(NOW) + 25 * HOUR_MS), eventAt(Date.parse(NOW) + 23 * HOUR_MS)]));
  expect(answer.body.accepted).toBe(1);
  expect(answer.body.rejected!.map(({ index, code }) => [index, code])).toEqual([[0, 'too_late'], [1, 'timestamp_in_future']]);
});
