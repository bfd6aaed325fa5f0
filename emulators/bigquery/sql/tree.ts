// The syntax tree of a GoogleSQL script: what the parser makes and the compiler reads. Names keep their spelling; places point into the text.
import type { ScalarKind } from './context.ts';
import type { Place } from './google-sql-error.ts';

/** `isTable`: part of a path that stands in one pair of back quotes, which can only be a table's. */
export type Name = { text: string; place: Place; isTable?: true };

export type TypeNode =
  | { kind: ScalarKind; place: Place }
  | { kind: 'ARRAY'; element: TypeNode; place: Place }
  | { kind: 'STRUCT'; fields: { name: string; type: TypeNode }[]; place: Place }
  | { kind: 'ANY'; place: Place };

export type OrderItem = { expr: Expr; descending: boolean; nulls?: 'FIRST' | 'LAST' };
export type WindowSpec = { base?: string; partitionBy: Expr[]; orderBy: OrderItem[]; frame?: WindowFrame };
export type WindowFrame = { unit: 'ROWS' | 'RANGE'; start: FrameBound; end?: FrameBound };
export type FrameBound = { kind: 'UNBOUNDED PRECEDING' | 'UNBOUNDED FOLLOWING' | 'CURRENT ROW' } | { kind: 'PRECEDING' | 'FOLLOWING'; expr: Expr };

export type CallExpr = {
  kind: 'call'; place: Place;
  /** Upper case for built-in functions, e.g. ['NET', 'HOST']; SAFE. is taken off. */
  name: string[]; written: Name[]; safe: boolean;
  args: Expr[]; namedArgs: { name: string; value: Expr }[];
  star: boolean; distinct: boolean;
  nulls?: 'IGNORE' | 'RESPECT';
  having?: { place: Place; max: boolean; expr: Expr };
  orderBy: OrderItem[]; limit?: Expr;
  over?: WindowSpec;
};

export type Expr =
  | { kind: 'literal'; place: Place; type: ScalarKind; value: string }
  | { kind: 'parameter'; place: Place; name: string; position: number }
  | { kind: 'systemVariable'; place: Place; name: string }
  | { kind: 'name'; place: Place; parts: Name[] }
  | { kind: 'field'; place: Place; base: Expr; name: Name }
  | { kind: 'index'; place: Place; base: Expr; index: Expr; mode: 'OFFSET' | 'SAFE_OFFSET' | 'ORDINAL' | 'SAFE_ORDINAL' | 'KEY' }
  | { kind: 'unary'; place: Place; op: '-' | '+' | '~' | 'NOT'; operand: Expr }
  | { kind: 'binary'; place: Place; op: string; left: Expr; right: Expr }
  | { kind: 'between'; place: Place; operand: Expr; low: Expr; high: Expr; not: boolean }
  | { kind: 'in'; place: Place; operand: Expr; not: boolean; list?: Expr[]; query?: Query; unnest?: Expr }
  | { kind: 'like'; place: Place; operand: Expr; not: boolean; patterns: Expr[]; quantifier?: 'ANY' | 'ALL' }
  | { kind: 'is'; place: Place; operand: Expr; not: boolean; what: 'NULL' | 'TRUE' | 'FALSE' | 'DISTINCT'; other?: Expr }
  | { kind: 'case'; place: Place; operand?: Expr; whens: { when: Expr; then: Expr }[]; otherwise?: Expr }
  | { kind: 'cast'; place: Place; operand: Expr; type: TypeNode; safe: boolean; format?: Expr; zone?: Expr }
  | { kind: 'extract'; place: Place; part: Expr; operand: Expr; zone?: Expr }
  | { kind: 'interval'; place: Place; value: Expr; unit: string; toUnit?: string }
  | CallExpr
  | { kind: 'array'; place: Place; element?: TypeNode; items: Expr[] }
  | { kind: 'struct'; place: Place; typed?: Extract<TypeNode, { kind: 'STRUCT' }>; isTuple?: true; items: { expr: Expr; alias?: string }[] }
  | { kind: 'with'; place: Place; items: { name: Name; expr: Expr }[]; body: Expr }
  | { kind: 'scalarQuery'; place: Place; query: Query }
  | { kind: 'arrayQuery'; place: Place; query: Query }
  | { kind: 'exists'; place: Place; query: Query };

