// The small Cloud Storage: Google's JSON API over HTTP on a folder of files. emulators/run.ts starts it, tests start it in their own process.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pauseFor, type FaultPlan } from '../faults.ts';
import type { RunningService, ServiceOptions } from '../service.ts';
import * as buckets from './buckets.ts';
import { refuseOptions, routeOf, type Answer, type Call, type Handler } from './call.ts';
import { breakConnection, ConnectionBroken } from './damage.ts';
import { storageFaultPoints } from './fault-points.ts';
import { partOf } from './fields.ts';
import * as objects from './objects.ts';
import { plannedFailure, Refusal, unsupported } from './refusal.ts';
import { Store } from './store.ts';
import * as transfers from './transfers.ts';
import * as uploads from './uploads.ts';

/** The methods there are; the others of api.ts are refused by name. */
const HANDLERS: Record<string, Handler> = {
  'buckets.insert': buckets.insert, 'buckets.list': buckets.list, 'buckets.get': buckets.get, 'buckets.patch': buckets.patch, 'buckets.update': buckets.update, 'buckets.delete': buckets.remove,
  'buckets.lockRetentionPolicy': buckets.lockRetentionPolicy, 'buckets.getStorageLayout': buckets.getStorageLayout, 'managedFolders.list': buckets.listManagedFolders,
  'objects.insert': uploads.insert, 'uploads.cancel': uploads.cancel, 'objects.list': objects.list, 'objects.get': objects.get, 'objects.patch': objects.patch, 'objects.update': objects.update,
  'objects.delete': objects.remove, 'objects.restore': objects.restore,
  'objects.compose': transfers.compose, 'objects.copy': transfers.copy, 'objects.rewrite': transfers.rewrite, 'objects.move': transfers.move,
};
/** How often the clock is asked whether a lifecycle rule or the end of a soft deletion is due. */
const SWEEP_MS = 500;
/** Of many objects that takes a while: it never has more than a twentieth of the time. */
const SWEEP_SHARE = 20;

export async function start(options: ServiceOptions): Promise<RunningService> {
  const store = await Store.open(options.dataDir, options.now);
  const server = createServer((request, response) => void serve(options, store, request, response));
  // Clients keep connections for minutes; a short limit here would break a request now and then.
  server.keepAliveTimeout = 620_000;
  await new Promise<void>((done, fail) => server.once('error', fail).listen(options.port, options.host, done));
  const stopSweeping = sweepAgain(store);
  return {
    port: (server.address() as AddressInfo).port,
    faultPoints: storageFaultPoints(Object.keys(HANDLERS)),
    gauges: () => ({ buckets: store.listBuckets().length, objects: store.listBuckets().reduce((count, { name }) => count + store.index(name).live.count, 0) }),
    close: () => new Promise((done) => {
      stopSweeping();
      server.close(() => done());
      server.closeIdleConnections();
    }),
  };
}

function sweepAgain(store: Store): () => void {
  let isOver = false;
  const again = (waitMs: number): void => {
    setTimeout(async () => {
      const lookedMs = await store.sweep().catch((error: unknown) => {
        console.error(error);
        return 0;
      });
      if (!isOver) again(Math.max(SWEEP_MS, lookedMs * SWEEP_SHARE));
    }, waitMs).unref();
  };
  again(SWEEP_MS);
  return () => { isOver = true; };
}

async function serve(options: ServiceOptions, store: Store, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.on('error', () => {});
  try {
    const base = `http://${request.headers.host ?? '127.0.0.1'}`;
    const url = new URL(request.url ?? '/', base);
    const route = routeOf(request.method ?? 'GET', url.pathname);
    const call: Call = { bucket: '', object: '', toBucket: '', toObject: '', ...route, query: url.searchParams, request, response, store, base };
    const handler = HANDLERS[route.method];
    if (handler === undefined) throw unsupported(route.method);
    const fault = options.faults.take(route.method, `${call.bucket}/${call.object || call.query.get('name') || ''}`);
    if (fault !== undefined) call.fault = fault;
    refuseOptions(call);
    send(call, await underFault(call, handler, fault));
  } catch (error) {
    if (!(error instanceof ConnectionBroken)) await readRest(request);
    // Downloads are refused in plain text, as Google does.
    refuse(request, response, error, /\/o\/.*[?&]alt=media(&|$)/.test(request.url ?? ''));
  }
}

/** A client that is still sending when its connection is closed never sees the answer; this much is waited for. */
const REST_BYTES_MAX = 64 * 1024 * 1024;
const REST_MS_MAX = 2_000;

function readRest(request: IncomingMessage): Promise<void> {
  if (request.complete || request.readableEnded || request.destroyed) return Promise.resolve();
  return new Promise((done) => {
    let bytes = 0;
    const timer = setTimeout(done, REST_MS_MAX);
    const end = (): void => {
      clearTimeout(timer);
      done();
    };
    request.on('data', (chunk: Buffer) => { if ((bytes += chunk.length) > REST_BYTES_MAX) end(); }).once('end', end).once('close', end);
  });
}

/** `lose`: answers as if it were done, and it is not. `duplicate`: it is done, and the connection breaks before the answer, so that the client does it again. */
async function underFault(call: Call, handler: Handler, fault: FaultPlan | undefined): Promise<Answer | undefined> {
  const isAnswerLost = fault?.kind === 'fail' || fault?.kind === 'hang';
  if (isAnswerLost && fault.takes_effect) await handler(call);
  if (fault !== undefined) await pauseFor(fault);
  if (fault?.kind === 'fail') throw plannedFailure(fault.status);
  if (fault?.kind === 'reset' && (fault.bytes ?? 0) === 0) breakConnection(call);
  if (fault?.kind === 'lose') return loseOnPurpose(call);
  const answer = await handler(call);
  if (fault?.kind === 'duplicate') call.response.destroy();
  return answer;
}

async function loseOnPurpose(call: Call): Promise<Answer> {
  for await (const _chunk of call.request);
  if (call.method.endsWith('.delete')) return { status: 204 };
  const time = new Date().toISOString();
  return { json: { kind: 'storage#object', bucket: call.bucket, name: call.query.get('name') ?? call.object, generation: '1', metageneration: '1', timeCreated: time, updated: time } };
}

function send({ query, request, response }: Call, answer: Answer | undefined): void {
  if (answer === undefined) return;
  const fields = query.get('fields');
  write(request, response, fields && answer.json !== undefined ? { ...answer, json: partOf(answer.json, fields) } : answer);
}

function write(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (response.destroyed) return;
  const body = answer.json === undefined ? answer.text ?? '' : JSON.stringify(answer.json);
  const type = body === '' ? {} : { 'content-type': answer.json === undefined ? 'text/plain; charset=utf-8' : 'application/json; charset=UTF-8' };
  response.writeHead(answer.status ?? 200, {
    ...answer.headers, ...type,
    ...(answer.status === 204 || answer.status === 304 ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    // A body that was not read to its end would be taken for the next request.
    ...(request.complete || request.readableEnded ? {} : { connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown, isMedia: boolean): void {
  if (response.destroyed || error instanceof ConnectionBroken) return;
  if (response.headersSent) return void response.destroy();
  const refusal = error instanceof Refusal ? error : new Refusal(500, 'internalError', error instanceof Error ? error.message : String(error));
  if (!(error instanceof Refusal) && !request.destroyed) console.error(error);
  const { status, headers } = refusal;
  if (status === 304) write(request, response, { status });
  else write(request, response, { status, headers, ...(refusal.isPlainText || isMedia ? { text: refusal.message } : { json: refusal.toBody() }) });
}
