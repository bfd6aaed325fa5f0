// What analysts wait for: sessions per day and source over N realistic GA4 events in daily shards, in the three ways in which they are written.
// Seconds are those of Google's client; memory is the highest that the local BigQuery's process ever held (VmHWM).
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BigQuery } from '@google-cloud/bigquery';
import { OAuth2Client } from 'google-auth-library';
import { medianOf } from './measure.ts';

const ROOT = resolve(import.meta.dirname, '..');
const PROJECT = 'bench';
const DAYS = 7;
const REPEATS = 5;

export type QueryOptions = { rows: number; log: (line: string) => void };
export type QueryResult = { query: string; rows: number; first_seconds: number; warm_median_seconds: number; answer_rows: number; sessions: number; peak_mib: number };

const sessions = (source: string): string => `
  SELECT event_date, ${source} AS source, COUNT(DISTINCT CONCAT(user_pseudo_id, '-', CAST(session AS STRING))) AS sessions, COUNT(*) AS events
  FROM (
    SELECT event_date, user_pseudo_id, traffic_source.source AS first_source,
      (SELECT value.int_value FROM UNNEST(event_params) WHERE key = 'ga_session_id') AS session,
      (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'source') AS session_source
    FROM \`bench.events_*\` WHERE _TABLE_SUFFIX BETWEEN '20260301' AND '20260331'
  ) GROUP BY event_date, source ORDER BY event_date, sessions DESC`;

/** Each gives the same number of sessions. */
const QUERIES: Record<string, string> = {
  'scalar subqueries': sessions("COALESCE(session_source, first_source, '(direct)')"),
  'cross join and pivot': `
    SELECT event_date, COALESCE(source, first_source, '(direct)') AS source, COUNT(DISTINCT CONCAT(user_pseudo_id, '-', CAST(session AS STRING))) AS sessions, COUNT(*) AS events
    FROM (
      SELECT event_date, user_pseudo_id, event_timestamp, event_name, ANY_VALUE(traffic_source.source) AS first_source,
        MAX(IF(param.key = 'ga_session_id', param.value.int_value, NULL)) AS session, MAX(IF(param.key = 'source', param.value.string_value, NULL)) AS source
      FROM \`bench.events_*\`, UNNEST(event_params) AS param WHERE param.key IN ('ga_session_id', 'source')
      GROUP BY event_date, user_pseudo_id, event_timestamp, event_name
    ) GROUP BY event_date, source ORDER BY event_date, sessions DESC`,
  'session starts, last source of each': `
    SELECT event_date, source, COUNT(*) AS sessions
    FROM (
      SELECT event_date, CONCAT(user_pseudo_id, '-', CAST((SELECT value.int_value FROM UNNEST(event_params) WHERE key = 'ga_session_id') AS STRING)) AS session,
        COALESCE((SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'source'), traffic_source.source, '(direct)') AS source
      FROM \`bench.events_*\` WHERE TRUE
      QUALIFY ROW_NUMBER() OVER (PARTITION BY event_date, session, source ORDER BY event_timestamp DESC) = 1
    ) GROUP BY event_date, source ORDER BY event_date, sessions DESC`,
};

