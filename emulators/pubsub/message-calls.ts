// The calls of google.pubsub.v1.Subscriber that move messages: Pull, Acknowledge, ModifyAckDeadline, Seek. server.ts registers them.
import { isAckId, subscriptionOf } from './ack-id.ts';
import type { Call } from './calls.ts';
import type { Subscription } from './catalogue.ts';
import { tooLarge } from './publish-limits.ts';
import { invalid, Refusal } from './refusal.ts';
import { ACK_DEADLINE_SECONDS, checkName } from './resources.ts';
import { seekToSnapshot, seekToTime } from './seek.ts';
import type { Store } from './store.ts';
import { pullOnce } from './stream.ts';

const PULL_WAIT_MS = 5_000;
const IMMEDIATE_MS = 10;
/** https://docs.cloud.google.com/pubsub/quotas#resource_limits */
const ACK_REQUEST_BYTES_MAX = 512 * 1024;

export function messageCalls(store: Store): Record<string, Call> {
  const { catalogue } = store;
  const used = (name: string): Subscription => {
    const subscription = catalogue.subscription(checkName('subscriptions', name));
    subscription.activeMs = store.now();
    return subscription;
  };
  return {
    async Pull({ subscription: name, max_messages: messagesMax = 0, return_immediately: isImmediate }: { subscription: string; max_messages?: number; return_immediately?: boolean }) {
      const subscription = used(name);
      refuseUnpullable(subscription);
      if (messagesMax <= 0) throw invalid(`The value for max_messages is too small. You passed ${messagesMax} in the request, but the minimum value is 1.`);
      return pullOnce(store, subscription, messagesMax, isImmediate ? IMMEDIATE_MS : PULL_WAIT_MS);
    },
    async Acknowledge({ subscription: name, ack_ids: ackIds = [] }: { subscription: string; ack_ids?: string[] }, { fault, bytes }) {
      const subscription = used(name);
      checkAckIds(subscription, ackIds, bytes);
      if (fault === 'lose') return {};
      const wrong = ackIds.filter((ackId) => !subscription.backlog.ack(ackId));
      await store.acksWritten(subscription, subscription.resource.enable_exactly_once_delivery === true);
      refuseExpired(subscription, wrong);
      return {};
    },
    async ModifyAckDeadline({ subscription: name, ack_ids: ackIds = [], ack_deadline_seconds: seconds = 0 }: { subscription: string; ack_ids?: string[]; ack_deadline_seconds?: number }, { fault, bytes }) {
      const subscription = used(name);
      checkAckIds(subscription, ackIds, bytes);
      if (seconds < 0 || seconds > ACK_DEADLINE_SECONDS.max) throw invalid(`Invalid ack deadline given (ack_deadline_seconds=${seconds}): it must be between 0 and ${ACK_DEADLINE_SECONDS.max} seconds.`);
      if (fault === 'lose') return {};
      refuseExpired(subscription, ackIds.filter((ackId) => !subscription.backlog.extend(ackId, seconds * 1_000)));
      return {};
    },
    async Seek({ subscription: name, time, snapshot }: { subscription: string; time?: { seconds?: string; nanos?: number }; snapshot?: string }) {
      const subscription = used(name);
      refuseDetached(subscription);
      if (snapshot) await seekToSnapshot(store, subscription, catalogue.snapshot(checkName('snapshots', snapshot)));
      else if (time) await seekToTime(store, subscription, Number(time.seconds ?? 0) * 1_000 + (time.nanos ?? 0) / 1_000_000);
      else throw invalid('A seek needs a time or a snapshot.');
      return {};
    },
  } as Record<string, Call>;
}

/** Push subscriptions and detached ones can't be pulled. */
export function refuseUnpullable(subscription: Subscription): void {
  refuseDetached(subscription);
  const { resource } = subscription;
  if (resource.push_config?.push_endpoint) throw new Refusal('FAILED_PRECONDITION', 'This method is not supported for this subscription type.');
}

export function refuseDetached({ resource }: Subscription): void {
  if (resource.detached) throw new Refusal('FAILED_PRECONDITION', `Subscription is detached (resource=${resource.name.split('/').at(-1)}).`);
}

function checkAckIds(subscription: Subscription, ackIds: readonly string[], bytes: number): void {
  if (ackIds.length === 0) throw invalid('No ack ids specified.');
  if (bytes > ACK_REQUEST_BYTES_MAX) throw tooLarge('request_size', bytes, ACK_REQUEST_BYTES_MAX);
  refuseForeign(subscription, ackIds);
}

/** An ack id is made for one subscription. */
export function refuseForeign({ number, resource }: Subscription, ackIds: readonly string[]): void {
  const wrong = ackIds.find((ackId) => !isAckId(ackId));
  if (wrong !== undefined) throw invalid(`You have passed an invalid ack ID to the service (ack_id=${wrong}).`);
  if (ackIds.some((ackId) => subscriptionOf(ackId) !== number)) throw invalid(`You have passed a subscription that does not belong to the given ack ID (resource=${resource.name}).`);
}

/** Exactly-once delivery only: the others of the request are done all the same, and the client reads from the details which ones these are. */
function refuseExpired({ resource }: Subscription, ackIds: readonly string[]): void {
  if (resource.enable_exactly_once_delivery !== true || ackIds.length === 0) return;
  throw new Refusal('INVALID_ARGUMENT', 'Some acknowledgement ids in the request were invalid. This could be because the acknowledgement ids have expired or the acknowledgement ids were malformed.', {
    reason: 'EXACTLY_ONCE_ACKID_FAILURE', domain: 'pubsub.googleapis.com', metadata: Object.fromEntries(ackIds.map((ackId) => [ackId, 'PERMANENT_FAILURE_INVALID_ACK_ID'])),
  });
}
