// The body of a request that makes or changes a bucket -> the settings that are stored, checked. buckets.ts calls this. What could not be carried
// out here is refused by name.
import { patched, type Fields } from './object-fields.ts';
import type { RetentionPolicy } from './keep.ts';
import { readLifecycle, STORAGE_CLASSES } from './lifecycle.ts';
import { forbidden, invalid, unsupported } from './refusal.ts';
import type { StoredBucket } from './stored.ts';

const READ_ONLY = new Set(['kind', 'id', 'selfLink', 'name', 'projectNumber', 'metageneration', 'etag', 'timeCreated', 'updated', 'locationType', 'project', 'generation', 'owner', 'satisfiesPZS', 'satisfiesPZI', 'rpo']);
/** Settings that may be named as long as they are off. */
const OFF_ONLY: Record<string, (value: Fields) => boolean> = {
  autoclass: (value) => value['enabled'] !== true, hierarchicalNamespace: (value) => value['enabled'] !== true, billing: (value) => value['requesterPays'] !== true,
  cors: (value) => Array.isArray(value) && value.length === 0, encryption: (value) => value['defaultKmsKeyName'] === undefined, website: isEmpty, logging: isEmpty,
  acl: (value) => Array.isArray(value) && value.length === 0, defaultObjectAcl: (value) => Array.isArray(value) && value.length === 0,
};
function isEmpty(value: Fields): boolean {
  return Object.keys(value).length === 0;
}

const DAY_SECONDS = 86_400;
export const SOFT_DELETE_DEFAULT_SECONDS = 7 * DAY_SECONDS;
const SOFT_DELETE_MAX_SECONDS = 90 * DAY_SECONDS;
/** A hundred years. */
const RETENTION_MAX_SECONDS = 3_155_760_000;
const LABELS_MAX = 64;

/** Bucket names: 3 to 63 characters; with dots up to 222, each part up to 63. */
export function checkBucketName(name: unknown): asserts name is string {
  const isRight = typeof name === 'string' && /^[a-z0-9][a-z0-9._-]*[a-z0-9]$/.test(name) && name.length >= 3 && name.length <= (name.includes('.') ? 222 : 63)
    && name.split('.').every((part) => part !== '' && part.length <= 63 && !part.startsWith('-') && !part.endsWith('-'))
    && !/^\d+\.\d+\.\d+\.\d+$/.test(name) && !name.startsWith('goog') && !/google|g00gle/.test(name);
  if (!isRight) throw invalid(`Invalid bucket name: '${String(name)}'`, 'name');
}

/** A new bucket's settings. */
export function newBucket(body: Fields, time: string): Fields {
  const made = changedBucket({ softDeletePolicy: softDelete(undefined, time) }, body, time);
  return { ...made, location: String(made['location'] ?? 'US').toUpperCase(), storageClass: made['storageClass'] ?? 'STANDARD' };
}

/** PUT: what the body does not name is gone, but for what a bucket always has. */
export function replacedBucket(before: StoredBucket, body: Fields, time: string): StoredBucket {
  const { name, project, metageneration, timeCreated, updated, location, storageClass, softDeletePolicy, retentionPolicy, iamConfiguration } = before;
  const kept = { name, project, metageneration, timeCreated, updated, location, storageClass, softDeletePolicy, iamConfiguration, ...(retentionPolicy === undefined ? {} : { retentionPolicy }) };
  const removes = retentionPolicy !== undefined && body['retentionPolicy'] === undefined ? { retentionPolicy: null } : {};
  return changedBucket(kept, { ...removes, ...body }, time) as StoredBucket;
}

/** PATCH: nested settings are merged field by field, null takes one away. */
export function changedBucket(before: Fields, body: Fields, time: string): Fields {
  let after: Fields = { ...before };
  for (const [name, value] of Object.entries(body)) {
    if (READ_ONLY.has(name) || value === undefined) continue;
    const isOff = OFF_ONLY[name];
    if (isOff !== undefined) {
      if (value !== null && !isOff(value as Fields)) throw unsupported(`the bucket setting ${name}`);
      continue;
    }
    const read = SETTINGS[name];
    if (read === undefined) {
      if (value === null) continue;
      throw unsupported(`the bucket setting ${name}`);
    }
    after = put(after, name, read(value, before[name], time, before));
  }
  return after;
}

function put(fields: Fields, name: string, value: unknown): Fields {
  if (value !== undefined) return { ...fields, [name]: value };
  const { [name]: _gone, ...rest } = fields;
  return rest;
}

