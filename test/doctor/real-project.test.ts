// What only a real project has, against a pretended Google: services, roles, settings, who may call, schedules, waiting messages. Each
// damage is found alone, and what may not be read is told as such.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createCloudApis, type CloudHosts } from '../../scripts/doctor/cloud-apis.ts';
import { pubsubChecks } from '../../scripts/doctor/check-pubsub.ts';
import { functionChecks } from '../../scripts/doctor/check-functions.ts';
import { projectChecks, SERVICES } from '../../scripts/doctor/check-project.ts';
import { examine, type Examination } from '../../scripts/doctor/finding.ts';
import { backlogsOfMonitoring } from '../../scripts/doctor/make-patient.ts';
import type { Patient } from '../../scripts/doctor/patient.ts';
import { FUNCTIONS } from '../../scripts/local/function-settings.ts';

const PROJECT = 'shop';
const REGION = 'europe-west1';
const NOW = Date.parse('2026-03-10T12:00:00Z');
const account = (name: string): string => `serviceAccount:chiplog-${name}@${PROJECT}.iam.gserviceaccount.com`;
const AGENT = 'serviceAccount:service-123@gcp-sa-pubsub.iam.gserviceaccount.com';

type Binding = { role: string; members: string[] };
type FunctionState = { state: string; buildConfig: { entryPoint: string }; serviceConfig: { uri: string; maxInstanceRequestConcurrency: number; environmentVariables: Record<string, string> } };
type Google = {
  services: string[]; project: Binding[]; functions: Map<string, FunctionState>; invokers: Map<string, string[]>; schedules: Map<string, string>;
  /** Paths that are answered 403. */
  forbidden: RegExp | undefined; topics: Map<string, Binding[]>; seen: { method: string; path: string; token: string }[];
};
let google: Google;
let server: Server;
let hosts: CloudHosts;

beforeEach(() => {
  const invokers: Record<string, string[]> = {
    collect: ['allUsers'], 'write-bigquery': [account('push-bigquery')], 'write-storage': [account('push-storage')], rollover: [account('scheduler')], maintain: [account('scheduler')], replay: [],
  };
  google = {
    services: [...SERVICES], schedules: new Map([['rollover', 'ENABLED'], ['maintain', 'ENABLED']]), forbidden: undefined, seen: [],
    project: [{ role: 'roles/bigquery.jobUser', members: [account('rollover'), account('maintain')] }, { role: 'roles/owner', members: ['user:anna@example.com'] }],
    functions: new Map(FUNCTIONS.map(({ name, target }) => [name, {
      state: 'ACTIVE', buildConfig: { entryPoint: target },
      serviceConfig: { uri: `https://chiplog-${name}.run.app`, maxInstanceRequestConcurrency: 20, environmentVariables: settingsOf(name) },
    }])),
    invokers: new Map(Object.entries(invokers)),
    topics: new Map(['events', 'inference', 'rejected'].flatMap((stream) => [
      [`topic chiplog-${stream}-undeliverable`, [{ role: 'roles/pubsub.publisher', members: [AGENT] }]],
      ...['bigquery', 'storage'].map((writer): [string, Binding[]] => [`subscription chiplog-${stream}-to-${writer}`, [{ role: 'roles/pubsub.subscriber', members: [AGENT] }]]),
    ] as [string, Binding[]][])),
  };
});

/** The settings that have no default, as the function's table says. */
function settingsOf(name: string): Record<string, string> {
  const needs: Record<string, string[]> = { collect: ['CHIPLOG_SOURCES_FILE'], 'write-storage': ['CHIPLOG_BUCKET'], maintain: ['CHIPLOG_BUCKET'], replay: ['CHIPLOG_BUCKET'] };
  return Object.fromEntries(['GOOGLE_CLOUD_PROJECT', ...(needs[name] ?? [])].map((setting) => [setting, 'set']));
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://google');
    google.seen.push({ method: request.method!, path: url.pathname, token: request.headers.authorization ?? '' });
    const [status, body] = google.forbidden?.test(url.pathname) === true ? [403, { error: { message: 'Permission denied on it.' } }] : answer(url);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  hosts = { serviceusage: base, cloudresourcemanager: base, run: base, cloudfunctions: base, cloudscheduler: base, monitoring: base };
});
afterAll(() => { server.close(); });

