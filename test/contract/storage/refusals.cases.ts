// Contract cases of errors and of what the local service leaves out: each thing that Google has and it has not is refused by name.
import { expect } from 'vitest';
import { generateKeyPairSync } from 'node:crypto';
import { Storage } from '@google-cloud/storage';
import type { ContractCase } from '../contract.ts';
import { DOCS, exists, expectError, meta, pathOf, put, read, type Ask, type Reply, type StorageWorld } from './world.ts';

/** Calls that are not carried out, by Google's name of the method; OBJECT and BUCKET stand for one that is there. */
export const ABSENT: Record<string, readonly [string, Ask?]> = {
  'buckets.getIamPolicy': ['GET b/BUCKET/iam'], 'buckets.setIamPolicy': ['PUT b/BUCKET/iam', { json: { bindings: [] } }], 'buckets.testIamPermissions': ['GET b/BUCKET/iam/testPermissions?permissions=storage.buckets.get'],
  'buckets.restore': ['POST b/BUCKET/restore?generation=1'], 'buckets.relocate': ['POST b/BUCKET/relocate', { json: { destinationLocation: 'EU' } }],
  'objects.getIamPolicy': ['GET b/BUCKET/o/OBJECT/iam'], 'objects.setIamPolicy': ['PUT b/BUCKET/o/OBJECT/iam', { json: {} }], 'objects.testIamPermissions': ['GET b/BUCKET/o/OBJECT/iam/testPermissions?permissions=storage.objects.get'],
  'objects.bulkRestore': ['POST b/BUCKET/o/bulkRestore', { json: {} }], 'objects.watchAll': ['POST b/BUCKET/o/watch', { json: {} }],
  'bucketAccessControls.list': ['GET b/BUCKET/acl'], 'bucketAccessControls.insert': ['POST b/BUCKET/acl', { json: { entity: 'allUsers', role: 'READER' } }], 'bucketAccessControls.get': ['GET b/BUCKET/acl/allUsers'],
  'bucketAccessControls.patch': ['PATCH b/BUCKET/acl/allUsers', { json: {} }], 'bucketAccessControls.update': ['PUT b/BUCKET/acl/allUsers', { json: {} }], 'bucketAccessControls.delete': ['DELETE b/BUCKET/acl/allUsers'],
  'defaultObjectAccessControls.list': ['GET b/BUCKET/defaultObjectAcl'], 'defaultObjectAccessControls.insert': ['POST b/BUCKET/defaultObjectAcl', { json: { entity: 'allUsers', role: 'READER' } }], 'defaultObjectAccessControls.get': ['GET b/BUCKET/defaultObjectAcl/allUsers'],
  'defaultObjectAccessControls.patch': ['PATCH b/BUCKET/defaultObjectAcl/allUsers', { json: {} }], 'defaultObjectAccessControls.update': ['PUT b/BUCKET/defaultObjectAcl/allUsers', { json: {} }], 'defaultObjectAccessControls.delete': ['DELETE b/BUCKET/defaultObjectAcl/allUsers'],
  'objectAccessControls.list': ['GET b/BUCKET/o/OBJECT/acl'], 'objectAccessControls.insert': ['POST b/BUCKET/o/OBJECT/acl', { json: { entity: 'allUsers', role: 'READER' } }], 'objectAccessControls.get': ['GET b/BUCKET/o/OBJECT/acl/allUsers'],
  'objectAccessControls.patch': ['PATCH b/BUCKET/o/OBJECT/acl/allUsers', { json: {} }], 'objectAccessControls.update': ['PUT b/BUCKET/o/OBJECT/acl/allUsers', { json: {} }], 'objectAccessControls.delete': ['DELETE b/BUCKET/o/OBJECT/acl/allUsers'],
  'notifications.list': ['GET b/BUCKET/notificationConfigs'], 'notifications.insert': ['POST b/BUCKET/notificationConfigs', { json: { topic: '//pubsub.googleapis.com/projects/p/topics/t' } }], 'notifications.get': ['GET b/BUCKET/notificationConfigs/1'], 'notifications.delete': ['DELETE b/BUCKET/notificationConfigs/1'],
  'channels.stop': ['POST channels/stop', { json: {} }],
  'folders.list': ['GET b/BUCKET/folders'], 'folders.insert': ['POST b/BUCKET/folders', { json: { name: 'f/' } }], 'folders.get': ['GET b/BUCKET/folders/f%2F'], 'folders.delete': ['DELETE b/BUCKET/folders/f%2F'], 'folders.rename': ['POST b/BUCKET/folders/f%2F/renameTo/folders/g%2F'],
  'managedFolders.insert': ['POST b/BUCKET/managedFolders', { json: { name: 'f/' } }], 'managedFolders.get': ['GET b/BUCKET/managedFolders/f%2F'], 'managedFolders.delete': ['DELETE b/BUCKET/managedFolders/f%2F'],
  'managedFolders.getIamPolicy': ['GET b/BUCKET/managedFolders/f%2F/iam'], 'managedFolders.setIamPolicy': ['PUT b/BUCKET/managedFolders/f%2F/iam', { json: {} }], 'managedFolders.testIamPermissions': ['GET b/BUCKET/managedFolders/f%2F/iam/testPermissions?permissions=x'],
  'anywhereCaches.list': ['GET b/BUCKET/anywhereCaches'], 'anywhereCaches.insert': ['POST b/BUCKET/anywhereCaches', { json: {} }], 'anywhereCaches.get': ['GET b/BUCKET/anywhereCaches/a'], 'anywhereCaches.update': ['PATCH b/BUCKET/anywhereCaches/a', { json: {} }],
  'anywhereCaches.disable': ['POST b/BUCKET/anywhereCaches/a/disable'], 'anywhereCaches.pause': ['POST b/BUCKET/anywhereCaches/a/pause'], 'anywhereCaches.resume': ['POST b/BUCKET/anywhereCaches/a/resume'],
  'operations.list': ['GET b/BUCKET/operations'], 'operations.get': ['GET b/BUCKET/operations/o'], 'operations.cancel': ['POST b/BUCKET/operations/o/cancel'], 'operations.advanceRelocateBucket': ['POST b/BUCKET/operations/o/advanceRelocateBucket', { json: {} }],
  'projects.serviceAccount.get': ['GET projects/p/serviceAccount'], 'projects.hmacKeys.list': ['GET projects/p/hmacKeys'], 'projects.hmacKeys.create': ['POST projects/p/hmacKeys?serviceAccountEmail=a@b'], 'projects.hmacKeys.get': ['GET projects/p/hmacKeys/k'],
  'projects.hmacKeys.update': ['PUT projects/p/hmacKeys/k', { json: { state: 'INACTIVE' } }], 'projects.hmacKeys.delete': ['DELETE projects/p/hmacKeys/k'],
};

