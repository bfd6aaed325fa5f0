// What the estimate supposes: each with its default, its unit and where it comes from; every one is an option of `npm run cost`.
// Called by scripts/cost.ts, estimate.ts and print.ts.

export type Assumption = { default: number; min: number; what: string; from: string };

export const ASSUMPTIONS = {
  bytes: { default: 800, min: 1, what: 'bytes of an event as JSON', from: 'a GA4-like event alone has 786' },
  'events-per-request': { default: 20, min: 1, what: 'events in one request', from: 'phones flush every 20 to 30 events' },
  compression: { default: 5, min: 1, what: 'times smaller by gzip, on the way and in the bucket', from: 'measured: 6.7 with 100 events a request' },
  'requests-per-message': { default: 0, min: 0, what: 'requests that share a Pub/Sub message; 0: one, and those that come within 20 ms', from: 'functions/limits.ts, coalesceBusyMs' },
  'collect-events-per-cpu-second': { default: 131_182, min: 1, what: 'events that collect takes in a CPU-second', from: 'benchmarks/README.md, 20 gzipped events a request' },
  'write-events-per-cpu-second': { default: 106_303, min: 1, what: 'events that write-bigquery writes in a CPU-second', from: 'benchmarks/README.md, 100 events a message' },
  'store-messages-per-cpu-second': { default: 500, min: 1, what: 'messages that write-storage stores in a CPU-second', from: 'a guess: one upload each' },
  'request-seconds': { default: 0.1, min: 0.001, what: 'seconds that a request to collect is open', from: 'Cloud Run bills no less than 0.1' },
  'write-seconds': { default: 0.4, min: 0.001, what: 'seconds that a push to write-bigquery is open', from: 'rows wait 0.25 for company, then an append' },
  'store-seconds': { default: 0.1, min: 0.001, what: 'seconds that a push to write-storage is open', from: 'Cloud Run bills no less than 0.1' },
  'row-bytes-per-byte': { default: 0.53, min: 0, what: 'bytes of a row as protobuf for a byte of JSON', from: 'measured: 425 for 800' },
  'table-bytes-per-byte': { default: 1.35, min: 0, what: 'bytes in a table (logical) for a byte of JSON', from: 'measured: a row has 1,076 as JSON' },
  'rollover-reads': { default: 9, min: 0, what: 'times that the rollover\'s jobs read a day', from: 'benchmarks/README.md: 1.38 GB for a million rows of 145 bytes' },
  'months-kept': { default: 13, min: 0, what: 'months that daily tables are kept', from: 'a year, and the month to compare with' },
  'raw-months': { default: 13, min: 0, what: 'months that raw files are kept', from: 'the same' },
  'retention-days': { default: 7, min: 0, what: 'days that the topics keep messages', from: 'infra/variables.tf' },
  'log-bytes': { default: 700, min: 0, what: 'bytes of Cloud Run\'s own log entry for a request', from: 'a guess; exclude these entries, and it is 0' },
} as const satisfies Record<string, Assumption>;

export type AssumptionName = keyof typeof ASSUMPTIONS;
export type Assumed = Record<AssumptionName, number>;

export const defaults = (): Assumed => Object.fromEntries(Object.entries(ASSUMPTIONS).map(([name, { default: value }]) => [name, value])) as Assumed;
