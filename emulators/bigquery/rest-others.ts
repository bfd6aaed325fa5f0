// projects.list, and the methods of the REST API that are not here: each is refused by its name. Handlers for http.ts.
import type { Handler, Routes } from './http.ts';
import { Refusal } from './refusal.ts';
import type { TableStore } from './table-store.ts';

const DATASET = '/projects/{project}/datasets/{dataset}';
const TABLE = `${DATASET}/tables/{table}`;

/** [HTTP method, path, method]. IAM paths end in `:verb`, which is a part of the last name here. */
const ABSENT: readonly [string, string, string][] = [
  ['POST', `${DATASET}:undelete`, 'datasets.undelete'],
  ['DELETE', '/projects/{project}/jobs/{job}/delete', 'jobs.delete'],
  ['GET', '/projects/{project}/serviceAccount', 'projects.getServiceAccount'],
  ['GET', `${DATASET}/models`, 'models.list'], ['GET', `${DATASET}/models/{model}`, 'models.get'], ['PATCH', `${DATASET}/models/{model}`, 'models.patch'], ['DELETE', `${DATASET}/models/{model}`, 'models.delete'],
  ['GET', `${TABLE}/rowAccessPolicies`, 'rowAccessPolicies.list'], ['POST', `${TABLE}/rowAccessPolicies`, 'rowAccessPolicies.insert'], ['POST', `${TABLE}/rowAccessPolicies:batchDelete`, 'rowAccessPolicies.batchDelete'],
  ['GET', `${TABLE}/rowAccessPolicies/{policy}`, 'rowAccessPolicies.get'], ['PUT', `${TABLE}/rowAccessPolicies/{policy}`, 'rowAccessPolicies.update'], ['DELETE', `${TABLE}/rowAccessPolicies/{policy}`, 'rowAccessPolicies.delete'],
  ...['getIamPolicy', 'setIamPolicy', 'testIamPermissions'].flatMap((verb): [string, string, string][] => [
    ['POST', `${TABLE}:${verb}`, `tables.${verb}`], ['POST', `${DATASET}/routines/{routine}:${verb}`, `routines.${verb}`], ['POST', `${TABLE}/rowAccessPolicies/{policy}:${verb}`, `rowAccessPolicies.${verb}`],
  ]),
];

export function otherRoutes(store: TableStore, project: string): Routes {
  const absent = ABSENT.map(([verb, path, method]) => {
    const handler: Handler = () => { throw new Refusal('notImplemented', `${method} is not implemented in the local BigQuery.`); };
    return [`${verb} ${path}`, { method, handler }] as const;
  });
  return {
    ...Object.fromEntries(absent),
    'GET /projects': { method: 'projects.list', handler: () => {
      const ids = [...new Set([project, ...store.catalogue.all('dataset').map((dataset) => dataset.project)])].sort();
      const projects = ids.map((id, at) => ({ kind: 'bigquery#project', id, numericId: String(at + 1), projectReference: { projectId: id }, friendlyName: id }));
      return { body: { kind: 'bigquery#projectList', etag: `"${ids.join()}"`, projects, totalItems: projects.length } };
    } },
  };
}
