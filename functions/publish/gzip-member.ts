// Bytes in, one gzip member out. Members concatenate, so a message is built from small ones around the clients' own.
import { crc32, gzip, gzipSync } from 'node:zlib';
import { promisify } from 'node:util';
import type { LineChunk } from '../envelope-line.ts';

const gzipLater = promisify(gzip);

/** Below this a deflate run costs more than it saves. */
const STORED_BYTES_MAX = 1_024;
/** Above this compressing would hold up the event loop for a millisecond or more: it goes to the thread pool. */
const SYNC_BYTES_MAX = 128 * 1_024;
/** Level 1: a third of the time of level 6 for a tenth more bytes (docs/decisions). */
const LEVEL = 1;

/** magic 1f 8b, method 8, no flags, no time, no extra flags, unknown system. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
const HEADER_LENGTH = 10;
const BLOCK_HEADER_LENGTH = 5;
const TRAILER_LENGTH = 8;
const STORED_BLOCK_MAX = 65_535;

/** A member that holds the bytes as one stored block (RFC 1951, 3.2.4): a CRC and no deflate. At most 65,535 bytes. */
export function storedMember(bytes: Uint8Array): Buffer {
  if (bytes.length > STORED_BLOCK_MAX) throw new RangeError(`a stored block holds at most ${STORED_BLOCK_MAX} bytes`);
  const member = Buffer.allocUnsafe(HEADER_LENGTH + BLOCK_HEADER_LENGTH + bytes.length + TRAILER_LENGTH);
  member.set(HEADER, 0);
  member[HEADER_LENGTH] = 1; // the last block, stored
  member.writeUInt16LE(bytes.length, HEADER_LENGTH + 1);
  member.writeUInt16LE(~bytes.length & 0xffff, HEADER_LENGTH + 3);
  member.set(bytes, HEADER_LENGTH + BLOCK_HEADER_LENGTH);
  const end = HEADER_LENGTH + BLOCK_HEADER_LENGTH + bytes.length;
  member.writeUInt32LE(crc32(bytes), end);
  member.writeUInt32LE(bytes.length, end + 4);
  return member;
}

/** The cheapest member for these bytes. */
export function gzipMember(bytes: Uint8Array): Buffer | Promise<Buffer> {
  if (bytes.length <= STORED_BYTES_MAX) return storedMember(bytes);
  return bytes.length <= SYNC_BYTES_MAX ? gzipSync(bytes, { level: LEVEL }) : gzipLater(bytes, { level: LEVEL });
}

/**
 * A chunk as it should wait for its message: large ones compressed at once. That costs no more than compressing them together,
 * and what waits is a tenth as large: the bytes that wait are what makes V8 collect its whole heap again and again.
 */
export function compact(chunk: LineChunk): LineChunk {
  return chunk.isGzip || chunk.bytes.length <= STORED_BYTES_MAX ? chunk : { bytes: gzipSync(chunk.bytes, { level: LEVEL }), isGzip: true };
}
