// What every subscriber answers to a push, over a real HTTP server: 204 acknowledges, anything else is sent again.
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createPushHandler } from '../functions/answer-push.ts';
import { ingestError } from '../functions/errors.ts';
import { LIMITS } from '../functions/limits.ts';
import { accepted, retry } from '../functions/outcome.ts';
import type { Outcome } from '../functions/outcome.ts';

const closers: (() => void)[] = [];
afterEach(() => { for (const close of closers.splice(0)) close(); });

async function serve(work: (body: Buffer) => Promise<Outcome<unknown>>, isStopping = () => false, deadlineMs: number = LIMITS.pushDeadlineMs) {
  const logged: string[] = [];
  const handler = createPushHandler({ work, log: (severity, message) => void logged.push(`${severity} ${message}`), stopping: { watch: () => undefined, isStopping }, deadlineMs });
  const server = createServer((incoming, response) => void handler(incoming, response));
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  closers.push(() => { server.close(); server.closeAllConnections(); });
  const { port } = server.address() as AddressInfo;
  const post = (body: string, headers: Record<string, string | number> = {}, method = 'POST'): Promise<number> => new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, headers }, (response) => { response.resume(); resolve(response.statusCode!); });
    sent.on('error', reject);
    sent.end(body);
  });
  return { post, logged };
}

test('a message that is stored is acknowledged, with its body as it came', async () => {
  const bodies: string[] = [];
  const { post } = await serve(async (body) => { bodies.push(body.toString()); return accepted(undefined); });
  expect(await post('{"a":1}', { 'content-type': 'application/json' })).toBe(204);
  expect(bodies).toEqual(['{"a":1}']);
});

test('trouble of ours or Google\'s asks for the message again', async () => {
  const { post, logged } = await serve(async () => retry(ingestError('bigquery_unavailable', { reason: 'x' })));
  expect(await post('{}')).toBe(503);
  expect(logged).toEqual(['WARNING a push was not acknowledged']);
});

test('a bug asks for the message again, and is an error in the log', async () => {
  const { post, logged } = await serve(async () => { throw new Error('bug'); });
  expect(await post('{}')).toBe(503);
  expect(logged).toEqual(['ERROR a push failed']);
});

test('nothing is begun after SIGTERM', async () => {
  let works = 0;
  const { post } = await serve(async () => { works += 1; return accepted(undefined); }, () => true);
  expect(await post('{}')).toBe(503);
  expect(works).toBe(0);
});

test('a body that would not fit into the bytes in flight is not read', async () => {
  let works = 0;
  const { post } = await serve(async () => { works += 1; return accepted(undefined); });
  expect(await post('{}', { 'content-length': LIMITS.inFlightBytesMax + 1 }).catch(() => 503)).toBe(503);
  expect(works).toBe(0);
});

test('work that hangs is answered before Pub/Sub gives up, and its bytes are given back', { timeout: 10_000 }, async () => {
  let works = 0;
  const { post, logged } = await serve(() => { works += 1; return new Promise(() => undefined); }, () => false, 30);
  // Eight of them fill the bytes in flight: the ninth would be refused unread if any were kept.
  const large = 'x'.repeat(LIMITS.inFlightBytesMax / 8);
  for (let times = 0; times < 9; times += 1) expect(await post(large)).toBe(503);
  expect(works).toBe(9);
  expect(logged[0]).toBe('WARNING a push was not acknowledged');
});

test('a push is read up to its limit, and asked for again beyond it', async () => {
  let works = 0;
  const { post } = await serve(async (body) => { works += 1; return accepted(body.length); });
  expect(await post('x'.repeat(LIMITS.pushBytesMax))).toBe(204);
  expect(await post('x'.repeat(LIMITS.pushBytesMax + 1)).catch(() => 503)).toBe(503);
  expect(works).toBe(1);
});

test('only POST is a push', async () => {
  const { post } = await serve(async () => accepted(undefined));
  expect(await post('', {}, 'GET')).toBe(405);
});
