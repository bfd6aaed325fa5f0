// Contract cases of faults: whatever Cloud Storage does to its clients in bad hours can be ordered, and is seen by Google's client as it would be.
import { createHash } from 'node:crypto';
import { Storage } from '@google-cloud/storage';
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { refusalOf } from '../wait.ts';
import { stats, whileBroken, type Plan } from './steering.ts';
import { DOCS, exists, meta, noise, pathOf, put, read, refused, type StorageWorld } from './world.ts';

const BLOCK = 256 * 1_024;
const md5 = (bytes: string | Buffer): string => createHash('md5').update(bytes).digest('base64');
/** Google's client as the product makes it: it tries again. */
const retrying = (world: StorageWorld): Storage => new Storage({ projectId: world.launched.project, retryOptions: { autoRetry: true, maxRetries: 3, retryDelayMultiplier: 1, maxRetryDelay: 1, totalTimeout: 20 } });
const fault = (name: string, promise: string, plans: Plan[], run: (world: StorageWorld) => Promise<void>, source: string = DOCS.retry): ContractCase<StorageWorld> => ({
  name, promise, methods: ['faults'], source, needs: ['faults'], isAlone: true,
  run: (world) => whileBroken(world, plans, () => run(world)),
});

export const FAULT_CASES: readonly ContractCase<StorageWorld>[] = [
  fault('fault-503-and-429', 'F29: 503 and 429 are seen by the client as such, with Google\'s reasons', [{ method: 'objects.insert', kind: 'fail', status: '503' }, { method: 'objects.insert', kind: 'fail', status: '429' }], async (world) => {
    const file = world.file('failing');
    await refused(put(file), 503, 'backendError');
    await refused(put(file), 429, 'rateLimitExceeded');
    expect(await exists(file)).toBe(false);
    await put(file);
  }),
  fault('fault-503-is-tried-again', 'F29: with a condition the client tries an upload again after 503, and the object is there once', [{ method: 'objects.insert', kind: 'fail', status: 'UNAVAILABLE', times: 2 }], async (world) => {
    const { name } = world.file('again');
    const before = (await stats(world))['objects.insert'] ?? 0;
    await retrying(world).bucket(world.shared.name).file(name).save('x', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
    expect((await stats(world))['objects.insert']).toBe(before + 3);
  }),
  fault('fault-reply-lost', 'F30: an upload whose reply was lost is there; tried again under its condition it is 412', [{ method: 'objects.insert', kind: 'fail', status: '503', takes_effect: true }], async (world) => {
    const { name } = world.file('lost-reply');
    const error = await refused(retrying(world).bucket(world.shared.name).file(name).save('x', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }), 412);
    expect(error.code).toBe(412);
    expect(await read(world.shared.file(name))).toBe('x');
  }),
  fault('fault-connection-lost-after-the-upload', 'F30: an upload that is done before the connection breaks is there', [{ method: 'objects.insert', kind: 'duplicate' }], async (world) => {
    const file = world.file('broken-after');
    await refusalOf(put(file));
    expect(await exists(file)).toBe(true);
  }),
  fault('fault-resumable-reply-lost', 'F30: a resumable upload whose last reply was lost answers with its object when it is asked again', [{ method: 'objects.insert', kind: 'fail', status: '503', takes_effect: true, after: 1 }], async (world) => {
    const file = world.file('resumable-lost');
    const [uri] = await file.createResumableUpload();
    expect((await world.ask(`PUT ${uri}`, { body: 'the bytes' })).status).toBe(503);
    const asked = await world.ask(`PUT ${uri}`, { headers: { 'content-range': 'bytes */9' } });
    expect([asked.status, asked.json['size']]).toEqual([200, '9']);
  }),
  fault('fault-upload-truncated', 'F31: an upload that loses its end on the way is refused when its checksum was given, and nothing is stored', [{ method: 'objects.insert', kind: 'truncate', bytes: 3 }], async (world) => {
    const file = world.file('truncated');
    await refused(put(file, 'whole', { metadata: { md5Hash: md5('whole') } }), 400);
    expect(await exists(file)).toBe(false);
  }, DOCS.validation),
  fault('fault-upload-truncated-unnoticed', 'F31: without a checksum such an upload is stored short: that is why the product gives one', [{ method: 'objects.insert', kind: 'truncate', bytes: 3 }], async (world) => {
    expect(await meta(await put(world.file('short'), 'whole'))).toMatchObject({ size: '3', md5Hash: md5('who') });
  }, DOCS.validation),
  fault('fault-upload-corrupted', 'F31: an upload in which a byte changes is refused when its CRC32C was given', [{ method: 'objects.insert', kind: 'corrupt', bytes: 2 }], async (world) => {
    const file = world.file('corrupted');
    await refused(put(file, '123456789', { metadata: { crc32c: '4waSgw==' } }), 400);
    expect(await exists(file)).toBe(false);
  }, DOCS.validation),
  fault('fault-resumable-corrupted', 'F31: a byte that changes in a piece of a resumable upload refuses it at its end', [{ method: 'objects.insert', kind: 'corrupt', bytes: 7, after: 1 }], async (world) => {
    const file = world.file('corrupted-piece');
    const bytes = noise(BLOCK + 5);
    const [uri] = await file.createResumableUpload({ metadata: { md5Hash: md5(bytes) } });
    expect((await world.ask(`PUT ${uri}`, { headers: { 'content-range': `bytes 0-${BLOCK - 1}/*` }, body: bytes.subarray(0, BLOCK) })).status).toBe(308);
    expect((await world.ask(`PUT ${uri}`, { headers: { 'content-range': `bytes ${BLOCK}-${BLOCK + 4}/${BLOCK + 5}` }, body: bytes.subarray(BLOCK) })).status).toBe(400);
    expect(await exists(file)).toBe(false);
  }, DOCS.validation),
  fault('fault-upload-reset', 'a connection that is reset inside an upload stores nothing, and the client tries again', [{ method: 'objects.insert', kind: 'reset', bytes: 100_000 }], async (world) => {
    const bytes = noise(1_000_000);
    const { name } = world.file('reset');
    await refusalOf(put(world.shared.file(name), bytes));
    expect(await exists(world.shared.file(name))).toBe(false);
    await whileBroken(world, [{ method: 'objects.insert', kind: 'reset', bytes: 100_000 }], async () => {
      await retrying(world).bucket(world.shared.name).file(name).save(bytes, { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
    });
    expect((await world.shared.file(name).download())[0].equals(bytes)).toBe(true);
  }),
  fault('fault-resumable-reset', 'a connection that is reset inside a piece keeps its whole blocks, and the upload goes on from there', [{ method: 'objects.insert', kind: 'reset', bytes: BLOCK + 10, after: 1 }], async (world) => {
    const file = world.file('reset-piece');
    const bytes = noise(3 * BLOCK);
    const [uri] = await file.createResumableUpload();
    await refusalOf(world.ask(`PUT ${uri}`, { headers: { 'content-range': `bytes 0-${3 * BLOCK - 1}/${3 * BLOCK}` }, body: bytes }));
    const asked = await world.ask(`PUT ${uri}`, { headers: { 'content-range': `bytes */${3 * BLOCK}` } });
    expect([asked.status, asked.headers.get('range')]).toEqual([308, `bytes=0-${BLOCK - 1}`]);
    expect((await world.ask(`PUT ${uri}`, { headers: { 'content-range': `bytes ${BLOCK}-${3 * BLOCK - 1}/${3 * BLOCK}` }, body: bytes.subarray(BLOCK) })).status).toBe(200);
    expect((await file.download())[0].equals(bytes)).toBe(true);
  }),
  fault('fault-download-reset', 'a download whose connection is reset fails at the client, never ends as if it were whole', [{ method: 'objects.get', kind: 'reset', bytes: 300_000 }], async (world) => {
    const bytes = noise(1_000_000);
    const file = await put(world.file('download-reset'), bytes);
    await refusalOf(file.download({ validation: false }));
    expect((await file.download())[0].equals(bytes)).toBe(true);
  }),
  fault('fault-download-truncated', 'a download that ends early fails at the client by its length', [{ method: 'objects.get', kind: 'truncate', bytes: 5 }], async (world) => {
    const file = await put(world.file('download-short'), 'a longer text');
    await refusalOf(file.download({ validation: false }));
    expect(await read(file)).toBe('a longer text');
  }),
  fault('fault-download-corrupted', 'a download in which a byte changes fails at the client by its checksum', [{ method: 'objects.get', kind: 'corrupt', bytes: 5 }], async (world) => {
    const file = await put(world.file('download-corrupted'), 'a longer text');
    expect((await refusalOf(file.download({ validation: 'crc32c' }))).message).toMatch(/checksum|match/i);
    expect((await file.download({ validation: 'crc32c' }))[0].toString()).toBe('a longer text');
  }, DOCS.validation),
  fault('fault-hang', 'a call that is never answered ends by the client\'s deadline, and does nothing unless it is told to', [{ method: 'objects.patch', kind: 'hang' }, { method: 'objects.patch', kind: 'hang', takes_effect: true }], async (world) => {
    const file = await put(world.file('hanging'));
    const hung = (): Promise<string> => Promise.race([file.setMetadata({ metadata: { a: 'b' } }).then(() => 'answered'), new Promise<string>((done) => setTimeout(() => done('no answer'), 500))]);
    expect(await hung()).toBe('no answer');
    expect((await meta(file))['metageneration']).toBe('1');
    expect(await hung()).toBe('no answer');
    expect((await meta(file))['metageneration']).toBe('2');
  }),
  fault('fault-slow', 'an answer comes late and is right', [{ method: 'objects.get', kind: 'delay', delay_ms: 700 }], async (world) => {
    const file = await put(world.file('slow'), 'late');
    const began = performance.now();
    expect(await read(file)).toBe('late');
    expect(performance.now() - began).toBeGreaterThan(650);
  }),
  fault('fault-lost-write', 'a write that is answered and not done is not there', [{ method: 'objects.insert', kind: 'lose' }, { method: 'objects.delete', kind: 'lose' }], async (world) => {
    const file = world.file('lost');
    await put(file);
    expect(await exists(file)).toBe(false);
    await put(file);
    await file.delete();
    expect(await exists(file)).toBe(true);
  }),
  fault('fault-of-other-calls', 'reads, lists, composes, deletes and buckets fail as they are told to, and only those of the resource that is named', [
    { method: 'objects.list', kind: 'fail', status: '500' }, { method: 'objects.compose', kind: 'fail', status: '503' }, { method: 'objects.get', kind: 'fail', status: '403', resource: 'the-named' }, { method: 'buckets.get', kind: 'fail', status: '404' }, { method: 'objects.delete', kind: 'fail', status: '504', takes_effect: true },
  ], async (world) => {
    const file = await put(world.file('the-named'));
    const other = await put(world.file('another'));
    await refused(world.shared.getFiles({ prefix: file.name }), 500);
    await refused(world.shared.combine([other], world.file('joined'), {}), 503);
    expect(await read(other)).toBe('bytes');
    await refused(file.getMetadata(), 403);
    await refused(world.shared.getMetadata(), 404);
    await refused(file.delete(), 504);
    expect((await world.ask(`GET ${pathOf(file)}`)).status).toBe(404);
  }),
];
