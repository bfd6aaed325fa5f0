// Appends over the Storage Write API with Google's own clients: what is stored, what is refused, and how the refusal is worded.
import { managedwriter, protos } from '@google-cloud/bigquery-storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { DESCRIPTOR } from '../../../schemas/generated/events.descriptor.ts';
import { encodeEventsRow } from '../../../schemas/generated/rows.ts';
import { appendStream, messageType, startLocal, streamOf, type LocalBigQuery } from './local-bigquery.ts';

let bq: LocalBigQuery;
beforeAll(async () => {
  bq = await startLocal();
  await bq.client.createDataset('d');
});
afterAll(() => bq.remove());

const { StorageError } = protos.google.cloud.bigquery.storage.v1;
const createTable = (name: string, fields: object[]) => bq.client.dataset('d').createTable(name, { schema: { fields } } as never);
const rowsOf = async (sql: string): Promise<Record<string, unknown>[]> => (await bq.client.query(sql))[0] as Record<string, unknown>[];

const SIMPLE = messageType('Row', { id: { id: 1, type: 'string' }, n: { id: 2, type: 'int64' } });
const SIMPLE_FIELDS = [{ name: 'id', type: 'STRING' }, { name: 'n', type: 'INT64' }];

test('an appended row is seen by the next query', async () => {
  await createTable('seen', SIMPLE_FIELDS);
  const stream = appendStream(bq.service.writePort, 'd', 'seen');
  const answer = await stream.append(SIMPLE.descriptor, [SIMPLE.encode({ id: 'a', n: 1 }), SIMPLE.encode({ id: 'b' })]);
  expect(answer.error).toBeFalsy();
  expect(answer.appendResult).toBeTruthy();
  expect(await rowsOf('SELECT * FROM d.seen ORDER BY id')).toEqual([{ id: 'a', n: 1 }, { id: 'b', n: null }]);
  // A second request on the same connection has no descriptor and no stream name.
  await stream.append(SIMPLE.descriptor, [SIMPLE.encode({ id: 'c', n: -9007199254740993n })]);
  const [row] = (await bq.client.query({ query: "SELECT n FROM d.seen WHERE id = 'c'", wrapIntegers: true }))[0] as { n: { value: string } }[];
  expect(row?.n.value).toBe('-9007199254740993');
  await stream.close();
});

test('a GA4 row written by the generated encoder comes back with all of its nested values', async () => {
  const fields = JSON.parse(readFileSync('schemas/generated/events.bigquery.json', 'utf8')) as object[];
  await createTable('events_intraday_20260115', fields);
  const stream = appendStream(bq.service.writePort, 'd', 'events_intraday_20260115');
  const row = {
    event_date: '20260115', event_timestamp: 1_767_225_599_000_001, event_name: 'purchase', platform: 'ANDROID', device: { language: 'ko-kr', category: 'mobile' },
    event_params: [{ key: 'ga_session_id', value: { int_value: -5 } }, { key: 'city', value: { string_value: '서울 "x"\n\t\u0001' } }, { key: 'value', value: { double_value: 12.5 } }],
    items: [{ item_id: 'sku1', price: 0.1, quantity: 2 }], event_id: 'e1', received_timestamp: 1_767_225_600_000_000, ingest: { source: 'demo', is_late: false },
  };
  expect((await stream.append(DESCRIPTOR, [encodeEventsRow(row as never)])).error).toBeFalsy();
  const [stored] = await rowsOf('SELECT * FROM d.events_intraday_20260115') as [Record<string, any>];
  expect(stored).toMatchObject({ event_date: '20260115', event_timestamp: 1_767_225_599_000_001, platform: 'ANDROID', device: { language: 'ko-kr', category: 'mobile' }, event_id: 'e1', ingest: { source: 'demo', is_late: false } });
  expect(stored['event_params'].map((param: { value: object }) => param.value)).toMatchObject([{ int_value: -5 }, { string_value: '서울 "x"\n\t\u0001' }, { double_value: 12.5 }]);
  expect(stored['items']).toMatchObject([{ item_id: 'sku1', price: 0.1, quantity: 2 }]);
  expect(stored['user_properties']).toEqual([]);
  expect(stored['user_ltv']).toBeNull();
  await stream.close();
});

