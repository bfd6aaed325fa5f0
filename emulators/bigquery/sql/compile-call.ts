// A function call in, DuckDB SQL out: looks the function up among aggregates, window functions, built-ins and the user's own. Called by the expression compiler.
import { coerce, coerceOrThrow, noSignature } from './coerce.ts';
import { compileJavaScript } from './compile-javascript.ts';
import type { Compilation } from './compilation.ts';
import { compileExpr } from './compile-expression.ts';
import { compileSafe, isSafe } from './compile-safe.ts';
import { isAbsentFunction } from './functions/absent.ts';
import { AGGREGATES } from './functions/aggregates.ts';
import { ARRAY_FUNCTIONS } from './functions/arrays.ts';
import { checkCall, checkScalarCall } from './functions/call-rules.ts';
import { CONDITIONAL_FUNCTIONS } from './functions/conditionals.ts';
import { DATE_FUNCTIONS } from './functions/dates.ts';
import { FORMAT_FUNCTIONS } from './functions/date-formats.ts';
import { HASH_FUNCTIONS } from './functions/hashes.ts';
import { INTERVAL_FUNCTIONS } from './functions/intervals.ts';
import { JSON_FUNCTIONS } from './functions/json.ts';
import { MATHS_FUNCTIONS } from './functions/maths.ts';
import type { FunctionCall, FunctionTable } from './functions/signature.ts';
import { REGEXP_FUNCTIONS } from './functions/regexps.ts';
import { SKETCH_FUNCTIONS } from './functions/sketches.ts';
import { STRING_FUNCTIONS } from './functions/strings.ts';
import { compileWindow, WINDOW_FUNCTIONS } from './functions/windows.ts';
import { didYouMean } from './did-you-mean.ts';
import { invalidQuery, notSupported } from './google-sql-error.ts';
import { childScope } from './scope.ts';
import type { Scope, Typed } from './scope.ts';
import { Cursor } from './cursor.ts';
import { parseExpr } from './parse-expression.ts';
import { NULL_TYPE, typeName, typeOfNode } from './sql-type.ts';
import type { CallExpr, FunctionBody } from './tree.ts';
import type { SqlType } from './context.ts';
import { childrenOf, containsAggregate } from './tree-walk.ts';

const BUILT_IN: FunctionTable = {
  ...ARRAY_FUNCTIONS, ...CONDITIONAL_FUNCTIONS, ...DATE_FUNCTIONS, ...FORMAT_FUNCTIONS, ...HASH_FUNCTIONS, ...INTERVAL_FUNCTIONS, ...JSON_FUNCTIONS,
  ...MATHS_FUNCTIONS, ...REGEXP_FUNCTIONS, ...SKETCH_FUNCTIONS, ...STRING_FUNCTIONS,
};

/** Functions that read their named arguments themselves. */
const TAKES_NAMED_ARGUMENTS = new Set(['MAKE_INTERVAL', 'PARSE_JSON', 'TO_JSON', 'EDIT_DISTANCE', 'CONTAINS_SUBSTR', 'JSON_KEYS']);

export function compileCall(compilation: Compilation, scope: Scope, expr: CallExpr): Typed {
  if (isSafe(compilation, expr)) return compileSafe(compilation, scope, expr);
  const name = expr.name.join('.');
  const written = expr.written.map(({ text }) => text).join('.');
  const call: FunctionCall = { compilation, scope, expr, name, compile: (inner) => compileExpr(compilation, scope, inner) };
  const own = compilation.functions.get(name);
  if (own) return callUserFunction(compilation, scope, expr, { ...own, args: own.args.map(({ name: argument, type }) => ({ name: argument, type: type.kind === 'ANY' ? undefined : typeOfNode(type) })) });
  const windowed = WINDOW_FUNCTIONS[name];
  if (windowed || expr.over) {
    if (!expr.over) throw invalidQuery(`Analytic function ${name} cannot be called without an OVER clause`, expr.place);
    if (scope.clause !== undefined && NO_WINDOWS.has(scope.clause)) throw invalidQuery(`Analytic function not allowed in ${scope.clause}`, expr.place);
    checkCall(call);
    return compileWindow(call);
  }
  const aggregate = AGGREGATES[name];
  if (aggregate) {
    if (!scope.grouping || scope.clause === 'WHERE clause') throw invalidQuery(`Aggregate function ${name} not allowed in ${scope.clause ?? 'this clause'}`, expr.place);
    if (childrenOf(expr).some(containsAggregate)) throw invalidQuery('Aggregations of aggregations are not allowed', expr.place);
    const inner: Scope = { ...(scope.rows ?? scope), insideAggregate: true };
    const grouped: FunctionCall = { ...call, scope: inner, compile: (argument) => compileExpr(compilation, inner, argument) };
    checkCall(grouped);
    const { sql, type } = aggregate(grouped);
    return { sql, type };
  }
  const builtIn = BUILT_IN[name];
  if (builtIn) {
    checkScalarCall(expr, name);
    if (expr.namedArgs.length > 0 && !TAKES_NAMED_ARGUMENTS.has(name)) throw invalidQuery(`Named argument ${expr.namedArgs[0]?.name} not found in signature for call to function ${name}`, expr.place);
    return builtIn(call);
  }
  const stored = callStored(compilation, scope, expr);
  if (stored) return stored;
  if (isAbsentFunction(name)) throw notSupported(`The function ${name}`, expr.place);
  return unknown(written, expr);
}

