// Contract cases of files: load jobs from uploads and from Cloud Storage, and extract jobs into it.
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { Storage, type Bucket } from '@google-cloud/storage';
import type { ContractCase } from '../contract.ts';
import { schemaText, type BigQueryWorld, type Field, type Resource } from './world.ts';

const LOAD = 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad';
const JSON_FILES = 'https://docs.cloud.google.com/bigquery/docs/loading-data-cloud-storage-json';
const CSV_FILES = 'https://docs.cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv';
const DETECT = 'https://docs.cloud.google.com/bigquery/docs/schema-detect';
const EXPORT = 'https://docs.cloud.google.com/bigquery/docs/exporting-data';
const ID: Field[] = [{ name: 'id', type: 'STRING' }, { name: 'n', type: 'INTEGER' }];
const NDJSON = 'NEWLINE_DELIMITED_JSON';

/** Uploads the text into a new table (or the one that is named) as Google's client does, in one piece of a resumable upload. */
async function upload(world: BigQueryWorld, data: string | Buffer, options: object, table = world.name('loaded')): Promise<{ table: string; job: Resource }> {
  const jobId = world.name('load');
  const stream = world.client.dataset(world.dataset).table(table).createWriteStream({ jobId, ...options } as never);
  await new Promise<void>((done) => {
    // A load that failed is an error here; what became of it is asked below.
    stream.once('complete', () => done()).once('error', () => done());
    stream.end(data);
  });
  return { table, job: await world.ended(jobId) };
}
const columns = async (world: BigQueryWorld, table: string): Promise<string> => schemaText((await world.client.dataset(world.dataset).table(table).getMetadata())[0].schema.fields);
const count = async (world: BigQueryWorld, table: string): Promise<unknown> => (await world.rows(`SELECT COUNT(*) AS n FROM ${table}`))[0]!['n'];

async function newBucket(world: BigQueryWorld): Promise<Bucket> {
  const storage = new Storage({ projectId: world.launched.project, apiEndpoint: process.env['STORAGE_EMULATOR_HOST']! });
  const [bucket] = await storage.createBucket(world.name('bucket').replaceAll('_', '-'));
  return bucket;
}
const load = (world: BigQueryWorld, table: string, options: object): Promise<Resource> =>
  world.job({ load: { sourceFormat: NDJSON, ...world.into(table), ...options } }).catch((error: Resource) => ({ status: { errorResult: error['errors'][0] } }));
const extract = (world: BigQueryWorld, table: string, uri: string, options: object = {}): Promise<Resource> =>
  world.job({ extract: { sourceTable: { projectId: world.launched.project, datasetId: world.dataset, tableId: table }, destinationUris: [uri], ...options } }).catch((error: Resource) => ({ status: { errorResult: error['errors'][0] } }));

