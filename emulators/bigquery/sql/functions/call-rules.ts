// What a call may hold: how many arguments an aggregate or window function takes, and which modifiers. Anything else would be passed over, so it is refused,
// in the words of Google's analyser. Called by the call compiler and the window compiler.
import { noSignature } from '../coerce.ts';
import { invalidQuery } from '../google-sql-error.ts';
import type { CallExpr, WindowSpec } from '../tree.ts';
import { treeKey } from '../tree-walk.ts';
import { isAggregateFunction } from './aggregate-names.ts';
import type { FunctionCall } from './signature.ts';

/** Functions with one signature: an argument in brackets may be left out. */
const SIGNATURES: Record<string, string> = {
  COUNT: 'ANY', COUNTIF: 'BOOL', MIN: 'ANY', MAX: 'ANY', ANY_VALUE: 'ANY', ARRAY_AGG: 'ANY', ARRAY_CONCAT_AGG: 'ARRAY', LOGICAL_AND: 'BOOL', LOGICAL_OR: 'BOOL',
  APPROX_COUNT_DISTINCT: 'ANY', APPROX_QUANTILES: 'ANY, INT64', APPROX_TOP_COUNT: 'ANY, INT64', GROUPING: 'ANY', MAX_BY: 'ANY, ANY', MIN_BY: 'ANY, ANY',
  ROW_NUMBER: '', RANK: '', DENSE_RANK: '', PERCENT_RANK: '', CUME_DIST: '', NTILE: 'INT64',
  LAG: 'ANY, [INT64], [ANY]', LEAD: 'ANY, [INT64], [ANY]', FIRST_VALUE: 'ANY', LAST_VALUE: 'ANY', NTH_VALUE: 'ANY, INT64',
};

/** How many arguments those with several signatures take. */
const COUNTS: Record<string, [min: number, max: number]> = {
  SUM: [1, 1], AVG: [1, 1], BIT_AND: [1, 1], BIT_OR: [1, 1], BIT_XOR: [1, 1], STDDEV: [1, 1], STDDEV_SAMP: [1, 1], STDDEV_POP: [1, 1],
  VARIANCE: [1, 1], VAR_SAMP: [1, 1], VAR_POP: [1, 1], CORR: [2, 2], COVAR_SAMP: [2, 2], COVAR_POP: [2, 2], STRING_AGG: [1, 2], PERCENTILE_CONT: [2, 2], PERCENTILE_DISC: [2, 2],
  'HLL_COUNT.INIT': [1, 2], 'HLL_COUNT.MERGE': [1, 1], 'HLL_COUNT.MERGE_PARTIAL': [1, 1],
};

const TAKES_ORDER = new Set(['ARRAY_AGG', 'ARRAY_CONCAT_AGG', 'STRING_AGG']);
const TAKES_NULLS = new Set(['ARRAY_AGG', 'APPROX_QUANTILES', 'FIRST_VALUE', 'LAST_VALUE', 'NTH_VALUE', 'PERCENTILE_CONT', 'PERCENTILE_DISC']);
const NO_DISTINCT = new Set(['CORR', 'COVAR_SAMP', 'COVAR_POP', 'GROUPING', 'MAX_BY', 'MIN_BY']);

/** Of an aggregate or a window function. */
export function checkCall(call: FunctionCall): void {
  const { expr, name } = call;
  checkArguments(call);
  const kind = expr.over ? 'analytic' : 'aggregate';
  if (expr.nulls && !TAKES_NULLS.has(name)) throw invalidQuery(`IGNORE NULLS and RESPECT NULLS are not allowed for ${kind} function ${name.toLowerCase()}`, expr.place);
  if (expr.over) checkBesideOver(expr, name);
  else checkModifiers(expr, name);
}

function checkArguments(call: FunctionCall): void {
  const { expr, name } = call;
  if (expr.star) {
    if (expr.distinct) throw invalidQuery('COUNT(*) cannot be used with DISTINCT', expr.place);
    return;
  }
  const kind = isAggregateFunction(name) ? 'aggregate' : 'analytic';
  const signature = SIGNATURES[name];
  const parameters = signature?.split(', ').filter((parameter) => parameter !== '');
  const [min, max] = parameters ? [parameters.filter((parameter) => !parameter.startsWith('[')).length, parameters.length] : COUNTS[name] ?? [0, Infinity];
  if (expr.args.length >= min && expr.args.length <= max) return;
  if (signature !== undefined) throw invalidQuery(`Number of arguments does not match for ${kind} function ${name}. Supported signature: ${name}(${signature})`, expr.place);
  if (expr.args.length === 0) throw invalidQuery(`No matching signature for aggregate function ${name} with no arguments`, expr.place);
  throw noSignature(`aggregate function ${name}`, expr.args.map((argument) => call.compile(argument)), expr.place);
}

