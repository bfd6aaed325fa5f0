// Tables with their rows: makes, changes and drops them, takes streamed rows into journals, and moves those into DuckDB before anybody
// looks. Called by the REST resources, by jobs and by the Storage Write API.
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { BufferedRows, Catalogue, Table } from './catalogue.ts';
import { rowsOf, type Engine } from './engine.ts';
import { columnsSql, duckType, evolve, literal, logicalBytes, quoted, typeOf, type AddedField, type TableField } from './fields.ts';
import { Journal, journalFiles, type SealedFile, type Way } from './journal.ts';
import { Expiry } from './expiry.ts';
import { Refusal } from './refusal.ts';
import { widenPhysical } from './widen.ts';

/** "Up to 90 minutes" (docs/write-api-rest): the longest that Google names, so that a program which is right here is right there. */
const BUFFER_MS = 90 * 60_000;
/** Streamed rows of about one moment share a segment, so that a busy table has a hundred of them, not one per append. */
const BUFFER_SEGMENT_MS = 60_000;
/** Rows are moved when nobody asks, too: a query then has little left to wait for, and a journal file stays small. */
const SETTLE_EVERY_MS = 1_000;

export type TableSpec = Pick<Table, 'project' | 'dataset' | 'table' | 'fields'> & Partial<Pick<Table, 'type' | 'clustering' | 'timePartitioning' | 'viewQuery' | 'properties'>>;
export type Counts = { rows: number; bytes: number; bufferedRows: number; bufferedBytes: number; oldestBufferedMs: number };

export const newPhysical = (): string => `t_${randomUUID().replaceAll('-', '')}`;
export const physicalSql = (physical: string): string => `data.${quoted(physical)}`;

export class TableStore {
  readonly engine: Engine;
  readonly catalogue: Catalogue;
  readonly now: () => number;
  private readonly dir: string;
  private readonly journals = new Map<string, Journal>();
  private readonly rowBytes = new WeakMap<Table, number>();
  private readonly timer: NodeJS.Timeout;
  private readonly expiry = new Expiry(this);
  private readers = 0;
  private readonly orphans = new Set<string>();

  private constructor(engine: Engine, catalogue: Catalogue, dataDir: string, now: () => number) {
    this.engine = engine;
    this.catalogue = catalogue;
    this.now = now;
    this.dir = join(dataDir, 'journal');
    mkdirSync(this.dir, { recursive: true });
    this.timer = setInterval(() => void this.settleAll().then(() => this.expiry.sweep()).catch((error: unknown) => console.error('bigquery: rows could not be moved from a journal', error)), SETTLE_EVERY_MS).unref();
  }

