// INSERT, UPDATE, DELETE, MERGE and TRUNCATE trees in, DuckDB statements out; called by the statement compiler. DuckDB itself answers with the affected count.
import { coerceOrThrow } from './coerce.ts';
import type { Compilation } from './compilation.ts';
import { requireBool } from './compile-comparison.ts';
import { compileExpr } from './compile-expression.ts';
import { compileFrom } from './compile-from.ts';
import { compileQuery } from './compile-query.ts';
import { findTable, resolvePath } from './compile-table.ts';
import type { TableEntry, TableField } from './context.ts';
import { invalidQuery, notSupported } from './google-sql-error.ts';
import { quote, typeOfField } from './sql-type.ts';
import { childScope } from './scope.ts';
import type { Scope, Typed } from './scope.ts';
import type { Assignment, Expr, MergeClause, Name, Statement } from './tree.ts';

type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;
export type CompiledDml = { sql: string; target: TableEntry };

export function targetTable(compilation: Compilation, path: Name[]): TableEntry {
  const [first] = path;
  const table = findTable(compilation, resolvePath(compilation, path.map(({ text }) => text), first?.place ?? { line: 1, column: 1 }));
  if (table.type === 'VIEW') throw invalidQuery(`${table.dataset}.${table.table} is not allowed for this operation because it is a VIEW`, first?.place ?? { line: 1, column: 1 });
  return table;
}

function targetScope(target: TableEntry, alias: string, name: string): Scope {
  const scope = childScope(undefined);
  scope.sources.push({ alias: name, columns: target.fields.map((field) => ({ name: field.name, type: typeOfField(field), sql: `${alias}.${quote(field.name)}` })) });
  return scope;
}

const targetName = (path: Name[], alias: Name | undefined): string => alias?.text ?? path.at(-1)?.text ?? '';

function fieldNamed(target: TableEntry, name: Name): TableField {
  const field = target.fields.find((candidate) => candidate.name.toLowerCase() === name.text.toLowerCase());
  if (!field) throw invalidQuery(`Column ${name.text} is not present in table ${target.project}.${target.dataset}.${target.table}`, name.place);
  return field;
}

function assigned(value: Typed, field: TableField, place: Expr['place']): string {
  const type = typeOfField(field);
  if (value.type.kind !== type.kind && value.type.kind !== 'NULL' && !value.literal && value.type.kind === 'STRING') {
    throw invalidQuery(`Value has type ${value.type.kind} which cannot be inserted into column ${field.name}, which has type ${type.kind}`, place);
  }
  return coerceOrThrow(value, type, `column ${field.name}`, place).sql;
}

export function compileInsert(compilation: Compilation, statement: Kind<'insert'>): CompiledDml {
  const target = targetTable(compilation, statement.path);
  const fields = statement.columns ? statement.columns.map((name) => fieldNamed(target, name)) : target.fields;
  const list = fields.map(({ name }) => quote(name)).join(', ');
  const scope = childScope(undefined);
  if (statement.rows) {
    const rows = statement.rows.map((row) => {
      if (row.length !== fields.length) throw invalidQuery(`Inserted row has wrong column count; Has ${row.length}, expected ${fields.length}`, statement.place);
      const values = row.map((value, index) => (value === 'DEFAULT' ? 'NULL' : assigned(compileExpr(compilation, scope, value), fields[index] as TableField, value.place)));
      return `SELECT ${values.join(', ')}`;
    });
    return { sql: `INSERT INTO ${target.duckName} (${list}) ${rows.join(' UNION ALL ')}`, target };
  }
  if (!statement.query) throw invalidQuery('INSERT needs VALUES or a query', statement.place);
  const relation = compileQuery(compilation, scope, statement.query);
  if (relation.columns.length !== fields.length) throw invalidQuery(`Inserted row has wrong column count; Has ${relation.columns.length}, expected ${fields.length}`, statement.place);
  const alias = compilation.id();
  const values = relation.columns.map((column, index) => assigned({ sql: `${alias}.${quote(column.duckName)}`, type: column.type }, fields[index] as TableField, statement.place));
  return { sql: `INSERT INTO ${target.duckName} (${list}) SELECT ${values.join(', ')} FROM (${relation.sql}) AS ${alias}`, target };
}

