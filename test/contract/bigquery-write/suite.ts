// The suite of the Storage Write API (gRPC): all its cases in one list, for the tests and for the tables in the docs.
import type { Suite } from '../contract.ts';
import { AFTER_APPEND_CASES } from './after-appends.cases.ts';
import { DEFAULT_STREAM_CASES } from './default-stream.cases.ts';
import { withDifferences } from '../bigquery/differences.ts';
import { inTurnWhereNeeded, WRITE_DIFFERENCES } from './differences.ts';
import { NAMED_STREAM_CASES } from './named-streams.cases.ts';
import { BIGQUERY_WRITE_SURFACE } from './surface.ts';
import { ODD_VALUE_CASES } from './odd-values.cases.ts';
import { TYPE_CASES } from './types.cases.ts';
import { openWorld, type WriteWorld } from './world.ts';

export const BIGQUERY_WRITE_SUITE: Suite<WriteWorld & { close(): Promise<void> }> = {
  service: 'bigquery-write', surface: BIGQUERY_WRITE_SURFACE, cases: inTurnWhereNeeded(withDifferences([...DEFAULT_STREAM_CASES, ...AFTER_APPEND_CASES, ...NAMED_STREAM_CASES, ...TYPE_CASES, ...ODD_VALUE_CASES], WRITE_DIFFERENCES)),
  openWorld, closeWorld: (world) => world.close(),
};
