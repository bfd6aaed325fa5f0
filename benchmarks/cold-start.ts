// How long a new instance takes from the start of its process to its first answer, and how much CPU: the sources, the zip as deployed, and the
// zip with one of its parts taken away. Real requests against a local run; variants alternate, figures are medians, ratios are what counts.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePortFrom } from '../scripts/local/ports.ts';
import { spawnLocalRun, type SpawnedRun } from '../scripts/local/spawn-run.ts';
import { FUNCTIONS, variablesFor } from '../scripts/local/function-settings.ts';
import { launch, unpack } from '../test/build/deployed.ts';
import { makeBatch, makePushBodies } from './bodies.ts';
import { cpuSecondsOf, medianOf } from './measure.ts';
import { timesOf, type StartTimes } from './start-profile.ts';

const ROOT = resolve(import.meta.dirname, '..');
const FRAMEWORK = 'node_modules/@google-cloud/functions-framework/build/src/main.js';

export type ColdStartOptions = { rounds: number; log: (line: string) => void };
export type ColdStartResult = { function: string; variant: string; milliseconds: number; of_source: number; cpu_milliseconds: number; cpu_of_source: number; rounds: Start[] };

type Start = { ms: number; cpuMs: number };

type Request = { path: string; headers: Record<string, string>; body: () => Uint8Array; status: number };
type Variant = { name: string; folder: string; command: string[] };

export async function benchColdStart(options: ColdStartOptions): Promise<{ figures: ColdStartResult[]; profile: StartTimes }> {
  const folder = mkdtempSync(join(tmpdir(), 'chiplog-cold-'));
  const run = await spawnLocalRun();
  const remove: (() => void)[] = [];
  try {
    execFileSync(process.execPath, [join(ROOT, 'scripts/build.ts'), '--out', folder, '--only', 'collect,write-bigquery']);
    const figures: ColdStartResult[] = [];
    let profile: StartTimes | undefined;
    for (const [name, request] of Object.entries(requestsOf())) {
      const variants = variantsOf(name, folder, remove);
      const variables = variablesOf(name, run);
      const times = new Map<Variant, Start[]>(variants.map((variant) => [variant, []]));
      // Round 0 brings the files into the page cache and is not counted.
      for (let round = 0; round <= options.rounds; round += 1) {
        for (const variant of variants) {
          const start = await firstAnswer(variant, targetOf(name), variables, request);
          if (round > 0) times.get(variant)!.push(start);
        }
        options.log(`${name}, round ${round} of ${options.rounds}`);
      }
      const median = (variant: Variant, figure: keyof Start): number => medianOf(times.get(variant)!.map((start) => start[figure]));
      const ratio = (variant: Variant, figure: keyof Start): number => Number((median(variant, figure) / median(variants[0]!, figure)).toFixed(2));
      for (const variant of variants) {
        figures.push({ function: name, variant: variant.name, milliseconds: median(variant, 'ms'), of_source: ratio(variant, 'ms'), cpu_milliseconds: median(variant, 'cpuMs'), cpu_of_source: ratio(variant, 'cpuMs'), rounds: times.get(variant)! });
      }
      if (name === 'collect') profile = await profileOf(variants[1]!, targetOf(name), variables, request);
    }
    return { figures, profile: profile! };
  } finally {
    await run.stop();
    for (const one of remove) one();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first is what the others are compared with. */
function variantsOf(name: string, zips: string, remove: (() => void)[]): Variant[] {
  const opened = (withCodeCache: boolean): string => {
    const workspace = unpack(join(zips, `${name}.zip`), { withCodeCache });
    remove.push(workspace.remove);
    return workspace.folder;
  };
  const registry = opened(false);
  rmSync(join(registry, 'node_modules'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(registry, 'node_modules'));
  const spec = FUNCTIONS.find((candidate) => candidate.name === name)!;
  const deployed = 'node_modules/.bin/functions-framework';
  return [
    { name: 'source', folder: ROOT, command: [process.execPath, FRAMEWORK, `--source=${spec.folder}/function.ts`] },
    { name: 'zip', folder: opened(true), command: [deployed] },
    { name: 'zip without its code cache', folder: opened(false), command: [deployed] },
    { name: 'the same bundle, the framework from the registry', folder: registry, command: [process.execPath, FRAMEWORK] },
  ];
}

/** From the start of the process to the end of the answer. */
async function firstAnswer(variant: Variant, target: string, variables: Record<string, string>, request: Request): Promise<Start> {
  const port = await freePortFrom(0, '127.0.0.1');
  const body = request.body();
  const startedAt = performance.now();
  const { child, stderr } = launch(variant.folder, target, port, variables, variant.command);
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`${variant.name} ended with ${child.exitCode}:\n${stderr()}`);
      const answer = await fetch(`http://127.0.0.1:${port}${request.path}`, { method: 'POST', headers: request.headers, body: body as Uint8Array<ArrayBuffer> }).catch(() => undefined);
      if (answer === undefined) {
        await new Promise((done) => setTimeout(done, 2));
        continue;
      }
      await answer.arrayBuffer();
      const start = { ms: Math.round(performance.now() - startedAt), cpuMs: Math.round(cpuSecondsOf(child.pid!) * 1_000) };
      if (answer.status !== request.status) throw new Error(`${variant.name} answered ${answer.status}:\n${stderr()}`);
      return start;
    }
  } finally {
    const ended = new Promise((done) => child.once('exit', done));
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await ended;
    }
  }
}

/** One start under Node's profiler: it takes longer, so that only the shares mean something. */
async function profileOf(variant: Variant, target: string, variables: Record<string, string>, request: Request): Promise<StartTimes> {
  const folder = mkdtempSync(join(tmpdir(), 'chiplog-profile-'));
  try {
    await firstAnswer(variant, target, { ...variables, NODE_OPTIONS: `--cpu-prof --cpu-prof-interval=200 --cpu-prof-dir=${folder}` }, request);
    return timesOf(readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function requestsOf(): Record<string, Request> {
  const headers = { 'content-type': 'application/json' };
  return {
    collect: { path: '/v1/events', headers: { ...headers, authorization: 'Bearer bench' }, body: () => Buffer.from(JSON.stringify(makeBatch(20, Date.now(), 1))), status: 200 },
    'write-bigquery': { path: '/', headers, body: () => makePushBodies(1, 20, Date.now(), 1)[0]!.bytes, status: 204 },
  };
}

const targetOf = (name: string): string => FUNCTIONS.find((spec) => spec.name === name)!.target;

function variablesOf(name: string, run: SpawnedRun): Record<string, string> {
  mkdirSync(run.folder, { recursive: true });
  const sources = join(run.folder, 'bench-sources.json');
  writeFileSync(sources, JSON.stringify({ sources: [{ id: 'bench', write_keys: ['bench'], streams: ['events'], enabled: true }] }));
  const spec = FUNCTIONS.find((candidate) => candidate.name === name)!;
  return { ...run.env, ...variablesFor(ROOT, spec, { GOOGLE_CLOUD_PROJECT: run.project, CHIPLOG_DATASET: run.dataset, CHIPLOG_BUCKET: run.bucket, CHIPLOG_SOURCES_FILE: sources, CHIPLOG_BIGQUERY_WRITE_ENDPOINT: run.bigquery_write_endpoint }) };
}
