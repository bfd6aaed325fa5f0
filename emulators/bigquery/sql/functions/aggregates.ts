// Aggregate functions: a call in, DuckDB's aggregate out. Also used with OVER by the window compiler, through `aggregateParts`.
import { coerceOrThrow, noSignature } from '../coerce.ts';
import { compileExpr } from '../compile-expression.ts';
import { requireBool } from '../compile-comparison.ts';
import type { SqlType } from '../context.ts';
import { invalidQuery, notSupported } from '../google-sql-error.ts';
import { orderDirection } from '../compile-query.ts';
import { arrayOf, BOOL, duckType, FLOAT64, INT64, isNumeric, STRING, structOf } from '../sql-type.ts';
import type { Typed } from '../scope.ts';
import { argumentExpr } from './signature.ts';
import type { FunctionCall, FunctionTable } from './signature.ts';
import { extremeKey, ofExtreme } from '../having-extremes.ts';
import { SKETCH_AGGREGATES } from './sketches.ts';

/** An aggregate as a call, which may take FILTER and OVER behind it, and what is done to its result. */
export type AggregateParts = { call: string; filter?: string; finish?: (sql: string) => string; type: SqlType };

const PARTS: Record<string, (call: FunctionCall) => AggregateParts> = {
  ...SKETCH_AGGREGATES,
  COUNT: (call) => {
    if (call.expr.star) return { call: 'count(*)', type: INT64 };
    const value = one(call);
    return { call: `count(${distinct(call)}${value.sql})`, type: INT64 };
  },
  COUNTIF: (call) => {
    const condition = requireBool(one(call), 'COUNTIF', call.expr.place);
    return { call: `count(${distinct(call)}CASE WHEN ${condition.sql} THEN 1 END)`, type: INT64 };
  },
  SUM: (call) => {
    if (one(call).type.kind === 'INTERVAL') throw notSupported('SUM of INTERVAL', call.expr.place);
    const value = number(call);
    const { type } = value.type.kind === 'NULL' ? { type: INT64 } : value;
    return { call: `sum(${distinct(call)}${value.type.kind === 'NULL' ? 'NULL::BIGINT' : value.sql})`, type, ...(type.kind !== 'FLOAT64' && { finish: (sql: string) => `CAST(${sql} AS ${duckType(type)})` }) };
  },
  AVG: (call) => {
    const value = number(call);
    if (value.type.kind === 'NUMERIC') return { call: `avg(${distinct(call)}${value.sql})`, finish: (sql) => `CAST(${sql} AS DECIMAL(38,9))`, type: value.type };
    return { call: `avg(${distinct(call)}${value.sql})`, type: FLOAT64 };
  },
  MIN: (call) => extreme(call, 'min'),
  MAX: (call) => extreme(call, 'max'),
  ANY_VALUE: (call) => {
    const value = one(call);
    if (!call.expr.having) return { call: `any_value(${value.sql})`, type: value.type };
    const key = extremeKey(call, call.expr.having);
    const found = `${call.expr.having.max ? 'arg_max_null' : 'arg_min_null'}(${value.sql}, ${key.sql})`;
    return { call: key.type.kind === 'FLOAT64' ? `CASE WHEN isnan(max(${key.sql})) THEN NULL ELSE ${found} END` : found, type: value.type };
  },
  MAX_BY: (call) => byKey(call, 'arg_max_null'),
  MIN_BY: (call) => byKey(call, 'arg_min_null'),
  LOGICAL_AND: (call) => ({ call: `bool_and(${requireBool(one(call), 'LOGICAL_AND', call.expr.place).sql})`, type: BOOL }),
  LOGICAL_OR: (call) => ({ call: `bool_or(${requireBool(one(call), 'LOGICAL_OR', call.expr.place).sql})`, type: BOOL }),
  BIT_AND: (call) => integer(call, 'bit_and'),
  BIT_OR: (call) => integer(call, 'bit_or'),
  BIT_XOR: (call) => integer(call, 'bit_xor'),
  STDDEV: (call) => float(call, 'stddev_samp'), STDDEV_SAMP: (call) => float(call, 'stddev_samp'), STDDEV_POP: (call) => float(call, 'stddev_pop'),
  VARIANCE: (call) => float(call, 'var_samp'), VAR_SAMP: (call) => float(call, 'var_samp'), VAR_POP: (call) => float(call, 'var_pop'),
  CORR: (call) => ({ ...float(call, 'corr'), finish: (sql) => `CASE WHEN ${sql.replace('corr(', 'regr_count(')} < 2 THEN NULL ELSE ${sql} END` }), COVAR_SAMP: (call) => float(call, 'covar_samp'), COVAR_POP: (call) => float(call, 'covar_pop'),
  ARRAY_AGG: arrayAgg,
  ARRAY_CONCAT_AGG: (call) => {
    const value = one(call);
    if (value.type.kind !== 'ARRAY') throw noSignature('aggregate function ARRAY_CONCAT_AGG', [value], call.expr.place);
    return { call: `list(${distinct(call)}${value.sql}${order(call)})`, filter: `${value.sql} IS NOT NULL`, finish: (sql) => `flatten(${limited(call, sql)})`, type: value.type };
  },
  STRING_AGG: stringAgg,
  // Exact counts are within the error that the approximate functions allow.
  APPROX_COUNT_DISTINCT: (call) => ({ call: `count(DISTINCT ${one(call).sql})`, type: INT64 }),
  APPROX_QUANTILES: (call) => {
    const value = one(call);
    const count = Number(call.compile(argumentExpr(call, 1)).literal);
    if (!Number.isInteger(count) || count < 1) throw invalidQuery('Second argument of APPROX_QUANTILES must be a positive integer literal', call.expr.place);
    const steps = Array.from({ length: count + 1 }, (_, index) => index / count);
    if (call.expr.nulls === 'RESPECT') throw notSupported('APPROX_QUANTILES with RESPECT NULLS', call.expr.place);
    return { call: `quantile_disc(${distinct(call)}${value.sql}, [${steps.join(', ')}])`, type: arrayOf(value.type) };
  },
  APPROX_TOP_COUNT: (call) => {
    const value = one(call);
    const count = call.compile(argumentExpr(call, 1));
    if (call.expr.distinct) throw notSupported('APPROX_TOP_COUNT with DISTINCT', call.expr.place);
    const ranked = (sql: string): string => `list_sort(list_transform(map_entries(${sql}), lambda e: {'n': -CAST(e.value AS BIGINT), 'k': e.key}))`;
    return {
      call: `histogram({'v': ${value.sql}})`, type: arrayOf(structOf([{ name: 'value', type: value.type }, { name: 'count', type: INT64 }])),
      finish: (sql) => `list_transform(list_slice(${ranked(sql)}, 1, ${count.sql}), lambda e: {'value': e.k.v, 'count': -e.n})`,
    };
  },
  GROUPING: (call) => ({ call: `grouping(${compileExpr(call.compilation, { ...call.scope, insideAggregate: false }, argumentExpr(call, 0)).sql})`, type: INT64 }),
};

