// What the collector answers, whatever the body: routes, methods, keys, sources, origins, limits of an instance, Google's troubles,
// and stopping. Through the real process, over the wire.
import { once } from 'node:events';
import { connect } from 'node:net';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { LIMITS } from '../../functions/limits.ts';
import { bodyOf, eventOf, SOURCES, startCollector, type RunningCollector, type Sending } from './running-collector.ts';

const BODY_TIMEOUT_MS = 700;
let collector: RunningCollector;
beforeAll(async () => { collector = await startCollector({ env: { CHIPLOG_BODY_TIMEOUT_MS: String(BODY_TIMEOUT_MS) } }); });
afterAll(() => collector.close());
beforeEach(async () => {
  collector.faults.clear();
  for (const stream of ['events', 'inference', 'rejected'] as const) await collector.stored(stream);
});

const good = (): string => bodyOf([eventOf()]);
const codeOf = async (sending: Sending): Promise<string> => {
  const { status, json } = await collector.send(sending);
  return `${status} ${json?.error ?? 'ok'}`;
};
const nothingStored = async (): Promise<void> => {
  for (const stream of ['events', 'rejected'] as const) expect((await collector.stored(stream)).lines).toEqual([]);
};

test('every answer has the headers that keep it private and typed', async () => {
  for (const sending of [{ body: good() }, { body: '{' }, { path: '/nowhere' }]) {
    expect((await collector.send(sending)).headers).toMatchObject({
      'content-type': 'application/json', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', vary: 'Origin', 'strict-transport-security': 'max-age=31536000',
    });
  }
  expect((await collector.send({ body: good() })).headers).not.toHaveProperty('x-powered-by');
});

test('paths that are none are 404, never a redirect; a trailing slash is the same place', async () => {
  for (const path of ['/', '//v1/events', '/v1/events/..', '/v1/%65vents', '/v1/events%00', '/V1/events', '/v1']) expect(await codeOf({ path, body: good() })).toBe('404 no_route');
  expect(await codeOf({ path: '/v1/events/', body: good() })).toBe('200 ok');
});

test('a URL is refused one byte above its limit', async () => {
  const path = `/v1/events?x=${'y'.repeat(LIMITS.urlBytesMax)}`;
  expect(await codeOf({ path: path.slice(0, LIMITS.urlBytesMax), body: good() })).toBe('200 ok');
  expect(await codeOf({ path: path.slice(0, LIMITS.urlBytesMax + 1), body: good() })).toBe('414 url_too_long');
});

test('other methods are 405 and are told which to use', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'TRACE']) {
    const answer = await collector.send({ method });
    expect([answer.status, answer.json.error, answer.headers.allow]).toEqual([405, 'method_not_allowed', 'POST, OPTIONS']);
  }
  expect((await collector.send({ method: 'HEAD' })).status).toBe(405);
});

test('the key may stand in four places', async () => {
  const keyless = { key: null };
  expect(await codeOf({ ...keyless, body: good(), headers: { authorization: 'Bearer demo' } })).toBe('200 ok');
  expect(await codeOf({ ...keyless, body: good(), headers: { 'x-write-key': 'demo' } })).toBe('200 ok');
  expect(await codeOf({ ...keyless, body: good(), path: '/v1/events?key=demo' })).toBe('200 ok');
  expect(await codeOf({ ...keyless, body: bodyOf([eventOf()], { write_key: 'demo' }) })).toBe('200 ok');
});

test('no key and a wrong key are 401, a switched-off source, a foreign stream and a foreign origin 403; nothing is stored', async () => {
  expect(await codeOf({ key: null, body: good() })).toBe('401 no_key');
  expect(await codeOf({ key: null, body: '{' })).toBe('400 invalid_json');
  expect(await codeOf({ key: null, body: good(), headers: { authorization: 'Basic ZGVtbzo=' } })).toBe('401 no_key');
  expect(await codeOf({ key: 'wrong', body: good() })).toBe('401 unknown_key');
  expect(await codeOf({ key: null, body: bodyOf([eventOf()], { write_key: 'wrong' }) })).toBe('401 unknown_key');
  expect(await codeOf({ key: 'off', body: good() })).toBe('403 source_disabled');
  expect(await codeOf({ key: 'events-only', path: '/v1/inference', body: good() })).toBe('403 stream_not_allowed');
  expect(await codeOf({ body: good(), headers: { origin: 'https://evil.example' } })).toBe('403 origin_not_allowed');
  expect(await codeOf({ key: 'any-origin', body: good(), headers: { origin: 'null' } })).toBe('403 origin_not_allowed');
  await nothingStored();
});

