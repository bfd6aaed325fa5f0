// Google's clients for one deployment: in goes where it is, out comes the patient. Called by scripts/doctor.ts and its tests, after the
// variables of the local run are set: the clients read them when they are made.
import { BigQuery } from '@google-cloud/bigquery';
import { PubSub } from '@google-cloud/pubsub';
import { Storage } from '@google-cloud/storage';
import { TIME_ZONE_LABEL, labelOf } from '../../functions/reporting-zone.ts';
import { streamTables } from '../../functions/stream-tables.ts';
import { STREAMS } from '../../schemas/generated/streams.ts';
import type { Where } from '../where.ts';
import { createCloudApis, type CloudApis, type TimeSeries } from './cloud-apis.ts';
import { once } from './check-pubsub.ts';
import type { Backlog, Patient } from './patient.ts';

export type LocalPatient = { functions: Record<string, string>; control: Record<string, string>; timeZone: string; nowMs: number };
export type MakeOptions = { where: Where; region: string; location?: string | undefined; timeZone?: string | undefined; local?: LocalPatient | undefined };

export async function makePatient({ where, region, location, timeZone, local }: MakeOptions): Promise<Patient & { close: () => Promise<void> }> {
  const pubsub = new PubSub({ projectId: where.project });
  const storage = new Storage({ projectId: where.project });
  const dataset = new BigQuery({ projectId: where.project }).dataset(where.dataset);
  const cloud = local !== undefined ? undefined : createCloudApis({ project: where.project, region, prefix: where.prefix, token: once(() => tokenOf(storage)) });
  const nowMs = local?.nowMs ?? Date.now();
  return {
    project: where.project, region, location: location ?? await locationOf(() => dataset.getMetadata()) ?? where.location, prefix: where.prefix, datasetName: where.dataset, bucketName: where.bucket,
    timeZone: timeZone ?? local?.timeZone ?? await zoneOfMaintain(cloud) ?? await zoneOfLabel(() => dataset.getMetadata()) ?? 'UTC',
    nowMs, streams: streamTables(), rawRetentionDays: Object.fromEntries(Object.values(STREAMS).map(({ name, raw_retention_days: days }) => [name, days])), pubsub, dataset, bucket: storage.bucket(where.bucket), cloud,
    local: local === undefined ? undefined : { functions: local.functions },
    backlogs: local === undefined ? () => backlogsOfMonitoring(cloud!, nowMs) : () => backlogsOfControl(local.control['pubsub']!),
    close: () => pubsub.close(),
  };
}

async function tokenOf(storage: Storage): Promise<string> {
  // Two generations of Google's auth library answer in two shapes.
  const token = await storage.authClient.getAccessToken() as string | null | undefined | { token?: string | null };
  const text = typeof token === 'object' ? token?.token : token;
  if (text === undefined || text === null) throw new Error('Google\'s client found no credentials; try: gcloud auth application-default login');
  return text;
}

/** The setting that the functions have; undefined when it can't be read, which the function's own check then says. */
async function zoneOfMaintain(cloud: CloudApis | undefined): Promise<string | undefined> {
  return (await cloud?.functionNamed('maintain').catch(() => undefined))?.serviceConfig?.environmentVariables?.['CHIPLOG_TIME_ZONE'];
}

/** Jobs must name it; a dataset that can't be read is told by its own check. */
async function locationOf(read: () => Promise<unknown>): Promise<string | undefined> {
  return (await read().catch(() => undefined) as [{ location?: string }] | undefined)?.[0].location;
}

/** Second best: the label says it in a form of its own. */
async function zoneOfLabel(read: () => Promise<unknown>): Promise<string | undefined> {
  const labels = (await read().catch(() => undefined) as [{ labels?: Record<string, string> }] | undefined)?.[0].labels;
  return ['UTC', ...Intl.supportedValuesOf('timeZone')].find((zone) => labelOf(zone) === labels?.[TIME_ZONE_LABEL]);
}

const METRICS = { messages: 'pubsub.googleapis.com/subscription/num_undelivered_messages', oldestSeconds: 'pubsub.googleapis.com/subscription/oldest_unacked_message_age' } as const;

export async function backlogsOfMonitoring(cloud: CloudApis, nowMs: number): Promise<Map<string, Backlog>> {
  const backlogs = new Map<string, Backlog>();
  for (const [field, metric] of Object.entries(METRICS)) {
    for (const series of await cloud.timeSeries(metric, nowMs)) {
      const name = series.resource?.labels?.['subscription_id'];
      if (name === undefined) continue;
      const backlog = backlogs.get(name) ?? { messages: 0, oldestSeconds: 0 };
      backlogs.set(name, { ...backlog, [field]: latestOf(series) });
    }
  }
  return backlogs;
}

/** Points come newest first. */
const latestOf = ({ points = [] }: TimeSeries): number => Number(points[0]?.value?.int64Value ?? points[0]?.value?.doubleValue ?? 0);

/** The local Pub/Sub tells the same two figures at its control address. */
async function backlogsOfControl(url: string): Promise<Map<string, Backlog>> {
  const stats = await (await fetch(`${url}/stats`)).json() as Record<string, number>;
  const backlogs = new Map<string, Backlog>();
  for (const [key, messages] of Object.entries(stats)) {
    const name = /^num_undelivered_messages of .*\/([^/]+)$/.exec(key)?.[1];
    if (name !== undefined) backlogs.set(name, { messages, oldestSeconds: (stats[key.replace('num_undelivered_messages', 'oldest_unacked_message_age_ms')] ?? 0) / 1_000 });
  }
  return backlogs;
}
