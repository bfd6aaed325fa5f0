// Columns for every shard before code writes them: in go the tables as they are and the generated columns, out comes a plan
// (what each table lacks, and what can never be), then the tables as they should be. Called by `maintain` and scripts/migrate.ts.
import type { Clock } from '../clock.ts';
import type { StreamTables, TableField } from '../stream-tables.ts';
import { shardOfTable } from './table-definition.ts';
import type { TableApi } from './tables.ts';

export type TablePlan = {
  stream: string;
  table: string;
  /** Paths of columns that the table lacks, such as `device.web_info.browser`. */
  additions: string[];
  /** What BigQuery can never change: another type or mode of a column. */
  conflicts: string[];
  /** The columns to ask for: the table's own, in their order, with the missing ones at the end of their record. */
  fields: TableField[];
};

/** What one table needs. */
export function planFields(current: readonly TableField[], wanted: readonly TableField[], path = ''): Omit<TablePlan, 'stream' | 'table'> {
  const plan: Omit<TablePlan, 'stream' | 'table'> = { additions: [], conflicts: [], fields: [] };
  const wantedByName = new Map(wanted.map((field) => [field.name.toLowerCase(), field]));
  for (const field of current) {
    const want = wantedByName.get(field.name.toLowerCase());
    if (want === undefined) {
      // A column of an older or newer version: it stays, its rows read NULL.
      plan.fields.push(field);
      continue;
    }
    const name = path + field.name;
    if (typeOf(field) !== typeOf(want)) plan.conflicts.push(`${name} is ${typeOf(field)}, the schema says ${typeOf(want)}`);
    else if (isRepeated(field) !== isRepeated(want)) plan.conflicts.push(`${name} is ${field.mode ?? 'NULLABLE'}, the schema says ${want.mode ?? 'NULLABLE'}`);
    const inner = typeOf(field) === 'RECORD' && typeOf(want) === 'RECORD' ? planFields(field.fields ?? [], want.fields ?? [], `${name}.`) : undefined;
    plan.additions.push(...(inner?.additions ?? []));
    plan.conflicts.push(...(inner?.conflicts ?? []));
    plan.fields.push(inner === undefined ? field : { ...field, fields: inner.fields });
  }
  const currentNames = new Set(current.map((field) => field.name.toLowerCase()));
  for (const field of wanted) {
    if (currentNames.has(field.name.toLowerCase())) continue;
    plan.additions.push(path + field.name);
    plan.fields.push(field);
  }
  return plan;
}

/** Tables that are read at a time: a year of three streams is a thousand of them. */
const READS_AT_ONCE = 8;

/** Plans for all shards of the streams that lack something or contradict the schema; tables that are right are left out. */
export async function planMigration(api: Pick<TableApi, 'list' | 'fieldsOf'>, streams: readonly StreamTables[]): Promise<TablePlan[]> {
  const shards = (await api.list()).flatMap((table) => {
    const of = streams.find(({ prefix }) => shardOfTable(prefix, table) !== undefined);
    return of === undefined ? [] : [{ table, of }];
  });
  const plans: TablePlan[] = [];
  for (let at = 0; at < shards.length; at += READS_AT_ONCE) {
    const read = await Promise.all(shards.slice(at, at + READS_AT_ONCE).map(async ({ table, of }) => ({ table, of, current: await api.fieldsOf(table) })));
    for (const { table, of, current } of read) {
      if (current === undefined) continue;
      const plan = { stream: of.stream, table, ...planFields(current, of.fields) };
      if (plan.additions.length > 0 || plan.conflicts.length > 0) plans.push(plan);
    }
  }
  return plans;
}

/** BigQuery takes five metadata updates per table in ten seconds; other processes update it too. */
const UPDATE_GAP_MS = 2_500;
const ATTEMPTS_MAX = 4;

/**
 * Adds the missing columns, one table after another. A table with a conflict is left alone and reported. When another process
 * changed the table meanwhile BigQuery refuses (a column would be missing in our schema): it is read and planned again.
 */
export async function applyMigration(
  api: Pick<TableApi, 'fieldsOf' | 'setFields'>,
  plans: readonly TablePlan[],
  streams: readonly StreamTables[],
  { clock, wait, done }: { clock: Clock; wait: (ms: number) => Promise<unknown>; done?: (plan: TablePlan) => void },
): Promise<{ changed: string[]; conflicts: string[] }> {
  const changed: string[] = [];
  const conflicts: string[] = [];
  for (let plan of plans) {
    if (plan.conflicts.length > 0) conflicts.push(...plan.conflicts.map((conflict) => `${plan.table}: ${conflict}`));
    if (plan.conflicts.length > 0 || plan.additions.length === 0) continue;
    for (let attempt = 1, updatedMs = -Infinity; plan.additions.length > 0; attempt += 1) {
      await wait(Math.max(0, updatedMs + UPDATE_GAP_MS - clock()));
      updatedMs = clock();
      try {
        await api.setFields(plan.table, plan.fields);
        changed.push(plan.table);
        done?.(plan);
        break;
      } catch (error) {
        if (attempt === ATTEMPTS_MAX) throw error;
        const current = await api.fieldsOf(plan.table);
        if (current === undefined) break; // dropped by the rollover meanwhile
        plan = { ...plan, ...planFields(current, streams.find(({ stream }) => stream === plan.stream)!.fields) };
      }
    }
  }
  return { changed, conflicts };
}

/** BigQuery answers with the older names of its types. */
const SAME_TYPES: Record<string, string> = { INT64: 'INTEGER', FLOAT64: 'FLOAT', BOOL: 'BOOLEAN', STRUCT: 'RECORD' };
const typeOf = ({ type }: TableField): string => SAME_TYPES[type.toUpperCase()] ?? type.toUpperCase();
const isRepeated = ({ mode }: TableField): boolean => mode?.toUpperCase() === 'REPEATED';