/** Clauses that are done before windows are known. */
const NO_WINDOWS = new Set(['WHERE clause', 'HAVING clause', 'JOIN ON clause', 'GROUP BY']);

function unknown(written: string, expr: CallExpr): never {
  const known = [...Object.keys(BUILT_IN), ...Object.keys(AGGREGATES), ...Object.keys(WINDOW_FUNCTIONS)].map((name) => name.toLowerCase());
  throw invalidQuery(`Function not found: ${written}${didYouMean(written, known)}`, expr.place);
}

function callStored(compilation: Compilation, scope: Scope, expr: CallExpr): Typed | undefined {
  const parts = expr.written.flatMap(({ text }) => text.split('.'));
  const name = parts.at(-1) ?? '';
  const dataset = parts.at(-2) ?? compilation.context.defaultDataset;
  const routine = dataset === undefined ? undefined : compilation.context.catalogue.routine(dataset, name);
  if (!routine || routine.kind !== 'SCALAR_FUNCTION') return undefined;
  const body = routine.language === 'JAVASCRIPT' ? { kind: 'javascript' as const } : parseExpr(new Cursor(routine.body));
  return callUserFunction(compilation, scope, expr, { args: routine.arguments, body, bodyText: routine.body, ...(routine.returns && { returns: routine.returns }) });
}

type UserFunction = { args: { name: string; type: SqlType | undefined }[]; body: FunctionBody; bodyText: string; returns?: SqlType };

/** The body with the arguments' SQL in place of their names; it sees nothing else of the query. */
function callUserFunction(compilation: Compilation, scope: Scope, expr: CallExpr, { args, body, bodyText, returns }: UserFunction): Typed {
  const name = expr.name.join('.');
  if (args.length !== expr.args.length) {
    throw invalidQuery(`Number of arguments does not match for function ${name}. Supported signature: ${name}(${args.map((argument) => (argument.type ? typeName(argument.type) : 'ANY TYPE')).join(', ')})`, expr.place);
  }
  const given = expr.args.map((argument) => compileExpr(compilation, scope, argument));
  const values = given.map((value, index) => {
    const type = args[index]?.type;
    const coerced = type ? coerce(value, type) : value;
    if (!coerced) throw noSignature(`function ${name}`, given, expr.place, `Supported signature: ${name}(${args.map((argument) => (argument.type ? typeName(argument.type) : 'ANY TYPE')).join(', ')})`);
    return coerced;
  });
  if (body.kind === 'javascript') {
    const described = { arguments: args.map((argument) => ({ name: argument.name, type: argument.type ?? NULL_TYPE })), returns: returns ?? NULL_TYPE, body: bodyText };
    return compileJavaScript(compilation, described, values, expr.place);
  }
  const inner = childScope(undefined);
  inner.sources.push({ columns: args.map((argument, index) => ({ name: argument.name, sql: `(${values[index]?.sql ?? 'NULL'})`, type: values[index]?.type ?? NULL_TYPE })) });
  const value = compilation.nested(expr.place, undefined, () => compileExpr(compilation, inner, body));
  return { sql: `(${(returns ? coerceOrThrow(value, returns, `function ${name}`, expr.place) : value).sql})`, type: returns ?? value.type };
}
