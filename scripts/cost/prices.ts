// What Google asks, as far as it could be read: each price with its unit, place, day and source. Called by estimate.ts and print.ts.
// A price changes without telling us: `npm run cost -- --price NAME=DOLLARS` takes another, and Google's calculator has today's.

export type Price = {
  dollars: number;
  /** Of what. */
  unit: string;
  /** How many base units (bytes, seconds, requests, operations) that is. */
  units: number;
  where: string;
  /** When it was read, or the day that the source names. */
  date: string;
  source: string;
};

const GIB = 2 ** 30;
const TIB = 2 ** 40;
const TIER_1 = 'Cloud Run tier 1 (europe-west1, us-central1, …)';

export const PRICES = {
  requests: { dollars: 0.40, unit: 'million requests', units: 1e6, where: TIER_1, date: '2025', source: 'cloudchipr.com/blog/cloud-run-pricing (after cloud.google.com/run/pricing)' },
  cpu: { dollars: 0.000024, unit: 'vCPU-second while a request is open', units: 1, where: TIER_1, date: 'undated copy', source: 'cloud.google.com/run/pricing' },
  memory: { dollars: 0.0000025, unit: 'GiB-second while a request is open', units: 1, where: TIER_1, date: '2025', source: 'cloudchipr.com/blog/cloud-run-pricing (after cloud.google.com/run/pricing)' },
  pubsub: { dollars: 40, unit: 'TiB published or delivered', units: TIB, where: 'all regions', date: '2026-09-20', source: 'cloud.google.com/pubsub/pricing' },
  pubsub_storage: { dollars: 0.27, unit: 'GiB-month kept by a topic', units: GIB, where: 'all regions', date: '2026-09-20', source: 'cloud.google.com/pubsub/pricing' },
  bigquery_writes: { dollars: 0.025, unit: 'GiB appended', units: GIB, where: 'EU and US multi-regions', date: 'undated copy', source: 'half of what insertAll costs ($0.01 per 200 MB, cloud.google.com/bigquery/pricing), by our own notes' },
  bigquery_active: { dollars: 0.02, unit: 'GiB-month, changed in the last 90 days', units: GIB, where: 'EU and US multi-regions', date: '2025-08-11', source: 'cloud.google.com/bigquery/pricing; the same in coconote.app, 2025-08-11' },
  bigquery_long_term: { dollars: 0.01, unit: 'GiB-month, unchanged for 90 days', units: GIB, where: 'EU and US multi-regions', date: '2025-08-11', source: 'cloud.google.com/bigquery/pricing; the same in coconote.app, 2025-08-11' },
  bigquery_queries: { dollars: 6.25, unit: 'TiB read by queries', units: TIB, where: 'EU and US multi-regions', date: '2025-08-11', source: 'coconote.app (after cloud.google.com/bigquery/pricing)' },
  storage: { dollars: 0.020, unit: 'GB-month, Standard', units: 1e9, where: 'one region (europe-west1, us-east1); multi-regions cost more', date: 'undated copy', source: 'cloud.google.com/storage/pricing-examples' },
  storage_writes: { dollars: 0.005, unit: '1,000 Class A operations', units: 1e3, where: 'one region; multi-regions cost more', date: 'undated copy', source: 'cloud.google.com/storage/pricing-examples' },
  logging: { dollars: 0.50, unit: 'GiB of log entries', units: GIB, where: 'all regions', date: '2018-07-01 (effective)', source: 'cloud.google.com/stackdriver/pricing' },
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof PRICES;

/** What a billing account has for nothing each month, in base units and in words; from the same pages. */
export const FREE: Partial<Record<PriceName, { amount: number; words: string }>> = {
  requests: { amount: 2e6, words: '2 million requests' }, cpu: { amount: 180_000, words: '180,000 vCPU-seconds' }, memory: { amount: 360_000, words: '360,000 GiB-seconds' },
  pubsub: { amount: 10 * GIB, words: '10 GiB through Pub/Sub' }, bigquery_active: { amount: 10 * GIB, words: '10 GiB in BigQuery' },
  bigquery_queries: { amount: TIB, words: '1 TiB of queries' }, logging: { amount: 50 * GIB, words: '50 GiB of logs' },
};

/** A team's own prices in place of these. */
export function pricesWith(changes: Partial<Record<PriceName, number>>): Record<PriceName, Price> {
  return Object.fromEntries(Object.entries(PRICES).map(([name, price]) => [name, { ...price, dollars: changes[name as PriceName] ?? price.dollars }])) as Record<PriceName, Price>;
}
