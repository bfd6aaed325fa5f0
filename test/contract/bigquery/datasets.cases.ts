// Contract cases of datasets, projects and routines as resources, and of the methods that are refused by their names.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { errorOf, type Answer, type BigQueryWorld, type Resource } from './world.ts';

const DATASETS = 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/datasets';

export const DATASET_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'dataset-resource', promise: 'a dataset keeps its labels, description, location, default expirations and access list, with an etag and times', methods: ['datasets.insert', 'datasets.get'], source: DATASETS,
    async run(world) {
      const access = [{ role: 'READER', specialGroup: 'projectReaders' }, { role: 'OWNER', specialGroup: 'projectOwners' }];
      const id = await world.newDataset({ labels: { a: 'b' }, description: 'd', location: 'US', defaultTableExpirationMs: '3600000', defaultPartitionExpirationMs: '7200000', access });
      expect((await world.call({ path: `/datasets/${id}` })).body).toMatchObject({
        kind: 'bigquery#dataset', id: `${world.launched.project}:${id}`, datasetReference: { projectId: world.launched.project, datasetId: id }, location: 'US', labels: { a: 'b' }, description: 'd',
        defaultTableExpirationMs: '3600000', defaultPartitionExpirationMs: '7200000', access: expect.arrayContaining(access), etag: expect.any(String), creationTime: expect.stringMatching(/^\d{13}$/),
      });
    },
  },
  {
    name: 'dataset-ids', promise: 'a dataset id has letters, digits and underscores, at most 1,024', methods: ['datasets.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/datasets#dataset-naming',
    async run(world) {
      for (const datasetId of ['a-b', 'a b', '', 'x'.repeat(1_025), 'ü']) expect((await world.call({ method: 'POST', path: '/datasets', body: { datasetReference: { datasetId } } })).status).toBe(400);
    },
  },
  {
    name: 'dataset-patched', promise: 'PATCH of a dataset merges, PUT replaces', methods: ['datasets.patch', 'datasets.update'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/datasets/patch',
    async run(world) {
      const id = await world.newDataset({ labels: { a: '1' }, description: 'd' });
      expect((await world.call({ method: 'PATCH', path: `/datasets/${id}`, body: { labels: { b: '2' } } })).body).toMatchObject({ labels: { a: '1', b: '2' }, description: 'd' });
      const { body } = await world.call({ method: 'PUT', path: `/datasets/${id}`, body: { datasetReference: { projectId: world.launched.project, datasetId: id }, labels: { c: '3' } } });
      expect(body['labels']).toEqual({ c: '3' });
      expect(body['description']).toBeUndefined();
    },
  },
  {
    name: 'dataset-deleted', promise: 'a dataset with anything in it is deleted only with deleteContents', methods: ['datasets.delete'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/datasets/delete',
    async run(world) {
      const id = await world.newDataset();
      await world.client.dataset(id).createTable('t', {});
      expect(errorOf(await world.call({ method: 'DELETE', path: `/datasets/${id}` }))).toMatchObject({ status: 400, reason: 'resourceInUse', message: `Dataset ${world.launched.project}:${id} is still in use` });
      expect([200, 204]).toContain((await world.call({ method: 'DELETE', path: `/datasets/${id}`, query: { deleteContents: true } })).status);
      expect((await world.call({ path: `/datasets/${id}` })).status).toBe(404);
      expect((await world.call({ method: 'DELETE', path: `/datasets/${id}` })).status).toBe(404);
    },
  },
  {
    name: 'datasets-listed', promise: 'datasets.list gives every dataset once over its pages, and those of a label by filter', methods: ['datasets.list'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/datasets/list',
    // Nobody promises pages of a list that grows meanwhile.
    isAlone: true,
    async run(world) {
      const label = world.name('only').replaceAll('_', '-');
      const ids = [await world.newDataset({ labels: { of: label } }), await world.newDataset({ labels: { of: label } }), await world.newDataset()];
      const seen: string[] = [];
      let pageToken: string | undefined;
      do {
        const { body } = await world.call({ path: '/datasets', query: { maxResults: 2, ...(pageToken === undefined ? {} : { pageToken }) } });
        seen.push(...(body['datasets'] as Resource[]).map((dataset) => dataset['datasetReference'].datasetId as string));
        pageToken = body['nextPageToken'];
      } while (pageToken !== undefined);
      expect(ids.filter((id) => seen.filter((other) => other === id).length !== 1)).toEqual([]);
      const { body } = await world.call({ path: '/datasets', query: { filter: `labels.of:${label}` } });
      expect((body['datasets'] as Resource[]).map((dataset) => dataset['datasetReference'].datasetId).sort()).toEqual(ids.slice(0, 2).sort());
    },
  },
  {
    name: 'projects-listed', promise: 'projects.list names the project', methods: ['projects.list'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/projects/list', needs: ['faults'],
    async run(world) {
      const response = await fetch(`${process.env['BIGQUERY_EMULATOR_HOST']}/bigquery/v2/projects`);
      expect(await response.json()).toMatchObject({ kind: 'bigquery#projectList', projects: [{ projectReference: { projectId: world.launched.project } }] });
    },
  },
  {
    name: 'routine-life', promise: 'a function is made, used, listed, changed and deleted through REST', methods: ['routines.insert', 'routines.get', 'routines.list', 'routines.update', 'routines.delete'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/routines',
    async run(world) {
      const routineId = world.name('f');
      const path = `/datasets/${world.dataset}/routines`;
      const routine = (definitionBody: string): object => ({ routineReference: { projectId: world.launched.project, datasetId: world.dataset, routineId }, routineType: 'SCALAR_FUNCTION', language: 'SQL', definitionBody, arguments: [{ name: 'x', dataType: { typeKind: 'INT64' } }] });
      expect((await world.call({ method: 'POST', path, body: routine('x * 2') })).body).toMatchObject({ routineReference: { routineId }, definitionBody: 'x * 2', etag: expect.any(String) });
      expect((await world.call({ method: 'POST', path, body: routine('x * 2') })).status).toBe(409);
      expect(await world.rows(`SELECT ${world.dataset}.${routineId}(21) AS y`)).toEqual([{ y: 42 }]);
      expect(((await world.call({ path })).body['routines'] as Resource[]).map((one) => one['routineReference'].routineId)).toContain(routineId);
      await world.call({ method: 'PUT', path: `${path}/${routineId}`, body: routine('x * 3') });
      expect(await world.rows(`SELECT ${world.dataset}.${routineId}(2) AS y`)).toEqual([{ y: 6 }]);
      await world.call({ method: 'DELETE', path: `${path}/${routineId}` });
      expect((await world.call({ path: `${path}/${routineId}` })).status).toBe(404);
    },
  },
  {
    name: 'table-function-by-statement', promise: 'a table function made by a statement is a routine, and takes arguments', methods: ['routines.get', 'jobs.query'], source: 'https://docs.cloud.google.com/bigquery/docs/table-functions',
    async run(world) {
      const name = world.name('tf');
      await world.query(`CREATE OR REPLACE TABLE FUNCTION ${name}(low INT64) AS (SELECT n FROM UNNEST([1, 2, 3]) AS n WHERE n > low)`);
      expect((await world.call({ path: `/datasets/${world.dataset}/routines/${name}` })).body).toMatchObject({ routineType: 'TABLE_VALUED_FUNCTION' });
      expect(await world.rows(`SELECT n FROM ${world.dataset}.${name}(1) ORDER BY n`)).toEqual([{ n: 2 }, { n: 3 }]);
    },
  },
  {
    name: 'routines-of-other-languages-refused', promise: 'JavaScript functions and procedures are refused by name here', methods: ['routines.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/routines', needs: ['faults'],
    async run(world) {
      const insert = (more: object): Promise<Answer> => world.call({ method: 'POST', path: `/datasets/${world.dataset}/routines`, body: { routineReference: { routineId: world.name('f') }, definitionBody: 'return 1', ...more } });
      expect(errorOf(await insert({ routineType: 'SCALAR_FUNCTION', language: 'JAVASCRIPT' }))).toMatchObject({ status: 501, message: expect.stringContaining('JAVASCRIPT') });
      expect(errorOf(await insert({ routineType: 'PROCEDURE', language: 'SQL' }))).toMatchObject({ status: 501, message: expect.stringContaining('PROCEDURE') });
    },
  },
  ...([
    ['datasets.undelete', 'POST', '/datasets/d:undelete'], ['jobs.delete', 'DELETE', '/jobs/j/delete'], ['projects.getServiceAccount', 'GET', '/serviceAccount'],
    ['models.list', 'GET', '/datasets/d/models'], ['models.get', 'GET', '/datasets/d/models/m'], ['models.patch', 'PATCH', '/datasets/d/models/m'], ['models.delete', 'DELETE', '/datasets/d/models/m'],
    ['tables.getIamPolicy', 'POST', '/datasets/d/tables/t:getIamPolicy'], ['tables.setIamPolicy', 'POST', '/datasets/d/tables/t:setIamPolicy'], ['tables.testIamPermissions', 'POST', '/datasets/d/tables/t:testIamPermissions'],
    ['routines.getIamPolicy', 'POST', '/datasets/d/routines/r:getIamPolicy'], ['routines.setIamPolicy', 'POST', '/datasets/d/routines/r:setIamPolicy'], ['routines.testIamPermissions', 'POST', '/datasets/d/routines/r:testIamPermissions'],
    ['rowAccessPolicies.list', 'GET', '/datasets/d/tables/t/rowAccessPolicies'], ['rowAccessPolicies.insert', 'POST', '/datasets/d/tables/t/rowAccessPolicies'], ['rowAccessPolicies.get', 'GET', '/datasets/d/tables/t/rowAccessPolicies/p'],
    ['rowAccessPolicies.update', 'PUT', '/datasets/d/tables/t/rowAccessPolicies/p'], ['rowAccessPolicies.delete', 'DELETE', '/datasets/d/tables/t/rowAccessPolicies/p'], ['rowAccessPolicies.batchDelete', 'POST', '/datasets/d/tables/t/rowAccessPolicies:batchDelete'],
    ['rowAccessPolicies.getIamPolicy', 'POST', '/datasets/d/tables/t/rowAccessPolicies/p:getIamPolicy'], ['rowAccessPolicies.testIamPermissions', 'POST', '/datasets/d/tables/t/rowAccessPolicies/p:testIamPermissions'],
  ] as const).map(([method, verb, path]): ContractCase<BigQueryWorld> => ({
    name: `absent-${method.replace('.', '-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, promise: `${method} is refused by its name, in the shape of Google's errors`, methods: [method], needs: ['faults'],
    source: `https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/${method.replace('.', '/')}`,
    async run(world) {
      expect(errorOf(await world.call({ method: verb, path, ...(verb === 'GET' || verb === 'DELETE' ? {} : { body: {} }) }))).toMatchObject({ status: 501, reason: 'notImplemented', message: expect.stringContaining(method) });
    },
  })),
];