  /** Opens what is on disk; removes what no table owns (left by a process killed between two steps). */
  static async open(engine: Engine, catalogue: Catalogue, dataDir: string, now: () => number): Promise<TableStore> {
    const store = new TableStore(engine, catalogue, dataDir, now);
    const tables = catalogue.all('table');
    const uids = new Set(tables.map((table) => table.uid));
    for (const file of journalFiles(store.dir)) if (!uids.has(file.uid)) rmSync(file.path);
    for (const table of tables) store.journals.set(table.uid, new Journal(store.dir, table.uid, table.appliedSeq, now));
    const known = new Set(tables.map((table) => table.physical));
    await engine.alone(async (connection) => {
      for (const row of await rowsOf(connection, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'data'")) {
        const physical = row['table_name'] as string;
        if (!known.has(physical)) await connection.run(`DROP TABLE ${physicalSql(physical)}`);
      }
    });
    await store.settleAll();
    return store;
  }

  /**
   * Makes a table inside the caller's transaction; call the answer after the commit. `physical` is a table of rows that becomes this
   * table's own; `replaces` is the one of the same name that the same transaction drops.
   */
  async create(connection: DuckDBConnection, spec: TableSpec, { physical, replaces }: { physical?: string | undefined; replaces?: Table | undefined } = {}): Promise<{ table: Table; publish: () => void }> {
    this.catalogue.dataset(spec.project, spec.dataset);
    if (this.catalogue.findTable(spec.project, spec.dataset, spec.table) !== replaces) {
      throw new Refusal('duplicate', `Already Exists: Table ${spec.project}:${spec.dataset}.${spec.table}`);
    }
    const now = this.now();
    const table: Table = {
      kind: 'table', type: 'TABLE', ...spec, ...this.lifeOf(spec), physical: physical ?? newPhysical(), uid: randomUUID(),
      createdMs: now, modifiedMs: now, schemaChangedMs: now, appliedSeq: 0, buffered: [],
    };
    if (physical === undefined && table.type === 'TABLE') await connection.run(`CREATE TABLE ${physicalSql(table.physical)} (${columnsSql(table.fields)})`);
    const put = await this.catalogue.put(connection, table);
    return {
      table,
      publish: () => {
        put();
        this.journals.set(table.uid, new Journal(this.dir, table.uid, 0, this.now));
      },
    };
  }

  /** When the table, or its partitions, end if nobody says so: by the defaults of the dataset. */
  private lifeOf({ project, dataset, type, properties = {}, timePartitioning }: TableSpec): Pick<Table, 'properties' | 'timePartitioning'> {
    const defaults = this.catalogue.dataset(project, dataset).properties;
    if (type === 'VIEW') return { properties };
    const partitionMs = defaults['defaultPartitionExpirationMs'];
    if (timePartitioning !== undefined && partitionMs !== undefined) return { properties, timePartitioning: { expirationMs: String(partitionMs), ...timePartitioning } };
    const tableMs = Number(defaults['defaultTableExpirationMs'] ?? 0);
    const ends = tableMs > 0 && properties['expirationTime'] === undefined ? { expirationTime: String(this.now() + tableMs) } : {};
    return { properties: { ...properties, ...ends }, ...(timePartitioning === undefined ? {} : { timePartitioning }) };
  }

  /** Removes tables inside the caller's transaction. Their rows go when the last query that may read them has ended. */
  async drop(connection: DuckDBConnection, ...tables: Table[]): Promise<() => void> {
    const removed = await this.catalogue.remove(connection, ...tables);
    return () => {
      removed();
      for (const table of tables) {
        this.release(table);
        const journal = this.journals.get(table.uid);
        this.journals.delete(table.uid);
        void journal?.discard();
      }
    };
  }

  /** The physical table is nobody's any more. */
  release(table: Pick<Table, 'type' | 'physical'>): void {
    if (table.type === 'TABLE') this.orphans.add(table.physical);
    this.sweep();
  }

  /** While `work` runs, no physical table goes away, so names that it looked up stay good. */
  async reading<T>(work: () => Promise<T>): Promise<T> {
    this.readers += 1;
    try {
      return await work();
    } finally {
      this.readers -= 1;
      this.sweep();
    }
  }

  private sweep(): void {
    if (this.readers > 0 || this.orphans.size === 0) return;
    const orphans = [...this.orphans];
    this.orphans.clear();
    void this.engine.alone(async (connection) => {
      for (const physical of orphans) await connection.run(`DROP TABLE IF EXISTS ${physicalSql(physical)}`);
    }).catch((error: unknown) => console.error('bigquery: a dropped table stays on disk until the next start', error));
  }

  /** Changes a table's description (not its rows) in a transaction of its own. `next` sees the table as it is then. */
  async update(found: Table, next: (table: Table) => Table): Promise<Table> {
    const { table, publish } = await this.engine.change(async (connection) => {
      const current = this.catalogue.table(found.project, found.dataset, found.table);
      const wanted = next(current);
      const added: AddedField[] = [];
      // A view has the columns that its query gives, whatever it had before.
      const fields = current.type === 'VIEW' ? wanted.fields : evolve(`${current.project}:${current.dataset}.${current.table}`, current.fields, wanted.fields, added);
      if (current.type === 'TABLE') await widenPhysical(connection, physicalSql(current.physical), current.fields, fields);
      const now = this.now();
      const changed: Table = { ...wanted, fields, modifiedMs: now, schemaChangedMs: added.length > 0 ? now : current.schemaChangedMs };
      return { table: changed, publish: await this.catalogue.put(connection, changed) };
    });
    publish();
    return table;
  }

  /** Stores lines (made for this table's columns); resolves when they are on disk. */
  async append(table: Table, lines: Buffer, rows: number, way: Way): Promise<void> {
    const journal = this.journals.get(table.uid);
    if (journal === undefined) throw new Refusal('notFound', `Not found: Table ${table.project}:${table.dataset}.${table.table}`);
    await journal.append(lines, rows, way);
  }

  /** Others that hold acknowledged rows of a table (write streams), asked before the journal is. */
  readonly settlers: ((uid: string) => Promise<void>)[] = [];

  /** After this, DuckDB has every row of these tables that was acknowledged before the call. */
  async settle(...tables: Pick<Table, 'uid'>[]): Promise<void> {
    for (const { uid } of tables) {
      for (const settler of this.settlers) await settler(uid);
      const journal = this.journals.get(uid);
      if (journal === undefined || journal.pendingRows === 0) continue;
      for (const file of await journal.seal()) await this.apply(uid, journal, file);
    }
  }
  private settling: Promise<void> | undefined;
  private settleAll(): Promise<void> {
    return (this.settling ??= this.settle(...[...this.journals.keys()].map((uid) => ({ uid }))).finally(() => (this.settling = undefined)));
  }

  /** One journal file and the note that it is in, in one transaction: a kill between the two cannot double or lose rows. */
  private async apply(uid: string, journal: Journal, file: SealedFile): Promise<void> {
    const publish = await this.engine.change(async (connection) => {
      const table = this.catalogue.all('table').find((other) => other.uid === uid);
      if (table === undefined || file.seq <= table.appliedSeq) return undefined;
      const from = await nextRowid(connection, table.physical);
      const inserted = await connection.run(`INSERT INTO ${physicalSql(table.physical)} BY NAME ${readLinesSql(file.path, table.fields)}`).catch((error: unknown) => {
        throw new Refusal('internalError', `Rows of ${table.dataset}.${table.table} that were acknowledged could not be read from ${file.path}: ${(error as Error).message}`);
      });
      const buffered = this.withSegment(table, { from, to: from + inserted.rowsChanged, atMs: file.firstAtMs, way: file.way });
      return this.catalogue.put(connection, { ...table, appliedSeq: file.seq, buffered, modifiedMs: this.now() });
    });
    publish?.();
    journal.applied(file);
  }

  /** Rows from files of lines into the table of this uid, inside the caller's transaction; call the answer after the commit. */
  async insertLines(connection: DuckDBConnection, uid: string, parts: readonly { path: string; skip: number; take: number }[]): Promise<() => void> {
    let table = this.catalogue.all('table').find((other) => other.uid === uid);
    if (table === undefined || parts.length === 0) return () => undefined;
    for (const { path, skip, take } of parts) {
      const from = await nextRowid(connection, table.physical);
      await connection.run(`INSERT INTO ${physicalSql(table.physical)} BY NAME SELECT * FROM (${readLinesSql(path, table.fields)}) LIMIT ${take} OFFSET ${skip}`);
      table = { ...table, buffered: this.withSegment(table, { from, to: from + take, atMs: this.now(), way: 'write' }), modifiedMs: this.now() };
    }
    return this.catalogue.put(connection, table);
  }

  private withSegment(table: Table, added: BufferedRows): BufferedRows[] {
    const segments = this.buffered(table);
    const last = segments.at(-1);
    if (last !== undefined && last.to === added.from && last.way === added.way && added.atMs - last.atMs < BUFFER_SEGMENT_MS) return [...segments.slice(0, -1), { ...last, to: added.to }];
    return [...segments, added];
  }

  /** Rows that tabledata.list and copy jobs do not see yet. */
  buffered(table: Table): BufferedRows[] {
    return table.buffered.filter((segment) => segment.atMs + BUFFER_MS > this.now());
  }

  /** A condition on rowid that leaves the buffered rows out. */
  visibleSql(table: Table): string {
    return this.buffered(table).map(({ from, to }) => `NOT (rowid >= ${from} AND rowid < ${to})`).join(' AND ') || 'TRUE';
  }

  /** Rows and bytes. Bytes are rows times the logical size of a sample of them, since DuckDB cannot say what BigQuery would count. */
  async counts(table: Table): Promise<Counts> {
    if (table.type === 'VIEW') return { rows: 0, bytes: 0, bufferedRows: 0, bufferedBytes: 0, oldestBufferedMs: 0 };
    const rows = await this.engine.read(async (connection) => Number((await rowsOf(connection, `SELECT count(*) AS n FROM ${physicalSql(table.physical)}`))[0]?.['n'] ?? 0));
    const rowBytes = rows === 0 ? 0 : await this.bytesPerRow(table);
    const journal = this.journals.get(table.uid);
    const segments = this.buffered(table);
    const settled = segments.reduce((sum, { from, to }) => sum + to - from, 0);
    const pending = journal?.pendingRows ?? 0;
    return {
      rows: rows - settled, bytes: Math.round((rows - settled) * rowBytes), bufferedRows: settled + pending,
      bufferedBytes: Math.round(settled * rowBytes) + (journal?.pendingBytes ?? 0), oldestBufferedMs: segments[0]?.atMs ?? this.now(),
    };
  }

  private async bytesPerRow(table: Table): Promise<number> {
    let bytes = this.rowBytes.get(table);
    if (bytes === undefined) {
      const sql = `SELECT CAST(to_json(sample) AS VARCHAR) AS row FROM (SELECT * FROM ${physicalSql(table.physical)} LIMIT 200) AS sample`;
      const rows = await this.engine.read((connection) => rowsOf(connection, sql));
      bytes = rows.reduce((sum, { row }) => sum + sizeOf(table.fields, row as string), 0) / rows.length;
      this.rowBytes.set(table, bytes);
    }
    return bytes;
  }

  get pendingRows(): number {
    return [...this.journals.values()].reduce((sum, journal) => sum + journal.pendingRows, 0);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.settleAll();
  }
}

/** DuckDB writes infinities and NaN into its JSON as bare words, which nothing parses: such a row counts with its text. */
function sizeOf(fields: TableField[], row: string): number {
  try {
    return logicalBytes(fields, JSON.parse(row) as Record<string, unknown>);
  } catch {
    return row.length;
  }
}

/** Only what is committed has its final row numbers, so the caller adds what it inserts. */
async function nextRowid(connection: DuckDBConnection, physical: string): Promise<number> {
  return Number((await rowsOf(connection, `SELECT coalesce(max(rowid) + 1, 0) AS n FROM ${physicalSql(physical)}`))[0]?.['n'] ?? 0);
}

/** A SELECT over a file of lines, with exactly a table's columns and types; what a line lacks is NULL. */
export function readLinesSql(path: string, fields: TableField[]): string {
  const columns = fields.map((field) => `${literal(field.name)}: ${literal(duckType(asText(field)))}`).join(', ');
  const values = fields.map((field) => (duckType(field) === duckType(asText(field)) ? quoted(field.name) : `CAST(${quoted(field.name)} AS ${duckType(field)}) AS ${quoted(field.name)}`));
  return `SELECT ${values.join(', ')} FROM read_json(${literal(path)}, format = 'newline_delimited', records = true, compression = 'uncompressed', maximum_object_size = 33554432, columns = {${columns}})`;
}

/** read_json takes the text of a BLOB for its bytes, where the cast from text knows \xFF; and a JSON null for no value, where the cast keeps the two apart. */
const asText = (field: TableField): TableField =>
  typeOf(field) === 'BYTES' || typeOf(field) === 'JSON' ? { ...field, type: 'STRING' } : field.fields === undefined ? field : { ...field, fields: field.fields.map(asText) };
