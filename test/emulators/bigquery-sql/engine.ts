// Tables and rows in, a function that answers GoogleSQL from an in-process DuckDB out; used by the tests of the translation.
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Catalogue, Parameter, RoutineEntry, SqlContext, TableEntry, TableField } from '../../../emulators/bigquery/sql/context.ts';
import { install } from '../../../emulators/bigquery/sql/install.ts';
import { duckType, quote, typeOfField } from '../../../emulators/bigquery/sql/sql-type.ts';
import type { StepAnswer } from '../../../emulators/bigquery/sql/script-variables.ts';
import { translateScript } from '../../../emulators/bigquery/sql/translate.ts';

export const NOW = new Date('2026-01-16T10:00:00Z');

export type Engine = {
  connection: DuckDBConnection;
  table(name: string, fields: TableField[], rows?: string[]): Promise<TableEntry>;
  view(name: string, query: string): void;
  routine(routine: RoutineEntry): void;
  /** Rows of the last statement as arrays of JSON values. */
  rows(sql: string, parameters?: Parameter[]): Promise<unknown[][]>;
  fields(sql: string): TableField[] | undefined;
  context(parameters?: Parameter[]): SqlContext;
};

export async function startEngine(): Promise<Engine> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await install(connection);
  const tables: TableEntry[] = [];
  const routines: RoutineEntry[] = [];
  const catalogue: Catalogue = {
    find: (project, dataset, table) => tables.find((entry) => entry.project === project && entry.dataset === dataset && entry.table === table),
    list: (dataset) => tables.filter((entry) => entry.dataset === dataset),
    routines: (dataset) => routines.filter((entry) => entry.dataset === dataset),
    datasets: () => [{ project: 'p-1', dataset: 'd', createdMs: 1_768_000_000_000, modifiedMs: 1_768_000_000_000, properties: {} }],
    routine: (dataset, name) => routines.find((entry) => entry.dataset === dataset && entry.name === name),
  };
  const context = (parameters: Parameter[]): SqlContext => ({ catalogue, project: 'p-1', defaultDataset: 'd', parameters, now: NOW });
  return {
    connection,
    async table(name, fields, rows = []) {
      const entry: TableEntry = { project: 'p-1', dataset: 'd', table: name, type: 'TABLE', fields, duckName: quote(name), createdMs: 1_768_000_000_000 + tables.length };
      await connection.run(`CREATE TABLE ${entry.duckName} (${fields.map((field) => `${quote(field.name)} ${duckType(typeOfField(field))}`).join(', ')})`);
      for (const row of rows) await connection.run(`INSERT INTO ${entry.duckName} VALUES (${row})`);
      tables.push(entry);
      return entry;
    },
    context: (parameters = []) => context(parameters),
    view(name, viewQuery) {
      tables.push({ project: 'p-1', dataset: 'd', table: name, type: 'VIEW', fields: [], duckName: quote(name), createdMs: 0, viewQuery });
    },
    routine: (routine) => { routines.push(routine); },
    async rows(sql, parameters = []) {
      let rows: unknown[][] = [];
      const statements = translateScript(sql, context(parameters));
      let answer: StepAnswer | undefined;
      for (let step = statements.next(); !step.done; step = statements.next(answer)) {
        if (step.value.ddl) throw new Error('the test engine has no catalogue to change');
        if (step.value.checkSql !== undefined) await connection.run(step.value.checkSql);
        const result = await connection.runAndReadAll(step.value.duckSql);
        answer = { rows: result.getRows() };
        if (step.value.kind === 'value') continue;
        rows = result.getRowsJson() as unknown[][];
        if (step.value.fields) checkTypes(step.value.fields, result.columnTypes().map(String));
      }
      return rows;
    },
    fields: (sql) => [...translateScript(sql, context([]))].at(-1)?.fields,
  };
}

/** What DuckDB gives must be what the translation promised: the wire types are made from the promise. */
function checkTypes(fields: TableField[], actual: string[]): void {
  const plain = (type: string): string => type.replaceAll('"', '').replaceAll('JSON', 'VARCHAR');
  fields.forEach((field, index) => {
    const promised = plain(duckType(typeOfField(field)));
    const given = plain(actual[index] ?? '');
    if (promised !== given) throw new Error(`column ${field.name}: promised ${promised}, DuckDB gave ${given}`);
  });
}