const missing: [number, object] = [404, { error: { message: 'not found' } }];
function answer(url: URL): [number, object] {
  const place = `/projects/${PROJECT}/locations/${REGION}`;
  const name = url.pathname.split('/chiplog-').at(-1)!.split(':')[0]!;
  if (url.pathname === `/v1/projects/${PROJECT}/services` && url.searchParams.get('filter') === 'state:ENABLED') {
    // Two pages, as a project with many services has.
    const from = Number(url.searchParams.get('pageToken') ?? 0);
    return [200, { services: google.services.slice(from, from + 9).map((service) => ({ config: { name: service } })), ...(from + 9 < google.services.length ? { nextPageToken: String(from + 9) } : {}) }];
  }
  if (url.pathname === `/v3/projects/${PROJECT}:getIamPolicy`) return [200, { bindings: google.project }];
  if (url.pathname.startsWith(`/v2${place}/functions/`)) return google.functions.has(name) ? [200, google.functions.get(name)!] : missing;
  if (url.pathname.startsWith(`/v2${place}/services/`)) return google.invokers.has(name) ? [200, { bindings: [{ role: 'roles/run.invoker', members: google.invokers.get(name) }] }] : missing;
  if (url.pathname.startsWith(`/v1${place}/jobs/`)) return google.schedules.has(name) ? [200, { state: google.schedules.get(name) }] : missing;
  if (url.pathname === `/v3/projects/${PROJECT}/timeSeries`) {
    const isAge = url.searchParams.get('filter')!.includes('oldest_unacked_message_age');
    return [200, { timeSeries: [{ resource: { labels: { subscription_id: 'chiplog-events-to-bigquery' } }, points: [{ value: { int64Value: isAge ? '1800' : '42' } }, { value: { int64Value: '1' } }] }] }];
  }
  return missing;
}

const cloud = () => createCloudApis({ project: PROJECT, region: REGION, prefix: 'chiplog', token: async () => 'a-token', hosts });
function patient(): Patient {
  const policy = (key: string) => ({ iam: { getPolicy: async () => [{ bindings: google.topics.get(key) }] } });
  return {
    project: PROJECT, region: REGION, location: 'EU', prefix: 'chiplog', datasetName: 'chiplog', bucketName: 'shop-chiplog-raw', timeZone: 'UTC', nowMs: NOW, streams: [], rawRetentionDays: {}, cloud: cloud(), local: undefined,
    pubsub: { topic: (name: string) => policy(`topic ${name}`), subscription: (name: string) => policy(`subscription ${name}`) } as never,
    dataset: undefined as never, bucket: undefined as never, backlogs: async () => new Map(),
  };
}
const look = (): Promise<Examination> => examine([...projectChecks(patient()), ...functionChecks(patient())]);

test('a project that is as Terraform makes it has no finding', async () => {
  expect(await look()).toMatchObject({ findings: [], not_made: [], not_here: [] });
  // The getIamPolicy of a project is a POST that changes nothing; everything else is a GET.
  expect([...new Set(google.seen.filter(({ method }) => method !== 'GET').map(({ path }) => path))]).toEqual([`/v3/projects/${PROJECT}:getIamPolicy`]);
  expect([...new Set(google.seen.map(({ token }) => token))]).toEqual(['Bearer a-token']);
});

