// Mathematical functions: calls in, DuckDB SQL out. Looked up by the call compiler.
import { compileDivision } from '../compile-expression.ts';
import { BOOL, duckType, FLOAT64, INT64, superType } from '../sql-type.ts';
import type { Typed } from '../scope.ts';
import { argumentsOf, sameAsFirst, simple } from './signature.ts';
import type { FunctionTable } from './signature.ts';

const widest = (values: Typed[]): Typed['type'] => values.reduce((type, value) => superType(type, value.type) ?? type, { kind: 'NULL' } as Typed['type']);
const float = (duckName: string) => simple('FLOAT64', FLOAT64, (a) => `${duckName}(${a})`);

/** ROUND and the like keep NUMERIC and make FLOAT64 of everything else, INT64 included. */
const rounded = (sql: (a: string, digits: string | undefined) => string) => (call: Parameters<FunctionTable[string]>[0]): Typed => {
  const [value, digits] = argumentsOf(call, 'NUMBER INT64?') as [Typed, Typed | undefined];
  const type = value.type.kind === 'NUMERIC' ? value.type : FLOAT64;
  return { sql: `CAST(${sql(type.kind === 'NUMERIC' ? value.sql : `CAST(${value.sql} AS DOUBLE)`, digits?.sql)} AS ${duckType(type)})`, type };
};

export const MATHS_FUNCTIONS: FunctionTable = {
  ABS: simple('NUMBER', sameAsFirst, (a) => `abs(${a})`),
  SIGN: (call) => {
    const [value] = argumentsOf(call, 'NUMBER') as [Typed];
    return { sql: `CAST(sign(${value.sql}) AS ${duckType(value.type)})`, type: value.type };
  },
  ROUND: rounded((a, digits) => (digits === undefined ? `round(${a})` : `round(${a}, CAST(${digits} AS INTEGER))`)),
  TRUNC: rounded((a, digits) => (digits === undefined ? `trunc(${a})` : `(trunc(${a} * pow(10, ${digits})) / pow(10, ${digits}))`)),
  CEIL: rounded((a) => `ceil(${a})`), CEILING: rounded((a) => `ceil(${a})`), FLOOR: rounded((a) => `floor(${a})`),
  DIV: (call) => {
    const [left, right] = argumentsOf(call, 'INT64 INT64');
    if (right?.literal !== undefined && Number(right.literal) !== 0) return { sql: `(${left?.sql} // ${right.sql})`, type: INT64 };
    return { sql: `CASE WHEN ${right?.sql} = 0 THEN ${call.compilation.raise("'division by zero'")} ELSE ${left?.sql} // ${right?.sql} END`, type: INT64 };
  },
  MOD: (call) => {
    const [left, right] = argumentsOf(call, 'NUMBER NUMBER');
    const type = widest([left, right].filter((value) => value !== undefined));
    if (right?.literal !== undefined && Number(right.literal) !== 0) return { sql: `(${left?.sql} % ${right.sql})`, type };
    return { sql: `CASE WHEN ${right?.sql} = 0 THEN ${call.compilation.raise("'division by zero'")} ELSE ${left?.sql} % ${right?.sql} END`, type };
  },
  SAFE_DIVIDE: (call) => {
    const [left, right] = argumentsOf(call, 'NUMBER NUMBER') as [Typed, Typed];
    return compileDivision(call.compilation, left, { sql: `nullif(${right.sql}, 0)`, type: right.type, literal: 'never zero' });
  },
  IEEE_DIVIDE: simple('FLOAT64 FLOAT64', FLOAT64, (a, b) => `(${a} / ${b})`),
  SAFE_ADD: simple('NUMBER NUMBER', widest, (a, b) => `TRY(${a} + ${b})`),
  SAFE_SUBTRACT: simple('NUMBER NUMBER', widest, (a, b) => `TRY(${a} - ${b})`),
  SAFE_MULTIPLY: simple('NUMBER NUMBER', widest, (a, b) => `TRY(${a} * ${b})`),
  SAFE_NEGATE: simple('NUMBER', sameAsFirst, (a) => `TRY(-${a})`),
  POW: simple('FLOAT64 FLOAT64', FLOAT64, (a, b) => `pow(${a}, ${b})`), POWER: simple('FLOAT64 FLOAT64', FLOAT64, (a, b) => `pow(${a}, ${b})`),
  SQRT: float('sqrt'), EXP: float('exp'), LN: float('ln'), LOG10: float('log10'),
  LOG: simple('FLOAT64 FLOAT64?', FLOAT64, (a, base) => (base === undefined ? `ln(${a})` : `(ln(${a}) / ln(${base}))`)),
  SIN: float('sin'), COS: float('cos'), TAN: float('tan'), ASIN: float('asin'), ACOS: float('acos'), ATAN: float('atan'),
  ATAN2: simple('FLOAT64 FLOAT64', FLOAT64, (a, b) => `atan2(${a}, ${b})`),
  IS_NAN: simple('FLOAT64', BOOL, (a) => `isnan(${a})`), IS_INF: simple('FLOAT64', BOOL, (a) => `isinf(${a})`),
  RAND: simple('', FLOAT64, () => 'random()'),
  BIT_COUNT: simple('INT64', INT64, (a) => `CAST(bit_count(${a}) AS BIGINT)`),
  RANGE_BUCKET: simple('ANY ARRAY', INT64, (point, array) => `len(list_filter(${array}, lambda e: e <= ${point}))`),
};
