// JSON functions: calls in, DuckDB's JSON functions out, or functions of our own where those would spell numbers anew. Looked up by the call compiler.
import { once } from '../bind-once.ts';
import { coerce, noSignature } from '../coerce.ts';
import { invalidQuery, notSupported } from '../google-sql-error.ts';
import { arrayOf, BOOL, FLOAT64, INT64, JSON_TYPE, STRING, text } from '../sql-type.ts';
import type { SqlType } from '../context.ts';
import type { Typed } from '../scope.ts';
import { AS_JSON, jsonText } from './json-text.ts';
import { argumentExpr, argumentsOf, simple } from './signature.ts';
import type { FunctionCall, FunctionTable } from './signature.ts';

const isTrue = (call: FunctionCall, name: string): boolean => call.expr.namedArgs.some((argument) => argument.name === name && call.compile(argument.value).sql === 'true');

export const JSON_FUNCTIONS: FunctionTable = {
  TO_JSON_STRING: (call) => {
    const written = jsonText(call.compile(argumentExpr(call, 0)));
    const pretty = call.expr.args[1] ? call.compile(call.expr.args[1]).sql : 'false';
    return { sql: pretty === 'false' ? written : pretty === 'true' ? `gsql_json_pretty(${written})` : `CASE WHEN ${pretty} THEN gsql_json_pretty(${written}) ELSE ${written} END`, type: STRING };
  },
  TO_JSON: (call) => {
    const value = call.compile(argumentExpr(call, 0));
    return { sql: `CAST(gsql_checked(gsql_json_normal(${jsonText(value, { ...AS_JSON, isWideQuoted: isTrue(call, 'stringify_wide_numbers') })}, 'round')) AS JSON)`, type: JSON_TYPE };
  },
  PARSE_JSON: (call) => {
    const [value] = argumentsOf(call, 'STRING');
    const mode = call.expr.namedArgs.find(({ name }) => name === 'wide_number_mode');
    return { sql: `CAST(gsql_checked(gsql_json_normal(${value?.sql}, ${mode ? call.compile(mode.value).sql : "'exact'"})) AS JSON)`, type: JSON_TYPE };
  },
  JSON_VALUE: (call) => scalar(call, false), JSON_EXTRACT_SCALAR: (call) => scalar(call, true),
  JSON_QUERY: (call) => extracted(call, false), JSON_EXTRACT: (call) => extracted(call, true),
  JSON_EXTRACT_ARRAY: (call) => list(call, false, true), JSON_QUERY_ARRAY: (call) => list(call, false, false),
  JSON_EXTRACT_STRING_ARRAY: (call) => list(call, true, true), JSON_VALUE_ARRAY: (call) => list(call, true, false),
  JSON_TYPE: simple('JSON', STRING, (value = '') => once([value], (a) => `CASE json_type(${a}) WHEN 'VARCHAR' THEN 'string' WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' ELSE CASE WHEN ${a} IS NOT NULL THEN 'number' END END`)),
  JSON_KEYS: (call) => { throw notSupported('JSON_KEYS', call.expr.place); },
  JSON_ARRAY: (call) => {
    const items = call.expr.args.map((argument) => jsonText(call.compile(argument), AS_JSON));
    return { sql: `CAST(gsql_checked(gsql_json_normal(concat('[', ${items.map((item) => `${item}, ','`).join(', ').replace(/, ','$/, '')}${items.length > 0 ? ', ' : ''}']'), 'round')) AS JSON)`, type: JSON_TYPE };
  },
  JSON_OBJECT: (call) => {
    const values = call.expr.args.map((argument) => call.compile(argument));
    const members = values[0]?.type.kind === 'ARRAY' ? membersOfArrays(call, values) : membersOfPairs(call, values);
    return { sql: `CAST(gsql_checked(gsql_json_normal(${members}, 'round')) AS JSON)`, type: JSON_TYPE };
  },
  INT64: (call) => converted(call, INT64, 'BIGINT'), FLOAT64: (call) => converted(call, FLOAT64, 'DOUBLE'), BOOL: (call) => converted(call, BOOL, 'BOOLEAN'),
  LAX_INT64: (call) => lax(call, INT64, 'BIGINT'), LAX_FLOAT64: (call) => lax(call, FLOAT64, 'DOUBLE'), LAX_BOOL: (call) => lax(call, BOOL, 'BOOLEAN'), LAX_STRING: (call) => lax(call, STRING, 'VARCHAR'),
};