test('keys are not in logs', async () => {
  await collector.send({ key: 'secret-looking-key', body: good(), path: '/v1/events?key=other-secret-key' });
  expect(collector.output()).not.toMatch(/secret/);
});

test('an allowed origin is echoed and may read Retry-After; a denied one is not', async () => {
  const allowed = await collector.send({ body: good(), headers: { origin: 'https://app.example' } });
  expect(allowed.headers).toMatchObject({ 'access-control-allow-origin': 'https://app.example', 'access-control-expose-headers': 'Retry-After' });
  expect(allowed.headers).not.toHaveProperty('access-control-allow-credentials');
  const refused = await collector.send({ body: '{', headers: { origin: 'https://app.example' } });
  expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([400, 'https://app.example']);
});

test('a preflight is allowed when any enabled source allows the origin', async () => {
  const preflight = (origin: string, path = '/v1/events') => collector.send({ method: 'OPTIONS', path, headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,x-write-key' } });
  const answer = await preflight('https://app.example');
  expect(answer.status).toBe(204);
  expect(answer.headers).toMatchObject({ 'access-control-allow-origin': 'https://app.example', 'access-control-allow-methods': 'POST', 'access-control-allow-headers': 'content-type,x-write-key', vary: 'Origin' });
  expect(Number(answer.headers['access-control-max-age'])).toBeGreaterThanOrEqual(600);
  expect((await preflight('null')).headers).not.toHaveProperty('access-control-allow-origin');
  expect((await preflight('https://app.example', '/mp/collect')).headers['access-control-allow-credentials']).toBe('true');
});

test('a source over its rate is told 429 and when to come again; others are not held up', async () => {
  expect(await codeOf({ key: 'slow', body: bodyOf(Array.from({ length: 12 }, () => eventOf())) })).toBe('200 ok');
  const answer = await collector.send({ key: 'slow', body: good() });
  expect([answer.status, answer.json.error]).toEqual([429, 'rate_exceeded']);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(await codeOf({ body: good() })).toBe('200 ok');
  await new Promise((resume) => setTimeout(resume, 1_800));
  expect(await codeOf({ key: 'slow', body: good() })).toBe('200 ok');
});

test('a body that stalls is answered 408 and its connection closed (bad input, row 7)', async () => {
  const socket = connect(collector.port, '127.0.0.1');
  socket.write('POST /v1/events HTTP/1.1\r\nhost: x\r\nx-write-key: demo\r\ncontent-length: 1000\r\n\r\n{"events":');
  let received = '';
  socket.on('data', (chunk) => { received += chunk.toString(); });
  const began = Date.now();
  await once(socket, 'close');
  expect(received).toMatch(/^HTTP\/1.1 408 /);
  expect(received).toContain('"body_timeout"');
  expect(Date.now() - began).toBeGreaterThan(BODY_TIMEOUT_MS - 50);
});

test('a sender that goes away in the middle publishes nothing and hurts nobody', async () => {
  const socket = connect(collector.port, '127.0.0.1');
  socket.write('POST /v1/events HTTP/1.1\r\nhost: x\r\nx-write-key: demo\r\ncontent-length: 1000\r\n\r\n{"events":[');
  await new Promise((resume) => setTimeout(resume, 50));
  socket.destroy();
  await new Promise((resume) => setTimeout(resume, 50));
  await nothingStored();
  expect(await codeOf({ body: good() })).toBe('200 ok');
});

test('newline-delimited events are one batch; a line that is no JSON is rejected alone, and kept', async () => {
  const first = eventOf();
  const answer = await collector.send({ body: `${JSON.stringify(first)}\r\n\n{"broken":\n${JSON.stringify(eventOf())}\n`, headers: { 'content-type': 'application/x-ndjson' } });
  expect(answer.json).toMatchObject({ accepted: 2, rejected: [{ index: 1, code: 'invalid_json' }] });
  const [line] = (await collector.stored('events', 1)).lines;
  expect(line).toMatchObject({ events: 3, rejected: [1], body: [first, '{"broken":', {}] });
  expect((await collector.stored('rejected', 1)).lines[0]!.body).toMatchObject({ index: 1, event: '{"broken":' });
  expect(await codeOf({ body: 'a\nb', headers: { 'content-type': 'application/x-ndjson' } })).toBe('400 invalid_json');
});

test('inference has its own route and topic', async () => {
  const { event_name: _, ...log } = eventOf();
  expect(await codeOf({ path: '/v1/inference', body: JSON.stringify({ events: [log] }) })).toBe('200 ok');
  expect((await collector.stored('inference', 1)).lines[0]).toMatchObject({ stream: 'inference', events: 1, rejected: [] });
});

test('batch fields are limited by themselves, and the whole body is kept once', async () => {
  const batchOf = (bytes: number): Record<string, unknown> => {
    const properties: Record<string, string> = {};
    const batch = { user_pseudo_id: 'a1', user_properties: properties };
    for (let i = 0; JSON.stringify(batch).length < bytes; i++) {
      properties[`p${i}`] = '';
      properties[`p${i}`] = 'x'.repeat(Math.max(0, Math.min(4_000, bytes - JSON.stringify(batch).length)));
    }
    return batch;
  };
  const fits = await collector.send({ body: bodyOf([eventOf()], batchOf(LIMITS.batchFieldBytesMax)) });
  expect(fits.json).toEqual({ accepted: 1, rejected: [] });
  const answer = await collector.send({ body: bodyOf([eventOf(), eventOf()], batchOf(LIMITS.batchFieldBytesMax + 1)) });
  expect(answer.json).toMatchObject({ accepted: 0, rejected: [{ index: 0, code: 'batch_fields_too_large' }, { index: 1, code: 'batch_fields_too_large' }] });
  const { lines } = await collector.stored('rejected', 1);
  expect(lines).toHaveLength(1);
  expect((lines[0]!.body as { batch: { events: unknown[] } }).batch.events).toHaveLength(2);
});

test('a body whose merged events no subscriber could hold is 413, so that its sender splits it', async () => {
  const batch = { user_properties: { a: 'x'.repeat(4_000), b: 'x'.repeat(4_000), c: 'x'.repeat(4_000) } };
  expect(await codeOf({ body: bodyOf(Array.from({ length: 700 }, () => eventOf()), batch) })).toBe('413 merged_too_large');
  expect(await codeOf({ body: bodyOf(Array.from({ length: 600 }, () => eventOf()), batch) })).toBe('200 ok');
});

test('keys outside events are counted before parsing', async () => {
  const body = (keys: number): string => `{"events":[],"x":{${Array.from({ length: keys - 2 }, (_, i) => `"${i}":1`).join(',')}}}`;
  expect(await codeOf({ body: body(LIMITS.keysPerEventMax + 1) })).toBe('413 too_many_batch_keys');
  expect(await codeOf({ body: body(LIMITS.keysPerEventMax) })).toBe('200 ok');
});

test('without consent no id is stored, in the archive neither', async () => {
  const device = { language: 'ko-kr', advertising_id: 'SECRET-ad', vendor_id: 'SECRET-vendor' };
  const secret = bodyOf([eventOf({ user_id: 'SECRET-3' }), eventOf({ event_name: '!' })], { user_id: 'SECRET-1', user_pseudo_id: 'SECRET-2', device });
  const denied = bodyOf([eventOf()], { user_pseudo_id: 'SECRET-2', device, privacy_info: { analytics_storage: 'No' } });
  expect((await collector.send({ key: 'no-consent', body: secret })).json).toMatchObject({ accepted: 1 });
  expect((await collector.send({ body: denied })).json).toMatchObject({ accepted: 1 });
  await collector.send({ key: 'no-consent', body: '{"user_id":"SECRET"' });
  const stored = [...(await collector.stored('events', 2)).lines, ...(await collector.stored('rejected', 2)).lines];
  expect(JSON.stringify(stored)).not.toContain('SECRET');
  expect(JSON.stringify(stored)).toContain('ko-kr');
  for (const line of stored) expect(line.client.analytics_storage).toBe('No');
});

test('what was never parsed of people without consent is stored as its hash only', async () => {
  const denial = '"privacy_info":{"analytics_storage":"No"}';
  const deep = `{"user_id":"SECRET","event_params":${'['.repeat(30)}${']'.repeat(30)}`;
  const lines = (...texts: string[]): Sending => ({ body: texts.join('\n'), headers: { 'content-type': 'application/x-ndjson' } });
  const good = JSON.stringify(eventOf());
  const sendings: Sending[] = [
    { ...lines(good, '{"user_id":"SECRET",'), key: 'no-consent' },
    lines(good, `{"user_id":"SECRET",${denial},`),
    { body: `{"user_id":"SECRET",${denial},"events":[${deep}}]}` },
    { body: `{"user_id":"SECRET","events":[${deep},${denial}}]}` },
    { body: `{"user_id":"SECRET",${denial}}` },
    { body: gzipSync(`{"user_id":"SECRET",${denial}}`) },
    { body: JSON.stringify({ user_id: 'SECRET', privacy_info: { analytics_storage: 'No' }, events: Array.from({ length: LIMITS.eventsPerRequestMax + 1 }, () => ({})) }) },
  ];
  for (const sending of sendings) expect((await collector.send(sending)).status).toBeLessThan(500);
  const rejected = (await collector.stored('rejected', sendings.length)).lines;
  const bodies = rejected.map(({ body }) => body as { raw?: { base64: string; sha256: string } });
  for (const { raw } of bodies) expect(raw).toMatchObject({ base64: '', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  const events = (await collector.stored('events', 4)).lines;
  // The batch of the fourth body is of somebody who denied nothing.
  expect(JSON.stringify([...rejected, ...events.slice(0, 3)])).not.toContain('SECRET');
  expect(events.slice(0, 2).map(({ body }) => (body as unknown[]).length)).toEqual([2, 2]);
});

test('an event without consent loses its ids, its neighbours keep theirs', async () => {
  const body = bodyOf([eventOf({ privacy_info: { analytics_storage: 'No' } }), eventOf()], { user_pseudo_id: 'phone-1' });
  expect((await collector.send({ body })).json).toMatchObject({ accepted: 2 });
  const [line] = (await collector.stored('events', 1)).lines;
  const { user_pseudo_id: ofBatch, events } = line!.body as { user_pseudo_id?: string; events: { user_pseudo_id?: string }[] };
  expect([ofBatch, events[0]!.user_pseudo_id, events[1]!.user_pseudo_id]).toEqual([undefined, undefined, 'phone-1']);
});

test('a user agent is stored bounded and on one line, an address never', async () => {
  await collector.send({ body: good(), headers: { 'user-agent': `\u00e9${'x'.repeat(8_000)}`, 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7' } });
  const [line] = (await collector.stored('events', 1)).lines;
  expect(line!.client.user_agent!.length).toBe(512);
  expect(JSON.stringify(line)).not.toContain('203.0.113.7');
});

test('200 is said only after Pub/Sub said yes: 503 and nothing stored while it refuses', async () => {
  collector.faults.add({ method: 'Publish', kind: 'fail', status: 'NOT_FOUND', times: 1 });
  const answer = await collector.send({ body: good() });
  expect([answer.status, answer.json.error]).toEqual([503, 'publish_unavailable']);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(LIMITS.retryAfterSeconds);
  await nothingStored();
});

test('one transient failure of Pub/Sub is retried within the request', async () => {
  collector.faults.add({ method: 'Publish', kind: 'fail', status: 'UNAVAILABLE', times: 1 });
  expect(await codeOf({ body: good() })).toBe('200 ok');
});

test('a rejected event that cannot be stored is 503: nothing is acknowledged half', async () => {
  // The stream's own message goes first, the rejected one meets the fault.
  collector.faults.add({ method: 'Publish', kind: 'fail', status: 'PERMISSION_DENIED', times: 1, after: 1 });
  expect(await codeOf({ body: bodyOf([eventOf(), eventOf({ event_name: '!' })]) })).toBe('503 publish_unavailable');
});

test('a Pub/Sub that hangs is given up after five seconds', { timeout: 15_000 }, async () => {
  collector.faults.add({ method: 'Publish', kind: 'hang', times: 1 });
  const began = Date.now();
  expect(await codeOf({ body: good() })).toBe('503 publish_unavailable');
  expect(Date.now() - began).toBeGreaterThan(LIMITS.publishTimeoutMs - 200);
  expect(Date.now() - began).toBeLessThan(LIMITS.publishTimeoutMs + 5_000);
});

test('sources are read again while it runs: a switched-off source stops, a broken document changes nothing', async () => {
  const eventually = async (what: () => Promise<boolean> | boolean): Promise<void> => {
    for (let tries = 0; !(await what()) && tries < 200; tries++) await new Promise((resume) => setTimeout(resume, 50));
  };
  const write = (document: unknown): void => writeFileSync(collector.sourcesFile, typeof document === 'string' ? document : JSON.stringify(document));
  write({ sources: SOURCES.sources.map((source) => (source.id === 'anywhere' ? { ...source, enabled: false } : source)) });
  await eventually(async () => (await codeOf({ key: 'any-origin', body: good() })) !== '200 ok');
  expect(await codeOf({ key: 'any-origin', body: good() })).toBe('403 source_disabled');
  write({ sources: [{ id: 'X', write_keys: [], enabled: 'yes' }] });
  const tellingLine = (): string | undefined => collector.output().split('\n').find((line) => line.includes('last good one serves'));
  await eventually(async () => (await codeOf({ body: good() })) !== '200 ok' || tellingLine() !== undefined);
  expect(await codeOf({ body: good() })).toBe('200 ok');
  const told = tellingLine()!;
  for (const place of ['/sources/0/id', '/sources/0/write_keys', '/sources/0/enabled', 'streams']) expect(told).toContain(place);
  write(SOURCES);
  await eventually(async () => (await codeOf({ key: 'any-origin', body: good() })) === '200 ok');
  expect(await codeOf({ key: 'any-origin', body: good() })).toBe('200 ok');
});

test('a client that sends its whole body before it reads still sees why it was refused', async () => {
  const body = Buffer.alloc(6 * LIMITS.bodyBytesMax, ' ');
  const head = (more: string): string => `POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${more}content-length: ${body.length}\r\n\r\n`;
  for (const more of ['x-write-key: demo\r\n', 'x-write-key: nobody\r\n']) {
    const socket = connect(collector.port, '127.0.0.1');
    const errors: Error[] = [];
    socket.on('error', (error) => errors.push(error));
    // Nothing is read until everything was written: what a simple blocking client does.
    socket.pause();
    await new Promise<void>((written) => { socket.write(Buffer.concat([Buffer.from(head(more)), body]), () => written()); });
    let received = '';
    socket.on('data', (chunk) => { received += chunk.toString(); });
    socket.resume();
    await once(socket, 'close');
    expect(received).toContain('HTTP/1.1 413');
    expect(received).toContain('"error":"body_too_large"');
    expect(errors).toEqual([]);
  }
});

test('a body that never ends is dropped for a while only', async () => {
  const socket = connect(collector.port, '127.0.0.1');
  let written = 0;
  socket.on('error', () => undefined).write(`POST /v1/events HTTP/1.1\r\nhost: x\r\nx-write-key: demo\r\ncontent-length: ${1_000 * LIMITS.bodyBytesMax}\r\n\r\n`);
  const chunk = Buffer.alloc(LIMITS.bodyBytesMax, ' ');
  const closed = new Promise<void>((done) => socket.on('close', () => done()));
  while (!socket.destroyed && written < 1_000) {
    written += 1;
    await Promise.race([new Promise<void>((done) => { socket.write(chunk, () => done()); }), closed]);
  }
  await closed;
  expect(written).toBeLessThan(100);
});
