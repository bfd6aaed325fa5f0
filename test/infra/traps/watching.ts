// Traps around alerts: how something goes wrong and nobody is told.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { damage, of, seconds, unless } from './trap.ts';
import type { Plan } from '../hcl/plan.ts';
import type { Trap } from './trap.ts';

const OPERATING = readFileSync(join(import.meta.dirname, '../../../docs/operating.md'), 'utf8');
const anchors = new Set([...OPERATING.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title!.toLowerCase().replace(/[^a-z0-9 -]/g, '').replaceAll(' ', '-')));

/** What has to be watched, and what shows that it is. */
const WATCHED: [what: string, pattern: RegExp][] = [
  ['age of the oldest message that no writer took', /oldest_unacked_message_age.*-to-bigquery.*-to-storage/],
  ['messages that could not be delivered', /num_undelivered_messages.*-undeliverable/],
  ['rejected events', /events_rejected_sum/],
  ['5xx of the collector', /-collect\\",response_code_class=\\"5xx\\"/],
  ['429 of the collector', /-collect\\",response_code=\\"429\\"/],
  ['a rollover that does not run', /-rollover\\",response_code_class=\\"2xx\\".*< 1/],
  ['housekeeping that does not run', /-maintain\\",response_code_class=\\"2xx\\".*< 1/],
  ['a day that stays provisional', /-rollover.*The counts of a day do not agree/],
  ['a day that cannot be made', /-rollover.*The rollover of a day failed/],
  ['an intraday table that is older than it should be', /-rollover.*A closed intraday table is not folded/],
  ['a sources document that cannot be used', /-collect.*The sources document cannot be used/],
  ['columns that a table lacks', /-write-bigquery.*columns_missing/],
  ['messages that Pub/Sub could not take and nobody drained', /-maintain.*Spilled messages are not drained/],
  ['a table that contradicts the schema', /-maintain.*a table contradicts the schema/],
];

/** Where a JSON value, or one inside it, is what Google leaves out when it is read again. */
function defaultsIn(value: unknown, path: string): string[] {
  const isDefault = value === 0 || value === '' || value === false || (Array.isArray(value) && value.length === 0);
  return isDefault ? [path] : value !== null && typeof value === 'object' ? Object.entries(value).flatMap(([name, inner]) => defaultsIn(inner, `${path}.${name}`)) : [];
}

/** "5m" in seconds. */
const span = (text: string): number => Number(text.slice(0, -1)) * { s: 1, m: 60, h: 3_600, d: 86_400 }[text.slice(-1) as 's']!;

const queriesOf = (plan: Plan): string[] => of(plan, 'google_monitoring_dashboard').flatMap(({ values }) =>
  (JSON.parse(values['dashboard_json']).mosaicLayout.tiles as Record<string, any>[]).flatMap(({ widget }) => widget['xyChart']?.dataSets.map((set: Record<string, any>) => set['timeSeriesQuery'].prometheusQuery as string) ?? []));

export const WATCHING_TRAPS: Trap[] = [
  {
    name: 'an alert is missing',
    why: 'The trouble it tells of would be found by the people who query.',
    finds: (plan) => {
      const conditions = of(plan, 'google_monitoring_alert_policy').map(({ values }) => JSON.stringify(values['conditions']));
      return WATCHED.filter(([, pattern]) => !conditions.some((one) => pattern.test(one))).map(([what]) => what);
    },
    damages: [
      damage('alerts.tf', 'subscription/oldest_unacked_message_age', 'subscription/byte_cost'),
      damage('alerts.tf', 'resource.labels.subscription_id=one_of(${local.quoted_undeliverable})', 'resource.labels.subscription_id=one_of(${local.quoted_pushes})'),
      damage('alerts.tf', 'response_code_class=\\"5xx\\"', 'response_code_class=\\"4xx\\"'),
      damage('alerts.tf', 'response_code=\\"429\\"', 'response_code=\\"400\\"'),
      damage('alerts.tf', '"The counts of a day do not agree; nothing is dropped", '),
      damage('alerts.tf', '"A closed intraday table is not folded, hours after it could be"', '"Nothing"'),
      damage('alerts.tf', '["columns_missing"]', '["columns"]'),
      damage('alerts.tf', '["Spilled messages are not drained"]', '["Nothing"]'),
      damage('alerts.tf', 'for_each              = local.query_alerts', 'for_each              = {}'),
    ],
  },
  {
    name: 'an alert sleeps',
    why: 'Switched off, or with a bound that is never reached, it is worse than none: somebody relies on it.',
    finds: (plan) => unless(of(plan, 'google_monitoring_alert_policy'), ({ key, values }) => {
      const { condition_threshold: threshold, condition_prometheus_query_language: promql } = values['conditions'][0];
      const bounds: Record<string, number> = { 'messages-wait': 900, 'undeliverable-messages': 0 };
      const shares = [...String(promql?.[0]?.query ?? '').matchAll(/ > ([\d.]+)/g)].map(([, bound]) => Number(bound));
      return values['enabled'] !== false
        && (threshold === undefined || (threshold[0].comparison === 'COMPARISON_GT' && threshold[0].threshold_value <= bounds[String(key)]! && seconds(threshold[0].duration) <= 600))
        && (promql === undefined || (seconds(promql[0].duration) <= (key === 'maintain-absent' ? 3 * 3_600 : 3_600) && (key === 'events-rejected' ? shares[0]! <= 0.1 && shares[1]! <= 100 : shares.every((bound) => bound < 0.1))));
    }),
    damages: [
      damage('alerts.tf', '      threshold = 600\n', '      threshold = 600000\n'),
      damage('alerts.tf', '      threshold = 0\n', '      threshold = 1000\n'),
      damage('alerts.tf', '"COMPARISON_GT"', '"COMPARISON_LT"'),
      damage('alerts.tf', '[5m])) > 0.01"', '[5m])) > 1.01"'),
      damage('alerts.tf', '> 0.05 and', '> 5 and'),
      damage('alerts.tf', '  for_each              = local.log_alerts\n', '  for_each              = local.log_alerts\n  enabled               = false\n'),
    ],
  },
  {
    name: 'an alert on what does not happen rings on a healthy day',
    why: 'Until the first calls are counted nothing seems to run; and a window that holds a single call has no increase.',
    finds: (plan) => of(plan, 'google_cloud_scheduler_job').filter(({ key, values }) => {
      const alert = of(plan, 'google_monitoring_alert_policy').find((one) => one.key === `${String(key)}-absent`)?.values['conditions'][0].condition_prometheus_query_language[0];
      const window = span(/\[(\w+)\]\)\) or vector\(0\)\) < 1$/.exec(alert?.query ?? '')?.[1] ?? '0s');
      const [minute] = String(values['schedule']).split(' ');
      const every = minute!.startsWith('*/') ? Number(minute!.slice(2)) * 60 : 3_600;
      // Three minutes until a sample is visible, two for the call.
      return !(window >= 3 * every && seconds(alert?.duration) >= 2 * every + 300);
    }).map(({ address }) => address),
    damages: [
      damage('alerts.tf', '"7800s"', '"1800s"'),
      damage('alerts.tf', '"2400s"', '"1800s"'),
      damage('alerts.tf', '[3h])) or', '[1h])) or'),
    ],
  },
  {
    name: 'an alert tells nobody',
    why: 'An incident in a console that nobody looks at.',
    finds: (plan) => unless(of(plan, 'google_monitoring_alert_policy'), ({ set }) => Array.isArray(set['notification_channels']) && set['notification_channels'].length > 0),
    damages: [damage('alerts.tf', '  for_each              = local.log_alerts\n  display_name          = "${each.value.title} (${var.prefix})"\n  severity              = each.value.severity\n  combiner              = "OR"\n  notification_channels = [google_monitoring_notification_channel.email.id]', '  for_each              = local.log_alerts\n  display_name          = "${each.value.title} (${var.prefix})"\n  severity              = each.value.severity\n  combiner              = "OR"')],
  },
  {
    name: 'an alert does not say what to do',
    why: 'At night, a title alone is not help.',
    finds: (plan) => unless(of(plan, 'google_monitoring_alert_policy'), ({ values }) => anchors.has(/docs\/operating\.md#([a-z0-9-]+)$/.exec(values['documentation']?.[0]?.content ?? '')?.[1] ?? '')),
    damages: [damage('alerts.tf', '    day-failed = {', '    day-broken = {'), damage('alerts.tf', '    messages-wait = {', '    waiting = {')],
  },
  {
    name: 'an alert on a log line may write without end',
    why: 'Google refuses such an alert without a limit, so the apply fails.',
    finds: (plan) => unless(of(plan, 'google_monitoring_alert_policy').filter(({ values }) => values['conditions'][0].condition_matched_log !== undefined), ({ values }) => values['alert_strategy']?.[0]?.notification_rate_limit?.length === 1),
    damages: [damage('alerts.tf', '    notification_rate_limit {\n      period = "3600s"\n    }\n')],
  },
  {
    name: 'the first apply asks for a metric that is not known yet',
    why: 'A log-based metric is known minutes after it was made; the alert would be refused.',
    finds: (plan) => unless(of(plan, 'google_monitoring_alert_policy').filter(({ values }) => JSON.stringify(values['conditions']).includes('logging_googleapis_com')), ({ values }) => values['conditions'][0].condition_prometheus_query_language[0].disable_metric_validation === true),
    damages: [damage('alerts.tf', '      disable_metric_validation = true\n')],
  },
  {
    name: 'events are counted wrongly',
    why: 'The log line has several counters; a metric must read its own.',
    finds: (plan) => unless(of(plan, 'google_logging_metric'), ({ key, values }) => values['value_extractor'] === `EXTRACT(jsonPayload.data.${String(key)})` && values['filter'].includes(`jsonPayload.data.${String(key)}>0`) && values['metric_descriptor'][0].value_type === 'DISTRIBUTION' && values['filter'].includes(`resource.labels.service_name="${plan.variable('prefix')}-collect"`)),
    damages: [damage('metrics.tf', 'value_extractor = "EXTRACT(jsonPayload.data.${each.key})"', 'value_extractor = "EXTRACT(jsonPayload.data.events_accepted)"'), damage('metrics.tf', '"DISTRIBUTION"', '"INT64"'), damage('metrics.tf', '${var.prefix}-collect', 'collect')],
  },
  {
    name: 'every plan wants to write the dashboard again',
    why: 'Google leaves defaults out, the provider compares the texts. Who sees a change in every plan soon reads none.',
    finds: (plan) => of(plan, 'google_monitoring_dashboard').flatMap(({ values }) => defaultsIn(JSON.parse(values['dashboard_json']), 'dashboard')),
    damages: [
      damage('dashboard.tf', '{ xPos = index * 12, width = 12, height = 4 } : key => at if at != 0 }', '{ xPos = index * 12, width = 12, height = 4 } : key => at }'),
      damage('dashboard.tf', '{ xPos = tile.column * 12, yPos = 4 + tile.row * 12, width = 12, height = 12 } : key => at if at != 0 }', '{ xPos = tile.column * 12, yPos = 4 + tile.row * 12, width = 12, height = 12 } : key => at }'),
      damage('dashboard.tf', 'yAxis = { scale = "LINEAR" }', 'yAxis = { label = "", scale = "LINEAR" }'),
    ],
  },
  {
    name: 'a tile of the dashboard stays empty, or shows what was hours ago',
    why: 'A window with one sample has no rate; a size is known hours after it was measured, and PromQL looks back five minutes.',
    finds: (plan) => queriesOf(plan).filter((query) => [...query.matchAll(/(?:rate|increase)\([^[]*\[(\w+)\]/g)].some(([, window]) => span(window!) < 300)
      || query.includes('bigquery_googleapis_com:storage_uploaded')
      || (/storage_stored_bytes|total_bytes/.test(query) && !(span(/last_over_time\([^[]*\[(\w+)\]/.exec(query)?.[1] ?? '0s') >= 4 * 3_600))),
    damages: [
      damage('dashboard.tf', '"sum(rate(${local.metric_sums["events_accepted"]}[5m])) * 60"', '"sum(increase(${local.metric_sums["events_accepted"]}[1m]))"'),
      damage('dashboard.tf', 'bigquerystorage_googleapis_com:write_uploaded_row_count{monitored_resource=\\"bigquery_project\\"}', 'bigquery_googleapis_com:storage_uploaded_row_count{monitored_resource=\\"bigquery_dataset\\"}'),
      damage('dashboard.tf', 'dataset_id=\\"${var.dataset}\\"}[6h]', 'dataset_id=\\"${var.dataset}\\"}[5m]'),
      damage('dashboard.tf', '-raw\\"}[6h]', '-raw\\"}[1h]'),
    ],
  },
  {
    name: 'logs that are kept hold addresses of senders',
    why: 'No address is ever stored: Cloud Run\'s request log has them, the functions\' own lines do not.',
    finds: (plan) => [...unless(of(plan, 'google_logging_project_sink'), ({ values }) => values['filter'].includes('log_id("run.googleapis.com/stdout")')), ...unless(of(plan, 'google_compute_backend_service'), ({ values }) => values['log_config']?.[0]?.enable === false)],
    damages: [damage('extras.tf', ' AND log_id(\\"run.googleapis.com/stdout\\")'), damage('load-balancer.tf', '  log_config {\n    enable = false\n  }\n', '  log_config {\n    enable = true\n  }\n')],
  },
];
