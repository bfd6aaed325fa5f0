// Starts a process, loads it, and tells how much CPU its whole process tree used: the figure that a serverless bill follows.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { cpus, platform, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepts } from '../scripts/local/ports.ts';

/** Kernel clock ticks a second; 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;

/** Seconds of user and system CPU of a process and its living descendants. Linux only: reads /proc. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number));
  return own + children.reduce((sum, child) => sum + cpuSecondsOf(child), 0);
}

export const machineFacts = (): Record<string, unknown> => ({ cpu: cpus()[0]?.model, cores: cpus().length, memory_gib: Math.round(totalmem() / 2 ** 30), platform: platform(), node: process.version });

export async function startServer(args: string[], env: Record<string, string>, port: number): Promise<ChildProcess & { pid: number }> {
  const child = spawn(process.execPath, args, { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', 'ignore', 'inherit'] });
  for (let waited = 0; waited < 30_000; waited += 50) {
    if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended with ${child.exitCode}`);
    if (await accepts(port)) return child as ChildProcess & { pid: number };
    await sleep(50);
  }
  throw new Error(`${args.join(' ')} did not listen on ${port} within 30 s`);
}

export async function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(timer);
}

export type Figure = { events: number; requests: number; failed: number; cpu_seconds: number; events_per_cpu_second: number };

/** Loads a server for some seconds from another process and says what it did a CPU-second. */
export async function measure(pid: number, load: Record<string, unknown>): Promise<Figure> {
  const before = cpuSecondsOf(pid);
  const { stdout } = await promisify(execFile)(process.execPath, [`${import.meta.dirname}/load.ts`, JSON.stringify(load)]);
  const tally = JSON.parse(stdout) as { events: number; requests: number; failed: number };
  const used = cpuSecondsOf(pid) - before;
  return { ...tally, cpu_seconds: used, events_per_cpu_second: Math.round(tally.events / used) };
}

export const medianOf = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
