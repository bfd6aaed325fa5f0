// A Go program of this repository in, its executable out; called by the installers of what is written in Go.
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runQuietly } from './run-quietly.ts';

/** `files`: what it is made of; built again only when one of them has changed, which go.mod does with each pinned version. */
export async function buildGoProgram(source: string, files: readonly string[], program: string): Promise<void> {
  const note = `${program}.built-from`;
  const builtFrom = files.map((name) => readFileSync(join(source, name), 'utf8')).join('\n');
  if (existsSync(program) && existsSync(note) && readFileSync(note, 'utf8') === builtFrom) return;
  await mkdir(dirname(program), { recursive: true });
  await runQuietly('go', ['build', '-trimpath', '-o', program, '.'], { cwd: source });
  await writeFile(note, builtFrom);
}
