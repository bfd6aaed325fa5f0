// One push to its end: what is stored, what goes to the rejected topic, and when the message is acknowledged.
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ENCODERS } from '../../../schemas/generated/rows.ts';
import type { Envelope, RejectedBody } from '../../../functions/envelope.ts';
import type { EncodedLine } from '../../../functions/envelope-line.ts';
import { ingestError } from '../../../functions/errors.ts';
import { LIMITS } from '../../../functions/limits.ts';
import { accepted, retry } from '../../../functions/outcome.ts';
import type { Outcome } from '../../../functions/outcome.ts';
import { shardFor, shardHoldsUntil } from '../../../functions/table-shard.ts';
import type { AppendAnswer } from '../../../functions/write/bigquery/append-answer.ts';
import { createRejectedSink } from '../../../functions/write/bigquery/refuse.ts';
import { createRowWriter } from '../../../functions/write/bigquery/row-writer.ts';
import { writePush } from '../../../functions/write/bigquery/write-message.ts';
import { envelopeOf, goodEvent, messageOf, NOON, NOON_MICROS, pushBodyOf } from './messages.ts';

function setUp(options: { append?: (table: string) => AppendAnswer; publish?: () => Outcome<unknown>; versions?: readonly number[] } = {}) {
  const appended: { table: string; rows: number }[] = [];
  const rejectedEnvelopes: Envelope[] = [];
  const logged: string[] = [];
  const rejected = createRejectedSink({
    async publish(line: EncodedLine) {
      const outcome = options.publish?.() ?? accepted({ messageId: '1' });
      if (outcome.kind === 'accepted') rejectedEnvelopes.push(JSON.parse(Buffer.concat(line.chunks.map(({ bytes, isGzip }) => (isGzip ? gunzipSync(bytes) : bytes))).toString()) as Envelope);
      return outcome;
    },
    clock: () => NOON, codeVersion: 'test', log: (_severity, message) => void logged.push(message),
  });
  const shardOf = (stream: string, date: string, nowMs: number) => {
    const shard = shardFor(stream, date, nowMs, 'UTC');
    return { ...shard, untilMs: shardHoldsUntil(shard, 'UTC') };
  };
  const writer = createRowWriter({
    async append(table, _stream, rows) {
      const answer = options.append?.(table) ?? { kind: 'stored' };
      if (answer.kind === 'stored') appended.push({ table, rows: rows.length });
      return answer;
    },
    shardOf, ensureTable: async () => undefined, refuse: (rows) => rejected.refuseEvents(rows.map(({ row, error }) => ({ origin: row.origin, index: row.index, error }))),
    clock: () => NOON, limits: LIMITS, onTrouble: () => undefined,
  });
  const making = { encoders: ENCODERS, timeZone: 'UTC', isLateNow: (stream: string, date: string, ms: number) => shardOf(stream, date, Math.max(NOON, ms)).kind === 'late' };
  const write = (body: Buffer) => writePush(body, { making, writer, rejected, ...(options.versions === undefined ? {} : { envelopeVersionsRead: options.versions }) });
  return { write, writeEnvelopes: (...envelopes: unknown[]) => write(pushBodyOf(messageOf(envelopes))), appended, rejectedEnvelopes, logged };
}

