// Fault plans and the control port, as scripts and tests steer any service with them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startControl, type Control } from '../../../emulators/control.ts';
import { Faults, readFaultPlans } from '../../../emulators/faults.ts';
import { holdFolder } from '../../../emulators/hold-folder.ts';
import { localProcess } from '../local-process.ts';

let faults: Faults;
let control: Control;
beforeEach(async () => {
  faults = new Faults();
  control = await startControl({ host: '127.0.0.1', port: 0, faults, gauges: () => ({ waiting: 3 }) });
});
afterEach(() => control.close());

const at = (path: string): string => `http://127.0.0.1:${control.port}${path}`;
const post = (body: unknown): Promise<Response> => fetch(at('/faults'), { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
const kinds = (method: string, times: number): (string | undefined)[] => Array.from({ length: times }, () => faults.take(method)?.kind);

test('a plan meets the calls it names, after those it lets pass, as often as it says', () => {
  faults.add({ method: 'Publish', kind: 'fail', times: 2, after: 1 });
  expect(faults.take('Pull')).toBeUndefined();
  expect(kinds('Publish', 5)).toEqual([undefined, 'fail', 'fail', undefined, undefined]);
});

test('times is once unless said, null is until cleared, and * is every call', () => {
  faults.add({ method: 'Publish', kind: 'delay' }, { method: '*', kind: 'hang', times: null });
  expect(kinds('Publish', 3)).toEqual(['delay', 'hang', 'hang']);
  expect(kinds('anything', 2)).toEqual(['hang', 'hang']);
  faults.clear();
  expect(kinds('Publish', 1)).toEqual([undefined]);
});

test('plans come, are listed with what is left of them, and go over the control port', async () => {
  expect(await (await fetch(at('/healthz'))).json()).toEqual({ ok: true });
  expect((await post({ method: 'Publish', kind: 'fail', status: 'ABORTED', times: 2 })).status).toBe(200);
  await post([{ method: 'Pull', kind: 'delay', delay_ms: 5, times: null }]);
  faults.take('Publish');
  expect(await (await fetch(at('/faults'))).json()).toEqual([
    { method: 'Publish', kind: 'fail', status: 'ABORTED', times: 1, after: 0 }, { method: 'Pull', kind: 'delay', delay_ms: 5, times: null, after: 0 },
  ]);
  await fetch(at('/faults'), { method: 'DELETE' });
  expect(faults.list()).toEqual([]);
});

test('the counters tell calls, faults that met them, and sizes', async () => {
  faults.add({ method: 'Publish', kind: 'lose' });
  kinds('Publish', 3);
  expect(await (await fetch(at('/stats'))).json()).toEqual({ Publish: 3, 'Publish.lose': 1, waiting: 3 });
});

test.each([
  [{ kind: 'fail' }, /method/], [{ method: 'Publish', kind: 'explode' }, /kind must be one of fail, delay/], [{ method: 'Publish', kind: 'fail', times: 0 }, /times/],
  [{ method: 'Publish', kind: 'fail', after: -1 }, /after/], [{ method: 'Publish', kind: 'fail', delayMs: 5 }, /Unknown field delayMs/], ['{', /SyntaxError/], [null, /object/],
])('a plan such as %j is refused with the reason', async (plan, reason) => {
  const answer = await post(plan as never);
  expect(answer.status).toBe(400);
  expect(((await answer.json()) as { error: string }).error).toMatch(reason);
  expect(faults.list()).toEqual([]);
});

test('readFaultPlans takes one plan or many', () => {
  expect(readFaultPlans({ method: '*', kind: 'hang' })).toHaveLength(1);
  expect(readFaultPlans([{ method: '*', kind: 'hang' }, { method: 'a', kind: 'lose' }])).toHaveLength(2);
});

test('a second process on the same data folder waits for the first to end', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'run-'));
  const first = await localProcess('metadata', dataDir);
  const startMs = performance.now();
  const second = localProcess('metadata', dataDir);
  await new Promise((done) => setTimeout(done, 1_000));
  await first.kill('SIGKILL');
  const started = await second;
  expect(performance.now() - startMs).toBeGreaterThan(1_000);
  await expect(holdFolder(dataDir, 100)).rejects.toThrow('Another process is using');
  await started.kill('SIGKILL');
  (await holdFolder(dataDir, 100)).close();
  rmSync(dataDir, { recursive: true, force: true });
});

test('a service as a process says its ports on one line, has a control port, and ends tidily', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'run-'));
  const running = await localProcess('metadata', dataDir);
  expect(running).toMatchObject({ service: 'metadata', port: expect.any(Number), control_port: expect.any(Number), pid: running.child.pid });
  expect(await (await fetch(`http://127.0.0.1:${running.control_port}/healthz`)).json()).toEqual({ ok: true });
  expect(await running.kill('SIGTERM')).toBe(0);
  rmSync(dataDir, { recursive: true, force: true });
});
