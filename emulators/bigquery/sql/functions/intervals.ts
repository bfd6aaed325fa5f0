// INTERVAL literals, MAKE_INTERVAL, JUSTIFY_… and arithmetic on intervals in, DuckDB intervals out; used by the expression compiler. Both sides keep months, days and microseconds apart.
import { coerce, noSignature } from '../coerce.ts';
import type { Compilation } from '../compilation.ts';
import { compileExpr } from '../compile-expression.ts';
import { invalidQuery, notSupported } from '../google-sql-error.ts';
import type { Place } from '../google-sql-error.ts';
import { DATE, DATETIME, INT64, INTERVAL, typeName } from '../sql-type.ts';
import type { Scope, Typed } from '../scope.ts';
import type { Expr } from '../tree.ts';
import { argumentsOf, simple } from './signature.ts';
import type { FunctionTable } from './signature.ts';

const MAKERS: Record<string, (count: string) => string> = {
  YEAR: (n) => `to_years(CAST(${n} AS INTEGER))`, QUARTER: (n) => `to_months(CAST(3 * (${n}) AS INTEGER))`, MONTH: (n) => `to_months(CAST(${n} AS INTEGER))`,
  WEEK: (n) => `to_days(CAST(7 * (${n}) AS INTEGER))`, DAY: (n) => `to_days(CAST(${n} AS INTEGER))`,
  HOUR: (n) => `to_hours(${n})`, MINUTE: (n) => `to_minutes(${n})`, SECOND: (n) => `to_seconds(${n})`, MILLISECOND: (n) => `to_milliseconds(${n})`, MICROSECOND: (n) => `to_microseconds(${n})`,
};

export const INTERVAL_FUNCTIONS: FunctionTable = {
  JUSTIFY_HOURS: simple('INTERVAL', INTERVAL, (a) => `gsql_justify_hours(${a})`),
  JUSTIFY_DAYS: simple('INTERVAL', INTERVAL, (a) => `gsql_justify_days(${a})`),
  JUSTIFY_INTERVAL: simple('INTERVAL', INTERVAL, (a) => `gsql_justify_days(gsql_justify_hours(${a}))`),
  MAKE_INTERVAL: (call) => {
    const names = ['year', 'month', 'day', 'hour', 'minute', 'second'];
    const given = argumentsOf(call, 'INT64? INT64 INT64 INT64 INT64 INT64');
    const parts = names.map((name, index) => {
      const named = call.expr.namedArgs.find((argument) => argument.name === name);
      const value = named ? coerce(call.compile(named.value), INT64) : given[index];
      return value && MAKERS[name.toUpperCase()]?.(value.sql);
    });
    return { sql: `(${['to_days(0)', ...parts.filter((part) => part !== undefined)].join(' + ')})`, type: INTERVAL };
  },
};

export function compileInterval(compilation: Compilation, scope: Scope, expr: Extract<Expr, { kind: 'interval' }>): Typed {
  const value = compileExpr(compilation, scope, expr.value);
  if (expr.toUnit) {
    if (expr.value.kind !== 'literal') throw notSupported(`INTERVAL … ${expr.unit} TO ${expr.toUnit} of what is not a literal`, expr.place);
    return { sql: rangeLiteral(expr.value.value, expr.unit, expr.toUnit, expr.place), type: INTERVAL };
  }
  const maker = MAKERS[expr.unit];
  if (!maker) throw invalidQuery(`Invalid interval unit ${expr.unit}`, expr.place);
  const count = value.type.kind === 'STRING' && value.literal ? { ...value, sql: `CAST(${value.sql} AS BIGINT)` } : coerce(value, INT64);
  if (!count) throw invalidQuery(`Interval value must be coercible to INT64 type`, expr.place);
  return { sql: maker(count.sql), type: INTERVAL };
}

