// SIGKILLs every process of the local run, again and again, each time while at least one request waits for its answer.
// scripts/prove.ts gives it the sender; functions that nobody calls during the traffic are called here, and killed in mid-answer.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepts } from '../local/ports.ts';

export type LocalProcess = { name: string; pid: number; port: number; restarts: number };

export const readProcesses = (file: string): LocalProcess[] => JSON.parse(readFileSync(file, 'utf8')) as LocalProcess[];

export type KillReport = { name: string; kills: number; unansweredMin: number };

export type KillOptions = {
  processesFile: string;
  killsEach: number;
  /** URLs of functions that only a scheduler or an operator calls: killed while a call of ours is under way. */
  callable: Record<string, string>;
  unanswered: () => number;
  /** Called before each kill with the share (0 to 1) of the kills that will then be done: lets traffic go on. */
  grant: (share: number) => void;
  log: (line: string) => void;
  random: () => number;
};

const RESTART_MS_MAX = 60_000;

/** Kills every process `killsEach` times in a shuffled order. Throws when a kill can't happen with a request unanswered. */
export async function killAll(options: KillOptions): Promise<KillReport[]> {
  const names = readProcesses(options.processesFile).map(({ name }) => name);
  const order = Array.from({ length: options.killsEach }, () => shuffled(names, options.random)).flat();
  const reports = new Map<string, KillReport>(names.map((name) => [name, { name, kills: 0, unansweredMin: Infinity }]));
  for (const [done, name] of order.entries()) {
    const target = await waitUntilReady(options.processesFile, name);
    options.grant((done + 1) / order.length);
    const unanswered = await killInMidAnswer(target, options);
    const report = reports.get(name)!;
    report.kills += 1;
    report.unansweredMin = Math.min(report.unansweredMin, unanswered);
    options.log(`killed ${name} (${done + 1} of ${order.length}), ${unanswered} requests unanswered`);
    await sleep(100 + options.random() * 400);
  }
  return [...reports.values()];
}

async function killInMidAnswer(target: LocalProcess, options: KillOptions): Promise<number> {
  const url = options.callable[target.name];
  const deadline = Date.now() + 30_000;
  for (;;) {
    const call = url === undefined ? undefined : startCall(url);
    if (call !== undefined) await sleep(1 + options.random() * 20);
    const unanswered = options.unanswered() + (call?.isWaiting() === true ? 1 : 0);
    if (unanswered > 0) {
      process.kill(target.pid, 'SIGKILL');
      return unanswered;
    }
    if (Date.now() > deadline) throw new Error(`No request was under way when ${target.name} was to be killed.`);
    await sleep(2);
  }
}

/** Starts POST {} and says whether it still waits; its end, whatever it is, is of no interest. */
function startCall(url: string): { isWaiting: () => boolean } {
  let waiting = true;
  const end = (): void => { waiting = false; };
  const call = request(url, { method: 'POST', headers: { 'content-type': 'application/json' }, timeout: 30_000 }, (response) => response.resume().on('end', end).on('error', end));
  call.on('error', end).end('{}');
  return { isWaiting: () => waiting };
}

/** The process as it is after its last restart, once its port takes connections. */
export async function waitUntilReady(processesFile: string, name: string): Promise<LocalProcess> {
  const deadline = Date.now() + RESTART_MS_MAX;
  while (Date.now() < deadline) {
    const target = readProcesses(processesFile).find((candidate) => candidate.name === name);
    if (target !== undefined && isAlive(target.pid) && (await accepts(target.port))) return target;
    await sleep(50);
  }
  throw new Error(`${name} did not come back within ${RESTART_MS_MAX / 1_000} s.`);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items.map((item) => ({ item, at: random() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}
