// tables.* of the REST API. Handlers for http.ts.
import type { Table } from './catalogue.ts';
import { readFields, typeOf } from './fields.ts';
import { pageOf, type Call, type Routes } from './http.ts';
import { Refusal } from './refusal.ts';
import { checkEtag, etagOf, keptProperties, patched } from './rest-datasets.ts';
import { plan, resultFields, type QueryRunner } from './run-query.ts';
import type { TableSpec } from './table-store.ts';

const DECIDED = [
  'kind', 'etag', 'id', 'selfLink', 'tableReference', 'creationTime', 'lastModifiedTime', 'type', 'schema', 'numRows', 'numBytes', 'numLongTermBytes',
  'streamingBuffer', 'clustering', 'timePartitioning', 'view', 'location', 'name',
] as const;
const NOT_IMPLEMENTED = ['materializedView', 'externalDataConfiguration', 'rangePartitioning', 'encryptionConfiguration', 'snapshotDefinition', 'cloneDefinition', 'tableConstraints', 'biglakeConfiguration'];

function refuseUnknown(body: Record<string, unknown>): void {
  for (const name of NOT_IMPLEMENTED) if (body[name] !== undefined && body[name] !== null) throw new Refusal('notImplemented', `${name} is not implemented in the local BigQuery.`);
}

const referenceOf = (table: Table): object => ({ projectId: table.project, datasetId: table.dataset, tableId: table.table });

/** An etag changes with the description of a table, not with every row. */
const tableEtag = (table: Table): string => etagOf([table.uid, table.fields, table.properties, table.clustering, table.timePartitioning, table.viewQuery]);

export async function tableResource({ store }: QueryRunner, table: Table, base: string): Promise<object> {
  const counts = await store.counts(table);
  const dataset = store.catalogue.dataset(table.project, table.dataset);
  return {
    kind: 'bigquery#table', etag: tableEtag(table), id: `${table.project}:${table.dataset}.${table.table}`,
    selfLink: `${base}/bigquery/v2/projects/${table.project}/datasets/${table.dataset}/tables/${table.table}`,
    tableReference: referenceOf(table), type: table.type, location: dataset.properties['location'] ?? 'US', ...table.properties, ...described(table),
    ...(table.fields.length > 0 ? { schema: { fields: table.fields } } : {}),
    creationTime: String(table.createdMs), lastModifiedTime: String(table.modifiedMs),
    numRows: String(counts.rows), numBytes: String(counts.bytes), numLongTermBytes: '0',
    ...(counts.bufferedRows > 0
      ? { streamingBuffer: { estimatedRows: String(counts.bufferedRows), estimatedBytes: String(counts.bufferedBytes), oldestEntryTime: String(counts.oldestBufferedMs) } }
      : {}),
  };
}

const described = (table: Table): object => ({
  ...(table.clustering === undefined ? {} : { clustering: { fields: table.clustering } }),
  ...(table.timePartitioning === undefined ? {} : { timePartitioning: table.timePartitioning }),
  ...(table.viewQuery === undefined ? {} : { view: { query: table.viewQuery, useLegacySql: false } }),
});

const CLUSTERED_TYPES = new Set(['STRING', 'INTEGER', 'NUMERIC', 'DATE', 'DATETIME', 'TIMESTAMP', 'BOOLEAN']);

/** Clustering columns exist, are of a type that can be ordered, and are at most four. */
export function readClustering(value: unknown, fields: Table['fields']): string[] | undefined {
  const names = (value as { fields?: string[] } | null | undefined)?.fields;
  if (names === undefined || names.length === 0) return undefined;
  if (names.length > 4) throw new Refusal('invalid', 'Too many clustering columns specified: at most 4.');
  for (const name of names) {
    const field = fields.find((other) => other.name.toLowerCase() === name.toLowerCase());
    if (field === undefined) throw new Refusal('invalid', `The field specified for clustering cannot be found in the schema: ${name}`);
    if (!CLUSTERED_TYPES.has(typeOf(field)) || field.mode === 'REPEATED') throw new Refusal('invalid', `Clustering is not supported on the field ${name} of type ${field.type}.`);
  }
  return names;
}

function readPartitioning(value: unknown, fields: Table['fields']): Table['timePartitioning'] {
  const partitioning = value as { type?: string; field?: string; expirationMs?: string } | null | undefined;
  if (partitioning === undefined || partitioning === null) return undefined;
  const type = partitioning.type ?? 'DAY';
  if (!['DAY', 'HOUR', 'MONTH', 'YEAR'].includes(type)) throw new Refusal('invalid', `Invalid value for timePartitioning.type: ${type}`);
  if (partitioning.field !== undefined) {
    const field = fields.find((other) => other.name.toLowerCase() === partitioning.field!.toLowerCase());
    if (field === undefined) throw new Refusal('invalid', `The field specified for partitioning cannot be found in the schema: ${partitioning.field}`);
    if (!['DATE', 'DATETIME', 'TIMESTAMP'].includes(typeOf(field))) throw new Refusal('invalid', `The field specified for time partitioning can only be of type TIMESTAMP, DATE or DATETIME. The type found is: ${field.type}.`);
  }
  return { ...partitioning, type };
}

