// Stopping tidily: after SIGTERM new requests and bodies that are still coming get 503 and a closed connection, publishes that are
// under way are waited for, then the process ends, within 8 of the 10 seconds that Cloud Run gives. Made once by function.ts.
import type { ServerResponse } from 'node:http';
import { ingestError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Log } from '../log.ts';
import { takeSignals } from '../stop.ts';
import { respondError } from './respond.ts';

export type Drain = {
  /** A request came; true when the instance is stopping. */
  enter: (response: ServerResponse) => boolean;
  /** Its body is being read. */
  reading: (response: ServerResponse) => void;
  read: (response: ServerResponse) => void;
  leave: (response: ServerResponse) => void;
  /** Stops taking requests; resolves when all are answered, or time is up. */
  begin: () => Promise<void>;
};

export function createDrain(drainMs: number = LIMITS.drainMs): Drain {
  const active = new Set<ServerResponse>();
  const reading = new Set<ServerResponse>();
  let isStopping = false;
  let done: (() => void) | undefined;
  /** Answered now, it is nothing to wait for: its body may never come. */
  const turnAway = (response: ServerResponse): void => {
    respondError(response, ingestError('shutting_down'), { connection: 'close' });
    active.delete(response);
    if (active.size === 0) done?.();
  };
  return {
    enter(response) {
      active.add(response);
      return isStopping;
    },
    reading(response) {
      // It came before the signal, and waited for the sources document meanwhile.
      if (isStopping) turnAway(response);
      else reading.add(response);
    },
    read: (response) => void reading.delete(response),
    leave(response) {
      active.delete(response);
      reading.delete(response);
      if (active.size === 0) done?.();
    },
    begin() {
      isStopping = true;
      for (const response of reading) turnAway(response);
      for (const response of active) if (!response.headersSent) response.setHeader('connection', 'close');
      if (active.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        done = resolve;
        setTimeout(resolve, drainMs).unref();
      });
    },
  };
}

/**
 * Takes SIGTERM, SIGINT and uncaught errors over from functions-framework, whose own handlers end the process at once and with it
 * every request that waits for Pub/Sub. The framework registers them when it listens, after this file was loaded, so they are
 * replaced at the first request; before that nothing is under way, and ending at once is right.
 */
export function takeOverSignals(drain: Drain, log: Log, atEnd: () => Promise<void>): void {
  let isEnding = false;
  const end = async (exitCode: number): Promise<void> => {
    if (isEnding) return;
    isEnding = true;
    setTimeout(() => process.exit(exitCode), LIMITS.drainMs).unref();
    await drain.begin();
    await atEnd();
    // Answers are written to their sockets in this turn of the loop or the next.
    setTimeout(() => process.exit(exitCode), 50);
  };
  takeSignals(() => void end(0));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.removeAllListeners(event);
    process.on(event, (error: unknown) => {
      log('ERROR', 'An error that no request caught; the instance stops after its requests.', { event, error });
      void end(1);
    });
  }
}