const refusedObject = (call: FunctionCall, why: string): string => call.compilation.raise(text(`Invalid input to JSON_OBJECT: ${why}`));

function membersOfPairs(call: FunctionCall, values: Typed[]): string {
  const parts = values.map((value, index) => {
    if (index % 2 === 1) return jsonText(value, AS_JSON);
    const key = coerce(value, STRING);
    if (!key || values.length % 2 === 1) throw noSignature('function JSON_OBJECT', values, call.expr.place);
    const name = `${jsonText(key)} || ':'`;
    return typeof key.literal === 'string' ? name : `CASE WHEN ${key.sql} IS NULL THEN ${refusedObject(call, 'A key cannot be NULL')} ELSE ${name} END`;
  });
  const members = parts.flatMap((part, index) => (index > 0 && index % 2 === 0 ? ["','", part] : [part]));
  return `concat('{', ${[...members, "'}'"].join(', ')})`;
}

/** JSON_OBJECT(keys, values): two arrays of one length. */
function membersOfArrays(call: FunctionCall, values: Typed[]): string {
  const [keys, items] = [values[0] && coerce(values[0], arrayOf(STRING)), values[1]];
  if (!keys || items?.type.kind !== 'ARRAY' || values.length !== 2) throw noSignature('function JSON_OBJECT', values, call.expr.place);
  const { element } = items.type;
  return once([keys.sql, items.sql], (names = '', list = '') => {
    const [key, at] = [call.compilation.id('k'), call.compilation.id('i')];
    const member = `${jsonText({ sql: key, type: STRING })} || ':' || ${jsonText({ sql: `list_extract(${list}, ${at})`, type: element }, AS_JSON)}`;
    return `CASE WHEN ${names} IS NULL THEN ${refusedObject(call, 'The keys array cannot be NULL')} WHEN ${list} IS NULL THEN ${refusedObject(call, 'The values array cannot be NULL')}`
      + ` WHEN len(${names}) <> len(${list}) THEN ${refusedObject(call, 'The number of keys and values must match')} WHEN len(list_filter(${names}, lambda ${key}: ${key} IS NULL)) > 0 THEN ${refusedObject(call, 'A key cannot be NULL')}`
      + ` ELSE '{' || array_to_string(list_transform(${names}, lambda ${key}, ${at}: ${member}), ',') || '}' END`;
  });
}

