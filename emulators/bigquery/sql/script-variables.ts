// A script's variables: DECLARE, SET, and the steps that ask DuckDB for the value of an expression or the rows of a query. Used by script.ts.
import { coerceOrThrow, structField } from './coerce.ts';
import { Compilation } from './compilation.ts';
import type { TemporaryFunction, Variable } from './compilation.ts';
import { requireBool } from './compile-comparison.ts';
import { compileExpr } from './compile-expression.ts';
import { compileQuery } from './compile-query.ts';
import type { SqlContext, SqlType, TranslatedStatement } from './context.ts';
import { invalidQuery, notSupported } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import { childScope } from './scope.ts';
import type { Relation, Typed } from './scope.ts';
import { valueLiteral } from './script-values.ts';
import { BOOL, duckFieldName, duckType, INT64, NULL_TYPE, quote, STRING, text, typeName, typeOfNode } from './sql-type.ts';
import type { Expr, Name, Query, Statement } from './tree.ts';

/** What a step gave: the rows of a `value` step, and how many rows a DML statement changed. */
export type StepAnswer = { rows?: unknown[][]; changedRows?: number };
export type Steps<T = void> = Generator<TranslatedStatement, T, StepAnswer | undefined>;

export type Script = { context: SqlContext; functions: Map<string, TemporaryFunction>; variables: Map<string, Variable> };
type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

export function newScript(context: SqlContext): Script {
  return { context, functions: new Map(), variables: new Map() };
}

export const compilationOf = (script: Script): Compilation => new Compilation(script.context, script.functions, script.variables);

export function setVariable(script: Script, name: string, type: SqlType, sql: string, value?: unknown): void {
  script.variables.set(name.toLowerCase(), { type, sql, ...(typeof value === 'string' && { value }) });
}

export function setSystem(script: Script, name: string, type: SqlType, sql: string): void {
  script.variables.set(`@@${name}`, { type, sql });
}

export function* declare(script: Script, statement: Kind<'declare'>): Steps {
  const wanted = statement.type && typeOfNode(statement.type);
  for (const { text: name, place } of statement.names) {
    if (script.variables.has(name.toLowerCase())) throw invalidQuery(`Variable '${name}' redeclaration is not allowed`, place);
  }
  if (!statement.value) {
    for (const { text: name } of statement.names) setVariable(script, name, wanted ?? NULL_TYPE, valueLiteral(null, wanted ?? NULL_TYPE));
    return;
  }
  const { type, value } = yield* evaluate(script, statement.value, wanted);
  for (const { text: name } of statement.names) setVariable(script, name, type, valueLiteral(value, type), dayOrText(value, type));
}

/** Texts and dates are kept readable, so that a filter on table suffixes can be answered before the query runs. */
export const dayOrText = (value: unknown, type: SqlType): string | undefined => (value !== null && (type.kind === 'STRING' || type.kind === 'DATE') ? String(value) : undefined);

export function declaredVariable(script: Script, { text: name, place }: Name): Variable {
  const found = script.variables.get(name.toLowerCase());
  if (!found) throw invalidQuery(`Undeclared variable: ${name}`, place);
  return found;
}

export function* assign(script: Script, statement: Kind<'set'>): Steps {
  const [first] = statement.names;
  if (statement.isSystem && first) return yield* assignSystem(script, first, statement.value);
  if (!statement.isTuple && first) {
    const { type } = declaredVariable(script, first);
    const { value } = yield* evaluate(script, statement.value, type);
    return setVariable(script, first.text, type, valueLiteral(value, type), dayOrText(value, type));
  }
  const types = statement.names.map((name) => declaredVariable(script, name).type);
  const compilation = compilationOf(script);
  const value = compileExpr(compilation, childScope(undefined), statement.value);
  if (value.type.kind !== 'STRUCT' || value.type.fields.length !== types.length) {
    const { length } = statement.names;
    throw invalidQuery(`Right side of SET must be a struct with ${length} field${length === 1 ? '' : 's'}; it has type ${typeName(value.type)}`, statement.value.place);
  }
  // All values are computed before the first variable changes: SET (a, b) = (b, a) swaps.
  const { fields } = value.type;
  const columns = types.map((type, index): Typed => coerceOrThrow(value.parts?.[index] ?? { sql: structField('v', duckFieldName(fields[index] ?? { name: '', type }, index)), type: fields[index]?.type ?? type }, type, 'SET', statement.place));
  const from = value.parts ? '' : ` FROM (SELECT ${value.sql} AS v)`;
  const answer = yield valueStep(compilation, `SELECT ${columns.map(({ sql }, index) => `${sql} AS v${index}`).join(', ')}${from}`, statement.place);
  const row = answer?.rows?.[0] ?? [];
  return types.forEach((type, index) => setVariable(script, statement.names[index]?.text ?? '', type, valueLiteral(row[index], type), dayOrText(row[index], type)));
}

function* assignSystem(script: Script, name: Name, expr: Expr): Steps {
  const key = name.text.toLowerCase();
  const { value } = yield* evaluate(script, expr, STRING);
  if (key === 'dataset_id') script.context = { ...script.context, defaultDataset: String(value) };
  else if (key === 'time_zone' && ['UTC', 'Etc/UTC'].includes(String(value))) return;
  else if (key !== 'query_label') throw notSupported(`SET @@${name.text}${key === 'time_zone' ? ' to another zone than UTC' : ''}`, name.place);
  setSystem(script, key, STRING, text(String(value)));
}

export function valueStep(compilation: Compilation, duckSql: string, place: Place): TranslatedStatement {
  return { kind: 'value', statementType: 'SELECT', duckSql, values: [], tables: [...compilation.tables.values()], place };
}

export function* evaluate(script: Script, expr: Expr, wanted: SqlType | undefined): Steps<{ type: SqlType; value: unknown }> {
  const compilation = compilationOf(script);
  const compiled = compileExpr(compilation, childScope(undefined), expr);
  const type = wanted ?? (compiled.type.kind === 'NULL' ? INT64 : compiled.type);
  const typed = coerceOrThrow(compiled, type, 'variable assignment', expr.place);
  const answer = yield valueStep(compilation, `SELECT CAST(${typed.sql} AS ${duckType(type)}) AS v`, expr.place);
  return { type, value: answer?.rows?.[0]?.[0] ?? null };
}

export function* holds(script: Script, expr: Expr): Steps<boolean> {
  const compilation = compilationOf(script);
  const condition = requireBool(compileExpr(compilation, childScope(undefined), expr), 'condition', expr.place);
  const answer = yield valueStep(compilation, `SELECT CAST(${condition.sql} AS ${duckType(BOOL)}) AS v`, expr.place);
  return answer?.rows?.[0]?.[0] === true;
}

export function* queryRows(script: Script, query: Query): Steps<{ relation: Relation; rows: unknown[][] }> {
  const compilation = compilationOf(script);
  const relation = compileQuery(compilation, undefined, query);
  const columns = relation.columns.map(({ duckName, type }) => `CAST(q.${quote(duckName)} AS ${duckType(type)})`);
  const answer = yield valueStep(compilation, `SELECT ${columns.join(', ')} FROM (${relation.sql}) AS q`, query.place);
  return { relation, rows: answer?.rows ?? [] };
}
