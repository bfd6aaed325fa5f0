// GoogleSQL in, DuckDB SQL out; called by the local BigQuery for every query job.
import { coerceOrThrow } from './coerce.ts';
import { Compilation } from './compilation.ts';
import type { TemporaryFunction, Variable } from './compilation.ts';
import { compileAlter, compileCreateFunction, compileCreateSchema, compileCreateTable, compileCreateTableFunction, compileCreateView, compileDrop, distinctColumns } from './compile-ddl.ts';
import type { CompiledDdl } from './compile-ddl.ts';
import { compileDelete, compileInsert, compileMerge, compileTruncate, compileUpdate } from './compile-dml.ts';
import type { CompiledDml } from './compile-dml.ts';
import { requireBool } from './compile-comparison.ts';
import { compileExpr } from './compile-expression.ts';
import { compileQuery } from './compile-query.ts';
import type { SqlContext, SqlType, StatementType, TranslatedStatement } from './context.ts';
import { Cursor } from './cursor.ts';
import { invalidQuery, notSupported } from './google-sql-error.ts';
import { variableName } from './names.ts';
import { parseStatement } from './parse-statement.ts';
import { duckType, fieldOf, NULL_TYPE, typeOfNode } from './sql-type.ts';
import { childScope } from './scope.ts';
import type { Expr, Statement } from './tree.ts';

/** All statements of a script at once. One that decides (IF, WHILE) needs `translateScript`, which learns what conditions gave. */
export function translate(sql: string, context: SqlContext): TranslatedStatement[] {
  const statements: TranslatedStatement[] = [];
  for (const statement of translateScript(sql, context)) {
    if (statement.statementType === 'CONDITION') throw notSupported('A script with IF or WHILE', { line: 1, column: 1 });
    statements.push(statement);
  }
  return statements;
}

/**
 * Statement by statement: run each before asking for the next, so that later ones see the tables that earlier ones made.
 * After a CONDITION, pass its boolean to `next()`; an ASSERT that gives false ends the script.
 */
export function* translateScript(sql: string, context: SqlContext): Generator<TranslatedStatement, void, boolean | undefined> {
  const cursor = new Cursor(sql);
  const script: Script = { context, functions: new Map(), variables: new Map(), changesData: CHANGES.test(sql) };
  let isEmpty = true;
  for (let statement = parseStatement(cursor); statement; statement = parseStatement(cursor)) {
    isEmpty = false;
    yield* run(script, statement);
  }
  if (isEmpty) throw invalidQuery('Syntax error: Unexpected end of statement', { line: 1, column: 1 });
}

/** Said too often rather than too rarely: it only decides whether a variable read from a table may be read again later. */
const CHANGES = /\b(?:INSERT|UPDATE|DELETE|MERGE|TRUNCATE|ALTER|DROP|CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP\s+|TEMPORARY\s+)?TABLE)\b/i;

type Script = { context: SqlContext; functions: Map<string, TemporaryFunction>; variables: Map<string, Variable>; changesData: boolean };

function* run(script: Script, statement: Statement): Generator<TranslatedStatement, void, boolean | undefined> {
  switch (statement.kind) {
    case 'block': for (const inner of statement.body) yield* run(script, inner); return;
    case 'if': {
      for (const { condition, body } of statement.branches) {
        if (!(yield conditionOf(script, condition))) continue;
        for (const inner of body) yield* run(script, inner);
        return;
      }
      for (const inner of statement.otherwise) yield* run(script, inner);
      return;
    }
    case 'while': {
      while (yield conditionOf(script, statement.condition)) for (const inner of statement.body) yield* run(script, inner);
      return;
    }
    case 'declare': yield* declare(script, statement); return;
    case 'set': yield* assign(script, statement); return;
    case 'createFunction': if (statement.temporary) { declareFunction(script, statement); return; }
  }
  yield compileStatement(script, statement);
}

const compilationOf = (script: Script): Compilation => new Compilation(script.context, script.functions, script.variables);

function conditionOf(script: Script, expr: Expr): TranslatedStatement {
  const compilation = compilationOf(script);
  const value = requireBool(compileExpr(compilation, childScope(undefined), expr), 'condition', expr.place);
  return { kind: 'condition', statementType: 'CONDITION', duckSql: `SELECT coalesce(${value.sql}, false) AS holds`, values: [], tables: [...compilation.tables.values()] };
}

function* declare(script: Script, statement: Extract<Statement, { kind: 'declare' }>): Generator<TranslatedStatement, void, boolean | undefined> {
  const compilation = compilationOf(script);
  const value = statement.value ? compileExpr(compilation, childScope(undefined), statement.value) : { sql: 'NULL', type: NULL_TYPE };
  const type = statement.type ? typeOfNode(statement.type) : value.type;
  const typed = coerceOrThrow(value, type, 'DECLARE', statement.place);
  for (const { text, place } of statement.names) {
    if (script.variables.has(text.toLowerCase())) throw invalidQuery(`Variable '${text}' redeclaration is not allowed`, place);
    yield* setVariable(script, text, typed.sql, type, compilation);
  }
}

