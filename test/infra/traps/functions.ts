// Traps around the functions and what calls them: how one is open, closed, slow, or does not start.
import { Unknown } from '../hcl/values.ts';
import { damage, functionNamed, of, pushes, seconds, serviceOf, unless } from './trap.ts';
import type { Plan, Resource } from '../hcl/plan.ts';
import type { Trap } from './trap.ts';

const functions = (plan: Plan): Resource[] => of(plan, 'google_cloudfunctions2_function');
const PRIVATE = ['write-bigquery', 'write-storage', 'rollover', 'maintain', 'replay'];

/** Key of the function whose address an expression names. */
const functionIn = (value: unknown): string | undefined => (value instanceof Unknown ? /google_cloudfunctions2_function\.function\["([a-z-]+)"\]\.service_config\.uri$/.exec(value.path)?.[1] : undefined);
const setIn = (resource: Resource, block: string): Record<string, any> => (resource.set[block] as any)?.[0]?.fields ?? {};
const nestedIn = (fields: Record<string, any>, block: string): Record<string, any> => fields[block]?.[0]?.fields ?? {};

const invokers = (plan: Plan): Resource[] => of(plan, 'google_cloud_run_v2_service_iam_member').filter(({ values }) => values['role'] === 'roles/run.invoker');
const mayCall = (plan: Plan, account: unknown, name: string): boolean => invokers(plan).some(({ values }) => values['member'] === `serviceAccount:${String(account)}` && values['name'] === functionNamed(plan, name).values['name']);

