// DuckDB as this service uses it: a pool of connections for queries, and one connection through which every change is committed, one after another.
import { mkdirSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/**
 * Queries that run at once. Each holds one of libuv's four threads while it works, the writer holds another, and the journal's
 * fsync needs the last; so a long query never stops appends.
 */
const QUERIES_MAX = 2;
/** DuckDB's buffers: a quarter of the machine. Folding a day of 10^6 rows holds about 2 GB; with less it goes to disk, with 416 MB it failed. */
const MEMORY_LIMIT = `${Math.round(Math.min(4_096, Math.max(512, totalmem() / 2 ** 20 / 4)))}MB`;

export type Install = (connection: DuckDBConnection) => Promise<void>;

export class Engine {
  private readonly instance: DuckDBInstance;
  private readonly install: Install;
  private readonly writer: DuckDBConnection;
  private readonly idle: DuckDBConnection[] = [];
  private readonly waiting: ((connection: DuckDBConnection) => void)[] = [];
  private opened = 0;
  private tail: Promise<unknown> = Promise.resolve();

  private constructor(instance: DuckDBInstance, writer: DuckDBConnection, install: Install) {
    this.instance = instance;
    this.writer = writer;
    this.install = install;
  }

  static async open(dataDir: string, install: Install): Promise<Engine> {
    mkdirSync(dataDir, { recursive: true });
    const instance = await DuckDBInstance.create(join(dataDir, 'bigquery.duckdb'), {
      threads: '2', memory_limit: MEMORY_LIMIT, temp_directory: join(dataDir, 'spill'),
      autoinstall_known_extensions: 'false', autoload_known_extensions: 'false',
    });
    const writer = await prepare(instance, install);
    return new Engine(instance, writer, install);
  }

  /**
   * Runs `change` alone, inside one transaction, which is committed (and thus on disk) when this resolves. A throw rolls back.
   * Keep it short: long work belongs into `read`, on tables that nobody else knows yet.
   */
  change<T>(change: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    return this.alone(async (connection) => {
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
    });
  }

  /** Runs `work` on the writer, after and before every other change, without a transaction of its own. */
  alone<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const result = this.tail.then(() => work(this.writer));
    this.tail = result.catch(() => undefined);
    return result;
  }

  /** Runs `work` on a connection of the pool. */
  async read<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.borrow();
    try {
      return await work(connection);
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.idle.push(connection);
      else next(connection);
    }
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
