// The row writer with a pretended BigQuery: which rows it appends where, and what becomes of the messages they came in.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Envelope } from '../../../functions/envelope.ts';
import { accepted, retry } from '../../../functions/outcome.ts';
import type { Outcome } from '../../../functions/outcome.ts';
import { ingestError } from '../../../functions/errors.ts';
import { LIMITS } from '../../../functions/limits.ts';
import { shardFor, shardHoldsUntil } from '../../../functions/table-shard.ts';
import type { AppendAnswer } from '../../../functions/write/bigquery/append-answer.ts';
import { makeTicket } from '../../../functions/write/bigquery/pending-row.ts';
import type { PendingRow, Ticket } from '../../../functions/write/bigquery/pending-row.ts';
import { createRowWriter } from '../../../functions/write/bigquery/row-writer.ts';

const NOON = Date.UTC(2026, 0, 15, 12);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

function setUp(overrides: { append?: (table: string, rows: string[]) => AppendAnswer | Promise<AppendAnswer>; refuse?: () => Outcome<unknown>; limits?: Partial<typeof LIMITS>; nowMs?: number } = {}) {
  const clock = { nowMs: overrides.nowMs ?? NOON };
  const appends: { table: string; rows: string[] }[] = [];
  const refused: { row: string; code: string; message: string }[] = [];
  const ensured: string[] = [];
  const writer = createRowWriter({
    async append(table, _stream, rows) {
      const append = { table, rows: rows.map(text) };
      appends.push(append);
      return overrides.append === undefined ? { kind: 'stored' } : overrides.append(table, append.rows);
    },
    shardOf: (stream, date, nowMs) => {
      const shard = shardFor(stream, date, nowMs, 'UTC');
      return { ...shard, untilMs: shardHoldsUntil(shard, 'UTC') };
    },
    async ensureTable(_stream, shard) { ensured.push(shard.table); },
    async refuse(rows) {
      for (const { row, error } of rows) refused.push({ row: text(row.bytes), code: error.code, message: error.message });
      return overrides.refuse === undefined ? accepted(undefined) : overrides.refuse();
    },
    clock: () => clock.nowMs,
    limits: { ...LIMITS, ...overrides.limits },
    onTrouble: () => undefined,
  });
  /** A message with these rows, written; resolves with its trouble, if any. */
  const send = async (names: readonly string[], date = '20260115', publishTimeMs = NOON): Promise<string | undefined> => {
    const ticket = makeTicket(publishTimeMs);
    ticket.open = names.length;
    writer.write(names.map((name, index) => pendingRow(name, date, ticket, index)));
    await ticket.done;
    return ticket.trouble?.code;
  };
  return { writer, send, appends, refused, ensured, clock };
}

function pendingRow(name: string, eventDate: string, ticket: Ticket, index: number): PendingRow {
  const encode = (isLate: boolean): Uint8Array => Buffer.from(isLate ? `${name}(late)` : name);
  return { stream: 'events', eventDate, bytes: encode(false), isLate: false, encode, origin: { envelope: {} as Envelope, asSent: { batch: {}, events: [] } }, index, ticket };
}

