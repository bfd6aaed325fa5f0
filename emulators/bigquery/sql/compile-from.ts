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
import { knownName } from './scope.ts';
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
  const [element, ...offset] = unnested.sources as [Source, ...Source[]];
  addSource(scope, element, alias);
  scope.sources.push(...offset);
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
    const columns = relation.columns.map((column) => ({ name: knownName(column), type: column.type, sql: `${duckAlias}.${quote(column.duckName)}` }));
    addSource(scope, { columns, ...(alias && { alias: alias.text }) }, alias);
  }
  return `${isName ? relation.sql : `(${relation.sql})`} AS ${duckAlias}`;
}

/** The sources of a join's two sides are neighbours: the left ones begin at `first`, the right ones at `middle`. */
type Sides = { scope: Scope; first: number; middle: number };

function compileJoin(compilation: Compilation, scope: Scope, join: Join, where: Expr | undefined): string {
  const first = scope.sources.length;
  const left = compileFrom(compilation, scope, join.left, where);
  const sides: Sides = { scope, first, middle: scope.sources.length };
  const array = arrayItem(scope, join.right);
  const sql = array ? compileArrayJoin(compilation, join, left, compileArray(compilation, scope, array), sides) : compileTableJoin(compilation, join, left, sides, where);
  mergeUsing(join, sides);
  return sql;
}

function compileTableJoin(compilation: Compilation, join: Join, left: string, sides: Sides, where: Expr | undefined): string {
  const sql = compileFrom(compilation, sides.scope, join.right, where);
  const right = join.right.kind === 'join' ? `(${sql})` : sql;
  if (join.type === 'CROSS') return `${left} CROSS JOIN ${right}`;
  const condition = joinCondition(compilation, join, sides);
  if (condition === undefined) throw invalidQuery(`Syntax error: ${join.type} JOIN must have an immediately following ON or USING clause`, join.place);
  return `${left} ${join.type} JOIN ${right} ON ${condition}`;
}

/** Of ON or USING, over the sources as they stand; undefined without either. */
function joinCondition(compilation: Compilation, join: Join, sides: Sides): string | undefined {
  if (join.on) return requireBool(compileExpr(compilation, sides.scope, join.on), 'JOIN ON clause', join.on.place).sql;
  return join.using?.map((name) => {
    const { left, right } = usingPair(name, sides);
    return compileComparison('=', left.value, right.value, name.place).sql;
  }).join(' AND ');
}

function compileArrayJoin(compilation: Compilation, join: Join, left: string, right: Unnested, sides: Sides): string {
  const { scope, first, middle } = sides;
  const sources = scope.sources.slice(first, middle);
  if (join.type === 'RIGHT' || join.type === 'FULL') {
    if (sources.some((source) => mentions(right.array, source))) throw invalidQuery(`Array scan is not allowed with ${join.type} JOIN: an array of the left side`, join.place);
    return `${left} ${join.type} JOIN ${right.sql} ON ${joinCondition(compilation, join, sides) ?? 'TRUE'}`;
  }
  const isConditional = join.on !== undefined || join.using !== undefined;
  const filtered = isConditional ? elementsThat(compilation, join, right, sides) : undefined;
  if (join.type === 'LEFT' && isConditional && !filtered) {
    // DuckDB joins a lateral relation on TRUE only, so the condition goes inside.
    return `${left} LEFT JOIN LATERAL (SELECT * FROM ${right.sql} WHERE ${joinCondition(compilation, join, sides)}) AS ${right.duckAlias} ON TRUE`;
  }
  const beside = unnestBeside(left, sources, filtered ?? right, join.type === 'LEFT');
  scope.sources.splice(first, middle - first, ...sources);
  return isConditional && !filtered ? `(SELECT * FROM ${beside} WHERE ${joinCondition(compilation, join, sides)}) AS ${right.duckAlias}` : beside;
}

/** The array with only those elements that meet a condition of the join; undefined where the condition needs more than the row and the element. */
function elementsThat(compilation: Compilation, join: Join, right: Unnested, sides: Sides): Unnested | undefined {
  if (right.hasOffset) return undefined;
  const before = compilation.subqueries;
  const sql = joinCondition(compilation, join, sides);
  if (sql === undefined || compilation.subqueries !== before) return undefined;
  const element = compilation.id('l');
  return { ...right, array: `list_filter(${right.array}, lambda ${element}: coalesce(${sql.replaceAll(`${right.duckAlias}.v`, element)}, false))` };
}

/** Whether an array is taken from a row of that source. */
const mentions = (array: string, { columns, value }: Source): boolean => [...columns, ...(value ? [value] : [])].some(({ sql }) => array.includes(sql));

/** A USING column is one column: the left one's value (either one's in a FULL JOIN), placed before all others of the two tables. */
function mergeUsing(join: Join, sides: Sides): void {
  if (!join.using) return;
  const names = new Map(join.using.map((name) => [name.text.toLowerCase(), name]));
  const pairs = [...names.values()].map((name) => ({ name, ...usingPair(name, sides) }));
  const merged: Source = { columns: pairs.map(({ name, left, right }) => ({ name: left.name, ...mergedValue(join, left.value, right.value, name) })) };
  for (const column of pairs.flatMap(({ left, right }) => [left, right])) column.hide();
  sides.scope.sources.splice(sides.first, 0, merged);
}

const usingPair = (name: Name, { scope, first, middle }: Sides): Record<'left' | 'right', UsingColumn> => ({
  left: usingColumn(scope.sources.slice(first, middle), name, 'left'), right: usingColumn(scope.sources.slice(middle), name, 'right'),
});

function mergedValue(join: Join, left: Typed, right: Typed, { place }: Name): { sql: string; type: Typed['type'] } {
  if (join.type === 'RIGHT') return { sql: right.sql, type: right.type };
  if (join.type !== 'FULL') return { sql: left.sql, type: left.type };
  const [a, b] = unify([left, right], 'USING', place) as [Typed, Typed];
  return { sql: `coalesce(${a.sql}, ${b.sql})`, type: a.type };
}

/** `hide` leaves a column to its own table's name; an element has none but its alias, which now is the merged column's. */
type UsingColumn = { name: string; value: Typed; hide: () => void };

/** A column of one side, or the element of an UNNEST by its alias. */
function usingColumn(sources: Source[], { text: name, place }: Name, side: 'left' | 'right'): UsingColumn {
  const key = name.toLowerCase();
  const found = sources.flatMap((source) => {
    const columns = source.columns.filter((column) => !column.onlyQualified && column.name.toLowerCase() === key)
      .map((column) => ({ name: column.name, value: { sql: column.sql, type: column.type }, hide: () => { column.onlyQualified = true; } }));
    const { value, alias } = source;
    if (!source.isElement || !value || alias?.toLowerCase() !== key) return columns;
    return [...columns, { name: alias, value, hide: () => { delete source.isElement; delete source.value; delete source.alias; } }];
  });
  const [column] = found;
  if (!column) throw invalidQuery(`Column ${name} in USING clause not found on ${side} side of join`, place);
  if (found.length > 1) throw invalidQuery(`Column ${name} in USING clause is ambiguous on ${side} side of join`, place);
  return column;
}
