// A folder in, the stand-in for Google's Terraform provider built into its terraform-provider/; called by `npm run contract -- --install`.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** A few lines of Go around HashiCorp's plugin library, whose go.mod pins its version. The schema is read when it runs. */
const SOURCE = resolve(import.meta.dirname, '../../test/infra/stand-in-provider');
const FILES = ['go.mod', 'go.sum', 'main.go', 'plan.go', 'schema.go'];
const SAID_MAX = 4_000;

/** Built again only when the pinned version or our few lines have changed. */
export async function installStandInProvider(dir: string): Promise<void> {
  const folder = join(dir, 'terraform-provider');
  const program = join(folder, 'terraform-provider-google');
  const note = `${program}.built-from`;
  const builtFrom = FILES.map((name) => readFileSync(join(SOURCE, name), 'utf8')).join('\n');
  if (existsSync(program) && existsSync(note) && readFileSync(note, 'utf8') === builtFrom) return;
  await mkdir(folder, { recursive: true });
  await run('go', ['build', '-trimpath', '-o', program, '.']);
  await writeFile(note, builtFrom);
}

/** Quiet; throws with the last of what the command said when it fails. */
function run(command: string, args: string[]): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: SOURCE, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const output of [child.stdout, child.stderr]) output.on('data', (chunk: Buffer) => { said = `${said}${chunk.toString('utf8')}`.slice(-SAID_MAX); });
    child.on('error', fail);
    child.on('exit', (code) => (code === 0 ? done() : fail(new Error(`${command} ${args.join(' ')} ended with code ${code}:\n${said}`))));
  });
}
