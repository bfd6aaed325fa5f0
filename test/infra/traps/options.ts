// Traps in what a team may switch on: keys of its own, load balancer, rate limit, logs, budget. An option that is on has to do what it says.
import { Unknown } from '../hcl/values.ts';
import { damage, functionNamed, of, serviceOf, unless } from './trap.ts';
import type { Trap } from './trap.ts';

const rateLimits = (values: Record<string, any>): Record<string, any>[] => (values['rule'] as Record<string, any>[]).filter(({ priority }) => priority < 2_147_483_647);

export const OPTION_TRAPS: Trap[] = [
  {
    name: 'a key of the team\'s own is not used for everything that it was given for',
    why: 'Somebody who revokes the key believes the data gone.',
    finds: (plan) => {
      const { topics, bucket, secrets } = plan.variable('cmek');
      return [
        ...unless(of(plan, 'google_pubsub_topic'), ({ values }) => (values['kms_key_name'] ?? null) === topics),
        ...unless(of(plan, 'google_storage_bucket').filter(({ name }) => name === 'raw'), ({ values }) => (values['encryption']?.[0]?.default_kms_key_name ?? null) === bucket),
        ...unless(of(plan, 'google_secret_manager_secret'), ({ values }) => (values['replication'][0].user_managed[0].replicas[0].customer_managed_encryption?.[0]?.kms_key_name ?? null) === secrets),
      ];
    },
    damages: [
      damage('topics.tf', '-undeliverable"\n  message_retention_duration = "${var.retention_days * local.day_seconds}s"\n  kms_key_name               = var.cmek.topics\n', '-undeliverable"\n  message_retention_duration = "${var.retention_days * local.day_seconds}s"\n'),
      damage('topics.tf', '  kms_key_name               = var.cmek.topics\n\n  # Without', '\n  # Without'),
      damage('bucket.tf', 'for_each = var.cmek.bucket == null ? [] : [var.cmek.bucket]', 'for_each = []'),
      damage('secrets.tf', 'for_each = var.cmek.secrets == null ? [] : [var.cmek.secrets]', 'for_each = []'),
    ],
  },
  {
    name: 'the rate limit is made and holds nobody',
    why: 'A policy that no backend has, or whose rule lets all through, counts for nothing.',
    finds: (plan) => {
      const wanted = plan.variable('rate_limit');
      const policies = of(plan, 'google_compute_security_policy');
      if (wanted === null) return policies.map(({ address }) => address);
      const limited = policies.some(({ values }) => rateLimits(values).some(({ action, rate_limit_options: options }) => action === 'throttle' && options[0].conform_action === 'allow' && options[0].rate_limit_threshold[0].count === wanted.requests_per_minute && options[0].rate_limit_threshold[0].interval_sec === 60));
      return [...(limited ? [] : ['no rule limits']), ...unless(of(plan, 'google_compute_backend_service'), ({ set }) => set['security_policy'] instanceof Unknown)];
    },
    damages: [
      damage('load-balancer.tf', '  security_policy       = var.rate_limit == null ? null : google_compute_security_policy.collector[0].id\n'),
      damage('load-balancer.tf', '    action      = "throttle"', '    action      = "allow"'),
      damage('load-balancer.tf', 'count        = var.rate_limit.requests_per_minute', 'count        = 1'),
      damage('load-balancer.tf', '        interval_sec = 60', '        interval_sec = 600'),
    ],
  },
  {
    name: 'the rate limit cannot be switched off',
    why: 'A policy is destroyed before its backend is updated, and Google refuses to delete what is in use: the apply stops half-way.',
    finds: (plan) => unless(of(plan, 'google_compute_security_policy'), ({ createBeforeDestroy }) => createBeforeDestroy),
    damages: [damage('load-balancer.tf', '    }\n  }\n\n  lifecycle {\n    create_before_destroy = true\n  }\n', '    }\n  }\n')],
  },
  {
    name: 'the rate limit loses events',
    why: 'Clients send again after 429 and drop their events after 403; and who is below the limit must get through.',
    finds: (plan) => unless(of(plan, 'google_compute_security_policy'), ({ values }) => {
      const last = (values['rule'] as Record<string, any>[]).find(({ priority }) => priority === 2_147_483_647);
      return last?.['action'] === 'allow' && rateLimits(values).every(({ rate_limit_options: options }) => options?.[0] === undefined || (options[0].exceed_action === 'deny(429)' && options[0].conform_action === 'allow'));
    }),
    damages: [
      damage('load-balancer.tf', 'exceed_action  = "deny(429)"', 'exceed_action  = "deny(403)"'),
      damage('load-balancer.tf', 'conform_action = "allow"', 'conform_action = "deny(403)"'),
      damage('load-balancer.tf', '    action      = "allow"\n', '    action      = "deny(403)"\n'),
    ],
  },
  {
    name: 'events travel in clear, or over a protocol that is broken',
    why: 'A write key and what people do would be readable on the way.',
    finds: (plan) => [
      ...unless(of(plan, 'google_compute_global_forwarding_rule'), ({ values }) => values['port_range'] === '443'),
      ...unless(of(plan, 'google_compute_ssl_policy'), ({ values }) => ['TLS_1_2', 'TLS_1_3'].includes(values['min_tls_version'])),
      ...unless(of(plan, 'google_compute_target_https_proxy'), ({ set }) => set['ssl_policy'] instanceof Unknown),
      ...of(plan, 'google_compute_target_http_proxy').map(({ address }) => address),
      ...(plan.variable('domain') === null || plan.outputs['collector_url'] === `https://${plan.variable('domain')}` ? [] : ['collector_url']),
    ],
    damages: [
      damage('load-balancer.tf', '"443"', '"80"'),
      damage('load-balancer.tf', '  min_tls_version = "TLS_1_2"\n'),
      damage('load-balancer.tf', '  ssl_policy       = google_compute_ssl_policy.collector[0].id\n'),
      damage('outputs.tf', '? "https://${var.domain}" :', '? "http://${var.domain}" :'),
    ],
  },
  {
    name: 'the load balancer leads nowhere',
    why: 'An address in front of which nothing stands, a certificate that nobody shows, a backend that nobody reaches.',
    finds: (plan) => {
      const leadsTo = (type: string, name: string, to: string): string[] => unless(of(plan, type), ({ set }) => JSON.stringify([set[name]].flat().map((one) => (one instanceof Unknown ? one.path : one))).includes(to));
      return [
        ...leadsTo('google_compute_global_forwarding_rule', 'ip_address', 'google_compute_global_address.collector'),
        ...leadsTo('google_compute_global_forwarding_rule', 'target', 'google_compute_target_https_proxy.collector'),
        ...leadsTo('google_compute_target_https_proxy', 'ssl_certificates', 'google_compute_managed_ssl_certificate.collector'),
        ...leadsTo('google_compute_target_https_proxy', 'url_map', 'google_compute_url_map.collector'),
        ...leadsTo('google_compute_url_map', 'default_service', 'google_compute_backend_service.collector'),
        ...unless(of(plan, 'google_compute_region_network_endpoint_group'), ({ values }) => values['network_endpoint_type'] === 'SERVERLESS' && values['cloud_run']?.[0]?.service === functionNamed(plan, 'collect').values['name']),
        ...unless(of(plan, 'google_compute_managed_ssl_certificate'), ({ values, createBeforeDestroy }) => createBeforeDestroy && values['managed'][0].domains.join() === plan.variable('domain')),
      ];
    },
    damages: [
      damage('load-balancer.tf', '  ip_address            = google_compute_global_address.collector[0].id\n'),
      damage('load-balancer.tf', '  ssl_certificates = [google_compute_managed_ssl_certificate.collector[0].id]\n'),
      damage('load-balancer.tf', '  default_service = google_compute_backend_service.collector[0].id\n'),
      damage('load-balancer.tf', '    service = google_cloudfunctions2_function.function["collect"].name', '    service = google_cloudfunctions2_function.function["replay"].name'),
      damage('load-balancer.tf', '    domains = [var.domain]\n  }\n\n  lifecycle {\n    create_before_destroy = true\n  }\n', '    domains = [var.domain]\n  }\n'),
    ],
  },
  {
    name: 'the load balancer is there and its country is thrown away',
    why: 'Every row would have empty geo columns.',
    finds: (plan) => (plan.variable('domain') === null || serviceOf(functionNamed(plan, 'collect'))['environment_variables'].CHIPLOG_GEO_HEADER !== undefined ? [] : ['CHIPLOG_GEO_HEADER is not told']),
    damages: [damage('environment.tf', 'var.domain == null ? "" : local.geo_header', '""')],
  },
  {
    name: 'logs are not kept as the team says',
    why: 'The sink would write nothing, or the files would go too early.',
    finds: (plan) => [
      ...unless(of(plan, 'google_logging_project_sink'), ({ values }) => values['unique_writer_identity'] === true && values['disabled'] !== true),
      ...unless(of(plan, 'google_storage_bucket').filter(({ name }) => name === 'logs'), ({ values }) => values['lifecycle_rule'].length === 1 && values['lifecycle_rule'][0].condition[0].age === plan.variable('log_sink').retention_days),
    ],
    damages: [
      damage('extras.tf', '  unique_writer_identity = true\n'),
      damage('extras.tf', '  unique_writer_identity = true\n', '  unique_writer_identity = true\n  disabled = true\n'),
      damage('extras.tf', 'age = var.log_sink.retention_days', 'age = 1'),
    ],
  },
  {
    name: 'the budget names a currency that nobody gave',
    why: 'A budget has the currency of its billing account; the apply fails where that is another one.',
    finds: (plan) => unless(of(plan, 'google_billing_budget'), ({ values }) => (values['amount'][0].specified_amount[0].currency_code ?? null) === plan.variable('budget').currency && plan.variable('budget').currency === null),
    damages: [damage('variables-optional.tf', 'currency = optional(string) }', 'currency = optional(string, "USD") }'), damage('extras.tf', 'currency_code = var.budget.currency', 'currency_code = coalesce(var.budget.currency, "USD")')],
  },
  {
    name: 'the budget tells too late, tells nobody, or counts what is not ours',
    why: 'Half of it is when something can still be done; without a filter it is the bill of the whole account.',
    finds: (plan) => unless(of(plan, 'google_billing_budget'), ({ values, set }) => {
      const shares = (values['threshold_rules'] as { threshold_percent: number }[]).map(({ threshold_percent: share }) => share);
      return Math.min(...shares) <= 0.5 && shares.includes(1) && values['amount'][0].specified_amount[0].units === String(plan.variable('budget').units)
        && 'projects' in ((set['budget_filter'] as any)?.[0]?.fields ?? {}) && 'monitoring_notification_channels' in ((set['all_updates_rule'] as any)?.[0]?.fields ?? {});
    }),
    damages: [damage('extras.tf', '  threshold_rules {\n    threshold_percent = 0.5\n  }\n'), damage('extras.tf', 'tostring(var.budget.units)', '"1"'), damage('extras.tf', '    projects = ["projects/${local.project_number}"]\n'), damage('extras.tf', '    monitoring_notification_channels = [google_monitoring_notification_channel.email.id]\n')],
  },
];
