// kill -9 of the real process: what was acknowledged is there afterwards, once; what was running is told to have failed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { localProcess, type LocalProcess } from '../local-process.ts';
import { appendStream, clientFor, messageType } from './local-bigquery.ts';

const ROW = messageType('Row', { id: { id: 1, type: 'string' }, l: { id: 2, type: 'message', repeated: true, nested: messageType('L', { k: { id: 1, type: 'string' } }) } });
const FIELDS = [{ name: 'id', type: 'STRING' }, { name: 'l', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'k', type: 'STRING' }] }];

let dir = '';
let running: LocalProcess | undefined;
afterEach(async () => {
  await running?.kill('SIGKILL');
  running = undefined;
  rmSync(dir, { recursive: true, force: true });
});
async function launch(): Promise<LocalProcess> {
  if (dir === '' || running === undefined) dir = mkdtempSync(join(tmpdir(), 'bigquery-crash-'));
  running = await localProcess('bigquery', dir);
  return running;
}
const kill = (process: LocalProcess): Promise<unknown> => process.kill('SIGKILL');

test('every acknowledged row is there exactly once after kills in the middle of appends, moves and queries', async () => {
  let local = await launch();
  await clientFor(local.port).createDataset('d');
  await clientFor(local.port).dataset('d').createTable('t', { schema: { fields: FIELDS } } as never);
  const acknowledged = new Set<string>();
  const sent = new Set<string>();
  for (let round = 0; round < 4; round += 1) {
    const streams = [0, 1, 2].map(() => appendStream(local.write_port!, 'd', 't'));
    let isOver = false;
    const senders = streams.map(async (stream, at) => {
      for (let n = 0; !isOver; n += 1) {
        const ids = Array.from({ length: 40 }, (_, row) => `${round}-${at}-${n}-${row}`);
        for (const id of ids) sent.add(id);
        const answer = await stream.append(ROW.descriptor, ids.map((id) => ROW.encode({ id, l: [{ k: id }] })));
        if (!answer.error) for (const id of ids) acknowledged.add(id);
      }
    });
    // Queries make the rows move into DuckDB all the while.
    const asking = (async () => { while (!isOver) await clientFor(local.port).query('SELECT COUNT(*) AS n FROM d.t'); })();
    for (const work of [...senders, asking]) work.catch(() => undefined);
    await new Promise((done) => setTimeout(done, 250 + round * 130));
    await kill(local);
    isOver = true;
    await Promise.allSettled(senders);
    local = await launch();
  }
  const [rows] = await clientFor(local.port).query('SELECT id, l FROM d.t');
  const stored = rows.map((row: { id: string }) => row.id);
  expect(acknowledged.size).toBeGreaterThan(100);
  const distinct = new Set(stored);
  expect(distinct.size).toBe(stored.length);
  expect([...acknowledged].filter((id) => !distinct.has(id))).toEqual([]);
  expect(stored.filter((id: string) => !sent.has(id))).toEqual([]);
  expect(rows.every((row: { id: string; l: { k: string }[] }) => row.l[0]?.k === row.id)).toBe(true);
}, 60_000);

test('a job that ran at the kill is DONE with an error, its id stays taken, its destination untouched; a finished one keeps its rows', async () => {
  const local = await launch();
  const client = clientFor(local.port);
  await client.createDataset('d', { labels: { zone: 'utc' } });
  const [first] = await client.createQueryJob({ query: 'SELECT 1 AS a', destination: client.dataset('d').table('target'), jobId: 'first' } as never);
  await first.getQueryResults();
  const [anonymous] = await client.createQueryJob({ query: 'SELECT 7 AS seven', jobId: 'anonymous' } as never);
  await anonymous.getQueryResults();
  await fetch(`http://127.0.0.1:${local.control_port}/faults`, { method: 'POST', body: JSON.stringify({ method: 'job.run', kind: 'delay', delay_ms: 60_000 }) });
  await client.createQueryJob({ query: 'SELECT 2 AS a', destination: client.dataset('d').table('target'), writeDisposition: 'WRITE_TRUNCATE', jobId: 'second' } as never);
  await kill(local);

  const again = clientFor((await launch()).port);
  expect((await again.job('second').getMetadata())[0].status).toMatchObject({ state: 'DONE', errorResult: { reason: 'backendError' } });
  await expect(again.createQueryJob({ query: 'SELECT 3 AS a', jobId: 'first' } as never)).rejects.toMatchObject({ code: 409 });
  await expect(again.createQueryJob({ query: 'SELECT 3 AS a', jobId: 'second' } as never)).rejects.toMatchObject({ code: 409 });
  expect((await again.query('SELECT a FROM d.target'))[0]).toEqual([{ a: 1 }]);
  expect((await again.job('anonymous').getQueryResults())[0]).toEqual([{ seven: 7 }]);
  expect((await again.dataset('d').getMetadata())[0].labels).toEqual({ zone: 'utc' });
}, 60_000);
