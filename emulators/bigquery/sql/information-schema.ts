// `dataset.INFORMATION_SCHEMA.x` and `dataset.__TABLES__` in, relations made from the catalogue out; called by the table compiler.
import type { Compilation } from './compilation.ts';
import type { DatasetEntry, RoutineEntry, SqlType, TableEntry, TableField } from './context.ts';
import { GoogleSqlError, notSupported } from './google-sql-error.ts';
import { compileJobs } from './information-schema-jobs.ts';
import { partitionsRelation, storageRow, TABLE_STORAGE } from './information-schema-storage.ts';
import { tableSizeSql } from './logical-size.ts';
import type { Relation } from './scope.ts';
import { duckType, INT64, quote, STRING, text, TIMESTAMP, typeName, typeOfField } from './sql-type.ts';
import { datasetDdl, tableDdl } from './table-ddl.ts';
import type { Name } from './tree.ts';

export type Shape = Record<string, SqlType>;
export type Row = string[];

export function compileInformationSchema(compilation: Compilation, path: Name[]): Relation | undefined {
  const parts = path.map(({ text: part }) => part);
  const last = parts.at(-1)?.toUpperCase() ?? '';
  if (parts.at(-2)?.toUpperCase() !== 'INFORMATION_SCHEMA') return last === '__TABLES__' || last === '__TABLES_SUMMARY__' ? compileMetaTables(compilation, parts, last) : undefined;
  const { catalogue, project, defaultDataset } = compilation.context;
  const written = parts.at(-3);
  const isRegion = written === undefined ? defaultDataset === undefined || OF_PROJECT.has(last) : written.toLowerCase().startsWith('region-') || OF_PROJECT.has(last);
  const dataset = isRegion ? undefined : written ?? defaultDataset;
  const datasets = catalogue.datasets().filter((entry) => (dataset === undefined ? entry.project === project : entry.dataset === dataset));
  if (dataset !== undefined && datasets.length === 0) throw new GoogleSqlError('notFound', `Not found: Dataset ${parts.at(-4) ?? project}:${dataset} was not found in location US`);
  const tables = datasets.flatMap((entry) => catalogue.list(entry.dataset));
  const jobs = compileJobs(last);
  if (jobs) return jobs;
  if (last === 'PARTITIONS') return partitionsRelation(tables);
  const view = VIEWS[last];
  if (!view) throw notSupported(`INFORMATION_SCHEMA.${last}`, path[0]?.place ?? { line: 1, column: 1 });
  return valuesRelation(view.shape, view.rows({ datasets, tables, routines: datasets.flatMap((entry) => catalogue.routines(entry.dataset)), project }));
}

/** Views that know no dataset: with or without one before them, they are the project's. */
const OF_PROJECT = new Set(['SCHEMATA', 'SCHEMATA_OPTIONS', 'TABLE_STORAGE', 'JOBS', 'JOBS_BY_PROJECT', 'JOBS_BY_USER']);

type Catalogued = { datasets: DatasetEntry[]; tables: TableEntry[]; routines: RoutineEntry[]; project: string };
type View = { shape: Shape; rows: (known: Catalogued) => Row[] };

const timestamp = (ms: number): string => `make_timestamptz(${Math.round(ms * 1000)}::BIGINT)`;
const orNull = (value: string | undefined): string => (value === undefined ? 'NULL' : text(value));
const nameOf = (entry: TableEntry): Row => [text(entry.project), text(entry.dataset), text(entry.table)];

