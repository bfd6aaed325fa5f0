// Contract cases of table schemas: what a column may be, how a table grows, and what a change may not do.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { refusalOf } from '../wait.ts';
import { errorOf, schemaText, type BigQueryWorld, type Field } from './world.ts';

const SCHEMAS = 'https://docs.cloud.google.com/bigquery/docs/schemas';
const CHANGES = 'https://docs.cloud.google.com/bigquery/docs/managing-table-schemas';
const NESTED = 'https://docs.cloud.google.com/bigquery/docs/nested-repeated';

const PERSON: Field[] = [
  { name: 'id', type: 'STRING', description: 'whose' },
  { name: 'addresses', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'city', type: 'STRING' }, { name: 'numbers', type: 'INTEGER', mode: 'REPEATED' }, { name: 'place', type: 'RECORD', fields: [{ name: 'lat', type: 'FLOAT' }] }] },
];

const path = (world: BigQueryWorld, table: string): string => `/datasets/${world.dataset}/tables/${table}`;

/** The refusal of a PATCH with these columns; the table keeps those that it had. */
async function refusedChange(world: BigQueryWorld, before: Field[], after: Field[]): Promise<{ status: number; reason: string; message: string }> {
  const table = await world.table(before);
  const refusal = errorOf(await world.call({ method: 'PATCH', path: path(world, table.id!), body: { schema: { fields: after } } }));
  const [metadata] = await table.getMetadata();
  expect(schemaText(metadata.schema.fields)).toBe(schemaText(before));
  return refusal;
}

const refusedCase = (name: string, promise: string, before: Field[], after: Field[], message: RegExp): ContractCase<BigQueryWorld> => ({
  name, promise, methods: ['tables.patch', 'tables.get'], source: CHANGES,
  async run(world) {
    expect(await refusedChange(world, before, after)).toMatchObject({ status: 400, reason: 'invalid', message: expect.stringMatching(message) });
  },
});

