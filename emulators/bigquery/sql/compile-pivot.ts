// PIVOT and UNPIVOT in, plain SELECT trees or relations out; called by the FROM compiler.
import type { Compilation } from './compilation.ts';
import { compileFrom } from './compile-from.ts';
import { compileQuery } from './compile-query.ts';
import type { SqlType } from './context.ts';
import { invalidQuery } from './google-sql-error.ts';
import { expandStar } from './expand-star.ts';
import { quote, sameType, STRING, text, typeName } from './sql-type.ts';
import { compileExpr } from './compile-expression.ts';
import { childScope } from './scope.ts';
import type { Relation, Scope, Typed } from './scope.ts';
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
  const input = compileExpr(compilation, probe, pivot.input);
  const cells = pivot.values.flatMap(({ expr, alias }) => pivot.aggregates.map((aggregate): SelectItem => {
    if (aggregate.alias === undefined && pivot.aggregates.length > 1) throw invalidQuery('PIVOT expression must specify an alias unless it is the only pivot expression in the PIVOT clause', aggregate.call.place);
    const before = aggregate.alias === undefined ? '' : `${aggregate.alias}_`;
    const name: Name = { text: `${before}${alias ?? pivotName(expr, input.type, before === '')}`, place };
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

/** Types whose values give a column its name; of others the query must say it. */
const NAMING = new Set<string>(['STRING', 'INT64', 'NUMERIC', 'BOOL', 'DATE', 'NULL']);

/** A tuple is named by its parts, each with the name of its field where the type has one. A number gets a dash where nothing stands before it. */
function pivotName(expr: Expr, type: SqlType, isFirst: boolean): string {
  if (expr.kind === 'struct') {
    const fields = type.kind === 'STRUCT' ? type.fields : [];
    return expr.items.map((item, index) => {
      const { name = '', type: inner = type } = fields[index] ?? {};
      return `${name === '' ? '' : `${name}_`}${pivotName(item.expr, inner, isFirst && index === 0 && name === '')}`;
    }).join('_');
  }
  if (expr.kind !== 'literal') throw invalidQuery('Generating an implicit alias for this PIVOT value is not supported; please provide an explicit alias', expr.place);
  if (!NAMING.has(expr.type)) throw invalidQuery(`PIVOT values of type ${expr.type} must specify an alias`, expr.place);
  if (expr.value === '') return isFirst ? 'empty_string_value' : '_empty_string_value';
  if (expr.type === 'STRING' || expr.type === 'NULL') return expr.value;
  const written = expr.type === 'INT64' ? String(BigInt(expr.value)) : expr.value;
  const text = written.replaceAll('-', expr.type === 'DATE' ? '_' : 'minus_').replaceAll('.', '_point_');
  return isFirst ? text.replace(/^(?=\d)/, '_') : text;
}

function onlyWhere(call: Expr, condition: Expr): Expr {
  if (call.kind !== 'call' || !isAggregateCall(call)) throw invalidQuery('PIVOT expression must be an aggregate function call', call.place);
  const { place } = call;
  const nothing: Expr = { kind: 'literal', type: 'NULL', value: 'NULL', place };
  const make = (name: string, args: Expr[]): CallExpr => ({ kind: 'call', name: [name], written: [{ text: name, place }], safe: false, args, namedArgs: [], star: false, distinct: false, orderBy: [], place });
  const here = (expr: Expr): Expr => make('IF', [condition, expr, nothing]);
  // The greatest of something is the greatest of this cell.
  const having = call.having && { having: { ...call.having, expr: here(call.having.expr) } };
  if (call.star) return { ...make('COUNTIF', [condition]), ...having };
  const [first, ...rest] = call.args;
  if (!first) throw invalidQuery('PIVOT expression must have an argument', place);
  const ignoring = call.name[0] === 'ARRAY_AGG' ? { nulls: 'IGNORE' as const } : {};
  return { ...call, ...having, ...ignoring, args: [here(first), ...(['MAX_BY', 'MIN_BY'].includes(call.name[0] ?? '') ? rest.map(here) : rest)] };
}

export function compileUnpivot(compilation: Compilation, scope: Scope, item: Extract<FromItem, { kind: 'unpivot' }>): Relation {
  const inner = childScope(scope.parent);
  const from = compileFrom(compilation, inner, item.source, undefined);
  const all = expandStar(compilation, inner, { kind: 'star', place: item.place, except: [], replace: [] });
  const wanted = new Set(item.columns.flatMap(({ names }) => names.map(({ text: name }) => name.toLowerCase())));
  const kept = all.filter(({ name }) => !wanted.has(name.toLowerCase())).map((column, index) => ({ ...column, duckName: column.name || `f${index}_` }));
  const rows = item.columns.map(({ names, label }) => {
    if (names.length !== item.values.length) throw invalidQuery(`The number of new columns introduced as value columns must be the same as the number of columns in the column groups of UNPIVOT IN clause`, item.place);
    const columns = names.map((name) => {
      const column = all.find((candidate) => candidate.name.toLowerCase() === name.text.toLowerCase());
      if (!column) throw invalidQuery(`Unrecognized name: ${name.text}`, name.place);
      return { ...column.value, name: column.name };
    });
    return { columns, label: label ? compileExpr(compilation, scope, label) : { sql: text(columns.map(({ name }) => name).join('_')), type: STRING } };
  });
  item.values.forEach((_, index) => checkSameType(rows.map(({ columns }) => columns[index] as Typed), item.columns));
  const labelType = rows[0]?.label.type ?? STRING;
  if (rows.some(({ label }) => !sameType(label.type, labelType))) throw invalidQuery('UNPIVOT labels must have the same type', item.place);
  const parts = rows.map(({ label }, row) => {
    const values = item.values.map((value, index) => ({ sql: rows[row]?.columns[index]?.sql ?? 'NULL', name: value.text }));
    const list = [...kept.map((other) => `${other.value.sql} AS ${quote(other.duckName)}`), ...values.map(({ sql, name }) => `${sql} AS ${quote(name)}`), `${label.sql} AS ${quote(item.label.text)}`];
    const where = item.includeNulls ? '' : ` WHERE ${values.map(({ sql }) => `${sql} IS NOT NULL`).join(' OR ')}`;
    return `SELECT ${list.join(', ')} FROM ${from}${where}`;
  });
  const columns = [
    ...kept.map(({ name, duckName, value }) => ({ name: duckName, duckName, type: value.type, ...(name === '' && { isAnonymous: true as const }) })),
    ...item.values.map((value, index) => ({ name: value.text, duckName: value.text, type: rows[0]?.columns[index]?.type ?? STRING })),
    { name: item.label.text, duckName: item.label.text, type: labelType },
  ];
  return { sql: parts.join(' UNION ALL '), columns };
}

/** Nothing is coerced here; a column of bare NULLs is one of INT64. */
function checkSameType([first, ...others]: Typed[], groups: { names: Name[] }[]): void {
  const wanted = first ? typeName(first.type) : '';
  others.forEach(({ type }, index) => {
    const place = groups[index + 1]?.names[0]?.place;
    if (place && typeName(type) !== wanted) throw invalidQuery(`The datatype of column does not match with other datatypes in the IN clause. Expected ${wanted}, Found ${typeName(type)}`, place);
  });
}
