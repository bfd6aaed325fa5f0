// Pub/Sub over gRPC, from Google's own .proto files. run.ts (or a test) starts it; Google's clients reach it by PUBSUB_EMULATOR_HOST.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Server, ServerCredentials, status, type handleUnaryCall, type MethodDefinition, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Faults } from '../faults.ts';
import type { RunningService, ServiceOptions } from '../service.ts';
import { publisherCalls, refusePush, subscriberCalls, underFaults, type Call } from './calls.ts';
import type { Subscription } from './catalogue.ts';
import { deadLetter } from './dead-letter.ts';
import { Pusher } from './push.ts';
import { invalid, Refusal } from './refusal.ts';
import { checkName } from './resources.ts';
import { dropEmptySegments, expire } from './retention.ts';
import { Store } from './store.ts';
import { PullStream, type StreamingPullCall } from './stream.ts';
import { decodePublishRequest } from './wire.ts';

/** Above Google's 10 MB, so that a request which is a little too large gets Google's sentence, not the transport's. */
const REQUEST_BYTES_MAX = 24 * 1024 * 1024;
const EXPIRE_EVERY_MS = 5_000;

export async function start(options: ServiceOptions): Promise<RunningService> {
  const { faults } = options;
  const store = new Store({ dir: join(options.dataDir, 'journal'), now: options.now, deadLetter });
  store.oldestIsEmpty = () => dropEmptySegments(store);
  dropEmptySegments(store);
  const pushers = pushersOf(store, faults);
  const streams = new Set<StreamingPullCall>();

  const server = new Server({ 'grpc.max_receive_message_length': REQUEST_BYTES_MAX, 'grpc.max_send_message_length': -1 });
  const { publisher, subscriber } = serviceDefinitions();
  server.addService(publisher, implement(publisher, publisherCalls(store), faults));
  server.addService(subscriber, { ...implement(subscriber, subscriberCalls(store, pushers.renew), faults), StreamingPull: streamingPull(store, faults, streams) });
  const port = await new Promise<number>((done, fail) => {
    server.bindAsync(`${options.host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) => (error ? fail(error) : done(bound)));
  });
  for (const subscription of store.catalogue.subscriptions.values()) pushers.renew(subscription);
  const expiring = setInterval(() => void expire(store).catch((error: unknown) => console.error('expiry:', error)), EXPIRE_EVERY_MS);

  return {
    port,
    gauges: () => store.gauges(),
    async close() {
      clearInterval(expiring);
      for (const call of streams) call.emit('error', { code: status.UNAVAILABLE, details: 'The service is ending.' });
      const drained = new Promise<void>((done) => server.tryShutdown(() => done()));
      await Promise.race([drained, new Promise((done) => setTimeout(done, 500).unref())]);
      server.forceShutdown();
      pushers.close();
      await store.close();
    },
  };
}

/** Google's definitions, except where bytes are read and written by wire.ts. */
function serviceDefinitions(): { publisher: ServiceDefinition; subscriber: ServiceDefinition } {
  const client = createRequire(import.meta.url).resolve('@google-cloud/pubsub/package.json');
  const gax = createRequire(client).resolve('google-gax'); // has the protos of google.api, which pubsub.proto imports
  const includeDirs = [join(dirname(client), 'build/protos'), join(dirname(gax), '../protos')];
  const all = loadSync('google/pubsub/v1/pubsub.proto', { includeDirs, keepCase: true, longs: String, enums: String });
  const publisher = all['google.pubsub.v1.Publisher'] as ServiceDefinition;
  const subscriber = all['google.pubsub.v1.Subscriber'] as ServiceDefinition;
  const asIs = (bytes: Buffer): Buffer => bytes;
  const changed = <T extends object>(method: unknown, change: Partial<MethodDefinition<unknown, unknown>>): T => ({ ...(method as T), ...change });
  return {
    publisher: { ...publisher, Publish: changed(publisher['Publish'], { requestDeserialize: decodePublishRequest }) },
    subscriber: {
      ...subscriber,
      Pull: changed(subscriber['Pull'], { responseSerialize: asIs as (value: unknown) => Buffer }),
      StreamingPull: changed(subscriber['StreamingPull'], { responseSerialize: asIs as (value: unknown) => Buffer }),
    },
  };
}

/** Each unary call of the definition: ours, or a plain UNIMPLEMENTED. */
function implement(definition: ServiceDefinition, calls: Record<string, Call>, faults: Faults): UntypedServiceImplementation {
  const implementation: UntypedServiceImplementation = {};
  for (const [name, { requestStream, responseStream }] of Object.entries(definition)) {
    if (requestStream || responseStream) continue;
    const run = calls[name];
    const handle: handleUnaryCall<never, unknown> = (call, callback) => {
      const answered = underFaults(faults, name, async (fault) => {
        if (run === undefined) throw new Refusal('UNIMPLEMENTED', `The local Pub/Sub does not support ${name}.`);
        return run(call.request, fault);
      });
      answered.then((answer) => callback(null, answer), (error: unknown) => callback(statusOf(error)));
    };
    implementation[name] = handle as handleUnaryCall<unknown, unknown>;
  }
  return implementation;
}

function streamingPull(store: Store, faults: Faults, streams: Set<StreamingPullCall>): (call: StreamingPullCall) => void {
  return (call) => {
    let stream: PullStream | undefined;
    let opening: Promise<void> | undefined;
    const close = (): void => {
      stream?.close();
      streams.delete(call);
    };
    const open = async (request: { subscription?: string }): Promise<void> => {
      await underFaults(faults, 'StreamingPull', async () => {
        if (!request.subscription) throw invalid('The first request of a stream must name the subscription.');
        const subscription = store.catalogue.subscription(checkName('subscriptions', request.subscription));
        refusePush(subscription);
        if (call.cancelled) return;
        stream = new PullStream(store, subscription, call, request);
        streams.add(call);
      });
    };
    call.on('data', (request: { subscription?: string }) => {
      opening ??= open(request).catch((error: unknown) => { call.emit('error', statusOf(error)); });
      void opening.then(() => stream?.take(request));
    });
    call.on('end', () => { close(); call.end(); });
    call.on('cancelled', close);
    call.on('error', close);
  };
}

function statusOf(error: unknown): { code: number; details: string } {
  if (error instanceof Refusal) return { code: error.code, details: error.message };
  console.error('pubsub:', error);
  return { code: status.INTERNAL, details: String(error) };
}

/** One pusher for each subscription that has an endpoint. */
function pushersOf(store: Store, faults: Faults): { renew: (subscription: Subscription) => void; close: () => void } {
  const pushers = new Map<Subscription, { endpoint: string; pusher: Pusher }>();
  return {
    renew(subscription) {
      const isThere = store.catalogue.subscriptions.get(subscription.resource.name) === subscription;
      const endpoint = isThere ? subscription.resource.push_config?.push_endpoint ?? '' : '';
      const current = pushers.get(subscription);
      if (current?.endpoint === endpoint) return;
      current?.pusher.close();
      pushers.delete(subscription);
      if (endpoint !== '') pushers.set(subscription, { endpoint, pusher: new Pusher(store, subscription, faults) });
    },
    close() {
      for (const { pusher } of pushers.values()) pusher.close();
      pushers.clear();
    },
  };
}
