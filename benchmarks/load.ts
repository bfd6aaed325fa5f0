// The load generator, a process of its own: sends the bodies of one batch size from 32 clients for some seconds and prints
// `{"requests","events","failed","seconds"}`. Called by the benchmarks with JSON on its command line.
import { Agent, request } from 'node:http';
import { makeBodies, makePushBodies } from './bodies.ts';

type LoadOptions = { url: string; headers: Record<string, string>; events: number; gzip: boolean; clients: number; seconds: number; push?: { requests: number } };

const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions;
const bodies = options.push === undefined ? makeBodies(options.events, options.gzip, Date.now()) : makePushBodies(options.push.requests, options.events, Date.now());
const agent = new Agent({ keepAlive: true, maxSockets: options.clients });
const tally = { requests: 0, events: 0, failed: 0, seconds: 0 };
const startedAt = performance.now();
let next = 0;

async function client(): Promise<void> {
  while (performance.now() - startedAt < options.seconds * 1_000) {
    const body = bodies[next++ % bodies.length]!;
    const headers: Record<string, string | number> = { ...options.headers, 'content-type': 'application/json', 'content-length': body.bytes.length };
    if (body.gzip) headers['content-encoding'] = 'gzip';
    const status = await new Promise<number>((resolve) => {
      const sending = request(options.url, { method: 'POST', agent, headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      sending.on('error', () => resolve(0));
      sending.end(body.bytes);
    });
    if (status === 200 || status === 204) {
      tally.requests += 1;
      tally.events += body.events;
    } else tally.failed += 1;
  }
}

await Promise.all(Array.from({ length: options.clients }, client));
tally.seconds = (performance.now() - startedAt) / 1_000;
agent.destroy();
console.log(JSON.stringify(tally));
