// The Cloud Storage suite: all its cases in one list, for the tests and for the tables in the docs. Those that must be alone come last.
import type { Suite } from '../contract.ts';
import { BUCKET_CASES } from './buckets.cases.ts';
import { COMPOSE_CASES } from './compose.cases.ts';
import { DOWNLOAD_CASES } from './downloads.cases.ts';
import { DURABILITY_CASES } from './durability.cases.ts';
import { FAULT_CASES } from './faults.cases.ts';
import { KEEP_CASES } from './keep.cases.ts';
import { LISTING_CASES } from './listing.cases.ts';
import { METADATA_CASES } from './metadata.cases.ts';
import { REFUSAL_CASES } from './refusals.cases.ts';
import { RESUMABLE_CASES } from './resumable.cases.ts';
import { RESUMABLE_END_CASES } from './resumable-end.cases.ts';
import { STORAGE_SURFACE } from './surface.ts';
import { TRANSFER_CASES } from './transfers.cases.ts';
import { UPLOAD_NAME_CASES } from './upload-names.cases.ts';
import { UPLOAD_CASES } from './uploads.cases.ts';
import { VERSION_CASES } from './versions.cases.ts';
import { openWorld, type StorageWorld } from './world.ts';

const ALL = [
  ...BUCKET_CASES, ...UPLOAD_CASES, ...UPLOAD_NAME_CASES, ...RESUMABLE_CASES, ...RESUMABLE_END_CASES, ...DOWNLOAD_CASES, ...LISTING_CASES, ...COMPOSE_CASES, ...TRANSFER_CASES, ...METADATA_CASES,
  ...VERSION_CASES, ...KEEP_CASES, ...REFUSAL_CASES, ...FAULT_CASES, ...DURABILITY_CASES,
];

export const STORAGE_SUITE: Suite<StorageWorld & { close(): Promise<void> }> = {
  service: 'storage', surface: STORAGE_SURFACE, cases: [...ALL.filter(({ isAlone }) => isAlone !== true), ...ALL.filter(({ isAlone }) => isAlone === true)],
  openWorld, closeWorld: (world) => world.close(),
};
