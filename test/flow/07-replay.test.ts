// Last stop: what is stored can be sent again, twice, and nothing changes.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, batchOf, call, countIds, eventAt, eventually, fingerprintOf, moveClockTo, rollOver, send, spawnLocalRun, type SpawnedRun } from './tour.ts';

const NOON = Date.parse('2026-03-10T12:00:00Z');
let run: SpawnedRun;
const events = Array.from({ length: 20 }, (_, i) => eventAt(NOON - i * 1_000));
const ids = events.map(({ event_id: id }) => id);

beforeAll(async () => { run = await spawnLocalRun(['--now', '2026-03-10T12:00:00Z']); });
afterAll(() => run?.stop());

async function rawFiles(): Promise<number> {
  const [files] = await run.storage.bucket(run.bucket).getFiles({ prefix: 'raw/events/' });
  return files.length;
}

const lateRows = async (): Promise<number> => (await ask<{ n: number }>(run, 'SELECT COUNT(*) AS n FROM late_events_20260311'))[0]!.n;

test('raw files are replayed twice, and the daily table stays the same', async () => {
  await send(run, '/v1/events', batchOf(events));
  await eventually('20 rows and their file', async () => (await countIds(run, 'events_*', ids)) === 20 && (await rawFiles()) > 0);
  await moveClockTo(run, '2026-03-11T02:31:00Z');
  await rollOver(run);
  const [before, files] = [await fingerprintOf(run, 'events_20260310'), await rawFiles()];
  for (const time of [1, 2]) {
    await call(run, 'replay', { stream: 'events', from: '2026-03-10', to: '2026-03-10' });
    await eventually(`rows of replay ${time} in the late table`, async () => (await lateRows()) >= 20 * time && (await countIds(run, 'late_events_20260311', ids)) === 20);
    await rollOver(run, '20260310');
    expect(await fingerprintOf(run, 'events_20260310')).toBe(before);
  }
  expect(await rawFiles()).toBe(files);
}, 180_000);
