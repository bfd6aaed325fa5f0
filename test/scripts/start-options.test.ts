// The command line of `npm start`, the data folder's guards, and the variables that each function is given.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimDataFolder } from '../../scripts/local/data-folder.ts';
import { FUNCTIONS, settingsOf, variablesFor } from '../../scripts/local/function-settings.ts';
import { freePortFrom, freePorts } from '../../scripts/local/ports.ts';
import { readStartOptions } from '../../scripts/local/start-options.ts';
import { worthTelling } from '../../scripts/local/supervisor.ts';

const ROOT = resolve(import.meta.dirname, '../..');
let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'start-')); });
afterEach(() => rmSync(dir, { recursive: true }));

describe('readStartOptions', () => {
  it('has defaults that need no option', () => {
    expect(readStartOptions([], '/home/me')).toMatchObject({ port: 8080, host: '127.0.0.1', dataDir: '/home/me/.chiplog/data', isFresh: false, withDemo: true, nowMs: undefined });
  });
  it.each([
    [['--now', '2026-01-19T00:30:00Z'], { nowMs: Date.UTC(2026, 0, 19, 0, 30) }], [['--time-zone', 'Europe/Berlin'], { timeZone: 'Europe/Berlin' }],
    [['--port', '0', '--no-demo', '--fresh'], { port: 0, withDemo: false, isFresh: true }], [['--data', 'd'], { dataDir: '/home/me/d' }],
  ])('reads %j', (args, values) => expect(readStartOptions(args, '/home/me')).toMatchObject(values));
  it.each([
    [['--prot', '1'], /no option --prot\. Did you mean --port\?/], [['--zzzzzzzz'], /--help/], [['--port', '99999'], /--port/], [['--now', 'tomorrow'], /2026-01-19/],
    [['--now', '2026-01-19T00:30:00'], /zone/], [['--time-zone', 'Mars/Base'], /IANA/], [['fresh'], /not an option/], [['--port'], /--port/],
  ])('refuses %j with a hint', (args, message) => expect(() => readStartOptions(args)).toThrow(message));
});

describe('claimDataFolder', () => {
  it('lets one run in at a time', async () => {
    const folder = await claimDataFolder(dir, false, undefined);
    await expect(claimDataFolder(dir, false, undefined)).rejects.toThrow(`A local run (process ${process.pid}) is using ${dir} already`);
    folder.release();
    expect(existsSync(join(dir, 'lock'))).toBe(false);
    (await claimDataFolder(dir, false, undefined)).release();
  });
  it('takes over from a run that was killed, also where another process has its id by now', async () => {
    const script = `import { claimDataFolder } from ${JSON.stringify(join(ROOT, 'scripts/local/data-folder.ts'))};\nawait claimDataFolder(${JSON.stringify(dir)}, false, undefined);\nconsole.log('held');\nsetInterval(() => {}, 1_000);`;
    const killed = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(killed.stdout, 'data');
    await expect(claimDataFolder(dir, false, undefined)).rejects.toThrow(`(process ${killed.pid}) is using`);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    writeFileSync(join(dir, 'lock'), String(process.ppid));
    (await claimDataFolder(dir, false, undefined)).release();
  });
  it('keeps the time zone of its first run, and begins anew only when asked', async () => {
    (await claimDataFolder(dir, false, 'Europe/Berlin')).release();
    writeFileSync(join(dir, 'clock.json'), '{}');
    const again = await claimDataFolder(dir, false, undefined);
    expect(again.timeZone).toBe('Europe/Berlin');
    again.release();
    await expect(claimDataFolder(dir, false, 'UTC')).rejects.toThrow(/Europe\/Berlin/);
    expect(existsSync(join(dir, 'clock.json'))).toBe(true);
  });
  it('never empties a folder that holds something else', async () => {
    mkdirSync(join(dir, 'photos'));
    await expect(claimDataFolder(dir, true, undefined)).rejects.toThrow(/photos/);
    expect(existsSync(join(dir, 'photos'))).toBe(true);
  });
  it('says which folder can not be made', async () => {
    writeFileSync(join(dir, 'a-file'), '');
    await expect(claimDataFolder(join(dir, 'a-file/data'), false, undefined)).rejects.toThrow(/data folder .*a-file\/data can't be made/);
  });
  it('empties its own folder with --fresh', async () => {
    (await claimDataFolder(dir, false, undefined)).release();
    mkdirSync(join(dir, 'bigquery'));
    (await claimDataFolder(dir, true, 'America/New_York')).release();
    expect(existsSync(join(dir, 'bigquery'))).toBe(false);
  });
});

describe('ports', () => {
  it('takes the next one when the wanted one is busy', async () => {
    const [port] = await freePorts(1, '127.0.0.1');
    const server = createServer();
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
    expect(await freePortFrom(port!, '127.0.0.1')).toBeGreaterThan(port!);
    await new Promise((done) => server.close(done));
    expect(await freePortFrom(port!, '127.0.0.1')).toBe(port);
  });
  it('an address that the machine does not have is said at once, not looked at for ever', async () => {
    await expect(freePortFrom(0, '192.0.2.1')).rejects.toThrow('Nothing can listen on the address 192.0.2.1');
  });
});

describe('settings of the functions', () => {
  it.each(FUNCTIONS.map(({ name, folder }) => [name, folder]))('%s: the table read from its text has every variable that the file names', (_name, folder) => {
    const source = readFileSync(join(ROOT, folder, 'function.ts'), 'utf8');
    const names = settingsOf(source);
    expect(names).toContain('GOOGLE_CLOUD_PROJECT');
    for (const [name] of source.matchAll(/CHIPLOG_\w+/g)) expect(names).toContain(name);
  });
  it('gives a function no variable that it does not declare', () => {
    const collect = FUNCTIONS.find(({ name }) => name === 'collect')!;
    expect(Object.keys(variablesFor(ROOT, collect, { CHIPLOG_SOURCES_FILE: 'f', CHIPLOG_BUCKET: 'b', GOOGLE_CLOUD_PROJECT: 'p' })).sort()).toEqual(['CHIPLOG_SOURCES_FILE', 'GOOGLE_CLOUD_PROJECT']);
  });
});

describe('what of a log is shown', () => {
  it('shows warnings and errors, and nothing below', () => {
    expect(worthTelling('{"severity":"INFO","message":"m"}')).toBeUndefined();
    expect(worthTelling('Serving function...')).toBeUndefined();
    expect(worthTelling('{"severity":"WARNING","message":"the breaker opened","data":{"a":1}}')).toBe('WARNING the breaker opened {"a":1}');
  });
});
