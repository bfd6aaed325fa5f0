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
    ? element.type.fields.map((field, index) => ({ name: field.name, sql: structField(element.sql, duckFieldName(field, index)), type: field.type }))
    : [];
  return { columns, value: element, isElement: true, ...(alias !== undefined && { alias }) };
}

/** The relation is written so that DuckDB's own rewriting of UNNEST applies: both unnests in one SELECT without FROM. */
export function compileUnnest(compilation: Compilation, array: Typed, alias: string | undefined, offset: string | undefined, place: Place): { sql: string; source: Source; duckAlias: string } {
  if (array.type.kind !== 'ARRAY') {
    throw invalidQuery(`Values referenced in UNNEST must be arrays. UNNEST contains expression of type ${typeName(array.type)}`, place);
  }
  const duckAlias = compilation.id();
  const source = elementSource({ sql: `${duckAlias}.v`, type: array.type.element }, alias);
  if (offset !== undefined) source.columns.push({ name: offset, sql: `${duckAlias}.o`, type: INT64 });
  const position = offset === undefined ? '' : `, unnest(range(len(${array.sql}))) AS o`;
  return { sql: `(SELECT unnest(${array.sql}) AS v${position}) AS ${duckAlias}`, source, duckAlias };
}
