// A request in, its body's bytes out, by callback: counted while they come, cut off at the limit and at the time limit. Like
// raw-body.ts, but for the one function whose every microsecond counts: no promise and no timer for each request.
import type { IncomingMessage } from 'node:http';
import { ingestError, type IngestError } from '../errors.ts';

/** Bytes; or why there are none; or undefined when the sender went away, and nobody is there to read an answer. */
export type BodyOrError = Buffer | IngestError | undefined;

export type BodyReader = (request: IncomingMessage, done: (body: BodyOrError) => void) => void;

export type BodyReaderOptions = { bodyBytesMax: number; bodyTimeoutMs: number };

export function createBodyReader({ bodyBytesMax, bodyTimeoutMs }: BodyReaderOptions): BodyReader {
  // One clock for all that are being read; the oldest comes first.
  const waiting = new Map<(error: IngestError) => void, number>();
  const sweep = (): void => {
    const now = performance.now();
    for (const [giveUp, deadline] of waiting) {
      if (deadline > now) return;
      giveUp(ingestError('body_timeout', { bodyTimeoutMs }));
    }
  };
  setInterval(sweep, Math.min(500, bodyTimeoutMs / 4)).unref();

  return (request, done) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let isDone = false;
    const end = (body: BodyOrError): void => {
      if (isDone) return;
      isDone = true;
      waiting.delete(end);
      if (!Buffer.isBuffer(body)) request.removeAllListeners('data').pause();
      done(body);
    };
    waiting.set(end, performance.now() + bodyTimeoutMs);
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) end(ingestError('body_too_large', { bodyBytesMax }));
      else chunks.push(chunk);
    });
    request.on('end', () => end(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes)));
    request.on('close', () => end(undefined));
    request.on('error', () => end(undefined));
  };
}
