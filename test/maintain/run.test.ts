// One visit of the scheduler with everything pretended: which tables are there afterwards, and what a failure leaves undone.
import { describe, expect, test } from 'vitest';
import { maintain } from '../../functions/maintain/run.ts';
import type { Maintenance } from '../../functions/maintain/run.ts';
import { shardOfTable } from '../../functions/maintain/table-definition.ts';
import type { TableDefinition } from '../../functions/maintain/tables.ts';
import { tableDefinition } from '../../functions/maintain/tables.ts';
import { TIME_ZONE_LABEL, checkTimeZone, labelOf } from '../../functions/reporting-zone.ts';
import type { StreamTables } from '../../functions/stream-tables.ts';
import { streamTables } from '../../functions/stream-tables.ts';
import { pretendedBucket } from './pretended-bucket.ts';

const FIELDS = [{ name: 'event_date', type: 'STRING', mode: 'NULLABLE' }];
const STREAMS: StreamTables[] = [
  { stream: 'events', prefix: 'events', clustering: ['event_name'], dailyExpirationDays: null, fields: FIELDS },
  { stream: 'rejected', prefix: 'rejected', clustering: ['error_code'], dailyExpirationDays: 90, fields: FIELDS },
];

function setUp(overrides: Partial<Maintenance> = {}, labels: Record<string, string> = {}) {
  const tables = new Map<string, TableDefinition>();
  const objects = new Map<string, string[]>();
  const listed: string[] = [];
  const visit = () => maintain({
    streams: STREAMS, timeZone: 'UTC', tablesAheadDays: 2, compactAfterMs: 7 * 86_400_000,
    labels: { labels: async () => ({ ...labels }), setLabels: async (next) => { Object.assign(labels, next); } },
    tables: {
      async create(definition) { if (tables.has(definition.table)) return false; tables.set(definition.table, definition); return true; },
      fieldsOf: async (table) => [...(tables.get(table)?.fields ?? [])],
      async setFields(table, fields) { tables.set(table, { ...tables.get(table)!, fields: [...fields] }); },
      list: async () => [...tables.keys()],
    },
    raw: { list: async (prefix) => { listed.push(prefix); return []; }, readJson: async () => undefined, createJson: async () => true, compose: async () => undefined, setMetadata: async () => undefined, remove: async () => undefined },
    listSpilled: async () => [],
    replaceTableFunctions: async () => 2,
    clock: () => Date.UTC(2026, 0, 15, 12), wait: async () => undefined, log: () => undefined,
    ...overrides,
  });
  return { visit, tables, labels, listed, objects };
}

describe('tables', () => {
  test('intraday and late tables of every stream are there for today and two days ahead, none for days that are closed', async () => {
    const { visit, tables } = setUp();
    await visit();
    expect([...tables.keys()].sort()).toEqual(['events', 'rejected'].flatMap((prefix) => ['20260115', '20260116', '20260117'].flatMap((date) => [`${prefix}_intraday_${date}`, `late_${prefix}_${date}`])).sort());
  });

  test('yesterday\'s are made while it is open', async () => {
    const { visit, tables } = setUp({ clock: () => Date.UTC(2026, 0, 15, 1, 59, 59, 999) });
    await visit();
    expect([...tables.keys()]).toContain('events_intraday_20260114');
    const closed = setUp({ clock: () => Date.UTC(2026, 0, 15, 2) });
    await closed.visit();
    expect([...closed.tables.keys()]).not.toContain('events_intraday_20260114');
  });

  test('a second visit makes nothing', async () => {
    const { visit } = setUp();
    await visit();
    expect(await visit()).toMatchObject({ kind: 'accepted', value: { tables_created: [], tables_migrated: [], failures: [] } });
  });

  test('a column that the schema has got since is added to tables that were there', async () => {
    const { visit, tables } = setUp();
    tables.set('events_20260101', { table: 'events_20260101', fields: [], clustering: [], description: '' });
    expect(await visit()).toMatchObject({ value: { tables_migrated: ['events_20260101'] } });
  });

  test('late tables are clustered by event date, only daily tables expire, nothing is REQUIRED', () => {
    const [events, rejected] = STREAMS;
    expect(tableDefinition(events!, 'late', '20260115').clustering).toEqual(['event_date']);
    expect(tableDefinition(events!, 'intraday', '20260115').clustering).toEqual(['event_name']);
    expect(tableDefinition(events!, 'daily', '20260115').expirationMs).toBeUndefined();
    expect(tableDefinition(rejected!, 'intraday', '20260115').expirationMs).toBeUndefined();
    expect(tableDefinition(rejected!, 'late', '20260115').expirationMs).toBeUndefined();
    expect(tableDefinition(rejected!, 'daily', '20260115').expirationMs).toBe(Date.UTC(2026, 0, 15) + 91 * 86_400_000);
    const modes = (fields: StreamTables['fields']): string[] => fields.flatMap(({ mode, fields: inner }) => [mode ?? 'NULLABLE', ...modes(inner ?? [])]);
    expect(streamTables().flatMap(({ fields }) => modes(fields))).not.toContain('REQUIRED');
    const described = (fields: StreamTables['fields']): boolean => fields.every(({ description, fields: inner }) => description !== undefined && description !== '' && described(inner ?? []));
    expect(streamTables().every(({ fields }) => described(fields))).toBe(true);
  });

  test('a table is known for the shard that it is, and others are left alone', () => {
    expect(shardOfTable('events', 'events_20260115')).toEqual({ kind: 'daily', date: '20260115' });
    expect(shardOfTable('events', 'events_intraday_20260115')).toEqual({ kind: 'intraday', date: '20260115' });
    expect(shardOfTable('events', 'late_events_20260115')).toEqual({ kind: 'late', date: '20260115' });
    for (const other of ['events_2026', 'my_events_20260115', 'events_extra_20260115', 'events', 'user_days', '20260115']) expect(shardOfTable('events', other)).toBeUndefined();
  });
});

