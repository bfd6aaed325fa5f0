// Messages to subscribers that fetch: one StreamingPull call, or one waiting Pull. backlog.ts hands them leases; calls.ts opens and ends them.
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { isAckId, type Consumer, type Lease } from './backlog.ts';
import type { Subscription } from './catalogue.ts';
import type { Refusal } from './refusal.ts';
import type { Store } from './store.ts';
import { encodeReceivedMessages, STREAM_GREETING, STREAM_HEARTBEAT } from './wire.ts';

export type StreamingPullRequest = {
  subscription?: string;
  ack_ids?: string[];
  modify_deadline_seconds?: number[];
  modify_deadline_ack_ids?: string[];
  stream_ack_deadline_seconds?: number;
  max_outstanding_messages?: string;
  max_outstanding_bytes?: string;
};
export type StreamingPullCall = ServerDuplexStream<StreamingPullRequest, Buffer>;

/** Where the client sets no bound of its own. */
const UNBOUNDED = { messages: 1_000, bytes: 64 * 1024 * 1024 };

export class PullStream implements Consumer {
  leaseMs: number;
  private outstanding = 0;
  private outstandingBytes = 0;
  private isBlocked = false;
  private readonly limits: { messages: number; bytes: number };
  private readonly store: Store;
  private readonly subscription: Subscription;
  private readonly call: StreamingPullCall;

  constructor(store: Store, subscription: Subscription, call: StreamingPullCall, first: StreamingPullRequest) {
    this.store = store;
    this.subscription = subscription;
    this.call = call;
    this.leaseMs = (first.stream_ack_deadline_seconds || subscription.resource.ack_deadline_seconds!) * 1_000;
    this.limits = { messages: boundOf(first.max_outstanding_messages, UNBOUNDED.messages), bytes: boundOf(first.max_outstanding_bytes, UNBOUNDED.bytes) };
    call.write(STREAM_GREETING);
    call.on('drain', () => {
      this.isBlocked = false;
      subscription.backlog.wake();
    });
    subscription.backlog.join(this);
  }

  room(): { messages: number; bytes: number } {
    if (this.isBlocked) return { messages: 0, bytes: 0 };
    return { messages: this.limits.messages - this.outstanding, bytes: this.limits.bytes - this.outstandingBytes };
  }

  deliver(leases: Lease[]): void {
    for (const { delivery } of leases) {
      this.outstanding += 1;
      this.outstandingBytes += delivery.entry.rawBytes;
    }
    if (!this.call.write(receivedMessages(this.store, this.subscription, leases))) this.isBlocked = true;
  }

  ended({ delivery }: Lease): void {
    this.outstanding -= 1;
    this.outstandingBytes -= delivery.entry.rawBytes;
  }

  /** Acknowledgements and deadlines may also come over the stream; the client's heartbeat is an empty request, answered by an empty response. */
  take(request: StreamingPullRequest): void {
    if (!request.subscription) this.call.write(STREAM_HEARTBEAT);
    if (request.stream_ack_deadline_seconds) this.leaseMs = request.stream_ack_deadline_seconds * 1_000;
    for (const ackId of request.ack_ids ?? []) if (isAckId(ackId)) this.subscription.backlog.ack(ackId);
    request.modify_deadline_ack_ids?.forEach((ackId, index) => {
      if (isAckId(ackId)) this.subscription.backlog.extend(ackId, (request.modify_deadline_seconds?.[index] ?? 0) * 1_000);
    });
  }

  isOf(subscription: Subscription): boolean {
    return this.subscription === subscription;
  }

  /** Ends the call with this refusal: the subscription is gone, or became a push subscription, or the service ends. */
  refuse(refusal: Refusal): void {
    this.close();
    this.call.emit('error', { code: refusal.code, details: refusal.message });
  }

  close(): void {
    this.subscription.backlog.leave(this);
  }
}

/** Waits up to `waitMs` for at least one message. */
export function pullOnce(store: Store, subscription: Subscription, messagesMax: number, waitMs: number): Promise<Buffer> {
  const { backlog } = subscription;
  return new Promise((done) => {
    let isOver = false;
    const finish = (leases: Lease[]): void => {
      isOver = true;
      clearTimeout(timer);
      backlog.leave(consumer);
      done(receivedMessages(store, subscription, leases));
    };
    const consumer: Consumer = {
      leaseMs: subscription.resource.ack_deadline_seconds! * 1_000,
      room: () => (isOver ? { messages: 0, bytes: 0 } : { messages: messagesMax, bytes: UNBOUNDED.bytes }),
      deliver: finish,
      ended: () => {},
    };
    const timer = setTimeout(() => finish([]), waitMs);
    backlog.join(consumer);
  });
}

function receivedMessages(store: Store, { resource }: Subscription, leases: readonly Lease[]): Buffer {
  return encodeReceivedMessages(leases.map(({ ackId, attempt, delivery: { entry } }) => ({
    ackId, raw: store.rawOf(entry), messageId: String(entry.id), publishMs: entry.publishMs, deliveryAttempt: resource.dead_letter_policy ? attempt : 0,
  })));
}

/** Zero and below: no bound of the client's. */
function boundOf(text: string | undefined, unbounded: number): number {
  const number = Number(text ?? 0);
  return number > 0 ? Math.min(number, unbounded) : unbounded;
}
