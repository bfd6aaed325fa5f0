// A FROM clause in, DuckDB's FROM out, with the names it brings put into the scope; called by the SELECT compiler.
import type { Compilation } from './compilation.ts';
import { requireBool } from './compile-comparison.ts';
import { compileExpr } from './compile-expression.ts';
import { compilePivot, compileUnpivot } from './compile-pivot.ts';
import { compileQuery } from './compile-query.ts';
import { compileTable, compileTableFunction } from './compile-table.ts';
import { compileUnnest, elementSource, unnestBeside, type Unnested } from './compile-unnest.ts';
import { unify } from './coerce.ts';
import { compileComparison } from './compile-comparison.ts';
import { invalidQuery } from './google-sql-error.ts';
import { resolveName } from './names.ts';
import { quote } from './sql-type.ts';
import { findCte } from './scope.ts';
import type { Relation, Scope, Source, Typed } from './scope.ts';
import type { Expr, FromItem, Name } from './tree.ts';

type Join = Extract<FromItem, { kind: 'join' }>;

/** `where` prunes wildcard tables by their suffix. */
export function compileFrom(compilation: Compilation, scope: Scope, item: FromItem, where: Expr | undefined): string {
  switch (item.kind) {
    case 'join': return compileJoin(compilation, scope, item, where);
    case 'unnest': return compileArray(compilation, scope, item).sql;
    case 'subquery': return addRelation(compilation, scope, compileQuery(compilation, scope.parent, item.query), item.alias);
    case 'tableFunction': return addRelation(compilation, scope, compileTableFunction(compilation, scope, item), item.alias ?? item.path.at(-1));
    case 'pivot': return addRelation(compilation, scope, compilePivot(compilation, scope, item), item.alias);
    case 'unpivot': return addRelation(compilation, scope, compileUnpivot(compilation, scope, item), item.alias);
    case 'table': return compileNamed(compilation, scope, item, where);
  }
}

function compileNamed(compilation: Compilation, scope: Scope, item: Extract<FromItem, { kind: 'table' }>, where: Expr | undefined): string {
  const [first] = item.path;
  const alias = item.alias ?? item.path.at(-1);
  if (arrayItem(scope, item)) return compileArray(compilation, scope, item).sql;
  const cte = item.path.length === 1 && first ? findCte(scope.parent, first.text) : undefined;
  if (cte) {
    const columns = cte.columns.map((column) => ({ duckName: column.name, ...column }));
    return addRelation(compilation, scope, { sql: cte.duckName, columns, ...(cte.isValueTable && { isValueTable: true }) }, alias, true);
  }
  if (item.offset) throw invalidQuery('WITH OFFSET can only be used with UNNEST', item.place);
  const { sql, source } = compileTable(compilation, item.path, where, scope, { asOf: item.asOf, alias: alias?.text });
  addSource(scope, { ...source, ...(alias && { alias: alias.text }) }, alias);
  return sql;
}

type ArrayItem = Extract<FromItem, { kind: 'unnest' | 'table' }>;

/** `UNNEST(…)`, or the path of an array column behind the alias of its table: `FROM t, t.items`. */
function arrayItem(scope: Scope, item: FromItem): ArrayItem | undefined {
  if (item.kind === 'unnest') return item;
  return item.kind === 'table' && item.path.length > 1 && item.path[0] !== undefined && isSource(scope, item.path[0]) ? item : undefined;
}

function compileArray(compilation: Compilation, scope: Scope, item: ArrayItem): Unnested {
  const array = item.kind === 'unnest' ? compileExpr(compilation, scope, item.expr) : resolveName(compilation, scope, item.path);
  const alias = item.alias ?? (item.kind === 'table' ? item.path.at(-1) : undefined);
  const unnested = compileUnnest(compilation, array, alias?.text, item.offset?.text, item.place);
  addSource(scope, unnested.source, alias);
  return unnested;
}

function isSource(scope: Scope, name: Name): boolean {
  if (name.isTable) return false;
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    if (at.sources.some(({ alias }) => alias?.toLowerCase() === name.text.toLowerCase())) return true;
  }
  return false;
}

function addSource(scope: Scope, source: Source, alias: Name | undefined): void {
  if (alias && scope.sources.some((other) => other.alias?.toLowerCase() === alias.text.toLowerCase())) {
    throw invalidQuery(`Duplicate table alias ${alias.text} in the same FROM clause`, alias.place);
  }
  scope.sources.push(source);
}

function addRelation(compilation: Compilation, scope: Scope, relation: Relation, alias: Name | undefined, isName = false): string {
  const duckAlias = compilation.id();
  const [column] = relation.columns;
  if (relation.isValueTable && column) {
    const { isElement, ...source } = elementSource({ sql: `${duckAlias}.${quote(column.duckName)}`, type: column.type }, alias?.text);
    addSource(scope, column.type.kind === 'STRUCT' ? source : { ...source, ...(isElement && { isElement }) }, alias);
  } else {
    const columns = relation.columns.map(({ name, duckName, type }) => ({ name, type, sql: `${duckAlias}.${quote(duckName)}` }));
    addSource(scope, { columns, ...(alias && { alias: alias.text }) }, alias);
  }
  return `${isName ? relation.sql : `(${relation.sql})`} AS ${duckAlias}`;
}

