// buckets.*: insert, list, get, patch, update, delete. server.ts calls them by name.
import type { Answer, Call } from './call.ts';
import { readJson } from './call.ts';
import { checkForReading, readPreconditions } from './preconditions.ts';
import { invalid } from './refusal.ts';
import { bucketFields, bucketResource, patched } from './resources.ts';

export async function insert(call: Call): Promise<Answer> {
  const body = await readJson(call.request);
  const name = body['name'];
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(name)) throw invalid(`Invalid bucket name: '${String(name)}'`, 'name');
  return { json: bucketResource(call.base, await call.store.createBucket({ ...bucketFields(body), name })) };
}

export async function list({ store, base, query }: Call): Promise<Answer> {
  const prefix = query.get('prefix') ?? '';
  const items = store.listBuckets().filter(({ name }) => name.startsWith(prefix)).map((bucket) => bucketResource(base, bucket));
  return { json: { kind: 'storage#buckets', ...(items.length > 0 ? { items } : {}) } };
}

export async function get({ store, base, bucket, query }: Call): Promise<Answer> {
  const found = store.bucket(bucket);
  checkForReading(readPreconditions(query), found);
  return { json: bucketResource(base, found) };
}

export async function patch(call: Call): Promise<Answer> {
  const changes = bucketFields(await readJson(call.request));
  const after = await call.store.changeBucket(call.bucket, readPreconditions(call.query), (before) => patched(before, changes));
  return { json: bucketResource(call.base, after) };
}

export const update = patch;

export async function remove({ store, bucket, query }: Call): Promise<Answer> {
  await store.deleteBucket(bucket, readPreconditions(query));
  return { status: 204 };
}
