// The statements of a script in, what DuckDB has to do for them out, one step at a time; driven by the local BigQuery through translateScript.
import { coerceOrThrow } from './coerce.ts';
import { compileStatement } from './compile-statement.ts';
import type { Parameter, SqlType } from './context.ts';
import { GoogleSqlError, invalidQuery } from './google-sql-error.ts';
import { parseScript } from './parse-script.ts';
import type { Relation } from './scope.ts';
import { valueLiteral } from './script-values.ts';
import { assign, compilationOf, dayOrText, declare, declaredVariable, evaluate, holds, queryRows, setSystem, setVariable, valueStep, type Script, type Steps } from './script-variables.ts';
import { duckFieldName, INT64, NULL_TYPE, quote, STRING, structOf, text, typeOfNode } from './sql-type.ts';
import type { Expr, Query, Statement } from './tree.ts';

type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;
/** How a body ended before its last statement. */
type Exit = { how: 'LEAVE' | 'CONTINUE' | 'RETURN'; label?: string };

/** BigQuery stops a script that nests deeper than this many EXECUTE IMMEDIATE. */
const NESTING_MAX = 50;
const TURNS_BETWEEN_STEPS = 1_000;

export function* runStatements(script: Script, statements: Statement[], depth = 0): Steps<Exit | undefined> {
  for (const statement of statements) {
    try {
      const exit = yield* runStatement(script, statement, depth);
      if (exit) return exit;
    } catch (error) {
      if (!failedAt.has(error as object)) failedAt.set(error as object, statement);
      throw error;
    }
  }
  return undefined;
}

/** The innermost statement that an error came from. */
const failedAt = new WeakMap<object, Statement>();

function* runStatement(script: Script, statement: Statement, depth: number): Steps<Exit | undefined> {
  const run = (body: Statement[]): Steps<Exit | undefined> => runStatements(script, body, depth);
  switch (statement.kind) {
    case 'block': return yield* runBlock(script, statement, depth);
    case 'if': {
      for (const { condition, body } of statement.branches) if (yield* holds(script, condition)) return yield* run(body);
      return yield* run(statement.otherwise);
    }
    case 'case': return yield* runCase(script, statement, depth);
    case 'while': case 'loop': case 'repeat': case 'for': return yield* runLoop(script, statement, depth);
    case 'jump': return { how: statement.how, ...(statement.label !== undefined && { label: statement.label }) };
    case 'return': return { how: 'RETURN' };
    case 'raise': return yield* raise(script, statement);
    case 'execute': return yield* execute(script, statement, depth);
    case 'declare': yield* declare(script, statement); return undefined;
    case 'set': yield* assign(script, statement); return undefined;
    case 'createFunction': if (statement.temporary) { declareFunction(script, statement); return undefined; } break;
    case 'assert': {
      if (!(yield* holds(script, statement.condition))) throw invalidQuery(statement.message ?? 'Assertion failed', statement.place);
      return undefined;
    }
    case 'transaction': yield { kind: 'transaction', statementType: `${statement.step}_TRANSACTION`, duckSql: '', values: [], tables: [], place: statement.place }; return undefined;
  }
  const answer = yield { ...compileStatement(compilationOf(script), statement), ...(statement.text !== undefined && { text: statement.text }), place: statement.place };
  if (answer?.changedRows !== undefined) setSystem(script, 'row_count', INT64, String(answer.changedRows));
  return undefined;
}

function declareFunction(script: Script, statement: Kind<'createFunction'>): void {
  const name = statement.path.map(({ text: part }) => part.toUpperCase()).join('.');
  script.functions.set(name, { args: statement.args, body: statement.body, bodyText: statement.bodyText, ...(statement.returns && { returns: typeOfNode(statement.returns) }) });
}

