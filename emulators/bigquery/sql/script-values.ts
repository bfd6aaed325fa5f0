// A value that DuckDB gave and its BigQuery type in, DuckDB SQL that gives the same value again out; called by scripts to keep their variables.
import { DuckDBBlobValue, DuckDBListValue, DuckDBStructValue, DuckDBTimestampTZValue } from '@duckdb/node-api';
import type { SqlType } from './context.ts';
import { stringLiteral } from './literals.ts';
import { duckFieldName, duckType, quote, text } from './sql-type.ts';

export function valueLiteral(value: unknown, type: SqlType): string {
  if (value === null || value === undefined) return `CAST(NULL AS ${duckType(type)})`;
  if (type.kind === 'ARRAY' && value instanceof DuckDBListValue) {
    return `CAST([${value.items.map((item) => valueLiteral(item, type.element)).join(', ')}] AS ${duckType(type)})`;
  }
  if (type.kind === 'STRUCT' && value instanceof DuckDBStructValue) {
    const values = Object.values(value.entries);
    return `struct_pack(${type.fields.map((field, index) => `${quote(duckFieldName(field, index))} := ${valueLiteral(values[index], field.type)}`).join(', ')})`;
  }
  if (value instanceof DuckDBBlobValue) return `from_hex('${Buffer.from(value.bytes).toString('hex')}')`;
  if (value instanceof DuckDBTimestampTZValue) return `make_timestamptz(${value.micros}::BIGINT)`;
  if (type.kind === 'STRING') return stringLiteral(String(value));
  if (type.kind === 'BOOL') return String(value);
  return `CAST(${text(String(value))} AS ${duckType(type)})`;
}