test('one bad row keeps the whole request out, and row_errors names it', async () => {
  await createTable('strict', SIMPLE_FIELDS);
  const stream = appendStream(bq.service.writePort, 'd', 'strict');
  const bad = Buffer.concat([Buffer.from([0x0a, 2, 0xff, 0xfe])]); // id: two bytes that are not UTF-8
  const answer = await stream.append(SIMPLE.descriptor, [SIMPLE.encode({ id: 'good' }), bad, Buffer.from([0x0a, 99, 1])]);
  expect(answer.error?.code).toBe(3);
  expect(answer.rowErrors?.map((row) => [Number(row.index), row.code])).toEqual([[1, 'FIELDS_ERROR'], [2, 'FIELDS_ERROR']]);
  expect(await rowsOf('SELECT COUNT(*) AS n FROM d.strict')).toEqual([{ n: 0 }]);
  // The connection goes on.
  expect((await stream.append(SIMPLE.descriptor, [SIMPLE.encode({ id: 'good' })])).error).toBeFalsy();
  expect(await rowsOf('SELECT COUNT(*) AS n FROM d.strict')).toEqual([{ n: 1 }]);
  await stream.close();
});

test('a field that the table lacks is SCHEMA_MISMATCH_EXTRA_FIELDS, in the answer, with the detail', async () => {
  await createTable('narrow', [{ name: 'id', type: 'STRING' }]);
  const stream = appendStream(bq.service.writePort, 'd', 'narrow');
  const answer = await stream.append(SIMPLE.descriptor, [SIMPLE.encode({ id: 'a' })]);
  expect(answer.error?.code).toBe(3);
  expect(answer.error?.message).toContain("extra fields: 'n'");
  const detail = StorageError.decode(answer.error!.details![0]!.value as Uint8Array);
  expect(detail.code).toBe(StorageError.StorageErrorCode.SCHEMA_MISMATCH_EXTRA_FIELDS);
  await stream.close();
});

test.each([
  ['an int64 for a STRING', 'STRING', 'int64'], ['a string for an INT64', 'INT64', 'string'], ['a bool for a FLOAT64', 'FLOAT64', 'bool'], ['a double for a BOOL', 'BOOL', 'double'],
])('%s is a mismatch and stores nothing', async (_, type, proto) => {
  const name = `mismatch_${type.toLowerCase()}`;
  await createTable(name, [{ name: 'v', type }]);
  const message = messageType('Row', { v: { id: 1, type: proto } });
  const stream = appendStream(bq.service.writePort, 'd', name);
  const answer = await stream.append(message.descriptor, [message.encode({})]);
  expect(answer.error?.code).toBe(3);
  expect(answer.error?.message).toMatch(/mismatched with BigQuery field/);
  expect(await rowsOf(`SELECT COUNT(*) AS n FROM d.${name}`)).toEqual([{ n: 0 }]);
  await stream.close();
});

test('a table that does not exist ends the stream with NOT_FOUND', async () => {
  const stream = appendStream(bq.service.writePort, 'd', 'nowhere');
  await expect(stream.append(SIMPLE.descriptor, [SIMPLE.encode({ id: 'a' })])).rejects.toMatchObject({ code: 5 });
});

test('a request of more than 20 MB is refused', async () => {
  await createTable('big', SIMPLE_FIELDS);
  const row = SIMPLE.encode({ id: 'x'.repeat(1_000_000) });
  const stream = appendStream(bq.service.writePort, 'd', 'big');
  await expect(stream.append(SIMPLE.descriptor, Array.from({ length: 21 }, () => row))).rejects.toMatchObject({ code: 3, message: expect.stringContaining('too large') });
  const other = appendStream(bq.service.writePort, 'd', 'big');
  expect((await other.append(SIMPLE.descriptor, Array.from({ length: 19 }, () => row))).error).toBeFalsy();
  expect(await rowsOf('SELECT COUNT(*) AS n, MIN(LENGTH(id)) AS l FROM d.big')).toEqual([{ n: 19, l: 1_000_000 }]);
  await other.close();
});

