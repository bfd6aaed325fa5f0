// Finds the local run that `npm start` wrote down in .chiplog/local.json. The other scripts call it, and get told to start one when there is none.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ExpectedError } from './options.ts';
import type { LocalRunFacts } from './spawn-run.ts';

export type LocalRun = LocalRunFacts & { time_zone: string; data_dir: string; sources_file: string };

/** The run of this folder; also sets the variables that lead Google's clients in this process to it. */
export function findLocalRun(folder: string = process.cwd()): LocalRun {
  const file = resolve(folder, '.chiplog/local.json');
  let run: LocalRun;
  try {
    run = JSON.parse(readFileSync(file, 'utf8')) as LocalRun;
    process.kill(run.pid, 0);
  } catch {
    throw new ExpectedError('Nothing is running here. Start it first: npm start (and wait until it says that it is ready).');
  }
  Object.assign(process.env, run.env);
  return run;
}
