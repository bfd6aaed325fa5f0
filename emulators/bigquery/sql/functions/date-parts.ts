// Date parts and intervals (DAY, WEEK(MONDAY), INTERVAL 7 DAY), EXTRACT, TRUNC and DIFF in, DuckDB date arithmetic out; used by the compiler and the date functions.
import { coerce } from '../coerce.ts';
import type { Compilation } from '../compilation.ts';
import { compileExpr } from '../compile-expression.ts';
import type { SqlType } from '../context.ts';
import { invalidQuery, notSupported } from '../google-sql-error.ts';
import type { Place } from '../google-sql-error.ts';
import { DATE, DATETIME, INT64, INTERVAL, TIME, typeName } from '../sql-type.ts';
import type { Scope, Typed } from '../scope.ts';
import type { Expr } from '../tree.ts';

const WEEKDAYS = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'];
export type DatePart = { part: string; /** 0 is Sunday; for WEEK only. */ weekStart: number };

export function datePart(expr: Expr): DatePart {
  if (expr.kind === 'name' && expr.parts.length === 1) return { part: expr.parts[0]?.text.toUpperCase() ?? '', weekStart: 0 };
  const day = expr.kind === 'call' && expr.name[0] === 'WEEK' && expr.args[0]?.kind === 'name' ? expr.args[0].parts[0]?.text.toUpperCase() : undefined;
  const weekStart = WEEKDAYS.indexOf(day ?? '');
  if (weekStart < 0) throw invalidQuery('A valid date part name is required', expr.place);
  return { part: 'WEEK', weekStart };
}

const INTERVAL_MAKERS: Record<string, (count: string) => string> = {
  YEAR: (n) => `to_years(CAST(${n} AS INTEGER))`, QUARTER: (n) => `to_months(CAST(3 * (${n}) AS INTEGER))`, MONTH: (n) => `to_months(CAST(${n} AS INTEGER))`,
  WEEK: (n) => `to_days(CAST(7 * (${n}) AS INTEGER))`, DAY: (n) => `to_days(CAST(${n} AS INTEGER))`, HOUR: (n) => `to_hours(${n})`,
  MINUTE: (n) => `to_minutes(${n})`, SECOND: (n) => `to_seconds(${n})`, MILLISECOND: (n) => `to_milliseconds(${n})`, MICROSECOND: (n) => `to_microseconds(${n})`,
};

export function compileInterval(compilation: Compilation, scope: Scope, expr: Extract<Expr, { kind: 'interval' }>): Typed {
  if (expr.toUnit) throw notSupported(`INTERVAL … ${expr.unit} TO ${expr.toUnit}`, expr.place);
  const maker = INTERVAL_MAKERS[expr.unit];
  if (!maker) throw invalidQuery(`Invalid interval unit ${expr.unit}`, expr.place);
  const value = compileExpr(compilation, scope, expr.value);
  const count = value.type.kind === 'STRING' && value.literal ? { ...value, sql: `CAST(${value.sql} AS BIGINT)` } : coerce(value, INT64);
  if (!count) throw invalidQuery(`Interval value must be coercible to INT64 type`, expr.place);
  return { sql: maker(count.sql), type: INTERVAL };
}

export function intervalOf(compilation: Compilation, scope: Scope, expr: Expr): string {
  const value = compileExpr(compilation, scope, expr);
  if (value.type.kind !== 'INTERVAL') throw invalidQuery(`Expected INTERVAL but found ${typeName(value.type)}`, expr.place);
  return value.sql;
}

/** `date + 1`, `timestamp - INTERVAL 1 DAY`, `date - date`; undefined for what is no date arithmetic. */
export function addInterval(op: string, left: Typed, right: Typed): Typed | undefined {
  const { kind } = left.type;
  const isDated = kind === 'DATE' || kind === 'DATETIME' || kind === 'TIMESTAMP' || kind === 'TIME';
  if (right.type.kind === 'INTERVAL' && isDated) return { sql: `(${left.sql} ${op} ${right.sql})`, type: kind === 'DATE' ? DATETIME : left.type };
  if (op === '+' && left.type.kind === 'INTERVAL' && right.type.kind !== 'INTERVAL') return addInterval('+', right, left);
  if (kind === 'INTERVAL' && right.type.kind === 'INTERVAL') return { sql: `(${left.sql} ${op} ${right.sql})`, type: INTERVAL };
  if (kind === 'DATE' && right.type.kind === 'INT64') return { sql: `(${left.sql} ${op} CAST(${right.sql} AS INTEGER))`, type: DATE };
  if (kind === 'INT64' && right.type.kind === 'DATE' && op === '+') return addInterval('+', right, left);
  if (op === '-' && kind === right.type.kind && isDated && kind !== 'TIME') return { sql: kind === 'DATE' ? `to_days(CAST(${left.sql} - ${right.sql} AS INTEGER))` : `to_microseconds(epoch_us(${left.sql}) - epoch_us(${right.sql}))`, type: INTERVAL };
  return undefined;
}

