// Validation: the verdict on each event, with every problem, a pointer and a sentence.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIMITS } from '../../functions/limits.ts';
import { judgeTimestamp } from '../../functions/validate/judge-timestamp.ts';
import { validateBatch, type Candidate } from '../../functions/validate/validate-batch.ts';

const NOW = Date.UTC(2026, 0, 15) * 1_000;
let made = 0;
const event = (fields: object = {}): Record<string, unknown> =>
  ({ event_id: `0198f2f0-0000-7000-8000-${String(++made).padStart(12, '0')}`, event_name: 'e', event_timestamp: NOW, ...fields });

function judge(events: unknown[], batch: Record<string, unknown> = {}, change: Partial<Candidate> = {}): Record<number, { code: string; pointer?: string; message: string }[]> {
  const whole = { ...batch, events };
  const { rejected } = validateBatch({
    stream: 'events', batch: whole, events, asSent: { batch: whole, events }, isMarked: false, cutEvents: new Map(),
    largestEventBytes: Math.max(0, ...events.map((one) => JSON.stringify(one).length)), receivedMicros: NOW, lateDaysMax: 30, ...change,
  });
  return Object.fromEntries([...rejected].map(([index, errors]) => [index, [...errors]]));
}

test('all problems of an event are told at once, each with its place and a sentence', () => {
  const rejected = judge([event(), event({ event_id: 'x', event_name: '1', surprise: 1, device: { language: 3 }, user_id: 'u'.repeat(257), event_params: { 'a b': 1 } })]);
  expect(Object.keys(rejected)).toEqual(['1']);
  expect(rejected[1]!.map(({ code, pointer }) => `${code} ${pointer}`).sort()).toEqual([
    'bad_event_id /event_id', 'bad_key /event_params/a b', 'bad_name /event_name', 'schema_violation /device/language', 'schema_violation /surprise', 'schema_violation /user_id',
  ]);
  const sentences = rejected[1]!.map(({ message }) => message);
  expect(sentences).toContain('device.language must be string or null, but is a number.');
  expect(sentences).toContain('surprise is not a field here; your own values go into event_params.');
  expect(sentences).toContain('user_id has 257 characters; at most 256 are allowed.');
});

test('what is missing is told as missing, under its own code', () => {
  expect(judge([{}])[0]!.map(({ code }) => code).sort()).toEqual(['bad_event_id', 'bad_name', 'bad_timestamp']);
});

test('what is no event is rejected at its index', () => {
  const rejected = judge([event(), 7, null, 'x', [], event()]);
  expect(Object.keys(rejected)).toEqual(['1', '2', '3', '4']);
  for (const errors of Object.values(rejected)) expect(errors[0]!.code).toBe('schema_violation');
});

test('a fault in the batch fields is every event\'s, and says that it is the batch\'s', () => {
  const rejected = judge([event(), event()], { platform: 7 });
  expect(Object.values(rejected).map(([error]) => `${error!.code} ${error!.pointer} ${error!.message}`)).toEqual(Array(2).fill(
    'schema_violation /platform In the batch fields: platform must be string or null, but is a number.'));
});

test('an event and its batch fields together have a limit', () => {
  const padded = (bytes: number): unknown => {
    const one = event({ event_params: { p: '' } }) as { event_params: Record<string, string> };
    for (let i = 0; JSON.stringify(one).length < bytes; i++) {
      one.event_params[`p${i}`] = '';
      one.event_params[`p${i}`] = 'x'.repeat(Math.max(0, Math.min(4_000, bytes - JSON.stringify(one).length)));
    }
    return one;
  };
  const batch = { user_pseudo_id: 'a1' };
  const room = LIMITS.eventBytesMax - JSON.stringify(batch).length;
  expect(judge([padded(room)], batch)).toEqual({});
  expect(judge([padded(room + 1)], batch)[0]![0]!.code).toBe('event_too_large');
});

test('parameters are limited in number and their values in length', () => {
  const params = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, i]));
  expect(judge([event({ event_params: params(LIMITS.paramsPerEventMax) })])).toEqual({});
  expect(judge([event({ event_params: params(LIMITS.paramsPerEventMax + 1) })])[0]![0]).toMatchObject({ code: 'schema_violation', pointer: '/event_params' });
  expect(judge([event({ event_params: { p: 'x'.repeat(LIMITS.stringValueLengthMax) } })])).toEqual({});
  expect(judge([event({ event_params: { p: 'x'.repeat(LIMITS.stringValueLengthMax + 1) } })])[0]![0]).toMatchObject({ code: 'schema_violation', pointer: '/event_params/p' });
  expect(judge([event({ event_params: { ['n'.repeat(LIMITS.nameLengthMax)]: 1 } })])).toEqual({});
  expect(judge([event({ event_params: { ['n'.repeat(LIMITS.nameLengthMax + 1)]: 1 } })])[0]![0]!.code).toBe('bad_key');
});

test('time is judged at the microsecond', () => {
  const hour = 3_600_000_000;
  const codeAt = (micros: unknown): string | undefined => judgeTimestamp(micros, NOW, 30)?.code;
  expect(codeAt(NOW + LIMITS.futureHoursMax * hour)).toBeUndefined();
  expect(codeAt(NOW + LIMITS.futureHoursMax * hour + 1)).toBe('timestamp_in_future');
  expect(codeAt(NOW - 30 * 24 * hour)).toBeUndefined();
  expect(codeAt(NOW - 30 * 24 * hour - 1)).toBe('too_late');
  expect(codeAt(String(NOW))).toBeUndefined();
  for (const other of [NOW / 1e3, NOW / 1e6, NOW * 1e3, NOW + 0.5, '2026-01-15', null, undefined, {}, NaN]) expect(codeAt(other)).toBe('bad_timestamp');
  for (const range of [0, -NOW, 4_200_000_000_000_000]) expect(codeAt(range)).toBe('ts_out_of_range');
});

test('one bad event never hurts its neighbours: exactly the bad indexes are rejected', () => {
  const bad = fc.constantFrom<unknown>(7, { event_name: 'e' }, event({ event_name: '' }), event({ event_timestamp: 1 }), event({ items: 'x' }), event({ event_params: [] }));
  fc.assert(fc.property(fc.array(fc.option(bad, { nil: undefined }), { maxLength: 20 }), (choices) => {
    const rejected = judge(choices.map((choice) => choice ?? event()));
    expect(Object.keys(rejected).map(Number)).toEqual(choices.flatMap((choice, index) => (choice === undefined ? [] : [index])));
  }), { numRuns: 100 });
});
