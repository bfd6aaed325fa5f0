// FORMAT_DATE, PARSE_DATE and their kin: calls in, strftime and strptime out, with BigQuery's codes. Looked up by the call compiler.
import { coerce, noSignature } from '../coerce.ts';
import type { SqlType } from '../context.ts';
import { notSupported } from '../google-sql-error.ts';
import type { Place } from '../google-sql-error.ts';
import { DATE, DATETIME, STRING, text, TIME, TIMESTAMP } from '../sql-type.ts';
import { localTime } from './date-parts.ts';
import { argumentExpr, argumentsOf, literalText } from './signature.ts';
import type { FunctionTable, Handler } from './signature.ts';

export const FORMAT_FUNCTIONS: FunctionTable = {
  FORMAT_DATE: formatter([DATE, DATETIME, TIMESTAMP]), FORMAT_DATETIME: formatter([DATETIME, DATE]), FORMAT_TIME: formatter([TIME]), FORMAT_TIMESTAMP: formatter([TIMESTAMP]),
  PARSE_DATE: parser(DATE), PARSE_DATETIME: parser(DATETIME), PARSE_TIMESTAMP: parser(TIMESTAMP), PARSE_TIME: parser(TIME),
};

/** Codes that mean the same to DuckDB's strftime. */
const SAME = new Set('a A b B d H I j m M p S U w W y Y u G V'.split(' '));
const EXPANDED: Record<string, string> = { F: '%Y-%m-%d', T: '%H:%M:%S', D: '%m/%d/%y', R: '%H:%M', x: '%m/%d/%y', X: '%H:%M:%S', c: '%a %b %e %H:%M:%S %Y', h: '%b', r: '%I:%M:%S %p' };
/** Codes that strftime lacks, as SQL over the value. */
const COMPUTED: Record<string, (d: string, zone: string) => string> = {
  '%': () => "'%'", n: () => "chr(10)", t: () => 'chr(9)',
  e: (d) => `lpad(CAST(day(${d}) AS VARCHAR), 2, ' ')`, k: (d) => `lpad(CAST(hour(${d}) AS VARCHAR), 2, ' ')`, l: (d) => `lpad(CAST((hour(${d}) + 11) % 12 + 1 AS VARCHAR), 2, ' ')`,
  C: (d) => `lpad(CAST(year(${d}) // 100 AS VARCHAR), 2, '0')`, Q: (d) => `CAST(quarter(${d}) AS VARCHAR)`, P: (d) => `lower(strftime(${d}, '%p'))`,
  g: (d) => `lpad(CAST(isoyear(${d}) % 100 AS VARCHAR), 2, '0')`, J: (d) => `lpad(CAST(date_diff('day', date_trunc('isoyear', ${d}), CAST(${d} AS DATE)) + 1 AS VARCHAR), 3, '0')`,
  s: (d) => `CAST(CAST(floor(epoch_us(${d}) / 1000000) AS BIGINT) AS VARCHAR)`,
  E4Y: (d) => `lpad(CAST(year(${d}) AS VARCHAR), 4, '0')`,
  'E*S': (d) => `(strftime(${d}, '%S') || rtrim(rtrim(strftime(${d}, '.%f'), '0'), '.'))`,
};

function formatter(types: SqlType[]): Handler {
  return (call) => {
    const format = literalText(call, 0);
    const value = call.compile(argumentExpr(call, 1));
    const fitting = types.some(({ kind }) => kind === value.type.kind) ? value : types[0] && coerce(value, types[0]);
    if (!fitting) throw noSignature(`function ${call.name}`, [{ sql: '', type: STRING }, value], call.expr.place);
    const zone = call.expr.args[2] ? call.compile(call.expr.args[2]).sql : "'UTC'";
    const isInstant = fitting.type.kind === 'TIMESTAMP';
    const d = isInstant ? localTime(fitting, zone) : fitting.type.kind === 'TIME' ? `(DATE '1970-01-01' + ${fitting.sql})` : fitting.type.kind === 'DATE' ? `CAST(${fitting.sql} AS TIMESTAMP)` : fitting.sql;
    const parts = formatParts(format, call.expr.place).map((part) => {
      if ('plain' in part) return `strftime(${d}, ${text(part.plain)})`;
      return special(part.code, d, isInstant ? { instant: fitting.sql, zone } : undefined, call.expr.place);
    });
    return { sql: parts.length === 1 ? parts[0] ?? "''" : parts.length === 0 ? "''" : `(${parts.join(' || ')})`, type: STRING };
  };
}

