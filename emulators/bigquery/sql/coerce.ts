// A typed value and a wanted type in, a value of that type out, by GoogleSQL's rules for what coerces without CAST; used by the compiler.
import { invalidQuery } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import type { SqlType } from './context.ts';
import { duckFieldName, duckType, sameType, structPack, superType, text, typeName } from './sql-type.ts';
import type { Typed } from './scope.ts';

/** Undefined where GoogleSQL wants a CAST. */
export function coerce(value: Typed, target: SqlType): Typed | undefined {
  const { type } = value;
  if (target.kind === 'NULL') return value;
  if (type.kind === 'NULL') return { sql: `CAST(${value.sql} AS ${duckType(target)})`, type: target, ...(value.literal && { literal: true }) };
  if (type.kind === 'STRUCT' && target.kind === 'STRUCT') return coerceStruct(value, type, target);
  if (value.isEmptyArray && target.kind === 'ARRAY') return { sql: `CAST([] AS ${duckType(target)})`, type: target, literal: true, isEmptyArray: true };
  if (type.kind === 'ARRAY' && target.kind === 'ARRAY') return coerceArray(value, type.element, target.element);
  if (sameType(type, target)) return { ...value, type: target };
  if (type.kind === 'INT64' && (target.kind === 'FLOAT64' || target.kind === 'NUMERIC')) return cast(value, target);
  if (type.kind === 'NUMERIC' && target.kind === 'FLOAT64') return cast(value, target);
  if (type.kind === 'FLOAT64' && target.kind === 'NUMERIC' && value.literal) return { ...cast(value, target), sql: `gsql_numeric(${value.sql})` };
  if (type.kind === 'STRING' && value.literal && ['DATE', 'TIMESTAMP', 'DATETIME', 'TIME'].includes(target.kind)) return cast(value, target);
  if (type.kind === 'DATE' && target.kind === 'DATETIME') return cast(value, target);
  return undefined;
}

function cast(value: Typed, target: SqlType): Typed {
  return { sql: `CAST(${value.sql} AS ${duckType(target)})`, type: target, ...(value.literal && { literal: value.literal }) };
}

function coerceStruct(value: Typed, type: Extract<SqlType, { kind: 'STRUCT' }>, target: Extract<SqlType, { kind: 'STRUCT' }>): Typed | undefined {
  if (type.fields.length !== target.fields.length) return undefined;
  const isSame = type.fields.every((field, index) => {
    const wanted = target.fields[index];
    return wanted && duckFieldName(field, index) === duckFieldName(wanted, index) && duckType(field.type) === duckType(wanted.type);
  });
  if (isSame) return { ...value, type: target };
  const parts: Parameters<typeof structPack>[0] = [];
  for (const [index, field] of type.fields.entries()) {
    const wanted = target.fields[index];
    if (!wanted) return undefined;
    const part = coerce(value.parts?.[index] ?? { sql: structField(value.sql, duckFieldName(field, index)), type: field.type, ...(value.literal && { literal: true }) }, wanted.type);
    if (!part) return undefined;
    parts.push({ name: duckFieldName(wanted, index), sql: part.sql, type: wanted.type });
  }
  const built = structPack(parts);
  // One that is built on the spot is never NULL.
  return { sql: value.parts ? built : `CASE WHEN ${value.sql} IS NOT NULL THEN ${built} END`, type: target };
}

function coerceArray(value: Typed, element: SqlType, wanted: SqlType): Typed | undefined {
  if (duckType(element) === duckType(wanted)) return { ...value, type: { kind: 'ARRAY', element: wanted } };
  const parameter = freshParameter(value.sql);
  const inner = coerce({ sql: parameter, type: element, ...(value.literal && { literal: true }) }, wanted);
  return inner && { sql: `list_transform(${value.sql}, lambda ${parameter}: ${inner.sql})`, type: { kind: 'ARRAY', element: wanted } };
}

/** A lambda parameter that the list itself does not mention, so that nested lambdas do not hide each other's. */
export function freshParameter(listSql: string): string {
  let depth = 1;
  while (listSql.includes(`e${depth}`)) depth += 1;
  return `e${depth}`;
}

export function structField(sql: string, name: string): string {
  return `struct_extract(${sql}, ${text(name)})`;
}

/** All values as their common type; `what` names the construct in the error. */
export function unify(values: Typed[], what: string, place: Place): Typed[] {
  const type = commonType(values, what, place);
  return values.map((value) => coerceOrThrow(value, type, what, place));
}

export function commonType(values: Typed[], what: string, place: Place): SqlType {
  let type: SqlType = { kind: 'NULL' };
  // Columns decide before literals do: a literal follows the column's type.
  for (const value of [...values.filter(({ literal }) => !literal), ...values.filter(({ literal }) => literal)]) {
    const wider = superType(type, value.type);
    if (wider && !(value.literal && type.kind === 'NUMERIC' && wider.kind === 'FLOAT64')) type = wider;
    else if (!coerce(value, type)) throw noSignature(what, values, place);
  }
  return type;
}

export function coerceOrThrow(value: Typed, type: SqlType, what: string, place: Place): Typed {
  const coerced = coerce(value, type);
  if (!coerced) throw noSignature(what, [value], place, `Expected ${typeName(type)}`);
  return coerced;
}

export function noSignature(what: string, values: Typed[], place: Place, more = ''): Error {
  const types = values.map(({ type }) => typeName(type)).join(', ');
  return invalidQuery(`No matching signature for ${what} for argument types: ${types}.${more ? ` ${more}` : ''}`.replace(/\.$/, ''), place);
}
