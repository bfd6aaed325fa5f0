// Rows of a JavaScript function are run together: each has its own answer, its own error and its own time.
import { beforeAll, expect, test } from 'vitest';
import type { JavaScriptFunction } from '../../../emulators/bigquery/sql/runtime/javascript.ts';
import { runJavaScript } from '../../../emulators/bigquery/sql/runtime/javascript.ts';
import { startEngine } from './engine.ts';
import type { Engine } from './engine.ts';

const TIMEOUT_MS = 200;
const described = (body: string): string => JSON.stringify({ arguments: [{ name: 'n', type: { kind: 'INT64' } }], returns: { kind: 'INT64' }, body } satisfies JavaScriptFunction);
const run = (body: string, numbers: number[]): string[] => runJavaScript(numbers.map((n) => [described(body), `[${n}]`]), TIMEOUT_MS);

let engine: Engine;
beforeAll(async () => { engine = await startEngine(); });

test('each row has its answer, or its error', () => {
  expect(run('if (n === 2) throw new RangeError("two"); if (n === 3) throw "three"; return n * 10;', [1, 2, 3, 4])).toEqual(['"10"', '\u0001RangeError: two', '\u0001three', '"40"']);
});

test('rows of different functions do not mix', () => {
  expect(runJavaScript([[described('return n;'), '[1]'], [described('return -n;'), '[2]'], [described('return n;'), '[3]']])).toEqual(['"1"', '"-2"', '"3"']);
});

test('a row that does not end is stopped, and so are those after it', () => {
  const answers = run('while (n > 2) {} return n;', [1, 2, 3, 4]);
  expect(answers.slice(0, 2)).toEqual(['"1"', '"2"']);
  for (const answer of answers.slice(2)) expect(answer).toMatch(/^\u0001Error: Script execution timed out/);
});

test('rows that each end in time may take longer together', () => {
  expect(run('const end = Date.now() + 60; while (Date.now() < end) {} return n;', [1, 2, 3, 4, 5, 6])).toEqual(['"1"', '"2"', '"3"', '"4"', '"5"', '"6"']);
});

test('a function over more rows than DuckDB hands out at once answers each of them', async () => {
  const answer = await engine.rows('CREATE TEMP FUNCTION f(n INT64) RETURNS INT64 LANGUAGE js AS "return n === null ? null : Number(n) * 2"; SELECT COUNT(*), COUNT(f(n)), SUM(f(n)) FROM UNNEST(GENERATE_ARRAY(1, 5000)) AS n');
  expect(answer).toEqual([['5000', '5000', '25005000']]);
});
