// objects.*: get (metadata or media), list, patch, update, delete, restore. server.ts calls them by name; insert is in uploads.ts, what makes
// objects of objects in transfers.ts.
import { maxResultsOf } from './buckets.ts';
import type { Answer, Call } from './call.ts';
import { readJson } from './call.ts';
import { globTest } from './glob.ts';
import { listPage } from './listing.ts';
import { sendMedia } from './media.ts';
import { newFields, objectFields, patchedObject, replacedObject, settableFields } from './object-fields.ts';
import { checkEtags, checkPreconditions, readPreconditions } from './preconditions.ts';
import { invalid, noObject, required } from './refusal.ts';
import { etagOf, objectResource } from './resources.ts';
import type { StoredObject } from './stored.ts';

const PAGE_MAX = 1_000;

export async function get(call: Call): Promise<Answer | undefined> {
  const { store, base, bucket, query } = call;
  const isSoftDeleted = query.get('softDeleted') === 'true';
  const generation = generationOf(query);
  const isMedia = query.get('alt') === 'media';
  if (isSoftDeleted && generation === null) {
    if ((store.index(bucket).versions.get(call.object)?.softDeleted ?? []).length === 0) throw noObject(bucket, call.object);
    throw required('generation');
  }
  if (isSoftDeleted && isMedia) throw invalid('The bytes of a soft-deleted object cannot be read; restore it first.', 'softDeleted');
  const object = isSoftDeleted ? store.softDeleted(bucket, call.object, generation!) : store.objectOrRefuse(bucket, call.object, generation);
  checkPreconditions(readPreconditions(query), object);
  checkEtags(call, etagOf(object));
  if (isMedia) return sendMedia(call, object);
  return { json: objectResource(base, store.bucket(bucket), object), headers: { etag: etagOf(object) } };
}

export function generationOf(query: URLSearchParams, name = 'generation'): string | null {
  const value = query.get(name) || null;
  if (value !== null && !/^\d+$/.test(value)) throw invalid(`Invalid value for: ${name}: ${value}`, name);
  return value;
}

export async function list({ store, base, bucket, query }: Call): Promise<Answer> {
  const option = <K extends string>(name: K): Partial<Record<K, string>> => (query.get(name) ? { [name]: query.get(name)! } as Record<K, string> : {});
  const isOn = (name: string): boolean => query.get(name) === 'true';
  if (isOn('versions') && isOn('softDeleted')) throw invalid('versions and softDeleted cannot be asked for together.', 'softDeleted');
  const glob = query.get('matchGlob');
  const index = store.index(bucket);
  const nowMs = store.now();
  const itemsOf = (name: string): StoredObject[] => {
    const { live, noncurrent, softDeleted } = index.versions.get(name)!;
    if (isOn('softDeleted')) return softDeleted.map(({ meta }) => meta).filter(({ hardDeleteTime }) => Date.parse(hardDeleteTime!) > nowMs);
    const current = live === undefined ? [] : [live.meta];
    return isOn('versions') ? [...noncurrent.map(({ meta }) => meta), ...current] : current;
  };
  const { items, prefixes, nextPageToken } = listPage(isOn('softDeleted') ? index.softDeleted : isOn('versions') ? index.all : index.live, {
    ...option('prefix'), ...option('delimiter'), ...option('startOffset'), ...option('endOffset'), ...option('pageToken'),
    includeTrailingDelimiter: isOn('includeTrailingDelimiter'), maxResults: maxResultsOf(query, PAGE_MAX),
    ...(glob ? { matches: globTest(glob) } : {}),
    itemsOf, generationOf: ({ generation }) => generation,
  });
  return {
    json: {
      kind: 'storage#objects',
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
      ...(prefixes.length > 0 ? { prefixes } : {}),
      ...(items.length > 0 ? { items: items.map((object) => objectResource(base, index.meta, object)) } : {}),
    },
  };
}

export async function patch(call: Call): Promise<Answer> {
  const changes = objectFields(await readJson(call.request));
  return change(call, (before) => patchedObject(before, changes));
}

export async function update(call: Call): Promise<Answer> {
  const fields = objectFields(await readJson(call.request));
  return change(call, (before) => replacedObject(before, fields));
}

async function change({ store, base, bucket, object, query }: Call, how: (before: StoredObject) => StoredObject): Promise<Answer> {
  const after = await store.changeObject(bucket, object, generationOf(query), readPreconditions(query), how);
  return { json: objectResource(base, store.bucket(bucket), after) };
}

export async function remove({ store, bucket, object, query }: Call): Promise<Answer> {
  await store.deleteObject(bucket, object, generationOf(query), readPreconditions(query));
  return { status: 204 };
}

/** A soft-deleted version's bytes and metadata become a new live object; the soft-deleted one stays restorable. */
export async function restore({ store, base, bucket, object, query }: Call): Promise<Answer> {
  const policy = store.bucket(bucket)['softDeletePolicy'] as { retentionDurationSeconds?: string } | undefined;
  if (Number(policy?.retentionDurationSeconds ?? 0) === 0) throw invalid('Soft delete is not enabled on this bucket.');
  const source = store.softDeleted(bucket, object, generationOf(query)!);
  const { crc32c, md5Hash, componentCount } = source;
  const staged = await store.stage();
  if (source.size !== '0') {
    for await (const chunk of await store.read(bucket, object, source.generation, 0, Number(source.size) - 1)) await staged.append(chunk as Buffer);
  }
  const made = await store.commit(bucket, staged, {
    ...newFields(settableFields(source)), name: object, crc32c, ...(md5Hash === undefined ? {} : { md5Hash }), ...(componentCount === undefined ? {} : { componentCount }),
  }, readPreconditions(query));
  return { json: objectResource(base, store.bucket(bucket), made) };
}