export const AGGREGATES: FunctionTable = Object.fromEntries(Object.entries(PARTS).map(([name, parts]) => [name, (call: FunctionCall): Typed => {
  const made = parts(call);
  return finished(call, made, `${made.call}${filterSql(made.filter, ofExtreme(call))}`);
}]));

/** Of an aggregate, after its parentheses and before OVER. */
export function filterSql(...conditions: (string | undefined)[]): string {
  const given = conditions.filter((condition) => condition !== undefined);
  return given.length > 0 ? ` FILTER (WHERE ${given.join(' AND ')})` : '';
}

/** With what is done to its result. SAFE. covers that, too: a sum that fits no INT64 is NULL; DuckDB takes no aggregate inside TRY. */
export function finished({ compilation, expr }: FunctionCall, { finish, type }: AggregateParts, sql: string): Typed {
  if (!finish) return { sql, type };
  if (!expr.safe || (type.kind !== 'INT64' && type.kind !== 'NUMERIC')) return { sql: finish(sql), type };
  const result = compilation.id('safe');
  return { sql: `list_transform([${sql}], lambda ${result}: TRY(${finish(result)}))[1]`, type };
}

export function aggregateParts(call: FunctionCall): AggregateParts | undefined {
  return PARTS[call.name]?.(call);
}

const distinct = (call: FunctionCall): string => (call.expr.distinct ? 'DISTINCT ' : '');
const one = (call: FunctionCall): Typed => call.compile(argumentExpr(call, 0));

