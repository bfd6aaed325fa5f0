// Collector against the floor and the tutorial way, on the same bodies: events per CPU-second of the server's process tree.
// Rounds are interleaved, since this is a noisy machine; the figures are medians, the ratios are what counts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PubSub } from '@google-cloud/pubsub';
import { freePorts } from '../scripts/local/ports.ts';
import { measure, medianOf, startServer, stopServer } from './measure.ts';

const ROOT = resolve(import.meta.dirname, '..');
const FRAMEWORK = join(ROOT, 'node_modules/@google-cloud/functions-framework/build/src/main.js');
const PROJECT = 'chiplog-bench';
const KEY = 'bench';

export type CollectOptions = { sizes: number[]; rounds: number; seconds: number; clients: number; log: (line: string) => void };
export type CollectResult = { variant: string; events_a_request: number; gzip: boolean; events_per_cpu_second: number; of_floor: number; of_tutorial: number; rounds: number[]; failed: number };

type Variant = { name: string; pid: number; url: string; gzip: boolean };

export async function benchCollect(options: CollectOptions): Promise<CollectResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'chiplog-bench-'));
  const servers: Awaited<ReturnType<typeof startServer>>[] = [];
  const start = async (args: string[], env: Record<string, string>, port: number) => {
    const server = await startServer(args, env, port);
    servers.push(server);
    return server;
  };
  try {
    const [pubsubPort, pubsubControl, floorPort, collectPort, tutorialPort] = await freePorts(5, '127.0.0.1') as [number, number, number, number, number];
    await start(['--import', join(ROOT, 'emulators/preload.ts'), join(ROOT, 'emulators/run.ts'), 'pubsub', '--data', folder, '--port', String(pubsubPort), '--control-port', String(pubsubControl), '--project', PROJECT], {}, pubsubPort);
    await createTopics(pubsubPort);
    writeFileSync(join(folder, 'sources.json'), JSON.stringify({ sources: [{ id: 'bench', write_keys: [KEY], streams: ['events'], enabled: true }] }));
    const floor = await start([join(ROOT, 'benchmarks/servers/floor.ts')], { PORT: String(floorPort) }, floorPort);
    const google = { GOOGLE_CLOUD_PROJECT: PROJECT, PUBSUB_EMULATOR_HOST: `127.0.0.1:${pubsubPort}`, NODE_ENV: 'production', METADATA_SERVER_DETECTION: 'none' };
    const collect = await start(['--import', join(ROOT, 'emulators/preload.ts'), FRAMEWORK, `--source=${join(ROOT, 'functions/collect/function.ts')}`, '--target=collect', `--port=${collectPort}`], { ...google, CHIPLOG_SOURCES_FILE: join(folder, 'sources.json') }, collectPort);
    const tutorial = await start(['--import', join(ROOT, 'emulators/preload.ts'), FRAMEWORK, `--source=${join(ROOT, 'benchmarks/servers/tutorial.ts')}`, '--target=tutorial', `--port=${tutorialPort}`], google, tutorialPort);
    const at = (port: number, path: string) => `http://127.0.0.1:${port}${path}`;
    const variants: Variant[] = [false, true].flatMap((gzip) => [
      { name: 'floor', pid: floor.pid, url: at(floorPort, '/'), gzip },
      { name: 'collector', pid: collect.pid, url: at(collectPort, '/v1/events'), gzip },
      { name: 'tutorial', pid: tutorial.pid, url: at(tutorialPort, '/'), gzip },
    ]);
    return await runRounds(variants, options);
  } finally {
    for (const server of servers.reverse()) await stopServer(server);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Topics with no subscription: the local Pub/Sub still writes each message durably before it acknowledges. */
async function createTopics(port: number): Promise<void> {
  Object.assign(process.env, { PUBSUB_EMULATOR_HOST: `127.0.0.1:${port}`, METADATA_SERVER_DETECTION: 'none' });
  const pubsub = new PubSub({ projectId: PROJECT });
  for (const name of ['chiplog-events', 'chiplog-rejected', 'chiplog-inference', 'tutorial']) await pubsub.createTopic(name);
  await pubsub.close();
}

async function runRounds(variants: Variant[], options: CollectOptions): Promise<CollectResult[]> {
  const results: CollectResult[] = [];
  for (const events of options.sizes) {
    const figures = new Map<Variant, { rates: number[]; failed: number }>(variants.map((variant) => [variant, { rates: [], failed: 0 }]));
    // Round 0 warms up the compiled code and is not counted.
    for (let round = 0; round <= options.rounds; round += 1) {
      for (const variant of variants) {
        const figure = await measure(variant.pid, { url: variant.url, headers: { authorization: `Bearer ${KEY}` }, events, gzip: variant.gzip, clients: options.clients, seconds: options.seconds });
        if (round > 0) figures.get(variant)!.rates.push(figure.events_per_cpu_second);
        figures.get(variant)!.failed += figure.failed;
      }
      options.log(`${events} events a request, round ${round} of ${options.rounds}`);
    }
    for (const variant of variants) {
      const { rates, failed } = figures.get(variant)!;
      const of = (name: string): number => {
        const other = variants.find((candidate) => candidate.name === name && candidate.gzip === variant.gzip)!;
        return Number((medianOf(rates) / medianOf(figures.get(other)!.rates)).toFixed(3));
      };
      results.push({ variant: variant.name, events_a_request: events, gzip: variant.gzip, events_per_cpu_second: medianOf(rates), of_floor: of('floor'), of_tutorial: of('tutorial'), rounds: rates, failed });
    }
  }
  return results;
}
