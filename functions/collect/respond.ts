// What an answer looks like: status, JSON, and the headers that every answer has. Uses Node's own writeHead, not Express's
// helpers: those cost more than the whole validation of a small batch. Called by the collector, once per request.
import type { ServerResponse } from 'node:http';
import { ERRORS, type IngestError } from '../errors.ts';
import { LIMITS } from '../limits.ts';

/** `Vary` is always there: a cache must not give one origin's answer to another. */
const FIXED_HEADERS = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'strict-transport-security': 'max-age=31536000',
  vary: 'Origin',
} as const;

export type Headers = Record<string, string | number>;

export const respond = (response: ServerResponse, status: number, body: unknown, headers: Headers = {}): undefined => respondText(response, status, JSON.stringify(body), headers);

/** `text` is JSON already. */
export function respondText(response: ServerResponse, status: number, text: string, headers: Headers = {}): undefined {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...FIXED_HEADERS, ...headers, 'content-length': Buffer.byteLength(text) });
  if (headers['connection'] !== 'close' || response.req.readableEnded) response.end(text);
  else endAfterRest(response, text);
}

/**
 * For a request whose body is still coming: the whole answer goes out at once, the rest of the body is read and dropped for a while,
 * and only then is the connection closed. Closed at once, the system would reset it, and a client that is still sending (Python's
 * urllib, Node's fetch) would see a broken connection in place of its 413 or 401, and send the same again for ever.
 */
function endAfterRest(response: ServerResponse, text: string): void {
  response.write(text);
  const { req: request } = response;
  let bytes = 0;
  const end = (): void => {
    clearTimeout(timer);
    request.removeAllListeners('data');
    response.end();
  };
  const timer = setTimeout(end, LIMITS.lingerMsMax).unref();
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LIMITS.lingerBytesMax) end();
  });
  request.once('end', end).once('close', end).resume();
}

/** The answer for a request that was refused as a whole. A 5xx or 429 always says when to come again. */
export function respondError(response: ServerResponse, error: IngestError, headers: Headers = {}, retryAfterSeconds?: number): void {
  const { status } = ERRORS[error.code];
  const wait: Headers = status >= 500 || retryAfterSeconds !== undefined ? { 'retry-after': retryAfterSeconds ?? jittered(LIMITS.retryAfterSeconds) } : {};
  respond(response, status, { error: error.code, message: error.message, ...(error.pointer === undefined ? {} : { pointer: error.pointer }) }, { ...wait, ...headers });
}

/** Up to twice the time, so that clients that were refused together do not come back together. */
const jittered = (seconds: number): number => Math.ceil(seconds * (1 + Math.random()));

/** A preflight's answer; the only 204 of the collector. */
export function respondPreflight(response: ServerResponse, headers: Headers): undefined {
  response.writeHead(204, { ...FIXED_HEADERS, ...headers });
  response.end();
}
