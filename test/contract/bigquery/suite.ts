// The BigQuery suite (REST): all its cases in one list, for the tests and for the tables in the docs.
import type { Suite } from '../contract.ts';
import { ARRAY_CASES } from './arrays.cases.ts';
import { BORDER_CASES } from './borders.cases.ts';
import { DATASET_CASES } from './datasets.cases.ts';
import { DESTINATION_CASES } from './destinations.cases.ts';
import { withDifferences } from './differences.ts';
import { ERROR_CASES } from './errors.cases.ts';
import { EXPORT_CASES } from './exports.cases.ts';
import { FILE_CASES } from './files.cases.ts';
import { JOB_CASES } from './jobs.cases.ts';
import { QUERY_CASES } from './queries.cases.ts';
import { SCHEMA_CASES } from './schemas.cases.ts';
import { STREAMING_CASES } from './streaming.cases.ts';
import { BIGQUERY_SURFACE } from './surface.ts';
import { TABLE_CASES } from './tables.cases.ts';
import { TRANSACTION_CASES } from './transactions.cases.ts';
import { openWorld, type BigQueryWorld } from './world.ts';

export const BIGQUERY_SUITE: Suite<BigQueryWorld & { close(): Promise<void> }> = {
  service: 'bigquery', surface: BIGQUERY_SURFACE,
  cases: withDifferences([...SCHEMA_CASES, ...ARRAY_CASES, ...JOB_CASES, ...QUERY_CASES, ...DESTINATION_CASES, ...STREAMING_CASES, ...TABLE_CASES, ...DATASET_CASES, ...FILE_CASES, ...EXPORT_CASES, ...ERROR_CASES, ...BORDER_CASES, ...TRANSACTION_CASES]),
  openWorld, closeWorld: (world) => world.close(),
};
