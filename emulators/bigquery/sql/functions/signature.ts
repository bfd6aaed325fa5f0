// How a built-in function is described: the kinds of its arguments, its result, its DuckDB SQL. Used by the tables of functions beside it.
import { coerce, noSignature } from '../coerce.ts';
import type { Compilation } from '../compilation.ts';
import type { SqlType } from '../context.ts';
import { invalidQuery, notSupported } from '../google-sql-error.ts';
import { isNumeric } from '../sql-type.ts';
import type { Scope, Typed } from '../scope.ts';
import type { CallExpr, Expr } from '../tree.ts';

export type FunctionCall = {
  compilation: Compilation;
  scope: Scope;
  expr: CallExpr;
  /** The written name, for errors. */
  name: string;
  compile(expr: Expr): Typed;
};
export type Handler = (call: FunctionCall) => Typed;
export type FunctionTable = Record<string, Handler>;

/**
 * `parameters` is a list of kinds separated by spaces: STRING, INT64, FLOAT64 (takes INT64 too), NUMBER (any, kept), TEXT (STRING or BYTES),
 * ANY, ARRAY …; `?` behind one makes it and the rest optional, `*` repeats it.
 */
export function simple(parameters: string, result: SqlType | ((values: Typed[]) => SqlType), sql: (...args: string[]) => string): Handler {
  return (call) => {
    const values = argumentsOf(call, parameters);
    return { sql: sql(...values.map((value) => value.sql)), type: typeof result === 'function' ? result(values) : result };
  };
}

export function argumentsOf(call: FunctionCall, parameters: string): Typed[] {
  const kinds = parameters.split(' ').filter((kind) => kind !== '');
  const required = kinds.findIndex((kind) => kind.endsWith('?') || kind.endsWith('*'));
  const isRepeated = kinds.at(-1)?.endsWith('*') ?? false;
  const count = call.expr.args.length;
  const values = call.expr.args.map((argument) => call.compile(argument));
  if (count < (required < 0 ? kinds.length : required) || (!isRepeated && count > kinds.length)) throw noSignature(`function ${call.name}`, values, call.expr.place);
  return values.map((value, index) => {
    const kind = (kinds[index] ?? kinds.at(-1) ?? 'ANY').replace(/[?*]$/, '');
    const fitted = fit(value, kind);
    if (!fitted && value.type.kind === 'BYTES' && kind === 'STRING') throw notSupported(`${call.name} over BYTES`, call.expr.place);
    if (!fitted) throw noSignature(`function ${call.name}`, values, call.expr.place);
    return fitted;
  });
}

function fit(value: Typed, kind: string): Typed | undefined {
  switch (kind) {
    case 'ANY': return value;
    case 'NUMBER': return isNumeric(value.type) ? value : undefined;
    case 'TEXT': return value.type.kind === 'BYTES' ? value : coerce(value, { kind: 'STRING' });
    case 'ARRAY': return value.type.kind === 'ARRAY' || value.type.kind === 'NULL' ? value : undefined;
    default: return coerce(value, { kind } as SqlType);
  }
}

export function argumentExpr(call: FunctionCall, index: number): Expr {
  const expr = call.expr.args[index];
  if (!expr) throw noSignature(`function ${call.name}`, call.expr.args.map((argument) => call.compile(argument)), call.expr.place);
  return expr;
}

/** The text of an argument that must be a literal, e.g. a format. */
export function literalText(call: FunctionCall, index: number): string {
  const value = call.compile(argumentExpr(call, index));
  if (typeof value.literal === 'string') return value.literal;
  const inner = /^'((?:[^']|'')*)'$/.exec(value.sql);
  if (inner?.[1] !== undefined) return inner[1].replaceAll("''", "'");
  throw invalidQuery(`The local BigQuery needs a literal for argument ${index + 1} of ${call.name}`, argumentExpr(call, index).place);
}

export const sameAsFirst = (values: Typed[]): SqlType => values[0]?.type ?? { kind: 'NULL' };
