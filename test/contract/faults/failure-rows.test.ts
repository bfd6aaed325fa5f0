// Every fault that the table in emulators/README.md names: its request goes to the one control address of a real local run, and Google's clients see it.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { spawnLocalRun, type SpawnedRun } from '../../../scripts/local/spawn-run.ts';
import { BIGQUERY_SHOWS } from './bigquery-shows.ts';
import { Cloud, type Show } from './cloud.ts';
import { FAILURE_ROWS, NEEDS_NO_ORDER } from './failure-rows.ts';
import { PUBSUB_SHOWS } from './pubsub-shows.ts';
import { STORAGE_SHOWS } from './storage-shows.ts';

const SHOWS: Record<string, Show> = { ...PUBSUB_SHOWS, ...STORAGE_SHOWS, ...BIGQUERY_SHOWS };

let run: SpawnedRun;
let cloud: Cloud;
beforeAll(async () => {
  run = await spawnLocalRun();
  cloud = new Cloud(run);
  await cloud.prepare();
});
afterAll(async () => {
  await cloud?.close();
  await run?.stop();
});
afterEach(async () => {
  await cloud.control('DELETE', '/faults');
  await cloud.control('POST', '/time', { offset_ms: 0 });
});

test.each(FAILURE_ROWS.map((row) => ({ ...row, title: `${row.rows.join(', ')}: ${row.fault}` })))('$title', async ({ requests, shownBy }) => {
  const show = SHOWS[shownBy];
  expect(show, `no function is named ${shownBy}`).toBeDefined();
  const left = [...requests];
  await show!(cloud, async (count = left.length) => {
    for (const { path, body } of left.splice(0, count)) expect(await cloud.control('POST', path, body)).toMatchObject({ status: 200 });
  });
  expect(left).toEqual([]);
});

test('every one of the 56 failure modes has a request, or needs none', () => {
  const ordered = FAILURE_ROWS.flatMap(({ rows }) => rows);
  const all = Array.from({ length: 56 }, (_, index) => `F${String(index + 1).padStart(2, '0')}`);
  expect(all.filter((row) => !ordered.includes(row) && NEEDS_NO_ORDER[row] === undefined)).toEqual([]);
  expect([...ordered, ...Object.keys(NEEDS_NO_ORDER)].filter((row) => !all.includes(row))).toEqual([]);
  expect(Object.keys(SHOWS).filter((name) => !FAILURE_ROWS.some(({ shownBy }) => shownBy === name))).toEqual([]);
});
