// JSON functions: calls in, DuckDB's JSON functions out. Looked up by the call compiler.
import { noSignature } from '../coerce.ts';
import { notSupported } from '../google-sql-error.ts';
import { arrayOf, BOOL, FLOAT64, INT64, JSON_TYPE, STRING, text } from '../sql-type.ts';
import type { SqlType } from '../context.ts';
import type { Typed } from '../scope.ts';
import { jsonText } from './json-text.ts';
import { argumentExpr, argumentsOf, literalText, simple } from './signature.ts';
import type { FunctionCall, FunctionTable } from './signature.ts';

export const JSON_FUNCTIONS: FunctionTable = {
  TO_JSON_STRING: (call) => {
    if (call.expr.args.length > 1 && call.compile(argumentExpr(call, 1)).sql !== 'false') throw notSupported('TO_JSON_STRING with pretty print', call.expr.place);
    return { sql: jsonText(call.compile(argumentExpr(call, 0))), type: STRING };
  },
  TO_JSON: (call) => ({ sql: `CAST(${jsonText(call.compile(argumentExpr(call, 0)))} AS JSON)`, type: JSON_TYPE }),
  PARSE_JSON: (call) => {
    const [value] = argumentsOf(call, 'STRING');
    return { sql: `CAST(CAST(${value?.sql} AS JSON) AS JSON)`, type: JSON_TYPE };
  },
  JSON_VALUE: scalar, JSON_EXTRACT_SCALAR: scalar,
  JSON_QUERY: extracted, JSON_EXTRACT: extracted,
  JSON_EXTRACT_ARRAY: (call) => list(call, false), JSON_QUERY_ARRAY: (call) => list(call, false),
  JSON_EXTRACT_STRING_ARRAY: (call) => list(call, true), JSON_VALUE_ARRAY: (call) => list(call, true),
  JSON_TYPE: simple('JSON', STRING, (a) => `CASE json_type(${a}) WHEN 'VARCHAR' THEN 'string' WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' WHEN NULL THEN NULL ELSE 'number' END`),
  JSON_KEYS: simple('JSON', arrayOf(STRING), (a) => `list_sort(json_keys(${a}))`),
  INT64: (call) => converted(call, INT64, 'BIGINT', ['BIGINT', 'UBIGINT']),
  LAX_INT64: (call) => lax(call, INT64, 'BIGINT'), LAX_FLOAT64: (call) => lax(call, FLOAT64, 'DOUBLE'), LAX_BOOL: (call) => lax(call, BOOL, 'BOOLEAN'), LAX_STRING: (call) => lax(call, STRING, 'VARCHAR'),
  FLOAT64: (call) => converted(call, FLOAT64, 'DOUBLE', ['BIGINT', 'UBIGINT', 'DOUBLE']),
  BOOL: (call) => converted(call, BOOL, 'BOOLEAN', ['BOOLEAN']),
};

/** BigQuery's path to DuckDB's: quoted keys, `['a b']` as well. */
function path(call: FunctionCall): string {
  if (call.expr.args.length < 2) return "'$'";
  const source = literalText(call, 1).replace(/\['((?:[^'\\]|\\.)*)'\]/g, (_, key: string) => `."${key}"`).replace(/\["((?:[^"\\]|\\.)*)"\]/g, (_, key: string) => `."${key}"`)
    .replace(/\.([A-Za-z_][A-Za-z0-9_-]*)(?![^"]*"(?:[^"]*"[^"]*")*[^"]*$)/g, (_, key: string) => `."${key}"`);
  if (!source.startsWith('$')) throw notSupported(`The JSON path ${source}`, call.expr.place);
  return text(source);
}

/** A text that is no JSON gives NULL, as in BigQuery. */
function json(call: FunctionCall): { value: Typed; sql: string } {
  const value = call.compile(argumentExpr(call, 0));
  if (value.type.kind === 'JSON') return { value, sql: value.sql };
  if (value.type.kind !== 'STRING' && value.type.kind !== 'NULL') throw noSignature(`function ${call.name}`, [value], call.expr.place);
  return { value, sql: `gsql_json(${value.sql})` };
}

function scalar(call: FunctionCall): Typed {
  const { sql } = json(call);
  const at = path(call);
  return { sql: `CASE WHEN json_type(${sql}, ${at}) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL ELSE json_extract_string(${sql}, ${at}) END`, type: STRING };
}

function extracted(call: FunctionCall): Typed {
  const { value, sql } = json(call);
  const found = `json_extract(${sql}, ${path(call)})`;
  if (value.type.kind === 'JSON') return { sql: found, type: JSON_TYPE };
  return { sql: `nullif(CAST(${found} AS VARCHAR), 'null')`, type: STRING };
}

function list(call: FunctionCall, asText: boolean): Typed {
  const { value, sql } = json(call);
  const found = `json_extract(${sql}, ${path(call)})`;
  const items = `CASE WHEN json_type(${found}) = 'ARRAY' THEN json_extract(${found}, '$[*]') END`;
  if (asText) return { sql: `list_transform(${items}, lambda e: e ->> '$')`, type: arrayOf(STRING) };
  if (value.type.kind === 'JSON') return { sql: items, type: arrayOf(JSON_TYPE) };
  return { sql: `list_transform(${items}, lambda e: CAST(e AS VARCHAR))`, type: arrayOf(STRING) };
}

function converted(call: FunctionCall, type: SqlType, duck: string, allowed: string[]): Typed {
  const [value] = argumentsOf(call, 'JSON');
  const message = `'The provided JSON input is not ${type.kind === 'INT64' ? 'an integer' : type.kind === 'BOOL' ? 'a boolean' : 'a number'}'`;
  return { sql: `CASE WHEN json_type(${value?.sql}) IN (${allowed.map(text).join(', ')}) THEN CAST(${value?.sql} ->> '$' AS ${duck}) WHEN ${value?.sql} IS NOT NULL THEN ${call.compilation.raise(message)} END`, type };
}

function lax(call: FunctionCall, type: SqlType, duck: string): Typed {
  const [value] = argumentsOf(call, 'JSON');
  return { sql: `TRY_CAST(${value?.sql} ->> '$' AS ${duck})`, type };
}
