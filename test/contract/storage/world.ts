// What a Cloud Storage contract case works with: Google's client at STORAGE_EMULATOR_HOST (or CONTRACT_STORAGE_ENDPOINT, or at Google), a bucket for
// all, buckets of its own, and the plain HTTP of the JSON API for what the client hides.
import { randomBytes } from 'node:crypto';
import { Storage, type Bucket, type CreateBucketRequest, type File } from '@google-cloud/storage';
import { expect } from 'vitest';
import type { Launched } from '../implementations.ts';
import { uniqueName } from '../wait.ts';

export type Reply = { status: number; headers: Headers; bytes: Buffer; text: string; json: Record<string, any> };
export type Ask = { query?: Record<string, string>; json?: unknown; body?: Uint8Array | string; headers?: Record<string, string> };

export type StorageWorld = {
  launched: Launched;
  storage: Storage;
  /** One for all cases that need no settings: on a real project new buckets are rationed. */
  shared: Bucket;
  /** A new bucket; removed when the suite ends. */
  bucket(options?: CreateBucketRequest & Record<string, unknown>): Promise<Bucket>;
  /** An object of the shared bucket that nobody else names. */
  file(what?: string, options?: object): File;
  /** A prefix that nobody else uses, with a slash at its end. */
  prefix(): string;
  /** One request, as it is: `GET b/…` or `POST /upload/b/…`. Redirects and 308 are not followed. */
  ask(line: string, options?: Ask): Promise<Reply>;
};

