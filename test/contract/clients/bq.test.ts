// Google's command line tool `bq`, where it is installed, against the local BigQuery: its own description of the API, pointed at our address.
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localProcess, type LocalProcess } from '../../emulators/local-process.ts';

const found = spawnSync('bash', ['-c', 'command -v bq'], { encoding: 'utf8' }).stdout.trim();
/** Newer releases of the tool carry it; without it the tool would ask the service for one. */
const discovery = found === '' ? '' : join(dirname(realpathSync(found)), '../platform/bq/discovery_next/bigquery.json');
/** It computes for seconds at each of its starts, so npm test leaves it out. */
const isAsked = process.env['CONTRACT_CLIENTS_NEEDED'] === '1';
const whyNot = found === '' || !existsSync(discovery) ? ' (not on this machine)' : isAsked ? '' : ' (npm run contract -- --clients python)';

describe.skipIf(whyNot !== '')(`Google's bq${whyNot}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'bq-'));
  let local: LocalProcess;
  beforeAll(async () => {
    local = await localProcess('bigquery', join(dir, 'bigquery'));
    writeFileSync(join(dir, 'api.json'), readFileSync(discovery, 'utf8').replaceAll('https://bigquery.googleapis.com/', `http://127.0.0.1:${local.port}/`));
    writeFileSync(join(dir, 'token'), 'local\n');
    writeFileSync(join(dir, 'row.json'), '{"id":"a","n":1}\n{"id":"ü","n":2}\n');
  });
  afterAll(async () => {
    await local?.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });

  async function bq(...args: string[]): Promise<string> {
    const flags = ['--api', `http://127.0.0.1:${local.port}`, '--discovery_file', join(dir, 'api.json'), '--project_id=test-project', '--quiet', '--headless'];
    const env = { ...process.env, HOME: dir, CLOUDSDK_CONFIG: join(dir, 'gcloud'), CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(dir, 'token') };
    return (await promisify(execFile)('bq', [...flags, ...args], { env, timeout: 60_000 })).stdout;
  }

  test('makes a dataset and a table, inserts, loads, queries, lists and removes', { timeout: 200_000 }, async () => {
    await bq('mk', '-d', 'things');
    await bq('mk', '-t', 'things.t', 'id:STRING,n:INTEGER');
    await bq('insert', 'things.t', join(dir, 'row.json'));
    await bq('load', '--source_format=NEWLINE_DELIMITED_JSON', 'things.t', join(dir, 'row.json'));
    expect(JSON.parse(await bq('--format=json', 'query', '--nouse_legacy_sql', 'SELECT id, COUNT(*) AS n FROM things.t GROUP BY id ORDER BY id'))).toEqual([{ id: 'a', n: '2' }, { id: 'ü', n: '2' }]);
    const listed = (): Promise<string[]> => bq('--format=json', 'ls', 'things').then((text) => (text.trim() === '' ? [] : (JSON.parse(text) as { tableReference: { tableId: string } }[]).map(({ tableReference }) => tableReference.tableId)));
    expect(await listed()).toEqual(['t']);
    await bq('rm', '-f', '-t', 'things.t');
    expect(await listed()).toEqual([]);
  });
});
