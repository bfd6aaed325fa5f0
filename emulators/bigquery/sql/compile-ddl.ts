// CREATE, ALTER and DROP trees in, a description for the local BigQuery to carry out on its catalogue out; called by the statement compiler.
import type { Compilation } from './compilation.ts';
import { compileQuery } from './compile-query.ts';
import { findTable, resolvePath } from './compile-table.ts';
import type { ColumnChange, Ddl, RoutineArgument, StatementType, TableField, TablePath } from './context.ts';
import { invalidQuery, notSupported } from './google-sql-error.ts';
import { coerceOrThrow } from './coerce.ts';
import { compileExpr } from './compile-expression.ts';
import { duckType, fieldOf, quote, typeOfField, typeOfNode } from './sql-type.ts';
import { childScope } from './scope.ts';
import type { Relation } from './scope.ts';
import type { AlterNode, ColumnDefinition, Expr, FunctionArgument, Name, Option, Statement } from './tree.ts';

type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;
export type CompiledDdl = { ddl: Ddl; statementType: StatementType };

const pathOf = (compilation: Compilation, path: Name[]): TablePath => resolvePath(compilation, path.map(({ text }) => text), path[0]?.place ?? { line: 1, column: 1 });

export function compileCreateTable(compilation: Compilation, statement: Kind<'createTable'>): CompiledDdl {
  const { query, columns, like, copy, orReplace, ifNotExists, temporary, partitionBy } = statement;
  const relation = query && distinctColumns(compileQuery(compilation, undefined, query), statement.place);
  const copied = like ?? copy;
  const model = copied && findTable(compilation, pathOf(compilation, copied));
  const fields = columns ? columns.map(fieldOfDefinition) : model ? model.fields : (relation?.columns ?? []).map(({ name, type }) => fieldOf(name, type));
  const path = temporary ? temporaryPath(compilation, statement) : pathOf(compilation, statement.path);
  if (columns && relation && relation.columns.length !== columns.length) throw invalidQuery(`The number of columns in the column definition list does not match the number of columns produced by the query`, statement.place);
  const asSelect = relation ? castTo(relation, fields) : copy && model ? `SELECT * FROM ${model.duckName}` : undefined;
  return {
    statementType: query ? 'CREATE_TABLE_AS_SELECT' : 'CREATE_TABLE',
    ddl: {
      kind: 'create_table', path, orReplace, ifNotExists, temporary, fields, options: optionsOf(compilation, statement.options),
      ...(asSelect !== undefined && { asSelect }), ...(partitionBy !== undefined && { partitionBy }),
      ...(statement.clusterBy.length > 0 && { clustering: statement.clusterBy.map(({ text }) => text) }),
    },
  };
}

function temporaryPath(compilation: Compilation, { path, place }: Kind<'createTable'>): TablePath {
  const { project, temporaryDataset } = compilation.context;
  const names = path.map(({ text }) => text);
  if (temporaryDataset === undefined) throw invalidQuery('Use of CREATE TEMPORARY TABLE requires a script or session', place);
  if (names.length > 2 || (names.length === 2 && names[0]?.toUpperCase() !== '_SESSION')) throw invalidQuery(`CREATE TEMPORARY TABLE must not be qualified: ${names.join('.')}`, place);
  return { project, dataset: temporaryDataset, table: names.at(-1) ?? '' };
}

export function distinctColumns(relation: Relation, place: Statement['place']): Relation {
  const seen = new Set<string>();
  const flat = relation.isValueTable && relation.columns[0]?.type.kind === 'STRUCT' ? { ...relation } : relation;
  for (const { name } of flat.columns) {
    if (seen.has(name.toLowerCase())) throw invalidQuery(`Duplicate column names in the result are not supported. Found duplicate(s): ${name}`, place);
    seen.add(name.toLowerCase());
  }
  return relation;
}

function castTo(relation: Relation, fields: TableField[]): string {
  const list = relation.columns.map((column, index) => {
    const field = fields[index] as TableField;
    return `CAST(q.${quote(column.duckName)} AS ${duckType(typeOfField(field))}) AS ${quote(field.name)}`;
  });
  return `SELECT ${list.join(', ')} FROM (${relation.sql}) AS q`;
}

