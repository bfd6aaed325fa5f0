// The rollover of one day: seconds and bytes for days of different size, made by one INSERT into the intraday table.
import { setTimeout as sleep } from 'node:timers/promises';
import { setOffset } from '../emulators/clock.ts';
import { spawnLocalRun, type SpawnedRun } from '../scripts/local/spawn-run.ts';

const NOW = '2026-03-10T12:00:00Z';
const DATE = '20260310';

export type RolloverOptions = { rows: number[]; log: (line: string) => void };
export type RolloverResult = { rows: number; duplicates: number; seconds: number; calls: number; kept: number; bytes_processed: number };

export async function benchRollover(options: RolloverOptions): Promise<RolloverResult[]> {
  const results: RolloverResult[] = [];
  for (const rows of options.rows) {
    const run = await spawnLocalRun(['--now', NOW]);
    try {
      await fillDay(run, rows);
      options.log(`${rows} rows are there`);
      setOffset(run.clock_file, Date.parse('2026-03-11T12:00:00Z') - Date.now());
      await sleep(1_000);
      results.push({ rows, duplicates: Math.floor(rows / 10), ...(await rollOver(run)) });
    } finally {
      await run.stop();
    }
  }
  return results;
}

/** One row in ten repeats the id of another; 1 % of the rows are purchases; about 50 events a user. */
async function fillDay(run: SpawnedRun, rows: number): Promise<void> {
  await run.bigquery.query(`
    INSERT INTO \`${run.dataset}.events_intraday_${DATE}\` (event_date, event_timestamp, event_name, event_params, user_pseudo_id, platform, event_id, received_timestamp)
    SELECT '${DATE}', 1773100800000000 + MOD(n * 7919, 86400) * 1000000, IF(MOD(n, 100) = 0, 'purchase', 'screen_view'),
      [STRUCT('ga_session_id' AS key, STRUCT(CAST(NULL AS STRING) AS string_value, DIV(n, 20) AS int_value, CAST(NULL AS FLOAT64) AS float_value, CAST(NULL AS FLOAT64) AS double_value) AS value),
       STRUCT('firebase_screen' AS key, STRUCT(CONCAT('Screen ', CAST(MOD(n, 40) AS STRING)) AS string_value, CAST(NULL AS INT64) AS int_value, CAST(NULL AS FLOAT64) AS float_value, CAST(NULL AS FLOAT64) AS double_value) AS value)],
      CONCAT('user-', CAST(DIV(n, 50) AS STRING)), 'ANDROID', TO_HEX(MD5(CAST(IF(MOD(n, 10) = 9, n - 1, n) AS STRING))), 1773100800000000 + n
    FROM UNNEST(GENERATE_ARRAY(0, ${rows - 1})) AS n`);
}

async function rollOver(run: SpawnedRun): Promise<Omit<RolloverResult, 'rows' | 'duplicates'>> {
  const startedAt = performance.now();
  let calls = 0;
  for (;;) {
    const response = await fetch(run.functions['rollover']!, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ date: DATE, stream: 'events' }) });
    const text = await response.text();
    calls += 1;
    const answer = JSON.parse(text) as { pending: boolean; days?: { state: string }[] };
    const unfinished = answer.days?.find(({ state }) => state !== 'done' && state !== 'running' && state !== 'due');
    if (unfinished !== undefined) throw new Error(`The day was not rolled over: ${JSON.stringify(unfinished)}`);
    if (response.status === 200 && !answer.pending) break;
    if (calls > 2_000) throw new Error(`The rollover does not end: ${text.slice(0, 500)}`);
    await sleep(100);
  }
  const seconds = Number(((performance.now() - startedAt) / 1_000).toFixed(1));
  const [[counts]] = await run.bigquery.query(`SELECT COUNT(*) AS kept FROM \`${run.dataset}.events_${DATE}\``);
  const [jobs] = await run.bigquery.getJobs({ maxResults: 50 });
  const bytes = jobs.reduce((sum, job) => sum + Number((job.metadata as { statistics?: { totalBytesProcessed?: string } }).statistics?.totalBytesProcessed ?? 0), 0);
  return { seconds, calls, kept: (counts as { kept: number }).kept, bytes_processed: bytes };
}
