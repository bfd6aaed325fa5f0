// The small Cloud Storage as Google's own client sees it, and across restarts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Storage } from '@google-cloud/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Faults } from '../../../emulators/faults.ts';
import type { RunningService } from '../../../emulators/service.ts';
import { start } from '../../../emulators/storage/server.ts';

const faults = new Faults();
let dir: string;
let service: RunningService;
let storage: Storage;
const bucket = () => storage.bucket('raw-files');
const status = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'done', (error: { code?: unknown }) => error.code);

async function restart(): Promise<void> {
  await service?.close();
  service = await start({ host: '127.0.0.1', port: 0, dataDir: dir, project: 'chiplog-local', faults, now: () => Date.now() });
  process.env['STORAGE_EMULATOR_HOST'] = `http://127.0.0.1:${service.port}`;
  storage = new Storage({ projectId: 'chiplog-local', retryOptions: { autoRetry: true, maxRetries: 2, retryDelayMultiplier: 1, maxRetryDelay: 2 } });
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'storage-'));
  await restart();
  await storage.createBucket('raw-files');
});
afterAll(async () => {
  delete process.env['STORAGE_EMULATOR_HOST'];
  await service.close();
  await rm(dir, { recursive: true });
});

describe('buckets', () => {
  it('are made once, listed, changed, and deleted only when empty', async () => {
    expect(await status(storage.createBucket('raw-files'))).toBe(409);
    await storage.createBucket('second');
    expect((await storage.getBuckets())[0].map(({ name }) => name)).toEqual(['raw-files', 'second']);
    await storage.bucket('second').setMetadata({ labels: { team: 'data' } });
    expect((await storage.bucket('second').getMetadata())[0]).toMatchObject({ labels: { team: 'data' }, metageneration: '2' });
    await storage.bucket('second').file('one').save('1');
    expect(await status(storage.bucket('second').delete())).toBe(409);
    await storage.bucket('second').file('one').delete();
    await storage.bucket('second').delete();
    expect(await storage.bucket('second').exists()).toEqual([false]);
  });
});

describe('uploads', () => {
  it.each([['simple', false], ['resumable', true]])('%s: bytes, sums and metadata come back as they went in', async (_name, resumable) => {
    const bytes = Buffer.from('line\n'.repeat(50_000));
    await bucket().file('a/ü 100%.ndjson').save(bytes, { resumable, contentType: 'application/x-ndjson', metadata: { metadata: { events: '7' } }, validation: 'crc32c' });
    const [meta] = await bucket().file('a/ü 100%.ndjson').getMetadata();
    expect(meta).toMatchObject({ contentType: 'application/x-ndjson', size: String(bytes.length), metadata: { events: '7' }, metageneration: '1' });
    const [back] = await bucket().file('a/ü 100%.ndjson').download();
    expect(back.equals(bytes)).toBe(true);
  });

  it('takes a resumable upload in pieces', async () => {
    const bytes = Buffer.alloc(1_000_001, 'abcdefg');
    await bucket().file('pieces').save(bytes, { resumable: true, chunkSize: 262_144, validation: 'md5' });
    expect((await bucket().file('pieces').download())[0].equals(bytes)).toBe(true);
  });

  it('goes on with a resumable upload where it broke, also after a restart', async () => {
    const [uri] = await bucket().file('resumed').createResumableUpload();
    const address = new URL(uri);
    const put = (headers: Record<string, string>, body?: Buffer) => fetch(address, { method: 'PUT', headers, redirect: 'manual', ...(body ? { body } : {}) });
    const bytes = Buffer.alloc(300_000, 'xyz');
    const first = await put({ 'content-range': 'bytes 0-262143/300000' }, bytes.subarray(0, 262_144));
    expect([first.status, first.headers.get('range')]).toEqual([308, 'bytes=0-262143']);
    await restart();
    address.port = String(service.port);
    const asked = await put({ 'content-range': 'bytes */300000' });
    expect([asked.status, asked.headers.get('range')]).toEqual([308, 'bytes=0-262143']);
    const last = await put({ 'content-range': 'bytes 262144-299999/300000' }, bytes.subarray(262_144));
    expect(last.status).toBe(200);
    expect((await bucket().file('resumed').download())[0].equals(bytes)).toBe(true);
  });

  it('lets exactly one of eight writers with ifGenerationMatch=0 win', async () => {
    const ends = await Promise.all(Array.from({ length: 8 }, (_, index) =>
      status(bucket().file('once').save(String(index), { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }))));
    expect(ends.filter((end) => end === 'done')).toHaveLength(1);
    expect(ends.filter((end) => end === 412)).toHaveLength(7);
  });

  it('refuses bytes that do not have the sum they came with, and keeps nothing', async () => {
    const response = await fetch(`http://127.0.0.1:${service.port}/upload/storage/v1/b/raw-files/o?uploadType=media&name=torn`, { method: 'POST', body: 'abc', headers: { 'x-goog-hash': 'crc32c=AAAAAA==' } });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: { message: string } }).error.message).toMatch(/CRC32C/);
    expect(await bucket().file('torn').exists()).toEqual([false]);
  });
});

