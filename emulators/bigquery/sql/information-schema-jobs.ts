// INFORMATION_SCHEMA.JOBS in, a relation over the jobs that the local BigQuery keeps out; called by information-schema.ts.
import { arrayOf, BOOL, INT64, STRING, structOf, TIMESTAMP } from './sql-type.ts';
import type { SqlType } from './context.ts';
import { duckType, quote } from './sql-type.ts';
import type { Relation } from './scope.ts';

const field = (name: string, type: SqlType = STRING): { name: string; type: SqlType } => ({ name, type });
const TABLE = structOf([field('project_id'), field('dataset_id'), field('table_id')]);

const at = (path: string): string => `json_extract_string(doc, '$.${path}')`;
const time = (path: string): string => `make_timestamptz(CAST(${at(path)} AS BIGINT) * 1000)`;
const table = (source: string): string => `{'project_id': json_extract_string(${source}, '$.projectId'), 'dataset_id': json_extract_string(${source}, '$.datasetId'), 'table_id': json_extract_string(${source}, '$.tableId')}`;

/** Each column with the DuckDB SQL that reads it from a job's document. */
const COLUMNS: Record<string, { type: SqlType; sql: string }> = {
  creation_time: { type: TIMESTAMP, sql: time('createdMs') }, project_id: { type: STRING, sql: at('project') }, project_number: { type: INT64, sql: 'NULL' },
  user_email: { type: STRING, sql: "'local@chiplog.invalid'" }, job_id: { type: STRING, sql: at('jobId') }, job_type: { type: STRING, sql: at('configuration.jobType') },
  statement_type: { type: STRING, sql: at('statistics.query.statementType') }, priority: { type: STRING, sql: "'INTERACTIVE'" },
  start_time: { type: TIMESTAMP, sql: time('startedMs') }, end_time: { type: TIMESTAMP, sql: time('endedMs') }, query: { type: STRING, sql: at('configuration.query.query') },
  state: { type: STRING, sql: at('state') }, reservation_id: { type: STRING, sql: 'NULL' }, total_bytes_processed: { type: INT64, sql: at('statistics.totalBytesProcessed') },
  total_slot_ms: { type: INT64, sql: `greatest(1, CAST(${at('endedMs')} AS BIGINT) - CAST(${at('createdMs')} AS BIGINT))` },
  error_result: {
    type: structOf([field('reason'), field('location'), field('debug_info'), field('message')]),
    sql: `CASE WHEN json_extract(doc, '$.errorResult') IS NOT NULL THEN {'reason': ${at('errorResult.reason')}, 'location': ${at('errorResult.location')}, 'debug_info': NULL, 'message': ${at('errorResult.message')}} END`,
  },
  cache_hit: { type: BOOL, sql: at('statistics.query.cacheHit') },
  destination_table: { type: TABLE, sql: `CASE WHEN json_extract(doc, '$.result.table') IS NOT NULL THEN ${table("json_extract(doc, '$.result.table')")} END` },
  referenced_tables: { type: arrayOf(TABLE), sql: `list_transform(coalesce(from_json(json_extract(doc, '$.statistics.query.referencedTables'), '["JSON"]'), []), lambda e: ${table('e')})` },
  labels: { type: arrayOf(structOf([field('key'), field('value')])), sql: `list_transform(coalesce(map_entries(from_json(json_extract(doc, '$.configuration.labels'), '"MAP(VARCHAR, VARCHAR)"')), []), lambda e: {'key': e.key, 'value': e.value})` },
  total_bytes_billed: { type: INT64, sql: at('statistics.query.totalBytesBilled') }, parent_job_id: { type: STRING, sql: at('parentJobId') },
};

export function compileJobs(view: string): Relation | undefined {
  if (!['JOBS', 'JOBS_BY_PROJECT', 'JOBS_BY_USER'].includes(view)) return undefined;
  const list = Object.entries(COLUMNS).map(([name, { type, sql }]) => `CAST(${sql} AS ${duckType(type)}) AS ${quote(name)}`);
  return { sql: `SELECT ${list.join(', ')} FROM meta.job`, columns: Object.entries(COLUMNS).map(([name, { type }]) => ({ name, duckName: name, type })) };
}
