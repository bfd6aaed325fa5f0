// A query job: GoogleSQL in, rows (in a result file or a destination table), statistics and a commit out. Called by jobs through http-jobs.ts.
import { randomUUID } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Table } from './catalogue.ts';
import { checkDestination, commitRows, readDisposition, type Disposition } from './destination.ts';
import { carryOut } from './ddl.ts';
import { columnsSql, duckType, quoted, type TableField } from './fields.ts';
import type { Job, OnCancel, TableReference, Work } from './jobs.ts';
import { Refusal } from './refusal.ts';
import { guardingRecentRows } from './recent-rows.ts';
import { readExport, writeObjects } from './run-extract.ts';
import type { Results } from './results.ts';
import type { Parameter, SqlContext, TableEntry, TranslatedStatement } from './sql/context.ts';
import { fromDuckError } from './sql/google-sql-error.ts';
import { typeOfField } from './sql/sql-type.ts';
import { storedValue } from './sql/stored-value.ts';
import { newPhysical, physicalSql, type TableStore } from './table-store.ts';
import { fieldOf, wireRowSql } from './wire-rows.ts';

export type Translate = (sql: string, context: SqlContext) => TranslatedStatement[];

/** `configuration.query` of a job. */
export type QueryConfiguration = {
  query: string;
  defaultDataset?: { projectId?: string; datasetId: string };
  destinationTable?: TableReference;
  queryParameters?: Parameter[];
} & Record<string, unknown>;

export type QueryRunner = { store: TableStore; results: Results; translate: Translate; storageUrl: string | undefined };

const NOT_IMPLEMENTED = ['tableDefinitions', 'userDefinedFunctionResources', 'continuous', 'connectionProperties', 'createSession'];

/** Checks a configuration and translates its text; every refusal comes from here, before a job is started. */
export function plan(runner: QueryRunner, project: string, config: QueryConfiguration): TranslatedStatement[] {
  if (typeof config.query !== 'string' || config.query.trim() === '') throw new Refusal('required', 'Required parameter is missing: query');
  if (config['useLegacySql'] === true) throw new Refusal('notImplemented', 'Legacy SQL is not implemented in the local BigQuery.');
  for (const name of NOT_IMPLEMENTED) if (config[name] !== undefined && config[name] !== false) throw new Refusal('notImplemented', `configuration.query.${name} is not implemented in the local BigQuery.`);
  const statements = runner.translate(config.query, contextOf(runner.store, project, config));
  if (statements.length === 0) throw new Refusal('invalidQuery', 'Syntax error: Unexpected end of statement', 'query');
  if (config.destinationTable !== undefined && isScript(statements)) throw new Refusal('invalid', 'configuration.query.destinationTable cannot be set for scripts');
  if (config.destinationTable !== undefined) checkDestination(runner.store, disposition(config));
  for (const statement of statements) checkPartitionFilters(config.query, tablesOf(runner.store, statement));
  return statements;
}

/**
 * A table with requirePartitionFilter wants its column in a condition. Whether the text has such a condition is told by the column's name behind a WHERE:
 * what Google would refuse in spite of that (a condition that prunes nothing) is let through. Tables behind a view are not looked at.
 */
function checkPartitionFilters(text: string, tables: Table[]): void {
  for (const table of tables) {
    const field = table.timePartitioning?.field;
    if (table.properties['requirePartitionFilter'] !== true || field === undefined || !text.includes(table.table)) continue;
    if (/^\s*insert\b/i.test(text) || new RegExp(`\\b(where|on)\\b[\\s\\S]*\\b${field}\\b`, 'i').test(text)) continue;
    throw new Refusal('invalidQuery', `Cannot query over table '${table.project}.${table.dataset}.${table.table}' without a filter over column(s) '${field}' that can be used for partition elimination`, 'query');
  }
}

