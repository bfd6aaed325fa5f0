// Contract cases of appends to the default stream: what is stored, what is refused and in which words, and connections.
import { expect } from 'vitest';
import { managedwriter } from '@google-cloud/bigquery-storage';
import type { ContractCase } from '../contract.ts';
import type { Field } from '../bigquery/world.ts';
import { refusalOf, until } from '../wait.ts';
import { message } from './messages.ts';
import { storageCode, type WriteWorld } from './world.ts';

const PROTO = 'https://docs.cloud.google.com/bigquery/docs/reference/storage/rpc/google.cloud.bigquery.storage.v1';
const DOCS = 'https://docs.cloud.google.com/bigquery/docs/write-api';
const FIELDS: Field[] = [{ name: 'id', type: 'STRING' }, { name: 'n', type: 'INTEGER' }];
const ROW = message('Row', { id: 'string', n: 'int64' });
const ID = message('Id', { id: 'string' });
const [INVALID_ARGUMENT, NOT_FOUND] = [3, 5];
const MB = 1_000_000;

export const DEFAULT_STREAM_CASES: readonly ContractCase<WriteWorld>[] = [
  {
    name: 'append-seen-at-once', promise: 'rows are seen by a query as soon as the append is answered, without any stream being made or committed', methods: ['AppendRows'], source: `${DOCS}#default_stream`,
    async run(world) {
      const table = await world.newTable(FIELDS);
      const connection = world.connect(world.defaultStream(table));
      const answer = await connection.append(ROW, [{ id: 'a', n: 1 }, { id: 'b' }]);
      expect(answer.error ?? null).toBeNull();
      expect(answer.appendResult).toBeTruthy();
      expect(await world.stored(table)).toEqual([{ id: 'a', n: 1 }, { id: 'b', n: null }]);
      // The second request has no stream name and no descriptor.
      await connection.append(ROW, [{ id: 'c', n: 3 }]);
      expect((await world.stored(table)).length).toBe(3);
      connection.close();
    },
  },
  {
    name: 'append-without-offset', promise: 'the answer of the default stream has no offset, and an append with one is refused', methods: ['AppendRows'], source: PROTO,
    async run(world) {
      const table = await world.newTable(FIELDS);
      const connection = world.connect(world.defaultStream(table));
      expect((await connection.append(ROW, [{ id: 'a' }])).appendResult?.offset ?? null).toBeNull();
      const refused = await connection.append(ROW, [{ id: 'b' }], { offset: { value: 1 } }).catch((error: { code: number }) => ({ error }));
      expect(refused.error?.code).toBe(INVALID_ARGUMENT);
      expect((await world.stored(table)).length).toBe(1);
      connection.close();
    },
  },
  {
    name: 'managed-writer', promise: 'Google\'s managed writer appends JSON through the default stream', methods: ['AppendRows', 'GetWriteStream'], source: `${DOCS}-streaming`,
    async run(world) {
      const table = await world.newTable(FIELDS);
      const connection = await world.managed.createStreamConnection({ streamId: managedwriter.DefaultStream, destinationTable: world.tablePath(table) });
      const writer = new managedwriter.JSONWriter({ connection, protoDescriptor: ROW.descriptor as never });
      const [first, second] = [writer.appendRows([{ id: 'a', n: 1 }]), writer.appendRows([{ id: 'b', n: 2 }])];
      for (const pending of [first, second]) expect((await pending.getResult()).error ?? null).toBeNull();
      writer.close();
      expect(await world.stored(table)).toEqual([{ id: 'a', n: 1 }, { id: 'b', n: 2 }]);
    },
  },
  {
    name: 'answers-in-order', promise: 'requests of a connection are answered in their order, whether they are good or refused', methods: ['AppendRows'], source: PROTO,
    async run(world) {
      const table = await world.newTable(FIELDS);
      const connection = world.connect(world.defaultStream(table));
      const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => connection.append(ROW, [n % 10 === 7 ? { id: '\ud800' } : { id: `${n}`, n }], n % 10 === 7 ? { protoRows: { rows: { serializedRows: [Buffer.from([0x0a, 1, 0xff])] } } } : {})));
      expect(answers.map(({ error }) => (error ? 'refused' : 'stored'))).toEqual(Array.from({ length: 30 }, (_, n) => (n % 10 === 7 ? 'refused' : 'stored')));
      expect((await world.stored(table, 'n')).map((row) => row['n'])).toEqual(Array.from({ length: 30 }, (_, n) => n).filter((n) => n % 10 !== 7));
      connection.close();
    },
  },
  {
    name: 'row-errors', promise: 'one bad row keeps all rows of its request out: row_errors names each by index with a code, and the connection goes on', methods: ['AppendRows'], source: `${PROTO}#rowerror`,
    async run(world) {
      const table = await world.newTable(FIELDS);
      const connection = world.connect(world.defaultStream(table));
      await connection.append(ROW, [{ id: 'before' }]);
      const rows = [ROW.encode({ id: 'good' }), Buffer.from([0x0a, 2, 0xff, 0xfe]), ROW.encode({ id: 'good' }), Buffer.from([0x0a, 99, 1])];
      const answer = await connection.send({ protoRows: { rows: { serializedRows: rows } } });
      expect(answer.error?.code).toBe(INVALID_ARGUMENT);
      expect(answer.appendResult ?? null).toBeNull();
      expect(answer.rowErrors?.map((row) => [Number(row.index), row.code])).toEqual([[1, 'FIELDS_ERROR'], [3, 'FIELDS_ERROR']]);
      expect(answer.rowErrors?.every((row) => (row.message ?? '').length > 0)).toBe(true);
      await connection.append(ROW, [{ id: 'after' }]);
      expect((await world.stored(table)).map((row) => row['id'])).toEqual(['after', 'before']);
      connection.close();
    },
  },
  {
    name: 'required-missing', promise: 'a row without a REQUIRED value is refused, and a descriptor without the field too', methods: ['AppendRows'], source: PROTO,
    async run(world) {
      const table = await world.newTable([{ name: 'id', type: 'STRING', mode: 'REQUIRED' }, { name: 'n', type: 'INTEGER' }]);
      const answer = await world.connect(world.defaultStream(table)).append(ROW, [{ n: 1 }]);
      expect(answer.rowErrors?.map((row) => Number(row.index))).toEqual([0]);
      const other = await world.connect(world.defaultStream(table)).append(message('N', { n: 'int64' }), [{ n: 1 }]).catch((error: { code: number }) => ({ error }));
      expect(other.error?.code).toBe(INVALID_ARGUMENT);
      expect(await world.stored(table)).toEqual([]);
    },
  },
  {
    name: 'required-missing-inside-records', promise: 'a REQUIRED column inside a RECORD has to be there where the RECORD is, in each one of a list too; a RECORD that is NULL needs none', methods: ['AppendRows'], source: 'https://docs.cloud.google.com/bigquery/docs/schemas#modes',
    async run(world) {
      const fields: Field[] = [{ name: 'must', type: 'INTEGER', mode: 'REQUIRED' }, { name: 'n', type: 'INTEGER' }];
      const table = await world.newTable([{ name: 'id', type: 'STRING' }, { name: 'r', type: 'RECORD', fields }, { name: 'l', type: 'RECORD', mode: 'REPEATED', fields }]);
      const inner = { must: 'int64', n: 'int64' };
      const row = message('Outer', { id: 'string', r: message('One', inner), l: [message('Each', inner)] });
      const connection = world.connect(world.defaultStream(table));
      const answer = await connection.append(row, [{ r: { n: 1 } }, {}, { l: [{ must: 1 }, { n: 2 }] }]);
      expect(answer.rowErrors?.map(({ index }) => Number(index))).toEqual([0, 2]);
      expect(await world.stored(table)).toEqual([]);
      expect((await connection.append(row, [{}, { r: { must: 1 }, l: [{ must: 2 }] }])).error ?? null).toBeNull();
      expect(await world.stored(table)).toHaveLength(2);
    },
  },
  {
    name: 'table-missing', promise: 'an append to a table that is not there ends the connection with NOT_FOUND and the entity\'s name', methods: ['AppendRows', 'GetWriteStream'], source: PROTO,
    async run(world) {
      const stream = world.defaultStream(world.name('missing'));
      expect(await refusalOf(world.connect(stream).append(ROW, [{ id: 'a' }]))).toMatchObject({ code: NOT_FOUND, details: expect.stringMatching(/^Requested entity was not found/) });
      expect(await refusalOf(world.writer.getWriteStream({ name: stream }))).toMatchObject({ code: NOT_FOUND });
    },
  },
  {
    name: 'table-made-later', promise: 'once the table is made, a new connection to the same stream stores rows', methods: ['AppendRows'], source: PROTO,
    async run(world) {
      const table = world.name('later');
      expect(await refusalOf(world.connect(world.defaultStream(table)).append(ROW, [{ id: 'a' }]))).toMatchObject({ code: NOT_FOUND });
      await world.newTable(FIELDS, table);
      expect((await world.connect(world.defaultStream(table)).append(ROW, [{ id: 'a' }])).error ?? null).toBeNull();
      expect((await world.stored(table)).length).toBe(1);
    },
  },
  {
    name: 'table-dropped', promise: 'a table that is dropped under an open connection is NOT_FOUND from then on, and its rows are gone', methods: ['AppendRows'], source: PROTO,
    async run(world) {
      const table = await world.newTable(FIELDS);
      const connection = world.connect(world.defaultStream(table));
      await connection.append(ROW, [{ id: 'a' }]);
      await world.client.dataset(world.dataset).table(table).delete();
      expect(await refusalOf(connection.append(ROW, [{ id: 'b' }]))).toMatchObject({ code: NOT_FOUND });
      await world.newTable(FIELDS, table);
      expect(await world.stored(table)).toEqual([]);
    },
  },
  {
    name: 'stream-names-checked', promise: 'what is no stream of a table is INVALID_ARGUMENT; a view takes no rows', methods: ['AppendRows'], source: PROTO,
    async run(world) {
      expect(await refusalOf(world.connect('projects/p/nonsense').append(ROW, [{ id: 'a' }]))).toMatchObject({ code: INVALID_ARGUMENT });
      const view = world.name('v');
      await world.query(`CREATE VIEW ${view} AS SELECT 'x' AS id`);
      expect(await refusalOf(world.connect(world.defaultStream(view)).append(ID, [{ id: 'a' }]))).toMatchObject({ code: INVALID_ARGUMENT });
    },
  },
  {
    name: 'first-request-needs-schema', promise: 'a first request without a descriptor is INVALID_ARGUMENT', methods: ['AppendRows'], source: PROTO,
    async run(world) {
      const table = await world.newTable(FIELDS);
      expect(await refusalOf(world.connect(world.defaultStream(table)).send({ writeStream: world.defaultStream(table), protoRows: { rows: { serializedRows: [ROW.encode({ id: 'a' })] } } }))).toMatchObject({ code: INVALID_ARGUMENT });
    },
  },
  {
    name: 'extra-fields', promise: 'a descriptor with a field that the table lacks is answered with SCHEMA_MISMATCH_EXTRA_FIELDS, also inside records, and stores nothing', methods: ['AppendRows'], source: `${PROTO}#storageerrorcode`,
    async run(world) {
      const table = await world.newTable([{ name: 'id', type: 'STRING' }, { name: 'r', type: 'RECORD', fields: [{ name: 'a', type: 'STRING' }] }]);
      for (const [wide, named] of [[ROW, 'n'], [message('Wide', { id: 'string', r: message('R', { a: 'string', b: 'string' }) }), 'b']] as const) {
        const answer = await world.connect(world.defaultStream(table)).append(wide, [{ id: 'a' }]);
        expect(answer.error).toMatchObject({ code: INVALID_ARGUMENT, message: expect.stringContaining(named) });
        expect(storageCode(answer)).toBe('SCHEMA_MISMATCH_EXTRA_FIELDS');
      }
      expect(await world.stored(table)).toEqual([]);
    },
  },
  {
    name: 'schema-change-while-streaming', promise: 'an open connection goes on with its old descriptor after a column was added, is told of the new schema, and writes the column after it reopened', methods: ['AppendRows'], source: `${DOCS}-best-practices#schema-update`,
    async run(world) {
      const table = await world.newTable([{ name: 'id', type: 'STRING' }]);
      const connection = world.connect(world.defaultStream(table));
      expect((await connection.append(ID, [{ id: '1' }])).updatedSchema ?? null).toBeNull();
      await world.client.dataset(world.dataset).table(table).setMetadata({ schema: { fields: [{ name: 'id', type: 'STRING' }, { name: 'r', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'x', type: 'INTEGER' }] }] } });
      const told: string[] = [];
      await until('the connection is told', async () => {
        const { error, updatedSchema } = await connection.append(ID, [{ id: '2' }]);
        expect(error ?? null).toBeNull();
        told.push(...(updatedSchema?.fields ?? []).map((field) => `${field.name} ${field.type} ${field.mode}`));
        return told.length > 0;
      });
      expect(told).toEqual(['id STRING NULLABLE', 'r STRUCT REPEATED']);
      expect((await connection.append(ID, [{ id: '3' }])).updatedSchema ?? null).toBeNull();
      const wide = message('Wide', { id: 'string', r: [message('R', { x: 'int64' })] });
      await world.connect(world.defaultStream(table)).append(wide, [{ id: '9', r: [{ x: 1 }, { x: 2 }] }]);
      expect((await world.stored(table, 'id DESC'))[0]).toEqual({ id: '9', r: [{ x: 1 }, { x: 2 }] });
      expect((await world.stored(table)).at(0)).toEqual({ id: '1', r: [] });
      connection.close();
    },
  },
  {
    name: 'descriptor-changed', promise: 'a later request may bring another descriptor, which holds from then on', methods: ['AppendRows'], source: PROTO,
    async run(world) {
      const table = await world.newTable(FIELDS);
      const connection = world.connect(world.defaultStream(table));
      await connection.append(ID, [{ id: '1' }]);
      await connection.send({ protoRows: { writerSchema: { protoDescriptor: ROW.descriptor }, rows: { serializedRows: [ROW.encode({ id: '2', n: 2 })] } } });
      await connection.append(ROW, [{ id: '3', n: 3 }]);
      expect(await world.stored(table)).toEqual([{ id: '1', n: null }, { id: '2', n: 2 }, { id: '3', n: 3 }]);
      connection.close();
    },
  },
  {
    name: 'request-size', promise: 'a request of 20 MB is taken, a larger one is INVALID_ARGUMENT and stores nothing', methods: ['AppendRows'], source: 'https://docs.cloud.google.com/bigquery/quotas#write-api-limits', timeoutMs: 60_000,
    async run(world) {
      const table = await world.newTable([{ name: 'id', type: 'STRING' }]);
      const rows = (count: number): object[] => Array.from({ length: count }, () => ({ id: 'x'.repeat(MB) }));
      expect(await refusalOf(world.connect(world.defaultStream(table)).append(ID, rows(22)))).toMatchObject({ code: INVALID_ARGUMENT, details: expect.stringContaining('too large') });
      expect((await world.connect(world.defaultStream(table)).append(ID, rows(20))).error ?? null).toBeNull();
      expect(await world.rows(`SELECT COUNT(*) AS n, SUM(LENGTH(id)) AS l FROM ${table}`)).toEqual([{ n: 20, l: 20 * MB }]);
    },
  },
  {
    name: 'multiplexing', promise: 'one connection takes rows of several tables, each request naming its stream and bringing its descriptor', methods: ['AppendRows'], source: `${DOCS}-best-practices#connection_pool_management`,
    async run(world) {
      const [one, other] = [await world.newTable(FIELDS), await world.newTable([{ name: 'id', type: 'STRING' }])];
      const connection = world.connect(world.defaultStream(one));
      const to = (table: string, kind: typeof ROW, row: object) => connection.send({ writeStream: world.defaultStream(table), protoRows: { writerSchema: { protoDescriptor: kind.descriptor }, rows: { serializedRows: [kind.encode(row)] } }, traceId: 'contract:1' });
      const answers = [await to(one, ROW, { id: 'a', n: 1 }), await to(other, ID, { id: 'b' }), await to(one, ROW, { id: 'c', n: 2 })];
      expect(answers.map(({ writeStream, error }) => [writeStream, error ?? null])).toEqual([one, other, one].map((table) => [world.defaultStream(table), null]));
      expect([await world.stored(one), await world.stored(other)]).toEqual([[{ id: 'a', n: 1 }, { id: 'c', n: 2 }], [{ id: 'b' }]]);
      connection.close();
    },
  },
  {
    name: 'many-connections', promise: 'many connections at once append to one table, and every acknowledged row is there once', methods: ['AppendRows'], source: DOCS,
    async run(world) {
      const table = await world.newTable(FIELDS);
      await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
        const connection = world.connect(world.defaultStream(table));
        for (let n = 0; n < 10; n += 1) expect((await connection.append(ROW, [{ id: `${writer}`, n }])).error ?? null).toBeNull();
        connection.close();
      }));
      expect(await world.rows(`SELECT COUNT(*) AS n, COUNT(DISTINCT CONCAT(id, '-', CAST(n AS STRING))) AS d FROM ${table}`)).toEqual([{ n: 80, d: 80 }]);
    },
  },
  {
    name: 'empty-request', promise: 'a request without rows is answered and stores nothing', methods: ['AppendRows'], source: PROTO,
    async run(world) {
      const table = await world.newTable(FIELDS);
      expect((await world.connect(world.defaultStream(table)).append(ROW, [])).error ?? null).toBeNull();
      expect(await world.stored(table)).toEqual([]);
    },
  },
  {
    name: 'missing-values-null', promise: 'fields that a row lacks are NULL, lists are empty, whatever interpretation of missing values is asked for when no column has a default', methods: ['AppendRows'], source: `${PROTO}#missingvalueinterpretation`,
    async run(world) {
      const table = await world.newTable([...FIELDS, { name: 'l', type: 'STRING', mode: 'REPEATED' }]);
      await world.connect(world.defaultStream(table)).append(ROW, [{ id: 'a' }], { defaultMissingValueInterpretation: 'DEFAULT_VALUE', missingValueInterpretations: { n: 'NULL_VALUE' as never } });
      expect(await world.stored(table)).toEqual([{ id: 'a', n: null, l: [] }]);
    },
  },
  {
    name: 'wire-refusals', promise: 'Arrow rows, change data capture and partition decorators are refused by name here', methods: ['AppendRows'], source: PROTO, needs: ['faults'],
    async run(world) {
      const table = await world.newTable(FIELDS);
      const stream = world.defaultStream(table);
      expect(await refusalOf(world.connect(stream).send({ writeStream: stream, arrowRows: { rows: { serializedRecordBatch: Buffer.from([1]) } } }))).toMatchObject({ code: 12, details: expect.stringContaining('Arrow') });
      const change = await world.connect(stream).append(message('Cdc', { id: 'string', _CHANGE_TYPE: 'string' }), [{ id: 'a', _CHANGE_TYPE: 'UPSERT' }]);
      expect(change.error).toMatchObject({ code: INVALID_ARGUMENT, message: expect.stringContaining('_CHANGE_TYPE') });
      expect(await refusalOf(world.connect(stream.replace(table, `${table}$20260101`)).append(ROW, [{ id: 'a' }]))).toMatchObject({ code: 12, details: expect.stringContaining('decorator') });
      expect(await world.stored(table)).toEqual([]);
    },
  },
  {
    name: 'write-stream-described', promise: 'GetWriteStream of the default stream says COMMITTED, and gives the schema with the view FULL only', methods: ['GetWriteStream'], source: `${PROTO}#getwritestreamrequest`,
    async run(world) {
      const table = await world.newTable([{ name: 'id', type: 'STRING', mode: 'REQUIRED' }, { name: 'f', type: 'FLOAT' }, { name: 'r', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'b', type: 'BOOLEAN' }] }]);
      const name = world.defaultStream(table);
      const [basic] = await world.writer.getWriteStream({ name });
      expect(basic).toMatchObject({ name, type: 'COMMITTED' });
      expect(basic.tableSchema?.fields?.length ?? 0).toBe(0);
      const [full] = await world.writer.getWriteStream({ name, view: 'FULL' });
      expect(full.tableSchema?.fields).toMatchObject([{ name: 'id', type: 'STRING', mode: 'REQUIRED' }, { name: 'f', type: 'DOUBLE', mode: 'NULLABLE' }, { name: 'r', type: 'STRUCT', mode: 'REPEATED', fields: [{ name: 'b', type: 'BOOL' }] }]);
    },
  },
];