/** What only the local service refuses; others carry it out, as Google does. */
const OURS_ONLY = { independent: { reason: 'what the local service leaves out is refused by itself only; this one has some of it, or answers 404' }, cloud: { reason: 'Google carries these calls out: the case shows what the local service leaves out' } } as const;
const NOT_HERE = { status: 501, reason: 'notImplemented' } as const;
const refusedByName = (reply: Reply, what: string | RegExp): void => {
  expectError(reply, NOT_HERE.status, NOT_HERE.reason);
  expect(reply.json['error'].message).toMatch(what);
};

export const REFUSAL_CASES: readonly ContractCase<StorageWorld>[] = [
  {
    name: 'absent-methods-are-refused-by-name',
    promise: 'every method of the JSON API that is left out (IAM, ACLs, notifications, folders, caches, HMAC keys, operations) answers 501 with its own name, and changes nothing',
    methods: Object.keys(ABSENT), source: 'https://docs.cloud.google.com/storage/docs/json_api/v1', differs: OURS_ONLY,
    async run(world) {
      const file = await put(world.file('kept'), 'kept');
      for (const [method, [line, ask]] of Object.entries(ABSENT)) {
        const [verb, path] = line.replace('BUCKET', world.shared.name).replace('OBJECT', file.name).split(' ') as [string, string];
        const [plain, search = ''] = path.split('?') as [string, string?];
        const reply = await world.ask(`${verb} ${plain}`, { ...ask, query: Object.fromEntries(new URLSearchParams(search)) });
        expect({ method, status: reply.status }).toEqual({ method, status: 501 });
        refusedByName(reply, `does not support ${method}.`);
      }
      expect(await read(file)).toBe('kept');
    },
  },
  {
    name: 'xml-api-and-signed-urls-are-refused',
    promise: 'a signed URL, made by Google\'s client, and any other call of the XML API is refused by name',
    methods: ['XML API', 'signed URLs'], source: DOCS.xml, differs: OURS_ONLY,
    async run(world) {
      const file = await put(world.file('signed'), 'x');
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
      const signer = new Storage({ projectId: 'p', credentials: { client_email: 'signer@p.iam.gserviceaccount.com', private_key: privateKey } });
      const base = process.env['STORAGE_EMULATOR_HOST'];
      for (const action of ['read', 'write', 'delete'] as const) {
        const [url] = await signer.bucket(world.shared.name).file(file.name).getSignedUrl({ version: 'v4', action, expires: Date.now() + 600_000, ...(base === undefined ? {} : { host: base }) });
        expect(url).toContain('X-Goog-Signature');
        refusedByName(await world.ask(`${{ read: 'GET', write: 'PUT', delete: 'DELETE' }[action]} ${url}`, action === 'write' ? { body: 'y' } : {}), /XML API and signed URLs/);
      }
      refusedByName(await world.ask(`GET ${base}/${world.shared.name}?list-type=2`), /XML API/);
      expect(await read(file)).toBe('x');
    },
  },
  {
    name: 'batch-is-refused',
    promise: 'the batch endpoint is refused by name',
    methods: ['batch'], source: DOCS.batch, differs: OURS_ONLY,
    async run(world) {
      const base = process.env['STORAGE_EMULATOR_HOST'];
      refusedByName(await world.ask(`POST ${base}/batch/storage/v1`, { body: '--x\r\n--x--', headers: { 'content-type': 'multipart/mixed; boundary=x' } }), /batch/);
    },
  },
  {
    name: 'encryption-keys-are-refused',
    promise: 'keys that the customer supplies or manages are refused, on uploads and on reads, and nothing is stored in the clear',
    methods: ['encryption keys'], source: DOCS.encryption, differs: OURS_ONLY,
    async run(world) {
      const file = world.file('secret');
      const name = file.name;
      const key = { 'x-goog-encryption-algorithm': 'AES256', 'x-goog-encryption-key': Buffer.alloc(32, 1).toString('base64'), 'x-goog-encryption-key-sha256': 'x' };
      refusedByName(await world.ask(`POST /upload/b/${world.shared.name}/o`, { query: { uploadType: 'media', name }, body: 'x', headers: key }), /encryption keys/);
      refusedByName(await world.ask(`POST /upload/b/${world.shared.name}/o`, { query: { uploadType: 'media', name, kmsKeyName: 'projects/p/locations/l/keyRings/r/cryptoKeys/k' }, body: 'x' }), /kmsKeyName/);
      expect(await exists(file)).toBe(false);
      await put(file);
      const read = await world.ask(`GET ${pathOf(file)}`, { query: { alt: 'media' }, headers: key });
      expect([read.status, read.text]).toEqual([501, expect.stringMatching(/encryption keys/)]);
      refusedByName(await world.ask(`GET ${pathOf(file)}`, { headers: key }), /encryption keys/);
    },
  },
  {
    name: 'unsupported-options-are-refused',
    promise: 'a parameter, header or field of Google\'s that has no effect here is refused by name before anything is done',
    methods: ['objects.insert', 'objects.patch', 'objects.compose', 'objects.list', 'buckets.insert', 'buckets.patch', 'objects.restore', 'buckets.get', 'buckets.list'], source: DOCS.parameters, differs: OURS_ONLY,
    async run(world) {
      const file = await put(world.file('kept'), 'kept');
      const path = pathOf(file);
      const { project } = world.launched;
      const asked: [string, Ask, RegExp][] = [
        [`POST /upload/b/${world.shared.name}/o`, { query: { uploadType: 'media', name: file.name, predefinedAcl: 'publicRead' }, body: 'x' }, /predefinedAcl/],
        [`POST /upload/b/${world.shared.name}/o`, { query: { uploadType: 'media', name: file.name }, body: 'x', headers: { 'content-encoding': 'gzip' } }, /Content-Encoding/],
        [`PATCH ${path}`, { query: { predefinedAcl: 'publicRead' }, json: {} }, /predefinedAcl/],
        [`PATCH ${path}`, { json: { acl: [{ entity: 'allUsers', role: 'READER' }] } }, /acl/],
        [`PATCH ${path}`, { json: { retention: { mode: 'Unlocked', retainUntilTime: '2999-01-01T00:00:00Z' } } }, /retention/],
        [`PATCH ${path}`, { json: { contexts: { custom: {} } } }, /contexts/],
        [`PATCH ${path}`, { json: {}, headers: { 'if-match': 'etag' } }, /if-match/],
        [`POST ${path}/compose`, { query: { destinationPredefinedAcl: 'publicRead' }, json: { sourceObjects: [{ name: file.name }] } }, /destinationPredefinedAcl/],
        [`POST ${path}/compose`, { json: { sourceObjects: [{ name: file.name }], deleteSourceObjects: true } }, /deleteSourceObjects/],
        [`POST ${path}/compose`, { json: { sourceObjects: [{ name: file.name, objectPreconditions: { ifMetagenerationMatch: '1' } }] } }, /ifMetagenerationMatch/],
        [`POST ${path}/compose`, { json: { sourceObjects: [{ name: file.name, range: '0-1' }] } }, /range/],
        [`GET b/${world.shared.name}/o`, { query: { filter: 'contexts."a":*' } }, /filter/],
        [`POST b`, { query: { project, enableObjectRetention: 'true' }, json: { name: 'never-made' } }, /enableObjectRetention/],
        [`POST b`, { query: { project }, json: { name: 'never-made', website: { mainPageSuffix: 'index.html' } } }, /website/],
        [`POST b`, { query: { project }, json: { name: 'never-made', cors: [{ origin: ['*'] }] } }, /cors/],
        [`POST b`, { query: { project }, json: { name: 'never-made', autoclass: { enabled: true } } }, /autoclass/],
        [`POST b`, { query: { project }, json: { name: 'never-made', hierarchicalNamespace: { enabled: true } } }, /hierarchicalNamespace/],
        [`PATCH b/${world.shared.name}`, { json: { billing: { requesterPays: true } } }, /billing/],
        [`PATCH b/${world.shared.name}`, { json: { logging: { logBucket: 'x' } } }, /logging/],
        [`PATCH b/${world.shared.name}`, { json: { encryption: { defaultKmsKeyName: 'k' } } }, /encryption/],
        [`PATCH b/${world.shared.name}`, { json: { lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { matchesPattern: 'x' } }] } } }, /matchesPattern/],
        [`GET b/${world.shared.name}`, { query: { softDeleted: 'true', generation: '1' } }, /softDeleted|generation/],
        [`GET b`, { query: { project, softDeleted: 'true' } }, /softDeleted/],
        [`GET ${path}`, { headers: { 'x-http-method-override': 'DELETE' } }, /X-HTTP-Method-Override/],
        [`POST ${path}/restore`, { query: { generation: '1', copySourceAcl: 'true' } }, /copySourceAcl/],
      ];
      for (const [line, ask, what] of asked) {
        const reply = await world.ask(line, ask);
        expect({ line, ask, status: reply.status, text: reply.text }).toMatchObject({ status: 501 });
        refusedByName(reply, what);
      }
      expect([await read(file), (await meta(file))['metageneration']]).toEqual(['kept', '1']);
      expect((await world.ask('GET b/never-made')).status).toBe(404);
    },
  },
  {
    name: 'unknown-parameters-are-refused',
    promise: 'a parameter that the method does not have, an unknown alt, projection or boolean is 400 and is named',
    methods: ['objects.get', 'objects.list', 'objects.delete', 'buckets.get'], source: DOCS.errors,
    differs: { independent: { reason: 'fake-gcs-server passes over what it does not know' }, cloud: { reason: 'Google passes over parameters that it does not know; the local service says so instead' } },
    async run(world) {
      const file = await put(world.file('kept'), 'kept');
      for (const [line, query, name] of [[`GET ${pathOf(file)}`, { generaton: '1' }, 'generaton'], [`DELETE ${pathOf(file)}`, { ifGenerationsMatch: '1' }, 'ifGenerationsMatch'], [`GET b/${world.shared.name}/o`, { prefx: 'a' }, 'prefx'], [`GET b/${world.shared.name}`, { alt: 'xml' }, 'alt'],
        [`GET ${pathOf(file)}`, { projection: 'half' }, 'projection'], [`GET b/${world.shared.name}/o`, { versions: 'perhaps' }, 'versions'], [`GET b/${world.shared.name}`, { alt: 'media' }, 'alt']] as const) {
        const reply = await world.ask(line, { query: query as never });
        expectError(reply, 400);
        expect(reply.json['error'].errors[0].location).toBe(name);
      }
      expect(await read(file)).toBe('kept');
    },
  },
  {
    name: 'projection-full-is-answered',
    promise: 'projection=full is answered with everything that noAcl has',
    methods: ['buckets.get', 'objects.get', 'objects.list'], source: DOCS.get,
    async run(world) {
      const file = await put(world.file('full'));
      for (const line of [`GET ${pathOf(file)}`, `GET b/${world.shared.name}`]) {
        const [full, bare] = [await world.ask(line, { query: { projection: 'full' } }), await world.ask(line, { query: { projection: 'noAcl' } })];
        expect(full.json).toMatchObject(bare.json);
      }
    },
  },
  {
    name: 'error-shape',
    promise: 'an error has its code and message, and a list that tells domain, reason and, of a wrong parameter or a condition, the location',
    methods: ['objects.get', 'objects.insert', 'objects.list'], source: DOCS.errors,
    differs: { independent: { reason: 'fake-gcs-server has messages and reasons of its own' } },
    async run(world) {
      const file = world.file('shape');
      const missing = await world.ask(`GET ${pathOf(file)}`);
      expect(missing.json).toEqual({ error: { code: 404, message: `No such object: ${world.shared.name}/${file.name}`, errors: [{ message: `No such object: ${world.shared.name}/${file.name}`, domain: 'global', reason: 'notFound' }] } });
      expect(missing.headers.get('content-type')).toMatch(/^application\/json/);
      await put(file);
      const condition = await world.ask(`GET ${pathOf(file)}`, { query: { ifGenerationMatch: '1' } });
      expect(condition.json['error']).toMatchObject({ code: 412, errors: [{ domain: 'global', reason: 'conditionNotMet', locationType: 'header', location: 'If-Match' }] });
      const wrong = await world.ask(`GET b/${world.shared.name}/o`, { query: { maxResults: 'x' } });
      expect(wrong.json['error']).toMatchObject({ code: 400, errors: [{ domain: 'global', reason: 'invalid', locationType: 'parameter', location: 'maxResults' }] });
    },
  },
  {
    name: 'bodies-that-are-no-json',
    promise: 'a body that is no JSON object is 400 parseError, and nothing is changed',
    methods: ['objects.patch', 'buckets.patch', 'objects.compose'], source: DOCS.errors,
    differs: { independent: { reason: 'fake-gcs-server gives no reasons with its errors' } },
    async run(world) {
      const file = await put(world.file('parse'));
      for (const line of [`PATCH ${pathOf(file)}`, `PATCH b/${world.shared.name}`, `POST ${pathOf(file)}/compose`]) for (const body of ['{', '[]', '"text"', '1']) expectError(await world.ask(line, { body, headers: { 'content-type': 'application/json' } }), 400, 'parseError');
      expect((await meta(file))['metageneration']).toBe('1');
    },
  },
];
