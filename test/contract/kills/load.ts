// What a service is loaded with while it is killed, and how it is looked at afterwards: each *-load.ts makes one, rounds.ts runs it.
import type { GoogleClients } from '../google-clients.ts';

export type Verdict = {
  /** Answers of the service that promised something, and that were held against what is there. */
  checked: number;
  /** What was promised and is not there, or not as promised. */
  lost: string[];
  /** What is there and was refused, never sent, or is only a part of what was sent. */
  unexpected: string[];
};

/** Calls that were answered with yes so far: rounds.ts picks its moments by it, so that a slow machine is loaded as much as a fast one. */
export type Tally = { done: number };

export type Load = {
  tally: Tally;
  service: 'pubsub' | 'storage' | 'bigquery';
  /** Makes what the load needs; before the first kill. */
  prepare(clients: GoogleClients): Promise<void>;
  /** Calls the service from several workers until `isOver`; a call that fails is no failure of the test, but its outcome is unknown or a refusal. */
  run(clients: GoogleClients, isOver: () => boolean, round: number): Promise<void>;
  /** After the restart: compares everything that the answers promised with what is there. */
  check(clients: GoogleClients): Promise<Verdict>;
  /** Takes one promised thing away behind the ledger's back: the next check must name it. */
  sabotage(clients: GoogleClients): Promise<void>;
};

/** What an answer says of a call: done, surely not done (the service said why), or nobody knows (the connection broke). */
export type Answered = 'done' | 'refused' | 'unknown';

const REFUSALS = new Set<unknown>([3, 5, 6, 7, 9, 400, 403, 404, 409, 412]);

export async function outcomeOf(call: Promise<unknown>): Promise<Answered> {
  return call.then(() => 'done' as const, (error: { code?: unknown }) => (REFUSALS.has(Number(error.code)) ? 'refused' as const : 'unknown' as const));
}

/** Workers that go on until the end; a worker waits a moment after a failure, since the service may be gone. */
export async function work(tally: Tally, count: number, isOver: () => boolean, step: (worker: number, turn: number) => Promise<Answered>): Promise<void> {
  await Promise.all(Array.from({ length: count }, async (_, worker) => {
    for (let turn = 0; !isOver(); turn += 1) {
      const answered = await step(worker, turn);
      if (answered === 'done') tally.done += 1;
      if (answered === 'unknown') await new Promise((done) => setTimeout(done, 20));
    }
  }));
}
