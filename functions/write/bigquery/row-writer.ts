// Collects the rows of concurrent pushes into few appends: in go pending rows, each row's ticket is settled when BigQuery has
// stored it, when the rejected topic has taken it, or when it must come again. Called by write-message.ts.
// A table's batch leaves at once when nothing else of that table is under way; else when that is answered, when it is full,
// or when it has waited for the linger. So a lone push waits for nothing, and under load appends grow by themselves.
import type { Clock } from '../../clock.ts';
import { ingestError } from '../../errors.ts';
import type { IngestError } from '../../errors.ts';
import { retry } from '../../outcome.ts';
import type { Outcome } from '../../outcome.ts';
import type { Shard } from '../../table-shard.ts';
import type { AppendAnswer } from './append-answer.ts';
import type { AppendRows } from './append-client.ts';
import type { PendingRow, Refuse } from './pending-row.ts';
import { settle } from './pending-row.ts';

export type RowWriter = {
  write(rows: readonly PendingRow[]): void;
  /** Sends what is waiting, without lingering: before the process stops. */
  flush(): void;
};

export type RowWriterOptions = {
  append: AppendRows;
  /** Which table a row of this stream and date goes to at `nowMs`, and until when that stays so. */
  shardOf: (stream: string, eventDate: string, nowMs: number) => Shard & { untilMs: number };
  ensureTable: (stream: string, shard: Shard) => Promise<void>;
  refuse: Refuse;
  clock: Clock;
  limits: { appendBytesMax: number; appendRowsMax: number; appendLingerMs: number };
  onTrouble: (what: string, data: Record<string, unknown>) => void;
};

type Batch = {
  stream: string;
  shard: Shard;
  /** From this instant on (by any of the two clocks) the rows belong elsewhere. */
  untilMs: number;
  rows: PendingRow[];
  bytes: number;
  inFlight: number;
  timer: NodeJS.Timeout | undefined;
  scheduled: boolean;
};

/** Protobuf spends at most this much on a row besides its bytes: tag and length. */
const ROW_OVERHEAD_BYTES = 8;

