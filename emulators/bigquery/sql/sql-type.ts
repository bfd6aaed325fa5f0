// BigQuery's types and what the two sides call them: REST fields, DuckDB's type names, the words of an error. Used all over the compiler.
import type { ParameterType, ScalarKind, SqlType, StructField, TableField } from './context.ts';
import type { TypeNode } from './tree.ts';

export const STRING: SqlType = { kind: 'STRING' };
export const INT64: SqlType = { kind: 'INT64' };
export const FLOAT64: SqlType = { kind: 'FLOAT64' };
export const BOOL: SqlType = { kind: 'BOOL' };
export const BYTES: SqlType = { kind: 'BYTES' };
export const DATE: SqlType = { kind: 'DATE' };
export const DATETIME: SqlType = { kind: 'DATETIME' };
export const TIMESTAMP: SqlType = { kind: 'TIMESTAMP' };
export const TIME: SqlType = { kind: 'TIME' };
export const NUMERIC: SqlType = { kind: 'NUMERIC' };
export const JSON_TYPE: SqlType = { kind: 'JSON' };
export const INTERVAL: SqlType = { kind: 'INTERVAL' };
export const NULL_TYPE: SqlType = { kind: 'NULL' };

export const arrayOf = (element: SqlType): SqlType => ({ kind: 'ARRAY', element });
export const structOf = (fields: StructField[]): SqlType => ({ kind: 'STRUCT', fields });

const FROM_REST: Record<string, ScalarKind> = {
  STRING: 'STRING', INTEGER: 'INT64', INT64: 'INT64', FLOAT: 'FLOAT64', FLOAT64: 'FLOAT64', BOOLEAN: 'BOOL', BOOL: 'BOOL', BYTES: 'BYTES',
  DATE: 'DATE', DATETIME: 'DATETIME', TIMESTAMP: 'TIMESTAMP', TIME: 'TIME', NUMERIC: 'NUMERIC', BIGNUMERIC: 'NUMERIC', JSON: 'JSON',
  INTERVAL: 'INTERVAL',
};

export function typeOfField(field: TableField): SqlType {
  const single = field.type === 'RECORD' || field.type === 'STRUCT'
    ? structOf((field.fields ?? []).map((inner) => ({ name: inner.name, type: typeOfField(inner) })))
    : { kind: FROM_REST[field.type.toUpperCase()] ?? 'STRING' } as SqlType;
  return field.mode === 'REPEATED' ? arrayOf(single) : single;
}

export function typeOfParameter(type: ParameterType): SqlType {
  if (type.type === 'ARRAY' && type.arrayType) return arrayOf(typeOfParameter(type.arrayType));
  if (type.type === 'STRUCT') {
    return structOf((type.structTypes ?? []).map((field) => ({ name: field.name ?? '', type: typeOfParameter(field.type) })));
  }
  return { kind: FROM_REST[type.type.toUpperCase()] ?? 'STRING' };
}

/** An untyped NULL column comes back as INT64, as in BigQuery. */
export function fieldOf(name: string, type: SqlType): TableField {
  if (type.kind === 'ARRAY') return { ...fieldOf(name, type.element), mode: 'REPEATED' };
  if (type.kind === 'STRUCT') {
    return { name, type: 'RECORD', mode: 'NULLABLE', fields: type.fields.map((field, index) => fieldOf(field.name || `_field_${index + 1}`, field.type)) };
  }
  const rest = type.kind === 'INT64' || type.kind === 'NULL' ? 'INTEGER' : type.kind === 'FLOAT64' ? 'FLOAT' : type.kind === 'BOOL' ? 'BOOLEAN' : type.kind;
  return { name, type: rest, mode: 'NULLABLE' };
}

const DUCK: Record<ScalarKind, string> = {
  STRING: 'VARCHAR', INT64: 'BIGINT', FLOAT64: 'DOUBLE', BOOL: 'BOOLEAN', BYTES: 'BLOB', DATE: 'DATE', DATETIME: 'TIMESTAMP',
  TIMESTAMP: 'TIMESTAMP WITH TIME ZONE', TIME: 'TIME', NUMERIC: 'DECIMAL(38,9)', JSON: 'JSON', INTERVAL: 'INTERVAL', NULL: 'BIGINT',
};

