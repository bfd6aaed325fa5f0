// Traps around Pub/Sub: how a message gets lost, or comes back for ever.
import { LIMITS } from '../../../functions/limits.ts';
import { Unknown } from '../hcl/values.ts';
import type { Value } from '../hcl/values.ts';
import { damage, functionNamed, of, pushes, seconds, serviceOf, unless } from './trap.ts';
import type { Trap } from './trap.ts';

const subscriptions = 'subscriptions.tf';
const DAY_SECONDS = 86_400;

/** How long a message is tried, with a back-off that doubles from the first to the last value. */
function triedSeconds(first: number, last: number, attempts: number): number {
  let sum = 0;
  for (let attempt = 0, wait = first; attempt < attempts; attempt += 1, wait = Math.min(last, wait * 2)) sum += wait;
  return sum;
}

/** Its number is known after the apply only, its domain before. */
const isPubsubAgent = (member: Value | undefined): boolean => member instanceof Unknown && /^serviceAccount:service-.*project_number.*@gcp-sa-pubsub\.iam\.gserviceaccount\.com$/.test(member.path);

export const MESSAGE_TRAPS: Trap[] = [
  {
    name: 'a subscription expires',
    why: 'After 31 quiet days Pub/Sub deletes it, and later messages are nowhere.',
    finds: (plan) => unless(of(plan, 'google_pubsub_subscription'), ({ values }) => values['expiration_policy']?.[0]?.ttl === ''),
    damages: [
      damage(subscriptions, '  # Never: by default 31 quiet days would delete the subscription, and messages published after that would be in no table.\n  expiration_policy {\n    ttl = ""\n  }\n'),
      damage(subscriptions, '  ack_deadline_seconds       = 60\n\n  expiration_policy {\n    ttl = ""\n  }\n', '  ack_deadline_seconds       = 60\n'),
      damage(subscriptions, '  # Never: by default 31 quiet days would delete the subscription, and messages published after that would be in no table.\n  expiration_policy {\n    ttl = ""', '  expiration_policy {\n    ttl = "2678400s"'),
    ],
  },
  {
    name: 'a topic of dead letters has no subscription',
    why: 'A topic without one drops what is published to it.',
    finds: (plan) => {
      const read = new Set(of(plan, 'google_pubsub_subscription').filter(({ values }) => values['push_config'] === undefined).map(({ values }) => values['topic']));
      return unless(pushes(plan), ({ values }) => read.has(String(values['dead_letter_policy']?.[0]?.dead_letter_topic).split('/').at(-1)));
    },
    damages: [
      damage(subscriptions, 'topic    = google_pubsub_topic.undeliverable[each.key].name', 'topic    = google_pubsub_topic.stream[each.key].name'),
      damage(subscriptions, '/topics/${google_pubsub_topic.undeliverable[each.value.stream].name}"', '/topics/${google_pubsub_topic.undeliverable[each.value.stream].name}-2"'),
    ],
  },
  {
    name: 'a refused message has no dead letters to go to',
    why: 'It would be tried until its retention ends, and then be gone.',
    finds: (plan) => unless(pushes(plan), ({ values }) => values['dead_letter_policy']?.length === 1),
    damages: [damage(subscriptions, '  dead_letter_policy {\n    dead_letter_topic     = "projects/${var.project}/topics/${google_pubsub_topic.undeliverable[each.value.stream].name}"\n    max_delivery_attempts = 100\n  }\n')],
  },
  {
    name: 'a stream does not go to both writers',
    why: 'Its events would be in no table, or in no file.',
    finds: (plan) => of(plan, 'google_pubsub_topic').filter(({ name }) => name === 'stream').flatMap(({ address, values }) => {
      const count = pushes(plan).filter((push) => push.values['topic'] === values['name']).length;
      return count === 2 ? [] : [`${address} is pushed to ${count} writers`];
    }),
    damages: [damage(subscriptions, '    storage  = "write-storage"\n'), damage(subscriptions, 'topic    = google_pubsub_topic.stream[each.value.stream].name', 'topic    = google_pubsub_topic.undeliverable[each.value.stream].name')],
  },
  {
    name: 'Pub/Sub may not publish to the dead letters',
    why: 'Without the role it moves nothing, and says so nowhere.',
    finds: (plan) => {
      const allowed = of(plan, 'google_pubsub_topic_iam_member').filter(({ values, set }) => values['role'] === 'roles/pubsub.publisher' && isPubsubAgent(set['member'])).map(({ values }) => values['topic']);
      return unless(of(plan, 'google_pubsub_topic').filter(({ name }) => name === 'undeliverable'), ({ values }) => allowed.includes(values['name']));
    },
    damages: [
      damage('iam.tf', 'resource "google_pubsub_topic_iam_member" "dead_letter" {\n  for_each = google_pubsub_topic.undeliverable\n  topic    = each.value.name\n  role     = "roles/pubsub.publisher"', 'resource "google_pubsub_topic_iam_member" "dead_letter" {\n  for_each = google_pubsub_topic.undeliverable\n  topic    = each.value.name\n  role     = "roles/pubsub.viewer"'),
      damage('iam.tf', 'for_each = google_pubsub_topic.undeliverable', 'for_each = google_pubsub_topic.stream'),
      damage('iam.tf', '  topic    = each.value.name\n  role     = "roles/pubsub.publisher"\n  member   = local.pubsub_agent', '  topic    = each.value.name\n  role     = "roles/pubsub.publisher"\n  member   = google_service_account.scheduler.member'),
    ],
  },
  {
    name: 'Pub/Sub may not take a message off its subscription',
    why: 'It then leaves it there instead of moving it to the dead letters.',
    finds: (plan) => {
      const allowed = of(plan, 'google_pubsub_subscription_iam_member').filter(({ values, set }) => values['role'] === 'roles/pubsub.subscriber' && isPubsubAgent(set['member'])).map(({ values }) => values['subscription']);
      return unless(pushes(plan), ({ values }) => allowed.includes(values['name']));
    },
    damages: [
      damage('iam.tf', 'role         = "roles/pubsub.subscriber"', 'role         = "roles/pubsub.viewer"'),
      damage('iam.tf', '  role         = "roles/pubsub.subscriber"\n  member       = local.pubsub_agent', '  role         = "roles/pubsub.subscriber"\n  member       = local.storage_agent'),
      damage('iam.tf', 'for_each     = google_pubsub_subscription.push', 'for_each     = google_pubsub_subscription.undeliverable'),
    ],
  },
  {
    name: 'a refused message comes back at once',
    why: 'No retry policy means immediate redelivery: an outage becomes a storm.',
    finds: (plan) => unless(pushes(plan), ({ values }) => seconds(values['retry_policy']?.[0]?.minimum_backoff) >= 10 && seconds(values['retry_policy']?.[0]?.maximum_backoff) === 600),
    damages: [
      damage(subscriptions, '  retry_policy {\n    minimum_backoff = "10s"\n    maximum_backoff = "600s"\n  }\n'),
      damage(subscriptions, 'minimum_backoff = "10s"', 'minimum_backoff = "0s"'),
      damage(subscriptions, 'maximum_backoff = "600s"', 'maximum_backoff = "60s"'),
    ],
  },
  {
    name: 'an outage of hours empties into the dead letters',
    why: 'Five attempts are over within minutes.',
    finds: (plan) => unless(pushes(plan), ({ values: { retry_policy: retry, dead_letter_policy: dead } }) =>
      dead?.[0] === undefined || triedSeconds(seconds(retry?.[0]?.minimum_backoff), seconds(retry?.[0]?.maximum_backoff), dead[0].max_delivery_attempts) >= 12 * 3_600),
    damages: [damage(subscriptions, 'max_delivery_attempts = 100', 'max_delivery_attempts = 5')],
  },
  {
    name: 'Pub/Sub gives up on a push before the writer does',
    why: 'The message is delivered twice at once, and the back-off grows for nothing.',
    finds: (plan) => unless(pushes(plan), ({ values }) => values['ack_deadline_seconds'] * 1_000 > LIMITS.pushDeadlineMs && values['ack_deadline_seconds'] <= 600),
    damages: [damage(subscriptions, '  ack_deadline_seconds       = 60\n  message_retention_duration = "${var.retention_days', '  ack_deadline_seconds       = 10\n  message_retention_duration = "${var.retention_days')],
  },
  {
    name: 'a writer is stopped before Pub/Sub gives up on it',
    why: 'A push that would have ended well is cut off.',
    finds: (plan) => ['write-bigquery', 'write-storage'].filter((name) => serviceOf(functionNamed(plan, name))['timeout_seconds'] * 1_000 < LIMITS.pushDeadlineMs),
    damages: [damage('functions.tf', '      concurrency     = 40\n      timeout_seconds = 60', '      concurrency     = 40\n      timeout_seconds = 30')],
  },
  {
    name: 'messages are not kept as long as the team says',
    why: 'What a broken writer did not take is lost earlier than anybody thinks; and raw files are joined while a redelivery may still name one.',
    finds: (plan) => {
      const days = Number(serviceOf(functionNamed(plan, 'maintain'))['environment_variables'].CHIPLOG_RETENTION_DAYS);
      return unless([...of(plan, 'google_pubsub_topic'), ...pushes(plan)], ({ values }) => seconds(values['message_retention_duration']) === days * DAY_SECONDS);
    },
    damages: [
      damage(subscriptions, '  message_retention_duration = "${var.retention_days * local.day_seconds}s"\n'),
      damage('topics.tf', 'name                       = "${var.prefix}-days"\n  message_retention_duration = "${var.retention_days * local.day_seconds}s"\n', 'name                       = "${var.prefix}-days"\n'),
      damage('topics.tf', 'name                       = "${var.prefix}-${each.value.topic}"\n  message_retention_duration = "${var.retention_days * local.day_seconds}s"', 'name                       = "${var.prefix}-${each.value.topic}"\n  message_retention_duration = "600s"'),
      damage('environment.tf', 'CHIPLOG_RETENTION_DAYS = tostring(var.retention_days)', 'CHIPLOG_RETENTION_DAYS = "1"'),
    ],
  },
  {
    name: 'undeliverable messages are gone before a person looks',
    why: 'They are the only copy; Pub/Sub keeps them for 31 days at most.',
    finds: (plan) => unless(of(plan, 'google_pubsub_subscription').filter(({ values }) => values['push_config'] === undefined), ({ values }) => seconds(values['message_retention_duration']) === 31 * DAY_SECONDS),
    damages: [damage(subscriptions, '"${31 * local.day_seconds}s"', '"${7 * local.day_seconds}s"')],
  },
  {
    name: 'a message may be stored anywhere in the world',
    why: 'Pub/Sub keeps it in whatever region it was published from, not where the data should be.',
    finds: (plan) => unless(of(plan, 'google_pubsub_topic'), ({ values }) => values['message_storage_policy']?.[0]?.allowed_persistence_regions?.length > 0),
    damages: [damage('topics.tf', '  # Without it a message may be stored in whichever region it was published from.\n  message_storage_policy {\n    allowed_persistence_regions = local.message_regions\n  }\n')],
  },
];
