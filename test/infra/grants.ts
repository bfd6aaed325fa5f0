// A plan in, a line for each right that it grants out: who, which role, on what. docs/infra.md holds the same lines for the small team.
import type { Plan, Resource } from './hcl/plan.ts';
import { Unknown } from './hcl/values.ts';

export type Grant = { who: string; role: string; on: string };

/** An entry of a dataset's access list is a grant as well. */
export const isGrant = ({ type }: Resource): boolean => type.endsWith('_iam_member') || type === 'google_bigquery_dataset_access';

export function grantsOf(plan: Plan): Grant[] {
  const grants = plan.resources.filter(isGrant).map((resource) => ({ who: who(resource), role: role(resource, plan), on: on(resource) }));
  return grants.sort((a, b) => (`${a.who} ${a.on} ${a.role}` < `${b.who} ${b.on} ${b.role}` ? -1 : 1));
}

function who({ set }: Resource): string {
  const member = set['member'] ?? `serviceAccount:${String(set['user_by_email'])}`;
  if (member instanceof Unknown) {
    const agent = /@([a-z-]+)\.iam\.gserviceaccount\.com$/.exec(member.path)?.[1];
    return agent === undefined ? member.path : `Google's agent ${agent}`;
  }
  return member === 'allUsers' ? 'everybody' : String(member).replace(/^serviceAccount:(.+)@.+$/, '$1');
}

/** A custom role by what it allows. */
function role({ values, key }: Resource, plan: Plan): string {
  const custom = plan.resources.find((one) => one.type === 'google_project_iam_custom_role' && one.key === key && String(values['role']).endsWith(`/${String(one.values['role_id'])}`));
  return custom === undefined ? String(values['role']) : `own role: ${(custom.values['permissions'] as string[]).map((one) => one.replace('bigquery.', '')).join(', ')}`;
}

const PLACES: [attribute: string, what: string][] = [['topic', 'topic'], ['subscription', 'subscription'], ['dataset_id', 'dataset'], ['secret_id', 'secret'], ['repository', 'images'], ['crypto_key_id', 'key']];

function on({ type, values, set }: Resource): string {
  if (type === 'google_cloud_run_v2_service_iam_member') return `function ${values['name']}`;
  if (type === 'google_project_iam_member') return values['condition'] === undefined ? 'project' : `project, only if ${values['condition'][0].expression}`;
  if (type === 'google_storage_bucket_iam_member') return `bucket ${values['bucket']}`;
  const [attribute, what] = PLACES.find(([name]) => name in set)!;
  return values[attribute] === undefined ? what : `${what} ${values[attribute]}`;
}
