// Where fault plans can meet the local Pub/Sub, and what a call is about when a plan names a resource. server.ts asks.
import { status } from '@grpc/grpc-js';
import type { FaultPlan, FaultPoint, Faults } from '../faults.ts';

const WAITS = ['fail', 'delay', 'hang'] as const;
/** Calls that can answer OK without having done it. */
const LOSES: readonly string[] = ['Acknowledge', 'ModifyAckDeadline'];
const STATUSES = Object.keys(status).filter((name) => name !== 'OK' && Number.isNaN(Number(name)));

export const DEAD_LETTER = 'DeadLetter';
export const OPEN_STREAM = 'OpenStream';
export const REDELIVER = 'Redeliver';

/** Looks for a plan only where one names this place: a `*` means calls. */
export function takeInner(faults: Faults, method: string, resource: string): FaultPlan | undefined {
  return faults.list().some((plan) => plan.method === method) ? faults.take(method, resource) : undefined;
}

/** Every call that is implemented, the push of a message, and what happens inside. */
export function pubsubFaultPoints(calls: readonly string[]): FaultPoint[] {
  return [
    ...calls.map((method): FaultPoint => {
      const kinds = method === 'Publish' ? [...WAITS, 'lose', 'duplicate', 'reorder', 'truncate'] as const : LOSES.includes(method) ? [...WAITS, 'lose'] as const : WAITS;
      return { method, kinds, takesEffect: true, statuses: STATUSES };
    }),
    { method: 'StreamingPull', kinds: WAITS, statuses: STATUSES },
    // A push that fails is one that its endpoint refused: there is no status to choose.
    { method: 'Push', kinds: [...WAITS, 'lose', 'duplicate', 'reorder'], takesEffect: true, statuses: [] },
    // Inside: the way to the dead-letter topic is barred, or taken twice.
    { method: DEAD_LETTER, kinds: ['fail', 'duplicate'], statuses: [], isInner: true },
    // At once: an open stream ends with the status; what is outstanding or backing off is handed out again.
    { method: OPEN_STREAM, kinds: ['fail'], statuses: STATUSES, isInner: true },
    { method: REDELIVER, kinds: ['duplicate'], statuses: [], isInner: true },
  ];
}

/** The name of the topic or subscription that a request is about. */
export function resourceOf(request: unknown): string {
  const { topic, subscription, name } = request as Record<string, unknown>;
  const named = [topic, subscription, name].map((value) => (typeof value === 'object' && value !== null ? (value as { name?: unknown }).name : value));
  return named.find((value): value is string => typeof value === 'string' && value !== '') ?? '';
}
