// An independent reader of gzip files: member by member with a streaming raw inflater, headers parsed by hand (RFC 1952), every CRC
// and length checked. It shares no code with what packs messages, and unlike gunzipSync it forgives nothing.
import { constants, crc32, inflateRawSync } from 'node:zlib';

const FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16;

/** Inflates all members, or throws; nothing may stand behind the last one. */
export function readMembers(file: Buffer): Buffer[] {
  const members: Buffer[] = [];
  let at = 0;
  while (at < file.length) {
    if (file[at] !== 0x1f || file[at + 1] !== 0x8b || file[at + 2] !== 8) throw new Error(`no gzip member at byte ${at}`);
    const flags = file[at + 3]!;
    at += 10;
    if (flags & FEXTRA) at += 2 + file.readUInt16LE(at);
    if (flags & FNAME) at = file.indexOf(0, at) + 1;
    if (flags & FCOMMENT) at = file.indexOf(0, at) + 1;
    if (flags & FHCRC) at += 2;
    const { buffer, engine } = inflateRawSync(file.subarray(at), { info: true, finishFlush: constants.Z_SYNC_FLUSH } as never) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    at += engine.bytesWritten;
    if (file.readUInt32LE(at) !== crc32(buffer)) throw new Error(`wrong CRC before byte ${at}`);
    if (file.readUInt32LE(at + 4) !== buffer.length) throw new Error(`wrong length before byte ${at}`);
    at += 8;
    members.push(buffer);
  }
  return members;
}

/** The lines of a message, as another reader sees them. */
export function readLines(file: Buffer): string[] {
  const text = Buffer.concat(readMembers(file)).toString();
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end');
  return text.split('\n').slice(0, -1);
}
