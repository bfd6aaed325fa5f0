// A promise in, the same promise with a deadline out. For every call of Google's clients whose own deadline is minutes, or none.

/** Google's REST clients retry inside; this bounds the whole. */
const CALL_MS_MAX = 20_000;

export async function inTime<T>(work: Promise<T>, what: string, msMax = CALL_MS_MAX): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${msMax} ms`)), msMax);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