function fieldOfDefinition({ name, type, required, options, defaultText }: ColumnDefinition): TableField {
  const field = fieldOf(name.text, typeOfNode(type));
  const description = options.find((option) => option.name.toLowerCase() === 'description')?.value;
  return { ...field, ...(required && { mode: 'REQUIRED' }), ...(defaultText !== undefined && { defaultValueExpression: defaultText }), ...(description?.kind === 'literal' && { description: description.value }) };
}

export function optionsOf(compilation: Compilation, options: Option[]): Record<string, unknown> {
  return Object.fromEntries(options.map(({ name, value }) => [name.toLowerCase(), constant(compilation, value)]));
}

function constant(compilation: Compilation, expr: Expr): unknown {
  if (expr.kind === 'literal') {
    if (expr.type === 'INT64' || expr.type === 'FLOAT64') return Number(expr.value);
    if (expr.type === 'BOOL') return expr.value === 'true';
    return expr.type === 'NULL' ? null : expr.value;
  }
  if (expr.kind === 'array') return expr.items.map((item) => constant(compilation, item));
  if (expr.kind === 'struct') return expr.items.map((item) => constant(compilation, item.expr));
  // Anything else (a timestamp computed from now) is handed on as the DuckDB expression that gives it.
  return { duckSql: compileExpr(compilation, childScope(undefined), expr).sql };
}

export function compileCreateView(compilation: Compilation, statement: Kind<'createView'>): CompiledDdl {
  const relation = distinctColumns(compileQuery(compilation, undefined, statement.query), statement.place);
  const { orReplace, ifNotExists, columns: names } = statement;
  if (names && names.length !== relation.columns.length) throw invalidQuery(`The number of columns in the column list does not match the number of columns produced by the query: ${names.length} and ${relation.columns.length}`, statement.place);
  const queryText = names ? renamedQuery(relation, names, statement) : statement.queryText;
  relation.columns.forEach((column, index) => { column.name = names?.[index]?.text ?? column.name; });
  return {
    statementType: 'CREATE_VIEW',
    ddl: {
      kind: 'create_view', path: pathOf(compilation, statement.path), orReplace, ifNotExists, query: queryText,
      fields: relation.columns.map(({ name, type }) => fieldOf(name, type)), options: optionsOf(compilation, statement.options),
    },
  };
}

