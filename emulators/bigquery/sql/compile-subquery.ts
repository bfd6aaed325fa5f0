// Subqueries inside expressions (scalar, EXISTS, ARRAY) in, DuckDB SQL out; those over one array become list functions. Called by the expression compiler.
import { once } from './bind-once.ts';
import type { Compilation } from './compilation.ts';
import { compileExpr, impliedName, structOfValues } from './compile-expression.ts';
import { requireBool } from './compile-comparison.ts';
import { compileQuery } from './compile-query.ts';
import { elementSource } from './compile-unnest.ts';
import { expandStar } from './expand-star.ts';
import { invalidQuery } from './google-sql-error.ts';
import { resolveName } from './names.ts';
import { noteEarlyList } from './read-before-windows.ts';
import { arrayOf, BOOL, typeName } from './sql-type.ts';
import { childScope } from './scope.ts';
import type { Scope, Typed } from './scope.ts';
import { containsAggregate, containsWindow } from './tree-walk.ts';
import type { Expr, Query, Select } from './tree.ts';

export function compileScalarQuery(compilation: Compilation, scope: Scope, query: Query): Typed {
  const alone = ofOneRow(compilation, scope, query);
  if (alone) return alone;
  const list = asList(compilation, scope, query, 'value');
  if (list?.type.kind === 'ARRAY') {
    const { element } = list.type;
    if (isLimitOne(query)) return { sql: `list_extract(${list.sql}, 1)`, type: element };
    const message = "'Scalar subquery produced more than one element'";
    return { sql: once([list.sql], (all) => `CASE WHEN len(${all}) > 1 THEN ${compilation.raise(message)} ELSE list_extract(${all}, 1) END`), type: element };
  }
  compilation.subqueries += 1;
  const relation = compileQuery(compilation, scope, query);
  const [column] = relation.columns;
  if (!column || relation.columns.length !== 1) {
    throw invalidQuery('Scalar subquery cannot have more than one column unless using SELECT AS STRUCT to build STRUCT values', query.place);
  }
  return { sql: `(${relation.sql})`, type: column.type };
}

export function compileExists(compilation: Compilation, scope: Scope, query: Query): Typed {
  const list = asList(compilation, scope, query, 'exists');
  if (list) return { sql: `coalesce(len(${list.sql}) > 0, false)`, type: BOOL };
  compilation.subqueries += 1;
  return { sql: `EXISTS (${compileQuery(compilation, scope, query).sql})`, type: BOOL };
}

export function compileArrayQuery(compilation: Compilation, scope: Scope, query: Query): Typed {
  const alone = ofOneRow(compilation, scope, query);
  if (alone && alone.type.kind !== 'ARRAY') return { sql: `[${alone.sql}]`, type: arrayOf(alone.type) };
  const list = asList(compilation, scope, query, 'value');
  if (list?.type.kind === 'ARRAY' && list.type.element.kind === 'ARRAY') throw nestedArray(list.type.element, query);
  if (list && query.limit === undefined) return { sql: `coalesce(${list.sql}, [])`, type: list.type };
  compilation.subqueries += 1;
  const relation = compileQuery(compilation, scope, query);
  const [column] = relation.columns;
  if (!column || relation.columns.length !== 1) {
    throw invalidQuery('ARRAY subquery cannot have more than one column unless using SELECT AS STRUCT to build STRUCT values', query.place);
  }
  if (column.type.kind === 'ARRAY') throw nestedArray(column.type, query);
  return { sql: `coalesce(ARRAY(${relation.sql}), [])`, type: arrayOf(column.type) };
}

const nestedArray = (type: Typed['type'], { place }: Query): Error => invalidQuery(`Cannot use array subquery with column of type ${typeName(type)} because nested arrays are not supported`, place);

function isLimitOne(query: Query): boolean {
  return query.limit?.kind === 'literal' && query.limit.value === '1';
}

/**
 * `SELECT x FROM UNNEST(array) WHERE condition` as list_transform(list_filter(…)): one pass over the row's own list, where DuckDB's
 * decorrelation of the subquery would group and join the whole table, and it works in places where DuckDB takes no correlated subquery.
 */
