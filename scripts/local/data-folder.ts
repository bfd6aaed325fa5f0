// The data folder of a local run: made, emptied, and held by one run at a time. scripts/start.ts calls claimDataFolder before anything else.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExpectedError } from './options.ts';

/** What is written down when the folder is made. */
export type DataFacts = { made_by: 'chiplog'; time_zone: string };

export type DataFolder = { dir: string; timeZone: string; clockFile: string; release: () => void };

const FACTS = 'chiplog-data.json';
const LOCK = 'lock';

export function claimDataFolder(dir: string, isFresh: boolean, timeZone: string | undefined): DataFolder {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new ExpectedError(`The data folder ${dir} can't be made: ${(error as Error).message}`);
  }
  const isOurs = existsSync(join(dir, FACTS));
  const others = readdirSync(dir).filter((name) => name !== LOCK);
  if (!isOurs && others.length > 0) throw new ExpectedError(`${dir} has files of something else (${others.slice(0, 3).join(', ')}); give --data an empty or a new folder.`);
  const release = lock(join(dir, LOCK), dir);
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

/** A file with our pid, made only if absent. One whose process is gone (kill -9) is taken over. */
function lock(file: string, dir: string): () => void {
  for (let attempt = 0; ; attempt += 1) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 3) throw error;
      const pid = Number(readFileSync(file, 'utf8'));
      if (pid !== process.pid && isAlive(pid)) throw new ExpectedError(`A local run (process ${pid}) is using ${dir} already. Stop it with Ctrl-C where it runs, or give --data another folder.`);
      rmSync(file, { force: true });
    }
  }
  return () => rmSync(file, { force: true });
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
