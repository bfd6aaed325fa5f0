// What a translation needs to know (catalogue, parameters, time) and what it gives back. Used by the local BigQuery, which executes the statements.
import type { Place } from './google-sql-error.ts';

/** A column in BigQuery's REST shape. `type` is STRING, INTEGER/INT64, FLOAT/FLOAT64, BOOLEAN/BOOL, RECORD/STRUCT, TIMESTAMP … */
export type TableField = {
  name: string;
  type: string;
  mode?: string;
  description?: string;
  /** GoogleSQL of a column's DEFAULT. */
  defaultValueExpression?: string;
  fields?: TableField[];
};

export type TableEntry = {
  project: string;
  dataset: string;
  table: string;
  type: 'TABLE' | 'VIEW';
  fields: TableField[];
  /** A quoted DuckDB name that can stand in a FROM clause as it is. */
  duckName: string;
  createdMs: number;
  modifiedMs?: number;
  clustering?: string[];
  timePartitioning?: { type: string; field?: string };
  /** Description, labels and the like, in REST's names. */
  properties?: Record<string, unknown>;
  /** GoogleSQL of a view. */
  viewQuery?: string;
};

export type RoutineArgument = { name: string; type: SqlType | undefined };

/** A stored function. `type` undefined in an argument means ANY TYPE. */
export type RoutineEntry = {
  dataset: string;
  name: string;
  kind: 'TABLE_FUNCTION' | 'SCALAR_FUNCTION';
  arguments: RoutineArgument[];
  /** GoogleSQL: a query for a table function, an expression for a scalar function. */
  body: string;
  language?: 'JAVASCRIPT';
  returns?: SqlType;
  createdMs?: number;
  modifiedMs?: number;
};

export type DatasetEntry = { project: string; dataset: string; createdMs: number; modifiedMs: number; properties: Record<string, unknown> };

export type Catalogue = {
  find(project: string, dataset: string, table: string): TableEntry | undefined;
  list(dataset: string): TableEntry[];
  routine(dataset: string, name: string): RoutineEntry | undefined;
  routines(dataset: string): RoutineEntry[];
  /** Without those that scripts keep for themselves. */
  datasets(): DatasetEntry[];
};

/** A query parameter in BigQuery's REST shape; positional ones have no name. */
export type Parameter = {
  name?: string; parameterType: ParameterType; parameterValue: ParameterValue;
  /** Of EXECUTE IMMEDIATE … USING: the value in DuckDB SQL, instead of the two above. */
  typed?: { type: SqlType; sql: string };
};
export type ParameterType = {
  type: string;
  arrayType?: ParameterType;
  structTypes?: { name?: string; type: ParameterType }[];
};
export type ParameterValue = {
  value?: string | null;
  arrayValues?: ParameterValue[];
  structValues?: Record<string, ParameterValue>;
};

export type SqlContext = {
  catalogue: Catalogue;
  project: string;
  defaultDataset?: string;
  parameters: Parameter[];
  now: Date;
  /** Holds the temporary tables of the script that runs; their names need no dataset. */
  temporaryDataset?: string;
};

export type ScalarKind =
  | 'STRING' | 'INT64' | 'FLOAT64' | 'BOOL' | 'BYTES' | 'DATE' | 'DATETIME' | 'TIMESTAMP' | 'TIME' | 'NUMERIC' | 'JSON' | 'INTERVAL' | 'NULL';
export type SqlType =
  | { kind: ScalarKind }
  | { kind: 'ARRAY'; element: SqlType }
  | { kind: 'STRUCT'; fields: StructField[] };
export type StructField = { name: string; type: SqlType };

export type TablePath = { project: string; dataset: string; table: string };

/** A parsed DDL statement for the local BigQuery to carry out on its catalogue. */
export type Ddl =
  | {
      kind: 'create_table'; path: TablePath; orReplace: boolean; ifNotExists: boolean; temporary: boolean; fields: TableField[];
      /** DuckDB SQL of AS SELECT; its columns come in the order of `fields`. */
      asSelect?: string;
      /** LIKE and COPY arrive as fields (and asSelect), already resolved. */
      partitionBy?: string; clustering?: string[]; options: Record<string, unknown>;
    }
  | { kind: 'create_view'; path: TablePath; orReplace: boolean; ifNotExists: boolean; query: string; fields: TableField[]; options: Record<string, unknown> }
  | { kind: 'create_function'; path: TablePath; orReplace: boolean; ifNotExists: boolean; routine: RoutineEntry }
  | { kind: 'create_schema'; project: string; dataset: string; ifNotExists: boolean; options: Record<string, unknown> }
  | { kind: 'alter_schema'; project: string; dataset: string; ifExists: boolean; options: Record<string, unknown> }
  | { kind: 'alter_table'; path: TablePath; ifExists: boolean; actions: AlterAction[] }
  | { kind: 'drop'; object: 'TABLE' | 'VIEW' | 'FUNCTION' | 'TABLE FUNCTION' | 'SCHEMA'; path: TablePath; ifExists: boolean; cascade: boolean };
export type AlterAction =
  | { kind: 'add_column'; field: TableField; ifNotExists: boolean }
  | { kind: 'drop_column'; name: string; ifExists: boolean }
  | { kind: 'set_options'; options: Record<string, unknown> }
  | { kind: 'rename_column'; name: string; to: string; ifExists: boolean }
  | { kind: 'rename_table'; to: string }
  | { kind: 'alter_column'; name: string; ifExists: boolean; change: ColumnChange };
/** The default of a column is GoogleSQL; null takes it away. */
export type ColumnChange = { type?: TableField; nullable?: true; defaultValueExpression?: string | null; description?: string | null };

export type StatementType =
  | 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'MERGE' | 'TRUNCATE_TABLE' | 'CREATE_TABLE' | 'CREATE_TABLE_AS_SELECT' | 'CREATE_VIEW'
  | 'CREATE_FUNCTION' | 'CREATE_TABLE_FUNCTION' | 'CREATE_SCHEMA' | 'ALTER_TABLE' | 'DROP_TABLE' | 'DROP_VIEW' | 'DROP_FUNCTION'
  | 'ALTER_SCHEMA' | 'EXPORT_DATA' | 'DROP_TABLE_FUNCTION' | 'DROP_SCHEMA' | 'SCRIPT' | 'BEGIN_TRANSACTION' | 'COMMIT_TRANSACTION' | 'ROLLBACK_TRANSACTION';

export type TranslatedStatement = {
  /** `value` is a step of a script, which wants its rows back, `transaction` one that begins or ends a transaction; `script` stands for a whole one, to be run by translateScript. */
  kind: 'select' | 'dml' | 'ddl' | 'export' | 'value' | 'script' | 'transaction';
  statementType: StatementType;
  duckSql: string;
  /** Of DML: run before duckSql in the same transaction; it raises an error that DuckDB itself would not. */
  checkSql?: string;
  /** Values to bind to duckSql. Parameters are written into the SQL as typed literals, so this is empty. */
  values: unknown[];
  /** Tables that the statement reads or writes, after pruning of wildcards. */
  tables: TableEntry[];
  /** Result columns of a select, in order, in BigQuery's types. */
  fields?: TableField[];
  /** The table that a DML statement changes. */
  target?: TableEntry;
  ddl?: Ddl;
  /** OPTIONS of EXPORT DATA, names in lower case. */
  exportOptions?: Record<string, unknown>;
  /** Where and how it is written in the script. */
  place?: Place;
  text?: string;
};
