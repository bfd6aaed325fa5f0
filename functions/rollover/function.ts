// The rollover as a Cloud Function: in goes {} from Cloud Scheduler (every 15 minutes) or {"date":"YYYYMMDD"} from a person, out goes
// JSON that says per stream and date what was done and whether another call has something to do ("pending"). Private: IAM decides who calls.
import { setTimeout as sleep } from 'node:timers/promises';
import { BigQuery } from '@google-cloud/bigquery';
import { http } from '@google-cloud/functions-framework';
import { PubSub } from '@google-cloud/pubsub';
import { systemClock } from '../clock.ts';
import { readSettings, SHARED, wholeNumber } from '../config.ts';
import type { SettingTable } from '../config.ts';
import { createLog } from '../log.ts';
import { streamTables } from '../stream-tables.ts';
import type { PublishDay } from './announce.ts';
import { readWish } from './read-wish.ts';
import { rollOverStream } from './rollover.ts';
import type { RolloverContext, StreamReport } from './rollover.ts';
import { ensureRolloverTables } from './tables.ts';
import { createWarehouse } from './warehouse.ts';

export const SETTINGS = {
  project: SHARED.project,
  prefix: SHARED.prefix,
  dataset: SHARED.dataset,
  location: SHARED.location,
  timeZone: SHARED.timeZone,
  waitSeconds: { env: 'CHIPLOG_ROLLOVER_WAIT_SECONDS', parse: wholeNumber(0, 1_500), default: 20, why: 'How long one call waits for its jobs before it says "pending"; below the deadline of the Scheduler.' },
  recentDays: { env: 'CHIPLOG_ROLLOVER_RECENT_DAYS', parse: wholeNumber(0, 400), default: 3, why: 'Late rows of days younger than this are folded every night.' },
  olderEveryDays: { env: 'CHIPLOG_ROLLOVER_OLDER_EVERY_DAYS', parse: wholeNumber(0, 400), default: 7, why: 'Late rows of older days wait this many days, since one of them costs a rewrite of its day.' },
} as const satisfies SettingTable;

const PUBLISH_TIMEOUT_MS = 10_000;

const settings = readSettings(SETTINGS);
const log = createLog('rollover');
const bigquery = new BigQuery({ projectId: settings.project, location: settings.location });
const topic = new PubSub({ projectId: settings.project }).topic(`${settings.prefix}-days`, { batching: { maxMessages: 1 }, gaxOpts: { timeout: PUBLISH_TIMEOUT_MS } });
const streams = streamTables();

const publish: PublishDay = async (message) => {
  await topic.publishMessage({ data: Buffer.from(JSON.stringify(message)), attributes: { type: message.type, stream: message.stream, date: message.date } });
};

const context: RolloverContext = {
  warehouse: createWarehouse(bigquery, { project: settings.project, dataset: settings.dataset }, settings.location),
  publish, clock: systemClock, log, timeZone: settings.timeZone,
  pace: { recentDays: settings.recentDays, olderEveryDays: settings.olderEveryDays },
  waitMs: settings.waitSeconds * 1_000, sleep: (ms) => sleep(ms),
};

let areTablesThere = false;

http('rollover', async (request, response) => {
  const nowMs = systemClock();
  const call = readWish(request.body, streams.map(({ stream }) => stream), nowMs);
  if ('problem' in call) {
    response.status(400).json({ error: call.problem });
    return;
  }
  try {
    if (!areTablesThere) await ensureRolloverTables(bigquery, settings.dataset);
    areTablesThere = true;
    // By the clock that stamps jobs: "folded since" compares with their start, and two machines' clocks differ.
    if (call.wish.recomputeFrom !== undefined) call.wish.recomputeSinceMs ??= await context.warehouse.nowMs();
    const reports = await Promise.all(streams.filter(({ stream }) => call.streams.includes(stream)).map((tables) => rollOverStream(context, tables, call.wish)));
    response.status(200).json(answerOf(reports, nowMs, call.wish.recomputeSinceMs));
  } catch (error) {
    log('ERROR', 'The rollover could not go on; the next call will', { error: error as Error });
    response.status(503).set('Retry-After', '60').json({ pending: true, done: false, error: (error as Error).message });
  }
});

function answerOf(reports: StreamReport[], nowMs: number, recomputeSinceMs: number | undefined): object {
  const pending = reports.some((report) => report.pending);
  return {
    pending,
    done: !pending,
    now: new Date(nowMs).toISOString(),
    ...(recomputeSinceMs === undefined ? {} : { recompute_since_ms: recomputeSinceMs }),
    days: reports.flatMap(({ days }) => days),
    dropped: reports.flatMap(({ dropped }) => dropped),
    problems: reports.flatMap(({ problems }) => problems),
  };
}
