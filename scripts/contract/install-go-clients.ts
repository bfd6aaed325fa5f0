// A folder in, a program that uses Google's Go clients built into its bin/; called by `npm run contract -- --install`, run by test/contract/clients/go.test.ts.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Its go.mod pins the versions of the clients. */
const SOURCE = resolve(import.meta.dirname, '../../test/contract/clients/go');
const SAID_MAX = 4_000;

/** Built again only when a pinned version or the program has changed. */
export async function installGoClients(dir: string): Promise<void> {
  const program = join(dir, 'bin/go-clients');
  const note = `${program}.built-from`;
  const builtFrom = ['go.mod', 'go.sum', 'main.go'].map((name) => readFileSync(join(SOURCE, name), 'utf8')).join('\n');
  if (existsSync(program) && existsSync(note) && readFileSync(note, 'utf8') === builtFrom) return;
  await mkdir(join(dir, 'bin'), { recursive: true });
  await build(program);
  await writeFile(note, builtFrom);
}

/** Quiet; throws with the last of what the compiler said when it fails. */
function build(program: string): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn('go', ['build', '-trimpath', '-o', program, '.'], { cwd: SOURCE, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const output of [child.stdout, child.stderr]) output.on('data', (chunk: Buffer) => { said = `${said}${chunk.toString('utf8')}`.slice(-SAID_MAX); });
    child.on('error', fail);
    child.on('exit', (code) => (code === 0 ? done() : fail(new Error(`go build of test/contract/clients/go ended with code ${code}:\n${said}`))));
  });
}
