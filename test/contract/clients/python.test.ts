// Google's Python clients, which nobody here wrote, against a whole local run: each script of this folder does its work and tells what it counted.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spawnLocalRun, type SpawnedRun } from '../../../scripts/local/spawn-run.ts';
import { batchOf, eventAt, eventually, send } from '../../flow/tour.ts';
import { INSTALLED } from '../implementations.ts';
import { uniqueName } from '../wait.ts';

const PYTHON = join(INSTALLED, 'python/bin/python');
const isAbsent = !existsSync(join(INSTALLED, 'python/installed.txt'));
const SCRIPT_MS_MAX = 90_000;

let run: SpawnedRun;

async function python(script: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(PYTHON, [join(import.meta.dirname, script), ...args], {
    timeout: SCRIPT_MS_MAX, env: { ...process.env, ...run.env, BIGQUERY_WRITE_ENDPOINT: run.bigquery_write_endpoint, PYTHONWARNINGS: 'ignore' },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, unknown>;
}

// npm run contract -- --clients python asks for them by name: then their absence is a failure.
test.runIf(process.env['CONTRACT_CLIENTS_NEEDED'] === '1')('the Python clients are installed', () => {
  expect(isAbsent, 'npm run contract -- --install puts them there').toBe(false);
});

describe.skipIf(isAbsent)(`Google's Python clients${isAbsent ? ' (not installed: npm run contract -- --install)' : ''}`, () => {
  beforeAll(async () => { run = await spawnLocalRun(); });
  afterAll(() => run?.stop());

  test.concurrent('BigQuery: rows of every way in are counted by queries, pages and data frames alike', { timeout: SCRIPT_MS_MAX }, async () => {
    const told = await python('use_bigquery.py', uniqueName('python').replaceAll('-', '_'));
    // 2 by insertAll, 10 and 1 by load jobs, 2 x 25 by the Storage Write API.
    expect(told['by_kind']).toEqual({ json: 2, file: 10, memory: 1, append: 50 });
    const n = 1 + 2 + 45 + 1 + 2 * 300;
    expect(told['frame']).toEqual([63, 'Int64', 'datetime64[us, UTC]', n]);
    expect(told['pages']).toEqual([63, 7]);
    expect([told['listed'], told['frame_of_list'], told['is_dry']]).toEqual([[{ n: 63 }], [63], true]);
    expect(told['problems']).toEqual({ duplicate: [409, 'duplicate'], syntax: [400, 'invalidQuery'], missing: [404, 'notFound'] });
    expect(told['tables']).toEqual(['counted', 'things']);
  });

  test.concurrent('Cloud Storage: uploads in one and in pieces come back to the byte, composed members inflate, refusals have Google\'s codes', { timeout: SCRIPT_MS_MAX }, async () => {
    expect(await python('use_storage.py', uniqueName('python'))).toEqual({
      text: 'grüße', is_same: true, size: 3 * 256 * 1024 + 17, part: true, composed: 'line 0\nline 1\nline 2\n', components: 3, names: ['whole.gz'], prefixes: ['a/', 'members/'],
      paged: ['members/0', 'members/1', 'members/2'], statuses: { 'there already': 412, missing: 404, 'not empty': 409 },
    });
  });

  test.concurrent('Pub/Sub: what is published comes by stream and by pull, a refused message again, a poisoned one as a dead letter', { timeout: SCRIPT_MS_MAX }, async () => {
    const told = await python('use_pubsub.py', uniqueName('python'));
    expect(told).toMatchObject({ ids: 50, came: true, taken: 50, left: 0, buried: 'poison', delivery_count: '5', status: 409 });
    expect((told['repeated'] as number[]).length).toBeGreaterThanOrEqual(2);
    expect(told['attempts']).toEqual([1, 2, 3, 4, 5]);
    expect(told['source']).toMatch(/-fragile$/);
  });

  test.concurrent('what the collector answered 200 is a data frame for an analyst, and a file with the body as sent', { timeout: SCRIPT_MS_MAX }, async () => {
    const marker = uniqueName('python');
    const events = Array.from({ length: 20 }, () => eventAt(Date.now(), 'python_read', { event_params: { marker } }));
    expect((await send(run, '/v1/events', batchOf(events, { user_pseudo_id: marker }))).status).toBe(200);
    await eventually('20 rows and their file', async () => {
      const told = await python('read_product.py', run.dataset, run.bucket, marker);
      return JSON.stringify(told) === JSON.stringify({ bodies: [20], markers: [marker], rows: 20 });
    });
  });
});
