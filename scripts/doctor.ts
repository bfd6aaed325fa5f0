// `npm run doctor`: is everything of a deployment there, and as it should be? Reads only. Prints each finding with the command that
// mends it; exit code 0 when there is none and every check could be made.
import { now } from '../emulators/clock.ts';
import type { Examination } from './doctor/finding.ts';
import { findLocalRun } from './local/local-run.ts';
import { ExpectedError, readOptions, runScript, UsageError } from './local/options.ts';
import { WHERE_HELP, WHERE_OPTIONS, whereOf } from './where.ts';

const HELP = `npm run doctor -- [options]

Examines a deployment: services and roles, functions, topics and subscriptions, bucket, dataset, every table of every day. It changes
nothing. Each finding says what is wrong, where, why it matters, and the command that mends it (docs/doctor.md lists all kinds).

${WHERE_HELP.replace('(default US)', '(default: the dataset\'s own)')}
  --region R         of the functions and their schedules; must be given with --project
  --time-zone Z      reporting time zone that is expected (default: what the functions are set to)
  --json             print the findings as JSON
  --help             this text

Exit code 0: nothing found. 1: something found, or a check could not be made. 2: wrong command line.
`;

await runScript(async () => {
  const { values: options, positionals } = readOptions({
    ...WHERE_OPTIONS, region: { type: 'string' }, 'time-zone': { type: 'string' }, json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
  });
  if (options.help) return void process.stdout.write(HELP);
  if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is not an option. --help lists those there are.`);
  const timeZone = options['time-zone'];
  if (timeZone !== undefined && !isZone(timeZone)) throw new UsageError(`--time-zone is ${JSON.stringify(timeZone)}; expected one of the IANA list, such as Europe/Berlin.`);
  if (options.project !== undefined && options.region === undefined) throw new UsageError('--region is missing: the region of the functions, as in your .tfvars.');
  const run = options.project === undefined ? findLocalRun() : undefined;
  const where = whereOf(options);
  // After whereOf: Google's clients read the variables of the local run when they are made.
  const [{ makePatient }, { checksFor }, { examine }, { printed }] = await Promise.all([import('./doctor/make-patient.ts'), import('./doctor/checks.ts'), import('./doctor/finding.ts'), import('./doctor/print.ts')]);
  const patient = await makePatient({
    where, region: options.region ?? 'local', location: options.location, timeZone,
    local: run === undefined ? undefined : { functions: run.functions, control: run.control, timeZone: run.time_zone, nowMs: now(run.clock_file) },
  });
  try {
    const examination = await examine(checksFor(patient));
    if (options.project !== undefined && examination.not_made.length === examination.checks) throw new ExpectedError(`Nothing of ${where.name} could be read: ${examination.not_made[0]!.because}`);
    console.log(options.json ? JSON.stringify({ project: where.project, healthy: isHealthy(examination), ...examination }, null, 2) : printed(where.name, examination));
    return isHealthy(examination) ? 0 : 1;
  } finally {
    await patient.close();
  }
});

function isHealthy({ findings, not_made: notMade }: Examination): boolean {
  return findings.length === 0 && notMade.length === 0;
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
