// BigQuery columns: checks and normalises schemas that come in over REST, says what each column is in DuckDB, and what a schema update may change.
import { Refusal } from './refusal.ts';
import type { TableField } from './sql/context.ts';

export type { TableField } from './sql/context.ts';

/** REST names of types (GoogleSQL's are accepted and answered as these, which is what Google does) and the DuckDB type that holds each. */
const DUCK_TYPES: Record<string, string> = {
  STRING: 'VARCHAR', INTEGER: 'BIGINT', FLOAT: 'DOUBLE', BOOLEAN: 'BOOLEAN', BYTES: 'BLOB', DATE: 'DATE', DATETIME: 'TIMESTAMP',
  TIMESTAMP: 'TIMESTAMP WITH TIME ZONE', TIME: 'TIME', NUMERIC: 'DECIMAL(38,9)', JSON: 'JSON', INTERVAL: 'INTERVAL',
};
const ALIASES: Record<string, string> = { INT64: 'INTEGER', FLOAT64: 'FLOAT', BOOL: 'BOOLEAN', STRUCT: 'RECORD', DECIMAL: 'NUMERIC' };
const MODES = new Set(['NULLABLE', 'REQUIRED', 'REPEATED']);
const NEST_DEPTH_MAX = 15; // docs/nested-repeated: "at most 15 levels of nested STRUCTs"

export const typeOf = (field: TableField): string => {
  const type = field.type.toUpperCase();
  return ALIASES[type] ?? type;
};
export const isRepeated = (field: TableField): boolean => field.mode === 'REPEATED';
export const isRequired = (field: TableField): boolean => field.mode === 'REQUIRED';

/** A schema from a request: every problem is a refusal that names the column. */
export function readFields(value: unknown, path = '', depth = 0): TableField[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Refusal('invalid', `schema.fields${path === '' ? '' : ` of ${path}`} must be a list.`);
  if (depth > NEST_DEPTH_MAX) throw new Refusal('invalid', `Field ${path} is nested too deeply: at most ${NEST_DEPTH_MAX} levels.`);
  const seen = new Set<string>();
  return value.map((entry: Partial<TableField>) => {
    const field = readField(entry, path, depth);
    const key = field.name.toLowerCase();
    if (seen.has(key)) throw new Refusal('invalid', `Duplicate field name ${path}${field.name} in the schema.`);
    seen.add(key);
    return field;
  });
}

