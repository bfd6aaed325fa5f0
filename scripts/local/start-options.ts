// The command line of `npm start` -> checked settings of a local run. scripts/start.ts calls it; tests do, too.
import { resolve } from 'node:path';
import { timeZone } from '../../functions/config.ts';
import { readOptions, UsageError, wholeNumberOption } from './options.ts';

export const START_HELP = `npm start -- [options]      starts Chiplog on this machine: a small Google Cloud and every function

  --port P           port of the collector (default 8080, or the next free one; 0: any)
  --host H           address of the collector (default 127.0.0.1); 0.0.0.0 lets phones in your network reach it.
                     Everything else stays on the loopback address.
  --sources FILE     your own sources document (default: one source "demo-app" with the write key "demo")
  --data DIR         where tables, files and messages are kept (default .chiplog/data)
  --fresh            forget what is in the data folder and begin anew
  --no-demo          send no demo traffic
  --now TIME         set the local clock, e.g. 2026-01-19T00:30:00Z (with time zone); kept in the data folder
  --time-zone ZONE   reporting time zone, e.g. Europe/Berlin (default UTC); fixed when the data folder is made
  --retry-after S    seconds until Pub/Sub pushes a refused message again (default 10, as in the cloud; doubles up to 600)
  --help             this text

Ctrl-C ends it tidily; the data stays. Then: npm run query, npm run send, npm run tomorrow (each has --help).
`;

export type StartOptions = {
  port: number;
  /** True: the person named the port, so another one needs a word. */
  isPortAsked: boolean;
  host: string;
  sourcesFile: string | undefined;
  dataDir: string;
  stateDir: string;
  isFresh: boolean;
  withDemo: boolean;
  nowMs: number | undefined;
  timeZone: string | undefined;
  retryAfterSeconds: number;
};

const TABLE = {
  port: { type: 'string' }, host: { type: 'string' }, sources: { type: 'string' }, data: { type: 'string' }, fresh: { type: 'boolean' }, 'no-demo': { type: 'boolean' },
  now: { type: 'string' }, 'time-zone': { type: 'string' }, 'retry-after': { type: 'string' }, help: { type: 'boolean', short: 'h' },
} as const;

/** Undefined: --help was asked for. */
export function readStartOptions(args: string[], folder: string = process.cwd()): StartOptions | undefined {
  const { values, positionals } = readOptions(TABLE, args);
  if (values.help === true) return undefined;
  if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is not an option of npm start. --help lists those there are.`);
  return {
    port: values.port === undefined ? 8080 : wholeNumberOption('port', values.port, 0, 65_535),
    isPortAsked: values.port !== undefined && values.port !== '0',
    host: values.host ?? '127.0.0.1',
    sourcesFile: values.sources === undefined ? undefined : resolve(folder, values.sources),
    stateDir: resolve(folder, '.chiplog'),
    dataDir: resolve(folder, values.data ?? '.chiplog/data'),
    isFresh: values.fresh === true,
    withDemo: values['no-demo'] !== true,
    nowMs: values.now === undefined ? undefined : readInstant(values.now),
    timeZone: values['time-zone'] === undefined ? undefined : readZone(values['time-zone']),
    retryAfterSeconds: values['retry-after'] === undefined ? 10 : wholeNumberOption('retry-after', values['retry-after'], 0, 600),
  };
}

/** ISO 8601 with its offset: a time without one would mean another instant on every machine. */
function readInstant(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || !/(Z|[+-]\d{2}:?\d{2})$/.test(text)) throw new UsageError(`--now is ${JSON.stringify(text)}; expected a time with its zone, such as 2026-01-19T00:30:00Z.`);
  return ms;
}

function readZone(text: string): string {
  try {
    return timeZone(text);
  } catch (error) {
    throw new UsageError(`--time-zone is ${JSON.stringify(text)}; expected ${(error as Error).message}.`);
  }
}
