// Date and time functions: calls in, DuckDB SQL out; zones apply where BigQuery takes one. Looked up by the call compiler.
import { coerce, noSignature } from '../coerce.ts';
import type { SqlType } from '../context.ts';
import { invalidQuery } from '../google-sql-error.ts';
import { DATE, DATETIME, INT64, STRING, TIME, TIMESTAMP } from '../sql-type.ts';
import type { Typed } from '../scope.ts';
import { castSql, toStringSql } from './cast.ts';
import { borderDiff, CLOCK_PARTS, datePart, elapsed, localTime, truncated } from './date-parts.ts';
import { intervalOf, intervalUnit } from './intervals.ts';
import { argumentExpr, argumentsOf, simple } from './signature.ts';
import type { FunctionCall, FunctionTable, Handler } from './signature.ts';
import { instantOf, wallClock } from './zones.ts';

export const DATE_FUNCTIONS: FunctionTable = {
  CURRENT_DATE: (call) => ({ sql: `CAST(${localTime(now(call), zoneAt(call, 0))} AS DATE)`, type: DATE }),
  CURRENT_DATETIME: (call) => ({ sql: localTime(now(call), zoneAt(call, 0)), type: DATETIME }),
  CURRENT_TIME: (call) => ({ sql: `CAST(${localTime(now(call), zoneAt(call, 0))} AS TIME)`, type: TIME }),
  CURRENT_TIMESTAMP: now,
  DATE: (call) => made(call, DATE, (parts) => `make_date(${parts.join(', ')})`),
  DATETIME: (call) => {
    if (call.expr.args.length >= 6) return { sql: `make_timestamp(${argumentsOf(call, 'INT64 INT64 INT64 INT64 INT64 INT64').map(({ sql }) => sql).join(', ')}::DOUBLE)`, type: DATETIME };
    const [first, second] = call.expr.args.map((argument) => call.compile(argument));
    if (first?.type.kind === 'DATE' && second?.type.kind === 'TIME') return { sql: `(${first.sql} + ${second.sql})`, type: DATETIME };
    return made(call, DATETIME, () => '');
  },
  TIME: (call) => made(call, TIME, ([hour, minute, second]) => `CASE WHEN ${hour} = 24 THEN ${call.compilation.raise("'Input calculates to invalid time'")} ELSE make_time(${hour}, ${minute}, ${second}::DOUBLE) END`),
  TIMESTAMP: (call) => {
    const [first] = call.expr.args.map((argument) => call.compile(argument));
    if (!first || !['STRING', 'DATE', 'DATETIME', 'TIMESTAMP', 'NULL'].includes(first.type.kind)) throw noSignature('function TIMESTAMP', first ? [first] : [], call.expr.place);
    return { sql: castSql(first, TIMESTAMP, call.compilation.safe, zoneAt(call, 1)), type: TIMESTAMP };
  },
  STRING: (call) => {
    const [first] = call.expr.args.map((argument) => call.compile(argument));
    if (first?.type.kind === 'JSON') return { sql: `CASE WHEN json_type(${first.sql}) = 'VARCHAR' THEN ${first.sql} ->> '$' WHEN ${first.sql} IS NOT NULL THEN ${call.compilation.raise("'The provided JSON input is not a string'")} END`, type: STRING };
    if (!first || !['TIMESTAMP', 'DATE', 'DATETIME', 'TIME'].includes(first.type.kind)) throw noSignature('function STRING', first ? [first] : [], call.expr.place);
    return { sql: toStringSql(first, zoneAt(call, 1)), type: STRING };
  },
  DATE_ADD: shifted(DATE, '+'), DATE_SUB: shifted(DATE, '-'),
  DATETIME_ADD: shifted(DATETIME, '+'), DATETIME_SUB: shifted(DATETIME, '-'),
  TIMESTAMP_ADD: shifted(TIMESTAMP, '+'), TIMESTAMP_SUB: shifted(TIMESTAMP, '-'),
  TIME_ADD: shifted(TIME, '+'), TIME_SUB: shifted(TIME, '-'),
  DATE_DIFF: (call) => diff(call, [DATE, DATETIME, TIMESTAMP]),
  DATETIME_DIFF: (call) => diff(call, [DATETIME, DATE, TIMESTAMP]),
  TIMESTAMP_DIFF: (call) => diff(call, [TIMESTAMP, DATETIME]),
  TIME_DIFF: (call) => diff(call, [TIME]),
  DATE_TRUNC: (call) => trunc(call, [DATE, DATETIME, TIMESTAMP]), DATETIME_TRUNC: (call) => trunc(call, [DATETIME, TIMESTAMP]), TIMESTAMP_TRUNC: (call) => trunc(call, [TIMESTAMP, DATETIME, DATE]),
  TIME_TRUNC: (call) => trunc(call, [TIME]),
  DATE_BUCKET: bucketed(DATE), DATETIME_BUCKET: bucketed(DATETIME), TIMESTAMP_BUCKET: bucketed(TIMESTAMP),
  LAST_DAY: (call) => {
    const value = dated(call, 0, [DATE, DATETIME]);
    const part = call.expr.args[1] ? datePart(call.expr.args[1]) : { part: 'MONTH', weekStart: 0 };
    const length: Record<string, string> = { YEAR: 'to_years(1)', QUARTER: 'to_months(3)', MONTH: 'to_months(1)', ISOYEAR: 'its own', WEEK: 'to_days(7)', ISOWEEK: 'to_days(7)' };
    if (!length[part.part]) throw invalidQuery(`LAST_DAY does not support the ${part.part} date part`, call.expr.place);
    const first = truncated(part, `CAST(${value.sql} AS DATE)`, DATE, call.expr.place);
    // An ISO year has 52 or 53 weeks: its last day is in the week that holds 28 December.
    if (part.part === 'ISOYEAR') return { sql: `gsql_date(CAST(date_trunc('week', make_date(isoyear(${value.sql}), 12, 28)) + to_days(6) AS DATE))`, type: DATE };
    return { sql: `gsql_date(CAST(${first} + ${length[part.part]} - to_days(1) AS DATE))`, type: DATE };
  },
  UNIX_DATE: simple('DATE', INT64, (a) => `date_diff('day', DATE '1970-01-01', ${a})`),
  DATE_FROM_UNIX_DATE: simple('INT64', DATE, (a) => `(DATE '1970-01-01' + CAST(${a} AS INTEGER))`),
  UNIX_SECONDS: simple('TIMESTAMP', INT64, (a) => `CAST(floor(epoch_us(${a}) / 1000000) AS BIGINT)`),
  UNIX_MILLIS: simple('TIMESTAMP', INT64, (a) => `CAST(floor(epoch_us(${a}) / 1000) AS BIGINT)`),
  UNIX_MICROS: simple('TIMESTAMP', INT64, (a) => `epoch_us(${a})`),
  TIMESTAMP_SECONDS: simple('INT64', TIMESTAMP, (a) => `make_timestamptz(CAST(${a} AS BIGINT) * 1000000)`),
  TIMESTAMP_MILLIS: simple('INT64', TIMESTAMP, (a) => `make_timestamptz(CAST(${a} AS BIGINT) * 1000)`),
  TIMESTAMP_MICROS: simple('INT64', TIMESTAMP, (a) => `make_timestamptz(CAST(${a} AS BIGINT))`),
};

