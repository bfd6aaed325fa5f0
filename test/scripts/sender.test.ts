// How pretend phones behave when a collector is slow, full, broken or final.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { sendPlan } from '../../scripts/send/sender.ts';

const closers: (() => void)[] = [];
afterEach(() => { for (const close of closers.splice(0)) close(); });

async function collector(answer: (body: string, number: number, response: ServerResponse) => void): Promise<string> {
  let number = 0;
  const server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    answer((request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString(), number++, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => { server.closeAllConnections(); server.close(); });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const request = (body: string, more = {}) => ({ phone: 0, body, events: 2, bad: [] as number[], isRepeat: false, ...more });
const ok = (response: ServerResponse, value: object = { accepted: 2, rejected: [] }) => response.end(JSON.stringify(value));
const options = (collectorUrl: string) => ({ collectorUrl, writeKey: 'k', gzipShare: 0.5 });

it('sends the same bytes again after 503 and after a broken connection, and counts it once', async () => {
  const seen: string[] = [];
  const url = await collector((body, number, response) => {
    seen.push(body);
    if (number === 0) response.writeHead(503).end();
    else if (number === 1) response.destroy();
    else ok(response);
  });
  const tally = await sendPlan({ requests: [request('{"a":1}')] }, options(url));
  expect(seen).toEqual(['{"a":1}', '{"a":1}', '{"a":1}']);
  expect([tally.requests, tally.accepted, tally.kept]).toEqual([1, 2, 0]);
  expect(Object.values(tally.again)).toEqual([1, 1]);
});

it('waits as long as Retry-After says', async () => {
  const at: number[] = [];
  const url = await collector((_body, number, response) => {
    at.push(performance.now());
    if (number === 0) response.writeHead(429, { 'retry-after': '1' }).end();
    else ok(response);
  });
  await sendPlan({ requests: [request('x')] }, options(url));
  expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(950);
});

it('drops what will never pass, and goes on with the next', async () => {
  const url = await collector((_body, number, response) => { if (number === 0) response.writeHead(401).end('{}'); else ok(response); });
  const tally = await sendPlan({ requests: [request('a'), request('b')] }, options(url));
  expect(tally).toMatchObject({ dropped: { 401: 2 }, accepted: 2, kept: 0 });
  expect(tally.surprises).toHaveLength(1);
});

it('keeps the rest of a phone, in order, when the collector cannot be reached', async () => {
  const tally = await sendPlan({ requests: [request('a'), request('b'), request('c')] }, { ...options('http://127.0.0.1:9'), triesMax: 2 });
  expect(tally).toMatchObject({ kept: 6, accepted: 0 });
});

it('says when the answer names other events than those that are bad', async () => {
  const url = await collector((_body, _number, response) => ok(response, { accepted: 1, rejected: [{ index: 0, code: 'bad_name', message: '' }] }));
  const tally = await sendPlan({ requests: [request('a', { bad: [1] })] }, options(url));
  expect(tally.surprises).toHaveLength(1);
  expect((await sendPlan({ requests: [request('a', { bad: [0] })] }, options(url))).surprises).toEqual([]);
});
