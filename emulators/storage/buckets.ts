// buckets.*: insert, list, get, patch, update, delete, lockRetentionPolicy, getStorageLayout. server.ts calls them by name.
import { changedBucket, checkBucketName, newBucket, replacedBucket } from './bucket-fields.ts';
import type { Answer, Call } from './call.ts';
import { readJson } from './call.ts';
import type { RetentionPolicy } from './keep.ts';
import { compareUtf8 } from './name-list.ts';
import { checkEtags, checkPreconditions, readPreconditions } from './preconditions.ts';
import { invalid, required } from './refusal.ts';
import { bucketResource, etagOf, locationType } from './resources.ts';
import type { StoredBucket } from './stored.ts';

const PAGE_MAX = 1_000;

export async function insert(call: Call): Promise<Answer> {
  const body = await readJson(call.request);
  const { name } = body;
  if (name === undefined || name === '') throw required('name');
  checkBucketName(name);
  const made = await call.store.createBucket({ ...newBucket(body, call.store.time()), name, project: call.query.get('project')! });
  return { json: bucketResource(call.base, made) };
}

export async function list({ store, base, query }: Call): Promise<Answer> {
  const prefix = query.get('prefix') ?? '';
  const after = Buffer.from(query.get('pageToken') ?? '', 'base64url').toString('utf8');
  const found = store.listBuckets(query.get('project')!).filter(({ name }) => name.startsWith(prefix) && compareUtf8(name, after) > 0);
  const page = found.slice(0, maxResultsOf(query, PAGE_MAX));
  const last = page.at(-1);
  return {
    json: {
      kind: 'storage#buckets',
      ...(page.length < found.length && last !== undefined ? { nextPageToken: Buffer.from(last.name).toString('base64url') } : {}),
      ...(page.length > 0 ? { items: page.map((bucket) => bucketResource(base, bucket)) } : {}),
    },
  };
}

export function maxResultsOf(query: URLSearchParams, most: number): number {
  const text = query.get('maxResults') ?? '';
  if (!/^\d*$/.test(text)) throw invalid(`Invalid value for: maxResults: ${text}`, 'maxResults');
  return Math.min(Number(text) || most, most);
}

export async function get(call: Call): Promise<Answer> {
  const found = call.store.bucket(call.bucket);
  checkPreconditions(readPreconditions(call.query), found);
  checkEtags(call, etagOf(found));
  return { json: bucketResource(call.base, found) };
}

export async function patch(call: Call): Promise<Answer> {
  const body = await readJson(call.request);
  return change(call, (before, time) => changedBucket(before, body, time) as StoredBucket);
}

export async function update(call: Call): Promise<Answer> {
  const body = await readJson(call.request);
  return change(call, (before, time) => replacedBucket(before, body, time));
}

/** From now on the policy's period can only grow. */
export async function lockRetentionPolicy(call: Call): Promise<Answer> {
  return change(call, (before) => {
    const policy = before['retentionPolicy'] as RetentionPolicy | undefined;
    if (policy === undefined) throw invalid(`Bucket '${before.name}' has no retention policy to lock.`);
    return { ...before, retentionPolicy: { ...policy, isLocked: true } };
  });
}

async function change({ store, base, bucket, query }: Call, how: (before: StoredBucket, time: string) => StoredBucket): Promise<Answer> {
  return { json: bucketResource(base, await store.changeBucket(bucket, readPreconditions(query), (before) => how(before, store.time()))) };
}

export async function remove({ store, bucket, query }: Call): Promise<Answer> {
  await store.deleteBucket(bucket, readPreconditions(query));
  return { status: 204 };
}

/** There are no folders here: every bucket has a flat namespace. */
export async function getStorageLayout({ store, bucket }: Call): Promise<Answer> {
  const location = String(store.bucket(bucket)['location'] ?? 'US');
  return { json: { kind: 'storage#storageLayout', bucket, location, locationType: locationType(location), hierarchicalNamespace: { enabled: false } } };
}

/** None can be made here, so there is none. */
export async function listManagedFolders({ store, bucket }: Call): Promise<Answer> {
  store.bucket(bucket);
  return { json: { kind: 'storage#managedFolders' } };
}
