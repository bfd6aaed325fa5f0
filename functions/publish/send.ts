// One message in, one outcome out: deadline, bounded retries and circuit breaker around a single call of Pub/Sub's client.
// Made once per topic by function.ts; called by the publisher.
import { BrokenCircuitError, CircuitState, SamplingBreaker, circuitBreaker, handleAll, type CircuitBreakerPolicy } from 'cockatiel';
import type { MessageAttributes } from '../envelope.ts';
import { ingestError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Log } from '../log.ts';
import { accepted, retry } from '../outcome.ts';
import type { Send } from './publisher.ts';

/** One call of Google's client: resolves to the message id, or throws an error with a gRPC `code`. */
export type PublishCall = (data: Buffer, attributes: MessageAttributes, timeoutMs: number) => Promise<string>;

/** gRPC codes after which the same message may succeed: CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE. */
const TRANSIENT: ReadonlySet<unknown> = new Set([1, 2, 4, 8, 10, 13, 14]);
const TRIES_MAX = 3;
const FIRST_RETRY_AFTER_MS = 100;
/** Every call earns a tenth of a retry, so that retries add at most 10 % to the load of a service in trouble. */
const RETRIES_PER_CALL = 0.1;
const RETRIES_SAVED_MAX = 10;
const BREAKER = { threshold: 0.5, duration: 10_000, minimumRps: 1 };
const HALF_OPEN_AFTER_MS = 2_000;

export type SendOptions = {
  topic: string;
  call: PublishCall;
  log: Log;
  deadlineMs?: number;
};

export type GuardedSend = {
  send: Send;
  /** Whether the breaker lets a message through now; asked before a body is read. */
  isOpen: () => boolean;
};

class DeadlineError extends Error {
  override name = 'DeadlineError';
  readonly code = 4;
}

export function createSend({ topic, call, log, deadlineMs = LIMITS.publishTimeoutMs }: SendOptions): GuardedSend {
  const breaker: CircuitBreakerPolicy = circuitBreaker(handleAll, {
    breaker: new SamplingBreaker(BREAKER), halfOpenAfter: HALF_OPEN_AFTER_MS, halfOpenSampling: { calls: 3, threshold: 0.5 },
  });
  let retriesSaved = RETRIES_SAVED_MAX;
  let openedAt = -Infinity;
  breaker.onBreak(() => {
    openedAt = performance.now();
    log('WARNING', 'The breaker before Pub/Sub opened.', { topic });
  });
  breaker.onReset(() => log('INFO', 'The breaker before Pub/Sub closed.', { topic }));

  const tryOften = async (data: Buffer, attributes: MessageAttributes): Promise<string> => {
    const deadline = performance.now() + deadlineMs;
    retriesSaved = Math.min(RETRIES_SAVED_MAX, retriesSaved + RETRIES_PER_CALL);
    for (let attempt = 1; ; attempt++) {
      try {
        return await breaker.execute(() => withDeadline(deadline - performance.now(), (timeoutMs) => call(data, attributes, timeoutMs)));
      } catch (error) {
        const waitMs = FIRST_RETRY_AFTER_MS * 4 ** (attempt - 1) * (0.5 + Math.random());
        const isWorthIt = TRANSIENT.has((error as { code?: unknown }).code) && !(error instanceof BrokenCircuitError);
        if (!isWorthIt || attempt >= TRIES_MAX || retriesSaved < 1 || performance.now() + waitMs >= deadline) throw error;
        retriesSaved -= 1;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  };

  return {
    isOpen: () => breaker.state === CircuitState.Open && performance.now() - openedAt < HALF_OPEN_AFTER_MS,
    async send(data, attributes) {
      try {
        return accepted({ messageId: await tryOften(data, attributes) });
      } catch (error) {
        const { code, message } = error as { code?: unknown; message: string };
        if (!(error instanceof BrokenCircuitError)) log(TRANSIENT.has(code) ? 'WARNING' : 'ERROR', 'Pub/Sub did not take a message.', { topic, code, error: message });
        return retry(ingestError('publish_unavailable', { reason: error instanceof BrokenCircuitError ? 'it failed too often lately' : `code ${String(code ?? 'unknown')}` }));
      }
    },
  };
}

/** The client's own timeout is not enough: a hung connection or a token that does not come must not hold an answer either. */
async function withDeadline<T>(timeoutMs: number, work: (timeoutMs: number) => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`no answer within ${Math.round(timeoutMs)} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work(timeoutMs), late]);
  } finally {
    clearTimeout(timer);
  }
}