export async function benchQuery({ rows, log }: QueryOptions): Promise<QueryResult[]> {
  const dir = mkdtempSync(join(tmpdir(), 'chiplog-bench-query-'));
  try {
    const filling = await startBigQuery(dir);
    const startedAt = performance.now();
    await fill(filling.client, rows);
    log(`${rows} rows are there after ${seconds(startedAt)} s; the process that took them held at most ${peakMib(filling.pid)} MiB`);
    await filling.stop();
    const results: QueryResult[] = [];
    for (const [name, text] of Object.entries(QUERIES)) {
      // A process for each, so that the peak is that of this query alone.
      const running = await startBigQuery(dir);
      results.push({ query: name, ...(await ask(running.client, text)), peak_mib: peakMib(running.pid) });
      await running.stop();
    }
    return results;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function ask(client: BigQuery, query: string): Promise<Omit<QueryResult, 'query' | 'peak_mib'>> {
  const times: number[] = [];
  let answer: { sessions: number; events?: number }[] = [];
  for (let round = 0; round <= REPEATS; round += 1) {
    const startedAt = performance.now();
    [answer] = await client.query({ query, useQueryCache: false }) as unknown as [{ sessions: number }[]];
    times.push(seconds(startedAt));
  }
  const [[counted]] = await client.query("SELECT COUNT(*) AS n FROM `bench.events_*`") as unknown as [[{ n: number }]];
  return { rows: counted.n, first_seconds: times[0]!, warm_median_seconds: medianOf(times.slice(1)), answer_rows: answer.length, sessions: answer.reduce((sum, row) => sum + row.sessions, 0) };
}

const seconds = (since: number): number => Number(((performance.now() - since) / 1_000).toFixed(2));

/** VmHWM: the most memory that the process ever had resident. Linux only. */
function peakMib(pid: number): number {
  const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1_024);
}

type Running = { client: BigQuery; pid: number; stop: () => Promise<void> };

async function startBigQuery(dataDir: string): Promise<Running> {
  const child: ChildProcess = spawn(process.execPath, ['--import', './emulators/preload.ts', 'emulators/run.ts', 'bigquery', '--data', dataDir, '--port', '0', '--control-port', '0', '--write-port', '0', '--project', PROJECT], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout! }), 'line') as [string];
  const { port } = JSON.parse(line) as { port: number };
  process.env['BIGQUERY_EMULATOR_HOST'] = `http://127.0.0.1:${port}`;
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: 'local', expiry_date: Date.now() + 86_400_000 });
  return {
    client: new BigQuery({ projectId: PROJECT, authClient: authClient as never }), pid: child.pid!,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Daily shards with the columns of the GA4 export. About 20 events a session and 60 a user; 12 to 14 parameters an event, as a site's page views have. */
async function fill(client: BigQuery, rows: number): Promise<void> {
  const fields = JSON.parse(readFileSync(join(ROOT, 'schemas/generated/events.bigquery.json'), 'utf8')) as object[];
  await client.createDataset('bench');
  for (let day = 0; day < DAYS; day += 1) {
    const date = `2026030${day + 1}`;
    await client.dataset('bench').createTable(`events_${date}`, { schema: { fields }, clustering: { fields: ['event_name'] } } as never);
    await client.query(fillSql(date, day, Math.floor(rows / DAYS) + (day < rows % DAYS ? 1 : 0)));
  }
}

const value = (column: 'string_value' | 'int_value', sql: string): string =>
  `STRUCT(${['string_value', 'int_value', 'float_value', 'double_value'].map((name) => (name === column ? `${sql} AS ${name}` : `CAST(NULL AS ${name === 'string_value' ? 'STRING' : name === 'int_value' ? 'INT64' : 'FLOAT64'}) AS ${name}`)).join(', ')})`;
const param = (key: string, column: 'string_value' | 'int_value', sql: string): string => `STRUCT('${key}' AS key, ${value(column, sql)} AS value)`;

function fillSql(date: string, day: number, rows: number): string {
  const text = (key: string, sql: string): string => param(key, 'string_value', sql);
  const whole = (key: string, sql: string): string => param(key, 'int_value', sql);
  const common = [
    text('page_location', "CONCAT('https://shop.example/', CAST(MOD(n, 400) AS STRING), '/product?ref=', CAST(MOD(n, 37) AS STRING))"), whole('ga_session_id', '1772300000 + DIV(n, 20)'), whole('ga_session_number', '1 + MOD(DIV(n, 20), 3)'),
    text('page_title', "CONCAT('A product that somebody may want, number ', CAST(MOD(n, 400) AS STRING))"), text('page_referrer', "'https://search.example/'"), whole('engagement_time_msec', 'MOD(n * 37, 20000)'), whole('engaged_session_event', '1'),
    text('ignore_referrer', "'true'"), whole('batch_page_id', '1772300000 + n'), whole('batch_ordering_id', 'MOD(n, 5)'), text('session_engaged', "'1'"), text('debug_mode', "'0'"),
  ];
  const sourced = [text('source', "CONCAT('source-', CAST(MOD(DIV(n, 20), 12) AS STRING))"), text('medium', "'cpc'")];
  return `
    INSERT INTO \`bench.events_${date}\` (event_date, event_timestamp, event_name, event_params, user_pseudo_id, device, geo, traffic_source, stream_id, platform, event_id, received_timestamp)
    SELECT '${date}', ${1772323200000000 + day * 86_400_000_000} + MOD(n * 7919, 86400) * 1000000 + MOD(n, 1000000), CASE MOD(n, 20) WHEN 0 THEN 'session_start' WHEN 1 THEN 'first_visit' WHEN 2 THEN 'user_engagement' WHEN 3 THEN 'scroll' WHEN 4 THEN 'purchase' ELSE 'page_view' END,
      IF(MOD(DIV(n, 20), 3) = 0, [${[...common, ...sourced].join(', ')}], [${common.join(', ')}]),
      CONCAT(CAST(MOD(DIV(n, 60) * 7919, 1000000007) AS STRING), '.', CAST(1772300000 + DIV(n, 60) AS STRING)),
      STRUCT('desktop' AS category, CAST(NULL AS STRING) AS mobile_brand_name, CAST(NULL AS STRING) AS mobile_model_name, CAST(NULL AS STRING) AS mobile_marketing_name, CAST(NULL AS STRING) AS mobile_os_hardware_model, 'Windows' AS operating_system, 'Windows 11' AS operating_system_version, CAST(NULL AS STRING) AS vendor_id, CAST(NULL AS STRING) AS advertising_id, 'de-de' AS language, 'No' AS is_limited_ad_tracking, CAST(NULL AS INT64) AS time_zone_offset_seconds, 'Chrome' AS browser, '141.0' AS browser_version, STRUCT('Chrome' AS browser, '141.0' AS browser_version, 'shop.example' AS hostname) AS web_info),
      STRUCT('Berlin' AS city, 'Germany' AS country, 'Europe' AS continent, 'Berlin' AS region, 'Western Europe' AS sub_continent, '(not set)' AS metro),
      STRUCT('(organic)' AS name, 'organic' AS medium, CASE MOD(DIV(n, 60), 3) WHEN 0 THEN 'google' WHEN 1 THEN '(direct)' ELSE 'newsletter' END AS source),
      '1234567890', 'WEB', GENERATE_UUID(), ${1772323200000000 + day * 86_400_000_000} + n
    FROM UNNEST(GENERATE_ARRAY(0, ${rows - 1})) AS n`;
}
