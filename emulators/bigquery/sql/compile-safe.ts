// SAFE.f(…) in, SQL that gives NULL where f fails out; called by the call compiler. What fails while an argument is worked out stays an error, as in BigQuery.
import { structField } from './coerce.ts';
import type { Compilation } from './compilation.ts';
import { compileCall } from './compile-call.ts';
import { compileExpr } from './compile-expression.ts';
import { isAggregateFunction } from './functions/aggregate-names.ts';
import { notSupported } from './google-sql-error.ts';
import { safely } from './runtime/macros.ts';
import { childScope } from './scope.ts';
import type { Scope, Typed } from './scope.ts';
import type { CallExpr, Expr } from './tree.ts';

/** Functions that do no more than choose among their arguments. */
const CHOOSING = new Set(['IF', 'IFNULL', 'COALESCE', 'NULLIF']);

/** Aggregates and window functions see to SAFE themselves: their arguments belong to other rows. */
export const isSafe = (compilation: Compilation, expr: CallExpr): boolean => expr.safe && !compilation.safe && expr.over === undefined && !isAggregateFunction(expr.name.join('.'));

/** What raises an error of our own gives NULL by `compilation.safe`; DuckDB's own errors become NULL by TRY. */
export function compileSafe(compilation: Compilation, scope: Scope, expr: CallExpr): Typed {
  const call = { ...expr, safe: false };
  if (CHOOSING.has(expr.name.join('.'))) return compileCall(compilation, scope, call);
  const given = expr.args.map((argument, index) => (index === placeOfPart(expr) ? undefined : valueOf(compilation, scope, argument)));
  const row = handIn(compilation, scope, given);
  const args = expr.args.map((argument, index) => withName(argument, row.names[index]));
  const columns = given.flatMap((value, index) => (row.names[index] === undefined || !value ? [] : [{ name: row.names[index], sql: handedIn(row, index), type: value.type }]));
  const before = compilation.subqueries;
  const value = whileSafe(compilation, () => compileCall(compilation, { ...childScope(scope), sources: [{ columns }] }, { ...call, args }));
  if (compilation.subqueries !== before) throw notSupported('SAFE. over a function with a subquery', expr.place);
  return { sql: tryOver(row, safely(value.sql)), type: value.type };
}

function whileSafe<T>(compilation: Compilation, run: () => T): T {
  compilation.safe = true;
  try {
    return run();
  } finally {
    compilation.safe = false;
  }
}

/** An operator whose own failure gives NULL. */
export function tried(compilation: Compilation, scope: Scope, values: Typed[], sql: (...args: string[]) => string): string {
  const row = handIn(compilation, scope, values);
  return tryOver(row, sql(...values.map((value, index) => (row.names[index] === undefined ? value.sql : handedIn(row, index)))));
}

/** Values that are worked out before TRY and come to it through a lambda: DuckDB takes no aggregate, window or subquery inside TRY. */
type HandedIn = { name: string; fields: string[]; /** Of each value, where it is handed in. */ names: (string | undefined)[] };

const handedIn = (row: HandedIn, index: number): string => structField(row.name, row.names[index] ?? '');

/** Where one is handed in, all but literals are: DuckDB loses columns that a lambda finds beside aggregates, and grouped fields inside TRY. */
function handIn(compilation: Compilation, scope: Scope, values: (Typed | undefined)[]): HandedIn {
  const row: HandedIn = { name: compilation.id('safe'), fields: [], names: [] };
  const isOverGroups = scope.grouping !== undefined && !scope.insideAggregate;
  const isNeeded = values.some((value) => value && value.literal === undefined && (isOverGroups || !isColumn(value)));
  row.names = values.map((value, index) => (isNeeded && value && value.literal === undefined ? `${row.name}_${index}` : undefined));
  row.fields = row.names.flatMap((name, index) => (name === undefined ? [] : [`${name} := ${values[index]?.sql}`]));
  return row;
}

function tryOver({ name, fields }: HandedIn, sql: string): string {
  return fields.length === 0 ? `TRY(${sql})` : `list_transform([struct_pack(${fields.join(', ')})], lambda ${name}: TRY(${sql}))[1]`;
}

/** A column or a field of one, which does not fail by itself. */
const isColumn = ({ sql }: Typed): boolean => /^(?:struct_extract\()*[a-z]\w*(?:\.(?:"[^"]*"|\w+))*(?:, '[^']*'\))*$/.test(sql);

/** Where DAY or WEEK(MONDAY) stands, which is no column, also where there is one of that name. */
function placeOfPart({ name }: CallExpr): number | undefined {
  if (/_DIFF$/.test(name[0] ?? '')) return 2;
  return /_TRUNC$|^LAST_DAY$/.test(name[0] ?? '') ? 1 : undefined;
}

/** Undefined for other words that the function itself knows, as in NORMALIZE(x, NFC). */
function valueOf(compilation: Compilation, scope: Scope, argument: Expr): Typed | undefined {
  if (argument.kind !== 'name') return compileExpr(compilation, scope, argument.kind === 'interval' ? argument.value : argument);
  try {
    return compileExpr(compilation, scope, argument);
  } catch {
    return undefined;
  }
}

function withName(argument: Expr, name: string | undefined): Expr {
  if (name === undefined) return argument;
  const { place } = argument;
  const given: Expr = { kind: 'name', parts: [{ text: name, place }], place };
  return argument.kind === 'interval' ? { ...argument, value: given } : given;
}
