// A day is rewritten, never patched: whoever runs the rollover twice, at once, or dies between any two steps, gets the same tables.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dying, Killed, makeYard, startBigQuery } from './local-warehouse.ts';
import type { LocalBigQuery, Sample, Yard } from './local-warehouse.ts';

let local: LocalBigQuery;
beforeAll(async () => { local = await startBigQuery(); });
afterAll(() => local?.close());

const DAY_BEFORE: Sample[] = [
  { id: 'a0', at: '2026-01-14T10:00:00Z', user: 'u1', source: 'newsletter' },
  { id: 'b0', at: '2026-01-14T11:00:00Z', user: 'u2', name: 'purchase', revenue: 5, params: { currency: 'EUR' } },
];
const DAY: Sample[] = [
  { id: 'a1', at: '2026-01-15T10:00:00Z', user: 'u1' },
  { id: 'a1', at: '2026-01-15T10:00:00Z', user: 'u1', received: '2026-01-15T10:05:00Z' },
  { id: 'a2', at: '2026-01-15T11:00:00Z', user: 'u1', name: 'purchase', revenue: 12.5, params: { currency: 'EUR', engagement_time_msec: 300 } },
  { id: 'b1', at: '2026-01-15T09:00:00Z', user: 'u2' },
  { id: 'n1', at: '2026-01-15T12:00:00Z', user: null },
  { id: 'x1', at: '2026-01-15T13:00:00Z', user: 'u3', params: { version: 'one' } },
  { id: 'x1', at: '2026-01-15T13:00:00Z', user: 'u3', params: { version: 'two' } },
];
const LATE: Sample[] = [
  { id: 'a3', at: '2026-01-15T12:30:00Z', user: 'u1', received: '2026-01-16T03:00:00Z' },
  { id: 'b1', at: '2026-01-15T09:00:00Z', user: 'u2', received: '2026-01-16T03:00:00Z' },
  { id: 'b9', at: '2026-01-14T09:00:00Z', user: 'u2', received: '2026-01-16T03:00:00Z' },
];
const SHARDS = { events_intraday_20260114: DAY_BEFORE, events_intraday_20260115: DAY, late_events_20260116: LATE };
const COMPUTED = ['event_previous_timestamp', 'user_first_touch_timestamp', 'user_ltv', 'traffic_source', 'is_active_user'];

let yards = 0;
const freshYard = (): Promise<Yard> => makeYard(local, `yard_${(yards += 1)}`, SHARDS);
const everything = async (yard: Yard): Promise<unknown> => ({
  tables: await yard.tables(), ...await dailies(yard),
  runs: await yard.ask('SELECT event_date, run, status, `read`, kept, duplicate, id_conflict, late FROM rollovers ORDER BY event_date, run'),
});
async function dailies(yard: Yard): Promise<object> {
  const tables = await yard.tables();
  const fingerprints = { day: 'events_20260115', dayBefore: 'events_20260114', users: 'user_days' };
  return Object.fromEntries(await Promise.all(Object.entries(fingerprints).filter(([, table]) => tables.includes(table)).map(async ([name, table]) => [name, await yard.fingerprint(table)])));
}
let reference: unknown;
/** Stops a test that would never end. */
const CALLS_MAX = 30;
async function rollUntilDone(yard: Yard): Promise<void> {
  for (let call = 0; (await yard.roll()).pending; call += 1) if (call > CALLS_MAX) throw new Error('it does not end');
}

beforeAll(async () => {
  local.setNow('2026-01-17T02:30:00Z');
  const yard = await freshYard();
  await rollUntilDone(yard);
  reference = await everything(yard);
}, 120_000);

test('two days with late rows end as two daily tables, each event once, and nothing else is left', () => {
  expect(reference).toMatchObject({
    tables: ['events_20260114', 'events_20260115', 'rollovers', 'user_days'],
    dayBefore: { n: 3 }, day: { n: 6 },
    runs: [
      { event_date: '20260114', run: 1, status: 'done', read: 3, kept: 3, duplicate: 0, id_conflict: 0, late: 1 },
      { event_date: '20260115', run: 1, status: 'done', read: 9, kept: 6, duplicate: 3, id_conflict: 1, late: 2 },
    ],
  });
});

test('of several copies the earliest received is kept, and equals do not depend on the order of rows', async () => {
  const copies = `SELECT event_id, received_timestamp - event_timestamp AS received_after FROM events_20260115 WHERE event_id IN ('a1', 'b1') ORDER BY event_id`;
  const forward = await freshYard();
  await rollUntilDone(forward);
  expect(await forward.ask(copies)).toEqual([{ event_id: 'a1', received_after: 0 }, { event_id: 'b1', received_after: 0 }]);
  const backward = await makeYard(local, `yard_${(yards += 1)}`, Object.fromEntries(Object.entries(SHARDS).map(([table, rows]) => [table, rows.toReversed()])));
  await rollUntilDone(backward);
  expect(await dailies(backward)).toEqual(await dailies(forward));
}, 120_000);

