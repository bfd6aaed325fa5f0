// What every stop of the tour needs: a local run of its own, a way to send, a way to ask, and patience.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { setOffset } from '../../emulators/clock.ts';
import { spawnLocalRun, type SpawnedRun } from '../../scripts/local/spawn-run.ts';

export { spawnLocalRun, type SpawnedRun };

export type Answer = { status: number; headers: Headers; body: { accepted?: number; rejected?: { index: number; code: string; pointer?: string; message: string }[]; [key: string]: unknown } };

/** Sends one request to the collector; `path` with its query, `body` as text, bytes or a value to be written as JSON. */
export async function send(run: SpawnedRun, path: string, body: unknown, headers: Record<string, string> = { authorization: `Bearer ${run.write_key}` }): Promise<Answer> {
  const bytes = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(`${run.collector_url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: bytes as string });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) };
}

export type SentEvent = { event_id: string; event_name: string; event_timestamp: number; event_params?: Record<string, unknown> };

/** A good event at `ms`. */
export const eventAt = (ms: number, name = 'screen_view', more: Record<string, unknown> = {}): SentEvent =>
  ({ event_id: randomUUID(), event_name: name, event_timestamp: ms * 1_000, event_params: { ga_session_id: Math.floor(ms / 1_800_000), engagement_time_msec: 100 }, ...more });

export const batchOf = (events: unknown[], more: Record<string, unknown> = {}): Record<string, unknown> => ({ user_pseudo_id: 'phone-1', platform: 'ANDROID', ...more, events });

/** Rows of a query in GoogleSQL, with the run's dataset as default. */
export async function ask<Row = Record<string, unknown>>(run: SpawnedRun, sql: string, params: Record<string, unknown> = {}): Promise<Row[]> {
  const [rows] = await run.bigquery.query({ query: sql, params, defaultDataset: { datasetId: run.dataset, projectId: run.project } });
  return rows as Row[];
}

export async function tablesOf(run: SpawnedRun): Promise<string[]> {
  const [tables] = await run.bigquery.dataset(run.dataset).getTables();
  return tables.map(({ id }) => id!).sort();
}

/** Tries until `check` returns something other than undefined or false, or fails with what it saw last. */
export async function eventually<T>(what: string, check: () => Promise<T | undefined | false>, secondsMax = 60): Promise<T> {
  let last: unknown;
  for (const deadline = performance.now() + secondsMax * 1_000; performance.now() < deadline; await sleep(100)) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`${what}: not within ${secondsMax} s${last === undefined ? '' : ` (last: ${String(last)})`}`);
}

/** How many of these ids the given tables hold (a wildcard or a name). */
export async function countIds(run: SpawnedRun, table: string, ids: readonly string[]): Promise<number> {
  const [row] = await ask<{ n: number }>(run, `SELECT COUNT(DISTINCT event_id) AS n FROM \`${table}\` WHERE event_id IN UNNEST(@ids)`, { ids });
  return row!.n;
}

/** Moves the clock of every local process to an instant (ISO text). */
export async function moveClockTo(run: SpawnedRun, instant: string): Promise<void> {
  setOffset(run.clock_file, Date.parse(instant) - Date.now());
  await sleep(700);
}

/** Calls a function as its scheduler does and returns its answer; a dying process is called again. */
export async function call(run: SpawnedRun, name: string, body: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  return eventually(`calling ${name}`, async () => {
    const response = await fetch(run.functions[name]!, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${response.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  });
}

/** Calls the rollover for a date (or for whatever is due) until nothing is pending. */
export async function rollOver(run: SpawnedRun, date?: string): Promise<void> {
  await eventually(`rollover of ${date ?? 'what is due'}`, async () => (await call(run, 'rollover', date === undefined ? {} : { date }))['pending'] === false, 90);
}

/** What makes two daily tables the same: rows, and sum and xor of a hash of each whole row. */
export async function fingerprintOf(run: SpawnedRun, table: string): Promise<string> {
  const [row] = await ask(run, `
    SELECT COUNT(*) AS row_count, CAST(SUM(CAST(FARM_FINGERPRINT(TO_JSON_STRING(t)) AS NUMERIC)) AS STRING) AS hash_sum, CAST(BIT_XOR(FARM_FINGERPRINT(TO_JSON_STRING(t))) AS STRING) AS hash_xor
    FROM \`${table}\` AS t`);
  return JSON.stringify(row);
}
