// PIVOT and UNPIVOT in, plain SELECT trees or relations out; called by the FROM compiler.
import type { Compilation } from './compilation.ts';
import { compileFrom } from './compile-from.ts';
import { compileQuery } from './compile-query.ts';
import { invalidQuery } from './google-sql-error.ts';
import { expandStar } from './expand-star.ts';
import { quote, sameType, STRING, text } from './sql-type.ts';
import { childScope } from './scope.ts';
import type { Relation, Scope } from './scope.ts';
import { childrenOf, isAggregateCall } from './tree-walk.ts';
import type { CallExpr, Expr, FromItem, Name, SelectItem } from './tree.ts';

type Pivot = Extract<FromItem, { kind: 'pivot' }>;

/** `SUM(x) FOR c IN ('a', 'b')` is `SUM(IF(c = 'a', x, NULL)) AS a, …` grouped by every column that is not mentioned. */
export function compilePivot(compilation: Compilation, scope: Scope, pivot: Pivot): Relation {
  const { place } = pivot;
  const probe = childScope(scope.parent);
  compileFrom(compilation, probe, pivot.source, undefined);
  const mentioned = new Set([pivot.input, ...pivot.aggregates.map(({ call }) => call)].flatMap(namesIn));
  const groups = expandStar(compilation, probe, { kind: 'star', place, except: [], replace: [] })
    .filter(({ name }) => !mentioned.has(name.toLowerCase()))
    .map(({ name }): Expr => ({ kind: 'name', parts: [{ text: name, place }], place }));
  const cells = pivot.values.flatMap(({ expr, alias }) => pivot.aggregates.map((aggregate): SelectItem => {
    const valueName = alias ?? pivotName(expr);
    const name: Name = { text: aggregate.alias === undefined ? valueName : `${aggregate.alias}_${valueName}`, place };
    return { kind: 'expr', expr: onlyWhere(aggregate.call, { kind: 'is', what: 'DISTINCT', not: true, operand: pivot.input, other: expr, place }), alias: name };
  }));
  const items: SelectItem[] = [...groups.map((expr): SelectItem => ({ kind: 'expr', expr })), ...cells];
  return compileQuery(compilation, scope.parent, {
    place, recursive: false, withs: [], orderBy: [],
    body: { kind: 'select', place, distinct: false, items, from: pivot.source, windows: [], ...(groups.length > 0 && { groupBy: { kind: 'items', items: groups } }) },
  });
}

function namesIn(expr: Expr): string[] {
  return expr.kind === 'name' ? [(expr.parts[0]?.text ?? '').toLowerCase()] : childrenOf(expr).flatMap(namesIn);
}

function pivotName(expr: Expr): string {
  if (expr.kind !== 'literal') throw invalidQuery('PIVOT values must be constants', expr.place);
  if (expr.type === 'NULL') return 'NULL';
  return expr.type === 'STRING' ? expr.value : expr.value.replaceAll('-', expr.type === 'DATE' ? '_' : 'minus_').replaceAll('.', '_point_').replace(/^(\d)/, '_$1');
}

function onlyWhere(call: Expr, condition: Expr): Expr {
  if (call.kind !== 'call' || !isAggregateCall(call)) throw invalidQuery('PIVOT expression must be an aggregate function call', call.place);
  const { place } = call;
  const nothing: Expr = { kind: 'literal', type: 'NULL', value: 'NULL', place };
  const make = (name: string, args: Expr[]): CallExpr => ({ kind: 'call', name: [name], written: [{ text: name, place }], safe: false, args, namedArgs: [], star: false, distinct: false, orderBy: [], place });
  if (call.star) return make('COUNTIF', [condition]);
  const [first, ...rest] = call.args;
  if (!first) throw invalidQuery('PIVOT expression must have an argument', place);
  const ignoring = call.name[0] === 'ARRAY_AGG' ? { nulls: 'IGNORE' as const } : {};
  return { ...call, ...ignoring, args: [make('IF', [condition, first, nothing]), ...rest] };
}

export function compileUnpivot(compilation: Compilation, scope: Scope, item: Extract<FromItem, { kind: 'unpivot' }>): Relation {
  const inner = childScope(scope.parent);
  const from = compileFrom(compilation, inner, item.source, undefined);
  const all = expandStar(compilation, inner, { kind: 'star', place: item.place, except: [], replace: [] });
  const wanted = new Set(item.columns.map(({ name }) => name.text.toLowerCase()));
  const kept = all.filter(({ name }) => !wanted.has(name.toLowerCase()));
  const parts = item.columns.map(({ name, label }) => {
    const column = all.find((candidate) => candidate.name.toLowerCase() === name.text.toLowerCase());
    if (!column) throw invalidQuery(`Unrecognized name: ${name.text}`, name.place);
    if (label && (label.kind !== 'literal' || label.type !== 'STRING')) throw invalidQuery('UNPIVOT label must be a STRING literal here', label.place);
    const shown = label?.kind === 'literal' ? label.value : column.name;
    const list = [...kept.map((other) => `${other.value.sql} AS ${quote(other.name)}`), `${column.value.sql} AS ${quote(item.value.text)}`, `${text(shown)} AS ${quote(item.label.text)}`];
    return { column, sql: `SELECT ${list.join(', ')} FROM ${from}${item.includeNulls ? '' : ` WHERE ${column.value.sql} IS NOT NULL`}` };
  });
  const [first] = parts;
  if (!first || parts.some(({ column }) => !sameType(column.value.type, first.column.value.type))) throw invalidQuery('UNPIVOT columns must have the same type', item.place);
  const columns = [
    ...kept.map(({ name, value }) => ({ name, duckName: name, type: value.type })),
    { name: item.value.text, duckName: item.value.text, type: first.column.value.type },
    { name: item.label.text, duckName: item.label.text, type: STRING },
  ];
  return { sql: parts.map(({ sql }) => sql).join(' UNION ALL '), columns };
}
