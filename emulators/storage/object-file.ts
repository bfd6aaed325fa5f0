// One object on disk is one file: its bytes, then its metadata as JSON, then that JSON's length and a mark. So bytes and metadata
// become visible together, by one rename, and a restart reads only the ends of files. store.ts writes and reads them.
import { constants } from 'node:fs';
import { copyFile, open, unlink, type FileHandle } from 'node:fs/promises';
import { Checksummer, type Checksums } from './checksum.ts';

const MARK = Buffer.from('OBJFILE1');
const TAIL_BYTES = 4 + MARK.length;
/** Metadata is mostly shorter than this, so one read gets it with the tail. */
const FIRST_READ_BYTES = 4_096;

/** A file under construction: pieces are appended and summed; nobody sees it until the store renames it. */
export class Staged {
  readonly path: string;
  private readonly handle: FileHandle;
  private readonly sums = new Checksummer();
  size = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  static async create(path: string): Promise<Staged> {
    return new Staged(path, await open(path, 'w+'));
  }

  /** Takes up a file that a broken upload left: its bytes are read again for the sums. What goes beyond whole blocks, or beyond the content, is left off. */
  static async reopen(path: string, blockBytes: number, contentBytesMax = Infinity): Promise<Staged> {
    const staged = new Staged(path, await open(path, 'r+'));
    const size = Math.min((await staged.handle.stat()).size, contentBytesMax);
    const end = size - (size % blockBytes);
    await staged.handle.truncate(end);
    for (const buffer = Buffer.allocUnsafe(1 << 18); staged.size < end;) {
      const { bytesRead } = await staged.handle.read(buffer, 0, Math.min(buffer.length, end - staged.size), staged.size);
      if (bytesRead === 0) return staged;
      staged.sums.update(buffer.subarray(0, bytesRead));
      staged.size += bytesRead;
    }
    return staged;
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += (await this.handle.write(bytes, at, bytes.length - at, this.size + at)).bytesWritten;
    this.sums.update(bytes);
    this.size += bytes.length;
  }

  /** What was appended is on the disk when this returns. */
  async sync(): Promise<void> {
    await this.handle.datasync();
  }

  checksums(): Checksums {
    return this.sums.finish();
  }

  /** Adds the metadata and closes; the file may be renamed then. */
  async seal(metadata: unknown): Promise<void> {
    await writeTail(this.handle, this.size, metadata);
    await this.handle.close();
  }

  /** Closes and forgets the file. */
  async discard(): Promise<void> {
    await this.handle.close().catch(() => {});
    await unlink(this.path).catch(() => {});
  }

  /** Closes and keeps the file, for an upload that goes on after a restart. */
  async park(): Promise<void> {
    await this.handle.close().catch(() => {});
  }
}

/** Makes at `path` a copy of the object file `from` (with `size` bytes of content) that carries other metadata. */
export async function copyWithMetadata(from: string, path: string, size: number, metadata: unknown): Promise<void> {
  await copyFile(from, path, constants.COPYFILE_FICLONE);
  const handle = await open(path, 'r+');
  try {
    await handle.truncate(size);
    await writeTail(handle, size, metadata);
  } finally {
    await handle.close();
  }
}

async function writeTail(handle: FileHandle, size: number, metadata: unknown): Promise<void> {
  const json = Buffer.from(JSON.stringify(metadata));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  const tail = Buffer.concat([json, length, MARK]);
  for (let at = 0; at < tail.length;) at += (await handle.write(tail, at, tail.length - at, size + at)).bytesWritten;
  await handle.sync();
}

/** The metadata at the end of an object file; undefined when the file is not one. */
export async function readMetadata(path: string): Promise<unknown> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    let end = await readEnd(handle, size, Math.min(size, FIRST_READ_BYTES));
    if (end.length < TAIL_BYTES || !end.subarray(-MARK.length).equals(MARK)) return undefined;
    const bytes = end.readUInt32BE(end.length - TAIL_BYTES) + TAIL_BYTES;
    if (bytes > size) return undefined;
    if (bytes > end.length) end = await readEnd(handle, size, bytes);
    return JSON.parse(end.subarray(end.length - bytes, end.length - TAIL_BYTES).toString('utf8'));
  } finally {
    await handle.close();
  }
}

async function readEnd(handle: FileHandle, size: number, bytes: number): Promise<Buffer> {
  const { buffer } = await handle.read(Buffer.alloc(bytes), 0, bytes, size - bytes);
  return buffer;
}

/** A rename is on the disk only when its folder is. */
export async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
