// What every service of the local cloud takes and gives: run.ts (or a test, in its own process) calls `start` of emulators/<service>/server.ts.
import type { FaultPoint, Faults } from './faults.ts';

export type ServiceOptions = {
  /** Address to listen on; loopback unless somebody asked for more. */
  host: string;
  /** 0: any free port. */
  port: number;
  /** Folder of this service alone; made if absent. What was acknowledged is found here after kill -9. */
  dataDir: string;
  /** Project of requests that name none. */
  project: string;
  faults: Faults;
  /** Milliseconds since 1970 on the steerable clock. */
  now: () => number;
  /** BigQuery only: port of the Storage Write API (gRPC). */
  writePort?: number;
};

export type RunningService = {
  port: number;
  writePort?: number;
  /** Present sizes (backlog, bytes in memory), shown beside the counters under /stats. */
  gauges?: () => Record<string, number>;
  /** Where fault plans can meet it. */
  faultPoints: readonly FaultPoint[];
  close(): Promise<void>;
};

export type StartService = (options: ServiceOptions) => Promise<RunningService>;

export const SERVICES = ['pubsub', 'bigquery', 'storage', 'metadata'] as const;
export type ServiceName = (typeof SERVICES)[number];
