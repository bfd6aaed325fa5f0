// The append-only files under everything that Pub/Sub acknowledged. Records in, places out; store.ts decides what they mean.
// Whatever arrives while a write is under way goes into the next one: one writev and one fdatasync for all of them. What `append` reported
// as written survives kill -9 and power loss; a record torn by the crash was never acknowledged and is ignored at the next start.
import { closeSync, constants, fdatasync, fsyncSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, unlinkSync, writev } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

const writeAll = promisify(writev);
const syncData = promisify(fdatasync);

/** A new segment is begun behind this many bytes. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;
/** Length of the payload, then its CRC-32. */
const FRAME_BYTES = 8;
/** Below it, payloads are copied together: one small write costs less than a thousand tiny vectors. */
const COPY_BYTES_MAX = 4 * 1024;
/** What one writev may take at a time. */
const BATCH_BYTES_MAX = 32 * 1024 * 1024;

/** One file of the journal, and what still holds it. */
export type Segment = {
  number: number;
  path: string;
  fd: number;
  size: number;
  /** Messages in it that somebody still waits for. */
  live: number;
  liveBytes: number;
  /** Publish time of the newest message of each topic, for retention. */
  newestMs: Map<number, number>;
};

export type Place = { segment: Segment; offset: number };

type Waiting = { parts: Buffer[]; bytes: number; sync: boolean; done: (error: Error | null, place: Place) => void };

export class Journal {
  readonly segments: Segment[] = [];
  /** Group writes so far; far fewer than records when many publish at once. */
  writes = 0;
  private queue: Waiting[] = [];
  private isWriting = false;
  private idle: (() => void)[] = [];
  private readonly dir: string;
  private readonly firstRecord: () => Buffer;
  readonly segmentBytes: number;

  /** `firstRecord` makes the record that opens each segment: all topics and subscriptions, so that older segments can go. */
  constructor(dir: string, firstRecord: () => Buffer, segmentBytes = SEGMENT_BYTES) {
    this.dir = dir;
    this.segmentBytes = segmentBytes;
    this.firstRecord = firstRecord;
    mkdirSync(dir, { recursive: true });
  }

  /** Reads what earlier runs left, in order, then opens a new segment. */
  recover(apply: (payload: Buffer, place: Place) => void): void {
    const names = readdirSync(this.dir).filter((name) => /^journal-\d+\.log$/.test(name)).sort();
    for (const name of names) {
      const segment = this.openSegment(Number(/\d+/.exec(name)![0]));
      const bytes = readFileSync(segment.path);
      segment.size = wholeRecords(bytes, (payload, offset) => apply(payload, { segment, offset }));
      if (segment.size === bytes.length) continue;
      console.error(`pubsub: ${segment.path} ends with ${bytes.length - segment.size} bytes that are no whole record (torn by a crash, never acknowledged); they are cut off.`);
      ftruncateSync(segment.fd, segment.size);
    }
    // Never behind a tail that may have been torn.
    if (this.segments.at(-1)?.size !== 0) this.startSegment();
  }

  /** Adds a record of these parts. `done` is called in the order of appending, when it is written (and synced, if asked). */
  append(parts: Buffer[], sync: boolean, done: Waiting['done'] = () => {}): void {
    this.queue.push({ parts, bytes: parts.reduce((sum, part) => sum + part.length, 0), sync, done });
    if (this.isWriting) return;
    this.isWriting = true;
    // Not at once: what comes in the same turn of the event loop shares the write.
    setImmediate(() => void this.writeQueue());
  }

  read({ segment, offset }: Place, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    while (at < length) {
      const count = readSync(segment.fd, bytes, at, length - at, offset + at);
      if (count === 0) throw new Error(`${segment.path} is shorter than its index says.`);
      at += count;
    }
    return bytes;
  }

  /** Every whole record of a segment, for those who look for old messages. */
  scan(segment: Segment, visit: (payload: Buffer, place: Place) => void): void {
    const bytes = this.read({ segment, offset: 0 }, segment.size);
    wholeRecords(bytes, (payload, offset) => visit(payload, { segment, offset }));
  }

  /** Deletes the oldest segment. Only ever the oldest: an acknowledgement always stands behind its message. */
  dropOldest(): void {
    const segment = this.segments.shift()!;
    unlinkSync(segment.path);
    closeSync(segment.fd);
  }

  /** Resolves when everything appended so far is written. */
  async settled(): Promise<void> {
    while (this.isWriting) await new Promise<void>((done) => this.idle.push(done));
  }