const of = (name: string): FunctionState => google.functions.get(name)!;
test.each<[string, string, () => void, string]>([
  ['service_disabled', 'bigquerystorage.googleapis.com', () => { google.services = google.services.filter((name) => !name.startsWith('bigquerystorage')); }, 'gcloud services enable bigquerystorage.googleapis.com --project=shop'],
  ['role_missing', account('rollover'), () => { google.project[0]!.members = [account('maintain')]; }, `gcloud projects add-iam-policy-binding shop --member=${account('rollover')} --role=roles/bigquery.jobUser`],
  ['role_too_wide', account('collect'), () => { google.project[1]!.members.push(account('collect')); }, `gcloud projects remove-iam-policy-binding shop --member=${account('collect')} --role=roles/owner`],
  ['dead_letter_role_missing', 'chiplog-events-undeliverable', () => { google.topics.set('topic chiplog-events-undeliverable', []); }, 'gcloud pubsub topics add-iam-policy-binding chiplog-events-undeliverable'],
  ['dead_letter_role_missing', 'chiplog-rejected-to-storage', () => { google.topics.set('subscription chiplog-rejected-to-storage', [{ role: 'roles/pubsub.subscriber', members: [account('collect')] }]); }, 'gcloud pubsub subscriptions add-iam-policy-binding chiplog-rejected-to-storage'],
  ['schedule_missing', 'chiplog-rollover', () => { google.schedules.delete('rollover'); }, 'terraform -chdir=infra apply'],
  ['schedule_paused', 'chiplog-maintain', () => { google.schedules.set('maintain', 'PAUSED'); }, 'gcloud scheduler jobs resume chiplog-maintain --location=europe-west1 --project=shop'],
  ['function_missing', 'chiplog-replay', () => { google.functions.delete('replay'); google.invokers.delete('replay'); }, 'npm run build && terraform -chdir=infra apply'],
  ['function_not_active', 'chiplog-collect', () => { of('collect').state = 'FAILED'; }, 'gcloud functions logs read chiplog-collect --gen2 --region=europe-west1 --project=shop'],
  ['function_setting_missing', 'chiplog-write-storage', () => { delete of('write-storage').serviceConfig.environmentVariables['CHIPLOG_BUCKET']; }, 'terraform -chdir=infra apply'],
  ['function_setting_unknown', 'chiplog-collect', () => { of('collect').serviceConfig.environmentVariables['CHIPLOG_DATASET'] = 'x'; }, 'terraform -chdir=infra apply'],
  ['function_takes_one_at_a_time', 'chiplog-collect', () => { of('collect').serviceConfig.maxInstanceRequestConcurrency = 1; }, 'terraform -chdir=infra apply'],
  ['function_starts_another', 'chiplog-rollover', () => { of('rollover').buildConfig.entryPoint = 'replay'; }, 'terraform -chdir=infra apply'],
  ['function_public', 'chiplog-replay', () => { google.invokers.set('replay', ['allUsers']); }, 'gcloud run services remove-iam-policy-binding chiplog-replay --region=europe-west1 --project=shop --role=roles/run.invoker --member=allUsers'],
  ['caller_not_allowed', 'chiplog-write-bigquery', () => { google.invokers.set('write-bigquery', [account('push-storage')]); }, `gcloud run services add-iam-policy-binding chiplog-write-bigquery --region=europe-west1 --project=shop --role=roles/run.invoker --member=${account('push-bigquery')}`],
  ['caller_not_allowed', 'chiplog-rollover', () => { google.invokers.set('rollover', []); }, `--member=${account('scheduler')}`],
])('%s of %s is found alone, with its cure', async (kind, where, damage, cure) => {
  damage();
  const { findings, not_made: notMade } = await look();
  expect(notMade).toEqual([]);
  expect(findings.map((finding) => [finding.kind, finding.where])).toEqual([[kind, where]]);
  expect(findings[0]!.cure).toContain(cure);
});

