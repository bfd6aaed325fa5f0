// The tables of cases beside this file: what Google's reference evaluator answers, the local BigQuery must answer, in its types and wire form; what it refuses must be refused.
import { beforeAll, describe, expect, test } from 'vitest';
import { GoogleSqlError } from '../../../emulators/bigquery/sql/google-sql-error.ts';
import { startEngine } from './engine.ts';
import type { Engine } from './engine.ts';
import { CASES, REFUSED } from './functions-cases.ts';
import { answerOf, queryOf, wireAnswer } from './wire.ts';

let engine: Engine;
beforeAll(async () => { engine = await startEngine(); });

describe.each(CASES)('%s', (_what, cases) => {
  test.each(cases)('%s', async (sql, type, value) => {
    expect(answerOf(sql, await wireAnswer(engine, queryOf(sql)))).toEqual({ type, value });
  });
});

describe.each(REFUSED)('%s: refused', (_what, refused) => {
  test.each(refused.map((sql): [string] => [sql]))('%s', async (sql) => {
    const failure: unknown = await wireAnswer(engine, queryOf(sql)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    // A sentence of BigQuery's or of DuckDB while it ran, but never a crash of ours.
    expect(failure instanceof GoogleSqlError || / Error: /.test((failure as Error).message)).toBe(true);
  });
});
