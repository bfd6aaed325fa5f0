// INSERT, UPDATE, DELETE, MERGE and TRUNCATE trees in, DuckDB statements out; called by the statement compiler. DuckDB itself answers with the affected count.
import { coerce, structField } from './coerce.ts';
import type { Compilation } from './compilation.ts';
import { requireBool } from './compile-comparison.ts';
import { compileExpr } from './compile-expression.ts';
import { compileFrom } from './compile-from.ts';
import { compileQuery } from './compile-query.ts';
import { findTable, resolvePath } from './compile-table.ts';
import type { TableEntry, TableField } from './context.ts';
import { Cursor } from './cursor.ts';
import { invalidQuery } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import { parseExpr } from './parse-expression.ts';
import { duckType, quote, typeName, typeOfField } from './sql-type.ts';
import { storedValue } from './stored-value.ts';
import { childScope } from './scope.ts';
import type { Scope, Typed } from './scope.ts';
import type { Assignment, Expr, MergeClause, Name, Statement } from './tree.ts';

type Kind<K extends Statement['kind']> = Extract<Statement, { kind: K }>;
/** `check` raises what DuckDB would let pass; it runs first, in the same transaction. */
export type CompiledDml = { sql: string; check?: string; target: TableEntry };

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

function assigned(value: Typed, field: TableField, place: Place, what = 'Value'): string {
  const type = typeOfField(field);
  const coerced = coerce(value, type);
  if (!coerced) throw invalidQuery(`${what} has type ${typeName(value.type)} which cannot be inserted into column ${field.name}, which has type ${typeName(type)}`, place);
  return storedValue(coerced.sql, type);
}

/** A column's DEFAULT; without one NULL, or no elements. */
function defaultSql(compilation: Compilation, field: TableField): string {
  if (field.defaultValueExpression === undefined) return field.mode === 'REPEATED' ? `CAST([] AS ${duckType(typeOfField(field))})` : 'NULL';
  const expr = parseExpr(new Cursor(field.defaultValueExpression));
  return assigned(compileExpr(compilation, childScope(undefined), expr), field, expr.place);
}

export function compileInsert(compilation: Compilation, statement: Kind<'insert'>): CompiledDml {
  const target = targetTable(compilation, statement.path);
  const fields = statement.columns ? statement.columns.map((name) => fieldNamed(target, name)) : target.fields;
  const left = target.fields.filter((field) => field.defaultValueExpression !== undefined && !fields.includes(field));
  const defaults = left.map((field) => defaultSql(compilation, field));
  const into = `INSERT INTO ${target.duckName} (${[...fields, ...left].map(({ name }) => quote(name)).join(', ')})`;
  if (statement.rows) {
    const rows = statement.rows.map((row) => `SELECT ${[...insertedRow(compilation, childScope(undefined), row, fields, statement.place), ...defaults].join(', ')}`);
    return { sql: `${into} ${rows.join(' UNION ALL ')}`, target };
  }
  if (!statement.query) throw invalidQuery('INSERT needs VALUES or a query', statement.place);
  const relation = compileQuery(compilation, undefined, statement.query);
  if (relation.columns.length !== fields.length) throw invalidQuery(`Inserted row has wrong column count; Has ${relation.columns.length}, expected ${fields.length}`, statement.place);
  const alias = compilation.id();
  const values = relation.columns.map((column, index) => assigned({ sql: `${alias}.${quote(column.duckName)}`, type: column.type, ...(column.literal && { literal: true as const }) }, fields[index] as TableField, statement.place, `Query column ${index + 1}`));
  return { sql: `${into} SELECT ${[...values, ...defaults].join(', ')} FROM (${relation.sql}) AS ${alias}`, target };
}

function insertedRow(compilation: Compilation, scope: Scope, row: (Expr | 'DEFAULT')[], fields: TableField[], place: Place): string[] {
  if (row.length !== fields.length) throw invalidQuery(`Inserted row has wrong column count; Has ${row.length}, expected ${fields.length}`, place);
  return row.map((value, index) => {
    const field = fields[index] as TableField;
    return value === 'DEFAULT' ? defaultSql(compilation, field) : assigned(compileExpr(compilation, scope, value), field, value.place);
  });
}

function compileSets(compilation: Compilation, scope: Scope, target: TableEntry, sets: Assignment[], alias: string, raisesOnNull = true): string {
  const byColumn = new Map<TableField, { rest: Name[]; value: Assignment['value'] }[]>();
  for (const { path, value } of sets) {
    const isQualified = path.length > 1 && !target.fields.some(({ name }) => name.toLowerCase() === path[0]?.text.toLowerCase());
    const [name, ...rest] = isQualified ? path.slice(1) : path;
    if (!name) throw new Error('an assignment names a column');
    const field = fieldNamed(target, name);
    const other = byColumn.get(field) ?? [];
    if (other.some((earlier) => overlaps(earlier.rest, rest))) throw invalidQuery(`Update item ${path.map(({ text }) => text).join('.')} assigned more than once`, name.place);
    byColumn.set(field, [...other, { rest, value }]);
  }
  return [...byColumn].map(([field, changes]) => `${quote(field.name)} = ${changedField(compilation, scope, field, `${alias}.${quote(field.name)}`, changes, raisesOnNull)}`).join(', ');
}

const overlaps = (a: Name[], b: Name[]): boolean => a.every(({ text }, index) => b[index] === undefined || b[index].text.toLowerCase() === text.toLowerCase());

/**
 * `SET r.a = x` makes the STRUCT again with that field changed. In a MERGE DuckDB computes this for rows that the clause does not meet, so
 * that nothing may be raised there: a NULL STRUCT becomes one of NULLs.
 */
