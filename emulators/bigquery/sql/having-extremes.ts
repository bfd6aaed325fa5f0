// SUM(x HAVING MAX y) takes only the rows with the greatest y of their group. Which those are, a window below the grouping says. Called by the SELECT compiler.
import type { Compilation } from './compilation.ts';
import { liftSources } from './compile-unnest.ts';
import type { FunctionCall } from './functions/signature.ts';
import { invalidQuery, notSupported } from './google-sql-error.ts';
import { typeName } from './sql-type.ts';
import type { Extremes, Scope, Typed } from './scope.ts';
import { childrenOf } from './tree-walk.ts';
import type { CallExpr, Expr } from './tree.ts';

/** ANY_VALUE is DuckDB's arg_max. */
const needsExtremes = (expr: Expr): boolean => (expr.kind === 'call' && expr.having !== undefined && expr.name[0] !== 'ANY_VALUE') || childrenOf(expr).some(needsExtremes);

/** `from` (with its WHERE) as one relation to which columns can be added; the sources then point into it. Undefined where nothing needs that. */
export function liftForExtremes(compilation: Compilation, scope: Scope, exprs: Expr[], from: string): { extremes: Extremes; from: string } | undefined {
  if (!exprs.some(needsExtremes)) return undefined;
  const alias = compilation.id();
  const kept = liftSources(scope.sources, alias);
  return { extremes: { alias, columns: [] }, from: ` FROM (SELECT ${[...kept, '1'].join(', ')}${from}) AS ${alias}` };
}

export function withExtremes({ alias, columns }: Extremes, from: string): string {
  return columns.length === 0 ? from : ` FROM (SELECT *, ${columns.map(({ name, sql }) => `${sql} AS ${name}`).join(', ')}${from}) AS ${alias}`;
}

/** The condition that a row is one of those; undefined without HAVING. */
export function ofExtreme(call: FunctionCall): string | undefined {
  const { expr, scope } = call;
  if (!expr.having || call.name === 'ANY_VALUE') return undefined;
  if (call.name === 'GROUPING') throw invalidQuery('Aggregate function GROUPING does not support HAVING in arguments', expr.having.place);
  const extremes = scope.grouping?.extremes;
  if (!extremes) throw notSupported(`HAVING ${expr.having.max ? 'MAX' : 'MIN'} inside an aggregate beside GROUPING SETS, ROLLUP or CUBE`, expr.place);
  const sql = isExtreme(extremeKey(call, expr.having), expr.having.max, [...scope.grouping?.sqls ?? []]);
  const known = extremes.columns.find((column) => column.sql === sql);
  const column = known ?? { name: call.compilation.id('h'), sql };
  if (!known) extremes.columns.push(column);
  return `${extremes.alias}.${column.name}`;
}

export function extremeKey(call: FunctionCall, { expr, place }: NonNullable<CallExpr['having']>): Typed {
  const key = call.compile(expr);
  if (['ARRAY', 'STRUCT', 'JSON'].includes(key.type.kind)) throw invalidQuery(`HAVING modifier does not support expressions of type ${typeName(key.type)}`, place);
  return key;
}

/** Beside a NaN nothing is the greatest or the smallest. */
function isExtreme({ sql, type }: Typed, max: boolean, keys: string[]): string {
  const over = `OVER (${keys.length > 0 ? `PARTITION BY ${keys.join(', ')}` : ''})`;
  const found = `(${sql}) = ${max ? 'max' : 'min'}(${sql}) ${over}`;
  return type.kind === 'FLOAT64' ? `(NOT isnan(max(${sql}) ${over}) AND ${found})` : `(${found})`;
}
