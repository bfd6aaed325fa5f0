// A BigQuery in the test's own process with a stream's tables in it, and the rollover wired to it as function.ts wires it. In go rows
// of a few fields, out come tables to compare. Used by the tests of this folder.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BigQuery } from '@google-cloud/bigquery';
import { OAuth2Client } from 'google-auth-library';
import { Faults } from '../../emulators/faults.ts';
import { start } from '../../emulators/bigquery/server.ts';
import type { DayMessage } from '../../functions/rollover/announce.ts';
import type { Wish } from '../../functions/rollover/plan.ts';
import { rollOverStream } from '../../functions/rollover/rollover.ts';
import type { RolloverContext, StreamReport } from '../../functions/rollover/rollover.ts';
import { ensureRolloverTables } from '../../functions/rollover/tables.ts';
import { createWarehouse } from '../../functions/rollover/warehouse.ts';
import type { Warehouse } from '../../functions/rollover/warehouse.ts';
import { eventDateOf } from '../../functions/table-shard.ts';
import type { StreamTables, TableField } from '../../functions/stream-tables.ts';

export const PROJECT = 'rollover-test';
export const EVENTS: StreamTables = {
  stream: 'events', prefix: 'events', clustering: ['event_name'], dailyExpirationDays: null,
  fields: JSON.parse(readFileSync(new URL('../../schemas/generated/events.bigquery.json', import.meta.url), 'utf8')) as TableField[],
};

/** What a test says of an event; times in ISO. */
export type Sample = {
  id: string;
  name?: string;
  at: string;
  received?: string;
  user?: string | null;
  params?: Record<string, string | number>;
  revenue?: number;
  source?: string;
};

export type LocalBigQuery = { bigquery: BigQuery; faults: Faults; setNow: (iso: string) => void; now: () => number; close: () => Promise<void> };

export async function startBigQuery(): Promise<LocalBigQuery> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chiplog-rollover-'));
  let offsetMs = 0;
  const now = (): number => Date.now() + offsetMs;
  const faults = new Faults();
  const service = await start({ host: '127.0.0.1', port: 0, dataDir, project: PROJECT, faults, now });
  process.env['BIGQUERY_EMULATOR_HOST'] = `http://127.0.0.1:${service.port}`;
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: 'local', expiry_date: Date.now() + 86_400_000 });
  return {
    bigquery: new BigQuery({ projectId: PROJECT, location: 'US', authClient: authClient as never }), faults, now,
    setNow: (iso) => { offsetMs = Date.parse(iso) - Date.now(); },
    close: async () => { await service.close(); rmSync(dataDir, { recursive: true, force: true }); },
  };
}

export type Logged = { severity: string; message: string; data: Record<string, unknown> | undefined };

export type Yard = {
  dataset: string;
  warehouse: Warehouse;
  context: RolloverContext;
  messages: DayMessage[];
  logged: Logged[];
  insert: (table: string, samples: Sample[]) => Promise<void>;
  ask: <Row = Record<string, unknown>>(sql: string) => Promise<Row[]>;
  tables: () => Promise<string[]>;
  roll: (wish?: Wish, context?: Partial<RolloverContext>) => Promise<StreamReport>;
  /** Count, sum and xor of the rows' fingerprints. */
  fingerprint: (table: string) => Promise<unknown>;
};

/** A dataset of its own with the rollover's tables and the given shards. */
export async function makeYard({ bigquery, now }: LocalBigQuery, dataset: string, shards: Record<string, Sample[]>): Promise<Yard> {
  await bigquery.createDataset(dataset, { location: 'US' });
  await ensureRolloverTables(bigquery, dataset);
  const messages: DayMessage[] = [];
  const logged: Logged[] = [];
  const warehouse = createWarehouse(bigquery, { project: PROJECT, dataset }, 'US');
  const ask = async <Row>(sql: string): Promise<Row[]> => (await bigquery.query({ query: sql, location: 'US', defaultDataset: { projectId: PROJECT, datasetId: dataset } }))[0] as Row[];
  const context: RolloverContext = {
    warehouse, clock: now, timeZone: 'UTC', pace: { recentDays: 3, olderEveryDays: 7 }, waitMs: 30_000,
    publish: async (message) => { messages.push(message); },
    log: (severity, message, data) => { logged.push({ severity, message, data }); },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20))),
  };
  const yard: Yard = {
    dataset, warehouse, context, messages, logged, ask,
    insert: async (table, samples) => { await ask(insertSql(table, samples)); },
    tables: () => warehouse.tables(),
    roll: (wish = {}, over = {}) => rollOverStream({ ...context, ...over }, EVENTS, wish),
    fingerprint: async (table) => (await ask(`SELECT COUNT(*) AS n, CAST(SUM(CAST(FARM_FINGERPRINT(TO_JSON_STRING(t)) AS NUMERIC)) AS STRING) AS total, BIT_XOR(FARM_FINGERPRINT(TO_JSON_STRING(t))) AS mix FROM ${table} AS t`))[0],
  };
  for (const [table, samples] of Object.entries(shards)) {
    await bigquery.dataset(dataset).createTable(table, { schema: { fields: [...EVENTS.fields] }, clustering: { fields: table.startsWith('late_') ? ['event_date'] : ['event_name'] } } as object);
    if (samples.length > 0) await yard.insert(table, samples);
  }
  return yard;
}

