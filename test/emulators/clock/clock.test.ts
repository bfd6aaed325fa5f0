// The steerable clock and the loopback rule, in processes as the local run starts them.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { now, readOffset, setNow, setOffset } from '../../../emulators/clock.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const DAY_MS = 86_400_000;

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'clock-'));
  file = join(dir, 'clock.json');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** The JSON that a script prints under the preload. */
async function under(script: string, env: Record<string, string> = { LOCAL_CLOUD_CLOCK_FILE: file }): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', './emulators/preload.ts', '--eval', script], { cwd: ROOT, env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

test('every way to ask Date for now is shifted, every other use of Date is as ever', async () => {
  setOffset(file, 3 * DAY_MS);
  const found = await under(`
    class Own extends Date {}
    const other = new (require('vm').runInNewContext('Date'))(5);
    console.log(JSON.stringify({
      now: Date.now(), made: new Date().getTime(), own: new Own().getTime(), called: Date.parse(Date()),
      fixed: [new Date(5).getTime(), new Date('2026-01-15T00:00:00Z').toISOString(), new Date(2026, 0, 15, 1).getHours(), Date.UTC(2026, 0), Date.parse('2026-01-01'), new Date(NaN).getTime()],
      is: [new Date() instanceof Date, new Own() instanceof Own, new Own() instanceof Date, fs.statSync('.').mtime instanceof Date, other instanceof Date, new Date().constructor === Date, Object.prototype.toString.call(new Date())],
      shape: [Date.name, Date.length, typeof Date(), new Date(new Date(7)).getTime(), structuredClone(new Date(9)).getTime()],
      monotonic: performance.now() < 60_000,
    }))`) as Record<string, number & unknown[]>;
  for (const name of ['now', 'made', 'own']) expect(Math.abs(found[name]! - Date.now() - 3 * DAY_MS)).toBeLessThan(5_000);
  expect(Math.abs(found['called']! - Date.now() - 3 * DAY_MS)).toBeLessThan(5_000);
  expect(found['fixed']).toEqual([5, '2026-01-15T00:00:00.000Z', 1, Date.UTC(2026, 0), Date.parse('2026-01-01'), null]);
  expect(found['is']).toEqual([true, true, true, true, false, true, '[object Date]']);
  expect(found['shape']).toEqual(['Date', 7, 'string', 7, 9]);
  expect(found['monotonic']).toBe(true);
});

test('a running process follows the clock at once, forwards and back, and its timers do not', async () => {
  const child = spawn(process.execPath, ['--import', './emulators/preload.ts', '--eval', `
    const startMs = performance.now(); let shown = Date.now();
    setTimeout(() => console.log('timer ' + (performance.now() - startMs)), 1000);
    const looking = setInterval(() => { const moved = Date.now() - shown; shown = Date.now(); if (Math.abs(moved) > 1000) console.log('moved ' + moved); }, 1);
    setTimeout(() => clearInterval(looking), 1500); console.log('ready');`], { cwd: ROOT, env: { ...process.env, LOCAL_CLOUD_CLOCK_FILE: file }, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => (await lines.next()).value as string;
  expect(await next()).toBe('ready');
  const tookMs: number[] = [];
  for (const days of [1, -1]) {
    const startMs = performance.now();
    setOffset(file, days === 1 ? DAY_MS : 0);
    const [, moved] = (await next()).split(' ');
    tookMs.push(performance.now() - startMs);
    expect(Math.abs(Number(moved) - days * DAY_MS)).toBeLessThan(5_000);
  }
  // Told by the system (about 2 ms when idle), not found by the half-second look; a busy machine may stall one of them.
  expect(Math.min(...tookMs)).toBeLessThan(400);
  const [, timer] = (await next()).split(' ');
  expect(Number(timer)).toBeGreaterThanOrEqual(999);
  expect(Number(timer)).toBeLessThan(20_000);
});

test('the clock file is set by instant or by offset, and a missing or broken one means real time', () => {
  setNow(file, Date.parse('2026-01-19T00:30:00Z'));
  expect(Math.abs(now(file) - Date.parse('2026-01-19T00:30:00Z'))).toBeLessThan(1_000);
  setOffset(file, 5.4);
  expect(readOffset(file)).toBe(5);
  expect(readOffset(join(dir, 'none.json'))).toBe(0);
});

test('without a clock file Date is Node\'s own', async () => {
  expect(await under('console.log(/native code/.test(Date.toString()))', { LOCAL_CLOUD_CLOCK_FILE: '' })).toBe(true);
});

test('asking for the time costs at most a few nanoseconds more', async () => {
  const loop = `let sum = 0; for (let n = 0; n < 3e6; n++) sum += Date.now(); const startMs = performance.now(); for (let n = 0; n < 3e6; n++) sum += Date.now(); console.log((performance.now() - startMs) / 3)`;
  const plain = await under(loop, { LOCAL_CLOUD_CLOCK_FILE: '' }) as number;
  const shifted = await under(loop) as number;
  expect(shifted).toBeLessThan(plain * 2 + 50); // nanoseconds a call
});

test('a listen() without a host binds to loopback, whatever its form; one with a host is left alone', async () => {
  const found = await under(`
    const net = require('net'), http = require('http'); const seen = {};
    const forms = { port: [0], callback: [0, () => {}], options: [{ port: 0 }], text: ['0'], backlog: [0, 5], nothing: [], noHost: [{ port: 0, host: undefined }], named: [0, '0.0.0.0'], namedOption: [{ port: 0, host: '0.0.0.0' }] };
    (async () => { for (const [name, args] of Object.entries(forms)) { const server = http.createServer(); server.listen(...args); await require('events').once(server, 'listening'); seen[name] = server.address().address; server.close(); } console.log(JSON.stringify(seen)); })()`);
  const loopback = '127.0.0.1';
  expect(found).toEqual({ port: loopback, callback: loopback, options: loopback, text: loopback, backlog: loopback, nothing: loopback, noHost: loopback, named: '0.0.0.0', namedOption: '0.0.0.0' });
});

test('LOCAL_CLOUD_HOST widens it', async () => {
  expect(await under(`const server = require('http').createServer().listen(0, () => { console.log(JSON.stringify(server.address().address)); server.close(); })`, { LOCAL_CLOUD_HOST: '0.0.0.0' })).toBe('0.0.0.0');
});
