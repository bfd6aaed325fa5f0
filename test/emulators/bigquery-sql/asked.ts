// A query with the names and rows that somebody else answered in, a comparison with the local answer out; used by the tests of the language.
import { expect } from 'vitest';
import type { Engine } from './engine.ts';

export type Asked = [sql: string, names: string[], rows: unknown[][]];

/** Rows have an order where the query gives them one. */
const inOrder = (sql: string, rows: unknown[][]): unknown[][] => (/ORDER BY[^)]*$/.test(sql) ? rows : rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)));

export async function check(engine: Engine, [sql, names, rows]: Asked): Promise<void> {
  expect(engine.fields(sql)?.map(({ name }) => name)).toEqual(names);
  expect(inOrder(sql, await engine.rows(sql))).toEqual(inOrder(sql, rows));
}
