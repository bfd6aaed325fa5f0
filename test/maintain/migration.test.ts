// Planning and adding columns, with a pretended BigQuery that refuses what the real one refuses.
import { describe, expect, test } from 'vitest';
import { applyMigration, planFields, planMigration } from '../../functions/maintain/migration.ts';
import type { StreamTables, TableField } from '../../functions/stream-tables.ts';

const string = (name: string): TableField => ({ name, type: 'STRING', mode: 'NULLABLE' });
const record = (name: string, fields: TableField[], mode = 'NULLABLE'): TableField => ({ name, type: 'RECORD', mode, fields });
const streamsWith = (fields: TableField[]): StreamTables[] => [{ stream: 'events', prefix: 'events', clustering: [], dailyExpirationDays: null, fields }];

/** BigQuery's rule: a new schema must hold every column of the old one, with its type. */
function pretendedTables(initial: Record<string, TableField[]>) {
  const tables = new Map(Object.entries(initial));
  const updates: string[] = [];
  const lacks = (old: readonly TableField[], next: readonly TableField[]): boolean =>
    old.some((field) => { const same = next.find(({ name }) => name === field.name); return same === undefined || same.type !== field.type || lacks(field.fields ?? [], same.fields ?? []); });
  return {
    tables, updates,
    api: {
      list: async () => [...tables.keys()].sort(),
      fieldsOf: async (table: string) => tables.get(table),
      async setFields(table: string, fields: readonly TableField[]) {
        if (lacks(tables.get(table)!, fields)) throw Object.assign(new Error('Provided Schema does not match Table'), { code: 400 });
        updates.push(table);
        tables.set(table, [...fields]);
      },
    },
  };
}
const instantly = { clock: () => 0, wait: async () => undefined };

describe('planning', () => {
  test('missing columns go to the end of their record, at every depth, and nothing else moves', () => {
    const current = [string('b'), record('device', [string('os'), record('web', [string('host')])]), string('old')];
    const wanted = [string('a'), string('b'), record('device', [string('os'), string('brand'), record('web', [string('host'), string('browser')])])];
    const plan = planFields(current, wanted);
    expect(plan.additions).toEqual(['device.web.browser', 'device.brand', 'a']);
    expect(plan.conflicts).toEqual([]);
    expect(plan.fields.map(({ name }) => name)).toEqual(['b', 'device', 'old', 'a']);
    expect(plan.fields[1]!.fields!.map(({ name }) => name)).toEqual(['os', 'web', 'brand']);
  });

  test('BigQuery\'s older type names are the same types', () => {
    const current = [{ name: 'n', type: 'INTEGER' }, { name: 'f', type: 'FLOAT' }, { name: 'b', type: 'BOOLEAN' }, { name: 'r', type: 'STRUCT', fields: [] }];
    const wanted = [{ name: 'n', type: 'INT64' }, { name: 'f', type: 'FLOAT64' }, { name: 'b', type: 'BOOL' }, { name: 'r', type: 'RECORD', fields: [] }];
    expect(planFields(current, wanted)).toMatchObject({ additions: [], conflicts: [] });
  });

  test('another type or mode is named as a conflict', () => {
    expect(planFields([string('n')], [{ name: 'n', type: 'INT64' }]).conflicts).toEqual(['n is STRING, the schema says INTEGER']);
    expect(planFields([string('n')], [{ ...string('n'), mode: 'REPEATED' }]).conflicts).toEqual(['n is NULLABLE, the schema says REPEATED']);
  });

  test('every shard of the stream is looked at, and no other table', async () => {
    const { api } = pretendedTables({ events_20260101: [], events_intraday_20260102: [], late_events_20260102: [], events_mine: [], other_20260101: [], user_days: [] });
    expect((await planMigration(api, streamsWith([string('a')]))).map(({ table }) => table)).toEqual(['events_20260101', 'events_intraday_20260102', 'late_events_20260102']);
  });
});

describe('applying', () => {
  test('adds the columns to every shard, once; a second run has nothing to do', async () => {
    const { api, updates, tables } = pretendedTables({ events_20260101: [string('a')], events_intraday_20260102: [string('a')], late_events_20260102: [string('a')] });
    const streams = streamsWith([string('a'), string('b')]);
    await applyMigration(api, await planMigration(api, streams), streams, instantly);
    expect(updates).toEqual(['events_20260101', 'events_intraday_20260102', 'late_events_20260102']);
    expect([...tables.values()].every((fields) => fields.map(({ name }) => name).join() === 'a,b')).toBe(true);
    expect(await planMigration(api, streams)).toEqual([]);
  });

  test('a table with a conflict is left alone, the others are changed', async () => {
    const { api, updates } = pretendedTables({ events_20260101: [{ name: 'b', type: 'INT64' }], events_20260102: [string('a')] });
    const streams = streamsWith([string('a'), string('b')]);
    const { changed, conflicts } = await applyMigration(api, await planMigration(api, streams), streams, instantly);
    expect(changed).toEqual(['events_20260102']);
    expect(updates).toEqual(['events_20260102']);
    expect(conflicts).toEqual(['events_20260101: b is INTEGER, the schema says STRING']);
  });

  test('another process that added a column meanwhile loses nothing: the table is read and planned again', async () => {
    const { api, tables } = pretendedTables({ events_20260101: [string('a')] });
    const streams = streamsWith([string('a'), string('b')]);
    const plans = await planMigration(api, streams);
    tables.set('events_20260101', [string('a'), string('theirs')]);
    await applyMigration(api, plans, streams, instantly);
    expect(tables.get('events_20260101')!.map(({ name }) => name)).toEqual(['a', 'theirs', 'b']);
  });

  test('updates of one table keep BigQuery\'s pace: five in ten seconds', async () => {
    let nowMs = 0;
    const times: number[] = [];
    const api = {
      fieldsOf: async () => [string('a')],
      async setFields() { times.push(nowMs); if (times.length < 4) throw new Error('rateLimitExceeded'); },
    };
    const streams = streamsWith([string('a'), string('b')]);
    const plan = { stream: 'events', table: 'events_20260101', ...planFields([string('a')], streams[0]!.fields) };
    await applyMigration(api, [plan], streams, { clock: () => nowMs, wait: async (ms) => { nowMs += ms; } });
    expect(times.map((ms, index) => (index === 0 ? Infinity : ms - times[index - 1]!)).every((gap) => gap >= 2_000)).toBe(true);
  });

  test('a table that the rollover dropped meanwhile is no failure', async () => {
    const { api, tables } = pretendedTables({ events_intraday_20260101: [string('a')] });
    const streams = streamsWith([string('a'), string('b')]);
    const plans = await planMigration(api, streams);
    tables.delete('events_intraday_20260101');
    const refusing = { ...api, async setFields() { throw Object.assign(new Error('Not found'), { code: 404 }); } };
    expect(await applyMigration(refusing, plans, streams, instantly)).toEqual({ changed: [], conflicts: [] });
  });
});