function readField(entry: Partial<TableField>, path: string, depth: number): TableField {
  const name = entry.name;
  if (typeof name !== 'string' || !/^[\p{L}_][\p{L}\p{N}\p{M}_\- &%=+:'<>#|]{0,299}$/u.test(name)) {
    throw new Refusal('invalid', `Invalid field name "${path}${String(name)}". Fields must contain only letters, numbers and underscores, start with a letter or underscore, and be at most 300 characters long.`);
  }
  const type = typeOf({ name, type: String(entry.type ?? '') });
  const mode = (entry.mode ?? 'NULLABLE').toUpperCase() || 'NULLABLE';
  if (!MODES.has(mode)) throw new Refusal('invalid', `Field ${path}${name} has the unknown mode ${mode}.`);
  const { fields, ...rest } = entry;
  const extra = Object.fromEntries(Object.entries(rest).filter(([key, value]) => !['name', 'type', 'mode'].includes(key) && value !== undefined));
  for (const key of ['policyTags', 'defaultValueExpression', 'rangeElementType']) {
    if (key in extra) throw new Refusal('notImplemented', `Field ${path}${name}: ${key} is not implemented in the local BigQuery.`);
  }
  if (type === 'RECORD') {
    const nested = readFields(fields, `${path}${name}.`, depth + 1);
    if (nested.length === 0) throw new Refusal('invalid', `Field ${path}${name} is type RECORD but has no schema`);
    return { name, type, mode, ...extra, fields: nested };
  }
  if (['BIGNUMERIC', 'BIGDECIMAL', 'GEOGRAPHY', 'RANGE'].includes(type)) {
    throw new Refusal('notImplemented', `Field ${path}${name}: type ${type} is not implemented in the local BigQuery.`);
  }
  if (!(type in DUCK_TYPES)) throw new Refusal('invalid', `Invalid value for type: ${String(entry.type)} is not a valid value (field ${path}${name}).`);
  return { name, type, mode, ...extra };
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The DuckDB type of one column, REPEATED as a list. */
export function duckType(field: TableField): string {
  const type = typeOf(field);
  const element = type === 'RECORD'
    ? `STRUCT(${(field.fields ?? []).map((nested) => `${quoted(nested.name)} ${duckType(nested)}`).join(', ')})`
    : DUCK_TYPES[type];
  if (element === undefined) throw new Refusal('notImplemented', `Type ${type} (field ${field.name}) is not implemented in the local BigQuery.`);
  return isRepeated(field) ? `${element}[]` : element;
}

/**
 * A column's definition. Rows that leave a REPEATED one out have no elements there, never NULL. The default is a text: `[]` is a call, which DuckDB can't
 * replay from its log after a kill (seen with 1.5.5).
 */
export const columnSql = (field: TableField): string => `${quoted(field.name)} ${duckType(field)}${isRepeated(field) ? " DEFAULT '[]'" : ''}`;

/** Column definitions of CREATE TABLE. A table without columns gets none that anybody sees: DuckDB wants at least one. */
export const columnsSql = (fields: TableField[]): string =>
  fields.length === 0 ? '"_no_columns" BOOLEAN' : fields.map(columnSql).join(', ');

/** A column that an update adds, with its path (`items.sku`). */
export type AddedField = { path: string; field: TableField };

/**
 * Compares a table's columns with those of an update. Columns may be added (NULLABLE or REPEATED, also inside RECORDs), descriptions
 * may change, REQUIRED may become NULLABLE; anything else is refused as Google refuses it. Answers the merged schema, old order first.
 */
export function evolve(table: string, current: TableField[], wanted: TableField[], added: AddedField[] = [], path = ''): TableField[] {
  const byName = new Map(wanted.map((field) => [field.name.toLowerCase(), field]));
  const merged = current.map((field) => {
    const next = byName.get(field.name.toLowerCase());
    if (next === undefined) throw new Refusal('invalid', `Provided Schema does not match Table ${table}. Field ${path}${field.name} is missing in new schema`);
    byName.delete(field.name.toLowerCase());
    return evolveField(table, field, next, added, path);
  });
  for (const field of byName.values()) {
    if (isRequired(field)) throw new Refusal('invalid', `Provided Schema does not match Table ${table}. Cannot add required fields to an existing schema. (field: ${path}${field.name})`);
    added.push({ path: `${path}${field.name}`, field });
    merged.push(field);
  }
  return merged;
}

function evolveField(table: string, field: TableField, next: TableField, added: AddedField[], path: string): TableField {
  const place = `${path}${field.name}`;
  if (typeOf(field) !== typeOf(next)) {
    throw new Refusal('invalid', `Provided Schema does not match Table ${table}. Field ${place} has changed type from ${typeOf(field)} to ${typeOf(next)}`);
  }
  const modes = `${field.mode ?? 'NULLABLE'} ${next.mode ?? 'NULLABLE'}`;
  if (!['NULLABLE NULLABLE', 'REQUIRED REQUIRED', 'REPEATED REPEATED', 'REQUIRED NULLABLE'].includes(modes)) {
    throw new Refusal('invalid', `Provided Schema does not match Table ${table}. Field ${place} has changed mode from ${modes.replace(' ', ' to ')}`);
  }
  const merged = { ...field, ...next, name: field.name };
  if (typeOf(field) === 'RECORD') merged.fields = evolve(table, field.fields ?? [], next.fields ?? [], added, `${path}${field.name}.`);
  return merged;
}

const FIXED_BYTES: Record<string, number> = { BOOLEAN: 1, NUMERIC: 16, INTERVAL: 16 };

/** What BigQuery counts for a row (docs/pricing#data-size): NULL is nothing, text is its UTF-8 and 2, numbers and times are 8. */
export function logicalBytes(fields: TableField[], row: Record<string, unknown>): number {
  const size = (field: TableField, value: unknown): number => {
    if (value === null || value === undefined) return 0;
    if (Array.isArray(value)) return value.reduce<number>((sum, element) => sum + size(field, element), 0);
    const type = typeOf(field);
    if (type === 'RECORD') return logicalBytes(field.fields ?? [], value as Record<string, unknown>);
    if (type === 'STRING' || type === 'BYTES') return 2 + Buffer.byteLength(String(value));
    return type === 'JSON' ? Buffer.byteLength(JSON.stringify(value)) : FIXED_BYTES[type] ?? 8;
  };
  return fields.reduce((sum, field) => sum + size(field, row[field.name]), 0);
}
