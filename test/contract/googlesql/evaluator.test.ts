// The answers in the tables of test/emulators/bigquery-sql are Google's: its reference evaluator gives each of them, and refuses what they say is refused.
// Skipped where it is not installed (npm run contract -- --install puts it into .contract/zetasql).
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CASES, REFUSED } from '../../emulators/bigquery-sql/functions-cases.ts';
import { SHOP_CASES } from '../../emulators/bigquery-sql/ga4-shop.cases.ts';
import { answerOf, queryOf } from '../../emulators/bigquery-sql/wire.ts';
import type { WireAnswer } from '../../emulators/bigquery-sql/wire.ts';
import { isReferenceInstalled } from './reference-server.ts';
import { startReference } from './reference.ts';
import type { Reference } from './reference.ts';
import { shopTables } from './shop-tables.ts';

let reference: Reference;

/** BigQuery sends a missing array as an empty one. */
async function evaluate(sql: string): Promise<WireAnswer> {
  const { columns, rows } = await reference.evaluate(queryOf(sql));
  const types = columns.map(({ type }) => type);
  return { types, rows: rows.map((row) => row.map((value, index) => (value === null && types[index]?.startsWith('ARRAY') ? [] : value))) };
}

describe.skipIf(!isReferenceInstalled)("Google's reference evaluator", () => {
  beforeAll(async () => {
    reference = await startReference();
    await reference.setTables(shopTables());
  });
  afterAll(() => reference.stop());

  test.each(CASES)('gives the answers of %s', async (_what, cases) => {
    for (const [sql, type, value] of cases) expect({ sql, ...answerOf(sql, await evaluate(sql)) }).toEqual({ sql, type, value });
  });

  test.each(REFUSED)('refuses what %s say is refused', async (_what, refused) => {
    for (const sql of refused) await expect(evaluate(sql), sql).rejects.toThrow();
  });

  test.each(SHOP_CASES)('gives the rows of %s', async (_what, sql, rows) => { expect((await evaluate(sql)).rows).toEqual(rows); });
});
