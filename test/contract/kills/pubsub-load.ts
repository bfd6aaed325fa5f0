// Pub/Sub under load: batches are published, some of them wrong, messages are pulled and acknowledged, topics come and go.
import { once, type GoogleClients } from '../google-clients.ts';
import { outcomeOf, work, type Answered, type Load, type Verdict } from './load.ts';

const CALL_MS = 10_000;
/** Nothing more comes when so many pulls in a row were empty, 20 ms apart; fewer are asked when all is there that must be. */
const EMPTY_PULLS = { missing: 150, complete: 4 };

type Batch = { texts: string[]; answered: Answered };

export function pubsubLoad(): Load {
  const tally = { done: 0 };
  const batches: Batch[] = [];
  /** Where an acknowledgement was sent: Google may then deliver the message again, or not. */
  const ackSent = new Set<string>();
  /** Where the acknowledgement was confirmed: with exactly-once delivery it never comes again. */
  const ackConfirmed = new Set<string>();
  const topics = new Map<string, boolean | undefined>();
  const arrived = new Set<string>();
  let stolen = 0;

  async function publish({ publisher, topic }: GoogleClients, key: string, turn: number): Promise<Answered> {
    const isWrong = turn % 7 === 6;
    const texts = Array.from({ length: 1 + (turn * 5) % 16 }, (_, index) => `${key}-${turn}-${index}${isWrong ? '-wrong' : ''}`);
    // An attribute key may have 256 bytes: one message that is wrong refuses all of its request.
    const messages = texts.map((text, index) => ({ data: Buffer.from(text), attributes: isWrong && index === 0 ? { ['k'.repeat(257)]: 'x' } : {} }));
    const answered = await outcomeOf(publisher.publish({ topic: topic('load'), messages }, once(CALL_MS)));
    batches.push({ texts, answered });
    return answered;
  }

  /** From `load`, which may deliver again what was acknowledged, and from `once`, which may not. */
  async function consume({ subscriber, subscription }: GoogleClients, isOnce: boolean): Promise<Answered> {
    const name = subscription(isOnce ? 'once' : 'load');
    let texts: string[] = [];
    const answered = await outcomeOf((async () => {
      const [{ receivedMessages }] = await subscriber.pull({ subscription: name, maxMessages: 20, returnImmediately: true }, once(CALL_MS));
      // A part is left alone: it must come again.
      const taken = (receivedMessages ?? []).filter((_, index) => isOnce || index % 4 !== 3);
      texts = taken.map(({ message }) => Buffer.from(message!.data as Uint8Array).toString());
      if (!isOnce) for (const text of texts) ackSent.add(text);
      if (taken.length > 0) await subscriber.acknowledge({ subscription: name, ackIds: taken.map(({ ackId }) => ackId!) }, once(CALL_MS));
      else await new Promise((done) => setTimeout(done, 5));
    })());
    if (isOnce && answered === 'done') for (const text of texts) ackConfirmed.add(text);
    return answered;
  }

  async function comeAndGo({ publisher, topic }: GoogleClients, key: string, turn: number): Promise<Answered> {
    const name = topic(`come-${key}-${turn - (turn % 2)}`);
    const isDelete = turn % 2 === 1;
    if (isDelete && topics.get(name) !== true) return 'done';
    const answered = await outcomeOf(isDelete ? publisher.deleteTopic({ topic: name }, once(CALL_MS)) : publisher.createTopic({ name }, once(CALL_MS)));
    topics.set(name, answered === 'unknown' ? undefined : !isDelete);
    return answered;
  }

  /** Takes all that is waiting; what comes is remembered. */
  async function drain({ subscriber, subscription }: GoogleClients, isEnough: () => boolean): Promise<string[]> {
    const texts: string[] = [];
    for (let empty = 0; empty < (isEnough() ? EMPTY_PULLS.complete : EMPTY_PULLS.missing);) {
      const [{ receivedMessages }] = await subscriber.pull({ subscription: subscription('load'), maxMessages: 1_000, returnImmediately: true }, once(CALL_MS));
      const all = receivedMessages ?? [];
      empty = all.length > 0 ? 0 : empty + 1;
      for (const { message } of all) {
        const text = Buffer.from(message!.data as Uint8Array).toString();
        texts.push(text);
        arrived.add(text);
      }
      if (all.length > 0) await subscriber.acknowledge({ subscription: subscription('load'), ackIds: all.map(({ ackId }) => ackId!) }, once(CALL_MS));
      else await new Promise((done) => setTimeout(done, 20));
    }
    return texts;
  }

  /** What comes from `once`; what somebody has there stays away until its deadline. */
  async function pulledOnce({ subscriber, subscription }: GoogleClients): Promise<string[]> {
    const texts: string[] = [];
    for (let empty = 0; empty < EMPTY_PULLS.complete;) {
      const [{ receivedMessages }] = await subscriber.pull({ subscription: subscription('once'), maxMessages: 1_000, returnImmediately: true }, once(CALL_MS));
      const all = receivedMessages ?? [];
      empty = all.length > 0 ? 0 : empty + 1;
      texts.push(...all.map(({ message }) => Buffer.from(message!.data as Uint8Array).toString()));
      if (all.length > 0) await subscriber.acknowledge({ subscription: subscription('once'), ackIds: all.map(({ ackId }) => ackId!) }, once(CALL_MS));
      else await new Promise((done) => setTimeout(done, 20));
    }
    return texts;
  }

  async function check(clients: GoogleClients): Promise<Verdict> {
    const missing = (): string[] => batches.filter(({ answered }) => answered === 'done').flatMap(({ texts }) => texts.filter((text) => !arrived.has(text) && !ackSent.has(text)));
    const texts = await drain(clients, () => missing().length === 0);
    const lost = missing().map((text) => `message ${text}`);
    const unexpected = (await pulledOnce(clients)).filter((text) => ackConfirmed.has(text)).map((text) => `message ${text} came again after its acknowledgement was confirmed`);
    const isThere = (text: string): boolean => arrived.has(text) || ackSent.has(text);
    for (const { texts: sent, answered } of batches) {
      if (answered === 'refused') unexpected.push(...sent.filter(isThere).map((text) => `refused message ${text}`));
      else if (answered === 'unknown' && sent.some(isThere) && !sent.every(isThere)) unexpected.push(`a part of the request of ${sent[0]}`);
    }
    const known = new Set(batches.flatMap(({ texts: sent }) => sent));
    unexpected.push(...texts.filter((text) => !known.has(text)).map((text) => `message ${text}, which was never sent`));
    const [all] = await clients.publisher.listTopics({ project: `projects/${clients.project}` }, once(CALL_MS));
    const names = new Set(all.map(({ name }) => name!));
    for (const [name, exists] of topics) {
      if (exists === true && !names.has(name)) lost.push(`topic ${name}`);
      if (exists === false && names.has(name)) lost.push(`the deletion of ${name}`);
    }
    const checked = batches.filter(({ answered }) => answered === 'done').flatMap((batch) => batch.texts).length + ackConfirmed.size + [...topics.values()].filter((exists) => exists !== undefined).length;
    // What has arrived is settled; the next round begins with a clean sheet.
    batches.length = 0;
    topics.clear();
    ackConfirmed.clear();
    return { checked, lost, unexpected };
  }

  return {
    service: 'pubsub', tally, check,
    async prepare({ publisher, subscriber, topic, subscription }) {
      await publisher.createTopic({ name: topic('load') }, once(CALL_MS));
      await subscriber.createSubscription({ name: subscription('load'), topic: topic('load'), ackDeadlineSeconds: 600 }, once(CALL_MS));
      await subscriber.createSubscription({ name: subscription('once'), topic: topic('load'), enableExactlyOnceDelivery: true, ackDeadlineSeconds: 600 }, once(CALL_MS));
    },
    async run(clients, isOver, round) {
      await Promise.all([
        work(tally, 3, isOver, (worker, turn) => publish(clients, `r${round}w${worker}`, turn)),
        work(tally, 1, isOver, () => consume(clients, false)),
        work(tally, 1, isOver, () => consume(clients, true)),
        work(tally, 1, isOver, (_, turn) => comeAndGo(clients, `r${round}`, turn)),
      ]);
    },
    async sabotage(clients) {
      const text = `stolen-${(stolen += 1)}`;
      batches.push({ texts: [text], answered: await outcomeOf(clients.publisher.publish({ topic: clients.topic('load'), messages: [{ data: Buffer.from(text) }] }, once(CALL_MS))) });
      await drain(clients, () => arrived.has(text));
      arrived.delete(text);
    },
  };
}
