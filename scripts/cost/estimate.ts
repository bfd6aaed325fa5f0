// A month's bill: in go events and assumptions, out come amounts and dollars, each with the arithmetic that made it. Pure. Called by
// print.ts. Leaves out what a team has anyway or what is cents: see docs/cost.md.
import type { Assumed } from './assumptions.ts';
import { FREE, type Price, type PriceName } from './prices.ts';

/** A twelfth of a year. */
export const MONTH_SECONDS = 365.25 * 86_400 / 12;
const DAYS = MONTH_SECONDS / 86_400;
/** Pub/Sub and BigQuery bill no less. */
const PUBSUB_BYTES_MIN = 1_000;
const QUERY_BYTES_MIN = 10 * 2 ** 20;
const ENVELOPE_BYTES = 300;
const BUSY_SECONDS = 0.02;
/** Cloud Run's autoscaler aims at this share of an instance's CPU and of its concurrency: run/docs/about-instance-autoscaling. */
const SHARE_AIMED_AT = 0.6;
const STREAMS = 3;
const ROLLOVER_CALLS = 96 * DAYS;
const ROLLOVER_SECONDS = 5;
const MAINTAIN_CALLS = 24 * DAYS;
const MAINTAIN_SECONDS = 10;
/** BigQuery's long-term price begins after 90 days. */
const ACTIVE_MONTHS = 90 / DAYS;
/** Sources of one compose call; compaction joins an hour by pairs of the result and 31 more. */
const COMPOSED = 31;
/** As infra/functions.tf gives them. */
export const MEMORY_GIB = { collect: 1, 'write-bigquery': 1, 'write-storage': 0.5, rollover: 0.5, maintain: 0.5 } as const;
export const CONCURRENCY = { collect: 100, 'write-bigquery': 20, 'write-storage': 40 } as const;

export type Line = { group: string; item: string; price: PriceName; amount: number; how: string };
export type CostedLine = Line & { dollars: number };

/** How much of everything. */
export function amountsOf(events: number, assumed: Assumed): Line[] {
  const requests = events / assumed['events-per-request'];
  const requestRate = requests / MONTH_SECONDS;
  const sharing = assumed['requests-per-message'] > 0 ? assumed['requests-per-message'] : 1 + requestRate * BUSY_SECONDS;
  const messages = requests / sharing;
  const messageBytes = (assumed['events-per-request'] * assumed.bytes / assumed.compression + ENVELOPE_BYTES) * sharing;
  const published = messages * Math.max(PUBSUB_BYTES_MIN, messageBytes);
  const kept = messages * messageBytes;
  const collect = openSeconds(requests, assumed['request-seconds'], events / assumed['collect-events-per-cpu-second'], CONCURRENCY.collect);
  const write = openSeconds(messages, assumed['write-seconds'], events / assumed['write-events-per-cpu-second'], CONCURRENCY['write-bigquery']);
  const store = openSeconds(messages, assumed['store-seconds'], messages / assumed['store-messages-per-cpu-second'], CONCURRENCY['write-storage']);
  const scheduled = ROLLOVER_CALLS * ROLLOVER_SECONDS + MAINTAIN_CALLS * MAINTAIN_SECONDS;
  const memory = collect * MEMORY_GIB.collect + write * MEMORY_GIB['write-bigquery'] + store * MEMORY_GIB['write-storage'] + scheduled * MEMORY_GIB.rollover;
  const calls = requests + 2 * messages + ROLLOVER_CALLS + MAINTAIN_CALLS;
  const tableBytes = events * assumed.bytes * assumed['table-bytes-per-byte'];
  const months = assumed['months-kept'];
  return [
    { group: 'Requests', item: 'to the functions', price: 'requests', amount: calls, how: `${short(events)} events / ${assumed['events-per-request']} = ${short(requests)} requests; ${short(sharing)} of them share a message: ${short(messages)} messages, pushed twice; ${short(ROLLOVER_CALLS + MAINTAIN_CALLS)} of the scheduler` },
    { group: 'CPU and memory', item: 'CPU', price: 'cpu', amount: collect + write + store + scheduled, how: `seconds with a request open: collect ${short(collect)}, write-bigquery ${short(write)}, write-storage ${short(store)}, rollover and maintain ${short(scheduled)}` },
    { group: 'CPU and memory', item: 'memory', price: 'memory', amount: memory, how: 'the same seconds, times 1, 1, 0.5 and 0.5 GiB' },
    { group: 'Pub/Sub', item: 'published once, delivered twice', price: 'pubsub', amount: 3 * published, how: `${short(messages)} messages of ${bytes(published / messages)}, three times` },
    { group: 'Pub/Sub', item: 'kept by the topics', price: 'pubsub_storage', amount: kept / DAYS * assumed['retention-days'], how: `${bytes(kept / DAYS)} a day for ${assumed['retention-days']} days` },
    { group: 'BigQuery writes', item: 'rows appended', price: 'bigquery_writes', amount: events * assumed.bytes * assumed['row-bytes-per-byte'], how: `${short(events)} rows of ${short(assumed.bytes * assumed['row-bytes-per-byte'])} bytes` },
    { group: 'BigQuery storage', item: 'active', price: 'bigquery_active', amount: tableBytes * Math.min(months, ACTIVE_MONTHS), how: `${bytes(tableBytes)} a month, the last ${short(Math.min(months, ACTIVE_MONTHS))} months` },
    { group: 'BigQuery storage', item: 'long-term', price: 'bigquery_long_term', amount: tableBytes * Math.max(0, months - ACTIVE_MONTHS), how: `${bytes(tableBytes)} a month, ${short(Math.max(0, months - ACTIVE_MONTHS))} months before them` },
    { group: 'Cloud Storage', item: 'raw files', price: 'storage', amount: kept * assumed['raw-months'], how: `${bytes(kept)} a month, for ${assumed['raw-months']} months` },
    { group: 'Cloud Storage', item: 'written and joined', price: 'storage_writes', amount: messages * (1 + 1 / COMPOSED), how: `one object a message, and one call for each ${COMPOSED} to join them` },
    { group: 'Rollover queries', item: 'days made', price: 'bigquery_queries', amount: tableBytes * assumed['rollover-reads'], how: `${bytes(tableBytes)} read ${assumed['rollover-reads']} times` },
    { group: 'Rollover queries', item: 'looks at the ledger', price: 'bigquery_queries', amount: ROLLOVER_CALLS * STREAMS * QUERY_BYTES_MIN, how: `${short(ROLLOVER_CALLS)} calls, ${STREAMS} streams, at least 10 MiB each (nothing where BigQuery answers from its cache)` },
    { group: 'Logging', item: 'Cloud Run\'s request logs', price: 'logging', amount: calls * assumed['log-bytes'], how: `${short(calls)} requests of ${assumed['log-bytes']} bytes` },
  ];
}

