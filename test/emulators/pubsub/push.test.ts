// Push delivery as a function sees it: Google's wrapping, what acknowledges, what is tried again and when.
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { protobufTime } from '../../../emulators/pubsub/push-body.ts';
import { endpoint, localPubSub, PROJECT, until, type Endpoint, type LocalPubSub } from './local-pubsub.ts';

let local: LocalPubSub;
const open: Endpoint[] = [];
beforeAll(async () => { local = await localPubSub(); });
afterAll(() => local.close());
afterEach(async () => {
  local.faults.clear();
  const [subscriptions] = await local.client.getSubscriptions();
  await Promise.all(subscriptions.map((subscription) => subscription.delete()));
  await Promise.all(open.splice(0).map((each) => each.close()));
});

let names = 0;
async function pushed(options: Record<string, unknown> = {}): Promise<{ topic: ReturnType<LocalPubSub['client']['topic']>; to: Endpoint; path: string }> {
  names += 1;
  const to = await endpoint();
  open.push(to);
  const [topic] = await local.client.createTopic(`topic-${names}`);
  await topic.createSubscription(`push-${names}`, { pushEndpoint: to.url, ...options });
  return { topic, to, path: `projects/${PROJECT}/subscriptions/push-${names}` };
}

test('a push is Google\'s JSON, byte for byte', async () => {
  const { topic, to, path } = await pushed();
  local.clock.offsetMs = Date.parse('2026-01-15T10:00:00.120Z') - Date.now() + 50;
  const messageId = await topic.publishMessage({ data: Buffer.from([0xff, 0, 10]), attributes: { b: 'zwei "quoted"', 7: 'seven', __proto: 'x', a: '한국어' } });
  local.clock.offsetMs = 0;
  await until('one push', () => to.pushed.length === 1);
  const [{ body, headers }] = to.pushed as [Endpoint['pushed'][number]];
  const time = (JSON.parse(body) as { message: { publishTime: string } }).message.publishTime;
  expect(time).toMatch(/^2026-01-15T10:00:0\d(\.\d{3})?Z$/);
  const [, attributes] = /"attributes":(\{.*?\}),"data"/.exec(body)!;
  expect(JSON.parse(attributes!)).toEqual({ b: 'zwei "quoted"', 7: 'seven', __proto: 'x', a: '한국어' });
  expect(body).toBe(`{"message":{"attributes":${attributes},"data":"/wAK","messageId":"${messageId}","message_id":"${messageId}","publishTime":"${time}","publish_time":"${time}"},"subscription":"${path}"}`);
  expect(headers['content-type']).toBe('application/json');
  expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
  expect(headers['authorization']).toBeUndefined();
});

test.each([['2026-01-15T10:00:00.000Z', '2026-01-15T10:00:00Z'], ['2026-01-15T10:00:00.120Z', '2026-01-15T10:00:00.120Z'], ['1969-12-31T23:59:59.001Z', '1969-12-31T23:59:59.001Z']])('the moment %s is pushed as %s', (moment, pushedAs) => {
  expect(protobufTime(Date.parse(moment))).toBe(pushedAs);
});

