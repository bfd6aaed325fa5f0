// Buckets and objects on disk with an index in memory: the only place that knows where bytes lie. The handlers (buckets.ts, objects.ts,
// transfers.ts, uploads.ts) call it. What a method has returned from survives kill -9; half of it is never seen.
import { randomUUID } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BucketIndex } from './bucket-index.ts';
import { refuseIfKept } from './keep.ts';
import type { Rule } from './lifecycle.ts';
import { compareUtf8 } from './name-list.ts';
import { copyWithMetadata, Staged, syncDir } from './object-file.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import { invalid, noBucket, noObject, Refusal } from './refusal.ts';
import type { NewObject, StoredBucket, StoredObject } from './stored.ts';
import { dueOf } from './due.ts';
import { fileName, inState, stateAfterLeaving, versionOf, type Version } from './versions.ts';

export class Store {
  readonly stagingDir: string;
  /** Resumable uploads that are under way; unlike staged files they outlive a restart. */
  readonly uploadsDir: string;
  /** Milliseconds since 1970 on the steerable clock. */
  readonly now: () => number;
  private readonly bucketsDir: string;
  private readonly buckets = new Map<string, BucketIndex>();
  private readonly locks = new Map<string, Promise<unknown>>();
  private lastGeneration = 0n;

  private constructor(dir: string, now: () => number) {
    this.bucketsDir = join(dir, 'buckets');
    this.stagingDir = join(dir, 'staging');
    this.uploadsDir = join(dir, 'uploads');
    this.now = now;
  }

  static async open(dir: string, now: () => number): Promise<Store> {
    const store = new Store(dir, now);
    await rm(store.stagingDir, { recursive: true, force: true });
    for (const one of [store.stagingDir, store.bucketsDir, store.uploadsDir]) await mkdir(one, { recursive: true });
    for (const name of await readdir(store.bucketsDir)) await store.load(name);
    return store;
  }

  private async load(name: string): Promise<void> {
    const index = await BucketIndex.load(join(this.bucketsDir, name));
    if (index === undefined) return;
    this.buckets.set(name, index);
    if (index.lastGeneration > this.lastGeneration) this.lastGeneration = index.lastGeneration;
    for (const replaced of index.unfinished) (await this.putAway(index, replaced, false))();
  }

  listBuckets(project?: string): StoredBucket[] {
    const all = [...this.buckets.values()].map(({ meta }) => meta).sort((a, b) => compareUtf8(a.name, b.name));
    return project === undefined ? all : all.filter((bucket) => bucket.project === undefined || bucket.project === project);
  }

  bucket(name: string): StoredBucket {
    return this.find(name).meta;
  }

  async createBucket(fields: Record<string, unknown> & { name: string }): Promise<StoredBucket> {
    return this.alone(fields.name, async () => {
      if (this.buckets.has(fields.name)) throw new Refusal(409, 'conflict', 'Your previous request to create the named bucket succeeded and you already own it.');
      const time = this.time();
      const meta: StoredBucket = { ...fields, metageneration: '1', timeCreated: time, updated: time };
      await rm(join(this.bucketsDir, fields.name), { recursive: true, force: true });
      await mkdir(this.objectsDir(fields.name), { recursive: true });
      await this.saveBucket(meta);
      this.buckets.set(fields.name, new BucketIndex(meta));
      return meta;
    });
  }

  async changeBucket(name: string, conditions: Preconditions, change: (meta: StoredBucket) => StoredBucket): Promise<StoredBucket> {
    return this.alone(name, async () => {
      const bucket = this.find(name);
      checkPreconditions(conditions, bucket.meta);
      const meta = { ...change(bucket.meta), metageneration: String(BigInt(bucket.meta.metageneration) + 1n), updated: this.time() };
      await this.saveBucket(meta);
      bucket.meta = meta;
      return meta;
    });
  }

  /** Noncurrent versions keep a bucket from being deleted, soft-deleted ones do not. */
  async deleteBucket(name: string, conditions: Preconditions): Promise<void> {
    await this.alone(name, async () => {
      const bucket = this.find(name);
      checkPreconditions(conditions, bucket.meta);
      if (bucket.all.count > 0) throw new Refusal(409, 'conflict', 'The bucket you tried to delete is not empty.');
      this.buckets.delete(name);
      const grave = this.stagingPath();
      await rename(join(this.bucketsDir, name), grave);
      await syncDir(this.bucketsDir);
      await rm(grave, { recursive: true, force: true });
    });
  }