function checkModifiers(expr: CallExpr, name: string): void {
  if (!TAKES_ORDER.has(name)) {
    const what = expr.star ? `${name}(*)` : name;
    if (expr.orderBy.length > 0) throw invalidQuery(`Aggregate function ${what} does not support ORDER BY in arguments`, expr.place);
    if (expr.limit) throw invalidQuery(`Aggregate function ${what} does not support LIMIT in arguments`, expr.place);
  }
  if (!expr.distinct) return;
  if (NO_DISTINCT.has(name)) throw invalidQuery(`DISTINCT is not allowed for function ${name}`, expr.place);
  const loose = expr.orderBy.find((item) => !expr.args.some((argument) => treeKey(argument) === treeKey(item.expr)));
  if (loose) throw invalidQuery('An aggregate function that has both DISTINCT and ORDER BY arguments can only ORDER BY expressions that are arguments to the function', loose.expr.place);
}

function checkBesideOver(expr: CallExpr, name: string): void {
  if (name === 'GROUPING') throw invalidQuery('Aggregate function GROUPING does not support an OVER clause', expr.place);
  if (expr.having) throw invalidQuery('HAVING modifier is not supported on analytic functions', expr.place);
  if (expr.orderBy.length > 0) throw invalidQuery('ORDER BY in arguments is not supported on analytic functions', expr.place);
  if (expr.limit) throw invalidQuery('LIMIT in arguments is not supported on analytic functions', expr.place);
  if (expr.distinct && (!isAggregateFunction(name) || NO_DISTINCT.has(name))) throw invalidQuery(`DISTINCT is not allowed for analytic function ${name.toLowerCase()}`, expr.place);
}

const RANKING = ['RANK', 'DENSE_RANK', 'PERCENT_RANK', 'CUME_DIST', 'NTILE', 'LAG', 'LEAD'];
const NEEDS_ORDER = new Set([...RANKING, 'FIRST_VALUE', 'LAST_VALUE', 'NTH_VALUE']);
const NO_ORDER = new Set(['PERCENTILE_CONT', 'PERCENTILE_DISC']);
const NO_FRAME = new Set([...RANKING, ...NO_ORDER, 'ROW_NUMBER']);

/** `spec` is the whole window, with what it takes over from a named one. */
export function checkWindow({ expr, name }: FunctionCall, spec: WindowSpec): void {
  const isOrdered = spec.orderBy.length > 0;
  const of = `for analytic function ${name.toLowerCase()}`;
  if (NEEDS_ORDER.has(name) && !isOrdered) throw invalidQuery(`Window ORDER BY is required ${of}`, expr.place);
  if (NO_ORDER.has(name) && isOrdered) throw invalidQuery(`Window ORDER BY is not allowed ${of}`, expr.place);
  if (NO_FRAME.has(name) && spec.frame) throw invalidQuery(`Window framing clause is not allowed ${of}`, expr.place);
  if (expr.distinct && isOrdered) throw invalidQuery('Window ORDER BY is not allowed if DISTINCT is specified', expr.place);
  if (expr.distinct && spec.frame) throw invalidQuery('Window framing clause is not allowed if DISTINCT is specified', expr.place);
  if (isRangeByOffset(spec) && spec.orderBy.length !== 1) throw invalidQuery('A RANGE-based window with OFFSET PRECEDING or OFFSET FOLLOWING boundaries must have exactly one ORDER BY key', expr.place);
}

export const isRangeByOffset = ({ frame }: WindowSpec): boolean => frame?.unit === 'RANGE' && [frame.start, frame.end].some((bound) => bound && 'expr' in bound);

/** Of a function of single values. */
export function checkScalarCall(expr: CallExpr, name: string): void {
  if (expr.distinct) throw invalidQuery(`Non-aggregate function ${name} cannot be called with DISTINCT`, expr.place);
  if (expr.nulls) throw invalidQuery('IGNORE NULLS and RESPECT NULLS are not supported on scalar functions', expr.place);
  if (expr.having) throw invalidQuery('HAVING MAX and HAVING MIN are not supported on scalar functions', expr.having.place);
  if (expr.orderBy.length > 0) throw invalidQuery('ORDER BY in arguments is not supported on scalar functions', expr.place);
  if (expr.limit) throw invalidQuery('LIMIT in arguments is not supported on scalar functions', expr.place);
}
