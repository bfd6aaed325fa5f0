// Mathematical functions: calls in, DuckDB SQL out. Looked up by the call compiler.
import { compileDivision } from '../compile-expression.ts';
import { tried } from '../compile-safe.ts';
import { noSignature } from '../coerce.ts';
import { invalidQuery, notSupported } from '../google-sql-error.ts';
import { BOOL, duckType, FLOAT64, INT64, superType } from '../sql-type.ts';
import type { Typed } from '../scope.ts';
import { argumentsOf, sameAsFirst, simple } from './signature.ts';
import type { FunctionCall, FunctionTable, Handler } from './signature.ts';

const widest = (values: Typed[]): Typed['type'] => values.reduce((type, value) => superType(type, value.type) ?? type, { kind: 'NULL' } as Typed['type']);
const checked = (parameters: string, sql: (...args: string[]) => string): Handler => (call) => {
  const values = argumentsOf(call, parameters);
  return { sql: tried(call.compilation, call.scope, values, sql), type: widest(values) };
};
const power = simple('FLOAT64 FLOAT64', FLOAT64, (a, b) => `gsql_finite(pow(${a}, ${b}), isfinite(${a}) AND isfinite(${b}), 'POW')`);
const float = (duckName: string): Handler => (call) => {
  // Of a NUMERIC these are NUMERIC in BigQuery, to more digits than a double has.
  if (call.expr.args.some((argument) => call.compile(argument).type.kind === 'NUMERIC')) throw notSupported(`${call.name} over NUMERIC`, call.expr.place);
  return simple('FLOAT64', FLOAT64, (a) => `${duckName}(${a})`)(call);
};

/** ROUND and the like keep NUMERIC and make FLOAT64 of everything else, INT64 included. */
const rounded = (sql: (a: string, digits: string | undefined, isNumeric: boolean) => string) => (call: Parameters<FunctionTable[string]>[0]): Typed => {
  if (call.expr.args.length === 3) return roundedBy(call);
  const [value, digits] = argumentsOf(call, 'NUMBER INT64?') as [Typed, Typed | undefined];
  const type = value.type.kind === 'NUMERIC' ? value.type : FLOAT64;
  return { sql: `CAST(${sql(type.kind === 'NUMERIC' ? value.sql : `CAST(${value.sql} AS DOUBLE)`, digits?.sql, type.kind === 'NUMERIC')} AS ${duckType(type)})`, type };
};

/** ROUND with a mode, which takes a NUMERIC only. */
function roundedBy(call: FunctionCall): Typed {
  const values = call.expr.args.map((argument) => call.compile(argument));
  const [value, digits, mode] = values;
  if (call.name !== 'ROUND' || value?.type.kind !== 'NUMERIC' || digits?.type.kind !== 'INT64') throw noSignature(`function ${call.name}`, values, call.expr.place);
  if (mode?.literal === 'ROUND_HALF_EVEN') return { sql: `CAST(gsql_checked(gsql_round_half_even(CAST(${value.sql} AS VARCHAR), ${digits.sql})) AS ${duckType(value.type)})`, type: value.type };
  if (mode?.literal === 'ROUND_HALF_AWAY_FROM_ZERO') return { sql: `CAST(round(${value.sql}, CAST(${digits.sql} AS INTEGER)) AS ${duckType(value.type)})`, type: value.type };
  throw invalidQuery(`The rounding mode of ROUND is 'ROUND_HALF_EVEN' or 'ROUND_HALF_AWAY_FROM_ZERO', as a literal`, call.expr.place);
}

