// A name that is not known and those that are in, `; Did you mean …?` or nothing out; called where BigQuery's errors have such a hint.

/** How far apart two names may be, measured on Google's analyser: a third of a short name, three letters of most, more of long ones. */
const distanceMax = ({ length }: string): number => Math.min(length - 2, Math.max(3, Math.floor(length / 5)));

export function didYouMean(name: string, known: string[]): string {
  const wanted = name.toLowerCase();
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known.toSorted()) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance <= distanceMax(wanted) && distance < (best?.distance ?? Infinity)) best = { name: candidate, distance };
  }
  return best ? `; Did you mean ${best.name}?` : '';
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
