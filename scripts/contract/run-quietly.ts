// A command of another tool in; nothing printed, or an Error with the last of what it said, out. The installers beside it call this.
import { spawn } from 'node:child_process';

const SAID_MAX = 4_000;
/** Enough of the command to know it by; a list of packages is long. */
const ARGUMENTS_SHOWN = 3;

export function runQuietly(command: string, args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { ...(options.cwd === undefined ? {} : { cwd: options.cwd }), stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } });
    let said = '';
    for (const output of [child.stdout, child.stderr]) output.on('data', (chunk: Buffer) => { said = `${said}${chunk.toString('utf8')}`.slice(-SAID_MAX); });
    child.on('error', fail);
    child.on('exit', (code) => (code === 0 ? done() : fail(new Error(`${command} ${args.slice(0, ARGUMENTS_SHOWN).join(' ')} ended with code ${code}:\n${said}`))));
  });
}
