// The breaker before BigQuery: after a row of failures pushes are answered at once, and one try finds out when it is over.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { AppendAnswer } from '../../../functions/write/bigquery/append-answer.ts';
import { guardAppend } from '../../../functions/write/bigquery/guard-append.ts';

const OUTAGE: AppendAnswer = { kind: 'unavailable', reason: 'UNAVAILABLE: x', outage: true };

function setUp(answer: AppendAnswer) {
  const state = { answer, calls: 0, changes: [] as boolean[] };
  const append = guardAppend(async () => { state.calls += 1; return state.answer; }, { failuresMax: 3, openMs: 400, onChange: (open) => state.changes.push(open) });
  return { state, append: () => append('t', 'events', []) };
}

test('F19: while BigQuery is out appends are answered without asking it, and it is asked again after a while', async () => {
  const { state, append } = setUp(OUTAGE);
  for (let count = 0; count < 3; count += 1) expect(await append()).toEqual(OUTAGE);
  expect(await append()).toMatchObject({ kind: 'unavailable', outage: false });
  expect(state.calls).toBe(3);
  state.answer = { kind: 'stored' };
  await sleep(450);
  expect(await append()).toEqual({ kind: 'stored' });
  expect(await append()).toEqual({ kind: 'stored' });
  expect(state.changes).toEqual([true, false]);
});

test.each([
  { kind: 'table_missing' }, { kind: 'columns_missing', reason: 'x' }, { kind: 'unavailable', reason: 'PERMISSION_DENIED', outage: false }, { kind: 'rows_refused', reasons: new Map() },
] satisfies AppendAnswer[])('$kind is no outage', async (answer) => {
  const { state, append } = setUp(answer);
  for (let count = 0; count < 10; count += 1) await append();
  expect(state.calls).toBe(10);
});
