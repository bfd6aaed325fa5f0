// The damages that `npm run mutants` does, one line each, with the promise that each breaks and the tests that must notice.
// `find` must stand exactly once in the file. `named` is a part of the name of the one test that is run, where its file is slow.

export type Mutant = { promise: string; file: string; find: string; replace: string; tests: string[]; named?: string };

const ANSWERS = ['test/collect/answers.test.ts'];
const BAD_INPUTS = ['test/collect/bad-inputs.test.ts'];
const PUBLISHER = ['test/publish/publisher.test.ts'];
const MESSAGE = ['test/publish/message.test.ts'];
const VALIDATE = ['test/validate/validate-batch.test.ts'];
const WRITE_MESSAGE = ['test/write/bigquery/write-message.test.ts'];
const ROW_WRITER = ['test/write/bigquery/row-writer.test.ts'];
const APPEND = ['test/write/bigquery/append-connection.test.ts'];
const ARCHIVE = ['test/write/storage/archive-message.test.ts'];
const RAW_FILES = ['test/replay/raw-files.test.ts'];
const REPLAY = ['test/replay/replay.test.ts'];
const MAINTAIN = ['test/maintain/run.test.ts'];
const PLAN = ['test/rollover/plan.test.ts'];
const REPEATABLE = ['test/rollover/repeatable.test.ts'];
const GUARDED_DROP = ['test/rollover/guarded-drop.test.ts'];
const COMPUTED = ['test/rollover/computed-columns.test.ts'];
const SHARD = ['test/table-shard.test.ts'];