export type SelectItem =
  | { kind: 'expr'; expr: Expr; alias?: Name }
  | { kind: 'star'; place: Place; base?: Expr; except: Name[]; replace: { expr: Expr; name: Name }[]; /** Of the pipe operator RENAME. */ rename?: { name: Name; to: Name }[] };

export type Query = {
  place: Place;
  recursive: boolean;
  withs: { name: Name; query: Query }[];
  body: SetExpr;
  orderBy: OrderItem[];
  limit?: Expr;
  offset?: Expr;
};

export type SetExpr = Select | { kind: 'query'; query: Query } | SetOperation;
export type SetOperation = { kind: 'set'; place: Place; op: 'UNION' | 'INTERSECT' | 'EXCEPT'; all: boolean; left: SetExpr; right: SetExpr; match?: { mode: 'STRICT' | 'INNER' | 'LEFT' | 'FULL'; columns?: Name[] } };

export type GroupBy =
  | { kind: 'all' }
  | { kind: 'items'; items: Expr[] }
  | { kind: 'sets'; sets: GroupingSet[] };
export type GroupingSet = { kind: 'plain' | 'rollup' | 'cube'; items: Expr[][] } | { kind: 'nested'; sets: GroupingSet[] };

export type Select = {
  kind: 'select'; place: Place;
  distinct: boolean;
  as?: 'STRUCT' | 'VALUE';
  items: SelectItem[];
  from?: FromItem;
  where?: Expr;
  groupBy?: GroupBy;
  having?: Expr;
  qualify?: Expr;
  windows: { name: string; spec: WindowSpec }[];
};

export type FromItem =
  | { kind: 'table'; place: Place; path: Name[]; alias?: Name; offset?: Name; /** FOR SYSTEM_TIME AS OF. */ asOf?: Expr }
  | { kind: 'tableFunction'; place: Place; path: Name[]; args: Expr[]; alias?: Name }
  | { kind: 'unnest'; place: Place; expr: Expr; alias?: Name; offset?: Name }
  | { kind: 'subquery'; place: Place; query: Query; alias?: Name }
  | { kind: 'join'; place: Place; type: JoinType; left: FromItem; right: FromItem; on?: Expr; using?: Name[] }
  | { kind: 'pivot'; place: Place; source: FromItem; aggregates: { call: Expr; alias?: string }[]; input: Expr; values: { expr: Expr; alias?: string }[]; alias?: Name }
  | { kind: 'unpivot'; place: Place; source: FromItem; values: Name[]; label: Name; columns: { names: Name[]; label?: Expr }[]; includeNulls: boolean; alias?: Name };
export type JoinType = 'INNER' | 'LEFT' | 'RIGHT' | 'FULL' | 'CROSS';

export type ColumnDefinition = { name: Name; type: TypeNode; required: boolean; options: Option[]; defaultText?: string };
export type Option = { name: string; value: Expr };
/** GoogleSQL, or the text of a JavaScript function. */
export type FunctionBody = Expr | { kind: 'javascript' };
export type FunctionArgument = { name: string; type: TypeNode };

