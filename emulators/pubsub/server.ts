// Pub/Sub over gRPC, from Google's own .proto files. run.ts (or a test) starts it; Google's clients reach it by PUBSUB_EMULATOR_HOST.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Server, ServerCredentials, type handleUnaryCall, type MethodDefinition, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Faults } from '../faults.ts';
import type { RunningService, ServiceOptions } from '../service.ts';
import { publisherCalls, subscriberCalls, underFaults, type Call } from './calls.ts';
import type { Subscription } from './catalogue.ts';
import { deadLetter } from './dead-letter.ts';
import { pubsubFaultPoints, resourceOf } from './fault-points.ts';
import { Receivers, statusOf } from './receivers.ts';
import { Refusal } from './refusal.ts';
import { dropEmptySegments, expire } from './retention.ts';
import { Store } from './store.ts';
import type { StreamingPullCall } from './stream.ts';
import { decodePublishRequest } from './wire.ts';

/** Above Google's 10 MB, so that a request which is a little too large gets Google's sentence, not the transport's. */
const REQUEST_BYTES_MAX = 24 * 1024 * 1024;
const EXPIRE_EVERY_MS = 5_000;

export async function start(options: ServiceOptions): Promise<RunningService> {
  const { faults } = options;
  const store = new Store({ dir: join(options.dataDir, 'journal'), now: options.now, deadLetter });
  store.oldestIsEmpty = () => dropEmptySegments(store);
  dropEmptySegments(store);

  const server = new Server({ 'grpc.max_receive_message_length': REQUEST_BYTES_MAX, 'grpc.max_send_message_length': -1 });
  const { publisher, subscriber } = serviceDefinitions();
  server.addService(publisher, implement(publisher, publisherCalls(store), faults));
  const receivers = new Receivers(store, faults);
  const changed = (subscription: Subscription): void => receivers.renew(subscription);
  server.addService(subscriber, { ...implement(subscriber, subscriberCalls(store, changed), faults), StreamingPull: (call: StreamingPullCall) => receivers.open(call) });
  const port = await new Promise<number>((done, fail) => {
    server.bindAsync(`${options.host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) => (error ? fail(error) : done(bound)));
  });
  const expiring = setInterval(() => void expire(store, changed).catch((error: unknown) => console.error('expiry:', error)), EXPIRE_EVERY_MS);

  return {
    port,
    gauges: () => store.gauges(),
    faultPoints: pubsubFaultPoints([...Object.keys(publisherCalls(store)), ...Object.keys(subscriberCalls(store, changed))]),
    async close() {
      clearInterval(expiring);
      receivers.close();
      const drained = new Promise<void>((done) => server.tryShutdown(() => done()));
      await Promise.race([drained, new Promise((done) => setTimeout(done, 500).unref())]);
      server.forceShutdown();
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
      const answered = underFaults(faults, name, resourceOf(call.request), async (fault) => {
        if (run === undefined) throw new Refusal('UNIMPLEMENTED', `The local Pub/Sub does not support ${name}.`);
        return run(call.request, fault);
      });
      answered.then((answer) => callback(null, answer), (error: unknown) => callback(statusOf(error)));
    };
    implementation[name] = handle as handleUnaryCall<unknown, unknown>;
  }
  return implementation;
}
