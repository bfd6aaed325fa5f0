// `npm run prove`: sends 100,000 events through a local run of its own while every process of it is killed again and again,
// rolls the days over, and compares what was sent with what is stored, as sets. The last line is the number of differences.
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BigQuery } from '@google-cloud/bigquery';
import type { Bucket } from '@google-cloud/storage';
import { setOffset } from '../emulators/clock.ts';
import { optionsOrExit } from './local/options.ts';
import { spawnLocalRun, type SpawnedRun } from './local/spawn-run.ts';
import { dailyTables, differenceOf, eventIds, rejectedIds, storedBodies, type SetDifference } from './prove/compare.ts';
import { killAll, waitUntilReady } from './prove/kills.ts';
import { Sender } from './prove/sender.ts';
import { planTraffic, type Traffic } from './prove/traffic.ts';
import { seededRandom } from './send/random.ts';

const HELP = `npm run prove -- [options]

Sends events to a local run of its own while its processes are killed with SIGKILL, rolls over, and compares sets.

  --events N      events to send, duplicates among them (default 100000)
  --kills N       kills of every process (default 10)
  --clients N     requests under way at a time (default 12)
  --seed N        the traffic and the order of kills follow from it (default 1)
  --keep          leave the data folder in place and print its path
  --no-self-test  do not check that a deleted row and a deleted object are found
  --help          this text

Exit code 0 when the difference is 0.`;

const options = optionsOrExit({
  events: { type: 'string', default: '100000' }, kills: { type: 'string', default: '10' }, clients: { type: 'string', default: '12' },
  seed: { type: 'string', default: '1' }, keep: { type: 'boolean', default: false }, 'no-self-test': { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
});

/** Noon of a day in the past, so that the run does not depend on when it is made. */
const NOW = '2026-03-10T12:00:00Z';
const DAY_MS = 86_400_000;

const log = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)}  ${line}`);

/** Waits until intraday and late tables hold every good id, the rejected ones theirs, and the raw files every answered body. */
async function waitUntilWritten(bigquery: BigQuery, bucket: Bucket, run: SpawnedRun, sender: Sender, traffic: Traffic): Promise<void> {
  const deadline = Date.now() + 15 * 60_000;
  for (let last = ''; ;) {
    const counts = {
      ids: await countIds(bigquery, run, /^(events_intraday|late_events)_\d{8}$/),
      rejected: await countIds(bigquery, run, /^(rejected_intraday|late_rejected)_\d{8}$/, 'event_id'),
      bodies: (await storedBodies(bucket, 'events')).bodies.size,
    };
    const line = `written: ${counts.ids} of ${traffic.good.size} good ids, ${counts.rejected} rejected rows, ${counts.bodies} of ${sender.tally.answered.size} bodies`;
    if (line !== last) log((last = line));
    if (counts.ids >= traffic.good.size && counts.bodies >= sender.tally.answered.size && counts.rejected >= traffic.bad.size) return;
    if (Date.now() > deadline) {
      log('not everything was written within 15 minutes; comparing all the same');
      return;
    }
    await sleep(2_000);
  }
}

async function countIds(bigquery: BigQuery, run: SpawnedRun, pattern: RegExp, column = 'event_id'): Promise<number> {
  const [tables] = await bigquery.dataset(run.dataset).getTables();
  const selects = tables.map(({ id }) => id!).filter((id) => pattern.test(id)).map((id) => `SELECT ${column} FROM \`${run.dataset}.${id}\``);
  if (selects.length === 0) return 0;
  const [[row]] = await bigquery.query(`SELECT COUNT(DISTINCT ${column}) AS n FROM (${selects.join(' UNION ALL ')})`);
  return (row as { n: number }).n;
}

/** Moves the clock past the closing of the last day and calls the rollover for every date until it is done. */
async function rollOver(run: SpawnedRun, traffic: Traffic, random: () => number): Promise<void> {
  const target = Date.parse(NOW) + DAY_MS;
  setOffset(run.clock_file, target - Date.now());
  await sleep(1_000);
  const dates = [...new Set([...traffic.dates, NOW.slice(0, 10).replaceAll('-', '')])].sort();
  for (const date of dates) {
    for (let call = 0; ; call += 1) {
      // Every third call of the rollover is answered by a dying process: the next call must carry on.
      if (call > 0 && call % 3 === 0 && call < 10) process.kill((await waitUntilReady(run.processes_file, random() < 0.5 ? 'rollover' : 'bigquery')).pid, 'SIGKILL');
      const answer = await fetch(run.functions['rollover']!, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ date }) }).then(async (response) => ({ status: response.status, text: await response.text() }), (error: Error) => ({ status: 0, text: error.message }));
      if (answer.status === 200 && (JSON.parse(answer.text) as { pending: boolean }).pending === false) break;
      if (call > 200) throw new Error(`The rollover of ${date} does not end: ${answer.text.slice(0, 500)}`);
      await sleep(300);
    }
    log(`rolled over ${date}`);
  }
}

