// Contract cases of versions: object versioning, soft delete and restore.
import type { Bucket } from '@google-cloud/storage';
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { until } from '../wait.ts';
import { atClock } from './steering.ts';
import { DOCS, exists, expectError, meta, pathOf, put, read, refused, type StorageWorld } from './world.ts';

const DAY_MS = 86_400_000;
type Item = { name: string; generation: string; timeDeleted?: string; softDeleteTime?: string; hardDeleteTime?: string; metadata?: object };

async function listed(world: StorageWorld, bucket: Bucket, query: Record<string, string>): Promise<Item[]> {
  const found: Item[] = [];
  for (let pageToken = '', pages = 0; ; pages += 1) {
    if (pages > 50) throw new Error('The pages do not end.');
    const page = (await world.ask(`GET b/${bucket.name}/o`, { query: { ...query, ...(pageToken === '' ? {} : { pageToken }) } })).json as { items?: Item[]; nextPageToken?: string };
    found.push(...(page.items ?? []));
    if (page.nextPageToken === undefined) return found;
    pageToken = page.nextPageToken;
  }
}
const generations = async (world: StorageWorld, bucket: Bucket, query: Record<string, string> = { versions: 'true' }): Promise<string[]> => (await listed(world, bucket, query)).map(({ generation }) => generation);
/** Writes the texts one after another; their generations come back. */
async function write(bucket: Bucket, name: string, texts: readonly string[]): Promise<string[]> {
  const made: string[] = [];
  for (const text of texts) made.push((await meta(await put(bucket.file(name), text)))['generation'] as string);
  return made;
}
const versioned = (world: StorageWorld): Promise<Bucket> => world.bucket({ versioning: { enabled: true }, softDeletePolicy: { retentionDurationSeconds: 0 } } as never);

