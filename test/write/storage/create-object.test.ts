// What Cloud Storage may answer to an upload over a name that is taken, through Google's own client against a server that answers so.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createObjectsIn } from '../../../functions/write/storage/create-object.ts';

let server: Server;
let answer: { status: number; message: string };

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      const { status, message } = answer;
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error: { code: status, message, errors: [{ message, domain: 'global', reason: 'forbidden' }] } }));
    });
  });
  await new Promise<void>((listening) => { server.listen(0, '127.0.0.1', listening); });
  process.env['STORAGE_EMULATOR_HOST'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  delete process.env['STORAGE_EMULATOR_HOST'];
  await new Promise((closed) => { server.close(closed); });
});

const create = (): Promise<boolean> => createObjectsIn('chiplog-local', 'chiplog-local-raw')({ name: 'raw/events/dt=2026-01-15/hour=12/1.ndjson.gz', bytes: Buffer.from('a'), contentType: 'application/gzip', md5Base64: 'DMF1ucDxtqgxw5niaXcmYQ==', metadata: {} });
const ACCOUNT = 'chiplog-write-storage@acme-events.iam.gserviceaccount.com';

test.each([
  ['412 by the precondition', { status: 412, message: 'At least one of the pre-conditions you specified did not hold.' }],
  ['403, as the account may not replace it', { status: 403, message: `${ACCOUNT} does not have storage.objects.delete access to the Google Cloud Storage object. Permission 'storage.objects.delete' denied on resource (or it may not exist).` }],
])('F30: an object that is there already is found by %s', async (_how, given) => {
  answer = given;
  expect(await create()).toBe(false);
});

test.each([
  ['a grant that is gone', { status: 403, message: `${ACCOUNT} does not have storage.objects.create access to the Google Cloud Storage object. Permission 'storage.objects.create' denied on resource (or it may not exist).` }],
  ['a bucket that is gone', { status: 404, message: 'The specified bucket does not exist.' }],
])('%s is not taken for an object that is there already', async (_what, given) => {
  answer = given;
  await expect(create()).rejects.toThrow(given.message);
});
