// Contract cases of our control port: everything that can go wrong between a product and Pub/Sub (and that Google's own clients must live with) can
// be produced at will. The rows named F.. are those of the list of failures that the product is tested against.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { refusalOf, until } from '../wait.ts';
import { pushedText, withEndpoint, wrapped, type PushEndpoint } from './endpoint.ts';
import { whileBroken, type Plan } from './steering.ts';
import { openStream } from './stream.ts';
import { ack, CODE, DOCS, expectNothing, nack, publish, pull, pullNow, pullOne, type PubSubWorld } from './world.ts';

type Topic = Awaited<ReturnType<PubSubWorld['topic']>>;
type Case = ContractCase<PubSubWorld>;

/** Publishes one message with Google's client and without its retries: the code of the refusal, or 0. */
async function codeOf({ publisher }: PubSubWorld, topic: Topic, text: string, timeout = 8_000): Promise<number> {
  return publisher.publish({ topic: topic.name, messages: [{ data: Buffer.from(text) }] }, { retry: null, timeout }).then(() => 0, ({ code }: { code: number }) => code);
}

const STATUSES = ['CANCELLED', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'INTERNAL', 'UNAVAILABLE'] as const;

function faultCase(name: string, promise: string, methods: string[], source: string, run: (world: PubSubWorld) => Promise<void>): Case {
  return { name: `fault-${name}`, promise, methods: ['faults', ...methods], source, needs: ['faults', 'loopback'], run };
}

/** A topic that is pushed to an endpoint of the case while plans are armed. */
function pushed(plans: Plan[], run: (made: { world: PubSubWorld; topic: Topic; path: string; endpoint: PushEndpoint }) => Promise<void>, options: object = {}): Case['run'] {
  return (world) => withEndpoint(async (endpoint) => {
    const topic = await world.topic();
    const path = await world.subscription(topic, { pushConfig: { pushEndpoint: endpoint.url }, ...options });
    try {
      await whileBroken(world, path, plans, () => run({ world, topic, path, endpoint }));
    } finally {
      await world.subscriber.deleteSubscription({ subscription: path });
    }
  });
}

