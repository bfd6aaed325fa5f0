// Contract cases of what keeps objects and what takes them away by time: holds, retention policies, lifecycle rules.
import type { Bucket } from '@google-cloud/storage';
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { until } from '../wait.ts';
import { atClock } from './steering.ts';
import { DOCS, exists, expectError, meta, pathOf, put, read, refused, type StorageWorld } from './world.ts';

const DAY_MS = 86_400_000;

/** Everything that would delete or replace the object, and nothing of it may happen. */
async function expectKept(world: StorageWorld, file: ReturnType<Bucket['file']>, reason: string, says: RegExp): Promise<void> {
  const { generation } = await meta(file);
  const other = await put(file.bucket.file(`${file.name}-other`), 'other');
  const attempts = [
    world.ask(`DELETE ${pathOf(file)}`), world.ask(`DELETE ${pathOf(file)}`, { query: { generation } }),
    world.ask(`POST /upload/b/${file.bucket.name}/o`, { query: { uploadType: 'media', name: file.name }, body: 'new' }),
    world.ask(`POST ${pathOf(other)}/rewriteTo/${pathOf(file)}`), world.ask(`POST ${pathOf(file)}/compose`, { json: { sourceObjects: [{ name: other.name }] } }),
    world.ask(`POST ${pathOf(file)}/moveTo/o/elsewhere`),
  ];
  for (const reply of await Promise.all(attempts)) {
    expectError(reply, 403, reason);
    expect(reply.json['error'].message).toMatch(says);
  }
  expect((await meta(file))['generation']).toBe(generation);
}

const ruled = (world: StorageWorld, rule: object[], more: object = {}): Promise<Bucket> =>
  world.bucket({ softDeletePolicy: { retentionDurationSeconds: 0 }, lifecycle: { rule }, ...more } as never);
const names = async (bucket: Bucket, query: object = {}): Promise<string[]> => (await bucket.getFiles(query))[0].map(({ name }) => name);