function changedField(compilation: Compilation, scope: Scope, field: TableField, current: string, changes: { rest: Name[]; value: Assignment['value'] }[], raisesOnNull: boolean): string {
  const [first] = changes;
  if (first && first.rest.length === 0) return first.value === 'DEFAULT' ? defaultSql(compilation, field) : assigned(compileExpr(compilation, scope, first.value), field, first.value.place);
  const inner = field.fields ?? [];
  const place = first?.rest[0]?.place ?? { line: 1, column: 1 };
  if (inner.length === 0 || field.mode === 'REPEATED') throw invalidQuery(`Cannot access field ${first?.rest[0]?.text ?? ''} on a value with type ${typeName(typeOfField(field))}`, place);
  for (const { rest } of changes) {
    const [name] = rest;
    if (name && !inner.some((candidate) => candidate.name.toLowerCase() === name.text.toLowerCase())) throw invalidQuery(`Field name ${name.text} does not exist in ${typeName(typeOfField(field))}`, name.place);
  }
  const parts = inner.map((part) => {
    const own = changes.filter(({ rest }) => rest[0]?.text.toLowerCase() === part.name.toLowerCase()).map(({ rest, value }) => ({ rest: rest.slice(1), value }));
    const value = structField(current, part.name);
    return `${quote(part.name)} := ${own.length > 0 ? changedField(compilation, scope, part, value, own, raisesOnNull) : value}`;
  });
  const changed = `struct_pack(${parts.join(', ')})`;
  return raisesOnNull ? `CASE WHEN ${current} IS NULL THEN error('Cannot set field of NULL STRUCT') ELSE ${changed} END` : changed;
}

/** BigQuery refuses to change a row twice in one statement, where DuckDB takes any of the source rows. */
function onceEach(target: TableEntry, alias: string, source: string, condition: string): string {
  return `SELECT CASE WHEN EXISTS (SELECT 1 FROM ${target.duckName} AS ${alias}, ${source} WHERE ${condition} GROUP BY ${alias}.rowid HAVING count(*) > 1) THEN error('UPDATE/MERGE must match at most one source row for each target row') END`;
}

export function compileUpdate(compilation: Compilation, statement: Kind<'update'>): CompiledDml {
  const target = targetTable(compilation, statement.path);
  const alias = compilation.id();
  const scope = targetScope(target, alias, targetName(statement.path, statement.alias));
  const from = statement.from && compileFrom(compilation, scope, statement.from, undefined);
  const sets = compileSets(compilation, scope, target, statement.sets, alias);
  const where = requireBool(compileExpr(compilation, scope, statement.where), 'WHERE clause', statement.where.place);
  return {
    target, ...(from !== undefined && { check: onceEach(target, alias, from, where.sql) }),
    sql: `UPDATE ${target.duckName} AS ${alias} SET ${sets}${from === undefined ? '' : ` FROM ${from}`} WHERE ${where.sql}`,
  };
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
  const own = targetScope(target, alias, targetName(statement.path, statement.alias));
  const sourceScope = childScope(undefined);
  const source = compileFrom(compilation, sourceScope, statement.source, undefined);
  both.sources.push(...sourceScope.sources);
  const on = requireBool(compileExpr(compilation, both, statement.on), 'MERGE ON clause', statement.on.place).sql;
  const matched: string[] = [];
  const clauses = statement.clauses.map((clause) => {
    const scope = clause.when === 'NOT MATCHED' ? sourceScope : clause.when === 'MATCHED' ? both : own;
    const and = clause.and ? requireBool(compileExpr(compilation, scope, clause.and), 'MERGE condition', clause.and.place).sql : undefined;
    if (clause.when === 'MATCHED') matched.push(and ?? 'true');
    const when = clause.when === 'NOT MATCHED' ? 'NOT MATCHED BY TARGET' : clause.when;
    return `WHEN ${when}${and === undefined ? '' : ` AND ${and}`} THEN ${mergeAction(compilation, scope, target, clause, sourceScope, alias)}`;
  });
  const check = matched.length > 0 ? { check: onceEach(target, alias, source, `(${on}) AND (${matched.join(' OR ')})`) } : {};
  return { ...check, sql: `MERGE INTO ${target.duckName} AS ${alias} USING ${source} ON ${on} ${clauses.join(' ')}`, target };
}

function mergeAction(compilation: Compilation, scope: Scope, target: TableEntry, clause: MergeClause, sourceScope: Scope, alias: string): string {
  const { action } = clause;
  if (action.kind === 'delete') return 'DELETE';
  if (action.kind === 'update') return `UPDATE SET ${compileSets(compilation, scope, target, action.sets, alias, false)}`;
  if (action.kind === 'insertRow') {
    const columns = sourceScope.sources.flatMap((source) => source.columns);
    if (columns.length !== target.fields.length) throw invalidQuery(`Inserted row has wrong column count; Has ${columns.length}, expected ${target.fields.length}`, clause.place);
    return `INSERT (${target.fields.map(({ name }) => quote(name)).join(', ')}) VALUES (${columns.map((column, index) => assigned({ sql: column.sql, type: column.type }, target.fields[index] as TableField, clause.place)).join(', ')})`;
  }
  const fields = action.columns ? action.columns.map((name) => fieldNamed(target, name)) : target.fields;
  const left = target.fields.filter((field) => field.defaultValueExpression !== undefined && !fields.includes(field));
  const values = [...insertedRow(compilation, scope, action.values, fields, clause.place), ...left.map((field) => defaultSql(compilation, field))];
  return `INSERT (${[...fields, ...left].map(({ name }) => quote(name)).join(', ')}) VALUES (${values.join(', ')})`;
}
