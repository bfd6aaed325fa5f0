// A folder in, fake-gcs-server (an independent Cloud Storage in Go) built in its bin/; called by `npm run contract -- --install`.
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const PACKAGE = 'github.com/fsouza/fake-gcs-server';
/** Pinned: the marks in test/contract/storage were made against this version. */
const VERSION = 'v1.56.1';
const SAID_MAX = 4_000;

/** A folder that has this version already is left as it is. */
export async function installFakeGcsServer(dir: string): Promise<void> {
  const bin = resolve(dir, 'bin');
  const note = join(bin, 'fake-gcs-server.version');
  if ((await readFile(note, 'utf8').catch(() => '')) === VERSION) return;
  await mkdir(bin, { recursive: true });
  await goInstall(bin);
  await writeFile(note, VERSION);
}

function goInstall(bin: string): Promise<void> {
  return new Promise((done, fail) => {
    const go = spawn('go', ['install', `${PACKAGE}@${VERSION}`], { env: { ...process.env, GOBIN: bin }, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    go.stderr.on('data', (chunk: Buffer) => { said = (said + chunk.toString('utf8')).slice(-SAID_MAX); });
    go.once('error', fail);
    go.once('exit', (code) => (code === 0 ? done() : fail(new Error(`go install of ${PACKAGE} ended with ${code}:\n${said}`))));
  });
}