export const KEEP_CASES: readonly ContractCase<StorageWorld>[] = [
  {
    name: 'temporary-hold',
    promise: 'an object under a temporary hold can be neither deleted nor replaced nor moved (403), its metadata can be changed; released it can',
    methods: ['holds'], source: DOCS.holds,
    differs: { independent: { reason: 'fake-gcs-server has no holds' } },
    async run(world) {
      const file = await put((await world.bucket()).file('held'), 'x');
      await file.setMetadata({ temporaryHold: true });
      expect((await meta(file))['temporaryHold']).toBe(true);
      await expectKept(world, file, 'forbidden', /is under active Temporary hold/);
      await file.setMetadata({ metadata: { still: 'changes' } });
      await file.setMetadata({ temporaryHold: false });
      expect((await meta(file))['temporaryHold']).toBe(false);
      await file.delete();
      expect(await exists(file)).toBe(false);
    },
  },
  {
    name: 'event-based-hold-by-default',
    promise: 'with the bucket\'s default event-based hold new objects are held, but for those that say they are not',
    methods: ['holds'], source: DOCS.holds,
    differs: { independent: { reason: 'fake-gcs-server has no holds' } },
    async run(world) {
      const bucket = await world.bucket({ defaultEventBasedHold: true } as never);
      const held = await put(bucket.file('held'), 'x');
      expect((await meta(held))['eventBasedHold']).toBe(true);
      await expectKept(world, await put(bucket.file('kept'), 'x'), 'forbidden', /is under active Event-Based hold/);
      const free = await put(bucket.file('free'), 'x', { metadata: { eventBasedHold: false } });
      await free.delete();
      await held.setMetadata({ eventBasedHold: false });
      await held.delete();
      await bucket.file('kept').setMetadata({ eventBasedHold: false });
      await bucket.file('kept-other').setMetadata({ eventBasedHold: false });
    },
  },
  {
    name: 'holds-are-not-copied',
    promise: 'a copy of a held object is not held',
    methods: ['holds', 'objects.rewrite'], source: DOCS.holds,
    async run(world) {
      const bucket = await world.bucket();
      const file = await put(bucket.file('held'), 'x', { metadata: { temporaryHold: true } });
      await file.copy(bucket.file('copy'));
      await bucket.file('copy').delete();
      expect(await names(bucket)).toEqual(['held']);
      await file.setMetadata({ temporaryHold: false });
    },
  },
  {
    name: 'retention-policy',
    promise: 'under a retention policy an object tells until when it is kept, and is not deleted or replaced before; a condition is judged first',
    methods: ['retention policy'], source: DOCS.bucketLock,
    differs: { independent: { reason: 'fake-gcs-server has no retention' } },
    async run(world) {
      const bucket = await world.bucket({ retentionPolicy: { retentionPeriod: '3600' } } as never);
      const [settings] = await bucket.getMetadata();
      expect(settings.retentionPolicy).toMatchObject({ retentionPeriod: '3600', effectiveTime: expect.any(String) });
      const file = await put(bucket.file('kept'), 'x');
      const { timeCreated, retentionExpirationTime } = await meta(file);
      expect(Date.parse(retentionExpirationTime) - Date.parse(timeCreated)).toBe(3_600_000);
      await expectKept(world, file, 'retentionPolicyNotMet', /retention policy or object retention and cannot be deleted or overwritten until \d{4}-/);
      expectError(await world.ask(`DELETE ${pathOf(file)}`, { query: { ifGenerationMatch: '1' } }), 412, 'conditionNotMet');
      await file.setMetadata({ metadata: { still: 'changes' } });
      await bucket.removeRetentionPeriod();
      await file.delete();
    },
  },
  {
    name: 'retention-ends',
    promise: 'an object may be deleted and replaced from the moment at which its retention ends',
    methods: ['retention policy'], source: DOCS.bucketLock, needs: ['clock'], isAlone: true,
    async run(world) {
      const bucket = await world.bucket({ retentionPolicy: { retentionPeriod: String(10 * 86_400) } } as never);
      const file = await put(bucket.file('kept'), 'x');
      await atClock(world, 9.9 * DAY_MS, async () => { await refused(file.delete(), 403, 'retentionPolicyNotMet'); });
      await atClock(world, 10.1 * DAY_MS, async () => {
        await put(file, 'replaced');
        expect(await read(file)).toBe('replaced');
        await refused(file.delete(), 403, 'retentionPolicyNotMet');
      });
    },
  },
  {
    name: 'retention-begins-at-the-release-of-an-event-based-hold',
    promise: 'under an event-based hold the end of the retention is not known; it is counted from the release of the hold',
    methods: ['retention policy', 'holds'], source: DOCS.holds,
    differs: { independent: { reason: 'fake-gcs-server has no retention' } },
    async run(world) {
      const bucket = await world.bucket({ retentionPolicy: { retentionPeriod: '3600' } } as never);
      const file = await put(bucket.file('event'), 'x', { metadata: { eventBasedHold: true } });
      expect(await meta(file)).not.toHaveProperty('retentionExpirationTime');
      await new Promise((done) => setTimeout(done, 1_100));
      await file.setMetadata({ eventBasedHold: false });
      const { timeCreated, retentionExpirationTime } = await meta(file);
      expect(Date.parse(retentionExpirationTime) - Date.parse(timeCreated)).toBeGreaterThan(3_601_000);
      await refused(file.delete(), 403, 'retentionPolicyNotMet');
      await bucket.removeRetentionPeriod();
    },
  },
  {
    name: 'retention-policy-locked',
    promise: 'a locked policy can be made longer, neither shorter nor removed (403); locking needs the bucket\'s metageneration',
    methods: ['buckets.lockRetentionPolicy'], source: DOCS.bucketLock,
    differs: { independent: { reason: 'fake-gcs-server has no retention' } },
    async run(world) {
      const bucket = await world.bucket({ retentionPolicy: { retentionPeriod: '60' } } as never);
      const lock = (query: Record<string, string>) => world.ask(`POST b/${bucket.name}/lockRetentionPolicy`, { query });
      const [{ metageneration }] = await bucket.getMetadata();
      expectError(await lock({}), 400, 'required');
      expectError(await lock({ ifMetagenerationMatch: '99' }), 412, 'conditionNotMet');
      const locked = await lock({ ifMetagenerationMatch: String(metageneration) });
      expect(locked.json['retentionPolicy']).toMatchObject({ isLocked: true, retentionPeriod: '60' });
      const change = (retentionPolicy: unknown) => world.ask(`PATCH b/${bucket.name}`, { json: { retentionPolicy } });
      for (const wrong of [null, { retentionPeriod: '59' }]) expectError(await change(wrong), 403, 'retentionPolicyNotMet');
      expect((await change({ retentionPeriod: '61' })).json['retentionPolicy']).toMatchObject({ retentionPeriod: '61', isLocked: true });
      const without = await world.bucket();
      expectError(await world.ask(`POST b/${without.name}/lockRetentionPolicy`, { query: { ifMetagenerationMatch: '1' } }), 400);
    },
  },
  {
    name: 'lifecycle-deletes-by-age',
    promise: 'a rule deletes what has its age, prefix and suffix, and nothing else; not a day before',
    methods: ['lifecycle'], source: DOCS.lifecycle, needs: ['clock'], isAlone: true, timeoutMs: 60_000,
    async run(world) {
      const bucket = await ruled(world, [{ action: { type: 'Delete' }, condition: { age: 30, matchesPrefix: ['raw/', 'tmp/'], matchesSuffix: ['.gz'] } }]);
      const all = ['raw/a.gz', 'raw/b.txt', 'tmp/c.gz', 'other/d.gz'];
      await Promise.all(all.map((name) => put(bucket.file(name))));
      const marker = await ruled(world, [{ action: { type: 'Delete' }, condition: { age: 29 } }]);
      await put(marker.file('goes a day earlier'));
      await atClock(world, 29.5 * DAY_MS, async () => {
        await until('the younger rule has acted', async () => (await names(marker)).length === 0);
        expect((await names(bucket)).sort()).toEqual(all.toSorted());
      });
      await atClock(world, 30.1 * DAY_MS, async () => {
        await until('both are deleted', async () => (await names(bucket)).length === 2);
        expect(await names(bucket)).toEqual(['other/d.gz', 'raw/b.txt']);
        await refused(bucket.file('raw/a.gz').download(), 404);
      });
    },
  },
  {
    name: 'lifecycle-of-versions',
    promise: 'numNewerVersions keeps the newest versions, isLive and daysSinceNoncurrentTime tell live from noncurrent ones',
    methods: ['lifecycle', 'versioning'], source: DOCS.lifecycle, needs: ['clock'], isAlone: true, timeoutMs: 60_000,
    async run(world) {
      const versioning = { versioning: { enabled: true } };
      const newest = await ruled(world, [{ action: { type: 'Delete' }, condition: { numNewerVersions: 2 } }], versioning);
      const old = await ruled(world, [{ action: { type: 'Delete' }, condition: { isLive: false, daysSinceNoncurrentTime: 5 } }], versioning);
      const dead = await ruled(world, [{ action: { type: 'Delete' }, condition: { isLive: false, age: 5 } }], versioning);
      const made: string[] = [];
      for (const text of ['one', 'two', 'three', 'four']) for (const bucket of [newest, old, dead]) {
        const { generation } = await meta(await put(bucket.file('v'), text));
        if (bucket === newest) made.push(generation);
      }
      await until('the oldest two are deleted', async () => (await names(newest, { versions: true })).length === 2);
      expect((await newest.getFiles({ versions: true }))[0].map(({ metadata }) => metadata.generation)).toEqual(made.slice(2));
      expect(await names(old, { versions: true })).toHaveLength(4);
      await atClock(world, 5.1 * DAY_MS, async () => {
        await until('noncurrent ones are deleted', async () => (await names(old, { versions: true })).length === 1 && (await names(dead, { versions: true })).length === 1);
        expect(await Promise.all([old, dead].map((bucket) => read(bucket.file('v'))))).toEqual(['four', 'four']);
      });
    },
  },
  {
    name: 'lifecycle-archives-and-soft-deletes',
    promise: 'what a rule deletes goes the way of every delete: a live version becomes noncurrent with versioning, and is soft-deleted without',
    methods: ['lifecycle', 'soft delete', 'versioning'], source: DOCS.lifecycle, needs: ['clock'], isAlone: true, timeoutMs: 60_000,
    async run(world) {
      const rule = [{ action: { type: 'Delete' }, condition: { age: 3, isLive: true } }];
      const archived = await ruled(world, rule, { versioning: { enabled: true } });
      const soft = await ruled(world, rule, { softDeletePolicy: { retentionDurationSeconds: 7 * 86_400 } });
      for (const bucket of [archived, soft]) await put(bucket.file('x'), 'kept');
      await atClock(world, 3.1 * DAY_MS, async () => {
        await until('both are deleted', async () => (await names(archived)).length + (await names(soft)).length === 0);
        expect(await names(archived, { versions: true })).toEqual(['x']);
        expect(await names(soft, { softDeleted: true })).toEqual(['x']);
      });
    },
  },
  {
    name: 'lifecycle-by-dates-and-custom-time',
    promise: 'createdBefore, customTimeBefore and daysSinceCustomTime look at the times that they name; an object without a custom time meets neither of the latter',
    methods: ['lifecycle'], source: DOCS.lifecycle, needs: ['clock'], isAlone: true, timeoutMs: 60_000,
    async run(world) {
      const today = new Date().toISOString().slice(0, 10);
      const created = await ruled(world, [{ action: { type: 'Delete' }, condition: { createdBefore: today } }, { action: { type: 'Delete' }, condition: { matchesPrefix: ['go'], createdBefore: '2999-01-01' } }]);
      const custom = await ruled(world, [{ action: { type: 'Delete' }, condition: { customTimeBefore: '2026-06-01' } }, { action: { type: 'Delete' }, condition: { daysSinceCustomTime: 10 } }]);
      const border = await ruled(world, [{ action: { type: 'Delete' }, condition: { customTimeBefore: '2026-06-01' } }]);
      const at = (customTime: string) => ({ metadata: { customTime } });
      await Promise.all([
        put(created.file('stays')), put(created.file('goes')), put(custom.file('none')), put(custom.file('old'), 'x', at('2026-05-31T23:59:59Z')),
        put(custom.file('now'), 'x', at(new Date().toISOString())), put(border.file('at midnight'), 'x', at('2026-06-01T00:00:00Z')), put(border.file('before'), 'x', at('2026-05-31T23:59:59.999Z')),
      ]);
      await until('three are deleted', async () => (await names(created)).length === 1 && (await names(custom)).length === 2 && (await names(border)).length === 1);
      expect(await names(border)).toEqual(['at midnight']);
      expect([await names(created), await names(custom)]).toEqual([['stays'], ['none', 'now']]);
      await atClock(world, 10.1 * DAY_MS, async () => {
        await until('the custom time is ten days ago', async () => (await names(custom)).length === 1);
        expect(await names(custom)).toEqual(['none']);
      });
    },
  },
  {
    name: 'lifecycle-by-noncurrent-date-and-class',
    promise: 'noncurrentTimeBefore takes versions that became noncurrent before that date, matchesStorageClass objects of these classes, and of several prefixes or suffixes one is enough',
    methods: ['lifecycle', 'versioning'], source: DOCS.lifecycle, needs: ['clock'], timeoutMs: 60_000,
    async run(world) {
      const deletes = (condition: object): object[] => [{ action: { type: 'Delete' }, condition }];
      const versioning = { versioning: { enabled: true } };
      const kept = await ruled(world, deletes({ noncurrentTimeBefore: new Date().toISOString().slice(0, 10) }), versioning);
      const cut = await ruled(world, deletes({ noncurrentTimeBefore: '2999-01-01' }), versioning);
      const ofClass = await ruled(world, deletes({ matchesStorageClass: ['NEARLINE', 'COLDLINE'], matchesPrefix: ['a/', 'b/'], matchesSuffix: ['.x', '.y'] }));
      for (const text of ['one', 'two']) for (const bucket of [kept, cut]) await put(bucket.file('v'), text);
      await Promise.all([['a/1.x', 'NEARLINE'], ['b/2.y', 'COLDLINE'], ['a/3.x', 'STANDARD'], ['a/4.x', 'ARCHIVE'], ['c/5.x', 'NEARLINE'], ['a/6.z', 'NEARLINE']].map(([name, storageClass]) => put(ofClass.file(name!), 'x', { metadata: { storageClass } })));
      await until('the rules have acted', async () => (await names(cut, { versions: true })).length === 1 && (await names(ofClass)).length === 4);
      expect(await names(ofClass)).toEqual(['a/3.x', 'a/4.x', 'a/6.z', 'c/5.x']);
      expect(await read(cut.file('v'))).toBe('two');
      expect(await names(kept, { versions: true })).toEqual(['v', 'v']);
    },
  },
  {
    name: 'lifecycle-changes-classes',
    promise: 'SetStorageClass gives what meets it the class, and only a colder one; bytes and generation stay',
    methods: ['lifecycle'], source: DOCS.lifecycle, needs: ['clock'], isAlone: true, timeoutMs: 60_000,
    async run(world) {
      const bucket = await ruled(world, [{ action: { type: 'SetStorageClass', storageClass: 'NEARLINE' }, condition: { age: 2, matchesStorageClass: ['STANDARD'] } }]);
      const file = await put(bucket.file('x'), 'bytes');
      const { generation } = await meta(file);
      await atClock(world, 2.1 * DAY_MS, async () => {
        await until('the class has changed', async () => (await meta(file))['storageClass'] === 'NEARLINE');
        expect(await meta(file)).toMatchObject({ generation, metageneration: '2' });
        expect(await read(file)).toBe('bytes');
      });
    },
  },
  {
    name: 'lifecycle-of-several-rules',
    promise: 'of several rules that are met Delete goes before SetStorageClass, and of several classes the coldest is taken at once; nothing becomes warmer',
    methods: ['lifecycle'], source: DOCS.lifecycle, needs: ['clock'], isAlone: true, timeoutMs: 60_000,
    async run(world) {
      const toClass = (storageClass: string, condition: object): object => ({ action: { type: 'SetStorageClass', storageClass }, condition });
      const bucket = await ruled(world, [
        toClass('NEARLINE', { age: 1 }), toClass('COLDLINE', { age: 2, matchesPrefix: ['two/', 'both/'] }), { action: { type: 'Delete' }, condition: { age: 2, matchesPrefix: ['end/', 'both/'] } },
      ], { softDeletePolicy: { retentionDurationSeconds: 604_800 } });
      await Promise.all(['one/x', 'two/x', 'both/x', 'end/x'].map((name) => put(bucket.file(name))));
      await put(bucket.file('cold/x'), 'x', { metadata: { storageClass: 'ARCHIVE' } });
      await atClock(world, 2.1 * DAY_MS, async () => {
        const classes = async (): Promise<string[][]> => (await bucket.getFiles())[0].map(({ name, metadata }) => [name, String(metadata.storageClass), String(metadata.metageneration)]);
        const wanted = [['cold/x', 'ARCHIVE', '1'], ['one/x', 'NEARLINE', '2'], ['two/x', 'COLDLINE', '2']];
        await until('the rules have acted', async () => JSON.stringify(await classes()) === JSON.stringify(wanted));
        const gone = await world.ask(`GET b/${bucket.name}/o`, { query: { softDeleted: 'true', fields: 'items(name,storageClass)' } });
        expect(gone.json).toEqual({ items: [{ name: 'both/x', storageClass: 'STANDARD' }, { name: 'end/x', storageClass: 'STANDARD' }] });
      });
    },
  },
  {
    name: 'lifecycle-waits-for-holds',
    promise: 'a rule deletes nothing that is held or retained; it does when that is over',
    methods: ['lifecycle', 'holds'], source: DOCS.lifecycle, needs: ['clock'], isAlone: true, timeoutMs: 60_000,
    async run(world) {
      const bucket = await ruled(world, [{ action: { type: 'Delete' }, condition: { age: 1 } }]);
      const held = await put(bucket.file('held'), 'x', { metadata: { temporaryHold: true } });
      await put(bucket.file('free'));
      await atClock(world, 1.1 * DAY_MS, async () => {
        await until('the free one is deleted', async () => (await names(bucket)).length === 1);
        expect(await names(bucket)).toEqual(['held']);
        await held.setMetadata({ temporaryHold: false });
        await until('the other one too', async () => (await names(bucket)).length === 0);
      });
    },
  },
  {
    name: 'uniform-access-is-kept',
    promise: 'uniform bucket-level access and public access prevention are told as they were set',
    methods: ['uniform bucket-level access'], source: DOCS.uniform,
    differs: { independent: { reason: 'fake-gcs-server keeps no access settings' } },
    async run(world) {
      const bucket = await world.bucket({ iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'enforced' } } as never);
      await put(bucket.file('x'));
      const [{ iamConfiguration }] = await bucket.getMetadata();
      expect(iamConfiguration).toMatchObject({ uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'enforced' });
      await bucket.setMetadata({ iamConfiguration: { uniformBucketLevelAccess: { enabled: false } } } as never);
      expect((await bucket.getMetadata())[0].iamConfiguration).toMatchObject({ uniformBucketLevelAccess: { enabled: false }, publicAccessPrevention: 'enforced' });
      await bucket.setMetadata({ iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } } as never);
      await bucket.setMetadata({ iamConfiguration: { publicAccessPrevention: 'inherited' } } as never);
      expect((await bucket.getMetadata())[0].iamConfiguration).toMatchObject({ uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'inherited' });
    },
  },
];
