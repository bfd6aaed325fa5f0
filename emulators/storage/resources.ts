// Stored records -> the resources that the JSON API answers. The handlers call these.
import type { Fields } from './object-fields.ts';
import { retentionExpiry } from './keep.ts';
import type { StoredBucket, StoredObject } from './stored.ts';

export const etagOf = (object: { generation?: string; metageneration: string }): string =>
  Buffer.from(`${object.generation ?? ''}/${object.metageneration}`).toString('base64');

export function objectResource(base: string, bucket: StoredBucket, object: StoredObject): Fields {
  const path = `b/${bucket.name}/o/${encodeURIComponent(object.name)}`;
  const { releasedTime: _inner, uploadId: _inner2, ...fields } = object;
  const keptUntil = retentionExpiry(bucket, object);
  return {
    kind: 'storage#object',
    id: `${bucket.name}/${object.name}/${object.generation}`,
    selfLink: `${base}/storage/v1/${path}`,
    mediaLink: `${base}/download/storage/v1/${path}?generation=${object.generation}&alt=media`,
    bucket: bucket.name,
    storageClass: 'STANDARD',
    timeStorageClassUpdated: object.timeCreated,
    timeFinalized: object.timeCreated,
    ...fields,
    ...(keptUntil === undefined ? {} : { retentionExpirationTime: keptUntil.toISOString() }),
    etag: etagOf(object),
  };
}

const DUAL_REGIONS = new Set(['NAM4', 'EUR4', 'EUR5', 'EUR7', 'EUR8', 'ASIA1']);
const MULTI_REGIONS = new Set(['US', 'EU', 'ASIA']);

export function locationType(location: string): string {
  return MULTI_REGIONS.has(location) ? 'multi-region' : DUAL_REGIONS.has(location) ? 'dual-region' : 'region';
}

export function bucketResource(base: string, bucket: StoredBucket): Fields {
  const { project: _inner, iamConfiguration, ...fields } = bucket;
  const location = String(bucket['location'] ?? 'US');
  const { isUniform = false, publicAccessPrevention = 'inherited' } = (iamConfiguration ?? {}) as Fields;
  return {
    kind: 'storage#bucket', id: bucket.name, selfLink: `${base}/storage/v1/b/${bucket.name}`, projectNumber: '0',
    storageClass: 'STANDARD',
    ...fields,
    location, locationType: locationType(location),
    ...(locationType(location) === 'region' ? {} : { rpo: 'DEFAULT' }),
    iamConfiguration: { bucketPolicyOnly: { enabled: isUniform }, uniformBucketLevelAccess: { enabled: isUniform }, publicAccessPrevention },
    etag: etagOf(bucket),
  };
}
