// A typed value in, SQL for its text as FORMAT's %t (to be read) and %T (a literal that gives the value again) write it; used by FORMAT.
import { freshParameter, structField } from '../coerce.ts';
import { duckFieldName } from '../sql-type.ts';
import type { Typed } from '../scope.ts';
import { toStringSql } from './cast.ts';

/** Never NULL: a NULL value is the text NULL. */
export function valueText(value: Typed, asLiteral: boolean): string {
  const { sql, type } = value;
  if (type.kind === 'NULL') return "'NULL'";
  return `CASE WHEN ${sql} IS NULL THEN 'NULL' ELSE ${asLiteral ? literalText(value) : plainText(value)} END`;
}

/** Numbers with a fraction show it, also where it is zero. */
const floatText = (sql: string): string => `CASE WHEN ${sql} = trunc(${sql}) AND abs(${sql}) < 1e15 THEN gsql_float_text(${sql}) || '.0' ELSE gsql_float_text(${sql}) END`;

function nested({ sql, type }: Typed, asLiteral: boolean): string | undefined {
  if (type.kind === 'ARRAY') {
    const item = freshParameter(sql);
    return `'[' || array_to_string(list_transform(${sql}, lambda ${item}: ${valueText({ sql: item, type: type.element }, asLiteral)}), ', ') || ']'`;
  }
  if (type.kind !== 'STRUCT') return undefined;
  const fields = type.fields.map((field, index) => valueText({ sql: structField(sql, duckFieldName(field, index)), type: field.type }, asLiteral));
  const isLone = asLiteral && fields.length === 1;
  return `'${isLone ? 'STRUCT' : ''}(' || ${fields.join(" || ', ' || ")} || ')'`;
}

function plainText(value: Typed): string {
  const { sql, type } = value;
  if (type.kind === 'FLOAT64') return floatText(sql);
  if (type.kind === 'JSON') return `CAST(${sql} AS VARCHAR)`;
  return nested(value, false) ?? `(${toStringSql(value)})`;
}

function literalText(value: Typed): string {
  const { sql, type } = value;
  switch (type.kind) {
    case 'STRING': return `gsql_string_literal(${sql})`;
    case 'BYTES': return `gsql_bytes_literal(${sql})`;
    case 'FLOAT64': return `CASE WHEN isnan(${sql}) OR isinf(${sql}) THEN 'CAST("' || gsql_float_text(${sql}) || '" AS FLOAT64)' ELSE ${floatText(sql)} END`;
    case 'DATE': case 'TIME': case 'DATETIME': case 'TIMESTAMP': case 'NUMERIC': return `'${type.kind} "' || ${toStringSql(value)} || '"'`;
    case 'JSON': return `'JSON ' || gsql_string_literal(CAST(${sql} AS VARCHAR))`;
    case 'INTERVAL': return `'INTERVAL "' || ${toStringSql(value)} || '" YEAR TO SECOND'`;
    default: return nested(value, true) ?? `(${toStringSql(value)})`;
  }
}
