// Traps where two places must say the same: what a function is told and what was made, what a team gave and what is planned.
import { LIMITS } from '../../../functions/limits.ts';
import { damage, functionNamed, of, pushes, seconds, serviceOf, unless } from './trap.ts';
import type { Plan } from '../hcl/plan.ts';
import type { Trap } from './trap.ts';

const functions = (plan: Plan) => of(plan, 'google_cloudfunctions2_function');
const told = (plan: Plan, name: string): Record<string, string> => serviceOf(functionNamed(plan, name))['environment_variables'];

export const AGREEMENT_TRAPS: Trap[] = [
  {
    name: 'a function is told of another place than the one that was made',
    why: 'It would write to, or read from, something that is not there; and days would end at another midnight.',
    finds: (plan) => {
      const made: Record<string, string> = {
        GOOGLE_CLOUD_PROJECT: plan.variable('project'),
        CHIPLOG_PREFIX: plan.variable('prefix'),
        CHIPLOG_DATASET: of(plan, 'google_bigquery_dataset')[0]!.values['dataset_id'],
        CHIPLOG_LOCATION: of(plan, 'google_bigquery_dataset')[0]!.values['location'],
        CHIPLOG_BUCKET: of(plan, 'google_storage_bucket').find(({ name }) => name === 'raw')!.values['name'],
        CHIPLOG_TIME_ZONE: plan.variable('time_zone'),
        CHIPLOG_LATE_DAYS_MAX: String(plan.variable('late_days_max')),
        CHIPLOG_RETENTION_DAYS: String(plan.variable('retention_days')),
      };
      return functions(plan).flatMap(({ key }) => Object.entries(told(plan, String(key))).filter(([name, value]) => made[name] !== undefined && made[name] !== value).map(([name, value]) => `${key}: ${name} is ${value}`));
    },
    damages: [
      damage('environment.tf', 'CHIPLOG_LOCATION     = var.location\n      CHIPLOG_BUCKET', 'CHIPLOG_LOCATION     = "asia-east1"\n      CHIPLOG_BUCKET'),
      damage('environment.tf', 'CHIPLOG_TIME_ZONE    = var.time_zone\n      # Below', 'CHIPLOG_TIME_ZONE    = "UTC"\n      # Below'),
      damage('environment.tf', 'CHIPLOG_LATE_DAYS_MAX   = tostring(var.late_days_max)', 'CHIPLOG_LATE_DAYS_MAX   = "1"'),
      damage('environment.tf', 'GOOGLE_CLOUD_PROJECT = var.project\n      CHIPLOG_BUCKET', 'GOOGLE_CLOUD_PROJECT = var.project\n      CHIPLOG_BUCKET = google_storage_bucket.code.name\n      # '),
    ],
  },
  {
    name: 'a function is built from another bundle than its own',
    why: 'It would be another function, or none; and a new build would change nothing.',
    finds: (plan) => [
      ...unless(functions(plan), ({ key, values }) => {
        const source = values['build_config'][0].source?.[0]?.storage_source?.[0];
        return source?.bucket === of(plan, 'google_storage_bucket').find(({ name }) => name === 'code')!.values['name'] && new RegExp(`^${String(key)}-([0-9a-f]{16}|not-built)\\.zip$`).test(source?.object);
      }),
      ...unless(of(plan, 'google_storage_bucket_object'), ({ key, values }) => String(values['source']).endsWith(`/dist/${String(key)}.zip`)),
    ],
    damages: [
      damage('functions.tf', 'bundle[each.key].name', 'bundle["collect"].name'),
      damage('functions.tf', '        object = google_storage_bucket_object.bundle[each.key].name\n'),
      damage('functions.tf', '        bucket = google_storage_bucket.code.name\n'),
      damage('bucket.tf', '  source   = local.bundles[each.key]\n'),
    ],
  },
  {
    name: 'the number of instances is not what the team said',
    why: 'Without the smallest number every quiet hour ends with a cold start; two instances of maintain would do every step twice.',
    finds: (plan) => unless(functions(plan), (one) => {
      const service = serviceOf(one);
      const wanted = { collect: plan.variable('collector_instances'), 'write-bigquery': plan.variable('writer_instances'), 'write-storage': plan.variable('writer_instances'), maintain: { min: 0, max: 1 } }[String(one.key)];
      return wanted === undefined || (service['min_instance_count'] === wanted.min && service['max_instance_count'] === wanted.max);
    }),
    damages: [
      damage('functions.tf', '    min_instance_count               = each.value.instances.min\n'),
      damage('functions.tf', '      instances       = { min = 0, max = 1 }', '      instances       = { min = 0, max = 10 }'),
      damage('functions.tf', '      timeout_seconds = 60\n      instances       = var.collector_instances', '      timeout_seconds = 60\n      instances       = var.writer_instances'),
    ],
  },
  {
    name: 'the collector is public, or closed, against what the team said',
    why: 'Phones would get 403; or anybody could send where only services should.',
    finds: (plan) => {
      const isPublic = of(plan, 'google_cloud_run_v2_service_iam_member').some(({ values }) => values['member'] === 'allUsers' && values['name'] === functionNamed(plan, 'collect').values['name']);
      return isPublic === plan.variable('collector_is_public') ? [] : [`public: ${isPublic}`];
    },
    damages: [damage('iam.tf', 'count    = var.collector_is_public ? 1 : 0', 'count    = 1'), damage('iam.tf', 'count    = var.collector_is_public ? 1 : 0', 'count    = 0')],
  },
  {
    name: 'an instance has too little memory for what it may hold',
    why: 'Cloud Run kills it, with every request that it had open.',
    finds: (plan) => functions(plan).flatMap(({ address, key, values }) => {
      const { available_memory: memory, max_instance_request_concurrency: requests } = values['service_config'][0];
      const megabytes = Number(/^(\d+)Mi$/.exec(memory)?.[1] ?? Number(/^(\d+)Gi$/.exec(memory)?.[1]) * 1_024);
      // 150 MB for Node and Google's clients; bodies in flight have a bound of their own in the collector, a push has its largest body.
      const held = key === 'collect' ? LIMITS.inFlightBytesMax * 4 : key === 'write-bigquery' ? requests * LIMITS.messageMergedBytesMax * 4 : 0;
      return megabytes >= 150 + held / 2 ** 20 ? [] : [`${address} has ${memory}`];
    }),
    damages: [damage('functions.tf', '      memory      = "1Gi"\n      concurrency = 100', '      memory      = "256Mi"\n      concurrency = 100'), damage('functions.tf', '      memory          = "1Gi"\n      concurrency     = 20', '      memory          = "512Mi"\n      concurrency     = 20')],
  },
  {
    name: 'a body may take longer than the call',
    why: 'Cloud Run would cut a slow phone off before the collector answers it.',
    finds: (plan) => (Number(told(plan, 'collect')['CHIPLOG_BODY_TIMEOUT_MS']) + 2 * LIMITS.publishTimeoutMs < serviceOf(functionNamed(plan, 'collect'))['timeout_seconds'] * 1_000 ? [] : ['CHIPLOG_BODY_TIMEOUT_MS']),
    damages: [damage('environment.tf', 'CHIPLOG_BODY_TIMEOUT_MS = "20000"', 'CHIPLOG_BODY_TIMEOUT_MS = "90000"')],
  },
  {
    name: 'messages lie outside the data\'s location on their way',
    why: 'Europe is not the European Union: London and Zurich are outside it.',
    finds: (plan) => {
      const location: string = plan.variable('location');
      const inside = (region: string): boolean => (location === 'US' ? region.startsWith('us-') : location === 'EU' ? /^europe-/.test(region) && !['europe-west2', 'europe-west6'].includes(region) : region === location);
      return [
        ...unless(of(plan, 'google_pubsub_topic'), ({ values }) => values['message_storage_policy'][0].allowed_persistence_regions.every(inside)),
        ...unless(of(plan, 'google_secret_manager_secret'), ({ values }) => values['replication'][0].user_managed?.[0].replicas.every(({ location: place }: { location: string }) => place === plan.variable('region'))),
        ...unless([...functions(plan), ...of(plan, 'google_artifact_registry_repository')], ({ values }) => values['location'] === plan.variable('region')),
      ];
    },
    damages: [
      damage('locals.tf', '"europe-west1", "europe-west3"', '"europe-west1", "europe-west2", "europe-west3"'),
      damage('locals.tf', 'var.location == "EU" ? local.eu_regions : var.location', 'var.location == "EU" ? local.us_regions : var.location'),
      damage('secrets.tf', '        location = var.region\n', '        location = "asia-east1"\n'),
    ],
  },
  {
    name: 'a subscription takes less than its topic has',
    why: 'What a filter leaves out Pub/Sub acknowledges away; order and exactly-once make a push slow and are promised by nobody here.',
    finds: (plan) => unless(pushes(plan), ({ values }) => ['filter', 'enable_message_ordering', 'enable_exactly_once_delivery', 'message_transforms'].every((name) => values[name] === undefined)),
    damages: [
      damage('subscriptions.tf', '  push_config {\n', '  filter = "attributes.stream = \\"events\\""\n\n  push_config {\n'),
      damage('subscriptions.tf', '  push_config {\n', '  enable_message_ordering = true\n\n  push_config {\n'),
    ],
  },
  {
    name: 'the earlier sources document or bundle is gone when somebody wants it back',
    why: 'A wrong document, or a bad release, is found hours later.',
    finds: (plan) => [
      ...unless(of(plan, 'google_secret_manager_secret'), ({ values }) => seconds(values['version_destroy_ttl']) >= 86_400),
      ...unless(of(plan, 'google_storage_bucket').filter(({ name }) => name === 'code'), ({ values }) => values['versioning']?.[0]?.enabled === true && values['lifecycle_rule'][0].condition[0].with_state === 'ARCHIVED' && values['lifecycle_rule'][0].condition[0].days_since_noncurrent_time >= 7),
      ...unless(of(plan, 'google_storage_bucket_object'), ({ createBeforeDestroy }) => createBeforeDestroy),
      ...unless(of(plan, 'google_artifact_registry_repository'), ({ values }) => values['cleanup_policies'].some(({ action, most_recent_versions: kept }: Record<string, any>) => action === 'KEEP' && kept[0].keep_count >= 2)),
    ],
    damages: [
      damage('secrets.tf', '  version_destroy_ttl = "604800s"\n'),
      damage('bucket.tf', '  versioning {\n    enabled = true\n  }\n'),
      damage('bucket.tf', '      with_state                 = "ARCHIVED"\n'),
      damage('bucket.tf', '      days_since_noncurrent_time = 30\n'),
      damage('bucket.tf', '  lifecycle {\n    create_before_destroy = true\n  }\n'),
      damage('functions.tf', '    action = "KEEP"', '    action = "DELETE"'),
    ],
  },
  {
    name: 'the first build starts before Google knows what it may do',
    why: 'Grants take a minute; the first apply would stop half-way. And images without a repository of ours are never emptied.',
    finds: (plan) => [
      ...unless(of(plan, 'terraform_data'), ({ name, commands }) => name !== 'grants_have_settled' || commands.some((command) => Number(/sleep (\d+)/.exec(command)?.[1]) >= 60)),
      ...unless(of(plan, 'terraform_data'), ({ dependsOn }) => ['google_artifact_registry_repository_iam_member.build', 'google_project_iam_member.build_logs', 'google_project_iam_member.build_source', 'google_storage_bucket_iam_member.build'].every((name) => dependsOn.includes(name))),
      ...unless(functions(plan), ({ set }) => 'docker_repository' in ((set['build_config'] as any)[0].fields ?? {})),
    ],
    damages: [
      damage('functions.tf', '"sleep 60"', '"true"'),
      damage('functions.tf', '    google_project_iam_member.build_source,\n'),
      damage('functions.tf', '    docker_repository = google_artifact_registry_repository.images.id\n'),
    ],
  },
  {
    name: 'something is made before its service is on',
    why: 'In a fresh project the first apply would stop there.',
    finds: (plan) => unless(of(plan, 'google_pubsub_topic', 'google_storage_bucket', 'google_bigquery_dataset', 'google_secret_manager_secret', 'google_service_account', 'google_artifact_registry_repository', 'google_monitoring_alert_policy', 'google_monitoring_dashboard', 'google_monitoring_notification_channel', 'google_logging_metric', 'google_project_iam_custom_role', 'google_billing_budget', 'google_compute_global_address', 'google_compute_security_policy'),
      ({ dependsOn }) => dependsOn.includes('google_project_service.needed')),
    damages: [
      damage('dataset.tf', '  depends_on = [google_project_service.needed]\n'),
      damage('metrics.tf', '  depends_on = [google_project_service.needed]\n'),
    ],
  },
];
