// The one control address: what it routes, and that whatever would do nothing is refused with what there is instead.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startGateway, type Gateway } from '../../../emulators/gateway.ts';
import { localProcess, type LocalProcess } from '../local-process.ts';

const SERVICES = ['pubsub', 'storage', 'bigquery', 'metadata'];
const dir = mkdtempSync(join(tmpdir(), 'gateway-'));
const clockFile = join(dir, 'clock.json');
const killed: string[] = [];
let processes: LocalProcess[] = [];
let gateway: Gateway;

beforeAll(async () => {
  processes = await Promise.all(SERVICES.map((name) => localProcess(name, join(dir, name), { env: { LOCAL_CLOUD_CLOCK_FILE: clockFile } })));
  gateway = await startGateway({
    host: '127.0.0.1', port: 0, clockFile, services: Object.fromEntries(processes.map(({ service, control_port: port }) => [service, `http://127.0.0.1:${port}`])),
    kill: { names: ['pubsub', 'rollover'], run: async (name) => { killed.push(name); return { pid_before: 1, pid: 2 }; } },
  });
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all(processes.map((one) => one.kill('SIGKILL')));
  rmSync(dir, { recursive: true, force: true });
});
afterEach(() => ask('DELETE', '/faults'));

type Answer = { status: number; body: Record<string, never> & { error?: string } };

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, { method, headers, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

test('GET / names every request, and each of them is known', async () => {
  const { body } = await ask('GET', '/');
  const requests = Object.keys(body['requests']!);
  expect(requests).toHaveLength(10);
  for (const request of requests) {
    const [method, path] = request.split(' ') as [string, string];
    expect((await ask(method, path, method === 'POST' ? {} : undefined)).status, request).not.toBe(404);
  }
});

test('plans go to the service that they name, are listed with it, and are forgotten by service or all together', async () => {
  const plans = [{ service: 'pubsub', method: 'Publish', kind: 'fail' }, { service: 'storage', method: 'objects.get', kind: 'delay', delay_ms: 1 }];
  expect((await ask('POST', '/faults', plans)).body).toMatchObject(plans);
  expect((await ask('GET', '/faults?service=storage')).body).toMatchObject([plans[1]]);
  await ask('DELETE', '/faults?service=storage');
  expect((await ask('GET', '/faults')).body).toMatchObject([plans[0]]);
  await ask('DELETE', '/faults');
  expect((await ask('GET', '/faults')).body).toEqual([]);
});

test.each([
  [{ service: 'pubsubb', method: 'Publish', kind: 'fail' }, 404, /no service "pubsubb"; there are pubsub, storage, bigquery, metadata/],
  [{ method: 'Publish', kind: 'fail' }, 400, /service must name a service; there are pubsub/],
  [{ service: 'pubsub', method: 'Publishh', kind: 'fail' }, 400, /No call here is named "Publishh"; there are .*Publish/],
  [{ service: 'bigquery', method: 'Publish', kind: 'fail' }, 400, /there are .*AppendRows/],
  [{ service: 'pubsub', method: 'Pull', kind: 'reorder' }, 400, /Pull can't reorder; it can fail, delay, hang/],
  [{ service: 'storage', method: 'objects.get', kind: 'lose' }, 400, /can't lose/],
  [{ service: 'pubsub', method: 'Publish', kind: 'fail', status: 'UNAVAILBLE' }, 400, /can't fail with "UNAVAILBLE"; it can with .*UNAVAILABLE/],
  [{ service: 'storage', method: 'objects.get', kind: 'fail', status: '200' }, 400, /numbers from 400 to 599/],
  [{ service: 'pubsub', method: 'Publish', kind: 'delay' }, 400, /needs delay_ms/],
  [{ service: 'pubsub', method: 'Publish', kind: 'lose', takes_effect: true }, 400, /takes_effect is not known for lose/],
  [{ service: 'pubsub', method: 'Publish', kind: 'delay', delay_ms: 5, status: 'ABORTED' }, 400, /status is for the kind fail/],
  [{ service: 'pubsub', method: 'Publish', kind: 'fail', every: 0 }, 400, /every/],
  [{ service: 'pubsub', method: 'Publish', kind: 'fail', resource: '' }, 400, /resource/],
  ['{', 400, /not JSON/], ['null', 400, /object/],
])('a plan that could never do what it says is refused: %j', async (plan, status, sentence) => {
  const answer = await ask('POST', '/faults', plan);
  expect(answer.status).toBe(status);
  expect(answer.body.error).toMatch(sentence);
});

test('of a list with one bad plan none is taken', async () => {
  expect((await ask('POST', '/faults', [{ service: 'pubsub', method: 'Publish', kind: 'fail' }, { service: 'storage', method: 'no.such', kind: 'fail' }])).status).toBe(400);
  expect((await ask('GET', '/faults')).body).toEqual([]);
});

test('every fault point of every service takes each kind that it lists', async () => {
  const { body } = await ask('GET', '/fault-points');
  const points = Object.entries(body as Record<string, { method: string; kinds: string[] }[]>);
  expect(points.map(([service, list]) => [service, list.length > 3])).toEqual(SERVICES.map((service) => [service, true]));
  for (const [service, list] of points) {
    const plans = list.flatMap(({ method, kinds }) => kinds.map((kind) => ({ service, method: method.replace(/\*$/, 'x'), kind, ...(kind === 'delay' ? { delay_ms: 1 } : {}) })));
    expect((await ask('POST', '/faults', plans)).status, service).toBe(200);
  }
});

test('the clock is moved to a time, by a distance or back, and every service shows it when the answer comes', async () => {
  const day = 86_400_000;
  const offset = async (): Promise<number> => ((await ask('GET', '/time')).body as unknown as { offset_ms: number }).offset_ms;
  await ask('POST', '/time', { offset_ms: day });
  expect(await offset()).toBe(day);
  await ask('POST', '/time', { advance: '36h' });
  expect(await offset()).toBe(2.5 * day);
  await ask('POST', '/time', { advance: '-1d' });
  expect(await offset()).toBe(1.5 * day);
  const { status, body } = await ask('POST', '/time', { now: '2027-02-03T04:05:06Z' });
  expect([status, String(body['now']).slice(0, 18)]).toEqual([200, '2027-02-03T04:05:0']);
  for (const { control_port: port } of processes) expect(await (await fetch(`http://127.0.0.1:${port}/time`)).text()).toContain('"2027-02-03T04:05:');
  await ask('POST', '/time', { offset_ms: 0 });
});

test.each([{}, { now: '2027-02-03T04:05:06' }, { now: 5 }, { advance: '1 day' }, { advance: 1 }, { offset_ms: '1' }, { now: '2027-02-03T04:05:06Z', advance: '1d' }, { later: '1d' }, []])('a time such as %j is refused, and the clock stays', async (body) => {
  expect((await ask('POST', '/time', body)).status).toBe(400);
  expect((await ask('GET', '/time')).body).toMatchObject({ offset_ms: 0 });
});

test('a kill is passed on, and one of an unknown process is not', async () => {
  expect(await ask('POST', '/kill', { service: 'pubsub' })).toMatchObject({ status: 200, body: { service: 'pubsub', pid_before: 1, pid: 2 } });
  expect(await ask('POST', '/kill', { service: 'storage' })).toMatchObject({ status: 404, body: { error: 'Give {"service":…} with one of pubsub, rollover.' } });
  expect((await ask('POST', '/kill', { service: 'pubsub', signal: 'SIGTERM' })).status).toBe(400);
  expect(killed).toEqual(['pubsub']);
});

test('health names who does not answer; an unknown path and a web page are refused', async () => {
  expect(await ask('GET', '/healthz')).toMatchObject({ status: 200, body: { ok: true } });
  expect((await ask('PUT', '/faults')).body.error).toContain('POST /faults');
  expect((await ask('GET', '/stats?services=pubsub')).status).toBe(400);
  expect((await ask('DELETE', '/faults', undefined, { origin: 'https://evil.example' })).status).toBe(403);
  await processes.at(-1)!.kill('SIGKILL');
  expect(await ask('GET', '/healthz')).toMatchObject({ status: 503, body: { error: 'No answer from metadata.' } });
});
