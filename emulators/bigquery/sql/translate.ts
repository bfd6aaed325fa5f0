// GoogleSQL in, DuckDB SQL out; called by the local BigQuery for every query job.
import type { SqlContext, TranslatedStatement } from './context.ts';
import { invalidQuery } from './google-sql-error.ts';
import { parseScript } from './parse-script.ts';
import { runStatements } from './script.ts';
import { newScript } from './script-variables.ts';
import type { Steps } from './script-variables.ts';
import type { Statement } from './tree.ts';

/** One statement that may follow temporary functions is a query; anything else is a script, whose steps only its run can tell. */
export function translate(sql: string, context: SqlContext): TranslatedStatement[] {
  const statements = parseScript(sql);
  if (isScript(statements)) return [{ kind: 'script', statementType: 'SCRIPT', duckSql: '', values: [], tables: [] }];
  const script = newScript(context);
  const steps = runStatements(script, statements);
  const first = steps.next();
  if (!first.done) return [first.value];
  const [only] = statements.slice(-1);
  throw invalidQuery('A query that only declares temporary functions has no result', only?.place ?? { line: 1, column: 1 });
}

const STEPS = new Set<Statement['kind']>(['declare', 'set', 'if', 'case', 'while', 'loop', 'repeat', 'for', 'jump', 'return', 'block', 'raise', 'execute', 'transaction', 'assert']);

export function isScript(statements: Statement[]): boolean {
  const rest = statements.filter((statement) => statement.kind !== 'createFunction' || !statement.temporary);
  return rest.length !== 1 || rest.some(({ kind }) => STEPS.has(kind));
}

/**
 * Step by step: carry each out before asking for the next, so that later ones see the tables that earlier ones made. Pass what it
 * gave to `next()`, and what went wrong to `throw()`, where the script may handle it.
 */
export function* translateScript(sql: string, context: SqlContext): Steps {
  yield* runStatements(newScript(context), parseScript(sql));
}
