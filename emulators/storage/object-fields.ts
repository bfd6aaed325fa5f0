// The body of a request that makes or changes an object -> the fields that a client may set, checked; and what a patch or an update makes of them.
import { STORAGE_CLASSES } from './lifecycle.ts';
import { invalid, Refusal, unsupported } from './refusal.ts';
import type { StoredObject } from './stored.ts';

export type Fields = Record<string, unknown>;

/** What a client may write on an object. */
const OBJECT_FIELDS = ['contentType', 'contentEncoding', 'contentLanguage', 'contentDisposition', 'cacheControl', 'customTime', 'metadata', 'temporaryHold', 'eventBasedHold', 'storageClass'] as const;
const TEXTS = ['contentType', 'contentEncoding', 'contentLanguage', 'contentDisposition', 'cacheControl', 'storageClass'];
const HOLDS = ['temporaryHold', 'eventBasedHold'];
/** What comes in a client's body and is answered or ignored, never stored. */
const READ_ONLY = new Set(['kind', 'id', 'selfLink', 'mediaLink', 'name', 'bucket', 'generation', 'metageneration', 'size', 'crc32c', 'md5Hash', 'etag', 'timeCreated', 'updated', 'timeStorageClassUpdated', 'timeFinalized', 'timeDeleted', 'softDeleteTime', 'hardDeleteTime', 'retentionExpirationTime', 'componentCount', 'owner', 'contentLength']);
/** All custom names and values of an object together. */
const CUSTOM_BYTES_MAX = 8 * 1_024;

/** The settable fields of an object in a client's body; a field that is not known is refused, so that nothing is lost silently. */
export function objectFields(body: Fields): Fields {
  const fields: Fields = {};
  for (const [name, value] of Object.entries(body)) {
    if ((OBJECT_FIELDS as readonly string[]).includes(name)) fields[name] = checked(name, value);
    else if (!READ_ONLY.has(name) && value !== null && value !== undefined) throw unsupported(`the object field ${name}`);
  }
  return fields;
}

/** The settable fields of a stored object, for a copy of it. */
export const settableFields = (object: StoredObject): Fields => Object.fromEntries(OBJECT_FIELDS.flatMap((name) => (object[name] === undefined ? [] : [[name, object[name]]])));

function checked(name: string, value: unknown): unknown {
  if (value === null) return value;
  if (TEXTS.includes(name) && typeof value !== 'string') throw invalid(`Invalid value for: ${name}`, name);
  if (HOLDS.includes(name) && typeof value !== 'boolean') throw invalid(`Invalid value for: ${name}`, name);
  if (name === 'storageClass' && !STORAGE_CLASSES.includes(value as string)) throw invalid(`Invalid storage class: ${String(value)}`, name);
  if (name === 'customTime') return readTime(name, value);
  if (name === 'metadata' && (typeof value !== 'object' || Array.isArray(value) || Object.values(value as Fields).some((entry) => entry !== null && typeof entry !== 'string'))) {
    throw invalid('Custom metadata must be an object of texts.', name);
  }
  return value;
}

function readTime(name: string, value: unknown): string {
  const isForm = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i.test(value);
  const ms = isForm ? Date.parse(value as string) : NaN;
  if (Number.isNaN(ms)) throw invalid(`Invalid value for: ${name}: ${String(value)} is not an RFC 3339 time`, name);
  return new Date(ms).toISOString();
}

/** The fields of a new object: nulls and empty texts are no fields, and the custom metadata has its limit. */
export function newFields(fields: Fields): Fields {
  const made = patched({}, fields);
  checkCustomSize(made);
  return made;
}

/** What a patch (JSON merge patch: null takes a field away, custom metadata is merged key by key) makes of an object. */
export function patchedObject(before: StoredObject, changes: Fields): StoredObject {
  checkChange(before, changes);
  return settled(before, patched(before, changes) as StoredObject);
}

/** PUT: fields that the body does not name are gone; but what can't be taken away stays. */
export function replacedObject(before: StoredObject, fields: Fields): StoredObject {
  checkChange(before, fields);
  const kept = Object.fromEntries(Object.entries(before).filter(([name]) => !(OBJECT_FIELDS as readonly string[]).includes(name) || ['storageClass', 'customTime', ...HOLDS].includes(name)));
  return settled(before, patched(kept, fields) as StoredObject);
}

/** Of an object that is there, the class changes by a rewrite only, and a custom time only grows. */
function checkChange(before: StoredObject, changes: Fields): void {
  const { storageClass, customTime } = changes;
  if (storageClass !== undefined && storageClass !== null && storageClass !== (before['storageClass'] ?? 'STANDARD')) throw invalid('The storage class of an object is changed by a rewrite.', 'storageClass');
  const held = before['customTime'];
  if (held !== undefined && customTime === null) throw invalid('The custom time of an object cannot be removed.', 'customTime');
  if (held !== undefined && typeof customTime === 'string' && Date.parse(customTime) < Date.parse(held as string)) throw invalid('The custom time of an object cannot be set to an earlier time.', 'customTime');
}

/** A released event-based hold begins the retention period anew; the store fills in when. */
function settled(before: StoredObject, after: StoredObject): StoredObject {
  checkCustomSize(after);
  return before['eventBasedHold'] === true && after['eventBasedHold'] !== true ? { ...after, releasedTime: 'now' } : after;
}

function checkCustomSize(object: Fields): void {
  const bytes = Object.entries((object['metadata'] ?? {}) as Record<string, string>).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (bytes > CUSTOM_BYTES_MAX) throw new Refusal(400, 'metadataTooLarge', `The custom metadata has ${bytes} bytes; at most ${CUSTOM_BYTES_MAX} are allowed.`, 'metadata');
}

/** JSON merge patch; `metadata` and `labels` are merged key by key. */
export function patched(before: Fields, changes: Fields): Fields {
  const after: Fields = { ...before };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') delete after[name];
    else if ((name === 'metadata' || name === 'labels') && typeof value === 'object') {
      after[name] = Object.fromEntries(Object.entries({ ...(before[name] as Fields | undefined), ...(value as Fields) }).filter(([, entry]) => entry !== null));
      if (Object.keys(after[name] as Fields).length === 0) delete after[name];
    } else after[name] = value;
  }
  return after;
}