export const FILE_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'load-upload', promise: 'an uploaded file of lines becomes a new table, with counts in the job\'s statistics', methods: ['jobs.insert'], source: LOAD,
    async run(world) {
      const { table, job } = await upload(world, '{"id":"ä","n":1}\n{"id":"b","n":"9007199254740993"}\n\n{"n":null}\n', { sourceFormat: NDJSON, schema: { fields: ID } });
      expect(job).toMatchObject({ configuration: { jobType: 'LOAD' }, status: { state: 'DONE' }, statistics: { load: { inputFiles: '1', outputRows: '3', badRecords: '0' } } });
      expect(job['status'].errorResult).toBeUndefined();
      expect(await world.rows(`SELECT id, CAST(n AS STRING) AS n FROM ${table} ORDER BY n`)).toEqual([{ id: null, n: null }, { id: 'ä', n: '1' }, { id: 'b', n: '9007199254740993' }]);
    },
  },
  {
    name: 'load-upload-gzip', promise: 'a gzip file, of several members too, is inflated whatever its name', methods: ['jobs.insert'], source: JSON_FILES,
    async run(world) {
      const { table } = await upload(world, Buffer.concat([gzipSync('{"id":"a","n":1}\n'), gzipSync('{"id":"b","n":2}\n')]), { sourceFormat: NDJSON, schema: { fields: ID } });
      expect(await world.rows(`SELECT id FROM ${table} ORDER BY id`)).toEqual([{ id: 'a' }, { id: 'b' }]);
    },
  },
  {
    name: 'load-nested', promise: 'nested and repeated columns and JSON documents are loaded as they are', methods: ['jobs.insert'], source: JSON_FILES,
    async run(world) {
      const fields: Field[] = [{ name: 'id', type: 'STRING' }, { name: 'l', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'k', type: 'STRING' }] }, { name: 'j', type: 'JSON' }, { name: 't', type: 'TIMESTAMP' }];
      const { table } = await upload(world, '{"id":"a","l":[{"k":"x"},{"k":null}],"j":{"b":[1,{"c":null}]},"t":"2026-01-01T00:00:00.5Z"}\n{"id":"b","j":"text"}\n', { sourceFormat: NDJSON, schema: { fields } });
      expect(await world.rows(`SELECT id, ARRAY_LENGTH(l) AS l, TO_JSON_STRING(j) AS j, UNIX_MILLIS(t) AS t FROM ${table} ORDER BY id`)).toEqual([{ id: 'a', l: 2, j: '{"b":[1,{"c":null}]}', t: 1_767_225_600_500 }, { id: 'b', l: 0, j: '"text"', t: null }]);
    },
  },
  {
    name: 'load-bad-record', promise: 'one wrong record fails the load, which names it and where it stands, and makes no table', methods: ['jobs.insert'], source: JSON_FILES,
    async run(world) {
      const table = world.name('bad');
      for (const line of ['{"id":"b","extra":1}', '{"id":"b","n":"x"}', '{"id":', '[1]']) {
        const { job } = await upload(world, `{"id":"a"}\n${line}\n`, { sourceFormat: NDJSON, schema: { fields: ID } }, table);
        expect(job['status'].errorResult).toMatchObject({ reason: 'invalid', message: expect.stringMatching(/^Error while reading data/) });
      }
      expect((await world.client.dataset(world.dataset).table(table).exists())[0]).toBe(false);
    },
  },
  {
    name: 'load-max-bad-records', promise: 'maxBadRecords wrong records are left out and named in errors; one more fails the load', methods: ['jobs.insert'], source: LOAD,
    async run(world) {
      const data = '{"id":"a"}\n{"id":1,"x":1}\n{"id":"c"}\n{"n":"y"}\n';
      const { table, job } = await upload(world, data, { sourceFormat: NDJSON, schema: { fields: ID }, maxBadRecords: 2 });
      expect(job['status'].errorResult).toBeUndefined();
      expect(job['status'].errors.length).toBe(2);
      expect(await count(world, table)).toBe(2);
      const { job: failed } = await upload(world, data, { sourceFormat: NDJSON, schema: { fields: ID }, maxBadRecords: 1 });
      expect(failed['status'].errorResult).toMatchObject({ reason: 'invalid' });
    },
  },
  {
    name: 'load-ignore-unknown', promise: 'with ignoreUnknownValues fields that the schema lacks are dropped', methods: ['jobs.insert'], source: LOAD,
    async run(world) {
      const { table } = await upload(world, '{"id":"a","more":{"x":1}}\n', { sourceFormat: NDJSON, schema: { fields: ID }, ignoreUnknownValues: true });
      expect(await world.rows(`SELECT * FROM ${table}`)).toEqual([{ id: 'a', n: null }]);
    },
  },
  {
    name: 'load-without-schema', promise: 'a load into a table that exists takes its schema; into a new one without schema and detection it fails', methods: ['jobs.insert'], source: LOAD,
    async run(world) {
      const table = await world.table(ID);
      await upload(world, '{"id":"a","n":1}\n', { sourceFormat: NDJSON }, table.id);
      expect(await count(world, table.id!)).toBe(1);
      const { job } = await upload(world, '{"id":"a"}\n', { sourceFormat: NDJSON });
      expect(job['status'].errorResult).toMatchObject({ reason: 'invalid', message: 'No schema specified on job or table.' });
    },
  },
  {
    name: 'load-dispositions', promise: 'a load appends unless it says WRITE_TRUNCATE or WRITE_EMPTY, and adds columns with ALLOW_FIELD_ADDITION', methods: ['jobs.insert'], source: LOAD,
    async run(world) {
      const of = (n: number): string => `{"id":"r","n":${n}}\n`;
      const { table } = await upload(world, of(1), { sourceFormat: NDJSON, schema: { fields: ID } });
      await upload(world, of(2), { sourceFormat: NDJSON, schema: { fields: ID } }, table);
      expect(await count(world, table)).toBe(2);
      const { job } = await upload(world, of(3), { sourceFormat: NDJSON, schema: { fields: ID }, writeDisposition: 'WRITE_EMPTY' }, table);
      expect(job['status'].errorResult).toMatchObject({ reason: 'duplicate' });
      await upload(world, of(4), { sourceFormat: NDJSON, schema: { fields: ID }, writeDisposition: 'WRITE_TRUNCATE' }, table);
      expect(await world.rows(`SELECT n FROM ${table}`)).toEqual([{ n: 4 }]);
      const wider = { fields: [...ID, { name: 'more', type: 'STRING' }] };
      expect((await upload(world, '{"more":"x"}\n', { sourceFormat: NDJSON, schema: wider }, table)).job['status'].errorResult).toMatchObject({ reason: 'invalid' });
      await upload(world, '{"more":"x"}\n', { sourceFormat: NDJSON, schema: wider, schemaUpdateOptions: ['ALLOW_FIELD_ADDITION'] }, table);
      expect(await columns(world, table)).toBe('id STRING, n INTEGER, more STRING');
    },
  },
  {
    name: 'load-json-detected', promise: 'autodetect finds the columns and types of lines of JSON, nested and repeated ones too', methods: ['jobs.insert'], source: DETECT,
    async run(world) {
      const { table } = await upload(world, '{"b":true,"i":1,"f":1.5,"s":"x","t":"2026-01-01T00:00:00Z","d":"2026-01-01","r":{"a":1},"l":[{"k":"x"}],"only_null":null}\n{"i":2.5,"late":"y","r":{"b":"z"}}\n', { sourceFormat: NDJSON, autodetect: true });
      const names = (await columns(world, table)).split(/, (?![^(]*\))/).sort();
      expect(names).toEqual(['b BOOLEAN', 'd DATE', 'f FLOAT', 'i FLOAT', 'l RECORD[](k STRING)', 'late STRING', 'only_null STRING', 'r RECORD(a INTEGER, b STRING)', 's STRING', 't TIMESTAMP']);
      expect(await count(world, table)).toBe(2);
    },
  },
  {
    name: 'load-csv', promise: 'CSV is loaded by the order of its columns: headers skipped, quotes, delimiters and line breaks inside them kept, empty ones NULL', methods: ['jobs.insert'], source: CSV_FILES,
    async run(world) {
      const { table, job } = await upload(world, 'the id,the n\r\n"a, ""quoted""\nline",1\r\nplain,\r\n"",-3', { sourceFormat: 'CSV', schema: { fields: ID }, skipLeadingRows: 1, allowQuotedNewlines: true });
      expect(job['status'].errorResult).toBeUndefined();
      expect(await world.rows(`SELECT id, n FROM ${table} ORDER BY n`)).toEqual([{ id: 'plain', n: null }, { id: '', n: -3 }, { id: 'a, "quoted"\nline', n: 1 }]);
    },
  },
  {
    name: 'load-csv-options', promise: 'CSV has its own delimiter, NULL marker and jagged rows where the job says so', methods: ['jobs.insert'], source: CSV_FILES,
    async run(world) {
      const { table } = await upload(world, 'a\t\\N\nb\n', { sourceFormat: 'CSV', schema: { fields: ID }, fieldDelimiter: '\t', nullMarker: '\\N', allowJaggedRows: true });
      expect(await world.rows(`SELECT id, n FROM ${table} ORDER BY id`)).toEqual([{ id: 'a', n: null }, { id: 'b', n: null }]);
      for (const data of ['a,1,2\n', 'a\n', 'a,x\n']) expect((await upload(world, data, { sourceFormat: 'CSV', schema: { fields: ID } })).job['status'].errorResult).toMatchObject({ reason: 'invalid' });
    },
  },
  {
    name: 'load-csv-line-breaks', promise: 'a line break inside quotes fails the load unless allowQuotedNewlines is set', methods: ['jobs.insert'], source: LOAD,
    async run(world) {
      const data = '"a\nline",1\n';
      expect((await upload(world, data, { sourceFormat: 'CSV', schema: { fields: ID } })).job['status'].errorResult).toMatchObject({ reason: 'invalid' });
      const { table } = await upload(world, data, { sourceFormat: 'CSV', schema: { fields: ID }, allowQuotedNewlines: true });
      expect(await world.rows(`SELECT id, n FROM ${table}`)).toEqual([{ id: 'a\nline', n: 1 }]);
    },
  },
  {
    name: 'load-csv-detected', promise: 'autodetect finds the header and the types of a CSV file', methods: ['jobs.insert'], source: DETECT,
    async run(world) {
      const { table } = await upload(world, 'name,born,height,is it\nÄnne,2001-02-03,1.7,true\nBo,1999-12-31,2,false\n', { sourceFormat: 'CSV', autodetect: true });
      expect(await columns(world, table)).toBe('name STRING, born DATE, height FLOAT, is_it BOOLEAN');
      expect(await count(world, table)).toBe(2);
    },
  },
  {
    name: 'load-other-formats-refused', promise: 'Avro, Parquet, ORC and Datastore backups are refused by name here', methods: ['jobs.insert'], source: LOAD, needs: ['faults'],
    async run(world) {
      for (const sourceFormat of ['AVRO', 'PARQUET', 'ORC', 'DATASTORE_BACKUP']) expect((await load(world, world.name('t'), { sourceFormat, sourceUris: ['gs://b/o'] }))['status'].errorResult).toMatchObject({ reason: 'notImplemented', message: expect.stringContaining(sourceFormat) });
    },
  },
  {
    name: 'load-from-storage', promise: 'a load reads many objects of Cloud Storage, by name and by one wildcard, gzip or not', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/batch-loading-data#load-wildcards', needs: ['loopback'],
    async run(world) {
      const bucket = await newBucket(world);
      for (const [name, data] of [['raw/1.ndjson', '{"id":"1"}\n'], ['raw/2.ndjson.gz', gzipSync('{"id":"2"}\n{"id":"3"}\n')], ['raw/3.txt', '{"id":"no"}\n'], ['other.ndjson', '{"id":"4"}\n']] as const) await bucket.file(name).save(data);
      const table = world.name('stored');
      const job = await load(world, table, { schema: { fields: ID }, sourceUris: [`gs://${bucket.name}/raw/*.ndjson`, `gs://${bucket.name}/raw/2*`, `gs://${bucket.name}/other.ndjson`] });
      expect(job).toMatchObject({ statistics: { load: { inputFiles: '3', outputRows: '4' } } });
      expect(await world.rows(`SELECT id FROM ${table} ORDER BY id`)).toEqual(['1', '2', '3', '4'].map((id) => ({ id })));
      expect((await load(world, table, { sourceUris: [`gs://${bucket.name}/*/1*`] }))['status'].errorResult).toMatchObject({ reason: 'invalid' });
    },
  },
  {
    name: 'load-error-location', promise: 'a wrong record of an object is told with the address of the object as its location', methods: ['jobs.insert', 'jobs.get'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/ErrorProto', needs: ['loopback'],
    async run(world) {
      const bucket = await newBucket(world);
      await bucket.file('good.ndjson').save('{"id":"1"}\n');
      await bucket.file('bad.ndjson').save('{"id":"2","n":"two"}\n');
      const { status } = await load(world, world.name('t'), { schema: { fields: ID }, sourceUris: [`gs://${bucket.name}/good.ndjson`, `gs://${bucket.name}/bad.ndjson`] });
      expect(status).toMatchObject({ errorResult: { reason: 'invalid' }, errors: expect.arrayContaining([expect.objectContaining({ reason: 'invalid', location: `gs://${bucket.name}/bad.ndjson` })]) });
    },
  },
  {
    name: 'load-from-nothing', promise: 'an object, a pattern or a bucket that is not there is notFound, and what is no gs:// address is invalid', methods: ['jobs.insert'], source: LOAD, needs: ['loopback'],
    async run(world) {
      const bucket = await newBucket(world);
      for (const uri of [`gs://${bucket.name}/missing`, `gs://${bucket.name}/missing*`, 'gs://no-such-bucket-of-ours/x']) expect((await load(world, world.name('t'), { schema: { fields: ID }, sourceUris: [uri] }))['status'].errorResult).toMatchObject({ reason: 'notFound' });
      expect((await load(world, world.name('t'), { schema: { fields: ID }, sourceUris: ['/etc/passwd'] }))['status'].errorResult).toMatchObject({ reason: 'invalid' });
    },
  },
  {
    name: 'extract-json', promise: 'an extract job writes a table as lines of JSON: integers and decimals as text, NULL left out', methods: ['jobs.insert'], source: EXPORT, needs: ['loopback'],
    async run(world) {
      const bucket = await newBucket(world);
      const table = world.name('out');
      await world.query(`CREATE TABLE ${table} AS SELECT 9007199254740993 AS i, 1.5 AS f, TRUE AS b, TIMESTAMP '2026-01-01 00:00:00.5 UTC' AS t, [STRUCT('ä' AS k, CAST(NULL AS STRING) AS v)] AS l, CAST(NULL AS STRING) AS nothing`);
      const job = await extract(world, table, `gs://${bucket.name}/part-*.json.gz`, { destinationFormat: NDJSON, compression: 'GZIP' });
      expect(job).toMatchObject({ configuration: { jobType: 'EXTRACT' }, statistics: { extract: { destinationUriFileCounts: ['1'] } } });
      const [data] = await bucket.file('part-000000000000.json.gz').download({ decompress: false });
      expect(gunzipSync(data).toString()).toBe('{"i":"9007199254740993","f":1.5,"b":true,"t":"2026-01-01 00:00:00.5 UTC","l":[{"k":"ä"}]}\n');
    },
  },
  {
    name: 'extract-csv', promise: 'an extract job writes CSV with a header unless told otherwise, quotes what needs it, and refuses nested columns', methods: ['jobs.insert'], source: EXPORT, needs: ['loopback'],
    async run(world) {
      const bucket = await newBucket(world);
      const [flat, nested] = [world.name('flat'), world.name('nested')];
      await world.query(`CREATE TABLE ${flat} AS SELECT 'a,"b"\\nc' AS s, 1 AS n, CAST(NULL AS STRING) AS nothing`);
      await world.query(`CREATE TABLE ${nested} AS SELECT [1] AS l`);
      await extract(world, flat, `gs://${bucket.name}/with.csv`);
      await extract(world, flat, `gs://${bucket.name}/without.csv`, { printHeader: false, fieldDelimiter: ';' });
      expect((await bucket.file('with.csv').download())[0].toString()).toBe('s,n,nothing\n"a,""b""\nc",1,\n');
      expect((await bucket.file('without.csv').download())[0].toString()).toBe('"a,""b""\nc";1;\n');
      expect((await extract(world, nested, `gs://${bucket.name}/n.csv`))['status'].errorResult).toMatchObject({ reason: 'invalid', message: expect.stringContaining('nested schema') });
      expect((await extract(world, world.name('missing'), `gs://${bucket.name}/n.csv`))['status'].errorResult).toMatchObject({ reason: 'notFound' });
      expect((await extract(world, flat, `gs://${bucket.name}/n.avro`, { destinationFormat: 'AVRO' }))['status'].errorResult).toMatchObject({ reason: 'notImplemented' });
    },
  },
  {
    name: 'extract-and-load-again', promise: 'what an extract job wrote, a load job reads back to equal rows', methods: ['jobs.insert'], source: EXPORT, needs: ['loopback'],
    async run(world) {
      const bucket = await newBucket(world);
      const [first, second] = [world.name('first'), world.name('second')];
      await world.query(`CREATE TABLE ${first} AS SELECT n, CONCAT('ü', CAST(n AS STRING)) AS s, [STRUCT(n AS a)] AS l, TIMESTAMP_MICROS(n) AS t, NUMERIC '0.1' AS d FROM UNNEST(GENERATE_ARRAY(1, 500)) AS n`);
      await extract(world, first, `gs://${bucket.name}/all-*`, { destinationFormat: NDJSON });
      const fields = (await world.client.dataset(world.dataset).table(first).getMetadata())[0].schema.fields;
      expect((await load(world, second, { schema: { fields }, sourceUris: [`gs://${bucket.name}/all-*`] }))['status'].errorResult).toBeUndefined();
      expect(await world.rows(`SELECT COUNT(*) AS n FROM ${first} AS a JOIN ${second} AS b ON TO_JSON_STRING(a) = TO_JSON_STRING(b)`)).toEqual([{ n: 500 }]);
    },
  },
];
