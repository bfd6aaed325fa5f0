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
  response.end(text);
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
