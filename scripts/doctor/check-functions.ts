// The functions and who may call them: in goes the patient, out come findings. Called by checks.ts. In the local run only whether they
// listen can be seen; settings, identity and access are of the real project.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FUNCTIONS, settingsOf, type FunctionSpec } from '../local/function-settings.ts';
import { accepts } from '../local/ports.ts';
import type { CloudApis, Policy } from './cloud-apis.ts';
import { curesFor } from './cures.ts';
import { NotHere, type Check, type Finding } from './finding.ts';
import type { Kind } from './kinds.ts';
import { WRITERS, type Patient } from './patient.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Cloud Run gives this one itself. */
const GIVEN = new Set(['K_REVISION']);
const SCHEDULED = ['rollover', 'maintain'];

export function functionChecks(patient: Patient): Check[] {
  return FUNCTIONS.flatMap((spec): Check[] => [
    { name: `function ${spec.name}`, run: () => (patient.local === undefined ? checkDeployed(patient, cloudOf(patient), spec) : checkListening(patient, spec)) },
    { name: `who may call ${spec.name}`, run: async () => checkInvokers(patient, spec.name, await cloudOf(patient).invokers(spec.name)) },
  ]);
}

export function cloudOf(patient: Patient): CloudApis {
  if (patient.cloud === undefined) throw new NotHere('only a real project has it');
  return patient.cloud;
}

async function checkListening(patient: Patient, { name }: FunctionSpec): Promise<Finding[]> {
  const url = patient.local!.functions[name];
  if (url !== undefined && await accepts(Number(new URL(url).port))) return [];
  return [{ kind: 'function_silent', where: name, what: `Nothing answers at ${url ?? 'its address'}.`, why: `${name} does not run.`, cure: curesFor(patient).logsOf(name) }];
}

async function checkDeployed(patient: Patient, cloud: CloudApis, { name, target, folder }: FunctionSpec): Promise<Finding[]> {
  const cures = curesFor(patient);
  const where = `${patient.prefix}-${name}`;
  const deployed = await cloud.functionNamed(name);
  if (deployed === undefined) return [{ kind: 'function_missing', where, what: `The function does not exist in ${patient.region}.`, why: 'A part of the flow is not there.', cure: 'npm run build && terraform -chdir=infra apply' }];
  if (deployed.state !== 'ACTIVE') return [{ kind: 'function_not_active', where, what: `Its state is ${deployed.state ?? 'not told'}.`, why: 'The last deployment failed, or is under way.', cure: cures.logsOf(name) }];
  const findings: Finding[] = [];
  const wrong = (kind: Kind, what: string, why: string): void => void findings.push({ kind, where, what, why, cure: cures.provision });
  const variables = Object.keys(deployed.serviceConfig?.environmentVariables ?? {});
  const { declared, required } = settingsIn(folder);
  const missing = required.filter((setting) => !variables.includes(setting));
  const unknown = variables.filter((variable) => variable.startsWith('CHIPLOG_') && !declared.includes(variable));
  if (missing.length > 0) wrong('function_setting_missing', `It has no ${missing.join(', ')}.`, 'It refuses to start the next time.');
  if (unknown.length > 0) wrong('function_setting_unknown', `It does not know ${unknown.join(', ')}.`, 'It refuses to start with a setting that it does not know.');
  if ((deployed.serviceConfig?.maxInstanceRequestConcurrency ?? 1) === 1) wrong('function_takes_one_at_a_time', 'One request at a time has an instance.', 'A burst starts an instance for each request, up to the maximum, then answers 429; and the bill follows.');
  if (deployed.buildConfig?.entryPoint !== target) wrong('function_starts_another', `It starts ${deployed.buildConfig?.entryPoint ?? 'nothing'}, not ${target}.`, 'Another function answers at its address.');
  return findings;
}

/** Settings that a function declares, and those of them that have no default. */
function settingsIn(folder: string): { declared: string[]; required: string[] } {
  const declared = settingsOf(readFileSync(join(ROOT, folder, 'function.ts'), 'utf8'));
  return { declared, required: declared.filter((name) => WITHOUT_DEFAULT.has(name) && !GIVEN.has(name)) };
}

const WITHOUT_DEFAULT = new Set(['GOOGLE_CLOUD_PROJECT', 'CHIPLOG_BUCKET', 'CHIPLOG_SOURCES_FILE']);

function checkInvokers(patient: Patient, name: string, policy: Policy | undefined): Finding[] {
  const { prefix, project, region } = patient;
  const where = `${prefix}-${name}`;
  // No service: the function's own check says so.
  if (policy === undefined) return [];
  const members = (policy.bindings ?? []).filter(({ role }) => role === 'roles/run.invoker').flatMap(({ members: all = [] }) => all);
  const binding = (verb: string, member: string): string => `gcloud run services ${verb}-iam-policy-binding ${where} --region=${region} --project=${project} --role=roles/run.invoker --member=${member}`;
  const account = (id: string): string => `serviceAccount:${prefix}-${id}@${project}.iam.gserviceaccount.com`;
  const everybody = members.filter((member) => member === 'allUsers' || member === 'allAuthenticatedUsers');
  const findings: Finding[] = [];
  if (name !== 'collect' && everybody.length > 0) findings.push({ kind: 'function_public', where, what: `${everybody.join(' and ')} may call it.`, why: 'Anybody can write rows, start jobs or replay the archive, at your cost.', cure: binding('remove', everybody[0]!) });
  const callers = [...Object.entries(WRITERS).filter(([, writer]) => writer === name).map(([writer]) => account(`push-${writer}`)), ...(SCHEDULED.includes(name) ? [account('scheduler')] : [])];
  for (const caller of callers.filter((one) => !members.includes(one))) {
    findings.push({ kind: 'caller_not_allowed', where, what: `${caller.replace('serviceAccount:', '')} may not call it.`, why: SCHEDULED.includes(name) ? 'Cloud Scheduler is refused with 403: nothing is done on time.' : 'Every push is refused with 403: messages pile up.', cure: binding('add', caller) });
  }
  return findings;
}
