// Contract cases of what the local Pub/Sub has not: it is refused by name, never taken and forgotten.
import { v1 } from '@google-cloud/pubsub';
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { DOCS, expectRefusal, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;
/** Google has all of this; a project that asks it may need more than a name. */
const GOOGLE_HAS_IT = { reason: 'Google has it: the case shows what ours refuses', isSkipped: true } as const;
const STORED = { reason: 'pstest stores it and does nothing' } as const;

const ON_TOPICS: { name: string; says: RegExp; fields: object; mask?: string; independent?: { reason: string } }[] = [
  { name: 'schema', says: /schemas/, fields: { schemaSettings: { schema: 'projects/p/schemas/s', encoding: 'JSON' } }, mask: 'schema_settings', independent: STORED },
  { name: 'encryption-key', says: /customer-managed keys/, fields: { kmsKeyName: 'projects/p/locations/l/keyRings/r/cryptoKeys/k' }, mask: 'kms_key_name', independent: STORED },
  { name: 'ingestion', says: /ingestion/, fields: { ingestionDataSourceSettings: { cloudStorage: { bucket: 'b' } } }, mask: 'ingestion_data_source_settings', independent: STORED },
  { name: 'storage-policy', says: /storage policies/, fields: { messageStoragePolicy: { allowedPersistenceRegions: ['europe-west1'] } }, mask: 'message_storage_policy', independent: STORED },
  { name: 'transforms', says: /transforms/, fields: { messageTransforms: [{ javascriptUdf: { functionName: 'f', code: 'function f(m) { return m; }' } }] }, mask: 'message_transforms', independent: STORED },
  { name: 'tags', says: /tags/, fields: { tags: { '123/environment': 'production' } }, independent: STORED },
];
const ON_SUBSCRIPTIONS: typeof ON_TOPICS = [
  { name: 'bigquery', says: /BigQuery subscriptions/, fields: { bigqueryConfig: { table: 'p.d.t' } }, mask: 'bigquery_config', independent: STORED },
  { name: 'cloud-storage', says: /Cloud Storage subscriptions/, fields: { cloudStorageConfig: { bucket: 'b' } }, mask: 'cloud_storage_config', independent: STORED },
  { name: 'bigtable', says: /Bigtable subscriptions/, fields: { bigtableConfig: { table: 't' } }, mask: 'bigtable_config', independent: STORED },
  { name: 'transforms', says: /transforms/, fields: { messageTransforms: [{ javascriptUdf: { functionName: 'f', code: 'function f(m) { return m; }' } }] }, mask: 'message_transforms', independent: STORED },
  { name: 'tags', says: /tags/, fields: { tags: { '123/environment': 'production' } }, independent: STORED },
];

const cases = (kind: 'topic' | 'subscription', list: typeof ON_TOPICS): Case[] => list.map(({ name, says, fields, mask, independent }): Case => ({
  name: `absent-${kind}-${name}`,
  promise: `a ${kind} with ${name.replaceAll('-', ' ')} is refused as UNIMPLEMENTED, by name, when it is made${mask === undefined ? '' : ' and when it is changed'}`,
  methods: kind === 'topic' ? ['Publisher.CreateTopic', ...(mask === undefined ? [] : ['Publisher.UpdateTopic'])] : ['Subscriber.CreateSubscription', ...(mask === undefined ? [] : ['Subscriber.UpdateSubscription'])],
  source: `${DOCS.rpc}#${kind}`,
  differs: { cloud: GOOGLE_HAS_IT, ...(independent === undefined ? {} : { independent }) },
  async run({ path, pair, publisher, subscriber }) {
    const { topic, path: subscription } = await pair();
    if (kind === 'topic') {
      const made = path('topics');
      await expectRefusal(publisher.createTopic({ name: made, ...fields }), 'UNIMPLEMENTED', says);
      await expectRefusal(publisher.getTopic({ topic: made }), 'NOT_FOUND');
      if (mask !== undefined) await expectRefusal(publisher.updateTopic({ topic: { name: topic.name, ...fields }, updateMask: { paths: [mask] } }), 'UNIMPLEMENTED', says);
    } else {
      await expectRefusal(subscriber.createSubscription({ name: path('subscriptions'), topic: topic.name, ...fields }), 'UNIMPLEMENTED', says);
      if (mask !== undefined) await expectRefusal(subscriber.updateSubscription({ subscription: { name: subscription, ...fields }, updateMask: { paths: [mask] } }), 'UNIMPLEMENTED', says);
    }
  },
}));

export const ABSENT_CASES: readonly Case[] = [
  ...cases('topic', ON_TOPICS),
  ...cases('subscription', ON_SUBSCRIPTIONS),
  {
    name: 'absent-schemas',
    promise: 'every call of the schema service is UNIMPLEMENTED, and the answer names it',
    methods: ['SchemaService.*'],
    source: 'https://docs.cloud.google.com/pubsub/docs/schemas',
    differs: { cloud: GOOGLE_HAS_IT, independent: { reason: 'pstest has schemas' } },
    async run({ client, launched }) {
      const schemas = new v1.SchemaServiceClient((await client.getClientConfig()) as ConstructorParameters<typeof v1.SchemaServiceClient>[0]);
      const parent = `projects/${launched.project}`;
      const name = `${parent}/schemas/s`;
      const calls: Record<string, () => Promise<unknown>> = {
        CreateSchema: () => schemas.createSchema({ parent, schemaId: 's', schema: { type: 'AVRO', definition: '"string"' } }), GetSchema: () => schemas.getSchema({ name }),
        ListSchemas: () => schemas.listSchemas({ parent }), ListSchemaRevisions: () => schemas.listSchemaRevisions({ name }), CommitSchema: () => schemas.commitSchema({ name, schema: { name } }),
        RollbackSchema: () => schemas.rollbackSchema({ name, revisionId: '1' }), DeleteSchemaRevision: () => schemas.deleteSchemaRevision({ name: `${name}@1` }), DeleteSchema: () => schemas.deleteSchema({ name }),
        ValidateSchema: () => schemas.validateSchema({ parent, schema: { type: 'AVRO', definition: '"string"' } }), ValidateMessage: () => schemas.validateMessage({ parent, name, message: Buffer.from('"x"'), encoding: 'JSON' }),
      };
      try {
        for (const [call, run] of Object.entries(calls)) await expectRefusal(run(), 'UNIMPLEMENTED', new RegExp(call));
      } finally {
        await schemas.close();
      }
    },
  },
  {
    name: 'absent-iam',
    promise: 'policies can be neither read nor set nor tested: UNIMPLEMENTED, by name, since there are no permissions here',
    methods: ['IAMPolicy.*'],
    source: 'https://docs.cloud.google.com/pubsub/docs/access-control',
    differs: { cloud: GOOGLE_HAS_IT },
    async run({ topic }) {
      const { iam } = await topic();
      await expectRefusal(iam.getPolicy(), 'UNIMPLEMENTED', /IAMPolicy|GetIamPolicy/);
      await expectRefusal(iam.setPolicy({ bindings: [] }), 'UNIMPLEMENTED', /IAMPolicy|SetIamPolicy/);
      await expectRefusal(iam.testPermissions('pubsub.topics.get'), 'UNIMPLEMENTED', /IAMPolicy|TestIamPermissions/);
    },
  },
  {
    name: 'absent-unknown-fields',
    promise: 'a request with a field that the .proto does not have is refused by its number, on the top and inside: nothing a client sends is dropped in silence',
    methods: ['fields that are not in the .proto'],
    source: 'https://protobuf.dev/programming-guides/proto3/#unknowns',
    differs: { cloud: GOOGLE_HAS_IT, independent: { reason: 'pstest drops unknown fields' } },
    async run({ path, pair }) {
      const { topic, path: subscription } = await pair();
      const { Client, credentials } = await import('@grpc/grpc-js');
      const client = new Client(process.env['PUBSUB_EMULATOR_HOST']!, credentials.createInsecure());
      const asIs = (bytes: Buffer): Buffer => bytes;
      const call = (method: string, bytes: Buffer): Promise<unknown> => new Promise((done, fail) => {
        client.makeUnaryRequest(`/google.pubsub.v1.${method}`, asIs, asIs, bytes, (error, answer) => (error ? fail(error) : done(answer)));
      });
      const field = (number: number, value: Buffer | string): Buffer => Buffer.concat([Buffer.of(...varint((number << 3) | 2), ...varint(Buffer.byteLength(value))), Buffer.from(value)]);
      try {
        const name = field(1, path('topics'));
        await call('Publisher/CreateTopic', Buffer.concat([name, field(2, Buffer.concat([field(1, 'a'), field(2, 'b')]))]));
        await expectRefusal(call('Publisher/CreateTopic', Buffer.concat([field(1, path('topics')), field(77, 'x')])), 'UNIMPLEMENTED', /field 77 of Topic/);
        await expectRefusal(call('Subscriber/CreateSubscription', Buffer.concat([field(1, path('subscriptions')), field(2, topic.name), field(14, field(9, 'x'))])), 'UNIMPLEMENTED', /field 9 of Subscription\.retry_policy/);
        await expectRefusal(call('Publisher/Publish', Buffer.concat([field(1, topic.name), field(2, Buffer.concat([field(1, 'x'), field(6, 'y')]))])), 'UNIMPLEMENTED', /field 6 of PublishRequest\.messages/);
        await expectRefusal(call('Subscriber/Pull', Buffer.concat([field(1, subscription), Buffer.of(3 << 3, 1), field(9, 'x')])), 'UNIMPLEMENTED', /field 9 of PullRequest/);
      } finally {
        client.close();
      }
    },
  },
  {
    name: 'labels-limited',
    promise: '64 labels with keys and values of 63 characters are taken; a 65th, a longer one, and a key that begins with a capital are refused with INVALID_ARGUMENT',
    methods: ['Publisher.CreateTopic', 'Subscriber.CreateSubscription'],
    source: 'https://docs.cloud.google.com/pubsub/docs/create-topic-labels',
    differs: { independent: { reason: 'pstest does not check labels' } },
    async run({ path, pair, publisher, subscriber }) {
      const labels = (count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`.padEnd(63, 'x'), 'v'.repeat(63)]));
      expect(Object.keys((await publisher.createTopic({ name: path('topics'), labels: labels(64) }))[0].labels!)).toHaveLength(64);
      const { topic } = await pair();
      for (const wrong of [labels(65), { ['k'.repeat(64)]: 'v' }, { k: 'v'.repeat(64) }, { Key: 'v' }, { k: 'Value' }, { '1k': 'v' }]) {
        await expectRefusal(publisher.createTopic({ name: path('topics'), labels: wrong }), 'INVALID_ARGUMENT');
        await expectRefusal(subscriber.createSubscription({ name: path('subscriptions'), topic: topic.name, labels: wrong }), 'INVALID_ARGUMENT');
      }
    },
  },
];

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  return [...bytes, left];
}