  private async saveBucket(meta: StoredBucket): Promise<void> {
    const beside = this.stagingPath();
    await writeFile(beside, JSON.stringify(meta), { flush: true });
    await rename(beside, join(this.bucketsDir, meta.name, 'bucket.json'));
    await syncDir(join(this.bucketsDir, meta.name));
    await syncDir(this.bucketsDir);
  }

  /** For listings: the names in order, and the versions of each. */
  index(bucket: string): BucketIndex {
    return this.find(bucket);
  }

  /** The live object, or the version of that generation; undefined when there is none. */
  object(bucket: string, name: string, generation?: string | null): StoredObject | undefined {
    return versionOf(this.find(bucket).versions.get(name), generation)?.meta;
  }

  objectOrRefuse(bucket: string, name: string, generation?: string | null): StoredObject {
    const found = this.object(bucket, name, generation);
    if (found === undefined) throw noObject(bucket, name);
    return found;
  }

  softDeleted(bucket: string, name: string, generation: string): StoredObject {
    const found = this.find(bucket).versions.get(name)?.softDeleted.find(({ meta }) => meta.generation === generation);
    if (found === undefined || Date.parse(found.meta.hardDeleteTime!) <= this.now()) throw noObject(bucket, name);
    return found.meta;
  }

  stagingPath(): string {
    return join(this.stagingDir, randomUUID());
  }

  stage(): Promise<Staged> {
    return Staged.create(this.stagingPath());
  }

  /** Makes the staged bytes the object `fields.name`, if the preconditions hold at that very moment and what was there may be replaced. */
  async commit(bucket: string, staged: Staged, fields: NewObject, conditions: Preconditions): Promise<StoredObject> {
    return this.alone(`${bucket}/${fields.name}`, async () => {
      const index = this.find(bucket);
      const before = index.versions.get(fields.name)?.live;
      checkPreconditions(conditions, before?.meta);
      refuseIfKept(index.meta, before?.meta, this.now());
      const time = this.time();
      const hold = index.meta['defaultEventBasedHold'] === true && fields['eventBasedHold'] === undefined ? { eventBasedHold: true } : {};
      const meta: StoredObject = {
        storageClass: index.meta['storageClass'] ?? 'STANDARD', ...fields, ...hold,
        generation: this.nextGeneration(), metageneration: '1', size: String(staged.size), timeCreated: time, updated: time,
      };
      const made: Version = { meta, file: fileName(meta.name, meta.generation) };
      await staged.seal(meta);
      await rename(staged.path, this.pathOf(bucket, made));
      const forget = before === undefined ? undefined : await this.putAway(index, before, false);
      await syncDir(this.objectsDir(bucket));
      forget?.();
      index.add(made);
      return meta;
    }).catch(async (error: unknown) => {
      await staged.discard();
      throw error;
    });
  }

  /** Gives an object other metadata: same bytes, same generation, next metageneration. */
  async changeObject(bucket: string, name: string, generation: string | null, conditions: Preconditions, change: (meta: StoredObject) => StoredObject): Promise<StoredObject> {
    return this.alone(`${bucket}/${name}`, async () => {
      const { index, version } = this.versionOrRefuse(bucket, name, generation);
      checkPreconditions(conditions, version.meta);
      const time = this.time();
      const changed = change(version.meta);
      const meta: StoredObject = { ...changed, metageneration: String(BigInt(version.meta.metageneration) + 1n), updated: time, ...(changed.releasedTime === 'now' ? { releasedTime: time } : {}) };
      await this.rewriteMetadata(index, version, meta);
      return meta;
    });
  }

  private async rewriteMetadata(index: BucketIndex, version: Version, meta: StoredObject): Promise<void> {
    const beside = this.stagingPath();
    await copyWithMetadata(this.pathOf(index.meta.name, version), beside, Number(meta.size), meta);
    await rename(beside, this.pathOf(index.meta.name, version));
    await syncDir(this.objectsDir(index.meta.name));
    version.meta = meta;
  }

  /** Without a generation the live version becomes noncurrent where versioning is on; with one that version is deleted. */
  async deleteObject(bucket: string, name: string, generation: string | null, conditions: Preconditions): Promise<void> {
    await this.alone(`${bucket}/${name}`, async () => {
      const { index, version } = this.versionOrRefuse(bucket, name, generation);
      checkPreconditions(conditions, version.meta);
      refuseIfKept(index.meta, version.meta, this.now());
      const forget = await this.putAway(index, version, Boolean(generation));
      await syncDir(this.objectsDir(bucket));
      forget();
    });
  }

