// Bad variables are refused with a sentence, before anything is created: by the tests' reader of the files always, by Terraform where it is.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSources as readSourcesDocument } from '../../functions/collect/sources.ts';
import { INFRA, plan } from './hcl/plan.ts';
import { parse, readSources } from './hcl/parse.ts';
import { clearWorkspaces, planWithTerraform, terraformIsMissing, workspace } from './terraform.ts';

const sources = readSources(INFRA);
const small = readFileSync(join(INFRA, 'examples/small.tfvars'), 'utf8');
const big = readFileSync(join(INFRA, 'examples/big.tfvars'), 'utf8');

/** The small team's variables with one of them said otherwise. */
function with_(name: string, value: string, of = small): string {
  const rest = of.replace(new RegExp(`^${name} += (\\[[\\s\\S]*?^\\]|\\{[\\s\\S]*?^\\}|.*)$`, 'm'), '');
  return `${rest}\n${name} = ${value}\n`;
}
const source = (fields: string): string => `[{ id = "a", write_keys = ["k1"], streams = ["events"] }, { ${fields} }]`;
const KEY = (place: string): string => `projects/p/locations/${place}/keyRings/r/cryptoKeys/k`;

const BAD: [what: string, variables: string, sentence: string][] = [
  ['a project\'s name instead of its id', with_('project', '"Acme Events"'), 'A project id has'],
  ['a zone instead of a region', with_('region', '"europe-west1-b"'), 'A region looks like'],
  ['a location that is neither EU, US nor the region', with_('location', '"ASIA"'), 'The location is EU'],
  ['EU with a region outside the European Union', with_('region', '"europe-west2"'), 'The location is EU'],
  ['US with a region elsewhere', with_('location', '"US"'), 'The location is EU'],
  ['a region as location that is not the region of the functions', with_('location', '"europe-west4"'), 'The location is EU'],
  ['a prefix with capitals', with_('prefix', '"Chiplog"'), 'The prefix has'],
  ['a prefix that is too long for account ids', with_('prefix', '"chiplog-production"'), 'The prefix has'],
  ['a prefix that ends with a hyphen', with_('prefix', '"chiplog-"'), 'The prefix has'],
  ['a prefix that Google keeps for itself', with_('prefix', '"goog-events"'), 'The prefix has'],
  ['a prefix that no bucket may hold', with_('prefix', '"my-google"'), 'The prefix has'],
  ['a dataset with a hyphen', with_('dataset', '"chip-log"'), 'A dataset\'s name has'],
  ['an unknown time zone', with_('time_zone', '"Europe/Atlantis"'), 'The time zone is'],
  ['a time zone that is an abbreviation', with_('time_zone', '"CEST"'), 'The time zone is'],
  ['a time zone that is an offset', with_('time_zone', '"+02:00"'), 'The time zone is'],
  ['a time zone without its capitals', with_('time_zone', '"europe/berlin"'), 'The time zone is'],
  ['negative retention', with_('retention_days', '-1'), 'Messages are kept for'],
  ['retention beyond what Pub/Sub keeps', with_('retention_days', '32'), 'Messages are kept for'],
  ['retention of half a day', with_('retention_days', '0.5'), 'Messages are kept for'],
  ['a negative late limit', with_('late_days_max', '-30'), 'Events may be late by'],
  ['soft delete that is switched off', with_('soft_delete_days', '0'), 'Cloud Storage keeps deleted files'],
  ['no e-mail for alerts', with_('alert_email', '"data team"'), 'The alert e-mail is'],
  ['more instances at least than at most', with_('collector_instances', '{ min = 5, max = 2 }'), 'The collector has'],
  ['half an instance', with_('collector_instances', '{ min = 0.5 }'), 'The collector has a whole number'],
  ['half a writer', with_('writer_instances', '{ max = 1.5 }'), 'A writer has a whole number'],
  ['writers without an instance', with_('writer_instances', '{ max = 0 }'), 'A writer has'],
  ['no source', with_('sources', '[]'), 'There is no source'],
  ['two sources of one id', with_('sources', source('id = "a", write_keys = ["k2"], streams = ["events"]')), 'Two sources have the same id'],
  ['one key for two sources', with_('sources', source('id = "b", write_keys = ["k1"], streams = ["events"]')), 'A write key occurs twice'],
  ['one key twice in a source', with_('sources', source('id = "b", write_keys = ["k2", "k2"], streams = ["events"]')), 'A write key occurs twice'],
  ['a source without a key', with_('sources', source('id = "b", write_keys = [], streams = ["events"]')), 'Each source has 1 to 20 write keys'],
  ['a source whose keys are null', with_('sources', source('id = "b", write_keys = null, streams = ["events"]')), 'Each source has 1 to 20 write keys'],
  ['a source whose streams are null', with_('sources', source('id = "b", write_keys = ["k2"], streams = null')), 'A source names at least one stream'],
  ['a source without a stream', with_('sources', source('id = "b", write_keys = ["k2"], streams = []')), 'A source names at least one stream'],
  ['a key with a space', with_('sources', source('id = "b", write_keys = ["k 2"], streams = ["events"]')), 'A write key has'],
  ['a source id with capitals', with_('sources', source('id = "B", write_keys = ["k2"], streams = ["events"]')), 'A source\'s id has'],
  ['a stream that is not in the catalogue', with_('sources', source('id = "b", write_keys = ["k2"], streams = ["clicks"]')), 'A source names at least one stream'],
  ['a stream that nobody can send to', with_('sources', source('id = "b", write_keys = ["k2"], streams = ["rejected"]')), 'A source names at least one stream'],
  ['a stream twice', with_('sources', source('id = "b", write_keys = ["k2"], streams = ["events", "events"]')), 'A source names a stream or an origin twice'],
  ['an origin twice', with_('sources', source('id = "b", write_keys = ["k2"], streams = ["events"], origins = ["https://a.example", "https://a.example"]')), 'A source names a stream or an origin twice'],
  ['an unknown platform', with_('sources', source('id = "b", write_keys = ["k2"], streams = ["events"], platform = "Windows"')), 'The platform of a source is'],
  ['an origin with a path', with_('sources', source('id = "b", write_keys = ["k2"], streams = ["events"], origins = ["https://www.example.com/"]')), 'An origin is'],
  ['a rate of nothing', with_('sources', source('id = "b", write_keys = ["k2"], streams = ["events"], events_per_second_max = 0')), 'events_per_second_max is'],
  ['an unknown consent', with_('sources', source('id = "b", write_keys = ["k2"], streams = ["events"], analytics_storage = "granted"')), 'analytics_storage is'],
  ['more sources than a secret can hold', with_('sources', `[${Array.from({ length: 700 }, (_, index) => `{ id = "source-${index}", write_keys = ["${'k'.repeat(40)}${index}"], streams = ["events"] }`).join(', ')}]`), 'The sources document is larger'],
  ['a domain with a scheme', with_('domain', '"https://collect.example.com"'), 'The domain is'],
  ['a rate limit of nothing', with_('rate_limit', '{ requests_per_minute = 0 }', big), 'The rate limit is'],
  ['a rate limit without a load balancer to hold it', with_('rate_limit', '{ requests_per_minute = 60 }'), 'A rate limit is held by the load balancer'],
  ['a key for the dataset', with_('cmek', `{ dataset = "${KEY('europe')}" }`), 'The dataset cannot have a key of its own'],
  ['a key with its version', with_('cmek', `{ topics = "${KEY('europe-west1')}/cryptoKeyVersions/1" }`), 'A key is named in full'],
  ['a key for the bucket that lies elsewhere', with_('cmek', `{ bucket = "${KEY('us')}" }`), 'The bucket\'s key lies where'],
  ['a key for the secret that lies elsewhere', with_('cmek', `{ secrets = "${KEY('global')}" }`), 'The secret is kept in the region'],
  ['logs that are kept for no day', with_('log_sink', '{ retention_days = 0 }'), 'Log files are kept'],
  ['a billing account\'s name', with_('budget', '{ billing_account = "Acme", units = 100 }'), 'A billing account looks like'],
  ['a budget of nothing', with_('budget', '{ billing_account = "012345-6789AB-CDEF01", units = 0 }'), 'A budget is a whole number'],
  ['a currency by its name', with_('budget', '{ billing_account = "012345-6789AB-CDEF01", units = 100, currency = "Euro" }'), 'A budget is a whole number'],
  ['an app\'s package name', with_('app_check', '{ android_apps = ["com.example.app"] }'), 'A Firebase app id looks like'],
  ['an app of Apple\'s among those of Android', with_('app_check', '{ android_apps = ["1:1234567890:ios:0123abcd4567ef89"] }'), 'A Firebase app id looks like'],
  ['an app of Android\'s among those of Apple', with_('app_check', '{ apple_apps = ["1:1234567890:android:321abc456def7890"] }'), 'A Firebase app id looks like'],
  ['a site among the apps', with_('app_check', '{ web_apps = { "1:1234567890:android:321abc456def7890" = "key" } }'), 'A Firebase app id looks like'],
];