export const VERSION_CASES: readonly ContractCase<StorageWorld>[] = [
  {
    name: 'versions-are-kept',
    promise: 'with versioning an overwrite keeps the version before, with the time at which it became noncurrent; a list shows it only when versions are asked for, oldest first',
    methods: ['versioning', 'objects.list'], source: DOCS.versioning,
    differs: { independent: { reason: 'fake-gcs-server lists the live version first' } },
    async run(world) {
      const bucket = await versioned(world);
      const made = await write(bucket, 'v', ['one', 'two', 'three']);
      await put(bucket.file('other'), 'x');
      expect((await listed(world, bucket, {})).map(({ name }) => name)).toEqual(['other', 'v']);
      const versions = (await listed(world, bucket, { versions: 'true' })).filter(({ name }) => name === 'v');
      expect(versions.map(({ generation }) => generation)).toEqual(made);
      expect(versions.map(({ timeDeleted }) => timeDeleted !== undefined)).toEqual([true, true, false]);
      expect(Math.abs(Date.parse(versions[0]!.timeDeleted!) - Date.now())).toBeLessThan(60_000);
      expect(await Promise.all(made.map((generation) => read(bucket.file('v', { generation }))))).toEqual(['one', 'two', 'three']);
      expect(await read(bucket.file('v'))).toBe('three');
    },
  },
  {
    name: 'versions-listed-in-pages',
    promise: 'pages of a list of versions may end amid those of one name, and join without gap or repetition',
    methods: ['versioning', 'objects.list'], source: DOCS.list,
    differs: { independent: { reason: 'fake-gcs-server does not go on within the versions of one name' } },
    async run(world) {
      const bucket = await versioned(world);
      const made = [...await write(bucket, 'a', ['one', 'two', 'three']), ...await write(bucket, 'b', ['one', 'two'])];
      for (const maxResults of ['1', '2', '4']) expect(await generations(world, bucket, { versions: 'true', maxResults })).toEqual(made);
      expect(await generations(world, bucket, { versions: 'true', prefix: 'b', maxResults: '1' })).toEqual(made.slice(3));
    },
  },
  {
    name: 'versions-delete-archives',
    promise: 'with versioning a delete without generation leaves a noncurrent version and no live one; a delete of a generation is for good',
    methods: ['versioning', 'objects.delete'], source: DOCS.versioning,
    async run(world) {
      const bucket = await versioned(world);
      const [first, second] = (await write(bucket, 'v', ['one', 'two'])) as [string, string];
      await bucket.file('v').delete();
      await refused(bucket.file('v').getMetadata(), 404);
      expect(await generations(world, bucket)).toEqual([first, second]);
      await refused(bucket.file('v').delete(), 404);
      await bucket.file('v', { generation: first }).delete();
      expect(await generations(world, bucket)).toEqual([second]);
      expect(await read(bucket.file('v', { generation: second }))).toBe('two');
      await refused(bucket.file('v', { generation: first }).getMetadata(), 404);
    },
  },
  {
    name: 'versions-live-generation-deleted-for-good',
    promise: 'a delete that names the live generation removes it; the noncurrent one before does not become live',
    methods: ['versioning', 'objects.delete'], source: DOCS.versioning,
    async run(world) {
      const bucket = await versioned(world);
      const [first, second] = (await write(bucket, 'v', ['one', 'two'])) as [string, string];
      await bucket.file('v', { generation: second }).delete();
      expect(await exists(bucket.file('v'))).toBe(false);
      expect(await generations(world, bucket)).toEqual([first]);
    },
  },
  {
    name: 'versions-metadata-of-a-noncurrent-one',
    promise: 'a noncurrent version is read and patched by its generation, the live one stays as it is',
    methods: ['versioning', 'objects.patch', 'objects.get'], source: DOCS.versioning,
    differs: { independent: { reason: 'fake-gcs-server never moves the metageneration' } },
    async run(world) {
      const bucket = await versioned(world);
      const [first, second] = (await write(bucket, 'v', ['one', 'two'])) as [string, string];
      const after = await world.ask(`PATCH ${pathOf(bucket.file('v'))}`, { query: { generation: first }, json: { metadata: { old: 'yes' } } });
      expect(after.json).toMatchObject({ generation: first, metageneration: '2', metadata: { old: 'yes' }, timeDeleted: expect.any(String) });
      expect(await meta(bucket.file('v'))).toMatchObject({ generation: second, metageneration: '1' });
      expect(await read(bucket.file('v', { generation: first }))).toBe('one');
    },
  },
  {
    name: 'versions-only-if-absent',
    promise: 'ifGenerationMatch=0 holds when there is no live version, also where noncurrent ones are',
    methods: ['versioning', 'objects.insert'], source: DOCS.preconditions,
    async run(world) {
      const bucket = await versioned(world);
      await write(bucket, 'v', ['one']);
      await bucket.file('v').delete();
      await put(bucket.file('v'), 'two', { preconditionOpts: { ifGenerationMatch: 0 } });
      await refused(put(bucket.file('v'), 'three', { preconditionOpts: { ifGenerationMatch: 0 } }), 412);
      expect(await generations(world, bucket)).toHaveLength(2);
    },
  },
  {
    name: 'versions-copied-to-restore',
    promise: 'a noncurrent version becomes live again by a copy of its generation onto its name',
    methods: ['versioning', 'objects.rewrite'], source: 'https://docs.cloud.google.com/storage/docs/using-versioned-objects#restore',
    async run(world) {
      const bucket = await versioned(world);
      const [first] = (await write(bucket, 'v', ['one', 'two'])) as [string];
      await bucket.file('v', { generation: first }).copy(bucket.file('v'));
      expect(await read(bucket.file('v'))).toBe('one');
      expect(await generations(world, bucket)).toHaveLength(3);
    },
  },
  {
    name: 'versions-turned-off',
    promise: 'when versioning is turned off, versions that are there stay, and the next overwrite keeps none',
    methods: ['versioning', 'buckets.patch'], source: DOCS.versioning,
    differs: { independent: { reason: 'fake-gcs-server drops the versions that were there' } },
    async run(world) {
      const bucket = await versioned(world);
      const [first, second] = (await write(bucket, 'v', ['one', 'two'])) as [string, string];
      await bucket.setMetadata({ versioning: { enabled: false } });
      const [third] = (await write(bucket, 'v', ['three'])) as [string];
      expect(await generations(world, bucket)).toEqual([first, third]);
      await refused(bucket.file('v', { generation: second }).getMetadata(), 404);
    },
  },
  {
    name: 'without-versions-an-overwrite-is-for-good',
    promise: 'without versioning and soft delete what was overwritten or deleted is gone',
    methods: ['objects.insert', 'objects.delete', 'objects.list'], source: DOCS.versioning,
    async run(world) {
      const bucket = await world.bucket({ softDeletePolicy: { retentionDurationSeconds: 0 } } as never);
      const made = await write(bucket, 'v', ['one', 'two']);
      expect(await generations(world, bucket)).toEqual([made[1]]);
      await bucket.file('v').delete();
      expect(await generations(world, bucket)).toEqual([]);
      expect(await generations(world, bucket, { softDeleted: 'true' })).toEqual([]);
    },
  },
  {
    name: 'soft-delete-keeps-what-was-deleted',
    promise: 'what is deleted or overwritten is listed as soft-deleted, with the times of its deletion and of its end a policy later; else it is not seen',
    methods: ['soft delete', 'objects.list', 'objects.get'], source: DOCS.softDelete,
    differs: { independent: { reason: 'fake-gcs-server has no soft delete' } },
    async run(world) {
      const bucket = await world.bucket({ softDeletePolicy: { retentionDurationSeconds: 10 * 86_400 } } as never);
      const made = await write(bucket, 's', ['one', 'two']);
      await bucket.file('s').delete();
      await refused(bucket.file('s').getMetadata(), 404);
      expect(await listed(world, bucket, { versions: 'true' })).toEqual([]);
      const gone = await listed(world, bucket, { softDeleted: 'true', maxResults: '1' });
      expect(gone.map(({ generation }) => generation)).toEqual(made);
      for (const { softDeleteTime, hardDeleteTime } of gone) {
        expect(Math.abs(Date.parse(softDeleteTime!) - Date.now())).toBeLessThan(60_000);
        expect(Date.parse(hardDeleteTime!) - Date.parse(softDeleteTime!)).toBe(10 * DAY_MS);
      }
      const [first] = made as [string];
      const one = await world.ask(`GET ${pathOf(bucket.file('s'))}`, { query: { softDeleted: 'true', generation: first } });
      expect(one.json).toMatchObject({ generation: first, size: '3', softDeleteTime: expect.any(String) });
      expectError(await world.ask(`GET ${pathOf(bucket.file('s'))}`, { query: { generation: first } }), 404, 'notFound');
      expectError(await world.ask(`GET ${pathOf(bucket.file('s'))}`, { query: { softDeleted: 'true' } }), 400);
      expectError(await world.ask(`GET ${pathOf(bucket.file('never'))}`, { query: { softDeleted: 'true' } }), 404, 'notFound');
      expect((await world.ask(`GET ${pathOf(bucket.file('s'))}`, { query: { softDeleted: 'true', generation: first, alt: 'media' } })).status).toBeGreaterThanOrEqual(400);
      expectError(await world.ask(`GET b/${bucket.name}/o`, { query: { softDeleted: 'true', versions: 'true' } }), 400);
    },
  },
  {
    name: 'soft-delete-restore',
    promise: 'a restore makes a live object of a soft-deleted one, with its bytes and metadata and a new generation; the soft-deleted one stays restorable',
    methods: ['objects.restore'], source: DOCS.restore,
    differs: { independent: { reason: 'fake-gcs-server has no soft delete' } },
    async run(world) {
      const bucket = await world.bucket();
      const file = await put(bucket.file('r'), 'kept', { contentType: 'text/r', metadata: { metadata: { a: 'b' } } });
      const { generation } = await meta(file);
      await file.delete();
      const restored = await file.restore({ generation: Number(generation) });
      expect(restored.name).toBe('r');
      const after = await meta(bucket.file('r'));
      expect(after).toMatchObject({ contentType: 'text/r', metadata: { a: 'b' }, size: '4', metageneration: '1' });
      expect(BigInt(after['generation'])).toBeGreaterThan(BigInt(generation));
      expect(after).not.toHaveProperty('softDeleteTime');
      expect(await read(bucket.file('r'))).toBe('kept');
      expect(await generations(world, bucket, { softDeleted: 'true' })).toEqual([generation]);
    },
  },
  {
    name: 'soft-delete-restore-conditions',
    promise: 'a restore is held to conditions on the live object; the live object that it replaces is soft-deleted itself; a live or unknown generation is 404, none named 400',
    methods: ['objects.restore'], source: DOCS.restore,
    differs: { independent: { reason: 'fake-gcs-server has no soft delete' } },
    async run(world) {
      const bucket = await world.bucket();
      const [first, second] = (await write(bucket, 'r', ['one', 'two'])) as [string, string];
      const restore = (query: object) => world.ask(`POST ${pathOf(bucket.file('r'))}/restore`, { query: query as Record<string, string> });
      expectError(await restore({ generation: first, ifGenerationMatch: '0' }), 412, 'conditionNotMet');
      expectError(await restore({ generation: second }), 404, 'notFound');
      expectError(await restore({ generation: '1' }), 404, 'notFound');
      expectError(await restore({}), 400, 'required');
      expect((await restore({ generation: first, ifGenerationMatch: second })).status).toBe(200);
      expect(await read(bucket.file('r'))).toBe('one');
      expect(await generations(world, bucket, { softDeleted: 'true' })).toEqual([first, second]);
      const off = await world.bucket({ softDeletePolicy: { retentionDurationSeconds: 0 } } as never);
      expectError(await world.ask(`POST ${pathOf(off.file('r'))}/restore`, { query: { generation: '1' } }), 400);
    },
  },
  {
    name: 'soft-delete-of-versions',
    promise: 'with versioning a replaced version is noncurrent, not soft-deleted; deleted for good it is soft-deleted',
    methods: ['soft delete', 'versioning'], source: DOCS.softDelete,
    differs: { independent: { reason: 'fake-gcs-server has no soft delete' } },
    async run(world) {
      const bucket = await world.bucket({ versioning: { enabled: true } });
      const [first] = (await write(bucket, 'v', ['one', 'two'])) as [string];
      expect(await generations(world, bucket, { softDeleted: 'true' })).toEqual([]);
      await bucket.file('v', { generation: first }).delete();
      expect(await generations(world, bucket, { softDeleted: 'true' })).toEqual([first]);
      expect(await generations(world, bucket)).toHaveLength(1);
    },
  },
  {
    name: 'soft-delete-does-not-keep-a-bucket',
    promise: 'a bucket that holds only soft-deleted objects is empty: it can be deleted',
    methods: ['soft delete', 'buckets.delete'], source: DOCS.softDelete,
    async run(world) {
      const bucket = await world.bucket();
      await (await put(bucket.file('x'))).delete();
      await bucket.delete();
      await refused(bucket.getMetadata(), 404);
    },
  },
  {
    name: 'soft-delete-ends',
    promise: 'a soft-deleted object can be restored until its time, and is gone after it; the policy that counts is the one at its deletion',
    methods: ['soft delete'], source: DOCS.softDelete, needs: ['clock'], isAlone: true,
    async run(world) {
      const bucket = await world.bucket({ softDeletePolicy: { retentionDurationSeconds: 8 * 86_400 } } as never);
      const file = await put(bucket.file('ending'), 'x');
      const { generation } = await meta(file);
      await file.delete();
      await bucket.setMetadata({ softDeletePolicy: { retentionDurationSeconds: 0 } } as never);
      const asked = () => world.ask(`GET ${pathOf(file)}`, { query: { softDeleted: 'true', generation } });
      // Goes at the same time, so that it is seen when time has done its work.
      const marker = await world.bucket({ lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 8 } }] } });
      await put(marker.file('marker'));
      await atClock(world, 7.9 * DAY_MS, async () => {
        expect((await asked()).status).toBe(200);
        expect(await generations(world, bucket, { softDeleted: 'true' })).toEqual([generation]);
      });
      await atClock(world, 8.1 * DAY_MS, async () => {
        expectError(await asked(), 404, 'notFound');
        expect(await generations(world, bucket, { softDeleted: 'true' })).toEqual([]);
        await until('the rule has acted', async () => (await generations(world, marker)).length === 0);
      });
      // Gone for good: it does not come back with the clock.
      expectError(await asked(), 404, 'notFound');
    },
  },
];