test('a message without attributes has none in its push, and an ordering key stands behind the times', async () => {
  const { topic, to } = await pushed();
  await topic.publishMessage({ data: Buffer.from('x') });
  topic.setPublishOptions({ messageOrdering: true });
  await topic.publishMessage({ data: Buffer.from('y'), orderingKey: 'user-1' });
  await until('two pushes', () => to.pushed.length === 2);
  expect(to.pushed[0]!.body).toMatch(/^\{"message":\{"data":"eA==","messageId":/);
  expect(to.pushed[1]!.body).toMatch(/"publish_time":"[^"]+","orderingKey":"user-1"\},"subscription"/);
});

test('a subscription with an OIDC account gets a bearer token for its audience', async () => {
  const { topic, to } = await pushed({ pushConfig: undefined, oidcToken: { serviceAccountEmail: 'push@p.iam.gserviceaccount.com', audience: 'https://writer' } });
  await topic.publishMessage({ data: Buffer.from('x') });
  await until('one push', () => to.pushed.length === 1);
  const claims = JSON.parse(Buffer.from(to.pushed[0]!.headers.authorization!.replace('Bearer ', '').split('.')[1]!, 'base64url').toString()) as object;
  expect(claims).toMatchObject({ email: 'push@p.iam.gserviceaccount.com', aud: 'https://writer', iss: 'https://accounts.google.com' });
});

test.each([200, 201, 202, 204])('%i acknowledges', async (status) => {
  const { topic, to } = await pushed();
  to.answer = () => status;
  await topic.publishMessage({ data: Buffer.from('x') });
  await until('acknowledged', () => to.pushed.length > 0 && local.service.gauges!()['unacked_messages'] === 0);
  expect(to.pushed).toHaveLength(1);
});

test.each([203, 301, 400, 404, 500, 503])('%i refuses: the same message comes again until it is acknowledged', async (status) => {
  const { topic, to } = await pushed();
  to.answer = () => (to.pushed.length < 3 ? status : 204);
  const messageId = await topic.publishMessage({ data: Buffer.from('x') });
  await until('acknowledged', () => local.service.gauges!()['unacked_messages'] === 0);
  expect(to.pushed).toHaveLength(3);
  expect(new Set(to.pushed.map(({ body }) => body)).size).toBe(1);
  expect(to.pushed[0]!.body).toContain(messageId);
});

test('push backoff doubles from 100 ms while everything is refused', async () => {
  const { topic, to } = await pushed();
  to.answer = () => (to.pushed.length < 5 ? 503 : 204);
  await topic.publishMessage({ data: Buffer.from('x') });
  await until('fifth push', () => to.pushed.length === 5);
  const waits = to.pushed.slice(1).map(({ atMs }, index) => atMs - to.pushed[index]!.atMs);
  [100, 200, 400, 800].forEach((least, index) => {
    expect(waits[index]).toBeGreaterThanOrEqual(least - 5);
    expect(waits[index]).toBeLessThan(least + 600);
  });
});

test('an endpoint that is not there yet gets everything when it is', async () => {
  const { topic, to } = await pushed();
  await to.close();
  await Promise.all(Array.from({ length: 50 }, (_, n) => topic.publishMessage({ data: Buffer.from(`n${n}`) })));
  const back = await endpoint();
  open.push(back);
  await local.client.subscription(`push-${names}`).modifyPushConfig({ pushEndpoint: back.url });
  await until('all pushed', () => new Set(back.pushed.map(({ body }) => body)).size === 50);
});

test('the retry policy\'s minimum holds a refused message back although the push backoff is shorter', async () => {
  const { topic, to } = await pushed({ retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 10 } } });
  to.answer = () => (to.pushed.length === 1 ? 503 : 204);
  await topic.publishMessage({ data: Buffer.from('x') });
  await until('second push', () => to.pushed.length === 2);
  expect(to.pushed[1]!.atMs - to.pushed[0]!.atMs).toBeGreaterThan(980);
});

test('deliveryAttempt is told when there is a dead-letter policy, and the last refusal sends the message there', async () => {
  const [graveyard] = await local.client.createTopic('graveyard');
  const dead = await endpoint();
  open.push(dead);
  await graveyard.createSubscription('graveyard-push', { pushEndpoint: dead.url });
  const { topic, to } = await pushed({ deadLetterPolicy: { deadLetterTopic: graveyard.name, maxDeliveryAttempts: 5 } });
  to.answer = () => 503;
  await topic.publishMessage({ data: Buffer.from('poison') });
  await until('dead-lettered', () => dead.pushed.length === 1, 15_000);
  expect(to.pushed.map(({ body }) => /"deliveryAttempt":(\d+)\}$/.exec(body)?.[1])).toEqual(['1', '2', '3', '4', '5']);
  expect(JSON.parse(dead.pushed[0]!.body)).toMatchObject({ message: { data: Buffer.from('poison').toString('base64'), attributes: { CloudPubSubDeadLetterSourceDeliveryCount: '5' } } });
});

