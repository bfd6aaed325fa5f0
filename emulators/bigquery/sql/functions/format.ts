// FORMAT('%d of %s', …) in, concatenated DuckDB SQL out; looked up with the string functions.
import { invalidQuery, notSupported } from '../google-sql-error.ts';
import { INT64, FLOAT64, STRING, text, typeName } from '../sql-type.ts';
import { coerce } from '../coerce.ts';
import { valueText } from './format-value.ts';
import { jsonText } from './json-text.ts';
import { argumentExpr, literalText } from './signature.ts';
import type { FunctionCall } from './signature.ts';
import type { Typed } from '../scope.ts';

export function formatCall(call: FunctionCall): Typed {
  const first = call.compile(argumentExpr(call, 0));
  if (typeof first.literal !== 'string') throw notSupported('FORMAT with a format that is not a literal', call.expr.place);
  const format = literalText(call, 0);
  if (/%[-+ #0']*(?:\*|\d*\.\*)/.test(format)) throw notSupported('FORMAT with a width or precision from an argument (*)', call.expr.place);
  let next = 1;
  const parts: string[] = [];
  for (const [whole, flags, width, precision, code, plain] of format.matchAll(/%([-+ 0#']*)(\d*)(?:\.(\d+))?([a-zA-Z%])|([^%]+)|%/g)) {
    if (plain !== undefined) parts.push(text(plain));
    else if (code === '%') parts.push("'%'");
    else if (code === undefined) throw invalidQuery(`Invalid FORMAT string; Ends with incomplete specifier "${whole}"`, call.expr.place);
    else if (next >= call.expr.args.length) throw invalidQuery(`Too few arguments to FORMAT for pattern "${format}"`, call.expr.place);
    else parts.push(piece(call, next++, { flags: flags ?? '', width: width ?? '', precision, code }));
  }
  if (next !== call.expr.args.length) throw invalidQuery(`Too many arguments to FORMAT for pattern "${format}"; Expected ${next}; Got ${call.expr.args.length}`, call.expr.place);
  return { sql: parts.length === 0 ? "''" : `(${parts.join(' || ')})`, type: STRING };
}

type Element = { flags: string; width: string; precision: string | undefined; code: string };

function piece(call: FunctionCall, index: number, element: Element): string {
  const value = call.compile(argumentExpr(call, index));
  const { code, precision } = element;
  const bad = (expected: string): Error => invalidQuery(`Invalid type for argument ${index + 1} to FORMAT; Expected ${expected}; Got ${typeName(value.type)}`, argumentExpr(call, index).place);
  const cut = (sql: string): string => (precision === undefined ? sql : `left(${sql}, ${precision})`);
  switch (code) {
    case 's': { const string = coerce(value, STRING); if (!string) throw bad('STRING'); return padded(cut(string.sql), element); }
    case 'd': case 'i': case 'x': case 'X': case 'o': { const integer = coerce(value, INT64); if (!integer) throw bad('integer'); return integerText(integer.sql, element); }
    case 'f': case 'F': case 'e': case 'E': case 'g': case 'G': {
      if (value.type.kind === 'NUMERIC') return numericText(call, value, element);
      if (value.type.kind !== 'FLOAT64' && value.type.kind !== 'NULL') throw bad('FLOAT64');
      return floatText(`gsql_unsigned_zero(${(coerce(value, FLOAT64) ?? value).sql})`, element);
    }
    case 't': case 'T': return padded(cut(`(${valueText(value, code === 'T')})`), element);
    case 'p': case 'P': if (value.type.kind !== 'JSON') throw bad('JSON'); return padded(code === 'p' ? jsonText(value) : `gsql_json_pretty(${jsonText(value)})`, element);
    default: throw notSupported(`The FORMAT element %${code}`, call.expr.place);
  }
}

function padded(sql: string, { flags, width }: Element): string {
  if (width === '') return sql;
  const blanks = `repeat(' ', greatest(0, ${width} - length(${sql})))`;
  return flags.includes('-') ? `(${sql} || ${blanks})` : `(${blanks} || ${sql})`;
}

const signed = (sql: string, value: string, flags: string): string => (flags.includes('+') ? `(CASE WHEN ${value} >= 0 THEN '+' ELSE '' END || ${sql})` : sql);

function integerText(sql: string, element: Element): string {
  const { flags, width, code } = element;
  if (flags.includes("'")) return padded(signed(`format('{:,}', ${sql})`, sql, flags), element);
  return `printf(${text(`%${flags}${width}${code === 'i' ? 'd' : code}`)}, ${sql})`;
}

/** NaN and infinities are words, whatever the precision. */
function floatText(sql: string, element: Element): string {
  const { flags, width, precision, code } = element;
  const grouped = padded(signed(`format('{:,.${precision ?? 6}f}', ${sql})`, sql, flags), element);
  const finite = flags.includes("'") ? grouped : `printf(${text(`%${flags}${width}.${precision ?? 6}${code === 'F' ? 'f' : code}`)}, ${sql})`;
  return `CASE WHEN isnan(${sql}) OR isinf(${sql}) THEN ${padded(`gsql_float_text(${sql})`, element)} ELSE ${finite} END`;
}

function numericText(call: FunctionCall, value: Typed, element: Element): string {
  const precision = Number(element.precision ?? 6);
  if (!/[fF]/.test(element.code) || precision > 9 || /[0'# ]/.test(element.flags)) throw notSupported(`The FORMAT element %${element.flags}${element.code} for NUMERIC`, call.expr.place);
  return padded(signed(`CAST(CAST(round(${value.sql}, ${precision}) AS DECIMAL(38, ${precision})) AS VARCHAR)`, value.sql, element.flags), element);
}