test.each(BAD)('%s is refused with a sentence', (_what, variables, sentence) => {
  const { refused, resources } = plan(sources, variables, INFRA);
  expect(refused).toContainEqual(expect.stringContaining(sentence));
  for (const one of refused) expect(one).toMatch(/^[A-Za-z].+\.$/s);
  expect(resources).toEqual([]);
});

const GOOD: [what: string, variables: string][] = [
  ['time zones by their names of today and of yesterday', with_('time_zone', '"Asia/Kolkata"')],
  ['UTC', with_('time_zone', '"UTC"')],
  ['a region as location', with_('location', '"europe-west1"')],
  ['null for what has a default', ['prefix', 'dataset', 'time_zone', 'retention_days', 'late_days_max', 'soft_delete_days', 'collector_instances', 'writer_instances', 'cmek'].reduce((text, name) => with_(name, 'null', text), small)],
  ['the shortest prefix', with_('prefix', '"c"')],
  ['the longest prefix', with_('prefix', '"chiplog-prod-eu"')],
  ['a key for the bucket in europe', with_('cmek', `{ bucket = "${KEY('europe')}", secrets = "${KEY('europe-west1')}" }`)],
  ['a budget in a currency that is named', with_('budget', '{ billing_account = "012345-6789AB-CDEF01", units = 100, currency = "EUR" }')],
  ['apps of Apple\'s alone', with_('app_check', '{ apple_apps = ["1:1234567890:ios:0123abcd4567ef89"] }')],
  ['an app\'s own scheme as origin', with_('sources', source('id = "b", write_keys = ["k2"], streams = ["events"], origins = ["capacitor://localhost", "*"]'))],
];

