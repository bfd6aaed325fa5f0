// `npm run tomorrow`: moves the local clock to the next midnight, then past the closing of the day, and rolls over until nothing is left.
import { setTimeout as sleep } from 'node:timers/promises';
import { BigQuery } from '@google-cloud/bigquery';
import { now, setNow } from '../emulators/clock.ts';
import { LIMITS } from '../functions/limits.ts';
import { closesAt, dateOf, endOf } from '../functions/table-shard.ts';
import { findLocalRun, type LocalRun } from './local/local-run.ts';
import { ExpectedError, readOptions, runScript, UsageError } from './local/options.ts';
import { tellRollover, type LedgerRow } from './local/tell-rollover.ts';

const HELP = `npm run tomorrow      ends the local day: moves the clock and makes the daily tables

The clock of all local processes goes to the next midnight of the reporting time zone, then past the closing of the day that
ended (2 h later) and 30 minutes more; then the rollover is called until nothing is left to do. The clock stays there; start
with --now or --fresh to set it otherwise.

  --help      this text
`;

/** All processes have seen a new time after this. */
const CLOCK_SEEN_MS = 800;
/** A little past the border, as any scheduler would come. */
const SLACK_MS = 60_000;
const PATIENCE_MS = 10 * 60_000;
const FAILURES_TOLD = 5;

await runScript(async () => {
  const { values, positionals } = readOptions({ help: { type: 'boolean', short: 'h' } } as const);
  if (values.help === true) return void process.stdout.write(HELP);
  if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is not an option of npm run tomorrow. --help lists those there are.`);
  const run = findLocalRun();
  const today = dateOf(now(run.clock_file), run.time_zone);
  const midnight = endOf(today, run.time_zone);

  await moveTo(run, midnight + 1_000, `Midnight (${run.time_zone}): ${today} is over, but its events may still come for 2 hours.`);
  await call(run, 'maintain');
  const bigquery = new BigQuery({ projectId: run.project });
  const before = await tablesOf(bigquery, run.dataset);
  const folding = closesAt(today, run.time_zone) + LIMITS.foldAfterCloseMs + SLACK_MS;
  await moveTo(run, folding, `${today} has closed, and the rollover has waited its 30 minutes.`);
  const last = await rollUntilDone(run);
  await call(run, 'maintain');
  const after = await tablesOf(bigquery, run.dataset);
  const [ledger] = await bigquery.query({ query: `SELECT stream, event_date, run, status, reason, \`read\`, kept, duplicate, late FROM \`${run.dataset}.rollovers\` WHERE recorded_timestamp >= @since ORDER BY event_date, stream, run`, params: { since: midnight * 1_000 } });
  console.log(tellRollover({ ledger: ledger as LedgerRow[], made: after.filter((table) => !before.includes(table)), dropped: before.filter((table) => !after.includes(table)), last }));
  return last.problems.length > 0 ? 1 : 0;
});

async function moveTo(run: LocalRun, ms: number, why: string): Promise<void> {
  setNow(run.clock_file, ms);
  console.log(`${new Date(ms).toISOString()}  ${why}`);
  await sleep(CLOCK_SEEN_MS);
}

export type RolloverAnswer = { pending: boolean; days: { stream: string; date: string; state: string; why?: string; until?: string }[]; dropped: string[]; problems: string[] };

async function rollUntilDone(run: LocalRun): Promise<RolloverAnswer> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let failures = 0; performance.now() < deadline; await sleep(300)) {
    const { status, body } = await call(run, 'rollover');
    const answer = body as Partial<RolloverAnswer> & { error?: unknown };
    if (status === 200 && answer.pending === false) return answer as RolloverAnswer;
    failures = status === 200 ? 0 : failures + 1;
    // The local scheduler calls too, as soon as the clock has moved: one of two calls may find its table folded and gone, once or twice.
    if (failures > 0 && failures % FAILURES_TOLD === 0) console.log(`The rollover answered ${status}: ${JSON.stringify(answer.error ?? answer)}; calling it again.`);
  }
  throw new ExpectedError('The rollover was not done after 10 minutes. .chiplog/logs/rollover.log tells more.');
}

async function call(run: LocalRun, name: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(run.functions[name]!, { method: 'POST' }).catch((error: Error) => {
    throw new ExpectedError(`${name} does not answer (${(error.cause as Error | undefined)?.message ?? error.message}). Is npm start still running?`);
  });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, body: { error: text.slice(0, 300) } };
  }
}

async function tablesOf(bigquery: BigQuery, dataset: string): Promise<string[]> {
  const [tables] = await bigquery.dataset(dataset).getTables();
  return tables.map(({ id }) => id!).sort();
}
