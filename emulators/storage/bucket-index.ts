// One bucket in memory: its settings, and the versions of its objects in three orders of names. store.ts changes it together with the files.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NameList } from './name-list.ts';
import { readMetadata } from './object-file.ts';
import type { StoredBucket, StoredObject } from './stored.ts';
import { insertVersion, inState, noVersions, removeVersion, stateOf, type Version, type Versions } from './versions.ts';

/** Object files read at once at the start. */
const SCAN_AT_ONCE = 64;

export class BucketIndex {
  meta: StoredBucket;
  readonly versions = new Map<string, Versions>();
  /** Names with a live version, with a live or a noncurrent one, with a soft-deleted one. */
  readonly live = new NameList();
  readonly all = new NameList();
  readonly softDeleted = new NameList();

  constructor(meta: StoredBucket) {
    this.meta = meta;
  }

  /** Reads a bucket's folder. Undefined when its making was not finished, so that nobody was told of it. */
  static async load(dir: string): Promise<BucketIndex | undefined> {
    const text = await readFile(join(dir, 'bucket.json'), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const index = new BucketIndex(JSON.parse(text) as StoredBucket);
    const files = await readdir(join(dir, 'objects'));
    for (let at = 0; at < files.length; at += SCAN_AT_ONCE) {
      const some = files.slice(at, at + SCAN_AT_ONCE);
      const found = await Promise.all(some.map((file) => readMetadata(join(dir, 'objects', file))));
      for (const [position, meta] of (found as (StoredObject | undefined)[]).entries()) {
        if (meta === undefined) continue;
        const file = some[position]!;
        index.take({ ...inState({ meta }, stateOf(file)), file });
      }
    }
    index.orderNames();
    return index;
  }

  /** The greatest that was found on disk. */
  lastGeneration = 0n;
  /** Two live versions: the process ended between the making of the newer and the putting away of the older. */
  readonly unfinished: Version[] = [];

  private take(version: Version): void {
    if (BigInt(version.meta.generation) > this.lastGeneration) this.lastGeneration = BigInt(version.meta.generation);
    const versions = this.of(version.meta.name);
    const rival = version.meta.softDeleteTime === undefined && version.meta.timeDeleted === undefined ? versions.live : undefined;
    if (rival === undefined) return insertVersion(versions, version);
    const isNewer = BigInt(version.meta.generation) > BigInt(rival.meta.generation);
    versions.live = isNewer ? version : rival;
    this.unfinished.push(isNewer ? rival : version);
  }

  private orderNames(): void {
    const entries = [...this.versions];
    this.live.reset(entries.filter(([, { live }]) => live !== undefined).map(([name]) => name));
    this.all.reset(entries.filter(([, { live, noncurrent }]) => live !== undefined || noncurrent.length > 0).map(([name]) => name));
    this.softDeleted.reset(entries.filter(([, { softDeleted }]) => softDeleted.length > 0).map(([name]) => name));
  }

  /** For changes only: it makes what is not there. */
  private of(name: string): Versions {
    let versions = this.versions.get(name);
    if (versions === undefined) this.versions.set(name, (versions = noVersions()));
    return versions;
  }

  add(version: Version): void {
    const versions = this.of(version.meta.name);
    insertVersion(versions, version);
    this.reorder(version.meta.name, versions);
  }

  remove(version: Version): void {
    const versions = this.of(version.meta.name);
    removeVersion(versions, version);
    this.reorder(version.meta.name, versions);
  }

  private reorder(name: string, { live, noncurrent, softDeleted }: Versions): void {
    const put = (list: NameList, isThere: boolean): void => (isThere ? list.add(name) : list.delete(name));
    put(this.live, live !== undefined);
    put(this.all, live !== undefined || noncurrent.length > 0);
    put(this.softDeleted, softDeleted.length > 0);
    if (live === undefined && noncurrent.length === 0 && softDeleted.length === 0) this.versions.delete(name);
  }
}
