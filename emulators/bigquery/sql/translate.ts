// GoogleSQL in, DuckDB SQL out; called by the local BigQuery for every query job.
import type { SqlContext, TranslatedStatement } from './context.ts';

export function translate(_sql: string, _context: SqlContext): TranslatedStatement[] {
  return [];
}