export function duckType(type: SqlType): string {
  if (type.kind === 'ARRAY') return `${duckType(type.element)}[]`;
  if (type.kind === 'STRUCT') return `STRUCT(${type.fields.map((field, index) => `${quote(duckFieldName(field, index))} ${duckType(field.type)}`).join(', ')})`;
  return DUCK[type.kind];
}

/** DuckDB wants every field of a struct named; an unnamed one gets the name that BigQuery shows for it. */
export function duckFieldName(field: StructField, index: number): string {
  return field.name || `_field_${index + 1}`;
}

/**
 * A STRUCT of these fields. A macro as a field's value would lose the field's name inside a correlated subquery, where DuckDB binds twice;
 * a cast to the type that it has keeps it and costs nothing.
 */
export function structPack(fields: { name: string; sql: string; type: SqlType }[]): string {
  return `struct_pack(${fields.map(({ name, sql, type }) => `${quote(name)} := ${/^(?!CAST|struct_|list_)\w+\(/.test(sql) ? `CAST(${sql} AS ${duckType(type)})` : sql}`).join(', ')})`;
}

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** As in BigQuery's error messages. */
export function typeName(type: SqlType): string {
  if (type.kind === 'ARRAY') return `ARRAY<${typeName(type.element)}>`;
  if (type.kind === 'STRUCT') return `STRUCT<${type.fields.map((field) => (field.name ? `${field.name} ${typeName(field.type)}` : typeName(field.type))).join(', ')}>`;
  return type.kind === 'NULL' ? 'INT64' : type.kind;
}

export function typeOfNode(node: TypeNode): SqlType {
  if (node.kind === 'ARRAY') return arrayOf(typeOfNode(node.element));
  if (node.kind === 'STRUCT') return structOf(node.fields.map((field) => ({ name: field.name, type: typeOfNode(field.type) })));
  return node.kind === 'ANY' ? NULL_TYPE : { kind: node.kind };
}

export function sameType(left: SqlType, right: SqlType): boolean {
  if (left.kind === 'ARRAY' && right.kind === 'ARRAY') return sameType(left.element, right.element);
  if (left.kind === 'STRUCT' && right.kind === 'STRUCT') {
    return left.fields.length === right.fields.length && left.fields.every((field, index) => {
      const other = right.fields[index];
      return other !== undefined && sameType(field.type, other.type);
    });
  }
  return left.kind === right.kind;
}

const NUMERIC_RANK: Partial<Record<SqlType['kind'], number>> = { INT64: 1, NUMERIC: 2, FLOAT64: 3 };
export const isNumeric = (type: SqlType): boolean => NUMERIC_RANK[type.kind] !== undefined || type.kind === 'NULL';

/** The type that both coerce to without a cast, or undefined. */
export function superType(left: SqlType, right: SqlType): SqlType | undefined {
  if (left.kind === 'NULL') return right;
  if (right.kind === 'NULL') return left;
  if (sameType(left, right)) return mergeNames(left, right);
  const leftRank = NUMERIC_RANK[left.kind];
  const rightRank = NUMERIC_RANK[right.kind];
  if (leftRank && rightRank) return leftRank > rightRank ? left : right;
  if ((left.kind === 'DATE' && right.kind === 'DATETIME') || (left.kind === 'DATETIME' && right.kind === 'DATE')) return { kind: 'DATETIME' };
  if (left.kind === 'STRUCT' && right.kind === 'STRUCT' && left.fields.length === right.fields.length) {
    const fields = left.fields.map((field, index) => {
      const other = right.fields[index];
      const type = other && superType(field.type, other.type);
      return type && { name: field.name, type };
    });
    return fields.every((field) => field !== undefined) ? structOf(fields) : undefined;
  }
  if (left.kind === 'ARRAY' && right.kind === 'ARRAY') {
    const element = superType(left.element, right.element);
    return element && arrayOf(element);
  }
  return undefined;
}

function mergeNames(left: SqlType, right: SqlType): SqlType {
  if (left.kind !== 'STRUCT' || right.kind !== 'STRUCT') return left;
  return structOf(left.fields.map((field, index) => ({ name: field.name || (right.fields[index]?.name ?? ''), type: field.type })));
}
