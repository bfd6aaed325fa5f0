// A request's body as the bytes that came: in goes Node's request, out come its bytes or the reason why not. Every function uses it.
// functions-framework mounts five body parsers that inflate without limit and parse twice. Node's own diagnostics channel tells
// of a request before Express sees it; without the two headers no parser matches, and the stream is left unread for us.
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { ingestError } from './errors.ts';
import { accepted, rejected, retry } from './outcome.ts';
import type { Outcome } from './outcome.ts';

/** The two headers that were moved aside, by request; not left in the headers, where a client could send the same names. */
const keptHeaders = new WeakMap<IncomingMessage, { contentType: string; contentEncoding: string }>();

let bypassed = false;
/** Keeps the framework's body parsers off every body of this process. Called once by a function.ts; calling it twice does nothing more. */
export function bypassBodyParsers(): void {
  if (bypassed) return;
  bypassed = true;
  subscribe('http.server.request.start', (message) => {
    const { request } = message as { request: IncomingMessage };
    keptHeaders.set(request, {
      contentType: request.headers['content-type'] ?? '',
      contentEncoding: request.headers['content-encoding'] ?? '',
    });
    delete request.headers['content-type'];
    delete request.headers['content-encoding'];
  });
}

/** Content-Type and Content-Encoding as sent ('' when absent). */
export function bodyHeadersOf(request: IncomingMessage): { contentType: string; contentEncoding: string } {
  return keptHeaders.get(request) ?? {
    contentType: request.headers['content-type'] ?? '',
    contentEncoding: request.headers['content-encoding'] ?? '',
  };
}

/**
 * Reads the whole body, counting while it comes. Too large: rejected, the rest is not read. Too slow: rejected with body_timeout.
 * The sender went away: retry (nobody is there to read the answer).
 */
export function readRawBody(request: IncomingMessage, limits: { bodyBytesMax: number; bodyTimeoutMs: number }): Promise<Outcome<Buffer>> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (outcome: Outcome<Buffer>): void => {
      clearTimeout(timer);
      request.removeListener('data', onData);
      request.removeListener('end', onEnd);
      request.removeListener('close', onClose);
      if (outcome.kind !== 'accepted') request.pause();
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limits.bodyBytesMax) end(rejected(ingestError('body_too_large', limits)));
      else chunks.push(chunk);
    };
    const onEnd = (): void => end(accepted(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes)));
    const onClose = (): void => end(retry(ingestError('overloaded', { reason: 'the sender went away' })));
    const timer = setTimeout(() => end(rejected(ingestError('body_timeout', limits))), limits.bodyTimeoutMs);
    // A host that parsed the body has perhaps changed it: said at once, and the client keeps its events.
    if (request.readableEnded) return end(retry(ingestError('invariant_broken', { what: 'the host read the body before the function did' })));
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('close', onClose);
    request.on('error', () => undefined);
  });
}