test('a second run changes nothing, and a forced one gives the same tables', async () => {
  const yard = await freshYard();
  await rollUntilDone(yard);
  expect((await yard.roll()).days).toEqual([]);
  expect(await everything(yard)).toEqual(reference);
  const before = await dailies(yard);
  const sinceMs = await yard.warehouse.nowMs();
  const report = await yard.roll({ recomputeFrom: '20260114', recomputeSinceMs: sinceMs });
  expect(report.days.map((day) => [day.date, day.state])).toEqual([['20260114', 'done'], ['20260115', 'done']]);
  expect(await dailies(yard)).toEqual(before);
}, 120_000);

test('three at once make the same tables and one row a run in the ledger', async () => {
  const yard = await freshYard();
  await Promise.all([yard.roll(), yard.roll(), yard.roll()]);
  await rollUntilDone(yard);
  expect(await everything(yard)).toEqual(reference);
}, 120_000);

test('killed after each step in turn, the next call carries on to the same tables', async () => {
  const oneDay = async (): Promise<Yard> => makeYard(local, `yard_${(yards += 1)}`, { events_intraday_20260115: DAY, late_events_20260116: LATE.slice(0, 2) });
  const whole = await oneDay();
  const traced = dying(whole.context, () => false);
  await whole.roll({}, traced);
  const wholeDay = await everything({ ...whole });
  // Each call that changes something outside; where a process dies between two questions makes no difference.
  const places = traced.calls.filter((call) => /^(submit|describe|publish|drop)/.test(call));
  expect(places.map((place) => place.replace(/^submit rollover_(count_.*_on_\d+|events_20260115_1)/, 'submit $1'))).toEqual([
    expect.stringContaining('count_events_intraday_20260115'), expect.stringContaining('count_late_events_20260116'),
    'submit events_20260115_1_audit', 'submit events_20260115_1', 'submit events_20260115_1_users', 'submit events_20260115_1_conflicts', 'describe events_20260115',
    'submit events_20260115_1_record', 'publish', 'submit events_20260115_1_announced', 'drop events_intraday_20260115', 'drop late_events_20260116',
  ]);
  for (const place of places) {
    const yard = await oneDay();
    const died = await yard.roll({}, dying(yard.context, (call) => call === place)).then((report) => report.problems.length > 0, (error: Error) => error instanceof Killed);
    await rollUntilDone(yard);
    expect({ place, died, ...(await everything(yard) as object) }).toEqual({ place, died: true, ...(wholeDay as object) });
  }
}, 240_000);

test('a process that dies one call further each time still gets there', async () => {
  const yard = await freshYard();
  for (let place = 1; ; place += 1) {
    try {
      let calls = 0;
      const report = await yard.roll({}, dying(yard.context, () => (calls += 1) === place));
      if (!report.pending) break;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
  }
  expect(await everything(yard)).toEqual(reference);
}, 120_000);

test('a day whose message was lost by a dying process is announced again, with the same run', async () => {
  const yard = await freshYard();
  const report = await yard.roll({}, dying(yard.context, (call) => call === 'publish'));
  expect(report.problems[0]).toContain('Run 1 of 20260114 could not be announced');
  await rollUntilDone(yard);
  const finalized = yard.messages.filter(({ date }) => date === '20260114');
  expect(finalized.length).toBeGreaterThan(1);
  expect(new Set(finalized.map(({ type, run, kept }) => `${type} ${run} ${kept}`))).toEqual(new Set(['day.finalized 1 3']));
  expect((await yard.ask('SELECT COUNT(*) AS n FROM rollovers WHERE announced_timestamp IS NULL'))[0]).toEqual({ n: 0 });
}, 120_000);

test('one more late row changes that row and computed columns, nothing else', async () => {
  const yard = await freshYard();
  await rollUntilDone(yard);
  const clientsColumns = `SELECT TO_JSON_STRING(t) AS row_text FROM (SELECT * EXCEPT(${COMPUTED.join(', ')}) FROM events_20260115) AS t ORDER BY row_text`;
  const before = (await yard.ask<{ row_text: string }>(clientsColumns)).map((row) => row.row_text);
  await yard.ask('CREATE TABLE late_events_20260117 LIKE events_20260115');
  await yard.insert('late_events_20260117', [{ id: 'a9', at: '2026-01-15T10:30:00Z', user: 'u1', received: '2026-01-17T02:31:00Z' }]);
  const report = await yard.roll({ date: '20260115' });
  expect(report).toMatchObject({ pending: false, days: [{ date: '20260115', state: 'done', run: 2, kept: 7, late: 1 }] });
  const after = (await yard.ask<{ row_text: string }>(clientsColumns)).map((row) => row.row_text);
  expect(after.filter((row) => !before.includes(row))).toEqual([expect.stringContaining('"a9"')]);
  expect(before.filter((row) => !after.includes(row))).toEqual([]);
  expect(yard.messages.at(-1)).toMatchObject({ type: 'day.changed', date: '20260115', run: 2, added: 1, late: 1 });
  // The open late table was folded, and must not be dropped.
  expect(await yard.tables()).toContain('late_events_20260117');
  expect((await yard.roll({ date: '20260115' })).days).toEqual([]);
}, 120_000);
