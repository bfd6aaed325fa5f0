// The tiny Cloud Scheduler: when it fires, what it repeats, what it never does.
import { afterEach, expect, test } from 'vitest';
import { startScheduler, type ScheduledJob, type Scheduler } from '../../../emulators/scheduler.ts';
import { endpoint, until } from '../pubsub/local-pubsub.ts';

const QUARTER_MS = 900_000;
let scheduler: Scheduler | undefined;
afterEach(() => scheduler?.close());

const JOB: ScheduledJob = { name: 'rollover', everySeconds: 900, url: 'http://127.0.0.1:9/' };

function steered(post: (job: ScheduledJob) => Promise<number>, job: Partial<ScheduledJob> = {}): { move(ms: number): void } {
  let nowMs = Date.parse('2026-01-15T10:07:00Z');
  scheduler = startScheduler({ jobs: [{ ...JOB, ...job }], now: () => nowMs, post, tickMs: 5, retryMs: 5 });
  return { move: (ms) => { nowMs += ms; } };
}
const pause = (ms = 60): Promise<void> => new Promise((done) => setTimeout(done, ms));

test('a job fires at the next whole interval, once for each, and once for a jump over many', async () => {
  let fired = 0;
  const clock = steered(async () => { fired += 1; return 200; });
  await pause();
  expect(fired).toBe(0);
  clock.move(8 * 60_000 - 1);
  await pause();
  expect(fired).toBe(0);
  clock.move(1);
  await until('10:15', () => fired === 1, 1_000);
  clock.move(3 * 86_400_000);
  await until('three days later', () => fired === 2, 1_000);
  await pause();
  expect(fired).toBe(2);
});

test('after the clock went back, the next border counts again', async () => {
  let fired = 0;
  const clock = steered(async () => { fired += 1; return 200; });
  clock.move(-86_400_000);
  await pause();
  expect(fired).toBe(0);
  clock.move(QUARTER_MS);
  await until('fired', () => fired === 1, 1_000);
});

test('a job never overlaps itself, and a border it ran over is made up for once', async () => {
  let running = 0;
  let most = 0;
  let fired = 0;
  let finish = (): void => {};
  const clock = steered(async () => {
    fired += 1;
    most = Math.max(most, running += 1);
    await new Promise<void>((done) => { finish = done; });
    running -= 1;
    return 200;
  });
  clock.move(QUARTER_MS);
  await until('first', () => fired === 1, 1_000);
  clock.move(2 * QUARTER_MS);
  await pause();
  expect(fired).toBe(1);
  finish();
  await until('second', () => fired === 2, 1_000);
  finish();
  await pause();
  expect([fired, most]).toEqual([2, 1]);
});

test('a failed attempt is tried again, at most retriesMax times', async () => {
  const statuses = [503, 0, 204];
  let fired = 0;
  const clock = steered(async () => { fired += 1; return statuses.shift() ?? 500; }, { retriesMax: 4 });
  clock.move(QUARTER_MS);
  await until('success', () => fired === 3, 1_000);
  await pause();
  expect(fired).toBe(3);
  clock.move(QUARTER_MS);
  await until('given up', () => fired === 8, 2_000);
  await pause(150);
  expect(fired).toBe(8);
});

test('it posts as Cloud Scheduler does: empty, or with its body as JSON; runNow says the status', async () => {
  const to = await endpoint();
  scheduler = startScheduler({ jobs: [{ ...JOB, url: to.url }, { ...JOB, name: 'one-day', url: to.url, body: { date: '20260115' } }], now: () => 0 });
  expect(await scheduler.runNow('rollover')).toBe(204);
  expect(await scheduler.runNow('one-day')).toBe(204);
  expect(to.pushed.map(({ body }) => body)).toEqual(['', '{"date":"20260115"}']);
  expect(to.pushed[0]!.headers).toMatchObject({ 'user-agent': 'Google-Cloud-Scheduler', 'x-cloudscheduler': 'true' });
  await expect(scheduler.runNow('none')).rejects.toThrow('No job none');
  await to.close();
});
