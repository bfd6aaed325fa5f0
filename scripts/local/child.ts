// One process of the local run, kept alive: started, watched until it answers, started again when it dies, its output written to a
// file. supervisor.ts owns these.
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepts } from './ports.ts';

export type ChildSpec = {
  name: string;
  /** Arguments of node. */
  args: string[];
  env: Record<string, string>;
  /** Where it serves, for processes.json. */
  port: number;
  /** Takes connections when the process is ready. */
  readyPort: number;
  host: string;
};

export type ChildEvents = {
  /** A process was started (again): pid and count of restarts are new. */
  onSpawn: () => void;
  onRestart: (child: Child, cause: string) => void;
  onLine: (child: Child, line: string) => void;
  /** It died too often before it was ready: nothing more will be tried. */
  onGiveUp: (child: Child) => void;
};

/** A process that dies this often before it ever answers will not do better the next time. */
const DEATHS_MAX = 5;
const LINES_KEPT = 15;

export class Child {
  readonly spec: ChildSpec;
  readonly logFile: string;
  restarts = 0;
  /** The last lines of its output, for when it fails. */
  readonly lastLines: string[] = [];
  private readonly cwd: string;
  private readonly events: ChildEvents;
  private readonly log: WriteStream;
  private process: ChildProcess | undefined;
  private isStopping = false;
  private isReady = false;
  private deaths = 0;

  constructor(spec: ChildSpec, cwd: string, logFile: string, events: ChildEvents) {
    this.spec = spec;
    this.cwd = cwd;
    this.logFile = logFile;
    this.events = events;
    this.log = createWriteStream(logFile, { flags: 'a' });
  }

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  start(): void {
    this.isReady = false;
    // In a group of its own: Ctrl-C in the terminal reaches the supervisor alone, which then ends the children in order.
    const child = spawn(process.execPath, this.spec.args, { cwd: this.cwd, env: this.spec.env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream! }).on('line', (line) => this.take(line));
    child.once('error', (error) => this.take(String(error)));
    child.once('exit', (code, signal) => void this.died(signal ?? `code ${code}`, signal === 'SIGKILL'));
    void this.watch(child);
    this.events.onSpawn();
  }

  /** Resolves when the process takes connections; stays pending while it is being started again. */
  async ready(): Promise<void> {
    while (!this.isReady) await sleep(15);
  }

  /** SIGKILL; resolves when the process that is started in its place takes connections. */
  async killAndReturn(): Promise<{ pid_before: number; pid: number }> {
    await this.ready();
    const pidBefore = this.pid;
    this.process?.kill('SIGKILL');
    while (this.pid === pidBefore) await sleep(10);
    await this.ready();
    return { pid_before: pidBefore, pid: this.pid };
  }

  async stop(termMs: number): Promise<void> {
    this.isStopping = true;
    const child = this.process;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), termMs);
      await ended;
      clearTimeout(timer);
    }
    this.log.end();
  }

  /** At once, for the second Ctrl-C. */
  kill(): void {
    this.isStopping = true;
    this.process?.kill('SIGKILL');
  }

  private take(line: string): void {
    this.log.write(`${line}\n`);
    this.lastLines.push(line);
    if (this.lastLines.length > LINES_KEPT) this.lastLines.shift();
    this.events.onLine(this, line);
  }

  private async watch(child: ChildProcess): Promise<void> {
    while (this.process === child && child.exitCode === null && child.signalCode === null) {
      if (await accepts(this.spec.readyPort, this.spec.host)) {
        // The port may be another's that our child failed to get: then it has died by now.
        if (this.process !== child || child.exitCode !== null) return;
        this.isReady = true;
        this.deaths = 0;
        return;
      }
      await sleep(25);
    }
  }

  private async died(cause: string, isKilled: boolean): Promise<void> {
    if (this.isStopping) return;
    // A kill from outside says nothing about the process.
    if (!this.isReady && !isKilled) this.deaths += 1;
    if (this.deaths >= DEATHS_MAX) return this.events.onGiveUp(this);
    this.events.onRestart(this, cause);
    if (this.deaths > 0) await sleep(100 * 2 ** this.deaths);
    else if (!this.isReady) await sleep(200);
    if (this.isStopping) return;
    this.restarts += 1;
    this.start();
  }
}