export function contextOf(store: TableStore, project: string, config: QueryConfiguration): SqlContext {
  return {
    project, catalogue: sqlCatalogue(store), parameters: config.queryParameters ?? [], now: new Date(store.now()),
    ...(config.defaultDataset === undefined ? {} : { defaultDataset: config.defaultDataset.datasetId }),
  };
}

const disposition = (config: QueryConfiguration): Disposition => readDisposition(config, 'WRITE_EMPTY', config.destinationTable!);

export const isScript = (statements: TranslatedStatement[]): boolean => statements[0]?.kind === 'script';

/** The catalogue as the translation wants it. */
export function sqlCatalogue(store: TableStore): SqlContext['catalogue'] {
  const entry = (table: Table): TableEntry => ({
    project: table.project, dataset: table.dataset, table: table.table, type: table.type, fields: table.fields,
    duckName: physicalSql(table.physical), createdMs: table.createdMs, modifiedMs: table.modifiedMs, properties: table.properties,
    ...(table.timePartitioning === undefined ? {} : { timePartitioning: table.timePartitioning }),
    ...(table.clustering === undefined ? {} : { clustering: table.clustering }), ...(table.viewQuery === undefined ? {} : { viewQuery: table.viewQuery }),
  });
  return {
    find: (project, dataset, table) => {
      const found = store.catalogue.findTable(project, dataset, table);
      return found === undefined ? undefined : entry(found);
    },
    list: (dataset) => store.catalogue.all('table').filter((table) => table.dataset === dataset).map(entry),
    routine: (dataset, name) => store.catalogue.all('routine').find((routine) => routine.dataset === dataset && routine.routine.toLowerCase() === name.toLowerCase())?.entry,
    routines: (dataset) => store.catalogue.all('routine').filter((routine) => routine.dataset === dataset).map(({ entry: routine, createdMs, modifiedMs }) => ({ ...routine, createdMs, modifiedMs })),
    datasets: () => store.catalogue.all('dataset').filter(({ dataset }) => !dataset.startsWith('_')),
  };
}

/** Runs the one statement of a query that is no script; it is committed together with the job. */
export function runQuery(runner: QueryRunner, job: Job, onCancel: OnCancel): Promise<Work> {
  const config = job.configuration['query'] as QueryConfiguration;
  return runner.store.reading(async () => {
    // Names are looked up again here, inside `reading`: since the check a table may have been replaced.
    const statements = plan(runner, job.project, config);
    const [statement] = statements;
    if (statement === undefined) throw new Error('a plan has a statement');
    const work = await runStatement(runner, job, config, statement, fileName(job), onCancel);
    const bytes = await processedBytes(runner, statements);
    return { ...work, statistics: mergeQuery({ ...statisticsOf(statements, bytes), ...work.statistics }, bytes, statements) };
  });
}

/** Where the rows of a job are kept. */
export const fileName = (job: Job): string => `${Buffer.from(`${job.project}:${job.jobId}`).toString('hex').slice(0, 120)}-${randomUUID()}`;

export async function runStatement(runner: QueryRunner, job: Job, config: QueryConfiguration, statement: TranslatedStatement, file: string, onCancel: OnCancel): Promise<Work> {
  const { store } = runner;
  await store.settle(...tablesOf(store, statement));
  switch (statement.kind) {
    case 'select': {
      // Rows that go into a table are as many as a table has: on the disk the fold of a day of 10^6 rows takes half as long again.
      const memory = { isLarge: config.destinationTable !== undefined };
      return store.engine.read(async (connection) => {
        onCancel(() => connection.interrupt());
        try {
          return await (config.destinationTable === undefined
            ? selectIntoFile(runner, connection, statement, file)
            : selectIntoTable(runner, connection, statement, disposition(config)));
        } catch (error) {
          return asQueryError(error);
        } finally {
          // From here on the connection is another job's.
          onCancel(undefined);
        }
      }, memory);
    }
    case 'dml':
      return { statistics: {}, ...dml(store, statement) };
    case 'export':
      return runExport(runner, statement, onCancel);
    case 'ddl':
      return carryOut(store, job.project, statement.ddl!, statement.statementType);
    case 'value': case 'script': case 'transaction':
      throw new Error(`a statement of kind ${statement.kind} is run by run-script.ts`);
  }
}

