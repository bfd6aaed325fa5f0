// An expression tree and its scope in, DuckDB SQL with a BigQuery type out; called for every expression of a statement.
import { compileCall } from './compile-call.ts';
import { compileComparison, compileIn, compileLike, requireBool } from './compile-comparison.ts';
import { compileArrayQuery, compileExists, compileScalarQuery } from './compile-subquery.ts';
import { coerce, coerceOrThrow, noSignature, unify } from './coerce.ts';
import type { Compilation } from './compilation.ts';
import type { SqlType } from './context.ts';
import { compileCast, toStringSql } from './functions/cast.ts';
import { compileExtract } from './functions/date-parts.ts';
import { addInterval, compileInterval, scaleInterval } from './functions/intervals.ts';
import { invalidQuery, notSupported } from './google-sql-error.ts';
import { compileLiteral, compileParameter } from './literals.ts';
import { systemVariable } from './system-variables.ts';
import { fieldOfValue, namesIn, resolveName } from './names.ts';
import { arrayOf, BOOL, FLOAT64, INT64, isNumeric, NULL_TYPE, STRING, structOf, structPack, superType, typeName, typeOfNode, duckType, duckFieldName } from './sql-type.ts';
import type { Scope, Typed } from './scope.ts';
import { treeKey } from './tree-walk.ts';
import type { Expr } from './tree.ts';

export function compileExpr(compilation: Compilation, scope: Scope, expr: Expr): Typed {
  if (scope.grouping && !scope.insideAggregate && expr.kind !== 'name' && expr.kind !== 'literal') {
    const grouped = scope.grouping.byTree.get(treeKey(expr, namesIn(scope)));
    if (grouped) return grouped;
  }
  const compile = (inner: Expr): Typed => compileExpr(compilation, scope, inner);
  switch (expr.kind) {
    case 'literal': return compileLiteral(expr);
    case 'parameter': return compileParameter(compilation, expr);
    case 'systemVariable': return systemVariable(compilation, expr);
    case 'name': return resolveName(compilation, scope, expr.parts);
    case 'field': return fieldOfValue(compile(expr.base), expr.name);
    case 'index': return compileIndex(compilation, scope, expr);
    case 'unary': return compileUnary(compilation, scope, expr);
    case 'binary': return compileBinary(compilation, scope, expr);
    case 'between': {
      const [operand, low, high] = [compile(expr.operand), compile(expr.low), compile(expr.high)];
      const from = compileComparison('>=', operand, low, expr.place);
      const to = compileComparison('<=', operand, high, expr.place);
      return { sql: `${expr.not ? 'NOT ' : ''}(${from.sql} AND ${to.sql})`, type: BOOL };
    }
    case 'in': return compileIn(compilation, scope, expr);
    case 'like': return compileLike(compilation, scope, expr);
    case 'is': return compileIs(compilation, scope, expr);
    case 'case': return compileCase(compilation, scope, expr);
    case 'cast': return compileCast(compilation, scope, expr);
    case 'extract': return compileExtract(compilation, scope, expr);
    case 'interval': return compileInterval(compilation, scope, expr);
    case 'call': return compileCall(compilation, scope, expr);
    case 'array': return compileArray(compilation, scope, expr);
    case 'struct': return compileStruct(compilation, scope, expr);
    case 'with': return compileWith(compilation, scope, expr);
    case 'scalarQuery': return compileScalarQuery(compilation, scope, expr.query);
    case 'arrayQuery': return compileArrayQuery(compilation, scope, expr.query);
    case 'exists': return compileExists(compilation, scope, expr.query);
  }
}

type Node<K extends Expr['kind']> = Extract<Expr, { kind: K }>;

