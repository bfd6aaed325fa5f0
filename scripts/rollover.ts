// `npm run rollover`: asks the rollover function for a date, again and again until nothing is left to do, and prints what happened.
// In goes a command line, out goes a table; the work itself is in functions/rollover.
import { setTimeout as sleep } from 'node:timers/promises';
import { findLocalRun } from './local/local-run.ts';
import { ExpectedError, readOptions, runScript, UsageError } from './local/options.ts';

const HELP = `npm run rollover -- [options]

Makes daily tables: each event once, late ones in their own day. Without a date it does what is due, as the scheduler does every
15 minutes. Safe to run twice, at once with another, or to stop half-way.

  --date YYYYMMDD        this date, with the late rows that have come so far
  --stream NAME          this stream only (default: all)
  --recompute YYYYMMDD   fold every day from there on again, up to --date if given, so that columns that depend on earlier
                         days (user_ltv, traffic_source, …) follow what has changed
  --all-late             do not let late rows of older days wait for their week
  --url URL              address of the function (default: that of the local run)
  --format json          print the function's answers as JSON lines
  --help                 this text`;

/** The function's answer, see functions/rollover/function.ts. */
type Answer = {
  pending: boolean;
  error?: string;
  recompute_since_ms?: number;
  days: ({ stream: string; date: string; state: string } & Record<string, unknown>)[];
  dropped: string[];
  problems: string[];
};

const PAUSE_MS = 500;
/** A function that is being started again does not answer for a moment. */
const UNANSWERED_MAX = 20;

async function main(): Promise<number> {
  const { values: options, positionals } = readOptions({
    date: { type: 'string' }, stream: { type: 'string' }, recompute: { type: 'string' }, 'all-late': { type: 'boolean', default: false },
    url: { type: 'string' }, format: { type: 'string', default: 'table' }, help: { type: 'boolean', default: false },
  });
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  if (positionals.length > 0) throw new UsageError(`${positionals[0]} is not an option; a date is given as --date ${positionals[0]}.`);
  if (!['table', 'json'].includes(options.format)) throw new UsageError(`--format is table or json, not ${options.format}.`);
  const url = options.url ?? findLocalRun().functions['rollover'];
  if (url === undefined) throw new ExpectedError('The local run has no rollover function.');
  const body: Record<string, unknown> = {
    ...(options.date === undefined ? {} : { date: options.date.replaceAll('-', '') }),
    ...(options.stream === undefined ? {} : { stream: options.stream }),
    ...(options.recompute === undefined ? {} : { recompute_from: options.recompute.replaceAll('-', '') }),
    ...(options['all-late'] ? { all_late: true } : {}),
  };
  const finished: Answer['days'] = [];
  const dropped: string[] = [];
  for (;;) {
    const answer = await call(url, body);
    if (options.format === 'json') console.log(JSON.stringify(answer));
    finished.push(...answer.days.filter(({ state }) => ['done', 'provisional', 'failed'].includes(state)));
    dropped.push(...answer.dropped);
    if (answer.recompute_since_ms !== undefined) body['recompute_since_ms'] = answer.recompute_since_ms;
    if (answer.pending) {
      await sleep(PAUSE_MS);
      continue;
    }
    if (options.format === 'table') print(finished, dropped, answer);
    const isWell = answer.problems.length === 0 && finished.at(-1)?.state !== 'failed' && finished.every(({ state }) => state !== 'provisional');
    return isWell ? 0 : 1;
  }
}

async function call(url: string, body: Record<string, unknown>): Promise<Answer> {
  for (let unanswered = 0; ; unanswered += 1) {
    let cause: string;
    try {
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      const text = await response.text();
      if (response.status === 200) return JSON.parse(text) as Answer;
      const { error = text.slice(0, 500) } = asObject(text);
      if (response.status < 500) throw new UsageError(String(error));
      cause = `HTTP ${response.status}: ${String(error)}`;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      cause = (error as Error).message;
    }
    if (unanswered >= UNANSWERED_MAX) throw new ExpectedError(`The rollover at ${url} does not work: ${cause}`);
    await sleep(PAUSE_MS);
  }
}

function asObject(text: string): { error?: unknown } {
  try {
    return JSON.parse(text) as { error?: unknown };
  } catch {
    return {};
  }
}

function print(finished: Answer['days'], dropped: string[], last: Answer): void {
  const columns = ['stream', 'date', 'run', 'state', 'read', 'kept', 'duplicate', 'id_conflict', 'late', 'elapsed_ms', 'bytes_processed'];
  if (finished.length > 0) console.log(aligned([columns, ...finished.map((day) => columns.map((column) => (day[column] === null || day[column] === undefined ? '' : String(day[column]))))]));
  for (const { stream, date, reason } of finished.filter(({ reason }) => typeof reason === 'string')) console.log(`${stream} ${date}: ${String(reason)}`);
  if (dropped.length > 0) console.log(`dropped: ${dropped.join(', ')}`);
  for (const problem of last.problems) console.log(`problem: ${problem}`);
  for (const day of last.days.filter(({ state }) => state === 'waiting')) console.log(`${day.stream} ${day.date} waits until ${String(day['until'])} (${String(day['why'])})`);
  if (finished.length === 0 && dropped.length === 0 && last.days.every(({ state }) => state !== 'waiting')) console.log('Nothing was to be done: everything that is there has been folded.');
}

function aligned(rows: string[][]): string {
  const widths = rows[0]!.map((_, index) => Math.max(...rows.map((row) => row[index]!.length)));
  return rows.map((row) => row.map((cell, index) => (/^\d+$/.test(cell) ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!))).join('  ').trimEnd()).join('\n');
}

await runScript(main);
