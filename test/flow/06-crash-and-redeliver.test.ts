// Sixth stop: everything dies, nothing is lost.
import { afterAll, beforeAll, test } from 'vitest';
import { readProcesses, waitUntilReady } from '../../scripts/prove/kills.ts';
import { batchOf, countIds, eventAt, eventually, send, spawnLocalRun, type SpawnedRun } from './tour.ts';

let run: SpawnedRun;
beforeAll(async () => { run = await spawnLocalRun(); });
afterAll(() => run?.stop());

/** Sends until it is answered 200, as a phone does. */
const sendUntilAnswered = (events: unknown[]) => eventually('an answer', async () => (await send(run, '/v1/events', batchOf(events))).status === 200);

test.each(['write-bigquery', 'bigquery', 'pubsub', 'collect'])('what was answered 200 is there after kill -9 of %s in the middle', async (victim) => {
  const batches = Array.from({ length: 40 }, () => Array.from({ length: 5 }, () => eventAt(Date.now())));
  const sending = Promise.all(batches.map((events) => sendUntilAnswered(events)));
  process.kill((await waitUntilReady(run.processes_file, victim)).pid, 'SIGKILL');
  await sending;
  const ids = batches.flat().map(({ event_id: id }) => id);
  await eventually('all 200 rows', async () => (await countIds(run, 'events_*', ids)) === 200, 90);
}, 150_000);

test('what was answered 200 is there after the whole local run was killed and started again', async () => {
  const events = Array.from({ length: 50 }, () => eventAt(Date.now()));
  await sendUntilAnswered(events);
  const pids = readProcesses(run.processes_file).map(({ pid }) => pid);
  process.kill(run.pid, 'SIGKILL');
  for (const pid of pids) try { process.kill(pid, 'SIGKILL'); } catch { /* It ended with its parent. */ }
  await run.stop(true);
  run = await spawnLocalRun([], run.folder);
  await eventually('all 50 rows', async () => (await countIds(run, 'events_*', events.map(({ event_id: id }) => id))) === 50, 90);
}, 150_000);
