// CRC32C (Castagnoli), which Node does not have, and MD5 beside it: bytes go in piece by piece, Cloud Storage's base64 texts come out.
import { createHash, type Hash } from 'node:crypto';

const POLYNOMIAL = 0x82f63b78; // reflected
/** Eight tables: eight bytes a step, several times as fast as one. */
const TABLES = makeTables();

function makeTables(): Uint32Array[] {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[0]![byte] = crc >>> 0;
  }
  for (let table = 1; table < 8; table += 1) {
    for (let byte = 0; byte < 256; byte += 1) {
      const before = tables[table - 1]![byte]!;
      tables[table]![byte] = (before >>> 8) ^ tables[0]![before & 255]!;
    }
  }
  return tables;
}

/** Continues a CRC32C over more bytes; start with 0. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as [Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  let crc = ~before;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc = t7[crc & 255]! ^ t6[(crc >>> 8) & 255]! ^ t5[(crc >>> 16) & 255]! ^ t4[crc >>> 24]!
      ^ t3[bytes[at + 4]!]! ^ t2[bytes[at + 5]!]! ^ t1[bytes[at + 6]!]! ^ t0[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at += 1) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 255]!;
  return ~crc >>> 0;
}

export type Checksums = { crc32c: string; md5Hash: string };

export class Checksummer {
  private crc = 0;
  private readonly md5: Hash = createHash('md5');

  update(bytes: Uint8Array): void {
    this.crc = crc32c(bytes, this.crc);
    this.md5.update(bytes);
  }

  /** May be asked once. */
  finish(): Checksums {
    const big = Buffer.alloc(4);
    big.writeUInt32BE(this.crc);
    return { crc32c: big.toString('base64'), md5Hash: this.md5.digest('base64') };
  }
}