/** `text` is the statement as written; the parser of scripts sets it for those that run on their own. */
export type Statement = { place: Place; text?: string } & (
  | { kind: 'query'; query: Query }
  | { kind: 'insert'; path: Name[]; columns?: Name[]; rows?: (Expr | 'DEFAULT')[][]; query?: Query }
  | { kind: 'update'; path: Name[]; alias?: Name; sets: Assignment[]; from?: FromItem; where: Expr }
  | { kind: 'delete'; path: Name[]; alias?: Name; where: Expr }
  | { kind: 'truncate'; path: Name[] }
  | { kind: 'merge'; path: Name[]; alias?: Name; source: FromItem; on: Expr; clauses: MergeClause[] }
  | { kind: 'createTable'; path: Name[]; orReplace: boolean; ifNotExists: boolean; temporary: boolean; columns?: ColumnDefinition[]; query?: Query; like?: Name[]; copy?: Name[]; partitionBy?: string; clusterBy: Name[]; options: Option[] }
  | { kind: 'createView'; path: Name[]; orReplace: boolean; ifNotExists: boolean; query: Query; queryText: string; columns?: Name[]; options: Option[] }
  | { kind: 'createFunction'; path: Name[]; orReplace: boolean; ifNotExists: boolean; temporary: boolean; args: FunctionArgument[]; returns?: TypeNode; body: FunctionBody; bodyText: string }
  | { kind: 'createTableFunction'; path: Name[]; orReplace: boolean; ifNotExists: boolean; args: FunctionArgument[]; query: Query; bodyText: string }
  | { kind: 'createSchema'; path: Name[]; ifNotExists: boolean; options: Option[] }
  | { kind: 'alterSchema'; path: Name[]; ifExists: boolean; options: Option[] }
  | { kind: 'alterTable'; path: Name[]; ifExists: boolean; actions: AlterNode[] }
  | { kind: 'exportData'; options: Option[]; query: Query }
  | { kind: 'drop'; object: 'TABLE' | 'VIEW' | 'FUNCTION' | 'TABLE FUNCTION' | 'SCHEMA'; path: Name[]; ifExists: boolean; cascade: boolean }
  | { kind: 'declare'; names: Name[]; type?: TypeNode; value?: Expr }
  | { kind: 'set'; names: Name[]; value: Expr; isSystem?: boolean; isTuple?: boolean }
  | { kind: 'if'; branches: { condition: Expr; body: Statement[] }[]; otherwise: Statement[] }
  | { kind: 'case'; operand?: Expr; branches: { when: Expr; body: Statement[] }[]; otherwise?: Statement[] }
  | { kind: 'while'; condition: Expr; body: Statement[]; label?: string }
  | { kind: 'loop'; body: Statement[]; label?: string }
  | { kind: 'repeat'; body: Statement[]; until: Expr; label?: string }
  | { kind: 'for'; variable: Name; query: Query; body: Statement[]; label?: string }
  | { kind: 'jump'; how: 'LEAVE' | 'CONTINUE'; label?: string }
  | { kind: 'return' }
  | { kind: 'block'; body: Statement[]; handler?: Statement[]; label?: string }
  | { kind: 'raise'; message?: Expr }
  | { kind: 'execute'; sql: Expr; into: Name[]; using: { expr: Expr; alias?: string }[] }
  | { kind: 'transaction'; step: 'BEGIN' | 'COMMIT' | 'ROLLBACK' }
  | { kind: 'assert'; condition: Expr; message?: string }
);
export type Assignment = { path: Name[]; value: Expr | 'DEFAULT' };
export type MergeClause = {
  when: 'MATCHED' | 'NOT MATCHED' | 'NOT MATCHED BY SOURCE'; and?: Expr; place: Place;
  action: { kind: 'update'; sets: Assignment[] } | { kind: 'delete' } | { kind: 'insert'; columns?: Name[]; values: (Expr | 'DEFAULT')[] } | { kind: 'insertRow' };
};
export type AlterNode =
  | { kind: 'addColumn'; column: ColumnDefinition; ifNotExists: boolean }
  | { kind: 'dropColumn'; name: Name; ifExists: boolean }
  | { kind: 'setOptions'; options: Option[] }
  | { kind: 'renameColumn'; name: Name; to: Name; ifExists: boolean }
  | { kind: 'renameTable'; to: Name }
  | { kind: 'alterColumn'; name: Name; ifExists: boolean; change: { type: TypeNode } | { nullable: true } | { defaultText: string | undefined } | { options: Option[] } };
