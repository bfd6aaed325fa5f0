// What a request says before its body: path, query, key, type and length, as one typed value, or why it is refused. Cheap checks
// only, in the order of design section 4. Called by the collector.
import type { IncomingMessage } from 'node:http';
import { ingestError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { accepted, rejected, type Outcome } from '../outcome.ts';
import { bodyHeadersOf } from '../raw-body.ts';
import type { Route } from './routes.ts';

export type RequestHead = {
  /** From a header or the query; undefined when it can only be in the body. */
  key: string | undefined;
  origin: string | undefined;
  claimsGzip: boolean;
  isNewlineDelimited: boolean;
  /** What the body may take in memory: its declared length, or the most that is read of a body without one. */
  bodyBytesMax: number;
  query: Record<string, string> | undefined;
};

const LINES_TYPES: ReadonlySet<string> = new Set(['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/x-jsonlines']);
const JSON_TYPES: ReadonlySet<string> = new Set(['', 'application/json', 'text/plain', 'text/json', 'application/octet-stream', 'application/gzip', 'application/x-gzip']);

/** URL as sent -> path and query, split at the first `?`. */
export function splitUrl(url: string): { path: string; search: string } {
  const at = url.indexOf('?');
  return at === -1 ? { path: url, search: '' } : { path: url.slice(0, at), search: url.slice(at + 1) };
}

export function readHead(request: IncomingMessage, route: Route, search: string): Outcome<RequestHead> {
  const length = declaredLength(request);
  if (length !== undefined && length > LIMITS.bodyBytesMax) return rejected(ingestError('body_too_large', LIMITS));
  if (length === 0 || (length === undefined && request.headers['transfer-encoding'] === undefined)) return rejected(ingestError('empty_body'));
  const { contentType, contentEncoding } = bodyHeadersOf(request);
  const encoding = contentEncoding.trim().toLowerCase();
  const claimsGzip = encoding === 'gzip' || encoding === 'x-gzip';
  if (!claimsGzip && encoding !== '' && encoding !== 'identity') return rejected(ingestError('unsupported_encoding', { encoding: shown(contentEncoding) }));
  const type = mediaType(contentType);
  const isNewlineDelimited = LINES_TYPES.has(type.name);
  if (!route.acceptsAnyType && !isReadable(type, isNewlineDelimited)) return rejected(ingestError('unsupported_media_type', { type: shown(contentType) }));
  const parameters = search === '' ? undefined : new URLSearchParams(search);
  return accepted({
    key: keyOf(request, route, parameters),
    origin: request.headers.origin,
    claimsGzip,
    isNewlineDelimited: isNewlineDelimited && !route.acceptsAnyType,
    bodyBytesMax: length ?? LIMITS.bodyBytesMax,
    query: queryFacts(route, parameters),
  });
}

function declaredLength(request: IncomingMessage): number | undefined {
  const text = request.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

const mediaTypes = new Map<string, { name: string; charset: string }>();
/** The same few values come with every request, so each is taken apart once. */
function mediaType(contentType: string): { name: string; charset: string } {
  let type = mediaTypes.get(contentType);
  if (type === undefined) {
    const [name = '', ...parameters] = contentType.toLowerCase().split(';').map((part) => part.trim());
    const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length).replaceAll('"', '') ?? '';
    if (mediaTypes.size > 100) mediaTypes.clear();
    mediaTypes.set(contentType, (type = { name, charset }));
  }
  return type;
}

const isReadable = ({ name, charset }: { name: string; charset: string }, isNewlineDelimited: boolean): boolean =>
  (isNewlineDelimited || JSON_TYPES.has(name) || name.endsWith('+json')) && (charset === '' || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii');

function keyOf(request: IncomingMessage, route: Route, parameters: URLSearchParams | undefined): string | undefined {
  const { authorization } = request.headers;
  if (authorization !== undefined && /^bearer /i.test(authorization)) return authorization.slice('bearer '.length).trim();
  const header = request.headers['x-write-key'];
  if (typeof header === 'string' && header !== '') return header;
  if (parameters === undefined) return undefined;
  for (const name of route.keyParameters) {
    const key = parameters.get(name);
    if (key !== null && key !== '') return key;
  }
  return undefined;
}

/** Bounded: what a client puts into its URL travels in every envelope. */
function queryFacts(route: Route, parameters: URLSearchParams | undefined): Record<string, string> | undefined {
  if (parameters === undefined || route.queryFacts.length === 0) return undefined;
  const facts: Record<string, string> = {};
  for (const name of route.queryFacts) {
    const value = parameters.get(name);
    if (value !== null && value !== '') facts[name] = value.slice(0, 100);
  }
  return facts;
}

/** A header's value in a sentence: one line, bounded. */
const shown = (value: string): string => value.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