test('services, accounts and names are those that infra/ makes', () => {
  const infra = (name: string): string => readFileSync(resolve(import.meta.dirname, '../../infra', name), 'utf8');
  const always = /concat\(\s*\[([\s\S]*?)\]/.exec(infra('apis.tf'))![1]!;
  expect([...SERVICES].sort()).toEqual([...always.matchAll(/"([\w.]+)"/g)].map(([, name]) => name).sort());
  const ids = [...infra('service-accounts.tf').matchAll(/account_id\s*=\s*"([^"]+)"/g)].map(([, id]) => id);
  expect(ids).toEqual(['${var.prefix}-${each.key}', '${var.prefix}-push-${each.key}', '${var.prefix}-scheduler', '${var.prefix}-build']);
  expect(infra('functions.tf')).toContain('name        = "${var.prefix}-${each.key}"');
  expect(infra('scheduler.tf')).toContain('"${var.prefix}-${each.key}"');
  expect(infra('bucket.tf')).toContain('"${var.project}-${var.prefix}-raw"');
});

test('a real project needs its region', () => {
  const { status, stderr } = spawnSync(process.execPath, [resolve(import.meta.dirname, '../../scripts/doctor.ts'), '--project', 'shop'], { encoding: 'utf8' });
  expect({ status, told: stderr.trim() }).toEqual({ status: 2, told: '--region is missing: the region of the functions, as in your .tfvars.' });
});

test('what may not be read is told, and is not taken for healthy', async () => {
  google.forbidden = /\/functions\/|\/services$/;
  const { findings, not_made: notMade } = await look();
  expect(findings).toEqual([]);
  expect(notMade.map(({ check }) => check)).toEqual([...FUNCTIONS.map(({ name }) => `function ${name}`).sort(), 'services of the project']);
  expect(notMade[0]!.because).toBe('127.0.0.1 answered 403: Permission denied on it.');
});

test('waiting messages are the newest points of Cloud Monitoring', async () => {
  expect(await backlogsOfMonitoring(cloud(), NOW)).toEqual(new Map([['chiplog-events-to-bigquery', { messages: 42, oldestSeconds: 1_800 }]]));
});

test('a push subscription must lead to the function\'s own address, with an identity', async () => {
  const subscriptions = ['events', 'inference', 'rejected'].flatMap((stream) => ['bigquery', 'storage'].map((writer) => ({
    name: `projects/shop/subscriptions/chiplog-${stream}-to-${writer}`,
    metadata: {
      topic: `projects/shop/topics/chiplog-${stream}`, ackDeadlineSeconds: 60, expirationPolicy: {}, retryPolicy: { minimumBackoff: { seconds: '10' } },
      deadLetterPolicy: { deadLetterTopic: `projects/shop/topics/chiplog-${stream}-undeliverable`, maxDeliveryAttempts: 100 },
      pushConfig: { pushEndpoint: `https://chiplog-write-${writer}.run.app`, oidcToken: { serviceAccountEmail: `chiplog-push-${writer}@shop.iam.gserviceaccount.com` } },
    } as { pushConfig: { pushEndpoint: string; oidcToken?: object } },
  })));
  const endpoints = pubsubChecks({ ...patient(), pubsub: { getSubscriptions: async () => [subscriptions] } as never }).find(({ name }) => name.startsWith('endpoints'))!;
  expect(await endpoints.run()).toEqual([]);
  delete subscriptions[0]!.metadata.pushConfig.oidcToken;
  subscriptions[3]!.metadata.pushConfig.pushEndpoint = 'https://old-write-storage.run.app';
  expect(await pubsubChecks({ ...patient(), pubsub: { getSubscriptions: async () => [subscriptions] } as never }).find(({ name }) => name.startsWith('endpoints'))!.run()).toMatchObject([
    { kind: 'push_without_identity', where: 'chiplog-events-to-bigquery', cure: expect.stringContaining('--push-auth-service-account=chiplog-push-bigquery@shop.iam.gserviceaccount.com') },
    { kind: 'endpoint_wrong', where: 'chiplog-inference-to-storage', cure: 'gcloud pubsub subscriptions update chiplog-inference-to-storage --push-endpoint=https://chiplog-write-storage.run.app --push-auth-service-account=chiplog-push-storage@shop.iam.gserviceaccount.com --project=shop' },
  ]);
});
