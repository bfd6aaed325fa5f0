// Which project a command works on: in go its options, out come the settings it needs. `--project` means a real one; without it the
// local run of this folder, read from .chiplog/local.json. Used by scripts/migrate.ts and scripts/replay.ts.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export type Where = { project: string; dataset: string; bucket: string; prefix: string; location: string; name: string };
export type WhereOptions = { project?: string | undefined; dataset?: string | undefined; bucket?: string | undefined; prefix?: string | undefined; location?: string | undefined };

/** Options of parseArgs for the commands that use this. */
export const WHERE_OPTIONS = {
  project: { type: 'string' }, dataset: { type: 'string' }, bucket: { type: 'string' }, prefix: { type: 'string' }, location: { type: 'string' },
} as const;

export const WHERE_HELP = `  --project ID       a real project (its credentials are found by Google's client); default: the local run of this folder
  --dataset NAME     BigQuery dataset (default chiplog)
  --bucket NAME      bucket of the raw files (default PROJECT-PREFIX-raw)
  --prefix NAME      first part of topic names (default chiplog)
  --location L       BigQuery location (default US)`;

/** Reads the local run's variables into this process when no project is named. Throws an Error that says what to do. */
export function whereOf(options: WhereOptions): Where {
  const defaults = { dataset: options.dataset ?? 'chiplog', prefix: options.prefix ?? 'chiplog', location: options.location ?? 'US' };
  if (options.project !== undefined) {
    return { ...defaults, project: options.project, bucket: options.bucket ?? `${options.project}-${defaults.prefix}-raw`, name: `project ${options.project}` };
  }
  const local = readLocalRun();
  Object.assign(process.env, local.env);
  return {
    project: local.project,
    dataset: options.dataset ?? local.dataset,
    bucket: options.bucket ?? local.bucket,
    prefix: options.prefix ?? local.env['CHIPLOG_PREFIX'] ?? 'chiplog',
    location: defaults.location,
    name: 'the local run',
  };
}

function readLocalRun(): { project: string; dataset: string; bucket: string; env: Record<string, string> } {
  try {
    return JSON.parse(readFileSync(resolve('.chiplog', 'local.json'), 'utf8'));
  } catch {
    throw new Error('There is no local run: start one with `npm start`, or name a project with --project.');
  }
}
