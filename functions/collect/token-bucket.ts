// A source's rate, as a bucket of one second's events. Events are taken after they were counted, so the bucket may go into debt
// and the source waits it out: the average holds, and a large batch is never refused for its size. One bucket per instance.
import type { Clock } from '../clock.ts';

export type TokenBucket = {
  /** Milliseconds until the next request may be taken; 0 when it may now. */
  waitMs: () => number;
  take: (events: number) => void;
};

export function createTokenBucket(perSecond: number, clock: Clock): TokenBucket {
  let tokens = perSecond;
  let at = clock();
  const refill = (): void => {
    const now = clock();
    tokens = Math.min(perSecond, tokens + (Math.max(0, now - at) * perSecond) / 1_000);
    at = now;
  };
  return {
    waitMs() {
      refill();
      return tokens > 0 ? 0 : Math.ceil((1 - tokens) * 1_000 / perSecond);
    },
    take(events) {
      refill();
      tokens -= events;
    },
  };
}
