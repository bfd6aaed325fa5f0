// The shop's events as tables of Google's reference evaluator, under every name by which the tests' queries call them. Used by the evaluator test.
import { SHOP_FIELDS, SHOP_TABLES } from '../../emulators/bigquery-sql/ga4-shop.ts';
import type { ShopEvent } from '../../emulators/bigquery-sql/ga4-shop.ts';
import { typeOf } from './ga4-catalogue.ts';
import type { ReferenceTable } from './reference.ts';
import type { ValueProto } from './reference-value.ts';

type Field = { name: string; type: string; mode?: string; fields?: Field[] };
const VALUES: Record<string, string> = { STRING: 'string_value', INTEGER: 'int64_value', FLOAT: 'double_value', BOOLEAN: 'bool_value' };

function proto(field: Field, value: unknown): ValueProto {
  if (field.mode === 'REPEATED') return { array_value: { element: ((value as unknown[] | undefined) ?? []).map((item) => proto({ ...field, mode: 'NULLABLE' }, item)) } };
  if (value === null || value === undefined) return {};
  if (field.type === 'RECORD') return { struct_value: { field: (field.fields ?? []).map((inner) => proto(inner, (value as Record<string, unknown>)[inner.name])) } };
  return { [VALUES[field.type] ?? '']: value };
}

const columns = SHOP_FIELDS.map((field) => ({ name: field.name, type: typeOf(field) }));
const cells = (event: ShopEvent): ValueProto[] => SHOP_FIELDS.map((field) => proto(field, event[field.name]));

export function shopTables(): ReferenceTable[] {
  const wildcard = (prefix: string): ReferenceTable => ({
    name: `d.${prefix}*`, columns: [...columns, { name: '_TABLE_SUFFIX', type: { type_kind: 'TYPE_STRING' }, isPseudo: true }],
    rows: SHOP_TABLES.filter(([name]) => name.startsWith(prefix)).flatMap(([name, events]) => events.map((event) => [...cells(event), { string_value: name.slice(prefix.length) }])),
  });
  return [...SHOP_TABLES.map(([name, events]) => ({ name: `d.${name}`, columns, rows: events.map(cells) })), wildcard('events_'), wildcard('events_intraday_')];
}