export const MATHS_FUNCTIONS: FunctionTable = {
  ABS: simple('NUMBER', sameAsFirst, (a) => `abs(${a})`),
  SIGN: (call) => {
    const [value] = argumentsOf(call, 'NUMBER') as [Typed];
    if (value.type.kind === 'FLOAT64') return { sql: `CASE WHEN isnan(${value.sql}) THEN ${value.sql} ELSE CAST(sign(${value.sql}) AS DOUBLE) END`, type: FLOAT64 };
    return { sql: `CAST(sign(${value.sql}) AS ${duckType(value.type)})`, type: value.type };
  },
  ROUND: rounded((a, digits, isNumeric) => (digits === undefined ? `round(${a})` : isNumeric ? `round(${a}, CAST(${digits} AS INTEGER))` : `gsql_round(${a}, ${digits})`)),
  TRUNC: rounded((a, digits, isNumeric) => (digits === undefined ? `trunc(${a})` : isNumeric ? `trunc(${a}, CAST(${digits} AS INTEGER))` : `gsql_trunc(${a}, ${digits})`)),
  CEIL: rounded((a) => `ceil(${a})`), CEILING: rounded((a) => `ceil(${a})`), FLOOR: rounded((a) => `floor(${a})`),
  DIV: (call) => {
    const [left, right] = argumentsOf(call, 'INT64 INT64');
    if (right?.literal !== undefined && Number(right.literal) !== 0) return { sql: `(${left?.sql} // ${right.sql})`, type: INT64 };
    return { sql: `CASE WHEN ${right?.sql} = 0 THEN ${call.compilation.raise("'division by zero'")} ELSE ${left?.sql} // ${right?.sql} END`, type: INT64 };
  },
  MOD: (call) => {
    const [left, right] = argumentsOf(call, 'NUMBER NUMBER') as [Typed, Typed];
    const type = widest([left, right]);
    if (type.kind === 'FLOAT64') throw noSignature('function MOD', [left, right], call.expr.place);
    if (right?.literal !== undefined && Number(right.literal) !== 0) return { sql: `(${left?.sql} % ${right.sql})`, type };
    return { sql: `CASE WHEN ${right?.sql} = 0 THEN ${call.compilation.raise("'division by zero'")} ELSE ${left?.sql} % ${right?.sql} END`, type };
  },
  SAFE_DIVIDE: (call) => {
    const [left, right] = argumentsOf(call, 'NUMBER NUMBER') as [Typed, Typed];
    return compileDivision(call.compilation, left, { sql: `nullif(${right.sql}, 0)`, type: right.type, literal: 'never zero' });
  },
  IEEE_DIVIDE: simple('FLOAT64 FLOAT64', FLOAT64, (a, b) => `(${a} / ${b})`),
  SAFE_ADD: checked('NUMBER NUMBER', (a, b) => `${a} + ${b}`),
  SAFE_SUBTRACT: checked('NUMBER NUMBER', (a, b) => `${a} - ${b}`),
  SAFE_MULTIPLY: checked('NUMBER NUMBER', (a, b) => `${a} * ${b}`),
  SAFE_NEGATE: checked('NUMBER', (a) => `-${a}`),
  POW: power, POWER: power,
  SQRT: float('sqrt'), EXP: simple('FLOAT64', FLOAT64, (a) => `gsql_finite(exp(${a}), isfinite(${a}), 'EXP')`),
  SINH: float('sinh'), COSH: float('cosh'), TANH: float('tanh'), ASINH: float('asinh'), ACOSH: float('acosh'), ATANH: float('atanh'), CBRT: float('cbrt'), COT: float('cot'), LN: float('ln'), LOG10: float('log10'),
  LOG: simple('FLOAT64 FLOAT64?', FLOAT64, (a, base) => (base === undefined ? `ln(${a})` : `(ln(${a}) / ln(${base}))`)),
  SIN: float('sin'), COS: float('cos'), TAN: float('tan'), ASIN: float('asin'), ACOS: float('acos'), ATAN: float('atan'),
  ATAN2: simple('FLOAT64 FLOAT64', FLOAT64, (a, b) => `atan2(${a}, ${b})`),
  IS_NAN: simple('FLOAT64', BOOL, (a) => `isnan(${a})`), IS_INF: simple('FLOAT64', BOOL, (a) => `isinf(${a})`),
  RAND: simple('', FLOAT64, () => 'random()'),
  BIT_COUNT: simple('INT64', INT64, (a) => `CAST(bit_count(${a}) AS BIGINT)`),
  RANGE_BUCKET: simple('ANY ARRAY', INT64, (point, array) => `CASE WHEN ${point} IS NOT NULL THEN len(list_filter(${array}, lambda e: e <= ${point})) END`),
};