function* runBlock(script: Script, statement: Kind<'block'>, depth: number): Steps<Exit | undefined> {
  const outer = new Set(script.variables.keys());
  let exit: Exit | undefined;
  try {
    exit = yield* runStatements(script, statement.body, depth);
  } catch (error) {
    if (!statement.handler || !isQueryError(error)) throw error;
    leaveScope(script, outer);
    exit = yield* handle(script, statement.handler, error, depth);
  }
  leaveScope(script, outer);
  return exit?.how === 'LEAVE' && isLabel(exit, statement.label) && exit.label !== undefined ? undefined : exit;
}

function leaveScope(script: Script, outer: Set<string>): void {
  for (const name of script.variables.keys()) if (!outer.has(name) && !name.startsWith('@@')) script.variables.delete(name);
}

/** What the query itself did wrong; trouble of the local BigQuery, or what it does not know, is nobody's to handle. */
function isQueryError(error: unknown): error is GoogleSqlError {
  const { reason } = error as { reason?: string };
  return reason !== undefined && !['notImplemented', 'internalError', 'backendError', 'stopped'].includes(reason);
}

function* handle(script: Script, handler: Statement[], error: GoogleSqlError, depth: number): Steps<Exit | undefined> {
  const before = new Map([...script.variables].filter(([name]) => name.startsWith('@@error.')));
  const statement = failedAt.get(error);
  setSystem(script, 'error.message', STRING, text(error.message));
  setSystem(script, 'error.statement_text', STRING, text(statement?.text ?? ''));
  setSystem(script, 'error.formatted_stack_trace', STRING, text(statement ? `At [${statement.place.line}:${statement.place.column}]` : ''));
  script.variables.set('@@error', { type: NULL_TYPE, error });
  const exit = yield* runStatements(script, handler, depth);
  for (const name of script.variables.keys()) if (name === '@@error' || name.startsWith('@@error.')) script.variables.delete(name);
  for (const [name, value] of before) script.variables.set(name, value);
  return exit;
}

const isLabel = (exit: Exit, label: string | undefined): boolean => exit.label === undefined || exit.label.toLowerCase() === label?.toLowerCase();

function* runCase(script: Script, statement: Kind<'case'>, depth: number): Steps<Exit | undefined> {
  for (const { when, body } of statement.branches) {
    const condition: Expr = statement.operand ? { kind: 'binary', op: '=', left: statement.operand, right: when, place: when.place } : when;
    if (yield* holds(script, condition)) return yield* runStatements(script, body, depth);
  }
  if (!statement.otherwise) throw invalidQuery('CASE statement has no matching WHEN and no ELSE', statement.place);
  return yield* runStatements(script, statement.otherwise, depth);
}

function* runLoop(script: Script, statement: Kind<'while' | 'loop' | 'repeat' | 'for'>, depth: number): Steps<Exit | undefined> {
  const rows = statement.kind === 'for' ? yield* rowsOfLoop(script, statement.query) : undefined;
  const variable = statement.kind === 'for' ? statement.variable : undefined;
  try {
    for (let turn = 0; ; turn += 1) {
      // A loop that asks nothing of DuckDB would never let go of this process; so it asks now and then.
      if (turn % TURNS_BETWEEN_STEPS === TURNS_BETWEEN_STEPS - 1) yield valueStep(compilationOf(script), 'SELECT 1', statement.place);
      if (statement.kind === 'while' && !(yield* holds(script, statement.condition))) return undefined;
      if (rows && variable) {
        const row = rows.values[turn];
        if (row === undefined) return undefined;
        setVariable(script, variable.text, rows.type, row);
      }
      const exit = yield* runStatements(script, statement.body, depth);
      if (exit && (exit.how === 'RETURN' || !isLabel(exit, statement.label))) return exit;
      if (exit?.how === 'LEAVE') return undefined;
      if (statement.kind === 'repeat' && (yield* holds(script, statement.until))) return undefined;
    }
  } finally {
    if (variable) script.variables.delete(variable.text.toLowerCase());
  }
}

