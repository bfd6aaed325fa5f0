// Every method of Cloud Storage's JSON API, and how far the local one can be trusted with it. emulators/README.md is generated from this and from the cases.
import type { SurfaceLine } from '../contract.ts';
import { ABSENT } from './refusals.cases.ts';

const WHY_ABSENT: [RegExp, string][] = [
  [/IamPolic|IamPermissions/, 'no caller is told from another here'], [/AccessControls/, 'no access control lists: no caller is told from another here'],
  [/^notifications|watchAll|channels/, 'nothing is told of changes'], [/[fF]olders/, 'every bucket has a flat namespace'], [/anywhereCaches/, 'there is nothing to cache'],
  [/operations|relocate|bulkRestore/, 'no long-running operations'], [/hmacKeys|serviceAccount/, 'no keys and no service agent'], [/buckets\.restore/, 'a deleted bucket is gone'],
];

export const STORAGE_SURFACE: readonly SurfaceLine[] = [
  { method: 'buckets.insert', grade: 'approximate', says: 'names, location, class, labels, versioning, soft delete, lifecycle, retention, uniform access; ACLs, CORS, website, logging, autoclass, hierarchical namespace are refused' },
  { method: 'buckets.list', grade: 'faithful', says: 'prefix, pages, by project' },
  { method: 'buckets.get', grade: 'faithful', says: 'conditions and etags; projection=full has no ACLs' },
  { method: 'buckets.patch', grade: 'approximate', says: 'merges as Google does; settings that could not be carried out are refused' },
  { method: 'buckets.update', grade: 'approximate', says: 'replaces what the body does not name; settings that could not be carried out are refused' },
  { method: 'buckets.delete', grade: 'approximate', says: '409 when not empty; gone at once, a bucket is not soft-deleted itself' },
  { method: 'buckets.lockRetentionPolicy', grade: 'faithful', says: 'from then on the period only grows' },
  { method: 'buckets.getStorageLayout', grade: 'faithful', says: 'a flat namespace' },
  { method: 'managedFolders.list', grade: 'approximate', says: 'there are none, since none can be made' },
  { method: 'objects.insert', grade: 'approximate', says: 'media, multipart and resumable, checksums, conditions judged at the commit; idempotency tokens are not remembered, so a repeat meets its own condition' },
  { method: 'uploads.resumable', grade: 'faithful', says: 'pieces, questions, breaks, restarts; an address is good for a week' },
  { method: 'uploads.cancel', grade: 'faithful', says: '499, then and afterwards' },
  { method: 'objects.get', grade: 'faithful', says: 'metadata and bytes, ranges, inflating on the way, conditions and etags' },
  { method: 'objects.list', grade: 'faithful', says: 'prefix, delimiter, offsets, globs, versions, soft-deleted ones, pages in the order of UTF-8 bytes' },
  { method: 'objects.patch', grade: 'approximate', says: 'merge patch, custom time, holds; ACLs, object retention and contexts are refused' },
  { method: 'objects.update', grade: 'approximate', says: 'replaces; ACLs, object retention and contexts are refused' },
  { method: 'objects.delete', grade: 'faithful', says: 'live or by generation; conditions' },
  { method: 'objects.compose', grade: 'approximate', says: '1 to 32 sources, conditions of target and sources; deleteSourceObjects is refused' },
  { method: 'objects.copy', grade: 'faithful', says: 'within and between buckets, conditions on both sides' },
  { method: 'objects.rewrite', grade: 'faithful', says: 'at once, or in steps by token where class or place changes' },
  { method: 'objects.move', grade: 'approximate', says: 'in any bucket; a kill in the middle may leave source and target' },
  { method: 'objects.restore', grade: 'faithful', says: 'of soft-deleted objects, under conditions' },
  { method: 'versioning', grade: 'faithful', says: 'noncurrent versions by generation' },
  { method: 'soft delete', grade: 'faithful', says: 'of objects, seven days unless said otherwise, by the steered clock' },
  { method: 'retention policy', grade: 'faithful', says: 'of buckets, with lock' },
  { method: 'holds', grade: 'faithful', says: 'temporary and event-based, by default of the bucket too' },
  { method: 'lifecycle', grade: 'approximate', says: 'Delete and SetStorageClass with all conditions, within seconds of the steered clock instead of a day' },
  { method: 'uniform bucket-level access', grade: 'approximate', says: 'kept and told; nobody is refused anything here' },
  { method: 'fields', grade: 'faithful', says: 'partial answers' },
  { method: 'faults', grade: 'approximate', says: 'the local service only: every call can be made to fail, hang, be late, lose its answer or its bytes, by the control address' },
  { method: 'durability', grade: 'approximate', says: 'the local service only: what was acknowledged outlives SIGKILL' },
  { method: 'XML API', grade: 'absent', says: 'refused by name' },
  { method: 'signed URLs', grade: 'absent', says: 'they belong to the XML API' },
  { method: 'batch', grade: 'absent', says: 'refused by name' },
  { method: 'encryption keys', grade: 'absent', says: 'keys that the customer supplies or manages' },
  ...Object.keys(ABSENT).map((method): SurfaceLine => ({ method, grade: 'absent', says: WHY_ABSENT.find(([name]) => name.test(method))![1] })),
];
