// The real collector for tests: its own process under functions-framework, before a Pub/Sub of the local cloud in this process.
// Tests send bytes over the wire, and read what was stored from subscriptions with a reader that shares no code with the collector.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PubSub, v1 } from '@google-cloud/pubsub';
import { Faults } from '../../emulators/faults.ts';
import { start as startPubSub } from '../../emulators/pubsub/server.ts';
import type { Envelope } from '../../functions/envelope.ts';
import { readLines } from '../publish/gzip-reader.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PROJECT = 'chiplog-test';
const STREAMS = ['events', 'inference', 'rejected'] as const;
export type TestStream = (typeof STREAMS)[number];

/** Everything that a source can be: the keys of the tests. */
export const SOURCES = { sources: [
  { id: 'demo-app', write_keys: ['demo', 'demo_secret'], platform: 'ANDROID', streams: ['events', 'inference'], origins: ['https://app.example'], enabled: true },
  { id: 'anywhere', write_keys: ['any-origin'], streams: ['events'], origins: ['*'], enabled: true },
  { id: 'switched-off', write_keys: ['off'], streams: ['events'], origins: ['https://off.example'], enabled: false },
  { id: 'events-only', write_keys: ['events-only'], streams: ['events'], enabled: true },
  { id: 'slow-lane', write_keys: ['slow'], streams: ['events'], enabled: true, events_per_second_max: 5 },
  { id: 'no-consent', write_keys: ['no-consent'], streams: ['events'], enabled: true, analytics_storage: 'No' },
] };

export type Answer = { status: number; headers: IncomingHttpHeaders; text: string; json: any };
export type Sending = { path?: string; method?: string; headers?: Record<string, string | string[]>; body?: Buffer | string; chunks?: Buffer[]; key?: string | null };

export type RunningCollector = {
  port: number;
  pid: number;
  process: ChildProcess;
  faults: Faults;
  sourcesFile: string;
  /** What the process wrote to its standard output and error. */
  output: () => string;
  send: (sending: Sending) => Promise<Answer>;
  /** Everything published since the last time. Waits until `atLeast` lines came. */
  stored: (stream: TestStream, atLeast?: number) => Promise<{ lines: Envelope[]; attributes: Record<string, string>[] }>;
  close: () => Promise<void>;
};

export async function startCollector(options: { env?: Record<string, string>; clockOffsetMs?: number } = {}): Promise<RunningCollector> {
  const folder = mkdtempSync(join(tmpdir(), 'chiplog-collect-'));
  const faults = new Faults();
  const pubsub = await startPubSub({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'pubsub'), project: PROJECT, faults, now: () => Date.now() });
  process.env['PUBSUB_EMULATOR_HOST'] = `127.0.0.1:${pubsub.port}`;
  const client = new PubSub({ projectId: PROJECT });
  for (const stream of STREAMS) {
    const [topic] = await client.createTopic(`chiplog-${stream}`);
    await topic.createSubscription(`test-${stream}`);
  }
  const subscriber = new v1.SubscriberClient(client.options as ConstructorParameters<typeof v1.SubscriberClient>[0]);
  const sourcesFile = join(folder, 'sources.json');
  writeFileSync(sourcesFile, JSON.stringify(SOURCES));
  const clockFile = join(folder, 'clock.json');
  writeFileSync(clockFile, JSON.stringify({ offset_ms: options.clockOffsetMs ?? 0 }));
  const port = await freePort();
  const child = spawn(process.execPath, [
    '--import', './emulators/preload.ts', 'node_modules/@google-cloud/functions-framework/build/src/main.js',
    '--source=functions/collect/function.ts', '--target=collect', `--port=${port}`,
  ], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'], HOME: process.env['HOME'], GOOGLE_CLOUD_PROJECT: PROJECT, PUBSUB_EMULATOR_HOST: `127.0.0.1:${pubsub.port}`, METADATA_SERVER_DETECTION: 'none',
      CHIPLOG_SOURCES_FILE: sourcesFile, LOCAL_CLOUD_CLOCK_FILE: clockFile, ...options.env,
    },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString(); });
  child.stderr.on('data', (chunk: Buffer) => { output += chunk.toString(); });
  await untilServing(child, () => output);

  return {
    port, pid: child.pid!, process: child, faults, sourcesFile,
    output: () => output,
    send: (sending) => sendTo(port, sending),
    stored: (stream, atLeast = 0) => pullLines(subscriber, `projects/${PROJECT}/subscriptions/test-${stream}`, atLeast),
    async close() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await subscriber.close();
      await client.close();
      await pubsub.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilServing(child: ChildProcess, output: () => string): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 20) {
    if (output().includes('URL: http')) return;
    if (child.exitCode !== null) break;
    await new Promise((resume) => setTimeout(resume, 20));
  }
  throw new Error(`The collector did not start:\n${output()}`);
}

/** Sends over Node's own client, without any header that the test did not ask for, but for the key and the length. */
function sendTo(port: number, { path = '/v1/events', method = 'POST', headers = {}, body = '', chunks, key = 'demo' }: Sending): Promise<Answer> {
  return new Promise((done, fail) => {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const all = { ...(key === null ? {} : { 'x-write-key': key }), ...(chunks === undefined && method === 'POST' ? { 'content-length': String(bytes.length) } : {}), ...headers };
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers: all, agent: false }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; }).on('end', () => {
        let json: unknown;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        done({ status: incoming.statusCode!, headers: incoming.headers, text, json });
      });
    });
    // A collector that refuses a body closes the connection; what was answered before counts.
    outgoing.on('error', (error) => setTimeout(() => fail(error), 50));
    for (const chunk of chunks ?? []) outgoing.write(chunk);
    outgoing.end(method === 'POST' && chunks === undefined ? bytes : undefined);
  });
}

async function pullLines(subscriber: InstanceType<typeof v1.SubscriberClient>, subscription: string, atLeast: number): Promise<{ lines: Envelope[]; attributes: Record<string, string>[] }> {
  const lines: Envelope[] = [];
  const attributes: Record<string, string>[] = [];
  for (const until = Date.now() + 5_000; ;) {
    const [pulled] = await subscriber.pull({ subscription, maxMessages: 1_000, returnImmediately: true });
    const ackIds: string[] = [];
    for (const { ackId, message } of pulled.receivedMessages ?? []) {
      ackIds.push(ackId!);
      attributes.push({ ...message!.attributes } as Record<string, string>);
      for (const line of readLines(Buffer.from(message!.data as Uint8Array))) lines.push(JSON.parse(line) as Envelope);
    }
    if (ackIds.length > 0) await subscriber.acknowledge({ subscription, ackIds });
    else if (lines.length >= atLeast) return { lines, attributes };
    else if (Date.now() > until) throw new Error(`${subscription} has ${lines.length} lines, not ${atLeast}`);
    else await new Promise((resume) => setTimeout(resume, 10));
  }
}

let made = 0;
/** A good event; what is given replaces or adds fields. */
export function eventOf(fields: Record<string, unknown> = {}): Record<string, unknown> {
  made += 1;
  return { event_id: `0198f2f0-0000-7000-8000-${made.toString(16).padStart(12, '0')}`, event_name: 'test_event', event_timestamp: Date.now() * 1_000, ...fields };
}

/** A body of a batch whose events are given as JSON text, for what JSON.stringify would not write. */
export const bodyWith = (...events: string[]): string => `{"user_pseudo_id":"a1","events":[${events.join(',')}]}`;
export const bodyOf = (events: readonly unknown[], batch: Record<string, unknown> = {}): string => JSON.stringify({ user_pseudo_id: 'a1', ...batch, events });
