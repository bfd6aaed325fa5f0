// What surrounds the pipeline in a real project: services, roles, Pub/Sub's own account, clocks. In goes the patient, out come findings.
// Called by checks.ts; the local run has none of it.
import { cloudOf } from './check-functions.ts';
import { curesFor } from './cures.ts';
import { NotHere, type Check, type Finding } from './finding.ts';
import { topicsOf, type Patient } from './patient.ts';

/** As infra/apis.tf enables them, without those of options. */
export const SERVICES = ['artifactregistry', 'bigquery', 'bigquerystorage', 'cloudbuild', 'cloudfunctions', 'cloudresourcemanager', 'cloudscheduler', 'iam', 'logging', 'monitoring', 'pubsub', 'run', 'secretmanager', 'storage'].map((name) => `${name}.googleapis.com`);
const STARTS_JOBS = ['rollover', 'maintain'];
const TOO_WIDE = ['roles/owner', 'roles/editor', 'roles/bigquery.admin', 'roles/pubsub.admin', 'roles/storage.admin'];

export function projectChecks(patient: Patient): Check[] {
  return [
    { name: 'services of the project', run: () => checkServices(patient) },
    { name: 'roles in the project', run: () => checkRoles(patient) },
    { name: 'roles of Pub/Sub\'s own account', run: () => checkDeadLetterRoles(patient) },
    ...STARTS_JOBS.map((name): Check => ({ name: `schedule of ${name}`, run: () => checkSchedule(patient, name) })),
  ];
}

async function checkServices(patient: Patient): Promise<Finding[]> {
  const enabled = await cloudOf(patient).enabledServices();
  return SERVICES.filter((service) => !enabled.has(service)).map((service) => ({
    kind: 'service_disabled', where: service, what: 'The service is not enabled in this project.', why: 'Everything that calls it fails.', cure: `gcloud services enable ${service} --project=${patient.project}`,
  }));
}

async function checkRoles(patient: Patient): Promise<Finding[]> {
  const { project, prefix } = patient;
  const { bindings = [] } = await cloudOf(patient).projectPolicy();
  const account = (name: string): string => `serviceAccount:${prefix}-${name}@${project}.iam.gserviceaccount.com`;
  const has = (member: string, role: string): boolean => bindings.some((binding) => binding.role === role && binding.members?.includes(member) === true);
  const change = (verb: string, member: string, role: string): string => `gcloud projects ${verb}-iam-policy-binding ${project} --member=${member} --role=${role}`;
  const missing = STARTS_JOBS.map(account).filter((member) => !has(member, 'roles/bigquery.jobUser')).map((member): Finding => ({
    kind: 'role_missing', where: member, what: 'It has no roles/bigquery.jobUser.', why: 'It cannot start a query: no day is finished, no table function is made.', cure: change('add', member, 'roles/bigquery.jobUser'),
  }));
  const own = [...['collect', 'write-bigquery', 'write-storage', 'rollover', 'maintain', 'replay', 'scheduler', 'push-bigquery', 'push-storage', 'build'].map(account)];
  const wide = own.flatMap((member) => TOO_WIDE.filter((role) => has(member, role)).map((role): Finding => ({
    kind: 'role_too_wide', where: member, what: `It has ${role} on the whole project.`, why: 'A mistake in one function reaches everything.', cure: change('remove', member, role),
  })));
  return [...missing, ...wide];
}

/** Without either role Pub/Sub sets nothing aside, and says so nowhere. */
async function checkDeadLetterRoles(patient: Patient): Promise<Finding[]> {
  if (patient.cloud === undefined) throw new NotHere('the local Pub/Sub knows no roles');
  const isAgent = (member: string): boolean => /^serviceAccount:service-\d+@gcp-sa-pubsub\.iam\.gserviceaccount\.com$/.test(member);
  const lacks = ({ bindings }: { bindings?: { role?: string | null; members?: string[] | null }[] | null }, role: string): boolean => !(bindings ?? []).some((binding) => binding.role === role && (binding.members ?? []).some(isAgent));
  const agent = `serviceAccount:service-$(gcloud projects describe ${patient.project} --format='value(projectNumber)')@gcp-sa-pubsub.iam.gserviceaccount.com`;
  const finding = (kind: 'topics' | 'subscriptions', where: string, role: string): Finding => ({
    kind: 'dead_letter_role_missing', where, what: `Pub/Sub's own account has no ${role} here.`, why: 'Messages that can\'t be delivered are never set aside: they go round until the retention deletes them.',
    cure: `gcloud pubsub ${kind} add-iam-policy-binding ${where} --project=${patient.project} --role=${role} --member=${agent}`,
  });
  const checked = await Promise.all(topicsOf(patient).map(async ({ topic }) => {
    const findings: Finding[] = [];
    const [onTopic] = await patient.pubsub.topic(`${topic}-undeliverable`).iam.getPolicy();
    if (lacks(onTopic, 'roles/pubsub.publisher')) findings.push(finding('topics', `${topic}-undeliverable`, 'roles/pubsub.publisher'));
    for (const name of [`${topic}-to-bigquery`, `${topic}-to-storage`]) {
      const [onSubscription] = await patient.pubsub.subscription(name).iam.getPolicy();
      if (lacks(onSubscription, 'roles/pubsub.subscriber')) findings.push(finding('subscriptions', name, 'roles/pubsub.subscriber'));
    }
    return findings;
  }));
  return checked.flat();
}

async function checkSchedule(patient: Patient, name: string): Promise<Finding[]> {
  const job = await cloudOf(patient).schedulerJob(name);
  const where = `${patient.prefix}-${name}`;
  const why = name === 'rollover' ? 'No day is finished.' : 'Tables of tomorrow are not made, columns not added, files not joined.';
  if (job === undefined) return [{ kind: 'schedule_missing', where, what: 'Cloud Scheduler has no such job.', why, cure: curesFor(patient).provision }];
  if (job.state !== 'ENABLED') return [{ kind: 'schedule_paused', where, what: `The job is ${(job.state ?? 'not enabled').toLowerCase()}.`, why, cure: `gcloud scheduler jobs resume ${where} --location=${patient.region} --project=${patient.project}` }];
  return [];
}
