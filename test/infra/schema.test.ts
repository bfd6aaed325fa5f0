// Every resource, block and attribute of infra/ against Google's own list, and that the check sees what it is for.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkSchema, checkTypes } from './check-schema.ts';
import { INFRA, plan } from './hcl/plan.ts';
import { readSources } from './hcl/parse.ts';

const sources = readSources(INFRA);

test('Google\'s provider knows every resource, block and attribute, each is where it belongs, and none is deprecated', () => {
  expect(checkSchema(sources)).toEqual([]);
});

test.each(['small', 'big'])('every value that is planned for the %s team is of the kind that the provider wants', (name) => {
  const { resources } = plan(sources, readFileSync(join(INFRA, 'examples', `${name}.tfvars`), 'utf8'), INFRA);
  expect(resources.length).toBeGreaterThan(100);
  expect(checkTypes(resources)).toEqual([]);
});

test('the providers that are taken are Google\'s 7 and 8, by a Terraform that can compare variables; budgets and App Check are asked for with the project\'s own quota', () => {
  const versions = sources['versions.tf']!.replace(/\s+/g, ' ');
  expect(versions).toContain('required_version = ">= 1.9.0, < 2.0.0"');
  expect(versions).toContain('google = { source = "hashicorp/google" version = ">= 7.0.0, < 9.0.0" }');
  expect(versions).toMatch(/user_project_override = var\.budget != null \|\| var\.app_check != null billing_project = var\.project/);
});

const BROKEN: [what: string, text: string, finding: string][] = [
  ['an unknown resource', 'resource "google_pubsub_queue" "q" {\n  name = "q"\n}', 'broken.tf:1: the provider has no google_pubsub_queue'],
  ['an unknown attribute', 'resource "google_pubsub_topic" "t" {\n  name = "t"\n  retention = "1d"\n}', 'broken.tf:3: google_pubsub_topic.t has no retention'],
  ['an unknown block', 'resource "google_pubsub_topic" "t" {\n  name = "t"\n\n  storage_policy {}\n}', 'broken.tf:4: google_pubsub_topic.t has no block storage_policy'],
  ['a missing attribute', '\nresource "google_pubsub_subscription" "s" {\n  name = "s"\n}', 'broken.tf:2: google_pubsub_subscription.s needs topic'],
  ['a missing attribute of a block', 'resource "google_pubsub_subscription" "s" {\n  name = "s"\n  topic = "t"\n  expiration_policy {\n  }\n}', 'broken.tf:4: google_pubsub_subscription.s.expiration_policy needs ttl'],
  ['a missing block', 'resource "google_secret_manager_secret" "s" {\n  secret_id = "s"\n}', 'broken.tf:1: google_secret_manager_secret.s needs the block replication'],
  ['a block written as an attribute', 'resource "google_pubsub_subscription" "s" {\n  name = "s"\n  topic = "t"\n  retry_policy = { minimum_backoff = "10s" }\n}', 'broken.tf:4: google_pubsub_subscription.s.retry_policy is a block: write it without ='],
  ['an attribute written as a block', 'resource "google_pubsub_topic" "t" {\n  name = "t"\n  labels {\n  }\n}', 'broken.tf:3: google_pubsub_topic.t.labels is no block: write it with ='],
  ['an attribute one level too high', 'resource "google_pubsub_subscription" "s" {\n  name = "s"\n  topic = "t"\n  push_endpoint = "https://x"\n}', 'broken.tf:4: google_pubsub_subscription.s has no push_endpoint'],
  ['an attribute that only Google sets', 'resource "google_storage_bucket" "b" {\n  name = "b"\n  location = "EU"\n  self_link = "x"\n}', 'broken.tf:4: google_storage_bucket.b.self_link is computed and cannot be set'],
  ['a deprecated attribute', 'resource "google_bigquery_table" "t" {\n  dataset_id = "d"\n  table_id = "t"\n  time_partitioning {\n    type = "DAY"\n    require_partition_filter = true\n  }\n}', 'broken.tf:6: google_bigquery_table.t.time_partitioning.require_partition_filter is deprecated'],
  ['an attribute of provider 8 that 7.0 lacks', 'resource "google_pubsub_topic" "t" {\n  name = "t"\n  deletion_policy = "PREVENT"\n}', 'broken.tf:3: google_pubsub_topic.t.deletion_policy is unknown to provider 7.0'],
  ['a block too many', 'resource "google_pubsub_topic" "t" {\n  name = "t"\n  schema_settings {\n    schema = "a"\n  }\n  schema_settings {\n    schema = "b"\n  }\n}', 'broken.tf:1: google_pubsub_topic.t has 2 blocks schema_settings, at most 1 may be'],
  ['a wrong name inside a dynamic block', 'resource "google_storage_bucket" "b" {\n  name = "b"\n  location = "EU"\n  dynamic "encryption" {\n    for_each = []\n    content {\n      kms_key = "k"\n      default_kms_key_name = "k"\n    }\n  }\n}', 'broken.tf:7: google_storage_bucket.b.encryption has no kms_key'],
  ['a question to Google while planning', 'data "google_project" "p" {\n}', 'broken.tf:1: data google_project.p asks Google while planning'],
];

describe('the check finds, with file and line,', () => {
  test.each(BROKEN)('%s', (_what, text, finding) => {
    expect(checkSchema({ 'broken.tf': text })).toEqual([finding]);
  });

  test('a list where one value is wanted, and a text where a number is', () => {
    const broken = 'variable "project" {\n  type = string\n}\nresource "google_pubsub_subscription" "s" {\n  name = ["s"]\n  topic = "t"\n  ack_deadline_seconds = "a minute"\n}';
    const { resources } = plan({ 'broken.tf': broken }, 'project = "p"', INFRA);
    expect(checkTypes(resources)).toEqual([
      'broken.tf:4: google_pubsub_subscription.s.name is ["s"], the provider wants "string"',
      'broken.tf:4: google_pubsub_subscription.s.ack_deadline_seconds is "a minute", the provider wants "number"',
    ]);
  });

  test('a file that is no HCL', () => {
    expect(() => checkSchema({ 'broken.tf': 'resource "google_pubsub_topic" "t" {\n  name = \n}\n' })).toThrow(/^broken\.tf:\d+: is no HCL/);
  });
});
