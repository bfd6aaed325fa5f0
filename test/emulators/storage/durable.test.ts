// What the small Cloud Storage acknowledged is there after kill -9, whole; what it did not finish is not there at all.
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const dir = mkdtempSync(join(tmpdir(), 'storage-durable-'));
let child: ChildProcess | undefined;
afterAll(() => {
  child?.kill('SIGKILL');
  rmSync(dir, { recursive: true });
});

async function startProcess(): Promise<string> {
  child = spawn(process.execPath, ['--import', './emulators/preload.ts', 'emulators/run.ts', 'storage', '--data', dir], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout! })) return `http://127.0.0.1:${(JSON.parse(line) as { port: number }).port}`;
  throw new Error('The service said nothing.');
}

async function kill(): Promise<void> {
  const ended = new Promise((done) => child!.once('exit', done));
  child!.kill('SIGKILL');
  await ended;
}

it('keeps every acknowledged object byte by byte over three kills in the middle of uploads', async () => {
  const acknowledged = new Map<string, string>();
  let base = await startProcess();
  await fetch(`${base}/b?project=local`, { method: 'POST', body: JSON.stringify({ name: 'kept' }) });
  for (let round = 0; round < 3; round += 1) {
    let number = 0;
    let broken = 0;
    const upload = async (): Promise<void> => {
      for (;;) {
        const name = `round-${round}/${number++}`;
        const bytes = randomBytes(1 + ((number * 7_919) % 200_000));
        try {
          const response = await fetch(`${base}/upload/storage/v1/b/kept/o?uploadType=media&name=${encodeURIComponent(name)}&ifGenerationMatch=0`, { method: 'POST', body: bytes });
          if (response.status !== 200) throw new Error(String(response.status));
          await response.arrayBuffer();
          acknowledged.set(name, createHash('md5').update(bytes).digest('base64'));
        } catch {
          broken += 1;
          return;
        }
      }
    };
    const uploads = Array.from({ length: 6 }, upload);
    const before = acknowledged.size;
    while (acknowledged.size < before + 40) await new Promise((done) => setTimeout(done, 5));
    await kill();
    await Promise.all(uploads);
    expect(broken).toBe(6);
    base = await startProcess();
  }
  const stored = new Map<string, { md5Hash: string; size: string }>();
  for (let token: string | undefined = ''; token !== undefined;) {
    const page = (await (await fetch(`${base}/b/kept/o?maxResults=100&pageToken=${token}`)).json()) as { items: { name: string; md5Hash: string; size: string }[]; nextPageToken?: string };
    for (const item of page.items) stored.set(item.name, item);
    token = page.nextPageToken;
  }
  expect([...acknowledged].filter(([name, md5]) => stored.get(name)?.md5Hash !== md5)).toEqual([]);
  // Also of those that were stored but not acknowledged any more, none is torn.
  await Promise.all([...stored].map(async ([name, { md5Hash }]) => {
    const bytes = Buffer.from(await (await fetch(`${base}/b/kept/o/${encodeURIComponent(name)}?alt=media`)).arrayBuffer());
    expect(createHash('md5').update(bytes).digest('base64'), name).toBe(md5Hash);
  }));
}, 60_000);