function compileSets(compilation: Compilation, scope: Scope, target: TableEntry, sets: Assignment[]): string {
  return sets.map(({ path, value }) => {
    const own = path.length > 1 && !target.fields.some(({ name }) => name.toLowerCase() === path[0]?.text.toLowerCase()) ? path.slice(1) : path;
    const [name, ...rest] = own;
    if (!name) throw new Error('an assignment names a column');
    if (rest.length > 0) throw notSupported('UPDATE of a field inside a STRUCT', name.place);
    const field = fieldNamed(target, name);
    return `${quote(field.name)} = ${value === 'DEFAULT' ? 'NULL' : assigned(compileExpr(compilation, scope, value), field, value.place)}`;
  }).join(', ');
}

export function compileUpdate(compilation: Compilation, statement: Kind<'update'>): CompiledDml {
  const target = targetTable(compilation, statement.path);
  const alias = compilation.id();
  const scope = targetScope(target, alias, targetName(statement.path, statement.alias));
  const from = statement.from ? ` FROM ${compileFrom(compilation, scope, statement.from, undefined)}` : '';
  const sets = compileSets(compilation, scope, target, statement.sets);
  const where = requireBool(compileExpr(compilation, scope, statement.where), 'WHERE clause', statement.where.place);
  return { sql: `UPDATE ${target.duckName} AS ${alias} SET ${sets}${from} WHERE ${where.sql}`, target };
}

export function compileDelete(compilation: Compilation, statement: Kind<'delete'>): CompiledDml {
  const target = targetTable(compilation, statement.path);
  const alias = compilation.id();
  const scope = targetScope(target, alias, targetName(statement.path, statement.alias));
  const where = requireBool(compileExpr(compilation, scope, statement.where), 'WHERE clause', statement.where.place);
  return { sql: `DELETE FROM ${target.duckName} AS ${alias} WHERE ${where.sql}`, target };
}

export function compileTruncate(compilation: Compilation, statement: Kind<'truncate'>): CompiledDml {
  const target = targetTable(compilation, statement.path);
  return { sql: `DELETE FROM ${target.duckName}`, target };
}

export function compileMerge(compilation: Compilation, statement: Kind<'merge'>): CompiledDml {
  const target = targetTable(compilation, statement.path);
  const alias = compilation.id();
  const both = targetScope(target, alias, targetName(statement.path, statement.alias));
  const sourceScope = childScope(undefined);
  const source = compileFrom(compilation, sourceScope, statement.source, undefined);
  both.sources.push(...sourceScope.sources);
  const on = requireBool(compileExpr(compilation, both, statement.on), 'MERGE ON clause', statement.on.place).sql;
  const clauses = statement.clauses.map((clause) => {
    const scope = clause.when === 'NOT MATCHED' ? sourceScope : both;
    const and = clause.and ? ` AND ${requireBool(compileExpr(compilation, scope, clause.and), 'MERGE condition', clause.and.place).sql}` : '';
    const when = clause.when === 'NOT MATCHED' ? 'NOT MATCHED BY TARGET' : clause.when;
    return `WHEN ${when}${and} THEN ${mergeAction(compilation, scope, target, clause, sourceScope)}`;
  });
  return { sql: `MERGE INTO ${target.duckName} AS ${alias} USING ${source} ON ${on} ${clauses.join(' ')}`, target };
}

function mergeAction(compilation: Compilation, scope: Scope, target: TableEntry, clause: MergeClause, sourceScope: Scope): string {
  const { action } = clause;
  if (action.kind === 'delete') return 'DELETE';
  if (action.kind === 'update') return `UPDATE SET ${compileSets(compilation, scope, target, action.sets)}`;
  if (action.kind === 'insertRow') {
    const columns = sourceScope.sources.flatMap((source) => source.columns);
    if (columns.length !== target.fields.length) throw invalidQuery(`Inserted row has wrong column count; Has ${columns.length}, expected ${target.fields.length}`, clause.place);
    return `INSERT (${target.fields.map(({ name }) => quote(name)).join(', ')}) VALUES (${columns.map((column, index) => assigned({ sql: column.sql, type: column.type }, target.fields[index] as TableField, clause.place)).join(', ')})`;
  }
  const fields = action.columns ? action.columns.map((name) => fieldNamed(target, name)) : target.fields;
  if (fields.length !== action.values.length) throw invalidQuery(`Inserted row has wrong column count; Has ${action.values.length}, expected ${fields.length}`, clause.place);
  const values = action.values.map((value, index) => (value === 'DEFAULT' ? 'NULL' : assigned(compileExpr(compilation, scope, value), fields[index] as TableField, value.place)));
  return `INSERT (${fields.map(({ name }) => quote(name)).join(', ')}) VALUES (${values.join(', ')})`;
}
