// BEGIN TRANSACTION … COMMIT inside a script: changes go to copies of the tables, which take the tables' places together or not at all. Used by run-script.ts.
import type { Table } from './catalogue.ts';
import { columnsSql } from './fields.ts';
import type { Work } from './jobs.ts';
import { Refusal } from './refusal.ts';
import { asQueryError } from './run-query.ts';
import type { SqlContext, TableEntry, TranslatedStatement } from './sql/context.ts';
import { newPhysical, physicalSql, type TableStore } from './table-store.ts';

/** `base` is the table as it was when the transaction first changed it. */
type Copy = { base: Table; physical: string };

export class Transaction {
  private readonly store: TableStore;
  private readonly copies = new Map<string, Copy>();

  constructor(store: TableStore) {
    this.store = store;
  }

  /** A table as the transaction sees it: what it has changed itself, and nobody else. */
  seen(entry: TableEntry): TableEntry {
    const copy = this.copies.get(keyOf(entry));
    return copy === undefined ? entry : { ...entry, duckName: physicalSql(copy.physical) };
  }

  /** A DML statement as work of a job. The copy is private, so that nothing is published before the end. */
  async change(statement: TranslatedStatement): Promise<Work> {
    const target = statement.target!;
    const copy = this.copies.get(keyOf(target)) ?? (await this.copyOf(target));
    const onCopy = (sql: string): string => sql.replaceAll(physicalSql(copy.base.physical), physicalSql(copy.physical));
    const result: NonNullable<Work['result']> = { fields: [], rows: 0, dmlRows: 0 };
    return {
      statistics: {}, result,
      commit: async (connection) => {
        if (statement.checkSql !== undefined) await connection.run(onCopy(statement.checkSql)).catch(asQueryError);
        result.dmlRows = (await connection.run(onCopy(statement.duckSql)).catch(asQueryError)).rowsChanged;
        return () => undefined;
      },
    };
  }

  private async copyOf(target: TableEntry): Promise<Copy> {
    const { store } = this;
    await store.settle(store.catalogue.table(target.project, target.dataset, target.table));
    const base = store.catalogue.table(target.project, target.dataset, target.table);
    const copy = { base, physical: newPhysical() };
    await store.engine.change(async (connection) => {
      await connection.run(`CREATE TABLE ${physicalSql(copy.physical)} (${columnsSql(base.fields)})`);
      await connection.run(`INSERT INTO ${physicalSql(copy.physical)} BY NAME SELECT * FROM ${physicalSql(base.physical)} ORDER BY rowid`);
    });
    this.copies.set(keyOf(target), copy);
    return copy;
  }

  /** All copies take their tables' places in one step; refused when anybody else has changed one of those meanwhile. */
  async commit(): Promise<void> {
    const { store } = this;
    const publish = await store.engine.change(async (connection) => {
      const now = store.now();
      const changed = [...this.copies.values()].map(({ base, physical }): Table => {
        const { project, dataset, table } = base;
        if (store.catalogue.findTable(project, dataset, table) !== base) throw new Refusal('invalidQuery', `Transaction is aborted due to concurrent update against table ${project}:${dataset}.${table}`, 'query');
        return { ...base, physical, modifiedMs: now, buffered: [] };
      });
      return store.catalogue.put(connection, ...changed);
    });
    publish();
    for (const { base } of this.copies.values()) store.release(base);
    this.copies.clear();
  }

  rollback(): void {
    for (const { physical } of this.copies.values()) this.store.release({ type: 'TABLE', physical });
    this.copies.clear();
  }
}

const keyOf = ({ project, dataset, table }: Pick<TableEntry, 'project' | 'dataset' | 'table'>): string => `${project}:${dataset}.${table}`;

/** The catalogue through the eyes of whichever transaction is open. */
export function throughTransaction(catalogue: SqlContext['catalogue'], open: () => Transaction | undefined): SqlContext['catalogue'] {
  const seen = (entry: TableEntry): TableEntry => open()?.seen(entry) ?? entry;
  return {
    ...catalogue,
    find: (project, dataset, table) => {
      const found = catalogue.find(project, dataset, table);
      return found && seen(found);
    },
    list: (dataset) => catalogue.list(dataset).map(seen),
  };
}
