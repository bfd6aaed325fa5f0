// The bill's arithmetic against sums made by hand, its constants against infra/, and docs/cost.md against the command.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defaults, type Assumed } from '../../scripts/cost/assumptions.ts';
import { amountsOf, CONCURRENCY, costsOf, MEMORY_GIB, MONTH_SECONDS, openSeconds, totalOf, type Line } from '../../scripts/cost/estimate.ts';
import { FREE, PRICES, pricesWith, type PriceName } from '../../scripts/cost/prices.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const GIB = 1_073_741_824;

/** Round numbers, so that every amount can be made by hand: a message has 10 x 1,000 / 5 + 300 = 2,300 bytes. */
const ROUND: Assumed = {
  ...defaults(), bytes: 1_000, 'events-per-request': 10, compression: 5, 'requests-per-message': 1, 'row-bytes-per-byte': 0.5, 'table-bytes-per-byte': 1.5, 'rollover-reads': 9,
  'months-kept': 12, 'raw-months': 12, 'retention-days': 7, 'log-bytes': 500, 'request-seconds': 0.1, 'write-seconds': 0.4, 'store-seconds': 0.1,
};
const amounts = (events: number, changes: Partial<Assumed> = {}): Map<string, number> => new Map(amountsOf(events, { ...ROUND, ...changes }).map(({ group, item, amount }) => [`${group}: ${item}`, amount]));

describe('ten million events a month, ten in a request, by hand', () => {
  const month = amounts(1e7);
  test.each([
    // A month has 365.25 / 12 = 30.4375 days of 96 rollovers and 24 rounds of housekeeping: 2,922 and 730.5.
    ['Requests: to the functions', 1_000_000 + 2 * 1_000_000 + 2_922 + 730.5],
    ['Pub/Sub: published once, delivered twice', 3 * 1_000_000 * 2_300],
    ['Pub/Sub: kept by the topics', 1_000_000 * 2_300 / 30.4375 * 7],
    ['BigQuery writes: rows appended', 1e7 * 500],
    // 90 of the days are 2.9569 months.
    ['BigQuery storage: active', 1e7 * 1_500 * (90 / 30.4375)],
    ['BigQuery storage: long-term', 1e7 * 1_500 * (12 - 90 / 30.4375)],
    ['Cloud Storage: raw files', 1_000_000 * 2_300 * 12],
    ['Cloud Storage: written and joined', 1_000_000 + 1_000_000 / 31],
    ['Rollover queries: days made', 1e7 * 1_500 * 9],
    ['Rollover queries: looks at the ledger', 2_922 * 3 * 10 * 1_048_576],
    ['Logging: Cloud Run\'s request logs', (3_000_000 + 3_652.5) * 500],
  ])('%s', (item, byHand) => {
    expect(month.get(item)).toBeCloseTo(byHand, 3);
  });

  test('CPU is the time in which requests are open, memory the same times what each function has', () => {
    // A million calls of 0.1 s in 2,629,800 s: 1 - e^(-0.0380257) of the month.
    const collect = 2_629_800 * (1 - Math.exp(-100_000 / 2_629_800));
    const write = 2_629_800 * (1 - Math.exp(-400_000 / 2_629_800));
    const scheduled = 2_922 * 5 + 730.5 * 10;
    expect(month.get('CPU and memory: CPU')).toBeCloseTo(collect + write + collect + scheduled, 3);
    expect(month.get('CPU and memory: memory')).toBeCloseTo(collect + write + collect / 2 + scheduled / 2, 3);
  });
});

test('a message is never billed below a thousand bytes', () => {
  expect(amounts(1e6, { 'events-per-request': 1, bytes: 100 }).get('Pub/Sub: published once, delivered twice')).toBe(3 * 1e6 * 1_000);
});

test('requests that come within 20 ms share a message', () => {
  // 2,629,800 x 50 requests a month are 50 a second, so each message holds 1 + 50 x 0.02 = 2.
  const requests = MONTH_SECONDS * 50;
  expect(amounts(requests * 10, { 'requests-per-message': 0 }).get('Cloud Storage: written and joined')).toBeCloseTo(requests / 2 * (1 + 1 / 31), 3);
});

test('an instance that is never idle is billed for the whole month, and more instances when CPU or concurrency need them', () => {
  expect(openSeconds(1e12, 0.1, 0, Infinity)).toBeCloseTo(MONTH_SECONDS, 3);
  expect(openSeconds(1, 0.1, 6e6, 100)).toBeCloseTo(1e7, 3);
  expect(openSeconds(6e9, 0.1, 0, 100)).toBeCloseTo(1e7, 3);
  expect(openSeconds(0, 0.1, 0, 100)).toBe(0);
});