test('requests under way stay below the window, and grow while they are acknowledged', async () => {
  const { topic, to } = await pushed();
  let underWay = 0;
  let most = 0;
  to.answer = async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise((done) => setTimeout(done, 30));
    underWay -= 1;
    return 204;
  };
  await Promise.all(Array.from({ length: 600 }, (_, n) => topic.publishMessage({ data: Buffer.from(`n${n}`) })));
  await until('all acknowledged', () => local.service.gauges!()['unacked_messages'] === 0);
  expect(to.pushed).toHaveLength(600);
  expect(most).toBeGreaterThan(16);
  expect(most).toBeLessThanOrEqual(256);
});

test('faults on purpose: a push can be doubled, failed, lost and put behind others', async () => {
  const { topic, to } = await pushed();
  const dataOf = (): string[] => to.pushed.map(({ body }) => Buffer.from((JSON.parse(body) as { message: { data: string } }).message.data, 'base64').toString());
  local.faults.add({ method: 'Push', kind: 'duplicate' });
  await topic.publishMessage({ data: Buffer.from('twice') });
  await until('twice', () => to.pushed.length === 2);
  expect(dataOf()).toEqual(['twice', 'twice']);
  to.pushed.length = 0;
  local.faults.add({ method: 'Push', kind: 'fail', takes_effect: true });
  await topic.publishMessage({ data: Buffer.from('answer lost') });
  await until('again', () => to.pushed.length === 2);
  expect(dataOf()).toEqual(['answer lost', 'answer lost']);
  to.pushed.length = 0;
  local.faults.add({ method: 'Push', kind: 'lose' });
  await topic.publishMessage({ data: Buffer.from('lost') });
  await until('lost', () => local.service.gauges!()['unacked_messages'] === 0);
  local.faults.add({ method: 'Push', kind: 'reorder' });
  await topic.publishMessage({ data: Buffer.from('first') });
  await topic.publishMessage({ data: Buffer.from('second') });
  await until('both', () => to.pushed.length === 2);
  expect(dataOf()).toEqual(['second', 'first']);
});

test('a message that a seek lets go of while its push is held back is not pushed any more', async () => {
  const { topic, to } = await pushed();
  local.faults.add({ method: 'Push', kind: 'delay', delay_ms: 300 });
  await topic.publishMessage({ data: Buffer.from('gone') });
  await until('held back', () => local.service.gauges!()['outstanding_messages'] === 1);
  await local.client.subscription(`push-${names}`).seek(new Date(Date.now() + 60_000));
  expect(local.service.gauges!()['unacked_messages']).toBe(0);
  await new Promise((done) => setTimeout(done, 400));
  expect(to.pushed).toEqual([]);
});

test('an endpoint that closed an idle connection just as it was used again gets the message at once, without a refusal', async () => {
  const requests = new WeakMap<Socket, number>();
  let answered = 0;
  const server = createServer((request, response) => {
    const count = (requests.get(request.socket) ?? 0) + 1;
    requests.set(request.socket, count);
    if (count === 2) return void request.socket.destroy();
    answered += 1;
    request.resume().on('end', () => response.writeHead(204).end());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const [topic] = await local.client.createTopic('idle');
  await topic.createSubscription('idle', { pushEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
  const refusedBefore = local.faults.stats()['push.refused'] ?? 0;
  for (let n = 1; n <= 3; n += 1) {
    await topic.publishMessage({ data: Buffer.from(`n${n}`) });
    await until(`message ${n}`, () => answered === n);
  }
  expect(local.faults.stats()['push.refused'] ?? 0).toBe(refusedBefore);
  server.closeAllConnections();
  server.close();
});
