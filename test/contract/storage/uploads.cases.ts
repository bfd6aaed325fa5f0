// Contract cases of uploads in one request: media and multipart, checksums, content types, broken ones.
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { uniqueName } from '../wait.ts';
import { DOCS, exists, expectError, meta, multipart, noise, pathOf, put, read, refused, uploadsOf, type Reply, type StorageWorld } from './world.ts';

const md5 = (bytes: string | Buffer): string => createHash('md5').update(bytes).digest('base64');
/** CRC32C of "123456789", from RFC 3720's polynomial: e3069283. */
const NINE = { bytes: '123456789', crc32c: '4waSgw==', md5Hash: 'JfnnlDI7RTiF9RgfG2JNCw==' };

export const UPLOAD_CASES: readonly ContractCase<StorageWorld>[] = [
  {
    name: 'media-upload',
    promise: 'a media upload makes an object of the body\'s bytes, with the request\'s content type, both checksums, its size and a generation',
    methods: ['objects.insert', 'objects.get'], source: DOCS.insert,
    differs: { independent: { reason: 'fake-gcs-server leaves the generation out of id, and its updated is later than its timeCreated' } },
    async run(world) {
      const name = uniqueName('media');
      const made = await world.ask(uploadsOf(world), { query: { uploadType: 'media', name }, body: NINE.bytes, headers: { 'content-type': 'text/x-digits' } });
      expect(made.status).toBe(200);
      expect(made.json).toMatchObject({
        kind: 'storage#object', bucket: world.shared.name, name, contentType: 'text/x-digits', size: '9', crc32c: NINE.crc32c, md5Hash: NINE.md5Hash,
        metageneration: '1', storageClass: 'STANDARD', generation: expect.stringMatching(/^\d{16}$/), etag: expect.any(String), id: `${world.shared.name}/${name}/${made.json['generation']}`,
        selfLink: expect.stringContaining(`/b/${world.shared.name}/o/${name}`), mediaLink: expect.stringContaining(`alt=media`),
      });
      expect(made.json['updated']).toBe(made.json['timeCreated']);
      expect(Math.abs(Date.parse(made.json['timeCreated']) - Date.now())).toBeLessThan(60_000);
      expect((await world.ask(`GET ${pathOf({ bucket: world.shared, name })}`)).json).toEqual(made.json);
      expect(await read(world.shared.file(name))).toBe(NINE.bytes);
    },
  },
  {
    name: 'multipart-upload',
    promise: 'a multipart upload takes metadata and bytes in one request; bytes that look much like a boundary stay bytes',
    methods: ['objects.insert'], source: 'https://docs.cloud.google.com/storage/docs/uploading-objects',
    async run(world) {
      const media = 'a--cut\r\n--cu\r\n-cut--\r\n--';
      for (const bytes of [media, '', '\r\n', noise(300_000)]) {
        const name = uniqueName('multipart');
        const made = await world.ask(uploadsOf(world), { query: { uploadType: 'multipart' }, ...multipart({ name, metadata: { größe: 'ü' }, cacheControl: 'no-store', contentLanguage: 'de', contentDisposition: 'attachment' }, bytes, 'application/x-one') });
        expect(made.json).toMatchObject({ name, metadata: { größe: 'ü' }, cacheControl: 'no-store', contentLanguage: 'de', contentDisposition: 'attachment', contentType: 'application/x-one', size: String(Buffer.byteLength(bytes)), md5Hash: md5(bytes) });
      }
    },
  },
  {
    name: 'multipart-upload-as-gcloud-sends-it',
    promise: 'a multipart body whose lines end with LF alone, with its boundary in single quotes in the header, is taken',
    methods: ['objects.insert'], source: 'https://github.com/google/apitools/blob/master/apitools/base/py/transfer.py',
    async run(world) {
      const name = uniqueName('lf');
      const body = ['--==cut==', 'Content-Type: application/json', 'MIME-Version: 1.0', '', JSON.stringify({ name, contentType: 'text/plain' }), '--==cut==', 'Content-Type: text/plain', 'Content-Transfer-Encoding: binary', '', 'hi\r\n\n', '--==cut==--', ''].join('\n');
      const made = await world.ask(uploadsOf(world), { query: { uploadType: 'multipart' }, body, headers: { 'content-type': "multipart/related; boundary='==cut=='" } });
      expect(made.json).toMatchObject({ name, size: '5', contentType: 'text/plain' });
      expect(await read(world.shared.file(name))).toBe('hi\r\n\n');
    },
  },
  {
    name: 'content-type-of-the-metadata-wins',
    promise: 'of a content type in the metadata and one of the media part the metadata\'s is taken',
    methods: ['objects.insert'], source: DOCS.insert,
    differs: { independent: { reason: 'fake-gcs-server takes the type of the media part' } },
    async run(world) {
      const name = uniqueName('typed');
      const made = await world.ask(uploadsOf(world), { query: { uploadType: 'multipart' }, ...multipart({ name, contentType: 'application/gzip' }, 'x', 'text/plain') });
      expect(made.json['contentType']).toBe('application/gzip');
    },
  },
  {
    name: 'no-content-type-is-octet-stream',
    promise: 'an object without a content type is served as application/octet-stream',
    methods: ['objects.insert', 'objects.get'], source: DOCS.object,
    async run(world) {
      const name = uniqueName('untyped');
      await world.ask(uploadsOf(world), { query: { uploadType: 'media', name }, body: new Uint8Array([1, 2]) });
      const got = await world.ask(`GET ${pathOf({ bucket: world.shared, name })}`, { query: { alt: 'media' } });
      expect([got.status, got.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
    },
  },
  {
    name: 'empty-object',
    promise: 'an object may have no bytes; its checksums are those of nothing',
    methods: ['objects.insert'], source: DOCS.object,
    async run(world) {
      const file = await put(world.file('empty'), '');
      expect(await meta(file)).toMatchObject({ size: '0', crc32c: 'AAAAAA==', md5Hash: md5('') });
      expect(await read(file)).toBe('');
    },
  },
  {
    name: 'bytes-come-back-exactly',
    promise: 'megabytes of any bytes come back as they went in, by the simple and by the resumable way, with the same checksums',
    methods: ['objects.insert', 'uploads.resumable', 'objects.get'], source: DOCS.consistency,
    async run(world) {
      const bytes = noise(3_000_001);
      const files = [world.file('simple'), world.file('resumable')];
      await Promise.all(files.map((file, index) => file.save(bytes, { resumable: index === 1, validation: 'crc32c' })));
      for (const file of files) expect((await file.download({ validation: 'crc32c' }))[0].equals(bytes)).toBe(true);
      const [one, other] = await Promise.all(files.map(meta));
      expect(one).toMatchObject({ crc32c: other!['crc32c'], md5Hash: md5(bytes), size: '3000001' });
    },
  },
  {
    name: 'wrong-crc32c-is-refused',
    promise: 'bytes that don\'t have the CRC32C in the metadata are refused with 400, and what was there before stays',
    methods: ['objects.insert'], source: DOCS.validation,
    async run(world) {
      const file = await put(world.file('crc'), 'before');
      const { generation } = await meta(file);
      const reply = await world.ask(uploadsOf(world), { query: { uploadType: 'multipart' }, ...multipart({ name: file.name, crc32c: 'AAAAAA==' }, NINE.bytes) });
      expectError(reply, 400, 'invalid');
      expect(reply.json['error'].message).toContain(NINE.crc32c);
      expect((await meta(file))['generation']).toBe(generation);
      expect(await read(file)).toBe('before');
      const right = await world.ask(uploadsOf(world), { query: { uploadType: 'multipart' }, ...multipart({ name: file.name, crc32c: NINE.crc32c, md5Hash: NINE.md5Hash }, NINE.bytes) });
      expect(right.status).toBe(200);
    },
  },
  {
    name: 'wrong-md5-is-refused',
    promise: 'bytes that don\'t have the MD5 in the metadata are refused with 400, and nothing is stored',
    methods: ['objects.insert'], source: DOCS.validation,
    async run(world) {
      const file = world.file('md5');
      await refused(put(file, 'right', { metadata: { md5Hash: md5('wrong') } }), 400);
      expect(await exists(file)).toBe(false);
      await put(file, 'right', { metadata: { md5Hash: md5('right') } });
      expect(await exists(file)).toBe(true);
    },
  },
  {
    name: 'checksums-in-headers',
    promise: 'X-Goog-Hash with a wrong CRC32C or MD5 is 400 and nothing is stored; with the right ones the object is made',
    methods: ['objects.insert'], source: 'https://docs.cloud.google.com/storage/docs/xml-api/reference-headers#xgooghash',
    differs: { independent: { reason: 'fake-gcs-server passes over X-Goog-Hash' } },
    async run(world) {
      const name = uniqueName('hash');
      const upload = (hash: string): Promise<Reply> => world.ask(uploadsOf(world), { query: { uploadType: 'media', name }, body: NINE.bytes, headers: { 'x-goog-hash': hash } });
      for (const hash of ['crc32c=AAAAAA==', `md5=${md5('other')}`, `crc32c=${NINE.crc32c},md5=${md5('other')}`]) expectError(await upload(hash), 400, 'invalid');
      expect(await exists(world.shared.file(name))).toBe(false);
      expect((await upload(`crc32c=${NINE.crc32c},md5=${NINE.md5Hash}`)).status).toBe(200);
    },
  },
  {
    name: 'content-md5-in-the-header',
    promise: 'Content-MD5 with another MD5 than the body\'s is 400 and nothing is stored; with the right one the object is made',
    methods: ['objects.insert'], source: 'https://docs.cloud.google.com/storage/docs/xml-api/reference-headers#contentmd5',
    differs: { independent: { reason: 'fake-gcs-server passes over Content-MD5' } },
    async run(world) {
      const name = uniqueName('content-md5');
      const upload = (hash: string): Promise<Reply> => world.ask(uploadsOf(world), { query: { uploadType: 'media', name }, body: NINE.bytes, headers: { 'content-md5': hash } });
      expectError(await upload(md5('other')), 400, 'invalid');
      expect(await exists(world.shared.file(name))).toBe(false);
      expect((await upload(NINE.md5Hash)).status).toBe(200);
    },
  },
  {
    name: 'upload-type-is-needed',
    promise: 'an upload of no or an unknown type is 400, as is a multipart body without boundary or end',
    methods: ['objects.insert'], source: DOCS.insert,
    differs: { independent: { reason: 'fake-gcs-server gives no reasons with its errors' } },
    async run(world) {
      const name = uniqueName('type');
      expectError(await world.ask(uploadsOf(world), { query: { name }, body: 'x' }), 400, 'required');
      expectError(await world.ask(uploadsOf(world), { query: { name, uploadType: 'carrier-pigeon' }, body: 'x' }), 400, 'invalid');
      expectError(await world.ask(uploadsOf(world), { query: { name, uploadType: 'multipart' }, body: 'x', headers: { 'content-type': 'multipart/related' } }), 400);
      const whole = multipart({ name }, 'x');
      expectError(await world.ask(uploadsOf(world), { query: { name, uploadType: 'multipart' }, ...whole, body: whole.body.subarray(0, -4) }), 400);
      expectError(await world.ask(uploadsOf(world), { query: { name, uploadType: 'multipart' }, ...multipart('no object', 'x') }), 400, 'parseError');
      expect(await exists(world.shared.file(name))).toBe(false);
    },
  },
  {
    name: 'upload-into-no-bucket',
    promise: 'an upload into a bucket that is not there is 404, of every kind',
    methods: ['objects.insert', 'uploads.resumable'], source: DOCS.errors,
    async run(world) {
      const file = world.storage.bucket(uniqueName('no-bucket')).file('x');
      await refused(put(file, 'x'), 404);
      await refused(file.createResumableUpload(), 404);
      expectError(await world.ask(`POST /upload/b/${file.bucket.name}/o`, { query: { uploadType: 'media', name: 'x' }, body: 'x' }), 404, 'notFound');
    },
  },
  {
    name: 'content-encoding-by-parameter',
    promise: 'the parameter contentEncoding of a media upload becomes the object\'s content encoding',
    methods: ['objects.insert'], source: DOCS.insert,
    async run(world) {
      const name = uniqueName('encoded');
      const made = await world.ask(uploadsOf(world), { query: { uploadType: 'media', name, contentEncoding: 'gzip' }, body: 'not inflated by the upload' });
      expect(made.json).toMatchObject({ contentEncoding: 'gzip', size: '26' });
    },
  },
  {
    name: 'custom-metadata-of-8-kib',
    promise: 'all names and values of custom metadata together have at most 8,192 bytes',
    methods: ['objects.insert', 'objects.patch'], source: 'https://docs.cloud.google.com/storage/quotas#objects',
    differs: { independent: { reason: 'fake-gcs-server has no limit for custom metadata' } },
    async run(world) {
      const file = world.file('custom');
      await put(file, 'x', { metadata: { metadata: { k: 'v'.repeat(8_191) } } });
      await refused(put(file, 'x', { metadata: { metadata: { k: 'v'.repeat(8_192) } } }), 400);
      await refused(file.setMetadata({ metadata: { l: 'x' } }), 400);
      expect((await meta(file))['metadata']['k']).toHaveLength(8_191);
    },
  },
  {
    name: 'stored-as-sent-never-half',
    promise: 'an upload whose connection ends before its body does leaves no object, and what was there before stays',
    methods: ['objects.insert'], source: DOCS.consistency,
    async run(world) {
      const file = await put(world.file('half'), 'before');
      const { generation } = await meta(file);
      const abort = new AbortController();
      async function* body() {
        yield Buffer.from('half of it');
        await new Promise((done) => setTimeout(done, 200));
        abort.abort();
        await new Promise((done) => setTimeout(done, 5_000));
        yield Buffer.from('never sent');
      }
      const base = process.env['CONTRACT_STORAGE_ENDPOINT'] ?? process.env['STORAGE_EMULATOR_HOST'] ?? 'https://storage.googleapis.com';
      await fetch(`${base}/upload/storage/v1/b/${world.shared.name}/o?uploadType=media&name=${file.name}`, { method: 'POST', body: body(), duplex: 'half', signal: abort.signal } as never).catch(() => {});
      await new Promise((done) => setTimeout(done, 200));
      expect((await meta(file))['generation']).toBe(generation);
      expect(await read(file)).toBe('before');
    },
  },
];
