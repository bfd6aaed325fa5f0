// Where fault plans can meet the local BigQuery: the methods of REST, the calls of the Storage Write API, and a job while it runs. server.ts asks.
import { status } from '@grpc/grpc-js';
import type { FaultPoint } from '../faults.ts';
import { plannedStatuses } from './refusal.ts';

const WAITS = ['fail', 'delay', 'hang'] as const;
const GRPC_STATUSES = Object.keys(status).filter((name) => name !== 'OK' && Number.isNaN(Number(name)));

export function bigqueryFaultPoints(restMethods: readonly string[]): FaultPoint[] {
  return [
    ...[...new Set(restMethods)].map((method): FaultPoint => ({ method, kinds: WAITS, takesEffect: true, statuses: plannedStatuses })),
    ...['CreateWriteStream', 'GetWriteStream', 'FinalizeWriteStream', 'BatchCommitWriteStreams', 'FlushRows'].map((method): FaultPoint => ({ method, kinds: WAITS, takesEffect: true, statuses: GRPC_STATUSES })),
    // ROW_ERRORS: refused as a request is in which the first row is wrong.
    { method: 'AppendRows', kinds: [...WAITS, 'lose', 'duplicate'], takesEffect: true, statuses: [...GRPC_STATUSES, 'ROW_ERRORS'] },
    // Only tables whose name was dropped a short time ago.
    { method: 'AppendRows.recreated', kinds: ['lose', 'duplicate'], statuses: [], isInner: true },
    { method: 'job.run', kinds: WAITS, statuses: plannedStatuses, isInner: true },
    // By the id of the job up to its first underscore.
    { method: 'job.run.*', kinds: WAITS, statuses: plannedStatuses, isInner: true },
  ];
}
