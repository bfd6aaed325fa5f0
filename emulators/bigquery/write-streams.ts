// Named write streams (COMMITTED, PENDING, BUFFERED) of the Storage Write API: where each ends, what of it can be seen, and its rows until they are in the
// table. append-rows.ts and write-calls.ts call it. A stream's rows are lines in files that name the offset they begin with; how many of them the
// table has is written in the same transaction as the rows, so a kill neither loses nor doubles one.
import { randomUUID } from 'node:crypto';
import { fdatasync, mkdirSync, openSync, closeSync, readdirSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Table } from './catalogue.ts';
import { rowsOf } from './engine.ts';
import type { TableStore } from './table-store.ts';

const syncData = promisify(fdatasync);

export type StreamType = 'COMMITTED' | 'PENDING' | 'BUFFERED';
/** What is kept of a stream. `applied` rows are in the table; of a BUFFERED stream those below `flushed` may be. */
type Doc = { name: string; tableUid: string; type: StreamType; createdMs: number; applied: number; flushed: number; isFinalized: boolean; committedMs?: number };
type Piece = { path: string; from: number; rows: number };
/** Rows of this many bytes end a file, so that what is applied can be deleted. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** One stream; its steps run one after another. */
export class WriteStream {
  readonly doc: Doc;
  /** The offset of the next row. */
  rows = 0;
  private readonly dir: string;
  private readonly pieces: Piece[] = [];
  private open: { fd: number; bytes: number } | undefined;
  private tail: Promise<unknown> = Promise.resolve();

  constructor(dir: string, doc: Doc) {
    this.dir = dir;
    this.doc = doc;
    this.rows = doc.applied;
    mkdirSync(dir, { recursive: true });
    for (const name of readdirSync(dir).sort()) this.recover(join(dir, name), Number(name.split('.')[0]));
  }

  /** A torn last line was never acknowledged. */
  private recover(path: string, from: number): void {
    const content = readFileSync(path);
    const end = content.lastIndexOf(10) + 1;
    if (end < content.length) truncateSync(path, end);
    let rows = 0;
    for (let at = content.indexOf(10); at !== -1; at = content.indexOf(10, at + 1)) rows += 1;
    this.pieces.push({ path, from, rows });
    this.rows = Math.max(this.rows, from + rows);
  }