const VIEWS: Record<string, View> = {
  TABLES: {
    shape: {
      table_catalog: STRING, table_schema: STRING, table_name: STRING, table_type: STRING, managed_table_type: STRING, is_insertable_into: STRING,
      is_fine_grained_mutations_enabled: STRING, is_typed: STRING, is_change_history_enabled: STRING, creation_time: TIMESTAMP, base_table_catalog: STRING,
      base_table_schema: STRING, base_table_name: STRING, snapshot_time_ms: TIMESTAMP, ddl: STRING, default_collation_name: STRING, upsert_stream_apply_watermark: TIMESTAMP,
    },
    rows: ({ tables }) => tables.map((entry) => {
      const isView = entry.type === 'VIEW';
      return [
        ...nameOf(entry), text(isView ? 'VIEW' : 'BASE TABLE'), isView ? 'NULL' : "'NATIVE'", text(isView ? 'NO' : 'YES'), "'NO'", "'NO'", "'NO'", timestamp(entry.createdMs),
        'NULL', 'NULL', 'NULL', 'NULL', text(tableDdl(entry)), "'NULL'", 'NULL',
      ];
    }),
  },
  COLUMNS: {
    shape: {
      table_catalog: STRING, table_schema: STRING, table_name: STRING, column_name: STRING, ordinal_position: INT64, is_nullable: STRING, data_type: STRING,
      is_generated: STRING, generation_expression: STRING, is_stored: STRING, is_hidden: STRING, is_updatable: STRING, is_system_defined: STRING,
      is_partitioning_column: STRING, clustering_ordinal_position: INT64, collation_name: STRING, column_default: STRING, rounding_mode: STRING,
    },
    rows: ({ tables }) => tables.flatMap((entry) => entry.fields.map((field, index) => columnRow(entry, field, index))),
  },
  COLUMN_FIELD_PATHS: {
    shape: { table_catalog: STRING, table_schema: STRING, table_name: STRING, column_name: STRING, field_path: STRING, data_type: STRING, description: STRING, collation_name: STRING, rounding_mode: STRING },
    rows: ({ tables }) => tables.flatMap((entry) => entry.fields.flatMap((field) => pathRows(entry, field, field.name, field.name))),
  },
  TABLE_OPTIONS: {
    shape: { table_catalog: STRING, table_schema: STRING, table_name: STRING, option_name: STRING, option_type: STRING, option_value: STRING },
    rows: ({ tables }) => tables.flatMap((entry) => optionRows(entry.properties ?? {}).map((row) => [...nameOf(entry), ...row])),
  },
  SCHEMATA: {
    shape: { catalog_name: STRING, schema_name: STRING, schema_owner: STRING, creation_time: TIMESTAMP, last_modified_time: TIMESTAMP, location: STRING, ddl: STRING, default_collation_name: STRING },
    rows: ({ datasets }) => datasets.map((entry) => [text(entry.project), text(entry.dataset), 'NULL', timestamp(entry.createdMs), timestamp(entry.modifiedMs), "'US'", text(datasetDdl(entry)), "'NULL'"]),
  },
  SCHEMATA_OPTIONS: {
    shape: { catalog_name: STRING, schema_name: STRING, option_name: STRING, option_type: STRING, option_value: STRING },
    rows: ({ datasets }) => datasets.flatMap((entry) => optionRows(entry.properties).map((row) => [text(entry.project), text(entry.dataset), ...row])),
  },
  VIEWS: {
    shape: { table_catalog: STRING, table_schema: STRING, table_name: STRING, view_definition: STRING, check_option: STRING, use_standard_sql: STRING },
    rows: ({ tables }) => tables.filter(({ type }) => type === 'VIEW').map((entry) => [...nameOf(entry), orNull(entry.viewQuery), 'NULL', "'YES'"]),
  },
  ROUTINES: {
    shape: {
      specific_catalog: STRING, specific_schema: STRING, specific_name: STRING, routine_catalog: STRING, routine_schema: STRING, routine_name: STRING, routine_type: STRING,
      data_type: STRING, routine_body: STRING, routine_definition: STRING, external_language: STRING, is_deterministic: STRING, security_type: STRING, created: TIMESTAMP, last_altered: TIMESTAMP,
    },
    rows: ({ routines, project }) => routines.map((entry) => {
      const name = [text(project), text(entry.dataset), text(entry.name)];
      return [...name, ...name, text(entry.kind === 'TABLE_FUNCTION' ? 'TABLE FUNCTION' : 'FUNCTION'), 'NULL', "'SQL'", text(entry.body), 'NULL', 'NULL', 'NULL', timestamp(entry.createdMs ?? 0), timestamp(entry.modifiedMs ?? 0)];
    }),
  },
  PARAMETERS: {
    shape: {
      specific_catalog: STRING, specific_schema: STRING, specific_name: STRING, ordinal_position: INT64, parameter_mode: STRING, is_result: STRING,
      parameter_name: STRING, data_type: STRING, parameter_default: STRING, is_aggregate: STRING,
    },
    rows: ({ routines, project }) => routines.flatMap((entry) => entry.arguments.map(({ name, type }, index) => [
      text(project), text(entry.dataset), text(entry.name), String(index + 1), 'NULL', "'NO'", text(name), text(type ? typeName(type) : 'ANY TYPE'), 'NULL', 'NULL',
    ])),
  },
  TABLE_STORAGE: { shape: TABLE_STORAGE, rows: ({ tables }) => tables.filter(({ type }) => type === 'TABLE').map(storageRow) },
};

