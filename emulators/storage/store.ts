// Buckets and objects on disk with an index in memory: the only place that knows where bytes lie. The handlers (buckets.ts,
// objects.ts, uploads.ts) call it. What a method has returned from survives kill -9; half of it is never seen.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareUtf8, NameList } from './name-list.ts';
import { copyWithMetadata, readMetadata, Staged } from './object-file.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import { noBucket, noObject, Refusal } from './refusal.ts';

/** Cloud Storage's object resource, without what follows from it (id, links, etag). */
export type StoredObject = {
  name: string;
  generation: string;
  metageneration: string;
  size: string;
  crc32c: string;
  md5Hash?: string;
  contentType?: string;
  componentCount?: number;
  timeCreated: string;
  updated: string;
  [writable: string]: unknown;
};
export type StoredBucket = { name: string; metageneration: string; timeCreated: string; updated: string; [writable: string]: unknown };

type Bucket = { meta: StoredBucket; objects: Map<string, StoredObject>; names: NameList };
/** Fields of a new object that its writer knows; the store adds the rest. */
export type NewObject = { name: string; crc32c: string; md5Hash?: string; contentType?: string; componentCount?: number; [writable: string]: unknown };

/** Object files read at once at the start. */
const SCAN_AT_ONCE = 64;

export class Store {
  readonly stagingDir: string;
  /** Resumable uploads that are under way; unlike staged files they outlive a restart. */
  readonly uploadsDir: string;
  private readonly bucketsDir: string;
  private readonly now: () => number;
  private readonly buckets = new Map<string, Bucket>();
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
    await mkdir(store.stagingDir, { recursive: true });
    await mkdir(store.bucketsDir, { recursive: true });
    for (const name of await readdir(store.bucketsDir)) await store.load(name);
    return store;
  }

  private async load(name: string): Promise<void> {
    const text = await readFile(join(this.bucketsDir, name, 'bucket.json'), 'utf8').catch(() => undefined);
    if (text === undefined) return; // Its making was not finished, so nobody was told of it.
    const bucket: Bucket = { meta: JSON.parse(text) as StoredBucket, objects: new Map(), names: new NameList() };
    const files = await readdir(this.objectsDir(name));
    for (let at = 0; at < files.length; at += SCAN_AT_ONCE) {
      const found = await Promise.all(files.slice(at, at + SCAN_AT_ONCE).map((file) => readMetadata(join(this.objectsDir(name), file))));
      for (const meta of found as (StoredObject | undefined)[]) {
        if (meta === undefined) continue;
        bucket.objects.set(meta.name, meta);
        if (BigInt(meta.generation) > this.lastGeneration) this.lastGeneration = BigInt(meta.generation);
      }
    }
    bucket.names.reset([...bucket.objects.keys()].sort(compareUtf8));
    this.buckets.set(name, bucket);
  }

  // --- buckets

  listBuckets(): StoredBucket[] {
    return [...this.buckets.values()].map(({ meta }) => meta).sort((a, b) => compareUtf8(a.name, b.name));
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
      this.buckets.set(fields.name, { meta, objects: new Map(), names: new NameList() });
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

  async deleteBucket(name: string, conditions: Preconditions): Promise<void> {
    await this.alone(name, async () => {
      const bucket = this.find(name);
      checkPreconditions(conditions, bucket.meta);
      if (bucket.objects.size > 0) throw new Refusal(409, 'conflict', 'The bucket you tried to delete is not empty.');
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

  // --- objects

  names(bucket: string): NameList {
    return this.find(bucket).names;
  }

  /** The live object, or undefined; a generation that is not the live one is not kept here. */
  object(bucket: string, name: string, generation?: string | null): StoredObject | undefined {
    const found = this.find(bucket).objects.get(name);
    return generation && found?.generation !== generation ? undefined : found;
  }

  objectOrRefuse(bucket: string, name: string, generation?: string | null): StoredObject {
    const found = this.object(bucket, name, generation);
    if (found === undefined) throw noObject(bucket, name);
    return found;
  }

  stagingPath(): string {
    return join(this.stagingDir, randomUUID());
  }

  stage(): Promise<Staged> {
    return Staged.create(this.stagingPath());
  }

  /** Makes the staged bytes the object `fields.name`, if the preconditions hold at that very moment. */
  async commit(bucket: string, staged: Staged, fields: NewObject, conditions: Preconditions): Promise<StoredObject> {
    const time = this.time();
    return this.replace(bucket, fields.name, conditions, async (path) => {
      const meta: StoredObject = { ...fields, generation: this.nextGeneration(), metageneration: '1', size: String(staged.size), timeCreated: time, updated: time };
      await staged.seal(meta);
      await rename(staged.path, path);
      return meta;
    }).catch(async (error: unknown) => {
      await staged.discard();
      throw error;
    });
  }

  /** Gives an object other metadata: same bytes, same generation, next metageneration. */
  async changeObject(bucket: string, name: string, generation: string | null, conditions: Preconditions, change: (meta: StoredObject) => StoredObject): Promise<StoredObject> {
    return this.replace(bucket, name, conditions, async (path) => {
      const before = this.objectOrRefuse(bucket, name, generation);
      const meta = { ...change(before), metageneration: String(BigInt(before.metageneration) + 1n), updated: this.time() };
      const beside = this.stagingPath();
      await copyWithMetadata(path, beside, Number(before.size), meta);
      await rename(beside, path);
      return meta;
    });
  }

  async deleteObject(bucket: string, name: string, generation: string | null, conditions: Preconditions): Promise<void> {
    await this.alone(`${bucket}/${name}`, async () => {
      this.objectOrRefuse(bucket, name, generation);
      const { objects, names } = this.find(bucket);
      checkPreconditions(conditions, objects.get(name));
      await unlink(this.pathOf(bucket, name));
      await syncDir(this.objectsDir(bucket));
      objects.delete(name);
      names.delete(name);
    });
  }

  /** The bytes from `start` to `end` (both counted), as they are now: a later overwrite does not disturb the reader. */
  async read(bucket: string, name: string, generation: string, start: number, end: number): Promise<ReadStream> {
    const handle = await this.alone(`${bucket}/${name}`, async () => {
      if (this.object(bucket, name)?.generation !== generation) throw noObject(bucket, name);
      return open(this.pathOf(bucket, name), 'r');
    });
    return createReadStream('', { fd: handle, start, end, highWaterMark: 1 << 18 });
  }

  private async replace(bucket: string, name: string, conditions: Preconditions, write: (path: string) => Promise<StoredObject>): Promise<StoredObject> {
    return this.alone(`${bucket}/${name}`, async () => {
      const before = this.find(bucket);
      checkPreconditions(conditions, before.objects.get(name));
      const meta = await write(this.pathOf(bucket, name));
      await syncDir(this.objectsDir(bucket));
      before.objects.set(name, meta);
      before.names.add(name);
      return meta;
    });
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

  private find(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw noBucket(name);
    return bucket;
  }

  /** Generations are microseconds of the clock, and only ever grow. */
  private nextGeneration(): string {
    const micros = BigInt(Math.round(this.now() * 1_000));
    this.lastGeneration = micros > this.lastGeneration ? micros : this.lastGeneration + 1n;
    return String(this.lastGeneration);
  }

  private time(): string {
    return new Date(this.now()).toISOString();
  }

  private objectsDir(bucket: string): string {
    return join(this.bucketsDir, bucket, 'objects');
  }

  /** Object names may hold anything, so files are named by their hash. */
  private pathOf(bucket: string, name: string): string {
    return join(this.objectsDir(bucket), createHash('sha256').update(name).digest('hex'));
  }
}

/** A rename is on the disk only when its folder is. */
async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