test('nobody becomes public by silence: whether the collector is public has to be said', () => {
  expect(plan(sources, small.replace(/^collector_is_public.*$/m, ''), INFRA).refused).toEqual([expect.stringContaining('collector_is_public')]);
});

test('every validation of every variable is reached by a bad value', () => {
  const sentences = parse(sources).filter(({ type }) => type === 'variable').flatMap(({ body }) => body.blocks.filter(({ type }) => type === 'validation').map((block) => block.body.attributes.get('error_message')!.expression.text.slice(1, -1)));
  const reached = BAD.map(([, , sentence]) => sentence);
  expect(sentences.length).toBeGreaterThan(25);
  expect(sentences.filter((sentence) => !reached.some((start) => sentence.startsWith(start)))).toEqual([]);
});

test.each([['the small team', small], ['the big team', big], ...GOOD])('the document that the collector gets from %s is one that it can read', (_what, variables) => {
  const version = plan(sources, variables, INFRA).resources.find(({ type }) => type === 'google_secret_manager_secret_version')!;
  const read = readSourcesDocument(version.values['secret_data'], undefined, () => 0);
  expect(read).toHaveProperty('list');
  const given = JSON.parse(version.values['secret_data']) as { sources: { write_keys: string[] }[] };
  expect('list' in read && [...read.list.byKey.keys()].sort()).toEqual(given.sources.flatMap(({ write_keys }) => write_keys).sort());
});

test('every variable is described, in a sentence', () => {
  const bare = parse(sources).filter(({ type, body }) => type === 'variable' && !/^".{20,}\."$/.test(body.attributes.get('description')?.expression.text ?? '')).map(({ labels }) => labels[0]);
  expect(bare).toEqual([]);
});


test.each(GOOD)('%s is taken', (_what, variables) => {
  expect(plan(sources, variables, INFRA).refused).toEqual([]);
});

test('no name that is made of the longest prefix is longer than Google takes', () => {
  const { resources } = plan(sources, with_('prefix', '"chiplog-prod-eu"'), INFRA);
  const tooLong = resources.flatMap(({ address, type, values }) => {
    const [name, max] = type === 'google_service_account' ? [values['account_id'], 30] : type === 'google_storage_bucket' || type === 'google_cloudfunctions2_function' ? [values['name'], 63] : ['', 0];
    return String(name).length > max ? [`${address}: ${name}`] : [];
  });
  expect(tooLong).toEqual([]);
});

describe.skipIf(terraformIsMissing !== undefined)(`Terraform says the same${terraformIsMissing === undefined ? '' : ` (skipped: ${terraformIsMissing})`}`, { timeout: 120_000 }, () => {
  let folder: string;
  beforeAll(() => { folder = workspace(); });
  afterAll(clearWorkspaces);

  // Each takes a second; one of each kind of condition is enough to know that Terraform reads them as these tests do.
  const KINDS = ['half an instance', 'a source whose keys are null', 'a source whose streams are null', 'a prefix with capitals', 'an unknown time zone', 'negative retention', 'one key for two sources', 'EU with a region outside the European Union', 'a key for the dataset', 'a rate limit without a load balancer to hold it', 'an origin with a path'];
  test.each(BAD.filter(([what]) => KINDS.includes(what)))('%s', async (_what, variables, sentence) => {
    const { code, diagnostics } = await planWithTerraform(folder, variables);
    expect(code).not.toBe(0);
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ summary }) => summary)).toEqual(['Invalid value for variable']);
    expect(errors[0]!.detail?.replace(/\s+/g, ' ')).toContain(sentence);
  });

  test.each(GOOD.filter(([what]) => /UTC|longest|europe|null|Apple|currency/.test(what)))('%s is taken', async (_what, variables) => {
    expect(await planWithTerraform(folder, variables)).toMatchObject({ code: 0 });
  });
});