function* rowsOfLoop(script: Script, query: Query): Steps<{ type: SqlType; values: string[] }> {
  const { relation, rows } = yield* queryRows(script, query);
  const type = rowType(relation);
  const values = rows.map((row) => rowLiteral(row, relation, type));
  return { type, values };
}

function rowType(relation: Relation): SqlType {
  if (relation.isValueTable && relation.columns[0]?.type.kind === 'STRUCT') return relation.columns[0].type;
  return structOf(relation.columns.map(({ name, type }) => ({ name, type })));
}

function rowLiteral(row: unknown[], relation: Relation, type: SqlType): string {
  if (relation.isValueTable || type.kind !== 'STRUCT') return valueLiteral(row[0], type);
  return `struct_pack(${type.fields.map((field, index) => `${quote(duckFieldName(field, index))} := ${valueLiteral(row[index], field.type)}`).join(', ')})`;
}

function* raise(script: Script, statement: Kind<'raise'>): Steps<never> {
  if (statement.message) {
    const { value } = yield* evaluate(script, statement.message, STRING);
    throw new GoogleSqlError('invalidQuery', String(value));
  }
  const current = script.variables.get('@@error')?.error;
  if (!current) throw invalidQuery('Cannot re-raise an existing exception outside of an exception handler', statement.place);
  throw current;
}

function* execute(script: Script, statement: Kind<'execute'>, depth: number): Steps<Exit | undefined> {
  if (depth >= NESTING_MAX) throw invalidQuery('EXECUTE IMMEDIATE is nested too deeply', statement.place);
  const { value } = yield* evaluate(script, statement.sql, STRING);
  if (value === null) throw invalidQuery('SQL expression in EXECUTE IMMEDIATE must not be NULL', statement.sql.place);
  const parameters: Parameter[] = [];
  for (const { expr, alias } of statement.using) {
    const { type, value: given } = yield* evaluate(script, expr, undefined);
    parameters.push({ ...(alias !== undefined && { name: alias }), parameterType: { type: 'STRING' }, parameterValue: {}, typed: { type, sql: valueLiteral(given, type) } });
  }
  const statements = parseScript(String(value));
  const [only] = statements;
  if (statements.length !== 1 || !only) throw invalidQuery('EXECUTE IMMEDIATE takes one statement', statement.sql.place);
  const inner: Script = { ...script, context: { ...script.context, parameters } };
  if (statement.into.length === 0) return yield* runStatement(inner, only, depth + 1);
  if (only.kind !== 'query') throw invalidQuery('EXECUTE IMMEDIATE … INTO needs a query', statement.sql.place);
  yield* readInto(script, inner, only.query, statement);
  return undefined;
}

function* readInto(script: Script, inner: Script, query: Query, statement: Kind<'execute'>): Steps {
  const { relation, rows } = yield* queryRows(inner, query);
  const { into, place } = statement;
  if (relation.columns.length !== into.length) throw invalidQuery(`The number of columns in the query (${relation.columns.length}) does not match the number of variables in INTO (${into.length})`, place);
  if (rows.length > 1) throw invalidQuery('EXECUTE IMMEDIATE INTO query returned more than one row', place);
  const compilation = compilationOf(script);
  for (const [index, name] of into.entries()) {
    const { type } = declaredVariable(script, name);
    const from = relation.columns[index]?.type ?? NULL_TYPE;
    const given = valueLiteral(rows[0]?.[index] ?? null, from);
    const coerced = coerceOrThrow({ sql: given, type: from }, type, 'INTO', place);
    const answer = coerced.sql === given ? undefined : yield valueStep(compilation, `SELECT ${coerced.sql} AS v`, place);
    setVariable(script, name.text, type, answer ? valueLiteral(answer.rows?.[0]?.[0], type) : given, dayOrText(rows[0]?.[index] ?? null, type));
  }
}

