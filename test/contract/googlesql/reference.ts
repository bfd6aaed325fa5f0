// Google's analyser and reference evaluator with BigQuery's language switched on: SQL in, columns and rows, or the error, out. Used by the contract tests.
import { startReferenceServer } from './reference-server.ts';
import type { ReferenceServer } from './reference-server.ts';
import { typeNameOf, wireValueOf } from './reference-value.ts';
import type { TypeProto, ValueProto, WireValue } from './reference-value.ts';

export type Answer = { columns: { name: string; type: string }[]; rows: WireValue[][] };
export type ReferenceTable = { name: string; columns: { name: string; type: TypeProto; isPseudo?: boolean }[]; rows?: ValueProto[][] };
export type Reference = {
  evaluate(sql: string): Promise<Answer>;
  /** Rejects with the analyser's message and place. */
  analyse(sql: string, options?: object): Promise<Record<string, any>>;
  /** Registers tables that later calls see, in place of those before. A name's dots are those of its path. */
  setTables(tables: ReferenceTable[]): Promise<void>;
  server: ReferenceServer;
  stop(): void;
};

/** What "maximum features" leaves out although BigQuery has it. */
const ADDED = ['FEATURE_INTERVAL_TYPE', 'FEATURE_V_1_4_GROUPING_BUILTIN', 'FEATURE_V_1_4_GROUPING_SETS'];
/** Features that BigQuery does not have. */
const LEFT_OUT = new Set(['FEATURE_TIMESTAMP_NANOS', 'FEATURE_V_1_4_NULLIFZERO_ZEROIFNULL', 'FEATURE_V_1_4_PI_FUNCTIONS', 'FEATURE_V_1_4_STRUCT_POSITIONAL_ACCESSOR']);

export async function startReference(): Promise<Reference> {
  const server = await startReferenceServer();
  const maximum = await server.call('getLanguageOptions', { maximum_features: true });
  const features = [...(maximum['enabled_language_features'] as string[]).filter((feature) => !LEFT_OUT.has(feature)), ...ADDED];
  const language = { ...maximum, product_mode: 'PRODUCT_EXTERNAL', supported_statement_kinds: [], enabled_language_features: [...new Set(features)] };
  const options = { language_options: language, default_timezone: 'UTC', error_message_mode: 'ERROR_MESSAGE_ONE_LINE' };
  let catalogue: string | undefined;
  const setTables = async (tables: ReferenceTable[]): Promise<void> => {
    if (catalogue !== undefined) await server.call('unregisterCatalog', { registered_id: catalogue });
    const content = Object.fromEntries(tables.filter(({ rows }) => rows).map(({ name, rows }) => [name, { table_data: { row: rows?.map((cell) => ({ cell })) } }]));
    const registered = await server.call('registerCatalog', { simple_catalog: { ...catalogueOf(tables), builtin_function_options: { language_options: language } }, table_content: content });
    catalogue = registered['registered_id'] as string;
  };
  await setTables([]);
  return {
    server, setTables,
    stop: () => server.stop(),
    analyse: (sql, more = {}) => server.call('analyze', { options: { ...options, ...more }, sql_statement: sql, registered_catalog_id: catalogue }),
    async evaluate(sql) {
      const { content, prepared } = await server.call('evaluateQuery', { sql, options, registered_catalog_id: catalogue });
      const types = (prepared.columns as { name: string; type: TypeProto }[]);
      const rows = ((content.table_data?.row ?? []) as { cell: ValueProto[] }[]).map(({ cell }) => types.map(({ type }, index) => wireValueOf(type, cell[index])));
      return { columns: types.map(({ name, type }) => ({ name, type: typeNameOf(type) })), rows };
    },
  };
}

/** A table stands under its whole name, which is what back quotes around a path mean, and under the parts of its path. */
function catalogueOf(tables: ReferenceTable[]): object {
  const protos = tables.map(({ name, columns }, index) => ({
    name, full_name: name, serialization_id: index + 1,
    column: columns.map(({ name: column, type, isPseudo }) => ({ name: column, type, is_pseudo_column: isPseudo ?? false })),
  }));
  const whole = protos.map((table) => ({ ...table, name_in_catalog: table.name }));
  const inside = new Map(protos.filter(({ name }) => name.includes('.')).map((table) => [table.name.split('.').slice(-2).join('.'), table]));
  const datasets = Map.groupBy(inside.values(), ({ name }) => name.split('.').at(-2) ?? '');
  const catalog = [...datasets].map(([name, ofDataset]) => ({ name, table: ofDataset.map((table) => ({ ...table, name_in_catalog: table.name.split('.').at(-1) })) }));
  return { name: 'bigquery', table: whole, catalog };
}
