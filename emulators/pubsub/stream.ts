// Messages to subscribers that fetch: one StreamingPull call, or one waiting Pull. backlog.ts hands them leases; calls.ts opens and ends them.
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Subscription } from './catalogue.ts';
import type { Consumer, Lease } from './delivery.ts';
import { refuseForeign } from './message-calls.ts';
import { invalid, type Refusal } from './refusal.ts';
import { ACK_DEADLINE_SECONDS } from './resources.ts';
import type { Store } from './store.ts';
import { encodeReceivedMessages, STREAM_HEARTBEAT, streamConfirmation, streamGreeting } from './wire.ts';

export type StreamingPullRequest = {
  subscription?: string;
  ack_ids?: string[];
  modify_deadline_seconds?: number[];
  modify_deadline_ack_ids?: string[];
  stream_ack_deadline_seconds?: number;
  max_outstanding_messages?: string;
  max_outstanding_bytes?: string;
  client_id?: string;
  protocol_version?: string;
  /** Found wrong while it was read. */
  refusal?: Refusal;
};
export type StreamingPullCall = ServerDuplexStream<StreamingPullRequest, Buffer>;

/** What one Pull may carry; how many messages it may have is asked. */
const PULL_BYTES_MAX = 64 * 1024 * 1024;

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
    this.leaseMs = streamDeadlineMs(first.stream_ack_deadline_seconds ?? 0);
    this.limits = { messages: boundOf(first.max_outstanding_messages), bytes: boundOf(first.max_outstanding_bytes) };
    call.write(streamGreeting(subscription.resource.enable_exactly_once_delivery === true, subscription.resource.enable_message_ordering === true));
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

  /**
   * Acknowledgements and deadlines may also come over the stream; the client's heartbeat is an empty request, answered by an empty response.
   * Throws what the stream must end with.
   */
  take(request: StreamingPullRequest, isFirst: boolean): void {
    if (!isFirst) refuseFirstOnly(request);
    const { ack_ids: ackIds = [], modify_deadline_ack_ids: deadlineIds = [], modify_deadline_seconds: seconds = [] } = request;
    if (deadlineIds.length !== seconds.length) throw invalid('modify_deadline_ack_ids and modify_deadline_seconds must have the same length.');
    if (seconds.some((each) => each < 0 || each > ACK_DEADLINE_SECONDS.max)) throw invalid(`Every modify_deadline_seconds must be between 0 and ${ACK_DEADLINE_SECONDS.max}.`);
    refuseForeign(this.subscription, [...ackIds, ...deadlineIds]);
    if (request.stream_ack_deadline_seconds && !isFirst) this.leaseMs = streamDeadlineMs(request.stream_ack_deadline_seconds);
    if (!isFirst) this.call.write(STREAM_HEARTBEAT);
    const { backlog } = this.subscription;
    const acked = sorted(ackIds, (ackId) => backlog.ack(ackId));
    const extended = sorted(deadlineIds, (ackId, index) => backlog.extend(ackId, seconds[index]! * 1_000));
    if (this.subscription.resource.enable_exactly_once_delivery === true) this.confirm(acked, extended);
  }

  /** Exactly-once delivery: an acknowledgement counts when the client has heard so, and by then it is on disk. */
  private confirm(acked: Sorted, extended: Sorted): void {
    if (extended.all > 0) this.call.write(streamConfirmation('deadline', extended.valid, extended.wrong));
    if (acked.all > 0) void this.store.acksWritten(this.subscription, true).then(() => this.call.write(streamConfirmation('ack', acked.valid, acked.wrong)), (error: Refusal) => this.refuse(error));
  }

  get name(): string {
    return this.subscription.resource.name;
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

type Sorted = { valid: string[]; wrong: string[]; all: number };

function sorted(ackIds: readonly string[], isValid: (ackId: string, index: number) => boolean): Sorted {
  const result: Sorted = { valid: [], wrong: [], all: ackIds.length };
  ackIds.forEach((ackId, index) => (isValid(ackId, index) ? result.valid : result.wrong).push(ackId));
  return result;
}

function streamDeadlineMs(seconds: number): number {
  const { min, max } = ACK_DEADLINE_SECONDS;
  if (seconds < min || seconds > max) throw invalid(`Invalid stream_ack_deadline_seconds: ${seconds}; it must be between ${min} and ${max} seconds.`);
  return seconds * 1_000;
}

/** What may stand in the first request of a stream only. */
function refuseFirstOnly(request: StreamingPullRequest): void {
  const wrong = (['subscription', 'max_outstanding_messages', 'max_outstanding_bytes', 'protocol_version'] as const).find((name) => request[name] !== undefined && request[name] !== '');
  if (wrong !== undefined) throw invalid(`${wrong} may be set in the first request of a stream only.`);
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
      room: () => (isOver ? { messages: 0, bytes: 0 } : { messages: messagesMax, bytes: PULL_BYTES_MAX }),
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

/** Zero and below: no bound. The connection's own flow control remains: a client that does not read gets no more. */
function boundOf(text: string | undefined): number {
  const number = Number(text ?? 0);
  return number > 0 ? number : Infinity;
}
