// The small Cloud Storage: Google's JSON API over HTTP on a folder of files. emulators/run.ts starts it, tests start it in their own process.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pauseFor, type FaultPlan } from '../faults.ts';
import type { RunningService, ServiceOptions } from '../service.ts';
import * as buckets from './buckets.ts';
import { refuseOptions, routeOf, type Answer, type Call, type Handler } from './call.ts';
import * as objects from './objects.ts';
import { plannedFailure, Refusal } from './refusal.ts';
import { Store } from './store.ts';
import * as uploads from './uploads.ts';

/** The methods there are; everything else is answered 501. */
const HANDLERS: Record<string, Handler> = {
  'buckets.insert': buckets.insert, 'buckets.list': buckets.list, 'buckets.get': buckets.get, 'buckets.patch': buckets.patch, 'buckets.update': buckets.update, 'buckets.delete': buckets.remove,
  'objects.insert': uploads.insert, 'uploads.cancel': uploads.cancel, 'objects.list': objects.list, 'objects.get': objects.get, 'objects.patch': objects.patch, 'objects.update': objects.update,
  'objects.delete': objects.remove, 'objects.compose': objects.compose, 'objects.copy': objects.copy, 'objects.rewrite': objects.rewrite,
};

export async function start(options: ServiceOptions): Promise<RunningService> {
  const store = await Store.open(options.dataDir, options.now);
  const server = createServer((request, response) => void serve(options, store, request, response));
  // Clients keep connections for minutes; a short limit here would break a request now and then.
  server.keepAliveTimeout = 620_000;
  await new Promise<void>((done, fail) => server.once('error', fail).listen(options.port, options.host, done));
  return {
    port: (server.address() as AddressInfo).port,
    gauges: () => ({ buckets: store.listBuckets().length, objects: store.listBuckets().reduce((count, { name }) => count + store.names(name).count, 0) }),
    close: () => new Promise((done) => {
      server.close(() => done());
      server.closeIdleConnections();
    }),
  };
}

async function serve(options: ServiceOptions, store: Store, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.on('error', () => {});
  try {
    const base = `http://${request.headers.host ?? '127.0.0.1'}`;
    const url = new URL(request.url ?? '/', base);
    const route = routeOf(request.method ?? 'GET', url.pathname);
    const call: Call = { bucket: '', object: '', toBucket: '', toObject: '', ...route, query: url.searchParams, request, response, store, base };
    const fault = options.faults.take(route.method);
    const isAnswerLost = fault !== undefined && (fault.kind === 'fail' || fault.kind === 'hang');
    if (isAnswerLost && fault.takes_effect) await HANDLERS[route.method]!(call);
    if (fault !== undefined) await pauseFor(fault);
    if (fault?.kind === 'fail') throw plannedFailure(fault.status);
    refuseOptions(call);
    send(request, response, await carryOut(call, fault));
  } catch (error) {
    refuse(request, response, error);
  }
}

/** `lose`: answers as if it were done, and it is not. `duplicate`: it is done, and the connection breaks before the answer, so that the client does it again. */
async function carryOut(call: Call, fault: FaultPlan | undefined): Promise<Answer | undefined> {
  if (fault?.kind === 'lose' && call.method !== 'objects.get') return loseOnPurpose(call);
  const answer = await HANDLERS[call.method]!(call);
  if (fault?.kind === 'duplicate') call.response.destroy();
  return answer;
}

async function loseOnPurpose(call: Call): Promise<Answer> {
  for await (const _chunk of call.request);
  if (call.method.endsWith('.delete')) return { status: 204 };
  const time = new Date().toISOString();
  return { json: { kind: 'storage#object', bucket: call.bucket, name: call.query.get('name') ?? call.object, generation: '1', metageneration: '1', timeCreated: time, updated: time } };
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer | undefined): void {
  if (answer === undefined || response.destroyed) return;
  const body = answer.json === undefined ? undefined : JSON.stringify(answer.json);
  response.writeHead(answer.status ?? 200, {
    ...answer.headers,
    ...(body === undefined ? { 'content-length': '0' } : { 'content-type': 'application/json; charset=UTF-8', 'content-length': String(Buffer.byteLength(body)) }),
    // A body that was not read to its end would be taken for the next request.
    ...(request.complete || request.readableEnded ? {} : { connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.destroyed) return;
  if (response.headersSent) return void response.destroy();
  const refusal = error instanceof Refusal ? error : new Refusal(500, 'internalError', error instanceof Error ? error.message : String(error));
  if (!(error instanceof Refusal) && !request.destroyed) console.error(error);
  send(request, response, refusal.status === 304 ? { status: 304 } : { status: refusal.status, json: refusal.toBody() });
}
