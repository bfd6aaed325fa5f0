// The variables that Terraform gives each function against those that the function declares, both ways; and Terraform's cloud against the
// one that the local run makes (scripts/provision.ts).
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { SHARED, readSettings } from '../../functions/config.ts';
import { SERVICES } from '../../scripts/doctor/check-project.ts';
import { FUNCTIONS, settingsOf } from '../../scripts/local/function-settings.ts';
import { provisionPubSub } from '../../scripts/provision.ts';
import type { PubSubCalls } from '../../scripts/provision.ts';
import { INFRA, plan } from './hcl/plan.ts';
import { readSources } from './hcl/parse.ts';
import { functionNamed, of, pushes, serviceOf } from './traps/trap.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const plans = Object.fromEntries(['small', 'big'].map((name) => [name, plan(readSources(INFRA), readFileSync(join(INFRA, 'examples', `${name}.tfvars`), 'utf8'), INFRA)]));
const small = plans['small']!;
/** Cloud Run's own. */
const GIVEN_BY_CLOUD_RUN = new Set(['K_REVISION']);
const source = (folder: string): string => readFileSync(join(ROOT, folder, 'function.ts'), 'utf8');

test('Terraform deploys exactly the functions that the local run starts, each with its entry point', () => {
  const deployed = of(small, 'google_cloudfunctions2_function').map(({ key, values }) => [key, values['build_config'][0].entry_point]);
  expect(deployed.sort()).toEqual(FUNCTIONS.map(({ name, target }) => [name, target]).sort());
  for (const { folder, target } of FUNCTIONS) expect(source(folder)).toContain(`http('${target}'`);
});

test.each(FUNCTIONS)('$name is told exactly the variables that its table declares', ({ name, folder }) => {
  const told = Object.keys((small.locals('environment') as Record<string, Record<string, string>>)[name]!);
  expect(told.sort()).toEqual(settingsOf(source(folder)).filter((variable) => !GIVEN_BY_CLOUD_RUN.has(variable)).sort());
});

test.each(['small', 'big'])('what the functions of the %s team are told can be read by them, and what is not told has a default', (team) => {
  for (const { name, folder } of FUNCTIONS) {
    const told = serviceOf(functionNamed(plans[team]!, name))['environment_variables'] as Record<string, string>;
    const declared = settingsOf(source(folder));
    expect(Object.keys(told).filter((variable) => !declared.includes(variable))).toEqual([]);
    expect(Object.values(told).every((value) => typeof value === 'string' && value !== '')).toBe(true);
    const shared = Object.fromEntries(Object.entries(SHARED).filter(([, { env }]) => declared.includes(env)));
    expect(() => readSettings(shared, Object.fromEntries(Object.entries(told).filter(([variable]) => Object.values(shared).some(({ env }) => env === variable))))).not.toThrow();
  }
});

test('a variable that nobody declares, and one that is missing, are seen', () => {
  const text = readSources(INFRA);
  const told = (from: string, to: string): string[] => {
    const file = text['environment.tf']!;
    expect(file.split(from)).toHaveLength(2);
    const damaged = plan({ ...text, 'environment.tf': file.replace(from, to) }, readFileSync(join(INFRA, 'examples/small.tfvars'), 'utf8'), INFRA);
    return Object.keys((damaged.locals('environment') as Record<string, Record<string, string>>)['maintain']!).sort();
  };
  const declared = settingsOf(source('functions/maintain')).sort();
  expect(told('CHIPLOG_RETENTION_DAYS = tostring(var.retention_days)', '')).not.toEqual(declared);
  expect(told('CHIPLOG_RETENTION_DAYS = tostring(var.retention_days)', 'CHIPLOG_RETENTION_DAYS = "7"\n CHIPLOG_RETENTION_DAY = "7"')).not.toEqual(declared);
});

/** What the local run creates: its own calls, written down instead of answered. */
async function provisioned(prefix: string): Promise<{ topics: Record<string, { seconds: number }>; subscriptions: Record<string, Record<string, any>> }> {
  const topics: Record<string, { seconds: number }> = {};
  const subscriptions: Record<string, Record<string, any>> = {};
  const calls = {
    createTopic: async ({ name, messageRetentionDuration }: { name: string; messageRetentionDuration: { seconds: number } }) => { topics[name] = messageRetentionDuration; },
    createSubscription: async (topic: string, name: string, options: object) => { subscriptions[name] = { topic, ...options }; },
    subscription: () => { throw new Error('everything is new'); },
  } as unknown as PubSubCalls;
  await provisionPubSub(calls, { project: 'acme-events', prefix, writers: { bigquery: 'http://127.0.0.1:1/bigquery', storage: 'http://127.0.0.1:1/storage' }, retryAfterSeconds: 10, catalogueFile: join(ROOT, 'schemas/streams.json') });
  return { topics, subscriptions };
}

