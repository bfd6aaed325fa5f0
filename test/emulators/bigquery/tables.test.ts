// Datasets, tables and their rows over REST with Google's own client: what is kept, what may change, what is refused.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocal, type LocalBigQuery } from './local-bigquery.ts';

let bq: LocalBigQuery;
beforeAll(async () => {
  bq = await startLocal();
  await bq.client.createDataset('d', { labels: { time_zone: 'utc' } });
});
afterAll(() => bq.remove());

const dataset = () => bq.client.dataset('d');
const create = async (name: string, fields: object[], more: object = {}) => (await dataset().createTable(name, { schema: { fields }, ...more } as never))[0];
const rowsOf = async (sql: string): Promise<unknown[]> => (await bq.client.query(sql))[0];

test('a dataset is made once, its labels merge on a patch and an old etag is refused', async () => {
  await expect(bq.client.createDataset('d')).rejects.toMatchObject({ code: 409, errors: [{ reason: 'duplicate' }] });
  const [before] = await dataset().getMetadata();
  await dataset().setMetadata({ labels: { second: 'x' } });
  expect((await dataset().getMetadata())[0]).toMatchObject({ labels: { time_zone: 'utc', second: 'x' }, datasetReference: { datasetId: 'd' } });
  const stale = await fetch(`${bq.url}/projects/chiplog-local/datasets/d`, { method: 'PATCH', headers: { 'content-type': 'application/json', 'if-match': before.etag }, body: '{"labels":{"second":null}}' });
  expect(stale.status).toBe(412);
  expect((await bq.client.getDatasets())[0].map((found) => found.id)).toEqual(['d']);
  await expect(bq.client.dataset('other').getMetadata()).rejects.toMatchObject({ code: 404, errors: [{ reason: 'notFound' }] });
});

test('a dataset with tables is deleted only when asked with its contents', async () => {
  const [other] = await bq.client.createDataset('full');
  await other.createTable('t', { schema: { fields: [{ name: 'a', type: 'STRING' }] } } as never);
  await expect(other.delete()).rejects.toMatchObject({ code: 400, errors: [{ reason: 'resourceInUse' }] });
  await other.delete({ force: true });
  expect((await other.exists())[0]).toBe(false);
});

test('a table keeps its description, and tables are listed by page with it', async () => {
  await create('events_20260101', [{ name: 'a', type: 'STRING', description: 'The a.' }, { name: 'day', type: 'DATE' }], { clustering: { fields: ['a'] }, timePartitioning: { type: 'DAY', field: 'day' }, labels: { stream: 'events' }, description: 'Events.', expirationTime: '4102444800000' });
  await create('events_20260102', [{ name: 'a', type: 'STRING' }]);
  expect((await dataset().table('events_20260101').getMetadata())[0]).toMatchObject({
    clustering: { fields: ['a'] }, timePartitioning: { type: 'DAY', field: 'day' }, labels: { stream: 'events' }, description: 'Events.', expirationTime: '4102444800000', type: 'TABLE', numRows: '0',
    schema: { fields: [{ name: 'a', type: 'STRING', mode: 'NULLABLE', description: 'The a.' }, { name: 'day', type: 'DATE' }] },
  });
  const [first, next] = await dataset().getTables({ maxResults: 1, autoPaginate: false });
  expect(first.map((table) => table.id)).toEqual(['events_20260101']);
  expect((await dataset().getTables(next as object))[0].map((table) => table.id)).toEqual(['events_20260102']);
  await expect(create('events_20260102', [])).rejects.toMatchObject({ code: 409 });
});

