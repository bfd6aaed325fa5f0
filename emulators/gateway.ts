// One control address for the whole local cloud: faults and sizes of every service, the clock, and kills. HTTP with JSON in, JSON out; scripts/start.ts
// starts it and prints its address, tests and people call it. GET / tells what it takes.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { now, readOffset, setNow, setOffset } from './clock.ts';
import { FaultPlanError, readFaultPlans, refuseDeadPlan, type FaultPlan, type FaultPoint } from './faults.ts';
import { listen } from './listen.ts';
import { gatewayHelp } from './gateway-help.ts';

export type GatewayOptions = {
  host: string;
  port: number;
  /** Control address of each service, by name. */
  services: Readonly<Record<string, string>>;
  clockFile: string;
  /** SIGKILLs a process and resolves when it answers again. Absent: nobody would start it again. */
  kill?: { names: readonly string[]; run(name: string): Promise<{ pid_before: number; pid: number }> };
};

export type Gateway = { port: number; close(): Promise<void> };

/** What is wrong with a request, and the status that says so. */
class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A moved clock is seen by all services within this; preload.ts looks twice a second where no notice comes. */
const CLOCK_SEEN_MS = 5_000;
const CLOCK_SLACK_MS = 1_000;
const CALL_MS_MAX = 5_000;
const UNITS_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const server = createServer((request, response) => {
    answer(options, request).then(
      (body) => send(response, 200, body),
      (error: unknown) => send(response, statusOf(error), { error: error instanceof Error ? error.message : String(error) }),
    );
  });
  return listen(server, options.port, options.host);
}

async function answer(options: GatewayOptions, request: IncomingMessage): Promise<unknown> {
  // A page of some web site must not steer what runs on this machine; browsers tell on themselves.
  if (request.headers.origin !== undefined) throw new Refused(403, 'Requests of web pages are not taken here.');
  const url = new URL(request.url ?? '/', 'http://control');
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /': return gatewayHelp(options);
    case 'GET /healthz': return health(options);
    case 'GET /stats': return ofServices(options, chosen(options, url), '/stats');
    case 'GET /fault-points': return ofServices(options, chosen(options, url), '/fault-points');
    case 'GET /faults': return listFaults(options, chosen(options, url));
    case 'POST /faults': return addFaults(options, await readJson(request));
    case 'DELETE /faults':
      await Promise.all(chosen(options, url).map((name) => callService(options, name, '/faults', { method: 'DELETE' })));
      return listFaults(options, Object.keys(options.services));
    case 'GET /time': return timeOf(options);
    case 'POST /time': return moveTime(options, await readJson(request));
    case 'POST /kill': return kill(options, await readJson(request));
    default: throw new Refused(404, `${request.method} ${url.pathname} is not known here. There are ${Object.keys(gatewayHelp(options).requests).join(', ')}.`);
  }
}

/** The service that ?service= names, or all. */
function chosen(options: GatewayOptions, url: URL): string[] {
  const foreign = [...url.searchParams.keys()].find((name) => name !== 'service');
  if (foreign !== undefined) throw new Refused(400, `There is no parameter ${foreign}; only service.`);
  const name = url.searchParams.get('service');
  return name === null ? Object.keys(options.services) : [serviceNamed(options, name)];
}

function serviceNamed({ services }: GatewayOptions, name: unknown): string {
  if (typeof name === 'string' && Object.hasOwn(services, name)) return name;
  throw new Refused(typeof name === 'string' ? 404 : 400, `${typeof name === 'string' ? `There is no service ${JSON.stringify(name)}` : 'The field service must name a service'}; there are ${Object.keys(services).join(', ')}.`);
}

async function callService({ services }: GatewayOptions, name: string, path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(`${services[name]}${path}`, { ...init, signal: AbortSignal.timeout(CALL_MS_MAX) }).catch((error: unknown) => {
    throw new Refused(503, `${name} does not answer: ${String((error as Error).cause ?? error)}`);
  });
  const body = (await response.json()) as { error?: string };
  if (!response.ok) throw new Refused(response.status, body.error ?? `${name} answered ${response.status}.`);
  return body;
}

async function ofServices(options: GatewayOptions, names: readonly string[], path: string): Promise<Record<string, unknown>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await callService(options, name, path)] as const)));
}

async function health(options: GatewayOptions): Promise<unknown> {
  const names = Object.keys(options.services);
  const answers = await Promise.allSettled(names.map((name) => callService(options, name, '/healthz')));
  const silent = names.filter((_, index) => answers[index]!.status === 'rejected');
  if (silent.length > 0) throw new Refused(503, `No answer from ${silent.join(', ')}.`);
  return { ok: true, services: names };
}