describe('dollars', () => {
  const line = (price: PriceName, amount: number): Line => ({ group: '', item: '', price, amount, how: '' });
  const dollarsOf = (price: PriceName, amount: number, isFree = false): number => costsOf([line(price, amount)], PRICES, isFree)[0]!.dollars;

  test.each<[PriceName, number, number]>([
    ['requests', 5e6, 2], ['cpu', 1e6, 24], ['memory', 1e6, 2.5], ['pubsub', 2 * 1_024 * GIB, 80], ['pubsub_storage', 100 * GIB, 27], ['bigquery_writes', 1_000 * GIB, 25],
    ['bigquery_active', 1_000 * GIB, 20], ['bigquery_long_term', 1_000 * GIB, 10], ['bigquery_queries', 2 * 1_024 * GIB, 12.5], ['storage', 1_000e9, 20], ['storage_writes', 1e6, 5], ['logging', 10 * GIB, 5],
  ])('%s', (price, amount, dollars) => {
    expect(dollarsOf(price, amount)).toBeCloseTo(dollars, 9);
  });

  test('what Google gives for nothing is taken off once, and never more than there is', () => {
    expect(dollarsOf('requests', 1e6, true)).toBe(0);
    expect(dollarsOf('requests', 3e6, true)).toBeCloseTo(0.4, 9);
    const two = costsOf([line('bigquery_queries', 0.75 * 1_024 * GIB), line('bigquery_queries', 0.75 * 1_024 * GIB)], PRICES, true);
    expect(totalOf(two)).toBeCloseTo(0.5 * 6.25, 9);
    for (const name of Object.keys(FREE)) expect(PRICES).toHaveProperty(name);
  });

  test('a price of one\'s own takes the place of ours', () => {
    expect(costsOf([line('storage', 1_000e9)], pricesWith({ storage: 0.026 }))[0]!.dollars).toBeCloseTo(26, 9);
  });
});

test('every price says where, when and from whom', () => {
  for (const [name, { dollars, units, where, date, source, unit }] of Object.entries(PRICES)) {
    expect(dollars, name).toBeGreaterThan(0);
    expect(units, name).toBeGreaterThan(0);
    for (const text of [where, date, source, unit]) expect(text.length, name).toBeGreaterThan(2);
  }
});

test('memory and concurrency are those of infra/functions.tf', () => {
  const text = readFileSync(resolve(ROOT, 'infra/functions.tf'), 'utf8');
  const blockOf = (name: string): string => new RegExp(`\\n {4}${name} = \\{[\\s\\S]*?\\n {4}\\}`).exec(text)![0];
  for (const [name, gib] of Object.entries(MEMORY_GIB)) {
    const [, amount, unit] = /memory\s*=\s*"(\d+)(Gi|Mi)"/.exec(blockOf(name))!;
    expect(Number(amount) / (unit === 'Gi' ? 1 : 1_024), name).toBe(gib);
    expect(blockOf(name)).toMatch(/cpu\s*=\s*"1"/);
  }
  for (const [name, requests] of Object.entries(CONCURRENCY)) expect(Number(/concurrency\s*=\s*(\d+)/.exec(blockOf(name))![1]), name).toBe(requests);
});

describe('npm run cost', () => {
  const cost = (...args: string[]) => spawnSync(process.execPath, [resolve(ROOT, 'scripts/cost.ts'), ...args], { encoding: 'utf8' });

  test('docs/cost.md holds what it prints', () => {
    const { stdout } = cost('--markdown');
    const doc = readFileSync(resolve(ROOT, 'docs/cost.md'), 'utf8');
    const generated = /<!-- npm run cost -- --markdown -->\n([\s\S]*?)<!-- end -->/.exec(doc)?.[1];
    expect(generated?.trim()).toBe(stdout.trim());
  });

  test('its lines add up to its total', () => {
    const rows = cost('--markdown', '--events', '1e10').stdout.split('\n').filter((line) => line.startsWith('| ')).map((line) => line.split('|').map((cell) => cell.trim()));
    const numberOf = (cell: string): number => Number(cell.replaceAll(/[$,]/g, ''));
    const end = rows.findIndex((cells) => cells[1] === 'Total a month');
    const sum = rows.slice(2, end).reduce((total, cells) => total + numberOf(cells[3]!), 0);
    // Each line is printed to the dollar or the cent.
    expect(Math.abs(sum - numberOf(rows[end]![3]!))).toBeLessThan(end);
  });

  test.each([[['--events', 'many'], '--events is "many"'], [['--bytes', '0'], '--bytes is "0"'], [['--price', 'gold=1'], '--price is "gold=1"'], [['--price', 'cpu'], '--price is "cpu"']])('%j is refused with a sentence', (args, told) => {
    const { status, stderr } = cost(...args);
    expect(status).toBe(2);
    expect(stderr).toContain(told);
  });

  test('assumptions change the bill', () => {
    const total = (...args: string[]): string => /Total a month.*/.exec(cost('--events', '1e8', ...args).stdout)![0];
    expect(new Set([total(), total('--bytes', '1600'), total('--price', 'storage=0.026'), total('--free'), total('--log-bytes', '0')]).size).toBe(5);
  });
});
