// The reader of request bodies, on Node's own requests.
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { readRawBody } from '../functions/raw-body.ts';

const LIMITS = { bodyBytesMax: 10, bodyTimeoutMs: 5_000 };

/** What reading a body of these bytes comes to; `before` may touch the request first, as a host could. */
async function read(bytes: string, before: (request: IncomingMessage) => Promise<unknown> = async () => undefined): Promise<unknown> {
  const server = createServer();
  const outcome = new Promise((done) => server.on('request', async (incoming, response) => {
    await before(incoming);
    done(await readRawBody(incoming, LIMITS));
    response.end();
  }));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const sending = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', method: 'POST' });
  sending.on('error', () => undefined).end(bytes);
  try {
    return await outcome;
  } finally {
    sending.destroy();
    server.close();
  }
}

test('a body of exactly the limit is read, one byte more is refused', async () => {
  expect(await read('0123456789')).toEqual({ kind: 'accepted', value: Buffer.from('0123456789') });
  expect(await read('0123456789x')).toMatchObject({ kind: 'rejected', error: { code: 'body_too_large' } });
});

test('a body that a host has already read is answered at once, and the client keeps its events', async () => {
  const consumed = await read('{}', (incoming) => new Promise((done) => incoming.resume().on('end', done)));
  expect(consumed).toMatchObject({ kind: 'retry', error: { code: 'invariant_broken' } });
});
