// The data folder of a local run: made, emptied, and held by one run at a time. scripts/start.ts calls claimDataFolder before anything else.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FolderInUse, holdFolder } from '../../emulators/hold-folder.ts';
import { ExpectedError } from './options.ts';

/** What is written down when the folder is made. */
export type DataFacts = { made_by: 'chiplog'; time_zone: string };

export type DataFolder = { dir: string; timeZone: string; clockFile: string; release: () => void };

const FACTS = 'chiplog-data.json';
const LOCK = 'lock';
/** A run that was just told to end may take this long to let go. */
const ENDING_MS = 1_000;

export async function claimDataFolder(dir: string, isFresh: boolean, timeZone: string | undefined): Promise<DataFolder> {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new ExpectedError(`The data folder ${dir} can't be made: ${(error as Error).message}`);
  }
  const isOurs = existsSync(join(dir, FACTS));
  const others = readdirSync(dir).filter((name) => name !== LOCK);
  if (!isOurs && others.length > 0) throw new ExpectedError(`${dir} has files of something else (${others.slice(0, 3).join(', ')}); give --data an empty or a new folder.`);
  const release = await hold(dir);
  if (isFresh) for (const name of others) rmSync(join(dir, name), { recursive: true, force: true });
  const facts = readFacts(dir) ?? { made_by: 'chiplog', time_zone: timeZone ?? 'UTC' };
  if (timeZone !== undefined && timeZone !== facts.time_zone) {
    release();
    throw new ExpectedError(`The data in ${dir} was made with the reporting time zone ${facts.time_zone}; it can't become ${timeZone}. Use --fresh, or another --data folder.`);
  }
  writeFileSync(join(dir, FACTS), `${JSON.stringify(facts)}\n`);
  return { dir, timeZone: facts.time_zone, clockFile: join(dir, 'clock.json'), release };
}

function readFacts(dir: string): DataFacts | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, FACTS), 'utf8')) as DataFacts;
  } catch {
    return undefined;
  }
}

/**
 * Held by a socket, which ends with its process, however that ended: a process id outlives it where nobody has buried it yet, and may be another's
 * after a restart of the machine. The file only says whose the folder is.
 */
async function hold(dir: string): Promise<() => void> {
  const file = join(dir, LOCK);
  const held = await holdFolder(dir, ENDING_MS).catch((error: Error) => {
    if (!(error instanceof FolderInUse)) throw error;
    throw new ExpectedError(`A local run${owner(file)} is using ${dir} already. Stop it with Ctrl-C where it runs, or give --data another folder.`);
  });
  writeFileSync(file, String(process.pid));
  return () => {
    rmSync(file, { force: true });
    held.close();
  };
}

function owner(file: string): string {
  try {
    return ` (process ${readFileSync(file, 'utf8')})`;
  } catch {
    return '';
  }
}