export const SCHEMA_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'nested-schema-kept', promise: 'nested and repeated columns are kept with their types, modes and descriptions, and rows of them come back as they went in',
    methods: ['tables.insert', 'tables.get', 'tabledata.insertAll', 'jobs.query'], source: NESTED,
    async run(world) {
      const table = await world.table(PERSON);
      const [metadata] = await table.getMetadata();
      expect(schemaText(metadata.schema.fields)).toBe('id STRING, addresses RECORD[](city STRING, numbers INTEGER[], place RECORD(lat FLOAT))');
      expect(metadata.schema.fields[0].description).toBe('whose');
      const rows = [{ id: 'a', addresses: [{ city: 'Köln', numbers: [1, 2], place: { lat: 0.5 } }, { city: null, numbers: [], place: null }] }, { id: 'b', addresses: [] }];
      await table.insert(rows);
      expect(await world.rows(`SELECT * FROM ${table.id} ORDER BY id`)).toEqual(rows);
    },
  },
  {
    name: 'type-names-are-legacy', promise: 'GoogleSQL names of types are taken and answered as INTEGER, FLOAT, BOOLEAN and RECORD', methods: ['tables.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema.FIELDS.type',
    async run(world) {
      const table = await world.table([{ name: 'a', type: 'INT64' }, { name: 'b', type: 'FLOAT64' }, { name: 'c', type: 'BOOL' }, { name: 'd', type: 'STRUCT', fields: [{ name: 'e', type: 'STRING' }] }]);
      expect(schemaText((await table.getMetadata())[0].schema.fields)).toBe('a INTEGER, b FLOAT, c BOOLEAN, d RECORD(e STRING)');
    },
  },
  {
    name: 'every-type-round-trip', promise: 'each column type takes what JSON says of it and gives it back in the form that the REST API documents', methods: ['tabledata.insertAll', 'jobs.query'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types',
    async run(world) {
      const types = ['STRING', 'INTEGER', 'FLOAT', 'NUMERIC', 'BOOLEAN', 'BYTES', 'DATE', 'DATETIME', 'TIME', 'TIMESTAMP', 'JSON'];
      const table = await world.table([{ name: 'n', type: 'INTEGER' }, ...types.map((type) => ({ name: type.toLowerCase(), type }))]);
      const json = (n: number, values: unknown[]): object => ({ json: Object.fromEntries([['n', n], ...types.map((type, at) => [type.toLowerCase(), values[at]])]) });
      const answer = await world.call({ method: 'POST', path: `${path(world, table.id!)}/insertAll`, body: { rows: [
        json(1, ['ä"\\\n', '9223372036854775807', 1.5, '0.123456789', true, Buffer.from([0, 255]).toString('base64'), '2026-02-28', '2026-02-28T23:59:59.999999', '23:59:59.000001', '2026-02-28 23:59:59.999999 UTC', '{"a":[1,null]}']),
        json(2, ['', '-9223372036854775808', 'NaN', '-99999999999999999999999999999.999999999', false, '', '0001-01-01', '0001-01-01T00:00:00', '00:00:00', 1.5, 'null']),
        json(3, ['x', 0, '-Infinity', 5, 'true', 'YQ==', '9999-12-31', '9999-12-31T23:59:59', '12:00:00', '2026-03-29T03:30:00+02:00', '"s"']),
        json(4, types.map(() => null)),
      ] } });
      expect(answer.body['insertErrors'] ?? []).toEqual([]);
      const { body } = await world.call({ method: 'POST', path: '/queries', body: { query: `SELECT * EXCEPT (n) FROM \`${world.dataset}.${table.id}\` ORDER BY n`, useLegacySql: false, formatOptions: { useInt64Timestamp: true } } });
      const cells = (body['rows'] as { f: { v: unknown }[] }[]).map((row) => row.f.map((cell) => cell.v));
      expect(cells).toEqual([
        ['ä"\\\n', '9223372036854775807', '1.5', '0.123456789', 'true', 'AP8=', '2026-02-28', '2026-02-28T23:59:59.999999', '23:59:59.000001', '1772323199999999', '{"a":[1,null]}'],
        ['', '-9223372036854775808', 'NaN', '-99999999999999999999999999999.999999999', 'false', '', '0001-01-01', '0001-01-01T00:00:00', '00:00:00', '1500000', 'null'],
        ['x', '0', '-Infinity', '5', 'true', 'YQ==', '9999-12-31', '9999-12-31T23:59:59', '12:00:00', '1774747800000000', '"s"'],
        types.map(() => null),
      ]);
    },
  },
  {
    name: 'column-added', promise: 'a NULLABLE or REPEATED column can be added at the end; rows that were there have NULL or no elements', methods: ['tables.patch'], source: CHANGES,
    async run(world) {
      const table = await world.table([{ name: 'a', type: 'STRING' }]);
      await table.insert([{ a: 'old' }]);
      await table.setMetadata({ schema: { fields: [{ name: 'a', type: 'STRING' }, { name: 'b', type: 'INTEGER' }, { name: 'c', type: 'STRING', mode: 'REPEATED' }] } });
      await table.insert([{ a: 'new', b: 1, c: ['x'] }]);
      expect(await world.rows(`SELECT * FROM ${table.id} ORDER BY a`)).toEqual([{ a: 'new', b: 1, c: ['x'] }, { a: 'old', b: null, c: [] }]);
    },
  },
  {
    name: 'column-added-inside-records', promise: 'a column can be added inside a RECORD, a repeated RECORD and one inside the other', methods: ['tables.patch', 'tables.update'], source: 'https://docs.cloud.google.com/bigquery/docs/managing-table-schemas#add_a_nested_column_to_a_record_column',
    async run(world) {
      const deep = (more: Field[]): Field[] => [{ name: 'r', type: 'RECORD', fields: [{ name: 'l', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'x', type: 'STRING' }, ...more] }, ...more] }];
      const table = await world.table(deep([]));
      await table.insert([{ r: { l: [{ x: '1' }] } }]);
      const y: Field = { name: 'y', type: 'INTEGER' };
      await table.setMetadata({ schema: { fields: deep([y]) } });
      await table.insert([{ r: { l: [{ x: '2', y: 3 }], y: 4 } }]);
      expect(await world.rows(`SELECT r.y AS y, l.x AS x, l.y AS ly FROM ${table.id}, UNNEST(r.l) AS l ORDER BY x`)).toEqual([{ y: null, x: '1', ly: null }, { y: 4, x: '2', ly: 3 }]);
    },
  },
  {
    name: 'column-added-by-statement', promise: 'ALTER TABLE ADD COLUMN adds at the end, IF NOT EXISTS does nothing twice, DROP COLUMN removes', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#alter_table_add_column_statement',
    async run(world) {
      const table = await world.table([{ name: 'a', type: 'STRING' }]);
      await world.query(`ALTER TABLE ${table.id} ADD COLUMN b STRUCT<c ARRAY<INT64>>, ADD COLUMN IF NOT EXISTS a STRING`);
      expect(schemaText((await table.getMetadata())[0].schema.fields)).toBe('a STRING, b RECORD(c INTEGER[])');
      expect(await world.failure(`ALTER TABLE ${table.id} ADD COLUMN b INT64`)).toMatchObject({ reason: 'invalidQuery', message: expect.stringMatching(/Column already exists/) });
      await world.query(`ALTER TABLE ${table.id} DROP COLUMN a`);
      expect(schemaText((await table.getMetadata())[0].schema.fields)).toBe('b RECORD(c INTEGER[])');
    },
  },
  {
    name: 'table-renamed-by-statement', promise: 'ALTER TABLE RENAME TO moves rows and columns to the new name; the old one is not found, and a name that is taken is refused', methods: ['jobs.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#alter_table_rename_to_statement',
    async run(world) {
      const table = await world.table([{ name: 'a', type: 'STRING' }]);
      const taken = await world.table([{ name: 'b', type: 'STRING' }]);
      await world.query(`INSERT INTO ${table.id} (a) VALUES ('x')`);
      const next = world.name('renamed');
      await world.query(`ALTER TABLE ${table.id} RENAME TO ${next}`);
      expect(await world.rows(`SELECT a FROM ${next}`)).toEqual([{ a: 'x' }]);
      expect(await world.failure(`SELECT a FROM ${table.id}`)).toMatchObject({ reason: 'notFound' });
      expect(await world.failure(`ALTER TABLE ${next} RENAME TO ${taken.id}`)).toMatchObject({ message: expect.stringContaining('Already Exists') });
      expect(await world.rows(`SELECT a FROM ${next}`)).toEqual([{ a: 'x' }]);
    },
  },
  {
    name: 'mode-relaxed', promise: 'a REQUIRED column may become NULLABLE', methods: ['tables.patch'], source: 'https://docs.cloud.google.com/bigquery/docs/managing-table-schemas#change_a_columns_mode',
    async run(world) {
      const table = await world.table([{ name: 'a', type: 'STRING', mode: 'REQUIRED' }]);
      await table.setMetadata({ schema: { fields: [{ name: 'a', type: 'STRING', mode: 'NULLABLE' }] } });
      await table.insert([{}]);
      expect(await world.rows(`SELECT a FROM ${table.id}`)).toEqual([{ a: null }]);
    },
  },
  {
    name: 'description-changed', promise: 'the description of a column can change without touching its rows', methods: ['tables.patch'], source: CHANGES,
    async run(world) {
      const table = await world.table([{ name: 'a', type: 'STRING' }]);
      await table.insert([{ a: '1' }]);
      await table.setMetadata({ schema: { fields: [{ name: 'a', type: 'STRING', description: 'said later' }] } });
      expect((await table.getMetadata())[0].schema.fields[0].description).toBe('said later');
      expect(await world.rows(`SELECT a FROM ${table.id}`)).toEqual([{ a: '1' }]);
    },
  },
  {
    name: 'columns-outlive-kill', promise: 'columns that were added at any depth, and the rows around them, are there after the service was killed', methods: ['tables.patch'], source: CHANGES, needs: ['restart'], isAlone: true,
    async run(world) {
      const fields = (...more: Field[]): Field[] => [{ name: 'r', type: 'RECORD', fields: [{ name: 'x', type: 'STRING' }, ...more] }, { name: 'l', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'x', type: 'STRING' }, ...more] }, ...more];
      const table = await world.table(fields());
      await world.query(`INSERT INTO ${table.id} (r, l) VALUES (STRUCT('1'), [STRUCT('2')])`);
      await table.setMetadata({ schema: { fields: fields({ name: 'y', type: 'TIMESTAMP' }) } });
      await world.launched.ours!.restart();
      expect(schemaText((await table.getMetadata())[0].schema.fields)).toBe('r RECORD(x STRING, y TIMESTAMP), l RECORD[](x STRING, y TIMESTAMP), y TIMESTAMP');
      expect(await world.rows(`SELECT TO_JSON_STRING(t) AS t FROM ${table.id} AS t`)).toEqual([{ t: '{"r":{"x":"1","y":null},"l":[{"x":"2","y":null}],"y":null}' }]);
    },
  },
  refusedCase('column-removal-refused', 'a column that a schema update leaves out is not removed: the update is refused', [{ name: 'a', type: 'STRING' }, { name: 'b', type: 'STRING' }], [{ name: 'a', type: 'STRING' }], /^Provided Schema does not match Table .*Field b is missing in new schema/),
  refusedCase('nested-column-removal-refused', 'a column inside a RECORD is not removed by leaving it out', [{ name: 'r', type: 'RECORD', fields: [{ name: 'a', type: 'STRING' }, { name: 'b', type: 'STRING' }] }], [{ name: 'r', type: 'RECORD', fields: [{ name: 'a', type: 'STRING' }] }], /^Provided Schema does not match Table .*Field r\.b is missing in new schema/),
  refusedCase('retyping-refused', 'the type of a column cannot be changed by a schema update', [{ name: 'a', type: 'STRING' }], [{ name: 'a', type: 'INTEGER' }], /^Provided Schema does not match Table .*Field a has changed type from STRING to INTEGER/),
  refusedCase('required-added-refused', 'a REQUIRED column cannot be added to a table', [{ name: 'a', type: 'STRING' }], [{ name: 'a', type: 'STRING' }, { name: 'b', type: 'STRING', mode: 'REQUIRED' }], /^Provided Schema does not match Table .*Cannot add required fields to an existing schema/),
  refusedCase('tightening-refused', 'a NULLABLE column cannot become REQUIRED', [{ name: 'a', type: 'STRING' }], [{ name: 'a', type: 'STRING', mode: 'REQUIRED' }], /^Provided Schema does not match Table .*Field a has changed mode from NULLABLE to REQUIRED/),
  refusedCase('repeating-refused', 'a NULLABLE column cannot become REPEATED', [{ name: 'a', type: 'STRING' }], [{ name: 'a', type: 'STRING', mode: 'REPEATED' }], /^Provided Schema does not match Table .*Field a has changed mode from NULLABLE to REPEATED/),
  {
    name: 'column-names-checked', promise: 'a column name has letters, digits and underscores, at most 300 characters, and is there once whatever its case', methods: ['tables.insert'], source: 'https://docs.cloud.google.com/bigquery/docs/schemas#column_names',
    async run(world) {
      const create = async (...names: string[]): Promise<number> => (await world.call({ method: 'POST', path: `/datasets/${world.dataset}/tables`, body: { tableReference: { tableId: world.name('t') }, schema: { fields: names.map((name) => ({ name, type: 'STRING' })) } } })).status;
      expect(await create('a'.repeat(300), '_x', 'Größe')).toBe(200);
      expect(await create('a'.repeat(301))).toBe(400);
      expect(await create('1a')).toBe(400);
      expect(await create('a.b')).toBe(400);
      expect(await create('same', 'SAME')).toBe(400);
      expect(await create('')).toBe(400);
    },
  },
  {
    name: 'nesting-15-levels', promise: 'RECORDs nest 15 levels deep and not 16', methods: ['tables.insert'], source: NESTED,
    async run(world) {
      const nested = (levels: number): Field => (levels === 0 ? { name: 'leaf', type: 'STRING' } : { name: `l${levels}`, type: 'RECORD', fields: [nested(levels - 1)] });
      const create = async (levels: number): Promise<number> => (await world.call({ method: 'POST', path: `/datasets/${world.dataset}/tables`, body: { tableReference: { tableId: world.name('t') }, schema: { fields: [nested(levels)] } } })).status;
      expect([await create(15), await create(16)]).toEqual([200, 400]);
    },
  },
  {
    name: 'schema-refusals', promise: 'an unknown type, an unknown mode and a RECORD without fields are refused as invalid', methods: ['tables.insert'], source: SCHEMAS,
    async run(world) {
      for (const field of [{ name: 'a', type: 'TEXTUAL' }, { name: 'a', type: 'STRING', mode: 'SOMETIMES' }, { name: 'a', type: 'RECORD' }, { name: 'a', type: 'RECORD', fields: [] }]) {
        const answer = await world.call({ method: 'POST', path: `/datasets/${world.dataset}/tables`, body: { tableReference: { tableId: world.name('t') }, schema: { fields: [field] } } });
        expect(errorOf(answer)).toMatchObject({ status: 400, reason: 'invalid' });
      }
    },
  },
  {
    name: 'names-ignore-case', promise: 'column names match whatever their case, in rows and in queries; table names do not', methods: ['tabledata.insertAll', 'jobs.query'], source: 'https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/lexical#case_sensitivity',
    async run(world) {
      const table = await world.table([{ name: 'UserId', type: 'STRING' }]);
      await table.insert([{ USERID: '1' }]);
      expect(await world.rows(`SELECT userid FROM ${table.id}`)).toEqual([{ userid: '1' }]);
      expect(await refusalOf(world.rows(`SELECT 1 FROM ${table.id!.toUpperCase()}`))).toMatchObject({ code: 404 });
    },
  },
];
