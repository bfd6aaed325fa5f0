// A typed value in, SQL for its text as TO_JSON_STRING writes it out: field order kept, NULL fields kept, INT64 beyond 2^53 quoted. Used by JSON and format functions.
import { once } from '../bind-once.ts';
import { freshParameter, structField } from '../coerce.ts';
import type { SqlType, StructField } from '../context.ts';
import { duckFieldName } from '../sql-type.ts';
import type { Typed } from '../scope.ts';

/** isWideQuoted: numbers that no double holds are texts. isOfJson: what becomes a JSON value, where a FLOAT64 stays told from an INT64 (1.0). */
export type JsonStyle = { isWideQuoted: boolean; isOfJson: boolean };
const AS_TEXT: JsonStyle = { isWideQuoted: true, isOfJson: false };
/** Of TO_JSON and those that build values. */
export const AS_JSON: JsonStyle = { isWideQuoted: false, isOfJson: true };

/** Never NULL: a NULL value is the text `null`. */
export function jsonText(value: Typed, style = AS_TEXT): string {
  const { sql, type } = value;
  // DuckDB's own to_json writes these as BigQuery does, and in one native call for a whole record of them.
  if (isPlain(type)) return `coalesce(CAST(to_json(${sql}) AS VARCHAR), 'null')`;
  switch (type.kind) {
    case 'STRUCT': return structText(value, type.fields, style);
    case 'ARRAY': return `coalesce('[' || array_to_string(list_transform(${sql}, lambda ${freshParameter(sql)}: ${jsonText({ sql: freshParameter(sql), type: type.element }, style)}), ',') || ']', '[]')`;
    case 'INT64': case 'NULL': return style.isWideQuoted ? `gsql_json_integer(${sql})` : `coalesce(CAST(${sql} AS VARCHAR), 'null')`;
    case 'FLOAT64': return style.isOfJson ? `gsql_json_double(${sql})` : `gsql_json_float(${sql})`;
    case 'NUMERIC': return style.isWideQuoted ? `gsql_json_numeric(${sql})` : `coalesce(gsql_numeric_text(${sql}), 'null')`;
    case 'BYTES': return `coalesce('"' || to_base64(${sql}) || '"', 'null')`;
    case 'DATE': return `coalesce(strftime(${sql}, '"%Y-%m-%d"'), 'null')`;
    case 'TIMESTAMP': return `gsql_json_timestamp(${sql})`;
    case 'DATETIME': return `coalesce(strftime(${sql}, '"%Y-%m-%dT%H:%M:%S') || gsql_fraction(epoch_us(${sql})) || '"', 'null')`;
    case 'TIME': return `coalesce(strftime(DATE '2000-01-01' + ${sql}, '"%H:%M:%S') || gsql_fraction(epoch_us(${sql})) || '"', 'null')`;
    case 'INTERVAL': return `coalesce('"' || gsql_interval_iso(${sql}) || '"', 'null')`;
    case 'JSON': return `coalesce(CAST(${sql} AS VARCHAR), 'null')`;
    default: return `coalesce('"' || CAST(${sql} AS VARCHAR) || '"', 'null')`;
  }
}

function isPlain(type: SqlType): boolean {
  if (type.kind === 'STRUCT') return type.fields.every((field) => field.name !== '' && isPlain(field.type));
  return type.kind === 'STRING' || type.kind === 'BOOL';
}

function structText({ sql, parts: built }: Typed, fields: StructField[], style: JsonStyle): string {
  if (built) return fieldsText(fields, (index) => built[index] as Typed, style);
  return once([sql], (row = '') => {
    const whole = fieldsText(fields, (index) => ({ sql: structField(row, duckFieldName(fields[index] as StructField, index)), type: (fields[index] as StructField).type }), style);
    return `CASE WHEN ${row} IS NULL THEN 'null' ELSE ${whole} END`;
  });
}

function fieldsText(fields: StructField[], valueAt: (index: number) => Typed, style: JsonStyle): string {
  const parts = fields.map(({ name }, index) => `'${index === 0 ? '' : ','}${JSON.stringify(name).replaceAll("'", "''")}:', ${jsonText(valueAt(index), style)}`);
  return parts.length === 0 ? "'{}'" : `concat('{', ${parts.join(', ')}, '}')`;
}
