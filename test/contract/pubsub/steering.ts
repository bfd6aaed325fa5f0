// What a case may do to our service besides calling it: move its clock, break its calls. Only cases that name the power in
// `needs` come here.
import { renameSync, writeFileSync } from 'node:fs';
import { until } from '../wait.ts';
import { publish, pullOne, type PubSubWorld } from './world.ts';

/** A plan of emulators/faults.ts. */
export type Plan = { method: string; kind: string; status?: string; times?: number | null; after?: number; every?: number; delay_ms?: number; takes_effect?: boolean };

export type MovedClock = { move(offsetMs: number): Promise<void>; reset(): Promise<void> };

/** The service's clock from now on: the machine's plus the offset. Resolves when a published message shows it. */
export async function moveClock(world: PubSubWorld, offsetMs: number): Promise<MovedClock> {
  const { topic, path } = await world.pair({ expirationPolicy: {} });
  const clock: MovedClock = {
    async move(ms) {
      const file = world.launched.ours!.clockFile;
      writeFileSync(`${file}.new`, JSON.stringify({ offset_ms: ms }));
      renameSync(`${file}.new`, file);
      await until('the clock has moved', async () => {
        await publish(topic, 'time?');
        const { publishMs } = await pullOne(world, path);
        return Math.abs(publishMs - (Date.now() + ms)) < 30_000;
      });
    },
    reset: () => clock.move(0),
  };
  await clock.move(offsetMs);
  return clock;
}

/**
 * Runs with these plans armed for calls on one resource. What is left of them stays armed: the resource belongs to the case, so that nobody else is met
 * and cases with plans can run beside each other.
 */
export async function whileBroken(world: PubSubWorld, resource: string, plans: Plan[], run: () => Promise<void>): Promise<void> {
  const response = await fetch(`${world.launched.ours!.controlUrl}/faults`, { method: 'POST', body: JSON.stringify(plans.map((plan) => ({ ...plan, resource }))) });
  if (!response.ok) throw new Error(`The plan was refused: ${await response.text()}`);
  await run();
}
