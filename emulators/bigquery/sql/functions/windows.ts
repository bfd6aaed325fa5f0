// Window functions and aggregates with OVER: a call in, DuckDB's window call out; called by the call compiler.
import { coerceOrThrow } from '../coerce.ts';
import type { Compilation } from '../compilation.ts';
import { compileExpr } from '../compile-expression.ts';
import { orderDirection } from '../compile-query.ts';
import type { SqlType } from '../context.ts';
import { invalidQuery } from '../google-sql-error.ts';
import { FLOAT64, INT64, isNumeric, typeName } from '../sql-type.ts';
import type { Scope, Typed } from '../scope.ts';
import type { FrameBound, WindowSpec } from '../tree.ts';
import { aggregateParts, filterSql, finished } from './aggregates.ts';
import type { AggregateParts } from './aggregates.ts';
import { checkWindow, isRangeByOffset } from './call-rules.ts';
import { argumentExpr } from './signature.ts';
import type { FunctionCall } from './signature.ts';

type WindowFunction = (call: FunctionCall) => AggregateParts;

const ranking = (duckName: string, type: SqlType): WindowFunction => () => ({ call: `${duckName}()`, type });
const first = (call: FunctionCall): Typed => call.compile(argumentExpr(call, 0));
const nulls = (call: FunctionCall): string => (call.expr.nulls === 'IGNORE' ? ' IGNORE NULLS' : '');

export const WINDOW_FUNCTIONS: Record<string, WindowFunction> = {
  ROW_NUMBER: ranking('row_number', INT64), RANK: ranking('rank', INT64), DENSE_RANK: ranking('dense_rank', INT64),
  PERCENT_RANK: ranking('percent_rank', FLOAT64), CUME_DIST: ranking('cume_dist', FLOAT64),
  NTILE: (call) => ({ call: `ntile(${first(call).sql})`, type: INT64 }),
  LAG: (call) => shifted(call, 'lag'),
  LEAD: (call) => shifted(call, 'lead'),
  FIRST_VALUE: (call) => ({ call: `first_value(${first(call).sql}${nulls(call)})`, type: first(call).type }),
  LAST_VALUE: (call) => ({ call: `last_value(${first(call).sql}${nulls(call)})`, type: first(call).type }),
  NTH_VALUE: (call) => ({ call: `nth_value(${first(call).sql}, ${call.compile(argumentExpr(call, 1)).sql}${nulls(call)})`, type: first(call).type }),
  PERCENTILE_CONT: (call) => (call.expr.nulls === 'RESPECT' ? withNulls(call, { ...first(call), sql: `CAST(${first(call).sql} AS DOUBLE)`, type: FLOAT64 }, between) : { call: `quantile_cont(CAST(${first(call).sql} AS DOUBLE), ${fraction(call)})`, type: FLOAT64 }),
  PERCENTILE_DISC: (call) => (call.expr.nulls === 'RESPECT' ? withNulls(call, first(call), (l, p) => `list_extract(${l}, greatest(1, CAST(ceil(${p} * len(${l})) AS BIGINT)))`) : { call: `quantile_disc(${first(call).sql}, ${fraction(call)})`, type: first(call).type }),
};

function fraction(call: FunctionCall): string {
  return call.compile(argumentExpr(call, 1)).sql;
}

/** NULLs count as the smallest values: the whole window as a sorted list, from which one place is taken. */
function withNulls(call: FunctionCall, value: Typed, pick: (list: string, fraction: string) => string): AggregateParts {
  const list = call.compilation.id('p');
  return { call: `list(${value.sql})`, type: value.type, finish: (sql) => `list_extract(list_transform([list_sort(${sql}, 'ASC', 'NULLS FIRST')], lambda ${list}: ${pick(list, fraction(call))}), 1)` };
}

/** Between a NULL and a value there is nothing to interpolate: it is the value. */
function between(list: string, fraction: string): string {
  const position = `(${fraction} * (len(${list}) - 1))`;
  const [low, high] = ['floor', 'ceil'].map((round) => `list_extract(${list}, CAST(${round}${position} AS BIGINT) + 1)`);
  return `CASE WHEN ${low} IS NULL OR ${high} IS NULL THEN coalesce(${low}, ${high}) ELSE ${low} + (${high} - ${low}) * (${position} - floor${position}) END`;
}

function shifted(call: FunctionCall, duckName: string): AggregateParts {
  const value = first(call);
  const rest = call.expr.args.slice(1).map((argument, index) => {
    const compiled = call.compile(argument);
    if (index === 0 && compiled.literal !== undefined && Number(compiled.literal) < 0) throw invalidQuery(`The offset to the function ${call.name} must not be negative`, argument.place);
    return (index === 1 ? coerceOrThrow(compiled, value.type, `function ${call.name}`, call.expr.place) : compiled).sql;
  });
  return { call: `${duckName}(${[value.sql, ...rest].join(', ')}${nulls(call)})`, type: value.type };
}

export function compileWindow(call: FunctionCall): Typed {
  const { compilation, scope, expr } = call;
  const spec = resolveWindow(scope, expr.over ?? { partitionBy: [], orderBy: [] }, call);
  checkWindow(call, spec);
  const parts = WINDOW_FUNCTIONS[call.name]?.(call) ?? aggregateParts(call);
  if (!parts) throw invalidQuery(`Function ${call.name} does not support an OVER clause`, expr.place);
  return finished(call, parts, `${parts.call}${filterSql(parts.filter)} OVER (${windowSql(compilation, scope, spec)})`);
}

function resolveWindow(scope: Scope, spec: WindowSpec, call: FunctionCall): WindowSpec {
  if (spec.base === undefined) return spec;
  const base = scope.windows?.get(spec.base.toLowerCase());
  if (!base) throw invalidQuery(`Unrecognized window alias ${spec.base}`, call.expr.place);
  const resolved = resolveWindow(scope, base, call);
  return {
    partitionBy: spec.partitionBy.length > 0 ? spec.partitionBy : resolved.partitionBy,
    orderBy: spec.orderBy.length > 0 ? spec.orderBy : resolved.orderBy,
    ...((spec.frame ?? resolved.frame) && { frame: spec.frame ?? resolved.frame }) as { frame: NonNullable<WindowSpec['frame']> },
  };
}

function windowSql(compilation: Compilation, scope: Scope, spec: WindowSpec): string {
  const partition = spec.partitionBy.map((expr) => compileExpr(compilation, scope, expr).sql);
  const keys = spec.orderBy.map((item) => ({ item, value: compileExpr(compilation, scope, item.expr) }));
  const other = isRangeByOffset(spec) && keys.find(({ value }) => !isNumeric(value.type));
  if (other) throw invalidQuery(`ORDER BY key must be numeric in a RANGE-based window with OFFSET PRECEDING or OFFSET FOLLOWING boundaries, but has type ${typeName(other.value.type)}`, other.item.expr.place);
  const order = keys.map(({ item, value }) => `${value.sql} ${orderDirection(item)}`);
  const bound = (at: FrameBound): string => ('expr' in at ? `${compileExpr(compilation, scope, at.expr).sql} ${at.kind}` : at.kind);
  const frame = spec.frame && (spec.frame.end ? `${spec.frame.unit} BETWEEN ${bound(spec.frame.start)} AND ${bound(spec.frame.end)}` : `${spec.frame.unit} ${bound(spec.frame.start)}`);
  return [
    ...(partition.length > 0 ? [`PARTITION BY ${partition.join(', ')}`] : []),
    ...(order.length > 0 ? [`ORDER BY ${order.join(', ')}`] : []),
    ...(frame ? [frame] : []),
  ].join(' ');
}
