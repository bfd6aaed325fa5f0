// The commands that mend: in goes the patient, out come lines for a terminal. Called by the checks. In a real project what Terraform owns
// is mended by Terraform or by gcloud, in the local run by starting it again; tables are always the functions' own work.
import type { Patient } from './patient.ts';

export function curesFor(patient: Patient) {
  const { project, prefix, region, datasetName, bucketName, local } = patient;
  const inProject = `--project=${project}`;
  const table = (name: string): string => `${project}:${datasetName}.${name}`;
  const calls = (name: string, body = '{}'): string => local === undefined
    ? `gcloud functions call ${prefix}-${name} --gen2 --region=${region} ${inProject} --data='${body}'`
    : `curl -X POST -H 'Content-Type: application/json' -d '${body}' ${local.functions[name] ?? ''}`;
  const gcloud = (line: string): string => (local === undefined ? `gcloud ${line} ${inProject}` : 'npm start -- --fresh');
  const bq = (line: string): string => (local === undefined ? `bq ${inProject.replace('--project', '--project_id')} ${line}` : 'npm start -- --fresh');
  return {
    /** Makes what is missing and leaves the rest. */
    provision: local === undefined ? 'terraform -chdir=infra apply' : 'npm start',
    replaceSubscription: (name: string): string => gcloud(`pubsub subscriptions delete ${name}`) + (local === undefined ? ' && terraform -chdir=infra apply' : ''),
    subscription: (name: string, change: string): string => gcloud(`pubsub subscriptions update ${name} ${change}`),
    topic: (name: string, change: string): string => gcloud(`pubsub topics update ${name} ${change}`),
/** Looking at them is the first step; Pub/Sub keeps what is pulled without --auto-ack. */
    readUndeliverable: (name: string): string => (local === undefined ? `gcloud pubsub subscriptions pull ${name} --limit=10 --format=json ${inProject}` : 'tail -n 20 .chiplog/logs/write-bigquery.log .chiplog/logs/write-storage.log'),
    maintain: local === undefined ? `gcloud scheduler jobs run ${prefix}-maintain --location=${region} ${inProject}` : calls('maintain'),
    rollover: (date: string, stream: string): string => calls('rollover', JSON.stringify({ date, stream })),
    allLate: (stream: string): string => calls('rollover', JSON.stringify({ stream, all_late: true })),
    migrate: `npm run migrate${local === undefined ? ` -- --project ${project} --dataset ${datasetName} --location ${patient.location}` : ''}`,
    dropTable: (name: string): string => (local === undefined ? `bq rm -t ${table(name)}` : `npm run query -- "DROP TABLE ${datasetName}.${name}"`),
    dropView: (name: string): string => (local === undefined ? `bq rm -t ${table(name)}` : `npm run query -- "DROP VIEW ${datasetName}.${name}"`),
    noDefaultExpiration: bq(`update --default_table_expiration 0 ${project}:${datasetName}`),
    noPartitionExpiration: bq(`update --default_partition_expiration 0 ${project}:${datasetName}`),
    neverExpire: (name: string): string => (local === undefined ? `bq update --expiration 0 ${table(name)}` : `npm run query -- "ALTER TABLE ${datasetName}.${name} SET OPTIONS (expiration_timestamp = NULL)"`),
    label: (label: string): string => bq(`update --set_label ${label} ${project}:${datasetName}`),
    bucket: (change: string): string => gcloud(`storage buckets update gs://${bucketName} ${change}`),
    logsOf: (name: string): string => (local === undefined ? `gcloud functions logs read ${prefix}-${name} --gen2 --region=${region} ${inProject}` : `cat .chiplog/logs/${name}.log`),
    replay: (stream: string, day: string): string => `npm run replay -- ${local === undefined ? `--project ${project} ` : ''}--stream ${stream} --from ${day} --to ${day}`,
    gcloud,
  };
}

export type Cures = ReturnType<typeof curesFor>;
