// A query tree in, a DuckDB query with the names and types of its columns out; called for statements, subqueries, views and CTEs.
import { coerce, coerceOrThrow } from './coerce.ts';
import type { Compilation } from './compilation.ts';
import { compileExpr } from './compile-expression.ts';
import { compileSelect } from './compile-select.ts';
import type { SqlType } from './context.ts';
import { invalidQuery } from './google-sql-error.ts';
import { matchColumns } from './match-columns.ts';
import { duckType, quote, superType, typeName } from './sql-type.ts';
import { childScope, knownName } from './scope.ts';
import type { Relation, Scope, Typed } from './scope.ts';
import type { Expr, OrderItem, Query, SetExpr, SetOperation } from './tree.ts';

export function compileQuery(compilation: Compilation, parent: Scope | undefined, query: Query): Relation {
  const scope = childScope(parent);
  const withs = query.withs.map(({ name, query: inner }) => compileCte(compilation, scope, name, inner, query.recursive));
  const relation = compileBody(compilation, scope, query);
  if (withs.length === 0) return relation;
  return { ...relation, sql: `WITH ${query.recursive ? 'RECURSIVE ' : ''}${withs.join(', ')} ${relation.sql}` };
}

function compileCte(compilation: Compilation, scope: Scope, name: { text: string; place: Query['place'] }, query: Query, recursive: boolean): string {
  const key = name.text.toLowerCase();
  if (scope.ctes.has(key)) throw invalidQuery(`Duplicate alias ${name.text} for WITH subquery`, name.place);
  const duckName = compilation.id('w');
  const recursion = recursive ? recursiveParts(query, key) : undefined;
  if (recursion) {
    // The columns of a recursive query are those of its first, non-recursive part.
    const base = compileSetExpr(compilation, scope, recursion.left);
    scope.ctes.set(key, { name: name.text, duckName, columns: base.columns });
    const step = compileSetExpr(compilation, scope, recursion.right);
    const list = base.columns.map((column) => quote(column.name)).join(', ');
    const cast = step.columns.map((column, index) => `CAST(${quote(column.duckName)} AS ${duckType(base.columns[index]?.type ?? column.type)})`).join(', ');
    const baseCast = base.columns.map((column) => `CAST(${quote(column.duckName)} AS ${duckType(column.type)})`).join(', ');
    return `${duckName}(${list}) AS (SELECT ${baseCast} FROM (${base.sql}) UNION ${recursion.all ? 'ALL ' : ''}SELECT ${cast} FROM (${step.sql}))`;
  }
  const relation = compileQuery(compilation, scope, query);
  scope.ctes.set(key, { name: name.text, duckName, columns: relation.columns.map((column) => ({ ...column })), ...(relation.isValueTable && { isValueTable: true }) });
  return `${duckName} AS (${relation.sql})`;
}

function recursiveParts(query: Query, key: string): SetOperation | undefined {
  const { body } = query;
  if (body.kind !== 'set' || body.op !== 'UNION') return undefined;
  return JSON.stringify(body.right).toLowerCase().includes(`"path":[{"text":${JSON.stringify(key)}`) ? body : undefined;
}

function compileBody(compilation: Compilation, scope: Scope, query: Query): Relation {
  const { body, orderBy } = query;
  const limit = compileLimit(compilation, scope, query);
  if (body.kind === 'select') return compileSelect(compilation, scope, body, orderBy, limit);
  const relation = compileSetExpr(compilation, scope, body);
  if (orderBy.length === 0 && limit === '') return relation;
  return orderRelation(compilation, scope, relation, orderBy, limit);
}

function compileLimit(compilation: Compilation, scope: Scope, query: Query): string {
  const count = (expr: Expr, what: string): string => {
    const value = compileExpr(compilation, scope, expr);
    if (value.type.kind !== 'INT64') throw invalidQuery(`${what} expects an integer literal or parameter`, expr.place);
    return value.sql;
  };
  const limit = query.limit ? ` LIMIT ${count(query.limit, 'LIMIT')}` : '';
  return query.offset ? `${limit} OFFSET ${count(query.offset, 'OFFSET')}` : limit;
}

