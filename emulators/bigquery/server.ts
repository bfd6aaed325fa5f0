// The local BigQuery: REST v2 on one port, the Storage Write API (gRPC) on another, one DuckDB file behind both. Started by ../run.ts and by tests.
import { listen } from '../listen.ts';
import { pauseFor } from '../faults.ts';
import type { RunningService, ServiceOptions } from '../service.ts';
import { startAppends } from './append-rows.ts';
import { Catalogue } from './catalogue.ts';
import { Engine } from './engine.ts';
import { startHttp } from './http.ts';
import { Jobs, type Job } from './jobs.ts';
import { RecentDrops } from './recent-drops.ts';
import { bigqueryFaultPoints } from './fault-points.ts';
import { refusalOf, refusalOfFault } from './refusal.ts';
import { dataRoutes } from './rest-data.ts';
import { datasetRoutes, routineRoutes } from './rest-datasets.ts';
import { insertJob, jobRoutes, type JobsApi } from './rest-jobs.ts';
import { otherRoutes } from './rest-others.ts';
import { tableRoutes } from './rest-tables.ts';
import { uploadRoutes } from './rest-upload.ts';
import { Results } from './results.ts';
import { runCopy } from './run-copy.ts';
import { runExtract } from './run-extract.ts';
import { runLoad } from './run-load.ts';
import type { Translate } from './run-query.ts';
import { dropLeftovers } from './run-script.ts';
import { install } from './sql/install.ts';
import { translate as translateGoogleSql } from './sql/translate.ts';
import { TableStore } from './table-store.ts';
import { WriteStreams } from './write-streams.ts';

/** `translate` can be another one for tests of everything but SQL. */
export async function start(options: ServiceOptions, translate: Translate = translateGoogleSql): Promise<RunningService & { writePort: number }> {
  const { dataDir, faults, now } = options;
  const engine = await Engine.open(dataDir, install);
  const catalogue = await Catalogue.load(engine);
  const store = await TableStore.open(engine, catalogue, dataDir, now);
  await dropLeftovers(store);
  const streams = await WriteStreams.open(store, dataDir);
  await streams.sweep();
  const jobs = await Jobs.load(engine, now);
  const api: JobsApi = {
    store, jobs, translate, results: new Results(dataDir), storageUrl: process.env['STORAGE_EMULATOR_HOST'],
    pause: (job) => pauseJob(options, job),
    load: (job, upload) => runLoad({ store, dataDir, storageUrl: process.env['STORAGE_EMULATOR_HOST'] }, job, upload),
    copy: (job) => runCopy(store, job),
    extract: (job) => runExtract(store, process.env['STORAGE_EMULATOR_HOST'], job),
  };
  const runDdl = async (project: string, query: string): Promise<void> => {
    const { job, done } = await insertJob(api, project, { configuration: { query: { query, useLegacySql: false } } });
    await done;
    if (job.errorResult !== undefined) throw refusalOf({ ...job.errorResult });
  };
  const drops = new RecentDrops(now);
  const routes = { ...otherRoutes(store, options.project), ...datasetRoutes(store), ...tableRoutes(api, (table) => drops.add(table)), ...dataRoutes(store), ...routineRoutes(api, runDdl), ...jobRoutes(api), ...uploadRoutes(api) };
  const rest = await listen(startHttp(routes, faults), options.port, options.host);
  const appends = await startAppends({ store, streams, faults, drops, host: options.host, port: options.writePort ?? 0 });
  return {
    port: rest.port,
    writePort: appends.port,
    faultPoints: bigqueryFaultPoints(Object.values(routes).map(({ method }) => method)),
    gauges: () => ({ tables: catalogue.all('table').length, journal_rows: store.pendingRows }),
    close: async () => {
      await appends.close();
      await rest.close();
      await jobs.close();
      await store.close();
      await engine.close();
    },
  };
}

/** Faults of a running job: `job.run` (any) or `job.run.<prefix of its id up to the first _>`; a delay keeps it RUNNING, a failure ends it with an error. */
async function pauseJob({ faults }: ServiceOptions, job: Job): Promise<void> {
  for (const method of ['job.run', `job.run.${job.jobId.split('_')[0]}`]) {
    const fault = faults.take(method, job.jobId);
    if (fault === undefined) continue;
    await pauseFor(fault);
    if (fault.kind === 'fail') throw refusalOfFault(fault.status);
  }
}
