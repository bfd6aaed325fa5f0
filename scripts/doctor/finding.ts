// What the doctor says: a finding is something wrong, where, why it matters, and the command that mends it. A check makes findings, or
// could not be made; it is never taken for healthy because it could not look.
import type { Kind } from './kinds.ts';

export type Finding = {
  kind: Kind;
  /** The thing, by its name in Google Cloud. */
  where: string;
  what: string;
  why: string;
  /** One command, ready for a terminal. */
  cure: string;
};

/** A check that has no counterpart where it runs; it is told, and makes nobody ill. */
export class NotHere extends Error {
  override name = 'NotHere';
}

export type Check = { name: string; run: () => Promise<Finding[]> };

export type Examination = {
  checks: number;
  findings: Finding[];
  /** Checks that failed: no permission, no answer. */
  not_made: { check: string; because: string }[];
  /** Checks of things that only a real project has. */
  not_here: { check: string; because: string }[];
};

/** Runs every check, several at a time; one that fails does not keep the others from looking. */
export async function examine(checks: readonly Check[], atOnce = 6): Promise<Examination> {
  const examination: Examination = { checks: checks.length, findings: [], not_made: [], not_here: [] };
  const results: Finding[][] = checks.map(() => []);
  const waiting = [...checks.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, check] = next;
      try {
        results[index] = await check.run();
      } catch (error) {
        (error instanceof NotHere ? examination.not_here : examination.not_made).push({ check: check.name, because: reasonOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  examination.findings = results.flat();
  for (const list of [examination.not_made, examination.not_here]) list.sort((a, b) => (a.check < b.check ? -1 : 1));
  return examination;
}

/** Google's clients put the status in `code` and a sentence, sometimes of several lines, in `message`. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: number | string; message?: string };
  const sentence = (message ?? String(error)).split('\n')[0]!;
  return code === undefined || sentence.startsWith(String(code)) ? sentence : `${code}: ${sentence}`;
}