async function listFaults(options: GatewayOptions, names: readonly string[]): Promise<unknown[]> {
  const all = await ofServices(options, names, '/faults');
  return names.flatMap((service) => (all[service] as FaultPlan[]).map((plan) => ({ service, ...plan })));
}

/** All of the plans, or none when one of them is refused. */
async function addFaults(options: GatewayOptions, body: unknown): Promise<unknown[]> {
  const byService = new Map<string, FaultPlan[]>();
  for (const one of Array.isArray(body) ? (body as unknown[]) : [body]) {
    if (typeof one !== 'object' || one === null) throw new Refused(400, 'A fault is an object with service, method and kind.');
    const { service, ...plan } = one as Record<string, unknown>;
    const name = serviceNamed(options, service);
    byService.set(name, [...byService.get(name) ?? [], ...readFaultPlans(plan)]);
  }
  for (const [name, plans] of byService) {
    const points = (await callService(options, name, '/fault-points')) as FaultPoint[];
    for (const plan of plans) refuseDeadPlan(plan, points);
  }
  for (const [name, plans] of byService) await callService(options, name, '/faults', { method: 'POST', body: JSON.stringify(plans) });
  return listFaults(options, Object.keys(options.services));
}

function timeOf({ clockFile }: GatewayOptions): { now: string; offset_ms: number } {
  return { now: new Date(now(clockFile)).toISOString(), offset_ms: readOffset(clockFile) };
}

/** Moves the clock and answers when every service shows the new time. */
async function moveTime(options: GatewayOptions, body: unknown): Promise<unknown> {
  const given = typeof body === 'object' && body !== null && !Array.isArray(body) ? Object.entries(body) : [];
  const [name, value] = given[0] ?? [];
  if (given.length !== 1 || !['now', 'offset_ms', 'advance'].includes(name!)) throw new Refused(400, 'Give one of {"now":"2026-11-24T10:00:00Z"}, {"offset_ms":0} and {"advance":"1d"} (ms, s, m, h, d; -1d goes back).');
  if (name === 'now') setNow(options.clockFile, instantOf(value));
  else if (name === 'offset_ms') setOffset(options.clockFile, offsetOf(value));
  else setOffset(options.clockFile, readOffset(options.clockFile) + durationOf(value));
  const deadline = performance.now() + CLOCK_SEEN_MS;
  for (const service of Object.keys(options.services)) {
    for (;;) {
      const seen = (await callService(options, service, '/time')) as { now: string };
      if (Math.abs(Date.parse(seen.now) - now(options.clockFile)) < CLOCK_SLACK_MS) break;
      if (performance.now() > deadline) throw new Refused(500, `${service} still shows ${seen.now}.`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }
  return timeOf(options);
}

function instantOf(value: unknown): number {
  const ms = typeof value === 'string' && /(Z|[+-]\d{2}:?\d{2})$/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw new Refused(400, `now is ${JSON.stringify(value)}; expected a time with its zone, such as 2026-11-24T10:00:00Z.`);
  return ms;
}

function offsetOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Refused(400, `offset_ms is ${JSON.stringify(value)}; expected a number of milliseconds.`);
  return value;
}

function durationOf(value: unknown): number {
  const [, number, unit] = typeof value === 'string' ? /^(-?\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value) ?? [] : [];
  if (number === undefined) throw new Refused(400, `advance is ${JSON.stringify(value)}; expected a number with ms, s, m, h or d, such as 36h.`);
  return Number(number) * UNITS_MS[unit!]!;
}

async function kill(options: GatewayOptions, body: unknown): Promise<unknown> {
  if (options.kill === undefined) throw new Refused(501, 'Nothing here could start the service again.');
  const { service, ...rest } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const names = options.kill.names;
  if (typeof service !== 'string' || !names.includes(service)) throw new Refused(typeof service === 'string' ? 404 : 400, `Give {"service":…} with one of ${names.join(', ')}.`);
  if (Object.keys(rest).length > 0) throw new Refused(400, `Unknown field ${Object.keys(rest).join(', ')}; only service.`);
  const began = performance.now();
  const { pid_before, pid } = await options.kill.run(service);
  return { service, pid_before, pid, seconds: Math.round(performance.now() - began) / 1_000 };
}

const BODY_BYTES_MAX = 1 << 20;

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Refused(413, `A request here has at most ${BODY_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw new Refused(400, `The body is not JSON: ${(error as Error).message}`);
  }
}

function statusOf(error: unknown): number {
  return error instanceof Refused ? error.status : error instanceof FaultPlanError ? 400 : 500;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body, null, 2)}\n`);
}
