// IF, IFNULL, COALESCE and the like: calls in, DuckDB SQL out. Looked up by the call compiler.
import { requireBool } from '../compile-comparison.ts';
import { compileComparison } from '../compile-comparison.ts';
import { coerce, unify } from '../coerce.ts';
import { NULL_TYPE, superType } from '../sql-type.ts';
import type { Typed } from '../scope.ts';
import { argumentExpr, argumentsOf } from './signature.ts';
import type { FunctionCall, FunctionTable } from './signature.ts';

function unified(call: FunctionCall, parameters: string): Typed[] {
  return unify(argumentsOf(call, parameters), `function ${call.name}`, call.expr.place);
}

const typeOf = (values: Typed[]): Typed['type'] => values[0]?.type ?? NULL_TYPE;

export const CONDITIONAL_FUNCTIONS: FunctionTable = {
  IF: (call) => {
    const condition = requireBool(call.compile(argumentExpr(call, 0)), 'function IF', call.expr.place);
    const values = unify([call.compile(argumentExpr(call, 1)), call.compile(argumentExpr(call, 2))], 'function IF', call.expr.place);
    return { sql: `CASE WHEN ${condition.sql} THEN ${values[0]?.sql} ELSE ${values[1]?.sql} END`, type: typeOf(values) };
  },
  IFNULL: (call) => {
    const values = unified(call, 'ANY ANY');
    return { sql: `coalesce(${values.map(({ sql }) => sql).join(', ')})`, type: typeOf(values) };
  },
  COALESCE: (call) => {
    const values = unified(call, 'ANY ANY*');
    return { sql: `coalesce(${values.map(({ sql }) => sql).join(', ')})`, type: typeOf(values) };
  },
  NULLIF: (call) => {
    const [left, right] = argumentsOf(call, 'ANY ANY') as [Typed, Typed];
    const equal = compileComparison('=', left, right, call.expr.place);
    const type = superType(left.type, right.type) ?? left.type;
    return { sql: `CASE WHEN ${equal.sql} THEN NULL ELSE ${(coerce(left, type) ?? left).sql} END`, type: coerce(left, type) ? type : left.type };
  },
  // GREATEST and LEAST are NULL in BigQuery as soon as one argument is; DuckDB skips NULLs.
  GREATEST: (call) => strictest(call, 'greatest'),
  LEAST: (call) => strictest(call, 'least'),
  ERROR: (call) => ({ sql: call.compilation.raise(argumentsOf(call, 'STRING')[0]?.sql ?? "''"), type: NULL_TYPE }),
};

function strictest(call: FunctionCall, duckName: string): Typed {
  const values = unified(call, 'ANY ANY*');
  const isNull = values.map(({ sql }) => `${sql} IS NULL`).join(' OR ');
  return { sql: `CASE WHEN ${isNull} THEN NULL ELSE ${duckName}(${values.map(({ sql }) => sql).join(', ')}) END`, type: typeOf(values) };
}