test('an open connection is told of a column that was added, and can write it after it reopens', async () => {
  const [table] = await createTable('grows', [{ name: 'id', type: 'STRING' }, { name: 'r', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'a', type: 'STRING' }] }]);
  const before = messageType('Row', { id: { id: 1, type: 'string' } });
  const stream = appendStream(bq.service.writePort, 'd', 'grows');
  await stream.append(before.descriptor, [before.encode({ id: '1' })]);
  await table.setMetadata({ schema: { fields: [{ name: 'id', type: 'STRING' }, { name: 'r', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'a', type: 'STRING' }, { name: 'b', type: 'INT64' }] }, { name: 'late', type: 'BOOL' }] } });
  const told = await stream.append(before.descriptor, [before.encode({ id: '2' })]);
  expect(told.error).toBeFalsy();
  expect(told.updatedSchema?.fields?.map((field) => field.name)).toEqual(['id', 'r', 'late']);
  await stream.close();
  const after = messageType('Row', { id: { id: 1, type: 'string' }, late: { id: 2, type: 'bool' }, r: { id: 3, type: 'message', repeated: true, nested: messageType('R', { a: { id: 1, type: 'string' }, b: { id: 2, type: 'int64' } }) } });
  const reopened = appendStream(bq.service.writePort, 'd', 'grows');
  expect((await reopened.append(after.descriptor, [after.encode({ id: '3', late: true, r: [{ a: 'x', b: 7 }, {}] })])).error).toBeFalsy();
  expect(await rowsOf('SELECT * FROM d.grows ORDER BY id')).toEqual([
    { id: '1', r: [], late: null }, { id: '2', r: [], late: null }, { id: '3', r: [{ a: 'x', b: 7 }, { a: null, b: null }], late: true },
  ]);
  await reopened.close();
});

test('every type of column takes the values that Google documents for it', async () => {
  await createTable('typed', [
    { name: 's', type: 'STRING' }, { name: 'i', type: 'INT64' }, { name: 'f', type: 'FLOAT64' }, { name: 'b', type: 'BOOL' }, { name: 'y', type: 'BYTES' }, { name: 'd', type: 'DATE' },
    { name: 't', type: 'TIMESTAMP' }, { name: 'dt', type: 'DATETIME' }, { name: 'tm', type: 'TIME' }, { name: 'num', type: 'NUMERIC' }, { name: 'j', type: 'JSON' }, { name: 'l', type: 'INT64', mode: 'REPEATED' },
  ]);
  const message = messageType('Row', {
    s: { id: 1, type: 'string' }, i: { id: 2, type: 'sint64' }, f: { id: 3, type: 'double' }, b: { id: 4, type: 'bool' }, y: { id: 5, type: 'bytes' }, d: { id: 6, type: 'int32' },
    t: { id: 7, type: 'int64' }, dt: { id: 8, type: 'string' }, tm: { id: 9, type: 'string' }, num: { id: 10, type: 'string' }, j: { id: 11, type: 'string' }, l: { id: 12, type: 'int64', repeated: true },
  });
  const stream = appendStream(bq.service.writePort, 'd', 'typed');
  const answer = await stream.append(message.descriptor, [message.encode({
    s: '', i: -42, f: -Infinity, b: false, y: Buffer.from([0, 255, 10]), d: 20_468, t: 1_768_435_200_000_001, dt: '2026-01-15 10:00:00.25', tm: '23:59:59', num: '-1.50', j: '{"a":\n[1,"é"]}', l: [1, -2, 3],
  })]);
  expect(answer.error).toBeFalsy();
  const [row] = await rowsOf('SELECT * FROM d.typed') as [Record<string, any>];
  expect(row).toMatchObject({ s: '', i: -42, f: -Infinity, b: false, l: [1, -2, 3] });
  expect(row['y']).toEqual(Buffer.from([0, 255, 10]));
  expect([row['d'].value, row['t'].value, row['dt'].value, row['tm'].value, row['num'].toString(), JSON.parse(row['j'])]).toEqual(
    ['2026-01-15', '2026-01-15T00:00:00.000001000Z', '2026-01-15T10:00:00.250000', '23:59:59', '-1.5', { a: [1, 'é'] }]);
  await stream.close();
});

