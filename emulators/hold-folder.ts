// One process at a time on a data folder: run.ts takes hold before a service reads its files, and `npm start` of the folder around them. A killed supervisor leaves its services alive for
// a moment, and the next start must not write into the same journals.
import { createHash } from 'node:crypto';
import { realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long the process before may take to end. */
const WAIT_MS = 6_000;
const LOOK_MS = 50;

export class FolderInUse extends Error {}

/** Resolves when the folder is ours, until this process ends; fails when another keeps it. A socket, not a file with a pid: it dies with its process. */
export async function holdFolder(dataDir: string, waitMs = WAIT_MS): Promise<Server> {
  const name = `local-cloud-${createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 24)}.sock`;
  // Linux has sockets without a file, so that nothing is left behind; elsewhere the file lies outside the folder, which people copy.
  const isAbstract = process.platform === 'linux';
  const path = isAbstract ? `\0${name}` : join(tmpdir(), name);
  for (const endMs = performance.now() + waitMs; ; await new Promise((done) => setTimeout(done, LOOK_MS))) {
    const held = await listenAt(path);
    if (held !== undefined) return held;
    if (await isAnswered(path)) {
      if (performance.now() > endMs) throw new FolderInUse(`Another process is using ${dataDir}. End it, or give --data another folder.`);
    } else if (!isAbstract) rmSync(path, { force: true }); // left behind by SIGKILL
  }
}

function listenAt(path: string): Promise<Server | undefined> {
  return new Promise((done, fail) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? done(undefined) : fail(error)));
    server.listen(path, () => done(server));
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
