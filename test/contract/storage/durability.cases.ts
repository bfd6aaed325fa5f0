// Contract cases of a service that is killed: what it acknowledged is there when it is back, nothing half-written is, uploads go on.
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { DOCS, exists, meta, noise, pathOf, put, read, type StorageWorld } from './world.ts';

const BLOCK = 256 * 1_024;
const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('base64');
const killed = (name: string, promise: string, run: (world: StorageWorld) => Promise<void>): ContractCase<StorageWorld> => ({
  name, promise, methods: ['durability'], source: DOCS.consistency, needs: ['restart'], isAlone: true, timeoutMs: 60_000, run,
});

export const DURABILITY_CASES: readonly ContractCase<StorageWorld>[] = [
  killed('killed-amid-uploads', 'after a SIGKILL amid uploads every acknowledged object is there byte for byte, and every other one is whole or absent', async (world) => {
    const prefix = world.prefix();
    const acknowledged = new Map<string, string>();
    let isOver = false;
    const upload = async (worker: number): Promise<void> => {
      for (let number = 0; !isOver; number += 1) {
        const bytes = noise(1 + ((number * 104_729 + worker * 7_919) % 400_000));
        const file = world.shared.file(`${prefix}${worker}/${number}`);
        await file.save(bytes, { resumable: number % 3 === 2, validation: false, preconditionOpts: { ifGenerationMatch: 0 } }).then(() => acknowledged.set(file.name, md5(bytes)), () => { isOver = true; });
      }
    };
    const uploads = Array.from({ length: 6 }, (_, worker) => upload(worker));
    while (acknowledged.size < 40) await new Promise((done) => setTimeout(done, 5));
    await world.launched.ours!.restart();
    isOver = true;
    await Promise.all(uploads);
    const [files] = await world.shared.getFiles({ prefix });
    const stored = new Map(files.map((file) => [file.name, file.metadata.md5Hash]));
    expect([...acknowledged].filter(([name, sum]) => stored.get(name) !== sum)).toEqual([]);
    for (const file of files) expect({ name: file.name, sum: md5((await file.download({ validation: false }))[0]) }).toEqual({ name: file.name, sum: file.metadata.md5Hash });
  }),
  killed('killed-amid-overwrites', 'an object that is overwritten again and again over a SIGKILL has the last acknowledged bytes, or those that were under way', async (world) => {
    const file = world.file('overwritten');
    let last = -1;
    const overwriting = (async () => {
      for (let number = 0; ; number += 1) {
        await put(file, `${number}`.padEnd(200_000, '.'));
        last = number;
      }
    })().catch(() => {});
    while (last < 10) await new Promise((done) => setTimeout(done, 5));
    await world.launched.ours!.restart();
    await overwriting;
    expect([last, last + 1]).toContain(Number.parseInt(await read(file), 10));
    const { generation } = await meta(file);
    await put(file, 'after');
    expect(BigInt((await meta(file))['generation'])).toBeGreaterThan(BigInt(generation));
  }),
  killed('killed-amid-a-resumable-upload', 'a resumable upload goes on after a SIGKILL from what was acknowledged, and ends with the right bytes', async (world) => {
    const file = world.file('resumed');
    const bytes = noise(4 * BLOCK + 99);
    const [uri] = await file.createResumableUpload({ metadata: { contentType: 'text/x', metadata: { a: 'b' } }, preconditionOpts: { ifGenerationMatch: 0 } });
    const send = (range: string, body?: Buffer) => world.ask(`PUT ${uri}`, { headers: { 'content-range': range }, ...(body === undefined ? {} : { body }) });
    expect((await send(`bytes 0-${2 * BLOCK - 1}/*`, bytes.subarray(0, 2 * BLOCK))).status).toBe(308);
    const under = send(`bytes ${2 * BLOCK}-${4 * BLOCK - 1}/*`, bytes.subarray(2 * BLOCK, 4 * BLOCK)).then(({ status }) => status, () => 0);
    await world.launched.ours!.restart();
    const second = await under;
    expect(await exists(file)).toBe(false);
    const asked = await send('bytes */*');
    const stored = Number(/bytes=0-(\d+)/.exec(asked.headers.get('range')!)![1]) + 1;
    expect(stored).toBeGreaterThanOrEqual(second === 308 ? 4 * BLOCK : 2 * BLOCK);
    const made = await send(`bytes ${stored}-${bytes.length - 1}/${bytes.length}`, bytes.subarray(stored));
    expect(made.json).toMatchObject({ size: String(bytes.length), md5Hash: md5(bytes), contentType: 'text/x', metadata: { a: 'b' } });
    expect((await file.download())[0].equals(bytes)).toBe(true);
  }),
  killed('killed-after-a-resumable-upload', 'a resumable upload that was done before a SIGKILL answers with its object afterwards, a cancelled one stays cancelled', async (world) => {
    const file = world.file('done');
    const [done] = await file.createResumableUpload();
    const made = await world.ask(`PUT ${done}`, { body: 'the bytes' });
    const [cancelled] = await world.file('cancelled').createResumableUpload();
    await world.ask(`DELETE ${cancelled}`);
    await world.launched.ours!.restart();
    const asked = await world.ask(`PUT ${done}`, { headers: { 'content-range': 'bytes */9' } });
    expect([asked.status, asked.json['generation']]).toEqual([200, made.json['generation']]);
    expect((await world.ask(`PUT ${cancelled}`, { headers: { 'content-range': 'bytes */*' } })).status).toBe(499);
  }),
  killed('killed-with-versions-and-settings', 'bucket settings, metadata, holds, noncurrent and soft-deleted versions are the same after a SIGKILL', async (world) => {
    const bucket = await world.bucket({ versioning: { enabled: true }, labels: { a: 'b' }, lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 365 } }] }, retentionPolicy: { retentionPeriod: '1' } } as never);
    await put(bucket.file('v'), 'one');
    await new Promise((done) => setTimeout(done, 1_100));
    await put(bucket.file('v'), 'two', { metadata: { metadata: { c: 'd' } } });
    await bucket.file('v').setMetadata({ temporaryHold: true });
    const gone = await put(bucket.file('gone'), 'x');
    await new Promise((done) => setTimeout(done, 1_100));
    await bucket.file('gone', { generation: (await meta(gone))['generation'] }).delete();
    const look = async (): Promise<unknown> => Promise.all(['', '/o?versions=true', '/o?softDeleted=true'].map(async (path) => {
      const [plain, search = ''] = path.split('?') as [string, string?];
      return (await world.ask(`GET b/${bucket.name}${plain}`, { query: Object.fromEntries(new URLSearchParams(search)) })).json;
    }));
    const before = await look();
    expect((before as { items?: unknown[] }[]).map(({ items }) => items?.length)).toEqual([undefined, 2, 1]);
    await world.launched.ours!.restart();
    expect(await look()).toEqual(before);
    expect(await read(bucket.file('v'))).toBe('two');
  }),
  killed('killed-after-deleting-a-bucket', 'a bucket whose delete was answered stays away over a SIGKILL, and one made again under its name is empty and stays', async (world) => {
    const [gone, again] = [await world.bucket({ softDeletePolicy: { retentionDurationSeconds: 0 } } as never), await world.bucket({ softDeletePolicy: { retentionDurationSeconds: 0 } } as never)];
    for (const bucket of [gone, again]) {
      await (await put(bucket.file('x'))).delete();
      expect((await world.ask(`DELETE b/${bucket.name}`)).status).toBe(204);
    }
    expect((await world.ask('POST b', { query: { project: world.launched.project }, json: { name: again.name } })).status).toBe(200);
    await world.launched.ours!.restart();
    expect((await world.ask(`GET b/${gone.name}`)).status).toBe(404);
    expect((await world.ask(`GET b/${again.name}/o`, { query: { versions: 'true' } })).json).toEqual({ kind: 'storage#objects' });
    expect((await world.ask('GET b', { query: { project: world.launched.project, prefix: gone.name } })).json['items'] ?? []).toEqual([]);
  }),
  killed('killed-amid-compose-and-delete', 'a compose that grows an object over a SIGKILL is whole or not done, and a delete that was answered stays done', async (world) => {
    const prefix = world.prefix();
    const part = await put(world.shared.file(`${prefix}part`), 'x'.repeat(100_000));
    const target = await put(world.shared.file(`${prefix}target`), '');
    let size = 0;
    const growing = (async () => {
      for (;;) {
        const { status } = await world.ask(`POST ${pathOf(target)}/compose`, { json: { sourceObjects: [{ name: target.name }, { name: part.name }] } });
        if (status !== 200) throw new Error(String(status));
        size += 100_000;
      }
    })().catch(() => {});
    const deleted: string[] = [];
    const deleting = (async () => {
      for (let number = 0; ; number += 1) {
        const file = await put(world.shared.file(`${prefix}deleted/${number}`));
        await file.delete();
        deleted.push(file.name);
      }
    })().catch(() => {});
    while (size < 1_000_000 || deleted.length < 10) await new Promise((done) => setTimeout(done, 5));
    await world.launched.ours!.restart();
    await Promise.all([growing, deleting]);
    expect([size, size + 100_000]).toContain(Number((await meta(target))['size']));
    const left = (await world.shared.getFiles({ prefix: `${prefix}deleted/` }))[0].map(({ name }) => name);
    expect(deleted.filter((name) => left.includes(name))).toEqual([]);
  }),
];
