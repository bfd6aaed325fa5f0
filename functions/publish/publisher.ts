// Lines in, an outcome for each line out: lines that arrive within a few milliseconds share a message, and the message's fate
// is the fate of exactly its own lines. Called by `collect`, and by the writers for the rejected stream.
import type { MessageAttributes } from '../envelope.ts';
import type { EncodedLine } from '../envelope-line.ts';
import { LIMITS } from '../limits.ts';
import type { Outcome } from '../outcome.ts';
import { packMessage } from './message.ts';

/** Sends one message; the outcome is final (deadline, retries and breaker are inside). */
export type Send = (data: Buffer, attributes: MessageAttributes) => Promise<Published>;

export type Published = Outcome<{ messageId: string }>;

export type Publisher = {
  /** Like `publish`, without a promise for each line; a bug is told to `fail`. */
  add: (line: EncodedLine, settle: (outcome: Published) => void, fail: (error: unknown) => void) => void;
  /** Resolves when the line's message was acknowledged, or was not in time. Never throws for faults of Google's. */
  publish: (line: EncodedLine) => Promise<Published>;
  /** Sends what is waiting, and resolves when nothing is under way. */
  flush: () => Promise<void>;
};

export type PublisherOptions = {
  stream: string;
  send: Send;
  limits?: { messageBytesMax: number; messageMergedBytesMax: number; coalesceMs: number; coalesceBusyMs: number };
};

type Waiting = { lines: EncodedLine[]; settle: ((outcome: Published) => void)[]; fail: ((error: unknown) => void)[]; bytes: number; mergedBytes: number; isDue: boolean };

export function createPublisher({ stream, send, limits = LIMITS }: PublisherOptions): Publisher {
  let open: Waiting | undefined;
  let timer: NodeJS.Timeout | undefined;
  const underWay = new Set<Promise<void>>();

  const close = (): void => {
    if (open === undefined) return;
    clearTimeout(timer);
    const message = open;
    open = undefined;
    const sent = deliver(message).finally(() => {
      underWay.delete(sent);
      if (open?.isDue === true) close();
    });
    underWay.add(sent);
  };

  /** A call of Pub/Sub costs as much CPU as a batch of events: while one is under way, the next message waits a little for company. */
  const due = (): void => {
    if (open === undefined || underWay.size === 0) return close();
    open.isDue = true;
    timer = setTimeout(close, limits.coalesceBusyMs - limits.coalesceMs);
  };

  const deliver = async (message: Waiting): Promise<void> => {
    try {
      const { data, attributes } = await packMessage(stream, message.lines);
      const outcome = await send(data, attributes);
      for (const settle of message.settle) settle(outcome);
    } catch (error) {
      for (const fail of message.fail) fail(error);
    }
  };

  const add: Publisher['add'] = (line, settle, fail) => {
    // A line that would push the message over a cap starts the next one; a line that is larger alone travels alone.
    if (open !== undefined && (open.bytes + line.bytes > limits.messageBytesMax || open.mergedBytes + line.mergedBytes > limits.messageMergedBytesMax)) close();
    if (open === undefined) {
      open = { lines: [], settle: [], fail: [], bytes: 0, mergedBytes: 0, isDue: false };
      timer = setTimeout(due, limits.coalesceMs);
    }
    open.lines.push(line);
    open.settle.push(settle);
    open.fail.push(fail);
    open.bytes += line.bytes;
    open.mergedBytes += line.mergedBytes;
  };

  return {
    add,
    publish: (line) => new Promise((settle, fail) => add(line, settle, fail)),
    async flush() {
      close();
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
