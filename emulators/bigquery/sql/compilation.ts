// The state of one translation: context, tables met, temporary functions, variables, fresh names. Passed to every compile function.
import type { RoutineEntry, SqlContext, SqlType, TableEntry } from './context.ts';
import { notSupported } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import type { FunctionArgument, FunctionBody } from './tree.ts';

export type TemporaryFunction = { args: FunctionArgument[]; body: FunctionBody; bodyText: string; returns?: SqlType };

/** A script's variable: a literal of its present value in DuckDB SQL; texts and dates also as they are. System variables are named @@…. */
export type Variable = { type: SqlType; sql?: string; value?: string; error?: Error };

export type FilteredNames = {
  /** Whether a qualified _TABLE_SUFFIX is that of the table whose shards are chosen. */
  isAlias(name: string): boolean;
  /** Whether a name can only be a script's variable. */
  mayBeVariable(name: string): boolean;
};
const NO_NAMES: FilteredNames = { isAlias: () => false, mayBeVariable: () => false };

export class Compilation {
  readonly context: SqlContext;
  readonly tables = new Map<string, TableEntry>();
  readonly functions: Map<string, TemporaryFunction>;
  readonly variables: Map<string, Variable>;
  /** How many subqueries were written so far: DuckDB takes none inside a lambda, so their number tells whether one may be used. */
  subqueries = 0;
  /** Inside SAFE.f(…): what would raise an error gives NULL. */
  safe = false;
  /** While shards of a wildcard table are chosen: what names in the filter mean. */
  filtered: FilteredNames = NO_NAMES;
  private ids = 0;
  private depth = 0;

  constructor(context: SqlContext, functions = new Map<string, TemporaryFunction>(), variables = new Map<string, Variable>()) {
    this.context = context;
    this.functions = functions;
    this.variables = variables;
  }

  /** `choose` with these meanings of names. */
  filtering<T>(names: FilteredNames, choose: () => T): T {
    this.filtered = names;
    try {
      return choose();
    } finally {
      this.filtered = NO_NAMES;
    }
  }

  id(prefix = 't'): string {
    this.ids += 1;
    return `${prefix}${this.ids}`;
  }

  touch(table: TableEntry): void {
    this.tables.set(`${table.project}.${table.dataset}.${table.table}`, table);
  }

  /** SQL that stops the query with BigQuery's message, or gives NULL inside SAFE. */
  raise(messageSql: string): string {
    return this.safe ? 'NULL' : `error(${messageSql})`;
  }

  /** Views and functions may refer to each other in a circle; this bounds the depth. */
  nested<T>(place: Place, what: RoutineEntry | TableEntry | undefined, run: () => T): T {
    this.depth += 1;
    if (this.depth > 64) throw notSupported(`More than 64 nested views or functions (${what && 'name' in what ? what.name : what?.table ?? ''})`, place);
    try {
      return run();
    } finally {
      this.depth -= 1;
    }
  }
}
