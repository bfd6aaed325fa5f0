// What a case may do to our service besides calling it: move its clock, break its calls, look at its counters. Only cases that name the power in
// `needs` come here.
import { renameSync, writeFileSync } from 'node:fs';
import { until } from '../wait.ts';
import { publish, pullOne, type PubSubWorld } from './world.ts';

/** A plan of emulators/faults.ts. */
export type Plan = { method: string; kind: string; status?: string; times?: number | null; after?: number; every?: number; resource?: string; delay_ms?: number; takes_effect?: boolean };

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

export async function breakCalls(world: PubSubWorld, ...plans: Plan[]): Promise<void> {
  const response = await fetch(`${world.launched.ours!.controlUrl}/faults`, { method: 'POST', body: JSON.stringify(plans) });
  if (!response.ok) throw new Error(`The plan was refused: ${await response.text()}`);
}

export async function mendCalls(world: PubSubWorld): Promise<void> {
  await fetch(`${world.launched.ours!.controlUrl}/faults`, { method: 'DELETE' });
}

export async function stats(world: PubSubWorld): Promise<Record<string, number>> {
  return (await (await fetch(`${world.launched.ours!.controlUrl}/stats`)).json()) as Record<string, number>;
}

/** Runs with these plans armed, and disarms whatever is left of them. */
export async function whileBroken(world: PubSubWorld, plans: Plan[], run: () => Promise<void>): Promise<void> {
  await breakCalls(world, ...plans);
  try {
    await run();
  } finally {
    await mendCalls(world);
  }
}