describe('the reporting time zone', () => {
  test('is written at the first visit and stays', async () => {
    const { visit, labels } = setUp({ timeZone: 'America/Port-au-Prince' });
    await visit();
    expect(labels[TIME_ZONE_LABEL]).toBe('america--port-au-prince');
  });

  test('another setting refuses, before any table is made', async () => {
    const { visit, tables } = setUp({ timeZone: 'Europe/Berlin' }, { [TIME_ZONE_LABEL]: 'utc' });
    expect(await visit()).toMatchObject({ kind: 'retry', error: { code: 'time_zone_changed' } });
    expect(tables.size).toBe(0);
  });

  test('every zone has a label that BigQuery takes, and no two the same', () => {
    const zones = [...Intl.supportedValuesOf('timeZone'), 'UTC', 'Etc/GMT+1', 'Etc/GMT-1'];
    for (const zone of zones) expect(labelOf(zone)).toMatch(/^[a-z0-9_-]{1,63}$/);
    expect(new Set(zones.map(labelOf)).size).toBe(new Set(zones).size);
  });

  test('a writer that is first does not write it, but is not held up either', async () => {
    const labels: Record<string, string> = {};
    const api = { labels: async () => labels, setLabels: async () => { throw new Error('not allowed'); } };
    expect(await checkTimeZone(api, 'UTC', { write: false })).toEqual({ kind: 'accepted', value: 'unset' });
  });
});

test('a step that fails is told, and the others are done', async () => {
  const { visit, tables } = setUp({ replaceTableFunctions: async () => { throw new Error('no SQL today'); } });
  expect(await visit()).toMatchObject({ kind: 'accepted', value: { failures: ['replacing table functions: no SQL today'], hours_compacted: 0 } });
  expect(tables.size).toBeGreaterThan(0);
});

test('hours that ended before the retention are joined, the hour that is still inside it is not', async () => {
  const hour = (dt: string, hour: string) => ({ stream: 'events', dt, hour });
  // The clock says 15 January, noon; retention is seven days.
  const { api, objects } = pretendedBucket(3, [hour('2026-01-07', '23'), hour('2026-01-08', '11'), hour('2026-01-08', '12')]);
  const { visit } = setUp({ raw: api });
  expect(await visit()).toMatchObject({ value: { hours_compacted: 2, failures: [] } });
  expect([...objects.keys()].filter((name) => name.includes('hour=12'))).toHaveLength(3);
  expect([...objects.keys()].filter((name) => name.includes('compacted-'))).toHaveLength(2);
  expect(await visit()).toMatchObject({ value: { hours_compacted: 0 } });
});

test('an hour whose joining was killed is finished by the next visit', async () => {
  const { api, objects, state, lines } = pretendedBucket(40, [{ stream: 'events', dt: '2026-01-07', hour: '23' }]);
  state.killAfter = 10;
  const { visit } = setUp({ raw: api });
  expect(await visit()).toMatchObject({ value: { hours_compacted: 0, failures: [expect.stringContaining('compacting raw files')] } });
  state.killAfter = Infinity;
  expect(await visit()).toMatchObject({ value: { hours_compacted: 1, failures: [] } });
  expect(lines()).toHaveLength(40);
  expect([...objects.keys()]).toHaveLength(1);
});

test('raw files younger than the subscription\'s retention are left alone', async () => {
  const { visit, listed } = setUp();
  await visit();
  const days = listed.filter((prefix) => prefix.startsWith('raw/events/')).map((prefix) => prefix.slice('raw/events/dt='.length, -1)).sort();
  expect(days.at(-1)).toBe('2026-01-08');
  expect(days).toHaveLength(7);
});

describe('messages that Pub/Sub could not take', () => {
  const NOW = Date.UTC(2026, 0, 15, 12);
  const visitWith = async (...ages: number[]) => {
    const lines: unknown[][] = [];
    const listSpilled = async () => ages.map((age, index) => ({ name: `spill/events/${index}`, createdMs: NOW - age }));
    const outcome = await setUp({ listSpilled, log: (...line) => { lines.push(line); } }).visit();
    return { outcome, lines };
  };

  test('are nobody\'s business for fifteen minutes', async () => {
    const { outcome, lines } = await visitWith(0, 15 * 60_000);
    expect(outcome).toMatchObject({ value: { messages_left_spilled: 0, failures: [] } });
    expect(lines).toEqual([]);
  });

  test('are told once a visit when they lie there longer, with the age of the oldest', async () => {
    const { outcome, lines } = await visitWith(60_000, 15 * 60_000 + 1, 3_600_000);
    expect(outcome).toMatchObject({ value: { messages_left_spilled: 2, failures: [] } });
    expect(lines).toEqual([['ERROR', 'Spilled messages are not drained', { messages: 2, oldest_seconds: 3_600, example: 'spill/events/1' }]]);
  });

  test('that cannot be listed are a failure of the visit, and the rest is done', async () => {
    const { visit, tables } = setUp({ listSpilled: async () => { throw new Error('no bucket'); } });
    expect(await visit()).toMatchObject({ kind: 'accepted', value: { failures: ['looking at spilled messages: no bucket'] } });
    expect(tables.size).toBeGreaterThan(0);
  });
});