/** DuckDB's words for what went wrong, in BigQuery's where they are known. */
export function asQueryError(error: unknown): never {
  const { reason, message } = error as { reason?: string; message: string };
  throw reason === undefined ? fromDuckError(message) : error;
}

/** The tables that a statement reads or changes, as they are now. */
export function tablesOf(store: TableStore, statement: TranslatedStatement): Table[] {
  const entries = statement.target === undefined ? statement.tables : [...statement.tables, statement.target];
  return entries.flatMap((entry) => store.catalogue.findTable(entry.project, entry.dataset, entry.table) ?? []);
}

/** Result columns: names and types that the translation knows, else DuckDB's. */
export async function resultFields(connection: DuckDBConnection, statement: TranslatedStatement): Promise<TableField[]> {
  const prepared = await connection.prepare(statement.duckSql);
  const derived: TableField[] = [];
  for (let at = 0; at < prepared.columnCount; at += 1) derived.push(fieldOf(prepared.columnName(at), prepared.columnType(at)));
  prepared.destroySync();
  const fields = statement.fields !== undefined && statement.fields.length === derived.length ? statement.fields.map((field) => ({ ...field, mode: field.mode ?? 'NULLABLE' })) : derived;
  const names = fields.map((field) => field.name.toLowerCase());
  const doubled = names.find((name, at) => names.indexOf(name) !== at);
  if (doubled !== undefined) throw new Refusal('invalidQuery', `Duplicate column names in the result are not supported. Found duplicate(s): ${doubled}`, 'query');
  return fields;
}

/** The statement as a FROM item whose columns are c0, c1, …, so that its own names cannot clash with anything. */
const numbered = (statement: TranslatedStatement, fields: TableField[]): string => `(${statement.duckSql.replace(/;\s*$/, '')}\n) AS _q(${fields.map((_, at) => `_c${at}`).join(', ')})`;

async function selectIntoFile(runner: QueryRunner, connection: DuckDBConnection, statement: TranslatedStatement, file: string): Promise<Work> {
  const fields = await resultFields(connection, statement);
  const rows = await runner.results.write(file, connection, `SELECT ${wireRowSql(fields, fields.map((_, at) => `_c${at}`))} FROM ${numbered(statement, fields)}`);
  return { statistics: {}, result: { fields, rows, file } };
}

async function selectIntoTable(runner: QueryRunner, connection: DuckDBConnection, statement: TranslatedStatement, to: Disposition): Promise<Work> {
  const { store } = runner;
  const fields = await resultFields(connection, statement);
  const { physical, rows } = await prepareRows(connection, statement.duckSql, fields);
  const target = checkDestination(store, to);
  if (target !== undefined) await store.settle(target);
  return {
    statistics: {},
    result: { fields, rows, table: { ...to.reference, tableId: to.reference.tableId.split('$')[0]! } },
    commit: (writer) => commitRows(store, writer, to, physical, fields),
    abandon: () => store.release({ type: 'TABLE', physical }),
  };
}

async function runExport({ store, storageUrl }: QueryRunner, statement: TranslatedStatement, onCancel: OnCancel): Promise<Work> {
  const target = await readExport(statement.exportOptions ?? {}, storageUrl);
  return store.engine.read(async (connection) => {
    onCancel(() => connection.interrupt());
    try {
      const fields = await resultFields(connection, statement);
      const { files, rows } = await writeObjects(connection, `SELECT ${wireRowSql(fields, fields.map((_, at) => `_c${at}`))} FROM ${numbered(statement, fields)}`, fields, target);
      return { statistics: { query: { exportDataStatistics: { fileCount: String(files), rowCount: String(rows) } } }, result: { fields: [], rows: 0 } };
    } catch (error) {
      return asQueryError(error);
    } finally {
      onCancel(undefined);
    }
  });
}

