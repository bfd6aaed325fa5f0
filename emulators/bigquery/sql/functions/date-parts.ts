// Date parts (DAY, WEEK(MONDAY)), EXTRACT, TRUNC and DIFF in, DuckDB date arithmetic out; used by the compiler and the date functions.
import type { Compilation } from '../compilation.ts';
import { compileExpr } from '../compile-expression.ts';
import type { SqlType } from '../context.ts';
import { invalidQuery } from '../google-sql-error.ts';
import type { Place } from '../google-sql-error.ts';
import { DATE, DATETIME, INT64, TIME, typeName } from '../sql-type.ts';
import type { Scope, Typed } from '../scope.ts';
import type { Expr } from '../tree.ts';
import { wallClock } from './zones.ts';

const WEEKDAYS = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'];
export type DatePart = { part: string; /** 0 is Sunday; for WEEK only. */ weekStart: number };

export function datePart(expr: Expr): DatePart {
  if (expr.kind === 'name' && expr.parts.length === 1) return { part: expr.parts[0]?.text.toUpperCase() ?? '', weekStart: 0 };
  const day = expr.kind === 'call' && expr.name[0] === 'WEEK' && expr.args[0]?.kind === 'name' ? expr.args[0].parts[0]?.text.toUpperCase() : undefined;
  const weekStart = WEEKDAYS.indexOf(day ?? '');
  if (weekStart < 0) throw invalidQuery('A valid date part name is required', expr.place);
  return { part: 'WEEK', weekStart };
}

/** A TIMESTAMP as the wall clock of a zone, which is what dates and parts are taken from. */
export function localTime(value: Typed, zone: string | undefined): string {
  return value.type.kind === 'TIMESTAMP' ? wallClock(zone, value.sql) : value.sql;
}

export function compileExtract(compilation: Compilation, scope: Scope, expr: Extract<Expr, { kind: 'extract' }>): Typed {
  const operand = compileExpr(compilation, scope, expr.operand);
  const zone = expr.zone && compileExpr(compilation, scope, expr.zone).sql;
  const { kind } = operand.type;
  const part = datePart(expr.part);
  if (kind === 'INTERVAL') return extractInterval(part.part, operand.sql, expr.place);
  if (!['DATE', 'DATETIME', 'TIMESTAMP', 'TIME', 'NULL'].includes(kind)) {
    throw invalidQuery(`EXTRACT does not support arguments of type: ${typeName(operand.type)}`, expr.place);
  }
  if ((kind === 'DATE' && CLOCK_PARTS.has(part.part)) || (kind === 'DATE' && ['DATE', 'TIME', 'DATETIME'].includes(part.part)) || (kind === 'TIME' && !CLOCK_PARTS.has(part.part))) {
    throw invalidQuery(`EXTRACT from ${kind} does not support the ${part.part} date part`, expr.place);
  }
  return extractPart(part, localTime(operand, zone), expr.place);
}

export const CLOCK_PARTS = new Set(['HOUR', 'MINUTE', 'SECOND', 'MILLISECOND', 'MICROSECOND']);

function extractInterval(part: string, sql: string, place: Place): Typed {
  const parts: Record<string, string> = {
    YEAR: `year(${sql})`, MONTH: `month(${sql})`, DAY: `day(${sql})`, HOUR: `hour(${sql})`, MINUTE: `minute(${sql})`,
    SECOND: `(microsecond(${sql}) // 1000000)`, MILLISECOND: `(microsecond(${sql}) // 1000 % 1000)`, MICROSECOND: `(microsecond(${sql}) % 1000000)`,
  };
  const found = parts[part];
  if (!found) throw invalidQuery(`EXTRACT from INTERVAL does not support the ${part} date part`, place);
  return { sql: `CAST(${found} AS BIGINT)`, type: INT64 };
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
