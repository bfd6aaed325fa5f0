// What lies under spill/ as Google's own client lists it, against the local Cloud Storage.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Storage } from '@google-cloud/storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Faults } from '../../emulators/faults.ts';
import type { RunningService } from '../../emulators/service.ts';
import { start } from '../../emulators/storage/server.ts';
import { LIMITS } from '../../functions/limits.ts';
import { countLeftSpilled, listSpilledOf } from '../../functions/maintain/spill.ts';

const BUCKET = 'chiplog-local-raw';
const dataDir = mkdtempSync(join(tmpdir(), 'chiplog-spill-'));
let service: RunningService;

beforeAll(async () => {
  service = await start({ host: '127.0.0.1', port: 0, dataDir, project: 'chiplog-local', faults: new Faults(), now: () => Date.now() });
  process.env['STORAGE_EMULATOR_HOST'] = `http://127.0.0.1:${service.port}`;
  await new Storage({ projectId: 'chiplog-local' }).createBucket(BUCKET);
});
afterAll(async () => {
  delete process.env['STORAGE_EMULATOR_HOST'];
  await service?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

test('only files under spill/ count, from their creation on', async () => {
  const bucket = new Storage({ projectId: 'chiplog-local' }).bucket(BUCKET);
  const list = listSpilledOf('chiplog-local', BUCKET);
  const ignore = (): void => undefined;
  expect(await countLeftSpilled(list, Date.now() + 86_400_000, ignore)).toBe(0);
  for (const name of ['spill/events/1.ndjson.gz', 'spill/rejected/2.ndjson.gz', 'raw/events/dt=2026-01-15/hour=12/3.ndjson.gz']) await bucket.file(name).save('x', { resumable: false });
  expect((await list()).map(({ name }) => name)).toEqual(['spill/events/1.ndjson.gz', 'spill/rejected/2.ndjson.gz']);
  expect(await countLeftSpilled(list, Date.now(), ignore)).toBe(0);
  expect(await countLeftSpilled(list, Date.now() + LIMITS.spillWaitsMsMax + 1_000, ignore)).toBe(2);
});
