// Date and time functions: calls in, DuckDB SQL out; zones apply where BigQuery takes one. Looked up by the call compiler.
import { coerce, noSignature } from '../coerce.ts';
import type { SqlType } from '../context.ts';
import { invalidQuery } from '../google-sql-error.ts';
import { DATE, DATETIME, INT64, STRING, TIME, TIMESTAMP } from '../sql-type.ts';
import type { Typed } from '../scope.ts';
import { castSql, toStringSql } from './cast.ts';
import { borderDiff, datePart, elapsed, intervalOf, localTime, truncated } from './date-parts.ts';
import { argumentExpr, argumentsOf, simple } from './signature.ts';
import type { FunctionCall, FunctionTable, Handler } from './signature.ts';

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
  TIME: (call) => made(call, TIME, (parts) => `make_time(${parts.join(', ')}::DOUBLE)`),
  TIMESTAMP: (call) => {
    const [first] = call.expr.args.map((argument) => call.compile(argument));
    if (!first || !['STRING', 'DATE', 'DATETIME', 'TIMESTAMP', 'NULL'].includes(first.type.kind)) throw noSignature('function TIMESTAMP', first ? [first] : [], call.expr.place);
    return { sql: castSql(first, TIMESTAMP, call.compilation.safe, zoneAt(call, 1)), type: TIMESTAMP };
  },
  STRING: (call) => {
    const [first] = call.expr.args.map((argument) => call.compile(argument));
    if (first?.type.kind === 'JSON') return { sql: `(${first.sql} ->> '$')`, type: STRING };
    if (!first || !['TIMESTAMP', 'DATE', 'DATETIME', 'TIME'].includes(first.type.kind)) throw noSignature('function STRING', first ? [first] : [], call.expr.place);
    return { sql: toStringSql(first, zoneAt(call, 1)), type: STRING };
  },
  DATE_ADD: shifted(DATE, '+'), DATE_SUB: shifted(DATE, '-'),
  DATETIME_ADD: shifted(DATETIME, '+'), DATETIME_SUB: shifted(DATETIME, '-'),
  TIMESTAMP_ADD: shifted(TIMESTAMP, '+'), TIMESTAMP_SUB: shifted(TIMESTAMP, '-'),
  TIME_ADD: shifted(TIME, '+'), TIME_SUB: shifted(TIME, '-'),
  DATE_DIFF: (call) => diff(call, [DATE, DATETIME, TIMESTAMP]),
  DATETIME_DIFF: (call) => diff(call, [DATETIME, DATE]),
  TIMESTAMP_DIFF: (call) => diff(call, [TIMESTAMP]),
  TIME_DIFF: (call) => diff(call, [TIME]),
  DATE_TRUNC: (call) => trunc(call), DATETIME_TRUNC: (call) => trunc(call), TIMESTAMP_TRUNC: (call) => trunc(call),
  LAST_DAY: (call) => {
    const value = dated(call, 0, [DATE, DATETIME]);
    const part = call.expr.args[1] ? datePart(call.expr.args[1]) : { part: 'MONTH', weekStart: 0 };
    const length: Record<string, string> = { YEAR: 'to_years(1)', QUARTER: 'to_months(3)', MONTH: 'to_months(1)', WEEK: 'to_days(7)', ISOWEEK: 'to_days(7)' };
    if (!length[part.part]) throw invalidQuery(`LAST_DAY does not support the ${part.part} date part`, call.expr.place);
    return { sql: `CAST(${truncated(part, `CAST(${value.sql} AS DATE)`, DATE, call.expr.place)} + ${length[part.part]} - to_days(1) AS DATE)`, type: DATE };
  },
  UNIX_DATE: simple('DATE', INT64, (a) => `date_diff('day', DATE '1970-01-01', ${a})`),
  DATE_FROM_UNIX_DATE: simple('INT64', DATE, (a) => `(DATE '1970-01-01' + CAST(${a} AS INTEGER))`),
  UNIX_SECONDS: simple('TIMESTAMP', INT64, (a) => `CAST(floor(epoch_us(${a}) / 1000000) AS BIGINT)`),
  UNIX_MILLIS: simple('TIMESTAMP', INT64, (a) => `epoch_ms(${a})`),
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
  return { sql: castSql(first, type, call.compilation.safe, zoneAt(call, 1)), type };
}

function dated(call: FunctionCall, index: number, types: SqlType[]): Typed {
  const value = call.compile(argumentExpr(call, index));
  if (value.type.kind === 'NULL' && types[0]) return coerce(value, types[0]) ?? value;
  const fitting = types.find(({ kind }) => kind === value.type.kind) ? value : types[0] && coerce(value, types[0]);
  if (!fitting) throw noSignature(`function ${call.name}`, [value], argumentExpr(call, index).place);
  return fitting;
}

function shifted(type: SqlType, op: '+' | '-'): Handler {
  const duck = type.kind === 'DATE' ? 'DATE' : undefined;
  return (call) => {
    const value = dated(call, 0, type.kind === 'DATE' ? [DATE, DATETIME, TIMESTAMP] : [type]);
    const sql = `${value.sql} ${op} ${intervalOf(call.compilation, call.scope, argumentExpr(call, 1))}`;
    return { sql: duck && value.type.kind === 'DATE' ? `CAST(${sql} AS DATE)` : `(${sql})`, type: value.type };
  };
}

function diff(call: FunctionCall, types: SqlType[]): Typed {
  const [to, from] = [dated(call, 0, types), dated(call, 1, types)];
  const part = datePart(argumentExpr(call, 2));
  const { place } = call.expr;
  if (to.type.kind === 'TIMESTAMP' || from.type.kind === 'TIMESTAMP') return { sql: elapsed(part, to.sql, from.sql, place), type: INT64 };
  return { sql: borderDiff(part, to.sql, from.sql, place), type: INT64 };
}

function trunc(call: FunctionCall): Typed {
  const value = dated(call, 0, [DATE, DATETIME, TIMESTAMP].sort((a) => (call.name.startsWith(a.kind) ? -1 : 0)));
  const part = datePart(argumentExpr(call, 1));
  if (value.type.kind !== 'TIMESTAMP') return { sql: truncated(part, value.sql, value.type, call.expr.place), type: value.type };
  const zone = zoneAt(call, 2) ?? "'UTC'";
  return { sql: `timezone(${zone}, ${truncated(part, `timezone(${zone}, ${value.sql})`, DATETIME, call.expr.place)})`, type: TIMESTAMP };
}
