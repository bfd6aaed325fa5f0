// The bucket of the raw files: in goes the patient, out come findings about who may read it and what may vanish. Called by checks.ts.
import type { BucketMetadata } from '@google-cloud/storage';
import { codeOf } from '../../functions/maintain/tables.ts';
import { curesFor } from './cures.ts';
import type { Check, Finding } from './finding.ts';
import type { Kind } from './kinds.ts';
import type { Patient } from './patient.ts';

/** maintain comes every hour. */
const SPILL_HOURS_MAX = 2;

export function bucketChecks(patient: Patient): Check[] {
  return [{ name: 'bucket', run: () => checkBucket(patient) }, { name: 'spilled messages', run: () => checkSpill(patient) }];
}

async function checkBucket(patient: Patient): Promise<Finding[]> {
  const cures = curesFor(patient);
  const where = `gs://${patient.bucketName}`;
  let metadata: BucketMetadata;
  try {
    [metadata] = await patient.bucket.getMetadata();
  } catch (error) {
    if (codeOf(error) !== 404) throw error;
    return [{ kind: 'bucket_missing', where, what: 'The bucket does not exist.', why: 'What clients send is not archived: the messages wait in Pub/Sub, at most for the retention.', cure: cures.provision }];
  }
  const findings: Finding[] = [];
  const wrong = (kind: Kind, what: string, why: string, cure: string): void => void findings.push({ kind, where, what, why, cure });
  if (metadata.iamConfiguration?.uniformBucketLevelAccess?.enabled !== true) wrong('bucket_access_not_uniform', 'Single objects may have access lists of their own.', 'An object can be public without anything at the bucket saying so.', cures.bucket('--uniform-bucket-level-access'));
  if (metadata.iamConfiguration?.publicAccessPrevention !== 'enforced') wrong('bucket_may_be_public', 'Public access is not prevented.', 'One wrong grant shows every event to everybody.', cures.bucket('--public-access-prevention'));
  if (Number(metadata.softDeletePolicy?.retentionDurationSeconds ?? 0) === 0) wrong('bucket_without_soft_delete', 'Deleted objects are gone at once.', 'The archive is what a lost day is made from again; compaction deletes the parts that it has joined.', cures.bucket('--soft-delete-duration=7d'));
  return [...findings, ...checkLifecycle(patient, metadata)];
}

type Rule = NonNullable<NonNullable<BucketMetadata['lifecycle']>['rule']>[number];

function checkLifecycle(patient: Patient, { lifecycle }: BucketMetadata): Finding[] {
  const cures = curesFor(patient);
  const where = `gs://${patient.bucketName}`;
  const rules = lifecycle?.rule ?? [];
  const typeOf = ({ action }: Rule): string | undefined => (typeof action === 'string' ? action : action?.type);
  const deletes = rules.filter((rule) => typeOf(rule) === 'Delete');
  const reaches = (rule: Rule, prefix: string): boolean => {
    const prefixes = rule.condition?.matchesPrefix ?? [''];
    return rule.condition?.isLive !== false && prefixes.some((one: string) => prefix.startsWith(one) || one.startsWith(prefix));
  };
  const findings: Finding[] = [];
  if (!rules.some((rule) => typeOf(rule) === 'AbortIncompleteMultipartUpload')) {
    findings.push({ kind: 'bucket_lifecycle_missing', where, what: 'Uploads that were never finished are kept.', why: 'They cost as much as objects, and no list shows them.', cure: patient.local === undefined ? cures.provision : cures.bucket('') });
  }
  for (const [name, days] of Object.entries(patient.rawRetentionDays)) {
    const prefix = `raw/${name}/`;
    const reaching = deletes.filter((rule) => reaches(rule, prefix));
    if (days === null && reaching.length > 0) {
      findings.push({ kind: 'archive_is_deleted', where: `${where}/${prefix}`, what: `A lifecycle rule deletes raw files${reaching[0]!.condition?.age === undefined ? '' : ` after ${reaching[0]!.condition.age} days`}; schemas/streams.json keeps them.`, why: 'A day can be made again only from its raw files.', cure: patient.local === undefined ? cures.provision : cures.bucket('') });
    }
    if (days !== null && !reaching.some(({ condition }) => condition?.age === days)) {
      findings.push({ kind: 'archive_is_not_deleted', where: `${where}/${prefix}`, what: `No lifecycle rule deletes raw files after ${days} days, as schemas/streams.json says.`, why: 'They are kept longer than was promised.', cure: patient.local === undefined ? cures.provision : cures.bucket('') });
    }
  }
  return findings;
}

async function checkSpill(patient: Patient): Promise<Finding[]> {
  let files;
  try {
    [files] = await patient.bucket.getFiles({ prefix: 'spill/', maxResults: 1_000, autoPaginate: false });
  } catch (error) {
    if (codeOf(error) === 404) return [];
    throw error;
  }
  const old = files.filter(({ metadata }) => patient.nowMs - Date.parse(metadata.timeCreated ?? '') > SPILL_HOURS_MAX * 3_600_000);
  if (old.length === 0) return [];
  return [{ kind: 'spill_not_drained', where: `gs://${patient.bucketName}/spill/`, what: `${old.length} messages that Pub/Sub could not take have waited for more than ${SPILL_HOURS_MAX} hours.`, why: 'Their events were answered 200 and are in no table.', cure: curesFor(patient).maintain }];
}