/** Rows of a SELECT in a new physical table that nobody knows yet. */
export async function prepareRows(connection: DuckDBConnection, duckSql: string, fields: TableField[]): Promise<{ physical: string; rows: number }> {
  const physical = newPhysical();
  const values = fields.map((field, at) => storedValue(`CAST(_c${at} AS ${duckType(field)})`, typeOfField(field)));
  await connection.run(`CREATE TABLE ${physicalSql(physical)} (${columnsSql(fields)})`);
  try {
    const result = await connection.run(`INSERT INTO ${physicalSql(physical)} (${fields.map((field) => quoted(field.name)).join(', ')}) SELECT ${values.join(', ')} FROM (${duckSql.replace(/;\s*$/, '')}\n) AS _q(${fields.map((_, at) => `_c${at}`).join(', ')})`);
    return { physical, rows: result.rowsChanged };
  } catch (error) {
    await connection.run(`DROP TABLE IF EXISTS ${physicalSql(physical)}`);
    throw error;
  }
}

/** INSERT, UPDATE, DELETE, MERGE, TRUNCATE: run inside the commit itself, so that they see and change one state. */
function dml(store: TableStore, statement: TranslatedStatement): Omit<Work, 'statistics'> {
  const result: NonNullable<Work['result']> = { fields: [], rows: 0, dmlRows: 0 };
  return {
    result,
    commit: async (connection) => {
      const target = statement.target;
      const table = target === undefined ? undefined : store.catalogue.findTable(target.project, target.dataset, target.table);
      // A job that replaced the rows since the statement was planned: it would change rows that nobody reads any more.
      if (target !== undefined && (table === undefined || physicalSql(table.physical) !== target.duckName)) throw new Refusal('invalidQuery', `Could not serialize access to table ${target.project}:${target.dataset}.${target.table} due to concurrent update`, 'query');
      const change = async (): Promise<void> => {
        if (statement.checkSql !== undefined) await connection.run(statement.checkSql).catch(asQueryError);
        result.dmlRows = (await connection.run(statement.duckSql).catch(asQueryError)).rowsChanged;
      };
      await (table === undefined ? change() : guardingRecentRows(store, connection, table, change));
      if (table === undefined) return () => undefined;
      return store.catalogue.put(connection, { ...table, modifiedMs: store.now(), buffered: statement.statementType === 'INSERT' ? table.buffered : [] });
    },
  };
}

/** Whole tables are counted: DuckDB does not say which columns' bytes BigQuery would bill. */
export async function processedBytes(runner: QueryRunner, statements: TranslatedStatement[]): Promise<number> {
  const tables = new Set(statements.flatMap((statement) => tablesOf(runner.store, statement)));
  let bytes = 0;
  for (const table of tables) {
    const counts = await runner.store.counts(table);
    bytes += counts.bytes + counts.bufferedBytes;
  }
  return bytes;
}

export function statisticsOf(statements: TranslatedStatement[], bytes: number): Record<string, unknown> {
  const tables = new Map(statements.flatMap((statement) => statement.tables).map((entry) => [entry.duckName, entry]));
  const referenced = [...tables.values()].map((entry) => ({ projectId: entry.project, datasetId: entry.dataset, tableId: entry.table }));
  return {
    totalBytesProcessed: String(bytes),
    query: {
      totalBytesProcessed: String(bytes), totalBytesBilled: String(bytes), cacheHit: false,
      statementType: statements[0]!.statementType,
      ...(referenced.length > 0 ? { referencedTables: referenced } : {}),
    },
  };
}

/** A statement's own additions to `statistics.query` (ddlOperationPerformed, …) beside the common ones. */
export function mergeQuery(statistics: Record<string, unknown>, bytes: number, statements: TranslatedStatement[]): Record<string, unknown> {
  const common = statisticsOf(statements, bytes);
  return { ...common, ...statistics, query: { ...(common['query'] as object), ...(statistics['query'] as object) } };
}
