// What a fault is shown with: a whole local run, its control address, and Google's clients without retries.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import type { SpawnedRun } from '../../../scripts/local/spawn-run.ts';
import { append, once, openClients, ROW_FIELDS, type GoogleClients, type Row } from '../google-clients.ts';
import { uniqueName } from '../wait.ts';

/** `order` sends the requests of the row: as many as are wanted now, or all that are left. */
export type Show = (cloud: Cloud, order: (count?: number) => Promise<void>) => Promise<void>;

/** gRPC status codes, as the clients' errors carry them. */
export const CODES = { DEADLINE_EXCEEDED: 4, NOT_FOUND: 5, PERMISSION_DENIED: 7, RESOURCE_EXHAUSTED: 8, ABORTED: 10, INTERNAL: 13, UNAVAILABLE: 14 } as const;

export class Cloud {
  readonly run: SpawnedRun;
  readonly clients: GoogleClients;
  readonly dataset = uniqueName('faults').replaceAll('-', '_');
  readonly bucket = uniqueName('faults');

  constructor(run: SpawnedRun) {
    this.run = run;
    const { env, project } = run;
    this.clients = openClients({ project, pubsub: env['PUBSUB_EMULATOR_HOST']!, storage: env['STORAGE_EMULATOR_HOST']!, bigquery: env['BIGQUERY_EMULATOR_HOST']!, write: run.bigquery_write_endpoint });
  }

  async prepare(): Promise<void> {
    await this.clients.bigquery.createDataset(this.dataset);
    await this.clients.storage.createBucket(this.bucket);
  }

  async control(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${this.run.control_url}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    return { status: response.status, body: await response.json() };
  }

  /** A new topic and a subscription to it, which pushes when an address is given. */
  async topic(name = uniqueName('faults'), pushEndpoint?: string): Promise<{ topic: string; subscription: string }> {
    const topic = this.clients.topic(name);
    const subscription = this.clients.subscription(name);
    await this.clients.publisher.createTopic({ name: topic }, once(5_000));
    await this.clients.subscriber.createSubscription({ name: subscription, topic, ...(pushEndpoint === undefined ? {} : { pushConfig: { pushEndpoint } }) }, once(5_000));
    return { topic, subscription };
  }

  async publish(topic: string, text: string, timeoutMs = 5_000): Promise<string> {
    const [answer] = await this.clients.publisher.publish({ topic, messages: [{ data: Buffer.from(text) }] }, once(timeoutMs));
    return answer.messageIds![0]!;
  }

  /** What the subscription has now; each is acknowledged. */
  async pull(subscription: string): Promise<{ text: string; publishMs: number }[]> {
    const [{ receivedMessages = [] }] = await this.clients.subscriber.pull({ subscription, maxMessages: 100, returnImmediately: true }, once(5_000));
    const all = receivedMessages ?? [];
    if (all.length > 0) await this.clients.subscriber.acknowledge({ subscription, ackIds: all.map(({ ackId }) => ackId!) }, once(5_000));
    return all.map(({ message }) => ({ text: Buffer.from(message!.data as Uint8Array).toString(), publishMs: Number(message!.publishTime!.seconds) * 1_000 }));
  }

  async table(name = uniqueName('t').replaceAll('-', '_')): Promise<string> {
    await this.clients.bigquery.dataset(this.dataset).createTable(name, { schema: { fields: ROW_FIELDS } });
    return name;
  }

  append(table: string, rows: readonly Row[], timeoutMs = 5_000): ReturnType<typeof append> {
    return append(this.clients, this.dataset, table, rows, timeoutMs);
  }

  async idsIn(table: string): Promise<string[]> {
    const [rows] = await this.clients.bigquery.query(`SELECT id FROM \`${this.dataset}.${table}\` ORDER BY id`);
    return (rows as { id: string }[]).map(({ id }) => id);
  }

  async close(): Promise<void> {
    await this.clients.close();
  }
}

/** Expects the promise to fail with this gRPC code or HTTP status. */
export async function expectCode(promise: Promise<unknown>, code: number): Promise<void> {
  const error = await promise.then(() => undefined, (problem: unknown) => problem as { code?: number | string });
  expect(error, 'it should have failed').toBeDefined();
  expect(Number(error!.code), String(error)).toBe(code);
}

/** An address that takes pushes: how often each message id came, and what it answers. */
export async function openPushEndpoint(): Promise<{ url: string; bodies: { message: { data: string; messageId: string } }[]; close(): void }> {
  const bodies: { message: { data: string; messageId: string } }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      bodies.push(JSON.parse(Buffer.concat(chunks).toString('utf8')) as (typeof bodies)[number]);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, bodies, close: () => { server.close(); server.closeAllConnections(); } };
}
