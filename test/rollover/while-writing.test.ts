// Writers append late rows all the while: each is in its day in the end, once, whatever the rollover was doing when it came.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeYard, startBigQuery } from './local-warehouse.ts';
import type { LocalBigQuery } from './local-warehouse.ts';
import type { Warehouse } from '../../functions/rollover/warehouse.ts';

let local: LocalBigQuery;
beforeAll(async () => { local = await startBigQuery(); });
afterAll(() => local?.close());

test('rows that come before each step of a fold, into a late table that is open, are folded sooner or later and counted once', async () => {
  local.setNow('2026-01-17T02:30:00Z');
  const yard = await makeYard(local, 'while_writing', { events_intraday_20260115: [{ id: 'first', at: '2026-01-15T10:00:00Z' }], late_events_20260117: [{ id: 'late', at: '2026-01-15T09:00:00Z' }] });
  const sent = ['first', 'late'];
  const append = async (): Promise<void> => {
    const id = `late_${sent.length}`;
    // Every second one is there already, sent again.
    const rows = [{ id, at: '2026-01-15T11:00:00Z', received: '2026-01-17T02:31:00Z' }, ...(sent.length % 2 === 0 ? [{ id: sent.at(-1)!, at: '2026-01-15T11:00:00Z', received: '2026-01-17T02:32:00Z' }] : [])];
    await yard.insert('late_events_20260117', rows);
    sent.push(id);
  };
  const steps: string[] = [];
  const submit: Warehouse['submit'] = async (id, sql, destination) => {
    steps.push(id);
    await append();
    return yard.warehouse.submit(id, sql, destination);
  };
  const drop: Warehouse['drop'] = async (table) => {
    await append();
    return yard.warehouse.drop(table);
  };
  const busy = { warehouse: { ...yard.warehouse, submit, drop } };

  // Asked for by name, the open late table is read too; each call finds what came during the one before.
  for (let call = 0; call < 2; call += 1) {
    const report = await yard.roll({ date: '20260115' }, busy);
    expect(report.days.filter(({ date }) => date === '20260115').map(({ state }) => state)).not.toContain('provisional');
    expect(report.dropped).not.toContain('late_events_20260117');
  }
  expect(steps.filter((step) => /_audit$/.test(step)).length).toBeGreaterThan(1);
  expect(sent.length).toBeGreaterThan(10);
  expect(await yard.tables()).toContain('late_events_20260117');

  // The late table closes; nobody writes to it any more.
  local.setNow('2026-01-18T02:30:00Z');
  for (let call = 0; (await yard.roll({ allLate: true })).pending && call < 10;) call += 1;
  expect(await yard.ask('SELECT COUNT(*) AS n, COUNT(DISTINCT event_id) AS ids FROM events_20260115')).toEqual([{ n: sent.length, ids: sent.length }]);
  expect((await yard.ask<{ event_id: string }>('SELECT event_id FROM events_20260115')).map((row) => row.event_id).sort()).toEqual([...sent].sort());
  expect(await yard.tables()).toEqual(['events_20260115', 'rollovers', 'user_days']);
  expect(yard.logged.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
}, 120_000);