describe('good messages', () => {
  test('every accepted event of every request becomes a row of its day\'s table', async () => {
    const { writeEnvelopes, appended } = setUp();
    const old = goodEvent({ event_timestamp: NOON_MICROS - 5 * 86_400_000_000 });
    expect(await writeEnvelopes(envelopeOf([goodEvent(), goodEvent(), old]), envelopeOf([goodEvent()]))).toEqual({ kind: 'accepted', value: { rows: 4, refused: 0 } });
    expect(appended).toContainEqual({ table: 'events_intraday_20260115', rows: 3 });
    expect(appended).toContainEqual({ table: 'late_events_20260115', rows: 1 });
  });

  test('events that the collector rejected are not written', async () => {
    const { writeEnvelopes, appended, rejectedEnvelopes } = setUp();
    await writeEnvelopes(envelopeOf([{ nonsense: true }, goodEvent()], { rejected: [0] }));
    expect(appended).toEqual([{ table: 'events_intraday_20260115', rows: 1 }]);
    expect(rejectedEnvelopes).toEqual([]);
  });

  test('an integer that a client sent as text is an integer', async () => {
    const { writeEnvelopes, appended, rejectedEnvelopes } = setUp();
    await writeEnvelopes(envelopeOf([goodEvent({ event_timestamp: String(NOON_MICROS) })]));
    expect([appended, rejectedEnvelopes]).toEqual([[{ table: 'events_intraday_20260115', rows: 1 }], []]);
  });

  test('the rejected stream goes the same way, by day of receipt', async () => {
    const { writeEnvelopes, appended } = setUp();
    const body: RejectedBody = { rejected_id: 'x', rejected_stream: 'events', stage: 'collect', errors: [ingestError('bad_event_id')], attempt: 0 };
    await writeEnvelopes(envelopeOf([], { stream: 'rejected', events: 1, body, received_timestamp: NOON_MICROS - 2 * 86_400_000_000 }));
    expect(appended).toEqual([{ table: 'late_rejected_20260115', rows: 1 }]);
  });
});

describe('bad events and bad messages', () => {
  test('F15: an event whose mapping fails goes to the rejected topic as it was sent, its neighbours are written', async () => {
    const { writeEnvelopes, appended, rejectedEnvelopes } = setUp();
    const poison = goodEvent({ event_params: 'not a map' });
    expect(await writeEnvelopes(envelopeOf([goodEvent(), poison, goodEvent()]))).toEqual({ kind: 'accepted', value: { rows: 2, refused: 1 } });
    expect(appended).toEqual([{ table: 'events_intraday_20260115', rows: 2 }]);
    expect(rejectedEnvelopes).toHaveLength(1);
    expect(rejectedEnvelopes[0]).toMatchObject({
      stream: 'rejected', request_id: 'request-1', received_timestamp: NOON_MICROS,
      body: { rejected_stream: 'events', stage: 'write-bigquery', index: 1, event: poison, batch: { user_pseudo_id: 'a1', platform: 'ANDROID' }, errors: [{ code: 'mapping_failed' }] },
    });
  });

  test('a value that its column cannot hold rejects that event alone, with the column\'s name', async () => {
    const { writeEnvelopes, appended, rejectedEnvelopes } = setUp();
    await writeEnvelopes(envelopeOf([goodEvent({ user_id: 7 }), goodEvent()]));
    expect(appended).toEqual([{ table: 'events_intraday_20260115', rows: 1 }]);
    expect((rejectedEnvelopes[0]!.body as RejectedBody).errors[0]!.message).toContain('user_id');
  });

  test('a message is not acknowledged before the rejected topic has its bad event', async () => {
    const { writeEnvelopes } = setUp({ publish: () => retry(ingestError('publish_unavailable', { reason: 'down' })) });
    expect(await writeEnvelopes(envelopeOf([goodEvent({ event_params: 'x' }), goodEvent()]))).toMatchObject({ kind: 'retry', error: { code: 'publish_unavailable' } });
  });

  test.each([
    ['no gzip', Buffer.from('hello')],
    ['an empty message', Buffer.alloc(0)],
  ])('F16: %s goes to the rejected topic whole and is acknowledged', async (_name, data) => {
    const { write, rejectedEnvelopes, appended } = setUp();
    expect(await write(pushBodyOf({ ...messageOf([]), data }))).toMatchObject({ kind: 'accepted', value: { rows: 0, refused: 1 } });
    expect(appended).toEqual([]);
    const { raw, rejected_stream: stream, errors } = rejectedEnvelopes[0]!.body as RejectedBody;
    expect([stream, errors[0]!.code, Buffer.from(raw!.base64, 'base64')]).toEqual(['events', 'message_undecodable', data]);
  });

  test('F16: a line that is no envelope and a push that is not Pub/Sub\'s are acknowledged and kept', async () => {
    const { write, writeEnvelopes, rejectedEnvelopes } = setUp();
    expect(await writeEnvelopes({ hello: 1 })).toMatchObject({ kind: 'accepted' });
    expect(await write(Buffer.from('{"not":"a push"}'))).toMatchObject({ kind: 'accepted' });
    expect(rejectedEnvelopes.map(({ body }) => (body as RejectedBody).errors[0]!.code)).toEqual(['message_undecodable', 'message_undecodable']);
    expect(Buffer.from((rejectedEnvelopes[1]!.body as RejectedBody).raw!.base64, 'base64').toString()).toBe('{"not":"a push"}');
  });

  test('a rejected row that BigQuery refuses goes round once more as plain bytes, and then not again', async () => {
    const refusing = setUp({ append: () => ({ kind: 'rows_refused', reasons: new Map([[0, 'no']]) }) });
    const body: RejectedBody = { rejected_id: 'x', rejected_stream: 'events', stage: 'collect', errors: [ingestError('bad_event_id')], attempt: 0 };
    expect(await refusing.writeEnvelopes(envelopeOf([], { stream: 'rejected', events: 1, body }))).toMatchObject({ kind: 'accepted' });
    expect(refusing.rejectedEnvelopes).toHaveLength(1);
    expect(await refusing.writeEnvelopes(refusing.rejectedEnvelopes[0]!)).toMatchObject({ kind: 'accepted' });
    expect(refusing.rejectedEnvelopes).toHaveLength(1);
    expect(refusing.logged).toEqual(['a rejected row was refused twice; it is in the archive only']);
  });
});

