// Puts rows that a job has prepared in a table of their own into its destination: dispositions, partition decorators, schema updates. Called by
// query, load and copy jobs; the commit happens in the transaction that writes DONE.
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Table } from './catalogue.ts';
import { rowsOf } from './engine.ts';
import { evolve, literal, quoted, typeOf, duckType, type AddedField, type TableField } from './fields.ts';
import type { TableReference } from './jobs.ts';
import { Refusal } from './refusal.ts';
import { physicalSql, type TableStore } from './table-store.ts';
import { widenPhysical } from './widen.ts';

export type Disposition = {
  reference: TableReference;
  create: 'CREATE_IF_NEEDED' | 'CREATE_NEVER';
  write: 'WRITE_TRUNCATE' | 'WRITE_APPEND' | 'WRITE_EMPTY';
  clustering?: string[];
  timePartitioning?: NonNullable<Table['timePartitioning']>;
  schemaUpdateOptions: string[];
};

/** Reads destinationTable, createDisposition, writeDisposition and what goes with them. */
export function readDisposition(config: Record<string, unknown>, write: Disposition['write'], reference: TableReference): Disposition {
  const oneOf = <T extends string>(name: string, allowed: readonly T[], otherwise: T): T => {
    const value = config[name] ?? otherwise;
    if (!allowed.includes(value as T)) throw new Refusal('invalid', `Invalid value for ${name}: ${JSON.stringify(value)} is not a valid value; valid are ${allowed.join(', ')}.`);
    return value as T;
  };
  for (const name of ['rangePartitioning', 'destinationEncryptionConfiguration']) {
    if (config[name] !== undefined) throw new Refusal('notImplemented', `${name} is not implemented in the local BigQuery.`);
  }
  const clustering = (config['clustering'] as { fields?: string[] } | undefined)?.fields;
  const timePartitioning = config['timePartitioning'] as Table['timePartitioning'];
  return {
    reference,
    create: oneOf('createDisposition', ['CREATE_IF_NEEDED', 'CREATE_NEVER'], 'CREATE_IF_NEEDED'),
    write: oneOf('writeDisposition', ['WRITE_TRUNCATE', 'WRITE_APPEND', 'WRITE_EMPTY'], write),
    schemaUpdateOptions: (config['schemaUpdateOptions'] as string[] | undefined) ?? [],
    ...(clustering === undefined ? {} : { clustering }),
    ...(timePartitioning === undefined ? {} : { timePartitioning }),
  };
}

/** `table$20260115` is partition 20260115 of `table`. */
export function splitDecorator(tableId: string): { table: string; partition?: string } {
  const [table, partition] = tableId.split('$');
  return partition === undefined ? { table: table! } : { table: table!, partition };
}

/** Refuses early what the commit would refuse, before any work is done. */
export function checkDestination(store: TableStore, to: Disposition): Table | undefined {
  const { projectId, datasetId, tableId } = to.reference;
  store.catalogue.dataset(projectId, datasetId);
  const { table } = splitDecorator(tableId);
  const found = store.catalogue.findTable(projectId, datasetId, table);
  if (found === undefined && to.create === 'CREATE_NEVER') throw new Refusal('notFound', `Not found: Table ${projectId}:${datasetId}.${table}`);
  if (found?.type === 'VIEW') throw new Refusal('invalid', `${projectId}:${datasetId}.${table} is not allowed for this operation because it is currently a VIEW.`);
  return found;
}

/**
 * Moves the rows of `prepared` (a physical table with the columns `fields`) into the destination. Answers what to make visible after
 * the commit; that also releases physical tables that nobody needs any more.
 */
export async function commitRows(store: TableStore, connection: DuckDBConnection, to: Disposition, prepared: string, fields: TableField[]): Promise<() => void> {
  const found = checkDestination(store, to);
  const { projectId: project, datasetId: dataset, tableId } = to.reference;
  const { table, partition } = splitDecorator(tableId);
  const settings = { ...(to.clustering === undefined ? {} : { clustering: to.clustering }), ...(to.timePartitioning === undefined ? {} : { timePartitioning: to.timePartitioning }) };
  for (const column of settings.clustering ?? []) {
    if (!fields.some((field) => field.name.toLowerCase() === column.toLowerCase())) throw new Refusal('invalid', `The field specified for clustering cannot be found in the schema: ${column}`);
  }
  if (found === undefined) {
    const adopted = partition === undefined ? prepared : undefined;
    const made = await store.create(connection, { project, dataset, table, fields, ...settings }, { physical: adopted });
    if (partition !== undefined) await insertInto(connection, made.table, prepared, fields, partition);
    return () => {
      made.publish();
      if (adopted === undefined) store.release({ type: 'TABLE', physical: prepared });
    };
  }
  if (to.write === 'WRITE_EMPTY' && await holdsRows(connection, found, partition)) {
    throw new Refusal('duplicate', `Already Exists: Table ${project}:${dataset}.${tableId}`);
  }
  if (to.write === 'WRITE_TRUNCATE' && partition === undefined) return replaceWhole(store, connection, { ...found, ...settings }, prepared, fields);

  const changed = await widen(connection, { ...found, modifiedMs: store.now() }, fields, to.schemaUpdateOptions);
  if (to.write === 'WRITE_TRUNCATE') {
    await connection.run(`DELETE FROM ${physicalSql(found.physical)} WHERE ${partitionSql(found, partition!)}`);
    changed.buffered = []; // Row numbers of the buffer mean nothing once rows are gone.
  }
  await insertInto(connection, changed, prepared, fields, partition);
  const put = await store.catalogue.put(connection, changed);
  return () => {
    put();
    store.release({ type: 'TABLE', physical: prepared });
  };
}

