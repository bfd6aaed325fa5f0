// Delivers one subscription's messages to its endpoint by HTTP, as Pub/Sub's push does: a window of requests under way that grows while they
// are acknowledged, and a pause for the whole subscription that doubles while they are not. backlog.ts hands it leases.
import { Agent as HttpAgent, request as httpRequest, type ClientRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { pauseFor, type FaultPlan, type Faults } from '../faults.ts';
import type { Consumer, Lease } from './delivery.ts';
import type { Subscription } from './catalogue.ts';
import { pushRequest, pushToken } from './push-body.ts';
import type { Store } from './store.ts';

/** Google's window grows to 3,000 a region; one machine is given less. */
const WINDOW = { first: 16, min: 1, max: 256, bytes: 48 * 1024 * 1024 };
/** pubsub/docs/push#push_backoff */
const PAUSE_MS = { min: 100, max: 60_000 };
const REORDER_MS = 1_000;
/** What counts as an acknowledgement; anything else is a refusal. */
const ACK_STATUSES = new Set([102, 200, 201, 202, 204]);

export class Pusher implements Consumer {
  /** The request's own timeout ends a lease. */
  readonly leaseMs = Infinity;
  /** An endpoint has no way to keep two messages of one ordering key apart. */
  readonly isSerial = true;
  private window = WINDOW.first;
  private outstanding = 0;
  private outstandingBytes = 0;
  private pauseMs = 0;
  private pausedUntilMs = 0;
  private pauseTimer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private readonly underWay = new Set<ClientRequest>();
  private readonly agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
  private readonly store: Store;
  private readonly subscription: Subscription;
  private readonly faults: Faults;
  /** As it was when this pusher was made: a changed endpoint gets a new pusher. */
  private readonly endpoint: string;

  constructor(store: Store, subscription: Subscription, faults: Faults) {
    this.store = store;
    this.subscription = subscription;
    this.faults = faults;
    this.endpoint = subscription.resource.push_config!.push_endpoint!;
    subscription.backlog.join(this);
  }

  room(): { messages: number; bytes: number } {
    if (this.isClosed || performance.now() < this.pausedUntilMs) return { messages: 0, bytes: 0 };
    return { messages: this.window - this.outstanding, bytes: WINDOW.bytes - this.outstandingBytes };
  }

  deliver(leases: Lease[]): void {
    for (const lease of leases) {
      this.outstanding += 1;
      this.outstandingBytes += lease.delivery.entry.rawBytes;
      void this.send(lease);
    }
  }

  ended(lease: Lease): void {
    this.outstanding -= 1;
    this.outstandingBytes -= lease.delivery.entry.rawBytes;
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.pauseTimer);
    this.subscription.backlog.leave(this);
    for (const request of this.underWay) request.destroy();
    this.agents.http.destroy();
    this.agents.https.destroy();
  }

  private async send(lease: Lease): Promise<void> {
    const plan = this.faults.take('Push', this.subscription.resource.name);
    if (plan?.kind === 'reorder') return this.subscription.backlog.postpone(lease, plan.delay_ms ?? REORDER_MS);
    if (plan?.kind === 'lose') return void this.subscription.backlog.ack(lease.ackId);
    const isAcked = await this.deliverOnce(lease, plan);
    if (this.isClosed && !isAcked) return this.subscription.backlog.postpone(lease, 0);
    if (isAcked) this.succeeded(lease);
    else this.failed(lease);
  }

  private async deliverOnce(lease: Lease, plan: FaultPlan | undefined): Promise<boolean> {
    if (plan?.takes_effect) await this.post(lease);
    if (plan?.kind === 'hang') {
      await new Promise((done) => setTimeout(done, this.timeoutMs()).unref());
      return false;
    }
    if (plan !== undefined) await pauseFor(plan);
    if (plan?.kind === 'fail') return false;
    if (plan?.kind !== 'duplicate') return this.post(lease);
    const [first, second] = await Promise.all([this.post(lease), this.post(lease)]);
    return first || second;
  }

  private succeeded(lease: Lease): void {
    this.faults.count('push.acknowledged');
    this.window = Math.min(WINDOW.max, this.window + 1);
    this.pauseMs = this.pauseMs <= PAUSE_MS.min ? 0 : this.pauseMs / 2;
    this.subscription.activeMs = this.store.now();
    this.subscription.backlog.ack(lease.ackId);
  }

  private failed(lease: Lease): void {
    this.faults.count('push.refused');
    // The whole window fails together when an endpoint is down: that is one step, not a hundred.
    if (performance.now() >= this.pausedUntilMs) {
      this.window = Math.max(WINDOW.min, Math.floor(this.window / 2));
      this.pauseMs = Math.min(PAUSE_MS.max, Math.max(PAUSE_MS.min, this.pauseMs * 2));
      this.pausedUntilMs = performance.now() + this.pauseMs;
      this.pauseTimer = setTimeout(() => this.subscription.backlog.wake(), this.pauseMs + 1);
    }
    this.subscription.backlog.refuse(lease);
  }

  private timeoutMs(): number {
    return this.subscription.resource.ack_deadline_seconds! * 1_000;
  }

  /** True: acknowledged. Any other answer, no answer in time or no connection: false. */
  private post(lease: Lease): Promise<boolean> {
    const { delivery, attempt } = lease;
    // A seek, retention or deletion let go of it while it waited here: its bytes may be gone from the journal.
    if (this.isClosed || delivery.isDone) return Promise.resolve(false);
    const { resource } = this.subscription;
    const { headers, body, bytes } = pushRequest({
      raw: this.store.rawOf(delivery.entry), messageId: String(delivery.entry.id), publishMs: delivery.entry.publishMs,
      subscription: resource.name, deliveryAttempt: resource.dead_letter_policy ? attempt : 0,
    }, resource.push_config?.no_wrapper);
    const token = pushToken(this.subscription, this.store.now());
    const url = new URL(this.endpoint);
    const isTls = url.protocol === 'https:';
    return new Promise((done) => {
      const request = (isTls ? httpsRequest : httpRequest)(url, {
        method: 'POST', agent: isTls ? this.agents.https : this.agents.http,
        headers: {
          ...headers, accept: 'application/json', 'user-agent': 'CloudPubSub-Google', from: 'noreply@google.com', 'content-length': bytes,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      });
      const finish = (isAcked: boolean): void => {
        clearTimeout(timeout);
        this.underWay.delete(request);
        done(isAcked);
      };
      let isAnswered = false;
      let isTimedOut = false;
      const timeout = setTimeout(() => {
        isTimedOut = true;
        request.destroy();
      }, this.timeoutMs());
      this.underWay.add(request);
      // 102 Processing acknowledges; the request itself stays open until its answer, or until the deadline cuts it off.
      request.on('information', ({ statusCode }) => { if (ACK_STATUSES.has(statusCode)) done(true); });
      request.on('response', (response) => {
        isAnswered = true;
        response.resume();
        response.on('close', () => finish(ACK_STATUSES.has(response.statusCode ?? 0) && response.complete));
      });
      request.on('error', () => {
        // The endpoint closed an idle connection just as it was used again: no answer to this message, so it is sent once more.
        if (request.reusedSocket && !isAnswered && !isTimedOut && !this.isClosed) this.post(lease).then(finish, () => finish(false));
        else finish(false);
      });
      for (const part of body.slice(0, -1)) request.write(part);
      request.end(body.at(-1));
    });
  }
}
