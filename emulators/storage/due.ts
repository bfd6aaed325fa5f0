// What time has brought about for the versions of one object: lifecycle rules that are met, soft-deleted versions whose time is over. store.ts carries it out.
import type { BucketIndex } from './bucket-index.ts';
import { whyKept } from './keep.ts';
import { whatIsDue, type Rule } from './lifecycle.ts';
import type { Version } from './versions.ts';

/** With a storage class: the version takes that class; without: it is deleted. */
export type DueVersion = { version: Version; storageClass?: string };

export function dueOf(index: BucketIndex, rules: readonly Rule[], name: string, nowMs: number): DueVersion[] {
  const versions = index.versions.get(name);
  if (versions === undefined) return [];
  const over = versions.softDeleted.filter(({ meta }) => Date.parse(meta.hardDeleteTime!) <= nowMs).map((version) => ({ version }));
  const newestFirst = [...versions.noncurrent, ...(versions.live === undefined ? [] : [versions.live])].reverse();
  return [...over, ...newestFirst.flatMap((version, newer) => {
    const due = whatIsDue(rules, version.meta, newer, nowMs);
    if (due === undefined || (due.kind === 'delete' && whyKept(index.meta, version.meta, nowMs) !== undefined)) return [];
    return [{ version, ...(due.kind === 'class' ? { storageClass: due.storageClass } : {}) }];
  })];
}