export const MUTANTS: Mutant[] = [
  // 1. 200 means stored.
  { promise: '200 only after Pub/Sub said yes', file: 'functions/collect/collect.ts', tests: ANSWERS, named: '200 is said only',
    find: 'publishAll(pending.lines, (failure) => step(', replace: 'publishAll(pending.lines, () => undefined); queueMicrotask((failure?: IngestError) => step(' },
  { promise: 'a refused publish is not a 200', file: 'functions/collect/collect.ts', tests: ANSWERS, named: '200 is said only',
    find: "if (outcome.kind !== 'accepted') first ??= outcome.error;", replace: "if (outcome.kind === 'rejected') first ??= outcome.error;" },
  { promise: 'a publish that hangs ends at its deadline', file: 'functions/publish/send.ts', tests: ['test/publish/send.test.ts'], named: 'a call that hangs',
    find: 'return await Promise.race([work(timeoutMs), late]);', replace: 'return await work(timeoutMs);' },
  { promise: 'a failed message fails exactly its own requests', file: 'functions/publish/publisher.ts', tests: PUBLISHER,
    find: 'for (const settle of message.settle) settle(outcome);', replace: "message.settle.forEach((settle, i) => settle(i === 0 ? outcome : { kind: 'accepted', value: { messageId: '0' } }));" },

  { promise: 'a push is acknowledged only when its work was accepted', file: 'functions/answer-push.ts', tests: ['test/answer-push.test.ts'],
    find: "if (outcome.kind === 'accepted') return end(response, 204);", replace: 'return end(response, 204);' },

  // 2. Nothing a client sent vanishes.
  { promise: 'rejected events are published before the answer', file: 'functions/collect/collect.ts', tests: ANSWERS, named: 'a rejected event that cannot be stored',
    find: "for (const line of refused) lines.push({ stream: 'rejected', line });", replace: '' },
  { promise: 'a gzip body with bytes behind its end is not spliced', file: 'functions/collect/decode-body.ts', tests: MESSAGE,
    find: 'engine.bytesWritten === body.length ? body : undefined', replace: 'engine.bytesWritten > 0 ? body : undefined' },
  { promise: 'an unreadable message goes to the rejected topic before it is acknowledged', file: 'functions/write/bigquery/write-message.ts', tests: WRITE_MESSAGE,
    find: "if (read.kind === 'rejected') return whenRefused(await writing.rejected.refuseMessage(message, read.error), { rows: 0, refused: 1 });", replace: "if (read.kind === 'rejected') return accepted({ rows: 0, refused: 1 });" },
  { promise: 'an envelope of an unknown version waits', file: 'functions/read-message.ts', tests: ['test/read-message.test.ts'],
    find: "return retry(ingestError('envelope_version_unknown', { version }));", replace: "return undecodable(`version ${version}`);" },
  { promise: 'a message is acknowledged only after its rows are stored', file: 'functions/write/bigquery/write-message.ts', tests: WRITE_MESSAGE,
    find: 'if (ticket.trouble !== undefined) return retry(ticket.trouble);', replace: '' },
  { promise: 'rows that BigQuery refused are seen', file: 'functions/write/bigquery/append-answer.ts', tests: APPEND,
    find: 'response.rowErrors.length > 0) {', replace: 'response.rowErrors.length > 1_000_000) {' },
  { promise: 'an error inside an append response is seen', file: 'functions/write/bigquery/append-answer.ts', tests: APPEND,
    find: 'return answerOfStatus(response.error);', replace: "return { kind: 'stored' };" },
  { promise: 'a missing column makes the message wait, not rejected', file: 'functions/write/bigquery/append-answer.ts', tests: APPEND,
    find: "return { kind: 'columns_missing', reason };", replace: "return { kind: 'rows_refused', reasons: new Map([[0, reason]]) };" },

  { promise: 'what the rejected topic did not take is not acknowledged', file: 'functions/write/bigquery/row-writer.ts', tests: ROW_WRITER,
    find: "settle(row.ticket, outcome.kind === 'accepted' ? undefined : outcome.error);", replace: 'settle(row.ticket, undefined);' },
  { promise: 'an object is acknowledged only when Cloud Storage has it', file: 'functions/write/storage/archive-message.ts', tests: ARCHIVE,
    find: "return retry(ingestError('storage_unavailable', { reason: (error as Error).message }));", replace: 'return accepted({ name: object.name, wasThere: false });' },
  { promise: 'bytes that were damaged on the way never become an object', file: 'functions/write/storage/create-object.ts', tests: RAW_FILES,
    find: 'md5Hash: md5Base64, ', replace: '' },
  { promise: 'an event too deep is cut out at the documented depth', file: 'functions/collect/scan-body.ts', tests: ['test/collect/scan-body.test.ts'],
    find: 'else if (depth > depthMax) scan.isTooDeep = true;', replace: 'else if (depth > depthMax + 1) scan.isTooDeep = true;' },

  // 3. An event id is one row.
  { promise: 'the nil UUID is no id', file: 'functions/event-id.ts', tests: ['test/event-id.test.ts'],
    find: '&& UUID.test(value) && value !== NIL_UUID', replace: '&& UUID.test(value)' },
  { promise: 'a derived id depends on all its parts', file: 'functions/event-id.ts', tests: ['test/event-id.test.ts'],
    find: "hash('sha256', JSON.stringify(parts), 'hex')", replace: "hash('sha256', JSON.stringify(parts.slice(0, 1)), 'hex')" },
  { promise: 'the daily table keeps one copy of an event', file: 'functions/rollover/sql/fold.ts', tests: REPEATABLE, named: 'two days with late rows',
    find: 'PARTITION BY ${column(columns.id)}', replace: 'PARTITION BY ${column(columns.id)}, received_timestamp' },
  { promise: 'the winner among duplicates does not depend on order', file: 'functions/rollover/sql/fold.ts', tests: REPEATABLE, named: 'of several copies',
    find: 'ORDER BY received_timestamp, ingest.is_late, ingest.message_id, TO_HEX(MD5(TO_JSON_STRING(STRUCT(${written.join(\', \')}))))', replace: 'ORDER BY received_timestamp DESC' },

  { promise: 'a second event of the same name and time is another event', file: 'functions/collect/protocols/ga4/index.ts', tests: ['test/collect/ga4.test.ts'],
    find: 'ordinals.set(what, ordinal + 1);', replace: '' },

  // 4. A day is rewritten, never patched; tables close.
  { promise: 'a day closes two hours after its midnight', file: 'functions/table-shard.ts', tests: SHARD,
    find: '=> endOf(date, timeZone) + LIMITS.closeAfterMidnightMs;', replace: '=> endOf(date, timeZone);' },
  { promise: 'at the instant of closing the intraday table is closed', file: 'functions/table-shard.ts', tests: SHARD,
    find: 'if (nowMs < closesAtCached(eventDate, timeZone))', replace: 'if (nowMs <= closesAtCached(eventDate, timeZone))' },
  { promise: 'a day ends at the last midnight that its clocks show', file: 'functions/table-shard.ts', tests: SHARD,
    find: 'return Math.max(...(starts.length > 0 ? starts : instants));', replace: 'return Math.min(...instants);' },
  { promise: 'a row whose day closed while it waited is placed anew', file: 'functions/write/bigquery/row-writer.ts', tests: ROW_WRITER,
    find: 'if (options.clock() >= batch.untilMs) {', replace: 'if (options.clock() >= Infinity) {' },
  { promise: 'an attempt that met a missing table never appends to it', file: 'functions/write/bigquery/row-writer.ts', tests: ROW_WRITER,
    find: "return settleAll(rows, ingestError('table_missing', { table: shard.table }));", replace: 'return enqueue(rows);' },
  { promise: 'no day is folded before it closed', file: 'functions/rollover/plan.ts', tests: PLAN,
    find: 'if (situation.nowMs < readyMs) {', replace: 'if (situation.nowMs < readyMs - 86_400_000) {' },
  { promise: 'an open table is never dropped', file: 'functions/rollover/plan.ts', tests: PLAN,
    find: "if (situation.nowMs < readyAt(source.date, situation.timeZone)) return 'it is not closed';", replace: '' },
  { promise: 'a table is dropped only when exactly its rows were read', file: 'functions/rollover/plan.ts', tests: PLAN,
    find: 'run.startedMs >= closedMs && read === rows', replace: 'run.startedMs >= closedMs' },
  { promise: 'a day whose counts disagree stays provisional', file: 'functions/rollover/run-day.ts', tests: ['test/rollover/disagreement.test.ts'],
    find: 'if (kept < ids || (allClosed && kept !== ids))', replace: 'if (kept < 0)' },

  { promise: 'a clock that is behind does not reopen a day', file: 'functions/write/bigquery/row-writer.ts', tests: ROW_WRITER,
    find: 'Math.max(nowMs, row.ticket.publishTimeMs)', replace: 'nowMs' },
  { promise: 'a message that waited is placed by the clock of now', file: 'functions/write/bigquery/row-writer.ts', tests: ROW_WRITER,
    find: 'Math.max(nowMs, row.ticket.publishTimeMs)', replace: 'row.ticket.publishTimeMs' },
  { promise: 'a late table takes rows of its own day of writing only', file: 'functions/table-shard.ts', tests: SHARD,
    find: "shard.kind === 'intraday' ? closesAtCached(shard.date, timeZone) : endOf(shard.date, timeZone)", replace: "shard.kind === 'intraday' ? closesAtCached(shard.date, timeZone) : Infinity" },
  { promise: 'what came after the count keeps its table', file: 'functions/rollover/rollover.ts', tests: GUARDED_DROP, named: 'a row that came after all',
    find: 'const reason = reasonToKeep(situation, source, fresh);', replace: 'const reason = reasonToKeep(situation, source, rows);' },
  { promise: 'a row without an id is never merged away', file: 'functions/rollover/run-day.ts', tests: ['test/rollover/disagreement.test.ts'],
    find: 'if (rowsWithoutId > 0) return', replace: 'if (rowsWithoutId > 1_000) return' },
  { promise: 'what is known of users comes from days before', file: 'functions/rollover/sql/fold.ts', tests: COMPUTED, named: 'an earlier day that changes',
    find: '`event_date < ${dateLiteral(date)}`', replace: '`event_date <= ${dateLiteral(date)}`' },
  { promise: 'the first fold of a date finalizes it, every later one changes it', file: 'functions/rollover/announce.ts', tests: ['test/rollover/announce.test.ts'],
    find: "type: before === undefined ? 'day.finalized' : 'day.changed',", replace: "type: 'day.changed'," },
  { promise: 'a finished day is announced', file: 'functions/rollover/rollover.ts', tests: REPEATABLE, named: 'announced again',
    find: 'await publish(dayMessage(run, runs, dailyTable(prefix, run.date)));', replace: '' },
  { promise: 'a call that died is continued under the same run', file: 'functions/rollover/run-day.ts', tests: REPEATABLE, named: 'killed after each step',
    find: 'return number > lastRecorded ? { number, isAudited: true }', replace: 'return number > Infinity ? { number, isAudited: true }' },
  { promise: 'the daily table is replaced, not added to', file: 'functions/rollover/warehouse.ts', tests: REPEATABLE, named: 'a second run changes nothing',
    find: "writeDisposition: 'WRITE_TRUNCATE',", replace: "writeDisposition: 'WRITE_APPEND'," },
  { promise: 'nobody counts a day twice while it has two tables', file: 'functions/rollover/table-function.ts', tests: COMPUTED, named: 'the table function reads',
    find: 'AND SUBSTR(_TABLE_SUFFIX, 10) NOT IN (${done})', replace: '' },

  { promise: 'the halves of an append that was too large are placed anew', file: 'functions/write/bigquery/row-writer.ts', tests: ROW_WRITER,
    find: 'if (options.clock() >= batch.untilMs) return enqueue(rows);', replace: '' },
  // 5. Any write may be repeated.
  { promise: 'a replayed message is not archived again', file: 'functions/write/storage/archive-message.ts', tests: ARCHIVE,
    find: 'if (attributes.replay_of !== undefined) return accepted({ replayOf: attributes.replay_of });', replace: '' },
  { promise: 'a request is replayed once, however often it is stored', file: 'functions/replay/raw.ts', tests: REPLAY,
    find: 'if (seen.has(line.envelope.request_id)) {', replace: 'if (seen.has(line.text)) {' },

  { promise: 'an object is created only if it is absent', file: 'functions/write/storage/create-object.ts', tests: RAW_FILES,
    find: 'preconditionOpts: { ifGenerationMatch: 0 },', replace: '' },
  { promise: 'an object that is there already is done', file: 'functions/write/storage/create-object.ts', tests: RAW_FILES,
    find: '=== 412) return false;', replace: '=== 409) return false;' },
  { promise: 'a redelivery names the same object: its hour is that of publishing', file: 'functions/write/storage/archive-message.ts', tests: ARCHIVE,
    find: 'name: rawObjectName(streamOf(message), messageId, publishTimeMs),', replace: 'name: rawObjectName(streamOf(message), messageId, archiving.clock()),' },
  { promise: 'a job that another call started is the same job', file: 'functions/rollover/warehouse.ts', tests: REPEATABLE, named: 'three at once',
    find: 'if (codeOf(error) === ALREADY_EXISTS) return;', replace: 'if (codeOf(error) === ALREADY_EXISTS) throw error;' },
  { promise: 'an hour is joined only when no redelivery can name its objects', file: 'functions/maintain/run.ts', tests: MAINTAIN,
    find: 'const newestMs = clock() - compactAfterMs - HOUR_MS;', replace: 'const newestMs = clock() - HOUR_MS;' },
  { promise: 'the parts of a joined hour go only after all of them are in it', file: 'functions/maintain/compact.ts', tests: ['test/maintain/compact.test.ts'],
    find: "if (grown === undefined || grown.bytes !== bytesOf(count + next.length)) return 'another_run';", replace: "if (grown === undefined) return 'another_run';" },

  // 6. One bad event never hurts its neighbours.
  { promise: 'the good rows of a refused append are sent again', file: 'functions/write/bigquery/row-writer.ts', tests: ROW_WRITER,
    find: '    enqueue(good);\n', replace: '    for (const row of good) settle(row.ticket);\n' },
  { promise: 'an event that cannot be mapped does not stop the others', file: 'functions/write/bigquery/rows-of-envelope.ts', tests: WRITE_MESSAGE,
    find: "result.refused.push({ origin, index, error: ingestError('mapping_failed', { reason: (error as Error).message }) });", replace: 'throw error;' },
  { promise: 'an event that is too late is rejected at receipt', file: 'functions/validate/judge-timestamp.ts', tests: VALIDATE,
    find: "return ingestError('too_late', { lateDaysMax }, POINTER);", replace: 'return undefined;' },

  { promise: 'an append that is too large is halved', file: 'functions/write/bigquery/row-writer.ts', tests: ROW_WRITER,
    find: 'const middle = Math.ceil(rows.length / 2);', replace: "if (rows.length > 0) return refuseRows(rows.map((row) => ({ row, error: ingestError('row_refused', { reason }) })));  const middle = 1;" },
  { promise: 'an append has no more bytes than BigQuery takes', file: 'functions/write/bigquery/row-writer.ts', tests: ROW_WRITER,
    find: 'batch.bytes + bytes > limits.appendBytesMax ||', replace: 'false ||' },
  { promise: 'an event of the future is rejected at receipt', file: 'functions/validate/judge-timestamp.ts', tests: VALIDATE,
    find: "return ingestError('timestamp_in_future', LIMITS, POINTER);", replace: 'return undefined;' },
  { promise: 'a bad event is rejected alone', file: 'functions/validate/validate-batch.ts', tests: VALIDATE,
    find: 'if (errors.length > 0) rejected.set(index,', replace: 'if (errors.length > 0 || rejected.size > 0) rejected.set(index,' },

  // What protects people and the instance.
  { promise: 'without consent no user ids are stored', file: 'functions/write/bigquery/row.ts', tests: ['test/write/bigquery/row.test.ts'],
    find: "if (!mayStoreIds(row['privacy_info'], facts.client)) dropIds(row);", replace: '' },
  { promise: 'a gzip bomb is cut while it inflates', file: 'functions/collect/decode-body.ts', tests: BAD_INPUTS, named: 'row 53',
    find: 'maxOutputLength: LIMITS.inflatedBytesMax', replace: 'maxOutputLength: 1_000 * LIMITS.inflatedBytesMax' },
  { promise: 'a source that is switched off may not send', file: 'functions/collect/check-source.ts', tests: ANSWERS, named: 'no key and a wrong key',
    find: "if (!source.isEnabled) return rejected(ingestError('source_disabled', { source: source.id }));", replace: '' },
  { promise: 'bytes in memory are given back when a request ends', file: 'functions/collect/collect.ts', tests: ['test/collect/bugs.test.ts'],
    find: 'if (takenBytes > 0) parts.admission.release(takenBytes);', replace: '' },
  { promise: 'no more bytes are in memory than the budget', file: 'functions/collect/admission.ts', tests: ['test/collect/admission.test.ts'],
    find: 'if (inFlight + bytes > limits.inFlightBytesMax)', replace: 'if (inFlight > limits.inFlightBytesMax)' },
  { promise: 'an origin that its source does not name may not send', file: 'functions/collect/check-source.ts', tests: ANSWERS, named: 'no key and a wrong key',
    find: "if (origin !== undefined && !allowsOrigin(source.origins, origin))", replace: 'if (origin !== undefined && source.origins.size === 0)' },
  { promise: 'UTF-8 is strict', file: 'functions/collect/decode-body.ts', tests: BAD_INPUTS, named: 'row 13',
    find: '!isUtf8(bytes) || ', replace: '' },
  { promise: 'a broken sources document never replaces a good one', file: 'functions/collect/sources.ts', tests: ['test/collect/sources.test.ts'],
    find: "if (!('list' in result)) return tell(result.problems.join('; '));", replace: "if (!('list' in result)) return void (list = undefined);" },
  { promise: 'a source that is switched off stops within a minute', file: 'functions/collect/sources.ts', tests: ['test/collect/sources.test.ts'],
    find: 'if (now === seenVersion && clock() - readAt < LIMITS.sourcesReadMs) return;', replace: 'if (now === seenVersion) return;' },
  { promise: 'a day that stays open is told of', file: 'functions/rollover/rollover.ts', tests: GUARDED_DROP, named: 'six hours after',
    find: 'hours >= OLD_HOURS', replace: 'hours > OLD_HOURS' },
  { promise: 'a message is no larger than a subscriber can hold', file: 'functions/publish/publisher.ts', tests: PUBLISHER,
    find: ' || open.mergedBytes + line.mergedBytes > limits.messageMergedBytesMax', replace: '' },
  { promise: 'a stopping instance waits for no body that may never come', file: 'functions/collect/drain.ts', tests: ['test/collect/drain.test.ts'],
    find: 'if (isStopping) turnAway(response);', replace: 'if (response.headersSent) turnAway(response);' },
  { promise: 'a push that hangs is answered before Pub/Sub gives up', file: 'functions/answer-push.ts', tests: ['test/answer-push.test.ts'],
    find: 'return await Promise.race([work, late]);', replace: 'return await work;' },
];
