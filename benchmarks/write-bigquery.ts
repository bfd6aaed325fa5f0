// write-bigquery from push body to append, as it runs locally: events per CPU-second of its process, beside the collector's floor.
import { join, resolve } from 'node:path';
import { freePortFrom } from '../scripts/local/ports.ts';
import { spawnLocalRun } from '../scripts/local/spawn-run.ts';
import { readProcesses } from '../scripts/prove/kills.ts';
import { measure, medianOf, startServer, stopServer } from './measure.ts';

const ROOT = resolve(import.meta.dirname, '..');
const EVENTS_A_REQUEST = 100;

export type WriteOptions = { rounds: number; seconds: number; log: (line: string) => void };
export type WriteResult = { variant: string; events_a_message: number; events_per_cpu_second: number; of_floor: number; rounds: number[]; failed: number };

export async function benchWriteBigquery(options: WriteOptions): Promise<WriteResult[]> {
  const run = await spawnLocalRun();
  const floorPort = await freePortFrom(0, '127.0.0.1');
  const floor = await startServer([join(ROOT, 'benchmarks/servers/floor.ts')], { PORT: String(floorPort) }, floorPort);
  try {
    const { pid } = readProcesses(run.processes_file).find(({ name }) => name === 'write-bigquery')!;
    const variants = [
      { name: 'floor', pid: floor.pid, load: { url: `http://127.0.0.1:${floorPort}/`, clients: 32 }, requests: 1 },
      ...[1, 10].map((requests) => ({ name: 'write-bigquery', pid, load: { url: run.functions['write-bigquery'], clients: 8, push: { requests } }, requests })),
    ];
    const figures = variants.map(() => ({ rates: [] as number[], failed: 0 }));
    for (let round = 0; round <= options.rounds; round += 1) {
      for (const [index, variant] of variants.entries()) {
        const figure = await measure(variant.pid, { headers: {}, events: EVENTS_A_REQUEST, gzip: false, seconds: options.seconds, ...variant.load });
        if (round > 0) figures[index]!.rates.push(figure.events_per_cpu_second);
        figures[index]!.failed += figure.failed;
      }
      options.log(`write-bigquery, round ${round} of ${options.rounds}`);
    }
    const floorRate = medianOf(figures[0]!.rates);
    return variants.map((variant, index) => ({
      variant: variant.name, events_a_message: variant.requests * EVENTS_A_REQUEST, events_per_cpu_second: medianOf(figures[index]!.rates),
      of_floor: Number((medianOf(figures[index]!.rates) / floorRate).toFixed(3)), rounds: figures[index]!.rates, failed: figures[index]!.failed,
    }));
  } finally {
    await stopServer(floor);
    await run.stop();
  }
}
