// Google's Go clients against a whole local run: the program of go/ does its work and tells what it counted.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spawnLocalRun, type SpawnedRun } from '../../../scripts/local/spawn-run.ts';
import { INSTALLED } from '../implementations.ts';
import { uniqueName } from '../wait.ts';

const PROGRAM = join(INSTALLED, 'bin/go-clients');
const isAbsent = !existsSync(`${PROGRAM}.built-from`);

let run: SpawnedRun;

describe.skipIf(isAbsent)(`Google's Go clients${isAbsent ? ' (not installed: npm run contract -- --install)' : ''}`, () => {
  beforeAll(async () => { run = await spawnLocalRun(); });
  afterAll(() => run?.stop());

  test('publish and receive, upload and compose, insert, load, append and query', { timeout: 100_000 }, async () => {
    const env = {
      ...process.env, ...run.env, BIGQUERY_WRITE_ENDPOINT: run.bigquery_write_endpoint,
      // Go's client wants host and port without a scheme.
      STORAGE_EMULATOR_HOST: run.env['STORAGE_EMULATOR_HOST']!.replace('http://', ''),
    };
    const { stdout } = await promisify(execFile)(PROGRAM, [uniqueName('go')], { env, timeout: 90_000 });
    expect(JSON.parse(stdout)).toEqual({
      came: 40, refused: 1,
      composed: 'line 0\nline 1\nline 2\n', is_same: true, part: '01234', there_already: 412, names: ['members/0', 'members/1', 'members/2'],
      counted: ['append 10', 'load 3', 'put 2'], syntax: 400, missing: 404,
    });
  });
});
