// Holds and retention: whether an object must be kept, and until when. store.ts asks before it deletes or replaces one; resources.ts tells the time.
import { forbidden } from './refusal.ts';
import type { StoredBucket, StoredObject } from './stored.ts';

export type RetentionPolicy = { retentionPeriod: string; effectiveTime: string; isLocked?: boolean };

/** The period runs from the object's creation, or from the release of its event-based hold; while that is on, the time is not known. */
export function retentionExpiry(bucket: StoredBucket, object: StoredObject): Date | undefined {
  const policy = bucket['retentionPolicy'] as RetentionPolicy | undefined;
  if (policy === undefined || object['eventBasedHold'] === true) return undefined;
  const from = Date.parse((object.releasedTime as string | undefined) ?? object.timeCreated);
  return new Date(from + Number(policy.retentionPeriod) * 1_000);
}

/** Why the object may not be deleted, replaced or archived now; undefined: it may. */
export function whyKept(bucket: StoredBucket, object: StoredObject, nowMs: number): string | undefined {
  for (const [field, name] of [['eventBasedHold', 'Event-Based'], ['temporaryHold', 'Temporary']] as const) {
    if (object[field] === true) return `under active ${name} hold and cannot be deleted, overwritten or archived until hold is removed.`;
  }
  const until = retentionExpiry(bucket, object);
  if (until === undefined || until.getTime() <= nowMs) return undefined;
  return `subject to bucket's retention policy or object retention and cannot be deleted or overwritten until ${until.toISOString()}`;
}

export function refuseIfKept(bucket: StoredBucket, object: StoredObject | undefined, nowMs: number): void {
  if (object === undefined) return;
  const why = whyKept(bucket, object, nowMs);
  if (why !== undefined) throw forbidden(`Object '${bucket.name}/${object.name}' is ${why}`, why.startsWith('subject') ? 'retentionPolicyNotMet' : 'forbidden');
}
