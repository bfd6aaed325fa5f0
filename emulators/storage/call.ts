// One HTTP request, taken apart: which method of the JSON API it calls, on what, and helpers to read its body and answer. server.ts makes it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FaultPlan } from '../faults.ts';
import { findMethod, parametersOf } from './api.ts';
import { invalid, Refusal, required, unsupported } from './refusal.ts';
import type { Store } from './store.ts';

export type Call = {
  /** `objects.insert`, `buckets.get`, …: fault plans and counters use it. */
  method: string;
  bucket: string;
  object: string;
  /** Copies, rewrites and moves: where to. */
  toBucket: string;
  toObject: string;
  query: URLSearchParams;
  request: IncomingMessage;
  response: ServerResponse;
  store: Store;
  /** http://host:port, as the client called it. */
  base: string;
  /** What was planned for this call, if anything; damage.ts carries out what concerns bytes. */
  fault?: FaultPlan;
};

export type Answer = { status?: number; headers?: Record<string, string>; json?: unknown; text?: string };
/** Returns the answer, or undefined when it has written the response itself. */
export type Handler = (call: Call) => Promise<Answer | undefined>;

export type Route = Pick<Call, 'method'> & Partial<Pick<Call, 'bucket' | 'object' | 'toBucket' | 'toObject'>>;

const RESUMABLE_METHODS: Record<string, string> = { POST: 'objects.insert', PUT: 'objects.insert', DELETE: 'uploads.cancel' };

/**
 * URL -> method and names. Google's Node client calls /b/… with STORAGE_EMULATOR_HOST (it takes the variable as the whole base) and
 * /upload/storage/v1/b/… for uploads; other clients call /storage/v1/b/… and /download/storage/v1/b/….
 */
export function routeOf(httpMethod: string, pathname: string): Route {
  const parts = pathname.split('/').slice(1).map(decode);
  if (parts[0] === 'batch') throw unsupported('the batch endpoint');
  // gcloud begins its resumable uploads so.
  if (parts[0] === 'resumable' && parts[1] === 'upload') parts.shift();
  const isUpload = parts[0] === 'upload';
  if (isUpload || parts[0] === 'download') parts.shift();
  if (parts[0] === 'storage' && parts[1] === 'v1') parts.splice(0, 2);
  if (isUpload) {
    const method = parts.length === 3 && parts[0] === 'b' && parts[2] === 'o' ? RESUMABLE_METHODS[httpMethod] : undefined;
    if (method === undefined) throw unsupported(`${httpMethod} ${pathname}`);
    return { method, bucket: parts[1]! };
  }
  // `/b` and `/projects` begin paths of the JSON API; a bucket's name has three characters or more, so anything else is the XML API.
  if (!['b', 'projects', 'channels'].includes(parts[0] ?? '')) throw unsupported(`the XML API and signed URLs (${httpMethod} ${pathname})`);
  if (parts.at(-1) === '') parts.pop();
  const found = findMethod(httpMethod, parts);
  if (found === undefined) throw unsupported(`${httpMethod} ${pathname}`);
  // A POST to objects.insert's path without /upload would make an object without bytes, which this service leaves out.
  if (found.method === 'objects.insert') throw unsupported('objects.insert without /upload');
  return { method: found.method, ...found.names };
}

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

export function header(call: Call, name: string): string | undefined {
  const value = call.request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** Headers that would change what a call means. */
const REFUSED_HEADERS: Record<string, string> = {
  'x-goog-encryption-algorithm': 'customer-supplied encryption keys', 'x-goog-encryption-key': 'customer-supplied encryption keys', 'x-goog-copy-source-encryption-algorithm': 'customer-supplied encryption keys',
  'x-http-method-override': 'X-HTTP-Method-Override',
};
const FLAGS = new Set(['versions', 'softDeleted', 'includeTrailingDelimiter', 'includeFoldersAsPrefixes']);

/** Whatever this service does not do is refused before the call has any effect, never passed over. */
export function refuseOptions(call: Call): void {
  const { method, query, request } = call;
  const { required: wanted, refused, taken } = parametersOf(method === 'uploads.cancel' ? 'objects.insert' : method);
  for (const [name, value] of query) {
    if (refused.has(name) && !['', 'false'].includes(value.toLowerCase())) throw unsupported(`the parameter ${name} of ${method}`);
    if (!refused.has(name) && !taken.has(name)) throw new Refusal(400, 'invalidParameter', `${method} has no parameter ${name}.`, name);
    if (/^if(Source)?(Meta)?[gG]eneration/.test(name) && !/^\d+$/.test(value)) throw invalid(`Invalid value for: ${name}: ${value}`, name);
    if (!FLAGS.has(name)) continue;
    if (!['true', 'false', ''].includes(value.toLowerCase())) throw invalid(`Invalid boolean value: '${value}'.`, name);
    // Google's Python client and gcloud write `True`.
    query.set(name, value.toLowerCase());
  }
  for (const name of wanted) if (!query.get(name)) throw required(name);
  const alt = query.get('alt') ?? query.get('$alt') ?? 'json';
  if (alt !== 'json' && !(alt === 'media' && method === 'objects.get')) throw new Refusal(400, 'invalidAltValue', `Invalid value for alt: ${alt}.`, 'alt');
  const projection = query.get('projection') ?? 'noAcl';
  if (projection !== 'noAcl' && projection !== 'full') throw invalid(`Invalid value for projection: ${projection}.`, 'projection');
  for (const [name, what] of Object.entries(REFUSED_HEADERS)) if (request.headers[name] !== undefined) throw unsupported(what);
  for (const name of ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']) {
    if (request.headers[name] !== undefined && (!method.endsWith('.get') || name.endsWith('since'))) throw unsupported(`the header ${name} of ${method}`);
  }
}
