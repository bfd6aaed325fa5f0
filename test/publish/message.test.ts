// The packing of messages: whatever clients send, an independent reader finds the lines that went in.
import { execFileSync, spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBody } from '../../functions/collect/decode-body.ts';
import { parseBody } from '../../functions/collect/parse-body.ts';
import { encodeLine, spliceLine, type EncodedLine, type EnvelopeHead } from '../../functions/envelope-line.ts';
import { makeRejectedEnvelope, packMessage } from '../../functions/publish/message.ts';
import { storedMember } from '../../functions/publish/gzip-member.ts';
import { readMessage } from '../../functions/read-message.ts';
import { readLines, readMembers } from './gzip-reader.ts';

const head = (requestId: string, events: number): EnvelopeHead => ({
  envelope: 1, request_id: requestId, received_timestamp: 1_767_225_600_000_000, stream: 'events', source: 'demo-app', protocol: 'native',
  code_version: 'test', schema_version: 1, client: { user_agent: 'tést' }, events, rejected: [],
});

/** Ways a client may write the same JSON value. */
const spelling = fc.record({
  hasBom: fc.boolean(),
  lineBreak: fc.constantFrom('', '\n', '\r\n', '\r'),
  gzip: fc.constantFrom('none', 'one member', 'two members', 'named', 'stored', 'NUL behind', 'empty member behind'),
  level: fc.integer({ min: 0, max: 9 }),
});
const value = fc.record({ user_id: fc.string({ unit: 'binary' }), events: fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 5 }) });

function spell(content: unknown, how: { hasBom: boolean; lineBreak: string; gzip: string; level: number }): Buffer {
  const text = how.lineBreak === '' ? JSON.stringify(content) : JSON.stringify(content, null, 1).replaceAll('\n', how.lineBreak) + how.lineBreak;
  const bytes = Buffer.from((how.hasBom ? '\ufeff' : '') + text);
  const cut = Math.floor(bytes.length / 2);
  const member = (part: Buffer): Buffer => gzipSync(part, { level: how.level });
  switch (how.gzip) {
    case 'one member': return member(bytes);
    case 'two members': return Buffer.concat([member(bytes.subarray(0, cut)), member(bytes.subarray(cut))]);
    case 'named': return named(member(bytes));
    case 'stored': return storedMember(bytes);
    case 'NUL behind': return Buffer.concat([member(bytes), Buffer.alloc(3)]);
    case 'empty member behind': return Buffer.concat([member(bytes), member(Buffer.alloc(0))]);
    default: return bytes;
  }
}

/** A member with extra field, name and comment. */
function named(member: Buffer): Buffer {
  const header = Buffer.from(member.subarray(0, 10));
  header[3] = 4 + 8 + 16;
  return Buffer.concat([header, Buffer.from([3, 0, 1, 2, 3]), Buffer.from('batch.json\0'), Buffer.from('a comment\0'), member.subarray(10)]);
}

function lineOf(body: Buffer, requestId: string): EncodedLine {
  const decoded = decodeBody(body, false);
  if (decoded.kind !== 'accepted') throw new Error(decoded.error.code);
  const parsed = parseBody(decoded.value, requestId);
  if (parsed.kind !== 'accepted') throw new Error(parsed.error.code);
  return spliceLine(head(requestId, 0), parsed.value.body);
}

test('any mix of gzip and plain bodies comes out of an independent reader as the lines that went in', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(value, spelling), { minLength: 1, maxLength: 8 }), async (requests) => {
    const lines = requests.map(([content, how], index) => lineOf(spell(content, how), `request-${index}`));
    const { data } = await packMessage('events', lines);
    const read = readLines(data).map((line) => JSON.parse(line) as { request_id: string; body: unknown });
    expect(read.map((line) => line.body)).toEqual(requests.map(([content]) => JSON.parse(JSON.stringify(content)) as unknown));
    expect(read.map((line) => line.request_id)).toEqual(requests.map((_, index) => `request-${index}`));
    const own = readMessage({ data });
    expect(own.kind === 'accepted' && own.value.map((envelope) => envelope.body)).toEqual(read.map((line) => line.body));
  }), { numRuns: 150 });
});

