// Files to a zip that depends on nothing but them: fixed times, sorted names, one level of compression, no difference between machines.
// Called by scripts/build.ts.
import { zipSync, type Zippable } from 'fflate';

/** The format's first day, in local parts, since that is how the format counts: the bytes are the same in every time zone. */
const TIME = new Date(1980, 0, 1);
const UNIX = 3;
const FILE_644 = 0o100644 << 16;
const FILE_755 = 0o100755 << 16;

export function zip(files: Record<string, Uint8Array>): Uint8Array {
  const entries: Zippable = {};
  for (const name of Object.keys(files).sort()) {
    const bytes = files[name]!;
    entries[name] = [bytes, { mtime: TIME, os: UNIX, attrs: startsWithHashBang(bytes) ? FILE_755 : FILE_644 }];
  }
  return zipSync(entries, { level: 9, mem: 8 });
}

function startsWithHashBang(bytes: Uint8Array): boolean {
  return bytes[0] === 0x23 && bytes[1] === 0x21;
}
