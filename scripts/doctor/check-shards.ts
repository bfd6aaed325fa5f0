// Every shard of every stream: in goes the patient, out come findings about what would break a wildcard query, or lack a column that
// is being written. Called by checks.ts. A wildcard fails for all days when one table under its prefix is odd.
import type { Table, TableMetadata } from '@google-cloud/bigquery';
import { planFields } from '../../functions/maintain/migration.ts';
import { shardOfTable, tableDefinition } from '../../functions/maintain/table-definition.ts';
import { codeOf } from '../../functions/maintain/tables.ts';
import { addDays, dateOf } from '../../functions/table-shard.ts';
import { tableNameOf } from '../../functions/maintain/table-definition.ts';
import type { TableField } from '../../functions/stream-tables.ts';
import { once } from './check-pubsub.ts';
import { curesFor } from './cures.ts';
import type { Check, Finding } from './finding.ts';
import type { Patient } from './patient.ts';

/** A year of three streams is a thousand tables. */
const READS_AT_ONCE = 12;

export type Listed = { name: string; type: string };

export const listTables = (patient: Patient): (() => Promise<Listed[]>) => once(async () =>
  (await patient.dataset.getTables())[0].map(({ id, metadata }) => ({ name: id!, type: (metadata as TableMetadata).type ?? 'TABLE' })).sort((a, b) => (a.name < b.name ? -1 : 1)));

export function shardChecks(patient: Patient, tables: () => Promise<Listed[]>): Check[] {
  return [
    { name: 'tables of today and tomorrow', run: async () => checkAhead(patient, await tables()) },
    ...patient.streams.map((stream): Check => ({ name: `wildcard ${stream.prefix}_*`, run: async () => checkWildcard(patient, stream, await tables()) })),
    ...patient.streams.map((stream): Check => ({ name: `columns of every table of ${stream.stream}`, run: async () => checkColumns(patient, stream, await tables()) })),
  ];
}

function checkAhead(patient: Patient, tables: readonly Listed[]): Finding[] {
  const names = new Set(tables.map(({ name }) => name));
  const today = dateOf(patient.nowMs, patient.timeZone);
  const missing = patient.streams.flatMap(({ prefix }) => [today, addDays(today, 1)].flatMap((date) => (['intraday', 'late'] as const).map((kind) => tableNameOf(prefix, kind, date)))).filter((name) => !names.has(name));
  return missing.map((name) => ({
    kind: 'table_ahead_missing', where: name, what: 'The table is not there ahead of its day.',
    why: 'The writer makes it at the first event, which then waits for a redelivery; and maintain has not done its hourly work.', cure: curesFor(patient).maintain,
  }));
}

function checkWildcard(patient: Patient, { prefix }: Patient['streams'][number], tables: readonly Listed[]): Finding[] {
  const cures = curesFor(patient);
  return tables.filter(({ name }) => name.startsWith(`${prefix}_`)).flatMap(({ name, type }): Finding[] => {
    if (type !== 'TABLE') return [{ kind: 'view_under_prefix', where: name, what: `A ${type.toLowerCase().replaceAll('_', ' ')} has a name that ${prefix}_* matches.`, why: `Every query of \`${prefix}_*\` fails, whatever days it asks for.`, cure: cures.dropView(name) }];
    if (shardOfTable(prefix, name) === undefined) return [{ kind: 'stray_table', where: name, what: `A table that is no day has a name that ${prefix}_* matches.`, why: `Queries of \`${prefix}_*\` read it, or fail on its columns.`, cure: cures.dropTable(name) }];
    return [];
  });
}

