// Lifecycle rules of a bucket: read and checked when they are set, asked of every version when the clock has moved on. store.ts carries out what they say.
import { invalid, unsupported } from './refusal.ts';
import type { StoredObject } from './stored.ts';

type Condition = Partial<{
  age: number; createdBefore: string; customTimeBefore: string; daysSinceCustomTime: number; daysSinceNoncurrentTime: number; isLive: boolean;
  matchesPrefix: string[]; matchesSuffix: string[]; matchesStorageClass: string[]; noncurrentTimeBefore: string; numNewerVersions: number;
}>;
export type Rule = { action: { type: string; storageClass?: string }; condition: Condition };
/** What is to be done with one version of an object. */
export type Due = { kind: 'delete' } | { kind: 'class'; storageClass: string };

const DAY_MS = 86_400_000;
export const STORAGE_CLASSES = ['STANDARD', 'NEARLINE', 'COLDLINE', 'ARCHIVE'];
const COUNTS = ['age', 'daysSinceCustomTime', 'daysSinceNoncurrentTime', 'numNewerVersions'];
const DATES = ['createdBefore', 'customTimeBefore', 'noncurrentTimeBefore'];
const TEXTS = ['matchesPrefix', 'matchesSuffix', 'matchesStorageClass'];
/** Of all rules of a bucket together. */
const AFFIXES_MAX = 1_000;

/** The rules as a client gives them; undefined when there are none. Anything that could not be carried out is refused. */
export function readLifecycle(value: unknown): { rule: Rule[] } | undefined {
  const rules = (value as { rule?: unknown } | null)?.rule ?? [];
  if (typeof value !== 'object' || !Array.isArray(rules)) throw invalid('lifecycle must hold a list of rules.', 'lifecycle');
  const read = rules.map((rule) => readRule(rule as Partial<Rule>));
  const affixes = read.reduce((count, { condition }) => count + (condition.matchesPrefix?.length ?? 0) + (condition.matchesSuffix?.length ?? 0), 0);
  if (affixes > AFFIXES_MAX) throw invalid(`The lifecycle rules have ${affixes} prefixes and suffixes; at most ${AFFIXES_MAX} are allowed.`, 'lifecycle');
  return read.length === 0 ? undefined : { rule: read };
}

function readRule({ action, condition }: Partial<Rule>): Rule {
  const type = action?.type;
  if (type === undefined || !['Delete', 'SetStorageClass', 'AbortIncompleteMultipartUpload'].includes(type)) throw invalid(`A lifecycle rule has no such action: ${String(type)}.`, 'lifecycle');
  if (type === 'SetStorageClass' && !STORAGE_CLASSES.includes(action!.storageClass ?? '')) throw invalid(`A lifecycle rule sets no such storage class: ${String(action!.storageClass)}.`, 'lifecycle');
  const entries = Object.entries(condition ?? {}).filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0));
  if (entries.length === 0) throw invalid('A lifecycle rule must have at least one condition.', 'lifecycle');
  for (const [name, value] of entries) checkCondition(name, value);
  if (type === 'AbortIncompleteMultipartUpload' && entries.some(([name]) => !['age', 'matchesPrefix', 'matchesSuffix'].includes(name))) throw invalid('AbortIncompleteMultipartUpload takes age, matchesPrefix and matchesSuffix only.', 'lifecycle');
  return { action: action!, condition: Object.fromEntries(entries) };
}

function checkCondition(name: string, value: unknown): void {
  const isRight = COUNTS.includes(name) ? Number.isInteger(value) && (value as number) >= 0
    : DATES.includes(name) ? typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value))
      : TEXTS.includes(name) ? Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '')
        : name === 'isLive' ? typeof value === 'boolean' : undefined;
  if (isRight === undefined) throw unsupported(`the lifecycle condition ${name}`);
  if (!isRight) throw invalid(`A lifecycle rule has a wrong ${name}: ${JSON.stringify(value)}.`, 'lifecycle');
}

/** What the rules say of a version that has so many newer ones. Delete goes before a change of class, as at Google. */
export function whatIsDue(rules: readonly Rule[], object: StoredObject, newerVersions: number, nowMs: number): Due | undefined {
  const met = rules.filter(({ action, condition }) => action.type !== 'AbortIncompleteMultipartUpload' && isMet(condition, object, newerVersions, nowMs));
  if (met.some(({ action }) => action.type === 'Delete')) return { kind: 'delete' };
  // Of several classes the cheapest is taken.
  const storageClass = met.map(({ action }) => action.storageClass!).sort((a, b) => STORAGE_CLASSES.indexOf(b) - STORAGE_CLASSES.indexOf(a))[0];
  return storageClass === undefined || STORAGE_CLASSES.indexOf(storageClass) <= STORAGE_CLASSES.indexOf(classOf(object)) ? undefined : { kind: 'class', storageClass };
}

const classOf = (object: StoredObject): string => String(object['storageClass'] ?? 'STANDARD');

/** A rule acts when all its conditions are met. */
function isMet(condition: Condition, object: StoredObject, newerVersions: number, nowMs: number): boolean {
  const created = Date.parse(object.timeCreated);
  const customTime = object['customTime'] === undefined ? undefined : Date.parse(object['customTime'] as string);
  const noncurrent = object.timeDeleted === undefined ? undefined : Date.parse(object.timeDeleted);
  const isOld = (from: number | undefined, days: number): boolean => from !== undefined && from + days * DAY_MS <= nowMs;
  const isBefore = (time: number | undefined, date: string): boolean => time !== undefined && time < Date.parse(date);
  const checks: Record<keyof Condition, () => boolean> = {
    age: () => isOld(created, condition.age!),
    createdBefore: () => isBefore(created, condition.createdBefore!),
    customTimeBefore: () => isBefore(customTime, condition.customTimeBefore!),
    daysSinceCustomTime: () => isOld(customTime, condition.daysSinceCustomTime!),
    daysSinceNoncurrentTime: () => isOld(noncurrent, condition.daysSinceNoncurrentTime!),
    noncurrentTimeBefore: () => isBefore(noncurrent, condition.noncurrentTimeBefore!),
    isLive: () => (noncurrent === undefined) === condition.isLive,
    numNewerVersions: () => newerVersions >= condition.numNewerVersions!,
    matchesPrefix: () => condition.matchesPrefix!.some((prefix) => object.name.startsWith(prefix)),
    matchesSuffix: () => condition.matchesSuffix!.some((suffix) => object.name.endsWith(suffix)),
    matchesStorageClass: () => condition.matchesStorageClass!.includes(classOf(object)),
  };
  return (Object.keys(condition) as (keyof Condition)[]).every((name) => checks[name]());
}