function compileIndex(compilation: Compilation, scope: Scope, expr: Node<'index'>): Typed {
  const base = compileExpr(compilation, scope, isFirst(expr) ? withLimitOne(expr.base) : expr.base);
  const index = compileExpr(compilation, scope, expr.index);
  if (base.type.kind === 'JSON') {
    const path = index.type.kind === 'STRING' ? `'$."' || ${index.sql} || '"'` : `'$[' || CAST(${index.sql} AS VARCHAR) || ']'`;
    return { sql: `json_extract(${base.sql}, ${path})`, type: base.type };
  }
  if (base.type.kind !== 'ARRAY') throw invalidQuery(`Element access using [] is not supported on values of type ${typeName(base.type)}`, expr.place);
  const { element } = base.type;
  const isOneBased = expr.mode === 'ORDINAL' || expr.mode === 'SAFE_ORDINAL';
  const position = /^\d+$/.test(index.sql) ? String(Number(index.sql) + (isOneBased ? 0 : 1)) : isOneBased ? `(${index.sql})` : `(${index.sql} + 1)`;
  if (expr.mode.startsWith('SAFE') || compilation.safe) {
    const isPositive = /^[1-9]\d*$/.test(position);
    return { sql: isPositive ? `list_extract(${base.sql}, ${position})` : `CASE WHEN ${position} > 0 THEN list_extract(${base.sql}, ${position}) END`, type: element };
  }
  const message = `'Array index ' || CAST(${index.sql} AS VARCHAR) || ' is out of bounds'`;
  return { sql: `CASE WHEN ${position} < 1 OR ${position} > len(${base.sql}) THEN ${compilation.raise(message)} ELSE list_extract(${base.sql}, ${position}) END`, type: element };
}

const isFirst = ({ index, mode }: Node<'index'>): boolean => index.kind === 'literal' && index.value === (mode.endsWith('ORDINAL') ? '1' : '0');

/** ARRAY_AGG(x ORDER BY y)[OFFSET(0)] needs no more than the first. */
function withLimitOne(expr: Expr): Expr {
  if (expr.kind !== 'call' || expr.name.join('.') !== 'ARRAY_AGG' || expr.limit) return expr;
  return { ...expr, limit: { kind: 'literal', type: 'INT64', value: '1', place: expr.place } };
}

function compileUnary(compilation: Compilation, scope: Scope, expr: Node<'unary'>): Typed {
  const operand = compileExpr(compilation, scope, expr.operand);
  if (expr.op === 'NOT') return { sql: `(NOT ${requireBool(operand, 'NOT', expr.place).sql})`, type: BOOL };
  if (expr.op === '-' && operand.type.kind === 'INTERVAL') return { sql: `(-${operand.sql})`, type: operand.type };
  if (!isNumeric(operand.type)) throw noSignature(`operator ${expr.op}`, [operand], expr.place);
  return { sql: `(${expr.op} ${operand.sql})`, type: operand.type };
}

function compileBinary(compilation: Compilation, scope: Scope, expr: Node<'binary'>): Typed {
  const left = compileExpr(compilation, scope, expr.left);
  const right = compileExpr(compilation, scope, expr.right);
  const { op, place } = expr;
  if (op === 'AND' || op === 'OR') return { sql: `(${requireBool(left, op, place).sql} ${op} ${requireBool(right, op, place).sql})`, type: BOOL };
  if (['=', '!=', '<', '<=', '>', '>='].includes(op)) return compileComparison(op, left, right, place);
  if (op === '||') return compileConcat(left, right, expr);
  if (op === '+' || op === '-' || op === '*' || op === '/') return compileArithmetic(compilation, op, left, right, expr);
  if (left.type.kind !== 'INT64' || right.type.kind !== 'INT64') throw noSignature(`operator ${op}`, [left, right], place);
  // Bits shifted past the end are gone, and a negative number has no sign there: it shifts as 64 bits.
  if (op === '>>') return { sql: `gsql_shift_right(${left.sql}, ${right.sql})`, type: INT64 };
  if (op === '<<') return { sql: `CASE WHEN ${right.sql} >= 64 THEN 0 ELSE ${left.sql} << ${right.sql} END`, type: INT64 };
  return { sql: op === '^' ? `xor(${left.sql}, ${right.sql})` : `(${left.sql} ${op} ${right.sql})`, type: INT64 };
}

