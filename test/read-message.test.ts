// What subscribers read: pushes, messages, and everything that is no message.
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { LIMITS } from '../functions/limits.ts';
import { readMessage, readPush } from '../functions/read-message.ts';

const envelope = { envelope: 1, request_id: 'r', received_timestamp: 1, stream: 'events', source: 's', protocol: 'native', code_version: 'c', schema_version: 1, client: {}, events: 0, rejected: [], body: {} };
const push = { message: { data: Buffer.from('abc').toString('base64'), messageId: 'm1', publishTime: '2026-01-15T00:00:00.123Z', attributes: { stream: 'events' } }, subscription: 'projects/p/subscriptions/s', deliveryAttempt: 2 };
const message = (text: string): { data: Uint8Array } => ({ data: gzipSync(text) });
const codeOf = (outcome: { kind: string; error?: { code: string } }): string => `${outcome.kind} ${outcome.error?.code ?? ''}`;

test('a push is read from bytes, from text and from a parsed body alike', () => {
  for (const body of [push, JSON.stringify(push), Buffer.from(JSON.stringify(push))]) {
    expect(readPush(body)).toEqual({ kind: 'accepted', value: {
      messageId: 'm1', publishTimeMs: Date.UTC(2026, 0, 15) + 123, attributes: { stream: 'events' }, data: Buffer.from('abc'), subscription: 'projects/p/subscriptions/s', deliveryAttempt: 2,
    } });
  }
});

test.each([
  ['no JSON', 'x'], ['no message', {}], ['null', null], ['no id', { message: { ...push.message, messageId: '' } }],
  ['no time', { message: { ...push.message, publishTime: 'yesterday' } }], ['data that is no base64', { message: { ...push.message, data: '***!' } }],
])('a push with %s is undecodable, never an endless redelivery', (_, body) => {
  expect(codeOf(readPush(body))).toBe('rejected message_undecodable');
});

test('every line of a message is an envelope, across gzip members', () => {
  const two = { data: Buffer.concat([gzipSync(`${JSON.stringify(envelope)}\n`), gzipSync(`${JSON.stringify({ ...envelope, request_id: 'r2' })}\n`)]) };
  expect(readMessage(two)).toEqual({ kind: 'accepted', value: [envelope, { ...envelope, request_id: 'r2' }] });
});

test('an unknown envelope version waits for the code that knows it', () => {
  expect(codeOf(readMessage(message(JSON.stringify({ envelope: 99, anything: true }))))).toBe('retry envelope_version_unknown');
});

test.each([
  ['random bytes', { data: Buffer.from('no gzip at all') }],
  ['nothing', { data: new Uint8Array() }],
  ['an empty gzip', message('')],
  ['a line that is no JSON', message(`${JSON.stringify(envelope)}\n{`)],
  ['a line that is no envelope', message('{"envelope":1}')],
  ['a cut gzip', { data: gzipSync(JSON.stringify(envelope)).subarray(0, 40) }],
  ['a bomb', { data: gzipSync(Buffer.alloc(2 * LIMITS.messageMergedBytesMax + 1, ' ')) }],
])('a message of %s is undecodable', (_, data) => {
  expect(codeOf(readMessage(data))).toBe('rejected message_undecodable');
});
