// Contract cases of how resumable uploads end: done, cancelled, refused at the last byte, forgotten after a week.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { BLOCK, md5, piece, start } from './resumable.ts';
import { atClock } from './steering.ts';
import { DOCS, exists, expectError, meta, put, read, refused, type StorageWorld } from './world.ts';

export const RESUMABLE_END_CASES: readonly ContractCase<StorageWorld>[] = [
  {
    name: 'resumable-after-its-end',
    promise: 'an upload that is done answers every further request with its object, whatever is sent; the object stays as it is',
    methods: ['uploads.resumable'], source: DOCS.measured,
    differs: { independent: { reason: 'fake-gcs-server forgets an upload when it is done' } },
    async run(world) {
      const { uri, file } = await start(world, 'again');
      const made = await piece(world, uri, undefined, Buffer.from('the bytes'));
      for (const [range, body] of [[`bytes */9`], ['bytes */4'], ['bytes */*'], [`bytes 0-8/9`, Buffer.from('other 123')], ['bytes 0-3/4', Buffer.from('four')]] as [string, Buffer?][]) {
        const again = await piece(world, uri, range, body);
        expect([again.status, again.json['generation'], again.json['size']]).toEqual([200, made.json['generation'], '9']);
      }
      expect(await read(file)).toBe('the bytes');
    },
  },
  {
    name: 'resumable-cancelled',
    promise: 'DELETE of an upload\'s address is 499, so is everything that is sent to it afterwards, and no object is made',
    methods: ['uploads.cancel'], source: `${DOCS.performing}#cancel-upload`,
    differs: { independent: { reason: 'fake-gcs-server goes on with an upload that was cancelled' } },
    async run(world) {
      const { uri, file } = await start(world, 'cancelled');
      await piece(world, uri, `bytes 0-${BLOCK - 1}/*`, Buffer.alloc(BLOCK, 'a'));
      expect((await world.ask(`DELETE ${uri}`)).status).toBe(499);
      expect((await piece(world, uri, 'bytes */*', undefined)).status).toBe(499);
      expect((await piece(world, uri, `bytes ${BLOCK}-${BLOCK + 2}/${BLOCK + 3}`, Buffer.from('end'))).status).toBe(499);
      expect(await exists(file)).toBe(false);
    },
  },
  {
    name: 'resumable-unknown-address',
    promise: 'an address that never was is 404, so that a client begins anew',
    methods: ['uploads.resumable'], source: DOCS.errors,
    async run(world) {
      const { uri } = await start(world, 'unknown');
      const other = new URL(uri);
      other.searchParams.set('upload_id', '00000000-0000-4000-8000-000000000000');
      expectError(await piece(world, other.href, 'bytes */*', undefined), 404, 'notFound');
      expectError(await piece(world, other.href, undefined, Buffer.from('x')), 404, 'notFound');
    },
  },
  {
    name: 'resumable-checksums',
    promise: 'a wrong MD5 in the metadata, or a wrong X-Goog-Hash with the last piece, refuses the object when its bytes are there',
    methods: ['uploads.resumable'], source: DOCS.validation,
    differs: { independent: { reason: 'fake-gcs-server passes over checksums of resumable uploads' } },
    async run(world) {
      const bytes = Buffer.from('the bytes');
      for (const [metadata, headers] of [[{ md5Hash: md5(Buffer.from('other')) }, {}], [{ crc32c: 'AAAAAA==' }, {}], [{}, { 'x-goog-hash': 'crc32c=AAAAAA==' }], [{}, { 'x-goog-hash': `md5=${md5(Buffer.from('other'))}` }]] as const) {
        const { uri, file } = await start(world, 'sums', { metadata });
        expectError(await piece(world, uri, 'bytes 0-8/9', bytes, headers), 400, 'invalid');
        expect(await exists(file)).toBe(false);
      }
      const { uri } = await start(world, 'sums', { metadata: { md5Hash: md5(bytes) } });
      expect((await piece(world, uri, 'bytes 0-8/9', bytes, { 'x-goog-hash': `md5=${md5(bytes)}` })).status).toBe(200);
    },
  },
  {
    name: 'resumable-condition-at-the-end',
    promise: 'a condition that held at the beginning and not any more at the end refuses the object with 412',
    methods: ['uploads.resumable'], source: DOCS.preconditions,
    async run(world) {
      const { uri, file } = await start(world, 'late', { preconditionOpts: { ifGenerationMatch: 0 } });
      await piece(world, uri, `bytes 0-${BLOCK - 1}/*`, Buffer.alloc(BLOCK, 'a'));
      await put(file, 'was faster');
      expectError(await piece(world, uri, `bytes */${BLOCK}`, undefined), 412, 'conditionNotMet');
      expect(await read(file)).toBe('was faster');
    },
  },
  {
    name: 'resumable-condition-at-the-beginning',
    promise: 'a condition that does not hold at the beginning is told then, before bytes are sent',
    methods: ['uploads.resumable'], source: DOCS.preconditions,
    differs: { independent: { reason: 'fake-gcs-server judges conditions at the end only' } },
    async run(world) {
      const file = await put(world.file('early'));
      await refused(file.createResumableUpload({ preconditionOpts: { ifGenerationMatch: 0 } }), 412);
      expect(await meta(file)).toMatchObject({ size: '5' });
    },
  },
  {
    name: 'resumable-expires-after-a-week',
    promise: 'an upload\'s address is good for a week; after that it is gone (404 or 410), and a client has to begin anew',
    methods: ['uploads.resumable'], source: `${DOCS.resumable}#introduction`, needs: ['clock'], isAlone: true,
    async run(world) {
      const { uri, file } = await start(world, 'expired');
      await piece(world, uri, `bytes 0-${BLOCK - 1}/*`, Buffer.alloc(BLOCK, 'a'));
      await atClock(world, 6.9 * 86_400_000, async () => { expect((await piece(world, uri, 'bytes */*', undefined)).status).toBe(308); });
      await atClock(world, 7.1 * 86_400_000, async () => { expect([404, 410]).toContain((await piece(world, uri, 'bytes */*', undefined)).status); });
      expect(await exists(file)).toBe(false);
    },
  },
];