describe('versions', () => {
  test('an envelope of a version that this code does not know waits, and nothing of its message is written', async () => {
    const { writeEnvelopes, appended, rejectedEnvelopes } = setUp();
    expect(await writeEnvelopes(envelopeOf([goodEvent()]), { ...envelopeOf([goodEvent()]), envelope: 2 })).toMatchObject({ kind: 'retry', error: { code: 'envelope_version_unknown' } });
    expect([appended, rejectedEnvelopes]).toEqual([[], []]);
  });

  test('code of N and of N-1 side by side: both write old messages, only N writes new ones, and the new one waits for it', async () => {
    const before = setUp({ versions: [1] });
    const after = setUp({ versions: [1, 2] });
    const old = envelopeOf([goodEvent()]);
    const next = { ...envelopeOf([goodEvent()]), envelope: 2 };
    expect([(await before.writeEnvelopes(old)).kind, (await after.writeEnvelopes(old)).kind]).toEqual(['accepted', 'accepted']);
    expect([(await before.writeEnvelopes(next)).kind, (await after.writeEnvelopes(next)).kind]).toEqual(['retry', 'accepted']);
    expect(before.appended.length + after.appended.length).toBe(3);
    expect([...before.rejectedEnvelopes, ...after.rejectedEnvelopes]).toEqual([]);
  });

  test.each([['stream', { stream: 'unheard' }], ['protocol', { protocol: 'unheard' }]])('a %s that this code does not know waits for newer code', async (_what, fields) => {
    const { writeEnvelopes, appended, rejectedEnvelopes } = setUp();
    expect(await writeEnvelopes(envelopeOf([goodEvent()], fields))).toMatchObject({ kind: 'retry', error: { code: 'code_too_old' } });
    expect([appended, rejectedEnvelopes]).toEqual([[], []]);
  });
});

test('a message of which one table is in trouble is asked for again', async () => {
  const { writeEnvelopes } = setUp({ append: (table) => (table.startsWith('late') ? { kind: 'unavailable', reason: 'x', outage: true } : { kind: 'stored' }) });
  const old = goodEvent({ event_timestamp: NOON_MICROS - 5 * 86_400_000_000 });
  expect(await writeEnvelopes(envelopeOf([goodEvent(), old]))).toMatchObject({ kind: 'retry', error: { code: 'bigquery_unavailable' } });
});