test('the local run has the same topics and subscriptions as the cloud, with the same settings', async () => {
  const local = await provisioned('chiplog');
  const topics = Object.fromEntries(of(small, 'google_pubsub_topic').map(({ values }) => [values['name'], `${local.topics[values['name']]?.seconds}s`]));
  expect(Object.keys(topics).sort()).toEqual(Object.keys(local.topics).sort());
  for (const { values } of of(small, 'google_pubsub_topic')) expect(topics[values['name']]).toBe(values['message_retention_duration']);

  const cloud = Object.fromEntries(of(small, 'google_pubsub_subscription').map(({ values }) => [values['name'], {
    topic: values['topic'],
    ack: values['ack_deadline_seconds'],
    retention: values['message_retention_duration'],
    expires: values['expiration_policy'][0].ttl !== '',
    backoff: values['retry_policy'] === undefined ? undefined : [values['retry_policy'][0].minimum_backoff, values['retry_policy'][0].maximum_backoff],
    dead: values['dead_letter_policy'] === undefined ? undefined : [values['dead_letter_policy'][0].dead_letter_topic, values['dead_letter_policy'][0].max_delivery_attempts],
  }]));
  const here = Object.fromEntries(Object.entries(local.subscriptions).map(([name, options]: [string, any]) => [name, {
    topic: options.topic,
    ack: options.ackDeadlineSeconds,
    retention: `${options.messageRetentionDuration.seconds}s`,
    expires: options.expirationPolicy?.ttl !== undefined,
    backoff: options.retryPolicy === undefined ? undefined : [`${options.retryPolicy.minimumBackoff.seconds}s`, `${options.retryPolicy.maximumBackoff.seconds}s`],
    dead: options.deadLetterPolicy === undefined ? undefined : [options.deadLetterPolicy.deadLetterTopic, options.deadLetterPolicy.maxDeliveryAttempts],
  }]));
  expect(cloud).toEqual(here);
  expect(pushes(small)).toHaveLength(Object.values(local.subscriptions).filter(({ pushConfig }) => pushConfig !== undefined).length);
});

test('a stream that is added to the catalogue has its topics, subscriptions, grants, lifecycle and alerts without a line of Terraform', () => {
  const root = mkdtempSync(join(tmpdir(), 'chiplog-catalogue-'));
  try {
    mkdirSync(join(root, 'infra'));
    mkdirSync(join(root, 'schemas'));
    for (const name of ['kept-tables.json', 'time-zones.json']) copyFileSync(join(INFRA, name), join(root, 'infra', name));
    const catalogue = JSON.parse(readFileSync(join(ROOT, 'schemas/streams.json'), 'utf8')) as { streams: Record<string, object> };
    catalogue.streams['clicks'] = { ...catalogue.streams['events'], topic: 'clicks', table_prefix: 'clicks', route: '/v1/clicks', raw_retention_days: 365 };
    writeFileSync(join(root, 'schemas/streams.json'), JSON.stringify(catalogue));
    const variables = readFileSync(join(INFRA, 'examples/small.tfvars'), 'utf8').replace('streams = ["events"], platform = "ANDROID"', 'streams = ["clicks"], platform = "ANDROID"');
    const more = plan(readSources(INFRA), variables, join(root, 'infra'));
    expect(more.refused).toEqual([]);
    const known = new Set(small.resources.map(({ address }) => address));
    expect(more.resources.map(({ address }) => address).filter((address) => !known.has(address)).sort()).toEqual([
      'google_pubsub_subscription.push["clicks-to-bigquery"]', 'google_pubsub_subscription.push["clicks-to-storage"]', 'google_pubsub_subscription.undeliverable["clicks"]',
      'google_pubsub_subscription_iam_member.dead_letter["clicks-to-bigquery"]', 'google_pubsub_subscription_iam_member.dead_letter["clicks-to-storage"]',
      'google_pubsub_topic.stream["clicks"]', 'google_pubsub_topic.undeliverable["clicks"]', 'google_pubsub_topic_iam_member.dead_letter["clicks"]',
      'google_pubsub_topic_iam_member.publisher["collect to clicks"]', 'google_pubsub_topic_iam_member.publisher["replay to clicks"]',
    ]);
    const rules = of(more, 'google_storage_bucket').find(({ name }) => name === 'raw')!.values['lifecycle_rule'];
    expect(rules).toContainEqual({ action: [{ type: 'Delete' }], condition: [{ age: 365, matches_prefix: ['raw/clicks/'] }] });
    const filters = JSON.stringify(of(more, 'google_monitoring_alert_policy').map(({ values }) => values['conditions']));
    for (const subscription of ['clicks-to-bigquery', 'clicks-to-storage', 'clicks-undeliverable']) expect(filters).toContain(subscription);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('doctor asks for the services that Terraform switches on', () => {
  expect(of(small, 'google_project_service').map(({ values }) => values['service']).sort()).toEqual([...SERVICES].sort());
});

test('the tables of the rollover are those of the code: names, columns, partitions, clusters', async () => {
  const { KEPT_TABLES } = await import('../../functions/rollover/tables.ts');
  const made = of(small, 'google_bigquery_table').map(({ values }) => ({ name: values['table_id'], description: values['description'], clustering: values['clustering'], partitionedBy: values['time_partitioning']?.[0]?.field, fields: JSON.parse(values['schema']) }));
  expect(made).toEqual(KEPT_TABLES.map(({ name, description, clustering, partitionedBy, fields }) => ({ name, description, clustering: [...clustering], partitionedBy, fields })).sort((a, b) => (a.name < b.name ? -1 : 1)));
});
