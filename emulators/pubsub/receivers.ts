// Who gets a subscription's messages: its push endpoint, or the streams that are open on it. server.ts tells when a subscription was made,
// changed or deleted, and opens streams here.
import type { Faults } from '../faults.ts';
import { underFaults } from './calls.ts';
import type { Subscription } from './catalogue.ts';
import { OPEN_STREAM, takeInner } from './fault-points.ts';
import { Pusher } from './push.ts';
import { refuseUnpullable } from './message-calls.ts';
import { invalid, notFound, Refusal, refusalByName } from './refusal.ts';
import { checkName } from './resources.ts';
import { statusOf } from './status.ts';
import type { Store } from './store.ts';
import { PullStream, type StreamingPullCall, type StreamingPullRequest } from './stream.ts';

export class Receivers {
  private readonly pushers = new Map<Subscription, { endpoint: string; pusher: Pusher }>();
  private readonly streams = new Set<PullStream>();
  private readonly store: Store;
  private readonly faults: Faults;

  constructor(store: Store, faults: Faults) {
    this.store = store;
    this.faults = faults;
    for (const subscription of store.catalogue.subscriptions.values()) this.renew(subscription);
  }

  /** The subscription was made, changed or deleted. */
  renew(subscription: Subscription): void {
    const { name, push_config: push } = subscription.resource;
    const isThere = this.store.catalogue.subscriptions.get(name) === subscription;
    const isDetached = subscription.resource.detached === true;
    const endpoint = isThere && !isDetached ? push?.push_endpoint ?? '' : '';
    if (!isThere) this.endStreams(subscription, notFound(name));
    else if (isDetached) this.endStreams(subscription, new Refusal('FAILED_PRECONDITION', 'The subscription was detached.'));
    else if (endpoint !== '') this.endStreams(subscription, new Refusal('FAILED_PRECONDITION', 'The subscription became a push subscription.'));
    const current = this.pushers.get(subscription);
    if ((current?.endpoint ?? '') === endpoint) return;
    current?.pusher.close();
    this.pushers.delete(subscription);
    if (endpoint !== '') this.pushers.set(subscription, { endpoint, pusher: new Pusher(this.store, subscription, this.faults) });
  }

  /** Handles one StreamingPull call from its first request to its end. */
  open(call: StreamingPullCall): void {
    let stream: PullStream | undefined;
    let opening: Promise<void> | undefined;
    let isFirst = true;
    const close = (): void => {
      stream?.close();
      if (stream !== undefined) this.streams.delete(stream);
    };
    call.on('data', (request: StreamingPullRequest) => {
      opening ??= underFaults(this.faults, 'StreamingPull', request.subscription ?? '', async () => {
        if (call.cancelled) return;
        stream = new PullStream(this.store, this.streamed(request), call, request);
        this.streams.add(stream);
      }).then(() => {}, (error: unknown) => { call.emit('error', statusOf(error)); });
      void opening.then(() => {
        try {
          if (request.refusal !== undefined) throw request.refusal;
          stream?.take(request, isFirst);
        } catch (error) {
          close();
          call.emit('error', statusOf(error));
        }
        isFirst = false;
      });
    });
    call.on('end', () => {
      close();
      call.end();
    });
    call.on('cancelled', close);
    call.on('error', close);
  }

  /** Open streams end with the status of the plan that meets them. */
  dropAsPlanned(): void {
    if (this.faults.list().length === 0) return;
    for (const stream of [...this.streams]) {
      const plan = takeInner(this.faults, OPEN_STREAM, stream.name);
      if (plan === undefined) continue;
      this.streams.delete(stream);
      stream.refuse(refusalByName(plan.status ?? 'UNAVAILABLE'));
    }
  }

  close(): void {
    for (const stream of this.streams) stream.refuse(new Refusal('UNAVAILABLE', 'The service is ending.'));
    for (const { pusher } of this.pushers.values()) pusher.close();
    this.streams.clear();
    this.pushers.clear();
  }

  private streamed({ subscription: name }: StreamingPullRequest): Subscription {
    if (!name) throw invalid('The first request of a stream must name the subscription.');
    const subscription = this.store.catalogue.subscription(checkName('subscriptions', name));
    refuseUnpullable(subscription);
    return subscription;
  }

  private endStreams(subscription: Subscription, refusal: Refusal): void {
    for (const stream of this.streams) {
      if (!stream.isOf(subscription)) continue;
      this.streams.delete(stream);
      stream.refuse(refusal);
    }
  }
}