function compileConcat(left: Typed, right: Typed, expr: Node<'binary'>): Typed {
  const nothing = [expr.left, expr.right].find((side) => side.kind === 'literal' && side.type === 'NULL');
  if (nothing) throw invalidQuery('Operands of || cannot be literal NULL', nothing.place);
  const type = right.isEmptyArray ? left.type : left.isEmptyArray ? right.type : superType(left.type, right.type);
  if (type?.kind === 'ARRAY') {
    const [a, b] = unify([left, right], 'operator ||', expr.place);
    return { sql: `CASE WHEN ${a?.sql} IS NULL OR ${b?.sql} IS NULL THEN NULL ELSE list_concat(${a?.sql}, ${b?.sql}) END`, type };
  }
  // DuckDB forgets the type of what is NULL before the query runs.
  const typed = (sql: string, to: SqlType): Typed => ({ sql: left.literal || right.literal ? `CAST(${sql} AS ${duckType(to)})` : sql, type: to });
  if (type?.kind === 'STRING' || type?.kind === 'BYTES') return typed(`(${left.sql} || ${right.sql})`, type);
  // Numbers, dates and the like become text by themselves, as in CONCAT.
  if ([left, right].some(({ type: { kind } }) => ['ARRAY', 'STRUCT', 'JSON', 'BYTES'].includes(kind))) throw noSignature('operator ||', [left, right], expr.place);
  return typed(`(${toStringSql(left)} || ${toStringSql(right)})`, STRING);
}

function compileArithmetic(compilation: Compilation, op: string, left: Typed, right: Typed, expr: Node<'binary'>): Typed {
  if (op !== '*' && op !== '/' && (!isNumeric(left.type) || !isNumeric(right.type))) {
    const dated = addInterval(op, left, right);
    if (dated) return dated;
  }
  const scaled = op === '*' || op === '/' ? scaleInterval(op, left, right, expr.place) : undefined;
  if (scaled) return scaled;
  const type = superType(left.type, right.type);
  if (!type || !isNumeric(type)) throw noSignature(`operator ${op}`, [left, right], expr.place);
  if (type.kind === 'FLOAT64' && [left, right].some((value) => value.type.kind === 'NUMERIC')) {
    // A fraction that is written out follows a NUMERIC.
    const [a, b] = [coerce(left, { kind: 'NUMERIC' }), coerce(right, { kind: 'NUMERIC' })];
    if (a && b) return compileArithmetic(compilation, op, a, b, expr);
  }
  if (op === '/') return compileDivision(compilation, left, right);
  const result = type.kind === 'NULL' ? INT64 : type;
  const sql = `(${left.sql} ${op} ${right.sql})`;
  return { sql: result.kind === 'NUMERIC' ? `CAST(${sql} AS ${duckType(result)})` : sql, type: result };
}

/** `/` always divides to FLOAT64 (or NUMERIC), and dividing by zero is an error in BigQuery, where DuckDB gives infinity. */
export function compileDivision(compilation: Compilation, left: Typed, right: Typed): Typed {
  const isNumericResult = [left, right].some(({ type }) => type.kind === 'NUMERIC') && ![left, right].some(({ type }) => type.kind === 'FLOAT64');
  const quotient = `(CAST(${left.sql} AS DOUBLE) / CAST(${right.sql} AS DOUBLE))`;
  const isSafeDivisor = right.literal !== undefined && Number(right.sql) !== 0 && Number.isFinite(Number(right.sql));
  const sql = isSafeDivisor ? quotient
    : compilation.safe ? `(CAST(${left.sql} AS DOUBLE) / NULLIF(CAST(${right.sql} AS DOUBLE), 0))`
    : `gsql_divide(CAST(${left.sql} AS DOUBLE), CAST(${right.sql} AS DOUBLE))`;
  return isNumericResult ? { sql: `gsql_numeric(${sql})`, type: { kind: 'NUMERIC' } } : { sql, type: FLOAT64 };
}

function compileIs(compilation: Compilation, scope: Scope, expr: Node<'is'>): Typed {
  const operand = compileExpr(compilation, scope, expr.operand);
  const not = expr.not ? 'NOT ' : '';
  if (expr.what === 'DISTINCT' && expr.other) {
    const [left, right] = unify([operand, compileExpr(compilation, scope, expr.other)], 'operator IS DISTINCT FROM', expr.place);
    return { sql: `(${left?.sql} IS ${not}DISTINCT FROM ${right?.sql})`, type: BOOL };
  }
  if (expr.what !== 'NULL') requireBool(operand, `IS ${expr.what}`, expr.place);
  return { sql: `(${operand.sql} IS ${not}${expr.what})`, type: BOOL };
}