async function viewSpec(runner: QueryRunner, project: string, view: { query?: string; useLegacySql?: boolean }): Promise<Pick<TableSpec, 'type' | 'viewQuery' | 'fields'>> {
  if (view.useLegacySql !== false) throw new Refusal('notImplemented', 'Views in legacy SQL are not implemented in the local BigQuery: say useLegacySql: false.');
  const [statement] = plan(runner, project, { query: view.query ?? '' });
  if (statement?.kind !== 'select') throw new Refusal('invalidQuery', 'A view is made of a SELECT.', 'query');
  const fields = await runner.store.engine.read((connection) => resultFields(connection, statement));
  return { type: 'VIEW', viewQuery: view.query!, fields };
}

async function readTable(runner: QueryRunner, call: Call): Promise<TableSpec> {
  refuseUnknown(call.body);
  const reference = call.body['tableReference'] as { tableId?: string } | undefined;
  const table = reference?.tableId ?? '';
  // docs/tables#table_naming counts bytes of UTF-8, not characters.
  if (!/^[\p{L}\p{N}\p{M}\p{Pc}\p{Pd}\p{Zs}]+$/u.test(table) || Buffer.byteLength(table) > 1_024) throw new Refusal('invalid', `Invalid table ID "${table}".`);
  const place = { project: call.params['project']!, dataset: call.params['dataset']!, table };
  const properties = keptProperties(call.body, DECIDED);
  const view = call.body['view'] as { query?: string; useLegacySql?: boolean } | undefined;
  if (view !== undefined) return { ...place, properties, ...(await viewSpec(runner, place.project, view)) };
  const fields = readFields((call.body['schema'] as { fields?: unknown } | undefined)?.fields);
  const clustering = readClustering(call.body['clustering'], fields);
  const timePartitioning = readPartitioning(call.body['timePartitioning'], fields);
  return { ...place, properties, fields, ...(clustering === undefined ? {} : { clustering }), ...(timePartitioning === undefined ? {} : { timePartitioning }) };
}

/** PATCH (`whole` false) keeps what the body does not name; PUT replaces. */
async function change(runner: QueryRunner, call: Call, whole: boolean): Promise<{ body: object }> {
  refuseUnknown(call.body);
  const { store } = runner;
  const found = store.catalogue.table(call.params['project']!, call.params['dataset']!, call.params['table']!);
  const view = call.body['view'] as { query?: string; useLegacySql?: boolean } | undefined;
  const viewed = view === undefined ? {} : await viewSpec(runner, found.project, view);
  const schema = call.body['schema'] as { fields?: unknown } | undefined;
  const table = await store.update(found, (current) => {
    checkEtag(call, tableEtag(current));
    const fields = schema?.fields === undefined ? current.fields : readFields(schema.fields);
    const clustering = 'clustering' in call.body || whole ? readClustering(call.body['clustering'], fields) : current.clustering;
    const properties = patched(whole ? {} : current.properties, keptProperties(call.body, DECIDED));
    const timePartitioning = call.body['timePartitioning'] === undefined ? current.timePartitioning : readPartitioning(call.body['timePartitioning'], fields);
    const { clustering: _old, timePartitioning: _before, ...rest } = current;
    return { ...rest, fields, properties, ...(clustering === undefined ? {} : { clustering }), ...(timePartitioning === undefined ? {} : { timePartitioning }), ...viewed };
  });
  return { body: await tableResource(runner, table, call.base) };
}

export function tableRoutes(runner: QueryRunner, dropped: (table: Table) => void): Routes {
  const { catalogue, engine } = runner.store;
  const path = '/projects/{project}/datasets/{dataset}/tables';
  const named = (call: Call): Table => catalogue.table(call.params['project']!, call.params['dataset']!, call.params['table']!);
  return {
    [`POST ${path}`]: { method: 'tables.insert', handler: async (call) => {
      const spec = await readTable(runner, call);
      const { table, publish } = await engine.change((connection) => runner.store.create(connection, spec));
      publish();
      return { body: await tableResource(runner, table, call.base) };
    } },
    [`GET ${path}`]: { method: 'tables.list', handler: (call) => {
      catalogue.dataset(call.params['project']!, call.params['dataset']!);
      const tables = catalogue.list('table', call.params['project']!, call.params['dataset']!);
      const { part, nextPageToken } = pageOf(tables, call);
      const entries = part.map((table) => ({
        kind: 'bigquery#table', id: `${table.project}:${table.dataset}.${table.table}`, tableReference: referenceOf(table), type: table.type,
        labels: table.properties['labels'], friendlyName: table.properties['friendlyName'], expirationTime: table.properties['expirationTime'],
        creationTime: String(table.createdMs), ...described(table),
      }));
      return { body: { kind: 'bigquery#tableList', etag: etagOf(entries), tables: entries, nextPageToken, totalItems: tables.length } };
    } },
    [`GET ${path}/{table}`]: { method: 'tables.get', handler: async (call) => ({ body: await tableResource(runner, named(call), call.base) }) },
    [`PATCH ${path}/{table}`]: { method: 'tables.patch', handler: (call) => change(runner, call, false) },
    [`PUT ${path}/{table}`]: { method: 'tables.update', handler: (call) => change(runner, call, true) },
    [`DELETE ${path}/{table}`]: { method: 'tables.delete', handler: async (call) => {
      const { table, publish } = await engine.change(async (connection) => {
        const table = named(call);
        return { table, publish: await runner.store.drop(connection, table) };
      });
      publish();
      dropped(table);
      return { status: 204 };
    } },
  };
}
