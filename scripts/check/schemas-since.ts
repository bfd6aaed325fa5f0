// A commit or tag in, the catalogue of its schemas/ out, read from git without touching the working tree. Called by scripts/check.ts.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readCatalogue, type Catalogue } from '../generate/read-catalogue.ts';

const git = (root: string, ...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024 });

/** The last release tag, v1.2.3, that this commit descends from. */
export function lastRelease(root: string): string | undefined {
  try {
    return git(root, 'describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*').trim();
  } catch {
    return undefined;
  }
}

/** undefined when that commit had no catalogue yet. */
export function catalogueAt(root: string, commit: string): Catalogue | undefined {
  const paths = git(root, 'ls-tree', '-r', '--name-only', commit, '--', 'schemas').split('\n')
    .filter((path) => path.endsWith('.json') && !path.startsWith('schemas/generated/') && !path.includes('/examples/'));
  if (!paths.includes('schemas/streams.schema.json')) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'chiplog-schemas-'));
  try {
    for (const path of paths) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), git(root, 'show', `${commit}:${path}`));
    }
    return readCatalogue(join(folder, 'schemas'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