function special(code: string, d: string, zoned: { instant: string; zone: string } | undefined, place: Place): string {
  if (code === 'Z' && zoned) return `CASE WHEN ${zoned.zone} = 'UTC' THEN 'UTC' ELSE ${offset(d, zoned.instant, ':', true)} END`;
  if (code === 'z') return zoned ? offset(d, zoned.instant, '', false) : "'+0000'";
  if (code === 'Ez') return zoned ? offset(d, zoned.instant, ':', false) : "'+00:00'";
  if (code === 's' && zoned) return `CAST(CAST(floor(epoch_us(${zoned.instant}) / 1000000) AS BIGINT) AS VARCHAR)`;
  const digits = /^E(\d)S$/.exec(code)?.[1];
  if (digits) return digits === '0' ? `strftime(${d}, '%S')` : `left(strftime(${d}, '%S.%f'), ${3 + Number(digits)})`;
  const computed = COMPUTED[code];
  if (!computed) throw notSupported(`The format element %${code}`, place);
  return computed(d, zoned?.zone ?? "'UTC'");
}

function offset(d: string, instant: string, separator: string, asName: boolean): string {
  return `gsql_offset(epoch_us(${d}) - epoch_us(${instant}), '${separator}')${asName ? '' : ''}`;
}

/** A format as runs that strftime understands and codes that it does not. */
function formatParts(format: string, place: Place): ({ plain: string } | { code: string })[] {
  const parts: ({ plain: string } | { code: string })[] = [];
  const add = (plain: string): void => {
    const last = parts.at(-1);
    if (last && 'plain' in last) last.plain += plain;
    else parts.push({ plain });
  };
  for (const match of expand(format).matchAll(/%(E\*S|E\d[SY]|Ez|O?[A-Za-z%])|([^%]+)|%/g)) {
    const [, code, plain] = match;
    if (plain !== undefined) add(plain);
    else if (code === undefined) throw notSupported(`The format ${format}`, place);
    else if (SAME.has(code)) add(`%${code}`);
    else parts.push({ code });
  }
  return parts;
}

function expand(format: string): string {
  return format.replace(/%([FTDRxXchr])/g, (whole, code: string, at: number) => (format[at - 1] === '%' ? whole : EXPANDED[code] ?? whole)).replace(/%([FTDRh])/g, (whole, code: string) => EXPANDED[code] ?? whole);
}

const PARSED = new Set([...SAME, 'Z']);

function parser(type: SqlType): Handler {
  return (call) => {
    const format = literalText(call, 0);
    const [value, zone] = argumentsOf({ ...call, expr: { ...call.expr, args: call.expr.args.slice(1) } }, type.kind === 'TIMESTAMP' ? 'STRING STRING?' : 'STRING');
    const formats = parseFormats(format, call.expr.place);
    const isZoned = /%(E?z|Z)/.test(format);
    const sql = `strptime(${value?.sql}, ${formats.length === 1 ? text(formats[0] ?? '') : `[${formats.map(text).join(', ')}]`})`;
    if (type.kind === 'TIMESTAMP') return { sql: isZoned ? `CAST(${sql} AS TIMESTAMPTZ)` : `timezone(${zone?.sql ?? "'UTC'"}, ${sql})`, type };
    return { sql: type.kind === 'DATETIME' ? sql : `CAST(${sql} AS ${type.kind})`, type };
  };
}

/** Fractions of a second may be there or not, so %E*S becomes two formats. */
function parseFormats(format: string, place: Place): string[] {
  const codes = expand(format).replace(/%(E\*S|E\d[SY]|Ez|[A-Za-z%])/g, (whole, code: string) => {
    if (code === 'Ez' || code === 'z') return '%z';
    if (code === 'E4Y') return '%Y';
    if (code === 'e') return '%d';
    if (code === 'k') return '%H';
    if (code === 'l') return '%I';
    if (code === 'E*S' || /^E\dS$/.test(code) || code === '%' || PARSED.has(code)) return whole;
    throw notSupported(`The format element %${code} in parsing`, place);
  });
  return /%E[*\d]S/.test(codes) ? [codes.replace(/%E[*\d]S/g, '%S.%f'), codes.replace(/%E[*\d]S/g, '%S')] : [codes];
}
