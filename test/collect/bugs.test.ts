// A bug of ours is that request's only: 503, so that the client keeps its events, and the next request is served.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAdmission, type Admission } from '../../functions/collect/admission.ts';
import { createCollector } from '../../functions/collect/collect.ts';
import { createDrain } from '../../functions/collect/drain.ts';
import { createBodyReader } from '../../functions/collect/read-body.ts';
import { createSourceStore } from '../../functions/collect/sources.ts';
import { LIMITS } from '../../functions/limits.ts';
import { createMetrics } from '../../functions/metrics.ts';
import { accepted } from '../../functions/outcome.ts';
import { createPublisher } from '../../functions/publish/publisher.ts';

let server: Server;
let isBroken: 'clock' | 'send' | undefined;
const admission: Admission = createAdmission({ loopDelayMs: () => 0 });
const told: string[] = [];
const metrics = createMetrics((_, message, data) => told.push(`${message} ${JSON.stringify(data)}`));

beforeAll(async () => {
  const publisher = createPublisher({ stream: 'events', send: async () => {
    if (isBroken === 'send') throw new TypeError('a bug in sending');
    return accepted({ messageId: 'm' });
  } });
  const text = JSON.stringify({ sources: [{ id: 'a', write_keys: ['k'], streams: ['events'], enabled: true }] });
  server = createServer(createCollector({
    sources: createSourceStore({ version: async () => '1', read: async () => text, clock: () => performance.now(), log: () => undefined }),
    publishers: { events: publisher, inference: publisher, rejected: publisher }, isPublishOpen: () => false, admission, drain: createDrain(),
    clock: () => {
      if (isBroken === 'clock') throw new TypeError('a bug in the clock');
      return Date.now();
    },
    log: (severity, message) => void told.push(`${severity} ${message}`), metrics, codeVersion: 'test', lateDaysMax: 30, readBody: createBodyReader(LIMITS), geoHeader: 'x-geo', explain: () => ({}),
  })).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => { server.close(); });

const send = async (body = '{"events":[]}'): Promise<{ status: number; error?: string; retryAfter: string | null }> => {
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/events`, { method: 'POST', headers: { 'x-write-key': 'k' }, body });
  return { status: answer.status, error: ((await answer.json()) as { error?: string }).error as string, retryAfter: answer.headers.get('retry-after') };
};

test.each(['clock', 'send'] as const)('a bug in %s is 503 invariant_broken, logged, and over with that request', async (what) => {
  isBroken = what;
  const broken = await send();
  isBroken = undefined;
  expect([broken.status, broken.error]).toEqual([503, 'invariant_broken']);
  expect(Number(broken.retryAfter)).toBeGreaterThan(0);
  expect(told.some((line) => line.startsWith('ERROR'))).toBe(true);
  expect((await send()).status).toBe(200);
  expect(admission.inFlightBytes()).toBe(0);
});

test('requests and events are counted, and told once', async () => {
  const before = metrics.totals()['requests_stored']!;
  await send();
  await send('{');
  expect(metrics.totals()['requests_stored']).toBe(before + 1);
  expect(metrics.totals()['refused_invalid_json']).toBe(1);
  told.length = 0;
  metrics.tell();
  metrics.tell();
  expect(told.filter((line) => line.startsWith('Counted.'))).toHaveLength(1);
});
