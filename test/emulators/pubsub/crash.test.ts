// What Pub/Sub acknowledged survives SIGKILL: the promise on which "200 means stored" rests in the local run.
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { localProcess, type LocalProcess } from '../local-process.ts';
import { clientAt, endpoint, until, type Endpoint } from './local-pubsub.ts';

let dataDir: string;
let running: LocalProcess;
let to: Endpoint;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'pubsub-crash-'));
  running = await localProcess('pubsub', dataDir);
  to = await endpoint();
});
afterEach(async () => {
  await running.kill('SIGKILL');
  await to.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const textOf = ({ body }: Endpoint['pushed'][number]): string => Buffer.from((JSON.parse(body) as { message: { data: string } }).message.data, 'base64').toString('latin1');
const journals = (): string[] => readdirSync(join(dataDir, 'journal')).sort().map((name) => join(dataDir, 'journal', name));

test('killed three times in the middle of publishing: everything acknowledged is delivered after the restart, byte for byte', async () => {
  to.answer = () => 503; // nothing is acknowledged before the end
  let client = clientAt(running.port);
  const [topic] = await client.createTopic('crash');
  await topic.createSubscription('crash-push', { pushEndpoint: to.url });
  const acknowledged = new Set<string>();
  let sent = 0;
  let unanswered = 0;
  for (let round = 0; round < 3; round += 1) {
    const publishing = client.topic('crash', { batching: { maxMessages: 5, maxMilliseconds: 1 }, gaxOpts: { retry: null, timeout: 1_000 } as never });
    let isOver = false;
    const senders = Array.from({ length: 16 }, async () => {
      while (!isOver) {
        const text = `${sent += 1} ${'\u00ff'.repeat(sent % 7 === 0 ? 200_000 : 20)}`;
        await publishing.publishMessage({ data: Buffer.from(text, 'latin1') }).then(() => acknowledged.add(text), () => { unanswered += 1; });
      }
    });
    await new Promise((done) => setTimeout(done, 250 + 150 * round));
    await running.kill('SIGKILL');
    isOver = true;
    await Promise.all(senders);
    await client.close();
    running = await localProcess('pubsub', dataDir, { port: running.port });
    client = clientAt(running.port);
  }
  await client.close();
  expect(unanswered).toBeGreaterThan(0);
  expect(acknowledged.size).toBeGreaterThan(100);
  to.pushed.length = 0;
  to.answer = () => 204;
  await running.kill('SIGKILL');
  running = await localProcess('pubsub', dataDir, { port: running.port });
  await until('everything acknowledged is pushed', () => {
    const found = new Set(to.pushed.map(textOf));
    return [...acknowledged].every((text) => found.has(text));
  }, 20_000);
});

test('acknowledged messages stay acknowledged over a restart, waiting ones come, and empty segments go', async () => {
  const client = clientAt(running.port);
  const [topic] = await client.createTopic('acks');
  await topic.createSubscription('acks-push', { pushEndpoint: to.url });
  to.answer = (pushed) => (textOf(pushed).startsWith('bad') ? 503 : 204);
  await Promise.all(Array.from({ length: 100 }, (_, n) => topic.publishMessage({ data: Buffer.from(`${n % 10 === 0 ? 'bad' : 'good'} ${n}`) })));
  await until('good ones acknowledged', async () => ((await (await fetch(`http://127.0.0.1:${running.control_port}/stats`)).json()) as Record<string, number>)['unacked_messages'] === 10);
  // A push is acknowledged before that is written, and what a crash takes of it comes again, as at Google. The journal keeps the order: once
  // this later change is answered, the acknowledgements before it are stored.
  await client.createTopic('after-the-acks');
  await client.close();
  await running.kill('SIGKILL');
  to.pushed.length = 0;
  to.answer = () => 204;
  running = await localProcess('pubsub', dataDir);
  await until('bad ones again', () => to.pushed.length >= 10);
  await new Promise((done) => setTimeout(done, 200));
  expect(to.pushed.map(textOf).sort()).toEqual(Array.from({ length: 10 }, (_, n) => `bad ${n * 10}`));
  expect(await running.kill('SIGTERM')).toBe(0);
  running = await localProcess('pubsub', dataDir);
  expect(journals().length).toBeLessThanOrEqual(2);
});

test('a journal torn at any byte of its last record loses that record only, and can be written on', async () => {
  const client = clientAt(running.port);
  const [topic] = await client.createTopic('torn');
  await topic.createSubscription('torn-pull');
  await topic.publishMessage({ data: Buffer.from('whole') });
  const wholeBytes = readFileSync(journals()[0]!).length;
  await topic.publishMessage({ data: Buffer.from('torn') });
  await client.close();
  await running.kill('SIGKILL');
  const file = journals()[0]!;
  const torn = readFileSync(file);
  for (const bytes of [wholeBytes + 1, wholeBytes + 8, torn.length - 1]) {
    truncateSync(file, 0);
    appendFileSync(file, torn.subarray(0, bytes));
    running = await localProcess('pubsub', dataDir);
    const stats = (await (await fetch(`http://127.0.0.1:${running.control_port}/stats`)).json()) as Record<string, number>;
    expect([stats['topics'], stats['subscriptions'], stats['unacked_messages']]).toEqual([1, 1, 1]);
    await running.kill('SIGKILL');
  }
  running = await localProcess('pubsub', dataDir);
  const again = clientAt(running.port);
  await again.topic('torn').publishMessage({ data: Buffer.from('after') });
  await again.close();
  await running.kill('SIGKILL');
  running = await localProcess('pubsub', dataDir);
  const stats = (await (await fetch(`http://127.0.0.1:${running.control_port}/stats`)).json()) as Record<string, number>;
  expect(stats['unacked_messages']).toBe(2);
});