async function compare(bigquery: BigQuery, bucket: Bucket, run: SpawnedRun, sender: Sender, traffic: Traffic): Promise<SetDifference[]> {
  const tables = await eventIds(bigquery, run.dataset);
  const stored = await storedBodies(bucket, 'events');
  log(`daily tables: ${tables.rows} rows, ${tables.ids.size} distinct ids; raw files: ${stored.files.length}, ${stored.bodies.size} distinct bodies`);
  const answeredNotStored = new Set([...sender.tally.answered].filter((sha) => !stored.bodies.has(sha)));
  const storedNotSent = new Set([...stored.bodies].filter((sha) => !sender.tally.sent.has(sha)));
  return [
    differenceOf('ids sent good and answered = ids in the daily tables', traffic.good, tables.ids),
    differenceOf('rows of the daily tables that repeat an id', new Set(), new Set(Array.from({ length: tables.repeated }, (_, i) => `repeated row ${i}`))),
    differenceOf('bodies answered 200 are stored', answeredNotStored, new Set()),
    differenceOf('stored bodies were sent', new Set(), storedNotSent),
    differenceOf('distinct rejected ids = bad ones sent', traffic.bad, await rejectedIds(bigquery, run.dataset)),
    differenceOf('answers name the planned bad events', new Set(), new Set(sender.tally.surprises)),
  ];
}

function report(differences: SetDifference[]): number {
  let total = 0;
  for (const { what, missing, unexpected } of differences) {
    total += missing.length + unexpected.length;
    log(`${missing.length + unexpected.length === 0 ? 'ok  ' : 'FAIL'} ${what}: ${missing.length} missing, ${unexpected.length} unexpected`);
    for (const item of [...missing.slice(0, 3).map((id) => `missing ${id}`), ...unexpected.slice(0, 3).map((id) => `unexpected ${id}`)]) log(`       ${item}`);
  }
  return total;
}

/** Deletes one row and one object on purpose: a comparison that does not notice is worth nothing. */
async function selfTest(bigquery: BigQuery, bucket: Bucket, run: SpawnedRun, sender: Sender, traffic: Traffic): Promise<void> {
  const [id] = traffic.good;
  for (const table of await dailyTables(bigquery, run.dataset, 'events')) {
    await bigquery.query({ query: `DELETE FROM \`${run.dataset}.${table}\` WHERE event_id = @id`, params: { id } });
  }
  const { files } = await storedBodies(bucket, 'events');
  // A body may be stored twice (a client that did not hear the answer); delete files until one body is gone.
  let lost = 0;
  for (const file of files) {
    await bucket.file(file).delete();
    const { bodies } = await storedBodies(bucket, 'events');
    lost = [...sender.tally.answered].filter((sha) => !bodies.has(sha)).length;
    if (lost > 0) break;
  }
  const found = await compare(bigquery, bucket, run, sender, traffic);
  const missingIds = found[0]!.missing;
  if (missingIds.length !== 1 || missingIds[0] !== id || found[2]!.missing.length !== lost || lost === 0) throw new Error('The self-test failed: a deleted row or object was not found.');
  log(`self-test: the deleted row and the deleted object were both found (${missingIds.length} row, ${lost} bodies)`);
}

/** Google's storage client adds listeners to one stream for every download of a list; the warning would hide the report. */
EventEmitter.defaultMaxListeners = 100;

async function main(): Promise<number> {
  const traffic = planTraffic(Number(options.events), Date.parse(NOW), Number(options.seed));
  log(`planned ${traffic.sent} events in ${traffic.requests.length} requests: ${traffic.good.size} good ids, ${traffic.bad.size} bad, ${traffic.duplicates} duplicates, ${traffic.late} late, ${traffic.dates.length} dates`);
  const run = await spawnLocalRun(['--now', NOW]);
  try {
    log(`local run ready at ${run.collector_url}`);
    const sender = new Sender(run.collector_url, run.write_key);
    const sending = sender.sendAll(traffic.requests, Number(options.clients));
    const { rollover, maintain, replay } = run.functions;
    const kills = await killAll({
      processesFile: run.processes_file, killsEach: Number(options.kills), callable: { rollover: rollover!, maintain: maintain!, replay: replay! },
      unanswered: () => sender.unanswered, grant: (share) => { sender.allowed = Math.ceil(share * traffic.requests.length); }, log, random: seededRandom(Number(options.seed) + 1).next,
    });
    sender.allowed = traffic.requests.length;
    await sending;
    log(`answered: ${sender.tally.requests} requests, ${sender.tally.accepted} accepted, ${sender.tally.rejected} rejected; sent again: ${JSON.stringify(sender.tally.again)}`);
    const { bigquery } = run;
    const bucket = run.storage.bucket(run.bucket);
    for (const { name } of kills) await waitUntilReady(run.processes_file, name);
    await waitUntilWritten(bigquery, bucket, run, sender, traffic);
    await rollOver(run, traffic, seededRandom(Number(options.seed) + 2).next);
    for (const { name, kills: count, unansweredMin } of kills) log(`${name}: killed ${count} times, never with fewer than ${unansweredMin} requests unanswered`);
    if (kills.some((kill) => kill.kills < Number(options.kills) || kill.unansweredMin < 1)) throw new Error('A kill is missing, or happened with no request unanswered.');
    const total = report(await compare(bigquery, bucket, run, sender, traffic));
    if (!options['no-self-test']) await selfTest(bigquery, bucket, run, sender, traffic);
    return total;
  } finally {
    await run.stop(options.keep);
    if (options.keep) log(`data kept in ${run.folder}`);
  }
}

if (options.help) {
  console.log(HELP);
} else {
  const difference = await main();
  console.log(`difference: ${difference}`);
  process.exitCode = difference === 0 ? 0 : 1;
}
