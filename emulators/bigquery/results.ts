// Rows of finished queries: written once, in wire form, one a line, to a file that outlives the process; read by page. Called by query jobs
// and by getQueryResults.
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { Refusal } from './refusal.ts';

/** Rows of wire JSON, as text. */
export type Page = { rows: string[]; nextStart: number | undefined };

/** "Results are limited to 10 MB a page" (jobs.getQueryResults): whole rows until this is reached. */
export const PAGE_BYTES_MAX = 10 * 1024 * 1024;
/** Anonymous results live for about 24 hours (docs/cached-results). */
const RESULT_KEPT_MS = 24 * 3_600_000;
const INDEX_EVERY_ROWS = 512;
const KEPT_IN_MEMORY_BYTES_MAX = 256 * 1024;
const REMEMBERED_MAX = 64;

/** Where every 512th row begins; small results also whole. */
type Index = { offsets: number[]; rows: number; small?: string[] };

export class Results {
  private readonly dir: string;
  private readonly remembered = new Map<string, Index>();

  constructor(dataDir: string) {
    this.dir = join(dataDir, 'results');
    mkdirSync(this.dir, { recursive: true });
    for (const name of readdirSync(this.dir)) {
      const path = join(this.dir, name);
      if (Date.now() - statSync(path).mtimeMs > RESULT_KEPT_MS) rmSync(path);
    }
  }

  /** Runs `sql`, whose only column is a row in wire form, and keeps what it gives under `name`. Answers the number of rows. */
  async write(name: string, connection: DuckDBConnection, sql: string): Promise<number> {
    const index: Index = { offsets: [], rows: 0, small: [] };
    const file = createWriteStream(join(this.dir, name));
    const failed = new Promise<never>((_, fail) => file.once('error', fail));
    failed.catch(() => undefined);
    let bytes = 0;
    for await (const rows of wireRows(connection, sql)) {
      let text = '';
      for (const row of rows) {
        if (index.rows % INDEX_EVERY_ROWS === 0) {
          bytes += Buffer.byteLength(text);
          if (text !== '' && !file.write(text)) await Promise.race([failed, new Promise<void>((done) => file.once('drain', () => done()))]);
          text = '';
          index.offsets.push(bytes);
        }
        index.rows += 1;
        text += `${row}\n`;
        index.small?.push(row);
      }
      bytes += Buffer.byteLength(text);
      if (text !== '') file.write(text);
      if (bytes > KEPT_IN_MEMORY_BYTES_MAX) delete index.small;
    }
    await Promise.race([failed, new Promise<void>((done) => file.end(() => done()))]);
    this.remember(name, index);
    return index.rows;
  }

  async read(name: string, start: number, rowsMax: number): Promise<Page> {
    const index = this.remembered.get(name) ?? (await this.rebuild(name));
    const stop = Math.min(index.rows, start + rowsMax);
    if (start >= stop) return { rows: [], nextStart: undefined };
    if (index.small !== undefined) return { rows: index.small.slice(start, stop), nextStart: stop < index.rows ? stop : undefined };
    const first = Math.floor(start / INDEX_EVERY_ROWS);
    const rows: string[] = [];
    let bytes = 0;
    for (let block = first; block < index.offsets.length && first * INDEX_EVERY_ROWS + rows.length < stop && bytes < PAGE_BYTES_MAX; block += 1) {
      const lines = await this.block(name, index.offsets[block]!, index.offsets[block + 1]);
      for (const line of lines) bytes += line.length;
      rows.push(...lines);
    }
    const skipped = start - first * INDEX_EVERY_ROWS;
    const page = cut(rows.slice(skipped, skipped + stop - start));
    const next = start + page.length;
    return { rows: page, nextStart: next < index.rows ? next : undefined };
  }

  private async block(name: string, from: number, to: number | undefined): Promise<string[]> {
    const file = await open(join(this.dir, name));
    try {
      const size = (to ?? (await file.stat()).size) - from;
      const { buffer } = await file.read(Buffer.alloc(size), 0, size, from);
      return buffer.toString('utf8').split('\n').slice(0, -1);
    } finally {
      await file.close();
    }
  }

  /** After a restart the index is made again from the file. */
  private async rebuild(name: string): Promise<Index> {
    const path = join(this.dir, name);
    if (!existsSync(path)) throw new Refusal('notFound', 'Not found: the rows of this query are older than 24 hours and were deleted.');
    const index: Index = { offsets: statSync(path).size === 0 ? [] : [0], rows: 0 };
    let offset = 0;
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
        index.rows += 1;
        if (index.rows % INDEX_EVERY_ROWS === 0) index.offsets.push(offset + at + 1);
      }
      offset += chunk.length;
    }
    if (index.offsets.at(-1) === offset) index.offsets.pop();
    this.remember(name, index);
    return index;
  }

  private remember(name: string, index: Index): void {
    this.remembered.set(name, index);
    const oldest = this.remembered.keys().next().value;
    if (this.remembered.size > REMEMBERED_MAX && oldest !== undefined) this.remembered.delete(oldest);
  }
}

/** At least one row, and no more than one answer may hold. */
function cut(rows: string[]): string[] {
  let bytes = 0;
  const end = rows.findIndex((row, at) => (bytes += row.length) > PAGE_BYTES_MAX && at > 0);
  return end === -1 ? rows : rows.slice(0, end);
}

/** Chunks of rows of a query with one VARCHAR column. */
export async function* wireRows(connection: DuckDBConnection, sql: string): AsyncGenerator<string[]> {
  const result = await connection.stream(sql);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    yield chunk.getColumnValues(0) as string[];
  }
}

/** The first page of a query with one VARCHAR column, cut at the size that one answer may have. */
export async function readPage(connection: DuckDBConnection, sql: string): Promise<string[]> {
  const rows: string[] = [];
  let bytes = 0;
  for await (const chunk of wireRows(connection, sql)) {
    for (const row of chunk) {
      rows.push(row);
      bytes += row.length;
      if (bytes >= PAGE_BYTES_MAX) return rows;
    }
  }
  return rows;
}