function compileJoin(compilation: Compilation, scope: Scope, join: Join, where: Expr | undefined): string {
  const first = scope.sources.length;
  const left = compileFrom(compilation, scope, join.left, where);
  const middle = scope.sources.length;
  const array = arrayItem(scope, join.right);
  if (array) return compileArrayJoin(compilation, scope, join, left, compileArray(compilation, scope, array), first, middle);
  const right = join.right.kind === 'join' ? `(${compileFrom(compilation, scope, join.right, where)})` : compileFrom(compilation, scope, join.right, where);
  if (join.type === 'CROSS') return `${left} CROSS JOIN ${right}`;
  if (join.using) return `${left} ${join.type} JOIN ${right} ON ${compileUsing(scope, join, first, middle)}`;
  if (!join.on) throw invalidQuery(`Syntax error: ${join.type} JOIN must have an immediately following ON or USING clause`, join.place);
  return `${left} ${join.type} JOIN ${right} ON ${requireBool(compileExpr(compilation, scope, join.on), 'JOIN ON clause', join.on.place).sql}`;
}

function compileArrayJoin(compilation: Compilation, scope: Scope, join: Join, left: string, right: Unnested, first: number, middle: number): string {
  const condition = (): string | undefined => join.on && requireBool(compileExpr(compilation, scope, join.on), 'JOIN ON clause', join.on.place).sql;
  if (join.type === 'RIGHT' || join.type === 'FULL') {
    const left0 = scope.sources.slice(first, middle);
    if (left0.some((source) => mentions(right.array, source))) throw invalidQuery(`Array scan is not allowed with ${join.type} JOIN: an array of the left side`, join.place);
    return `${left} ${join.type} JOIN ${right.sql} ON ${condition() ?? 'TRUE'}`;
  }
  const sources = scope.sources.slice(first, middle);
  const filtered = join.on && elementsThat(compilation, scope, right, join.on);
  if (join.type === 'LEFT' && join.on && !filtered) {
    // DuckDB joins a lateral relation on TRUE only, so the condition goes inside.
    return `${left} LEFT JOIN LATERAL (SELECT * FROM ${right.sql} WHERE ${condition()}) AS ${right.duckAlias} ON TRUE`;
  }
  const beside = unnestBeside(left, sources, filtered ?? right, join.type === 'LEFT');
  scope.sources.splice(first, middle - first, ...sources);
  return join.on && !filtered ? `(SELECT * FROM ${beside} WHERE ${condition()}) AS ${right.duckAlias}` : beside;
}

/** The array with only those elements that meet a condition of the join; undefined where the condition needs more than the row and the element. */
function elementsThat(compilation: Compilation, scope: Scope, right: Unnested, on: Expr): Unnested | undefined {
  if (right.hasOffset) return undefined;
  const before = compilation.subqueries;
  const condition = requireBool(compileExpr(compilation, scope, on), 'JOIN ON clause', on.place).sql;
  if (compilation.subqueries !== before) return undefined;
  const element = compilation.id('l');
  return { ...right, array: `list_filter(${right.array}, lambda ${element}: coalesce(${condition.replaceAll(`${right.duckAlias}.v`, element)}, false))` };
}

/** Whether an array is taken from a row of that source. */
const mentions = (array: string, { columns, value }: Source): boolean => [...columns, ...(value ? [value] : [])].some(({ sql }) => array.includes(sql));

/** A USING column is one column: the left one's value (either one's in a FULL JOIN), placed before all others of the two tables. */
function compileUsing(scope: Scope, join: Join, first: number, middle: number): string {
  const merged: Source = { columns: [] };
  const conditions = (join.using ?? []).map((name) => {
    const left = usingColumn(scope.sources.slice(first, middle), name, 'left');
    const right = usingColumn(scope.sources.slice(middle), name, 'right');
    const condition = compileComparison('=', left.value, right.value, name.place).sql;
    merged.columns.push({ name: left.name, ...mergedValue(join, left.value, right.value, name) });
    for (const { hide } of [left, right]) hide();
    return condition;
  });
  scope.sources.splice(first, 0, merged);
  return conditions.join(' AND ');
}

function mergedValue(join: Join, left: Typed, right: Typed, { place }: Name): { sql: string; type: Typed['type'] } {
  if (join.type === 'RIGHT') return { sql: right.sql, type: right.type };
  if (join.type !== 'FULL') return { sql: left.sql, type: left.type };
  const [a, b] = unify([left, right], 'USING', place) as [Typed, Typed];
  return { sql: `coalesce(${a.sql}, ${b.sql})`, type: a.type };
}

/** A column of one side, or the element of an UNNEST by its alias; `hide` leaves it to its own table's name. */
function usingColumn(sources: Source[], { text: name, place }: Name, side: 'left' | 'right'): { name: string; value: Typed; hide: () => void } {
  const key = name.toLowerCase();
  const found = sources.flatMap((source) => {
    const columns = source.columns.filter((column) => !column.onlyQualified && column.name.toLowerCase() === key)
      .map((column) => ({ name: column.name, value: { sql: column.sql, type: column.type }, hide: () => { column.onlyQualified = true; } }));
    const { value, alias } = source;
    if (!source.isElement || !value || alias?.toLowerCase() !== key) return columns;
    return [...columns, { name: alias, value, hide: () => { delete source.isElement; delete source.value; } }];
  });
  const [column] = found;
  if (!column) throw invalidQuery(`Column ${name} in USING clause not found on ${side} side of join`, place);
  if (found.length > 1) throw invalidQuery(`Column ${name} in USING clause is ambiguous on ${side} side of join`, place);
  return column;
}
