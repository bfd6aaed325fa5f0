// CAST and SAFE_CAST in, DuckDB casts out with BigQuery's text forms; called by the expression compiler.
import { coerce } from '../coerce.ts';
import type { Compilation } from '../compilation.ts';
import { compileExpr } from '../compile-expression.ts';
import type { SqlType } from '../context.ts';
import { invalidQuery } from '../google-sql-error.ts';
import { duckType, typeName, typeOfNode } from '../sql-type.ts';
import type { Scope, Typed } from '../scope.ts';
import { instantOf, wallClock } from './zones.ts';
import type { Expr } from '../tree.ts';
import { castWithFormat } from './cast-format.ts';

const ALLOWED: Partial<Record<SqlType['kind'], SqlType['kind'][]>> = {
  INT64: ['BOOL', 'INT64', 'NUMERIC', 'FLOAT64', 'STRING'],
  NUMERIC: ['INT64', 'NUMERIC', 'FLOAT64', 'STRING'],
  FLOAT64: ['INT64', 'NUMERIC', 'FLOAT64', 'STRING'],
  BOOL: ['INT64', 'BOOL', 'STRING'],
  STRING: ['STRING', 'INT64', 'NUMERIC', 'FLOAT64', 'BOOL', 'BYTES', 'DATE', 'DATETIME', 'TIME', 'TIMESTAMP', 'INTERVAL'],
  BYTES: ['BYTES', 'STRING'],
  DATE: ['STRING', 'DATE', 'DATETIME', 'TIMESTAMP'],
  DATETIME: ['STRING', 'DATE', 'DATETIME', 'TIME', 'TIMESTAMP'],
  TIME: ['STRING', 'TIME'],
  TIMESTAMP: ['STRING', 'DATE', 'DATETIME', 'TIME', 'TIMESTAMP'],
  INTERVAL: ['STRING', 'INTERVAL'],
};

export function compileCast(compilation: Compilation, scope: Scope, expr: Extract<Expr, { kind: 'cast' }>): Typed {
  const operand = compileExpr(compilation, scope, expr.operand);
  const target = typeOfNode(expr.type);
  const zone = expr.zone && compileExpr(compilation, scope, expr.zone).sql;
  if (expr.format) return castWithFormat(compilation, operand, target, compileExpr(compilation, scope, expr.format), zone, expr.safe, expr.place);
  if (operand.type.kind === 'ARRAY' || operand.type.kind === 'STRUCT' || target.kind === 'ARRAY' || target.kind === 'STRUCT') {
    const coerced = coerce(operand, target);
    if (!coerced) throw invalidQuery(`Casting between ${typeName(operand.type)} and ${typeName(target)} is not supported here`, expr.place);
    return { sql: coerced.sql, type: target };
  }
  if (operand.type.kind !== 'NULL' && !ALLOWED[operand.type.kind]?.includes(target.kind)) {
    throw invalidQuery(`Invalid cast from ${typeName(operand.type)} to ${typeName(target)}`, expr.operand.place);
  }
  const sql = castSql(operand, target, expr.safe || compilation.safe, zone);
  return { sql, type: target };
}

export function castSql(operand: Typed, target: SqlType, safe: boolean, zone?: string): string {
  const { sql, type } = operand;
  const cast = safe ? 'TRY_CAST' : 'CAST';
  if (type.kind === target.kind) return sql;
  if (type.kind === 'BYTES' && target.kind === 'STRING' && safe) return `gsql_utf8_or_null(${sql})`;
  if (target.kind === 'STRING') return toStringSql(operand, zone);
  if (type.kind === 'STRING' && target.kind === 'BYTES') return `encode(${sql})`;
  if (type.kind === 'STRING' && target.kind === 'INT64') return `${cast}(gsql_integer_text(${sql}) AS BIGINT)`;
  if (type.kind === 'STRING' && target.kind === 'BOOL') return `${cast}(CASE WHEN lower(${sql}) IN ('true', 'false') THEN ${sql} WHEN ${sql} IS NULL THEN NULL ELSE 'Bad bool value: ' || ${sql} END AS BOOLEAN)`;
  if (type.kind === 'STRING' && target.kind === 'TIMESTAMP') {
    const checked = `gsql_${safe ? 'safe_' : ''}timestamp_in(${sql})`;
    // A text that names its own zone means that one, whatever the argument says.
    if (zone === undefined) return `${cast}(${checked} AS TIMESTAMPTZ)`;
    return `CASE WHEN gsql_has_zone(${sql}) THEN ${cast}(${checked} AS TIMESTAMPTZ) ELSE ${instantOf(zone, `${cast}(${checked} AS TIMESTAMP)`)} END`;
  }
  if (type.kind === 'STRING' && (target.kind === 'DATE' || target.kind === 'DATETIME' || target.kind === 'TIME')) return `${cast}(gsql_${safe ? 'safe_' : ''}${target.kind.toLowerCase()}_in(${sql}) AS ${duckType(target)})`;
  if (type.kind === 'STRING') return `${cast}(trim(${sql}) AS ${duckType(target)})`;
  if (type.kind === 'FLOAT64' && target.kind === 'NUMERIC') return safe ? `CASE WHEN abs(${sql}) < 1e29 THEN gsql_numeric(${sql}) END` : `gsql_numeric(${sql})`;
  // FLOAT64 to INT64 rounds halves away from zero; DuckDB rounds them to even.
  if (type.kind === 'FLOAT64' && target.kind === 'INT64') return `${cast}(round(${sql}) AS BIGINT)`;
  if (type.kind === 'TIMESTAMP') return `${cast}(${wallClock(zone, sql)} AS ${duckType(target)})`;
  if (target.kind === 'TIMESTAMP') return instantOf(zone, `CAST(${sql} AS TIMESTAMP)`);
  return `${cast}(${sql} AS ${duckType(target)})`;
}

export function toStringSql({ sql, type }: Typed, zone?: string): string {
  switch (type.kind) {
    case 'STRING': return sql;
    case 'FLOAT64': return `gsql_float_text(${sql})`;
    case 'NUMERIC': return `gsql_numeric_text(${sql})`;
    case 'BYTES': return `decode(${sql})`;
    case 'TIMESTAMP': return `gsql_timestamp_text(${sql}, ${wallClock(zone, sql)})`;
    case 'INTERVAL': return `gsql_interval_text(${sql})`;
    case 'DATETIME': return `(strftime(${sql}, '%Y-%m-%d %H:%M:%S') || gsql_fraction(epoch_us(${sql})))`;
    case 'TIME': return `(strftime(DATE '2000-01-01' + ${sql}, '%H:%M:%S') || gsql_fraction(epoch_us(${sql})))`;
    case 'DATE': return `strftime(${sql}, '%Y-%m-%d')`;
    default: return `CAST(${sql} AS VARCHAR)`;
  }
}
