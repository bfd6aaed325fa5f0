// Who is examined: names, clock, and Google's clients for one deployment. Made by scripts/doctor.ts and by tests; every check gets it.
import type { Dataset } from '@google-cloud/bigquery';
import type { PubSub } from '@google-cloud/pubsub';
import type { Bucket } from '@google-cloud/storage';
import { STREAMS } from '../../schemas/generated/streams.ts';
import type { StreamTables } from '../../functions/stream-tables.ts';
import type { CloudApis } from './cloud-apis.ts';

export type Backlog = { messages: number; oldestSeconds: number };

export type Patient = {
  project: string;
  /** Of the functions. */
  region: string;
  location: string;
  prefix: string;
  datasetName: string;
  bucketName: string;
  timeZone: string;
  nowMs: number;
  streams: readonly StreamTables[];
  /** Of each stream in the catalogue; null: for ever. */
  rawRetentionDays: Record<string, number | null>;
  pubsub: PubSub;
  dataset: Dataset;
  bucket: Bucket;
  /** What waits in a subscription: Cloud Monitoring, or the local Pub/Sub's own figures. By full name. */
  backlogs: () => Promise<Map<string, Backlog>>;
  /** APIs that only a real project has. */
  cloud: CloudApis | undefined;
  /** The local run: addresses of the functions. */
  local: { functions: Record<string, string> } | undefined;
};

/** Topic of each stream, without the prefix. */
export const topicsOf = ({ prefix }: Patient): { stream: string; topic: string }[] =>
  Object.values(STREAMS).map(({ name, topic }) => ({ stream: name, topic: `${prefix}-${topic}` }));

export const WRITERS = { bigquery: 'write-bigquery', storage: 'write-storage' } as const;
