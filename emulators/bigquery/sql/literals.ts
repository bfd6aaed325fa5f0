// Literals and query parameters in, DuckDB literals out; a parameter is written into the SQL as a typed literal. Called by the expression compiler.
import type { Compilation } from './compilation.ts';
import type { ParameterType, ParameterValue } from './context.ts';
import { invalidQuery } from './google-sql-error.ts';
import { duckFieldName, duckType, quote, text, typeOfParameter } from './sql-type.ts';
import type { Typed } from './scope.ts';
import type { Expr } from './tree.ts';

export function compileLiteral(expr: Extract<Expr, { kind: 'literal' }>): Typed {
  const { type, value, place } = expr;
  const literal = value;
  switch (type) {
    case 'STRING': return { sql: stringLiteral(value), type: { kind: 'STRING' }, literal };
    case 'INT64': {
      if (BigInt(value) > 9223372036854775807n || BigInt(value) < -9223372036854775808n) throw invalidQuery(`Invalid integer literal: ${value}`, place);
      return { sql: value.startsWith('-') || BigInt(value) > 2147483647n ? `CAST(${value} AS BIGINT)` : `${value}::BIGINT`, type: { kind: 'INT64' }, literal };
    }
    case 'FLOAT64': return { sql: `CAST(${value} AS DOUBLE)`, type: { kind: 'FLOAT64' }, literal };
    case 'BYTES': return { sql: bytesLiteral(Buffer.from(value, 'latin1')), type: { kind: 'BYTES' }, literal };
    case 'BOOL': return { sql: value, type: { kind: 'BOOL' }, literal };
    case 'NULL': return { sql: 'NULL', type: { kind: 'NULL' }, literal };
    case 'TIMESTAMP': return { sql: timestampLiteral(value), type: { kind: 'TIMESTAMP' }, literal };
    case 'JSON': return { sql: `CAST(gsql_checked(gsql_json_normal(${stringLiteral(value)}, 'exact')) AS JSON)`, type: { kind: 'JSON' }, literal };
    default: return { sql: `CAST(${text(value)} AS ${duckType({ kind: type })})`, type: { kind: type }, literal };
  }
}

/** DuckDB's parser ends a query at a NUL, so that one is written as a call. */
export function stringLiteral(value: string): string {
  return value.includes('\0') ? `(${value.split('\0').map(text).join(' || chr(0) || ')})` : text(value);
}

function bytesLiteral(bytes: Buffer): string {
  return `from_hex('${bytes.toString('hex')}')`;
}

/** A zone name at the end ("2026-01-01 09:00:00 Asia/Seoul") is BigQuery's; offsets and Z both engines read. */
function timestampLiteral(value: string): string {
  const zoned = /^(.*\S)\s+([A-Za-z]+(?:\/[A-Za-z_+\-0-9]+)*)$/.exec(value);
  if (zoned?.[1] && zoned[2]) return `gsql_first_instant(${text(zoned[2])}, CAST(${text(zoned[1])} AS TIMESTAMP))`;
  return `CAST(${text(value)} AS TIMESTAMPTZ)`;
}

export function compileParameter(compilation: Compilation, expr: Extract<Expr, { kind: 'parameter' }>): Typed {
  const { parameters } = compilation.context;
  const found = expr.name === ''
    ? parameters.filter(({ name }) => !name)[expr.position]
    : parameters.find(({ name }) => name?.toLowerCase() === expr.name.toLowerCase());
  if (!found) {
    throw invalidQuery(expr.name === '' ? `Query parameter number ${expr.position + 1} is not defined` : `Query parameter '${expr.name}' not found`, expr.place);
  }
  if (found.typed) return { ...found.typed, literal: true };
  return { sql: valueSql(found.parameterType, found.parameterValue), type: typeOfParameter(found.parameterType), literal: true };
}

function valueSql(type: ParameterType, value: ParameterValue | undefined): string {
  const sqlType = typeOfParameter(type);
  if (type.type === 'ARRAY' && type.arrayType) {
    const { arrayType } = type;
    return `CAST([${(value?.arrayValues ?? []).map((item) => valueSql(arrayType, item)).join(', ')}] AS ${duckType(sqlType)})`;
  }
  if (sqlType.kind === 'STRUCT') {
    const fields = sqlType.fields.map((field, index) => `${quote(duckFieldName(field, index))} := ${valueSql(type.structTypes?.[index]?.type ?? { type: 'STRING' }, value?.structValues?.[field.name])}`);
    return `struct_pack(${fields.join(', ')})`;
  }
  if (value?.value === undefined || value.value === null) return `CAST(NULL AS ${duckType(sqlType)})`;
  // Google's Node client sends numbers and booleans as they are, which the API takes for the texts that it asks for.
  if (typeof value.value === 'object') throw invalidQuery(`Invalid value for a query parameter of type ${sqlType.kind}: a text is expected`, { line: 1, column: 1 });
  const given = String(value.value);
  if (sqlType.kind === 'BYTES') return bytesLiteral(Buffer.from(given, 'base64'));
  if (sqlType.kind === 'STRING') return stringLiteral(given);
  if (sqlType.kind === 'TIMESTAMP') return timestampLiteral(given);
  return `CAST(${text(given)} AS ${duckType(sqlType)})`;
}
