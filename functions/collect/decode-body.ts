// The bytes of a body in, its text out: gzip is recognised by its magic bytes and inflated under a cap, UTF-8 is strict, a BOM is
// dropped. Says too whether the client's gzip can travel on as it came. Called by the collector after the body was read.
import { isUtf8 } from 'node:buffer';
import { gunzipSync, type ZlibOptions } from 'node:zlib';
import { ingestError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { accepted, rejected, type Outcome } from '../outcome.ts';

export type DecodedBody = {
  /** UTF-8 without BOM. */
  bytes: Buffer;
  /** The client's gzip, when it inflates to exactly `bytes` and ends where the inflater did. */
  gzip?: Buffer;
};

/** `info: true` makes gunzipSync answer the engine too, which knows how much of the input it used; Node's types leave that out. */
type GunzipInfo = { buffer: Buffer; engine: { bytesWritten: number } };

/**
 * The last four bytes of a gzip say how long it inflates: a buffer of just that size is one allocation. They are the sender's word,
 * so only a hint, and bounded; a few bytes more let the inflater see the end without asking for another buffer.
 */
function outputSizeHint(gzip: Buffer): number {
  const said = gzip.length < 18 ? 0 : gzip.readUInt32LE(gzip.length - 4);
  return Math.min(Math.max(said, 1_024), HINT_BYTES_MAX) + 64;
}
const HINT_BYTES_MAX = 512 * 1_024;

export const isGzip = (body: Uint8Array): boolean => body[0] === 0x1f && body[1] === 0x8b;

/** `claimsGzip`: the request has Content-Encoding: gzip. */
export function decodeBody(body: Buffer, claimsGzip: boolean): Outcome<DecodedBody> {
  if (body.length === 0) return rejected(ingestError('empty_body'));
  if (!isGzip(body)) {
    return claimsGzip ? rejected(ingestError('bad_encoding', { reason: 'it does not begin with 1f 8b' })) : withoutBom(body, undefined);
  }
  try {
    const { buffer, engine } = gunzipSync(body, { info: true, maxOutputLength: LIMITS.inflatedBytesMax, chunkSize: outputSizeHint(body) } as ZlibOptions) as unknown as GunzipInfo;
    // Node skips a NUL behind a member without a word; spliced, everything behind it would be lost. So such a gzip does not travel.
    return withoutBom(buffer, engine.bytesWritten === body.length ? body : undefined);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === 'ERR_BUFFER_TOO_LARGE') return rejected(ingestError('decompressed_too_large', LIMITS));
    return rejected(ingestError('bad_encoding', { reason: code }));
  }
}

function withoutBom(bytes: Buffer, gzip: Buffer | undefined): Outcome<DecodedBody> {
  if (bytes.length === 0) return rejected(ingestError('empty_body'));
  // UTF-16 without a BOM is valid UTF-8 for ASCII letters, but has a NUL in its first two bytes, as JSON never has.
  if (!isUtf8(bytes) || bytes[0] === 0 || bytes[1] === 0) return rejected(ingestError('invalid_utf8'));
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return accepted({ bytes: bytes.subarray(3) });
  return accepted(gzip === undefined ? { bytes } : { bytes, gzip });
}