function columnRow(entry: TableEntry, field: TableField, index: number): Row {
  const clustering = (entry.clustering ?? []).findIndex((name) => name.toLowerCase() === field.name.toLowerCase());
  const isPartitioning = entry.timePartitioning?.field?.toLowerCase() === field.name.toLowerCase();
  return [
    ...nameOf(entry), text(field.name), `${index + 1}`, text(field.mode === 'REQUIRED' ? 'NO' : 'YES'), text(typeName(typeOfField(field))), "'NEVER'", 'NULL', 'NULL', "'NO'", 'NULL', "'NO'",
    text(isPartitioning ? 'YES' : 'NO'), clustering < 0 ? 'NULL' : `${clustering + 1}`, "'NULL'", text(field.defaultValueExpression ?? 'NULL'), 'NULL',
  ];
}

function pathRows(entry: TableEntry, field: TableField, column: string, path: string): Row[] {
  const row = [...nameOf(entry), text(column), text(path), text(typeName(typeOfField(field))), orNull(field.description), "'NULL'", 'NULL'];
  return [row, ...(field.fields ?? []).flatMap((inner) => pathRows(entry, inner, column, `${path}.${inner.name}`))];
}

/** Options as they would be written in OPTIONS(…). */
function optionRows(properties: Record<string, unknown>): Row[] {
  const quoted = (value: unknown): string => JSON.stringify(value);
  const rows: Row[] = [];
  const add = (name: string, type: string, value: string): void => { rows.push([text(name), text(type), text(value)]); };
  if (typeof properties['description'] === 'string') add('description', 'STRING', quoted(properties['description']));
  if (typeof properties['friendlyName'] === 'string') add('friendly_name', 'STRING', quoted(properties['friendlyName']));
  const labels = Object.entries((properties['labels'] ?? {}) as Record<string, string>);
  if (labels.length > 0) add('labels', 'ARRAY<STRUCT<STRING, STRING>>', `[${labels.map(([key, value]) => `STRUCT(${quoted(key)}, ${quoted(value)})`).join(', ')}]`);
  if (properties['expirationTime'] !== undefined) add('expiration_timestamp', 'TIMESTAMP', `TIMESTAMP ${quoted(new Date(Number(properties['expirationTime'])).toISOString())}`);
  return rows;
}

const META_TABLES: Shape = { project_id: STRING, dataset_id: STRING, table_id: STRING, creation_time: INT64, last_modified_time: INT64, row_count: INT64, size_bytes: INT64, type: INT64 };
const META_SUMMARY: Shape = { project_id: STRING, dataset_id: STRING, table_id: STRING, creation_time: INT64, type: INT64 };

function compileMetaTables({ context }: Compilation, parts: string[], name: string): Relation {
  const dataset = parts.at(-2) ?? context.defaultDataset ?? '';
  const rows = context.catalogue.list(dataset).map((entry) => {
    const isTable = entry.type === 'TABLE';
    const counts = name === '__TABLES__' ? [String(Math.round(entry.modifiedMs ?? entry.createdMs)), isTable ? `(SELECT count(*) FROM ${entry.duckName})` : '0', isTable ? tableSizeSql(entry) : '0'] : [];
    return [...nameOf(entry), String(Math.round(entry.createdMs)), ...counts, isTable ? '1' : '2'];
  });
  return valuesRelation(name === '__TABLES__' ? META_TABLES : META_SUMMARY, rows);
}

function valuesRelation(shape: Shape, rows: Row[]): Relation {
  const names = Object.keys(shape);
  const columns = names.map((name) => ({ name, duckName: name, type: shape[name] ?? STRING }));
  const cast = columns.map(({ name, type }, index) => `CAST(column${index} AS ${duckType(type)}) AS ${quote(name)}`).join(', ');
  const none = `(${names.map(() => 'NULL').join(', ')})`;
  const values = rows.length > 0 ? rows.map((row) => `(${row.join(', ')})`).join(', ') : none;
  const list = names.map((_, index) => `column${index}`).join(', ');
  return { sql: `SELECT ${cast} FROM (VALUES ${values}) AS v(${list})${rows.length > 0 ? '' : ' WHERE false'}`, columns };
}
