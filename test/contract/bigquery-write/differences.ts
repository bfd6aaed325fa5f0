// Where bqemulator 1.4.0 is known to do otherwise than Google's documentation, which each case names as its source: case -> what it does.
import type { Difference } from '../contract.ts';

export const WRITE_DIFFERENCES: Readonly<Record<string, Difference>> = {
  'request-size': { reason: 'its gRPC server refuses messages from 4 MB on as RESOURCE_EXHAUSTED, and is busy for a minute with what is smaller', isSkipped: true },
  'multiplexing': { reason: 'a second stream name over one connection is never answered', isSkipped: true },
};
