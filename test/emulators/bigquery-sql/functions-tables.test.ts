// The tables of cases beside this file: what Google's reference evaluator answers, the local BigQuery must answer, in its types and wire form; what it refuses must be refused.
import { beforeAll, describe, expect, test } from 'vitest';
import { GoogleSqlError } from '../../../emulators/bigquery/sql/google-sql-error.ts';
import { startEngine } from './engine.ts';
import type { Engine } from './engine.ts';
import { CASES, REFUSED } from './functions-cases.ts';
import { answerOf, queryOf, wireAnswer } from './wire.ts';

let engine: Engine;
/** By their SQL. Expressions are asked many at once, which takes a quarter of the time; where one of them fails, each alone. */
const answers = new Map<string, Answer | Error>();
type Answer = ReturnType<typeof answerOf>;
const AT_ONCE = 20;

beforeAll(async () => {
  engine = await startEngine();
  const all = CASES.flatMap(([, cases]) => cases.map(([sql]) => sql));
  const expressions = all.filter((sql) => queryOf(sql) !== sql);
  for (let at = 0; at < expressions.length; at += AT_ONCE) await askTogether(expressions.slice(at, at + AT_ONCE));
  for (const sql of all) if (!answers.has(sql)) answers.set(sql, await wireAnswer(engine, queryOf(sql)).then((answer) => answerOf(sql, answer), (error: Error) => error));
});

async function askTogether(expressions: string[]): Promise<void> {
  const answer = await wireAnswer(engine, `SELECT ${expressions.map((sql, index) => `${sql} AS c${index}`).join(',\n')}`).catch(() => undefined);
  expressions.forEach((sql, index) => {
    const type = answer?.types[index];
    if (answer && type !== undefined) answers.set(sql, { type, value: answer.rows[0]?.[index] ?? null });
  });
}

describe.each(CASES)('%s', (_what, cases) => {
  test.each(cases)('%s', (sql, type, value) => {
    expect(answers.get(sql)).toEqual({ type, value });
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
