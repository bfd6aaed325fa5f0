// datasets.* and routines.* of the REST API. Handlers for http.ts.
import { createHash } from 'node:crypto';
import type { Dataset, Properties, Routine } from './catalogue.ts';
import { removeDataset } from './ddl.ts';
import { isOn, pageOf, type Call, type Routes } from './http.ts';
import { checkLabels } from './labels.ts';
import { Refusal } from './refusal.ts';
import { plan, type QueryRunner } from './run-query.ts';
import type { TableStore } from './table-store.ts';

export const etagOf = (resource: object): string => createHash('sha1').update(JSON.stringify(resource)).digest('base64');

/** `If-Match` of an update: refused when somebody else was faster. */
export function checkEtag(call: Call, etag: string): void {
  const wanted = call.headers['if-match'];
  if (wanted !== undefined && wanted !== '*' && wanted !== etag) throw new Refusal('conditionNotMet', 'Precondition Failed: the resource was changed since it was read (etag).');
}

/** Properties of a request that are kept as they come; `except` are those that the server decides. */
export function keptProperties(body: Record<string, unknown>, except: readonly string[]): Properties {
  checkLabels(body['labels']);
  return Object.fromEntries(Object.entries(body).filter(([name, value]) => !except.includes(name) && value !== undefined));
}

/** PATCH: null removes, labels merge by key; PUT: what is absent goes. */
export function patched(current: Properties, changes: Properties): Properties {
  const next: Properties = { ...current, ...changes };
  const labels = changes['labels'] as Record<string, string | null> | null | undefined;
  if (labels !== undefined && labels !== null) {
    const merged = { ...(current['labels'] as Record<string, string> | undefined), ...labels };
    next['labels'] = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
  }
  return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== null));
}

const DECIDED = ['kind', 'etag', 'id', 'selfLink', 'datasetReference', 'creationTime', 'lastModifiedTime', 'type'] as const;

/** `labels.key:value labels.other`: all of them (datasets.list, filter). */
function hasLabels({ properties }: Dataset, filter: string | null): boolean {
  const labels = (properties['labels'] ?? {}) as Record<string, string>;
  return (filter ?? '').split(/\s+/).filter(Boolean).every((term) => {
    const match = /^labels\.([^:]+)(?::(.*))?$/.exec(term);
    if (match === null) throw new Refusal('invalid', `Invalid filter: ${term}; it has the form labels.key:value.`);
    return match[2] === undefined ? match[1]! in labels : labels[match[1]!] === match[2];
  });
}

function datasetResource(dataset: Dataset, base: string): object {
  const { project, dataset: id } = dataset;
  return {
    kind: 'bigquery#dataset', etag: etagOf(dataset), id: `${project}:${id}`, selfLink: `${base}/bigquery/v2/projects/${project}/datasets/${id}`,
    datasetReference: { projectId: project, datasetId: id }, location: 'US', type: 'DEFAULT',
    access: [{ role: 'OWNER', specialGroup: 'projectOwners' }], ...dataset.properties,
    creationTime: String(dataset.createdMs), lastModifiedTime: String(dataset.modifiedMs),
  };
}

export function datasetRoutes(store: TableStore): Routes {
  const { catalogue, engine } = store;
  const change = async (call: Call, next: (current: Properties) => Properties): Promise<{ body: object }> => {
    const publishAndDataset = await engine.change(async (connection) => {
      const current = catalogue.dataset(call.params['project']!, call.params['dataset']!);
      checkEtag(call, etagOf(current));
      const dataset: Dataset = { ...current, properties: next(current.properties), modifiedMs: store.now() };
      return { dataset, publish: await catalogue.put(connection, dataset) };
    });
    publishAndDataset.publish();
    return { body: datasetResource(publishAndDataset.dataset, call.base) };
  };
  const path = '/projects/{project}/datasets';
  return {
    [`POST ${path}`]: { method: 'datasets.insert', handler: async (call) => {
      const id = (call.body['datasetReference'] as { datasetId?: string } | undefined)?.datasetId ?? '';
      if (!/^\w{1,1024}$/.test(id)) throw new Refusal('invalid', `Invalid dataset ID "${id}". Dataset IDs must be alphanumeric (plus underscores) and must be at most 1024 characters long.`);
      const project = call.params['project']!;
      const now = store.now();
      const dataset: Dataset = { kind: 'dataset', project, dataset: id, createdMs: now, modifiedMs: now, properties: keptProperties(call.body, DECIDED) };
      const publish = await engine.change(async (connection) => {
        if (catalogue.findDataset(project, id) !== undefined) throw new Refusal('duplicate', `Already Exists: Dataset ${project}:${id}`);
        return catalogue.put(connection, dataset);
      });
      publish();
      return { body: datasetResource(dataset, call.base) };
    } },
    [`GET ${path}`]: { method: 'datasets.list', handler: (call) => {
      // Names that begin with an underscore hold what scripts keep for themselves; they are shown to those who ask for all.
      const isShown = (name: string): boolean => !name.startsWith('_') || isOn(call, 'all');
      const datasets = catalogue.all('dataset').filter((dataset) => dataset.project === call.params['project'] && isShown(dataset.dataset) && hasLabels(dataset, call.query.get('filter'))).sort((a, b) => (a.dataset < b.dataset ? -1 : 1));
      const { part, nextPageToken } = pageOf(datasets, call);
      const entries = part.map((dataset) => ({
        kind: 'bigquery#dataset', id: `${dataset.project}:${dataset.dataset}`, datasetReference: { projectId: dataset.project, datasetId: dataset.dataset },
        location: dataset.properties['location'] ?? 'US', labels: dataset.properties['labels'], friendlyName: dataset.properties['friendlyName'],
      }));
      return { body: { kind: 'bigquery#datasetList', etag: etagOf(entries), datasets: entries, nextPageToken } };
    } },
    [`GET ${path}/{dataset}`]: { method: 'datasets.get', handler: (call) => ({ body: datasetResource(catalogue.dataset(call.params['project']!, call.params['dataset']!), call.base) }) },
    [`PATCH ${path}/{dataset}`]: { method: 'datasets.patch', handler: (call) => change(call, (current) => patched(current, keptProperties(call.body, DECIDED))) },
    [`PUT ${path}/{dataset}`]: { method: 'datasets.update', handler: (call) => change(call, () => patched({}, keptProperties(call.body, DECIDED))) },
    [`DELETE ${path}/{dataset}`]: { method: 'datasets.delete', handler: async (call) => {
      const publish = await engine.change((connection) =>
        removeDataset(store, connection, catalogue.dataset(call.params['project']!, call.params['dataset']!), isOn(call, 'deleteContents')));
      publish();
      return { status: 204 };
    } },
  };
}

