// Contract cases of resumable uploads: pieces, questions, breaks, wrong offsets.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { BLOCK, md5, piece, start, state } from './resumable.ts';
import { DOCS, exists, noise, read, type StorageWorld } from './world.ts';

export const RESUMABLE_CASES: readonly ContractCase<StorageWorld>[] = [
  {
    name: 'resumable-starts-with-an-address',
    promise: 'the beginning of a resumable upload is answered with an address that names the upload, and makes no object',
    methods: ['uploads.resumable'], source: DOCS.performing,
    differs: { independent: { reason: 'fake-gcs-server passes over X-Upload-Content-Type' } },
    async run(world) {
      const file = world.file('address');
      const begun = await world.ask(`POST /upload/b/${world.shared.name}/o`, { query: { uploadType: 'resumable', name: file.name }, json: { metadata: { a: 'b' } }, headers: { 'x-upload-content-type': 'text/csv' } });
      expect(begun.status).toBe(200);
      const uri = begun.headers.get('location')!;
      expect(new URL(uri).searchParams.get('upload_id')).toMatch(/.{10,}/);
      expect(await exists(file)).toBe(false);
      const made = await piece(world, uri, undefined, Buffer.from('a,b\n'));
      expect(made.json).toMatchObject({ name: file.name, size: '4', contentType: 'text/csv', metadata: { a: 'b' }, metageneration: '1' });
      expect(await read(file)).toBe('a,b\n');
    },
  },
  {
    name: 'resumable-in-pieces',
    promise: 'each piece is answered 308 with the range that is stored, the last one with the object',
    methods: ['uploads.resumable'], source: DOCS.performing,
    async run(world) {
      const { uri, file } = await start(world, 'pieces');
      const bytes = noise(2 * BLOCK + 7);
      expect(state(await piece(world, uri, `bytes 0-${BLOCK - 1}/*`, bytes.subarray(0, BLOCK)))).toEqual([308, `bytes=0-${BLOCK - 1}`]);
      expect(state(await piece(world, uri, `bytes ${BLOCK}-${2 * BLOCK - 1}/*`, bytes.subarray(BLOCK, 2 * BLOCK)))).toEqual([308, `bytes=0-${2 * BLOCK - 1}`]);
      expect(await exists(file)).toBe(false);
      const made = await piece(world, uri, `bytes ${2 * BLOCK}-${2 * BLOCK + 6}/${2 * BLOCK + 7}`, bytes.subarray(2 * BLOCK));
      expect([made.status, made.json['size'], made.json['md5Hash']]).toEqual([200, String(bytes.length), md5(bytes)]);
      expect((await file.download())[0].equals(bytes)).toBe(true);
    },
  },
  {
    name: 'resumable-by-the-client-in-pieces',
    promise: 'Google\'s client uploads in pieces of 256 KiB what it can\'t send at once, and its checksum is the object\'s',
    methods: ['uploads.resumable'], source: DOCS.resumable,
    async run(world) {
      for (const size of [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK]) {
        const bytes = noise(size);
        const file = world.file(`client-${size}`);
        await file.save(bytes, { resumable: true, chunkSize: BLOCK, validation: 'crc32c' });
        expect({ size, equal: (await file.download({ validation: 'crc32c' }))[0].equals(bytes) }).toEqual({ size, equal: true });
      }
    },
  },
  {
    name: 'resumable-status',
    promise: 'bytes */* asks what is stored: no range at all in the beginning, then the range; nothing is changed by asking',
    methods: ['uploads.resumable'], source: DOCS.performing,
    differs: { independent: { reason: 'fake-gcs-server takes bytes */* for the end of the upload' } },
    async run(world) {
      const { uri } = await start(world, 'status');
      expect(state(await piece(world, uri, 'bytes */*', undefined))).toEqual([308, null]);
      expect(state(await piece(world, uri, `bytes */${BLOCK + 5}`, undefined))).toEqual([308, null]);
      await piece(world, uri, `bytes 0-${BLOCK - 1}/${BLOCK + 5}`, Buffer.alloc(BLOCK, 'a'));
      for (const range of ['bytes */*', `bytes */${BLOCK + 5}`]) expect(state(await piece(world, uri, range, undefined))).toEqual([308, `bytes=0-${BLOCK - 1}`]);
      expect((await piece(world, uri, `bytes ${BLOCK}-${BLOCK + 4}/${BLOCK + 5}`, Buffer.from('final'))).status).toBe(200);
    },
  },
  {
    name: 'resumable-ends-with-a-question',
    promise: 'when all bytes are there, bytes */TOTAL ends the upload and is answered with the object',
    methods: ['uploads.resumable'], source: DOCS.performing,
    async run(world) {
      const { uri, file } = await start(world, 'finalize');
      await piece(world, uri, `bytes 0-${BLOCK - 1}/*`, Buffer.alloc(BLOCK, 'z'));
      expect(await exists(file)).toBe(false);
      const made = await piece(world, uri, `bytes */${BLOCK}`, undefined);
      expect([made.status, made.json['size']]).toEqual([200, String(BLOCK)]);
      expect(await exists(file)).toBe(true);
    },
  },
  {
    name: 'resumable-question-with-another-total',
    promise: 'bytes */TOTAL with fewer or more bytes than are stored ends nothing: 308 with what is stored',
    methods: ['uploads.resumable'], source: DOCS.measured,
    differs: { independent: { reason: 'fake-gcs-server takes any question for the end of the upload' } },
    async run(world) {
      const { uri, file } = await start(world, 'other-total');
      await piece(world, uri, `bytes 0-${2 * BLOCK - 1}/*`, Buffer.alloc(2 * BLOCK, 'a'));
      for (const total of [BLOCK, 3 * BLOCK]) expect(state(await piece(world, uri, `bytes */${total}`, undefined))).toEqual([308, `bytes=0-${2 * BLOCK - 1}`]);
      expect(await exists(file)).toBe(false);
    },
  },
  {
    name: 'resumable-resent-bytes',
    promise: 'bytes that are stored already are passed over when they come again, also when the piece goes on beyond them',
    methods: ['uploads.resumable'], source: `${DOCS.resumable}#resent-data`,
    differs: { independent: { reason: 'fake-gcs-server appends what comes again' } },
    async run(world) {
      const { uri, file } = await start(world, 'resent');
      const bytes = noise(3 * BLOCK);
      await piece(world, uri, `bytes 0-${2 * BLOCK - 1}/${3 * BLOCK}`, bytes.subarray(0, 2 * BLOCK));
      expect(state(await piece(world, uri, `bytes 0-${BLOCK - 1}/${3 * BLOCK}`, Buffer.alloc(BLOCK, 'x')))).toEqual([308, `bytes=0-${2 * BLOCK - 1}`]);
      const made = await piece(world, uri, `bytes ${BLOCK}-${3 * BLOCK - 1}/${3 * BLOCK}`, bytes.subarray(BLOCK));
      expect([made.status, made.json['md5Hash']]).toEqual([200, md5(bytes)]);
      expect((await file.download())[0].equals(bytes)).toBe(true);
    },
  },
  {
    name: 'resumable-offset-beyond',
    promise: 'a piece that begins after what is stored is 503 with a sentence, and nothing of it is kept',
    methods: ['uploads.resumable'], source: DOCS.measured,
    differs: { independent: { reason: 'fake-gcs-server takes a piece at any offset' } },
    async run(world) {
      const { uri } = await start(world, 'gap');
      await piece(world, uri, `bytes 0-${BLOCK - 1}/*`, Buffer.alloc(BLOCK, 'a'));
      const gap = await piece(world, uri, `bytes ${2 * BLOCK}-${3 * BLOCK - 1}/*`, Buffer.alloc(BLOCK, 'c'));
      expect(gap.status).toBe(503);
      expect(gap.text).toMatch(/upload offset is 524288 byte\(s\), which exceeds already uploaded size of 262144 byte\(s\)/);
      expect(state(await piece(world, uri, 'bytes */*', undefined))).toEqual([308, `bytes=0-${BLOCK - 1}`]);
    },
  },
  {
    name: 'resumable-pieces-are-multiples-of-256-kib',
    promise: 'of a piece that is not the last only multiples of 256 KiB are stored',
    methods: ['uploads.resumable'], source: DOCS.performing,
    differs: { independent: { reason: 'fake-gcs-server keeps pieces of any size' } },
    async run(world) {
      for (const [bytes, stored] of [[BLOCK - 1, null], [BLOCK + 100, `bytes=0-${BLOCK - 1}`], [1, null]] as const) {
        const { uri, file } = await start(world, 'uneven');
        const reply = await piece(world, uri, `bytes 0-${bytes - 1}/${3 * BLOCK}`, Buffer.alloc(bytes, 'a'));
        // Google may also refuse the piece; what matters is what is kept of it.
        expect([308, 400]).toContain(reply.status);
        expect(state(await piece(world, uri, 'bytes */*', undefined))).toEqual([308, reply.status === 400 ? null : stored]);
        expect(await exists(file)).toBe(false);
      }
    },
  },
  {
    name: 'resumable-body-and-range-disagree',
    promise: 'a body that is shorter or longer than its Content-Range says, a range beyond the total and a range that can\'t be read are 400',
    methods: ['uploads.resumable'], source: DOCS.performing,
    differs: { independent: { reason: 'fake-gcs-server does not compare the body with its range' } },
    async run(world) {
      for (const [range, bytes] of [[`bytes 0-${BLOCK - 1}/${BLOCK}`, BLOCK - 1], ['bytes 0-99/100', 101], ['bytes 0-99/50', 100], ['bytes 10-5/20', 5], ['0-9/10', 10], ['bytes a-b/c', 3]] as const) {
        const { uri, file } = await start(world, 'disagree');
        const reply = await piece(world, uri, range, Buffer.alloc(bytes, 'a'));
        expect({ range, status: reply.status }).toEqual({ range, status: 400 });
        expect(await exists(file)).toBe(false);
      }
    },
  },
  {
    name: 'resumable-total-stays',
    promise: 'a total that was told once can\'t become another: 400, and the upload can still be ended with the first',
    methods: ['uploads.resumable'], source: DOCS.performing,
    differs: { independent: { reason: 'fake-gcs-server takes another total' } },
    async run(world) {
      const { uri, file } = await start(world, 'total');
      const bytes = noise(2 * BLOCK);
      await piece(world, uri, `bytes 0-${BLOCK - 1}/${2 * BLOCK}`, bytes.subarray(0, BLOCK));
      expect((await piece(world, uri, `bytes ${BLOCK}-${2 * BLOCK - 1}/${3 * BLOCK}`, bytes.subarray(BLOCK))).status).toBe(400);
      expect((await piece(world, uri, `bytes ${BLOCK}-${2 * BLOCK - 1}/${2 * BLOCK}`, bytes.subarray(BLOCK))).status).toBe(200);
      expect((await file.download())[0].equals(bytes)).toBe(true);
    },
  },
  {
    name: 'resumable-announced-length',
    promise: 'an upload that began with X-Upload-Content-Length has to have that many bytes',
    methods: ['uploads.resumable'], source: DOCS.performing,
    differs: { independent: { reason: 'fake-gcs-server passes over X-Upload-Content-Length' } },
    async run(world) {
      const file = world.file('announced');
      const begin = async (): Promise<string> => (await world.ask(`POST /upload/b/${world.shared.name}/o`, { query: { uploadType: 'resumable', name: file.name }, json: {}, headers: { 'x-upload-content-length': '9' } })).headers.get('location')!;
      expect((await piece(world, await begin(), 'bytes 0-9/10', Buffer.from('ten bytes!'))).status).toBe(400);
      expect(await exists(file)).toBe(false);
      expect((await piece(world, await begin(), 'bytes 0-8/9', Buffer.from('the bytes'))).status).toBe(200);
    },
  },
  {
    name: 'resumable-goes-on-after-a-break',
    promise: 'after a connection that broke inside a piece the upload goes on from what the question tells, and ends with the right bytes',
    methods: ['uploads.resumable'], source: `${DOCS.performing}#resume-upload`,
    differs: { independent: { reason: 'fake-gcs-server takes the question for the end of the upload' } },
    async run(world) {
      const { uri, file } = await start(world, 'broken');
      const bytes = noise(4 * BLOCK + 11);
      const abort = new AbortController();
      async function* half() {
        yield bytes.subarray(0, BLOCK + 1_000);
        await new Promise((done) => setTimeout(done, 300));
        abort.abort();
        await new Promise((done) => setTimeout(done, 5_000));
      }
      await fetch(uri, { method: 'PUT', body: half(), duplex: 'half', signal: abort.signal, headers: { 'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}` } } as never).catch(() => {});
      const asked = await piece(world, uri, `bytes */${bytes.length}`, undefined);
      expect(asked.status).toBe(308);
      const stored = Number(/bytes=0-(\d+)/.exec(asked.headers.get('range') ?? '')?.[1] ?? -1) + 1;
      expect(stored % BLOCK).toBe(0);
      expect(stored).toBeLessThanOrEqual(BLOCK);
      const made = await piece(world, uri, `bytes ${stored}-${bytes.length - 1}/${bytes.length}`, bytes.subarray(stored));
      expect([made.status, made.json['md5Hash']]).toEqual([200, md5(bytes)]);
      expect((await file.download())[0].equals(bytes)).toBe(true);
    },
  },
];
