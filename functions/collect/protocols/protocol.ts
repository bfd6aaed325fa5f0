// What a protocol is: how a client's JSON body becomes a native batch. `collect` maps to validate, `write/bigquery` maps again
// to make rows, so a mapping bug is repaired by replaying the archive. Everything here is pure: same body and facts, same batch.
import type { ClientFacts } from '../../envelope.ts';

/** What the mapping may know besides the body; all of it is in the envelope, so that the writer maps alike. */
export type MappingFacts = {
  requestId: string;
  /** Microseconds since 1970, the collector's clock. */
  receivedTimestamp: number;
  /** Source id. */
  source: string;
  client: ClientFacts;
};

export type MappedBatch = {
  /** Native batch fields. May still hold `events` and `write_key`, which nobody reads from here. */
  batch: Record<string, unknown>;
  /** Native events, in the order of the body. What is no event (a number, say) stays as it is, to be rejected at its index. */
  events: readonly unknown[];
  /** The same as the client sent them, for the rejected stream. `events[i]` is what became `events[i]` above. */
  asSent: { batch: unknown; events: readonly unknown[] };
};

export type Protocol = {
  /** Name of the folder, and `protocol` of the envelope. */
  name: string;
  /** Whether `toBatch` can read the body at all; anything else is `not_a_batch`. */
  isBatch: (body: unknown) => boolean;
  /** Makes the native batch. Only for bodies of which `isBatch` is true; never throws for those. */
  toBatch: (body: unknown, facts: MappingFacts) => MappedBatch;
};
