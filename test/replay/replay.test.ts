// Replays of pretended archives: what is published again, once, under which ids; and what is judged again.
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Envelope, MessageAttributes, RejectedBody } from '../../functions/envelope.ts';
import { ingestError } from '../../functions/errors.ts';
import type { ErrorCode } from '../../functions/errors.ts';
import { accepted, retry } from '../../functions/outcome.ts';
import type { Outcome } from '../../functions/outcome.ts';
import { makeRejectedEnvelope } from '../../functions/publish/message.ts';
import { rawFiles } from '../../functions/replay/files.ts';
import { parseRange } from '../../functions/replay/range.ts';
import { readReplayRequest } from '../../functions/replay/read-request.ts';
import { readLines } from '../../functions/replay/read-lines.ts';
import { replay } from '../../functions/replay/run.ts';
import type { ReplayRequest } from '../../functions/replay/run.ts';
import { ATTEMPTS_MAX } from '../../functions/replay/rejected.ts';
import { protocolNamed } from '../../functions/collect/protocols/registry.ts';
import { envelopeOf, goodEvent, NOON_MICROS } from '../write/bigquery/messages.ts';

type Published = { stream: string; attributes: MessageAttributes; lines: string[]; envelopes: Envelope[] };
const member = (...lines: unknown[]): Buffer => gzipSync(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
const HOUR = 'dt=2026-01-15/hour=12';

function setUp(objects: Record<string, Buffer>, sendOutcome: () => Outcome<{ messageId: string }> = () => accepted({ messageId: '1' })) {
  const published: Published[] = [];
  const run = (request: Partial<ReplayRequest> = {}) => replay(
    { stream: 'events', from: '2026-01-15', to: '2026-01-15', store: 'raw', dryRun: false, dateByReceipt: false, ...request },
    {
      streams: ['events', 'inference', 'rejected'],
      files: {
        ofDay: async (stream, day) => rawFiles(Object.keys(objects).filter((name) => name.startsWith(`raw/${stream}/dt=${day}/`))),
        open: (name) => Readable.from([objects[name]!]),
      },
      sendTo: (stream) => async (data, attributes) => {
        const outcome = sendOutcome();
        const lines = gunzipSync(data).toString().trimEnd().split('\n');
        if (outcome.kind === 'accepted') published.push({ stream, attributes, lines, envelopes: lines.map((line) => JSON.parse(line) as Envelope) });
        return outcome;
      },
      wait: async () => undefined,
      lateDaysMax: 30,
    });
  return { run, published };
}

describe('raw', () => {
  const first = JSON.stringify(envelopeOf([goodEvent(), goodEvent()], { request_id: 'r1', rejected: [1] }));
  const second = JSON.stringify(envelopeOf([goodEvent()], { request_id: 'r2' }));

  test('the same lines are published, byte for byte, naming the message they came in', async () => {
    const { run, published } = setUp({ [`raw/events/${HOUR}/71.ndjson.gz`]: member(first), [`raw/events/${HOUR}/72.ndjson.gz`]: member(second) });
    expect(await run()).toMatchObject({ kind: 'accepted', value: { files: 2, requests: 2, events: 2, messages: 2 } });
    expect(published.map(({ lines }) => lines)).toEqual([[first], [second]]);
    expect(published[0]!.attributes).toEqual({ stream: 'events', envelope: '1', events: '1', rejected: '1', encoding: 'gzip', replay_of: '71' });
  });

  test('an hour that was joined while its single objects are still there counts each request once', async () => {
    const { run, published } = setUp({
      [`raw/events/${HOUR}/71.ndjson.gz`]: member(first),
      [`raw/events/${HOUR}/compacted-0a1b.ndjson.gz`]: Buffer.concat([member(first), member(second)]),
    });
    expect(await run()).toMatchObject({ kind: 'accepted', value: { requests: 2, repeated: 1 } });
    expect(published.flatMap(({ lines }) => lines)).toEqual([first, second]);
  });

  test('only hours of the range are read, both ends included', async () => {
    const at = (hour: string) => [`raw/events/dt=2026-01-15/hour=${hour}/${hour}.ndjson.gz`, member(JSON.stringify(envelopeOf([goodEvent()], { request_id: hour })))] as const;
    const { run, published } = setUp(Object.fromEntries(['05', '06', '07', '08'].map(at)));
    await run({ from: '2026-01-15T06', to: '2026-01-15T07' });
    expect(published.map(({ attributes }) => attributes.replay_of)).toEqual(['06', '07']);
  });

  test('a dry run counts and sends nothing', async () => {
    const { run, published } = setUp({ [`raw/events/${HOUR}/71.ndjson.gz`]: member(first) });
    expect(await run({ dryRun: true })).toMatchObject({ kind: 'accepted', value: { requests: 1, messages: 0, dry_run: true } });
    expect(published).toEqual([]);
  });

  test('a file that cannot be read is counted, the others are replayed', async () => {
    const { run, published } = setUp({
      [`raw/events/${HOUR}/70.ndjson.gz`]: Buffer.from('no gzip'),
      [`raw/events/${HOUR}/71.ndjson.gz`]: Buffer.concat([member(first), member('no json'), member(second)]),
    });
    expect(await run()).toMatchObject({ kind: 'accepted', value: { requests: 2, unreadable: 2 } });
    expect(published.flatMap(({ lines }) => lines)).toEqual([first, second]);
  });

  test('when Pub/Sub stays down the replay stops and says so', async () => {
    let tries = 0;
    const { run } = setUp({ [`raw/events/${HOUR}/71.ndjson.gz`]: member(first) }, () => { tries += 1; return retry(ingestError('publish_unavailable', { reason: 'down' })); });
    expect(await run()).toMatchObject({ kind: 'retry', error: { code: 'replay_stopped' } });
    expect(tries).toBe(5);
  });

  test('a failure that passes is tried again', async () => {
    let tries = 0;
    const { run, published } = setUp({ [`raw/events/${HOUR}/71.ndjson.gz`]: member(first) },
      () => ((tries += 1) < 3 ? retry(ingestError('publish_unavailable', { reason: 'down' })) : accepted({ messageId: '1' })));
    expect(await run()).toMatchObject({ kind: 'accepted', value: { messages: 1 } });
    expect(published).toHaveLength(1);
  });
});

describe('rejected', () => {
  const refusedAs = (code: ErrorCode, event: unknown, fields: { index?: number; attempt?: number; request_id?: string; protocol?: string; batch?: unknown; stage?: 'collect' | 'write-bigquery' } = {}): Envelope => {
    const { body: _body, events: _events, rejected: _rejected, envelope: _version, ...request } = envelopeOf([], { request_id: fields.request_id ?? 'r1', protocol: fields.protocol ?? 'native' });
    return makeRejectedEnvelope({ request, stage: fields.stage ?? 'collect', errors: [ingestError(code)], index: fields.index ?? 0, batch: fields.batch ?? { platform: 'IOS' }, event, attempt: fields.attempt ?? 0 });
  };
  const archive = (...envelopes: Envelope[]) => setUp({ [`raw/rejected/${HOUR}/80.ndjson.gz`]: member(...envelopes) });
  const rejectedRun = { store: 'rejected' } as const;

  test('an event that is good by now goes to its stream with its id, its request and its time of receipt', async () => {
    const event = goodEvent();
    const { run, published } = archive(refusedAs('mapping_failed', event, { index: 2 }));
    expect(await run(rejectedRun)).toMatchObject({ kind: 'accepted', value: { repaired: 1, still_bad: 0 } });
    expect(published).toHaveLength(1);
    expect(published[0]).toMatchObject({ stream: 'events', attributes: { replay_of: '80', events: '1', rejected: '2' } });
    expect(published[0]!.envelopes[0]).toMatchObject({ request_id: 'r1', received_timestamp: NOON_MICROS, stream: 'events', events: 3, rejected: [0, 1], body: { platform: 'IOS', events: [null, null, event] } });
  });

  test('F42: an event that is still bad is rejected again, under the same id, one attempt more', async () => {
    const bad = refusedAs('bad_name', goodEvent({ event_name: '9 lives' }), { attempt: 1 });
    const { run, published } = archive(bad);
    expect(await run(rejectedRun)).toMatchObject({ kind: 'accepted', value: { repaired: 0, still_bad: 1 } });
    const again = published[0]!.envelopes[0]!.body as RejectedBody;
    expect(again).toMatchObject({ rejected_id: (bad.body as RejectedBody).rejected_id, attempt: 2, stage: 'replay', rejected_stream: 'events', errors: [{ code: 'bad_name' }] });
    expect(published[0]!.stream).toBe('rejected');
    expect(published[0]!.attributes.replay_of).toBeUndefined();
  });

  test('F43: after its last attempt an event is set aside; of several attempts in the files the last one counts', async () => {
    const event = goodEvent({ event_name: '9 lives' });
    const { run, published } = archive(refusedAs('bad_name', event, { attempt: 0 }), refusedAs('bad_name', event, { attempt: ATTEMPTS_MAX }));
    expect(await run(rejectedRun)).toMatchObject({ kind: 'accepted', value: { parked: 1, still_bad: 0, repeated: 1 } });
    expect(published).toEqual([]);
  });

  test('events that came too late stay rejected, and with the time of their receipt they are good', async () => {
    const late = goodEvent({ event_timestamp: NOON_MICROS - 40 * 86_400_000_000 });
    const { run, published } = archive(refusedAs('too_late', late));
    expect(await run(rejectedRun)).toMatchObject({ value: { still_bad: 1, repaired: 0 } });
    expect(await run({ ...rejectedRun, dateByReceipt: true })).toMatchObject({ value: { still_bad: 0, repaired: 1 } });
    expect((published.at(-1)!.envelopes[0]!.body as { events: unknown[] }).events[0]).toEqual({ ...late, event_timestamp: NOON_MICROS });
  });

  test('only events of the asked stream are touched', async () => {
    const { run, published } = archive(refusedAs('mapping_failed', goodEvent()));
    expect(await run({ ...rejectedRun, stream: 'inference' })).toMatchObject({ value: { events: 0, messages: 0 } });
    expect(published).toEqual([]);
  });

  test('a number that was lost when the body was parsed is not sent as another number', async () => {
    const { run, published } = archive(refusedAs('unsafe_integer', goodEvent({ event_params: { n: 9_007_199_254_740_993 } })));
    expect(await run(rejectedRun)).toMatchObject({ value: { parked: 1, repaired: 0 } });
    expect(published).toEqual([]);
  });

  test('equal events without ids, of one request, keep the ids that the whole request gave them', async () => {
    const event = { name: 'tick', params: { n: 1 }, timestamp_micros: NOON_MICROS };
    const batch = { client_id: 'c1' };
    const facts = { requestId: 'r1', receivedTimestamp: NOON_MICROS, source: 'demo-app', client: {} };
    const ids = (body: unknown): unknown[] => protocolNamed('ga4')!.toBatch(body, facts).events.map((each) => (each as { event_id?: string } | null)?.event_id);
    const original = ids({ ...batch, events: [event, { ...event, name: 'other' }, event] });
    const { run, published } = archive(refusedAs('mapping_failed', event, { index: 0, protocol: 'ga4', batch }), refusedAs('mapping_failed', event, { index: 2, protocol: 'ga4', batch }));
    expect(await run(rejectedRun)).toMatchObject({ value: { repaired: 2 } });
    const replayed = ids(published[0]!.envelopes[0]!.body);
    expect([replayed[0], replayed[2]]).toEqual([original[0], original[2]]);
    expect(original[0]).not.toBe(original[2]);
  });
});

describe('what is asked', () => {
  test.each(['2026-1-5', '2026-02-30', '2026-01-15T24', '', 'yesterday'])('%j is no day or hour', (text) => {
    expect(parseRange(text, '2026-12-31').kind).toBe('rejected');
    expect(parseRange('2026-01-01', text).kind).toBe('rejected');
  });

  test('a range covers all its days', () => {
    expect(parseRange('2026-02-27T05', '2026-03-01')).toMatchObject({ kind: 'accepted', value: { from: '2026-02-27T05', to: '2026-03-01T23', days: ['2026-02-27', '2026-02-28', '2026-03-01'] } });
    expect(parseRange('2026-03-02', '2026-03-01').kind).toBe('rejected');
  });

  test('a request to the function says what is missing or wrong, and has the defaults of the command', () => {
    expect(readReplayRequest(Buffer.from('{"stream":"events","from":"2026-01-15"}'))).toEqual({
      kind: 'accepted', value: { stream: 'events', from: '2026-01-15', to: '2026-01-15', store: 'raw', dryRun: false, dateByReceipt: false },
    });
    expect(readReplayRequest(Buffer.from('{"stream":"events","from":"2026-01-15","dry_run":true}'))).toMatchObject({ value: { dryRun: true } });
    expect(readReplayRequest(Buffer.from('{"stream":"events","from":"2026-01-15","store":"all"}')).kind).toBe('rejected');
    expect(readReplayRequest(Buffer.from('nonsense')).kind).toBe('rejected');
  });

  test('a stream that is not in the catalogue is refused', async () => {
    expect(await setUp({}).run({ stream: 'unheard' })).toMatchObject({ kind: 'rejected' });
  });
});

test('lines are read across gzip members and chunks of any size', async () => {
  const lines = Array.from({ length: 200 }, (_, index) => JSON.stringify(envelopeOf([], { request_id: `r${index}` })));
  const bytes = Buffer.concat(lines.map((line, index) => (index % 3 === 0 ? gzipSync(line) : index % 3 === 1 ? gzipSync(`\n${line}\n`) : member(line))));
  const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) => bytes.subarray(index * 7, index * 7 + 7));
  const report = { unreadableLines: 0 };
  const found: string[] = [];
  for await (const { text } of readLines(Readable.from(chunks), report)) found.push(text);
  expect(found).toEqual(lines);
});
