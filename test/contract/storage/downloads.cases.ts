// Contract cases of reading objects: metadata and bytes, ranges, gzip, conditions, headers.
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { DOCS, expectError, meta, noise, pathOf, put, read, refused, type Reply, type StorageWorld } from './world.ts';

const media = (world: StorageWorld, file: { bucket: { name: string }; name: string }, headers: Record<string, string> = {}, query: Record<string, string> = {}): Promise<Reply> =>
  world.ask(`GET ${pathOf(file)}`, { query: { alt: 'media', ...query }, headers: { 'accept-encoding': 'gzip', ...headers } });

export const DOWNLOAD_CASES: readonly ContractCase<StorageWorld>[] = [
  {
    name: 'download-headers',
    promise: 'bytes come with their type, length, generation, metageneration, stored length and both checksums in the headers',
    methods: ['objects.get'], source: 'https://docs.cloud.google.com/storage/docs/xml-api/reference-headers',
    differs: { independent: { reason: 'fake-gcs-server leaves out the storage class, or what describes the object' } },
    async run(world) {
      const file = await put(world.file('headers'), '123456789', { contentType: 'text/x-nine', metadata: { cacheControl: 'no-store', contentLanguage: 'de', contentDisposition: 'inline' } });
      const { generation } = await meta(file);
      const { status, headers, text } = await media(world, file);
      expect([status, text]).toEqual([200, '123456789']);
      expect(Object.fromEntries(['content-type', 'content-length', 'x-goog-generation', 'x-goog-metageneration', 'x-goog-stored-content-length', 'x-goog-stored-content-encoding', 'x-goog-storage-class', 'cache-control', 'content-language', 'content-disposition'].map((name) => [name, headers.get(name)]))).toEqual({
        'content-type': 'text/x-nine', 'content-length': '9', 'x-goog-generation': generation, 'x-goog-metageneration': '1', 'x-goog-stored-content-length': '9', 'x-goog-stored-content-encoding': 'identity',
        'x-goog-storage-class': 'STANDARD', 'cache-control': 'no-store', 'content-language': 'de', 'content-disposition': 'inline',
      });
      expect(headers.get('x-goog-hash')).toMatch(/crc32c=4waSgw==/);
      expect(headers.get('x-goog-hash')).toMatch(/md5=JfnnlDI7RTiF9RgfG2JNCw==/);
      expect(headers.get('etag')).toBeTruthy();
      expect(Date.parse(headers.get('last-modified')!)).toBeGreaterThan(Date.now() - 60_000);
    },
  },
  {
    name: 'download-by-both-paths',
    promise: 'bytes are served under /download and under the object\'s own address with alt=media',
    methods: ['objects.get'], source: DOCS.get,
    async run(world) {
      const file = await put(world.file('both'), 'same');
      expect((await world.ask(`GET /download/${pathOf(file)}`, { query: { alt: 'media' } })).text).toBe('same');
      const { mediaLink } = await meta(file);
      expect((await world.ask(`GET ${mediaLink}`)).text).toBe('same');
    },
  },
  {
    name: 'download-ranges',
    promise: 'a range is 206 with Content-Range: first bytes, middle, to the end, the last n, and a range that reaches beyond the end is cut there',
    methods: ['objects.get'], source: 'https://docs.cloud.google.com/storage/docs/xml-api/reference-headers#range',
    async run(world) {
      const file = await put(world.file('range'), '0123456789');
      for (const [range, bytes, content] of [['bytes=0-0', '0', 'bytes 0-0/10'], ['bytes=0-3', '0123', 'bytes 0-3/10'], ['bytes=4-6', '456', 'bytes 4-6/10'], ['bytes=7-', '789', 'bytes 7-9/10'], ['bytes=-2', '89', 'bytes 8-9/10'], ['bytes=-20', '0123456789', 'bytes 0-9/10'], ['bytes=8-99', '89', 'bytes 8-9/10'], ['bytes=9-9', '9', 'bytes 9-9/10'], ['bytes=0-9', '0123456789', 'bytes 0-9/10']] as const) {
        const got = await media(world, file, { range });
        expect({ range, status: got.status, text: got.text, content: got.headers.get('content-range'), length: got.headers.get('content-length') }).toEqual({ range, status: 206, text: bytes, content, length: String(bytes.length) });
      }
      expect(await read(file, { start: 2, end: 4 })).toBe('234');
      expect(await read(file, { start: -3 } as object)).toBeTruthy();
    },
  },
  {
    name: 'download-range-not-satisfiable',
    promise: 'a range that begins at or after the end is 416',
    methods: ['objects.get'], source: DOCS.errors,
    async run(world) {
      const file = await put(world.file('beyond'), '0123456789');
      for (const range of ['bytes=10-', 'bytes=10-20', 'bytes=99-']) expect((await media(world, file, { range })).status).toBe(416);
      expect((await media(world, await put(world.file('none'), ''), { range: 'bytes=0-' })).status).toBe(416);
      await refused(file.download({ start: 10, end: 12 }), 416);
    },
  },
  {
    name: 'download-large-range',
    promise: 'a range from the middle of megabytes has exactly those bytes',
    methods: ['objects.get'], source: DOCS.get,
    async run(world) {
      const bytes = noise(2_000_003);
      const file = await put(world.file('large'), bytes);
      for (const [start, end] of [[262_143, 262_144], [999_999, 1_700_000], [1_999_000, 2_000_002]] as const) expect((await file.download({ start, end }))[0].equals(bytes.subarray(start, end + 1))).toBe(true);
    },
  },
  {
    name: 'download-absent-is-404',
    promise: 'metadata and bytes of an object that is not there are 404, and the message names it',
    methods: ['objects.get'], source: DOCS.errors,
    differs: { independent: { reason: 'fake-gcs-server does not name the object' } },
    async run(world) {
      const file = world.file('absent');
      const error = await refused(file.getMetadata(), 404, 'notFound');
      expect(error.message).toContain(file.name);
      await refused(file.download(), 404);
      const bytes = await media(world, file);
      expect([bytes.status, bytes.text]).toEqual([404, `No such object: ${world.shared.name}/${file.name}`]);
      expect((await media(world, await put(file, 'x'), {}, { generation: '1' })).status).toBe(404);
    },
  },
  {
    name: 'read-conditions',
    promise: 'a read whose Match condition fails is 412, one whose NotMatch condition fails is 304 without a body; of metadata and of bytes',
    methods: ['objects.get'], source: DOCS.preconditions,
    differs: { independent: { reason: 'fake-gcs-server passes over conditions on reads of metadata' } },
    async run(world) {
      const file = await put(world.file('conditions'));
      const { generation } = await meta(file);
      const other = String(BigInt(generation) + 1n);
      for (const alt of ['json', 'media']) {
        const got = (query: Record<string, string>): Promise<Reply> => world.ask(`GET ${pathOf(file)}`, { query: { alt, ...query } });
        for (const query of [{ ifGenerationMatch: other }, { ifGenerationMatch: '0' }, { ifMetagenerationMatch: '2' }]) expect({ query, status: (await got(query as never)).status }).toEqual({ query, status: 412 });
        for (const query of [{ ifGenerationNotMatch: generation }, { ifMetagenerationNotMatch: '1' }]) {
          const reply = await got(query as never);
          expect({ query, status: reply.status, text: reply.text }).toEqual({ query, status: 304, text: '' });
        }
        for (const query of [{ ifGenerationMatch: generation }, { ifGenerationNotMatch: other }, { ifMetagenerationMatch: '1' }, { ifMetagenerationNotMatch: '2' }, { ifGenerationNotMatch: '0' }]) expect({ query, status: (await got(query as never)).status }).toEqual({ query, status: 200 });
      }
      expectError(await world.ask(`GET ${pathOf(file)}`, { query: { ifGenerationMatch: other } }), 412, 'conditionNotMet');
    },
  },
  {
    name: 'read-etags',
    promise: 'If-None-Match with the object\'s etag is 304, If-Match with another 412; the etag changes with the bytes and with the metadata',
    methods: ['objects.get'], source: DOCS.preconditions,
    differs: { independent: { reason: 'fake-gcs-server passes over If-None-Match' } },
    async run(world) {
      const file = await put(world.file('etag'), 'one');
      const got = (headers: Record<string, string>): Promise<Reply> => world.ask(`GET ${pathOf(file)}`, { headers });
      const { etag } = await meta(file);
      expect((await got({ 'if-none-match': etag })).status).toBe(304);
      expect((await got({ 'if-match': etag })).status).toBe(200);
      expect((await got({ 'if-match': 'b3RoZXI=' })).status).toBe(412);
      await file.setMetadata({ metadata: { a: 'b' } });
      const second = (await meta(file))['etag'];
      expect(second).not.toBe(etag);
      expect((await got({ 'if-none-match': etag })).status).toBe(200);
      await put(file, 'two');
      expect([etag, second]).not.toContain((await meta(file))['etag']);
    },
  },
  {
    name: 'gzip-as-stored',
    promise: 'an object with content encoding gzip is sent as stored to a client that takes gzip, with that encoding in the header',
    methods: ['objects.get'], source: DOCS.transcoding,
    async run(world) {
      const packed = gzipSync('many words '.repeat(1_000));
      const file = await put(world.file('gzip'), packed, { contentType: 'text/plain', metadata: { contentEncoding: 'gzip' } });
      // Node's fetch would inflate what has a Content-Encoding; a range is given as it is.
      const [bytes] = await file.download({ decompress: false });
      expect(bytes.equals(packed)).toBe(true);
      expect(String((await file.download())[0])).toBe('many words '.repeat(1_000));
      const { headers } = await media(world, file);
      expect([headers.get('content-encoding'), headers.get('x-goog-stored-content-encoding'), headers.get('x-goog-stored-content-length')]).toEqual(['gzip', 'gzip', String(packed.length)]);
      expect(await meta(file)).toMatchObject({ contentEncoding: 'gzip', size: String(packed.length) });
    },
  },
  {
    name: 'gzip-inflated-on-the-way',
    promise: 'a client that takes no gzip gets such an object inflated: no content encoding, no length, the whole even for a range, and the checksum of what is stored',
    methods: ['objects.get'], source: DOCS.transcoding,
    async run(world) {
      const text = 'many words '.repeat(1_000);
      const file = await put(world.file('inflated'), gzipSync(text), { contentType: 'text/plain', metadata: { contentEncoding: 'gzip' } });
      const { crc32c } = await meta(file);
      for (const range of [{}, { range: 'bytes=0-9' }]) {
        const got = await media(world, file, { 'accept-encoding': 'identity', ...range });
        expect([got.status, got.text]).toEqual([200, text]);
        expect([got.headers.get('content-encoding'), got.headers.get('x-goog-stored-content-encoding')]).toEqual([null, 'gzip']);
        expect(got.headers.get('x-goog-hash')).toContain(`crc32c=${crc32c}`);
        expect(got.headers.get('warning') ?? '214').toContain('214');
      }
    },
  },
  {
    name: 'gzip-no-transform',
    promise: 'with Cache-Control no-transform an object is sent as stored even to a client that takes no gzip',
    methods: ['objects.get'], source: DOCS.transcoding,
    differs: { independent: { reason: 'fake-gcs-server inflates in spite of no-transform' } },
    async run(world) {
      const packed = gzipSync('as it is');
      const file = await put(world.file('no-transform'), packed, { metadata: { contentEncoding: 'gzip', cacheControl: 'public, no-transform' } });
      const got = await media(world, file, { 'accept-encoding': 'identity', range: `bytes=0-${packed.length - 1}` });
      expect([got.status, got.headers.get('content-encoding'), got.headers.get('content-length')]).toEqual([206, 'gzip', String(packed.length)]);
    },
  },
  {
    name: 'gzip-file-is-only-a-file',
    promise: 'a gzip file without content encoding is never inflated, whatever the client takes: the archive is read as it was written',
    methods: ['objects.get'], source: DOCS.transcoding,
    async run(world) {
      const packed = gzipSync('{"a":1}\n');
      const file = await put(world.file('archive.ndjson.gz'), packed, { contentType: 'application/gzip' });
      for (const encoding of ['gzip', 'identity']) {
        const got = await media(world, file, { 'accept-encoding': encoding });
        expect(got.headers.get('content-encoding')).toBeNull();
        expect(got.bytes.equals(packed)).toBe(true);
      }
      expect(gunzipSync((await file.download())[0]).toString()).toBe('{"a":1}\n');
    },
  },
  {
    name: 'download-of-a-generation-while-it-is-replaced',
    promise: 'a download that has begun ends with the bytes it began with, though the object is replaced meanwhile',
    methods: ['objects.get', 'objects.insert'], source: DOCS.consistency,
    async run(world) {
      const before = Buffer.alloc(4_000_000, 'a');
      const file = await put(world.file('replaced'), before);
      const stream = file.createReadStream({ validation: 'crc32c' });
      const chunks: Buffer[] = [];
      for await (const chunk of stream) {
        if (chunks.length === 0) await put(world.shared.file(file.name), Buffer.alloc(4_000_000, 'b'));
        chunks.push(chunk as Buffer);
      }
      expect(Buffer.concat(chunks).equals(before)).toBe(true);
      expect((await read(file)).startsWith('bbb')).toBe(true);
    },
  },
  {
    name: 'read-your-writes',
    promise: 'after an upload, a delete and a metadata change is answered, reads and lists show it at once',
    methods: ['objects.insert', 'objects.delete', 'objects.list', 'objects.get'], source: DOCS.consistency,
    async run(world) {
      const prefix = world.prefix();
      await Promise.all(Array.from({ length: 20 }, async (_, index) => {
        const file = world.shared.file(`${prefix}${index}`);
        const names = async (): Promise<string[]> => (await world.shared.getFiles({ prefix: file.name, maxResults: 1_000 }))[0].map(({ name }) => name);
        await put(file, String(index));
        expect(await names()).toContain(file.name);
        expect(await read(file)).toBe(String(index));
        await file.delete();
        expect(await names()).not.toContain(file.name);
        await refused(file.getMetadata(), 404);
      }));
    },
  },
];
