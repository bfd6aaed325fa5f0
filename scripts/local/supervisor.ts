// All processes of the local run together: started in parallel, kept alive, written down in processes.json, ended in the order of the
// flow. scripts/start.ts makes one.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Child, type ChildSpec } from './child.ts';
import { writeWhole } from './write-whole.ts';

/** How long a group of processes may take to end what it has begun. */
const STOP_MS_MAX = 5_000;

export type SupervisorOptions = {
  root: string;
  stateDir: string;
  say: (line: string) => void;
  /** A child can't be kept alive. */
  onGiveUp: (child: Child) => void;
};

export class Supervisor {
  readonly processesFile: string;
  private readonly options: SupervisorOptions;
  private readonly logsDir: string;
  private readonly children: Child[] = [];
  private readonly told = new Map<string, { since: number; count: number }>();

  constructor(options: SupervisorOptions) {
    this.options = options;
    this.processesFile = join(options.stateDir, 'processes.json');
    this.logsDir = join(options.stateDir, 'logs');
    mkdirSync(this.logsDir, { recursive: true });
  }

  /** Starts a process; `ready` of what it returns resolves when it answers. */
  start(spec: ChildSpec): Child {
    const logFile = join(this.logsDir, `${spec.name}.log`);
    // One run a file, and the one before it, so that logs do not grow for ever.
    if (existsSync(logFile)) renameSync(logFile, join(this.logsDir, `${spec.name}.previous.log`));
    const child = new Child(spec, this.options.root, logFile, {
      onSpawn: () => this.writeDown(),
      onRestart: ({ spec: { name } }, cause) => this.options.say(`${name} ended (${cause}); starting it again.`),
      onLine: (source, line) => this.tell(source, line),
      onGiveUp: this.options.onGiveUp,
    });
    this.children.push(child);
    child.start();
    return child;
  }

  /** Ends groups one after another, the processes of a group together. */
  async stop(groups: readonly (readonly string[])[]): Promise<void> {
    const byName = new Map(this.children.map((child) => [child.spec.name, child]));
    for (const group of groups) await Promise.all(group.map((name) => byName.get(name)?.stop(STOP_MS_MAX)));
    rmSync(this.processesFile, { force: true });
  }

  kill(): void {
    for (const child of this.children) child.kill();
  }

  private writeDown(): void {
    writeWhole(this.processesFile, this.children.map(({ spec, pid, restarts }) => ({ name: spec.name, pid, port: spec.port, restarts })));
  }

  /** Shows what needs attention in one line, and no more than a few from one process at a time: the file has it all. */
  private tell(child: Child, line: string): void {
    const text = worthTelling(line);
    if (text === undefined) return;
    const now = Date.now();
    let told = this.told.get(child.spec.name);
    if (told === undefined || now - told.since > 10_000) this.told.set(child.spec.name, (told = { since: now, count: 0 }));
    told.count += 1;
    if (told.count <= 3) this.options.say(`${child.spec.name}: ${text}`);
    else if (told.count === 4) this.options.say(`${child.spec.name}: more in ${child.logFile}`);
  }
}

/** A log line of severity WARNING or above, as a person reads it; undefined for the rest. */
export function worthTelling(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { severity, message, data } = JSON.parse(line) as { severity?: string; message?: string; data?: unknown };
    if (severity !== 'WARNING' && severity !== 'ERROR' && severity !== 'CRITICAL') return undefined;
    const details = data === undefined ? '' : ` ${JSON.stringify(data)}`;
    return `${severity} ${message ?? ''}${details.length > 160 ? `${details.slice(0, 160)}…` : details}`;
  } catch {
    return undefined;
  }
}
