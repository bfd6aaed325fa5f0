// Which names mean what at a place of the query: sources of a FROM clause with their columns, CTEs, and the scopes around. Read by the compiler.
import type { SqlType } from './context.ts';
import type { Query } from './tree.ts';

/** A value in DuckDB SQL with its BigQuery type. */
export type Typed = {
  sql: string;
  type: SqlType;
  /** Set for literals and parameters: they coerce where a column would not. */
  literal?: string | true;
  /** `[]`: it becomes an array of whatever is wanted. */
  isEmptyArray?: true;
  /** Of a STRUCT that is built on the spot: its fields' values, so that taking one out again costs nothing. */
  parts?: Typed[];
};

export type Column = { name: string; sql: string; type: SqlType; /** Found by name but not part of `*`. */ hidden?: boolean; /** The two sides of a USING column: reached through their alias only. */ onlyQualified?: boolean };

export type Source = {
  alias?: string;
  columns: Column[];
  /** What the alias itself means where a value is wanted: the element of an UNNEST, or the row as a STRUCT. */
  value?: Typed;
  /** An array of structs gives its fields as bare names; they yield to columns of ordinary sources when both exist. */
  isElement?: boolean;
};

export type Cte = { name: string; duckName: string; columns: { name: string; type: SqlType }[]; isValueTable?: boolean };

export type Grouping = {
  /** Compiled SQL of each GROUP BY expression. */
  sqls: Set<string>;
  /** GROUP BY expressions by the shape of their tree. */
  byTree: Map<string, Typed>;
  /** Set where an aggregate takes only the rows with the greatest or smallest of something (having-extremes.ts). */
  extremes?: Extremes;
};

/** DuckDB's alias of the rows before grouping, and what is found out about each of them. */
export type Extremes = { alias: string; columns: { name: string; sql: string }[] };

export type Scope = {
  parent?: Scope;
  sources: Source[];
  ctes: Map<string, Cte>;
  /** Set while select list, HAVING and ORDER BY of an aggregating query are compiled. */
  grouping?: Grouping;
  /** Set while ORDER BY after SELECT DISTINCT is compiled: the SQL of what was selected. */
  distinct?: Set<string>;
  /** Of the names of a WITH expression: the scope of the rows, which is all that aggregates see. */
  rows?: Scope;
  /** Inside the arguments of an aggregate function: columns need not be grouped. */
  insideAggregate?: boolean;
  /** What is being compiled, in the words of BigQuery's errors: `WHERE clause`, `ORDER BY clause` … The select list has none. */
  clause?: string;
  /** Select aliases, visible in HAVING, QUALIFY and ORDER BY. */
  aliases?: Map<string, Typed>;
  /** Set when the FROM clause has one relation, perhaps with its arrays unnested: the aliases in it. */
  namesOfOne?: Set<string>;
  windows?: Map<string, import('./tree.ts').WindowSpec>;
  /** Set while a SELECT with windows is compiled: lists that could as well be read before its windows (read-before-windows.ts). */
  earlyLists?: Set<string>;
};

export type Relation = {
  sql: string;
  columns: { name: string; duckName: string; type: SqlType; /** All its rows are literals, which coerce where a column would not. */ literal?: true; /** All its rows are `[]`. */ isEmptyArray?: true; /** `name` is for the result alone: around it, no name means the column. */ isAnonymous?: true }[];
  /** SELECT AS STRUCT / AS VALUE: rows are values. */
  isValueTable?: boolean;
};

/** Empty for a column without one. */
export const knownName = ({ name, isAnonymous }: Relation['columns'][number]): string => (isAnonymous ? '' : name);

export function childScope(parent: Scope | undefined): Scope {
  return { sources: [], ctes: new Map(), ...(parent && { parent }) };
}

export function findCte(scope: Scope | undefined, name: string): Cte | undefined {
  for (let at = scope; at; at = at.parent) {
    const found = at.ctes.get(name.toLowerCase());
    if (found) return found;
  }
  return undefined;
}

export type { Query };
