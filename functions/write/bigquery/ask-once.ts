// A question that has one answer for the life of the process: asked at the first call, and again only while it was not accepted.
// In goes the question, out comes a function that gives its answer. Called by function.ts for the reporting time zone.
import { ingestError } from '../../errors.ts';
import { retry } from '../../outcome.ts';
import type { Outcome } from '../../outcome.ts';

export function askOnce<T>(ask: () => Promise<Outcome<T>>): () => Promise<Outcome<T>> {
  let answer: Promise<Outcome<T>> | undefined;
  let known: Outcome<T> | undefined;
  return async () => {
    if (known !== undefined) return known;
    answer ??= ask().catch((error: unknown) => retry(ingestError('bigquery_unavailable', { reason: String(error) })));
    const outcome = await answer;
    if (outcome.kind === 'accepted') known = outcome;
    else answer = undefined;
    return outcome;
  };
}
