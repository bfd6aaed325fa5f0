// Topics and subscriptions: in goes the patient, out come findings about what would lose or hold up messages. Called by checks.ts.
import type { protos } from '@google-cloud/pubsub';
import { curesFor } from './cures.ts';
import { NotHere, type Check, type Finding } from './finding.ts';
import type { Kind } from './kinds.ts';
import { topicsOf, WRITERS, type Patient } from './patient.ts';

type Subscription = protos.google.pubsub.v1.ISubscription;
type Topic = protos.google.pubsub.v1.ITopic;
type Duration = { seconds?: unknown } | null | undefined;

const ACK_DEADLINE_SECONDS = 60;
const ATTEMPTS_MIN = 100;
const UNDELIVERABLE_DAYS = 31;
const DAY_SECONDS = 86_400;
/** The alert's own threshold (infra/alerts.tf). */
const WAITING_SECONDS_MAX = 600;

const secondsOf = (duration: Duration): number => Number(duration?.seconds ?? 0);
const days = (seconds: number): string => (seconds < DAY_SECONDS ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / DAY_SECONDS)} days`);
const lastPart = (name: string | null | undefined): string => (name ?? '').split('/').at(-1)!;

export function pubsubChecks(patient: Patient): Check[] {
  const topics = once(async () => new Map((await patient.pubsub.getTopics())[0].map(({ metadata, name }) => [lastPart(name), metadata as Topic])));
  const subscriptions = once(async () => new Map((await patient.pubsub.getSubscriptions())[0].map(({ metadata, name }) => [lastPart(name), metadata as unknown as Subscription])));
  return [
    { name: 'topics', run: async () => checkTopics(patient, await topics()) },
    { name: 'push subscriptions', run: async () => checkPushes(patient, await subscriptions(), await topics()) },
    { name: 'endpoints of the push subscriptions', run: async () => checkEndpoints(patient, await subscriptions()) },
    { name: 'subscriptions of undeliverable messages', run: async () => checkUndeliverable(patient, await subscriptions()) },
    { name: 'waiting messages', run: async () => checkBacklogs(patient, await subscriptions()) },
  ];
}

function checkTopics(patient: Patient, topics: Map<string, Topic>): Finding[] {
  const cures = curesFor(patient);
  const wanted = [...topicsOf(patient).flatMap(({ topic }) => [topic, `${topic}-undeliverable`]), `${patient.prefix}-days`];
  return wanted.flatMap((name): Finding[] => {
    const topic = topics.get(name);
    if (topic === undefined) return [{ kind: 'topic_missing', where: name, what: 'The topic does not exist.', why: missingTopicMatters(name), cure: cures.provision }];
    if (secondsOf(topic.messageRetentionDuration) > 0) return [];
    return [{ kind: 'topic_without_retention', where: name, what: 'The topic keeps no messages once they are delivered.', why: 'A subscription that was deleted or acknowledged too much could not seek back.', cure: cures.topic(name, '--message-retention-duration=7d') }];
  });
}

function missingTopicMatters(name: string): string {
  if (name.endsWith('-undeliverable')) return 'Messages that a writer refuses go round for ever instead of being set aside.';
  if (name.endsWith('-days')) return 'Nobody is told that a day is finished, and the rollover tries again and again.';
  return 'The collector answers 503 to every event of this stream.';
}

/** The names that each stream's messages need, with the writer that each pushes to. */
const pushesOf = (patient: Patient) => topicsOf(patient).flatMap(({ topic }) => (['bigquery', 'storage'] as const).map((writer) => ({ topic, writer, name: `${topic}-to-${writer}` })));

function checkPushes(patient: Patient, subscriptions: Map<string, Subscription>, topics: Map<string, Topic>): Finding[] {
  const cures = curesFor(patient);
  return pushesOf(patient).flatMap(({ topic, writer, name }) => {
    const found = subscriptions.get(name);
    const finding = (kind: Kind, what: string, why: string, cure: string): Finding => ({ kind, where: name, what, why, cure });
    const sink = writer === 'bigquery' ? 'BigQuery' : 'Cloud Storage';
    if (found === undefined) return [finding('subscription_missing', 'The subscription does not exist.', `No event of this stream reaches ${sink}; what was published meanwhile is kept as long as the topic's retention.`, cures.provision)];
    // Of a detached subscription nothing else matters: it gets no messages and has lost the ones it held.
    if (found.detached === true || lastPart(found.topic) === '_deleted-topic_') return [finding('subscription_detached', 'The subscription is detached from its topic.', `No event of this stream reaches ${sink}.`, cures.replaceSubscription(name))];
    if (lastPart(found.topic) !== topic) return [finding('subscription_elsewhere', `The subscription belongs to the topic ${lastPart(found.topic)}.`, `No event of this stream reaches ${sink}, and another's arrive there twice.`, cures.replaceSubscription(name))];
    const findings: Finding[] = [];
    const wrong = (kind: Kind, what: string, why: string, change: string): void => void findings.push(finding(kind, what, why, cures.subscription(name, change)));
    const [kept, topicKeeps] = [secondsOf(found.messageRetentionDuration), secondsOf(topics.get(topic)?.messageRetentionDuration)];
    if (kept < topicKeeps) wrong('subscription_kept_too_short', `What waits is kept for ${days(kept)}, by the topic for ${days(topicKeeps)}.`, 'What a broken writer did not take in that time is gone.', `--message-retention-duration=${topicKeeps}s`);
    if (found.ackDeadlineSeconds !== ACK_DEADLINE_SECONDS) wrong('ack_deadline_wrong', `The acknowledgement deadline is ${found.ackDeadlineSeconds} s, not ${ACK_DEADLINE_SECONDS}.`, 'It is also the time that a push may take: the writer answers by 50 s, and an earlier deadline delivers again what is being written.', `--ack-deadline=${ACK_DEADLINE_SECONDS}`);
    if (secondsOf(found.expirationPolicy?.ttl) > 0) wrong('subscription_expires', `The subscription is deleted after ${Math.round(secondsOf(found.expirationPolicy?.ttl) / DAY_SECONDS)} quiet days.`, 'What is published afterwards reaches nobody.', '--expiration-period=never');
    const deadLetter = lastPart(found.deadLetterPolicy?.deadLetterTopic);
    if (deadLetter !== `${topic}-undeliverable`) wrong('dead_letter_missing', deadLetter === '' ? 'The subscription has no dead-letter topic.' : `Undeliverable messages go to ${deadLetter}.`, 'A message that can never be written is delivered for ever, and slows down all others.', `--dead-letter-topic=${topic}-undeliverable --max-delivery-attempts=${ATTEMPTS_MIN}`);
    else if ((found.deadLetterPolicy?.maxDeliveryAttempts ?? 5) < ATTEMPTS_MIN) wrong('too_few_attempts', `A message is set aside after ${found.deadLetterPolicy?.maxDeliveryAttempts ?? 5} attempts.`, 'An outage of minutes would empty the subscription into the dead letters.', `--max-delivery-attempts=${ATTEMPTS_MIN}`);
    if (secondsOf(found.retryPolicy?.minimumBackoff) === 0 || secondsOf(found.retryPolicy?.maximumBackoff) === 0) wrong('no_backoff', 'Refused messages are delivered again at once.', 'An outage becomes a storm of deliveries, and a message uses up its attempts in seconds.', '--min-retry-delay=10s --max-retry-delay=600s');
    if ((found.filter ?? '') !== '') findings.push(finding('subscription_filters', `The subscription takes only messages that match ${found.filter}.`, 'Pub/Sub acknowledges the others itself: they are in no table.', cures.replaceSubscription(name)));
    return findings;
  });
}