export async function openWorld(launched: Launched): Promise<StorageWorld & { close(): Promise<void> }> {
  const given = process.env['CONTRACT_STORAGE_ENDPOINT'];
  const isIndependent = launched.implementation === 'independent' && given !== undefined;
  const storage = new Storage({
    projectId: launched.project, ...(isIndependent ? { apiEndpoint: given } : {}),
    // Every answer is to be seen; cases that show retries make their own client.
    retryOptions: { autoRetry: false, maxRetries: 0 },
  });
  const base = isIndependent ? given : process.env['STORAGE_EMULATOR_HOST'] ?? 'https://storage.googleapis.com';
  const made: Bucket[] = [];
  const bucket = async (options: CreateBucketRequest = {}): Promise<Bucket> => {
    const [one] = await storage.createBucket(uniqueName('storage'), options);
    made.push(one);
    return one;
  };
  const shared = await bucket();
  return {
    launched, storage, shared, bucket,
    file: (what = 'object', options = {}) => shared.file(uniqueName(what), options),
    prefix: () => `${uniqueName('folder')}/`,
    async ask(line, { query = {}, json, body, headers = {} } = {}) {
      const [method, path] = line.split(' ') as [string, string];
      const [, upload = '', rest] = /^(\/upload|\/download)?\/?(.*)$/.exec(path)!;
      const url = /^https?:/.test(path) ? new URL(path) : new URL(`${base}${upload}/storage/v1/${rest}`);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const sent = json === undefined ? body : JSON.stringify(json);
      const token = launched.implementation === 'cloud' ? { authorization: `Bearer ${await storage.authClient.getAccessToken()}` } : {};
      const response = await fetch(url, {
        method, redirect: 'manual', headers: { ...token, ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(sent === undefined ? {} : { body: sent }),
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      const text = bytes.toString('utf8');
      return { status: response.status, headers: response.headers, bytes, text, json: /json/.test(response.headers.get('content-type') ?? '') && text !== '' ? JSON.parse(text) as Record<string, any> : {} };
    },
    async close() {
      // Only a real project outlives the suite.
      if (launched.implementation !== 'cloud') return;
      await Promise.allSettled(made.map(async (one) => {
        await one.deleteFiles({ force: true, versions: true });
        await one.delete();
      }));
    },
  };
}

/** The path of an object in the JSON API. */
export const pathOf = ({ bucket, name }: { bucket: { name: string }; name: string }): string => `b/${bucket.name}/o/${encodeURIComponent(name)}`;

/** Where objects of the shared bucket are uploaded to. */
export const uploadsOf = ({ shared }: StorageWorld): string => `POST /upload/b/${shared.name}/o`;

/** The body and the header of a multipart upload. */
export function multipart(metadata: unknown, media: string | Buffer, mediaType = 'text/plain'): { body: Buffer; headers: Record<string, string> } {
  const body = Buffer.concat([
    Buffer.from(`--cut\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(metadata)}\r\n--cut\r\nContent-Type: ${mediaType}\r\n\r\n`),
    Buffer.from(media), Buffer.from('\r\n--cut--'),
  ]);
  return { body, headers: { 'content-type': 'multipart/related; boundary=cut' } };
}

/** Joins objects of the shared bucket; the answer as it is. */
export const compose = (world: StorageWorld, target: { name: string }, sources: unknown[], more: { destination?: object; query?: Record<string, string> } = {}): Promise<Reply> =>
  world.ask(`POST ${pathOf({ bucket: world.shared, name: target.name })}/compose`, { query: more.query ?? {}, json: { sourceObjects: sources, destination: more.destination ?? { contentType: 'text/plain' } } });

/** Objects of these texts. */
export const parts = (world: StorageWorld, texts: readonly (string | Buffer)[]): Promise<File[]> => Promise.all(texts.map((text, index) => put(world.file(`part-${index}`), text)));

/** As sourceObjects names them. */
export const named = (files: readonly { name: string }[]): { name: string }[] => files.map(({ name }) => ({ name }));

export const put = async (file: File, bytes: string | Buffer = 'bytes', options: object = {}): Promise<File> => {
  await file.save(bytes, { resumable: false, validation: false, ...options });
  return file;
};

export const read = async (file: File, options: object = {}): Promise<string> => String((await file.download(options))[0]);
export const meta = async (file: File): Promise<Record<string, any>> => (await file.getMetadata())[0] as Record<string, any>;
export const exists = async (file: File): Promise<boolean> => (await file.exists())[0];
export const noise = (bytes: number): Buffer => randomBytes(bytes);

type Failure = { code?: number | string; status?: number; message: string; errors?: { reason?: string; message?: string }[] };

/** The call is refused with this HTTP status and, when given, Google's reason. */
export async function refused(work: Promise<unknown>, status: number, reason?: string): Promise<Failure> {
  const error = await work.then((value) => { throw new Error(`Not refused, but answered ${JSON.stringify(value)?.slice(0, 200)}`); }, (thrown: unknown) => thrown as Failure);
  expect({ status: Number(error.code ?? error.status), message: error.message }).toMatchObject({ status });
  if (reason !== undefined) expect(error.errors?.[0]?.reason).toBe(reason);
  return error;
}

/** An answer is Google's error of this status and reason. */
export function expectError(reply: Reply, status: number, reason?: string): void {
  expect({ status: reply.status, text: reply.text }).toMatchObject({ status });
  expect(reply.json['error']).toMatchObject({ code: status, message: expect.any(String), errors: [{ domain: 'global', message: reply.json['error']?.message, reason: reason ?? expect.any(String) }] });
}

export const DOCS = {
  preconditions: 'https://docs.cloud.google.com/storage/docs/request-preconditions',
  errors: 'https://docs.cloud.google.com/storage/docs/json_api/v1/status-codes',
  parameters: 'https://docs.cloud.google.com/storage/docs/json_api/v1/parameters',
  performance: 'https://docs.cloud.google.com/storage/docs/json_api',
  bucketNames: 'https://docs.cloud.google.com/storage/docs/buckets#naming',
  bucket: 'https://docs.cloud.google.com/storage/docs/json_api/v1/buckets',
  object: 'https://docs.cloud.google.com/storage/docs/json_api/v1/objects',
  objectNames: 'https://docs.cloud.google.com/storage/docs/objects#naming',
  insert: 'https://docs.cloud.google.com/storage/docs/json_api/v1/objects/insert',
  list: 'https://docs.cloud.google.com/storage/docs/json_api/v1/objects/list',
  compose: 'https://docs.cloud.google.com/storage/docs/json_api/v1/objects/compose',
  composites: 'https://docs.cloud.google.com/storage/docs/composite-objects',
  rewrite: 'https://docs.cloud.google.com/storage/docs/json_api/v1/objects/rewrite',
  copy: 'https://docs.cloud.google.com/storage/docs/json_api/v1/objects/copy',
  move: 'https://docs.cloud.google.com/storage/docs/json_api/v1/objects/move',
  patch: 'https://docs.cloud.google.com/storage/docs/json_api/v1/objects/patch',
  update: 'https://docs.cloud.google.com/storage/docs/json_api/v1/objects/update',
  get: 'https://docs.cloud.google.com/storage/docs/json_api/v1/objects/get',
  delete: 'https://docs.cloud.google.com/storage/docs/json_api/v1/objects/delete',
  restore: 'https://docs.cloud.google.com/storage/docs/json_api/v1/objects/restore',
  resumable: 'https://docs.cloud.google.com/storage/docs/resumable-uploads',
  performing: 'https://docs.cloud.google.com/storage/docs/performing-resumable-uploads',
  measured: 'https://github.com/googleapis/java-storage/blob/main/google-cloud-storage/src/test/java/com/google/cloud/storage/ITJsonResumableSessionPutTaskTest.java',
  transcoding: 'https://docs.cloud.google.com/storage/docs/transcoding',
  validation: 'https://docs.cloud.google.com/storage/docs/data-validation',
  metadata: 'https://docs.cloud.google.com/storage/docs/metadata',
  versioning: 'https://docs.cloud.google.com/storage/docs/object-versioning',
  softDelete: 'https://docs.cloud.google.com/storage/docs/soft-delete',
  lifecycle: 'https://docs.cloud.google.com/storage/docs/lifecycle',
  bucketLock: 'https://docs.cloud.google.com/storage/docs/bucket-lock',
  holds: 'https://docs.cloud.google.com/storage/docs/object-holds',
  labels: 'https://docs.cloud.google.com/storage/docs/tags-and-labels',
  consistency: 'https://docs.cloud.google.com/storage/docs/consistency',
  uniform: 'https://docs.cloud.google.com/storage/docs/uniform-bucket-level-access',
  retry: 'https://docs.cloud.google.com/storage/docs/retry-strategy',
  xml: 'https://docs.cloud.google.com/storage/docs/xml-api/overview',
  batch: 'https://docs.cloud.google.com/storage/docs/batch',
  encryption: 'https://docs.cloud.google.com/storage/docs/encryption/customer-supplied-keys',
} as const;