test('what comes out holds the client\'s own bytes, but for line breaks and a BOM', async () => {
  const text = '{"events" : [ {"a":1.50e0, "a":"\\u00e9\u2028"} ] }';
  for (const sent of [Buffer.from(text), gzipSync(text), Buffer.from(`\ufeff${text}`)]) {
    const [line] = readLines((await packMessage('events', [lineOf(sent, 'r')])).data);
    expect(line).toBe(`${JSON.stringify(head('r', 0)).slice(0, -1)},"body":${text}}`);
  }
  const [line] = readLines((await packMessage('events', [lineOf(Buffer.from('{"events":\r\n[\n]}'), 'r')])).data);
  expect(line).toContain('"body":{"events":  [ ]}}');
});

test('a client\'s gzip travels as it came, byte for byte', async () => {
  const sent = named(gzipSync('{"events":[]}'));
  const { data } = await packMessage('events', [lineOf(sent, 'r')]);
  expect(data.includes(sent)).toBe(true);
});

test('a gzip with a NUL behind it never travels: everything behind it would be lost', async () => {
  const sent = Buffer.concat([gzipSync('{"events":[]}'), Buffer.alloc(1)]);
  const { data } = await packMessage('events', [lineOf(sent, 'one'), lineOf(sent, 'two')]);
  expect(data.includes(sent)).toBe(false);
  expect(readLines(data)).toHaveLength(2);
});

test('python reads a message too', async (context) => {
  if (spawnSync('python3', ['--version']).status !== 0) return context.skip();
  const bodies = [Buffer.from('{"events":[1]}'), gzipSync('{"events":[2]}'), named(gzipSync('{"events":[3]}')), Buffer.from(`{"events":["${'x'.repeat(5_000)}"]}`)];
  const { data } = await packMessage('events', bodies.map((body, index) => lineOf(body, `r${index}`)));
  const read = execFileSync('python3', ['-c', 'import gzip,sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))'], { input: data });
  expect(read.toString().split('\n').slice(0, -1)).toEqual(readLines(data));
});

test('attributes tell the stream, the envelope\'s version and the counts, and nothing per user', async () => {
  const line: EncodedLine = { ...spliceLine({ ...head('r', 5), rejected: [1, 3] }, { bytes: Buffer.from('{}'), isGzip: false, inflatedBytes: 2 }) };
  const { attributes } = await packMessage('events', [line, line], 'message-7');
  expect(attributes).toEqual({ stream: 'events', envelope: '1', events: '6', rejected: '4', encoding: 'gzip', replay_of: 'message-7' });
});

test('a stored member holds up to 65,535 bytes and refuses more', () => {
  for (const size of [0, 1, 65_535]) expect(readMembers(storedMember(Buffer.alloc(size, 'a')))[0]).toEqual(Buffer.alloc(size, 'a'));
  expect(() => storedMember(Buffer.alloc(65_536))).toThrow(RangeError);
});

test('the same event refused twice has one id; another index, source or content has another', () => {
  const request = { ...head('r', 1), client: {} };
  const id = (change: object, event: unknown = { a: 1 }, index = 0): string => {
    const { body } = makeRejectedEnvelope({ request: { ...request, ...change }, stage: 'collect', errors: [], event, index });
    return (body as { rejected_id: string }).rejected_id;
  };
  expect(id({ request_id: 'another', received_timestamp: 1 })).toBe(id({}));
  expect(new Set([id({}), id({ source: 'other' }), id({}, { a: 2 }), id({}, { a: 1 }, 1)]).size).toBe(4);
  expect(id({})).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('a whole envelope becomes one line, whatever is in it', async () => {
  const envelope = makeRejectedEnvelope({ request: { ...head('r', 1) }, stage: 'collect', errors: [], event: { text: 'a\nb\r\u2028' }, index: 0 });
  expect(readLines((await packMessage('rejected', [encodeLine(envelope)])).data).map((line) => JSON.parse(line) as unknown)).toEqual([envelope]);
});
