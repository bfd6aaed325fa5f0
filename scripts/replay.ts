// `npm run replay`: sends stored requests or rejected events again. Running it twice changes nothing: event ids stay what they were.
import { setTimeout as wait } from 'node:timers/promises';
import { LIMITS } from '../functions/limits.ts';
import { optionsOrExit } from './local/options.ts';
import { WHERE_HELP, WHERE_OPTIONS, whereOf } from './where.ts';

const HELP = `npm run replay -- --stream NAME --from YYYY-MM-DD[THH] [--to YYYY-MM-DD[THH]] [options]

Reads files of Cloud Storage and publishes what is in them again, under the same event ids. Both ends belong to the range;
hours are UTC, by the time of publishing. Rows appear in the days they belong to at the next rollover.

  --stream NAME      stream to send to: events, inference
  --from, --to       first and last day or hour (default of --to: the same as --from)
  --store raw        the requests as they were sent (default)
  --store rejected   rejected events of that stream: judged again; good ones are sent, bad ones are rejected again, up to five times
  --date-by-receipt  with --store rejected: events refused for their time get the time of their receipt
  --late-days-max N  the collector's CHIPLOG_LATE_DAYS_MAX, where it is not the default
  --dry-run          read and count, send nothing
${WHERE_HELP}
  --help             this text`;

const options = optionsOrExit({
  ...WHERE_OPTIONS,
  stream: { type: 'string' }, from: { type: 'string' }, to: { type: 'string' }, store: { type: 'string', default: 'raw' },
  'date-by-receipt': { type: 'boolean', default: false }, 'dry-run': { type: 'boolean', default: false }, 'late-days-max': { type: 'string', default: String(LIMITS.lateDaysMax) }, help: { type: 'boolean', default: false },
});

async function main(): Promise<number> {
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const { stream, from, to = from, store } = options;
  if (stream === undefined || from === undefined || to === undefined || (store !== 'raw' && store !== 'rejected')) {
    console.error('--stream and --from are needed, and --store is raw or rejected. See --help.');
    return 1;
  }
  const lateDaysMax = Number(options['late-days-max']);
  if (!Number.isInteger(lateDaysMax) || lateDaysMax < 1) {
    console.error('--late-days-max is a whole number of days.');
    return 1;
  }
  const where = whereOf(options);
  // After whereOf: Google's clients read the variables of the local run when they are made.
  const [{ replay }, { filesIn }, { createSend }, { openTopics }, { streamTables }, { createLog }] = await Promise.all([
    import('../functions/replay/run.ts'), import('../functions/replay/files.ts'), import('../functions/publish/send.ts'), import('../functions/publish/topic.ts'),
    import('../functions/stream-tables.ts'), import('../functions/log.ts'),
  ]);
  const log = createLog('replay', (line) => process.stderr.write(line));
  const openTopic = openTopics(where.project);
  const progress = progressLine();
  const outcome = await replay({ stream, from, to, store, dryRun: options['dry-run'], dateByReceipt: options['date-by-receipt'] }, {
    streams: streamTables().map((each) => each.stream),
    files: filesIn(where.project, where.bucket),
    sendTo: (name) => {
      const topic = `${where.prefix}-${name}`;
      return createSendOnce(topic, () => createSend({ topic, call: openTopic(topic), log }).send);
    },
    wait,
    lateDaysMax,
    onProgress: (counts, file) => progress(`${counts.files} files, ${counts.requests} requests, ${counts.events} events  ${file}`),
  });
  progress('');
  if (outcome.kind !== 'accepted') {
    console.error(outcome.error.message);
    return 1;
  }
  const { messages, dry_run: dryRun, ...counts } = outcome.value;
  for (const [name, count] of Object.entries(counts)) console.log(`${name.replaceAll('_', ' ').padEnd(12)} ${count}`);
  console.log(dryRun ? 'Dry run: nothing was sent.' : `Sent ${messages} messages to ${where.name}. The next rollover puts the rows into their days.`);
  return 0;
}

const sends = new Map<string, unknown>();
function createSendOnce<T>(topic: string, create: () => T): T {
  if (!sends.has(topic)) sends.set(topic, create());
  return sends.get(topic) as T;
}

/** One line that is written over, on a terminal only. */
function progressLine(): (text: string) => void {
  if (!process.stderr.isTTY) return () => undefined;
  return (text) => void process.stderr.write(`\r${text.slice(0, (process.stderr.columns ?? 80) - 1)}\x1b[K`);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
