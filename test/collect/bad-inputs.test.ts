// Bad inputs through the real collector, over the wire: one row for each kind of damage that senders do. Every case asserts the
// status, the codes, what was stored, that neighbours were accepted, and that the process is still the same and answers.
import { gzipSync, brotliCompressSync } from 'node:zlib';
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LIMITS } from '../../functions/limits.ts';
import type { RejectedBody } from '../../functions/envelope.ts';
import { bodyOf, bodyWith, eventOf, startCollector, type RunningCollector, type Sending } from './running-collector.ts';

let collector: RunningCollector;
beforeAll(async () => { collector = await startCollector(); });
afterAll(() => collector.close());

/** The answer to a body that is refused whole: status and code; its bytes are on the rejected topic before the answer. */
type Whole = { status: number; code: string; isStored?: boolean };
/** The answer to a readable body: how many events are accepted, and the first code of each rejected one by its index. */
type PerEvent = { accepted: number; rejected?: Record<number, string> };
type Case = [row: number, what: string, sending: Sending, expected: Whole | PerEvent];

const good = (): string => JSON.stringify(eventOf());
const withParam = (json: string): string => JSON.stringify(eventOf({ event_params: { here: 0 } })).replace('"here":0', json);
/** The damaged event between two good ones. */
const between = (event: string): Sending => ({ body: bodyWith(good(), event, good()) });
const E = (code: string): PerEvent => ({ accepted: 2, rejected: { 1: code } });
const OK: PerEvent = { accepted: 3 };
const DAY_MICROS = 86_400_000_000;
const now = Date.now() * 1_000;
const at = (timestamp: unknown): Sending => between(JSON.stringify(eventOf({ event_timestamp: timestamp })));
const filled = (bytes: number): Buffer => Buffer.from(bodyOf([eventOf()], { user_id: 'u1' }).padEnd(bytes, ' '));
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
/** JSON of so many keys, in lists that are short enough. */
const objects = (count: number): string => `[${Array.from({ length: Math.ceil(count / 1_000) }, (_, i) => `[${Array.from({ length: Math.min(1_000, count - i * 1_000) }, () => '{"k":1}').join(',')}]`).join(',')}]`;
const many = (count: number): string => bodyOf(Array.from({ length: count }, () => eventOf()));
/** An event of exactly so many bytes together with its batch fields ({"user_pseudo_id":"a1"}: 23 bytes). */
function eventOfBytes(bytes: number): string {
  const params: Record<string, string> = {};
  let event = eventOf({ event_params: params });
  const size = (): number => Buffer.byteLength(JSON.stringify(event)) + Buffer.byteLength('{"user_pseudo_id":"a1"}');
  for (let i = 0; size() < bytes; i++) {
    params[`p${i}`] = '';
    params[`p${i}`] = 'x'.repeat(Math.max(0, Math.min(4_000, bytes - size())));
    event = { ...event, event_params: params };
  }
  return JSON.stringify(event);
}

