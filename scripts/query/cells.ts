// BigQuery's raw row values -> values that JSON can hold, by the type of their column. scripts/query.ts gives them to a format.
import type { Field, RawRow } from './ask.ts';

export type Cell = string | number | boolean | null | Cell[] | { [name: string]: Cell };

export const rowOf = (fields: readonly Field[], row: RawRow): { [name: string]: Cell } =>
  Object.fromEntries(fields.map((field, index) => [field.name, cellOf(field, row.f[index]?.v)]));

export function cellOf(field: Field, raw: unknown): Cell {
  if (raw === null || raw === undefined) return field.mode === 'REPEATED' ? [] : null;
  if (field.mode === 'REPEATED') {
    const { mode: _mode, ...element } = field;
    return (raw as { v: unknown }[]).map(({ v }) => cellOf(element, v));
  }
  const text = String(raw);
  switch (field.type) {
    case 'RECORD': case 'STRUCT': return rowOf(field.fields ?? [], raw as RawRow);
    // Beyond ±(2^53-1) a number would be another number.
    case 'INTEGER': case 'INT64': return Number.isSafeInteger(Number(text)) ? Number(text) : text;
    case 'FLOAT': case 'FLOAT64': return Number.isFinite(Number(text)) ? Number(text) : text;
    case 'BOOLEAN': case 'BOOL': return text === 'true';
    case 'TIMESTAMP': return instantOf(text);
    default: return text;
  }
}

/** Microseconds since 1970 -> 2026-01-15 08:00:00.123456 UTC, without zeros at the end. */
function instantOf(text: string): string {
  if (!/^-?\d+$/.test(text)) return text;
  const micros = BigInt(text);
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((micros - rest) / 1_000n)).toISOString().replace('T', ' ').replace('.000Z', '');
  return `${seconds}${rest === 0n ? '' : `.${String(rest).padStart(6, '0').replace(/0+$/, '')}`} UTC`;
}
