// Where fault plans can meet the local Pub/Sub, and what a call is about when a plan names a resource. server.ts asks.
import { status } from '@grpc/grpc-js';
import type { FaultPoint } from '../faults.ts';

const WAITS = ['fail', 'delay', 'hang'] as const;
/** Calls that can answer OK without having done it. */
const LOSES: readonly string[] = ['Acknowledge', 'ModifyAckDeadline'];
const STATUSES = Object.keys(status).filter((name) => name !== 'OK' && Number.isNaN(Number(name)));

/** Every call that is implemented, and the push of a message. */
export function pubsubFaultPoints(calls: readonly string[]): FaultPoint[] {
  return [
    ...calls.map((method): FaultPoint => {
      const kinds = method === 'Publish' ? [...WAITS, 'lose', 'duplicate', 'reorder'] as const : LOSES.includes(method) ? [...WAITS, 'lose'] as const : WAITS;
      return { method, kinds, takesEffect: true, statuses: STATUSES };
    }),
    { method: 'StreamingPull', kinds: WAITS, statuses: STATUSES },
    // A push that fails is one that its endpoint refused: there is no status to choose.
    { method: 'Push', kinds: [...WAITS, 'lose', 'duplicate', 'reorder'], takesEffect: true, statuses: [] },
  ];
}

/** The name of the topic or subscription that a request is about. */
export function resourceOf(request: unknown): string {
  const { topic, subscription, name } = request as Record<string, unknown>;
  const named = [topic, subscription, name].map((value) => (typeof value === 'object' && value !== null ? (value as { name?: unknown }).name : value));
  return named.find((value): value is string => typeof value === 'string' && value !== '') ?? '';
}