  /** After every step before it, and before every step after it. */
  inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.tail.then(step);
    this.tail = result.catch(() => undefined);
    return result;
  }

  /** Call it in turn. Resolves when the lines are on disk. */
  async append(lines: Buffer, rows: number): Promise<void> {
    if (this.open === undefined || this.open.bytes > FILE_BYTES_MAX) {
      this.seal();
      const path = join(this.dir, `${String(this.rows).padStart(15, '0')}.ndjson`);
      this.open = { fd: openSync(path, 'ax'), bytes: 0 };
      this.pieces.push({ path, from: this.rows, rows: 0 });
    }
    writeSync(this.open.fd, lines);
    await syncData(this.open.fd);
    this.open.bytes += lines.length;
    this.pieces.at(-1)!.rows += rows;
    this.rows += rows;
  }

  private seal(): void {
    if (this.open !== undefined) closeSync(this.open.fd);
    this.open = undefined;
  }

  /** How far the table may hold this stream's rows. */
  get visible(): number {
    if (this.doc.type === 'COMMITTED') return this.rows;
    return this.doc.type === 'BUFFERED' ? this.doc.flushed : this.doc.committedMs === undefined ? 0 : this.rows;
  }

  /** Files with the rows from `applied` to `to`, with how many to leave out in front and how many to take. Call it in turn. */
  parts(to: number): { path: string; skip: number; take: number }[] {
    this.seal();
    return this.pieces.flatMap(({ path, from, rows }) => {
      const first = Math.max(from, this.doc.applied);
      const last = Math.min(from + rows, to);
      return first < last ? [{ path, skip: first - from, take: last - first }] : [];
    });
  }

  /** The table has these rows now, on disk. */
  wasApplied(to: number): void {
    this.doc.applied = to;
    for (const piece of [...this.pieces]) {
      if (piece.from + piece.rows > to) continue;
      rmSync(piece.path, { force: true });
      this.pieces.splice(this.pieces.indexOf(piece), 1);
    }
  }

  discard(): void {
    this.seal();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export class WriteStreams {
  private readonly store: TableStore;
  private readonly dir: string;
  private readonly streams = new Map<string, WriteStream>();

  private constructor(store: TableStore, dataDir: string) {
    this.store = store;
    this.dir = join(dataDir, 'streams');
    mkdirSync(this.dir, { recursive: true });
  }

  static async open(store: TableStore, dataDir: string): Promise<WriteStreams> {
    const streams = new WriteStreams(store, dataDir);
    await store.engine.alone(async (connection) => {
      await connection.run('CREATE TABLE IF NOT EXISTS meta.stream(name VARCHAR, doc VARCHAR)');
      for (const row of await rowsOf(connection, 'SELECT doc FROM meta.stream')) {
        const doc = JSON.parse(row['doc'] as string) as Doc;
        streams.streams.set(doc.name, new WriteStream(streams.folderOf(doc.name), doc));
      }
    });
    // Queries ask a table to be settled: that is when rows that can be seen go into it.
    store.settlers.push((uid) => streams.settle(uid));
    return streams;
  }

  private folderOf(name: string): string {
    return join(this.dir, name.split('/').at(-1)!);
  }

  async create(parent: string, table: Table, type: StreamType): Promise<WriteStream> {
    const doc: Doc = { name: `${parent}/streams/${randomUUID()}`, tableUid: table.uid, type, createdMs: this.store.now(), applied: 0, flushed: 0, isFinalized: false };
    await this.store.engine.change((connection) => connection.run('INSERT INTO meta.stream VALUES ($1, $2)', [doc.name, JSON.stringify(doc)]));
    const stream = new WriteStream(this.folderOf(doc.name), doc);
    this.streams.set(doc.name, stream);
    return stream;
  }

  /** Undefined also when its table was dropped, or dropped and made again. */
  find(name: string, table: Table): WriteStream | undefined {
    const stream = this.streams.get(name);
    return stream?.doc.tableUid === table.uid ? stream : undefined;
  }

  /** Changes what is kept of streams, and applies what can be seen then, in one transaction: all of it or nothing. */
  async change(table: Table, streams: readonly WriteStream[], change: (doc: Doc) => Doc): Promise<void> {
    const publish = await this.store.engine.change(async (connection) => {
      const steps: (() => void)[] = [];
      for (const stream of streams) {
        const next = change({ ...stream.doc });
        const before = { ...stream.doc };
        Object.assign(stream.doc, next);
        const to = stream.visible;
        Object.assign(stream.doc, before);
        steps.push(await this.apply(connection, table, stream, { ...next, applied: to }));
      }
      return () => { for (const step of steps) step(); };
    });
    publish();
  }

  private async apply(connection: DuckDBConnection, table: Table, stream: WriteStream, next: Doc): Promise<() => void> {
    const visible = await this.store.insertLines(connection, table.uid, stream.parts(next.applied));
    await connection.run('UPDATE meta.stream SET doc = $1 WHERE name = $2', [JSON.stringify(next), next.name]);
    return () => {
      visible();
      Object.assign(stream.doc, next);
      stream.wasApplied(next.applied);
    };
  }

  /** Rows of COMMITTED streams that were acknowledged before the call are in the table when this resolves. */
  private async settle(uid: string): Promise<void> {
    for (const stream of this.streams.values()) {
      if (stream.doc.tableUid !== uid || stream.visible === stream.doc.applied) continue;
      const table = this.store.catalogue.all('table').find((other) => other.uid === uid);
      if (table !== undefined) await stream.inTurn(() => this.change(table, [stream], (doc) => doc));
    }
  }

  /** Forgets the streams of tables that are gone. Called when the service starts. */
  async sweep(): Promise<void> {
    const uids = new Set(this.store.catalogue.all('table').map((table) => table.uid));
    for (const [name, stream] of this.streams) {
      if (uids.has(stream.doc.tableUid)) continue;
      await this.store.engine.change((connection) => connection.run('DELETE FROM meta.stream WHERE name = $1', [name]));
      stream.discard();
      this.streams.delete(name);
    }
  }
}