export const FAULT_CASES: readonly Case[] = [
  faultCase('every-status', 'F05, F10: a publish can fail with any status, is not stored then, and is when the fault is over', ['Publisher.Publish'], DOCS.errors, async (world) => {
    const { topic, path } = await world.pair();
    for (const status of STATUSES) {
      await whileBroken(world, topic.name, [{ method: 'Publish', kind: 'fail', status }], async () => {
        expect([status, await codeOf(world, topic, status)]).toEqual([status, CODE[status]]);
        expect(await codeOf(world, topic, 'after')).toBe(0);
      });
      expect((await pull(world, path)).map(({ text }) => text)).toEqual(['after']);
    }
    await expectNothing(world, path, 0);
  }),
  faultCase('for-long', 'F05: publishing can be down for as long as a plan says', ['Publisher.Publish'], DOCS.errors, async (world) => {
    const { topic } = await world.pair();
    await whileBroken(world, topic.name, [{ method: 'Publish', kind: 'fail', status: 'UNAVAILABLE', times: 25 }], async () => {
      for (let n = 0; n < 25; n += 1) expect(await codeOf(world, topic, 'x')).toBe(CODE.UNAVAILABLE);
    });
    expect(await codeOf(world, topic, 'x')).toBe(0);
  }),
  faultCase('share-of-calls', "F06: one call in ten can fail, and Google's client with its retries brings every message through", ['Publisher.Publish'], DOCS.errors, async (world) => {
    const { topic, path } = await world.pair();
    await whileBroken(world, topic.name, [{ method: 'Publish', kind: 'fail', status: 'UNAVAILABLE', times: null, every: 10 }], async () => {
      const codes: number[] = [];
      for (let n = 0; n < 30; n += 1) codes.push(await codeOf(world, topic, `tried once ${n}`));
      expect(codes.filter((code) => code === CODE.UNAVAILABLE)).toHaveLength(3);
      for (let n = 0; n < 20; n += 1) await world.publisher.publish({ topic: topic.name, messages: [{ data: Buffer.from(`tried again ${n}`) }] });
    });
    const texts = (await pull(world, path, 47)).map(({ text }) => text);
    expect(texts.filter((text) => text.startsWith('tried again'))).toHaveLength(20);
  }),
  faultCase('hang', 'F07: a publish can hang until its caller gives up, with or without being stored', ['Publisher.Publish'], DOCS.errors, async (world) => {
    const { topic, path } = await world.pair();
    await whileBroken(world, topic.name, [{ method: 'Publish', kind: 'hang' }, { method: 'Publish', kind: 'hang', takes_effect: true }], async () => {
      expect(await codeOf(world, topic, 'hung', 400)).toBe(CODE.DEADLINE_EXCEEDED);
      expect(await codeOf(world, topic, 'hung and stored', 400)).toBe(CODE.DEADLINE_EXCEEDED);
    });
    expect((await pull(world, path)).map(({ text }) => text)).toEqual(['hung and stored']);
    await expectNothing(world, path);
  }),
  faultCase('slow', 'a publish can come late, and is stored', ['Publisher.Publish'], DOCS.errors, async (world) => {
    const { topic, path } = await world.pair();
    await whileBroken(world, topic.name, [{ method: 'Publish', kind: 'delay', delay_ms: 700 }], async () => {
      const startMs = performance.now();
      expect(await codeOf(world, topic, 'slow')).toBe(0);
      expect(performance.now() - startMs).toBeGreaterThan(690);
    });
    expect((await pullOne(world, path)).text).toBe('slow');
  }),
  faultCase('answers-and-forgets', 'F08: a publish can be answered with an id and never be stored', ['Publisher.Publish'], DOCS.errors, async (world) => {
    const { topic, path } = await world.pair();
    await whileBroken(world, topic.name, [{ method: 'Publish', kind: 'lose' }], async () => {
      const [{ messageIds }] = await world.publisher.publish({ topic: topic.name, messages: [{ data: Buffer.from('a') }, { data: Buffer.from('b') }] });
      expect(new Set(messageIds).size).toBe(2);
    });
    await expectNothing(world, path);
  }),
  faultCase('stored-but-not-answered', 'F02: a publish can be stored and its answer be lost: who tries again makes a second message', ['Publisher.Publish'], DOCS.errors, async (world) => {
    const { topic, path } = await world.pair();
    await whileBroken(world, topic.name, [{ method: 'Publish', kind: 'fail', status: 'UNAVAILABLE', takes_effect: true }], async () => {
      expect(await codeOf(world, topic, 'again')).toBe(CODE.UNAVAILABLE);
      expect(await codeOf(world, topic, 'again')).toBe(0);
    });
    const both = await pull(world, path, 2);
    expect(both.map(({ text }) => text)).toEqual(['again', 'again']);
    expect(both[0]!.id).not.toBe(both[1]!.id);
  }),
  faultCase('second-of-three', 'F09: of three publishes the second can fail and the others succeed', ['Publisher.Publish'], DOCS.errors, async (world) => {
    const { topic, path } = await world.pair();
    await whileBroken(world, topic.name, [{ method: 'Publish', kind: 'fail', status: 'INTERNAL', after: 1 }], async () => {
      const codes = [];
      for (const text of ['1', '2', '3']) codes.push(await codeOf(world, topic, text));
      expect(codes).toEqual([0, CODE.INTERNAL, 0]);
    });
    expect((await pull(world, path, 2)).map(({ text }) => text).sort()).toEqual(['1', '3']);
  }),
  faultCase('half-of-a-request', 'F09: of the messages of one request the first half can be stored and the request fail', ['Publisher.Publish'], DOCS.errors, async (world) => {
    const { topic, path } = await world.pair();
    await whileBroken(world, topic.name, [{ method: 'Publish', kind: 'truncate' }], async () => {
      const call = world.publisher.publish({ topic: topic.name, messages: ['1', '2', '3', '4'].map((text) => ({ data: Buffer.from(text) })) }, { retry: null });
      expect(await refusalOf(call)).toMatchObject({ code: CODE.UNAVAILABLE });
    });
    expect((await pull(world, path, 2)).map(({ text }) => text).sort()).toEqual(['1', '2']);
    await expectNothing(world, path);
  }),
  faultCase('one-topic-of-two', 'F11: one topic can fail while another works', ['Publisher.Publish'], DOCS.errors, async (world) => {
    const [good, bad] = [await world.topic(), await world.topic()];
    await whileBroken(world, bad.name, [{ method: 'Publish', kind: 'fail', status: 'PERMISSION_DENIED', times: 2 }], async () => {
      expect([await codeOf(world, bad, 'x'), await codeOf(world, good, 'x'), await codeOf(world, bad, 'x')]).toEqual([CODE.PERMISSION_DENIED, 0, CODE.PERMISSION_DENIED]);
    });
  }),
  faultCase('published-twice', 'F12: a publish can be stored twice, under two ids', ['Publisher.Publish'], `${DOCS.rpc}#subscription`, async (world) => {
    const { topic, path } = await world.pair();
    await whileBroken(world, topic.name, [{ method: 'Publish', kind: 'duplicate' }], async () => { expect(await codeOf(world, topic, 'twice')).toBe(0); });
    const both = await pull(world, path, 2);
    expect(both.map(({ text }) => text)).toEqual(['twice', 'twice']);
    expect(both[0]!.id).not.toBe(both[1]!.id);
  }),
  faultCase('overtaken', 'F13: a publish can be overtaken by a later one', ['Publisher.Publish'], DOCS.ordering, async (world) => {
    const { topic, path } = await world.pair();
    await whileBroken(world, topic.name, [{ method: 'Publish', kind: 'reorder' }], async () => {
      await codeOf(world, topic, 'first');
      await codeOf(world, topic, 'second');
    });
    expect((await pull(world, path, 2)).map(({ text }) => text)).toEqual(['second', 'first']);
  }),
  faultCase('calls-of-administration', 'F10: other calls can fail as well: reading a topic, making a subscription, pulling, seeking', ['Publisher.GetTopic', 'Subscriber.CreateSubscription', 'Subscriber.Pull', 'Subscriber.Seek'], DOCS.errors, async (world) => {
    const { topic, path } = await world.pair();
    const plans = (...methods: string[]): Plan[] => methods.map((method) => ({ method, kind: 'fail', status: 'PERMISSION_DENIED' }));
    await whileBroken(world, topic.name, plans('GetTopic', 'CreateSubscription'), async () => {
      expect(await refusalOf(world.publisher.getTopic({ topic: topic.name }))).toMatchObject({ code: CODE.PERMISSION_DENIED });
      expect(await refusalOf(world.subscription(topic))).toMatchObject({ code: CODE.PERMISSION_DENIED });
      expect((await world.publisher.getTopic({ topic: topic.name }))[0].name).toBe(topic.name);
    });
    await whileBroken(world, path, plans('Pull', 'Seek'), async () => {
      expect(await refusalOf(world.subscriber.pull({ subscription: path, maxMessages: 1 }))).toMatchObject({ code: CODE.PERMISSION_DENIED });
      expect(await refusalOf(world.subscriber.seek({ subscription: path, time: { seconds: 1 } }))).toMatchObject({ code: CODE.PERMISSION_DENIED });
      expect(await pullNow(world, path)).toEqual([]);
    });
  }),
  faultCase('ack-lost', 'an acknowledgement can be answered and not count: the message comes again', ['Subscriber.Acknowledge'], `${DOCS.rpc}#subscriber`, async (world) => {
    const { topic, path } = await world.pair();
    await publish(topic, 'x');
    const message = await pullOne(world, path);
    await whileBroken(world, path, [{ method: 'Acknowledge', kind: 'lose' }], () => ack(world, path, message).then(() => {}));
    await nack(world, path, message);
    expect((await pullOne(world, path)).id).toBe(message.id);
  }),
  faultCase('stream-refused', "a stream can be refused when it is opened, and Google's subscriber opens another", ['Subscriber.StreamingPull'], DOCS.pull, async (world) => {
    const { topic, path } = await world.pair();
    await whileBroken(world, path, [{ method: 'StreamingPull', kind: 'fail', status: 'UNAVAILABLE', times: 2 }], async () => {
      let count = 0;
      const reader = world.client.subscription(path).on('message', (message) => {
        count += 1;
        message.ack();
      }).on('error', () => {});
      await publish(topic, 'x');
      await until('it came', () => count === 1, 20_000);
      await reader.close();
    });
  }),
  faultCase('stream-dropped', 'an open stream can be ended at once with any status; what it held comes again to the next', ['Subscriber.StreamingPull'], `${DOCS.rpc}#subscriber`, async (world) => {
    const { topic, path } = await world.pair();
    const stream = openStream(world, path);
    await publish(topic, 'x');
    await until('it came', () => stream.received().length === 1);
    await whileBroken(world, path, [{ method: 'OpenStream', kind: 'fail', status: 'UNAVAILABLE' }], async () => { expect(await stream.endedSoon()).toBe(CODE.UNAVAILABLE); });
    await nack(world, path, stream.received()[0]!);
    const next = openStream(world, path);
    await until('it came to the next', () => next.received().length === 1);
    next.close();
  }),
  faultCase('redelivered-now', 'what is outstanding or backing off can be redelivered at once, without waiting for deadline or backoff', ['Subscriber.Pull'], `${DOCS.rpc}#retrypolicy`, async (world) => {
    const { topic, path } = await world.pair({ retryPolicy: { minimumBackoff: { seconds: 600 }, maximumBackoff: { seconds: 600 } } });
    await publish(topic, 'backing off');
    const refused = await pullOne(world, path);
    await nack(world, path, refused);
    await expectNothing(world, path);
    await whileBroken(world, path, [{ method: 'Redeliver', kind: 'duplicate' }], async () => { expect((await pullOne(world, path)).id).toBe(refused.id); });
  }),
  faultCase('pushed-twice', 'F12: a message can be pushed twice at the same time', ['push delivery'], `${DOCS.rpc}#subscription`, pushed([{ method: 'Push', kind: 'duplicate' }], async ({ topic, endpoint }) => {
    // Neither is answered before both are there.
    endpoint.answer = async () => {
      await until('both', () => endpoint.pushes.length === 2);
      return 204;
    };
    await publish(topic, 'twice');
    await until('twice', () => endpoint.pushes.length === 2);
    expect(endpoint.pushes[0]!.text).toBe(endpoint.pushes[1]!.text);
  })),
  faultCase('push-overtaken', 'F13: a push can be overtaken by a later message', ['push delivery'], DOCS.ordering, pushed([{ method: 'Push', kind: 'reorder' }], async ({ topic, endpoint }) => {
    await publish(topic, 'first');
    await publish(topic, 'second');
    await until('both', () => endpoint.pushes.length === 2);
    expect(endpoint.pushes.map(pushedText)).toEqual(['second', 'first']);
  })),
  faultCase('push-answer-lost', 'F02: a push can arrive and its answer be lost: the message comes again', ['push delivery'], DOCS.push, pushed([{ method: 'Push', kind: 'fail', takes_effect: true }], async ({ topic, endpoint }) => {
    await publish(topic, 'x');
    await until('twice', () => endpoint.pushes.length === 2);
    expect(new Set(endpoint.pushes.map((push) => wrapped(push).message.messageId)).size).toBe(1);
  })),
  faultCase('share-of-pushes', 'F18: one push in twenty can be refused; everything is delivered all the same', ['push delivery'], `${DOCS.push}#push_backoff`, async (world) => withEndpoint(async (endpoint) => {
    const dead = await world.topic();
    const topic = await world.topic();
    const path = await world.subscription(topic, { deadLetterPolicy: { deadLetterTopic: dead.name, maxDeliveryAttempts: 100 } });
    await whileBroken(world, path, [{ method: 'Push', kind: 'fail', times: null, every: 20 }], async () => {
      await world.subscriber.modifyPushConfig({ subscription: path, pushConfig: { pushEndpoint: endpoint.url } });
      await world.publisher.publish({ topic: topic.name, messages: Array.from({ length: 100 }, (_, n) => ({ data: Buffer.from(`n${n}`) })) });
      await until('all', () => new Set(endpoint.pushes.map(pushedText)).size === 100);
      // A hundred and the refused ones themselves, each twentieth of them: those say a second attempt.
      expect(endpoint.pushes.filter((push) => wrapped(push).deliveryAttempt! > 1).length).toBeGreaterThanOrEqual(5);
      await world.subscriber.deleteSubscription({ subscription: path });
    });
  })),
  faultCase('push-hangs', 'F14: a push can hang until the ack deadline', ['push delivery'], DOCS.push, pushed([{ method: 'Push', kind: 'hang' }], async ({ topic, endpoint }) => {
    const startMs = performance.now();
    await publish(topic, 'x');
    await until('it came', () => endpoint.pushes.length === 1, 20_000);
    expect(endpoint.pushes[0]!.atMs - startMs).toBeGreaterThan(9_500);
  }, { ackDeadlineSeconds: 10 })),
  faultCase('push-swallowed', 'a message can be taken for acknowledged without ever having been pushed', ['push delivery'], DOCS.push, pushed([{ method: 'Push', kind: 'lose' }], async ({ topic, endpoint }) => {
    await publish(topic, 'swallowed');
    await publish(topic, 'comes');
    await until('one', () => endpoint.pushes.length === 1);
    await new Promise((done) => setTimeout(done, 500));
    expect(endpoint.pushes.map(pushedText)).toEqual(['comes']);
  })),
  faultCase('one-subscription-of-two', 'F32: pushes of one subscription can fail while another of the same topic gets everything', ['push delivery'], DOCS.push, async (world) => withEndpoint((other) => pushed([{ method: 'Push', kind: 'fail', times: null }], async ({ topic, endpoint }) => {
    const second = await world.subscription(topic, { pushConfig: { pushEndpoint: other.url } });
    await publish(topic, 'a', 'b', 'c');
    await until('the other has all', () => other.pushes.length === 3);
    expect(endpoint.pushes).toEqual([]);
    await world.subscriber.deleteSubscription({ subscription: second });
  })(world))),
  faultCase('dead-letter-barred', 'F44: the way to the dead-letter topic can be barred, as by a missing permission: the message stays and is delivered again', ['dead letters'], DOCS.deadLetters, async (world) => {
    const dead = await world.topic();
    const letters = await world.subscription(dead);
    const { topic, path } = await world.pair({ deadLetterPolicy: { deadLetterTopic: dead.name, maxDeliveryAttempts: 5 } });
    await publish(topic, 'poison');
    const refuse = async (times: number): Promise<void> => { for (let n = 0; n < times; n += 1) await nack(world, path, await pullOne(world, path)); };
    await whileBroken(world, path, [{ method: 'DeadLetter', kind: 'fail' }, { method: 'Redeliver', kind: 'duplicate', times: 1_000, after: 5 }], async () => {
      await refuse(6);
      expect((await pullOne(world, letters)).attributes['CloudPubSubDeadLetterSourceDeliveryCount']).toBe('6');
    });
  }),
  faultCase('dead-letter-twice', 'a message can be dead-lettered twice', ['dead letters'], `${DOCS.rpc}#deadletterpolicy`, async (world) => {
    const dead = await world.topic();
    const letters = await world.subscription(dead);
    const { topic, path } = await world.pair({ deadLetterPolicy: { deadLetterTopic: dead.name, maxDeliveryAttempts: 5 } });
    await publish(topic, 'poison');
    await whileBroken(world, path, [{ method: 'DeadLetter', kind: 'duplicate' }], async () => {
      for (let n = 0; n < 5; n += 1) await nack(world, path, await pullOne(world, path));
      expect((await pull(world, letters, 2)).map(({ text }) => text)).toEqual(['poison', 'poison']);
    });
    expect(await pullNow(world, path)).toEqual([]);
  }),
  faultCase('plans-that-can-not-fire', 'a plan for a call that is not there, or of a kind that it can not do, is refused with a sentence', ['Publisher.Publish'], 'https://docs.cloud.google.com/pubsub/docs/emulator', async (world) => {
    const ask = async (plan: object): Promise<[number, string]> => {
      const response = await fetch(`${world.launched.ours!.controlUrl}/faults`, { method: 'POST', body: JSON.stringify(plan) });
      return [response.status, ((await response.json()) as { error?: string }).error ?? ''];
    };
    for (const plan of [{ method: 'Pubish', kind: 'fail' }, { method: 'Pull', kind: 'lose' }, { method: 'Publish', kind: 'fail', status: 'SOMETIMES' }]) {
      const [status, sentence] = await ask(plan);
      expect([status, sentence.length > 20]).toEqual([400, true]);
    }
  }),
];
