// What Google's provider, or the service behind it, demands of values, where the list of attributes says only their type: patterns of names,
// enumerations, ranges. Each rule with a value that it refuses, so that it is seen to refuse something. Called by values.test.ts.
import type { Resource } from './hcl/plan.ts';
import { seconds } from './traps/trap.ts';

export type Rule = {
  type: string;
  /** Through nested blocks, such as push_config.oidc_token.audience. */
  path: string;
  holds: (value: any) => boolean;
  refuses: unknown;
};

const matches = (pattern: RegExp) => (value: unknown): boolean => typeof value === 'string' && pattern.test(value);
const oneOf = (...names: string[]) => (value: unknown): boolean => names.includes(String(value));
const between = (min: number, max: number) => (value: unknown): boolean => Number.isInteger(Number(value)) && Number(value) >= min && Number(value) <= max;
const secondsBetween = (min: number, max: number) => (value: unknown): boolean => seconds(value) >= min && seconds(value) <= max;
const atMost = (length: number) => (value: unknown): boolean => typeof value === 'string' && value.length > 0 && value.length <= length;
const wholeMinutes = (value: unknown): boolean => seconds(value) % 60 === 0;
const isJson = (value: unknown): boolean => {
  try {
    return typeof JSON.parse(String(value)) === 'object';
  } catch {
    return false;
  }
};

const rule = (type: string, path: string, holds: Rule['holds'], refuses: unknown): Rule => ({ type, path, holds, refuses });