async function checkEndpoints(patient: Patient, subscriptions: Map<string, Subscription>): Promise<Finding[]> {
  const cures = curesFor(patient);
  const addressOf = async (writer: keyof typeof WRITERS): Promise<string> => {
    const address = patient.local?.functions[WRITERS[writer]] ?? await patient.cloud?.functionUri(WRITERS[writer]);
    if (address === undefined) throw new NotHere(`the address of ${WRITERS[writer]} is not known here`);
    return address.replace(/\/$/, '');
  };
  const addresses = { bigquery: await addressOf('bigquery'), storage: await addressOf('storage') };
  return pushesOf(patient).flatMap(({ writer, name }): Finding[] => {
    const found = subscriptions.get(name);
    if (found === undefined || found.detached === true) return [];
    const endpoint = found.pushConfig?.pushEndpoint ?? '';
    const account = found.pushConfig?.oidcToken?.serviceAccountEmail ?? '';
    if (endpoint.replace(/\/$/, '') !== addresses[writer]) {
      return [{ kind: 'endpoint_wrong', where: name, what: endpoint === '' ? 'The subscription pushes to nobody.' : `The subscription pushes to ${endpoint}, not to ${addresses[writer]}.`, why: `Its messages reach ${WRITERS[writer]} no more.`,
        cure: cures.subscription(name, `--push-endpoint=${addresses[writer]}${account === '' ? '' : ` --push-auth-service-account=${account}`}`) }];
    }
    if (patient.local === undefined && account === '') {
      return [{ kind: 'push_without_identity', where: name, what: 'The subscription pushes without an identity.', why: `${WRITERS[writer]} is private: every push is refused with 403.`, cure: cures.subscription(name, `--push-endpoint=${addresses[writer]} --push-auth-service-account=${patient.prefix}-push-${writer}@${patient.project}.iam.gserviceaccount.com`) }];
    }
    return [];
  });
}