async function replaceWhole(store: TableStore, connection: DuckDBConnection, found: Table, prepared: string, fields: TableField[]): Promise<() => void> {
  const now = store.now();
  const next: Table = { ...found, fields, physical: prepared, buffered: [], modifiedMs: now, schemaChangedMs: now };
  const put = await store.catalogue.put(connection, next);
  return () => {
    put();
    store.release(found);
  };
}

async function holdsRows(connection: DuckDBConnection, table: Table, partition: string | undefined): Promise<boolean> {
  const where = partition === undefined ? 'TRUE' : partitionSql(table, partition);
  return (await rowsOf(connection, `SELECT 1 FROM ${physicalSql(table.physical)} WHERE ${where} LIMIT 1`)).length > 0;
}

/** Adds columns that the rows have and the table lacks, if the job allows that. */
async function widen(connection: DuckDBConnection, table: Table, fields: TableField[], options: string[]): Promise<Table> {
  const name = `${table.project}:${table.dataset}.${table.table}`;
  const known = new Set(table.fields.map((field) => field.name.toLowerCase()));
  const wanted = [
    ...table.fields.map((field) => {
      const given = fields.find((other) => other.name.toLowerCase() === field.name.toLowerCase());
      if (given !== undefined && field.mode === 'REQUIRED' && given.mode !== 'REQUIRED') return relaxed(name, given, options);
      return given === undefined ? field : { ...given, mode: field.mode ?? 'NULLABLE', ...(field.mode === 'REPEATED' ? { mode: given.mode ?? 'NULLABLE' } : {}) };
    }),
    ...fields.filter((field) => !known.has(field.name.toLowerCase())),
  ];
  const added: AddedField[] = [];
  const merged = evolve(name, table.fields, wanted.map((field) => withNested(table.fields, field)), added);
  if (added.length > 0 && !options.includes('ALLOW_FIELD_ADDITION')) {
    throw new Refusal('invalid', `Provided Schema does not match Table ${name}. Cannot add fields (field: ${added[0]!.field.name})`);
  }
  await widenPhysical(connection, physicalSql(table.physical), table.fields, merged);
  return { ...table, fields: merged };
}

function relaxed(table: string, given: TableField, options: string[]): TableField {
  if (!options.includes('ALLOW_FIELD_RELAXATION')) throw new Refusal('invalid', `Provided Schema does not match Table ${table}. Field ${given.name} has changed mode from REQUIRED to NULLABLE`);
  return { ...given, mode: 'NULLABLE' };
}

/** Rows may lack fields of a RECORD that the table has; those stay in the schema. */
function withNested(current: TableField[], wanted: TableField): TableField {
  const known = current.find((field) => field.name.toLowerCase() === wanted.name.toLowerCase());
  if (known?.fields === undefined || wanted.fields === undefined) return wanted;
  const given = wanted.fields.map((field) => withNested(known.fields!, field));
  const missing = known.fields.filter((field) => !given.some((other) => other.name.toLowerCase() === field.name.toLowerCase()));
  return { ...wanted, fields: [...given, ...missing] };
}

async function insertInto(connection: DuckDBConnection, table: Table, prepared: string, fields: TableField[], partition: string | undefined): Promise<void> {
  if (partition !== undefined) {
    const strays = await rowsOf(connection, `SELECT 1 FROM ${physicalSql(prepared)} WHERE (${partitionSql(table, partition)}) IS NOT TRUE LIMIT 1`);
    if (strays.length > 0) throw new Refusal('invalid', `Some rows belong to different partitions rather than destination partition ${partition}`);
  }
  const pairs = fields.map((field) => {
    const target = table.fields.find((other) => other.name.toLowerCase() === field.name.toLowerCase())!;
    return { name: quoted(target.name), value: `CAST(${quoted(field.name)} AS ${duckType(target)})` };
  });
  await connection.run(`INSERT INTO ${physicalSql(table.physical)} (${pairs.map((pair) => pair.name).join(', ')}) SELECT ${pairs.map((pair) => pair.value).join(', ')} FROM ${physicalSql(prepared)}`);
}

const PARTITION_FORMATS: Record<string, string> = { HOUR: '%Y%m%d%H', DAY: '%Y%m%d', MONTH: '%Y%m', YEAR: '%Y' };

/** A condition that holds for the rows of one partition. */
function partitionSql(table: Table, partition: string): string {
  const { type, field: name } = table.timePartitioning ?? {};
  if (type === undefined) throw new Refusal('invalid', `Cannot use a partition decorator ($${partition}): Table ${table.project}:${table.dataset}.${table.table} is not partitioned.`);
  if (name === undefined) throw new Refusal('notImplemented', `Table ${table.table} is partitioned by ingestion time, which is not implemented in the local BigQuery; partition by a column.`);
  const field = table.fields.find((other) => other.name.toLowerCase() === name.toLowerCase());
  if (field === undefined) throw new Refusal('invalid', `The partitioning column ${name} is missing in ${table.table}.`);
  if (partition === '__NULL__') return `${quoted(field.name)} IS NULL`;
  const format = PARTITION_FORMATS[type];
  const digits = { HOUR: 10, DAY: 8, MONTH: 6, YEAR: 4 }[type];
  if (format === undefined || partition.length !== digits || !/^\d+$/.test(partition)) throw new Refusal('invalid', `Invalid partition id ${partition} for a table partitioned by ${type}.`);
  if (!['DATE', 'DATETIME', 'TIMESTAMP'].includes(typeOf(field))) throw new Refusal('invalid', `A table cannot be partitioned by ${name}: it is a ${field.type}.`);
  return `strftime(${quoted(field.name)}, ${literal(format)}) = ${literal(partition)}`;
}