/**
 * Seconds in which at least one request is open, which is what Cloud Run bills an instance for: of calls that come at random it is the
 * month times 1 - e^(-calls a second x seconds of each). Never less than CPU and concurrency need at the share that the autoscaler aims at.
 */
export function openSeconds(calls: number, seconds: number, cpuSeconds: number, concurrency: number): number {
  return Math.max(MONTH_SECONDS * -Math.expm1(-calls * seconds / MONTH_SECONDS), cpuSeconds / SHARE_AIMED_AT, calls * seconds / concurrency / SHARE_AIMED_AT);
}

/** `isFree`: less what a billing account has for nothing; the first lines of a price take it. */
export function costsOf(lines: readonly Line[], prices: Record<PriceName, Price>, isFree = false): CostedLine[] {
  const left = new Map(Object.entries(isFree ? FREE : {}).map(([name, { amount }]) => [name, amount]));
  return lines.map((line) => {
    const free = Math.min(line.amount, left.get(line.price) ?? 0);
    left.set(line.price, (left.get(line.price) ?? 0) - free);
    return { ...line, dollars: (line.amount - free) / prices[line.price].units * prices[line.price].dollars };
  });
}

export const totalOf = (lines: readonly CostedLine[]): number => lines.reduce((sum, { dollars }) => sum + dollars, 0);

/** Three digits that matter. */
export function short(number: number): string {
  if (number === 0) return '0';
  const [name, size] = ([['billion', 1e9], ['million', 1e6]] as const).find(([, least]) => number >= least) ?? ['', 1];
  const scaled = number / size;
  const text = scaled >= 100 ? Math.round(scaled).toLocaleString('en-US') : String(Number(scaled.toPrecision(3)));
  return name === '' ? text : `${text} ${name}`;
}

export function bytes(number: number): string {
  const [name, size] = ([['TB', 1e12], ['GB', 1e9], ['MB', 1e6], ['kB', 1e3]] as const).find(([, least]) => number >= least) ?? ['bytes', 1];
  return `${short(number / size)} ${name}`;
}
