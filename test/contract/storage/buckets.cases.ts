// Contract cases of buckets: making, naming, reading, changing, listing and deleting them.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { uniqueName } from '../wait.ts';
import { DOCS, expectError, put, refused, type StorageWorld } from './world.ts';

export const BUCKET_CASES: readonly ContractCase<StorageWorld>[] = [
  {
    name: 'bucket-is-made-and-read',
    promise: 'a new bucket has its name, the project\'s defaults, metageneration 1 and an etag, and is read as it was answered',
    methods: ['buckets.insert', 'buckets.get'], source: DOCS.bucket,
    differs: { independent: { reason: 'fake-gcs-server tells neither access settings nor a soft delete policy, and puts buckets into US-CENTRAL1' } },
    async run({ launched, ask }) {
      const name = uniqueName('made');
      const made = await ask('POST b', { query: { project: launched.project }, json: { name } });
      expect(made.status).toBe(200);
      expect(made.json).toMatchObject({
        kind: 'storage#bucket', id: name, name, location: 'US', locationType: 'multi-region', storageClass: 'STANDARD', metageneration: '1',
        selfLink: expect.stringContaining(`/b/${name}`), etag: expect.any(String), projectNumber: expect.any(String),
        iamConfiguration: { uniformBucketLevelAccess: { enabled: expect.any(Boolean) }, publicAccessPrevention: 'inherited' },
        softDeletePolicy: { retentionDurationSeconds: '604800', effectiveTime: expect.stringMatching(/^\d{4}-.*Z$/) },
      });
      expect(Math.abs(Date.parse(made.json['timeCreated']) - Date.now())).toBeLessThan(60_000);
      expect(made.json['updated']).toBe(made.json['timeCreated']);
      expect((await ask(`GET b/${name}`)).json).toEqual(made.json);
      expect((await ask(`DELETE b/${name}`)).status).toBe(204);
    },
  },
  {
    name: 'bucket-made-twice-is-409',
    promise: 'the name of a bucket that is there is refused with 409, and of eight that ask at once one gets it',
    methods: ['buckets.insert'], source: DOCS.errors,
    async run({ storage }) {
      const name = uniqueName('twice');
      const ends = await Promise.all(Array.from({ length: 8 }, () => storage.createBucket(name).then(() => 200, (error: { code: number }) => error.code)));
      expect(ends.sort()).toEqual([200, 409, 409, 409, 409, 409, 409, 409]);
      await refused(storage.createBucket(name), 409, 'conflict');
      await storage.bucket(name).delete();
    },
  },
  {
    name: 'bucket-names-have-rules',
    promise: 'a bucket\'s name has 3 to 63 characters (222 with dots), lower case letters, digits, dashes, underscores and dots, begins and ends with a letter or digit, and is no IP address; others are 400',
    methods: ['buckets.insert'], source: DOCS.bucketNames,
    differs: { independent: { reason: 'fake-gcs-server takes names that Google refuses' } },
    async run({ launched, ask, storage }) {
      const insert = (name: unknown) => ask('POST b', { query: { project: launched.project }, json: { name } });
      const bad = ['ab', 'a'.repeat(64), 'Upper-case', '-dash', 'dash-', 'a..b', '192.168.5.4', 'goog-begins', 'my-google-files', 'with space', 'ü-umlaut', '_under', 'a/b', `${'a'.repeat(64)}.example`];
      for (const name of bad) expectError(await insert(name), 400, 'invalid');
      expectError(await ask('POST b', { query: { project: launched.project }, json: {} }), 400, 'required');
      const unique = uniqueName('n');
      for (const name of [`a_${unique}`, `${unique}-${'a'.repeat(62 - unique.length)}`]) {
        expect({ name, status: (await insert(name)).status }).toEqual({ name, status: 200 });
        await storage.bucket(name).delete();
      }
    },
  },
  {
    name: 'bucket-needs-a-project',
    promise: 'a bucket is made in and listed of a project, which has to be named',
    methods: ['buckets.insert', 'buckets.list'], source: 'https://docs.cloud.google.com/storage/docs/json_api/v1/buckets/insert',
    differs: { independent: { reason: 'fake-gcs-server needs no project' } },
    async run({ ask }) {
      for (const reply of [await ask('POST b', { json: { name: uniqueName('none') } }), await ask('GET b')]) {
        expectError(reply, 400, 'required');
        expect(reply.json['error'].errors[0]).toMatchObject({ location: 'project', locationType: 'parameter' });
      }
    },
  },
  {
    name: 'bucket-takes-location-class-labels-and-uniform-access',
    promise: 'location (told in capitals), storage class, labels and uniform bucket-level access are as they were asked for',
    methods: ['buckets.insert'], source: DOCS.bucket,
    differs: { independent: { reason: 'fake-gcs-server keeps neither location, class, labels nor access settings' } },
    async run({ bucket }) {
      const made = await bucket({ location: 'europe-west3', storageClass: 'NEARLINE', labels: { team: 'data', env: '' }, iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'enforced' } } as never);
      const [read] = await made.getMetadata();
      expect(read).toMatchObject({ location: 'EUROPE-WEST3', locationType: 'region', storageClass: 'NEARLINE', labels: { team: 'data', env: '' }, iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'enforced' } });
      // New objects take the bucket's class.
      const file = await put(made.file('classed'));
      expect((await file.getMetadata())[0].storageClass).toBe('NEARLINE');
    },
  },
  {
    name: 'bucket-refuses-wrong-settings',
    promise: 'an unknown location or class, a label in capitals, a soft delete under 7 or over 90 days, and an unknown lifecycle action are 400, and no bucket is made',
    methods: ['buckets.insert'], source: DOCS.bucket,
    differs: { independent: { reason: 'fake-gcs-server passes over the settings that it does not know' } },
    async run({ launched, ask }) {
      const name = uniqueName('wrong');
      const wrong = [{ storageClass: 'FAST' }, { location: 'nowhere at all' }, { labels: { Team: 'x' } }, { labels: { team: 'Data' } }, { softDeletePolicy: { retentionDurationSeconds: '604799' } }, { softDeletePolicy: { retentionDurationSeconds: '7776001' } },
        { lifecycle: { rule: [{ action: { type: 'Burn' }, condition: { age: 1 } }] } }, { lifecycle: { rule: [{ action: { type: 'Delete' }, condition: {} }] } }, { lifecycle: { rule: [{ action: { type: 'SetStorageClass' }, condition: { age: 1 } }] } }, { retentionPolicy: { retentionPeriod: '0' } }];
      for (const settings of wrong) expectError(await ask('POST b', { query: { project: launched.project }, json: { name, ...settings } }), 400, 'invalid');
      expectError(await ask(`GET b/${name}`), 404, 'notFound');
    },
  },
  {
    name: 'bucket-patch-merges',
    promise: 'a patch changes what it names and leaves the rest: one label is set, null takes one away, the metageneration grows by one',
    methods: ['buckets.patch', 'buckets.get'], source: 'https://docs.cloud.google.com/storage/docs/json_api/v1/buckets/patch',
    differs: { independent: { reason: 'fake-gcs-server keeps no labels and never moves the metageneration' } },
    async run({ bucket, ask }) {
      const { name } = await bucket({ labels: { team: 'data', stays: 'yes' }, iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } } as never);
      const before = (await ask(`GET b/${name}`)).json;
      const after = await ask(`PATCH b/${name}`, { json: { labels: { team: null, added: 'one' }, iamConfiguration: { publicAccessPrevention: 'enforced' } } });
      expect(after.json).toMatchObject({ labels: { stays: 'yes', added: 'one' }, metageneration: String(Number(before['metageneration']) + 1), timeCreated: before['timeCreated'], iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'enforced' } });
      expect(after.json['labels']).not.toHaveProperty('team');
      expect(after.json['etag']).not.toBe(before['etag']);
      expect(Date.parse(after.json['updated'])).toBeGreaterThanOrEqual(Date.parse(before['updated']));
      expect((await ask(`PATCH b/${name}`, { json: { labels: null } })).json).not.toHaveProperty('labels');
      expect((await ask(`GET b/${name}`)).json['metageneration']).toBe(String(Number(before['metageneration']) + 2));
    },
  },
  {
    name: 'bucket-update-replaces',
    promise: 'an update takes away what it does not name: labels, lifecycle rules, versioning',
    methods: ['buckets.update'], source: 'https://docs.cloud.google.com/storage/docs/json_api/v1/buckets/update',
    differs: { independent: { reason: 'fake-gcs-server has no buckets.update' } },
    async run({ bucket, ask }) {
      const { name } = await bucket({ labels: { team: 'data' }, versioning: { enabled: true }, lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 365 } }] } });
      const after = await ask(`PUT b/${name}`, { json: { name, labels: { other: 'one' } } });
      expect(after.status).toBe(200);
      expect(after.json['labels']).toEqual({ other: 'one' });
      expect(after.json).not.toHaveProperty('lifecycle');
      expect(after.json['versioning']?.enabled ?? false).toBe(false);
    },
  },
  {
    name: 'bucket-location-stays',
    promise: 'the location of a bucket can\'t be changed, and its name in a body is not taken for a new one',
    methods: ['buckets.patch'], source: 'https://docs.cloud.google.com/storage/docs/locations',
    differs: { independent: { reason: 'fake-gcs-server passes over the location in a patch' } },
    async run({ bucket, ask }) {
      const { name } = await bucket();
      expectError(await ask(`PATCH b/${name}`, { json: { location: 'EU' } }), 400, 'invalid');
      expect((await ask(`GET b/${name}`)).json['location']).toBe('US');
    },
  },
  {
    name: 'bucket-metageneration-preconditions',
    promise: 'ifMetagenerationMatch of another value is 412 on get, patch, update and delete, ifMetagenerationNotMatch of the present one 304, and nothing is changed',
    methods: ['buckets.get', 'buckets.patch', 'buckets.update', 'buckets.delete'], source: DOCS.preconditions,
    differs: { independent: { reason: 'fake-gcs-server passes over conditions on buckets' } },
    async run({ bucket, ask }) {
      const { name } = await bucket({ labels: { kept: 'yes' } });
      const { metageneration } = (await ask(`GET b/${name}`)).json;
      const [stale, present] = [{ ifMetagenerationMatch: String(Number(metageneration) + 1) }, { ifMetagenerationNotMatch: String(metageneration) }];
      for (const [line, json] of [[`GET b/${name}`], [`PATCH b/${name}`, { labels: { kept: 'no' } }], [`PUT b/${name}`, { labels: { kept: 'no' } }], [`DELETE b/${name}`]] as const) {
        expectError(await ask(line, { query: stale, json }), 412, 'conditionNotMet');
        expect({ line, status: (await ask(line, { query: present, json })).status }).toEqual({ line, status: 304 });
      }
      expect((await ask(`GET b/${name}`, { query: { ifMetagenerationMatch: metageneration } })).json['labels']).toEqual({ kept: 'yes' });
      expect((await ask(`PATCH b/${name}`, { query: { ifMetagenerationMatch: metageneration }, json: { labels: { kept: 'changed' } } })).status).toBe(200);
    },
  },
  {
    name: 'bucket-list-in-pages',
    promise: 'buckets are listed by name, by prefix, and in pages that join without gap or repetition',
    methods: ['buckets.list'], source: 'https://docs.cloud.google.com/storage/docs/json_api/v1/buckets/list',
    async run({ launched, storage, ask }) {
      const stem = uniqueName('listed');
      const names = ['c', 'a', 'b'].map((end) => `${stem}-${end}`);
      for (const name of names) await storage.createBucket(name);
      const found: string[] = [];
      for (let pageToken: string | undefined = '', pages = 0; pageToken !== undefined; pages += 1) {
        const page = (await ask('GET b', { query: { project: launched.project, prefix: stem, maxResults: '2', ...(pageToken === '' ? {} : { pageToken }) } })).json as { kind: string; items: { name: string }[]; nextPageToken?: string };
        expect(page.kind).toBe('storage#buckets');
        expect(page.items.length).toBeLessThanOrEqual(2);
        found.push(...page.items.map(({ name }) => name));
        pageToken = page.nextPageToken;
        expect(pages).toBeLessThan(3);
      }
      expect(found).toEqual(names.toSorted());
      expect((await ask('GET b', { query: { project: launched.project, prefix: `${stem}-none` } })).json).toEqual({ kind: 'storage#buckets' });
      await Promise.all(names.map((name) => storage.bucket(name).delete()));
    },
  },
  {
    name: 'bucket-delete-only-when-empty',
    promise: 'a bucket with an object, or only with a noncurrent version, is not deleted (409); an empty one is, and is not found from then on',
    methods: ['buckets.delete'], source: 'https://docs.cloud.google.com/storage/docs/json_api/v1/buckets/delete',
    differs: { independent: { reason: 'fake-gcs-server answers 412, where Google answers 409' } },
    async run({ bucket, storage, ask }) {
      const made = await bucket({ versioning: { enabled: true } });
      const file = await put(made.file('kept'));
      await refused(made.delete(), 409, 'conflict');
      await file.delete();
      await refused(made.delete(), 409, 'conflict');
      const [versions] = await made.getFiles({ versions: true });
      for (const version of versions) await made.file(version.name, { generation: version.metadata.generation! }).delete();
      await made.delete();
      expect(await storage.bucket(made.name).exists()).toEqual([false]);
      expectError(await ask(`DELETE b/${made.name}`), 404, 'notFound');
      await refused(put(made.file('late')), 404);
      await refused(made.getFiles(), 404);
    },
  },
  {
    name: 'bucket-absent-is-404',
    promise: 'every call on a bucket that is not there is 404 notFound',
    methods: ['buckets.get', 'buckets.patch', 'buckets.update', 'buckets.delete', 'objects.list'], source: DOCS.errors,
    async run({ ask }) {
      const name = uniqueName('absent');
      for (const line of [`GET b/${name}`, `DELETE b/${name}`, `GET b/${name}/o`]) expectError(await ask(line), 404, 'notFound');
      for (const line of [`PATCH b/${name}`, `PUT b/${name}`]) expectError(await ask(line, { json: { labels: { a: 'b' } } }), 404, 'notFound');
    },
  },
  {
    name: 'bucket-settings-are-cleared-by-null',
    promise: 'null takes lifecycle rules and versioning away, and puts the soft delete policy back to seven days; a retention of 0 turns it off',
    methods: ['buckets.patch'], source: DOCS.softDelete,
    differs: { independent: { reason: 'fake-gcs-server keeps no lifecycle and no soft delete policy' } },
    async run({ bucket, ask }) {
      const { name } = await bucket({ versioning: { enabled: true }, softDeletePolicy: { retentionDurationSeconds: 0 }, lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 1 } }] } } as never);
      const made = (await ask(`GET b/${name}`)).json;
      expect(made['softDeletePolicy'].retentionDurationSeconds).toBe('0');
      expect(made['lifecycle']).toEqual({ rule: [{ action: { type: 'Delete' }, condition: { age: 1 } }] });
      const after = (await ask(`PATCH b/${name}`, { json: { lifecycle: null, softDeletePolicy: null, versioning: null } })).json;
      expect(after['softDeletePolicy'].retentionDurationSeconds).toBe('604800');
      expect(after).not.toHaveProperty('lifecycle');
      expect(after['versioning']?.enabled ?? false).toBe(false);
    },
  },
  {
    name: 'bucket-etag-of-a-read',
    promise: 'If-None-Match with the etag that the caller has is 304 on a bucket, with another it is answered',
    methods: ['buckets.get'], source: DOCS.preconditions,
    differs: { independent: { reason: 'fake-gcs-server passes over If-None-Match, and all its buckets have one etag' } },
    async run({ bucket, ask }) {
      const { name } = await bucket();
      const { etag } = (await ask(`GET b/${name}`)).json;
      expect((await ask(`GET b/${name}`, { headers: { 'if-none-match': etag } })).status).toBe(304);
      expect((await ask(`GET b/${name}`, { headers: { 'if-none-match': 'b3RoZXI=' } })).status).toBe(200);
    },
  },
  {
    name: 'bucket-has-no-managed-folders',
    promise: 'a bucket in which none was made has no managed folders; one that is not there is 404',
    methods: ['managedFolders.list'], source: 'https://docs.cloud.google.com/storage/docs/json_api/v1/managedFolders/list',
    differs: { independent: { reason: 'fake-gcs-server has no managed folders' } },
    async run({ shared, ask }) {
      const none = await ask(`GET b/${shared.name}/managedFolders`);
      expect([none.status, none.json['items'] ?? []]).toEqual([200, []]);
      expectError(await ask(`GET b/${uniqueName('absent')}/managedFolders`), 404, 'notFound');
    },
  },
  {
    name: 'bucket-storage-layout',
    promise: 'the storage layout of a bucket tells its location and that it has no folders of its own',
    methods: ['buckets.getStorageLayout'], source: 'https://docs.cloud.google.com/storage/docs/json_api/v1/buckets/getStorageLayout',
    differs: { independent: { reason: 'fake-gcs-server tells its own location, whatever was asked for' } },
    async run({ bucket, ask }) {
      const { name } = await bucket({ location: 'EU' });
      const layout = await ask(`GET b/${name}/storageLayout`);
      expect(layout.json).toMatchObject({ kind: 'storage#storageLayout', bucket: name, location: 'EU', locationType: 'multi-region' });
      expect(layout.json['hierarchicalNamespace']?.enabled ?? false).toBe(false);
    },
  },
];
