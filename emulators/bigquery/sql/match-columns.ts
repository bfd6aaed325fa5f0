// The two sides of a set operation BY NAME or CORRESPONDING in, the same two with their columns in one order out; called by the query compiler.
import type { Compilation } from './compilation.ts';
import { invalidQuery } from './google-sql-error.ts';
import type { Relation } from './scope.ts';
import { duckType, quote } from './sql-type.ts';
import type { SetOperation } from './tree.ts';

export function matchColumns(compilation: Compilation, { match, op, all, place }: SetOperation, left: Relation, right: Relation): [Relation, Relation] {
  const what = `${op} ${all ? 'ALL' : 'DISTINCT'} BY NAME`;
  const named = (side: Relation): Map<string, Relation['columns'][number]> => new Map(side.columns.map((column) => [column.name.toLowerCase(), column]));
  const sides = [named(left), named(right)] as const;
  const listed = match?.columns?.map(({ text }) => text);
  const missing = (name: string, side: string): Error => invalidQuery(`Column ${name} in ${what} is not found in the ${side} input query`, place);
  let names = listed ?? left.columns.map(({ name }) => name);
  if (match?.mode === 'STRICT') {
    for (const name of [...names, ...(listed ? [] : right.columns.map((column) => column.name))]) {
      if (!sides[0].has(name.toLowerCase())) throw missing(name, 'left');
      if (!sides[1].has(name.toLowerCase())) throw missing(name, 'right');
    }
  }
  if (match?.mode === 'INNER') names = names.filter((name) => sides[0].has(name.toLowerCase()) && sides[1].has(name.toLowerCase()));
  if (match?.mode === 'FULL' && !listed) names = [...names, ...right.columns.map(({ name }) => name).filter((name) => !sides[0].has(name.toLowerCase()))];
  if (names.length === 0) throw invalidQuery(`${what} has no columns that both queries have`, place);
  return [pick(compilation, left, names, sides[0], sides[1]), pick(compilation, right, names, sides[1], sides[0])];
}

type Columns = ReadonlyMap<string, Relation['columns'][number]>;

/** A column that only the other side has is NULL here. */
function pick(compilation: Compilation, side: Relation, names: string[], own: Columns, other: Columns): Relation {
  const alias = compilation.id();
  const columns = names.map((name) => {
    const found = own.get(name.toLowerCase());
    const type = (found ?? other.get(name.toLowerCase()))?.type ?? { kind: 'NULL' as const };
    return { name: found?.name ?? name, duckName: name, type, sql: found ? `${alias}.${quote(found.duckName)}` : `CAST(NULL AS ${duckType(type)})` };
  });
  return { sql: `SELECT ${columns.map(({ sql, duckName }) => `${sql} AS ${quote(duckName)}`).join(', ')} FROM (${side.sql}) AS ${alias}`, columns };
}
