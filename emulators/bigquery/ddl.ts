// CREATE, ALTER and DROP: takes the parsed statement of sql/translate, changes the catalogue in the transaction that ends the job. Called by run-query.ts.
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Dataset, Routine, Table } from './catalogue.ts';
import { columnSql, duckType, quoted, readFields, type TableField } from './fields.ts';
import type { Work } from './jobs.ts';
import { Refusal } from './refusal.ts';
import { prepareRows } from './run-query.ts';
import type { ColumnChange, Ddl, TablePath } from './sql/context.ts';
import { physicalSql, type TableStore } from './table-store.ts';

type Of<K extends Ddl['kind']> = Extract<Ddl, { kind: K }>;
type Publish = () => void;
const NOTHING: Publish = () => undefined;

export async function carryOut(store: TableStore, project: string, ddl: Ddl, statementType: string): Promise<Work> {
  const work = (commit: (connection: DuckDBConnection) => Promise<Publish>, operation: string, path?: TablePath, rows = 0): Work => ({
    commit,
    result: { fields: [], rows },
    statistics: { query: { ddlOperationPerformed: operation, statementType, ...(path === undefined ? {} : { ddlTargetTable: { projectId: path.project, datasetId: path.dataset, tableId: path.table } }) } },
  });
  if (isSkipped(store, ddl, project)) return work(async () => NOTHING, 'SKIP', 'path' in ddl ? ddl.path : undefined);
  const operation = 'orReplace' in ddl && ddl.orReplace ? 'REPLACE' : ddl.kind === 'drop' ? 'DROP' : ddl.kind === 'alter_table' || ddl.kind === 'alter_schema' ? 'ALTER' : 'CREATE';
  switch (ddl.kind) {
    case 'create_table': {
      const made = await preparedRows(store, ddl);
      return { ...work((connection) => createTable(store, connection, ddl, made?.physical), operation, ddl.path, made?.rows), ...(made === undefined ? {} : { abandon: () => store.release({ type: 'TABLE', physical: made.physical }) }) };
    }
    case 'create_view':
      return work((connection) => createView(store, connection, ddl), operation, ddl.path);
    case 'create_function':
      return work((connection) => createFunction(store, connection, ddl), operation);
    case 'create_schema':
      return work((connection) => createSchema(store, connection, ddl, ddl.project || project), operation);
    case 'alter_schema':
      return work((connection) => alterSchema(store, connection, ddl), operation);
    case 'alter_table':
      return alterTable(store, ddl, work);
    case 'drop':
      return work((connection) => drop(store, connection, ddl), operation, ddl.path);
  }
}

/** IF NOT EXISTS of what exists, IF EXISTS of what does not: the commit would do nothing, and Google says so. */
function isSkipped({ catalogue }: TableStore, ddl: Ddl, project: string): boolean {
  switch (ddl.kind) {
    case 'create_schema': return ddl.ifNotExists && catalogue.findDataset(ddl.project || project, ddl.dataset) !== undefined;
    case 'create_table': case 'create_view': return ddl.ifNotExists && catalogue.findTable(ddl.path.project, ddl.path.dataset, ddl.path.table) !== undefined;
    case 'create_function': return ddl.ifNotExists && catalogue.findRoutine(ddl.path.project, ddl.path.dataset, ddl.path.table) !== undefined;
    case 'drop': return ddl.ifExists && !exists(catalogue, ddl);
    default: return false;
  }
}

function exists(catalogue: TableStore['catalogue'], { object, path }: Of<'drop'>): boolean {
  const { project, dataset, table } = path;
  if (object === 'SCHEMA') return catalogue.findDataset(project, dataset) !== undefined;
  return (object.endsWith('FUNCTION') ? catalogue.findRoutine(project, dataset, table) : catalogue.findTable(project, dataset, table)) !== undefined;
}

async function preparedRows(store: TableStore, ddl: Of<'create_table'>): Promise<{ physical: string; rows: number } | undefined> {
  const found = store.catalogue.findTable(ddl.path.project, ddl.path.dataset, ddl.path.table);
  if (found !== undefined && ddl.ifNotExists) return undefined;
  if (ddl.asSelect === undefined) return undefined;
  const select = ddl.asSelect;
  return store.engine.read((connection) => prepareRows(connection, select, normalised(ddl.fields)));
}

/** Columns as REST has them. DEFAULTs come by statement only: nothing else that writes rows would know them. */
const normalised = (fields: TableField[]): TableField[] =>
  readFields(fields.map(({ defaultValueExpression, ...field }) => field)).map((field, at) => (fields[at]!.defaultValueExpression === undefined ? field : { ...field, defaultValueExpression: fields[at]!.defaultValueExpression }));

