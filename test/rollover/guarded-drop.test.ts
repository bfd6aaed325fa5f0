// Nothing is dropped that was not read: counts that disagree, rows that come after the count, queries that fail.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeYard, startBigQuery } from './local-warehouse.ts';
import type { LocalBigQuery, Sample, Yard } from './local-warehouse.ts';
import type { Warehouse } from '../../functions/rollover/warehouse.ts';

let local: LocalBigQuery;
beforeAll(async () => { local = await startBigQuery(); });
afterAll(() => local?.close());

const DAY: Sample[] = [{ id: 'a', at: '2026-01-15T10:00:00Z' }, { id: 'b', at: '2026-01-15T11:00:00Z' }];
let yards = 0;
async function freshYard(shards: Record<string, Sample[]> = { events_intraday_20260115: DAY }): Promise<Yard> {
  local.setNow('2026-01-16T02:30:00Z');
  return makeYard(local, `guard_${(yards += 1)}`, shards);
}
const statuses = (yard: Yard): Promise<unknown[]> => yard.ask('SELECT run, status, kept FROM rollovers ORDER BY run');

test('a day is refused before it is ready, and nothing is touched', async () => {
  const yard = await freshYard();
  local.setNow('2026-01-16T02:29:00Z');
  expect(await yard.roll({ date: '20260115' })).toMatchObject({ pending: false, days: [{ date: '20260115', state: 'waiting', why: 'not_closed', until: '2026-01-16T02:30:00.000Z' }] });
  expect(await yard.tables()).toEqual(['events_intraday_20260115', 'rollovers', 'user_days']);
});

test('counts that do not agree leave the day provisional: nothing is dropped, an ERROR is logged', async () => {
  const yard = await freshYard();
  const ask: Warehouse['ask'] = async (sql) => (/^SELECT COUNT\(\*\) AS row_count/.test(sql) ? [{ row_count: 1 }] : yard.warehouse.ask(sql));
  const report = await yard.roll({}, { warehouse: { ...yard.warehouse, ask } });
  expect(report).toMatchObject({ dropped: [], days: [{ state: 'provisional', reason: 'the sources have 2 ids, the daily table has 1 rows' }, { state: 'waiting', why: 'retry_waits' }] });
  expect(await yard.tables()).toContain('events_intraday_20260115');
  expect(yard.messages).toEqual([]);
  expect(yard.logged.filter(({ severity }) => severity === 'ERROR')).toHaveLength(1);
  local.setNow('2026-01-16T08:31:00Z');
  expect(await yard.roll()).toMatchObject({ dropped: ['events_intraday_20260115'] });
  expect(await statuses(yard)).toEqual([{ run: 1, status: 'provisional', kept: 1 }, { run: 2, status: 'done', kept: 2 }]);
}, 120_000);

test('an intraday table that is still there six hours after it could be folded is told as an ERROR, and not an hour before', async () => {
  const yard = await freshYard();
  const ask: Warehouse['ask'] = async (sql) => (/^SELECT COUNT\(\*\) AS row_count/.test(sql) ? [{ row_count: 1 }] : yard.warehouse.ask(sql));
  const told = (): unknown[] => yard.logged.filter(({ message }) => message === 'A closed intraday table is not folded, hours after it could be').map(({ data }) => data);
  local.setNow('2026-01-16T08:29:00Z');
  await yard.roll({}, { warehouse: { ...yard.warehouse, ask } });
  expect(told()).toEqual([]);
  local.setNow('2026-01-16T08:30:00Z');
  await yard.roll({}, { warehouse: { ...yard.warehouse, ask } });
  expect(told()).toEqual([{ table: 'events_intraday_20260115', hours: 6 }]);
  // Folded at last, it is told no more.
  local.setNow('2026-01-17T08:30:00Z');
  expect(await yard.roll()).toMatchObject({ dropped: ['events_intraday_20260115'] });
  expect(told()).toHaveLength(1);
}, 120_000);

test('a row without an id is never merged away: the day stays provisional', async () => {
  const yard = await freshYard();
  await yard.ask("INSERT INTO events_intraday_20260115 (event_date, event_name) VALUES ('20260115', 'no_id'), ('20260115', 'no_id_either')");
  expect(await yard.roll()).toMatchObject({ dropped: [], days: [{ state: 'provisional' }, { state: 'waiting' }] });
}, 120_000);