const UNITS = ['YEAR', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND'];
const NUMBERS = ['(\\d+)', '(\\d+)', '([+-]?\\d+)', '(\\d+)', '(\\d+)', '(\\d+(?:\\.\\d{1,6})?)'];

/** '1-2 3 4:5:6.7' YEAR TO SECOND and its parts: a sign before the months, the days and the clock each. */
function rangeLiteral(text: string, from: string, to: string, place: Place): string {
  const [first, last] = [UNITS.indexOf(from), UNITS.indexOf(to)];
  if (first < 0 || last <= first) throw invalidQuery(`Invalid interval literal. ${from} TO ${to} is not a valid range`, place);
  const units = UNITS.slice(first, last + 1);
  const group = (members: string[], separator: string): string => {
    const numbers = units.filter((unit) => members.includes(unit)).map((unit) => NUMBERS[UNITS.indexOf(unit)] ?? '');
    return numbers.length === 0 ? '' : `([+-]?)${numbers.join(separator)}`;
  };
  const groups = [group(['YEAR', 'MONTH'], '-'), units.includes('DAY') ? NUMBERS[2] ?? '' : '', group(['HOUR', 'MINUTE', 'SECOND'], ':')].filter((part) => part !== '');
  const found = new RegExp(`^${groups.join(' ')}$`).exec(text);
  if (!found) throw invalidQuery(`Invalid INTERVAL value '${text}'`, place);
  const values = found.slice(1);
  const parts: string[] = [];
  let sign = '';
  for (const unit of units) {
    if (unit === 'DAY') sign = '';
    else if (unit === 'YEAR' || unit === 'HOUR' || unit === units[0]) sign = values.shift() ?? '';
    const value = values.shift() ?? '0';
    parts.push(unit === 'SECOND' ? `to_microseconds(${sign}${Math.round(Number(value) * 1e6)})` : MAKERS[unit]?.(`${sign}${value}`) ?? '');
  }
  return `(${parts.join(' + ')})`;
}

export function intervalOf(compilation: Compilation, scope: Scope, expr: Expr): string {
  const value = compileExpr(compilation, scope, expr);
  if (value.type.kind !== 'INTERVAL') throw invalidQuery(`Expected INTERVAL but found ${typeName(value.type)}`, expr.place);
  return value.sql;
}

/** The unit of an interval that is written out; any other interval may hold any. */
export const intervalUnit = (expr: Expr): string | undefined => (expr.kind === 'interval' && !expr.toUnit ? expr.unit : undefined);

/** `date + 1`, `timestamp - INTERVAL 1 DAY`, `date - date`; undefined for what is no date arithmetic. */
export function addInterval(op: string, left: Typed, right: Typed): Typed | undefined {
  const { kind } = left.type;
  const isDated = kind === 'DATE' || kind === 'DATETIME' || kind === 'TIMESTAMP' || kind === 'TIME';
  if (right.type.kind === 'INTERVAL' && isDated) return { sql: `(${left.sql} ${op} ${right.sql})`, type: kind === 'DATE' ? DATETIME : left.type };
  if (op === '+' && left.type.kind === 'INTERVAL' && right.type.kind !== 'INTERVAL') return addInterval('+', right, left);
  if (kind === 'INTERVAL' && right.type.kind === 'INTERVAL') return { sql: `(${left.sql} ${op} ${right.sql})`, type: INTERVAL };
  if (kind === 'DATE' && right.type.kind === 'INT64') return { sql: `gsql_date(${left.sql} ${op} CAST(${right.sql} AS INTEGER))`, type: DATE };
  if (kind === 'INT64' && right.type.kind === 'DATE' && op === '+') return addInterval('+', right, left);
  if (op === '-' && kind === right.type.kind && isDated) return { sql: difference(kind, left.sql, right.sql), type: INTERVAL };
  return undefined;
}

/** Days of dates, days and a clock of DATETIMEs, only a clock of instants. */
function difference(kind: string, left: string, right: string): string {
  if (kind === 'DATE') return `to_days(CAST(${left} - ${right} AS INTEGER))`;
  const micros = `(epoch_us(${left}) - epoch_us(${right}))`;
  return kind === 'DATETIME' ? `gsql_interval(0, ${micros} // 86400000000, ${micros} % 86400000000)` : `to_microseconds(${micros})`;
}

/** `interval * 3` and `interval / 2`. */
export function scaleInterval(op: string, left: Typed, right: Typed, place: Place): Typed | undefined {
  const [interval, factor] = left.type.kind === 'INTERVAL' ? [left, right] : [right, left];
  if (interval.type.kind !== 'INTERVAL' || (op === '/' && interval !== left)) return undefined;
  const count = coerce(factor, INT64);
  if (!count) throw noSignature(`operator ${op}`, [left, right], place);
  if (op === '*') return { sql: `(${interval.sql} * CAST(${count.sql} AS INTEGER))`, type: INTERVAL };
  throw notSupported('Division of an INTERVAL', place);
}