function number(call: FunctionCall): Typed {
  const value = one(call);
  if (!isNumeric(value.type)) throw noSignature(`aggregate function ${call.name}`, [value], call.expr.place);
  return value;
}

function extreme(call: FunctionCall, duckName: string): AggregateParts {
  const value = one(call);
  if (['ARRAY', 'STRUCT', 'JSON'].includes(value.type.kind)) throw noSignature(`aggregate function ${call.name}`, [value], call.expr.place);
  return { call: `${duckName}(${value.sql})`, type: value.type };
}

function byKey(call: FunctionCall, duckName: string): AggregateParts {
  const value = one(call);
  return { call: `${duckName}(${value.sql}, ${call.compile(argumentExpr(call, 1)).sql})`, type: value.type };
}

function integer(call: FunctionCall, duckName: string): AggregateParts {
  return { call: `${duckName}(${distinct(call)}${coerceOrThrow(one(call), INT64, `aggregate function ${call.name}`, call.expr.place).sql})`, type: INT64 };
}

function float(call: FunctionCall, duckName: string): AggregateParts {
  const values = call.expr.args.map((argument) => coerceOrThrow(call.compile(argument), FLOAT64, `aggregate function ${call.name}`, call.expr.place).sql);
  return { call: `${duckName}(${distinct(call)}${values.join(', ')})`, type: FLOAT64 };
}

function order(call: FunctionCall): string {
  if (call.expr.orderBy.length === 0) return '';
  return ` ORDER BY ${call.expr.orderBy.map((item) => `${call.compile(item.expr).sql} ${orderDirection(item)}`).join(', ')}`;
}

function limited(call: FunctionCall, sql: string): string {
  return call.expr.limit ? `list_slice(${sql}, 1, ${call.compile(call.expr.limit).sql})` : sql;
}

function arrayAgg(call: FunctionCall): AggregateParts {
  const value = one(call);
  if (value.type.kind === 'ARRAY') throw invalidQuery('The argument to ARRAY_AGG must not be an array type', call.expr.place);
  const filter = call.expr.nulls === 'IGNORE' ? { filter: `${value.sql} IS NOT NULL` } : {};
  if (isFirstOfMany(call)) {
    const only = filterSql(filter.filter);
    // The first of an order is found in passing; DuckDB would keep and sort every group for its list.
    return { call: `CASE WHEN count(*)${only} > 0 THEN [first(${value.sql}${order(call)})${only}] END`, type: arrayOf(value.type) };
  }
  return { call: `list(${distinct(call)}${value.sql}${order(call)})`, ...filter, finish: (sql) => limited(call, sql), type: arrayOf(value.type) };
}

function isFirstOfMany({ expr }: FunctionCall): boolean {
  return expr.limit?.kind === 'literal' && expr.limit.value === '1' && !expr.distinct && !expr.having && expr.orderBy.length > 0 && !expr.over;
}

function stringAgg(call: FunctionCall): AggregateParts {
  const given = one(call);
  const what = 'aggregate function STRING_AGG';
  const type = given.type.kind === 'BYTES' ? given.type : STRING;
  // DuckDB joins texts only. Hexadecimal digits are in the order of the bytes.
  const [asText, asValue] = type.kind === 'BYTES' ? [(sql: string) => `hex(${sql})`, (sql: string) => `from_hex(${sql})`] : [(sql: string) => sql, (sql: string) => sql];
  const value = asText(coerceOrThrow(given, type, what, call.expr.place).sql);
  const delimiter = call.expr.args[1] ? asText(coerceOrThrow(call.compile(call.expr.args[1]), type, what, call.expr.place).sql) : asText(type.kind === 'BYTES' ? "','::BLOB" : "','");
  // With DISTINCT the order may only be that of the argument, as it is written.
  const sorted = call.expr.distinct ? order(call).replaceAll(given.sql, value) : order(call);
  if (!call.expr.limit) return { call: `string_agg(${distinct(call)}${value}, ${delimiter}${sorted})`, finish: asValue, type };
  return { call: `list(${distinct(call)}${value}${sorted})`, filter: `${value} IS NOT NULL`, finish: (sql) => asValue(`array_to_string(${limited(call, sql)}, ${delimiter})`), type };
}