test('columns may be added, also deep inside, and rows that were there read NULL; anything else is refused', async () => {
  const nested = (extra: object[]) => [{ name: 'id', type: 'STRING' }, { name: 'l', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'v', type: 'RECORD', fields: [{ name: 's', type: 'STRING' }, ...extra] }] }];
  const table = await create('evolves', nested([]));
  await table.insert([{ id: '1', l: [{ v: { s: 'x' } }] }]);
  await table.setMetadata({ schema: { fields: [...nested([{ name: 'i', type: 'INT64' }]), { name: 'late', type: 'STRING', mode: 'REPEATED' }] } });
  await table.insert([{ id: '2', l: [{ v: { i: 5 } }], late: ['y'] }]);
  expect(await rowsOf('SELECT * FROM d.evolves ORDER BY id')).toEqual([{ id: '1', l: [{ v: { s: 'x', i: null } }], late: [] }, { id: '2', l: [{ v: { s: null, i: 5 } }], late: ['y'] }]);
  for (const [fields, words] of [
    [[{ name: 'id', type: 'STRING' }], /l is missing in new schema/],
    [[...nested([{ name: 'i', type: 'STRING' }]), { name: 'late', type: 'STRING', mode: 'REPEATED' }], /changed type from INTEGER to STRING/],
    [[...nested([{ name: 'i', type: 'INT64' }]), { name: 'late', type: 'STRING' }], /changed mode/],
    [[...nested([{ name: 'i', type: 'INT64' }]), { name: 'late', type: 'STRING', mode: 'REPEATED' }, { name: 'must', type: 'STRING', mode: 'REQUIRED' }], /required fields/],
  ] as const) {
    await expect(table.setMetadata({ schema: { fields } as never })).rejects.toMatchObject({ code: 400, message: expect.stringMatching(words) });
  }
});

test('types that are not there are refused by name', async () => {
  await expect(create('geo', [{ name: 'g', type: 'GEOGRAPHY' }])).rejects.toMatchObject({ code: 501, message: expect.stringContaining('GEOGRAPHY') });
  await expect(create('bad', [{ name: 'g', type: 'WORD' }])).rejects.toMatchObject({ code: 400, errors: [{ reason: 'invalid' }] });
  await expect(create('bad', [{ name: '1st', type: 'STRING' }])).rejects.toMatchObject({ code: 400 });
  await expect(create('bad', [{ name: 'a', type: 'STRING' }, { name: 'A', type: 'STRING' }])).rejects.toMatchObject({ code: 400 });
});

test('insertAll names each bad row, gives the others back as stopped, and drops an insertId seen in the last minute', async () => {
  const table = await create('inserted', [{ name: 'id', type: 'STRING', mode: 'REQUIRED' }, { name: 'n', type: 'INTEGER' }]);
  const error = await table.insert([{ id: 'a', n: 1 }, { id: 'b', n: 'x' }, { n: 3 }, { id: 'd', other: 1 }]).catch((thrown: unknown) => thrown) as { errors: { row: { id?: string }; errors: { reason: string; message: string }[] }[] };
  expect(error.errors.map((entry) => [entry.row.id, entry.errors[0]!.reason])).toEqual([['b', 'invalid'], [undefined, 'invalid'], ['d', 'invalid'], ['a', 'stopped']]);
  expect(await rowsOf('SELECT COUNT(*) AS n FROM d.inserted')).toEqual([{ n: 0 }]);
  for (let again = 0; again < 2; again += 1) await table.insert([{ insertId: 'i1', json: { id: 'a' } }], { raw: true });
  expect(await rowsOf('SELECT COUNT(*) AS n FROM d.inserted')).toEqual([{ n: 1 }]);
  bq.clock.offsetMs += 120_000;
  await table.insert([{ insertId: 'i1', json: { id: 'a' } }], { raw: true });
  expect(await rowsOf('SELECT COUNT(*) AS n FROM d.inserted')).toEqual([{ n: 2 }]);
});

