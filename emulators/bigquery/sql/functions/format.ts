// FORMAT('%d of %s', …) in, concatenated DuckDB SQL out; looked up with the string functions.
import { invalidQuery, notSupported } from '../google-sql-error.ts';
import { INT64, FLOAT64, STRING, text } from '../sql-type.ts';
import { coerce } from '../coerce.ts';
import { toStringSql } from './cast.ts';
import { jsonText } from './json-text.ts';
import { argumentExpr, literalText } from './signature.ts';
import type { FunctionCall } from './signature.ts';
import type { Typed } from '../scope.ts';

export function formatCall(call: FunctionCall): Typed {
  const format = literalText(call, 0);
  let next = 1;
  const parts: string[] = [];
  for (const [, flags, width, precision, code, plain] of format.matchAll(/%([-+ 0#']*)(\d*)(?:\.(\d+))?([a-zA-Z%])|([^%]+)/g)) {
    if (plain !== undefined) parts.push(text(plain));
    else if (code === '%') parts.push("'%'");
    else parts.push(piece(call, argumentExpr(call, next++), { flags: flags ?? '', width: width ?? '', precision, code: code ?? '' }));
  }
  if (next !== call.expr.args.length) throw invalidQuery(`Too many arguments to FORMAT for pattern "${format}"; Expected ${next}; Got ${call.expr.args.length}`, call.expr.place);
  return { sql: parts.length === 0 ? "''" : `(${parts.join(' || ')})`, type: STRING };
}

type Element = { flags: string; width: string; precision: string | undefined; code: string };

function piece(call: FunctionCall, expr: Parameters<FunctionCall['compile']>[0], element: Element): string {
  const value = call.compile(expr);
  const { flags, width, precision, code } = element;
  const bad = (): Error => invalidQuery(`Invalid type for argument to FORMAT; Expected a value for %${code}`, expr.place);
  const pad = (sql: string): string => {
    if (width === '') return sql;
    if (flags.includes('-')) return `(${sql} || repeat(' ', greatest(0, ${width} - length(${sql}))))`;
    return `(repeat(' ', greatest(0, ${width} - length(${sql}))) || ${sql})`;
  };
  switch (code) {
    case 's': { const string = coerce(value, STRING); if (!string) throw bad(); return pad(precision === undefined ? string.sql : `left(${string.sql}, ${precision})`); }
    case 'd': case 'i': {
      const integer = coerce(value, INT64);
      if (!integer) throw bad();
      if (flags.includes("'")) return pad(`format('{:,}', ${integer.sql})`);
      return `printf(${text(`%${flags}${width}d`)}, ${integer.sql})`;
    }
    case 'f': case 'e': case 'g': {
      const float = coerce(value, FLOAT64);
      if (!float) throw bad();
      if (flags.includes("'")) return pad(`format('{:,.${precision ?? 6}f}', ${float.sql})`);
      return `printf(${text(`%${flags}${width}.${precision ?? 6}${code}`)}, ${float.sql})`;
    }
    case 't': return value.type.kind === 'FLOAT64' ? pad(`CAST(${value.sql} AS VARCHAR)`) : ['ARRAY', 'STRUCT'].includes(value.type.kind) ? fail(element, call) : pad(toStringSql(value));
    case 'T': return value.type.kind === 'STRING' ? pad(`to_json(${value.sql})::VARCHAR`) : ['INT64', 'BOOL'].includes(value.type.kind) ? pad(jsonText(value)) : fail(element, call);
    case 'x': case 'X': case 'o': { const integer = coerce(value, INT64); if (!integer) throw bad(); return `printf(${text(`%${flags}${width}${code}`)}, ${integer.sql})`; }
    default: return fail(element, call);
  }
}

function fail(element: Element, call: FunctionCall): never {
  throw notSupported(`FORMAT element %${element.code} for this type`, call.expr.place);
}
