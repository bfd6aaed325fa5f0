// A circuit breaker around appends: while BigQuery is out, pushes are answered 503 at once instead of waiting 30 s each.
// In goes the append client's function, out comes the same function, guarded. Made by function.ts.
import { BrokenCircuitError, ConsecutiveBreaker, circuitBreaker, handleWhenResult } from 'cockatiel';
import type { AppendAnswer } from './append-answer.ts';
import type { AppendRows } from './append-client.ts';

/** Only what says that the service is in trouble counts; a missing table or column is no outage. */
const isOutage = (answer: unknown): boolean => {
  const { kind, outage } = answer as { kind: AppendAnswer['kind']; outage?: boolean };
  return kind === 'unavailable' && outage === true;
};

export function guardAppend(append: AppendRows, { failuresMax, openMs, onChange }: { failuresMax: number; openMs: number; onChange?: (open: boolean) => void }): AppendRows {
  const breaker = circuitBreaker(handleWhenResult(isOutage), { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failuresMax) });
  breaker.onBreak(() => onChange?.(true));
  breaker.onReset(() => onChange?.(false));
  return async (table, stream, rows) => {
    try {
      return await breaker.execute(() => append(table, stream, rows));
    } catch (error) {
      // Not an outage by itself: it must not keep the breaker open.
      if (error instanceof BrokenCircuitError) return { kind: 'unavailable', reason: 'BigQuery failed again and again; waiting before the next try', outage: false };
      throw error;
    }
  };
}
