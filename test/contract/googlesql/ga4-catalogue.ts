// SQL in, the tables that it names out, with the columns that the product's tables have: what the analyser is told exists. Used by the analyser test.
import { streamTables } from '../../../functions/stream-tables.ts';
import { KEPT_TABLES } from '../../../functions/rollover/tables.ts';
import type { TableField } from '../../../functions/stream-tables.ts';
import type { ReferenceTable } from './reference.ts';
import type { TypeProto } from './reference-value.ts';

const KINDS: Record<string, string> = {
  STRING: 'TYPE_STRING', INTEGER: 'TYPE_INT64', INT64: 'TYPE_INT64', FLOAT: 'TYPE_DOUBLE', FLOAT64: 'TYPE_DOUBLE', BOOLEAN: 'TYPE_BOOL', BOOL: 'TYPE_BOOL', BYTES: 'TYPE_BYTES',
  DATE: 'TYPE_DATE', DATETIME: 'TYPE_DATETIME', TIME: 'TYPE_TIME', TIMESTAMP: 'TYPE_TIMESTAMP', NUMERIC: 'TYPE_NUMERIC', JSON: 'TYPE_JSON',
};

export function typeOf(field: TableField): TypeProto {
  const kind = KINDS[field.type];
  if (kind === undefined && field.type !== 'RECORD') throw new Error(`the analyser is not told of columns of type ${field.type}`);
  const single: TypeProto = kind === undefined ? { type_kind: 'TYPE_STRUCT', struct_type: { field: (field.fields ?? []).map((inner) => ({ field_name: inner.name, field_type: typeOf(inner) })) } } : { type_kind: kind };
  return field.mode === 'REPEATED' ? { type_kind: 'TYPE_ARRAY', array_type: { element_type: single } } : single;
}

/** Any shard, wildcard or table function's name begins with its stream's prefix; late tables have `late_` before it. */
function columnsOf(table: string): readonly TableField[] | undefined {
  const kept = KEPT_TABLES.find(({ name }) => name === table);
  const stream = streamTables().find(({ prefix }) => table.replace(/^late_/, '').startsWith(`${prefix}_`));
  return kept?.fields ?? stream?.fields;
}

/** The tables of the back-quoted names of a statement, under the name as it is written there. */
export function tablesNamedIn(sql: string): ReferenceTable[] {
  const names = new Set([...sql.matchAll(/`([^`\s]+)`/g)].map(([, name]) => name ?? ''));
  return [...names].flatMap((name): ReferenceTable[] => {
    const fields = columnsOf(name.split('.').at(-1) ?? '');
    if (fields === undefined) return [];
    const suffix = name.endsWith('*') ? [{ name: '_TABLE_SUFFIX', type: { type_kind: 'TYPE_STRING' }, isPseudo: true }] : [];
    return [{ name, columns: [...fields.map((field) => ({ name: field.name, type: typeOf(field) })), ...suffix] }];
  });
}