/** A view with a list of names is kept as a query that gives them. */
function renamedQuery(relation: Relation, names: Name[], { queryText, place }: Kind<'createView'>): string {
  if (relation.columns.some(({ name }) => /^f\d+_$/.test(name))) throw notSupported('A column list in CREATE VIEW over a column without a name', place);
  return `SELECT ${relation.columns.map(({ name }, index) => `\`${name}\` AS \`${names[index]?.text ?? name}\``).join(', ')} FROM (${queryText})`;
}

const argumentsOf = (args: FunctionArgument[]): RoutineArgument[] => args.map(({ name, type }) => ({ name, type: type.kind === 'ANY' ? undefined : typeOfNode(type) }));

/** The body is compiled once with NULLs for arguments, so that a mistake is found at creation, as in BigQuery. */
function probeScope(args: RoutineArgument[]) {
  const scope = childScope(undefined);
  scope.sources.push({ columns: args.map(({ name, type }) => ({ name, type: type ?? { kind: 'NULL' as const }, sql: 'NULL' })) });
  return scope;
}

export function compileCreateFunction(compilation: Compilation, statement: Kind<'createFunction'>): CompiledDdl {
  const path = pathOf(compilation, statement.path);
  const args = argumentsOf(statement.args);
  const { orReplace, ifNotExists, body, bodyText } = statement;
  const returns = statement.returns && typeOfNode(statement.returns);
  if (body.kind !== 'javascript' && args.every(({ type }) => type)) {
    const value = compileExpr(compilation, probeScope(args), body);
    if (returns) coerceOrThrow(value, returns, `function ${path.table}`, body.place);
  }
  const typed = { ...(returns && { returns }), ...(body.kind === 'javascript' && { language: 'JAVASCRIPT' as const }) };
  return {
    statementType: 'CREATE_FUNCTION',
    ddl: { kind: 'create_function', path, orReplace, ifNotExists, routine: { dataset: path.dataset, name: path.table, kind: 'SCALAR_FUNCTION', arguments: args, body: bodyText, ...typed } },
  };
}

export function compileCreateTableFunction(compilation: Compilation, statement: Kind<'createTableFunction'>): CompiledDdl {
  const path = pathOf(compilation, statement.path);
  const args = argumentsOf(statement.args);
  compileQuery(compilation, probeScope(args), statement.query);
  const { orReplace, ifNotExists, bodyText } = statement;
  return {
    statementType: 'CREATE_TABLE_FUNCTION',
    ddl: { kind: 'create_function', path, orReplace, ifNotExists, routine: { dataset: path.dataset, name: path.table, kind: 'TABLE_FUNCTION', arguments: args, body: bodyText } },
  };
}

export function compileCreateSchema(compilation: Compilation, statement: Kind<'createSchema'>): CompiledDdl {
  const [dataset, project] = statement.path.map(({ text }) => text).toReversed();
  return {
    statementType: 'CREATE_SCHEMA',
    ddl: { kind: 'create_schema', project: project ?? compilation.context.project, dataset: dataset ?? '', ifNotExists: statement.ifNotExists, options: optionsOf(compilation, statement.options) },
  };
}

export function compileAlter(compilation: Compilation, statement: Kind<'alterTable'>): CompiledDdl {
  return {
    statementType: 'ALTER_TABLE',
    ddl: {
      kind: 'alter_table', path: pathOf(compilation, statement.path), ifExists: statement.ifExists,
      actions: statement.actions.map((action) => {
        if (action.kind === 'addColumn') return { kind: 'add_column', ifNotExists: action.ifNotExists, field: fieldOfDefinition(action.column) };
        if (action.kind === 'dropColumn') return { kind: 'drop_column', name: action.name.text, ifExists: action.ifExists };
        if (action.kind === 'renameColumn') return { kind: 'rename_column', name: action.name.text, to: action.to.text, ifExists: action.ifExists };
        if (action.kind === 'renameTable') return { kind: 'rename_table', to: action.to.text };
        if (action.kind === 'alterColumn') return { kind: 'alter_column', name: action.name.text, ifExists: action.ifExists, change: columnChange(compilation, action) };
        return { kind: 'set_options', options: optionsOf(compilation, action.options) };
      }),
    },
  };
}

function columnChange(compilation: Compilation, { name, change }: Extract<AlterNode, { kind: 'alterColumn' }>): ColumnChange {
  if ('type' in change) return { type: fieldOf(name.text, typeOfNode(change.type)) };
  if ('nullable' in change) return { nullable: true };
  if ('defaultText' in change) return { defaultValueExpression: change.defaultText ?? null };
  const { description, ...others } = optionsOf(compilation, change.options);
  const [other] = Object.keys(others);
  if (other !== undefined) throw notSupported(`The option ${other} of a column`, name.place);
  return { description: description === null || description === undefined ? null : String(description) };
}

export function compileAlterSchema(compilation: Compilation, statement: Kind<'alterSchema'>): CompiledDdl {
  const [dataset, project] = statement.path.map(({ text }) => text).toReversed();
  return {
    statementType: 'ALTER_SCHEMA',
    ddl: { kind: 'alter_schema', project: project ?? compilation.context.project, dataset: dataset ?? '', ifExists: statement.ifExists, options: optionsOf(compilation, statement.options) },
  };
}

export function compileDrop(compilation: Compilation, statement: Kind<'drop'>): CompiledDdl {
  const { object, ifExists, cascade } = statement;
  const path = object === 'SCHEMA' ? resolvePath(compilation, [...statement.path.map(({ text }) => text), ''], statement.place) : pathOf(compilation, statement.path);
  return { statementType: `DROP_${object.replace(' ', '_')}` as StatementType, ddl: { kind: 'drop', object, path, ifExists, cascade } };
}