function* assign(script: Script, statement: Extract<Statement, { kind: 'set' }>): Generator<TranslatedStatement, void, boolean | undefined> {
  const values = statement.names.length > 1 && statement.value.kind === 'struct' ? statement.value.items.map(({ expr }) => expr) : [statement.value];
  if (values.length !== statement.names.length) throw notSupported('SET of several variables from a query', statement.place);
  for (const [index, { text, place }] of statement.names.entries()) {
    const compilation = compilationOf(script);
    const type = script.variables.get(text.toLowerCase())?.type;
    if (!type) throw invalidQuery(`Undeclared variable: ${text}`, place);
    const value = coerceOrThrow(compileExpr(compilation, childScope(undefined), values[index] as Expr), type, 'SET', statement.place);
    yield* setVariable(script, text, value.sql, type, compilation);
  }
}

/** Past this length a value is worth keeping in the session: a loop would make it longer with each turn. */
const INLINE_LENGTH_MAX = 2_000;

/** A value that cannot change between here and its use is written in the variable's place, which needs no session. */
function* setVariable(script: Script, name: string, sql: string, type: SqlType, compilation: Compilation): Generator<TranslatedStatement, void, boolean | undefined> {
  const tables = [...compilation.tables.values()];
  const isStable = !/\b(?:random|uuid)\(/.test(sql) && (tables.length === 0 || !script.changesData) && sql.length <= INLINE_LENGTH_MAX && !sql.includes('getvariable(');
  const typed = `CAST(${sql} AS ${duckType(type)})`;
  script.variables.set(name.toLowerCase(), { type, tables, hasSubquery: compilation.subqueries > 0, ...(isStable && { sql: typed }) });
  if (!isStable) yield { kind: 'set', statementType: 'ASSIGNMENT', duckSql: `SET VARIABLE ${variableName(name)} = ${typed}`, values: [], tables };
}

function declareFunction(script: Script, statement: Extract<Statement, { kind: 'createFunction' }>): void {
  const name = statement.path.map(({ text }) => text.toUpperCase()).join('.');
  script.functions.set(name, { args: statement.args, body: statement.body, ...(statement.returns && { returns: typeOfNode(statement.returns) }) });
}

const DML: Record<string, StatementType> = { insert: 'INSERT', update: 'UPDATE', delete: 'DELETE', merge: 'MERGE', truncate: 'TRUNCATE_TABLE' };

function compileStatement(script: Script, statement: Statement): TranslatedStatement {
  const compilation = compilationOf(script);
  const tables = (): TranslatedStatement['tables'] => [...compilation.tables.values()];
  const dml = (compiled: CompiledDml): TranslatedStatement => ({ kind: 'dml', statementType: DML[statement.kind] ?? 'INSERT', duckSql: compiled.sql, values: [], tables: tables(), target: compiled.target });
  const ddl = ({ ddl: description, statementType }: CompiledDdl): TranslatedStatement => ({ kind: 'ddl', statementType, duckSql: '', values: [], tables: tables(), ddl: description });
  switch (statement.kind) {
    case 'query': return { ...compileTopQuery(compilation, statement), tables: tables() };
    case 'insert': return dml(compileInsert(compilation, statement));
    case 'update': return dml(compileUpdate(compilation, statement));
    case 'delete': return dml(compileDelete(compilation, statement));
    case 'merge': return dml(compileMerge(compilation, statement));
    case 'truncate': return dml(compileTruncate(compilation, statement));
    case 'createTable': return ddl(compileCreateTable(compilation, statement));
    case 'createView': return ddl(compileCreateView(compilation, statement));
    case 'createFunction': return ddl(compileCreateFunction(compilation, statement));
    case 'createTableFunction': return ddl(compileCreateTableFunction(compilation, statement));
    case 'createSchema': return ddl(compileCreateSchema(compilation, statement));
    case 'alterTable': return ddl(compileAlter(compilation, statement));
    case 'drop': return ddl(compileDrop(compilation, statement));
    case 'assert': {
      const { condition, message } = statement;
      const value = requireBool(compileExpr(compilation, childScope(undefined), condition), 'ASSERT', condition.place);
      const text = `'${(message ?? 'Assertion failed').replaceAll("'", "''")}'`;
      return { kind: 'condition', statementType: 'ASSERT', duckSql: `SELECT CASE WHEN ${value.sql} THEN true ELSE error(${text}) END AS holds`, values: [], tables: tables() };
    }
    default: throw notSupported(`The statement ${statement.kind.toUpperCase()}`, statement.place);
  }
}

/** A query whose rows are structs (SELECT AS STRUCT) shows their fields as columns. */
function compileTopQuery(compilation: Compilation, statement: Extract<Statement, { kind: 'query' }>): Omit<TranslatedStatement, 'tables'> {
  const relation = distinctColumns(compileQuery(compilation, undefined, statement.query), statement.place);
  const fields = relation.columns.map(({ name, type }) => fieldOf(name, type));
  const [only] = fields;
  if (relation.isValueTable && only?.fields && only.mode !== 'REPEATED') {
    return { kind: 'select', statementType: 'SELECT', duckSql: `SELECT unnest(q.value) FROM (${relation.sql}) AS q`, values: [], fields: only.fields };
  }
  return { kind: 'select', statementType: 'SELECT', duckSql: relation.sql, values: [], fields: relation.isValueTable && only ? [{ ...only, name: 'f0_' }] : fields };
}
