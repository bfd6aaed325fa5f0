// The tables of the dataset: made if absent, listed, given columns. In go definitions, out comes what was done.
// Called by `maintain`, by the writer when BigQuery says NOT_FOUND, and by scripts/migrate.ts.
import type { Dataset, Table, TableMetadata } from '@google-cloud/bigquery';
import { inTime } from '../in-time.ts';
import type { TableField } from '../stream-tables.ts';
import type { TableDefinition } from './table-definition.ts';

export { tableDefinition } from './table-definition.ts';
export type { TableDefinition, TableKind } from './table-definition.ts';

/** What is asked of BigQuery; tests give their own. */
export type TableApi = {
  /** False when the table is there already. */
  create(definition: TableDefinition): Promise<boolean>;
  /** Columns of a table; undefined when there is none. */
  fieldsOf(table: string): Promise<TableField[] | undefined>;
  setFields(table: string, fields: readonly TableField[]): Promise<void>;
  list(): Promise<string[]>;
};

export function tableApiOf(dataset: Dataset): TableApi {
  const table = (name: string): Table => dataset.table(name);
  return {
    async create(definition) {
      try {
        await inTime(dataset.createTable(definition.table, bodyOf(definition)), `creating ${definition.table}`);
        return true;
      } catch (error) {
        if (codeOf(error) === 409) return false;
        throw error;
      }
    },
    async fieldsOf(name) {
      try {
        const [metadata] = await inTime(table(name).getMetadata(), `reading ${name}`);
        return ((metadata as TableMetadata).schema as { fields?: TableField[] } | undefined)?.fields ?? [];
      } catch (error) {
        if (codeOf(error) === 404) return undefined;
        throw error;
      }
    },
    async setFields(name, fields) {
      await inTime(table(name).setMetadata({ schema: { fields: [...fields] } as never }), `changing ${name}`);
    },
    async list() {
      const [tables] = await inTime(dataset.getTables(), 'listing tables');
      return tables.map(({ id }) => id!).sort();
    },
  };
}

/** Nothing is REQUIRED, and nothing expires by the dataset's default. */
function bodyOf({ fields, clustering, description, expirationMs }: TableDefinition): TableMetadata {
  return {
    schema: { fields: [...fields] },
    description,
    ...(clustering.length === 0 ? {} : { clustering: { fields: [...clustering] } }),
    ...(expirationMs === undefined ? {} : { expirationTime: String(expirationMs) }),
  } as TableMetadata;
}

/** Makes the table unless it is there. True when it was made. Safe when called twice at once. */
export const ensureTable = (api: Pick<TableApi, 'create'>, definition: TableDefinition): Promise<boolean> => api.create(definition);

/** HTTP status of a failure of Google's clients. */
export const codeOf = (error: unknown): number => Number((error as { code?: number | string }).code);
