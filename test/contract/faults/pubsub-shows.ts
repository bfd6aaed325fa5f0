// How the faults of Pub/Sub look to Google's clients: failure-rows.ts names these functions.
import { expect } from 'vitest';
import { once } from '../google-clients.ts';
import { uniqueName, until } from '../wait.ts';
import { CODES, expectCode, openPushEndpoint, type Show } from './cloud.ts';

const failsWith = (code: number): Show => async (cloud, order) => {
  const { topic, subscription } = await cloud.topic();
  await order();
  await expectCode(cloud.publish(topic, 'x'), code);
  expect(await cloud.pull(subscription)).toEqual([]);
};

export const PUBSUB_SHOWS: Record<string, Show> = {
  publishFailsWith14: failsWith(CODES.UNAVAILABLE),
  publishFailsWith5: failsWith(CODES.NOT_FOUND),
  publishFailsWith7: failsWith(CODES.PERMISSION_DENIED),

  async aMessageOutlivesAKill(cloud, order) {
    const { topic, subscription } = await cloud.topic();
    await cloud.publish(topic, 'kept');
    await order();
    await until('the message is there again', async () => (await cloud.pull(subscription)).some(({ text }) => text === 'kept'));
  },

  async everyTenthPublishFails(cloud, order) {
    const { topic } = await cloud.topic();
    await order();
    const outcomes: boolean[] = [];
    for (let index = 0; index < 20; index += 1) outcomes.push(await cloud.publish(topic, 'x').then(() => true, () => false));
    expect(outcomes.flatMap((isFine, index) => (isFine ? [] : [index]))).toEqual([9, 19]);
  },

  async publishHangs(cloud, order) {
    const { topic, subscription } = await cloud.topic();
    await order();
    await expectCode(cloud.publish(topic, 'x', 400), CODES.DEADLINE_EXCEEDED);
    expect(await cloud.pull(subscription)).toEqual([]);
  },

  async publishHangsAndIsStored(cloud, order) {
    const { topic, subscription } = await cloud.topic();
    await order();
    await expectCode(cloud.publish(topic, 'stored', 400), CODES.DEADLINE_EXCEEDED);
    expect((await cloud.pull(subscription)).map(({ text }) => text)).toEqual(['stored']);
  },

  async publishIsLost(cloud, order) {
    const { topic, subscription } = await cloud.topic();
    await order();
    expect(await cloud.publish(topic, 'lost')).toMatch(/^\d+$/);
    await cloud.publish(topic, 'kept');
    expect((await cloud.pull(subscription)).map(({ text }) => text)).toEqual(['kept']);
  },

  async theThirdPublishFails(cloud, order) {
    const { topic } = await cloud.topic();
    await order();
    await cloud.publish(topic, '1');
    await cloud.publish(topic, '2');
    await expectCode(cloud.publish(topic, '3'), CODES.INTERNAL);
  },

  async onlyTheBadTopicFails(cloud, order) {
    const bad = await cloud.topic(`bad-${uniqueName('topic')}`);
    const good = await cloud.topic();
    await order();
    await cloud.publish(good.topic, 'x');
    await expectCode(cloud.publish(bad.topic, 'x'), CODES.UNAVAILABLE);
  },

  async aPushComesTwice(cloud, order) {
    const endpoint = await openPushEndpoint();
    const { topic, subscription } = await cloud.topic(undefined, endpoint.url);
    await order();
    await cloud.publish(topic, 'twice');
    await until('two deliveries', () => endpoint.bodies.length === 2);
    expect(new Set(endpoint.bodies.map(({ message }) => message.messageId)).size).toBe(1);
    await cloud.clients.subscriber.deleteSubscription({ subscription }, once(5_000));
    endpoint.close();
  },

  async aPublishIsStoredTwice(cloud, order) {
    const { topic, subscription } = await cloud.topic();
    await order();
    await cloud.publish(topic, 'twice');
    expect((await cloud.pull(subscription)).map(({ text }) => text)).toEqual(['twice', 'twice']);
  },

  async theFirstPublishComesLast(cloud, order) {
    const { topic, subscription } = await cloud.topic();
    await order();
    await cloud.publish(topic, 'first');
    await cloud.publish(topic, 'second');
    const came: string[] = [];
    await until('both', async () => {
      came.push(...(await cloud.pull(subscription)).map(({ text }) => text));
      return came.length === 2;
    });
    expect(came).toEqual(['second', 'first']);
  },

  async publishTimeIsFiveDaysLater(cloud, order) {
    const { topic, subscription } = await cloud.topic();
    const before = await cloud.control('GET', '/time');
    await order();
    await cloud.publish(topic, 'later');
    const [message] = await cloud.pull(subscription);
    const days = (message!.publishMs - Date.parse((before.body as { now: string }).now)) / 86_400_000;
    expect(days).toBeGreaterThan(4.99);
    expect(days).toBeLessThan(5.01);
  },

  async aPushIsRepeated(cloud, order) {
    const endpoint = await openPushEndpoint();
    const { topic, subscription } = await cloud.topic(undefined, endpoint.url);
    await order();
    const before = ((await cloud.control('GET', '/stats?service=pubsub')).body as { pubsub: Record<string, number> }).pubsub['push.refused'] ?? 0;
    await Promise.all(Array.from({ length: 20 }, (_, index) => cloud.publish(topic, `message ${index}`)));
    await until('all twenty came', () => new Set(endpoint.bodies.map(({ message }) => message.messageId)).size === 20);
    const after = ((await cloud.control('GET', '/stats?service=pubsub')).body as { pubsub: Record<string, number> }).pubsub['push.refused']!;
    expect(after - before).toBeGreaterThanOrEqual(1);
    await cloud.clients.subscriber.deleteSubscription({ subscription }, once(5_000));
    endpoint.close();
  },

  async anIdleSubscriptionExpires(cloud, order) {
    const { subscription } = await cloud.topic();
    await order();
    await until('it is gone', () => cloud.clients.subscriber.getSubscription({ subscription }, once(5_000)).then(() => false, (error: { code?: number }) => error.code === CODES.NOT_FOUND));
  },
};
