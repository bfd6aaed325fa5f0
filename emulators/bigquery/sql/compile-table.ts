// A table's written name in, the DuckDB relation out: tables, views, wildcards, INFORMATION_SCHEMA, table functions; called by the FROM compiler.
import { coerceOrThrow } from './coerce.ts';
import type { Compilation } from './compilation.ts';
import { compileExpr } from './compile-expression.ts';
import { compileQuery } from './compile-query.ts';
import type { TableEntry, TablePath } from './context.ts';
import { Cursor } from './cursor.ts';
import { GoogleSqlError, invalidQuery, notSupported } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import { compileInformationSchema } from './information-schema.ts';
import { parseQuery } from './parse-query.ts';
import { quote, text, TIMESTAMP, typeOfField } from './sql-type.ts';
import { childScope } from './scope.ts';
import type { Relation, Scope, Source } from './scope.ts';
import type { Expr, FromItem, Name } from './tree.ts';
import { compileWildcard } from './wildcard.ts';

export function compileTable(compilation: Compilation, path: Name[], where: Expr | undefined, scope: Scope, { asOf, alias: name }: { asOf?: Expr | undefined; alias?: string | undefined } = {}): { sql: string; source: Source } {
  const information = compileInformationSchema(compilation, path);
  if (information) return relationSource(compilation, information);
  const place = path[0]?.place ?? { line: 1, column: 1 };
  const resolved = resolvePath(compilation, path.map(({ text }) => text), place);
  if (asOf && resolved.table.endsWith('*')) throw notSupported('FOR SYSTEM_TIME AS OF a wildcard table', asOf.place);
  if (resolved.table.endsWith('*')) return compileWildcard(compilation, resolved, where, { alias: name, aliases: scope.namesOfOne }, place);
  const table = findTable(compilation, resolved);
  if (table.type === 'VIEW') return relationSource(compilation, compileView(compilation, table, place));
  const alias = compilation.id();
  const columns = table.fields.map((field) => ({ name: field.name, type: typeOfField(field), sql: `${alias}.${quote(field.name)}` }));
  return { sql: `${asOf ? tableAt(compilation, table, asOf) : table.duckName} AS ${alias}`, source: { columns } };
}

/** No old rows are kept here: a time since the table's last change reads it as it is, an earlier one stops the query. */
function tableAt(compilation: Compilation, table: TableEntry, asOf: Expr): string {
  const time = coerceOrThrow(compileExpr(compilation, childScope(undefined), asOf), TIMESTAMP, 'FOR SYSTEM_TIME AS OF', asOf.place);
  const changed = `make_timestamptz(${Math.round((table.modifiedMs ?? table.createdMs) * 1000)}::BIGINT)`;
  const message = text(`FOR SYSTEM_TIME AS OF a time before the last change of ${table.dataset}.${table.table} is not supported by the local BigQuery`);
  return `(SELECT * FROM ${table.duckName} WHERE CASE WHEN ${time.sql} < ${changed} THEN error(${message}) ELSE true END)`;
}

export function resolvePath(compilation: Compilation, parts: string[], place: Place): TablePath {
  const [table, dataset, ...project] = parts.toReversed();
  const { context } = compilation;
  if (table === undefined) throw invalidQuery('Syntax error: Expected a table name', place);
  const isTemporary = dataset === undefined || (project.length === 0 && dataset.toUpperCase() === '_SESSION');
  if (isTemporary && context.temporaryDataset !== undefined && (dataset !== undefined || context.catalogue.find(context.project, context.temporaryDataset, table))) {
    return { project: context.project, dataset: context.temporaryDataset, table };
  }
  const datasetName = dataset ?? context.defaultDataset;
  if (datasetName === undefined) throw invalidQuery(`Table "${table}" must be qualified with a dataset (e.g. dataset.table)`, place);
  return { project: project.length > 0 ? project.toReversed().join('.') : context.project, dataset: datasetName, table };
}

function checkDataset({ context }: Compilation, { project, dataset }: TablePath): void {
  const isKnown = dataset.startsWith('_') || context.catalogue.datasets().some((entry) => entry.project === project && entry.dataset === dataset);
  if (!isKnown) throw new GoogleSqlError('notFound', `Not found: Dataset ${project}:${dataset} was not found in location US`);
}

export function findTable(compilation: Compilation, path: TablePath): TableEntry {
  const table = compilation.context.catalogue.find(path.project, path.dataset, path.table);
  if (!table) checkDataset(compilation, path);
  if (!table) throw new GoogleSqlError('notFound', `Not found: Table ${path.project}:${path.dataset}.${path.table} was not found in location US`);
  compilation.touch(table);
  return table;
}

function compileView(compilation: Compilation, view: TableEntry, place: Place): Relation {
  return compilation.nested(place, view, () => compileQuery(compilation, undefined, parseQuery(new Cursor(view.viewQuery ?? ''))));
}

function relationSource(compilation: Compilation, relation: Relation): { sql: string; source: Source } {
  const alias = compilation.id();
  return {
    sql: `(${relation.sql}) AS ${alias}`,
    source: { columns: relation.columns.map(({ name, duckName, type }) => ({ name, type, sql: `${alias}.${quote(duckName)}` })) },
  };
}

/** The body with the arguments' values in place of their names. */
export function compileTableFunction(compilation: Compilation, scope: Scope, item: Extract<FromItem, { kind: 'tableFunction' }>): Relation {
  const path = resolvePath(compilation, item.path.map(({ text }) => text), item.place);
  const routine = compilation.context.catalogue.routine(path.dataset, path.table);
  if (!routine || routine.kind !== 'TABLE_FUNCTION') {
    throw invalidQuery(`Table-valued function not found: ${item.path.map(({ text }) => text).join('.')}`, item.place);
  }
  if (routine.arguments.length !== item.args.length) {
    throw invalidQuery(`Number of arguments does not match for table-valued function ${routine.name}: expected ${routine.arguments.length}, got ${item.args.length}`, item.place);
  }
  const body = childScope(undefined);
  const columns = routine.arguments.map((argument, index) => {
    const value = compileExpr(compilation, scope, item.args[index] as Expr);
    const typed = argument.type ? coerceOrThrow(value, argument.type, `table-valued function ${routine.name}`, item.place) : value;
    return { name: argument.name, sql: typed.sql, type: typed.type, ...(typed.literal !== undefined && { literal: typed.literal }) };
  });
  body.sources.push({ columns });
  return compilation.nested(item.place, routine, () => compileQuery(compilation, body, parseQuery(new Cursor(routine.body))));
}