const OPTION_NAMES: Record<string, string> = { description: 'description', friendly_name: 'friendlyName', labels: 'labels', expiration_timestamp: 'expirationTime', require_partition_filter: 'requirePartitionFilter' };

/** OPTIONS(…) as REST properties. */
function propertiesOf(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).flatMap(([name, value]) => {
    // All local tables are in one place, and nothing expires by partition here.
    if (name === 'partition_expiration_days' || name === 'location') return [];
    const property = OPTION_NAMES[name];
    if (property === undefined) throw new Refusal('notImplemented', `OPTIONS(${name}) is not implemented in the local BigQuery.`, 'query');
    return [[property, property === 'labels' ? labelsOf(value) : property === 'expirationTime' && value !== null ? String(Date.parse(String(value)) || value) : value]];
  }));
}

function labelsOf(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return Object.fromEntries(value.map((pair) => (Array.isArray(pair) ? pair : Object.values(pair as object)) as [string, string]));
}

/** `PARTITION BY` of an expression over one column. */
function partitioningOf(expression: string, fields: TableField[]): NonNullable<Table['timePartitioning']> {
  const match = /^(?:(?:DATE|TIMESTAMP_TRUNC|DATE_TRUNC|DATETIME_TRUNC)\s*\(\s*)?`?(\w+)`?\s*(?:,\s*(HOUR|DAY|MONTH|YEAR)\s*)?\)?$/i.exec(expression.trim());
  const field = match === null ? undefined : fields.find((other) => other.name.toLowerCase() === match[1]!.toLowerCase());
  if (match === null || field === undefined) throw new Refusal('notImplemented', `PARTITION BY ${expression} is not implemented in the local BigQuery: use a column, DATE(column) or *_TRUNC(column, unit).`, 'query');
  return { type: match[2]?.toUpperCase() ?? 'DAY', field: field.name };
}

async function createTable(store: TableStore, connection: DuckDBConnection, ddl: Of<'create_table'>, physical: string | undefined): Promise<Publish> {
  const { project, dataset, table } = ddl.path;
  const found = store.catalogue.findTable(project, dataset, table);
  if (found !== undefined && ddl.ifNotExists) return NOTHING;
  const fields = normalised(ddl.fields);
  const dropped = found !== undefined && ddl.orReplace ? await store.drop(connection, found) : NOTHING;
  const made = await store.create(connection, {
    ...ddl.path, fields, properties: propertiesOf(ddl.options),
    ...(ddl.clustering === undefined ? {} : { clustering: ddl.clustering }),
    ...(ddl.partitionBy === undefined ? {} : { timePartitioning: partitioningOf(ddl.partitionBy, fields) }),
  }, { physical, replaces: dropped === NOTHING ? undefined : found });
  return () => {
    dropped();
    made.publish();
  };
}

async function createView(store: TableStore, connection: DuckDBConnection, ddl: Of<'create_view'>): Promise<Publish> {
  const { project, dataset, table } = ddl.path;
  const found = store.catalogue.findTable(project, dataset, table);
  if (found !== undefined && ddl.ifNotExists) return NOTHING;
  const dropped = found !== undefined && ddl.orReplace ? await store.drop(connection, found) : NOTHING;
  const made = await store.create(connection, { ...ddl.path, type: 'VIEW', fields: ddl.fields, viewQuery: ddl.query, properties: propertiesOf(ddl.options) }, { replaces: dropped === NOTHING ? undefined : found });
  return () => {
    dropped();
    made.publish();
  };
}

async function createFunction(store: TableStore, connection: DuckDBConnection, ddl: Of<'create_function'>): Promise<Publish> {
  const { project, dataset, table: routine } = ddl.path;
  store.catalogue.dataset(project, dataset);
  const found = store.catalogue.findRoutine(project, dataset, routine);
  if (found !== undefined && ddl.ifNotExists) return NOTHING;
  if (found !== undefined && !ddl.orReplace) throw new Refusal('duplicate', `Already Exists: Routine ${project}:${dataset}.${routine}`);
  const now = store.now();
  const resource: Routine = {
    kind: 'routine', project, dataset, routine, createdMs: found?.createdMs ?? now, modifiedMs: now, entry: ddl.routine,
    resource: { routineType: ddl.routine.kind === 'TABLE_FUNCTION' ? 'TABLE_VALUED_FUNCTION' : 'SCALAR_FUNCTION', language: ddl.routine.language ?? 'SQL', definitionBody: ddl.routine.body, arguments: ddl.routine.arguments.map(argumentOf) },
  };
  return store.catalogue.put(connection, resource);
}

const argumentOf = ({ name, type }: Routine['entry']['arguments'][number]): object =>
  type === undefined ? { name, argumentKind: 'ANY_TYPE' } : { name, dataType: dataTypeOf(type) };

