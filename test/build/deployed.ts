// Does to a zip what Google's Node.js buildpack does, and starts it as Cloud Run does: `npm ci`, the script gcp-build, then the
// framework's command in node_modules/.bin, with the function's name, port and settings in variables. In a folder outside the
// repository, so that nothing but the zip's own files can be found. For the tests of the bundles and the benchmark of cold starts.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { unzipSync } from 'fflate';
import { accepts, freePortFrom } from '../../scripts/local/ports.ts';

const LOOPBACK = resolve(import.meta.dirname, 'loopback.cjs');
/** The Node of the cloud is 24; `npm` itself may be started by another. */
const PATH = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;

export type Workspace = { folder: string; remove: () => void };

/** The folder /workspace of the image. `withCodeCache: false` leaves out what gcp-build adds. */
export function unpack(zipFile: string, { withCodeCache = true } = {}): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'chiplog-workspace-'));
  for (const [name, bytes] of Object.entries(unzipSync(readFileSync(zipFile)))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  const npm = (...args: string[]): void => void execFileSync('npm', args, { cwd: folder, env: { PATH, HOME: folder, NODE_ENV: 'development' }, stdio: 'pipe' });
  // Offline: a zip that needed a registry would fail here.
  npm('ci', '--quiet', '--no-fund', '--no-audit', '--offline');
  if (withCodeCache) npm('run', 'gcp-build');
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export type Deployed = { url: string; pid: number; stderr: () => string; stop: () => Promise<void> };

export async function start(folder: string, target: string, variables: Record<string, string>): Promise<Deployed> {
  const port = await freePortFrom(0, '127.0.0.1');
  const { child, stderr } = launch(folder, target, port, variables);
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  for (const deadline = performance.now() + 30_000; !(await accepts(port)); await new Promise((done) => setTimeout(done, 20))) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`${target} did not start:\n${stderr()}`);
  }
  return {
    url: `http://127.0.0.1:${port}`, pid: child.pid!, stderr,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 12_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

export function launch(folder: string, target: string, port: number, variables: Record<string, string>, [program, ...args]: readonly string[] = ['node_modules/.bin/functions-framework']): { child: ChildProcess; stderr: () => string } {
  const env = {
    PATH, NODE_ENV: 'production', FUNCTION_TARGET: target, FUNCTION_SIGNATURE_TYPE: 'http', PORT: String(port), TMPDIR: process.env['TMPDIR'] ?? tmpdir(),
    ...variables,
    NODE_OPTIONS: `--require ${LOOPBACK} ${variables['NODE_OPTIONS'] ?? ''}`,
  };
  const child = spawn(program!, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr!.setEncoding('utf8').on('data', (more: string) => { text += more; });
  return { child, stderr: () => text };
}