function now(call: FunctionCall): Typed {
  return { sql: `make_timestamptz(${call.compilation.context.now.getTime() * 1000}::BIGINT)`, type: TIMESTAMP };
}

function zoneAt(call: FunctionCall, index: number): string | undefined {
  const expr = call.expr.args[index];
  const zone = expr && coerce(call.compile(expr), STRING);
  if (expr && !zone) throw invalidQuery(`The time zone argument of ${call.name} must be a STRING`, expr.place);
  return zone?.sql;
}

/** DATE(y, m, d), DATE(timestamp, zone), DATE(datetime) and the same of DATETIME and TIME. */
function made(call: FunctionCall, type: SqlType, fromParts: (parts: string[]) => string): Typed {
  if (call.expr.args.length === 3) return { sql: fromParts(argumentsOf(call, 'INT64 INT64 INT64').map(({ sql }) => sql)), type };
  const [first] = call.expr.args.map((argument) => call.compile(argument));
  if (!first || !['DATE', 'DATETIME', 'TIMESTAMP', 'STRING', 'TIME', 'NULL'].includes(first.type.kind)) throw noSignature(`function ${call.name}`, first ? [first] : [], call.expr.place);
  if (first.type.kind === 'NULL') return coerce(first, type) ?? first;
  if (type.kind === 'TIME' && first.type.kind === 'STRING') throw noSignature('function TIME', [first], call.expr.place);
  // A text that is written out is taken for an instant, so that its clock and zone may be there.
  if (type.kind === 'DATE' && first.type.kind === 'STRING') return { sql: castSql({ sql: castSql(first, TIMESTAMP, call.compilation.safe), type: TIMESTAMP }, DATE, call.compilation.safe, zoneAt(call, 1)), type: DATE };
  return { sql: castSql(first, type, call.compilation.safe, zoneAt(call, 1)), type };
}

