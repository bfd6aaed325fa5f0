// `npm run bench`: what an event costs, as ratios within one run. Prints tables for people and writes benchmarks/results/latest.json.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { benchColdStart } from '../benchmarks/cold-start.ts';
import { benchCollect } from '../benchmarks/collect.ts';
import { machineFacts } from '../benchmarks/measure.ts';
import { benchQuery } from '../benchmarks/query.ts';
import { benchRollover } from '../benchmarks/rollover.ts';
import { benchWriteBigquery } from '../benchmarks/write-bigquery.ts';
import { optionsOrExit } from './local/options.ts';

const HELP = `npm run bench -- [options]

Measures events per CPU-second of the server process, interleaved in one run on the same bodies:
the floor (node:http + JSON.parse + ajv), the collector as deployed, and the tutorial way; then write-bigquery, the rollover, and
how long a new instance takes to its first answer.

  --only NAME     collect, write, rollover or cold-start (default: all)
  --rounds N      counted rounds of each variant (default 5, plus one that warms up)
  --seconds N     seconds of load a round (default 4)
  --clients N     concurrent clients (default 32)
  --sizes LIST    events a request (default 1,20,100)
  --rows LIST     rows of the day that is rolled over (default 100000,1000000); the query is asked of the largest
  --out FILE      where the figures go as JSON (default benchmarks/results/latest.json)
  --help          this text`;

const options = optionsOrExit({
  only: { type: 'string' }, rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '4' }, clients: { type: 'string', default: '32' },
  sizes: { type: 'string', default: '1,20,100' }, rows: { type: 'string', default: '100000,1000000' }, out: { type: 'string', default: 'benchmarks/results/latest.json' }, help: { type: 'boolean', default: false },
});
const ROOT = resolve(import.meta.dirname, '..');
const log = (line: string): void => console.error(`  ${line}`);
const listOf = (text: string): number[] => text.split(',').map(Number);

async function main(): Promise<void> {
  const result: Record<string, unknown> = { at: new Date().toISOString(), machine: machineFacts() };
  const wants = (name: string): boolean => options.only === undefined || options.only === name;
  if (wants('collect')) {
    const rows = await benchCollect({ sizes: listOf(options.sizes), rounds: Number(options.rounds), seconds: Number(options.seconds), clients: Number(options.clients), log });
    console.table(rows.map(({ rounds: _rounds, ...row }) => row));
    result['collect'] = rows;
  }
  if (wants('write')) {
    const rows = await benchWriteBigquery({ rounds: Number(options.rounds), seconds: Number(options.seconds), log });
    console.table(rows.map(({ rounds: _rounds, ...row }) => row));
    result['write_bigquery'] = rows;
  }
  if (wants('rollover')) {
    const rows = await benchRollover({ rows: listOf(options.rows), log });
    console.table(rows);
    result['rollover'] = rows;
  }
  if (wants('cold-start')) {
    const { figures, profile } = await benchColdStart({ rounds: Number(options.rounds), log });
    console.table(figures.map(({ rounds: _rounds, ...row }) => row));
    console.table(profile);
    result['cold_start'] = { figures, profile };
  }
  if (wants('query')) {
    const rows = await benchQuery({ rows: Math.max(...listOf(options.rows)), log });
    console.table(rows);
    result['query'] = rows;
  }
  const file = resolve(ROOT, options.out);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`figures: ${file}`);
}

if (options.help) console.log(HELP);
else await main();
