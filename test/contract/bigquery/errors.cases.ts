// Contract cases of errors: the shape of an answer, the reasons with their status, and the words by which programs know them.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { errorOf, type BigQueryWorld } from './world.ts';

const ERRORS = 'https://docs.cloud.google.com/bigquery/docs/error-messages';
const ask = (world: BigQueryWorld, query: string, more: object = {}) => world.call({ method: 'POST', path: '/queries', body: { query, useLegacySql: false, defaultDataset: { datasetId: world.dataset }, ...more } });

/** The reasons of docs/error-messages that only Google's own troubles give, with their codes there. */
const TROUBLES: readonly [reason: string, status: number][] = [
  ['accessDenied', 403], ['backendError', 503], ['internalError', 500], ['quotaExceeded', 403], ['rateLimitExceeded', 403], ['resourcesExceeded', 400], ['responseTooLarge', 403],
];

export const ERROR_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'invalid-query-location', promise: 'a syntax error is invalidQuery, 400, with the location query and line and column at the end of its message', methods: ['jobs.query', 'jobs.insert'], source: ERRORS,
    async run(world) {
      const syntax = errorOf(await ask(world, 'SELECT 1,\n  FRM'));
      expect(syntax).toMatchObject({ status: 400, reason: 'invalidQuery', location: 'query' });
      const other = errorOf(await ask(world, 'SELECT\n  nothing_of_that_name'));
      expect(other).toEqual({ status: 400, reason: 'invalidQuery', location: 'query', message: 'Unrecognized name: nothing_of_that_name at [2:3]' });
      expect(await world.failure('SELEC 1')).toMatchObject({ reason: 'invalidQuery', location: 'query', message: expect.stringMatching(/^Syntax error: .* at \[1:1\]$/) });
    },
  },
  {
    name: 'job-error-location', promise: 'the errorResult of a job whose query was refused has its location too, and stands among its errors', methods: ['jobs.insert', 'jobs.get'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/ErrorProto',
    async run(world) {
      const jobId = world.name('refused');
      await world.call({ method: 'POST', path: '/jobs', body: { jobReference: { jobId }, configuration: { query: { query: 'SELECT nothing_of_that_name', useLegacySql: false } } } });
      const { errorResult, errors } = (await world.ended(jobId))['status'];
      expect(errorResult).toMatchObject({ reason: 'invalidQuery', location: 'query', message: expect.stringContaining('nothing_of_that_name') });
      expect(errors).toContainEqual(errorResult);
    },
  },
  {
    name: 'invalid-query-at-run-time', promise: 'an error that a value causes is invalidQuery too, through the job\'s errorResult', methods: ['jobs.insert', 'jobs.getQueryResults'], source: ERRORS,
    async run(world) {
      expect(await world.failure('SELECT 1 / (n - 1) AS x FROM UNNEST([1]) AS n')).toMatchObject({ reason: 'invalidQuery', message: expect.stringMatching(/division by zero/) });
      expect(await world.failure("SELECT CAST(CONCAT('a', CAST(n AS STRING)) AS INT64) AS x FROM UNNEST([1]) AS n")).toMatchObject({ reason: 'invalidQuery', message: expect.stringMatching(/Bad int64 value: a1/) });
      expect(await world.failure("SELECT ERROR('said by hand') AS x FROM UNNEST([1]) AS n")).toMatchObject({ reason: 'invalidQuery', message: expect.stringContaining('said by hand') });
    },
  },
  {
    name: 'not-found-table', promise: 'a table or dataset that is not there is notFound, 404, named as project:dataset.table', methods: ['jobs.query', 'tables.get', 'datasets.get', 'tabledata.list', 'tabledata.insertAll', 'tables.delete', 'tables.patch'], source: ERRORS,
    async run(world) {
      const name = world.name('missing');
      const path = `/datasets/${world.dataset}/tables/${name}`;
      const message = `Not found: Table ${world.launched.project}:${world.dataset}.${name}`;
      expect(errorOf(await world.call({ path }))).toEqual({ status: 404, reason: 'notFound', message });
      for (const call of [{ path: `${path}/data` }, { method: 'POST', path: `${path}/insertAll`, body: { rows: [{ json: {} }] } }, { method: 'DELETE', path }, { method: 'PATCH', path, body: { description: 'x' } }]) {
        expect(errorOf(await world.call(call))).toMatchObject({ status: 404, reason: 'notFound', message });
      }
      expect(errorOf(await ask(world, `SELECT 1 FROM ${name}`))).toMatchObject({ status: 404, reason: 'notFound', message: expect.stringContaining(message) });
      const dataset = world.name('nowhere');
      expect(errorOf(await world.call({ path: `/datasets/${dataset}` }))).toEqual({ status: 404, reason: 'notFound', message: `Not found: Dataset ${world.launched.project}:${dataset}` });
      expect(errorOf(await ask(world, `SELECT 1 FROM ${dataset}.t`))).toMatchObject({ status: 404, reason: 'notFound' });
    },
  },
  {
    name: 'duplicate-table', promise: 'making what is there is duplicate, 409, whether table, view or dataset', methods: ['tables.insert', 'datasets.insert', 'jobs.insert'], source: ERRORS,
    async run(world) {
      const table = await world.table([{ name: 'a', type: 'STRING' }]);
      const name = `${world.launched.project}:${world.dataset}`;
      expect(errorOf(await world.call({ method: 'POST', path: `/datasets/${world.dataset}/tables`, body: { tableReference: { tableId: table.id } } }))).toEqual({ status: 409, reason: 'duplicate', message: `Already Exists: Table ${name}.${table.id}` });
      expect(errorOf(await world.call({ method: 'POST', path: '/datasets', body: { datasetReference: { datasetId: world.dataset } } }))).toEqual({ status: 409, reason: 'duplicate', message: `Already Exists: Dataset ${name}` });
      expect(await world.failure(`CREATE TABLE ${table.id} (x INT64)`)).toMatchObject({ reason: 'duplicate', message: expect.stringContaining(`Already Exists: Table ${name}.${table.id}`) });
    },
  },
  {
    name: 'tables-raced', promise: 'of many inserts at once of one table exactly one makes it', methods: ['tables.insert'], source: ERRORS,
    async run(world) {
      const tableId = world.name('raced');
      const answers = await Promise.all(Array.from({ length: 5 }, () => world.call({ method: 'POST', path: `/datasets/${world.dataset}/tables`, body: { tableReference: { tableId }, schema: { fields: [{ name: 'a', type: 'STRING' }] } } })));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    },
  },
  {
    name: 'query-missing', promise: 'a query without text is refused', methods: ['jobs.query', 'jobs.insert'], source: ERRORS,
    async run(world) {
      expect(errorOf(await ask(world, ''))).toMatchObject({ status: 400, reason: expect.stringMatching(/required|invalid/) });
      expect(errorOf(await world.call({ method: 'POST', path: '/jobs', body: { configuration: { query: { useLegacySql: false } } } }))).toMatchObject({ status: 400, reason: expect.stringMatching(/required|invalid/) });
    },
  },
  {
    name: 'body-not-json', promise: 'a body that is not JSON is 400 in the shape of an error', methods: ['jobs.query'], source: ERRORS,
    async run(world) {
      const answer = await world.call({ method: 'POST', path: '/queries', body: ['not', 'an object'] });
      expect(answer.status).toBe(400);
      expect(answer.body['error'].code).toBe(400);
    },
  },
  {
    name: 'legacy-sql-refused', promise: 'legacy SQL, the default of jobs.query, is refused by name here', methods: ['jobs.query', 'jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query#QueryRequest', needs: ['faults'],
    async run(world) {
      const answers = [await world.call({ method: 'POST', path: '/queries', body: { query: 'SELECT 1' } }), await world.call({ method: 'POST', path: '/jobs', body: { configuration: { query: { query: 'SELECT 1', useLegacySql: true } } } })];
      for (const answer of answers) expect(errorOf(answer)).toMatchObject({ status: 501, reason: 'notImplemented', message: expect.stringContaining('Legacy SQL') });
    },
  },
  {
    name: 'script-error-place', promise: 'an error in the second statement of a script says where, and the first statement keeps its effect', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/multi-statement-queries',
    async run(world) {
      const name = world.name('first');
      expect(await world.failure(`CREATE TABLE ${name} AS SELECT 1 AS n;\nSELECT ERROR('second') FROM ${name};`)).toMatchObject({ reason: 'invalidQuery', message: expect.stringContaining('second') });
      expect(await world.rows(`SELECT n FROM ${name}`)).toEqual([{ n: 1 }]);
    },
  },
  ...TROUBLES.map(([reason, status]): ContractCase<BigQueryWorld> => ({
    name: `trouble-${reason.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, promise: `${reason} is ${status} in Google's shape, and the call after it works`, methods: ['tables.get'], source: ERRORS, needs: ['faults'], isAlone: true,
    async run(world) {
      const path = `/datasets/${world.dataset}`;
      await world.breakCalls({ method: 'datasets.get', kind: 'fail', status: reason });
      expect(errorOf(await world.call({ path }))).toMatchObject({ status, reason });
      expect((await world.call({ path })).status).toBe(200);
      // A job that meets it is DONE with that reason.
      await world.breakCalls({ method: 'job.run', kind: 'fail', status: reason });
      expect(await world.failure('SELECT 1 AS one')).toMatchObject({ reason });
    },
  })),
  {
    name: 'trouble-lost-answer', promise: 'a table whose insert was carried out while its answer was lost is 409 when it is made again', methods: ['tables.insert'], source: ERRORS, needs: ['faults'], isAlone: true,
    async run(world) {
      const tableId = world.name('lost');
      const body = { tableReference: { tableId } };
      await world.breakCalls({ method: 'tables.insert', kind: 'fail', status: '503', takes_effect: true });
      expect((await world.call({ method: 'POST', path: `/datasets/${world.dataset}/tables`, body })).status).toBe(503);
      expect((await world.call({ method: 'POST', path: `/datasets/${world.dataset}/tables`, body })).status).toBe(409);
    },
  },
];
