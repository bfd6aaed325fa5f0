// A folder in, bqemulator (DuckDB and SQLGlot in Python) installed in a venv below it; called by `npm run contract -- --install`.
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runQuietly } from './run-quietly.ts';

/** Pinned: the marks in test/contract/bigquery* were made against this version. */
const VERSION = '1.4.0';
/** Its spatial extension comes from a package, because DuckDB would otherwise download it at start; the two must be of one version. */
const DUCKDB = '1.5.5';
const PACKAGES = [`bqemulator==${VERSION}`, 'numpy', `duckdb==${DUCKDB}`, `duckdb-extensions==${DUCKDB}`, `duckdb-extension-spatial==${DUCKDB}`];

/** A folder that has these versions already is left as it is. The server must later run with HOME = `<dir>/bqemulator/home`, where the extension is. */
export async function installBqemulator(dir: string): Promise<void> {
  const venv = join(dir, 'bqemulator');
  const home = join(venv, 'home');
  const note = join(venv, 'installed.txt');
  if ((await readFile(note, 'utf8').catch(() => '')) === PACKAGES.join('\n')) return;
  await mkdir(dir, { recursive: true });
  const python = join(venv, 'bin/python');
  if (!(await exists(python))) await runQuietly('python3', ['-m', 'venv', venv]);
  await runQuietly(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES]);
  await mkdir(home, { recursive: true });
  await runQuietly(python, ['-c', 'import duckdb_extensions as d; d.import_extension("spatial")'], { env: { HOME: home } });
  await writeFile(note, PACKAGES.join('\n'));
}

const exists = (path: string): Promise<boolean> => access(path).then(() => true, () => false);