type SqlType = NonNullable<Routine['entry']['arguments'][number]['type']>;
const dataTypeOf = (type: SqlType): object => {
  if (type.kind === 'ARRAY') return { typeKind: 'ARRAY', arrayElementType: dataTypeOf(type.element) };
  if (type.kind === 'STRUCT') return { typeKind: 'STRUCT', structType: { fields: type.fields.map((field) => ({ name: field.name, type: dataTypeOf(field.type) })) } };
  return { typeKind: type.kind };
};

async function createSchema(store: TableStore, connection: DuckDBConnection, ddl: Of<'create_schema'>, project: string): Promise<Publish> {
  if (store.catalogue.findDataset(project, ddl.dataset) !== undefined) {
    if (ddl.ifNotExists) return NOTHING;
    throw new Refusal('duplicate', `Already Exists: Dataset ${project}:${ddl.dataset}`);
  }
  const now = store.now();
  const dataset: Dataset = { kind: 'dataset', project, dataset: ddl.dataset, createdMs: now, modifiedMs: now, properties: propertiesOf(ddl.options) };
  return store.catalogue.put(connection, dataset);
}

async function alterSchema(store: TableStore, connection: DuckDBConnection, ddl: Of<'alter_schema'>): Promise<Publish> {
  if (ddl.ifExists && store.catalogue.findDataset(ddl.project, ddl.dataset) === undefined) return NOTHING;
  const found = store.catalogue.dataset(ddl.project, ddl.dataset);
  return store.catalogue.put(connection, { ...found, modifiedMs: store.now(), properties: { ...found.properties, ...propertiesOf(ddl.options) } });
}

async function alterTable(store: TableStore, ddl: Of<'alter_table'>, work: (commit: (connection: DuckDBConnection) => Promise<Publish>, operation: string, path?: TablePath) => Work): Promise<Work> {
  const { project, dataset, table } = ddl.path;
  if (ddl.ifExists && store.catalogue.findTable(project, dataset, table) === undefined) return work(async () => NOTHING, 'SKIP', ddl.path);
  const found = store.catalogue.table(project, dataset, table);
  if (ddl.actions.some((action) => action.kind !== 'set_options' && action.kind !== 'add_column')) await store.settle(found);
  return work(async (connection) => {
    let current = store.catalogue.table(project, dataset, table);
    for (const action of ddl.actions) current = await alter(connection, current, action);
    const now = store.now();
    const changed = { ...current, modifiedMs: now, schemaChangedMs: now };
    if (changed.table === table) return store.catalogue.put(connection, changed);
    if (store.catalogue.findTable(project, dataset, changed.table) !== undefined) throw new Refusal('duplicate', `Already Exists: Table ${project}:${dataset}.${changed.table}`);
    const removed = await store.catalogue.remove(connection, store.catalogue.table(project, dataset, table));
    const put = await store.catalogue.put(connection, changed);
    return () => {
      removed();
      put();
    };
  }, 'ALTER', ddl.path);
}

async function alter(connection: DuckDBConnection, table: Table, action: Of<'alter_table'>['actions'][number]): Promise<Table> {
  const has = (name: string): TableField | undefined => table.fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
  const name = `${table.project}:${table.dataset}.${table.table}`;
  switch (action.kind) {
    case 'rename_table':
      return { ...table, table: action.to };
    case 'rename_column': {
      const field = has(action.name);
      if (field === undefined) {
        if (action.ifExists) return table;
        throw new Refusal('invalidQuery', `Column not found: ${action.name} in table ${name}`, 'query');
      }
      if (has(action.to) !== undefined && has(action.to) !== field) throw new Refusal('invalidQuery', `Column already exists: ${action.to} in table ${name}`, 'query');
      await connection.run(`ALTER TABLE ${physicalSql(table.physical)} RENAME COLUMN ${quoted(field.name)} TO ${quoted(action.to)}`);
      return { ...table, fields: table.fields.map((other) => (other === field ? { ...field, name: action.to } : other)) };
    }
    case 'alter_column': {
      const field = has(action.name);
      if (field !== undefined) return alterColumn(connection, table, field, action.change);
      if (action.ifExists) return table;
      throw new Refusal('invalidQuery', `Column not found: ${action.name} in table ${name}`, 'query');
    }
    case 'set_options':
      return { ...table, properties: { ...table.properties, ...propertiesOf(action.options) } };
    case 'add_column': {
      if (has(action.field.name) !== undefined) {
        if (action.ifNotExists) return table;
        throw new Refusal('invalidQuery', `Column already exists: ${action.field.name} in table ${name}`, 'query');
      }
      const [field] = normalised([action.field]) as [TableField];
      if (field.mode === 'REQUIRED') throw new Refusal('invalidQuery', `Adding the REQUIRED column ${field.name} to an existing table is not allowed.`, 'query');
      await connection.run(`ALTER TABLE ${physicalSql(table.physical)} ADD COLUMN ${columnSql(field)}`);
      return { ...table, fields: [...table.fields, field] };
    }
    case 'drop_column': {
      const field = has(action.name);
      if (field === undefined) {
        if (action.ifExists) return table;
        throw new Refusal('invalidQuery', `Column not found: ${action.name} in table ${name}`, 'query');
      }
      await connection.run(`ALTER TABLE ${physicalSql(table.physical)} DROP COLUMN ${quoted(field.name)}`);
      return { ...table, fields: table.fields.filter((other) => other !== field) };
    }
  }
}

