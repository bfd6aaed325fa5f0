// A query in, its answer in BigQuery's types and wire form out, as the local BigQuery would send it; used by the tables of cases.
import type { TableField } from '../../../emulators/bigquery/sql/context.ts';
import { translateScript } from '../../../emulators/bigquery/sql/translate.ts';
import { wireRowSql } from '../../../emulators/bigquery/wire-rows.ts';
import type { Engine } from './engine.ts';

/** Scalars as BigQuery's REST API writes them, arrays as arrays, structs as the array of their values. */
export type WireValue = string | null | WireValue[];
export type WireAnswer = { types: string[]; rows: WireValue[][] };

/** An expression, or a query that begins with SELECT or WITH, and its answer: of an expression the value, of a query its rows. */
export type Case = [sql: string, type: string, answer: WireValue];

export const queryOf = (sql: string): string => (/^(?:SELECT|WITH)\b/i.test(sql) ? sql : `SELECT ${sql}`);
/** What is compared: the type of an expression or those of a query's columns, and the value or the rows. */
export function answerOf(sql: string, { types, rows }: WireAnswer): { type: string; value: WireValue } {
  return { type: types.join(', '), value: queryOf(sql) === sql ? rows : rows[0]?.[0] ?? null };
}

export async function wireAnswer(engine: Engine, sql: string): Promise<WireAnswer> {
  const statement = [...translateScript(sql, engine.context())].at(-1);
  const fields = (statement?.fields ?? []).map((field) => ({ ...field, mode: field.mode ?? 'NULLABLE' }));
  const columns = fields.map((_, index) => `_c${index}`);
  const result = await engine.connection.runAndReadAll(`SELECT ${wireRowSql(fields, columns)} FROM (${statement?.duckSql}\n) AS _q(${columns.join(', ')})`);
  const rows = result.getRows().map(([row]) => (JSON.parse(row as string) as { f: Cell[] }).f);
  return { types: fields.map(typeName), rows: rows.map((cells) => cells.map(({ v }, index) => plain(fields[index] as TableField, v))) };
}

type Cell = { v: null | string | Cell[] | { f: Cell[] } };

function plain(field: TableField, value: Cell['v']): WireValue {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(({ v }) => plain({ ...field, mode: 'NULLABLE' }, v));
  if (typeof value === 'object') return value.f.map(({ v }, index) => plain(field.fields?.[index] as TableField, v));
  // A double has many spellings: 1.0 is 1.
  return field.type === 'FLOAT' ? String(Number(value)) : value;
}

const NAMES: Record<string, string> = { INTEGER: 'INT64', FLOAT: 'FLOAT64', BOOLEAN: 'BOOL' };

function typeName(field: TableField): string {
  const inner = (field.fields ?? []).map((one) => `${/^_field_\d+$/.test(one.name) ? '' : `${one.name} `}${typeName(one)}`);
  const single = field.type === 'RECORD' ? `STRUCT<${inner.join(', ')}>` : NAMES[field.type] ?? field.type;
  return field.mode === 'REPEATED' ? `ARRAY<${single}>` : single;
}