function orderRelation(compilation: Compilation, scope: Scope, relation: Relation, orderBy: OrderItem[], limit: string): Relation {
  const alias = compilation.id();
  const inner = childScope(scope);
  inner.sources.push({ columns: relation.columns.map((column) => ({ name: knownName(column), type: column.type, sql: `${alias}.${quote(column.duckName)}` })) });
  const keys = orderBy.map((item) => {
    const value = item.expr.kind === 'literal' && item.expr.type === 'INT64' ? item.expr.value : compileExpr(compilation, inner, item.expr).sql;
    return `${value} ${orderDirection(item)}`;
  });
  const order = keys.length > 0 ? ` ORDER BY ${keys.join(', ')}` : '';
  return { ...relation, sql: `SELECT * FROM (${relation.sql}) AS ${alias}${order}${limit}` };
}

/** BigQuery puts NULLs first when ascending, last when descending. */
export function orderDirection(item: OrderItem): string {
  return `${item.descending ? 'DESC' : 'ASC'} NULLS ${item.nulls ?? (item.descending ? 'LAST' : 'FIRST')}`;
}

function compileSetExpr(compilation: Compilation, scope: Scope, body: SetExpr): Relation {
  if (body.kind === 'select') return compileSelect(compilation, scope, body, [], '');
  if (body.kind === 'query') return compileQuery(compilation, scope, body.query);
  const sidesAsWritten: [Relation, Relation] = [compileSetExpr(compilation, scope, body.left), compileSetExpr(compilation, scope, body.right)];
  const [left, right] = body.match ? matchColumns(compilation, body, ...sidesAsWritten) : sidesAsWritten;
  if (left.columns.length !== right.columns.length) {
    throw invalidQuery(`Queries in ${body.op} ${body.all ? 'ALL' : 'DISTINCT'} have mismatched column count; query 1 has ${counted(left)}, query 2 has ${counted(right)}`, placeOf(body.right));
  }
  const types = left.columns.map((column, index) => {
    const other = right.columns[index];
    const type = other && (superType(column.type, other.type) ?? literalType(column, other) ?? literalType(other, column));
    if (!type) throw invalidQuery(`Column ${index + 1} in ${body.op} ${body.all ? 'ALL' : 'DISTINCT'} has incompatible types: ${typeName(column.type)}, ${other ? typeName(other.type) : ''}`, placeOf(body.right));
    return type;
  });
  const columns = left.columns.map((column, index) => ({
    name: column.name, duckName: column.duckName, type: types[index] as SqlType, ...(column.isAnonymous && { isAnonymous: true as const }), ...(column.isEmptyArray && right.columns[index]?.isEmptyArray && { literal: true as const, isEmptyArray: true as const }),
  }));
  const sides = [left, right].map((side) => castColumns(compilation, side, columns, body));
  const sql = `${sides[0]} ${body.op}${body.all ? ' ALL' : ''} ${sides[1]}`;
  return { sql: `SELECT * FROM (${sql})`, columns, ...(left.isValueTable && { isValueTable: true }) };
}

const counted = ({ columns }: Relation): string => `${columns.length} column${columns.length === 1 ? '' : 's'}`;

const placeOf = (body: SetExpr): Query['place'] => (body.kind === 'query' ? body.query.place : body.place);

type RelationColumn = Relation['columns'][number];

/** A column of literals takes the other side's type: DATE '…' UNION ALL '…'. */
function literalType(literal: RelationColumn, other: RelationColumn): SqlType | undefined {
  return literal.literal && coerce(valueOf(literal, ''), other.type)?.type;
}

const valueOf = ({ type, literal, isEmptyArray }: RelationColumn, sql: string): Typed => ({ sql, type, ...(literal && { literal }), ...(isEmptyArray && { isEmptyArray }) });

function castColumns(compilation: Compilation, side: Relation, columns: Relation['columns'], body: SetOperation): string {
  const alias = compilation.id();
  const list = side.columns.map((column, index) => {
    const wanted = columns[index];
    const value = valueOf(column, `${alias}.${quote(column.duckName)}`);
    const coerced = wanted ? coerceOrThrow(value, wanted.type, body.op, body.place) : value;
    return `${coerced.sql} AS ${quote(wanted?.duckName ?? column.duckName)}`;
  });
  return `(SELECT ${list.join(', ')} FROM (${side.sql}) AS ${alias})`;
}

