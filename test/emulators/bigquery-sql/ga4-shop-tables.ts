// The shop's events into an engine of the tests: tables with rows. Called by the tests of GA4 queries.
import type { TableField } from '../../../emulators/bigquery/sql/context.ts';
import { duckType, typeOfField } from '../../../emulators/bigquery/sql/sql-type.ts';
import { startEngine } from './engine.ts';
import type { Engine } from './engine.ts';
import { SHOP_FIELDS, SHOP_TABLES } from './ga4-shop.ts';

export async function startShopEngine(): Promise<Engine> {
  const engine = await startEngine();
  for (const [name, events] of SHOP_TABLES) await engine.table(name, SHOP_FIELDS, events.map((event) => SHOP_FIELDS.map((field) => literal(field, event[field.name])).join(', ')));
  return engine;
}

function literal(field: TableField, value: unknown): string {
  const type = duckType(typeOfField(field));
  if (field.mode === 'REPEATED') return `CAST([${((value as unknown[] | undefined) ?? []).map((item) => literal({ ...field, mode: 'NULLABLE' }, item)).join(', ')}] AS ${type})`;
  if (value === null || value === undefined) return `CAST(NULL AS ${type})`;
  if (field.type === 'RECORD') return `{${(field.fields ?? []).map((inner) => `'${inner.name}': ${literal(inner, (value as Record<string, unknown>)[inner.name])}`).join(', ')}}`;
  return field.type === 'STRING' ? `'${String(value).replaceAll("'", "''")}'` : String(value);
}
