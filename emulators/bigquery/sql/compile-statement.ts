// One statement that is no step of a script by itself in, what DuckDB runs or the catalogue carries out, with its types; called by translate and scripts.
import type { Compilation } from './compilation.ts';
import { compileAlter, compileAlterSchema, compileCreateFunction, compileCreateSchema, compileCreateTable, compileCreateTableFunction, compileCreateView, compileDrop, distinctColumns, optionsOf } from './compile-ddl.ts';
import type { CompiledDdl } from './compile-ddl.ts';
import { compileDelete, compileInsert, compileMerge, compileTruncate, compileUpdate } from './compile-dml.ts';
import type { CompiledDml } from './compile-dml.ts';
import { compileQuery } from './compile-query.ts';
import type { StatementType, TranslatedStatement } from './context.ts';
import { notSupported } from './google-sql-error.ts';
import { fieldOf } from './sql-type.ts';
import type { Statement } from './tree.ts';

const DML: Record<string, StatementType> = { insert: 'INSERT', update: 'UPDATE', delete: 'DELETE', merge: 'MERGE', truncate: 'TRUNCATE_TABLE' };

export function compileStatement(compilation: Compilation, statement: Statement): TranslatedStatement {
  const tables = (): TranslatedStatement['tables'] => [...compilation.tables.values()];
  const dml = (compiled: CompiledDml): TranslatedStatement => ({ kind: 'dml', statementType: DML[statement.kind] ?? 'INSERT', duckSql: compiled.sql, ...(compiled.check !== undefined && { checkSql: compiled.check }), values: [], tables: tables(), target: compiled.target });
  const ddl = ({ ddl: description, statementType }: CompiledDdl): TranslatedStatement => ({ kind: 'ddl', statementType, duckSql: '', values: [], tables: tables(), ddl: description });
  switch (statement.kind) {
    case 'query': return { ...compileTopQuery(compilation, statement), tables: tables() };
    case 'exportData': return { ...compileTopQuery(compilation, statement), kind: 'export', statementType: 'EXPORT_DATA', exportOptions: optionsOf(compilation, statement.options), tables: tables() };
    case 'insert': return dml(compileInsert(compilation, statement));
    case 'update': return dml(compileUpdate(compilation, statement));
    case 'delete': return dml(compileDelete(compilation, statement));
    case 'merge': return dml(compileMerge(compilation, statement));
    case 'truncate': return dml(compileTruncate(compilation, statement));
    case 'createTable': return ddl(compileCreateTable(compilation, statement));
    case 'createView': return ddl(compileCreateView(compilation, statement));
    case 'createFunction': return ddl(compileCreateFunction(compilation, statement));
    case 'createTableFunction': return ddl(compileCreateTableFunction(compilation, statement));
    case 'createSchema': return ddl(compileCreateSchema(compilation, statement));
    case 'alterSchema': return ddl(compileAlterSchema(compilation, statement));
    case 'alterTable': return ddl(compileAlter(compilation, statement));
    case 'drop': return ddl(compileDrop(compilation, statement));
    default: throw notSupported(`The statement ${statement.kind.toUpperCase()}`, statement.place);
  }
}

/** A query whose rows are structs (SELECT AS STRUCT) shows their fields as columns. */
function compileTopQuery(compilation: Compilation, statement: Extract<Statement, { kind: 'query' | 'exportData' }>): Omit<TranslatedStatement, 'tables'> {
  const relation = distinctColumns(compileQuery(compilation, undefined, statement.query), statement.place);
  const fields = relation.columns.map(({ name, type }) => fieldOf(name, type));
  const [only] = fields;
  if (relation.isValueTable && only?.fields && only.mode !== 'REPEATED') {
    return { kind: 'select', statementType: 'SELECT', duckSql: `SELECT unnest(q.value) FROM (${relation.sql}) AS q`, values: [], fields: only.fields };
  }
  return { kind: 'select', statementType: 'SELECT', duckSql: relation.sql, values: [], fields: relation.isValueTable && only ? [{ ...only, name: 'f0_' }] : fields };
}