describe('objects', () => {
  it('are listed by prefix, with folders and pages, in the order of their bytes', async () => {
    const names = ['list/b/2', 'list/a/1', 'list/b/1', 'list/c', 'list/\u{1f600}', 'list/\uffee'];
    await Promise.all(names.map((name) => bucket().file(name).save('x', { resumable: false })));
    expect((await bucket().getFiles({ prefix: 'list/' }))[0].map(({ name }) => name)).toEqual(['list/a/1', 'list/b/1', 'list/b/2', 'list/c', 'list/\uffee', 'list/\u{1f600}']);
    const seen: string[] = [];
    let query: object | null = { prefix: 'list/', delimiter: '/', maxResults: 2, autoPaginate: false };
    while (query !== null) {
      const [files, next, page] = await bucket().getFiles(query) as unknown as [{ name: string }[], object | null, { prefixes?: string[] }];
      seen.push(...files.map(({ name }) => name), ...(page.prefixes ?? []));
      query = next ?? null;
    }
    expect(seen).toEqual(['list/a/', 'list/b/', 'list/c', 'list/\uffee', 'list/\u{1f600}']);
  });

  it('answer ranges, and 404 for what is not there', async () => {
    await bucket().file('range').save('0123456789', { resumable: false });
    expect(String((await bucket().file('range').download({ start: 2, end: 4 }))[0])).toBe('234');
    expect(await status(bucket().file('absent').download())).toBe(404);
  });

  it('are joined by compose: gzip members make one readable file; its preconditions and sources are checked', async () => {
    await bucket().file('m1').save(gzipSync('one\n'), { resumable: false });
    await bucket().file('m2').save(gzipSync('two\n'), { resumable: false });
    const compose = (sources: string[], preconditions: object) => bucket().combine(sources, bucket().file('joined'), preconditions);
    await compose(['m1', 'm2'], { ifGenerationMatch: 0 });
    const [meta] = await bucket().file('joined').getMetadata();
    expect(meta).toMatchObject({ componentCount: 2 });
    expect(meta.md5Hash).toBeUndefined();
    expect(String((await import('node:zlib')).gunzipSync((await bucket().file('joined').download())[0]))).toBe('one\ntwo\n');
    expect(await status(compose(['m1', 'm2'], { ifGenerationMatch: 0 }))).toBe(412);
    expect(await status(compose(['m1', 'gone'], {}))).toBe(404);
  });

  it('are copied, moved, and deleted with preconditions', async () => {
    await bucket().file('from').save('text', { resumable: false, metadata: { metadata: { kept: 'yes' } } });
    await bucket().file('from').copy(bucket().file('to'));
    const [meta] = await bucket().file('to').getMetadata();
    expect(meta.metadata).toEqual({ kept: 'yes' });
    expect(await status(bucket().file('to').delete({ ifGenerationMatch: 1 }))).toBe(412);
    await bucket().file('to').delete({ ifGenerationMatch: Number(meta.generation) });
    expect(await bucket().file('to').exists()).toEqual([false]);
  });

  it('take new metadata under ifMetagenerationMatch, keeping bytes and generation', async () => {
    await bucket().file('meta').save('text', { resumable: false });
    const [before] = await bucket().file('meta').getMetadata();
    await bucket().file('meta').setMetadata({ metadata: { a: '1' } }, { ifMetagenerationMatch: 1 });
    expect(await status(bucket().file('meta').setMetadata({ metadata: { a: '2' } }, { ifMetagenerationMatch: 1 }))).toBe(412);
    const [after] = await bucket().file('meta').getMetadata();
    expect(after).toMatchObject({ metageneration: '2', generation: before.generation, metadata: { a: '1' } });
    expect(String((await bucket().file('meta').download())[0])).toBe('text');
  });

  it('are all there after a restart', async () => {
    const before = (await bucket().getFiles())[0].map(({ metadata }) => [metadata.name, metadata.generation, metadata.crc32c, metadata.metadata]);
    await restart();
    expect((await bucket().getFiles())[0].map(({ metadata }) => [metadata.name, metadata.generation, metadata.crc32c, metadata.metadata])).toEqual(before);
  });
});

describe('what is not there and what is broken on purpose', () => {
  it('says 501 and its name for what it does not support', async () => {
    const response = await fetch(`http://127.0.0.1:${service.port}/b/raw-files/acl`);
    expect([response.status, ((await response.json()) as { error: { message: string } }).error.message]).toEqual([501, 'The local Cloud Storage does not support bucketAccessControls.list.']);
  });

  it('fails as planned and the client tries again; a lost answer makes a 412 of the second try, a lost object is not there', async () => {
    faults.add({ method: 'objects.insert', kind: 'fail', status: 'UNAVAILABLE' });
    await bucket().file('tried').save('x', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
    expect(faults.stats()['objects.insert.fail']).toBe(1);
    faults.add({ method: 'objects.insert', kind: 'duplicate' });
    expect(await status(bucket().file('twice').save('x', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }))).toBe(412);
    faults.add({ method: 'objects.insert', kind: 'fail', status: 'UNAVAILABLE', takes_effect: true });
    expect(await status(bucket().file('thrice').save('x', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }))).toBe(412);
    faults.add({ method: 'objects.insert', kind: 'lose' });
    await bucket().file('lost').save('x', { resumable: false, validation: false });
    expect(await bucket().file('lost').exists()).toEqual([false]);
  });
});
