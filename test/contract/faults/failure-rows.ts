// The faults of Google's services that can be ordered on purpose, by the number that tests and docs use for each (F05, …): what goes wrong, and the
// requests to the control address that produce it. emulators/README.md shows them; failure-rows.test.ts sends each and sees its effect with Google's clients.

export type ControlRequest = { path: '/faults' | '/time' | '/kill'; body: object };

export type FailureRow = {
  rows: readonly string[];
  fault: string;
  requests: readonly ControlRequest[];
  /** How failure-rows.test.ts sees it; each name is a function there. */
  shownBy: string;
};

const fault = (body: object): ControlRequest => ({ path: '/faults', body });
const pubsub = (plan: object): ControlRequest => fault({ service: 'pubsub', ...plan });
const bigquery = (plan: object): ControlRequest => fault({ service: 'bigquery', ...plan });
const storage = (plan: object): ControlRequest => fault({ service: 'storage', ...plan });
const kill = (service: string): ControlRequest => ({ path: '/kill', body: { service } });
const time = (body: object): ControlRequest => ({ path: '/time', body });

export const FAILURE_ROWS: readonly FailureRow[] = [
  { rows: ['F01', 'F02'], fault: 'Pub/Sub dies before or after it has a message', requests: [kill('pubsub')], shownBy: 'aMessageOutlivesAKill' },
  { rows: ['F05'], fault: 'Pub/Sub is down', requests: [pubsub({ method: 'Publish', kind: 'fail', status: 'UNAVAILABLE', times: null })], shownBy: 'publishFailsWith14' },
  { rows: ['F06'], fault: 'Pub/Sub fails one call in ten', requests: [pubsub({ method: 'Publish', kind: 'fail', status: 'UNAVAILABLE', every: 10, times: null })], shownBy: 'everyTenthPublishFails' },
  { rows: ['F07'], fault: 'Pub/Sub hangs', requests: [pubsub({ method: 'Publish', kind: 'hang', times: null })], shownBy: 'publishHangs' },
  { rows: ['F07'], fault: 'Pub/Sub hangs, and has stored the message', requests: [pubsub({ method: 'Publish', kind: 'hang', takes_effect: true })], shownBy: 'publishHangsAndIsStored' },
  { rows: ['F08'], fault: 'Pub/Sub says OK and drops the message', requests: [pubsub({ method: 'Publish', kind: 'lose' })], shownBy: 'publishIsLost' },
  { rows: ['F09'], fault: 'of three publishes the third fails', requests: [pubsub({ method: 'Publish', kind: 'fail', status: 'INTERNAL', after: 2 })], shownBy: 'theThirdPublishFails' },
  { rows: ['F10'], fault: 'the topic is missing', requests: [pubsub({ method: 'Publish', kind: 'fail', status: 'NOT_FOUND' })], shownBy: 'publishFailsWith5' },
  { rows: ['F10'], fault: 'the collector may not publish', requests: [pubsub({ method: 'Publish', kind: 'fail', status: 'PERMISSION_DENIED' })], shownBy: 'publishFailsWith7' },
  { rows: ['F11'], fault: 'one topic is down, the other is up', requests: [pubsub({ method: 'Publish', kind: 'fail', resource: 'topics/bad', times: null })], shownBy: 'onlyTheBadTopicFails' },
  { rows: ['F12'], fault: 'a message is pushed twice at once', requests: [pubsub({ method: 'Push', kind: 'duplicate' })], shownBy: 'aPushComesTwice' },
  { rows: ['F12'], fault: 'a message is stored twice', requests: [pubsub({ method: 'Publish', kind: 'duplicate' })], shownBy: 'aPublishIsStoredTwice' },
  { rows: ['F13'], fault: 'messages are delivered out of order', requests: [pubsub({ method: 'Publish', kind: 'reorder' })], shownBy: 'theFirstPublishComesLast' },
  { rows: ['F13', 'F28', 'F37', 'F52'], fault: 'a delivery comes days later, over midnight or past a limit', requests: [time({ advance: '5d' })], shownBy: 'publishTimeIsFiveDaysLater' },
  { rows: ['F14'], fault: 'the ack deadline passes while the sink is slow', requests: [bigquery({ method: 'AppendRows', kind: 'delay', delay_ms: 1_500 })], shownBy: 'anAppendTakesLong' },
  { rows: ['F17', 'F18'], fault: 'one push in twenty is refused', requests: [pubsub({ method: 'Push', kind: 'fail', every: 20, times: null })], shownBy: 'aPushIsRepeated' },
  { rows: ['F19'], fault: 'BigQuery answers 503, until told otherwise', requests: [bigquery({ method: 'AppendRows', kind: 'fail', status: 'UNAVAILABLE', times: null }), bigquery({ method: 'jobs.insert', kind: 'fail', status: '503', times: null })], shownBy: 'appendsAndJobsFailWithUnavailable' },
  { rows: ['F20'], fault: 'an append is answered with row errors, not with a failure', requests: [bigquery({ method: 'AppendRows', kind: 'fail', status: 'ROW_ERRORS' })], shownBy: 'theFirstRowIsRefused' },
  { rows: ['F21'], fault: 'the connection breaks after the rows were stored', requests: [bigquery({ method: 'AppendRows', kind: 'fail', status: 'ABORTED', takes_effect: true })], shownBy: 'anAppendFailsAndIsStored' },
  { rows: ['F21'], fault: 'an append never hears its answer', requests: [bigquery({ method: 'AppendRows', kind: 'hang' })], shownBy: 'anAppendHangs' },
  { rows: ['F22'], fault: 'quota is used up', requests: [bigquery({ method: 'AppendRows', kind: 'fail', status: 'RESOURCE_EXHAUSTED' }), bigquery({ method: 'jobs.insert', kind: 'fail', status: 'quotaExceeded' })], shownBy: 'quotaIsUsedUp' },
  { rows: ['F25'], fault: 'a streaming insert fails as a whole', requests: [bigquery({ method: 'tabledata.insertAll', kind: 'fail', status: 'backendError' })], shownBy: 'insertAllFails' },
  { rows: ['F26'], fault: 'the table is not there', requests: [bigquery({ method: 'AppendRows', kind: 'fail', status: 'NOT_FOUND' })], shownBy: 'appendFailsWith5' },
  { rows: ['F27'], fault: 'rows appended to a table made anew under a dropped name are swallowed', requests: [bigquery({ method: 'AppendRows.recreated', kind: 'lose', times: null })], shownBy: 'rowsOfARecreatedTableAreSwallowed' },
  { rows: ['F29'], fault: 'Cloud Storage is down', requests: [storage({ method: 'objects.insert', kind: 'fail', status: '503' })], shownBy: 'uploadFailsWith503' },
  { rows: ['F29'], fault: 'Cloud Storage asks to slow down', requests: [storage({ method: 'objects.insert', kind: 'fail', status: '429' })], shownBy: 'uploadFailsWith429' },
  { rows: ['F30'], fault: 'the upload is done and its answer is lost', requests: [storage({ method: 'objects.insert', kind: 'fail', status: '503', takes_effect: true })], shownBy: 'uploadFailsAndIsThere' },
  { rows: ['F31'], fault: 'half of the bytes are lost on the way', requests: [storage({ method: 'objects.insert', kind: 'truncate' })], shownBy: 'aTruncatedUploadIsRefused' },
  { rows: ['F32'], fault: 'BigQuery is down, Cloud Storage is not', requests: [bigquery({ method: '*', kind: 'fail', status: 'UNAVAILABLE', times: null })], shownBy: 'onlyBigQueryIsDown' },
  { rows: ['F33', 'F35'], fault: 'a query job runs long, so that a second call meets it', requests: [bigquery({ method: 'job.run', kind: 'delay', delay_ms: 3_000 })], shownBy: 'aJobIsMetWhileItRuns' },
  { rows: ['F34'], fault: 'the rollover is killed after it sent its job', requests: [kill('rollover')], shownBy: 'theRolloverComesBack' },
  { rows: ['F34'], fault: 'BigQuery is killed while the job runs', requests: [bigquery({ method: 'job.run', kind: 'delay', delay_ms: 60_000 }), kill('bigquery')], shownBy: 'aKilledJobEndsWithAnError' },
  { rows: ['F39'], fault: 'the rollover query fails', requests: [bigquery({ method: 'job.run', kind: 'fail', status: 'rateLimitExceeded' })], shownBy: 'aJobFailsAndChangesNothing' },
  { rows: ['F40'], fault: 'a table is dropped twice, since the answer to the first was lost', requests: [bigquery({ method: 'tables.delete', kind: 'fail', status: 'backendError', takes_effect: true })], shownBy: 'aDropFailsAndIsDone' },
  { rows: ['F45'], fault: 'a subscription that nobody used expires', requests: [time({ advance: '32d' })], shownBy: 'anIdleSubscriptionExpires' },
];

/** Faults of the pipeline itself, or of data, that need no order: the ordinary calls of a test produce them. */
export const NEEDS_NO_ORDER: Readonly<Record<string, string>> = {
  F03: 'SIGTERM to the collector', F04: 'SIGTERM to a writer', F15: 'publish such a message', F16: 'publish such a message', F23: 'append such a row', F24: 'create a table with fewer columns',
  F36: 'append to the table: it has a streaming buffer then, for 90 minutes by the local clock', F38: 'send such events', F41: 'npm run replay', F42: 'npm run replay', F43: 'npm run replay', F44: 'read infra/',
  F46: 'start a function', F47: 'send more', F48: 'send such a body', F49: 'send slowly', F50: 'break the connection', F51: 'remove the sources file', F53: 'mount read-only', F54: 'a fault in the product', F55: 'limit the memory', F56: 'stop reading the log',
};
