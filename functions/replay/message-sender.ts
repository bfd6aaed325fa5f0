// Lines in, replayed messages out, a few at a time. Called by raw.ts and rejected.ts. A message that Pub/Sub does not take is
// tried again; when it stays refused the replay stops, and says so: running it again from the start changes nothing twice.
import type { EncodedLine } from '../envelope-line.ts';
import { LIMITS } from '../limits.ts';
import { packMessage } from '../publish/message.ts';
import type { Send } from '../publish/publisher.ts';

export type MessageSender = {
  /** Queues a line; waits while too many messages are under way. `replayOf` absent: the message is a new one (archived again). */
  send(stream: string, line: EncodedLine, replayOf: string | undefined): Promise<void>;
  /** Sends what is queued and waits for all of it. Throws when a message was refused for good. */
  end(): Promise<void>;
  messages(): number;
};

const UNDER_WAY_MAX = 8;
const TRIES_MAX = 5;
const FIRST_WAIT_MS = 500;

export function createMessageSender(options: {
  sendTo: (stream: string) => Send;
  wait: (ms: number) => Promise<unknown>;
  limits?: { messageBytesMax: number; messageMergedBytesMax: number };
}): MessageSender {
  const limits = options.limits ?? LIMITS;
  const underWay = new Set<Promise<void>>();
  let open: { stream: string; replayOf: string | undefined; lines: EncodedLine[]; bytes: number; mergedBytes: number } | undefined;
  let failure: Error | undefined;
  let messages = 0;

  const deliver = async (stream: string, lines: EncodedLine[], replayOf: string | undefined): Promise<void> => {
    const { data, attributes } = await packMessage(stream, lines, replayOf);
    for (let tries = 1; ; tries += 1) {
      const outcome = await options.sendTo(stream)(data, attributes);
      if (outcome.kind === 'accepted') break;
      if (tries === TRIES_MAX || outcome.kind === 'rejected') throw new Error(`Pub/Sub did not take a message: ${outcome.error.message}`);
      await options.wait(FIRST_WAIT_MS * 2 ** (tries - 1));
    }
    messages += 1;
  };

  const close = async (): Promise<void> => {
    if (open === undefined) return;
    const { stream, lines, replayOf } = open;
    open = undefined;
    while (underWay.size >= UNDER_WAY_MAX) await Promise.race(underWay);
    if (failure !== undefined) throw failure;
    const delivery: Promise<void> = deliver(stream, lines, replayOf)
      .catch((error: unknown) => { failure ??= error as Error; })
      .finally(() => underWay.delete(delivery));
    underWay.add(delivery);
  };

  return {
    async send(stream, line, replayOf) {
      const fits = open !== undefined && open.stream === stream && open.replayOf === replayOf
        && open.bytes + line.bytes <= limits.messageBytesMax && open.mergedBytes + line.mergedBytes <= limits.messageMergedBytesMax;
      if (!fits) await close();
      open ??= { stream, replayOf, lines: [], bytes: 0, mergedBytes: 0 };
      open.lines.push(line);
      open.bytes += line.bytes;
      open.mergedBytes += line.mergedBytes;
    },
    async end() {
      await close();
      await Promise.all(underWay);
      if (failure !== undefined) throw failure;
    },
    messages: () => messages,
  };
}
