// Where fault plans can meet the small Cloud Storage, and what they can do there. server.ts tells the control port.
import type { FaultKind, FaultPoint } from '../faults.ts';
import { STATUSES } from './refusal.ts';

const EVERY_CALL: readonly FaultKind[] = ['fail', 'delay', 'hang', 'duplicate', 'reset'];
/** Calls that carry an object's bytes. */
const BYTES: Record<string, readonly FaultKind[]> = { 'objects.insert': ['truncate', 'corrupt'], 'objects.get': ['truncate', 'corrupt'] };

/** `lose` and `takes_effect` are for calls that change something. */
export function storageFaultPoints(methods: readonly string[]): FaultPoint[] {
  return methods.map((method) => {
    const isReading = /\.(get|list|getStorageLayout)$/.test(method);
    return { method, takesEffect: !isReading, statuses: Object.keys(STATUSES), isHttp: true, kinds: [...EVERY_CALL, ...(isReading ? [] : ['lose' as const]), ...(BYTES[method] ?? [])] };
  });
}