/** A TIMESTAMP as the wall clock of a zone, which is what dates and parts are taken from. */
export function localTime(value: Typed, zone: string | undefined): string {
  return value.type.kind === 'TIMESTAMP' ? `timezone(${zone ?? "'UTC'"}, ${value.sql})` : value.sql;
}

export function compileExtract(compilation: Compilation, scope: Scope, expr: Extract<Expr, { kind: 'extract' }>): Typed {
  const operand = compileExpr(compilation, scope, expr.operand);
  const zone = expr.zone && compileExpr(compilation, scope, expr.zone).sql;
  const { kind } = operand.type;
  if (!['DATE', 'DATETIME', 'TIMESTAMP', 'TIME', 'NULL'].includes(kind)) {
    throw invalidQuery(`EXTRACT does not support arguments of type: ${typeName(operand.type)}`, expr.place);
  }
  return extractPart(datePart(expr.part), localTime(operand, zone), expr.place);
}

function extractPart({ part, weekStart }: DatePart, d: string, place: Place): Typed {
  const int = (sql: string): Typed => ({ sql: `CAST(${sql} AS BIGINT)`, type: INT64 });
  switch (part) {
    case 'YEAR': case 'MONTH': case 'DAY': case 'HOUR': case 'MINUTE': case 'SECOND': case 'QUARTER': return int(`${part.toLowerCase()}(${d})`);
    case 'DAYOFWEEK': return int(`dayofweek(${d}) + 1`);
    case 'DAYOFYEAR': return int(`dayofyear(${d})`);
    case 'MILLISECOND': return int(`millisecond(${d}) % 1000`);
    case 'MICROSECOND': return int(`microsecond(${d}) % 1000000`);
    case 'ISOWEEK': return int(`week(${d})`);
    case 'ISOYEAR': return int(`isoyear(${d})`);
    // Days before the year's first week start are week 0.
    case 'WEEK': return int(`(dayofyear(${d}) + 6 - (dayofweek(${d}) + ${7 - weekStart}) % 7) // 7`);
    case 'DATE': return { sql: `CAST(${d} AS DATE)`, type: DATE };
    case 'TIME': return { sql: `CAST(${d} AS TIME)`, type: TIME };
    case 'DATETIME': return { sql: d, type: DATETIME };
    default: throw invalidQuery(`A valid date part name is required but found ${part}`, place);
  }
}

/** `sql` is a DATE or a wall-clock TIMESTAMP; the answer has the same DuckDB type. */
export function truncated({ part, weekStart }: DatePart, sql: string, type: SqlType, place: Place): string {
  const duck = type.kind === 'DATE' ? 'DATE' : 'TIMESTAMP';
  switch (part) {
    case 'YEAR': case 'QUARTER': case 'MONTH': case 'DAY': case 'HOUR': case 'MINUTE': case 'SECOND': case 'MILLISECOND': case 'MICROSECOND':
      return `CAST(date_trunc('${part.toLowerCase()}', ${sql}) AS ${duck})`;
    case 'ISOWEEK': return `CAST(date_trunc('week', ${sql}) AS ${duck})`;
    case 'ISOYEAR': return `CAST(date_trunc('isoyear', ${sql}) AS ${duck})`;
    case 'WEEK': return `CAST(date_trunc('day', ${sql}) - to_days(CAST((dayofweek(${sql}) + ${7 - weekStart}) % 7 AS INTEGER)) AS ${duck})`;
    default: throw invalidQuery(`A valid date part name is required but found ${part}`, place);
  }
}

/** How many borders of the part lie between two dates or wall-clock times, as DATE_DIFF and DATETIME_DIFF count. */
export function borderDiff(part: DatePart, to: string, from: string, place: Place): string {
  switch (part.part) {
    case 'WEEK': case 'ISOWEEK': {
      const start = part.part === 'ISOWEEK' ? 1 : part.weekStart;
      const week = (sql: string): string => `(date_diff('day', DATE '1970-01-04', CAST(${sql} AS DATE)) - ${start} + 7000000) // 7`;
      return `(${week(to)} - ${week(from)})`;
    }
    case 'ISOYEAR': return `CAST(isoyear(${to}) - isoyear(${from}) AS BIGINT)`;
    case 'YEAR': case 'QUARTER': case 'MONTH': case 'DAY': case 'HOUR': case 'MINUTE': case 'SECOND': case 'MILLISECOND': case 'MICROSECOND':
      return `date_diff('${part.part.toLowerCase()}', ${from}, ${to})`;
    default: throw invalidQuery(`A valid date part name is required but found ${part.part}`, place);
  }
}

const MICROSECONDS: Record<string, number> = { MICROSECOND: 1, MILLISECOND: 1e3, SECOND: 1e6, MINUTE: 6e7, HOUR: 3.6e9, DAY: 8.64e10 };

/** Whole units between two instants, cut towards zero, as TIMESTAMP_DIFF counts. */
export function elapsed({ part }: DatePart, to: string, from: string, place: Place): string {
  const unit = MICROSECONDS[part];
  if (!unit) throw invalidQuery(`TIMESTAMP_DIFF does not support the ${part} date part`, place);
  return `((epoch_us(${to}) - epoch_us(${from})) // ${unit})`;
}
