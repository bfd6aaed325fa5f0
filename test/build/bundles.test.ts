// The zips as the cloud uses them: installed without a network in a folder of their own, started by functions-framework's command, each
// asked to do its real work against the local cloud.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FUNCTIONS, variablesFor } from '../../scripts/local/function-settings.ts';
import { ask, batchOf, eventAt, eventually, spawnLocalRun, type SpawnedRun } from '../flow/tour.ts';
import { start, unpack, type Deployed, type Workspace } from './deployed.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const out = mkdtempSync(join(tmpdir(), 'chiplog-dist-'));
const build = (folder: string, env: Record<string, string> = {}): string => execFileSync(process.execPath, [join(ROOT, 'scripts/build.ts'), '--out', folder], { cwd: tmpdir(), encoding: 'utf8', env: { ...process.env, ...env } });
const zipOf = (name: string, folder = out): string => join(folder, `${name}.zip`);
const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Two seconds of work, and whatever else the machine has to do. */
const BUILD_MS_MAX = 180_000;
let printed: string;
beforeAll(() => { printed = build(out, { TZ: 'UTC' }); }, BUILD_MS_MAX);
afterAll(() => rmSync(out, { recursive: true, force: true }));

describe('the zips', () => {
  test('are the same bytes when they are built again, in another folder and another time zone', () => {
    const again = mkdtempSync(join(tmpdir(), 'chiplog-dist-'));
    try {
      build(again, { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8' });
      expect(readdirSync(again).sort()).toEqual(FUNCTIONS.map(({ name }) => `${name}.zip`).sort());
      for (const { name } of FUNCTIONS) expect(sha256(zipOf(name, again)), name).toBe(sha256(zipOf(name)));
    } finally {
      rmSync(again, { recursive: true, force: true });
    }
  }, BUILD_MS_MAX);

  test('are told with their sizes', () => {
    const lines = printed.split('\n').map((line) => line.split(/ {2,}/).map((cell) => cell.trim()));
    for (const { name } of FUNCTIONS) {
      const [, zipKilobytes, , , hash] = lines.find(([first]) => first === name)!;
      expect([zipKilobytes, hash]).toEqual([String(Math.round(readFileSync(zipOf(name)).length / 1_000)), sha256(zipOf(name)).slice(0, 12)]);
    }
  });

  test.each(FUNCTIONS.map(({ name }) => name))('%s.zip holds what a function needs and nothing of this machine, its tests or its settings', (name) => {
    const files = unzipSync(readFileSync(zipOf(name)));
    const needed = ['functions-framework/framework.js', 'functions-framework/main.js', 'functions-framework/package.json', 'functions/function.cjs', 'functions/function.cjs.map', 'make-code-cache.cjs', 'package-lock.json', 'package.json'];
    const more = Object.keys(files).filter((file) => !needed.includes(file));
    expect(Object.keys(files)).toEqual(expect.arrayContaining(needed));
    expect(more.filter((file) => file !== 'functions/storage-messages.cjs' && !/^schemas\/generated\/\w+\.bigquery\.json$/.test(file))).toEqual([]);
    const text = Object.values(files).map((bytes) => Buffer.from(bytes).toString()).join('\n');
    expect(text).not.toContain(ROOT);
    expect(text).not.toMatch(/emulators\/|vitest/);
    const manifest = JSON.parse(Buffer.from(files['package.json']!).toString()) as { engines: object; main: string; dependencies: object };
    expect(manifest).toMatchObject({ engines: { node: '24' }, main: 'functions/function.cjs', dependencies: { '@google-cloud/functions-framework': 'file:functions-framework' } });
  });
});

describe('a deployed function', { timeout: 90_000 }, () => {
  let run: SpawnedRun;
  const workspaces = new Map<string, Workspace>();
  const running: Deployed[] = [];
  const variables = (name: string): Record<string, string> => {
    const spec = FUNCTIONS.find((candidate) => candidate.name === name)!;
    const sources = join(out, 'sources.json');
    writeFileSync(sources, JSON.stringify({ sources: [{ id: 'zip', write_keys: ['zip'], streams: ['events'], enabled: true }] }));
    return { ...run.env, ...variablesFor(ROOT, spec, {
      GOOGLE_CLOUD_PROJECT: run.project, CHIPLOG_DATASET: run.dataset, CHIPLOG_BUCKET: run.bucket, CHIPLOG_SOURCES_FILE: sources,
      CHIPLOG_BIGQUERY_WRITE_ENDPOINT: run.bigquery_write_endpoint, K_REVISION: 'zip-00001',
    }) };
  };
  const deploy = async (name: string): Promise<Deployed> => {
    const workspace = workspaces.get(name) ?? unpack(zipOf(name));
    workspaces.set(name, workspace);
    const deployed = await start(workspace.folder, FUNCTIONS.find((spec) => spec.name === name)!.target, variables(name));
    running.push(deployed);
    return deployed;
  };
  const post = (url: string, body: unknown, headers: Record<string, string> = {}) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

  beforeAll(async () => { run = await spawnLocalRun(); });
  afterAll(async () => {
    await Promise.all(running.map((deployed) => deployed.stop()));
    for (const workspace of workspaces.values()) workspace.remove();
    await run?.stop();
  });
  test('collect answers 200, and the event is a row', async () => {
    const { url } = await deploy('collect');
    const event = eventAt(Date.now());
    const answer = await post(`${url}/v1/events`, batchOf([event]), { authorization: 'Bearer zip' });
    expect({ status: answer.status, body: await answer.json() }).toEqual({ status: 200, body: { accepted: 1, rejected: [] } });
    await eventually('the row', async () => (await rowsOf(event.event_id)).length === 1);
    const refused = await post(`${url}/v1/events`, batchOf([{ ...eventAt(Date.now()), event_name: '9' }]), { authorization: 'Bearer zip' });
    expect((await refused.json() as { rejected: { code: string }[] }).rejected[0]!.code).toBe('bad_name');
  });

  test('write-bigquery answers 204, and the event is a row', async () => {
    const { url } = await deploy('write-bigquery');
    const event = eventAt(Date.now());
    expect((await post(url, pushOf([event]))).status).toBe(204);
    expect(await rowsOf(event.event_id)).toEqual([{ event_name: 'screen_view' }]);
  });

  test('write-bigquery reads an error of Google with the message classes that are a file beside the bundle', async () => {
    const { StorageError } = createRequire(join(workspaces.get('write-bigquery')!.folder, 'functions/'))('./storage-messages.cjs').google.cloud.bigquery.storage.v1;
    // A StorageError as it travels: field 1 is its code, 1 says that the table is missing.
    expect(StorageError.decode(Buffer.from([0x08, 0x01])).code).toBe(StorageError.StorageErrorCode.TABLE_NOT_FOUND);
    // A table that is missing is told by such an error: the writer must read it, make the table and ask for a redelivery.
    const { url } = await deploy('write-bigquery');
    const tomorrow = Date.now() + 86_400_000 - 3_600_000;
    const table = run.bigquery.dataset(run.dataset).table(`events_intraday_${new Date(tomorrow).toISOString().slice(0, 10).replaceAll('-', '')}`);
    await table.delete();
    const event = eventAt(tomorrow);
    expect((await post(url, pushOf([event]))).status).toBe(503);
    expect((await table.exists())[0]).toBe(true);
    await eventually('the same message, delivered again', async () => (await post(url, pushOf([event]))).status === 204);
  });

  test('write-storage answers 204, and the object holds the message to the byte', async () => {
    const { url } = await deploy('write-storage');
    const push = pushOf([eventAt(Date.now())]);
    expect((await post(url, push)).status).toBe(204);
    const [files] = await run.storage.bucket(run.bucket).getFiles({ prefix: 'raw/events/' });
    const mine = files.find(({ name }) => name.includes(`/${push.message.messageId}.`))!;
    const [bytes] = await mine.download({ decompress: false });
    expect(bytes.toString('base64')).toBe(push.message.data);
  });

  test('rollover answers what is due', async () => {
    const { url } = await deploy('rollover');
    const answer = await post(url, {});
    expect({ status: answer.status, body: await answer.json() }).toMatchObject({ status: 200, body: { pending: false, problems: [] } });
  });

  test('maintain makes a table that is missing', async () => {
    const inTwoDays = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
    const table = run.bigquery.dataset(run.dataset).table(`late_events_${inTwoDays}`);
    await table.delete();
    const { url } = await deploy('maintain');
    const answer = await post(url, {});
    expect({ status: answer.status, body: await answer.json() }).toMatchObject({ status: 200, body: { tables_created: [`late_events_${inTwoDays}`], failures: [] } });
    expect((await table.exists())[0]).toBe(true);
  });

  test('replay publishes the raw files again', async () => {
    const sent = eventAt(Date.now());
    await post(`${run.collector_url}/v1/events`, batchOf([sent]), { authorization: `Bearer ${run.write_key}` });
    await eventually('a raw file', async () => (await run.storage.bucket(run.bucket).getFiles({ prefix: 'raw/events/' }))[0].length > 0);
    const { url } = await deploy('replay');
    const day = new Date().toISOString().slice(0, 10);
    const answer = await post(url, { stream: 'events', from: day, to: day, store: 'raw' });
    const body = await answer.json() as { files: number; events: number; messages: number };
    expect({ status: answer.status, isSent: body.files > 0 && body.events > 0 && body.messages > 0 }, JSON.stringify(body)).toEqual({ status: 200, isSent: true });
  });

  test('an error tells the lines of the sources, not of the bundle', async () => {
    const workspace = workspaces.get('collect')!;
    await expect(start(workspace.folder, 'collect', { ...variables('collect'), CHIPLOG_TIME_ZONE: 'Mars/Olympus' })).rejects.toThrow(/CHIPLOG_TIME_ZONE is "Mars\/Olympus"[\s\S]*functions\/config\.ts:\d+[\s\S]*functions\/collect\/function\.ts:\d+/);
  });

  test('the compiled code of gcp-build is used, also under the flags and the temporary folder of the cloud', async () => {
    const workspace = workspaces.get('collect')!;
    const deployed = await start(workspace.folder, 'collect', { ...variables('collect'), NODE_DEBUG_NATIVE: 'COMPILE_CACHE', NODE_OPTIONS: '--max-old-space-size=448' });
    await deployed.stop();
    for (const file of ['functions/function.cjs', 'functions-framework/framework.js']) expect(deployed.stderr()).toMatch(new RegExp(`V8 code cache for CommonJS [^\\n]*${file.replaceAll('.', '\\.')} was accepted`));
  });

  test('a build that can\'t make the compiled code goes on, and the function starts without', async () => {
    const workspace = unpack(zipOf('write-storage'), { withCodeCache: false });
    workspaces.set('write-storage without compiled code', workspace);
    const file = join(workspace.folder, 'package.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as { chiplog: { settings: object } };
    writeFileSync(file, JSON.stringify({ ...manifest, chiplog: { ...manifest.chiplog, settings: {} } }));
    const made = spawnSync(process.execPath, ['make-code-cache.cjs'], { cwd: workspace.folder, encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '' } });
    expect({ status: made.status, told: made.stderr }).toEqual({ status: 0, told: expect.stringContaining('The code cache could not be made') });
    rmSync(join(workspace.folder, 'code-cache'), { recursive: true, force: true });
    const deployed = await start(workspace.folder, 'writeStorage', variables('write-storage'));
    running.push(deployed);
    expect((await post(deployed.url, pushOf([eventAt(Date.now())]))).status).toBe(204);
  });

  const rowsOf = (id: string) => ask(run, 'SELECT event_name FROM `events_*` WHERE event_id = @id', { id });
});

/** A message as Pub/Sub pushes it, with one request of these events. */
function pushOf(events: unknown[]): { message: { messageId: string; data: string } & Record<string, unknown>; subscription: string } {
  const line = JSON.stringify({
    envelope: 1, request_id: randomUUID(), received_timestamp: Date.now() * 1_000, stream: 'events', source: 'zip', protocol: 'native', code_version: 'zip', schema_version: 1,
    client: {}, events: events.length, rejected: [], body: batchOf(events),
  });
  const messageId = String(Math.floor(Math.random() * 1e15));
  const publishTime = new Date().toISOString();
  return {
    message: { attributes: { stream: 'events', envelope: '1', events: String(events.length), rejected: '0', encoding: 'gzip' }, data: gzipSync(`${line}\n`).toString('base64'), messageId, message_id: messageId, publishTime, publish_time: publishTime },
    subscription: 'projects/zip/subscriptions/chiplog-events-to-bigquery',
  };
}
