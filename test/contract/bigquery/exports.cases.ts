// Contract cases of EXPORT DATA: the rows of a query as files in Cloud Storage.
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { Storage, type Bucket } from '@google-cloud/storage';
import type { ContractCase } from '../contract.ts';
import type { BigQueryWorld } from './world.ts';

const EXPORT = 'https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/export-statements#export_data_statement';

async function newBucket(world: BigQueryWorld): Promise<Bucket> {
  const storage = new Storage({ projectId: world.launched.project, apiEndpoint: process.env['STORAGE_EMULATOR_HOST']! });
  const [bucket] = await storage.createBucket(world.name('bucket').replaceAll('_', '-'));
  return bucket;
}

export const EXPORT_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'export-json', promise: 'EXPORT DATA writes the rows of a query as lines of JSON, in files that are numbered in the place of the wildcard', methods: ['jobs.query'], source: EXPORT, needs: ['loopback'],
    async run(world) {
      const bucket = await newBucket(world);
      const options = `uri = 'gs://${bucket.name}/rows-*.json.gz', format = 'JSON', compression = 'GZIP'`;
      await world.rows(`EXPORT DATA OPTIONS (${options}) AS SELECT n, [STRUCT('ä' AS k, CAST(NULL AS STRING) AS v)] AS l FROM UNNEST([1, 2]) AS n ORDER BY n DESC`);
      const [data] = await bucket.file('rows-000000000000.json.gz').download({ decompress: false });
      expect(gunzipSync(data).toString()).toBe('{"n":"2","l":[{"k":"ä"}]}\n{"n":"1","l":[{"k":"ä"}]}\n');
    },
  },
  {
    name: 'export-csv', promise: 'EXPORT DATA writes CSV without a header unless told otherwise, and refuses nested columns', methods: ['jobs.query'], source: EXPORT, needs: ['loopback'],
    async run(world) {
      const bucket = await newBucket(world);
      const read = async (name: string): Promise<string> => (await bucket.file(name).download())[0].toString();
      await world.rows(`EXPORT DATA OPTIONS (uri = 'gs://${bucket.name}/plain-*.csv', format = 'CSV') AS SELECT 'a;b' AS s, 1 AS n`);
      await world.rows(`EXPORT DATA OPTIONS (uri = 'gs://${bucket.name}/with-*.csv', format = 'csv', header = true, field_delimiter = ';') AS SELECT 'a;b' AS s, 1 AS n`);
      expect([await read('plain-000000000000.csv'), await read('with-000000000000.csv')]).toEqual(['a;b,1\n', 's;n\n"a;b";1\n']);
      expect(await world.failure(`EXPORT DATA OPTIONS (uri = 'gs://${bucket.name}/n-*.csv', format = 'CSV') AS SELECT [1] AS l`)).toMatchObject({ reason: expect.stringMatching(/^invalid/), message: expect.stringMatching(/nested/i) });
    },
  },
  {
    name: 'export-overwrites-when-told', promise: 'EXPORT DATA refuses a destination that holds files unless overwrite is set, and a URI without its one wildcard', methods: ['jobs.query'], source: EXPORT, needs: ['loopback'],
    async run(world) {
      const bucket = await newBucket(world);
      const uri = `uri = 'gs://${bucket.name}/n-*.json'`;
      await world.rows(`EXPORT DATA OPTIONS (${uri}, format = 'JSON') AS SELECT 1 AS n`);
      expect(await world.failure(`EXPORT DATA OPTIONS (${uri}, format = 'JSON') AS SELECT 2 AS n`)).toMatchObject({ reason: expect.stringMatching(/^invalid/) });
      await world.rows(`EXPORT DATA OPTIONS (${uri}, format = 'JSON', overwrite = true) AS SELECT 3 AS n`);
      expect((await bucket.file('n-000000000000.json').download())[0].toString()).toBe('{"n":"3"}\n');
      for (const bad of ['n.json', 'n-*-*.json']) expect(await world.failure(`EXPORT DATA OPTIONS (uri = 'gs://${bucket.name}/${bad}', format = 'JSON') AS SELECT 1 AS n`)).toMatchObject({ reason: expect.stringMatching(/^invalid/), message: expect.stringMatching(/uri/i) });
    },
  },
  {
    name: 'export-refusals', promise: 'Parquet, Avro and other options of EXPORT DATA are refused by name here', methods: ['jobs.query'], source: EXPORT, needs: ['faults'],
    async run(world) {
      for (const format of ['PARQUET', 'AVRO']) expect(await world.failure(`EXPORT DATA OPTIONS (uri = 'gs://b/x-*', format = '${format}') AS SELECT 1 AS n`)).toMatchObject({ reason: 'notImplemented', message: expect.stringContaining(format) });
      expect(await world.failure("EXPORT DATA OPTIONS (uri = 'gs://b/x-*', format = 'CSV', auto_create_column_family = true) AS SELECT 1 AS n")).toMatchObject({ reason: 'notImplemented', message: expect.stringContaining('auto_create_column_family') });
    },
  },
];