function dated(call: FunctionCall, index: number, types: SqlType[]): Typed {
  const value = call.compile(argumentExpr(call, index));
  if (value.type.kind === 'NULL' && types[0]) return coerce(value, types[0]) ?? value;
  const fitting = types.find(({ kind }) => kind === value.type.kind) ? value : types[0] && coerce(value, types[0]);
  if (!fitting) throw noSignature(`function ${call.name}`, [value], argumentExpr(call, index).place);
  return fitting;
}

/** Which units an addition takes: days and longer for a DATE, down to microseconds for a DATETIME, days and shorter for an instant. */
const UNITS: Record<string, (unit: string) => boolean> = {
  DATE: (unit) => !CLOCK_PARTS.has(unit), DATETIME: () => true, TIMESTAMP: (unit) => CLOCK_PARTS.has(unit) || unit === 'DAY', TIME: (unit) => CLOCK_PARTS.has(unit),
};

function shifted(type: SqlType, op: '+' | '-'): Handler {
  return (call) => {
    const value = dated(call, 0, type.kind === 'TIME' ? [type] : [type, DATE, DATETIME, TIMESTAMP]);
    const by = argumentExpr(call, 1);
    const unit = intervalUnit(by);
    if (unit !== undefined && !UNITS[value.type.kind]?.(unit)) throw invalidQuery(`${call.name} does not support the ${unit} date part when the argument is ${value.type.kind} type`, call.expr.place);
    const sql = `${value.sql} ${op} ${intervalOf(call.compilation, call.scope, by)}`;
    return { sql: value.type.kind === 'DATE' ? `gsql_date(CAST(${sql} AS DATE))` : `(${sql})`, type: value.type };
  };
}

/** Buckets are counted from midnight of 1950-01-01 if no other origin is given. */
function bucketed(type: SqlType): Handler {
  const duck = type.kind === 'DATE' ? 'DATE' : type.kind === 'DATETIME' ? 'TIMESTAMP' : 'TIMESTAMPTZ';
  return (call) => {
    const value = dated(call, 0, [type]);
    const origin = call.expr.args[2] ? dated(call, 2, [type]).sql : `${duck} '1950-01-01${duck === 'TIMESTAMPTZ' ? ' 00:00:00+00' : ''}'`;
    return { sql: `CAST(time_bucket(${intervalOf(call.compilation, call.scope, argumentExpr(call, 1))}, ${value.sql}, ${origin}) AS ${duck})`, type };
  };
}

function diff(call: FunctionCall, types: SqlType[]): Typed {
  const [to, from] = [dated(call, 0, types), dated(call, 1, types)];
  const part = datePart(argumentExpr(call, 2));
  const { place } = call.expr;
  if (to.type.kind === 'DATE' && from.type.kind === 'DATE' && CLOCK_PARTS.has(part.part)) throw invalidQuery(`${call.name} does not support the ${part.part} date part when the argument is DATE type`, place);
  if (to.type.kind === 'TIMESTAMP' || from.type.kind === 'TIMESTAMP') return { sql: elapsed(part, to.sql, from.sql, place), type: INT64 };
  return { sql: borderDiff(part, to.sql, from.sql, place), type: INT64 };
}

function trunc(call: FunctionCall, types: SqlType[]): Typed {
  const value = dated(call, 0, types);
  const part = datePart(argumentExpr(call, 1));
  const { place } = call.expr;
  if (value.type.kind === 'DATE' && CLOCK_PARTS.has(part.part)) throw invalidQuery(`${call.name} does not support the ${part.part} date part when the argument is DATE type`, place);
  if (value.type.kind === 'DATE' && call.name !== 'DATE_TRUNC') return { sql: truncated(part, `CAST(${value.sql} AS TIMESTAMP)`, DATETIME, place), type: DATETIME };
  if (value.type.kind === 'DATE') return { sql: `gsql_date(${truncated(part, value.sql, DATE, place)})`, type: DATE };
  if (value.type.kind === 'TIME') return { sql: `CAST(${truncated(part, `(DATE '1970-01-01' + ${value.sql})`, DATETIME, place)} AS TIME)`, type: TIME };
  if (value.type.kind !== 'TIMESTAMP') return { sql: truncated(part, value.sql, value.type, place), type: value.type };
  const zone = zoneAt(call, 2);
  const wall = wallClock(zone, value.sql);
  const start = truncated(part, wall, DATETIME, place);
  // Within a day the distance is taken off the instant: an hour that comes twice in autumn stays the hour that it was.
  return { sql: CLOCK_PARTS.has(part.part) && zone !== undefined ? `(${value.sql} - (${wall} - ${start}))` : instantOf(zone, start), type: TIMESTAMP };
}