const CASES: Case[] = [
  [1, 'an empty body', { body: '' }, { status: 400, code: 'empty_body', isStored: false }],
  [1, 'no body and no length', { headers: { 'content-length': '0' } }, { status: 400, code: 'empty_body', isStored: false }],
  ...['{}', '[]', 'null', '"x"', '1'].map((body): Case => [2, body, { body }, { status: 400, code: 'not_a_batch' }]),
  [3, 'a batch of no events', { body: bodyWith() }, { accepted: 0 }],
  [4, 'one event', { body: many(1) }, { accepted: 1 }],
  [4, 'the most events', { body: many(LIMITS.eventsPerRequestMax) }, { accepted: LIMITS.eventsPerRequestMax }],
  [4, 'one event more', { body: many(LIMITS.eventsPerRequestMax + 1) }, { status: 413, code: 'batch_too_large' }],
  [5, 'the largest body', { body: filled(LIMITS.bodyBytesMax) }, { accepted: 1 }],
  [5, 'one byte more, declared', { body: filled(LIMITS.bodyBytesMax + 1) }, { status: 413, code: 'body_too_large', isStored: false }],
  [6, 'one byte more, chunked without a length', { chunks: [filled(LIMITS.bodyBytesMax), Buffer.from(' ')] }, { status: 413, code: 'body_too_large', isStored: false }],
  // Row 7, a body that stalls, is in answers.test.ts.
  [8, 'the largest event', between(eventOfBytes(LIMITS.eventBytesMax)), OK],
  [8, 'an event one byte larger', between(eventOfBytes(LIMITS.eventBytesMax + 1)), E('event_too_large')],
  ...['{"events":[', '{"events":[],}', '{"events":[]/* */}', "{'events':[]}"].map((body): Case => [9, body, { body }, { status: 400, code: 'invalid_json' }]),
  [10, 'garbage behind the JSON', { body: `${bodyWith()}x` }, { status: 400, code: 'invalid_json' }],
  [10, 'two JSON texts', { body: `${bodyWith()}\n${bodyWith()}` }, { status: 400, code: 'invalid_json' }],
  [11, 'a byte order mark', { body: `\ufeff${bodyWith(good())}` }, { accepted: 1 }],
  [12, 'UTF-16 with its mark', { body: Buffer.from(`\ufeff${bodyWith()}`, 'utf16le') }, { status: 400, code: 'invalid_utf8' }],
  [12, 'UTF-16 without', { body: Buffer.from(bodyWith(), 'utf16le') }, { status: 400, code: 'invalid_utf8' }],
  ...['ff', 'c0af', 'eda080edb080'].map((bytes): Case => [13, `bytes ${bytes}`, { body: Buffer.concat([Buffer.from('{"events":[],"x":"'), Buffer.from(bytes, 'hex'), Buffer.from('"}')]) }, { status: 400, code: 'invalid_utf8' }]),
  [14, 'an escape of half a surrogate pair', between(withParam('"here":"\\ud800"')), OK],
  [15, 'U+0000 in a text', between(withParam('"here":"a\\u0000b"')), E('forbidden_char')],
  [15, 'U+0000 in a key', between(withParam('"h\\u0000":1')), E('forbidden_char')],
  [16, 'separators, direction marks, joined emoji', between(withParam('"here":"\u2028\u2029\u202e👩‍👩‍👧𝕏"')), OK],
  [17, 'line breaks inside a text', between(withParam('"here":"a\\nb\\r\\nc"')), OK],
  [18, 'a million arrays inside each other', { body: nested(500_000) }, { status: 400, code: 'too_deep' }],
  [18, 'a million arrays that never end', { body: '['.repeat(1_000_000) }, { status: 400, code: 'too_deep' }],
  // Level 1 is the body, 2 the events, 3 an event, 4 its parameters.
  [19, 'the deepest event', between(withParam(`"here":${nested(LIMITS.depthMax - 4)}`)), OK],
  [19, 'an event one level deeper', between(withParam(`"here":${nested(LIMITS.depthMax - 3)}`)), E('too_deep')],
  [20, '200,000 keys in one object', { body: gzipSync(between(withParam(`"here":{${Array.from({ length: 200_000 }, (_, i) => `"k${i}":1`).join(',')}}`)).body as string) }, E('too_many_keys')],
  // Five keys are the event's own.
  [20, 'the most keys of an event', between(withParam(`"here":${objects(LIMITS.keysPerEventMax - 5)}`)), OK],
  [20, 'one key more', between(withParam(`"here":${objects(LIMITS.keysPerEventMax - 4)}`)), E('too_many_keys')],
  [21, 'a key of 300 KiB', between(withParam(`"${'k'.repeat(300_000)}":1`)), E('event_too_large')],
  [21, 'a key one character too long inside a value', between(withParam(`"here":{"${'k'.repeat(LIMITS.keyLengthMax + 1)}":1}`)), E('bad_key')],
  [21, 'the longest key inside a value', between(withParam(`"here":{"${'k'.repeat(LIMITS.keyLengthMax)}":1}`)), OK],
  [21, 'an empty key', between(withParam('"":1')), E('bad_key')],
  [21, 'a parameter name of 41 characters', between(withParam(`"${'p'.repeat(41)}":1`)), E('bad_key')],
  [22, 'keys that are numbers', between(withParam('"here":{"2":1,"1":2,"4294967295":3,"-1":4}')), OK],
  [23, '__proto__ among the parameters', between(withParam('"__proto__":{"polluted":1}')), E('forbidden_key')],
  [23, '__proto__ in an event', between(good().replace('{', '{"__proto__":{"polluted":1},')), E('forbidden_key')],
  [23, '__proto__ written with an escape', between(withParam('"here":{"\\u005f_proto__":1}')), E('forbidden_key')],
  [23, '__proto__ in the batch', { body: bodyWith(good()).replace('{', '{"__proto__":{"polluted":1},') }, { accepted: 0, rejected: { 0: 'forbidden_key' } }],
  [24, 'constructor.prototype', between(withParam('"here":{"constructor":{"prototype":{}}}')), E('forbidden_key')],
  [24, 'constructor as a parameter', between(withParam('"constructor":1')), E('forbidden_key')],
  [25, 'names that every object has', between(withParam('"toString":1,"hasOwnProperty":1,"valueOf":1,"then":1,"length":1')), OK],
  [25, 'an inherited name is no field of an event', { body: '{"events":[{"toString":1}]}' }, { accepted: 0, rejected: { 0: 'bad_event_id' } }],
  [26, 'a key given twice', between(withParam('"here":1,"here":2')), OK],
  [27, 'the same event id twice in one batch', { body: bodyOf([eventOf({ event_id: '0198f2f0-0000-7000-8000-00000000abcd' }), eventOf({ event_id: '0198f2f0-0000-7000-8000-00000000abcd' })]) }, { accepted: 2 }],
  [28, 'the same event id with other content', { body: bodyOf([eventOf({ event_id: '0198f2f0-0000-7000-8000-00000000abcd', event_name: 'other' })]) }, { accepted: 1 }],
  [29, 'an integer that no double holds', between(withParam('"here":9007199254740993')), E('unsafe_integer')],
  [29, 'the largest safe integer', between(withParam('"here":9007199254740991,"there":-9007199254740991')), OK],
  [29, 'the smallest unsafe integer', between(withParam('"here":9007199254740992')), E('unsafe_integer')],
  [29, 'a large double beside it is no integer', { body: bodyWith(withParam('"here":9007199254740993'), withParam('"here":1e300')) }, { accepted: 1, rejected: { 0: 'unsafe_integer' } }],
  [30, 'the same as a text', between(JSON.stringify(eventOf({ event_bundle_sequence_id: '9007199254740993' }))), OK],
  [31, 'the largest and smallest 64-bit integers', between(JSON.stringify(eventOf({ event_bundle_sequence_id: '9223372036854775807', batch_page_id: '-9223372036854775808' }))), OK],
  [31, 'one more', between(JSON.stringify(eventOf({ event_bundle_sequence_id: '9223372036854775808' }))), E('out_of_range')],
  [32, '1e400', between(withParam('"here":1e400')), E('non_finite_number')],
  ...['NaN', 'Infinity', '-Infinity'].map((word): Case => [33, word, between(withParam(`"here":${word}`)), { status: 400, code: 'invalid_json' }]),
  [34, '-0, 1.0 and 1e2', between(withParam('"here":-0,"there":1.0,"where":1e2')), OK],
  [35, 'doubles of 17 digits, denormals', between(withParam('"here":0.30000000000000004,"there":5e-324,"where":1.7976931348623157e308')), OK],
  // Row 36 has no column: no field is NUMERIC.
  [37, 'a number of 50,000 digits', between(withParam(`"here":${'7'.repeat(50_000)}`)), E('non_finite_number')],
  [38, 'a text for a boolean or number column', between(JSON.stringify(eventOf({ event_value_in_usd: '12' }))), E('schema_violation')],
  [38, 'a number for a text column', between(JSON.stringify(eventOf({ user_id: 12 }))), E('schema_violation')],
  [39, 'null for what is required', between(JSON.stringify(eventOf({ event_name: null }))), E('bad_name')],
  [39, 'null for what is optional', between(JSON.stringify(eventOf({ user_id: null, device: null }))), OK],
  [40, 'no event id', between(JSON.stringify({ ...eventOf(), event_id: undefined })), E('bad_event_id')],
  ...['x', '00000000-0000-0000-0000-000000000000', 'z'.repeat(10_000)].map((id): Case => [40, `event id ${id.slice(0, 36)}`, between(JSON.stringify(eventOf({ event_id: id }))), E('bad_event_id')]),
  [41, 'a name that nobody has seen before', between(JSON.stringify(eventOf({ event_name: 'Zebra_crossed_9' }))), OK],
  [41, 'an unknown schema version', { body: bodyOf([eventOf(), eventOf()], { schema_version: 2 }) }, { accepted: 0, rejected: { 0: 'unknown_schema', 1: 'unknown_schema' } }],
  [41, 'the known schema version', { body: bodyOf([eventOf()], { schema_version: 1 }) }, { accepted: 1 }],
  ...['events_20260101; DROP TABLE', '`x`', '../../x', '%2e%2e', 'a/b', 'n'.repeat(41), '1x', '', 'é'].map((name): Case => [42, `event name ${name}`, between(JSON.stringify(eventOf({ event_name: name }))), E('bad_name')]),
  [42, 'the longest event name', between(JSON.stringify(eventOf({ event_name: 'n'.repeat(40) }))), OK],
  [43, 'a field that does not exist', between(JSON.stringify(eventOf({ surprise: 1 }))), E('schema_violation')],
  [44, 'seconds', at(Math.floor(now / 1e6)), E('bad_timestamp')],
  [44, 'milliseconds', at(Math.floor(now / 1e3)), E('bad_timestamp')],
  [44, 'nanoseconds', at(now * 1e3), E('bad_timestamp')],
  [44, 'ISO with an offset', at('2026-01-15T00:00:00+01:00'), E('bad_timestamp')],
  [44, 'ISO without a zone', at('2026-01-15T00:00:00'), E('bad_timestamp')],
  [44, 'microseconds as text', at(String(now)), OK],
  [44, 'half a microsecond', at(now + 0.5), E('bad_timestamp')],
  [45, '30 February', at('2026-02-30T00:00:00Z'), E('bad_timestamp')],
  [46, 'the year 9999', at(Date.UTC(9999, 0) * 1_000), E('ts_out_of_range')],
  [46, 'before 1970', at(-1), E('ts_out_of_range')],
  [46, 'the year 1', at(-62_135_596_800_000_000), E('ts_out_of_range')],
  [47, '71 h 59 min old', at(now - 3 * DAY_MICROS + 60_000_000), OK],
  [47, '72 h 01 min old', at(now - 3 * DAY_MICROS - 60_000_000), OK],
  [47, 'a minute inside the late limit', at(now - LIMITS.lateDaysMax * DAY_MICROS + 60_000_000), OK],
  [47, 'a minute beyond the late limit', at(now - LIMITS.lateDaysMax * DAY_MICROS - 60_000_000), E('too_late')],
  [47, 'five years old', at(now - 5 * 365 * DAY_MICROS), E('too_late')],
  [48, '5 minutes ahead', at(now + 300_000_000), OK],
  [48, 'a minute inside the future limit', at(now + DAY_MICROS - 60_000_000), OK],
  [48, '25 hours ahead', at(now + DAY_MICROS + 3_600_000_000), E('timestamp_in_future')],
  [49, 'a leap second as text', at('2026-06-30T23:59:60Z'), E('bad_timestamp')],
  [50, 'sent earlier than it happened', { body: bodyOf([eventOf()], { sent_timestamp: now - DAY_MICROS }) }, { accepted: 1 }],
  [51, 'gzip', { body: gzipSync(bodyWith(good())), headers: { 'content-encoding': 'gzip' } }, { accepted: 1 }],
  [51, 'gzip of two members', { body: Buffer.concat([gzipSync(bodyWith(good()).slice(0, 20)), gzipSync(bodyWith(good()).slice(20))]), headers: { 'content-encoding': 'gzip' } }, { accepted: 1 }],
  [52, 'a cut gzip', { body: gzipSync(bodyWith(good())).subarray(0, 60), headers: { 'content-encoding': 'gzip' } }, { status: 400, code: 'bad_encoding' }],
  [52, 'garbage behind a gzip', { body: Buffer.concat([gzipSync(bodyWith()), Buffer.from('garbage')]) }, { status: 400, code: 'bad_encoding' }],
  [53, 'a bomb', { body: gzipSync(Buffer.alloc(100 * 1_024 * 1_024, ' ')), headers: { 'content-encoding': 'gzip' } }, { status: 413, code: 'decompressed_too_large' }],
  [53, 'the largest inflated body', { body: gzipSync(filled(LIMITS.inflatedBytesMax)) }, { accepted: 1 }],
  [53, 'one inflated byte more', { body: gzipSync(filled(LIMITS.inflatedBytesMax + 1)) }, { status: 413, code: 'decompressed_too_large' }],
  [54, 'brotli', { body: brotliCompressSync(bodyWith()), headers: { 'content-encoding': 'br' } }, { status: 415, code: 'unsupported_encoding', isStored: false }],
  [55, 'gzip twice', { body: gzipSync(gzipSync(bodyWith())), headers: { 'content-encoding': 'gzip, gzip' } }, { status: 415, code: 'unsupported_encoding', isStored: false }],
  [57, 'gzip claimed, body plain', { body: bodyWith(good()), headers: { 'content-encoding': 'gzip' } }, { status: 400, code: 'bad_encoding' }],
  [57, 'gzip not claimed', { body: gzipSync(bodyWith(good())) }, { accepted: 1 }],
  [59, 'no content type', { body: bodyWith(good()) }, { accepted: 1 }],
  [59, 'text/plain', { body: bodyWith(good()), headers: { 'content-type': 'text/plain;charset=UTF-8' } }, { accepted: 1 }],
  ...['application/json; charset=utf-16', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/xml'].map((type): Case =>
    [59, type, { body: bodyWith(good()), headers: { 'content-type': type } }, { status: 415, code: 'unsupported_media_type', isStored: false }]),
  [80, 'every seventh of 100 bad', { body: bodyOf(Array.from({ length: 100 }, (_, i) => eventOf(i % 7 === 0 ? { event_name: '!' } : {}))) },
    { accepted: 85, rejected: Object.fromEntries(Array.from({ length: 15 }, (_, i) => [i * 7, 'bad_name'])) }],
];

