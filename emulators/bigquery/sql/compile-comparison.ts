// Comparisons (=, <, BETWEEN, IN, LIKE) in, DuckDB conditions out, refusing the type pairs that BigQuery refuses; called by the expression compiler.
import { coerce, freshParameter, noSignature, structField, unify } from './coerce.ts';
import type { Compilation } from './compilation.ts';
import { compileExpr } from './compile-expression.ts';
import { compileQuery } from './compile-query.ts';
import { invalidQuery } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import { BOOL, duckFieldName, superType, typeName } from './sql-type.ts';
import type { Scope, Typed } from './scope.ts';
import type { Expr } from './tree.ts';

export function requireBool(value: Typed, what: string, place: Place): Typed {
  const bool = coerce(value, BOOL);
  if (!bool) throw what.endsWith('clause') ? invalidQuery(`${what} should return type BOOL, but returns ${typeName(value.type)}`, place) : noSignature(what, [value], place, 'Expected BOOL');
  return bool;
}

export function compileComparison(op: string, left: Typed, right: Typed, place: Place): Typed {
  if (left.type.kind === 'STRUCT' && right.type.kind === 'STRUCT') return compareStructs(op, left, right, place);
  const pair = comparable(left, right);
  if (!pair) throw noSignature(`operator ${op}`, [left, right], place);
  if (pair[0].type.kind === 'ARRAY' || pair[0].type.kind === 'JSON') throw invalidQuery(`${op === '=' || op === '!=' ? 'Equality' : 'Less than'} is not defined for arguments of type ${typeName(pair[0].type)}`, place);
  return { sql: `(${pair[0].sql} ${op} ${pair[1].sql}${withoutNan(op, pair)})`, type: BOOL };
}

/** NaN equals nothing and is greater than nothing; to DuckDB it is the greatest number. (Not over subqueries, which would run twice.) */
function withoutNan(op: string, [left, right]: [Typed, Typed]): string {
  const isOpen = ({ type, literal, sql }: Typed): boolean => type.kind === 'FLOAT64' && literal === undefined && !sql.includes('SELECT');
  if (op.startsWith('>') && isOpen(left)) return ` AND NOT isnan(${left.sql})`;
  if (op.startsWith('<') && isOpen(right)) return ` AND NOT isnan(${right.sql})`;
  if (!isOpen(left) || !isOpen(right)) return '';
  return op === '=' ? ` AND NOT isnan(${left.sql})` : op === '!=' ? ` OR isnan(${left.sql})` : '';
}

/** Field by field, so that a NULL inside makes the comparison NULL, where DuckDB would take two NULLs for equal. Names do not count. */
function compareStructs(op: string, left: Typed, right: Typed, place: Place): Typed {
  const [a, b] = [fieldsOf(left), fieldsOf(right)];
  if (a.length !== b.length) throw noSignature(`operator ${op}`, [left, right], place);
  if (op !== '=' && op !== '!=') throw invalidQuery(`Less than is not defined for arguments of type ${typeName(left.type)}`, place);
  const equal = a.map((field, index) => compileComparison('=', field, b[index] as Typed, place).sql).join(' AND ');
  const whole = [left, right].filter(({ parts }) => !parts).map(({ sql }) => `${sql} IS NULL`);
  const condition = `${op === '=' ? '' : 'NOT '}(${equal || 'true'})`;
  return { sql: whole.length > 0 ? `CASE WHEN ${whole.join(' OR ')} THEN NULL ELSE ${condition} END` : `(${condition})`, type: BOOL };
}

function fieldsOf(value: Typed): Typed[] {
  if (value.parts) return value.parts;
  if (value.type.kind !== 'STRUCT') return [];
  return value.type.fields.map((field, index) => ({ sql: structField(value.sql, duckFieldName(field, index)), type: field.type, ...(value.literal && { literal: true as const }) }));
}

