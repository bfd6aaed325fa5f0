// kill -9 in the middle of load: 20 times here, as often as wanted by `npm run contract -- --kills N`. Everything acknowledged is there afterwards,
// nothing that was refused, and nothing by halves.
import { EventEmitter } from 'node:events';
import { afterAll, describe, expect, test } from 'vitest';
import { seededRandom } from '../../../scripts/send/random.ts';
import { bigqueryLoad } from './bigquery-load.ts';
import { pubsubLoad } from './pubsub-load.ts';
import { killAgainAndAgain, type Report } from './rounds.ts';
import { storageLoad } from './storage-load.ts';

const KILLS = Number(process.env['CONTRACT_KILLS'] ?? 20);
const SEED = Number(process.env['CONTRACT_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const SECONDS_A_KILL = 15;
const LOADS = [pubsubLoad, storageLoad, bigqueryLoad];

/** Google's storage client adds listeners to one stream for every download; the warning would hide the report. */
EventEmitter.defaultMaxListeners = 100;

const reports: Report[] = [];
afterAll(() => {
  const sum = (of: (report: Report) => number): string => reports.reduce((total, report) => total + of(report), 0).toLocaleString('en');
  console.log(`${sum(({ kills }) => kills)} kills, ${sum(({ checked }) => checked)} acknowledgements checked, ${sum(({ lost }) => lost.length)} lost (seed ${SEED})`);
});

describe.concurrent('kill -9 under load', () => {
  test.each(LOADS.map((make, index) => ({ load: make(), index, kills: Math.floor(KILLS / LOADS.length) + (index < KILLS % LOADS.length ? 1 : 0) })))(
    '$load.service, $kills times: everything acknowledged is there, nothing refused, nothing by halves',
    { timeout: 60_000 + KILLS * SECONDS_A_KILL * 1_000 },
    async ({ load, index, kills }) => {
      const report = await killAgainAndAgain(load, kills, seededRandom(SEED + index).next);
      reports.push(report);
      expect(report.lost.slice(0, 20)).toEqual([]);
      expect(report.unexpected.slice(0, 20)).toEqual([]);
      expect(report.checked).toBeGreaterThan(kills * 5);
      // One thing was taken away at the end: a comparison that does not see that is worth nothing.
      expect(report.noticed).toHaveLength(1);
    },
  );
});
