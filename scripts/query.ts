// `npm run query -- "SQL"`: asks the local BigQuery, or a real project's, in GoogleSQL, and prints the answer.
import { text as readAll } from 'node:stream/consumers';
import { findLocalRun } from './local/local-run.ts';
import { readOptions, runScript, UsageError, wholeNumberOption } from './local/options.ts';
import { ask, dryRun, readParameter, type Question } from './query/ask.ts';
import { rowOf } from './query/cells.ts';
import { explainError } from './query/explain-error.ts';
import { asTable, FORMATS, type Format } from './query/formats.ts';

const HELP = `npm run query -- 'SELECT …' [options]      GoogleSQL; without SQL it is read from standard input

  --format F           table (default), json or csv
  --param NAME=VALUE   value of @NAME; NAME:TYPE=VALUE names its type (e.g. day:DATE=2026-01-15). May be repeated.
  --max-rows N         print at most N rows (default: 100 in a table, else all)
  --dry-run            say what the query would read, and do not run it
  --dataset NAME       dataset of tables that name none (default: the local one, or chiplog)
  --project ID         ask this real project instead of the local BigQuery, with your own Google credentials
  --location NAME      where that project's dataset lives (default US)
  --help               this text

Quote the SQL with single quotes: the shell runs what stands between backticks inside double ones.
Exit code 1: BigQuery refused the query; 2: the command line is wrong.

  npm run query -- 'SELECT event_name, COUNT(*) AS events FROM \`events_*\` GROUP BY event_name ORDER BY events DESC'
`;

const TABLE = {
  format: { type: 'string', default: 'table' }, param: { type: 'string', multiple: true, default: [] as string[] }, 'max-rows': { type: 'string' }, 'dry-run': { type: 'boolean' },
  dataset: { type: 'string' }, project: { type: 'string' }, location: { type: 'string', default: 'US' }, help: { type: 'boolean', short: 'h' },
} as const;

await runScript(async () => {
  const { values, positionals } = readOptions(TABLE);
  if (values.help === true) return void process.stdout.write(HELP);
  if (positionals.length > 1) throw new UsageError('There are several queries on the command line. Put the whole query into one pair of single quotes.');
  if (!Object.hasOwn(FORMATS, values.format)) throw new UsageError(`--format is ${JSON.stringify(values.format)}; expected ${Object.keys(FORMATS).join(', ')}.`);
  const format = values.format as Format;
  const rowsMax = values['max-rows'] === undefined ? (format === 'table' ? 100 : undefined) : wholeNumberOption('max-rows', values['max-rows'], 1, 100_000_000);
  const parameters = values.param.map((text) => {
    const parameter = readParameter(text);
    if (parameter === undefined) throw new UsageError(`--param is ${JSON.stringify(text)}; expected NAME=VALUE or NAME:TYPE=VALUE.`);
    return parameter;
  });
  if (positionals.length === 0 && process.stdin.isTTY) throw new UsageError('There is no query. --help shows one.');
  const sql = positionals[0] ?? await readAll(process.stdin);
  if (sql.trim() === '') throw new UsageError('The query is empty.');

  const run = values.project === undefined ? findLocalRun() : undefined;
  // Only now: the client reads the variables that findLocalRun has set.
  const { BigQuery } = await import('@google-cloud/bigquery');
  const bigquery = new BigQuery({ projectId: values.project ?? run!.project });
  const question: Question = { sql, dataset: values.dataset ?? run?.dataset ?? 'chiplog', location: values.location, parameters, ...(rowsMax === undefined ? {} : { rowsMax }) };
  try {
    if (values['dry-run'] === true) {
      const { bytes, fields } = await dryRun(bigquery, question);
      console.log(`The query is valid. It would read ${sizeOf(bytes)}.${fields.length > 0 ? ` Columns: ${fields.map(({ name, type }) => `${name} ${type}`).join(', ')}.` : ''}`);
    } else await askAndPrint(question);
    return 0;
  } catch (error) {
    console.error(explainError(error, sql));
    return 1;
  }

  async function askAndPrint(asked: Question): Promise<void> {
    const startedAt = performance.now();
    const answer = await ask(bigquery, asked);
    const seconds = (performance.now() - startedAt) / 1_000;
    const rows = answer.rows.map((row) => rowOf(answer.fields, row));
    if (format === 'table') {
      if (answer.fields.length > 0) console.log(asTable(answer.fields, rows));
    } else process.stdout.write(`${FORMATS[format](answer.fields, rows)}\n`);
    const count = rows.length < answer.rowsTotal ? `${rows.length} of ${answer.rowsTotal} rows (--max-rows shows more)` : `${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`;
    // Beside the answer, so that a pipe gets the answer alone.
    console.error(`${answer.changed === undefined ? count : `${answer.changed} rows changed`}, ${sizeOf(answer.bytes)} read${answer.isFromCache ? ' (from cache)' : ''}, ${seconds.toFixed(2)} s`);
  }
});

function sizeOf(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
  return `${step === 0 ? bytes : (bytes / 1_000 ** step).toFixed(1)} ${units[step]}`;
}