  /** The bytes from `start` to `end` (both counted), as they are now: a later overwrite does not disturb the reader. */
  async read(bucket: string, name: string, generation: string, start: number, end: number): Promise<ReadStream> {
    const handle = await this.alone(`${bucket}/${name}`, async () => {
      const versions = this.find(bucket).versions.get(name);
      const version = versionOf(versions, generation) ?? versions?.softDeleted.find(({ meta }) => meta.generation === generation);
      if (version === undefined) throw noObject(bucket, name);
      return open(this.pathOf(bucket, version), 'r');
    });
    return createReadStream('', { fd: handle, start, end, highWaterMark: 1 << 18 });
  }

  /**
   * A version leaves its place: it becomes noncurrent, or soft-deleted, or is gone. On disk one rename or unlink, which the caller syncs; the
   * function that comes back does the same in memory, so that a reader never finds a name without the version that it has.
   */
  private async putAway(index: BucketIndex, version: Version, isForGood: boolean): Promise<() => void> {
    const path = this.pathOf(index.meta.name, version);
    const state = stateAfterLeaving(index.meta, version, isForGood, Math.floor(this.now()));
    if (state === undefined) {
      await unlink(path);
      return () => index.remove(version);
    }
    const moved = inState(version, state);
    await rename(path, this.pathOf(index.meta.name, moved));
    return () => {
      index.remove(version);
      index.add(moved);
    };
  }

  /** Carries out lifecycle rules, and removes soft-deleted versions whose time is over. Answers how many milliseconds it took to look. server.ts calls it again and again. */
  async sweep(): Promise<number> {
    let lookedMs = 0;
    for (const index of this.buckets.values()) {
      const rules = (index.meta['lifecycle'] as { rule: Rule[] } | undefined)?.rule ?? [];
      const began = performance.now();
      const names = rules.length > 0 ? [...index.versions.keys()] : [...index.softDeleted.from('')];
      const due = names.filter((name) => dueOf(index, rules, name, this.now()).length > 0);
      lookedMs += performance.now() - began;
      for (const name of due) await this.alone(`${index.meta.name}/${name}`, () => this.carryOut(index, rules, name));
    }
    return lookedMs;
  }

  private async carryOut(index: BucketIndex, rules: readonly Rule[], name: string): Promise<void> {
    if (this.buckets.get(index.meta.name) !== index) return;
    for (const { version, storageClass } of dueOf(index, rules, name, this.now())) {
      if (storageClass !== undefined) await this.rewriteMetadata(index, version, { ...version.meta, storageClass, timeStorageClassUpdated: this.time(), metageneration: String(BigInt(version.meta.metageneration) + 1n), updated: this.time() });
      else if (version.meta.softDeleteTime === undefined) (await this.putAway(index, version, false))();
      else {
        await unlink(this.pathOf(index.meta.name, version));
        index.remove(version);
      }
    }
    await syncDir(this.objectsDir(index.meta.name));
  }

  private versionOrRefuse(bucket: string, name: string, generation: string | null): { index: BucketIndex; version: Version } {
    if (generation !== null && !/^\d+$/.test(generation)) throw invalid(`Invalid value for: generation: ${generation}`, 'generation');
    const index = this.find(bucket);
    const version = versionOf(index.versions.get(name), generation);
    if (version === undefined) throw noObject(bucket, name);
    return { index, version };
  }

  /** Runs one after another whatever concerns the same name. */
  private async alone<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.locks.get(key) ?? Promise.resolve()).then(work, work);
    this.locks.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.locks.get(key) === turn) this.locks.delete(key);
    }
  }

  private find(name: string): BucketIndex {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw noBucket();
    return bucket;
  }

  /** Generations are microseconds of the clock, and only ever grow. */
  private nextGeneration(): string {
    const micros = BigInt(Math.round(this.now() * 1_000));
    this.lastGeneration = micros > this.lastGeneration ? micros : this.lastGeneration + 1n;
    return String(this.lastGeneration);
  }

  time(): string {
    return new Date(this.now()).toISOString();
  }

  private objectsDir(bucket: string): string {
    return join(this.bucketsDir, bucket, 'objects');
  }

  private pathOf(bucket: string, { file }: { file: string }): string {
    return join(this.objectsDir(bucket), file);
  }
}
