// Stored records -> the resources that the JSON API answers, and request bodies -> the fields that a client may set. The handlers call these.
import { invalid, unsupported } from './refusal.ts';
import type { StoredBucket, StoredObject } from './store.ts';

/** What a client may write on an object. */
export const OBJECT_FIELDS = ['contentType', 'contentEncoding', 'contentLanguage', 'contentDisposition', 'cacheControl', 'customTime', 'metadata', 'temporaryHold', 'eventBasedHold', 'storageClass'] as const;
/** What comes in a client's body and is answered or ignored, never stored. */
const OBJECT_READ_ONLY = new Set(['kind', 'id', 'selfLink', 'mediaLink', 'name', 'bucket', 'generation', 'metageneration', 'size', 'crc32c', 'md5Hash', 'etag', 'timeCreated', 'updated', 'timeStorageClassUpdated', 'timeFinalized', 'componentCount', 'owner', 'contentLength']);
const BUCKET_FIELDS = ['location', 'storageClass', 'labels', 'lifecycle', 'iamConfiguration', 'cors', 'softDeletePolicy', 'autoclass', 'rpo', 'hierarchicalNamespace'] as const;
const BUCKET_READ_ONLY = new Set(['kind', 'id', 'selfLink', 'name', 'projectNumber', 'metageneration', 'etag', 'timeCreated', 'updated', 'locationType', 'project']);

type Fields = Record<string, unknown>;

/** The settable fields of an object in a client's body; a field that is not known is refused, so that nothing is lost silently. */
export function objectFields(body: Fields): Fields {
  const fields = pick(body, OBJECT_FIELDS, OBJECT_READ_ONLY, 'object field');
  const metadata = fields['metadata'];
  if (metadata !== undefined && metadata !== null && typeof metadata !== 'object') throw invalid('Metadata must be an object.', 'metadata');
  if (fields['temporaryHold'] === true || fields['eventBasedHold'] === true) throw unsupported('object holds');
  return fields;
}

export function bucketFields(body: Fields): Fields {
  const { versioning, ...rest } = body;
  if ((versioning as { enabled?: boolean } | undefined | null)?.enabled === true) throw unsupported('object versioning');
  return pick(rest, BUCKET_FIELDS, BUCKET_READ_ONLY, 'bucket field');
}

function pick(body: Fields, settable: readonly string[], readOnly: Set<string>, what: string): Fields {
  const fields: Fields = {};
  for (const [name, value] of Object.entries(body)) {
    if (settable.includes(name)) fields[name] = value;
    else if (!readOnly.has(name) && value !== null && value !== undefined) throw unsupported(`${what} ${name}`);
  }
  return fields;
}

/** JSON merge patch over the settable fields: null takes a field away, `metadata`, `labels` are merged key by key. */
export function patched<T extends Fields>(before: T, changes: Fields): T {
  const after: Fields = { ...before };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete after[name];
    else if ((name === 'metadata' || name === 'labels') && typeof value === 'object') {
      after[name] = Object.fromEntries(Object.entries({ ...(before[name] as Fields | undefined), ...(value as Fields) }).filter(([, entry]) => entry !== null));
    } else after[name] = value;
  }
  return after as T;
}

/** PUT: fields that the body does not name are gone. */
export function replaced(before: StoredObject, fields: Fields): StoredObject {
  const kept = Object.fromEntries(Object.entries(before).filter(([name]) => !(OBJECT_FIELDS as readonly string[]).includes(name)));
  return patched(kept as StoredObject, fields);
}

export const etagOf = (object: { generation?: string; metageneration: string }): string =>
  Buffer.from(`${object.generation ?? ''}/${object.metageneration}`).toString('base64');

export function objectResource(base: string, bucket: string, object: StoredObject): Fields {
  const path = `b/${bucket}/o/${encodeURIComponent(object.name)}`;
  return {
    kind: 'storage#object',
    id: `${bucket}/${object.name}/${object.generation}`,
    selfLink: `${base}/storage/v1/${path}`,
    mediaLink: `${base}/download/storage/v1/${path}?generation=${object.generation}&alt=media`,
    bucket,
    storageClass: 'STANDARD',
    ...object,
    timeStorageClassUpdated: object.timeCreated,
    timeFinalized: object.timeCreated,
    etag: etagOf(object),
  };
}

export function bucketResource(base: string, bucket: StoredBucket): Fields {
  return {
    kind: 'storage#bucket', id: bucket.name, selfLink: `${base}/storage/v1/b/${bucket.name}`, projectNumber: '0',
    location: 'US', locationType: 'multi-region', storageClass: 'STANDARD',
    ...bucket,
    etag: etagOf(bucket),
  };
}
