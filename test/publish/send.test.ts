// The guard around Pub/Sub's client: deadline, bounded retries, breaker.
import { expect, test } from 'vitest';
import type { MessageAttributes } from '../../functions/envelope.ts';
import { createSend, type PublishCall } from '../../functions/publish/send.ts';

const attributes: MessageAttributes = { stream: 'events', envelope: '1', events: '1', rejected: '0', encoding: 'gzip' };
const grpc = (code: number): Error => Object.assign(new Error(`code ${code}`), { code });
const guard = (call: PublishCall, deadlineMs = 1_000): ReturnType<typeof createSend> => createSend({ topic: 'chiplog-events', call, log: () => undefined, deadlineMs });
const UNAVAILABLE = 14, NOT_FOUND = 5;

test('a message that Pub/Sub takes at the third try is accepted', async () => {
  let tries = 0;
  const { send } = guard(async () => {
    if (++tries < 3) throw grpc(UNAVAILABLE);
    return 'message-1';
  }, 5_000);
  expect(await send(Buffer.from('x'), attributes)).toEqual({ kind: 'accepted', value: { messageId: 'message-1' } });
});

test('three tries are all: then the request is told to come again', async () => {
  let tries = 0;
  const { send } = guard(async () => {
    tries++;
    throw grpc(UNAVAILABLE);
  }, 5_000);
  const outcome = await send(Buffer.from('x'), attributes);
  expect(outcome.kind === 'retry' && outcome.error.code).toBe('publish_unavailable');
  expect(tries).toBe(3);
});

test('a missing topic is not tried again, and is our trouble, never the sender\'s', async () => {
  let tries = 0;
  const { send } = guard(async () => {
    tries++;
    throw grpc(NOT_FOUND);
  });
  expect((await send(Buffer.from('x'), attributes)).kind).toBe('retry');
  expect(tries).toBe(1);
});

test('a call that hangs ends at the deadline', { timeout: 10_000 }, async () => {
  const { send } = guard(() => new Promise(() => undefined), 100);
  const began = performance.now();
  expect((await send(Buffer.from('x'), attributes)).kind).toBe('retry');
  expect(performance.now() - began).toBeGreaterThan(90);
});

test('after many failures the breaker refuses at once, and retries do not multiply the load', async () => {
  let calls = 0;
  const { send, isOpen } = guard(async () => {
    calls++;
    throw grpc(UNAVAILABLE);
  });
  for (let i = 0; i < 40; i++) await send(Buffer.from('x'), attributes);
  expect(isOpen()).toBe(true);
  const before = calls;
  const tookMs: number[] = [];
  for (let i = 0; i < 5; i++) {
    const began = performance.now();
    expect((await send(Buffer.from('x'), attributes)).kind).toBe('retry');
    tookMs.push(performance.now() - began);
  }
  expect(calls).toBe(before);
  // The quickest, since a busy machine stalls some: a wait before another try is 50 ms at least.
  expect(Math.min(...tookMs)).toBeLessThan(50);
  expect(calls).toBeLessThan(40 + 10 + 1);
});
