// `@@name` in, its value in DuckDB SQL out; called by the expression compiler. What a script has set comes first, then what the job knows.
import type { Compilation } from './compilation.ts';
import type { SqlType } from './context.ts';
import { invalidQuery, notSupported } from './google-sql-error.ts';
import type { Typed } from './scope.ts';
import { duckType, INT64, STRING, text } from './sql-type.ts';
import type { Expr } from './tree.ts';

/** What BigQuery has and nobody here can tell. */
const UNKNOWN = new Set(['reservation', 'script.slot_ms', 'script.bytes_billed', 'script.bytes_processed', 'script.creation_time', 'script.num_child_jobs', 'transaction_id', 'current_job_id', 'script.job_id', 'last_job_id', 'session_id', 'error.stack_trace', 'error']);

export function systemVariable({ variables, context }: Compilation, expr: Extract<Expr, { kind: 'systemVariable' }>): Typed {
  const name = expr.name.toLowerCase();
  const set = variables.get(`@@${name}`);
  if (set?.sql !== undefined) return { sql: set.sql, type: set.type };
  const known: Record<string, { value: string | undefined; type: SqlType }> = {
    time_zone: { value: 'UTC', type: STRING }, project_id: { value: context.project, type: STRING }, dataset_project_id: { value: context.project, type: STRING },
    dataset_id: { value: context.defaultDataset, type: STRING }, query_label: { value: undefined, type: STRING }, location: { value: 'US', type: STRING },
    row_count: { value: undefined, type: INT64 }, 'error.message': { value: undefined, type: STRING }, 'error.statement_text': { value: undefined, type: STRING },
    'error.formatted_stack_trace': { value: undefined, type: STRING },
  };
  const found = known[name];
  if (found) return { sql: found.value === undefined ? `CAST(NULL AS ${duckType(found.type)})` : text(found.value), type: found.type };
  if (UNKNOWN.has(name)) throw notSupported(`@@${expr.name}`, expr.place);
  throw invalidQuery(`Unrecognized system variable @@${expr.name}`, expr.place);
}