function routineResource(routine: Routine): object {
  return {
    etag: etagOf(routine), routineReference: { projectId: routine.project, datasetId: routine.dataset, routineId: routine.routine },
    ...routine.resource, creationTime: String(routine.createdMs), lastModifiedTime: String(routine.modifiedMs),
  };
}

type ArgumentResource = { name?: string; argumentKind?: string; dataType?: DataType };
type DataType = { typeKind: string; arrayElementType?: DataType; structType?: { fields: { name: string; type: DataType }[] } };

/** A REST data type as GoogleSQL. */
function typeSql(type: DataType): string {
  if (type.typeKind === 'ARRAY') return `ARRAY<${typeSql(type.arrayElementType!)}>`;
  if (type.typeKind === 'STRUCT') return `STRUCT<${type.structType!.fields.map((field) => `${field.name} ${typeSql(field.type)}`).join(', ')}>`;
  return type.typeKind;
}

/** The statement that makes the same routine: one way to make routines means one place that knows what they are. */
function statementOf(project: string, dataset: string, body: Record<string, unknown>, orReplace: boolean): string {
  const reference = body['routineReference'] as { routineId?: string } | undefined;
  if (!/^\w+$/.test(reference?.routineId ?? '')) throw new Refusal('invalid', `Invalid routine ID "${String(reference?.routineId)}".`);
  if (body['language'] !== undefined && body['language'] !== 'SQL') throw new Refusal('notImplemented', `Routines in ${String(body['language'])} are not implemented in the local BigQuery.`);
  const kind = { TABLE_VALUED_FUNCTION: 'TABLE FUNCTION', SCALAR_FUNCTION: 'FUNCTION' }[String(body['routineType'])];
  if (kind === undefined) throw new Refusal('notImplemented', `Routines of type ${String(body['routineType'])} are not implemented in the local BigQuery.`);
  const parameters = ((body['arguments'] ?? []) as ArgumentResource[]).map((argument) => `${argument.name} ${argument.argumentKind === 'ANY_TYPE' ? 'ANY TYPE' : typeSql(argument.dataType!)}`);
  const definition = String(body['definitionBody']);
  return `CREATE ${orReplace ? 'OR REPLACE ' : ''}${kind} \`${project}.${dataset}.${reference!.routineId}\`(${parameters.join(', ')}) AS ${kind === 'FUNCTION' ? `(${definition}\n)` : `(${definition}\n)`}`;
}

export function routineRoutes(runner: QueryRunner, runDdl: (project: string, query: string) => Promise<void>): Routes {
  const { catalogue, engine } = runner.store;
  const path = '/projects/{project}/datasets/{dataset}/routines';
  const make = async (call: Call, body: Record<string, unknown>, orReplace: boolean): Promise<{ body: object }> => {
    const { project, dataset } = call.params as { project: string; dataset: string };
    catalogue.dataset(project, dataset);
    const query = statementOf(project, dataset, body, orReplace);
    plan(runner, project, { query });
    await runDdl(project, query);
    return { body: routineResource(catalogue.routine(project, dataset, (body['routineReference'] as { routineId: string }).routineId)) };
  };
  return {
    [`POST ${path}`]: { method: 'routines.insert', handler: (call) => make(call, call.body, false) },
    [`PUT ${path}/{routine}`]: { method: 'routines.update', handler: (call) => {
      catalogue.routine(call.params['project']!, call.params['dataset']!, call.params['routine']!);
      return make(call, { ...call.body, routineReference: { routineId: call.params['routine'] } }, true);
    } },
    [`GET ${path}`]: { method: 'routines.list', handler: (call) => {
      catalogue.dataset(call.params['project']!, call.params['dataset']!);
      const { part, nextPageToken } = pageOf(catalogue.list('routine', call.params['project']!, call.params['dataset']!), call);
      return { body: { routines: part.map(routineResource), nextPageToken } };
    } },
    [`GET ${path}/{routine}`]: { method: 'routines.get', handler: (call) => ({ body: routineResource(catalogue.routine(call.params['project']!, call.params['dataset']!, call.params['routine']!)) }) },
    [`DELETE ${path}/{routine}`]: { method: 'routines.delete', handler: async (call) => {
      const publish = await engine.change((connection) => catalogue.remove(connection, catalogue.routine(call.params['project']!, call.params['dataset']!, call.params['routine']!)));
      publish();
      return { status: 204 };
    } },
  };
}