type Read = (value: unknown, before: unknown, time: string, bucket: Fields) => unknown;
const SETTINGS: Record<string, Read> = {
  location(value, before) {
    if (typeof value !== 'string' || !/^[A-Za-z]+[A-Za-z0-9-]*$/.test(value)) throw invalid(`The specified location constraint is not valid: ${String(value)}`, 'location');
    if (before !== undefined && before !== value.toUpperCase()) throw invalid('The location of a bucket cannot be changed.', 'location');
    return value.toUpperCase();
  },
  storageClass(value) {
    if (!STORAGE_CLASSES.includes(value as string)) throw invalid(`Invalid storage class: ${String(value)}`, 'storageClass');
    return value;
  },
  labels(value, before) {
    // As measured at Google: no labels named in a patch means none at all.
    if (value === null || Object.keys(value as Fields).length === 0) return undefined;
    const { labels } = patched({ labels: before }, { labels: value }) as { labels?: Record<string, unknown> };
    for (const [name, text] of Object.entries(labels ?? {})) {
      if (!/^\p{Ll}[\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(name) || typeof text !== 'string' || !/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(text)) throw invalid(`Invalid label: ${name}=${String(text)}`, 'labels');
    }
    if (Object.keys(labels ?? {}).length > LABELS_MAX) throw invalid(`A bucket has at most ${LABELS_MAX} labels.`, 'labels');
    return labels;
  },
  versioning: (value) => (value === null ? undefined : { enabled: flag((value as Fields)['enabled'], 'versioning') }),
  defaultEventBasedHold: (value) => (value === null ? undefined : flag(value, 'defaultEventBasedHold')),
  lifecycle: (value) => (value === null ? undefined : readLifecycle(value)),
  softDeletePolicy: (value, _before, time) => softDelete(value, time),
  retentionPolicy: (value, before, time, bucket) => retention(value, before as RetentionPolicy | undefined, time, bucket),
  iamConfiguration: (value, before) => iamConfiguration(value, before as Fields | undefined),
};

function flag(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean' && value !== undefined) throw invalid(`Invalid value for: ${name}`, name);
  return value === true;
}

/** 0 turns soft delete off; null and nothing mean the default. */
function softDelete(value: unknown, time: string): Fields {
  const seconds = Number((value as Fields | null | undefined)?.['retentionDurationSeconds'] ?? SOFT_DELETE_DEFAULT_SECONDS);
  if (seconds !== 0 && !(seconds >= SOFT_DELETE_DEFAULT_SECONDS && seconds <= SOFT_DELETE_MAX_SECONDS)) {
    throw invalid(`The soft delete retention duration must be 0 or from ${SOFT_DELETE_DEFAULT_SECONDS} to ${SOFT_DELETE_MAX_SECONDS} seconds.`, 'softDeletePolicy');
  }
  return { retentionDurationSeconds: String(seconds), effectiveTime: time };
}

function retention(value: unknown, before: RetentionPolicy | undefined, time: string, bucket: Fields): RetentionPolicy | undefined {
  const wanted = (value as Fields | null)?.['retentionPeriod'];
  if (value !== null && wanted === undefined) return before;
  const seconds = Number(wanted);
  if (value !== null && !(Number.isInteger(seconds) && seconds >= 1 && seconds <= RETENTION_MAX_SECONDS)) throw invalid(`The retention period must be from 1 to ${RETENTION_MAX_SECONDS} seconds.`, 'retentionPolicy');
  if (before?.isLocked === true && (value === null || seconds < Number(before.retentionPeriod))) {
    throw forbidden(`Bucket '${String(bucket['name'])}' has a locked Retention Policy which cannot be ${value === null ? 'removed' : 'shortened'}.`, 'retentionPolicyNotMet');
  }
  if (value === null) return undefined;
  return { retentionPeriod: String(seconds), effectiveTime: before?.retentionPeriod === String(seconds) ? before.effectiveTime : time, ...(before?.isLocked === true ? { isLocked: true } : {}) };
}

/** Kept and told; nobody is refused by it, since no caller is told from another here. */
function iamConfiguration(value: unknown, before: Fields | undefined): Fields {
  const { uniformBucketLevelAccess, bucketPolicyOnly, publicAccessPrevention, ...rest } = (value ?? {}) as Fields;
  if (Object.keys(rest).length > 0) throw unsupported(`the bucket setting iamConfiguration.${Object.keys(rest)[0]}`);
  if (publicAccessPrevention !== undefined && !['inherited', 'enforced', 'unspecified'].includes(publicAccessPrevention as string)) throw invalid(`Invalid value for: publicAccessPrevention: ${String(publicAccessPrevention)}`, 'iamConfiguration');
  const uniform = ((uniformBucketLevelAccess ?? bucketPolicyOnly) as Fields | undefined)?.['enabled'] ?? before?.['isUniform'] ?? false;
  return { isUniform: flag(uniform, 'uniformBucketLevelAccess'), publicAccessPrevention: publicAccessPrevention ?? before?.['publicAccessPrevention'] ?? 'inherited' };
}
