// A load on a service as a real process, SIGKILL at random moments, a restart on the same data, and a comparison each time. kills.test.ts runs one per service.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localProcess, type LocalProcess } from '../../emulators/local-process.ts';
import { openClients, type GoogleClients } from '../google-clients.ts';
import { PROJECT } from '../implementations.ts';
import type { Load, Verdict } from './load.ts';

/** A kill comes after up to so many answers, and a moment more: long enough for work to pile up, and now and then at the very beginning. */
const KILL_AFTER = { answersMax: 60, ms: 100, patienceMs: 5_000 };

/** In a long run somebody waits for news. */
const TOLD_EVERY = 10;

export type Report = Verdict & { kills: number; /** What the check named after something was taken away on purpose. */ noticed: string[] };

export async function killAgainAndAgain(load: Load, kills: number, random: () => number): Promise<Report> {
  const dir = mkdtempSync(join(tmpdir(), `kills-${load.service}-`));
  const report: Report = { kills: 0, checked: 0, lost: [], unexpected: [], noticed: [] };
  let running = await localProcess(load.service, dir);
  try {
    await withClients(running, (clients) => load.prepare(clients));
    while (report.kills < kills) {
      await withClients(running, async (clients) => {
        let isOver = false;
        const loading = load.run(clients, () => isOver, report.kills);
        const answers = load.tally.done + Math.floor(random() * KILL_AFTER.answersMax);
        for (const endMs = performance.now() + KILL_AFTER.patienceMs; load.tally.done < answers && performance.now() < endMs;) await pause(1);
        await pause(random() * KILL_AFTER.ms);
        await running.kill('SIGKILL');
        isOver = true;
        await loading;
      });
      report.kills += 1;
      running = await localProcess(load.service, dir);
      add(report, await withClients(running, (clients) => load.check(clients)));
      if (report.kills % TOLD_EVERY === 0) console.log(`${load.service}: ${report.kills} of ${kills} kills, ${report.checked} acknowledgements checked, ${report.lost.length} lost`);
    }
    report.noticed = await withClients(running, async (clients) => {
      await load.sabotage(clients);
      const { lost, unexpected } = await load.check(clients);
      return [...lost, ...unexpected];
    });
    return report;
  } finally {
    await running.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

function add(report: Report, { checked, lost, unexpected }: Verdict): void {
  report.checked += checked;
  report.lost.push(...lost.map((what) => `after kill ${report.kills}: ${what}`));
  report.unexpected.push(...unexpected.map((what) => `after kill ${report.kills}: ${what}`));
}

async function withClients<T>({ service, port, write_port: writePort }: LocalProcess, use: (clients: GoogleClients) => Promise<T>): Promise<T> {
  const at = (name: string, address: string): string => (name === service ? address : '127.0.0.1:1');
  const clients = openClients({ project: PROJECT, pubsub: at('pubsub', `127.0.0.1:${port}`), storage: `http://${at('storage', `127.0.0.1:${port}`)}`, bigquery: `http://${at('bigquery', `127.0.0.1:${port}`)}`, write: at('bigquery', `127.0.0.1:${writePort}`) });
  try {
    return await use(clients);
  } finally {
    await clients.close();
  }
}
