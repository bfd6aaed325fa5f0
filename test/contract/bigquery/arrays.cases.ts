// Contract cases of arrays in tables: a table keeps no NULL array, whoever writes the row.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import type { BigQueryWorld, Field } from './world.ts';

const NULLS = 'https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types#array_nulls';

const NO_NUMBERS = 'CAST(NULL AS ARRAY<INT64>)';
const FIELDS: Field[] = [
  { name: 'id', type: 'INTEGER' }, { name: 'l', type: 'INTEGER', mode: 'REPEATED' },
  { name: 'r', type: 'RECORD', fields: [{ name: 'k', type: 'INTEGER', mode: 'REPEATED' }] },
  { name: 'a', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'k', type: 'INTEGER', mode: 'REPEATED' }] },
];
const LENGTHS = 'id, ARRAY_LENGTH(l) AS l, ARRAY_LENGTH(r.k) AS rk, (SELECT ARRAY_LENGTH(k) FROM UNNEST(a)) AS ak';

export const ARRAY_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'null-arrays-written-empty', promise: 'an array that is NULL is empty once a statement has written it, also inside of RECORDs; in the query itself it is NULL', methods: ['jobs.query'], source: NULLS,
    async run(world) {
      const table = (await world.table(FIELDS)).id!;
      await world.rows(`INSERT INTO ${table} (id) VALUES (1)`);
      await world.rows(`INSERT INTO ${table} (id, l, r, a) VALUES (2, NULL, STRUCT(${NO_NUMBERS}), [STRUCT(${NO_NUMBERS})])`);
      await world.rows(`INSERT INTO ${table} (id, l, r, a) SELECT 3, ${NO_NUMBERS}, STRUCT(${NO_NUMBERS}), [STRUCT(${NO_NUMBERS})]`);
      await world.rows(`MERGE ${table} USING (SELECT 4 AS id) AS s ON FALSE WHEN NOT MATCHED THEN INSERT (id, l) VALUES (s.id, NULL)`);
      expect(await world.rows(`SELECT ${LENGTHS} FROM ${table} ORDER BY id`)).toEqual([
        { id: 1, l: 0, rk: null, ak: null }, { id: 2, l: 0, rk: 0, ak: 0 }, { id: 3, l: 0, rk: 0, ak: 0 }, { id: 4, l: 0, rk: null, ak: null },
      ]);
      await world.rows(`UPDATE ${table} SET l = NULL, r.k = NULL, a = NULL WHERE id = 3`);
      expect(await world.rows(`SELECT l IS NULL AS l, r.k IS NULL AS rk, a IS NULL AS a FROM ${table} WHERE id = 3`)).toEqual([{ l: false, rk: false, a: false }]);
      expect(await world.rows(`SELECT ${NO_NUMBERS} IS NULL AS a`)).toEqual([{ a: true }]);
    },
  },
  {
    name: 'null-arrays-of-results-empty', promise: 'an array that is NULL is empty in a table that a query made: CREATE TABLE AS, a temporary table, a destination table', methods: ['jobs.query', 'jobs.insert'], source: NULLS,
    async run(world) {
      const [made, result] = [`${world.dataset}.${world.name('made')}`, world.name('result')];
      await world.rows(`CREATE TABLE ${made} AS SELECT ${NO_NUMBERS} AS l, STRUCT(${NO_NUMBERS} AS k) AS r, CAST(NULL AS STRUCT<k ARRAY<INT64>>) AS n`);
      expect(await world.rows(`SELECT l IS NULL AS l, r.k IS NULL AS k, n IS NULL AS n FROM ${made}`)).toEqual([{ l: false, k: false, n: true }]);
      expect(await world.rows(`CREATE TEMP TABLE t AS SELECT ${NO_NUMBERS} AS l; SELECT ARRAY_LENGTH(l) AS n FROM t`)).toEqual([{ n: 0 }]);
      await world.client.query({ query: `SELECT ${NO_NUMBERS} AS l`, destination: world.client.dataset(world.dataset).table(result) } as never);
      expect(await world.rows(`SELECT ARRAY_LENGTH(l) AS n FROM ${world.dataset}.${result}`)).toEqual([{ n: 0 }]);
    },
  },
  {
    name: 'added-arrays-empty', promise: 'a REPEATED column that is added to rows is empty in them, also after the service was killed', methods: ['tables.patch', 'jobs.query'], source: NULLS, needs: ['restart'], isAlone: true,
    async run(world) {
      const table = (await world.table([{ name: 'id', type: 'INTEGER' }])).id!;
      await world.rows(`INSERT INTO ${table} (id) VALUES (1)`);
      await world.rows(`ALTER TABLE ${table} ADD COLUMN l ARRAY<STRUCT<k INT64>>`);
      await world.call({ method: 'PATCH', path: `/datasets/${world.dataset}/tables/${table.split('.').at(-1)}`, body: { schema: { fields: [{ name: 'id', type: 'INTEGER' }, { name: 'l', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'k', type: 'INTEGER' }, { name: 'm', type: 'STRING' }] }, { name: 's', type: 'STRING', mode: 'REPEATED' }] } } });
      await world.rows(`INSERT INTO ${table} (id) VALUES (2)`);
      await world.launched.ours!.restart();
      await world.rows(`INSERT INTO ${table} (id) VALUES (3)`);
      expect(await world.rows(`SELECT id, ARRAY_LENGTH(l) AS l, ARRAY_LENGTH(s) AS s FROM ${table} ORDER BY id`)).toEqual([{ id: 1, l: 0, s: 0 }, { id: 2, l: 0, s: 0 }, { id: 3, l: 0, s: 0 }]);
    },
  },
];
