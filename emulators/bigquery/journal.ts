// Rows on their way into one table: newline-delimited JSON in files, synced to disk before they are acknowledged, moved into DuckDB
// in batches. Called by table-store.ts. One commit of DuckDB costs more than a hundred rows; one sync serves all appends that wait (docs/decisions).
import { closeSync, fdatasync, openSync, readdirSync, readFileSync, rmSync, truncateSync, writev } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const syncData = promisify(fdatasync);
const WAYS = ['insert', 'write'] as const;

/** How rows came: DML may not change recent ones of insertAll, it may change those of the Storage Write API. */
export type Way = 'insert' | 'write';
/** A file that gets no more rows and waits for DuckDB. `seq` grows by one from file to file; all rows of a file came one way. */
export type SealedFile = { path: string; seq: number; way: Way; rows: number; bytes: number; firstAtMs: number };

type Waiting = { lines: Buffer; rows: number; way: Way; done: () => void; failed: (error: unknown) => void };

export class Journal {
  private readonly dir: string;
  private readonly uid: string;
  private readonly now: () => number;
  private nextSeq: number;
  private open: (SealedFile & { fd: number }) | undefined;
  private waiting: Waiting[] = [];
  private tail: Promise<void> = Promise.resolve();
  private scheduled = false;
  private readonly sealedFiles: SealedFile[] = [];

  /** Finds what a killed process left: files that DuckDB has are deleted, a torn last line (never acknowledged) is cut off. */
  constructor(dir: string, uid: string, appliedSeq: number, now: () => number) {
    this.now = now;
    this.dir = dir;
    this.uid = uid;
    this.nextSeq = appliedSeq + 1;
    for (const { path, seq, way } of journalFiles(dir).filter((file) => file.uid === uid).sort((a, b) => a.seq - b.seq)) {
      if (seq <= appliedSeq) rmSync(path);
      else this.sealedFiles.push({ ...recover(path, seq), way, firstAtMs: now() });
      this.nextSeq = Math.max(this.nextSeq, seq + 1);
    }
  }

  /** Rows that were acknowledged and are not in DuckDB yet. */
  get pendingRows(): number {
    return this.sealedFiles.reduce((sum, file) => sum + file.rows, this.open?.rows ?? 0);
  }
  get pendingBytes(): number {
    return this.sealedFiles.reduce((sum, file) => sum + file.bytes, this.open?.bytes ?? 0);
  }

  /** Resolves when the lines (each ends in \n) are on disk. Appends that wait at the same time share one sync. */
  append(lines: Buffer, rows: number, way: Way): Promise<void> {
    return new Promise((done, failed) => {
      this.waiting.push({ lines, rows, way, done, failed });
      if (this.scheduled) return;
      this.scheduled = true;
      this.tail = this.tail.then(() => this.flush());
    });
  }

  private async flush(): Promise<void> {
    this.scheduled = false;
    const batch = this.waiting.splice(0);
    for (const way of WAYS) await this.flushWay(way, batch.filter((entry) => entry.way === way));
  }

  private async flushWay(way: Way, batch: Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      if (this.open !== undefined && this.open.way !== way) this.sealOpen();
      const file = this.open ?? (this.open = this.create(way));
      await writeAll(file.fd, batch.map((entry) => entry.lines));
      await syncData(file.fd);
      for (const entry of batch) {
        file.rows += entry.rows;
        file.bytes += entry.lines.length;
        entry.done();
      }
    } catch (error) {
      for (const entry of batch) entry.failed(error);
    }
  }

  private create(way: Way): SealedFile & { fd: number } {
    const seq = this.nextSeq++;
    const path = join(this.dir, `${this.uid}.${String(seq).padStart(9, '0')}.${way}.ndjson`);
    return { path, seq, way, rows: 0, bytes: 0, firstAtMs: this.now(), fd: openSync(path, 'ax') };
  }

  private sealOpen(): void {
    if (this.open === undefined) return;
    const { fd, ...file } = this.open;
    closeSync(fd);
    this.open = undefined;
    this.sealedFiles.push(file);
  }

  /** Ends the file of the moment, and answers all files whose rows DuckDB lacks, oldest first. */
  async seal(): Promise<SealedFile[]> {
    const sealing = this.tail.then(() => this.sealOpen());
    this.tail = sealing;
    await sealing;
    return [...this.sealedFiles];
  }

  /** DuckDB has committed this file's rows. */
  applied(file: SealedFile): void {
    rmSync(file.path, { force: true });
    this.sealedFiles.splice(this.sealedFiles.findIndex((other) => other.seq === file.seq), 1);
  }

  /** The table is gone, and these rows with it. */
  async discard(): Promise<void> {
    for (const file of await this.seal()) this.applied(file);
  }
}

/** Journal files in a folder with the table each belongs to. */
export function journalFiles(dir: string): { path: string; uid: string; seq: number; way: Way }[] {
  return readdirSync(dir).flatMap((name) => {
    // Files of an earlier version say no way.
    const match = /^(.+?)\.(\d{9})(?:\.(insert|write))?\.ndjson$/.exec(name);
    return match === null ? [] : [{ path: join(dir, name), uid: match[1]!, seq: Number(match[2]), way: (match[3] ?? 'write') as Way }];
  });
}

function recover(path: string, seq: number): Omit<SealedFile, 'firstAtMs' | 'way'> {
  const content = readFileSync(path);
  const bytes = content.lastIndexOf(10) + 1;
  if (bytes < content.length) truncateSync(path, bytes);
  let rows = 0;
  for (let at = content.indexOf(10); at !== -1; at = content.indexOf(10, at + 1)) rows += 1;
  return { path, seq, rows, bytes };
}

/** `writev` may write less than it was given. */
async function writeAll(fd: number, buffers: Buffer[]): Promise<void> {
  let left = buffers;
  while (left.length > 0) {
    let written = await new Promise<number>((done, failed) => writev(fd, left, (error, bytes) => (error === null ? done(bytes) : failed(error))));
    const rest: Buffer[] = [];
    for (const buffer of left) {
      if (written >= buffer.length) written -= buffer.length;
      else {
        rest.push(buffer.subarray(written));
        written = 0;
      }
    }
    left = rest;
  }
}