/** The path as JSON: keys are texts, positions numbers. `['a b']` is how the JSON_EXTRACT functions quote a key, `"a b"` how the others do. */
function steps(call: FunctionCall, isLegacy: boolean): string | undefined {
  if (call.expr.args.length < 2) return '[]';
  const path = call.compile(argumentExpr(call, 1));
  if (path.type.kind === 'NULL') return undefined;
  if (typeof path.literal !== 'string') throw notSupported(`${call.name} with a path that is not a literal`, call.expr.place);
  const found: (string | number)[] = [];
  const source = path.literal;
  const step = isLegacy ? /\.([^.[\]'"\s]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y : /\.([^.[\]'"\s]+)|\[(\d+)\]|\."((?:[^"\\]|\\.)*)"/y;
  let at = source.startsWith('$') ? 1 : -1;
  while (at >= 0 && at < source.length) {
    step.lastIndex = at;
    const [whole, plain, position, quoted, double] = step.exec(source) ?? [];
    if (whole === undefined) throw invalidQuery(`Invalid token in JSONPath at: ${source.slice(at)}`, argumentExpr(call, 1).place);
    found.push(position === undefined ? plain ?? (quoted ?? double ?? '').replace(/\\(.)/g, '$1') : Number(position));
    at += whole.length;
  }
  if (at < 0) throw invalidQuery("JSONPath must start with '$'", argumentExpr(call, 1).place);
  return text(JSON.stringify(found));
}

const NULL_STRING: Typed = { sql: 'CAST(NULL AS VARCHAR)', type: STRING };

/** A STRING and a JSON are both read as text; a text that is no JSON gives NULL. */
function input(call: FunctionCall): { isJson: boolean; sql: string } {
  const value = call.compile(argumentExpr(call, 0));
  if (value.type.kind === 'JSON') return { isJson: true, sql: `CAST(${value.sql} AS VARCHAR)` };
  if (value.type.kind !== 'STRING' && value.type.kind !== 'NULL') throw noSignature(`function ${call.name}`, [value], call.expr.place);
  return { isJson: false, sql: value.type.kind === 'NULL' ? 'CAST(NULL AS VARCHAR)' : value.sql };
}

const all = (path: string): string => (path === '[]' ? "'[]'" : path);

function scalar(call: FunctionCall, isLegacy: boolean): Typed {
  const path = steps(call, isLegacy);
  if (path === undefined) return NULL_STRING;
  const { sql } = input(call);
  const exact = (a: string): string => `gsql_json_value(${a}, ${all(path)})`;
  const native = nativePath(path);
  if (native === undefined) return { sql: exact(sql), type: STRING };
  // DuckDB is many times faster, but spells fractions anew.
  return { sql: once([sql], (a = '') => `CASE json_type(gsql_json(${a}), ${native}) WHEN 'DOUBLE' THEN ${exact(a)} WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL WHEN 'NULL' THEN NULL ELSE json_extract_string(gsql_json(${a}), ${native}) END`), type: STRING };
}

/** The path in DuckDB's words; undefined where a key would need escapes. */
function nativePath(path: string): string | undefined {
  const found = JSON.parse(path.replace(/^'|'$/g, '').replaceAll("''", "'")) as (string | number)[];
  if (found.some((step) => typeof step === 'string' && (/["\\*]/.test(step) || /^\d+$/.test(step)))) return undefined;
  return text(`$${found.map((step) => (typeof step === 'number' ? `[${step}]` : `."${step}"`)).join('')}`);
}

function extracted(call: FunctionCall, isLegacy: boolean): Typed {
  const path = steps(call, isLegacy);
  const { isJson, sql } = input(call);
  if (path === undefined) return isJson ? { sql: 'CAST(NULL AS JSON)', type: JSON_TYPE } : NULL_STRING;
  return isJson ? { sql: `CAST(gsql_json_part(${sql}, ${all(path)}) AS JSON)`, type: JSON_TYPE } : { sql: `gsql_json_query(${sql}, ${all(path)})`, type: STRING };
}

function list(call: FunctionCall, asText: boolean, isLegacy: boolean): Typed {
  const path = steps(call, isLegacy);
  const { isJson, sql } = input(call);
  const type = arrayOf(isJson && !asText ? JSON_TYPE : STRING);
  const items = path === undefined ? 'CAST(NULL AS VARCHAR[])' : `gsql_json_${asText ? 'texts' : 'items'}(${sql}, ${all(path)})`;
  return { sql: isJson && !asText ? `CAST(${items} AS JSON[])` : items, type };
}

function converted(call: FunctionCall, type: SqlType, duck: string): Typed {
  const [value] = argumentsOf(call, 'JSON');
  const what = type.kind === 'INT64' ? 'an integer' : type.kind === 'BOOL' ? 'a boolean' : 'a number';
  const sql = once([value?.sql ?? 'NULL'], (a) => {
    const fits = type.kind === 'BOOL' ? `json_type(${a}) = 'BOOLEAN'`
      : type.kind === 'FLOAT64' ? `json_type(${a}) IN ('BIGINT', 'UBIGINT', 'DOUBLE')`
        : `(json_type(${a}) IN ('BIGINT', 'UBIGINT') OR (json_type(${a}) = 'DOUBLE' AND CAST(${a} ->> '$' AS DOUBLE) = trunc(CAST(${a} ->> '$' AS DOUBLE))))`;
    return `CASE WHEN ${fits} THEN CAST(${type.kind === 'INT64' ? `regexp_replace(${a} ->> '$', '[.]0$', '')` : `${a} ->> '$'`} AS ${duck}) WHEN ${a} IS NOT NULL THEN ${call.compilation.raise(`'The provided JSON input is not ${what}'`)} END`;
  });
  return { sql, type };
}

function lax(call: FunctionCall, type: SqlType, duck: string): Typed {
  const [value] = argumentsOf(call, 'JSON');
  return { sql: `CAST(gsql_json_lax('${type.kind}', CAST(${value?.sql} AS VARCHAR)) AS ${duck})`, type };
}