function asList(compilation: Compilation, scope: Scope, query: Query, purpose: 'value' | 'exists'): Typed | undefined {
  const select = plainSelect(query, purpose);
  const array = select && arrayOfFrom(compilation, scope, select);
  if (!select || array?.type.kind !== 'ARRAY') return undefined;
  const parameter = compilation.id('l');
  const inner = childScope(scope);
  inner.sources.push(elementSource({ sql: parameter, type: array.type.element }, aliasOf(select)));
  const before = compilation.subqueries;
  const condition = select.where && requireBool(compileExpr(compilation, inner, select.where), 'WHERE', select.place);
  const filtered = condition ? `list_filter(${array.sql}, lambda ${parameter}: coalesce(${condition.sql}, false))` : array.sql;
  const item = purpose === 'value' ? compileItem(compilation, inner, select) : undefined;
  if (compilation.subqueries !== before || (purpose === 'value' && !item)) return undefined;
  const list = !item || item.sql === parameter ? filtered : `list_transform(${filtered}, lambda ${parameter}: ${item.sql})`;
  if (list !== array.sql) noteEarlyList(scope, list);
  return { sql: list, type: arrayOf(item?.type ?? array.type.element) };
}

/** `(SELECT AS STRUCT a, b)` or `(SELECT AS STRUCT * EXCEPT (a) FROM UNNEST([t]))`: one row made of the row around it, so it is a value and DuckDB need not join it. */
function ofOneRow(compilation: Compilation, scope: Scope, query: Query): Typed | undefined {
  const inner = childScope(scope);
  const alone = withoutFrom(query);
  if (alone) return compileItem(compilation, inner, alone);
  const select = plainSelect(query, 'value');
  if (select?.from?.kind !== 'unnest' || select.where || query.limit) return undefined;
  const { expr } = select.from;
  const [item] = expr.kind === 'array' && expr.items.length === 1 && !expr.element ? expr.items : [];
  const element = item && compileExpr(compilation, scope, item);
  // A literal would coerce, which an element of an array does not.
  if (!element || element.type.kind === 'ARRAY' || element.literal !== undefined || element.parts?.some(({ literal }) => literal !== undefined)) return undefined;
  inner.sources.push(elementSource(element, aliasOf(select)));
  return compileItem(compilation, inner, select);
}

function withoutFrom(query: Query): Select | undefined {
  const { body } = query;
  if (query.withs.length > 0 || query.orderBy.length > 0 || query.limit || query.offset || body.kind !== 'select') return undefined;
  if (body.from || body.where || body.having || body.groupBy || body.qualify || body.distinct || body.windows.length > 0 || body.as === 'VALUE') return undefined;
  if (body.as !== 'STRUCT' && body.items.length !== 1) return undefined;
  return hasRowFunctions(body) ? undefined : body;
}

const hasRowFunctions = ({ items }: Select): boolean => items.some((item) => item.kind === 'expr' && (containsAggregate(item.expr) || containsWindow(item.expr)));

/** The query as a SELECT without anything that needs rows together; undefined when it has such a thing. */
function plainSelect(query: Query, purpose: 'value' | 'exists'): Select | undefined {
  const { body } = query;
  if (query.withs.length > 0 || query.orderBy.length > 0 || query.offset || (query.limit && !isLimitOne(query))) return undefined;
  if (body.kind !== 'select' || body.distinct || body.groupBy || body.having || body.qualify || body.windows.length > 0) return undefined;
  const { from } = body;
  if (!from || (from.kind !== 'unnest' && from.kind !== 'table') || from.offset) return undefined;
  if (purpose === 'value' && body.as !== 'STRUCT' && body.items.length !== 1) return undefined;
  return hasRowFunctions(body) ? undefined : body;
}

function arrayOfFrom(compilation: Compilation, scope: Scope, select: Select): Typed | undefined {
  const { from } = select;
  if (from?.kind === 'unnest') {
    const before = compilation.subqueries;
    const array = compileExpr(compilation, scope, from.expr);
    return compilation.subqueries === before ? array : undefined;
  }
  if (from?.kind !== 'table' || from.path.length < 2) return undefined;
  const alias = from.path[0]?.text.toLowerCase();
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    if (at.sources.some((source) => source.alias?.toLowerCase() === alias)) return resolveName(compilation, scope, from.path);
  }
  return undefined;
}

function aliasOf(select: Select): string | undefined {
  const { from } = select;
  if (from?.kind === 'unnest') return from.alias?.text;
  return from?.kind === 'table' ? from.alias?.text ?? from.path.at(-1)?.text : undefined;
}

function compileItem(compilation: Compilation, scope: Scope, select: Select): Typed | undefined {
  if (select.as === 'STRUCT') {
    return structOfValues(select.items.flatMap((item) => (item.kind === 'star' ? expandStar(compilation, scope, item)
      : [{ name: item.alias?.text ?? impliedName(item.expr) ?? '', value: compileExpr(compilation, scope, item.expr) }])));
  }
  const [item] = select.items;
  if (item?.kind !== 'expr') return undefined;
  return compileExpr(compilation, scope, item.expr as Expr);
}
