// `npm run migrate`: adds the columns that the schemas have and tables lack, to every shard. Run it before code that writes them.
import { setTimeout as wait } from 'node:timers/promises';
import { optionsOrExit } from './local/options.ts';
import { WHERE_HELP, WHERE_OPTIONS, whereOf } from './where.ts';

const HELP = `npm run migrate -- [options]

Compares every intraday, late and daily table with the generated schemas and adds the columns that it lacks.
Columns are never removed or changed; a table that contradicts the schema is named and left alone.

  --dry-run          print the plan for each table and change nothing
${WHERE_HELP}
  --help             this text

Exit code 0 when every table has (or, with --dry-run, could get) every column, 1 when a table contradicts the schema.`;

const options = optionsOrExit({ ...WHERE_OPTIONS, 'dry-run': { type: 'boolean', default: false }, help: { type: 'boolean', default: false } });

async function main(): Promise<number> {
  if (options.help) return say(HELP, 0);
  const where = whereOf(options);
  // After whereOf: Google's client reads the variables of the local run when it is made.
  const { BigQuery } = await import('@google-cloud/bigquery');
  const { streamTables } = await import('../functions/stream-tables.ts');
  const { tableApiOf } = await import('../functions/maintain/tables.ts');
  const { applyMigration, planMigration } = await import('../functions/maintain/migration.ts');
  const streams = streamTables();
  const tables = tableApiOf(new BigQuery({ projectId: where.project, location: where.location }).dataset(where.dataset));

  const plans = await planMigration(tables, streams);
  if (plans.length === 0) return say(`All tables of ${where.name} have every column.`, 0);
  for (const { table, additions, conflicts } of plans) {
    if (additions.length > 0) console.log(`${table}: add ${additions.join(', ')}`);
    for (const conflict of conflicts) console.log(`${table}: CONFLICT ${conflict}`);
  }
  const conflicting = plans.filter(({ conflicts }) => conflicts.length > 0).length;
  if (options['dry-run']) return say(`${plans.length - conflicting} tables to change, ${conflicting} in conflict. Nothing was changed.`, conflicting === 0 ? 0 : 1);
  const { changed } = await applyMigration(tables, plans, streams, { clock: Date.now, wait, done: ({ table }) => console.log(`${table}: done`) });
  return say(`${changed.length} tables changed, ${conflicting} in conflict.`, conflicting === 0 ? 0 : 1);
}

function say(text: string, exitCode: number): number {
  console.log(text);
  return exitCode;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
