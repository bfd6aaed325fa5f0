// A window keeps every column that it was given until it has all rows. Where a SELECT with windows reads single parameters out of event_params,
// DuckDB would keep the whole array of each row meanwhile (10^6 rows: 1.6 GB); so what is read out of arrays becomes columns below the window.
import type { Compilation } from './compilation.ts';
import { quote } from './sql-type.ts';
import type { Scope } from './scope.ts';
import { containsWindow } from './tree-walk.ts';
import type { Select } from './tree.ts';

/** Below the window a list is read of every row, also where a CASE would have passed it over: what may fail stays where it was written. */
const MAY_FAIL = /error\(|CAST\(|gsql_| [-+*] |\(SELECT /;

/** Called by compileSelect before it compiles its expressions. Aggregates come before windows, and leave only what they were grouped by. */
export function lookForEarlyLists(scope: Scope, select: Select): void {
  const exprs = [...select.items.flatMap((item) => (item.kind === 'expr' ? [item.expr] : [])), ...(select.qualify ? [select.qualify] : [])];
  if (!scope.grouping && aliasOfOne(scope) !== undefined && exprs.some(containsWindow)) scope.earlyLists = new Set();
}

/** Called for every list that is read out of an array of the row. */
export function noteEarlyList(scope: Scope, sql: string): void {
  const alias = aliasOfOne(scope);
  if (alias !== undefined && sql.includes(`${alias}.`) && !MAY_FAIL.test(sql)) scope.earlyLists?.add(sql);
}

/**
 * `clauses` read `from` (with its WHERE) by the alias of its one relation; answers both with the lists as columns of that relation.
 * The alias stays, so all other references stay right.
 */
export function readBeforeWindows(compilation: Compilation, scope: Scope, from: string, clauses: readonly string[]): { from: string; clauses: string[] } {
  const alias = aliasOfOne(scope);
  const lists = [...(scope.earlyLists ?? [])];
  if (alias === undefined || lists.length === 0) return { from, clauses: [...clauses] };
  const columns = lists.map((sql) => ({ sql, name: quote(compilation.id('(list)')) }));
  const replaced = clauses.map((clause) => columns.reduce((text, { sql, name }) => text.replaceAll(sql, () => `${alias}.${name}`), clause));
  return { from: ` FROM (SELECT ${alias}.*, ${columns.map(({ sql, name }) => `${sql} AS ${name}`).join(', ')}${from}) AS ${alias}`, clauses: replaced };
}

/** DuckDB's alias of the only relation that a SELECT reads; undefined where there are several, or rows of a query around it. */
function aliasOfOne(scope: Scope): string | undefined {
  const [source, another] = scope.sources;
  if (!source || another || hasRowsAround(scope)) return undefined;
  const aliases = new Set(source.columns.map(({ sql }) => /^([a-z]\w*)\.[^.]+$/.exec(sql)?.[1]));
  return aliases.size === 1 ? [...aliases][0] : undefined;
}

function hasRowsAround(scope: Scope): boolean {
  for (let at = scope.parent; at; at = at.parent) if (at.sources.length > 0) return true;
  return false;
}
