// All checks of one patient, in the order of the flow. Called by scripts/doctor.ts and its tests.
import { bucketChecks } from './check-bucket.ts';
import { datasetChecks, isDatasetThere } from './check-dataset.ts';
import { dayChecks } from './check-days.ts';
import { functionChecks } from './check-functions.ts';
import { projectChecks } from './check-project.ts';
import { pubsubChecks } from './check-pubsub.ts';
import { listTables, shardChecks } from './check-shards.ts';
import type { Check, Finding } from './finding.ts';
import type { Patient } from './patient.ts';

export function checksFor(patient: Patient): Check[] {
  const tables = listTables(patient);
  const isThere = isDatasetThere(patient);
  return [
    ...projectChecks(patient), ...functionChecks(patient), ...pubsubChecks(patient), ...bucketChecks(patient),
    ...datasetChecks(patient), ...[...shardChecks(patient, tables), ...dayChecks(patient, tables)].map(({ name, run }) => ({ name, run: async (): Promise<Finding[]> => ((await isThere()) ? run() : []) })),
  ];
}
