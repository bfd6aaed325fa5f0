// What a case may do to our service besides calling it: move its clock, break its calls. Only cases that name the power in `needs` come here.
import { renameSync, writeFileSync } from 'node:fs';
import { until } from '../wait.ts';
import type { StorageWorld } from './world.ts';

/** A plan of emulators/faults.ts. */
export type Plan = { method: string; kind: string; status?: string; times?: number | null; after?: number; every?: number; resource?: string; delay_ms?: number; takes_effect?: boolean; bytes?: number };

/** Runs while the service's clock shows the machine's time plus the offset; the clock is set back in the end. */
export async function atClock(world: StorageWorld, offsetMs: number, run: () => Promise<void>): Promise<void> {
  await setClock(world, offsetMs);
  try {
    await run();
  } finally {
    await setClock(world, 0);
  }
}

async function setClock({ launched }: StorageWorld, offsetMs: number): Promise<void> {
  const { clockFile, controlUrl } = launched.ours!;
  writeFileSync(`${clockFile}.new`, JSON.stringify({ offset_ms: offsetMs }));
  renameSync(`${clockFile}.new`, clockFile);
  await until('the clock has moved', async () => {
    const { now } = (await (await fetch(`${controlUrl}/time`)).json()) as { now: string };
    return Math.abs(Date.parse(now) - (Date.now() + offsetMs)) < 20_000;
  });
}

/** Runs with these plans armed, and disarms whatever is left of them. */
export async function whileBroken({ launched }: StorageWorld, plans: Plan[], run: () => Promise<void>): Promise<void> {
  const faults = `${launched.ours!.controlUrl}/faults`;
  const response = await fetch(faults, { method: 'POST', body: JSON.stringify(plans) });
  if (!response.ok) throw new Error(`The plan was refused: ${await response.text()}`);
  try {
    await run();
  } finally {
    await fetch(faults, { method: 'DELETE' });
  }
}

export async function stats({ launched }: StorageWorld): Promise<Record<string, number>> {
  return (await (await fetch(`${launched.ours!.controlUrl}/stats`)).json()) as Record<string, number>;
}
