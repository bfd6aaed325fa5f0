// Pub/Sub over gRPC, from Google's own .proto files. run.ts (or a test) starts it; Google's clients reach it by PUBSUB_EMULATOR_HOST.
import { join } from 'node:path';
import { Server, ServerCredentials, type handleUnaryCall, type MethodDefinition, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Faults } from '../faults.ts';
import type { RunningService, ServiceOptions } from '../service.ts';
import { underFaults, type Call } from './calls.ts';
import type { Subscription } from './catalogue.ts';
import { deadLetter } from './dead-letter.ts';
import { pubsubFaultPoints, REDELIVER, resourceOf, takeInner } from './fault-points.ts';
import { messageCalls } from './message-calls.ts';
import { loadProtos, type Protos } from './protos.ts';
import { publisherCalls } from './publisher-calls.ts';
import { Receivers } from './receivers.ts';
import { unsupported, type Refusal } from './refusal.ts';
import { dropEmptySegments, expire } from './retention.ts';
import { snapshotCalls } from './snapshot-calls.ts';
import { statusOf } from './status.ts';
import { Store } from './store.ts';
import type { StreamingPullCall, StreamingPullRequest } from './stream.ts';
import type { MessageDescriptor, StrictRequests } from './strict-request.ts';
import { subscriberCalls } from './subscriber-calls.ts';
import { decodePublishRequest } from './wire.ts';

/** Above Google's 10 MB, so that a request which is a little too large gets Google's sentence, not the transport's. */
const REQUEST_BYTES_MAX = 24 * 1024 * 1024;
const EXPIRE_EVERY_MS = 2_000;
const STEER_EVERY_MS = 100;

export async function start(options: ServiceOptions): Promise<RunningService> {
  const { faults } = options;
  const store = new Store({ dir: join(options.dataDir, 'journal'), now: options.now, deadLetter: (...letter) => deadLetter(faults, ...letter) });
  store.oldestIsEmpty = () => dropEmptySegments(store);
  dropEmptySegments(store);

  const server = new Server({ 'grpc.max_receive_message_length': REQUEST_BYTES_MAX, 'grpc.max_send_message_length': -1 });
  const protos = serviceDefinitions();
  const receivers = new Receivers(store, faults);
  const changed = (subscription: Subscription): void => receivers.renew(subscription);
  const publishing = publisherCalls(store, changed);
  const subscribing = { ...subscriberCalls(store, changed), ...messageCalls(store), ...snapshotCalls(store) };
  const { strict } = protos;
  server.addService(protos.publisher, implement(protos.publisher, publishing, faults, strict));
  server.addService(protos.subscriber, { ...implement(protos.subscriber, subscribing, faults, strict), StreamingPull: (call: StreamingPullCall) => receivers.open(call) });
  for (const absent of [protos.schemas, protos.iam]) server.addService(absent, implement(absent, {}, faults, strict));
  const port = await new Promise<number>((done, fail) => {
    server.bindAsync(`${options.host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) => (error ? fail(error) : done(bound)));
  });
  const expiring = setInterval(() => void expire(store, changed).catch((error: unknown) => console.error('expiry:', error)), EXPIRE_EVERY_MS);

  const steering = setInterval(() => {
    receivers.dropAsPlanned();
    redeliverAsPlanned(store, faults);
  }, STEER_EVERY_MS);

  return {
    port,
    gauges: () => store.gauges(),
    faultPoints: pubsubFaultPoints([...Object.keys(publishing), ...Object.keys(subscribing)]),
    async close() {
      clearInterval(expiring);
      clearInterval(steering);
      receivers.close();
      const drained = new Promise<void>((done) => server.tryShutdown(() => done()));
      await Promise.race([drained, new Promise((done) => setTimeout(done, 500).unref())]);
      server.forceShutdown();
      await store.close();
    },
  };
}

/** What is outstanding or backing off goes out again where a plan says so. */
function redeliverAsPlanned({ catalogue }: Store, faults: Faults): void {
  if (faults.list().length === 0) return;
  for (const { backlog, resource } of catalogue.subscriptions.values()) {
    if (backlog.size > 0 && takeInner(faults, REDELIVER, resource.name) !== undefined) backlog.redeliverNow();
  }
}

/** Google's definitions, except where bytes are read and written by wire.ts. */
function serviceDefinitions(): Protos {
  const protos = loadProtos();
  const asIs = (bytes: Buffer): Buffer => bytes;
  const changed = <T extends object>(method: unknown, change: Partial<MethodDefinition<unknown, unknown>>): T => ({ ...(method as T), ...change });
  const answersBytes = { responseSerialize: asIs as (value: unknown) => Buffer };
  return {
    ...protos,
    publisher: withBytes({ ...protos.publisher, Publish: changed(protos.publisher['Publish'], { requestDeserialize: decodePublishRequest }) }),
    subscriber: withBytes({
      ...protos.subscriber, Pull: changed(protos.subscriber['Pull'], answersBytes),
      StreamingPull: changed(protos.subscriber['StreamingPull'], { ...answersBytes, requestDeserialize: (bytes: Buffer) => readStreamed(protos, bytes) }),
    }),
    schemas: withBytes(protos.schemas), iam: withBytes(protos.iam),
  };
}

/** On a stream there is no call to refuse: the request carries what is wrong with it. */
function readStreamed({ subscriber, strict }: Protos, bytes: Buffer): StreamingPullRequest {
  const method = subscriber['StreamingPull']!;
  const request = method.requestDeserialize(bytes) as StreamingPullRequest;
  try {
    strict.refuseUnknown(bytes, requestTypeOf(method));
  } catch (error) {
    return { ...request, refusal: error as Refusal };
  }
  return request;
}

/** As proto-loader describes it. */
const requestTypeOf = (method: object): MessageDescriptor => (method as { requestType: { type: MessageDescriptor } }).requestType.type;

/** A request, and the bytes that it came as. */
type Read = { request: unknown; bytes: Buffer };

/** Unary calls are given both. */
function withBytes(definition: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(Object.entries(definition).map(([name, method]) => [name, method.requestStream ? method : {
    ...method, requestDeserialize: (bytes: Buffer): Read => ({ request: method.requestDeserialize(bytes), bytes }),
  }]));
}

/** Each unary call of the definition: ours, or a plain UNIMPLEMENTED. */
function implement(definition: ServiceDefinition, calls: Record<string, Call>, faults: Faults, strict: StrictRequests): UntypedServiceImplementation {
  const implementation: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(definition)) {
    if (method.requestStream || method.responseStream) continue;
    const run = calls[name];
    const type = requestTypeOf(method);
    const handle: handleUnaryCall<Read, unknown> = ({ request: { request, bytes } }, callback) => {
      const answered = underFaults(faults, name, resourceOf(request), async (fault) => {
        if (run === undefined) throw unsupported(name);
        strict.refuseUnknown(bytes, type);
        return run(request as never, { fault, bytes: bytes.length });
      });
      answered.then((answer) => callback(null, answer), (error: unknown) => callback(statusOf(error)));
    };
    implementation[name] = handle as handleUnaryCall<unknown, unknown>;
  }
  return implementation;
}
