// Contract cases of kill -9: what our service answered before it was killed is so after it was started again on the same data.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { refusalOf, until } from '../wait.ts';
import { pushedText, withEndpoint } from './endpoint.ts';
import { ack, DOCS, expectNothing, expectRefusal, modifyDeadline, nack, publish, pull, pullNow, pullOne, type PubSubWorld } from './world.ts';

type Case = ContractCase<PubSubWorld>;

/** The cases that are under way, and those of them that are ready to see the service killed. */
let underWay = 0;
let ready: (() => void)[] = [];

/** One kill for all cases that are under way: it comes when the last of them has done what must outlive it. */
async function killAndStart(world: PubSubWorld): Promise<void> {
  await new Promise<void>((done) => {
    ready.push(done);
    killWhenAllAreReady(world);
  });
}

function killWhenAllAreReady(world: PubSubWorld): void {
  const count = ready.length;
  if (count === 0 || count < underWay) return;
  // A moment for a case that has not begun yet.
  setTimeout(() => {
    if (ready.length !== count || count < underWay) return;
    const waiting = ready;
    ready = [];
    void restart(world).then(() => waiting.forEach((go) => go()));
  }, 100);
}

async function restart(world: PubSubWorld): Promise<void> {
  await world.launched.ours!.restart();
  await until('it answers', () => world.publisher.listTopics({ project: `projects/${world.launched.project}`, pageSize: 1 }, { autoPaginate: false, timeout: 1_000 }).then(() => true, () => false));
}

function restartCase(name: string, promise: string, methods: string[], run: (world: PubSubWorld) => Promise<void>): Case {
  return {
    name: `killed-${name}`, promise, methods: ['durability', ...methods], source: `${DOCS.rpc}#publishresponse`, needs: ['restart', 'loopback'],
    async run(world) {
      underWay += 1;
      try {
        await run(world);
      } finally {
        underWay -= 1;
        killWhenAllAreReady(world);
      }
    },
  };
}

