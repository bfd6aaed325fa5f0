// BigQuery contract cases that look at one rule alone, where another case looks at several together.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { until } from '../wait.ts';
import type { BigQueryWorld, Field } from './world.ts';

const FIELDS: Field[] = [{ name: 'id', type: 'STRING' }, { name: 'n', type: 'INTEGER' }];
const INSERT = 'https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll';

export const BORDER_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'insert-with-a-single-wrong-row', promise: 'a single wrong row is enough: it is named, its neighbour is stopped, and nothing is stored', methods: ['tabledata.insertAll'], source: INSERT,
    differs: { independent: { reason: 'bqemulator does not check the values of insertAll against their columns' } },
    async run(world) {
      const table = await world.table(FIELDS);
      const { body } = await world.call({ method: 'POST', path: `/datasets/${world.dataset}/tables/${table.id}/insertAll`, body: { rows: [{ json: { id: 'good', n: 1 } }, { json: { id: 'bad', n: 'x' } }] } });
      expect((body['insertErrors'] as { index: number; errors: { reason: string }[] }[]).map(({ index, errors }) => [index, errors[0]!.reason]).sort()).toEqual([[0, 'stopped'], [1, 'invalid']]);
      // A right row that comes later shows that the look is not too early.
      await world.call({ method: 'POST', path: `/datasets/${world.dataset}/tables/${table.id}/insertAll`, body: { rows: [{ json: { id: 'later' } }] } });
      await until('the later row', async () => (await world.rows(`SELECT id FROM ${table.id}`)).length > 0);
      expect(await world.rows(`SELECT id FROM ${table.id}`)).toEqual([{ id: 'later' }]);
    },
  },
  {
    name: 'append-of-one-more-column', promise: 'a query job that appends one more column than the table has is refused without ALLOW_FIELD_ADDITION, and table and rows stay', methods: ['jobs.insert'],
    source: 'https://docs.cloud.google.com/bigquery/docs/managing-table-schemas#add_a_column_when_you_overwrite_or_append_data',
    async run(world) {
      const table = await world.table(FIELDS);
      expect((await world.failure("SELECT 'a' AS id, 1 AS n, 'new' AS extra", { ...world.into(table.id!), writeDisposition: 'WRITE_APPEND' })).reason).toMatch(/^invalid/);
      expect((await table.getMetadata())[0].schema.fields.map(({ name }: Field) => name)).toEqual(['id', 'n']);
      expect(await world.rows(`SELECT COUNT(*) AS n FROM ${table.id}`)).toEqual([{ n: 0 }]);
    },
  },
  {
    name: 'approx-quantiles-borders', promise: 'APPROX_QUANTILES of n parts has n + 1 borders, from the least value to the greatest', methods: ['jobs.query'],
    source: 'https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/approximate_aggregate_functions#approx_quantiles',
    async run(world) {
      const [row] = await world.rows('SELECT APPROX_QUANTILES(x, 4) AS four, APPROX_QUANTILES(x, 1) AS one FROM UNNEST([5, 1, 4, 2, 3]) AS x');
      expect(row).toEqual({ four: [1, 2, 3, 4, 5], one: [1, 5] });
    },
  },
];
