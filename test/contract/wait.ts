// Waiting until a service has done what it promised "soon". Contract cases call it instead of sleeping. And what a call was refused with.

/** Asks again every 50 ms until `holds` is true; throws with `what` when `ms` milliseconds have passed. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
  const endMs = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`Not within ${ms} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/**
 * What a call that must be refused is refused with. Cases ask this instead of `expect(…).rejects`: they run side by side, and vitest books a promise
 * that it expects of to whichever test began last, so the refusal that a marked case lacks would fail its neighbour.
 */
export async function refusalOf(call: Promise<unknown>): Promise<Error> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    return error as Error;
  }
  throw new Error(`It was not refused but answered ${JSON.stringify(answer)?.slice(0, 1_000)}`);
}

/** A name that no other run has used, so that suites can share a project. */
export function uniqueName(what: string): string {
  return `contract-${what}-${Date.now().toString(36)}${Math.floor(Math.random() * 36 ** 4).toString(36).padStart(4, '0')}`;
}