describe('appends', () => {
  test('a lone message is appended at once, without lingering', async () => {
    const { send, appends } = setUp({ limits: { appendLingerMs: 60_000 } as never });
    const started = performance.now();
    expect(await send(['a', 'b'])).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(appends).toEqual([{ table: 'events_intraday_20260115', rows: ['a', 'b'] }]);
  });

  test('messages that arrive while an append is under way share the next one', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => { release = resolve; });
    let first = true;
    const { send, appends } = setUp({
      append: async () => {
        if (first) { first = false; await held; }
        return { kind: 'stored' };
      },
    });
    const one = send(['a']);
    await sleep(20);
    const others = [send(['b']), send(['c']), send(['d'])];
    await sleep(20);
    expect(appends).toHaveLength(1);
    release();
    await Promise.all([one, ...others]);
    expect(appends.map(({ rows }) => rows)).toEqual([['a'], ['b', 'c', 'd']]);
  });

  test('what has waited for the linger leaves beside an append that is not answered', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => { release = resolve; });
    let calls = 0;
    const { send, appends } = setUp({
      limits: { appendLingerMs: 30 } as never,
      append: async () => { if ((calls += 1) === 1) await held; return { kind: 'stored' }; },
    });
    const slow = send(['a']);
    await sleep(10);
    await send(['b']);
    expect(appends.map(({ rows }) => rows)).toEqual([['a'], ['b']]);
    release();
    await slow;
  });

  test('an append never has more bytes or rows than the limits', async () => {
    const byBytes = setUp({ limits: { appendBytesMax: 40 } as never });
    await byBytes.send(['aaaaaaaaaa', 'bbbbbbbbbb', 'cccccccccc', 'dddddddddd', 'eeeeeeeeee']);
    expect(byBytes.appends.map(({ rows }) => rows.length)).toEqual([2, 2, 1]);
    const byRows = setUp({ limits: { appendRowsMax: 2 } as never });
    await byRows.send(['a', 'b', 'c']);
    expect(byRows.appends.map(({ rows }) => rows)).toEqual([['a', 'b'], ['c']]);
  });

  test('F23: an append that BigQuery finds too large is halved, and a single row that is too large is refused alone', async () => {
    const { send, appends, refused } = setUp({
      append: (_table, rows) => rows.join('').length > 8 ? { kind: 'too_large', reason: 'exceeds 8' } : { kind: 'stored' },
    });
    expect(await send(['aaa', 'bbb', 'much too large', 'ccc'])).toBeUndefined();
    expect(refused.map(({ row }) => row)).toEqual(['much too large']);
    expect(appends.filter(({ rows }) => rows.join('').length <= 8).flatMap(({ rows }) => rows).sort()).toEqual(['aaa', 'bbb', 'ccc']);
  });

  test('a row that is larger than any append is refused without asking BigQuery', async () => {
    const { send, appends, refused } = setUp({ limits: { appendBytesMax: 20 } as never });
    expect(await send(['small', 'x'.repeat(21)])).toBeUndefined();
    expect(appends.flatMap(({ rows }) => rows)).toEqual(['small']);
    expect(refused.map(({ code }) => code)).toEqual(['row_refused']);
  });
});

describe('which table', () => {
  test('an event of a closed day goes to the late table of today, encoded as late', async () => {
    const { send, appends } = setUp();
    await send(['old'], '20260110');
    expect(appends).toEqual([{ table: 'late_events_20260115', rows: ['old(late)'] }]);
  });

  test('F52: a clock that is behind does not reopen a day: the publish time decides too', async () => {
    const { send, appends } = setUp({ nowMs: Date.UTC(2026, 0, 15, 23) });
    await send(['x'], '20260115', Date.UTC(2026, 0, 16, 2));
    expect(appends).toEqual([{ table: 'late_events_20260116', rows: ['x(late)'] }]);
  });

  test('F28: a day that closes while rows linger is not written to: they are placed again and encoded as late', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => { release = resolve; });
    let first = true;
    const closing = Date.UTC(2026, 0, 16, 2);
    const { send, appends, clock } = setUp({
      nowMs: closing - 1,
      append: async () => { if (first) { first = false; await held; } return { kind: 'stored' }; },
    });
    const before = send(['a'], '20260115', closing - 1);
    await sleep(20);
    const waiting = send(['b'], '20260115', closing - 1);
    clock.nowMs = closing;
    release();
    await Promise.all([before, waiting]);
    expect(appends).toEqual([
      { table: 'events_intraday_20260115', rows: ['a'] },
      { table: 'late_events_20260116', rows: ['b(late)'] },
    ]);
  });

  test('the good rows of a refused append are placed again too', async () => {
    const closing = Date.UTC(2026, 0, 16, 2);
    const world = setUp({
      nowMs: closing - 1,
      append: (table) => {
        world.clock.nowMs = closing;
        return table.startsWith('events_intraday') ? { kind: 'rows_refused', reasons: new Map([[0, 'bad']]) } : { kind: 'stored' };
      },
    });
    await world.send(['bad', 'good'], '20260115', closing - 1);
    expect(world.appends.at(-1)).toEqual({ table: 'late_events_20260116', rows: ['good(late)'] });
  });

  test('the halves of an append that was too large are placed again too', async () => {
    const closing = Date.UTC(2026, 0, 16, 2);
    const world = setUp({
      nowMs: closing - 1,
      append: (_table, rows) => {
        world.clock.nowMs = closing;
        return rows.length > 2 ? { kind: 'too_large', reason: 'exceeds' } : { kind: 'stored' };
      },
    });
    expect(await world.send(['a', 'b', 'c'], '20260115', closing - 1)).toBeUndefined();
    expect(world.appends.filter(({ rows }) => rows.length <= 2).map(({ table }) => table)).toEqual(['late_events_20260116', 'late_events_20260116']);
  });

  test('a clock that is ahead of Pub/Sub\'s closes the day: the writer\'s own decides too', async () => {
    const { send, appends } = setUp({ nowMs: Date.UTC(2026, 0, 16, 2) });
    await send(['x'], '20260115', Date.UTC(2026, 0, 16, 1, 59));
    expect(appends).toEqual([{ table: 'late_events_20260116', rows: ['x(late)'] }]);
  });
});

