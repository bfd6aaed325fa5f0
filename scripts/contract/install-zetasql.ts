// A folder in, Google's GoogleSQL analyser and reference evaluator installed in it; called by `npm run contract -- --install`.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const PACKAGE = '@fivetrandevelopers/zetasql';
/** Pinned: its answers are expectations in tests. */
const VERSION = '1.13.0';

/**
 * Not a dependency of the product because it weighs 354 MB (servers for four platforms).
 * A folder that has this version already is left as it is.
 */
export async function installZetasql(dir: string): Promise<void> {
  if (installedVersion(dir) === VERSION) return;
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'package.json'), `${JSON.stringify({ name: 'contract-zetasql', private: true, dependencies: { [PACKAGE]: VERSION } }, null, 2)}\n`);
  await npmInstall(dir);
  if (installedVersion(dir) !== VERSION) throw new Error(`npm installed no ${PACKAGE} ${VERSION} into ${dir}`);
}

function installedVersion(dir: string): string | undefined {
  const file = join(dir, 'node_modules', PACKAGE, 'package.json');
  if (!existsSync(file)) return undefined;
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version?: string };
  return version;
}

function npmInstall(dir: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Its installation scripts are not needed: the servers come built.
    const npm = spawn('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: dir, stdio: ['ignore', 'inherit', 'inherit'] });
    npm.on('error', reject);
    npm.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`npm install of ${PACKAGE} ended with code ${code}`))));
  });
}
