// The seven promises: ARCHITECTURE.md names for each the tests that show it, and they exist.
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { LIMITS } from '../functions/limits.ts';
import { EMULATOR_MUTANTS } from '../scripts/mutants/emulators.ts';
import { MUTANTS } from '../scripts/mutants/list.ts';

const ROOT = resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** [promise, file, test name] for every test that the table names. */
const named = [...read('ARCHITECTURE.md').matchAll(/^\| (\d\.) .*\|$/gm)].flatMap(([row, promise]) =>
  [...row.matchAll(/`(test\/[^`]+\.test\.ts)` ("[^"]+"(?:, "[^"]+")*)/g)].flatMap(([, file, names]) =>
    [...names!.matchAll(/"([^"]+)"/g)].map(([, name]): [string, string, string] => [promise!, file!, name!])));

test('each of the seven promises names its tests', () => {
  expect([...new Set(named.map(([promise]) => promise))]).toEqual(['1.', '2.', '3.', '4.', '5.', '6.', '7.']);
});

test.each(named)('promise %s is shown by %s "%s"', (_promise, file, name) => {
  expect(read(file)).toContain(`test('${name}'`);
});

test('every damage of the mutants stands where it says, and names tests that exist', () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(20);
  expect(EMULATOR_MUTANTS.length).toBeGreaterThanOrEqual(40);
  for (const { file, find, replace, tests } of [...MUTANTS, ...EMULATOR_MUTANTS]) {
    expect(read(file).split(find).length - 1, `${file}: ${find}`).toBe(1);
    expect(replace).not.toBe(find);
    for (const each of tests) expect(statSync(join(ROOT, each)).isDirectory() || /\b(test|it|runSuite)\b/.test(read(each)), each).toBe(true);
  }
});

test('limits fit each other and what Google allows', () => {
  // Cloud Run kills ten seconds after SIGTERM; a publish that is under way then has its whole deadline.
  expect(LIMITS.publishTimeoutMs).toBeLessThan(LIMITS.drainMs);
  expect(LIMITS.drainMs).toBeLessThan(10_000);
  // An append is answered before its push, a push before Pub/Sub's deadline of 60 s.
  expect(LIMITS.appendLingerMs + LIMITS.appendTimeoutMs).toBeLessThan(LIMITS.pushDeadlineMs);
  expect(LIMITS.pushDeadlineMs).toBeLessThan(60_000);
  // Appends that were under way when a day closed are answered long before it is folded.
  expect(LIMITS.pushDeadlineMs).toBeLessThan(LIMITS.foldAfterCloseMs);
  // A message is taken in one push: base64 adds a third. Pub/Sub takes 10 MB, a push to Cloud Run 32 MB.
  expect(LIMITS.messageBytesMax).toBeLessThan(10_000_000);
  expect(LIMITS.pushBytesMax).toBeGreaterThan((10_000_000 * 4) / 3);
  expect(LIMITS.pushBytesMax).toBeLessThan(32 * 1_024 * 1_024);
  // AppendRows takes 10 MB; one event with its batch fields is far below.
  expect(LIMITS.appendBytesMax).toBeLessThan(10_000_000);
  expect(LIMITS.eventBytesMax * 10).toBeLessThan(LIMITS.appendBytesMax);
  expect(LIMITS.batchFieldBytesMax).toBeLessThan(LIMITS.eventBytesMax);
  // What one request may hold fits into one message, merged.
  expect(LIMITS.inflatedBytesMax).toBeLessThanOrEqual(LIMITS.messageMergedBytesMax);
  expect(LIMITS.bodyBytesMax).toBeLessThanOrEqual(LIMITS.messageBytesMax);
  // Tables are there before the first event of the farthest future that is accepted.
  expect(LIMITS.tablesAheadDays * 24).toBeGreaterThan(LIMITS.futureHoursMax);
});

test('limits are those of the documents', () => {
  expect(LIMITS).toMatchObject({
    bodyBytesMax: 1_048_576, inflatedBytesMax: 4_194_304, eventsPerRequestMax: 1_000, depthMax: 16, eventBytesMax: 65_536, batchFieldBytesMax: 16_384,
    paramsPerEventMax: 100, nameLengthMax: 40, stringValueLengthMax: 4_096, lateDaysMax: 30, futureHoursMax: 24, inFlightBytesMax: 67_108_864,
    messageBytesMax: 1_048_576, messageMergedBytesMax: 8_388_608, publishTimeoutMs: 5_000, appendBytesMax: 9_000_000, appendLingerMs: 250,
    closeAfterMidnightMs: 7_200_000, foldAfterCloseMs: 1_800_000, tablesAheadDays: 2,
  });
});