export const RESTART_CASES: readonly Case[] = [
  restartCase('after-publishing', 'killed right after a publish was answered: every message is delivered, with its id, bytes, attributes and publish time', ['Publisher.Publish'], async (world) => {
    const { topic, path } = await world.pair();
    const data = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    const [{ messageIds }] = await world.publisher.publish({ topic: topic.name, messages: [{ data, attributes: { größe: 'ü' } }, { data: Buffer.alloc(500_000, 1) }, { attributes: { only: 'this' } }] });
    await killAndStart(world);
    const messages = await pull(world, path, 3);
    expect(messages.map(({ id }) => id).sort()).toEqual([...messageIds!].sort());
    const first = messages.find(({ id }) => id === messageIds![0])!;
    expect(first.data.equals(data)).toBe(true);
    expect(first).toMatchObject({ attributes: { größe: 'ü' } });
    expect(Math.abs(first.publishMs - Date.now())).toBeLessThan(60_000);
  }),
  restartCase('after-acknowledging', 'killed right after an acknowledgement was answered: that message does not come again, the others do', ['Subscriber.Acknowledge'], async (world) => {
    const { topic, path } = await world.pair();
    await publish(topic, ...Array.from({ length: 20 }, (_, n) => `n${n}`));
    const messages = await pull(world, path, 20);
    await ack(world, path, ...messages.slice(0, 13));
    await killAndStart(world);
    expect((await pull(world, path, 7)).map(({ id }) => id).sort()).toEqual(messages.slice(13).map(({ id }) => id).sort());
    await expectNothing(world, path);
  }),
  restartCase('exactly-once', 'killed right after an exactly-once acknowledgement was answered: the message never comes again', ['exactly-once delivery'], async (world) => {
    const { topic, path } = await world.pair({ enableExactlyOnceDelivery: true });
    await publish(topic, 'done');
    await ack(world, path, await pullOne(world, path));
    await killAndStart(world);
    await expectNothing(world, path);
    expect((await world.subscriber.getSubscription({ subscription: path }))[0].enableExactlyOnceDelivery).toBe(true);
  }),
  restartCase('exactly-once-under-way', 'a message delivered exactly once that somebody has when the service is killed does not come again before its deadline, and can still be acknowledged', ['exactly-once delivery'], async (world) => {
    const { topic, path } = await world.pair({ enableExactlyOnceDelivery: true, ackDeadlineSeconds: 600 });
    await publish(topic, 'kept', 'short', 'given back');
    const messages = await pull(world, path, 3);
    const [kept, short, back] = ['kept', 'short', 'given back'].map((text) => messages.find((one) => one.text === text)!);
    await modifyDeadline(world, path, 8, short!);
    await nack(world, path, back!);
    const again = await pullOne(world, path);
    await killAndStart(world);
    expect((await pullNow(world, path)).map(({ text }) => text)).not.toContain('kept');
    await ack(world, path, kept!, again);
    expect(await refusalOf(ack(world, path, back!))).toMatchObject({ reason: 'EXACTLY_ONCE_ACKID_FAILURE' });
    expect((await pullOne(world, path, 20_000)).text).toBe('short');
    await expectNothing(world, path);
  }),
  restartCase('old-ack-ids', 'after a restart an ack id of before still acknowledges its message, and gives back none that was delivered again', ['Subscriber.Acknowledge'], async (world) => {
    const { topic, path } = await world.pair();
    await publish(topic, 'a', 'b');
    const messages = await pull(world, path, 2);
    const [a, b] = ['a', 'b'].map((text) => messages.find((one) => one.text === text)!);
    await killAndStart(world);
    const again = await pull(world, path, 2);
    expect(again.map(({ ackId }) => ackId)).not.toContain(a!.ackId);
    await ack(world, path, a!);
    // It was redelivered under a newer id: the old one gives nothing back.
    await nack(world, path, b!);
    await expectNothing(world, path);
    await nack(world, path, ...again);
    expect((await pull(world, path)).map(({ text }) => text)).toEqual(['b']);
    await expectNothing(world, path);
  }),
  restartCase('topics-and-subscriptions', 'topics, subscriptions and their options made, changed and deleted before the kill are so after it', ['Publisher.CreateTopic', 'Publisher.DeleteTopic', 'Publisher.UpdateTopic', 'Subscriber.CreateSubscription', 'Subscriber.UpdateSubscription', 'Subscriber.DeleteSubscription'], async (world) => {
    const [kept, deleted] = [await world.topic({ labels: { a: '1' }, messageRetentionDuration: { seconds: 700 } }), await world.topic()];
    const made = await world.subscription(kept, { ackDeadlineSeconds: 33, filter: 'attributes:a', enableMessageOrdering: true, retryPolicy: { minimumBackoff: { seconds: 3 } }, deadLetterPolicy: { deadLetterTopic: kept.name } });
    const [orphan, gone] = [await world.subscription(deleted), await world.subscription(kept)];
    await world.publisher.updateTopic({ topic: { name: kept.name, labels: { b: '2' } }, updateMask: { paths: ['labels'] } });
    await world.subscriber.updateSubscription({ subscription: { name: made, ackDeadlineSeconds: 44 }, updateMask: { paths: ['ack_deadline_seconds'] } });
    const before = { topic: (await world.publisher.getTopic({ topic: kept.name }))[0], subscription: (await world.subscriber.getSubscription({ subscription: made }))[0] };
    await world.publisher.deleteTopic({ topic: deleted.name });
    await world.subscriber.deleteSubscription({ subscription: gone });
    await killAndStart(world);
    expect((await world.publisher.getTopic({ topic: kept.name }))[0]).toEqual(before.topic);
    expect((await world.subscriber.getSubscription({ subscription: made }))[0]).toEqual(before.subscription);
    expect(before.subscription.ackDeadlineSeconds).toBe(44);
    await expectRefusal(world.publisher.getTopic({ topic: deleted.name }), 'NOT_FOUND');
    await expectRefusal(world.subscriber.getSubscription({ subscription: gone }), 'NOT_FOUND');
    expect((await world.subscriber.getSubscription({ subscription: orphan }))[0].topic).toBe('_deleted-topic_');
    expect((await world.publisher.listTopicSubscriptions({ topic: kept.name }))[0]).toEqual([made]);
  }),
  restartCase('after-a-seek', 'killed right after a seek was answered: what it acknowledged stays so, what it brought back comes', ['Subscriber.Seek'], async (world) => {
    const { topic, path } = await world.pair({ retainAckedMessages: true });
    const purged = await world.subscription(topic);
    const beforeMs = Date.now();
    await publish(topic, 'x', 'y');
    await ack(world, path, ...(await pull(world, path, 2)));
    await world.subscriber.seek({ subscription: purged, time: { seconds: Math.floor(Date.now() / 1_000) + 3_600 } });
    await world.subscriber.seek({ subscription: path, time: { seconds: Math.floor(beforeMs / 1_000) - 1 } });
    await killAndStart(world);
    expect((await pull(world, path, 2)).map(({ text }) => text).sort()).toEqual(['x', 'y']);
    await expectNothing(world, purged);
  }),
  restartCase('snapshots', 'a snapshot made before the kill can be sought to after it', ['Subscriber.CreateSnapshot', 'Subscriber.Seek'], async (world) => {
    const { topic, path } = await world.pair();
    await publish(topic, 'acknowledged', 'kept');
    const messages = await pull(world, path, 2);
    await ack(world, path, messages.find(({ text }) => text === 'acknowledged')!);
    const name = world.path('snapshots');
    await world.subscriber.createSnapshot({ name, subscription: path });
    await ack(world, path, messages.find(({ text }) => text === 'kept')!);
    await killAndStart(world);
    await expectNothing(world, path);
    await world.subscriber.seek({ subscription: path, snapshot: name });
    expect((await pull(world, path)).map(({ text }) => text)).toEqual(['kept']);
    await expectNothing(world, path);
  }),
  restartCase('attempts', 'delivery attempts are counted on after a restart: a message does not get all its attempts again', ['dead letters'], async (world) => {
    const dead = await world.topic();
    const letters = await world.subscription(dead);
    const { topic, path } = await world.pair({ deadLetterPolicy: { deadLetterTopic: dead.name, maxDeliveryAttempts: 5 } });
    await publish(topic, 'poison');
    for (let n = 0; n < 3; n += 1) await nack(world, path, await pullOne(world, path));
    await until('the last refusal is written', async () => {
      const [message] = await pullNow(world, path);
      if (message === undefined) return false;
      expect(message.attempt).toBe(4);
      return true;
    });
    await killAndStart(world);
    const fourth = await pullOne(world, path);
    expect(fourth.attempt).toBe(4);
    await nack(world, path, fourth);
    await nack(world, path, await pullOne(world, path));
    expect(await pullOne(world, letters)).toMatchObject({ text: 'poison', attributes: { CloudPubSubDeadLetterSourceDeliveryCount: '5' } });
    await expectNothing(world, path);
  }),
  restartCase('detached-and-filtered', 'a detached subscription stays empty, and a filter keeps back after a restart what it kept back before', ['Publisher.DetachSubscription', 'filters'], async (world) => {
    const { topic, path: filtered } = await world.pair({ filter: 'attributes:wanted' });
    const detached = await world.subscription(topic);
    await publish(topic, 'plain');
    await topic.publishMessage({ data: Buffer.from('marked'), attributes: { wanted: '' } });
    await world.publisher.detachSubscription({ subscription: detached });
    await killAndStart(world);
    expect((await pull(world, filtered)).map(({ text }) => text)).toEqual(['marked']);
    await expectNothing(world, filtered);
    await expectRefusal(pullNow(world, detached), 'FAILED_PRECONDITION');
    expect((await world.publisher.listTopicSubscriptions({ topic: topic.name }))[0]).toEqual([filtered]);
  }),
  restartCase('order', 'messages of an ordering key keep their order over a restart', ['ordering keys'], async (world) => {
    const { topic, path } = await world.pair({ enableMessageOrdering: true });
    for (let n = 0; n < 6; n += 1) await world.publisher.publish({ topic: topic.name, messages: [{ data: Buffer.from(`n${n}`), orderingKey: 'k' }] });
    const [first] = await pull(world, path, 1);
    await ack(world, path, first!);
    await killAndStart(world);
    const texts: string[] = [];
    while (texts.length < 5) {
      const message = await pullOne(world, path);
      texts.push(message.text);
      await ack(world, path, message);
    }
    expect(texts).toEqual(['n1', 'n2', 'n3', 'n4', 'n5']);
  }),
  restartCase('while-pushing', 'killed while it pushes: what was acknowledged is not pushed again in masses, and everything is pushed', ['push delivery'], async (world) => withEndpoint(async (endpoint) => {
    const topic = await world.topic();
    const path = await world.subscription(topic, { pushConfig: { pushEndpoint: endpoint.url } });
    endpoint.answer = async () => { await new Promise((done) => setTimeout(done, 10)); return 204; };
    await world.publisher.publish({ topic: topic.name, messages: Array.from({ length: 400 }, (_, n) => ({ data: Buffer.from(`n${n}`) })) });
    await until('half', () => endpoint.pushes.length >= 200);
    await killAndStart(world);
    await until('all', () => new Set(endpoint.pushes.map(pushedText)).size === 400);
    await until('quiet', () => endpoint.underWay === 0);
    // Twice at most what was under way at the kill, and what was acknowledged in the last write.
    expect(endpoint.pushes.length).toBeLessThan(400 + 200);
    await world.subscriber.deleteSubscription({ subscription: path });
  })),
  restartCase('open-stream', "a subscriber of Google's goes on by itself when the service is back", ['Subscriber.StreamingPull'], async (world) => {
    const { topic, path } = await world.pair();
    const seen = new Set<string>();
    const reader = world.client.subscription(path).on('message', (message) => {
      seen.add(message.data.toString());
      message.ack();
    }).on('error', () => {});
    await publish(topic, 'before');
    await until('before', () => seen.has('before'));
    await killAndStart(world);
    await publish(topic, 'after');
    await until('after', () => seen.has('after'), 20_000);
    await reader.close();
  }),
];
