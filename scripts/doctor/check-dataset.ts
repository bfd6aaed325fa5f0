// The dataset and what has a fixed name in it: in goes the patient, out come findings. Called by checks.ts.
import type { TableMetadata } from '@google-cloud/bigquery';
import { planFields } from '../../functions/maintain/migration.ts';
import { codeOf } from '../../functions/maintain/tables.ts';
import { labelOf, TIME_ZONE_LABEL } from '../../functions/reporting-zone.ts';
import { tableFunctionSql } from '../../functions/rollover/table-function.ts';
import { KEPT_TABLES } from '../../functions/rollover/tables.ts';
import type { TableField } from '../../functions/stream-tables.ts';
import { once } from './check-pubsub.ts';
import { curesFor } from './cures.ts';
import type { Check, Finding } from './finding.ts';
import type { Patient } from './patient.ts';

type DatasetMetadata = { labels?: Record<string, string>; location?: string; defaultTableExpirationMs?: string; defaultPartitionExpirationMs?: string };

/** Of a dataset that is not there nothing more is said than that. */
export const isDatasetThere = (patient: Patient): (() => Promise<boolean>) => once(async () => (await patient.dataset.exists())[0]);

export function datasetChecks(patient: Patient): Check[] {
  const isThere = isDatasetThere(patient);
  const inDataset = (run: () => Promise<Finding[]>) => async (): Promise<Finding[]> => ((await isThere()) ? run() : []);
  return [
    { name: 'dataset', run: () => checkDataset(patient) },
    ...KEPT_TABLES.map((table): Check => ({ name: `table ${table.name}`, run: inDataset(() => checkKeptTable(patient, table)) })),
    ...patient.streams.map((stream): Check => ({ name: `table function ${stream.prefix}`, run: inDataset(() => checkTableFunction(patient, stream)) })),
  ];
}

async function checkDataset(patient: Patient): Promise<Finding[]> {
  const cures = curesFor(patient);
  const metadata = await found<DatasetMetadata>(patient.dataset.getMetadata());
  const where = patient.datasetName;
  if (metadata === undefined) return [{ kind: 'dataset_missing', where, what: 'The dataset does not exist.', why: 'Every message waits in Pub/Sub until it is there, at most for the retention.', cure: cures.provision }];
  const findings: Finding[] = [];
  const label = metadata.labels?.[TIME_ZONE_LABEL];
  if (label === undefined) {
    findings.push({ kind: 'time_zone_unknown', where, what: `The dataset has no label ${TIME_ZONE_LABEL}.`, why: 'Nothing would notice that the reporting time zone was changed, and one event would have two days.', cure: cures.label(`${TIME_ZONE_LABEL}:${labelOf(patient.timeZone)}`) });
  } else if (label !== labelOf(patient.timeZone)) {
    findings.push({ kind: 'time_zone_differs', where, what: `The dataset was started with the reporting time zone ${label}, the setting says ${labelOf(patient.timeZone)}.`, why: 'The writer and maintain refuse to work: one event would have two days.', cure: cures.label(`${TIME_ZONE_LABEL}:${labelOf(patient.timeZone)}`) });
  }
  const days = (ms: string): string => `${Number(ms) / 86_400_000} days`;
  if (Number(metadata.defaultTableExpirationMs ?? 0) > 0) {
    findings.push({ kind: 'tables_expire', where, what: `New tables are deleted after ${days(metadata.defaultTableExpirationMs!)}, the daily ones too.`, why: 'Expiry is set by schemas/streams.json, for each table.', cure: cures.noDefaultExpiration });
  }
  if (Number(metadata.defaultPartitionExpirationMs ?? 0) > 0) {
    findings.push({ kind: 'partitions_expire', where, what: `Partitions are deleted after ${days(metadata.defaultPartitionExpirationMs!)}.`, why: 'user_days would forget who has been here before.', cure: cures.noPartitionExpiration });
  }
  return findings;
}

async function checkKeptTable(patient: Patient, wanted: (typeof KEPT_TABLES)[number]): Promise<Finding[]> {
  const cures = curesFor(patient);
  const metadata = await found<TableMetadata>(patient.dataset.table(wanted.name).getMetadata());
  const why = wanted.name === 'rollovers' ? 'The rollover does not know which days are done, and the table functions fail.' : 'Columns that depend on earlier days stay empty.';
  if (metadata === undefined) return [{ kind: 'kept_table_missing', where: wanted.name, what: 'The table does not exist.', why, cure: cures.maintain }];
  const { additions, conflicts } = planFields((metadata.schema as { fields?: TableField[] } | undefined)?.fields ?? [], wanted.fields);
  const wrong = [...additions.map((column) => `${column} is missing`), ...conflicts];
  if (wrong.length === 0) return [];
  return [{ kind: 'kept_table_differs', where: wanted.name, what: `Its columns are others: ${wrong.slice(0, 5).join('; ')}.`, why, cure: conflicts.length === 0 ? addColumnsSql(patient, wanted, additions) : cures.dropTable(wanted.name) }];
}

/** Top columns only: BigQuery has no statement for a column inside a record. */
function addColumnsSql(patient: Patient, { name, fields }: (typeof KEPT_TABLES)[number], additions: readonly string[]): string {
  const columns = additions.map((column) => fields.find((field) => field.name === column)).filter((field) => field !== undefined && field.type !== 'RECORD' && field.mode !== 'REPEATED');
  const sql = `ALTER TABLE ${patient.datasetName}.${name} ${columns.map((field) => `ADD COLUMN IF NOT EXISTS \`${field!.name}\` ${SQL_TYPES[field!.type] ?? field!.type}`).join(', ')}`;
  return patient.local === undefined ? `bq query --project_id=${patient.project} --location=${patient.location} --use_legacy_sql=false '${sql}'` : `npm run query -- '${sql}'`;
}

const SQL_TYPES: Record<string, string> = { INTEGER: 'INT64', FLOAT: 'FLOAT64', BOOLEAN: 'BOOL' };

async function checkTableFunction(patient: Patient, stream: Patient['streams'][number]): Promise<Finding[]> {
  const cures = curesFor(patient);
  const where = `${patient.datasetName}.${stream.prefix}()`;
  const metadata = await found<{ definitionBody?: string }>(patient.dataset.routine(stream.prefix).getMetadata());
  if (metadata === undefined) return [{ kind: 'table_function_missing', where, what: 'The table function does not exist.', why: 'Queries that read each day once, whichever table it is in, fail.', cure: cures.maintain }];
  const sql = tableFunctionSql({ project: patient.project, dataset: patient.datasetName }, stream);
  const wanted = sql.slice(sql.indexOf('AS (') + 4, sql.lastIndexOf(')'));
  if (plain(metadata.definitionBody ?? '') === plain(wanted)) return [];
  return [{ kind: 'table_function_outdated', where, what: 'The table function is not the one that this version makes.', why: 'It may lack new columns, or count a day twice.', cure: cures.maintain }];
}

const plain = (sql: string): string => sql.replace(/\s+/g, ' ').trim();

/** Undefined when there is no such thing; every other failure is one of the check. */
async function found<T>(looking: Promise<unknown>): Promise<T | undefined> {
  try {
    return ((await looking) as [T])[0];
  } catch (error) {
    if (codeOf(error) === 404) return undefined;
    throw error;
  }
}
