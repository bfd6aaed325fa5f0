// A column is added to every shard while rows keep coming from code that does not know it and from code that already writes it.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyMigration, planMigration } from '../../functions/maintain/migration.ts';
import { tableDefinition } from '../../functions/maintain/tables.ts';
import { streamTables } from '../../functions/stream-tables.ts';
import { DESCRIPTORS, ENCODERS } from '../../schemas/generated/rows.ts';
import { DATASET, startLocalBigQuery, startWriter } from '../write/bigquery/local-writer.ts';
import type { LocalBigQuery } from '../write/bigquery/local-writer.ts';
import { envelopeOf, goodEvent, messageOf, NOON, NOON_MICROS, pushBodyOf } from '../write/bigquery/messages.ts';

let local: LocalBigQuery;
beforeAll(async () => { local = await startLocalBigQuery(); });
afterAll(async () => { await local.stop(); });

const COLUMN = 'mood';
const FIELD_NUMBER = 900;

/** What generation would make of a schema with one more column. */
const after = {
  streams: streamTables().map((stream) => (stream.stream === 'events' ? { ...stream, fields: [...stream.fields, { name: COLUMN, type: 'STRING', mode: 'NULLABLE', description: 'A new column.' }] } : stream)),
  descriptors: { ...DESCRIPTORS, events: { ...DESCRIPTORS.events, field: [...DESCRIPTORS.events.field!, { name: COLUMN, number: FIELD_NUMBER, label: 1 as const, type: 9 as const }] } },
  encoders: {
    ...ENCODERS,
    events: (row: never): Uint8Array => {
      const mood = Buffer.from((row as { mood?: string }).mood ?? '');
      const tag = (FIELD_NUMBER << 3) | 2;
      return Buffer.concat([ENCODERS.events(row), Buffer.from([(tag & 127) | 128, tag >> 7, mood.length]), mood]);
    },
  },
};

test('no row is lost, none is rejected, and the new column is filled as soon as code writes it', async () => {
  const clock = () => NOON;
  const old = startWriter(local, { clock });
  const next = startWriter(local, { clock, ...after });
  const shards = [['intraday', '20260115'], ['late', '20260115'], ['daily', '20260110']] as const;
  const events = streamTables().find(({ stream }) => stream === 'events')!;
  for (const [kind, date] of shards) await old.tables.create(tableDefinition(events, kind, date));

  const stored: string[] = [];
  let isOver = false;
  /** As Pub/Sub: a message that is not acknowledged comes again. */
  const keepPushing = async (writer: typeof old, fields: () => Record<string, unknown>): Promise<void> => {
    while (!isOver) {
      const event = goodEvent({ ...fields(), ...(Math.random() < 0.3 ? { event_timestamp: NOON_MICROS - 4 * 86_400_000_000 } : {}) });
      const body = pushBodyOf(messageOf([envelopeOf([event])]));
      while ((await writer.write(body)).kind !== 'accepted') await sleep(20);
      stored.push(event['event_id'] as string);
    }
  };
  const pushing = [keepPushing(old, () => ({})), keepPushing(old, () => ({}))];
  await sleep(200);
  // The new code is deployed too early: its rows wait for the column, they are not thrown away.
  const early = keepPushing(next, () => ({ mood: 'good' }));
  await expect.poll(() => next.troubles.some((trouble) => trouble.startsWith('columns_missing')), { timeout: 20_000 }).toBe(true);

  const plans = await planMigration(old.tables, after.streams);
  expect(plans.map(({ table, additions }) => [table, ...additions])).toEqual([['events_20260110', COLUMN], ['events_intraday_20260115', COLUMN], ['late_events_20260115', COLUMN]]);
  await applyMigration(old.tables, plans, after.streams, { clock: Date.now, wait: sleep });
  await sleep(500);
  isOver = true;
  await Promise.all([...pushing, early]);

  const [rows] = await local.bigquery.query({ query: `SELECT event_id, ${COLUMN} FROM \`${DATASET}.events_intraday_20260115\` UNION ALL SELECT event_id, ${COLUMN} FROM \`${DATASET}.late_events_20260115\`` });
  const found = new Map((rows as { event_id: string; mood: string | null }[]).map((row) => [row.event_id, row.mood]));
  expect(stored.filter((id) => !found.has(id))).toEqual([]);
  expect([...found.values()].filter((mood) => mood === 'good').length).toBeGreaterThan(0);
  expect([...found.values()].filter((mood) => mood === null).length).toBeGreaterThan(0);
  expect([...old.refused, ...next.refused]).toEqual([]);
  expect(await planMigration(old.tables, after.streams)).toEqual([]);
  await old.stop();
  await next.stop();
});
