// A table's columns in, DuckDB SQL for the bytes that BigQuery counts for its rows out (docs: data size calculation); called by INFORMATION_SCHEMA and __TABLES__.
import { freshParameter, structField } from './coerce.ts';
import type { SqlType, TableEntry } from './context.ts';
import { duckFieldName, quote, typeOfField } from './sql-type.ts';

const FIXED: Partial<Record<SqlType['kind'], number>> = { BOOL: 1, NUMERIC: 16, INTERVAL: 16 };

/** NULL is nothing, text is its UTF-8 and 2, numbers and times are 8. */
function sizeSql(sql: string, type: SqlType): string {
  switch (type.kind) {
    case 'STRING': return `coalesce(2 + strlen(${sql}), 0)`;
    case 'BYTES': return `coalesce(2 + octet_length(${sql}), 0)`;
    case 'JSON': return `coalesce(strlen(CAST(${sql} AS VARCHAR)), 0)`;
    case 'STRUCT': return type.fields.length === 0 ? '0' : `(${type.fields.map((field, index) => sizeSql(structField(sql, duckFieldName(field, index)), field.type)).join(' + ')})`;
    case 'ARRAY': {
      const parameter = freshParameter(sql);
      return `coalesce(list_sum(list_transform(${sql}, lambda ${parameter}: ${sizeSql(parameter, type.element)})), 0)`;
    }
    default: return `CASE WHEN ${sql} IS NULL THEN 0 ELSE ${FIXED[type.kind] ?? 8} END`;
  }
}

export function rowSizeSql(entry: TableEntry): string {
  return entry.fields.length === 0 ? '0' : entry.fields.map((field) => sizeSql(quote(field.name), typeOfField(field))).join(' + ');
}

export function tableSizeSql(entry: TableEntry): string {
  return `(SELECT coalesce(CAST(sum(${rowSizeSql(entry)}) AS BIGINT), 0) FROM ${entry.duckName})`;
}
