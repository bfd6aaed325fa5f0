// The versions of one object name, and the name of the file that each lies in. Whether a version is live, noncurrent or soft-deleted stands in its
// file's name, so that it changes by one rename. store.ts keeps these; what a file holds is object-file.ts's matter.
import { createHash } from 'node:crypto';
import type { StoredBucket, StoredObject } from './stored.ts';

export type Version = { meta: StoredObject; file: string };
/** live: at most one. noncurrent: replaced or deleted while versioning was on. softDeleted: restorable until their time. Both oldest first. */
export type Versions = { live?: Version; noncurrent: Version[]; softDeleted: Version[] };

export const noVersions = (): Versions => ({ noncurrent: [], softDeleted: [] });

/** Times in milliseconds since 1970. */
export type FileState = { noncurrentMs?: number; softDeletedMs?: number; hardDeleteMs?: number };

/** Object names may hold anything, so files are named by their hash. */
export function fileName(name: string, generation: string, { noncurrentMs, softDeletedMs, hardDeleteMs }: FileState = {}): string {
  return [
    createHash('sha256').update(name).digest('hex'), generation,
    ...(noncurrentMs === undefined ? [] : [`n${noncurrentMs}`]),
    ...(softDeletedMs === undefined ? [] : [`s${softDeletedMs}-${hardDeleteMs}`]),
  ].join('.');
}

export function stateOf(file: string): FileState {
  const [, noncurrent] = /\.n(\d+)/.exec(file) ?? [];
  const [, soft, hard] = /\.s(\d+)-(\d+)/.exec(file) ?? [];
  return { ...(noncurrent === undefined ? {} : { noncurrentMs: Number(noncurrent) }), ...(soft === undefined ? {} : { softDeletedMs: Number(soft), hardDeleteMs: Number(hard) }) };
}

/** The version as it is in that state: the file it lies in, and the times that its metadata tells. */
export function inState({ meta }: { meta: StoredObject }, state: FileState): Version {
  const { timeDeleted: _before, softDeleteTime: _before2, hardDeleteTime: _before3, ...rest } = meta;
  const iso = (ms: number): string => new Date(ms).toISOString();
  return {
    file: fileName(meta.name, meta.generation, state),
    meta: {
      ...rest as StoredObject,
      ...(state.noncurrentMs === undefined ? {} : { timeDeleted: iso(state.noncurrentMs) }),
      ...(state.softDeletedMs === undefined ? {} : { softDeleteTime: iso(state.softDeletedMs), hardDeleteTime: iso(state.hardDeleteMs!) }),
    },
  };
}

/**
 * What becomes of a version that leaves its place: noncurrent where versioning is on (unless it goes for good, or is noncurrent already), else
 * soft-deleted where the bucket has that; undefined: it is gone.
 */
export function stateAfterLeaving(bucket: StoredBucket, { file }: Version, isForGood: boolean, nowMs: number): FileState | undefined {
  const before = stateOf(file);
  const isVersioned = (bucket['versioning'] as { enabled?: boolean } | undefined)?.enabled === true;
  if (isVersioned && !isForGood && before.noncurrentMs === undefined) return { noncurrentMs: nowMs };
  const softSeconds = Number((bucket['softDeletePolicy'] as { retentionDurationSeconds?: string } | undefined)?.retentionDurationSeconds ?? 0);
  return softSeconds > 0 ? { ...before, softDeletedMs: nowMs, hardDeleteMs: nowMs + softSeconds * 1_000 } : undefined;
}

const byGeneration = (a: Version, b: Version): number => (BigInt(a.meta.generation) < BigInt(b.meta.generation) ? -1 : 1);

/** Puts a version where its state says. */
export function insertVersion(versions: Versions, version: Version): void {
  const list = version.meta.softDeleteTime !== undefined ? versions.softDeleted : version.meta.timeDeleted !== undefined ? versions.noncurrent : undefined;
  if (list === undefined) versions.live = version;
  else list.push(version);
  list?.sort(byGeneration);
}

export function removeVersion(versions: Versions, version: Version): void {
  if (versions.live === version) delete versions.live;
  versions.noncurrent = versions.noncurrent.filter((one) => one !== version);
  versions.softDeleted = versions.softDeleted.filter((one) => one !== version);
}

/** The live version, or the one of that generation; soft-deleted ones are not found here. */
export function versionOf(versions: Versions | undefined, generation: string | null | undefined): Version | undefined {
  if (!generation) return versions?.live;
  return [versions?.live, ...(versions?.noncurrent ?? [])].find((one) => one?.meta.generation === generation);
}
