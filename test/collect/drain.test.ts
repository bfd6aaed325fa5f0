// Stopping, step by step: who is answered at once, and who is waited for.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createDrain } from '../../functions/collect/drain.ts';

const response = (): ServerResponse => new ServerResponse(new IncomingMessage(new Socket()));
const NEVER_MS = 60_000;

async function isOver(stopping: Promise<void>): Promise<boolean> {
  return Promise.race([stopping.then(() => true), sleep(20, false)]);
}

test('a request whose body is still coming is answered 503 and not waited for', async () => {
  const drain = createDrain(NEVER_MS);
  const one = response();
  expect(drain.enter(one)).toBe(false);
  drain.reading(one);
  expect(await isOver(drain.begin())).toBe(true);
  expect([one.headersSent, one.statusCode, one.getHeader('connection')]).toEqual([true, 503, undefined]);
});

test('a request that came before the signal and begins to read its body after it is answered 503 and not waited for', async () => {
  const drain = createDrain(NEVER_MS);
  const one = response();
  drain.enter(one);
  const stopping = drain.begin();
  expect(await isOver(stopping)).toBe(false);
  drain.reading(one);
  expect([one.headersSent, one.statusCode]).toEqual([true, 503]);
  expect(await isOver(stopping)).toBe(true);
});

test('a request that is being published is waited for, until time is up', async () => {
  const drain = createDrain(NEVER_MS);
  const [published, other] = [response(), response()];
  for (const each of [published, other]) {
    drain.enter(each);
    drain.reading(each);
    drain.read(each);
  }
  const stopping = drain.begin();
  expect(published.getHeader('connection')).toBe('close');
  drain.leave(other);
  expect(await isOver(stopping)).toBe(false);
  drain.leave(published);
  expect(await isOver(stopping)).toBe(true);

  const impatient = createDrain(5);
  impatient.enter(response());
  await impatient.begin();
});

test('who comes after the signal is told so', () => {
  const drain = createDrain(NEVER_MS);
  void drain.begin();
  expect(drain.enter(response())).toBe(true);
});
