// CAST(x AS STRING FORMAT 'YYYY-MM-DD') and back: an operand, a target and the format in, SQL out; called by the cast compiler. What it does not know is refused by name.
import type { Compilation } from '../compilation.ts';
import type { SqlType } from '../context.ts';
import { notSupported } from '../google-sql-error.ts';
import type { Place } from '../google-sql-error.ts';
import { text } from '../sql-type.ts';
import type { Typed } from '../scope.ts';
import { localTime } from './date-parts.ts';
import { instantOf } from './zones.ts';

/** Elements that FORMAT_… and PARSE_… have a code for. Names in capitals have none. */
const CODES: Record<string, string> = {
  YYYY: '%Y', YY: '%y', MM: '%m', DDD: '%j', DD: '%d', HH24: '%H', HH12: '%I', HH: '%I', MI: '%M', SS: '%S', AM: '%p', PM: '%p', Mon: '%b', Month: '%B', Dy: '%a', Day: '%A',
};
const ELEMENT = /HH24|HH12|YYYY|Month|MONTH|DDD|Day|DAY|Mon|MON|Dy|DY|HH|YY|MM|DD|MI|SS|AM|PM|[A-Za-z]+|"[^"]*"|%|[^A-Za-z"%]+/g;

function codesOf(format: string, place: Place): string {
  return (format.match(ELEMENT) ?? []).map((element) => {
    if (element.startsWith('"')) return element.slice(1, -1).replaceAll('%', '%%');
    if (element === '%') return '%%';
    if (!/^[A-Za-z]/.test(element)) return element;
    const code = CODES[element] ?? CODES[element.toUpperCase() === element ? '' : element.toUpperCase()];
    if (code === undefined || (/^(?:mon|month|dy|day)$/i.test(element) && CODES[element] === undefined)) throw notSupported(`The format element ${element} in CAST … FORMAT`, place);
    return code;
  }).join('');
}

const isTime = ({ kind }: SqlType): boolean => kind === 'DATE' || kind === 'DATETIME' || kind === 'TIMESTAMP' || kind === 'TIME';

export function castWithFormat(compilation: Compilation, operand: Typed, target: SqlType, format: Typed, zone: string | undefined, isSafe: boolean, place: Place): Typed {
  if (typeof format.literal !== 'string') throw notSupported('CAST … FORMAT with a format that is not a literal', place);
  const { sql, type } = operand;
  if (isTime(type) && target.kind === 'STRING') {
    const wall = type.kind === 'TIME' ? `(DATE '1970-01-01' + ${sql})` : type.kind === 'DATE' ? `CAST(${sql} AS TIMESTAMP)` : localTime(operand, zone);
    return { sql: `gsql_format_time('${type.kind}', ${text(codesOf(format.literal, place))}, epoch_us(${wall}), 0)`, type: target };
  }
  if (type.kind === 'STRING' && isTime(target)) {
    const parsed = `gsql_${isSafe || compilation.safe ? 'safe_' : ''}checked(gsql_parse_time('${target.kind}', ${text(codesOf(format.literal, place))}, ${sql}))`;
    const wall = `CAST(${parsed} AS TIMESTAMP)`;
    return { sql: target.kind === 'TIMESTAMP' ? instantOf(zone, wall) : target.kind === 'DATETIME' ? wall : `CAST(${wall} AS ${target.kind})`, type: target };
  }
  if (type.kind === 'BYTES' && target.kind === 'STRING' && /^(?:HEX|BASE64)$/i.test(format.literal)) return { sql: /^HEX$/i.test(format.literal) ? `lower(hex(${sql}))` : `to_base64(${sql})`, type: target };
  throw notSupported(`CAST of ${type.kind} to ${target.kind} with FORMAT '${format.literal}'`, place);
}
