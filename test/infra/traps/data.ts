// Traps around what is kept: how tables, files and the rest get deleted, expire, or are somebody else's.
import { timeZone } from '../../../functions/config.ts';
import { TIME_ZONE_LABEL, labelOf } from '../../../functions/reporting-zone.ts';
import { schemaOf } from '../provider-schema.ts';
import { damage, of, unless } from './trap.ts';
import type { Trap } from './trap.ts';

const HOLDS_DATA = ['google_bigquery_dataset', 'google_bigquery_table', 'google_secret_manager_secret', 'google_pubsub_subscription'];
const protectedBlock = '  lifecycle {\n    prevent_destroy = true\n  }\n';

export const DATA_TRAPS: Trap[] = [
  {
    name: 'what holds data can be destroyed by a plan',
    why: 'A renamed variable, or a careless destroy, would replace it: tables, files and waiting messages gone.',
    finds: (plan) => unless([...of(plan, ...HOLDS_DATA), ...of(plan, 'google_storage_bucket').filter(({ name }) => name === 'raw'), ...of(plan, 'google_pubsub_topic').filter(({ name }) => name !== 'days')], ({ preventDestroy }) => preventDestroy),
    damages: [
      damage('dataset.tf', '    prevent_destroy = true\n    ignore_changes  = [labels]', '    ignore_changes  = [labels]'),
      damage('dataset.tf', `  deletion_protection = true\n\n${protectedBlock}`, '  deletion_protection = true\n'),
      damage('bucket.tf', `${protectedBlock}\n  depends_on = [google_project_service.needed, google_kms_crypto_key_iam_member.bucket]`, '  depends_on = [google_project_service.needed, google_kms_crypto_key_iam_member.bucket]'),
      damage('secrets.tf', protectedBlock),
      damage('subscriptions.tf', `    ttl = ""\n  }\n\n${protectedBlock}}\n\nresource`, '    ttl = ""\n  }\n}\n\nresource'),
      damage('topics.tf', `  # A topic holds the messages of days; a change that would replace one must fail while planning.\n${protectedBlock}`),
    ],
  },
  {
    name: 'a destroy stops half-way, or a deployment cannot come back after it',
    why: 'A bucket with files in it is not deleted, and the id of a deleted role cannot be used for weeks. A plan has to say so.',
    finds: (plan) => unless([...of(plan, 'google_project_iam_custom_role'), ...of(plan, 'google_storage_bucket').filter(({ values }) => values['force_destroy'] !== true)], ({ preventDestroy }) => preventDestroy),
    damages: [damage('iam.tf', protectedBlock), damage('extras.tf', protectedBlock)],
  },
  {
    name: 'the tables of the rollover are not protected',
    why: 'Without deletion protection a changed schema may replace the table.',
    finds: (plan) => unless(of(plan, 'google_bigquery_table'), ({ values }) => values['deletion_protection'] === true),
    damages: [damage('dataset.tf', '  deletion_protection = true\n', '  deletion_protection = false\n')],
  },
  {
    name: 'a bucket or a dataset is deleted with what is in it',
    why: 'force_destroy and delete_contents_on_destroy empty it first.',
    finds: (plan) => [...unless(of(plan, 'google_storage_bucket').filter(({ name }) => name !== 'code'), ({ values }) => values['force_destroy'] === false), ...unless(of(plan, 'google_bigquery_dataset'), ({ values }) => values['delete_contents_on_destroy'] === false)],
    damages: [
      damage('bucket.tf', '  # Files in it are a reason not to delete it.\n  force_destroy = false', '  force_destroy = true'),
      damage('dataset.tf', 'delete_contents_on_destroy = false', 'delete_contents_on_destroy = true'),
      damage('extras.tf', 'force_destroy               = false', 'force_destroy               = true'),
    ],
  },
  {
    name: 'the dataset deletes its tables by itself',
    why: 'A default expiration holds for the daily tables too, and for those that are made later.',
    finds: (plan) => of(plan, 'google_bigquery_dataset').flatMap(({ address, values }) => ['default_table_expiration_ms', 'default_partition_expiration_ms'].filter((name) => name in values).map((name) => `${address}.${name}`)),
    damages: [
      damage('dataset.tf', '  max_time_travel_hours = "168"\n', '  max_time_travel_hours = "168"\n  default_table_expiration_ms = 5184000000\n'),
      damage('dataset.tf', '  max_time_travel_hours = "168"\n', '  max_time_travel_hours = "168"\n  default_partition_expiration_ms = 5184000000\n'),
    ],
  },
  {
    name: 'an apply changes the reporting time zone',
    why: 'One event would have two days. The label on the dataset is what the functions compare with, so it must be there and stay.',
    finds: (plan) => unless(of(plan, 'google_bigquery_dataset'), ({ values, ignoresChanges, conditions }) => ignoresChanges && conditions.some((text) => text.includes('self.labels[') && text.includes('local.time_zones[var.time_zone]') && !text.includes('||')) && labelOf(timeZone(plan.resources.find(({ type, key }) => type === 'google_cloudfunctions2_function' && key === 'maintain')!.values['service_config'][0].environment_variables.CHIPLOG_TIME_ZONE)) === values['labels']?.[TIME_ZONE_LABEL]),
    damages: [
      damage('dataset.tf', '    ignore_changes  = [labels]\n'),
      damage('dataset.tf', 'condition     = try(', 'condition     = true || try('),
      damage('dataset.tf', '  labels = { chiplog_time_zone = local.time_zones[var.time_zone] }\n'),
      damage('dataset.tf', '{ chiplog_time_zone = local.time_zones[var.time_zone] }', '{ chiplog_time_zone = "utc" }'),
    ],
  },
  {
    name: 'a wrong drop cannot be undone for a week',
    why: 'Time travel is what brings a dropped table back.',
    finds: (plan) => unless(of(plan, 'google_bigquery_dataset'), ({ values }) => values['max_time_travel_hours'] === '168'),
    damages: [damage('dataset.tf', '"168"', '"48"')],
  },
  {
    name: 'the dataset has a key of its own',
    why: 'BigQuery refuses wildcard queries over tables with one, and every query is one.',
    finds: (plan) => unless(of(plan, 'google_bigquery_dataset'), ({ values }) => values['default_encryption_configuration'] === undefined),
    damages: [damage('dataset.tf', '  delete_contents_on_destroy = false\n', '  delete_contents_on_destroy = false\n  default_encryption_configuration {\n    kms_key_name = "projects/p/locations/eu/keyRings/r/cryptoKeys/k"\n  }\n')],
  },
  {
    name: 'Terraform owns a shard or a table function',
    why: 'The code makes, migrates and drops them; a plan would put them back, or away.',
    finds: (plan) => [
      ...unless(of(plan, 'google_bigquery_table'), ({ values }) => ['rollovers', 'user_days'].includes(values['table_id'])),
      ...of(plan, 'google_bigquery_routine', 'google_bigquery_job').map(({ address }) => address),
    ],
    damages: [
      damage('dataset.tf', 'locals {\n', 'resource "google_bigquery_table" "today" {\n  dataset_id = google_bigquery_dataset.chiplog.dataset_id\n  table_id   = "events_intraday_20260115"\n}\n\nlocals {\n'),
      damage('dataset.tf', 'locals {\n', 'resource "google_bigquery_routine" "events" {\n  dataset_id      = google_bigquery_dataset.chiplog.dataset_id\n  routine_id      = "events"\n  routine_type    = "TABLE_VALUED_FUNCTION"\n  definition_body = "SELECT 1"\n}\n\nlocals {\n'),
    ],
  },
  {
    name: 'raw files are deleted although the catalogue keeps them',
    why: 'They are what everything else can be made from again.',
    finds: (plan) => of(plan, 'google_storage_bucket').filter(({ name }) => name === 'raw').flatMap(({ address, values }) =>
      ((values['lifecycle_rule'] ?? []) as Record<string, any>[]).filter(({ action, condition }) => action[0].type !== 'AbortIncompleteMultipartUpload' && !(condition[0].matches_prefix ?? []).every((prefix: string) => /^raw\/[a-z_]+\/$/.test(prefix)) || (action[0].type === 'Delete' && condition[0].matches_prefix === undefined)).map(() => `${address} has a rule for all of its files`)),
    damages: [damage('bucket.tf', '      type = "AbortIncompleteMultipartUpload"', '      type = "Delete"')],
  },
  {
    name: 'a deleted file cannot be brought back',
    why: 'Soft delete is the only way to undo a deletion in a bucket without versions.',
    finds: (plan) => unless(of(plan, 'google_storage_bucket').filter(({ name }) => name === 'raw'), ({ values }) => values['soft_delete_policy']?.[0]?.retention_duration_seconds >= 7 * 86_400),
    damages: [damage('bucket.tf', '  # A joined file\'s parts, or a file that somebody deleted by mistake, can be brought back for this long.\n  soft_delete_policy {\n    retention_duration_seconds = var.soft_delete_days * local.day_seconds\n  }\n'), damage('bucket.tf', '  # A joined file\'s parts, or a file that somebody deleted by mistake, can be brought back for this long.\n  soft_delete_policy {\n    retention_duration_seconds = var.soft_delete_days * local.day_seconds', '  soft_delete_policy {\n    retention_duration_seconds = 0')],
  },
  {
    name: 'a file can be made public',
    why: 'One object\'s own access list is enough, where the bucket does not forbid them.',
    finds: (plan) => unless(of(plan, 'google_storage_bucket'), ({ values }) => values['uniform_bucket_level_access'] === true && values['public_access_prevention'] === 'enforced'),
    damages: [
      damage('bucket.tf', '  uniform_bucket_level_access = true\n  public_access_prevention    = "enforced"\n  # Files', '  public_access_prevention    = "enforced"\n  # Files'),
      damage('bucket.tf', '  public_access_prevention    = "enforced"\n  # Files', '  # Files'),
    ],
  },
  {
    name: 'data lie in two places',
    why: 'BigQuery loads only from a bucket in its own location, and a promise of where data are is kept nowhere or everywhere.',
    finds: (plan) => {
      const dataset = String(of(plan, 'google_bigquery_dataset')[0]!.values['location']).toUpperCase();
      return unless(of(plan, 'google_storage_bucket'), ({ values }) => values['location'] === dataset);
    },
    damages: [damage('bucket.tf', '-raw"\n  location = upper(var.location)', '-raw"\n  location = "ASIA"'), damage('dataset.tf', 'location      = var.location', 'location      = "asia-east1"')],
  },
  {
    name: 'something is encrypted before Google may use the key',
    why: 'The first apply fails half-way.',
    finds: (plan) => of(plan, ...['google_pubsub_topic', 'google_storage_bucket', 'google_secret_manager_secret']).filter(({ values }) => JSON.stringify(values).includes('cryptoKeys/')).flatMap(({ address, type, dependsOn }) => {
      const needed = { google_pubsub_topic: 'topics', google_storage_bucket: 'bucket', google_secret_manager_secret: 'secrets' }[type]!;
      const grants = of(plan, 'google_kms_crypto_key_iam_member').filter(({ name, values }) => name === needed && values['role'] === 'roles/cloudkms.cryptoKeyEncrypterDecrypter');
      return grants.length === 1 && dependsOn.includes(`google_kms_crypto_key_iam_member.${needed}`) ? [] : [address];
    }),
    damages: [
      damage('secrets.tf', 'depends_on = [google_project_service.needed, google_kms_crypto_key_iam_member.secrets]', 'depends_on = [google_project_service.needed]'),
      damage('kms.tf', 'crypto_key_id = var.cmek.bucket\n  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"', 'crypto_key_id = var.cmek.bucket\n  role          = "roles/cloudkms.viewer"'),
    ],
  },
  {
    name: 'a changed key locks up what was encrypted with the one before',
    why: 'A topic takes another key in place. Messages that wait, and files, can be read only while Google may still use theirs.',
    finds: (plan) => unless(of(plan, 'google_kms_crypto_key_iam_member'), ({ preventDestroy }) => preventDestroy),
    damages: ['pubsub', 'storage', 'secret_manager'].map((agent) => damage('kms.tf', `${agent}_agent\n\n${protectedBlock}`, `${agent}_agent\n`)),
  },
  {
    name: 'a service is used that is not switched on',
    why: 'A fresh project knows only a few of Google\'s services.',
    finds: (plan) => {
      const on = new Set(of(plan, 'google_project_service').map(({ values }) => values['service']));
      const types = new Set(plan.resources.map(({ type }) => type));
      const services: [string, RegExp][] = [['pubsub', /_pubsub_/], ['bigquery', /_bigquery_/], ['storage', /_storage_/], ['secretmanager', /_secret_manager_/], ['cloudfunctions', /_cloudfunctions2_/], ['run', /_cloud_run_/], ['cloudbuild', /_cloudfunctions2_/], ['artifactregistry', /_artifact_registry_/], ['cloudscheduler', /_cloud_scheduler_/], ['logging', /_logging_/], ['monitoring', /_monitoring_/], ['iam', /_service_account$|_custom_role$/], ['bigquerystorage', /_bigquery_/], ['compute', /_compute_/], ['billingbudgets', /_billing_/], ['firebaseappcheck', /_app_check_/], ['playintegrity', /_play_integrity_/], ['recaptchaenterprise', /_recaptcha_enterprise_/], ['cloudkms', /_kms_/]];
      return services.filter(([name, pattern]) => [...types].some((type) => pattern.test(type)) && !on.has(`${name}.googleapis.com`)).map(([name]) => name);
    },
    damages: [damage('apis.tf', '      "bigquerystorage.googleapis.com",\n'), damage('apis.tf', '["compute.googleapis.com"]', '[]'), damage('apis.tf', '["cloudkms.googleapis.com"]', '[]'), damage('apis.tf', '["playintegrity.googleapis.com"]', '[]'), damage('apis.tf', '["recaptchaenterprise.googleapis.com"]', '[]')],
  },
  {
    name: 'destroying the pipeline switches off services for the whole project',
    why: 'Something else may use BigQuery, too.',
    finds: (plan) => unless(of(plan, 'google_project_service'), ({ values }) => values['disable_on_destroy'] === false),
    damages: [damage('apis.tf', '  disable_on_destroy = false\n')],
  },
  {
    name: 'a value is left to a default that another version of the provider changes',
    why: 'Provider 8 has another default for the scheme of a load balancer than 7.',
    finds: (plan) => unless(plan.resources.filter(({ type }) => type.startsWith('google_') && 'load_balancing_scheme' in (schemaOf(type).attributes ?? {})), ({ values }) => values['load_balancing_scheme'] === 'EXTERNAL_MANAGED'),
    damages: [damage('load-balancer.tf', '  protocol              = "HTTPS"\n  load_balancing_scheme = "EXTERNAL_MANAGED"\n', '  protocol              = "HTTPS"\n'), damage('load-balancer.tf', '  load_balancing_scheme = "EXTERNAL_MANAGED"\n  ip_address', '  ip_address')],
  },
];
