// What the small Cloud Storage makes of a folder that a kill left in the middle of a step: each step is finished or undone, never half seen.
import { createHash, randomUUID } from 'node:crypto';
import { appendFile, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Faults } from '../../../emulators/faults.ts';
import { start } from '../../../emulators/storage/server.ts';
import { Store } from '../../../emulators/storage/store.ts';

const BLOCK = 256 * 1_024;
let dir: string;
beforeEach(async () => { dir = await mkdtemp(join(tmpdir(), 'storage-recovery-')); });
afterEach(async () => { await rm(dir, { recursive: true }); });

const open = (): Promise<Store> => Store.open(dir, () => Date.now());
const objectsDir = (): string => join(dir, 'buckets', 'b-1', 'objects');

async function write(store: Store, name: string, text: string): Promise<string> {
  const staged = await store.stage();
  await staged.append(Buffer.from(text));
  return (await store.commit('b-1', staged, { name, ...staged.checksums() }, {})).generation;
}

async function read(store: Store, name: string, generation?: string): Promise<string> {
  const object = store.objectOrRefuse('b-1', name, generation);
  const chunks: Buffer[] = [];
  for await (const chunk of await store.read('b-1', name, object.generation, 0, Number(object.size) - 1)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('two live versions of one name: the newer was made, the older not yet put away', () => {
  /** The folder as it is between the two steps. */
  async function between(settings: object): Promise<[string, string]> {
    const store = await open();
    await store.createBucket({ name: 'b-1', ...settings });
    const first = await write(store, 'x', 'first');
    const [file] = await readdir(objectsDir());
    await rename(join(objectsDir(), file!), join(dir, 'aside'));
    const again = await open();
    const second = await write(again, 'x', 'second');
    await rename(join(dir, 'aside'), join(objectsDir(), file!));
    return [first, second];
  }

  it('the older is removed without versioning', async () => {
    const [first, second] = await between({});
    const store = await open();
    expect([await read(store, 'x'), store.object('b-1', 'x')?.generation, store.object('b-1', 'x', first)]).toEqual(['second', second, undefined]);
    expect(await readdir(objectsDir())).toHaveLength(1);
  });

  it('the older is noncurrent with versioning', async () => {
    const [first] = await between({ versioning: { enabled: true } });
    const store = await open();
    expect([await read(store, 'x'), await read(store, 'x', first)]).toEqual(['second', 'first']);
    expect(store.object('b-1', 'x', first)?.timeDeleted).toBeDefined();
  });

  it('the older is soft-deleted with soft delete', async () => {
    const [first] = await between({ softDeletePolicy: { retentionDurationSeconds: '604800' } });
    const store = await open();
    expect(await read(store, 'x')).toBe('second');
    expect(store.softDeleted('b-1', 'x', first).softDeleteTime).toBeDefined();
  });
});

it('a file that was not finished is no object, and staged files are gone', async () => {
  const store = await open();
  await store.createBucket({ name: 'b-1' });
  await write(store, 'whole', 'text');
  await writeFile(join(objectsDir(), 'torn'), 'half of an object');
  await writeFile(store.stagingPath(), 'never finished');
  const again = await open();
  expect([...again.index('b-1').live.from('')]).toEqual(['whole']);
  expect(await readdir(again.stagingDir)).toEqual([]);
});

it('a bucket whose making was not finished is not there, and can be made', async () => {
  const store = await open();
  await store.createBucket({ name: 'b-1' });
  await rm(join(dir, 'buckets', 'b-1', 'bucket.json'));
  const again = await open();
  expect(again.listBuckets()).toEqual([]);
  await again.createBucket({ name: 'b-1' });
});

it('files named as before there were versions are read', async () => {
  const store = await open();
  await store.createBucket({ name: 'b-1' });
  await write(store, 'old', 'text');
  const [file] = await readdir(objectsDir());
  await rename(join(objectsDir(), file!), join(objectsDir(), createHash('sha256').update('old').digest('hex')));
  const again = await open();
  expect(await read(again, 'old')).toBe('text');
  await again.deleteObject('b-1', 'old', null, {});
  expect(await readdir(objectsDir())).toEqual([]);
});

describe('a resumable upload whose file had got its tail of metadata, but not its name', () => {
  it.each([[2 * BLOCK, 2 * BLOCK], [2 * BLOCK + 7, 2 * BLOCK], [BLOCK - 20, 0]])('of %i bytes: the tail is never taken for content, and the upload goes on from byte %i', async (total, stored) => {
    const faults = new Faults();
    const store = await open();
    await store.createBucket({ name: 'b-1' });
    const id = randomUUID();
    const content = Buffer.alloc(total, 'abcdefg');
    await writeFile(join(store.uploadsDir, `${id}.json`), JSON.stringify({ target: { bucket: 'b-1', body: {}, name: 'x', conditions: {} }, startedMs: Date.now(), total }));
    await writeFile(join(store.uploadsDir, `${id}.data`), content);
    await appendFile(join(store.uploadsDir, `${id}.data`), JSON.stringify({ name: 'x', pad: 'y'.repeat(400) }));
    const service = await start({ host: '127.0.0.1', port: 0, dataDir: dir, project: 'p', faults, now: () => Date.now() });
    try {
      const uri = `http://127.0.0.1:${service.port}/upload/storage/v1/b/b-1/o?uploadType=resumable&upload_id=${id}`;
      const put = (range: string, body?: Buffer) => fetch(uri, { method: 'PUT', redirect: 'manual', headers: { 'content-range': range }, ...(body === undefined ? {} : { body }) });
      if (stored < total) {
        const asked = await put(`bytes */${total}`);
        expect([asked.status, asked.headers.get('range')]).toEqual([308, stored === 0 ? null : `bytes=0-${stored - 1}`]);
      }
      const made = stored < total ? await put(`bytes ${stored}-${total - 1}/${total}`, content.subarray(stored)) : await put(`bytes */${total}`);
      expect([made.status, ((await made.json()) as { md5Hash: string }).md5Hash]).toEqual([200, createHash('md5').update(content).digest('base64')]);
    } finally {
      await service.close();
    }
  });
});