test("Google's managed writer appends too, and resolves on refused rows as it does with Google", async () => {
  await createTable('managed', SIMPLE_FIELDS);
  const connection = await bq.writer.createStreamConnection({ streamId: streamOf('d', 'managed') } as never);
  const writer = new managedwriter.JSONWriter({ connection, protoDescriptor: SIMPLE.descriptor } as never);
  const result = await writer.appendRows([{ id: 'a', n: 1 }, { id: 'b', n: 2 }]).getResult();
  expect(result.error).toBeFalsy();
  expect(await rowsOf('SELECT COUNT(*) AS n FROM d.managed')).toEqual([{ n: 2 }]);
  connection.close();
  bq.writer.close();
});

test('the window in which Google swallows rows of a table made again can be had by a fault', async () => {
  const [table] = await createTable('again', SIMPLE_FIELDS);
  await table.delete();
  await createTable('again', SIMPLE_FIELDS);
  bq.faults.add({ method: 'AppendRows.recreated', kind: 'lose' });
  const stream = appendStream(bq.service.writePort, 'd', 'again');
  expect((await stream.append(SIMPLE.descriptor, [SIMPLE.encode({ id: 'lost' })])).error).toBeFalsy();
  expect((await stream.append(SIMPLE.descriptor, [SIMPLE.encode({ id: 'kept' })])).error).toBeFalsy();
  expect(await rowsOf('SELECT id FROM d.again')).toEqual([{ id: 'kept' }]);
  await stream.close();
});

test('a failing append comes as an error of the stream with the asked status', async () => {
  await createTable('faulty', SIMPLE_FIELDS);
  bq.faults.add({ method: 'AppendRows', kind: 'fail', status: 'RESOURCE_EXHAUSTED' });
  const stream = appendStream(bq.service.writePort, 'd', 'faulty');
  await expect(stream.append(SIMPLE.descriptor, [SIMPLE.encode({ id: 'a' })])).rejects.toMatchObject({ code: 8 });
  expect(await rowsOf('SELECT COUNT(*) AS n FROM d.faulty')).toEqual([{ n: 0 }]);
});

test('long queries on every connection hold up no append, and can be cancelled', async () => {
  await createTable('meanwhile', SIMPLE_FIELDS);
  const long = 'SELECT COUNT(*) AS n FROM UNNEST(GENERATE_ARRAY(1, 60000)) AS a, UNNEST(GENERATE_ARRAY(1, 60000)) AS b WHERE MOD(a * b, 7) = 3';
  const jobs = await Promise.all([0, 1, 2].map(async () => (await bq.client.createQueryJob({ query: long }))[0]));
  const stream = appendStream(bq.service.writePort, 'd', 'meanwhile');
  for (let n = 0; n < 5; n += 1) expect((await stream.append(SIMPLE.descriptor, [SIMPLE.encode({ id: String(n) })])).error).toBeFalsy();
  expect((await jobs[0]!.getMetadata())[0].status.state).toBe('RUNNING');
  for (const job of jobs) await job.cancel();
  expect(await rowsOf('SELECT COUNT(*) AS n FROM d.meanwhile')).toEqual([{ n: 5 }]);
  await expect(jobs[0]!.getQueryResults()).rejects.toMatchObject({ errors: [{ reason: 'stopped' }] });
  await stream.close();
});

test('a job that is cancelled at once ends as cancelled, whether it was waiting, starting or running', async () => {
  const long = 'SELECT COUNT(*) AS n FROM UNNEST(GENERATE_ARRAY(1, 200000)) AS a, UNNEST(GENERATE_ARRAY(1, 200000)) AS b WHERE MOD(a * b, 7) = 3';
  const jobs = await Promise.all(Array.from({ length: 8 }, async (_, n) => {
    const [job] = await bq.client.createQueryJob({ query: long });
    await new Promise((later) => setTimeout(later, n * 3));
    await job.cancel();
    return job;
  }));
  for (const job of jobs) await expect(job.getQueryResults()).rejects.toMatchObject({ errors: [{ reason: 'stopped' }] });
  // The connections are free again, and nobody interrupts what runs on them now.
  expect(await rowsOf('SELECT COUNT(*) AS n FROM UNNEST(GENERATE_ARRAY(1, 3000000)) AS a WHERE MOD(a, 7) = 3')).toEqual([{ n: 428572 }]);
});
