// INFORMATION_SCHEMA.TABLES, .COLUMNS, .COLUMN_FIELD_PATHS and __TABLES__ in, relations made from the catalogue out; called by the table compiler.
import type { Compilation } from './compilation.ts';
import type { SqlType, TableEntry, TableField } from './context.ts';
import { notSupported } from './google-sql-error.ts';
import { duckType, INT64, quote, STRING, text, TIMESTAMP, typeName, typeOfField } from './sql-type.ts';
import type { Relation } from './scope.ts';
import type { Name } from './tree.ts';

type Shape = Record<string, SqlType>;

export function compileInformationSchema(compilation: Compilation, path: Name[]): Relation | undefined {
  const parts = path.map(({ text: part }) => part);
  const last = parts.at(-1)?.toUpperCase() ?? '';
  const isSchema = parts.at(-2)?.toUpperCase() === 'INFORMATION_SCHEMA';
  if (!isSchema && last !== '__TABLES__') return undefined;
  const dataset = parts.at(isSchema ? -3 : -2) ?? compilation.context.defaultDataset;
  const place = path[0]?.place ?? { line: 1, column: 1 };
  if (dataset === undefined || dataset.startsWith('region-')) throw notSupported(`INFORMATION_SCHEMA.${last} of a whole region`, place);
  const tables = compilation.context.catalogue.list(dataset);
  if (!isSchema) return valuesRelation(TABLES_META, tables.map(tablesMetaRow));
  if (last === 'TABLES') return valuesRelation(TABLES, tables.map(tablesRow));
  if (last === 'COLUMNS') return valuesRelation(COLUMNS, tables.flatMap(columnRows));
  if (last === 'COLUMN_FIELD_PATHS') return valuesRelation(FIELD_PATHS, tables.flatMap((table) => table.fields.flatMap((field) => pathRows(table, field, field.name, field.name))));
  throw notSupported(`INFORMATION_SCHEMA.${last}`, place);
}

const timestamp = (ms: number): string => `make_timestamptz(${Math.round(ms * 1000)}::BIGINT)`;

const TABLES: Shape = { table_catalog: STRING, table_schema: STRING, table_name: STRING, table_type: STRING, is_insertable_into: STRING, is_typed: STRING, creation_time: TIMESTAMP };
const tablesRow = (entry: TableEntry): string[] => [
  text(entry.project), text(entry.dataset), text(entry.table), text(entry.type === 'VIEW' ? 'VIEW' : 'BASE TABLE'),
  text(entry.type === 'VIEW' ? 'NO' : 'YES'), "'NO'", timestamp(entry.createdMs),
];

/** row_count and size_bytes are counted by nobody here: a guess would be a wrong answer, so they are NULL for views and counted by the engine for tables. */
const TABLES_META: Shape = { project_id: STRING, dataset_id: STRING, table_id: STRING, creation_time: INT64, row_count: INT64, type: INT64 };
const tablesMetaRow = (entry: TableEntry): string[] => [
  text(entry.project), text(entry.dataset), text(entry.table), `${Math.round(entry.createdMs)}`,
  entry.type === 'VIEW' ? 'NULL' : `(SELECT count(*) FROM ${entry.duckName})`, entry.type === 'VIEW' ? '2' : '1',
];

const COLUMNS: Shape = {
  table_catalog: STRING, table_schema: STRING, table_name: STRING, column_name: STRING, ordinal_position: INT64, is_nullable: STRING,
  data_type: STRING, is_hidden: STRING, is_system_defined: STRING, is_partitioning_column: STRING, clustering_ordinal_position: INT64,
};
const columnRows = (entry: TableEntry): string[][] => entry.fields.map((field, index) => {
  const clustering = (entry.clustering ?? []).indexOf(field.name);
  return [
    text(entry.project), text(entry.dataset), text(entry.table), text(field.name), `${index + 1}`, text(field.mode === 'REQUIRED' ? 'NO' : 'YES'),
    text(typeName(typeOfField(field))), "'NO'", "'NO'", "'NO'", clustering < 0 ? 'NULL' : `${clustering + 1}`,
  ];
});

const FIELD_PATHS: Shape = { table_catalog: STRING, table_schema: STRING, table_name: STRING, column_name: STRING, field_path: STRING, data_type: STRING, description: STRING };
function pathRows(entry: TableEntry, field: TableField, column: string, path: string): string[][] {
  const row = [
    text(entry.project), text(entry.dataset), text(entry.table), text(column), text(path), text(typeName(typeOfField(field))),
    field.description === undefined ? 'NULL' : text(field.description),
  ];
  return [row, ...(field.fields ?? []).flatMap((inner) => pathRows(entry, inner, column, `${path}.${inner.name}`))];
}

function valuesRelation(shape: Shape, rows: string[][]): Relation {
  const names = Object.keys(shape);
  const columns = names.map((name) => ({ name, duckName: name, type: shape[name] ?? STRING }));
  const cast = columns.map(({ name, type }, index) => `CAST(column${index} AS ${duckType(type)}) AS ${quote(name)}`).join(', ');
  const none = `(${names.map(() => 'NULL').join(', ')})`;
  const values = rows.length > 0 ? rows.map((row) => `(${row.join(', ')})`).join(', ') : none;
  const list = names.map((_, index) => `column${index}`).join(', ');
  return { sql: `SELECT ${cast} FROM (VALUES ${values}) AS v(${list})${rows.length > 0 ? '' : ' WHERE false'}`, columns };
}
