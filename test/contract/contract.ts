// What a contract case is, and how a suite of them is run against one implementation of a Google service. A case is written against Google's
// documentation, uses Google's own clients only, and finds the service by the environment variables that those clients read.
import { afterAll, beforeAll, describe, test } from 'vitest';
import { launch, whyAbsent, type Implementation, type Launched, type Power, type ServiceName } from './implementations.ts';

export type ContractCase<World> = {
  /** Stable and unique within the service, e.g. `nack-redelivers`: the tables in the docs name it. */
  name: string;
  /** What Google promises, as one sentence about the service. */
  promise: string;
  /** The methods of the service's surface.ts that this case shows. */
  methods: readonly string[];
  /** Google's page, proto or issue that says so. */
  source: string;
  /** Where an implementation is known to do otherwise: why, in a sentence. The case is run there all the same and must fail, so that a mark can't outlive its reason. */
  differs?: Partial<Record<Implementation, Difference>>;
  /** What the case must be able to do besides calling the service. Where an implementation can't be steered so, the case is not asked of it. */
  needs?: readonly Power[];
  /** True: no other case runs meanwhile, because this one moves the clock, breaks calls, ends the process or counts what the others make. */
  isAlone?: boolean;
  timeoutMs?: number;
  run(world: World): Promise<void>;
};

/** isSkipped: the case would end or hang that implementation, so it is not run there. */
export type Difference = { reason: string; isSkipped?: true };

/** How far a method can be trusted. absent: it refuses, by name, in Google's error shape, and a case shows that. */
export type Grade = 'faithful' | 'approximate' | 'absent';
export type SurfaceLine = { method: string; grade: Grade; says: string };

export type Suite<World> = {
  service: ServiceName;
  cases: readonly ContractCase<World>[];
  surface: readonly SurfaceLine[];
  /** Makes the clients from the environment; called once for a suite. */
  openWorld(launched: Launched): Promise<World>;
  closeWorld(world: World): Promise<void>;
};

export type CaseOutcome = 'passed' | 'differs' | 'not asked';

declare module 'vitest' {
  interface TaskMeta {
    contract?: { service: ServiceName; implementation: Implementation; name: string; outcome: CaseOutcome; reason?: string };
  }
}

const CASE_TIMEOUT_MS = 30_000;

/** Declares the tests of one suite against one implementation. Called by `<service>/<implementation>.test.ts`. */
export function runSuite<World>(suite: Suite<World>, implementation: Implementation): void {
  const absent = whyAbsent(suite.service, implementation);
  describe.skipIf(absent !== undefined)(`${suite.service}: ${implementation}${absent === undefined ? '' : ` (${absent})`}`, () => {
    let launched: Launched;
    let world: World;
    beforeAll(async () => {
      launched = await launch(suite.service, implementation);
      world = await suite.openWorld(launched);
    });
    afterAll(async () => {
      if (world !== undefined) await suite.closeWorld(world);
      await launched?.stop();
    });

    for (const one of suite.cases) {
      const difference = one.differs?.[implementation];
      const declare = one.isAlone === true ? test : test.concurrent;
      declare(`${one.name}: ${one.promise}`, { timeout: one.timeoutMs ?? CASE_TIMEOUT_MS }, async ({ task, skip }) => {
        const note = (outcome: CaseOutcome, reason?: string): void => {
          task.meta.contract = { service: suite.service, implementation, name: one.name, outcome, ...(reason === undefined ? {} : { reason }) };
        };
        const lacking = (one.needs ?? []).filter((power) => !launched.powers.has(power));
        const notAsked = lacking.length > 0 ? `it can't be steered here: ${lacking.join(', ')}` : difference?.isSkipped === true ? difference.reason : undefined;
        if (notAsked !== undefined) {
          note('not asked', notAsked);
          skip(notAsked);
        }
        if (difference === undefined) {
          await one.run(world);
          return note('passed');
        }
        await expectDifference(one, difference, world);
        note('differs', difference.reason);
      });
    }
  });
}

async function expectDifference<World>(one: ContractCase<World>, difference: Difference, world: World): Promise<void> {
  try {
    await one.run(world);
  } catch {
    return;
  }
  throw new Error(`This implementation no longer differs ("${difference.reason}"): take the mark off the case ${one.name}.`);
}
