// What happens to requests when an instance stops, is too busy, cannot read its sources, or meets a Pub/Sub that is down.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { rmSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { LIMITS } from '../../functions/limits.ts';
import { bodyOf, eventOf, startCollector, type Answer, type RunningCollector } from './running-collector.ts';

let collector: RunningCollector;
afterEach(() => collector.close());

const good = (): string => bodyOf([eventOf()]);

/** A request whose body stays unfinished. */
function openRequest(length = 1_000): { socket: Socket; answered: Promise<string> } {
  const socket = connect(collector.port, '127.0.0.1');
  let received = '';
  const answered = new Promise<string>((done) => {
    socket.on('data', (chunk) => { received += chunk.toString(); }).on('close', () => done(received)).on('error', () => undefined);
  });
  socket.write(`POST /v1/events HTTP/1.1\r\nhost: x\r\nx-write-key: demo\r\ncontent-length: ${length}\r\n\r\n{"events":[`);
  return { socket, answered };
}

test('SIGTERM: bodies still on their way get 503 and a closed connection, publishes under way are finished, then it ends in time', async () => {
  collector = await startCollector();
  await collector.send({ body: good() });
  const { answered } = openRequest();
  collector.faults.add({ method: 'Publish', kind: 'delay', delay_ms: 1_500 });
  const publishing = collector.send({ body: good() });
  // Both are in the collector once Pub/Sub has met the second publish.
  while (collector.faults.list().length > 0) await new Promise((resume) => setTimeout(resume, 20));
  const began = Date.now();
  collector.process.kill('SIGTERM');
  const [exitCode] = await Promise.all([once(collector.process, 'exit').then(([code]) => code as number), publishing.then(({ status }) => expect(status).toBe(200))]);
  const text = await answered;
  expect(text).toMatch(/^HTTP\/1.1 503 /);
  expect(text.toLowerCase()).toContain('connection: close');
  expect(text).toContain('"shutting_down"');
  expect(exitCode).toBe(0);
  // Cloud Run kills after ten seconds. A process that its own deadline ended would not have told its counts (below).
  expect(Date.now() - began).toBeLessThan(10_000);
  expect((await collector.stored('events', 2)).lines).toHaveLength(2);
  expect(collector.output()).toContain('"events_accepted":2');
});

test('SIGTERM before any request ends it at once', async () => {
  collector = await startCollector();
  collector.process.kill('SIGTERM');
  const [code] = await once(collector.process, 'exit');
  expect(code).toBe(0);
});

test('more bytes than fit into memory are refused before they are read, and fit again later', async () => {
  collector = await startCollector();
  const open = Array.from({ length: LIMITS.inFlightBytesMax / LIMITS.bodyBytesMax }, () => openRequest(LIMITS.bodyBytesMax));
  const sendUntil = async (status: number): Promise<Answer> => {
    for (let tries = 0; ; tries++) {
      const answer = await collector.send({ body: good() });
      if (answer.status === status || tries > 200) return answer;
      await new Promise((resume) => setTimeout(resume, 20));
    }
  };
  const answer = await sendUntil(503);
  expect([answer.status, answer.json.error]).toEqual([503, 'overloaded']);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(LIMITS.retryAfterSeconds);
  for (const { socket } of open) socket.destroy();
  expect((await sendUntil(200)).status).toBe(200);
});

test('sources that cannot be read are 503, never 401; once read, the last good ones serve', async () => {
  collector = await startCollector({ env: { CHIPLOG_SOURCES_FILE: '/nowhere/sources.json' } });
  const answer = await collector.send({ body: good(), key: 'wrong' });
  expect([answer.status, answer.json.error]).toEqual([503, 'sources_unreadable']);
  await collector.close();
  collector = await startCollector();
  expect((await collector.send({ body: good() })).status).toBe(200);
  rmSync(collector.sourcesFile);
  await new Promise((resume) => setTimeout(resume, LIMITS.sourcesCheckMs + 100));
  expect((await collector.send({ body: good() })).status).toBe(200);
});

test('while Pub/Sub is down the breaker answers fast, and memory does not grow; when it is back, so are we', { timeout: 30_000 }, async () => {
  collector = await startCollector();
  expect((await collector.send({ body: good() })).status).toBe(200);
  collector.faults.add({ method: 'Publish', kind: 'fail', status: 'UNAVAILABLE', times: null });
  for (let i = 0; i < 25; i++) expect((await collector.send({ body: good() })).status).toBe(503);
  const tookMs: number[] = [];
  for (let i = 0; i < 20; i++) {
    const began = performance.now();
    expect((await collector.send({ body: good() })).json.error).toBe('publish_unavailable');
    tookMs.push(performance.now() - began);
  }
  // The median, since a busy machine stalls some of them: a publish that is tried again waits for 50 ms at least.
  expect(tookMs.sort((a, b) => a - b)[10]).toBeLessThan(50);
  collector.faults.clear();
  let status = 0;
  for (let i = 0; i < 40 && status !== 200; i++) {
    await new Promise((resume) => setTimeout(resume, 200));
    ({ status } = await collector.send({ body: good() }));
  }
  expect(status).toBe(200);
});

test('a setting that is wrong stops the start, and every problem is told', async () => {
  await expect(startCollector({ env: { CHIPLOG_LATE_DAYS_MAX: 'many', CHIPLOG_SORCES_FILE: '/x' } }).then((started) => { collector = started; }))
    .rejects.toThrow(/CHIPLOG_LATE_DAYS_MAX is "many"[^]*CHIPLOG_SORCES_FILE is not a setting/);
  collector = await startCollector();
});
