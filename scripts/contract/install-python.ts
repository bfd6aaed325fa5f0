// A folder in, a venv below it with Google's Python clients; called by `npm run contract -- --install`, used by test/contract/clients/python.test.ts.
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runQuietly } from './run-quietly.ts';

/** Pinned, so that a new version is met on purpose. */
const PACKAGES = [
  'google-cloud-bigquery[pandas]==3.47.0', 'google-cloud-bigquery-storage==2.43.0', 'google-cloud-pubsub==2.44.0', 'google-cloud-storage==3.17.1', 'pandas==3.1.1', 'pyarrow==26.0.1', 'protobuf==7.36.2',
];

/** A venv that has these versions already is left as it is. */
export async function installPython(dir: string): Promise<void> {
  const venv = join(dir, 'python');
  const note = join(venv, 'installed.txt');
  if ((await readFile(note, 'utf8').catch(() => '')) === PACKAGES.join('\n')) return;
  await mkdir(dir, { recursive: true });
  const python = join(venv, 'bin/python');
  if (!existsSync(python)) await runQuietly('python3', ['-m', 'venv', venv]);
  await runQuietly(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES]);
  await writeFile(note, PACKAGES.join('\n'));
}
