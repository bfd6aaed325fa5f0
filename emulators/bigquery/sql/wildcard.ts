// `prefix*` in, one relation over the matching shards out, with _TABLE_SUFFIX as a column; called by the table compiler.
import { coerce, freshParameter, structField } from './coerce.ts';
import type { Compilation } from './compilation.ts';
import type { SqlType, TableEntry, TableField, TablePath } from './context.ts';
import { GoogleSqlError, invalidQuery } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import { duckType, quote, sameType, STRING, text, typeName, typeOfField } from './sql-type.ts';
import type { Source } from './scope.ts';
import { keepsSuffix } from './suffix-filter.ts';
import type { Expr } from './tree.ts';

/**
 * `aliases` are those of the FROM clause when no other relation is in it, whose columns a name in the filter could mean.
 * As in BigQuery: the columns are those of the newest matching table, checked against all of them; the suffix filter then leaves tables out.
 */
export function compileWildcard(compilation: Compilation, path: TablePath, where: Expr | undefined, { alias, aliases }: { alias: string | undefined; aliases: Set<string> | undefined }, place: Place): { sql: string; source: Source } {
  const prefix = path.table.slice(0, -1);
  const matching = compilation.context.catalogue.list(path.dataset).filter(({ table }) => table.startsWith(prefix));
  const [newest] = matching.toSorted((a, b) => b.createdMs - a.createdMs || (a.table < b.table ? 1 : -1));
  if (!newest) throw new GoogleSqlError('notFound', `Not found: ${path.project}:${path.dataset}.${path.table} does not match any table`);
  const view = matching.find(({ type }) => type === 'VIEW');
  if (view) throw invalidQuery(`Views cannot be queried through prefix. Matched views are: ${path.project}:${path.dataset}.${view.table}`, place);
  const columns = newest.fields.map((field) => ({ name: field.name, type: typeOfField(field) }));
  const names = new Set(newest.fields.flatMap(allNames));
  const isAlias = (name: string): boolean => name.toLowerCase() === alias?.toLowerCase();
  const mayBeVariable = (name: string): boolean => aliases !== undefined && !aliases.has(name.toLowerCase()) && !names.has(name.toLowerCase());
  const kept = compilation.filtering({ isAlias, mayBeVariable }, () => matching.filter(({ table }) => keepsSuffix(compilation, where, table.slice(prefix.length))));
  const parts = kept.map((table) => {
    compilation.touch(table);
    return shardSql(table, columns, prefix, place);
  });
  for (const table of matching) if (!kept.includes(table)) shardSql(table, columns, prefix, place);
  const nothing = `SELECT ${columns.map(({ name, type }) => `CAST(NULL AS ${duckType(type)}) AS ${quote(name)}`).join(', ')}, '' AS _TABLE_SUFFIX WHERE false`;
  const duckAlias = compilation.id();
  const source: Source = {
    columns: [
      ...columns.map(({ name, type }) => ({ name, type, sql: `${duckAlias}.${quote(name)}` })),
      { name: '_TABLE_SUFFIX', type: STRING, sql: `${duckAlias}._TABLE_SUFFIX`, hidden: true },
    ],
  };
  return { sql: `(${parts.length > 0 ? parts.join(' UNION ALL ') : nothing}) AS ${duckAlias}`, source };
}

/** With those inside, which an UNNEST would bring. */
const allNames = (field: TableField): string[] => [field.name.toLowerCase(), ...(field.fields ?? []).flatMap(allNames)];

function shardSql(table: TableEntry, columns: { name: string; type: SqlType }[], prefix: string, place: Place): string {
  const list = columns.map(({ name, type }) => {
    const field = table.fields.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
    if (!field) return `${absent(type)} AS ${quote(name)}`;
    const value = adapt(quote(field.name), typeOfField(field), type);
    if (value === undefined) {
      throw invalidQuery(`Cannot read field '${name}' of type ${typeName(typeOfField(field))} in table ${table.project}:${table.dataset}.${table.table} as ${typeName(type)}`, place);
    }
    return `${value} AS ${quote(name)}`;
  });
  return `SELECT ${list.join(', ')}, ${text(table.table.slice(prefix.length))} AS _TABLE_SUFFIX FROM ${table.duckName}`;
}

const absent = (type: SqlType): string => `CAST(${type.kind === 'ARRAY' ? '[]' : 'NULL'} AS ${duckType(type)})`;

/** Records of an older shard may lack fields; they read as NULL, or as no elements. */
function adapt(sql: string, from: SqlType, to: SqlType): string | undefined {
  if (duckType(from) === duckType(to)) return sql;
  if (from.kind === 'STRUCT' && to.kind === 'STRUCT') {
    const parts = to.fields.map((wanted) => {
      const field = from.fields.find((candidate) => candidate.name.toLowerCase() === wanted.name.toLowerCase());
      const value = field ? adapt(structField(sql, field.name), field.type, wanted.type) : absent(wanted.type);
      return value === undefined ? undefined : `${quote(wanted.name)} := ${value}`;
    });
    return parts.includes(undefined) ? undefined : `CASE WHEN ${sql} IS NOT NULL THEN struct_pack(${parts.join(', ')}) END`;
  }
  if (from.kind === 'ARRAY' && to.kind === 'ARRAY') {
    const parameter = freshParameter(sql);
    const inner = adapt(parameter, from.element, to.element);
    return inner && `list_transform(${sql}, lambda ${parameter}: ${inner})`;
  }
  return sameType(from, to) ? sql : coerce({ sql, type: from }, to)?.sql;
}