function checkUndeliverable(patient: Patient, subscriptions: Map<string, Subscription>): Finding[] {
  const cures = curesFor(patient);
  return topicsOf(patient).flatMap(({ topic }): Finding[] => {
    const name = `${topic}-undeliverable`;
    const found = [...subscriptions.values()].find((subscription) => lastPart(subscription.topic) === name && subscription.detached !== true);
    if (found === undefined) return [{ kind: 'undeliverable_without_subscription', where: name, what: 'Nothing subscribes to the topic of undeliverable messages.', why: 'Pub/Sub drops what is set aside there.', cure: cures.provision }];
    const at = lastPart(found.name);
    if (secondsOf(found.expirationPolicy?.ttl) > 0) return [{ kind: 'subscription_expires', where: at, what: `The subscription is deleted after ${Math.round(secondsOf(found.expirationPolicy?.ttl) / DAY_SECONDS)} quiet days.`, why: 'It should be quiet, and be there when it is needed.', cure: cures.subscription(at, '--expiration-period=never') }];
    if (secondsOf(found.messageRetentionDuration) < UNDELIVERABLE_DAYS * DAY_SECONDS) return [{ kind: 'undeliverable_kept_too_short', where: at, what: `Undeliverable messages are kept for ${Math.round(secondsOf(found.messageRetentionDuration) / DAY_SECONDS)} days.`, why: 'A person has that long to look; Pub/Sub keeps them for 31 if asked.', cure: cures.subscription(at, `--message-retention-duration=${UNDELIVERABLE_DAYS}d`) }];
    return [];
  });
}

async function checkBacklogs(patient: Patient, subscriptions: Map<string, Subscription>): Promise<Finding[]> {
  const cures = curesFor(patient);
  const backlogs = await patient.backlogs();
  const pushes = pushesOf(patient).flatMap(({ name, writer }): Finding[] => {
    const oldest = backlogs.get(name)?.oldestSeconds ?? 0;
    if (oldest <= WAITING_SECONDS_MAX) return [];
    return [{ kind: 'backlog_old', where: name, what: `${backlogs.get(name)!.messages} messages wait, the oldest for ${Math.round(oldest / 60)} minutes.`, why: `${WRITERS[writer]} refuses them, or is too slow; they are kept for the subscription's retention.`, cure: cures.logsOf(WRITERS[writer]) }];
  });
  const undeliverable = topicsOf(patient).flatMap(({ topic }) => [...subscriptions.values()].filter((subscription) => lastPart(subscription.topic) === `${topic}-undeliverable`)).flatMap((subscription): Finding[] => {
    const name = lastPart(subscription.name);
    const messages = backlogs.get(name)?.messages ?? 0;
    if (messages === 0) return [];
    return [{ kind: 'undeliverable_messages', where: name, what: `${messages} messages were refused a hundred times and wait here.`, why: `They are deleted ${UNDELIVERABLE_DAYS} days after they were set aside.`, cure: cures.readUndeliverable(name) }];
  });
  return [...pushes, ...undeliverable];
}

/** One look for several checks. */
export function once<T>(look: () => Promise<T>): () => Promise<T> {
  let looked: Promise<T> | undefined;
  return () => (looked ??= look());
}