/** "Only a change to a type that holds every value of the old one" (docs/managing-table-schemas#change_a_columns_data_type). */
const WIDENS: Record<string, string[]> = { INTEGER: ['NUMERIC', 'FLOAT'], NUMERIC: ['FLOAT'] };

async function alterColumn(connection: DuckDBConnection, table: Table, field: TableField, change: ColumnChange): Promise<Table> {
  const next: TableField = { ...field };
  if (change.type !== undefined) {
    const [wanted] = normalised([change.type]) as [TableField];
    if (wanted.type !== field.type && WIDENS[field.type]?.includes(wanted.type) !== true) throw new Refusal('invalidQuery', `ALTER TABLE ALTER COLUMN SET DATA TYPE requires that the existing column type (${field.type}) is assignable to the new type (${wanted.type})`, 'query');
    next.type = wanted.type;
    if (wanted.type !== field.type) await connection.run(`ALTER TABLE ${physicalSql(table.physical)} ALTER COLUMN ${quoted(field.name)} SET DATA TYPE ${duckType(next)}`);
  }
  if (change.nullable === true) {
    next.mode = field.mode === 'REPEATED' ? 'REPEATED' : 'NULLABLE';
    if (field.mode === 'REQUIRED') await connection.run(`ALTER TABLE ${physicalSql(table.physical)} ALTER COLUMN ${quoted(field.name)} DROP NOT NULL`);
  }
  if (change.defaultValueExpression === null) delete next.defaultValueExpression;
  else if (change.defaultValueExpression !== undefined) next.defaultValueExpression = change.defaultValueExpression;
  if (change.description === null) delete next.description;
  else if (change.description !== undefined) next.description = change.description;
  return { ...table, fields: table.fields.map((other) => (other === field ? next : other)) };
}

async function drop(store: TableStore, connection: DuckDBConnection, ddl: Of<'drop'>): Promise<Publish> {
  const { project, dataset, table } = ddl.path;
  if (ddl.object === 'SCHEMA') return dropSchema(store, connection, ddl);
  if (ddl.object === 'FUNCTION' || ddl.object === 'TABLE FUNCTION') {
    const routine = store.catalogue.findRoutine(project, dataset, table);
    if (routine === undefined && ddl.ifExists) return NOTHING;
    return store.catalogue.remove(connection, store.catalogue.routine(project, dataset, table));
  }
  const found = store.catalogue.findTable(project, dataset, table);
  if (found === undefined && ddl.ifExists) return NOTHING;
  const existing = store.catalogue.table(project, dataset, table);
  if (existing.type !== ddl.object) throw new Refusal('invalidQuery', `${project}:${dataset}.${table} is a ${existing.type}, which DROP ${ddl.object} does not drop.`, 'query');
  return store.drop(connection, existing);
}

async function dropSchema(store: TableStore, connection: DuckDBConnection, ddl: Of<'drop'>): Promise<Publish> {
  const { project, dataset } = ddl.path;
  const found = store.catalogue.findDataset(project, dataset);
  if (found === undefined && ddl.ifExists) return NOTHING;
  return removeDataset(store, connection, store.catalogue.dataset(project, dataset), ddl.cascade);
}

/** Also called by datasets.delete. */
export async function removeDataset(store: TableStore, connection: DuckDBConnection, dataset: Dataset, withContents: boolean): Promise<Publish> {
  const tables = store.catalogue.list('table', dataset.project, dataset.dataset);
  const routines = store.catalogue.list('routine', dataset.project, dataset.dataset);
  if (!withContents && tables.length + routines.length > 0) throw new Refusal('resourceInUse', `Dataset ${dataset.project}:${dataset.dataset} is still in use`);
  const dropped = await store.drop(connection, ...tables);
  const removed = await store.catalogue.remove(connection, dataset, ...routines);
  return () => {
    dropped();
    removed();
  };
}
