// One HTTP request, taken apart: which method of the JSON API it calls, on what, and helpers to read its body and answer. server.ts makes it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { invalid, Refusal, unsupported } from './refusal.ts';
import type { Store } from './store.ts';

export type Call = {
  /** `objects.insert`, `buckets.get`, …: fault plans and counters use it. */
  method: string;
  bucket: string;
  object: string;
  /** Copies and rewrites: where to. */
  toBucket: string;
  toObject: string;
  query: URLSearchParams;
  request: IncomingMessage;
  response: ServerResponse;
  store: Store;
  /** http://host:port, as the client called it. */
  base: string;
};

export type Answer = { status?: number; headers?: Record<string, string>; json?: unknown };
/** Returns the answer, or undefined when it has written the response itself. */
export type Handler = (call: Call) => Promise<Answer | undefined>;

type Route = { method: string; bucket?: string; object?: string; toBucket?: string; toObject?: string };

const BUCKET_METHODS: Record<string, string> = { GET: 'buckets.get', PATCH: 'buckets.patch', PUT: 'buckets.update', DELETE: 'buckets.delete' };
const OBJECT_METHODS: Record<string, string> = { GET: 'objects.get', HEAD: 'objects.get', PATCH: 'objects.patch', PUT: 'objects.update', DELETE: 'objects.delete' };
const RESUMABLE_METHODS: Record<string, string> = { POST: 'objects.insert', PUT: 'objects.insert', DELETE: 'uploads.cancel' };

/**
 * URL -> route. Google's Node client calls /b/… with STORAGE_EMULATOR_HOST (it takes the variable as the whole base) and
 * /upload/storage/v1/b/… for uploads; other clients call /storage/v1/b/…
 */
export function routeOf(httpMethod: string, pathname: string): Route {
  const parts = pathname.split('/').slice(1).map(decode);
  const isUpload = parts[0] === 'upload';
  if (isUpload || parts[0] === 'download') parts.shift();
  if (parts[0] === 'resumable' && isUpload) parts.shift();
  if (parts[0] === 'storage' && parts[1] === 'v1') parts.splice(0, 2);
  const route = matchRoute(httpMethod, parts, isUpload);
  if (route === undefined) throw unsupported(`${httpMethod} ${pathname}`);
  return route;
}

function matchRoute(httpMethod: string, [root, bucket, collection, object, verb, b, toBucket, o, toObject, ...rest]: string[], isUpload: boolean): Route | undefined {
  if (root !== 'b' || rest.length > 0) return undefined;
  if (!bucket) return httpMethod === 'GET' ? { method: 'buckets.list' } : httpMethod === 'POST' ? { method: 'buckets.insert' } : undefined;
  if (collection === undefined) return named(BUCKET_METHODS[httpMethod], { bucket });
  if (collection !== 'o') return undefined;
  if (isUpload) return object === undefined ? named(RESUMABLE_METHODS[httpMethod], { bucket }) : undefined;
  if (object === undefined || object === '') return httpMethod === 'GET' ? { method: 'objects.list', bucket } : undefined;
  if (verb === undefined) return named(OBJECT_METHODS[httpMethod], { bucket, object });
  if (httpMethod !== 'POST') return undefined;
  if (verb === 'compose' && b === undefined) return { method: 'objects.compose', bucket, object };
  if ((verb === 'copyTo' || verb === 'rewriteTo') && b === 'b' && toBucket && o === 'o' && toObject) {
    return { method: verb === 'copyTo' ? 'objects.copy' : 'objects.rewrite', bucket, object, toBucket, toObject };
  }
  return undefined;
}

const named = (method: string | undefined, rest: Omit<Route, 'method'>): Route | undefined => (method === undefined ? undefined : { method, ...rest });

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid(`The path is not valid percent-encoding: ${part}`);
  }
}

/** Metadata, compose lists and the like; far smaller than this. */
const JSON_BYTES_MAX = 4 << 20;

export async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > JSON_BYTES_MAX) throw new Refusal(413, 'uploadTooLarge', 'The request body is too large.');
    chunks.push(chunk);
  }
  return bytes === 0 ? {} : parseJson(Buffer.concat(chunks).toString('utf8'));
}

export function parseJson(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    throw new Refusal(400, 'parseError', 'Parse Error');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(400, 'parseError', 'Parse Error');
  return value as Record<string, unknown>;
}

/** Options of the API that are not there are refused, never passed over. */
export function refuseOptions({ query, request }: Call): void {
  for (const [name, unwanted] of Object.entries({ versions: 'true', softDeleted: 'true', returnPartialSuccess: 'true' })) {
    if (query.get(name) === unwanted) throw unsupported(`${name}=${unwanted}`);
  }
  for (const name of ['kmsKeyName', 'destinationKmsKeyName', 'predefinedDefaultObjectAcl', 'restoreToken']) if (query.get(name)) throw unsupported(`the parameter ${name}`);
  if (request.headers['x-goog-encryption-algorithm'] !== undefined) throw unsupported('customer-supplied encryption keys');
}