describe('answers', () => {
  test('F20: refused rows go to the rejected topic, the good rows of the same append are sent again', async () => {
    const { send, appends, refused } = setUp({
      append: (_table, rows) => rows.includes('bad') ? { kind: 'rows_refused', reasons: new Map([[rows.indexOf('bad'), 'string too long']]) } : { kind: 'stored' },
    });
    expect(await send(['a', 'bad', 'b'])).toBeUndefined();
    expect(appends.at(-1)).toEqual({ table: 'events_intraday_20260115', rows: ['a', 'b'] });
    expect(refused).toEqual([{ row: 'bad', code: 'row_refused', message: 'BigQuery refused the row: string too long.' }]);
  });

  test('a message is not acknowledged while the rejected topic does not take its bad row', async () => {
    const { send } = setUp({
      append: (_table, rows) => rows.includes('bad') ? { kind: 'rows_refused', reasons: new Map([[0, 'bad']]) } : { kind: 'stored' },
      refuse: () => retry(ingestError('publish_unavailable', { reason: 'down' })),
    });
    expect(await send(['bad', 'a'])).toBe('publish_unavailable');
  });

  test('rows that are refused without an index are not sent round and round', async () => {
    const { send, appends } = setUp({ append: () => ({ kind: 'rows_refused', reasons: new Map([[7, 'who?']]) }) });
    expect(await send(['a'])).toBe('bigquery_unavailable');
    expect(appends).toHaveLength(1);
  });

  test('F26: a missing table is made, and nothing is appended to it in the same attempt', async () => {
    const { send, appends, ensured } = setUp({ append: () => ({ kind: 'table_missing' }) });
    expect(await send(['a'])).toBe('table_missing');
    expect(ensured).toEqual(['events_intraday_20260115']);
    expect(appends).toHaveLength(1);
  });

  test('F24: rows with a column that the table lacks wait for migrate, none is rejected', async () => {
    const { send, refused } = setUp({ append: () => ({ kind: 'columns_missing', reason: 'SCHEMA_MISMATCH_EXTRA_FIELDS' }) });
    expect(await send(['a'])).toBe('bigquery_unavailable');
    expect(refused).toEqual([]);
  });

  test('F22: an exhausted quota asks for a redelivery and rejects nothing', async () => {
    const { send, refused } = setUp({ append: () => ({ kind: 'unavailable', reason: 'RESOURCE_EXHAUSTED', outage: true }) });
    expect(await send(['a'])).toBe('bigquery_unavailable');
    expect(refused).toEqual([]);
  });

  test('the failure of one table leaves a message with rows in two tables unacknowledged', async () => {
    const { writer, appends } = setUp({ append: (table) => table.startsWith('late') ? { kind: 'unavailable', reason: 'x', outage: true } : { kind: 'stored' } });
    const ticket = makeTicket(NOON);
    ticket.open = 2;
    writer.write([pendingRow('now', '20260115', ticket, 0), pendingRow('old', '20260101', ticket, 1)]);
    await ticket.done;
    expect(ticket.trouble?.code).toBe('bigquery_unavailable');
    expect(appends).toHaveLength(2);
  });

  test('an append that throws is an outage, not a hang', async () => {
    const { send } = setUp({ append: () => { throw new Error('boom'); } });
    expect(await send(['a'])).toBe('bigquery_unavailable');
  });
});
