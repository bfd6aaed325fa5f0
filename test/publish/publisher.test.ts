// Coalescing: which lines share a message, and whose fate is whose.
import { expect, test } from 'vitest';
import type { EncodedLine } from '../../functions/envelope-line.ts';
import { ingestError } from '../../functions/errors.ts';
import { accepted, retry } from '../../functions/outcome.ts';
import { createPublisher, type Send } from '../../functions/publish/publisher.ts';
import { readLines } from './gzip-reader.ts';

const limits = { messageBytesMax: 100, messageMergedBytesMax: 1_000, coalesceMs: 5, coalesceBusyMs: 20 };
const line = (text: string, mergedBytes = text.length + 1): EncodedLine =>
  ({ chunks: [{ bytes: Buffer.from(`${text}\n`), isGzip: false }], bytes: text.length + 1, mergedBytes, accepted: 1, rejected: 0 });

function recorder(answer: (index: number) => Awaited<ReturnType<Send>> = (index) => accepted({ messageId: String(index) })): { send: Send; messages: string[][] } {
  const messages: string[][] = [];
  return { messages, send: async (data) => answer(messages.push(readLines(data)) - 1) };
}

test('lines that arrive together share one message, and each gets its id', async () => {
  const { send, messages } = recorder();
  const { publish } = createPublisher({ stream: 'events', send, limits });
  expect(await Promise.all([publish(line('a')), publish(line('b'))])).toEqual([accepted({ messageId: '0' }), accepted({ messageId: '0' })]);
  expect(await publish(line('c'))).toEqual(accepted({ messageId: '1' }));
  expect(messages).toEqual([['a', 'b'], ['c']]);
});

test('a message of several lines never exceeds its caps: bytes, and merged bytes', async () => {
  const { send, messages } = recorder();
  const { publish } = createPublisher({ stream: 'events', send, limits });
  const fits = 'x'.repeat(49); // 50 bytes with its line feed: two fit in 100 exactly
  await Promise.all([publish(line(fits)), publish(line(fits)), publish(line('y'))]);
  expect(messages).toEqual([[fits, fits], ['y']]);
  messages.length = 0;
  await Promise.all([publish(line('a', 500)), publish(line('b', 500)), publish(line('c', 1))]);
  expect(messages).toEqual([['a', 'b'], ['c']]);
});

test('a line that is larger than a message alone travels alone', async () => {
  const { send, messages } = recorder();
  const { publish } = createPublisher({ stream: 'events', send, limits });
  const large = 'x'.repeat(500);
  await Promise.all([publish(line('a')), publish(line(large)), publish(line('b'))]);
  expect(messages).toEqual([['a'], [large], ['b']]);
});

test('while a message is under way the next one waits for company, but not long', async () => {
  const acknowledge: (() => void)[] = [];
  const messages: string[][] = [];
  const { publish } = createPublisher({ stream: 'events', limits: { ...limits, coalesceBusyMs: 200 }, send: (data) => new Promise((resolve) => {
    messages.push(readLines(data));
    acknowledge.push(() => resolve(accepted({ messageId: String(messages.length) })));
  }) });
  const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));
  const first = publish(line('a'));
  await pause(30);
  const others = [publish(line('b'))];
  await pause(30);
  others.push(publish(line('c')));
  expect(messages).toEqual([['a']]);
  acknowledge[0]!();
  await first;
  await pause(30);
  expect(messages).toEqual([['a'], ['b', 'c']]);
  others.push(publish(line('d')));
  await pause(300);
  expect(messages).toEqual([['a'], ['b', 'c'], ['d']]);
  for (const one of acknowledge) one();
  await Promise.all(others);
});

test('a failed message fails exactly its own lines', async () => {
  const failure = retry(ingestError('publish_unavailable', { reason: 'test' }));
  const { send } = recorder((index) => (index === 0 ? failure : accepted({ messageId: 'ok' })));
  const { publish } = createPublisher({ stream: 'events', send, limits });
  const half = 'x'.repeat(49);
  const outcomes = await Promise.all([publish(line(half)), publish(line(half)), publish(line('b'))]);
  expect(outcomes.map(({ kind }) => kind)).toEqual(['retry', 'retry', 'accepted']);
});

test('a bug while sending fails the lines of that message and no others', async () => {
  let calls = 0;
  const { publish } = createPublisher({ stream: 'events', limits, send: async () => {
    if (++calls === 1) throw new Error('a bug');
    return accepted({ messageId: 'ok' });
  } });
  await expect(publish(line('a'))).rejects.toThrow('a bug');
  expect((await publish(line('b'))).kind).toBe('accepted');
});

test('flush sends what waits and resolves when all is acknowledged', async () => {
  let acknowledge = (): void => undefined;
  const { publish, flush } = createPublisher({ stream: 'events', limits: { ...limits, coalesceMs: 60_000, coalesceBusyMs: 60_000 }, send: () =>
    new Promise((resolve) => { acknowledge = () => resolve(accepted({ messageId: 'late' })); }) });
  const outcome = publish(line('a'));
  let isFlushed = false;
  const flushed = flush().then(() => { isFlushed = true; });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(isFlushed).toBe(false);
  acknowledge();
  await flushed;
  expect((await outcome).kind).toBe('accepted');
});
