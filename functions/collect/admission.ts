// Whether this instance can take one more request: bytes in memory, delay of the event loop, and whether it is stopping. Asked
// before a body is read, so that an overloaded instance spends nothing on what it will refuse. Made once by function.ts.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ingestError, type IngestError } from '../errors.ts';
import { LIMITS } from '../limits.ts';

export type Admission = {
  /** Undefined when the request may go on; its bytes are then taken until `release`. */
  take: (bytes: number) => IngestError | undefined;
  release: (bytes: number) => void;
  inFlightBytes: () => number;
};

export type AdmissionOptions = {
  /** The event loop's delay lately, in milliseconds. */
  loopDelayMs: () => number;
  limits?: { inFlightBytesMax: number; loopDelayMsMax: number };
};

export function createAdmission({ loopDelayMs, limits = LIMITS }: AdmissionOptions): Admission {
  let inFlight = 0;
  return {
    take(bytes) {
      if (inFlight + bytes > limits.inFlightBytesMax) return ingestError('overloaded', { reason: 'too many bytes in memory' });
      // With nothing in memory there is nothing to shed, whatever the loop's delay was.
      if (inFlight > 0 && loopDelayMs() > limits.loopDelayMsMax) return ingestError('overloaded', { reason: 'its event loop is late' });
      inFlight += bytes;
      return undefined;
    },
    release(bytes) {
      inFlight -= bytes;
    },
    inFlightBytes: () => inFlight,
  };
}

const RESOLUTION_MS = 20;
const WINDOW_MS = 1_000;

/**
 * The median of the event loop's delay over the last whole second, as `loopDelayMs` of the admission. Not its p99: with 50 samples
 * that is the worst one, and a single stall (a collection of garbage, a neighbour on the machine) is over when it is seen.
 */
export function watchLoopDelay(): () => number {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let delayMs = 0;
  let windowStart = performance.now();
  setInterval(() => {
    // An idle instance on Cloud Run gets no CPU: a window much longer than asked for says nothing about load.
    const isWhole = performance.now() - windowStart < 3 * WINDOW_MS;
    windowStart = performance.now();
    delayMs = isWhole ? Math.max(0, histogram.percentile(50) / 1e6 - RESOLUTION_MS) : 0;
    histogram.reset();
  }, WINDOW_MS).unref();
  return () => delayMs;
}
