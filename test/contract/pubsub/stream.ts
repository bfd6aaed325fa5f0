// The bare StreamingPull call, for cases that look at what Google's subscriber class hides.
import { readReceived, type Pulled, type PubSubWorld } from './world.ts';

type Answer = { receivedMessages: Parameters<typeof readReceived>[0][]; subscriptionProperties?: { exactlyOnceDeliveryEnabled: boolean; messageOrderingEnabled: boolean } | null };

/** `endedSoon`: the code with which it ends. */
export type Stream = { answers: Answer[]; received: () => Pulled[]; write: (request: object) => void; endedSoon: () => Promise<number>; close: () => void };

/** Instead of a code: it is still open after this time. */
const STILL_OPEN = -2;
const SOON_MS = 6_000;

/** The bare call, with its first request sent. */
export function openStream({ subscriber }: PubSubWorld, subscription: string, first: object = {}): Stream {
  const call = subscriber.streamingPull();
  const answers: Answer[] = [];
  call.on('data', (answer: Answer) => answers.push(answer));
  const ended = new Promise<number>((done) => { call.on('error', ({ code }: { code?: number }) => done(code ?? -1)).on('end', () => done(0)); });
  const endedSoon = (): Promise<number> => Promise.race([ended, new Promise<number>((done) => { setTimeout(() => done(STILL_OPEN), SOON_MS); })]);
  call.write({ subscription, streamAckDeadlineSeconds: 10, ...first });
  return { answers, received: () => answers.flatMap(({ receivedMessages }) => receivedMessages.map(readReceived)), write: (request) => { call.write(request); }, endedSoon, close: () => { call.cancel(); } };
}
