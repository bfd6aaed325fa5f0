// The command line of `npm start`, the data folder's guards, and the variables that each function is given.
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
  it('lets one run in at a time, and takes over from one that was killed', () => {
    const folder = claimDataFolder(dir, false, undefined);
    writeFileSync(join(dir, 'lock'), String(process.ppid));
    expect(() => claimDataFolder(dir, false, undefined)).toThrow(/already/);
    writeFileSync(join(dir, 'lock'), '999999999');
    expect(claimDataFolder(dir, false, undefined).timeZone).toBe('UTC');
    folder.release();
    expect(existsSync(join(dir, 'lock'))).toBe(false);
  });
  it('keeps the time zone of its first run, and begins anew only when asked', () => {
    claimDataFolder(dir, false, 'Europe/Berlin').release();
    writeFileSync(join(dir, 'clock.json'), '{}');
    expect(claimDataFolder(dir, false, undefined).timeZone).toBe('Europe/Berlin');
    expect(() => claimDataFolder(dir, false, 'UTC')).toThrow(/Europe\/Berlin/);
    expect(existsSync(join(dir, 'clock.json'))).toBe(true);
  });
  it('never empties a folder that holds something else', () => {
    mkdirSync(join(dir, 'photos'));
    expect(() => claimDataFolder(dir, true, undefined)).toThrow(/photos/);
    expect(existsSync(join(dir, 'photos'))).toBe(true);
  });
  it('says which folder can not be made', () => {
    writeFileSync(join(dir, 'a-file'), '');
    expect(() => claimDataFolder(join(dir, 'a-file/data'), false, undefined)).toThrow(/data folder .*a-file\/data can't be made/);
  });
  it('empties its own folder with --fresh', () => {
    claimDataFolder(dir, false, undefined).release();
    mkdirSync(join(dir, 'bigquery'));
    claimDataFolder(dir, true, 'America/New_York');
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
