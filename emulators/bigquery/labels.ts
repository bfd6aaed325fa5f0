// Labels of jobs, tables and datasets: refuses what Google refuses. Called where a request brings them.
import { Refusal } from './refusal.ts';

/** docs/labels-intro#requirements: at most 64; keys and values of lower case letters (of any language), digits, `_` and `-`, at most 63 characters; a key begins with a letter. */
const LABELS_MAX = 64;
const KEY = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const VALUE = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;

export function checkLabels(labels: unknown): void {
  if (labels === undefined || labels === null) return;
  const entries = Object.entries(labels as Record<string, unknown>);
  if (entries.length > LABELS_MAX) throw new Refusal('invalid', `Too many labels: ${entries.length}, at most ${LABELS_MAX}.`);
  for (const [key, value] of entries) {
    if (!KEY.test(key)) throw new Refusal('invalid', `Label keys must start with a lower case letter and hold only lower case letters, digits, _ and -, at most 63 characters: ${JSON.stringify(key)}`);
    if (value !== null && (typeof value !== 'string' || !VALUE.test(value))) throw new Refusal('invalid', `Label values hold only lower case letters, digits, _ and -, at most 63 characters: ${JSON.stringify(value)} (key ${key})`);
  }
}
