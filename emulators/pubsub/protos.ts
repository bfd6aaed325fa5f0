// Google's own .proto files, as the client packages carry them: service definitions for server.ts, message descriptions for strict-request.ts.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { StrictRequests, type MessageDescriptor } from './strict-request.ts';

const PACKAGE = 'google.pubsub.v1';
const FILES = ['google/pubsub/v1/pubsub.proto', 'google/pubsub/v1/schema.proto', 'google/iam/v1/iam_policy.proto'];

export type Protos = { publisher: ServiceDefinition; subscriber: ServiceDefinition; schemas: ServiceDefinition; iam: ServiceDefinition; strict: StrictRequests };

export function loadProtos(): Protos {
  const client = createRequire(import.meta.url).resolve('@google-cloud/pubsub/package.json');
  const gax = createRequire(client).resolve('google-gax'); // has the protos of google.api and google.iam, which pubsub.proto imports
  const includeDirs = [join(dirname(client), 'build/protos'), join(dirname(gax), '../protos')];
  const all = loadSync(FILES, { includeDirs, keepCase: true, longs: String, enums: String });
  const service = (name: string): ServiceDefinition => all[name] as ServiceDefinition;
  const messages = new Map(Object.entries(all).filter(([, one]) => 'type' in one).map(([name, one]) => [name, one['type'] as unknown as MessageDescriptor]));
  return {
    publisher: service(`${PACKAGE}.Publisher`), subscriber: service(`${PACKAGE}.Subscriber`), schemas: service(`${PACKAGE}.SchemaService`), iam: service('google.iam.v1.IAMPolicy'),
    strict: new StrictRequests(messages, PACKAGE),
  };
}
