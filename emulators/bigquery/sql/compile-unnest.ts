// UNNEST in a FROM clause in, a DuckDB relation and the names it brings out; called by the FROM compiler and for array subqueries.
import { structField } from './coerce.ts';
import type { Compilation } from './compilation.ts';
import { invalidQuery } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import { duckFieldName, INT64, typeName } from './sql-type.ts';
import type { Column, Source, Typed } from './scope.ts';

/** What an element of an array brings into scope: itself by its alias, and its fields by their bare names. */
export function elementSource(element: Typed, alias: string | undefined): Source {
  const columns: Column[] = element.type.kind === 'STRUCT'
    ? element.type.fields.map((field, index) => ({ name: field.name, sql: element.parts?.[index]?.sql ?? structField(element.sql, duckFieldName(field, index)), type: field.type }))
    : [];
  return { columns, value: element, isElement: true, ...(alias !== undefined && { alias }) };
}

/** An array in a FROM clause: as a relation of its own, and as what a join needs to unnest it beside another relation. */
export type Unnested = { sql: string; /** The element; its place in the array is no field of it, and so a source of its own. */ sources: Source[]; duckAlias: string; array: string; hasOffset: boolean };

/** The relation is written so that DuckDB's own rewriting of UNNEST applies: both unnests in one SELECT without FROM. */
export function compileUnnest(compilation: Compilation, array: Typed, alias: string | undefined, offset: string | undefined, place: Place): Unnested {
  if (array.type.kind !== 'ARRAY') {
    throw invalidQuery(`Values referenced in UNNEST must be arrays. UNNEST contains expression of type ${typeName(array.type)}`, place);
  }
  const duckAlias = compilation.id();
  const source = elementSource({ sql: `${duckAlias}.v`, type: array.type.element }, alias);
  const sources = [source, ...(offset === undefined ? [] : [{ columns: [{ name: offset, sql: `${duckAlias}.o`, type: INT64 }] }])];
  const position = offset === undefined ? '' : `, unnest(range(len(${array.sql}))) AS o`;
  return { sql: `(SELECT unnest(${array.sql}) AS v${position}) AS ${duckAlias}`, sources, duckAlias, array: array.sql, hasOffset: offset !== undefined };
}

/**
 * `left CROSS JOIN UNNEST(array)` as one SELECT that unnests while it reads the left side. Written as a lateral join, DuckDB keeps that form only
 * where no condition follows; with `WHERE key = …` it hashes the whole left side first, which took twenty times as long and gigabytes.
 * Answers the relation; `sources`, those of the left side, are replaced by ones that point into it.
 */
export function unnestBeside(left: string, sources: Source[], { duckAlias, array, hasOffset }: Unnested, keepsEmpty: boolean): string {
  const kept = liftSources(sources, duckAlias);
  // A LEFT JOIN has one row of NULLs for an array without elements.
  const elements = (list: string): string => (keepsEmpty ? `unnest(CASE WHEN len(${array}) > 0 THEN ${list} ELSE [NULL] END)` : `unnest(${list})`);
  const items = [...kept, `${elements(array)} AS v`, ...(hasOffset ? [`${elements(`range(len(${array}))`)} AS o`] : [])];
  return `(SELECT ${items.join(', ')} FROM ${left}) AS ${duckAlias}`;
}

/** Every column of these sources as an item of a select list; the sources are replaced by ones that point into the relation that it becomes. */
export function liftSources(sources: Source[], duckAlias: string): string[] {
  const kept: string[] = [];
  const keep = (sql: string): string => `${duckAlias}.c${kept.push(`${sql} AS c${kept.length}`) - 1}`;
  for (const [at, source] of sources.entries()) {
    const { value } = source;
    const lifted = value && { ...value, sql: keep(value.sql) };
    const columns = source.columns.map((column) => ({ ...column, sql: value && lifted && column.sql.includes(value.sql) ? column.sql.replaceAll(value.sql, lifted.sql) : keep(column.sql) }));
    sources[at] = { ...source, columns, ...(lifted && { value: lifted }) };
  }
  return kept;
}
