// Makes what streams.json names in the local cloud: topics, subscriptions that push to the writers, bucket and dataset. In the cloud
// Terraform does this. scripts/start.ts calls it; it may be repeated, and leads existing subscriptions to the new ports.
import { readFileSync } from 'node:fs';
import { BigQuery } from '@google-cloud/bigquery';
import { PubSub } from '@google-cloud/pubsub';
import { Storage } from '@google-cloud/storage';

export type Provision = {
  project: string;
  prefix: string;
  dataset: string;
  bucket: string;
  /** Where the subscriptions push to. */
  writers: { bigquery: string; storage: string };
  retryAfterSeconds: number;
  catalogueFile: string;
};

const DAY_SECONDS = 86_400;
/** Pub/Sub's maximum: what could not be delivered waits for a person. */
const UNDELIVERABLE_SECONDS = 31 * DAY_SECONDS;
const RETENTION_SECONDS = 7 * DAY_SECONDS;
const ACK_DEADLINE_SECONDS = 60;
const ATTEMPTS_MAX = 100;

/** As infra/bucket.tf has it: nobody but by a role, no public object, a week to bring back what was deleted. */
const BUCKET_SETTINGS = {
  iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'enforced' },
  softDeletePolicy: { retentionDurationSeconds: 7 * DAY_SECONDS },
  lifecycle: { rule: [{ action: { type: 'AbortIncompleteMultipartUpload' as const }, condition: { age: 1 } }] },
};

export async function provision(wanted: Provision): Promise<void> {
  const pubsub = new PubSub({ projectId: wanted.project });
  try {
    await Promise.all([
      provisionPubSub(pubsub, wanted),
      existing(new Storage({ projectId: wanted.project }).createBucket(wanted.bucket, BUCKET_SETTINGS), 409),
      existing(new BigQuery({ projectId: wanted.project }).createDataset(wanted.dataset, { location: 'US' }), 409),
    ]);
  } finally {
    await pubsub.close();
  }
}

/** What is asked of Pub/Sub. test/infra gives its own, to compare what is made here with what Terraform makes. */
export type PubSubCalls = Pick<PubSub, 'createTopic' | 'createSubscription' | 'subscription'>;

export async function provisionPubSub(pubsub: PubSubCalls, wanted: Omit<Provision, 'dataset' | 'bucket'>): Promise<void> {
  const { streams } = JSON.parse(readFileSync(wanted.catalogueFile, 'utf8')) as { streams: Record<string, { topic: string }> };
  const topics = Object.values(streams).map(({ topic }) => `${wanted.prefix}-${topic}`);
  const all = [...topics, ...topics.map((topic) => `${topic}-undeliverable`), `${wanted.prefix}-days`];
  await Promise.all(all.map((topic) => existing(pubsub.createTopic({ name: topic, messageRetentionDuration: { seconds: RETENTION_SECONDS } }), ALREADY_EXISTS)));
  await Promise.all(topics.flatMap((topic) => [
    pushSubscription(pubsub, wanted, topic, `${topic}-to-bigquery`, wanted.writers.bigquery),
    pushSubscription(pubsub, wanted, topic, `${topic}-to-storage`, wanted.writers.storage),
    existing(pubsub.createSubscription(`${topic}-undeliverable`, `${topic}-undeliverable`, {
      messageRetentionDuration: { seconds: UNDELIVERABLE_SECONDS }, ackDeadlineSeconds: ACK_DEADLINE_SECONDS, expirationPolicy: {},
    }), ALREADY_EXISTS),
  ]));
}

const ALREADY_EXISTS = 6;

async function pushSubscription(pubsub: PubSubCalls, wanted: Omit<Provision, 'dataset' | 'bucket'>, topic: string, name: string, pushEndpoint: string): Promise<void> {
  const isNew = await existing(pubsub.createSubscription(topic, name, {
    pushConfig: { pushEndpoint },
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
    messageRetentionDuration: { seconds: RETENTION_SECONDS },
    expirationPolicy: {},
    retryPolicy: { minimumBackoff: { seconds: wanted.retryAfterSeconds }, maximumBackoff: { seconds: 600 } },
    deadLetterPolicy: { deadLetterTopic: `projects/${wanted.project}/topics/${topic}-undeliverable`, maxDeliveryAttempts: ATTEMPTS_MAX },
  }), ALREADY_EXISTS);
  if (!isNew) await pubsub.subscription(name).modifyPushConfig({ pushEndpoint });
}

/** True when it was made; false when it was there before. */
async function existing(making: Promise<unknown>, code: number): Promise<boolean> {
  try {
    await making;
    return true;
  } catch (error) {
    if ((error as { code?: number }).code === code) return false;
    throw error;
  }
}
