// A folder in, fake-gcs-server (an independent Cloud Storage in Go) built in its bin/; called by `npm run contract -- --install`.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { runQuietly } from './run-quietly.ts';

const PACKAGE = 'github.com/fsouza/fake-gcs-server';
/** Pinned: the marks in test/contract/storage were made against this version. */
const VERSION = 'v1.56.1';

/** A folder that has this version already is left as it is. */
export async function installFakeGcsServer(dir: string): Promise<void> {
  const bin = resolve(dir, 'bin');
  const note = join(bin, 'fake-gcs-server.version');
  if ((await readFile(note, 'utf8').catch(() => '')) === VERSION) return;
  await mkdir(bin, { recursive: true });
  await runQuietly('go', ['install', `${PACKAGE}@${VERSION}`], { env: { GOBIN: bin } });
  await writeFile(note, VERSION);
}
