// The REST door: a request becomes {params, query, body}, is routed to a handler, and its answer or refusal becomes Google's JSON. Started by server.ts.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { pauseFor, type FaultPlan, type Faults } from '../faults.ts';
import { errorBody, Refusal, refusalOf, refusalOfFault } from './refusal.ts';

export type Call = {
  params: Record<string, string>;
  query: URLSearchParams;
  /** The parsed JSON body; {} without one. */
  body: Record<string, unknown>;
  raw: Buffer;
  headers: IncomingMessage['headers'];
  /** This server's address as the client wrote it, for links. */
  base: string;
};

/** `rows` are rows of wire JSON, put into the answer as the text that they are. */
export type Answer = { status?: number; body?: object; rows?: string[]; headers?: Record<string, string> };
export type Handler = (call: Call) => Promise<Answer> | Answer;

/** `METHOD /path/{param}` below `/bigquery/v2` (or below nothing: Google's client leaves the prefix out when an address is set). */
export type Routes = Record<string, { method: string; handler: Handler }>;

type Route = { verb: string; pattern: RegExp; names: string[]; method: string; handler: Handler };

function compile(routes: Routes): Route[] {
  return Object.entries(routes).map(([template, { method, handler }]) => {
    const [verb, path] = template.split(' ') as [string, string];
    const names: string[] = [];
    const source = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      names.push(name);
      return '([^/]+)';
    });
    return { verb, pattern: new RegExp(`^${source}$`), names, method, handler };
  });
}

/** A boolean of the query string; Google's Python client writes `True`. */
export const isOn = (call: Call, name: string): boolean => call.query.get(name)?.toLowerCase() === 'true';

const BODY_BYTES_MAX = 256 * 1024 * 1024;

export function startHttp(routes: Routes, faults: Faults): Server {
  const compiled = compile(routes);
  const server = createServer((request, response) => {
    void answer(compiled, faults, request).then(
      (result) => { if (result !== 'hang') send(response, result); },
      (error: unknown) => {
        const refusal = refusalOf(error);
        if (refusal.reason === 'internalError') console.error('bigquery:', request.method, request.url, error);
        send(response, { status: refusal.httpCode === 200 ? 400 : refusal.httpCode, body: errorBody(refusal) });
      },
    );
  });
  server.keepAliveTimeout = 60_000;
  return server;
}

async function answer(routes: Route[], faults: Faults, request: IncomingMessage): Promise<Answer | 'hang'> {
  const url = new URL(request.url ?? '/', 'http://local');
  const path = url.pathname.replace(/^\/bigquery\/v2/, '').replace(/^\/(upload|resumable\/upload)\/bigquery\/v2/, '/upload').replaceAll('//', '/');
  const found = routes.flatMap((route) => {
    const match = route.verb === request.method ? route.pattern.exec(path) : null;
    return match === null ? [] : [{ route, match }];
  })[0];
  if (found === undefined) throw new Refusal('notImplemented', `${request.method} ${url.pathname} is not implemented in the local BigQuery.`);
  const { route, match } = found;
  const fault = faults.take(route.method, decodeURIComponent(url.pathname));
  if (fault !== undefined && fault.takes_effect !== true) await meet(fault);
  const raw = await readBody(request);
  const params = Object.fromEntries(route.names.map((name, at) => [name, decodeURIComponent(match[at + 1]!)]));
  const isJson = (request.headers['content-type'] ?? 'application/json').includes('json') && !path.startsWith('/upload');
  const call: Call = { params, query: url.searchParams, body: isJson ? parse(raw) : {}, raw, headers: request.headers, base: `http://${request.headers.host ?? 'localhost'}` };
  const result = await route.handler(call);
  // Done, but the caller is told that it failed, or hears nothing: what a lost answer looks like.
  if (fault?.takes_effect === true) await meet(fault);
  return result;
}

async function meet(fault: FaultPlan): Promise<void> {
  await pauseFor(fault);
  if (fault.kind === 'fail') throw refusalOfFault(fault.status);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Refusal('invalid', `The request is larger than ${BODY_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

function parse(raw: Buffer): Record<string, unknown> {
  if (raw.length === 0) return {};
  let body: unknown;
  try {
    body = JSON.parse(raw.toString('utf8'));
  } catch (error) {
    throw new Refusal('invalid', `Invalid JSON payload received: ${(error as Error).message}`);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Refusal('invalid', 'Invalid JSON payload received: the body is no object.');
  return body as Record<string, unknown>;
}

function send(response: ServerResponse, { status = 200, body, rows, headers = {} }: Answer): void {
  if (body === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  const text = JSON.stringify(body);
  const full = rows === undefined ? text : `${text.slice(0, -1)},"rows":[${rows.join(',')}]}`;
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers }).end(full);
}

/** Lists: which part to give, and the token of the next. */
export function pageOf<T>(all: T[], call: Call, otherwise = 1_000): { part: T[]; nextPageToken?: string } {
  const start = readToken(call.query.get('pageToken'));
  const size = Number(call.query.get('maxResults') ?? otherwise) || otherwise;
  const part = all.slice(start, start + size);
  return start + size < all.length ? { part, nextPageToken: tokenOf(start + size) } : { part };
}

export const tokenOf = (start: number): string => Buffer.from(`start=${start}`).toString('base64url');
export function readToken(token: string | null): number {
  if (token === null || token === '') return 0;
  const match = /^start=(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  if (match === null) throw new Refusal('invalid', `Invalid page token: ${token}`);
  return Number(match[1]);
}
