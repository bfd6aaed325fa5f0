// What a debug route answers: Google's validation messages, and what each event would have become. Stores nothing.
import type { JudgedBatch } from './collect.ts';
import type { Received } from './make-lines.ts';

export function explain(batch: JudgedBatch, _received: Received, _at: { now: number; timeZone: string }): unknown {
  return { validationMessages: [...batch.verdict.rejected].flatMap(([, errors]) => errors.map((error) => ({ fieldPath: error.pointer ?? '', description: error.message, validationCode: 'VALUE_INVALID' }))) };
}