describe('the collector answers bad input as it should, and stores what it rejects', () => {
  test.each(CASES)('row %i: %s', async (_, __, sending, expected) => {
    const answer = await collector.send(sending);
    if ('status' in expected) await expectWhole(answer, sending, expected);
    else await expectPerEvent(answer, expected);
    expect(collector.process.exitCode, 'the process is alive').toBeNull();
  });
});

async function expectWhole(answer: Awaited<ReturnType<RunningCollector['send']>>, sending: Sending, { status, code, isStored = true }: Whole): Promise<void> {
  expect({ status: answer.status, code: answer.json?.error }).toEqual({ status, code });
  const { lines } = await collector.stored('rejected', isStored ? 1 : 0);
  expect(lines).toHaveLength(isStored ? 1 : 0);
  expect((await collector.stored('events')).lines).toHaveLength(0);
  if (!isStored) return;
  const bytes = Buffer.from(sending.body!);
  const body = lines[0]!.body as RejectedBody;
  expect(body.errors[0]!.code).toBe(code);
  expect(body.raw).toEqual({ base64: bytes.subarray(0, 65_536).toString('base64'), sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length });
}

async function expectPerEvent(answer: Awaited<ReturnType<RunningCollector['send']>>, { accepted, rejected = {} }: PerEvent): Promise<void> {
  const codes = Object.fromEntries((answer.json?.rejected ?? []).map((entry: { index: number; code: string }) => [entry.index, entry.code]));
  expect({ status: answer.status, accepted: answer.json?.accepted, codes }).toEqual({ status: 200, accepted, codes: rejected });
  const refused = Object.keys(rejected).length;
  const { lines } = await collector.stored('events', 1);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ events: accepted + refused, rejected: Object.keys(rejected).map(Number), source: 'demo-app', protocol: 'native' });
  const stored = (await collector.stored('rejected', refused)).lines.map(({ body }) => body as RejectedBody);
  expect(Object.fromEntries(stored.map((body) => [body.index, body.errors[0]!.code]))).toEqual(rejected);
}

test('the largest raw bytes are kept whole, one more is cut, hashed and counted', async () => {
  for (const size of [65_536, 65_537]) {
    const sent = randomBytes(size);
    sent[0] = 0xff;
    await collector.send({ body: sent });
    const { raw } = (await collector.stored('rejected', 1)).lines[0]!.body as RejectedBody;
    expect(Buffer.from(raw!.base64, 'base64')).toEqual(sent.subarray(0, 65_536));
    expect(raw!.bytes).toBe(size);
  }
});
