// `npm run send`: a dozen pretend phones send their events to the local run, or to any collector.
import { now } from '../emulators/clock.ts';
import { findLocalRun } from './local/local-run.ts';
import { readOptions, runScript, UsageError, wholeNumberOption } from './local/options.ts';
import { planPhones } from './send/phones.ts';
import { sendPlan, type SendTally } from './send/sender.ts';

const HELP = `npm run send -- [options]      pretend phones: sessions, screens, purchases, late and bad events

  --events N        distinct events (default 1000)
  --phones N        phones (default 12)
  --rate N          at most N events a second (default: as fast as it goes)
  --gzip PERCENT    of the bodies go as gzip (default 50)
  --duplicates PERCENT   of the requests are sent again (default 5)
  --bad PERCENT     of the events are broken (default 2)
  --late PERCENT    of the events are of a day that has closed (default 5)
  --seed N          the same seed and clock make the same events (default: the time)
  --url URL         another collector than the local one; then --key is needed
  --key KEY         write key (default: that of the local run)
  --help            this text

A phone sends again after network errors, 408, 429 and 5xx, waiting longer each time. Exit code 1 when something was not taken.
`;

const TABLE = {
  events: { type: 'string', default: '1000' }, phones: { type: 'string', default: '12' }, rate: { type: 'string' }, gzip: { type: 'string', default: '50' },
  duplicates: { type: 'string', default: '5' }, bad: { type: 'string', default: '2' }, late: { type: 'string', default: '5' }, seed: { type: 'string' },
  url: { type: 'string' }, key: { type: 'string' }, help: { type: 'boolean', short: 'h' },
} as const;

/** When the progress was last shown. */
let shownAt = 0;

await runScript(async () => {
  const { values, positionals } = readOptions(TABLE);
  if (values.help === true) return void process.stdout.write(HELP);
  if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is not an option of npm run send. --help lists those there are.`);
  const percent = (name: 'gzip' | 'duplicates' | 'bad' | 'late'): number => wholeNumberOption(name, values[name], 0, 100);
  const events = wholeNumberOption('events', values.events, 1, 10_000_000);
  const wanted = { events, phones: wholeNumberOption('phones', values.phones, 1, 100_000), duplicatesPercent: percent('duplicates'), badPercent: percent('bad'), latePercent: percent('late') };
  const gzipShare = percent('gzip') / 100;
  const rate = values.rate === undefined ? {} : { eventsPerSecondMax: wholeNumberOption('rate', values.rate, 1, 1_000_000) };
  if (values.url !== undefined && values.key === undefined) throw new UsageError('--url needs --key: another collector does not know the local write key.');
  const run = values.url === undefined ? findLocalRun() : undefined;
  const seed = values.seed === undefined ? Math.floor(Date.now() / 1_000) : wholeNumberOption('seed', values.seed, 0, 4_294_967_295);

  const plan = planPhones({ ...wanted, seed, nowMs: run === undefined ? Date.now() : now(run.clock_file) });
  const total = plan.requests.reduce((sum, request) => sum + request.events, 0);
  const startedAt = performance.now();
  const tally = await sendPlan(plan, {
    collectorUrl: values.url ?? run!.collector_url, writeKey: values.key ?? run!.write_key, gzipShare, ...rate,
    onProgress: (so_far) => showProgress(so_far, total),
  });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(report(tally, plan, (performance.now() - startedAt) / 1_000, seed));
  return tally.kept > 0 || tally.surprises.length > 0 ? 1 : 0;
});

function showProgress(tally: SendTally, total: number): void {
  if (!process.stderr.isTTY || performance.now() - shownAt < 100) return;
  shownAt = performance.now();
  const again = Object.values(tally.again).reduce((sum, count) => sum + count, 0);
  process.stderr.write(`\r\x1b[K${tally.accepted + tally.rejected} of ${total} events${again > 0 ? `, ${again} tries in vain` : ''}`);
}

function report(tally: SendTally, plan: ReturnType<typeof planPhones>, seconds: number, seed: number): string {
  const list = (counts: Record<string, number>): string => Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(', ');
  const lines = [
    `${tally.requests} requests in ${seconds.toFixed(1)} s (${Math.round((tally.accepted + tally.rejected) / seconds)} events/s), seed ${seed}`,
    `  accepted   ${tally.accepted} events (${plan.ids.length} distinct; ${plan.repeats} requests sent twice; ${plan.late} events late)`,
    `  rejected   ${tally.rejected}${tally.rejected > 0 ? ` (${list(tally.rejectedBy)})` : ''}`,
  ];
  if (Object.keys(tally.again).length > 0) lines.push(`  again      ${list(tally.again)}`);
  if (Object.keys(tally.dropped).length > 0) lines.push(`  dropped    events by status: ${list(tally.dropped)}`);
  if (tally.kept > 0) lines.push(`  kept       ${tally.kept} events that the collector did not take; send again later`);
  if (tally.surprises.length > 0) lines.push(`  UNEXPECTED ${tally.surprises.length} answers, first: ${tally.surprises[0]}`);
  return lines.join('\n');
}
