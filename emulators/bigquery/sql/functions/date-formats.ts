// FORMAT_DATE, PARSE_DATE and their kin: calls in, strftime and strptime out where those agree with BigQuery, else functions of our own. Looked up by the call compiler.
import { coerce, noSignature } from '../coerce.ts';
import type { SqlType } from '../context.ts';
import { DATE, DATETIME, STRING, text, TIME, TIMESTAMP } from '../sql-type.ts';
import type { Typed } from '../scope.ts';
import { localTime } from './date-parts.ts';
import { argumentExpr, argumentsOf } from './signature.ts';
import type { FunctionCall, FunctionTable, Handler } from './signature.ts';
import { instantOf } from './zones.ts';

export const FORMAT_FUNCTIONS: FunctionTable = {
  FORMAT_DATE: formatter([DATE, DATETIME, TIMESTAMP]), FORMAT_DATETIME: formatter([DATETIME, DATE, TIMESTAMP]), FORMAT_TIME: formatter([TIME]), FORMAT_TIMESTAMP: formatter([TIMESTAMP, DATETIME, DATE]),
  PARSE_DATE: parser(DATE), PARSE_DATETIME: parser(DATETIME), PARSE_TIMESTAMP: parser(TIMESTAMP), PARSE_TIME: parser(TIME),
};

const DATE_CODES = 'aAbBdjmUwWyYuGVFDxh';
const CLOCK_CODES = 'HIMpSTR';
/** Codes that mean the same to strftime (some are written out for it). */
const FORMATTED: Record<string, RegExp> = { DATE: new RegExp(`^[${DATE_CODES}]$`), TIME: new RegExp(`^[${CLOCK_CODES}]$`), DATETIME: new RegExp(`^[${DATE_CODES}${CLOCK_CODES}]$`), TIMESTAMP: new RegExp(`^[${DATE_CODES}${CLOCK_CODES}]$`) };
const EXPANDED: Record<string, string> = { F: '%Y-%m-%d', T: '%H:%M:%S', D: '%m/%d/%y', R: '%H:%M', x: '%m/%d/%y', h: '%b' };
const CODE = /%(E\*S|E\dS|E4Y|E[A-Za-z]|O[A-Za-z]|[\s\S]|$)/g;

const codesOf = (format: string): string[] => [...format.matchAll(CODE)].map(([, code]) => code ?? '');
const expanded = (format: string): string => format.replace(CODE, (whole, code: string) => EXPANDED[code] ?? whole);

/** The format where it is a literal: it decides whether DuckDB's own function may be used, which is much faster. */
function literalFormat(format: Typed): string | undefined {
  return format.type.kind === 'STRING' && typeof format.literal === 'string' ? format.literal : undefined;
}

function formatter(types: SqlType[]): Handler {
  return (call) => {
    const [format] = argumentsOf({ ...call, expr: { ...call.expr, args: [argumentExpr(call, 0)] } }, 'STRING') as [Typed];
    const value = call.compile(argumentExpr(call, 1));
    const fitting = types.some(({ kind }) => kind === value.type.kind) ? value : types[0] && coerce(value, types[0]);
    if (!fitting) throw noSignature(`function ${call.name}`, [format, value], call.expr.place);
    const { kind } = fitting.type;
    const zone = call.expr.args[2] ? call.compile(call.expr.args[2]).sql : undefined;
    const wall = kind === 'TIME' ? `(DATE '1970-01-01' + ${fitting.sql})` : kind === 'DATE' ? `CAST(${fitting.sql} AS TIMESTAMP)` : localTime(fitting, zone);
    const literal = literalFormat(format);
    if (literal !== undefined && literal !== '' && codesOf(literal).every((code) => FORMATTED[kind]?.test(code))) return { sql: `strftime(${wall}, ${text(expanded(literal))})`, type: STRING };
    const offset = kind === 'TIMESTAMP' ? `epoch_us(${wall}) - epoch_us(${fitting.sql})` : '0';
    return { sql: `gsql_format_time('${kind}', ${format.sql}, epoch_us(${wall}), ${offset})`, type: STRING };
  };
}

/** A year and what stands without blanks: there strptime reads as BigQuery does. */
const PARSED: Record<string, RegExp> = { DATE: /^[bBdFhmYy]$/, DATETIME: /^[bBdFhmYyHMST]$/, TIMESTAMP: /^[bBdFhmYyHMST]$/, TIME: /^[HMS]$/ };

function parser(type: SqlType): Handler {
  return (call) => {
    const [format, value, zone] = argumentsOf(call, type.kind === 'TIMESTAMP' ? 'STRING STRING STRING?' : 'STRING STRING') as [Typed, Typed, Typed | undefined];
    const literal = literalFormat(format);
    const codes = codesOf(literal ?? '');
    const isFast = literal !== undefined && codes.length > 0 && codes.every((code) => PARSED[type.kind]?.test(code)) && (type.kind === 'TIME' || /%[YyF]/.test(literal));
    return isFast ? fast(call, expanded(literal), type, value, zone) : slow(call, format, type, value, zone);
  };
}

function fast(call: FunctionCall, format: string, type: SqlType, value: Typed, zone: Typed | undefined): Typed {
  const parsed = `${call.compilation.safe ? 'try_strptime' : 'strptime'}(${value.sql}, ${text(format)})`;
  return { sql: type.kind === 'TIMESTAMP' ? instantOf(zone?.sql, parsed) : type.kind === 'DATETIME' ? parsed : `CAST(${parsed} AS ${type.kind})`, type };
}

function slow(call: FunctionCall, format: Typed, type: SqlType, value: Typed, zone: Typed | undefined): Typed {
  const parsed = `gsql_checked(gsql_parse_time('${type.kind}', ${format.sql}, ${value.sql}))`;
  if (type.kind === 'TIMESTAMP') {
    const wall = instantOf(zone?.sql, `CAST(${parsed} AS TIMESTAMP)`);
    const literal = literalFormat(format);
    if (literal !== undefined) return { sql: codesOf(literal).some((code) => /^(?:E?z|Z|s)$/.test(code)) ? `CAST(${parsed} AS TIMESTAMPTZ)` : wall, type };
    return { sql: `CASE WHEN regexp_matches(${format.sql}, '%(E?z|Z|s)') THEN CAST(${parsed} AS TIMESTAMPTZ) ELSE ${wall} END`, type };
  }
  return { sql: `CAST(CAST(left(${parsed}, 26) AS TIMESTAMP) AS ${type.kind === 'DATETIME' ? 'TIMESTAMP' : type.kind})`, type };
}
