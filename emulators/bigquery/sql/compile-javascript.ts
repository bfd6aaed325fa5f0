// A call of a JavaScript function in, DuckDB SQL that runs it row by row out; called by the call compiler.
import { structField } from './coerce.ts';
import type { Compilation } from './compilation.ts';
import type { SqlType } from './context.ts';
import { notSupported } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import { stringLiteral } from './literals.ts';
import type { JavaScriptFunction } from './runtime/javascript.ts';
import type { Typed } from './scope.ts';
import { duckFieldName, duckType, text } from './sql-type.ts';

const UNSUPPORTED = new Set<SqlType['kind']>(['TIME', 'INTERVAL']);

export function compileJavaScript(compilation: Compilation, described: JavaScriptFunction, values: Typed[], place: Place): Typed {
  for (const { type } of [...described.arguments, { type: described.returns }]) refuse(type, place);
  const json = `CAST(json_array(${values.map(({ sql, type }) => encoded(compilation, sql, type)).join(', ')}) AS VARCHAR)`;
  const result = `CAST(gsql_checked(gsql_js(${stringLiteral(JSON.stringify(described))}, ${json})) AS JSON)`;
  return { sql: decoded(compilation, result, described.returns), type: described.returns };
}

function refuse(type: SqlType, place: Place): void {
  if (UNSUPPORTED.has(type.kind)) throw notSupported(`A JavaScript function over ${type.kind}`, place);
  if (type.kind === 'ARRAY') refuse(type.element, place);
  if (type.kind === 'STRUCT') for (const field of type.fields) refuse(field.type, place);
}

/** A value as DuckDB writes it into JSON; what JSON has no form for goes as text. */
function encoded(compilation: Compilation, sql: string, type: SqlType): string {
  switch (type.kind) {
    case 'ARRAY': {
      const parameter = compilation.id('j');
      return `list_transform(${sql}, lambda ${parameter}: ${encoded(compilation, parameter, type.element)})`;
    }
    case 'STRUCT': {
      const fields = type.fields.map((field, index) => `f${index} := ${encoded(compilation, structField(sql, duckFieldName(field, index)), field.type)}`);
      return `CASE WHEN ${sql} IS NOT NULL THEN struct_pack(${fields.join(', ')}) END`;
    }
    case 'BYTES': return `base64(${sql})`;
    case 'TIMESTAMP': return `epoch_us(${sql})`;
    case 'BOOL': case 'STRING': return sql;
    default: return `CAST(${sql} AS VARCHAR)`;
  }
}

function decoded(compilation: Compilation, json: string, type: SqlType): string {
  switch (type.kind) {
    case 'ARRAY': {
      const parameter = compilation.id('j');
      return `list_transform(CAST(${json} AS JSON[]), lambda ${parameter}: ${decoded(compilation, parameter, type.element)})`;
    }
    case 'STRUCT': {
      const fields = type.fields.map((field, index) => `"${duckFieldName(field, index)}" := ${decoded(compilation, `json_extract(${json}, ${text(`$."${field.name}"`)})`, field.type)}`);
      return `CASE WHEN json_type(${json}) <> 'NULL' THEN struct_pack(${fields.join(', ')}) END`;
    }
    case 'BYTES': return `from_base64(json_extract_string(${json}, '$'))`;
    default: return `CAST(json_extract_string(${json}, '$') AS ${duckType(type)})`;
  }
}