test('tabledata.list misses the streaming buffer for 90 minutes, queries never do', async () => {
  const table = await create('buffered', [{ name: 'id', type: 'STRING' }]);
  await table.insert([{ id: 'a' }, { id: 'b' }]);
  expect(await rowsOf('SELECT COUNT(*) AS n FROM d.buffered')).toEqual([{ n: 2 }]);
  expect((await table.getRows())[0]).toEqual([]);
  expect((await table.getMetadata())[0]).toMatchObject({ numRows: '0', streamingBuffer: { estimatedRows: '2' } });
  bq.clock.offsetMs += 91 * 60_000;
  expect((await table.getRows())[0]).toEqual([{ id: 'a' }, { id: 'b' }]);
  const [metadata] = await table.getMetadata();
  expect([metadata.numRows, metadata.numBytes, metadata.streamingBuffer]).toEqual(['2', '6', undefined]);
});

test('every type goes in by insertAll and comes back alike from a query and from tabledata.list', async () => {
  const table = await create('all_types', [
    { name: 's', type: 'STRING' }, { name: 'i', type: 'INT64' }, { name: 'f', type: 'FLOAT64' }, { name: 'nan', type: 'FLOAT64' }, { name: 'b', type: 'BOOL' }, { name: 'y', type: 'BYTES' }, { name: 'd', type: 'DATE' },
    { name: 't', type: 'TIMESTAMP' }, { name: 'dt', type: 'DATETIME' }, { name: 'tm', type: 'TIME' }, { name: 'num', type: 'NUMERIC' }, { name: 'j', type: 'JSON' }, { name: 'none', type: 'STRING' },
    { name: 'r', type: 'RECORD', fields: [{ name: 'ts', type: 'TIMESTAMP', mode: 'REPEATED' }] },
  ]);
  await table.insert([{ s: 'a"\\\u0001é😀', i: '-9223372036854775808', f: 1e300, nan: 'NaN', b: true, y: 'AP8K', d: '2026-02-28', t: '2026-01-15T10:00:00.123456+09:00', dt: '2026-01-15T10:00:00', tm: '01:02:03.5', num: '99999999999999999999.000000001', j: '{"k": [1, null]}', none: null, r: { ts: ['2026-01-15 00:00:00 UTC', 0] } }]);
  bq.clock.offsetMs += 91 * 60_000;
  const plain = (row: Record<string, any>) => ({ ...row, d: row['d'].value, t: row['t'].value, dt: row['dt'].value, tm: row['tm'].value, num: row['num'].toString(), y: [...row['y']], r: row['r'].ts.map((at: { value: string }) => at.value), i: row['i'].value });
  const [queried] = (await bq.client.query({ query: 'SELECT * FROM d.all_types', wrapIntegers: true } as never))[0] as [Record<string, any>];
  const [listed] = (await table.getRows({ wrapIntegers: true }))[0] as [Record<string, any>];
  expect(plain(queried)).toEqual({
    s: 'a"\\\u0001é😀', i: '-9223372036854775808', f: 1e300, nan: NaN, b: true, y: [0, 255, 10], d: '2026-02-28', t: '2026-01-15T01:00:00.123456000Z', dt: '2026-01-15T10:00:00', tm: '01:02:03.500000',
    num: '99999999999999999999.000000001', j: '{"k":[1,null]}', none: null, r: ['2026-01-15T00:00:00.000Z', '1970-01-01T00:00:00.000Z'],
  });
  expect(plain(listed)).toEqual(plain(queried));
  // Who asks for no format gets seconds, as Google's REST default is.
  const raw = await (await fetch(`${bq.url}/projects/chiplog-local/datasets/d/tables/all_types/data?selectedFields=t,r`)).json() as { rows: { f: { v: unknown }[] }[] };
  expect(raw.rows[0]!.f[0]!.v).toBe('1768438800.123456');
});

test('a failing call fails as often as asked, with the reason that was asked', async () => {
  bq.faults.add({ method: 'tables.get', kind: 'fail', status: 'accessDenied' });
  await expect(dataset().table('evolves').getMetadata()).rejects.toMatchObject({ code: 403, errors: [{ reason: 'accessDenied' }] });
  expect((await dataset().table('evolves').exists())[0]).toBe(true);
});