export function createRowWriter(options: RowWriterOptions): RowWriter {
  const { limits } = options;
  const batches = new Map<string, Batch>();

  /** The batch for the row now, by the later of our clock and Pub/Sub's; the row is encoded again if its day closed meanwhile. */
  const batchOf = (row: PendingRow, nowMs: number): Batch => {
    const { untilMs, ...shard } = options.shardOf(row.stream, row.eventDate, Math.max(nowMs, row.ticket.publishTimeMs));
    let batch = batches.get(shard.table);
    if (batch === undefined) {
      batch = { stream: row.stream, shard, untilMs, rows: [], bytes: 0, inFlight: 0, timer: undefined, scheduled: false };
      batches.set(shard.table, batch);
    }
    return batch;
  };

  const enqueue = (rows: readonly PendingRow[]): void => {
    const nowMs = options.clock();
    const touched = new Set<Batch>();
    let batch: Batch | undefined;
    let last: PendingRow | undefined;
    for (const row of rows) {
      // Rows of one message mostly share their date: the choice is made once for a run of them.
      if (batch === undefined || last === undefined || row.eventDate !== last.eventDate || row.stream !== last.stream || row.ticket !== last.ticket) {
        batch = batchOf(row, nowMs);
        touched.add(batch);
        last = row;
      }
      const isLate = batch.shard.kind === 'late';
      if (row.isLate !== isLate) {
        row.bytes = row.encode(isLate);
        row.isLate = isLate;
      }
      const bytes = row.bytes.length + ROW_OVERHEAD_BYTES;
      if (bytes > limits.appendBytesMax) {
        void refuseRows([{ row, error: ingestError('row_refused', { reason: `the row has ${row.bytes.length} bytes, an append holds ${limits.appendBytesMax}` }) }]);
        continue;
      }
      if (batch.bytes + bytes > limits.appendBytesMax || batch.rows.length >= limits.appendRowsMax) send(batch);
      batch.rows.push(row);
      batch.bytes += bytes;
    }
    for (const each of touched) schedule(each);
  };

  const schedule = (batch: Batch): void => {
    if (batch.rows.length === 0) return;
    if (batch.inFlight > 0) {
      batch.timer ??= setTimeout(() => send(batch), limits.appendLingerMs);
    } else if (!batch.scheduled) {
      // After this turn of the event loop: pushes that arrived together leave together.
      batch.scheduled = true;
      setImmediate(() => {
        batch.scheduled = false;
        if (batch.inFlight === 0) send(batch);
      });
    }
  };

  const send = (batch: Batch): void => {
    clearTimeout(batch.timer);
    batch.timer = undefined;
    const { rows } = batch;
    if (rows.length === 0) return;
    batch.rows = [];
    batch.bytes = 0;
    // The day may have closed while the rows waited; then they are placed anew, and the closed table is never touched.
    if (options.clock() >= batch.untilMs) {
      forget(batch);
      return enqueue(rows);
    }
    batch.inFlight += 1;
    void attempt(batch, rows).catch((error: unknown) => {
      // A bug: the messages come again, instead of waiting for their deadline.
      options.onTrouble('attempt_failed', { table: batch.shard.table, reason: String(error) });
      settleAll(rows, ingestError('invariant_broken', { what: String(error) }));
    }).finally(() => {
      batch.inFlight -= 1;
      if (batch.rows.length > 0) schedule(batch);
      else if (batch.inFlight === 0) forget(batch);
    });
  };

  const forget = (batch: Batch): void => {
    if (batches.get(batch.shard.table) === batch) batches.delete(batch.shard.table);
  };

  /** One append; afterwards every row is settled, or on its way to the rejected topic, or enqueued again. */
  const attempt = async (batch: Batch, rows: PendingRow[]): Promise<void> => {
    const { stream, shard } = batch;
    let answer: AppendAnswer;
    try {
      answer = await options.append(shard.table, stream, rows.map((row) => row.bytes));
    } catch (error) {
      answer = { kind: 'unavailable', reason: String(error), outage: true };
    }
    switch (answer.kind) {
      case 'stored':
        for (const row of rows) settle(row.ticket);
        return;
      case 'rows_refused':
        return rowsRefused(shard, rows, answer.reasons);
      case 'too_large':
        return tooLarge(batch, rows, answer.reason);
      case 'table_missing':
        await tableMissing(stream, shard);
        return settleAll(rows, ingestError('table_missing', { table: shard.table }));
      case 'columns_missing':
        options.onTrouble('columns_missing', { table: shard.table, reason: answer.reason });
        return settleAll(rows, ingestError('bigquery_unavailable', { reason: answer.reason }));
      case 'unavailable':
        options.onTrouble('append_failed', { table: shard.table, reason: answer.reason });
        return settleAll(rows, ingestError('bigquery_unavailable', { reason: answer.reason }));
    }
  };

  /** BigQuery stored none of them: the bad ones go to the rejected topic, the good ones are sent again, to the table that is right by then. */
  const rowsRefused = async (shard: Shard, rows: PendingRow[], reasons: Map<number, string>): Promise<void> => {
    const good = rows.filter((_, index) => !reasons.has(index));
    const bad = rows.flatMap((row, index) => reasons.has(index) ? [{ row, error: ingestError('row_refused', { reason: reasons.get(index)! }) }] : []);
    options.onTrouble('rows_refused', { table: shard.table, refused: bad.length, first: bad[0]?.error.message });
    // Were no index ours, sending the same rows again would never end.
    if (bad.length === 0) return settleAll(rows, ingestError('bigquery_unavailable', { reason: 'rows were refused that had not been sent' }));
    enqueue(good);
    await refuseRows(bad);
  };

  const refuseRows = async (bad: { row: PendingRow; error: IngestError }[]): Promise<void> => {
    let outcome: Outcome<unknown>;
    try {
      outcome = await options.refuse(bad);
    } catch (error) {
      outcome = retry(ingestError('publish_unavailable', { reason: String(error) }));
    }
    for (const { row } of bad) settle(row.ticket, outcome.kind === 'accepted' ? undefined : outcome.error);
  };

  const tooLarge = async (batch: Batch, rows: PendingRow[], reason: string): Promise<void> => {
    if (rows.length === 1) return refuseRows([{ row: rows[0]!, error: ingestError('row_refused', { reason }) }]);
    // Each half is an attempt of its own: should the day have closed meanwhile, it belongs elsewhere.
    if (options.clock() >= batch.untilMs) return enqueue(rows);
    const middle = Math.ceil(rows.length / 2);
    await Promise.all([attempt(batch, rows.slice(0, middle)), attempt(batch, rows.slice(middle))]);
  };

  /** Makes the table for the redelivery. This attempt never appends to it: a table that was just made may swallow rows. */
  const tableMissing = async (stream: string, shard: Shard): Promise<void> => {
    options.onTrouble('table_missing', { table: shard.table });
    await options.ensureTable(stream, shard).catch((error: unknown) => options.onTrouble('ensure_table_failed', { table: shard.table, reason: String(error) }));
  };

  return {
    write: enqueue,
    flush: () => { for (const batch of [...batches.values()]) send(batch); },
  };
}

function settleAll(rows: readonly PendingRow[], trouble: IngestError): void {
  for (const row of rows) settle(row.ticket, trouble);
}
