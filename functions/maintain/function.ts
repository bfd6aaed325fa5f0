// The function that keeps house: Cloud Scheduler posts to it every hour, it answers what it did. Wiring only.
import { setTimeout as wait } from 'node:timers/promises';
import { BigQuery } from '@google-cloud/bigquery';
import { http } from '@google-cloud/functions-framework';
import { systemClock } from '../clock.ts';
import { SHARED, readSettings, wholeNumber } from '../config.ts';
import { inTime } from '../in-time.ts';
import { LIMITS } from '../limits.ts';
import { createLog } from '../log.ts';
import type { Outcome } from '../outcome.ts';
import { bypassBodyParsers } from '../raw-body.ts';
import { labelApiOf } from '../reporting-zone.ts';
import { tableFunctionSql } from '../rollover/table-function.ts';
import { ensureRolloverTables } from '../rollover/tables.ts';
import { streamTables } from '../stream-tables.ts';
import { compactionApiOf } from './compaction-api.ts';
import { maintain } from './run.ts';
import type { MaintenanceDone } from './run.ts';
import { listSpilledOf } from './spill.ts';
import { tableApiOf } from './tables.ts';

export const SETTINGS = {
  project: SHARED.project,
  dataset: SHARED.dataset,
  location: SHARED.location,
  bucket: SHARED.bucket,
  timeZone: SHARED.timeZone,
  retentionDays: { env: 'CHIPLOG_RETENTION_DAYS', parse: wholeNumber(1, 31), default: 7, why: 'How long the subscriptions keep messages: raw files are joined only after it, when no redelivery can name one.' },
};

const settings = readSettings(SETTINGS);
const log = createLog('maintain');
bypassBodyParsers();

const bigquery = new BigQuery({ projectId: settings.project, location: settings.location });
const dataset = bigquery.dataset(settings.dataset);
const streams = streamTables();

async function replaceTableFunctions(): Promise<number> {
  // The functions read the ledger of the rollover, which may not have run yet.
  await inTime(ensureRolloverTables(bigquery, settings.dataset), 'the tables of the rollover');
  for (const stream of streams) {
    const query = tableFunctionSql({ project: settings.project, dataset: settings.dataset }, stream);
    await inTime(bigquery.query({ query, location: settings.location }), `the table function of ${stream.stream}`, 60_000);
  }
  return streams.length;
}

/** Two visits at once would do everything twice; the second gets the first one's answer. */
let visit: Promise<Outcome<MaintenanceDone>> | undefined;

http('maintain', async (_request, response) => {
  visit ??= maintain({
    streams,
    timeZone: settings.timeZone,
    tablesAheadDays: LIMITS.tablesAheadDays,
    compactAfterMs: settings.retentionDays * 86_400_000,
    labels: labelApiOf(dataset),
    tables: tableApiOf(dataset),
    raw: compactionApiOf(settings.project, settings.bucket),
    listSpilled: listSpilledOf(settings.project, settings.bucket),
    replaceTableFunctions,
    clock: systemClock,
    wait,
    log,
  }).finally(() => { visit = undefined; });
  try {
    const outcome = await visit;
    if (outcome.kind === 'accepted') {
      log('INFO', 'maintained', outcome.value);
      response.status(outcome.value.failures.length === 0 ? 200 : 503).json(outcome.value);
    } else {
      log('ERROR', 'maintenance refused', { error: outcome.error });
      response.status(503).json({ error: outcome.error });
    }
  } catch (error) {
    log('ERROR', 'maintenance failed', { error });
    response.status(503).json({ error: { code: 'invariant_broken', message: (error as Error).message } });
  }
});