const text = (value: string): string => `'${value.replaceAll("'", "\\'")}'`;
const micros = (iso: string): number => Date.parse(iso) * 1_000;

function insertSql(table: string, samples: Sample[]): string {
  const isLate = table.startsWith('late_');
  const rows = samples.map(({ id, name = 'screen_view', at, received = at, user = 'u1', params = {}, revenue, source }) => {
    const list = Object.entries(params).map(([key, value]) => `STRUCT(${text(key)} AS key, STRUCT(${typeof value === 'string' ? text(value) : 'CAST(NULL AS STRING)'} AS string_value, ${typeof value === 'number' ? `CAST(${value} AS INT64)` : 'CAST(NULL AS INT64)'} AS int_value, CAST(NULL AS FLOAT64) AS float_value, CAST(NULL AS FLOAT64) AS double_value) AS value)`);
    return `SELECT ${text(eventDateOf(micros(at), 'UTC'))} AS event_date, ${micros(at)} AS event_timestamp, ${text(name)} AS event_name,
      ARRAY<STRUCT<key STRING, value STRUCT<string_value STRING, int_value INT64, float_value FLOAT64, double_value FLOAT64>>>[${list.join(', ')}] AS event_params,
      ${user === null ? 'CAST(NULL AS STRING)' : text(user)} AS user_pseudo_id,
      ${fieldsOf('ecommerce', { purchase_revenue: revenue === undefined ? undefined : `CAST(${revenue} AS FLOAT64)` })} AS ecommerce,
      ${fieldsOf('collected_traffic_source', { manual_source: source === undefined ? undefined : text(source), manual_medium: source === undefined ? undefined : text('cpc') })} AS collected_traffic_source,
      ${text(id)} AS event_id, ${micros(received)} AS received_timestamp, STRUCT('app' AS source, 'native' AS protocol, CAST(NULL AS STRING) AS message_id, 'r' AS request_id, ${isLate} AS is_late) AS ingest`;
  });
  return `INSERT INTO ${table} (event_date, event_timestamp, event_name, event_params, user_pseudo_id, ecommerce, collected_traffic_source, event_id, received_timestamp, ingest)\n${rows.join('\nUNION ALL\n')}`;
}

/** A record of the schema with some fields set, or NULL when none is. */
function fieldsOf(record: string, values: Record<string, string | undefined>): string {
  const fields = EVENTS.fields.find(({ name }) => name === record)!.fields!;
  const typeOf = (type: string): string => ({ INTEGER: 'INT64', FLOAT: 'FLOAT64', BOOLEAN: 'BOOL' })[type] ?? type;
  const struct = `STRUCT(${fields.map(({ name, type }) => `${values[name] ?? `CAST(NULL AS ${typeOf(type)})`} AS ${name}`).join(', ')})`;
  return Object.values(values).every((value) => value === undefined) ? `IF(FALSE, ${struct}, NULL)` : struct;
}

/** Everything of a context that reaches outside; the process "dies" behind each call, done as it is, of which `diesAfter` says so. */
export function dying(context: RolloverContext, diesAfter: (call: string) => boolean): RolloverContext & { calls: string[] } {
  const calls: string[] = [];
  const mortal = <A extends unknown[], R>(name: string, act: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
    const result = await act(...args);
    const call = typeof args[0] === 'string' ? `${name} ${args[0]}` : name;
    calls.push(call);
    if (diesAfter(call)) throw new Killed(`killed after ${call.slice(0, 80)}`);
    return result;
  };
  const { warehouse } = context;
  return {
    ...context, calls,
    publish: mortal('publish', context.publish),
    warehouse: {
      at: warehouse.at, fullJobId: warehouse.fullJobId, nowMs: warehouse.nowMs,
      tables: mortal('tables', warehouse.tables), job: mortal('job', warehouse.job), submit: mortal('submit', warehouse.submit), rows: mortal('rows', warehouse.rows),
      ask: mortal('ask', warehouse.ask), askOfTable: mortal('ask', warehouse.askOfTable), describe: mortal('describe', warehouse.describe), drop: mortal('drop', warehouse.drop),
    },
  };
}
export class Killed extends Error {
  override name = 'Killed';
}