test('a row that came after all into a closed table keeps the table and is folded when it is seen', async () => {
  const yard = await freshYard();
  let hasCome = false;
  const drop: Warehouse['drop'] = async () => { throw new Error('dropped too early'); };
  const askOfTable: Warehouse['askOfTable'] = async (sql) => {
    // The last look before the drop: by then the row is there.
    if (!hasCome && /GROUP BY event_date/.test(sql)) {
      hasCome = true;
      await yard.insert('events_intraday_20260115', [{ id: 'c', at: '2026-01-15T12:00:00Z' }]);
    }
    return yard.warehouse.askOfTable(sql);
  };
  const report = await yard.roll({}, { warehouse: { ...yard.warehouse, askOfTable, drop } });
  expect(report.problems).toEqual([expect.stringContaining('events_intraday_20260115 is kept')]);
  expect(yard.logged.some(({ severity }) => severity === 'ERROR')).toBe(true);
  // The count of a closed table is asked once a day; with the next day's count the row is found.
  local.setNow('2026-01-17T00:00:00Z');
  expect(await yard.roll()).toMatchObject({ days: [{ date: '20260115', state: 'done', run: 2, kept: 3 }], dropped: ['events_intraday_20260115'] });
}, 120_000);

test('a late table goes only when every date in it was folded', async () => {
  const yard = await freshYard({ late_events_20260115: [{ id: 'near', at: '2026-01-14T10:00:00Z' }, { id: 'far', at: '2026-01-02T10:00:00Z' }] });
  expect(await yard.roll()).toMatchObject({ pending: false, dropped: [], days: [{ date: '20260114', state: 'done' }, { date: '20260102', state: 'waiting', why: 'late_rows_wait' }] });
  expect(await yard.tables()).toContain('late_events_20260115');
  local.setNow('2026-01-23T02:30:00Z');
  expect(await yard.roll()).toMatchObject({ dropped: ['late_events_20260115'], days: [{ date: '20260102', state: 'done', kept: 1, late: 1 }] });
}, 120_000);

test('a fold that fails leaves the day as it was; the next run has the next number', async () => {
  const yard = await freshYard();
  let isBroken = true;
  const submit: Warehouse['submit'] = (id, sql, destination) => yard.warehouse.submit(id, isBroken && /_\d$/.test(id) ? 'SELECT ERROR("resources exceeded")' : sql, destination);
  const first = await yard.roll({}, { warehouse: { ...yard.warehouse, submit } });
  expect(first).toMatchObject({ pending: true, dropped: [], days: [{ state: 'failed', run: 1 }, { state: 'due' }] });
  expect(await yard.tables()).toEqual(['events_intraday_20260115', 'rollovers', 'user_days']);
  isBroken = false;
  expect(await yard.roll()).toMatchObject({ pending: false, days: [{ state: 'done', run: 2, kept: 2 }] });
}, 120_000);

test('a call whose time is up says pending and leaves the job running; the next call takes its result', async () => {
  const yard = await freshYard();
  let isSlow = true;
  let passedMs = 0;
  const job: Warehouse['job'] = async (id) => {
    if (!isSlow || !/_1$/.test(id)) return yard.warehouse.job(id);
    passedMs += 10_000;
    return { state: 'running' };
  };
  const first = await yard.roll({}, { clock: () => local.now() + passedMs, warehouse: { ...yard.warehouse, job } });
  expect(first).toMatchObject({ pending: true, days: [{ state: 'running', run: 1, step: 'fold' }] });
  isSlow = false;
  expect(await yard.roll()).toMatchObject({ pending: false, days: [{ state: 'done', run: 1, kept: 2 }] });
}, 120_000);

test('an empty day becomes an empty daily table and is final', async () => {
  const yard = await freshYard({ events_intraday_20260115: [] });
  expect(await yard.roll()).toMatchObject({ days: [{ state: 'done', kept: 0 }], dropped: ['events_intraday_20260115'] });
  expect(await yard.tables()).toEqual(['events_20260115', 'rollovers', 'user_days']);
  expect(yard.messages).toMatchObject([{ type: 'day.finalized', kept: 0 }]);
}, 120_000);
