// One service of the local cloud as a real process, as scripts/start.ts runs it: for tests that kill it, move its clock or ask its control port.
import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '../..');

export type Ready = { service: string; port: number; control_port: number; pid: number; write_port?: number };
export type LocalProcess = Ready & { child: ChildProcess; kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> };

export async function localProcess(service: string, dataDir: string, options: { port?: number; controlPort?: number; writePort?: number; env?: Record<string, string> } = {}): Promise<LocalProcess> {
  const child = spawn(process.execPath, ['--import', './emulators/preload.ts', 'emulators/run.ts', service, '--data', dataDir, '--port', String(options.port ?? 0), '--control-port', String(options.controlPort ?? 0), '--write-port', String(options.writePort ?? 0), '--project', 'test-project'], {
    cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...options.env },
  });
  const end = (): void => { child.kill('SIGKILL'); };
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  const lines = createInterface({ input: child.stdout! });
  const line = await Promise.race([new Promise<string>((done) => lines.once('line', done)), exited.then((code) => { throw new Error(`${service} ended with ${code} before it was ready`); })]);
  return {
    ...(JSON.parse(line) as Ready), child,
    kill(signal) {
      child.kill(signal);
      return exited;
    },
  };
}
