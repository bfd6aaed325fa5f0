// `npm start` as a person meets it: ready, the pasted lines work, what dies comes back, and nothing is left behind by kill -9.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { spawnLocalRun } from '../../scripts/local/spawn-run.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'chiplog-start-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

type Ended = { code: number | null; out: string; err: string };

/** A script in the folder of the run, to its end. */
function runScript(name: string, ...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(ROOT, 'scripts', name), ...args], { cwd: folder });
  return collected(child).ended;
}

function collected(child: ChildProcess): { text: { out: string; err: string }; ended: Promise<Ended> } {
  const text = { out: '', err: '' };
  child.stdout!.setEncoding('utf8').on('data', (piece: string) => { text.out += piece; });
  child.stderr!.setEncoding('utf8').on('data', (piece: string) => { text.err += piece; });
  return { text, ended: new Promise((done) => child.once('close', (code) => done({ code, ...text }))) };
}

const processes = () => JSON.parse(readFileSync(join(folder, '.chiplog/processes.json'), 'utf8')) as { name: string; pid: number; port: number; restarts: number }[];
const accepts = (port: number): Promise<boolean> => new Promise((done) => {
  const socket = connect(port, '127.0.0.1', () => { socket.destroy(); done(true); });
  socket.once('error', () => done(false));
});
async function until(what: string, check: () => Promise<boolean> | boolean): Promise<void> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; await sleep(50)) if (await check()) return;
  throw new Error(`${what}: not within 20 s`);
}

it('is ready, its lines work when pasted, a killed process comes back on its port, and kill -9 leaves no process behind', async () => {
  // A port that is taken: another one is, and that is said.
  const busy = createServer();
  await new Promise<void>((done) => busy.listen(0, '127.0.0.1', done));
  const port = (busy.address() as { port: number }).port;
  const start = spawn(process.execPath, [join(ROOT, 'scripts/start.ts'), '--no-demo', '--port', String(port), '--now', '2026-03-10T12:00:00Z'], { cwd: folder });
  children.push(start);
  const { text } = collected(start);
  await until('the word "ready"', () => text.out.includes('Ctrl-C ends it') || start.exitCode !== null);
  expect(text.out).toContain(`Port ${port} is busy`);
  busy.close();

  const second = await runScript('start.ts');
  expect([second.code, second.err]).toEqual([1, expect.stringContaining('already')]);

  const curl = /^ {2}(curl .*)$/m.exec(text.out)![1]!;
  const curled = await collected(spawn('sh', ['-c', curl])).ended;
  expect(JSON.parse(curled.out)).toEqual({ accepted: 1, rejected: [] });
  const sql = /npm run query -- '(.*)'$/m.exec(text.out)![1]!;
  await until('the row', async () => (await runScript('query.ts', sql, '--format', 'csv')).out.includes('purchase,1,1'));

  const before = processes().find(({ name }) => name === 'write-bigquery')!;
  process.kill(before.pid, 'SIGKILL');
  await until('write-bigquery', async () => {
    const after = processes().find(({ name }) => name === 'write-bigquery')!;
    return after.pid !== before.pid && after.port === before.port && after.restarts === 1 && await accepts(after.port);
  });

  const ports = processes().map((entry) => entry.port);
  start.kill('SIGKILL');
  await until('all ports free', async () => !(await Promise.all(ports.map(accepts))).includes(true));
}, 90_000);

it('starts again on the data of a run that was killed: same rows, same clock; and ends tidily', async () => {
  const run = await spawnLocalRun([], folder);
  const [rows] = await run.bigquery.query('SELECT event_name FROM `chiplog.events_intraday_20260310`');
  expect(rows).toEqual([{ event_name: 'purchase' }]);
  const query = await runScript('query.ts', 'SELECT EXTRACT(DATE FROM CURRENT_TIMESTAMP()) AS today', '--format', 'csv');
  expect(query.out.trim()).toBe('today\r\n2026-03-10');
  await run.stop(true);
  expect(['local.json', 'processes.json', 'data/lock'].filter((file) => existsSync(join(folder, '.chiplog', file)))).toEqual([]);
  const asked = await runScript('query.ts', 'SELECT 1');
  expect([asked.code, asked.err]).toEqual([1, expect.stringContaining('npm start')]);
}, 90_000);