export const FUNCTION_TRAPS: Trap[] = [
  {
    name: 'a function serves one request at a time',
    why: 'The default concurrency is 1: an instance for each request of a burst, and a bill to match.',
    finds: (plan) => unless(functions(plan), (one) => serviceOf(one)['max_instance_request_concurrency'] > 1),
    damages: [damage('functions.tf', '    max_instance_request_concurrency = each.value.concurrency\n'), damage('functions.tf', 'concurrency = 100', 'concurrency = 1'), damage('functions.tf', 'concurrency     = 20', 'concurrency     = 1')],
  },
  {
    name: 'a function serves several requests with less than a CPU',
    why: 'Cloud Run refuses it, so the deployment fails.',
    finds: (plan) => unless(functions(plan), (one) => Number(serviceOf(one)['available_cpu']) >= 1),
    damages: [damage('functions.tf', '    available_cpu    = each.value.cpu\n'), damage('functions.tf', '      cpu         = "1"\n      memory      = "1Gi"', '      cpu         = "0.5"\n      memory      = "1Gi"')],
  },
  {
    name: 'the number of instances has no bound',
    why: 'A flood of requests becomes a flood of bills.',
    finds: (plan) => unless(functions(plan), (one) => serviceOf(one)['max_instance_count'] >= 1),
    damages: [damage('functions.tf', '    max_instance_count               = each.value.instances.max\n')],
  },
  {
    name: 'a private function is public',
    why: 'Anybody could write rows, drop tables or replay files.',
    finds: (plan) => invokers(plan).filter(({ values }) => /^all(Authenticated)?Users$/.test(String(values['member'])) && values['name'] !== functionNamed(plan, 'collect').values['name']).map(({ address }) => address),
    damages: [
      damage('iam.tf', 'name     = google_cloudfunctions2_function.function["collect"].name', 'name     = google_cloudfunctions2_function.function["rollover"].name'),
      damage('iam.tf', '  member   = google_service_account.push[each.key].member', '  member   = "allUsers"'),
      damage('iam.tf', '  role     = "roles/run.invoker"\n  member   = google_service_account.scheduler.member', '  role     = "roles/run.invoker"\n  member   = "allAuthenticatedUsers"'),
    ],
  },
  {
    name: 'a writer can be reached from the internet',
    why: 'IAM would still refuse, but a second door costs nothing.',
    finds: (plan) => unless(['write-bigquery', 'write-storage', 'maintain'].map((name) => functionNamed(plan, name)), (one) => serviceOf(one)['ingress_settings'] === 'ALLOW_INTERNAL_ONLY'),
    damages: [damage('functions.tf', '    ingress_settings = each.value.ingress\n'), damage('functions.tf', '      concurrency     = 20\n      timeout_seconds = 60\n      instances       = var.writer_instances\n      ingress         = "ALLOW_INTERNAL_ONLY"', '      concurrency     = 20\n      timeout_seconds = 60\n      instances       = var.writer_instances\n      ingress         = "ALLOW_ALL"')],
  },
  {
    name: 'the load balancer can be walked around',
    why: 'On run.app there is no rate limit, and a client can forge its country.',
    finds: (plan) => (of(plan, 'google_compute_backend_service').length > 0 && serviceOf(functionNamed(plan, 'collect'))['ingress_settings'] !== 'ALLOW_INTERNAL_AND_GCLB' ? ['collect'] : []),
    damages: [damage('functions.tf', 'var.domain == null ? "ALLOW_ALL" : "ALLOW_INTERNAL_AND_GCLB"', '"ALLOW_ALL"')],
  },
  {
    name: 'a client can forge its country',
    why: 'The geo header is believed although no load balancer overwrites it, or under another name than the balancer\'s.',
    finds: (plan) => {
      const header = serviceOf(functionNamed(plan, 'collect'))['environment_variables'].CHIPLOG_GEO_HEADER;
      const written = of(plan, 'google_compute_backend_service').flatMap(({ values }) => (values['custom_request_headers'] ?? []) as string[]).map((one) => one.split(':')[0]);
      return header === undefined || written.includes(header) ? [] : [`${header} is read, ${written.join(', ') || 'nothing'} is written`];
    },
    damages: [
      damage('environment.tf', 'var.domain == null ? "" : local.geo_header', '"x-client-geo"'),
      damage('load-balancer.tf', '  custom_request_headers = ["${local.geo_header}:{client_region},{client_region_subdivision},{client_city}"]\n'),
    ],
  },
  {
    name: 'a push has no identity',
    why: 'The writers are private, so every push would be answered 403 and sent again for ever.',
    finds: (plan) => unless(pushes(plan), (one) => typeof nestedIn(setIn(one, 'push_config'), 'oidc_token')['service_account_email'] === 'string'),
    damages: [damage('subscriptions.tf', '    oidc_token {\n      service_account_email = google_service_account.push[each.value.writer].email\n      audience              = google_cloudfunctions2_function.function[local.writers[each.value.writer]].service_config[0].uri\n    }\n')],
  },
  {
    name: 'a push goes to one function with a token for another',
    why: 'Cloud Run refuses a token whose audience is not itself.',
    finds: (plan) => unless(pushes(plan), (one) => {
      const push = setIn(one, 'push_config');
      const name = functionIn(push['push_endpoint']);
      return name !== undefined && PRIVATE.slice(0, 2).includes(name) && functionIn(nestedIn(push, 'oidc_token')['audience']) === name;
    }),
    damages: [
      damage('subscriptions.tf', '      audience              = google_cloudfunctions2_function.function[local.writers[each.value.writer]].service_config[0].uri', '      audience              = google_cloudfunctions2_function.function["collect"].service_config[0].uri'),
      damage('subscriptions.tf', '    push_endpoint = google_cloudfunctions2_function.function[local.writers[each.value.writer]].service_config[0].uri', '    push_endpoint = google_cloudfunctions2_function.function["collect"].service_config[0].uri'),
    ],
  },
  {
    name: 'who pushes may not call the writer',
    why: 'Every push would be answered 403.',
    finds: (plan) => unless(pushes(plan), (one) => {
      const push = setIn(one, 'push_config');
      const name = functionIn(push['push_endpoint']);
      return name === undefined || mayCall(plan, nestedIn(push, 'oidc_token')['service_account_email'], name);
    }),
    damages: [
      damage('iam.tf', '  for_each = local.writers\n  name     = google_cloudfunctions2_function.function[each.value].name', '  for_each = local.writers\n  name     = google_cloudfunctions2_function.function["replay"].name'),
      damage('iam.tf', '  role     = "roles/run.invoker"\n  member   = google_service_account.push[each.key].member', '  role     = "roles/run.viewer"\n  member   = google_service_account.push[each.key].member'),
    ],
  },
  {
    name: 'the scheduler may not call what it calls',
    why: 'No day would ever end.',
    finds: (plan) => unless(of(plan, 'google_cloud_scheduler_job'), (one) => {
      const target = setIn(one, 'http_target');
      const name = functionIn(target['uri']);
      const token = nestedIn(target, 'oidc_token');
      return name !== undefined && functionIn(token['audience']) === name && mayCall(plan, token['service_account_email'], name);
    }),
    damages: [
      damage('scheduler.tf', '    oidc_token {\n      service_account_email = google_service_account.scheduler.email\n      audience              = google_cloudfunctions2_function.function[each.key].service_config[0].uri\n    }\n'),
      damage('iam.tf', '  for_each = local.schedules\n  name     = google_cloudfunctions2_function.function[each.key].name', '  for_each = local.schedules\n  name     = google_cloudfunctions2_function.function["replay"].name'),
    ],
  },
  {
    name: 'the scheduler gives up on a call that still works',
    why: 'Its default is three minutes; it would call again while the function is at work.',
    finds: (plan) => unless(of(plan, 'google_cloud_scheduler_job'), ({ key, values }) => seconds(values['attempt_deadline']) >= serviceOf(functionNamed(plan, String(key)))['timeout_seconds'] && seconds(values['attempt_deadline']) <= 1_800),
    damages: [damage('scheduler.tf', '  attempt_deadline = each.value.attempt_deadline\n'), damage('scheduler.tf', 'attempt_deadline = "540s"', 'attempt_deadline = "180s"'), damage('functions.tf', 'timeout_seconds = 540', 'timeout_seconds = 900')],
  },
  {
    name: 'a call of the rollover is stopped while it waits',
    why: 'It waits for its jobs inside the call, and needs time for the next step after it.',
    finds: (plan) => {
      const service = serviceOf(functionNamed(plan, 'rollover'));
      return Number(service['environment_variables'].CHIPLOG_ROLLOVER_WAIT_SECONDS) + 120 <= service['timeout_seconds'] ? [] : ['rollover'];
    },
    damages: [damage('environment.tf', 'CHIPLOG_ROLLOVER_WAIT_SECONDS     = "240"', 'CHIPLOG_ROLLOVER_WAIT_SECONDS     = "540"')],
  },
  {
    name: 'the scheduler does not try again',
    why: 'One lost call in an hour is noise; the default is to leave it at that.',
    finds: (plan) => unless(of(plan, 'google_cloud_scheduler_job'), ({ values }) => values['retry_config']?.[0]?.retry_count >= 1),
    damages: [damage('scheduler.tf', '  retry_config {\n    retry_count          = each.value.retry_count\n    min_backoff_duration = each.value.min_backoff\n  }\n')],
  },
  {
    name: 'nothing ends the day, or makes the tables of tomorrow',
    why: 'Days stay intraday for ever; or a writer meets a missing table at midnight, with every instance at once.',
    finds: (plan) => [['rollover', /^\*\/15 \* \* \* \*$/], ['maintain', /^\d+ \* \* \* \*$/]].flatMap(([name, schedule]) =>
      (of(plan, 'google_cloud_scheduler_job').some(({ key, values }) => key === name && (schedule as RegExp).test(values['schedule']) && values['time_zone'] === 'Etc/UTC') ? [] : [String(name)])),
    damages: [damage('scheduler.tf', '"*/15 * * * *"', '"0 3 * * *"'), damage('scheduler.tf', '"7 * * * *"', '"7 0 1 * *"'), damage('scheduler.tf', '"Etc/UTC"', '"Europe/Berlin"')],
  },
  {
    name: 'a secret is in a variable of a function',
    why: 'Variables are shown to everybody who may look at the function, and do not change without a deployment.',
    finds: (plan) => functions(plan).flatMap((one) => {
      const service = serviceOf(one);
      const keys = (JSON.parse(of(plan, 'google_secret_manager_secret_version')[0]!.values['secret_data']) as { sources: { write_keys: string[] }[] }).sources.flatMap(({ write_keys }) => write_keys);
      const leaks = Object.entries(service['environment_variables'] as Record<string, string>).filter(([, value]) => keys.some((key) => value.includes(key))).map(([name]) => name);
      return [...leaks, ...(service['secret_environment_variables'] ?? []).map(({ key }: { key: string }) => key)].map((name) => `${one.address}: ${name}`);
    }),
    damages: [
      damage('environment.tf', '      CHIPLOG_BODY_TIMEOUT_MS = "20000"', '      CHIPLOG_BODY_TIMEOUT_MS = "20000"\n      CHIPLOG_SOURCES = jsonencode(var.sources)'),
      damage('functions.tf', '    dynamic "secret_volumes" {', '    secret_environment_variables {\n      key        = "SOURCES"\n      project_id = var.project\n      secret     = google_secret_manager_secret.sources.secret_id\n      version    = "latest"\n    }\n\n    dynamic "secret_volumes" {'),
    ],
  },
  {
    name: 'the collector does not see a changed sources document',
    why: 'A source that was switched off would go on until somebody deploys.',
    finds: (plan) => {
      const { environment_variables: told, secret_volumes: volumes } = serviceOf(functionNamed(plan, 'collect'));
      const volume = volumes?.[0];
      const file = `${volume?.mount_path}/${volume?.versions?.[0]?.path}`;
      return volume?.versions?.[0]?.version === 'latest' && told.CHIPLOG_SOURCES_FILE === file && volume.secret === of(plan, 'google_secret_manager_secret')[0]!.values['secret_id'] ? [] : [file];
    },
    damages: [
      damage('functions.tf', 'version = "latest"', 'version = "1"'),
      damage('environment.tf', '"${local.sources_folder}/${local.sources_file}"', '"/etc/sources.json"'),
      damage('functions.tf', '      reads_sources = true', '      reads_sources = false'),
    ],
  },
  {
    name: 'for a moment there is no sources document',
    why: 'Terraform destroys the old version before it makes the new one; a collector that starts in between answers 503.',
    finds: (plan) => unless(of(plan, 'google_secret_manager_secret_version'), ({ createBeforeDestroy }) => createBeforeDestroy),
    damages: [damage('secrets.tf', '  lifecycle {\n    create_before_destroy = true\n  }\n')],
  },
  {
    name: 'a function starts before it may do its work',
    why: 'A mounted secret that it may not read fails the deployment.',
    finds: (plan) => {
      const needed = ['google_secret_manager_secret_version.sources', 'google_secret_manager_secret_iam_member.reader', 'google_pubsub_topic_iam_member.publisher', 'google_bigquery_dataset_access.function', 'google_storage_bucket_iam_member.function', 'google_project_iam_member.jobs', 'terraform_data.grants_have_settled'];
      return needed.filter((name) => !functionNamed(plan, 'collect').dependsOn.includes(name));
    },
    damages: [damage('functions.tf', '    google_secret_manager_secret_iam_member.reader,\n'), damage('functions.tf', '    google_secret_manager_secret_version.sources,\n'), damage('functions.tf', '    terraform_data.grants_have_settled,\n')],
  },
  {
    name: 'a function is made for another Node, or another entry point',
    why: 'It would not start.',
    finds: (plan) => {
      const entries: Record<string, string> = { collect: 'collect', 'write-bigquery': 'writeBigquery', 'write-storage': 'writeStorage', rollover: 'rollover', maintain: 'maintain', replay: 'replay' };
      return unless(functions(plan), ({ key, values }) => values['build_config'][0].runtime === 'nodejs24' && values['build_config'][0].entry_point === entries[String(key)]);
    },
    damages: [damage('functions.tf', '"nodejs24"', '"nodejs20"'), damage('functions.tf', '"writeStorage"', '"write-storage"')],
  },
];
