// DuckDB as this service uses it: a pool of connections for queries, and one connection through which every change is committed, one after another.
import { mkdirSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { GoogleSqlError } from './sql/google-sql-error.ts';

/**
 * Queries that run at once. Each holds one of libuv's four threads while it works, the writer holds another, and the journal's
 * fsync needs the last; so a long query never stops appends.
 */
const QUERIES_MAX = 2;
/** DuckDB's buffers, with which queries keep the whole process below 1 GiB; what does not fit goes to disk. */
const USUAL_MEMORY_MIB = 640;
/** For the few statements that cannot be done with that, even with the disk (a window over the rows of a year): a quarter of the machine. */
const LARGE_MEMORY_MIB = Math.round(Math.min(4_096, Math.max(USUAL_MEMORY_MIB, totalmem() / 2 ** 20 / 4)));
/** How much memory DuckDB's buffers may have, in MiB: as a rule, and for a statement that needs more. */
export type Memory = { usualMib: number; largeMib: number };
export type Install = (connection: DuckDBConnection) => Promise<void>;

export class Engine {
  private readonly instance: DuckDBInstance;
  private readonly install: Install;
  private readonly writer: DuckDBConnection;
  private readonly memory: Memory;
  private readonly idle: DuckDBConnection[] = [];
  private readonly waiting: ((connection: DuckDBConnection) => void)[] = [];
  private opened = 0;
  /** Statements under way that need the large memory. */
  private large = 0;
  private memorySettled: Promise<unknown> = Promise.resolve();
  private tail: Promise<unknown> = Promise.resolve();

  private constructor(instance: DuckDBInstance, writer: DuckDBConnection, install: Install, memory: Memory) {
    this.instance = instance;
    this.writer = writer;
    this.install = install;
    this.memory = memory;
  }

  static async open(dataDir: string, install: Install, memory: Memory = { usualMib: USUAL_MEMORY_MIB, largeMib: LARGE_MEMORY_MIB }): Promise<Engine> {
    mkdirSync(dataDir, { recursive: true });
    const instance = await DuckDBInstance.create(join(dataDir, 'bigquery.duckdb'), {
      threads: '2', memory_limit: `${memory.usualMib}MiB`, temp_directory: join(dataDir, 'spill'),
      autoinstall_known_extensions: 'false', autoload_known_extensions: 'false',
    });
    const writer = await prepare(instance, install);
    return new Engine(instance, writer, install, memory);
  }

  /**
   * Runs `change` alone, inside one transaction, which is committed (and thus on disk) when this resolves. A throw rolls back.
   * Keep it short: long work belongs into `read`, on tables that nobody else knows yet.
   */
  change<T>(change: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    return this.alone((connection) => this.withEnoughMemory(async () => {
      await connection.run('BEGIN TRANSACTION');
      let result: T;
      try {
        result = await change(connection);
        await connection.run('COMMIT');
      } catch (error) {
        await connection.run('ROLLBACK').catch(() => undefined);
        throw error;
      }
      return result;
    }));
  }

  /** Runs `work` on the writer, after and before every other change, without a transaction of its own. */
  alone<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const result = this.tail.then(() => work(this.writer));
    this.tail = result.catch(() => undefined);
    return result;
  }

  /**
   * Runs `work` on a connection of the pool, and once more where the usual memory was too little: it leaves nothing behind when it throws.
   * isLarge: with the large memory from the beginning.
   */
  async read<T>(work: (connection: DuckDBConnection) => Promise<T>, { isLarge = false } = {}): Promise<T> {
    const connection = await this.borrow();
    try {
      return await (isLarge ? this.withLargeMemory(() => work(connection)) : this.withEnoughMemory(() => work(connection)));
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.idle.push(connection);
      else next(connection);
    }
  }

  private async withEnoughMemory<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isOutOfMemory(error) || this.memory.largeMib <= this.memory.usualMib) throw error;
    }
    return this.withLargeMemory(work);
  }

  private async withLargeMemory<T>(work: () => Promise<T>): Promise<T> {
    this.large += 1;
    try {
      await this.settleMemory();
      return await work();
    } finally {
      this.large -= 1;
      // Where others still hold more than the usual it stays as it is, until the next that needs much is done.
      await this.settleMemory().catch(() => undefined);
    }
  }

  /** One after another, each by who needs much when its turn comes: an end that overlaps the next beginning does not take its memory away. */
  private settleMemory(): Promise<void> {
    const settled = this.memorySettled.then(async () => {
      const connection = await this.instance.connect();
      try {
        await connection.run(`SET GLOBAL memory_limit = '${this.large > 0 ? this.memory.largeMib : this.memory.usualMib}MiB'`);
      } finally {
        connection.closeSync();
      }
    });
    this.memorySettled = settled.catch(() => undefined);
    return settled;
  }

  private async borrow(): Promise<DuckDBConnection> {
    const idle = this.idle.pop();
    if (idle !== undefined) return idle;
    if (this.opened >= QUERIES_MAX) return new Promise((done) => this.waiting.push(done));
    this.opened += 1;
    return prepare(this.instance, this.install);
  }

  async close(): Promise<void> {
    await this.tail;
    for (const connection of [this.writer, ...this.idle]) connection.closeSync();
    this.instance.closeSync();
  }
}

/** As DuckDB says it, or as a query's error already says it to BigQuery's callers. */
const isOutOfMemory = (error: unknown): boolean => /^Out of Memory Error/.test((error as Error).message) || (error instanceof GoogleSqlError && error.reason === 'resourcesExceeded');

async function prepare(instance: DuckDBInstance, install: Install): Promise<DuckDBConnection> {
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  await install(connection);
  return connection;
}

/** Rows of a small statement as objects of JSON values (64-bit integers as text). */
export async function rowsOf(connection: DuckDBConnection, sql: string, values: (string | number | null)[] = []): Promise<Record<string, unknown>[]> {
  const reader = await connection.runAndReadAll(sql, values);
  return reader.getRowObjectsJson() as Record<string, unknown>[];
}