  async close(): Promise<void> {
    await this.settled();
    for (const { fd } of this.segments) closeSync(fd);
    this.segments.length = 0;
  }

  private async writeQueue(): Promise<void> {
    while (this.queue.length > 0) {
      if (this.segments.at(-1)!.size >= this.segmentBytes) this.startSegment();
      if (this.segments.at(-1)!.size === 0) {
        const first = this.firstRecord();
        this.queue.unshift({ parts: [first], bytes: first.length, sync: true, done: () => {} });
      }
      const batch = this.takeBatch();
      try {
        const places = await this.writeBatch(batch);
        batch.forEach(({ done }, index) => done(null, places[index]!));
      } catch (error) {
        for (const { done } of batch) done(error as Error, { segment: this.segments.at(-1)!, offset: 0 });
      }
    }
    this.isWriting = false;
    for (const done of this.idle.splice(0)) done();
  }

  private takeBatch(): Waiting[] {
    let bytes = 0;
    const end = this.queue.findIndex((waiting) => (bytes += waiting.bytes) > BATCH_BYTES_MAX);
    return this.queue.splice(0, end === -1 ? this.queue.length : Math.max(1, end));
  }

  private async writeBatch(batch: readonly Waiting[]): Promise<Place[]> {
    const segment = this.segments.at(-1)!;
    const buffers: Buffer[] = [];
    const places: Place[] = [];
    let small: Buffer[] = [];
    let end = segment.size;
    const flushSmall = (): void => {
      if (small.length > 0) buffers.push(small.length === 1 ? small[0]! : Buffer.concat(small));
      small = [];
    };
    for (const { parts, bytes } of batch) {
      places.push({ segment, offset: end + FRAME_BYTES });
      small.push(frameOf(parts, bytes));
      for (const part of parts) {
        if (part.length > COPY_BYTES_MAX) {
          flushSmall();
          buffers.push(part);
        } else small.push(part);
      }
      end += FRAME_BYTES + bytes;
    }
    flushSmall();
    try {
      this.writes += 1;
      await writeWhole(segment.fd, buffers, segment.size);
      if (batch.some(({ sync }) => sync)) await syncData(segment.fd);
    } catch (error) {
      ftruncateSync(segment.fd, segment.size); // disk full: half a batch must not stand in the way of the next
      throw error;
    }
    segment.size = end;
    return places;
  }

  private openSegment(number: number): Segment {
    const path = join(this.dir, `journal-${String(number).padStart(8, '0')}.log`);
    const segment: Segment = { number, path, fd: openSync(path, constants.O_RDWR | constants.O_CREAT), size: 0, live: 0, liveBytes: 0, newestMs: new Map() };
    this.segments.push(segment);
    return segment;
  }

  private startSegment(): void {
    this.openSegment((this.segments.at(-1)?.number ?? 0) + 1);
    const folder = openSync(this.dir, 'r');
    fsyncSync(folder); // the file's name must survive too
    closeSync(folder);
  }
}

function frameOf(parts: readonly Buffer[], bytes: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_BYTES);
  frame.writeUInt32LE(bytes, 0);
  frame.writeUInt32LE(parts.reduce((crc, part) => crc32(part, crc), 0), 4);
  return frame;
}

/** Visits each whole record and returns where the last one ends; what follows was torn by a crash. */
function wholeRecords(bytes: Buffer, visit: (payload: Buffer, offset: number) => void): number {
  let at = 0;
  while (at + FRAME_BYTES <= bytes.length) {
    const end = at + FRAME_BYTES + bytes.readUInt32LE(at);
    const payload = bytes.subarray(at + FRAME_BYTES, end);
    if (end > bytes.length || payload.length === 0 || crc32(payload) !== bytes.readUInt32LE(at + 4)) break;
    visit(payload, at + FRAME_BYTES);
    at = end;
  }
  return at;
}

async function writeWhole(fd: number, buffers: Buffer[], position: number): Promise<void> {
  let left = buffers;
  let at = position;
  while (left.length > 0) {
    const { bytesWritten } = await writeAll(fd, left, at);
    at += bytesWritten;
    left = withoutFirst(left, bytesWritten);
  }
}

function withoutFirst(buffers: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  const left: Buffer[] = [];
  for (const buffer of buffers) {
    if (skip >= buffer.length) skip -= buffer.length;
    else {
      left.push(skip === 0 ? buffer : buffer.subarray(skip));
      skip = 0;
    }
  }
  return left;
}
