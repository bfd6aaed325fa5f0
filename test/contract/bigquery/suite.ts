// The BigQuery suite (REST): all its cases in one list, for the tests and for the tables in the docs.
import type { Suite } from '../contract.ts';
import { JOB_CASES } from './jobs.cases.ts';
import { SCHEMA_CASES } from './schemas.cases.ts';
import { BIGQUERY_SURFACE } from './surface.ts';
import { openWorld, type BigQueryWorld } from './world.ts';

export const BIGQUERY_SUITE: Suite<BigQueryWorld & { close(): Promise<void> }> = {
  service: 'bigquery', surface: BIGQUERY_SURFACE,
  cases: [...SCHEMA_CASES, ...JOB_CASES],
  openWorld, closeWorld: (world) => world.close(),
};