async function checkColumns(patient: Patient, stream: Patient['streams'][number], tables: readonly Listed[]): Promise<Finding[]> {
  const cures = curesFor(patient);
  const shards = tables.filter(({ name, type }) => type === 'TABLE' && shardOfTable(stream.prefix, name) !== undefined).map(({ name }) => name);
  const findings: Finding[] = [];
  /** Type of columns that the schema does not know, by path; an older version's, and the same in every table that has it. */
  const foreign = new Map<string, { type: string; table: string }>();
  for (const { name, metadata } of await readAll(patient, shards)) {
    const { kind, date } = shardOfTable(stream.prefix, name)!;
    const fields = (metadata.schema as { fields?: TableField[] } | undefined)?.fields ?? [];
    const { additions, conflicts } = planFields(fields, stream.fields);
    const clashes = [...conflicts, ...clashesOf(fields, stream.fields, foreign, name), ...requiredOf(fields)];
    if (clashes.length > 0) findings.push({ kind: 'column_type_differs', where: name, what: `${clashes.slice(0, 3).join('; ')}.`, why: `Queries of \`${stream.prefix}_*\` fail, and rows of this day are refused.`, cure: kind === 'daily' ? cures.rollover(date, stream.stream) : cures.dropTable(name) });
    if (additions.length > 0) findings.push({ kind: 'column_missing', where: name, what: `It lacks ${additions.slice(0, 5).join(', ')}${additions.length > 5 ? ' …' : ''}.`, why: 'Rows that have it are refused until it is there; wildcards read it as NULL.', cure: cures.migrate });
    const { clustering: wanted, expirationMs } = tableDefinition(stream, kind, date);
    const expiresMs = Number(metadata.expirationTime ?? Infinity);
    if (expiresMs < (expirationMs ?? Infinity)) findings.push({ kind: 'table_expires', where: name, what: `It is deleted on ${new Date(expiresMs).toISOString().slice(0, 10)}.`, why: expirationMs === undefined ? 'schemas/streams.json keeps its rows for ever.' : `schemas/streams.json keeps its rows until ${new Date(expirationMs).toISOString().slice(0, 10)}.`, cure: expirationMs === undefined ? cures.neverExpire(name) : cures.rollover(date, stream.stream) });
    const clustering = metadata.clustering?.fields ?? [];
    if (wanted.join() !== clustering.join()) findings.push({ kind: 'clustering_differs', where: name, what: `It is clustered by ${clustering.join(', ') || 'nothing'}, not by ${wanted.join(', ')}.`, why: 'Queries by event read, and cost, the whole day; BigQuery clusters a wildcard only when all its tables are alike.', cure: kind === 'daily' ? cures.rollover(date, stream.stream) : clusterCure(patient, name, wanted) });
  }
  return findings;
}

function clusterCure(patient: Patient, name: string, wanted: readonly string[]): string {
  return patient.local === undefined ? `bq update --clustering_fields=${wanted.join(',')} ${patient.project}:${patient.datasetName}.${name}` : curesFor(patient).dropTable(name);
}

async function readAll(patient: Patient, names: readonly string[]): Promise<{ name: string; metadata: TableMetadata }[]> {
  const read: { name: string; metadata: TableMetadata }[] = [];
  for (let at = 0; at < names.length; at += READS_AT_ONCE) {
    read.push(...(await Promise.all(names.slice(at, at + READS_AT_ONCE).map((name) => readTable(patient.dataset.table(name), name)))).flat());
  }
  return read;
}

/** Dropped since it was listed: the rollover is at work, and there is nothing to say. */
async function readTable(table: Table, name: string): Promise<{ name: string; metadata: TableMetadata }[]> {
  try {
    const [metadata] = await table.getMetadata();
    return [{ name, metadata: metadata as TableMetadata }];
  } catch (error) {
    if (codeOf(error) === 404) return [];
    throw error;
  }
}

/** Columns of no schema that two tables have with two types. */
function clashesOf(fields: readonly TableField[], wanted: readonly TableField[], foreign: Map<string, { type: string; table: string }>, table: string): string[] {
  const known = new Set(wanted.map(({ name }) => name.toLowerCase()));
  return fields.filter(({ name }) => !known.has(name.toLowerCase())).flatMap(({ name, type, mode }) => {
    const shape = `${type} ${mode ?? 'NULLABLE'}`;
    const before = foreign.get(name.toLowerCase());
    if (before === undefined) foreign.set(name.toLowerCase(), { type: shape, table });
    return before === undefined || before.type === shape ? [] : [`${name} is ${shape}, in ${before.table} it is ${before.type}`];
  });
}

const requiredOf = (fields: readonly TableField[], path = ''): string[] =>
  fields.flatMap(({ name, mode, fields: inner = [] }) => [...(mode === 'REQUIRED' ? [`${path}${name} is REQUIRED`] : []), ...requiredOf(inner, `${path}${name}.`)]);
