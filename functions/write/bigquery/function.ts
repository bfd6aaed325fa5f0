// The function that writes rows: Pub/Sub pushes messages in, rows are in their tables when it answers 204. Wiring only.
import { BigQuery } from '@google-cloud/bigquery';
import { http } from '@google-cloud/functions-framework';
import { DESCRIPTORS, ENCODERS } from '../../../schemas/generated/rows.ts';
import { createPushHandler } from '../../answer-push.ts';
import { systemClock } from '../../clock.ts';
import { SHARED, readSettings, text } from '../../config.ts';
import { LIMITS } from '../../limits.ts';
import { createLog } from '../../log.ts';
import { ensureTable, tableApiOf, tableDefinition } from '../../maintain/tables.ts';
import { createPublisher } from '../../publish/publisher.ts';
import { createSend } from '../../publish/send.ts';
import { openTopics } from '../../publish/topic.ts';
import { checkTimeZone, labelApiOf } from '../../reporting-zone.ts';
import { serveDirectly } from '../../serve-directly.ts';
import { stopGently } from '../../stop.ts';
import { streamTables } from '../../stream-tables.ts';
import { shardFor, shardHoldsUntil } from '../../table-shard.ts';
import { askOnce } from './ask-once.ts';
import { createAppendClient } from './append-client.ts';
import { guardAppend } from './guard-append.ts';
import { createStreamOpener } from './open-stream.ts';
import { createRejectedSink } from './refuse.ts';
import { createRowWriter } from './row-writer.ts';
import { writePush } from './write-message.ts';

export const SETTINGS = {
  project: SHARED.project,
  prefix: SHARED.prefix,
  dataset: SHARED.dataset,
  timeZone: SHARED.timeZone,
  bigqueryWriteEndpoint: SHARED.bigqueryWriteEndpoint,
  codeVersion: { env: 'K_REVISION', parse: text, default: 'local', why: 'Cloud Run\'s name of the running revision; travels in every envelope.' },
};

const settings = readSettings(SETTINGS);
const { timeZone } = settings;
const log = createLog('write-bigquery');

const streams = new Map(streamTables().map((stream) => [stream.stream, stream]));
const dataset = new BigQuery({ projectId: settings.project }).dataset(settings.dataset);
const tables = tableApiOf(dataset);
const zone = askOnce(() => checkTimeZone(labelApiOf(dataset), timeZone, { write: false }));

const rejectedTopic = `${settings.prefix}-rejected`;
const { send } = createSend({ topic: rejectedTopic, call: openTopics(settings.project)(rejectedTopic), log });
const publisher = createPublisher({ stream: 'rejected', send });
const rejected = createRejectedSink({ publish: (line) => publisher.publish(line), clock: systemClock, codeVersion: settings.codeVersion, log });

const opener = createStreamOpener(settings.bigqueryWriteEndpoint);
const appends = createAppendClient({
  project: settings.project,
  dataset: settings.dataset,
  descriptors: DESCRIPTORS,
  openStream: opener.openStream,
  timeoutMs: LIMITS.appendTimeoutMs,
  clock: systemClock,
});

const shardOf = (stream: string, eventDate: string, nowMs: number) => {
  const shard = shardFor(streams.get(stream)!.prefix, eventDate, nowMs, timeZone);
  return { ...shard, untilMs: shardHoldsUntil(shard, timeZone) };
};
const writer = createRowWriter({
  append: guardAppend(appends.append, { failuresMax: 5, openMs: 10_000, onChange: (open) => log('WARNING', open ? 'the breaker before BigQuery opened' : 'the breaker before BigQuery closed') }),
  shardOf,
  ensureTable: async (stream, { kind, date }) => void await ensureTable(tables, tableDefinition(streams.get(stream)!, kind, date)),
  refuse: (rows) => rejected.refuseEvents(rows.map(({ row, error }) => ({ origin: row.origin, index: row.index, error }))),
  clock: systemClock,
  limits: LIMITS,
  onTrouble: (what, data) => log(what === 'columns_missing' ? 'ERROR' : 'WARNING', what, data),
});

const making = {
  encoders: ENCODERS,
  timeZone,
  isLateNow: (stream: string, eventDate: string, publishTimeMs: number) => shardOf(stream, eventDate, Math.max(systemClock(), publishTimeMs)).kind === 'late',
};

let pushesOpen = 0;
const stopping = stopGently(async () => {
  for (writer.flush(); pushesOpen > 0; writer.flush()) await new Promise((resolve) => setTimeout(resolve, 20));
  await publisher.flush();
  appends.close();
});

const takePush = createPushHandler({
  log,
  stopping,
  async work(body) {
    pushesOpen += 1;
    try {
      const zoneChecked = await zone();
      return zoneChecked.kind === 'accepted' ? await writePush(body, { making, writer, rejected }) : zoneChecked;
    } finally {
      pushesOpen -= 1;
    }
  },
});
serveDirectly(takePush);
http('writeBigquery', takePush);