/** INT64 against FLOAT64 compares as it is; strings follow a date only when they are literals. */
function comparable(left: Typed, right: Typed): [Typed, Typed] | undefined {
  if (superType(left.type, right.type) && left.type.kind !== 'STRUCT' && left.type.kind !== 'ARRAY') return [left, right];
  if (left.type.kind === 'STRUCT' && right.type.kind === 'STRUCT') {
    const converted = coerce(right, left.type);
    return converted && [left, converted];
  }
  const toLeft = right.literal ? coerce(right, left.type) : undefined;
  if (toLeft) return [left, toLeft];
  const toRight = left.literal ? coerce(left, right.type) : undefined;
  return toRight && [toRight, right];
}

export function compileIn(compilation: Compilation, scope: Scope, expr: Extract<Expr, { kind: 'in' }>): Typed {
  const operand = compileExpr(compilation, scope, expr.operand);
  const not = expr.not ? 'NOT ' : '';
  if (expr.unnest) {
    const list = compileExpr(compilation, scope, expr.unnest);
    if (list.type.kind !== 'ARRAY') throw invalidQuery('Second argument of IN UNNEST must be an array', expr.unnest.place);
    const pair = comparable(operand, { sql: '', type: list.type.element, ...(list.literal && { literal: true }) });
    const wanted = pair && coerce(list, { kind: 'ARRAY', element: operand.type });
    const value = wanted ? operand : coerce(operand, list.type.element);
    if (!value) throw noSignature('operator IN UNNEST', [operand, list], expr.place);
    const items = (wanted ?? list).sql;
    // Not found beside a NULL is unknown; in an empty or missing array nothing is found, not even NULL.
    return { sql: `(${not}CASE WHEN len(${items}) IS NULL OR len(${items}) = 0 THEN false WHEN list_contains(${items}, ${value.sql}) THEN true WHEN ${value.sql} IS NULL OR len(list_filter(${items}, lambda ${freshParameter(items)}: ${freshParameter(items)} IS NULL)) > 0 THEN NULL ELSE false END)`, type: BOOL };
  }
  if (expr.query) {
    compilation.subqueries += 1;
    const relation = compileQuery(compilation, scope, expr.query);
    const [column] = relation.columns;
    if (!column || relation.columns.length !== 1) throw invalidQuery(`Subquery of type IN must have only one output column`, expr.place);
    const wanted = { sql: '', type: column.type };
    if (!comparable(operand, wanted)) throw noSignature('operator IN', [operand, wanted], expr.place);
    // DuckDB compares structs by their names, too.
    const value = operand.type.kind === 'STRUCT' || operand.literal ? coerce(operand, column.type) ?? operand : operand;
    return { sql: `(${value.sql} ${not}IN (${relation.sql}))`, type: BOOL };
  }
  if (operand.type.kind === 'STRUCT') {
    const equal = (expr.list ?? []).map((item) => compileComparison('=', operand, compileExpr(compilation, scope, item), expr.place).sql);
    return { sql: `(${not}(${equal.join(' OR ')}))`, type: BOOL };
  }
  const items = (expr.list ?? []).map((item) => {
    const pair = comparable(operand, compileExpr(compilation, scope, item));
    if (!pair) throw noSignature('operator IN', [operand, compileExpr(compilation, scope, item)], expr.place);
    return pair[1].sql;
  });
  return { sql: `(${operand.sql} ${not}IN (${items.join(', ')}))`, type: BOOL };
}

export function compileLike(compilation: Compilation, scope: Scope, expr: Extract<Expr, { kind: 'like' }>): Typed {
  const operand = compileExpr(compilation, scope, expr.operand);
  const conditions = expr.patterns.map((pattern) => {
    const compiled = compileExpr(compilation, scope, pattern);
    const [left, right] = unify([operand, compiled], 'operator LIKE', expr.place);
    if (left?.type.kind !== 'STRING' && left?.type.kind !== 'NULL') throw noSignature('operator LIKE', [operand, compiled], expr.place);
    return `(${left.sql} LIKE ${right?.sql} ESCAPE '\\')`;
  });
  const joined = `(${conditions.join(expr.quantifier === 'ALL' ? ' AND ' : ' OR ')})`;
  return { sql: expr.not ? `(NOT ${joined})` : joined, type: BOOL };
}