/** RFC 1035, which most of Compute Engine's names follow. */
const RFC_1035 = matches(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
const COMPUTE = ['google_compute_global_address', 'google_compute_region_network_endpoint_group', 'google_compute_backend_service', 'google_compute_url_map', 'google_compute_managed_ssl_certificate', 'google_compute_ssl_policy', 'google_compute_target_https_proxy', 'google_compute_global_forwarding_rule', 'google_compute_security_policy'];
const ROLE = matches(/^(roles|projects\/[a-z0-9-]+\/roles)\/[A-Za-z0-9_.]+$/);
const MEMBER = matches(/^(allUsers|(serviceAccount|user|group|domain):[^\s:]+)$/);

export const RULES: readonly Rule[] = [
  rule('google_project_service', 'service', matches(/^[a-z]+\.googleapis\.com$/), 'pubsub'),
  rule('google_service_account', 'account_id', matches(/^[a-z]([-a-z0-9]{4,28}[a-z0-9])$/), 'chiplog-production-eu-write-bigquery'),
  rule('google_service_account', 'display_name', atMost(100), ''),
  rule('google_service_account', 'description', atMost(256), 'x'.repeat(257)),
  rule('google_project_iam_custom_role', 'role_id', matches(/^[a-zA-Z0-9_.]{3,64}$/), 'chiplog-prod_maintain'),
  rule('google_project_iam_custom_role', 'title', atMost(100), 'x'.repeat(101)),
  rule('google_project_iam_custom_role', 'permissions', (all: string[]) => all.every((one) => /^[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+$/.test(one)) && new Set(all).size === all.length, ['bigquery.tables']),
  rule('google_project_iam_member', 'condition.title', atMost(100), ''),
  ...['google_project_iam_member', 'google_pubsub_topic_iam_member', 'google_pubsub_subscription_iam_member', 'google_storage_bucket_iam_member', 'google_secret_manager_secret_iam_member', 'google_cloud_run_v2_service_iam_member', 'google_kms_crypto_key_iam_member', 'google_artifact_registry_repository_iam_member']
    .flatMap((type) => [rule(type, 'role', ROLE, 'pubsub.publisher'), rule(type, 'member', MEMBER, 'chiplog-collect@acme.iam.gserviceaccount.com')]),

  rule('google_pubsub_topic', 'name', matches(/^(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}$/), 'goog-events'),
  rule('google_pubsub_topic', 'message_retention_duration', secondsBetween(600, 2_678_400), '2764800s'),
  rule('google_pubsub_topic', 'message_storage_policy.allowed_persistence_regions', (regions: string[]) => regions.length > 0 && regions.every((one) => /^[a-z]+-[a-z]+\d{1,2}$/.test(one)), ['EU']),
  rule('google_pubsub_topic', 'kms_key_name', matches(/^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/), 'topics'),
  rule('google_pubsub_subscription', 'name', matches(/^(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}$/), 'to'),
  rule('google_pubsub_subscription', 'ack_deadline_seconds', between(10, 600), 5),
  rule('google_pubsub_subscription', 'message_retention_duration', secondsBetween(600, 2_678_400), '60s'),
  rule('google_pubsub_subscription', 'retry_policy.minimum_backoff', secondsBetween(0, 600), '10'),
  rule('google_pubsub_subscription', 'retry_policy.maximum_backoff', secondsBetween(0, 600), '1200s'),
  rule('google_pubsub_subscription', 'dead_letter_policy.dead_letter_topic', matches(/^projects\/[a-z0-9-]+\/topics\/[^/]+$/), 'chiplog-events-undeliverable'),
  rule('google_pubsub_subscription', 'dead_letter_policy.max_delivery_attempts', between(5, 100), 101),
  rule('google_pubsub_subscription', 'push_config.oidc_token.service_account_email', matches(/^[a-z0-9-]+@[a-z0-9-]+\.iam\.gserviceaccount\.com$/), 'serviceAccount:a@b.iam.gserviceaccount.com'),

  rule('google_storage_bucket', 'name', matches(/^(?!goog)(?!.*google)[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$/), 'my-google-files'),
  rule('google_storage_bucket', 'location', matches(/^[A-Z0-9-]+$/), 'eu'),
  rule('google_storage_bucket', 'public_access_prevention', oneOf('enforced', 'inherited'), 'true'),
  rule('google_storage_bucket', 'lifecycle_rule.action.type', oneOf('Delete', 'SetStorageClass', 'AbortIncompleteMultipartUpload'), 'Remove'),
  rule('google_storage_bucket', 'lifecycle_rule.condition.with_state', oneOf('LIVE', 'ARCHIVED', 'ANY'), 'NONCURRENT'),
  rule('google_storage_bucket', 'soft_delete_policy.retention_duration_seconds', (value) => Number(value) === 0 || between(604_800, 7_776_000)(value), 86_400),
  rule('google_storage_bucket_object', 'name', matches(/^[a-z-]+-([0-9a-f]{16}|not-built)\.zip$/), 'collect.zip'),

  rule('google_bigquery_dataset', 'dataset_id', matches(/^[0-9A-Za-z_]{1,1024}$/), 'chip-log'),
  rule('google_bigquery_dataset', 'max_time_travel_hours', (value) => typeof value === 'string' && between(48, 168)(value), '24'),
  rule('google_bigquery_dataset_access', 'role', ROLE, 'pubsub.publisher'),
  rule('google_bigquery_dataset_access', 'user_by_email', matches(/^[a-z0-9-]+@[a-z0-9-]+\.iam\.gserviceaccount\.com$/), 'serviceAccount:a@b.iam.gserviceaccount.com'),
  rule('google_bigquery_table', 'schema', isJson, 'event_date:DATE'),
  rule('google_bigquery_table', 'clustering', (columns: string[]) => columns.length >= 1 && columns.length <= 4, ['a', 'b', 'c', 'd', 'e']),
  rule('google_bigquery_table', 'time_partitioning.type', oneOf('DAY', 'HOUR', 'MONTH', 'YEAR'), 'DATE'),

  rule('google_secret_manager_secret', 'secret_id', matches(/^[A-Za-z0-9_-]{1,255}$/), 'sources.json'),
  rule('google_secret_manager_secret', 'version_destroy_ttl', secondsBetween(86_400, 86_400_000), '7d'),
  rule('google_secret_manager_secret_version', 'secret_data', (value) => typeof value === 'string' && Buffer.byteLength(value) <= 65_536 && isJson(value), 'x'.repeat(65_537)),

  rule('google_cloudfunctions2_function', 'name', matches(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/), 'writeStorage'),
  rule('google_cloudfunctions2_function', 'build_config.runtime', matches(/^nodejs\d\d$/), 'node24'),
  rule('google_cloudfunctions2_function', 'service_config.ingress_settings', oneOf('ALLOW_ALL', 'ALLOW_INTERNAL_ONLY', 'ALLOW_INTERNAL_AND_GCLB'), 'INGRESS_TRAFFIC_ALL'),
  rule('google_cloudfunctions2_function', 'service_config.available_memory', matches(/^\d+(k|M|Mi|G|Gi)$/), '1GB'),
  rule('google_cloudfunctions2_function', 'service_config.available_cpu', (value) => typeof value === 'string' && oneOf('1', '2', '4', '8')(value), '0.5'),
  rule('google_cloudfunctions2_function', 'service_config.max_instance_request_concurrency', between(1, 1_000), 1_001),
  rule('google_cloudfunctions2_function', 'service_config.timeout_seconds', between(1, 3_600), 3_601),
  rule('google_cloudfunctions2_function', 'service_config.environment_variables', (told: Record<string, string>) => Object.keys(told).every((name) => /^[A-Z][A-Z0-9_]*$/.test(name) && !/^(X_GOOGLE_|K_|PORT$|FUNCTION_(TARGET|SIGNATURE_TYPE)$)/.test(name)), { K_REVISION: 'x' }),
  rule('google_cloudfunctions2_function', 'service_config.secret_volumes.mount_path', matches(/^\/(?!workspace|dev|proc|sys)[a-z/]+$/), '/dev/secrets'),
  rule('google_artifact_registry_repository', 'repository_id', matches(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/), 'Functions'),
  rule('google_artifact_registry_repository', 'format', oneOf('DOCKER'), 'docker'),
  rule('google_artifact_registry_repository', 'cleanup_policies.action', oneOf('KEEP', 'DELETE'), 'keep'),
  rule('google_artifact_registry_repository', 'cleanup_policies.condition.older_than', matches(/^\d+s$/), '30d'),

  rule('google_cloud_scheduler_job', 'name', matches(/^[a-zA-Z\d_-]{1,500}$/), 'roll over'),
  rule('google_cloud_scheduler_job', 'schedule', matches(/^(\S+ ){4}\S+$/), 'every 15 minutes of the hour'),
  rule('google_cloud_scheduler_job', 'attempt_deadline', secondsBetween(15, 1_800), '3600s'),
  rule('google_cloud_scheduler_job', 'retry_config.retry_count', between(0, 5), 6),
  rule('google_cloud_scheduler_job', 'retry_config.min_backoff_duration', matches(/^\d+s$/), '1m'),
  rule('google_cloud_scheduler_job', 'http_target.http_method', oneOf('POST'), 'post'),
  rule('google_cloud_scheduler_job', 'http_target.body', (value) => Buffer.from(String(value), 'base64').toString('base64') === value && isJson(Buffer.from(String(value), 'base64')), '{}'),
  rule('google_cloud_scheduler_job', 'http_target.headers', (headers: Record<string, string>) => Object.keys(headers).every((name) => !/^(Content-Length|X-Google-.*|X-AppEngine-.*)$/.test(name)), { 'Content-Length': '2' }),

  rule('google_logging_metric', 'name', matches(/^[A-Za-z][A-Za-z0-9_]{0,99}$/), 'events accepted'),
  rule('google_logging_metric', 'value_extractor', matches(/^EXTRACT\([a-zA-Z_.]+\)$/), 'jsonPayload.data.x'),
  rule('google_logging_metric', 'metric_descriptor.metric_kind', oneOf('DELTA', 'GAUGE', 'CUMULATIVE'), 'COUNTER'),
  rule('google_logging_metric', 'metric_descriptor.value_type', oneOf('BOOL', 'INT64', 'DOUBLE', 'STRING', 'DISTRIBUTION', 'MONEY'), 'FLOAT'),
  rule('google_monitoring_notification_channel', 'labels', (labels: Record<string, string>) => Object.keys(labels).join() === 'email_address', { email: 'a@b.c' }),
  rule('google_monitoring_alert_policy', 'combiner', oneOf('AND', 'OR', 'AND_WITH_MATCHING_RESOURCE'), 'or'),
  rule('google_monitoring_alert_policy', 'severity', oneOf('CRITICAL', 'ERROR', 'WARNING'), 'INFO'),
  rule('google_monitoring_alert_policy', 'alert_strategy.auto_close', secondsBetween(1_800, 604_800), '60s'),
  rule('google_monitoring_alert_policy', 'alert_strategy.notification_rate_limit.period', secondsBetween(300, 172_800), '1h'),
  rule('google_monitoring_alert_policy', 'conditions', (conditions: Record<string, unknown>[]) => conditions.every((one) => Object.keys(one).filter((name) => name.startsWith('condition_')).length === 1), [{ condition_threshold: [], condition_absent: [] }]),
  rule('google_monitoring_alert_policy', 'conditions.condition_threshold.comparison', oneOf('COMPARISON_GT', 'COMPARISON_LT'), '>'),
  rule('google_monitoring_alert_policy', 'conditions.condition_threshold.duration', wholeMinutes, '90s'),
  rule('google_monitoring_alert_policy', 'conditions.condition_threshold.aggregations.alignment_period', secondsBetween(60, 90_000), '30s'),
  rule('google_monitoring_alert_policy', 'conditions.condition_threshold.aggregations.per_series_aligner', oneOf('ALIGN_MAX', 'ALIGN_MIN', 'ALIGN_MEAN', 'ALIGN_RATE', 'ALIGN_SUM', 'ALIGN_DELTA'), 'MAX'),
  rule('google_monitoring_alert_policy', 'conditions.condition_prometheus_query_language.evaluation_interval', (value) => seconds(value) > 0 && seconds(value) % 30 === 0, '45s'),
  rule('google_monitoring_alert_policy', 'conditions.condition_prometheus_query_language.duration', wholeMinutes, '90s'),
  rule('google_monitoring_alert_policy', 'conditions.condition_prometheus_query_language.query', isBalanced, 'sum(rate(x{a="b"}[5m])'),
  rule('google_monitoring_dashboard', 'dashboard_json', isJson, 'tiles'),

  ...COMPUTE.map((type) => rule(type, 'name', RFC_1035, 'chiplog_collector')),
  rule('google_compute_region_network_endpoint_group', 'network_endpoint_type', oneOf('SERVERLESS', 'PRIVATE_SERVICE_CONNECT'), 'CLOUD_RUN'),
  rule('google_compute_backend_service', 'protocol', oneOf('HTTP', 'HTTPS', 'HTTP2'), 'https'),
  rule('google_compute_backend_service', 'load_balancing_scheme', oneOf('EXTERNAL', 'EXTERNAL_MANAGED', 'INTERNAL_SELF_MANAGED', 'INTERNAL_MANAGED'), 'MANAGED'),
  rule('google_compute_backend_service', 'custom_request_headers', (headers: string[]) => headers.every((one) => /^[a-z-]+:\{[a-z_]+\}(,\{[a-z_]+\})*$/.test(one)), ['x-geo {client_region}']),
  rule('google_compute_global_forwarding_rule', 'port_range', matches(/^\d+$/), 'https'),
  rule('google_compute_ssl_policy', 'profile', oneOf('COMPATIBLE', 'MODERN', 'RESTRICTED', 'CUSTOM'), 'STRICT'),
  rule('google_compute_ssl_policy', 'min_tls_version', oneOf('TLS_1_0', 'TLS_1_1', 'TLS_1_2', 'TLS_1_3'), '1.2'),
  rule('google_compute_security_policy', 'rule.action', matches(/^(allow|throttle|rate_based_ban|deny\((403|404|429|502)\))$/), 'deny'),
  rule('google_compute_security_policy', 'rule.priority', between(0, 2_147_483_647), -1),
  rule('google_compute_security_policy', 'rule.rate_limit_options.exceed_action', matches(/^deny\((403|404|429|502)\)$/), 'deny'),
  rule('google_compute_security_policy', 'rule.rate_limit_options.enforce_on_key', oneOf('ALL', 'IP', 'HTTP_HEADER', 'XFF_IP', 'HTTP_COOKIE', 'HTTP_PATH', 'SNI', 'REGION_CODE'), 'ADDRESS'),
  rule('google_compute_security_policy', 'rule.rate_limit_options.rate_limit_threshold.interval_sec', oneOf('10', '30', '60', '120', '180', '240', '270', '300', '600', '900', '1200', '1800', '2700', '3600'), 45),
  rule('google_compute_managed_ssl_certificate', 'managed.domains', (domains: string[]) => domains.length >= 1 && domains.every((one) => /^[a-z0-9.-]+$/.test(one)), ['https://a.b']),

  rule('google_logging_project_sink', 'destination', matches(/^storage\.googleapis\.com\/[a-z0-9_-]+$/), 'gs://logs'),
  rule('google_billing_budget', 'billing_account', matches(/^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$/), 'billingAccounts/1'),
  rule('google_billing_budget', 'amount.specified_amount.units', matches(/^\d+$/), '1.5'),
  rule('google_billing_budget', 'threshold_rules.threshold_percent', (value) => Number(value) > 0 && Number(value) <= 10, 50),
  rule('google_billing_budget', 'threshold_rules.spend_basis', oneOf('CURRENT_SPEND', 'FORECASTED_SPEND'), 'FORECAST'),
];

/** Brackets of a query, outside its texts. */
function isBalanced(value: unknown): boolean {
  const open: string[] = [];
  for (const [sign] of String(value).replace(/"[^"]*"/g, '').matchAll(/[()[\]{}]/g)) {
    if ('([{'.includes(sign)) open.push(sign);
    else if (!['()', '[]', '{}'].includes(`${open.pop() ?? ''}${sign}`)) return false;
  }
  return open.length === 0;
}

/** Every value at the rule's path that is set and known. */
export function valuesAt(resource: Resource, path: string): unknown[] {
  return path.split('.').reduce<unknown[]>((found, name, index, names) => found.flatMap((one) => {
    const value = (one as Record<string, unknown>)[name];
    if (value === undefined || value === null) return [];
    return index < names.length - 1 ? (value as unknown[]) : [value];
  }), [resource.values]);
}
