// A dotted name and a scope in, the value it means out: columns, aliases, fields, arguments, variables; called by the expression compiler.
import { structField } from './coerce.ts';
import type { SqlType } from './context.ts';
import { invalidQuery } from './google-sql-error.ts';
import type { Compilation } from './compilation.ts';
import { didYouMean } from './did-you-mean.ts';
import { duckFieldName, structPack, text, typeName } from './sql-type.ts';
import type { Column, Scope, Source, Typed } from './scope.ts';
import type { Name } from './tree.ts';

/** `through` is what the name goes through on its way: grouping by an element of an array groups its fields, too. */
type Found = { value: Typed; used: number; scope?: Scope; through?: Typed };

export function resolveName(compilation: Compilation, scope: Scope, parts: Name[]): Typed {
  const [first] = parts;
  if (!first) throw new Error('a name has at least one part');
  const found = findInScopes(scope, parts) ?? findVariable(compilation, first);
  if (!found) throw unrecognized(scope, parts, first);
  const prefixes = [found.value.sql, ...(found.through ? [found.through.sql] : [])];
  let { value } = found;
  for (const part of parts.slice(found.used)) {
    value = fieldOfValue(value, part);
    prefixes.push(value.sql);
  }
  checkDistinct(found, prefixes, parts);
  checkGrouped(found.scope, prefixes, parts);
  return value;
}

/** A dotted name that is not known at its first part is told by that part alone, as BigQuery does. */
function unrecognized(scope: Scope, parts: Name[], first: Name): Error {
  if (parts.length > 1) return invalidQuery(`Unrecognized name: ${first.text}`, first.place);
  const known: string[] = [];
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    known.push(...at.sources.flatMap(({ alias, columns }) => [...(alias === undefined ? [] : [alias]), ...columns.map(({ name }) => name).filter((name) => name !== '')]), ...(at.aliases?.keys() ?? []));
  }
  return invalidQuery(`Unrecognized name: ${first.text}${didYouMean(first.text, known)}`, first.place);
}

function findInScopes(scope: Scope | undefined, parts: Name[]): Found | undefined {
  for (let at = scope; at; at = at.parent) {
    const found = findInScope(at, parts);
    if (found) return { ...found, scope: at };
  }
  return undefined;
}

/** What a name stands for, alike for `ts` and `e.ts`; undefined where it stands for nothing, or for several things. */
export function namesIn(scope: Scope): (parts: Name[]) => string | undefined {
  return (parts) => {
    try {
      const found = findInScopes(scope, parts);
      return found && [found.value.sql, ...parts.slice(found.used).map(({ text: field }) => field.toLowerCase())].join('.');
    } catch {
      return undefined;
    }
  };
}

function findInScope(scope: Scope, parts: Name[]): Found | undefined {
  const [first, second] = parts;
  if (!first) return undefined;
  const key = first.text.toLowerCase();
  const alias = scope.insideAggregate ? undefined : scope.aliases?.get(key);
  if (alias) return { value: alias, used: 1 };
  const source = scope.sources.find((candidate) => candidate.alias?.toLowerCase() === key);
  if (source && second) {
    const column = source.columns.find((candidate) => candidate.name.toLowerCase() === second.text.toLowerCase());
    if (column) return { value: valueOf(column), used: 2, ...(source.value && { through: source.value }) };
    if (!source.isElement && !hasColumn(scope, key)) {
      throw invalidQuery(`Name ${second.text} not found inside ${first.text}`, second.place);
    }
  }
  if (source?.isElement && source.value) return { value: source.value, used: 1 };
  // The name of a table goes before a column of the same name, unless the rest of the path is not in the table.
  if (source && !second) return { value: source.value ?? rowValue(source), used: 1 };
  const found = findColumn(scope, first);
  return found && { value: valueOf(found.column), used: 1, ...(found.source.value && { through: found.source.value }) };
}

const valueOf = (column: Column): Typed => ({ sql: column.sql, type: column.type });
const hasColumn = (scope: Scope, key: string): boolean => scope.sources.some(({ columns }) => columns.some(({ name }) => name.toLowerCase() === key));

function findColumn(scope: Scope, name: Name): { column: Column; source: Source } | undefined {
  const key = name.text.toLowerCase();
  const matches = scope.sources.flatMap((source) => source.columns.filter((column) => !column.onlyQualified && column.name.toLowerCase() === key).map((column) => ({ column, source })));
  if (matches.length > 1) throw invalidQuery(`Column name ${name.text} is ambiguous`, name.place);
  return matches[0];
}

/** The whole row of a table as a STRUCT, as in TO_JSON_STRING(t). */
export function rowValue(source: Source): Typed {
  const columns = source.columns.filter(({ hidden }) => !hidden);
  const type: SqlType = { kind: 'STRUCT', fields: columns.map(({ name, type: columnType }) => ({ name, type: columnType })) };
  return { sql: structPack(columns.map((column, index) => ({ ...column, name: duckFieldName(column, index) }))), type, parts: columns.map(valueOf) };
}

function findVariable(compilation: Compilation, name: Name): Found | undefined {
  const key = name.text.toLowerCase();
  const variable = compilation.variables.get(key);
  if (!variable) return undefined;
  return { value: { sql: variable.sql ?? 'NULL', type: variable.type }, used: 1 };
}

export function fieldOfValue(value: Typed, name: Name): Typed {
  if (value.type.kind === 'JSON') {
    return { sql: `json_extract(${value.sql}, ${text(`$."${name.text.replaceAll('"', '\\"')}"`)})`, type: value.type };
  }
  if (value.type.kind !== 'STRUCT') {
    throw invalidQuery(`Cannot access field ${name.text} on a value with type ${typeName(value.type)}`, name.place);
  }
  const isMeant = (field: { name: string }): boolean => field.name.toLowerCase() === name.text.toLowerCase();
  const index = value.type.fields.findIndex(isMeant);
  if (value.type.fields.findLastIndex(isMeant) !== index) throw invalidQuery(`Struct field name ${name.text} is ambiguous`, name.place);
  const field = value.type.fields[index];
  if (!field) throw invalidQuery(`Field name ${name.text} does not exist in ${typeName(value.type)}${didYouMean(name.text, value.type.fields.map((known) => known.name))}`, name.place);
  return value.parts?.[index] ?? { sql: structField(value.sql, duckFieldName(field, index)), type: field.type };
}

function checkDistinct({ scope, value }: Found, prefixes: string[], parts: Name[]): void {
  if (!scope?.distinct || prefixes.some((sql) => scope.distinct?.has(sql)) || [...scope.aliases?.values() ?? []].includes(value)) return;
  const what = parts.length === 1 ? 'column ' : '';
  throw invalidQuery(`ORDER BY clause expression references ${what}${parts.map((part) => part.text).join('.')} which is not visible after SELECT DISTINCT`, parts[0]?.place ?? { line: 1, column: 1 });
}

function checkGrouped(scope: Scope | undefined, prefixes: string[], parts: Name[]): void {
  if (!scope?.grouping || scope.insideAggregate) return;
  const { grouping, aliases } = scope;
  const [first] = parts;
  if (!first || aliases?.has(first.text.toLowerCase())) return;
  if (prefixes.some((sql) => grouping.sqls.has(sql))) return;
  throw invalidQuery(`${scope.clause ?? 'SELECT list'} expression references column ${parts.map((part) => part.text).join('.')} which is neither grouped nor aggregated`, first.place);
}