function compileCase(compilation: Compilation, scope: Scope, expr: Node<'case'>): Typed {
  const operand = expr.operand && compileExpr(compilation, scope, expr.operand);
  const conditions = expr.whens.map(({ when }) => {
    const condition = compileExpr(compilation, scope, when);
    return operand ? compileComparison('=', operand, condition, when.place) : requireBool(condition, 'CASE', when.place);
  });
  const results = expr.whens.map(({ then }) => compileExpr(compilation, scope, then));
  if (expr.otherwise) results.push(compileExpr(compilation, scope, expr.otherwise));
  const unified = unify(results, 'operator CASE', expr.place);
  const branches = conditions.map((condition, index) => `WHEN ${condition.sql} THEN ${unified[index]?.sql}`);
  const otherwise = expr.otherwise ? ` ELSE ${unified.at(-1)?.sql}` : '';
  return { sql: `CASE ${branches.join(' ')}${otherwise} END`, type: unified[0]?.type ?? NULL_TYPE };
}

function compileArray(compilation: Compilation, scope: Scope, expr: Node<'array'>): Typed {
  const items = expr.items.map((item) => compileExpr(compilation, scope, item));
  const nested = items.find(({ type }) => type.kind === 'ARRAY');
  if (nested) throw invalidQuery(`Cannot construct array with element type ${typeName(nested.type)} because nested arrays are not supported`, expr.items[items.indexOf(nested)]?.place ?? expr.place);
  const element = expr.element ? typeOfNode(expr.element) : undefined;
  const unified = element ? items.map((item) => coerceOrThrow(item, element, 'ARRAY', expr.place)) : unify(items, 'array constructor', expr.place);
  const type = element ?? unified[0]?.type ?? INT64;
  const literal = items.every((item) => item.literal !== undefined) ? { literal: true as const, ...(items.length === 0 && !element && { isEmptyArray: true as const }) } : {};
  const list = `[${unified.map(({ sql }) => sql).join(', ')}]`;
  return { sql: items.length === 0 ? `CAST([] AS ${duckType(arrayOf(type))})` : list, type: arrayOf(type), ...literal };
}

function compileStruct(compilation: Compilation, scope: Scope, expr: Node<'struct'>): Typed {
  const items = expr.items.map((item) => ({ value: compileExpr(compilation, scope, item.expr), name: item.alias ?? (expr.typed ? '' : impliedName(item.expr) ?? '') }));
  if (expr.typed && expr.typed.fields.length !== items.length) {
    throw invalidQuery(`STRUCT type has ${expr.typed.fields.length} fields but constructor call has ${items.length} fields`, expr.place);
  }
  const fields = items.map(({ value, name }, index) => {
    const typedField = expr.typed?.fields[index];
    if (!typedField) return { name: expr.isTuple ? '' : name, value };
    return { name: typedField.name, value: coerceOrThrow(value, typeOfNode(typedField.type), 'STRUCT', expr.place) };
  });
  return structOfValues(fields);
}

export function structOfValues(values: { name: string; value: Typed }[]): Typed {
  const type = structOf(values.map(({ name, value }) => ({ name, type: value.type })));
  const parts = values.map(({ name, value }, index) => ({ name: duckFieldName({ name, type: value.type }, index), type: value.type, sql: value.type.kind === 'NULL' ? `CAST(${value.sql} AS BIGINT)` : value.sql }));
  const literal = values.every(({ value }) => value.literal) ? { literal: true as const } : {};
  return { sql: structPack(parts), type, ...literal, parts: values.map(({ value }) => value) };
}

/** Each name is written out as what it stands for, so that aggregates and windows may stand behind it. */
function compileWith(compilation: Compilation, scope: Scope, expr: Node<'with'>): Typed {
  let inner = scope;
  for (const { name, expr: written } of expr.items) {
    const value = compileExpr(compilation, inner, written);
    if (/\b(?:random|uuid|nextval)\(/.test(value.sql)) throw notSupported('WITH over a value that is another one each time', written.place);
    const grouping = inner.grouping && { ...inner.grouping, sqls: new Set([...inner.grouping.sqls, value.sql]) };
    inner = { ...inner, parent: inner, rows: scope.rows ?? scope, sources: [{ columns: [{ name: name.text, sql: value.sql, type: value.type }] }], aliases: new Map(), ...(grouping && { grouping }) };
  }
  return compileExpr(compilation, inner, expr.body);
}

/** The name that an expression gives to a column without AS. */
export function impliedName(expr: Expr): string | undefined {
  if (expr.kind === 'name') return expr.parts.at(-1)?.text;
  if (expr.kind === 'field') return expr.name.text;
  return undefined;
}
