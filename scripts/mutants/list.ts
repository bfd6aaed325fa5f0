// The damages that `npm run mutants` does, one line each, with the promise that each breaks and the tests that must notice.
// `find` must stand exactly once in the file.

export type Mutant = { promise: string; file: string; find: string; replace: string; tests: string[] };

const COLLECT = ['test/collect'];
const PUBLISH = ['test/publish'];
const WRITE = ['test/write/bigquery'];
const ROLLOVER = ['test/rollover/plan.test.ts', 'test/rollover/repeatable.test.ts'];
const SHARD = ['test/table-shard.test.ts'];

export const MUTANTS: Mutant[] = [
  // 1. 200 means stored.
  { promise: '200 only after Pub/Sub said yes', file: 'functions/collect/collect.ts', tests: COLLECT,
    find: 'const failure = await publishAll(stored.lines);', replace: 'const failure = undefined as IngestError | undefined; void publishAll(stored.lines);' },
  { promise: 'a refused publish is not a 200', file: 'functions/collect/collect.ts', tests: COLLECT,
    find: "for (const outcome of outcomes) if (outcome.kind !== 'accepted') return outcome.error;", replace: "for (const outcome of outcomes) if (outcome.kind === 'rejected') return outcome.error;" },
  { promise: 'a publish that hangs ends at its deadline', file: 'functions/publish/send.ts', tests: PUBLISH,
    find: 'return await Promise.race([work(timeoutMs), late]);', replace: 'return await work(timeoutMs);' },
  { promise: 'a failed message fails exactly its own requests', file: 'functions/publish/publisher.ts', tests: PUBLISH,
    find: 'for (const settle of message.settle) settle(outcome);', replace: "message.settle.forEach((settle, i) => settle(i === 0 ? outcome : { kind: 'accepted', value: { messageId: '0' } }));" },

  // 2. Nothing a client sent vanishes.
  { promise: 'rejected events are published before the answer', file: 'functions/collect/collect.ts', tests: COLLECT,
    find: "...refused.map((line) => ({ stream: 'rejected' as const, line }))],", replace: '],' },
  { promise: 'a gzip body with bytes behind its end is not spliced', file: 'functions/collect/decode-body.ts', tests: [...COLLECT, ...PUBLISH],
    find: 'engine.bytesWritten === body.length ? body : undefined', replace: 'engine.bytesWritten > 0 ? body : undefined' },
  { promise: 'an unreadable message goes to the rejected topic before it is acknowledged', file: 'functions/write/bigquery/write-message.ts', tests: WRITE,
    find: "if (read.kind === 'rejected') return whenRefused(await writing.rejected.refuseMessage(message, read.error), { rows: 0, refused: 1 });", replace: "if (read.kind === 'rejected') return accepted({ rows: 0, refused: 1 });" },
  { promise: 'an envelope of an unknown version waits', file: 'functions/read-message.ts', tests: ['test/read-message.test.ts', ...WRITE],
    find: "return retry(ingestError('envelope_version_unknown', { version }));", replace: "return undecodable(`version ${version}`);" },
  { promise: 'a message is acknowledged only after its rows are stored', file: 'functions/write/bigquery/write-message.ts', tests: WRITE,
    find: 'if (ticket.trouble !== undefined) return retry(ticket.trouble);', replace: '' },
  { promise: 'rows that BigQuery refused are seen', file: 'functions/write/bigquery/append-answer.ts', tests: WRITE,
    find: 'response.rowErrors.length > 0) {', replace: 'response.rowErrors.length > 1_000_000) {' },
  { promise: 'an error inside an append response is seen', file: 'functions/write/bigquery/append-answer.ts', tests: WRITE,
    find: 'return answerOfStatus(response.error);', replace: "return { kind: 'stored' };" },
  { promise: 'a missing column makes the message wait, not rejected', file: 'functions/write/bigquery/append-answer.ts', tests: WRITE,
    find: "return { kind: 'columns_missing', reason };", replace: "return { kind: 'rows_refused', reasons: new Map([[0, reason]]) };" },

  // 3. An event id is one row.
  { promise: 'the nil UUID is no id', file: 'functions/event-id.ts', tests: COLLECT,
    find: '&& UUID.test(value) && value !== NIL_UUID', replace: '&& UUID.test(value)' },
  { promise: 'a derived id depends on all its parts', file: 'functions/event-id.ts', tests: [...COLLECT, ...PUBLISH],
    find: "hash('sha256', JSON.stringify(parts), 'hex')", replace: "hash('sha256', JSON.stringify(parts.slice(0, 1)), 'hex')" },
  { promise: 'the daily table keeps one copy of an event', file: 'functions/rollover/sql/fold.ts', tests: ROLLOVER,
    find: 'PARTITION BY ${column(columns.id)}', replace: 'PARTITION BY ${column(columns.id)}, received_timestamp' },
  { promise: 'the winner among duplicates does not depend on order', file: 'functions/rollover/sql/fold.ts', tests: ROLLOVER,
    find: 'ORDER BY received_timestamp, ingest.is_late, ingest.message_id, TO_HEX(MD5(TO_JSON_STRING(STRUCT(${written.join(\', \')}))))', replace: 'ORDER BY received_timestamp DESC' },

  // 4. A day is rewritten, never patched; tables close.
  { promise: 'a day closes two hours after its midnight', file: 'functions/table-shard.ts', tests: SHARD,
    find: '=> endOf(date, timeZone) + LIMITS.closeAfterMidnightMs;', replace: '=> endOf(date, timeZone);' },
  { promise: 'at the instant of closing the intraday table is closed', file: 'functions/table-shard.ts', tests: SHARD,
    find: 'if (nowMs < closesAtCached(eventDate, timeZone))', replace: 'if (nowMs <= closesAtCached(eventDate, timeZone))' },
  { promise: 'a day ends at the last midnight that its clocks show', file: 'functions/table-shard.ts', tests: SHARD,
    find: 'return Math.max(...(starts.length > 0 ? starts : instants));', replace: 'return Math.min(...instants);' },
  { promise: 'a row whose day closed while it waited is placed anew', file: 'functions/write/bigquery/row-writer.ts', tests: WRITE,
    find: 'if (options.clock() >= batch.untilMs) {', replace: 'if (options.clock() >= Infinity) {' },
  { promise: 'an attempt that met a missing table never appends to it', file: 'functions/write/bigquery/row-writer.ts', tests: WRITE,
    find: "return settleAll(rows, ingestError('table_missing', { table: shard.table }));", replace: 'return enqueue(rows);' },
  { promise: 'no day is folded before it closed', file: 'functions/rollover/plan.ts', tests: ROLLOVER,
    find: 'if (situation.nowMs < readyMs) {', replace: 'if (situation.nowMs < readyMs - 86_400_000) {' },
  { promise: 'an open table is never dropped', file: 'functions/rollover/plan.ts', tests: ROLLOVER,
    find: "if (situation.nowMs < readyAt(source.date, situation.timeZone)) return 'it is not closed';", replace: '' },
  { promise: 'a table is dropped only when exactly its rows were read', file: 'functions/rollover/plan.ts', tests: ROLLOVER,
    find: 'run.startedMs >= closedMs && read === rows', replace: 'run.startedMs >= closedMs' },
  { promise: 'a day whose counts disagree stays provisional', file: 'functions/rollover/run-day.ts', tests: ['test/rollover'],
    find: 'if (kept < ids || (allClosed && kept !== ids))', replace: 'if (kept < 0)' },

  // 5. Any write may be repeated.
  { promise: 'a replayed message is not archived again', file: 'functions/write/storage/archive-message.ts', tests: ['test/write/storage'],
    find: 'if (attributes.replay_of !== undefined) return accepted({ replayOf: attributes.replay_of });', replace: '' },
  { promise: 'a request is replayed once, however often it is stored', file: 'functions/replay/raw.ts', tests: ['test/replay'],
    find: 'if (seen.has(line.envelope.request_id)) {', replace: 'if (seen.has(line.text)) {' },

  // 6. One bad event never hurts its neighbours.
  { promise: 'the good rows of a refused append are sent again', file: 'functions/write/bigquery/row-writer.ts', tests: WRITE,
    find: '    enqueue(good);\n', replace: '    for (const row of good) settle(row.ticket);\n' },
  { promise: 'an event that cannot be mapped does not stop the others', file: 'functions/write/bigquery/rows-of-envelope.ts', tests: WRITE,
    find: "result.refused.push({ origin, index, error: ingestError('mapping_failed', { reason: (error as Error).message }) });", replace: 'throw error;' },
  { promise: 'an event that is too late is rejected at receipt', file: 'functions/validate/judge-timestamp.ts', tests: COLLECT,
    find: "return ingestError('too_late', { lateDaysMax }, POINTER);", replace: 'return undefined;' },

  // What protects people and the instance.
  { promise: 'without consent no user ids are stored', file: 'functions/write/bigquery/row.ts', tests: WRITE,
    find: "if (!mayStoreIds(row['privacy_info'], facts.client)) dropIds(row);", replace: '' },
  { promise: 'a gzip bomb is cut while it inflates', file: 'functions/collect/decode-body.ts', tests: COLLECT,
    find: 'maxOutputLength: LIMITS.inflatedBytesMax', replace: 'maxOutputLength: 1_000 * LIMITS.inflatedBytesMax' },
  { promise: 'a source that is switched off may not send', file: 'functions/collect/check-source.ts', tests: COLLECT,
    find: "if (!source.isEnabled) return rejected(ingestError('source_disabled', { source: source.id }));", replace: '' },
];
