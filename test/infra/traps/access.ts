// Traps around who may do what. The whole list of grants is in docs/infra.md, which roles.test.ts compares with the plan.
import { isGrant } from '../grants.ts';
import { damage, of, unless } from './trap.ts';
import type { Plan, Resource } from '../hcl/plan.ts';
import type { Trap } from './trap.ts';

const grants = ({ resources }: Plan): Resource[] => resources.filter(isGrant);

/** What may be granted on the whole project: there is nothing smaller that has these. */
const ON_THE_PROJECT = ['roles/bigquery.jobUser', 'roles/logging.logWriter', 'roles/storage.objectViewer'];
const WIDE = /^roles\/(owner|editor|viewer|.*[aA]dmin|bigquery\.(dataEditor|dataOwner|user)|storage\.(object)?Admin|iam\.serviceAccount(User|TokenCreator))$/;

export const ACCESS_TRAPS: Trap[] = [
  {
    name: 'an account has a wide role',
    why: 'Whoever gets into one function has the project.',
    finds: (plan) => unless(grants(plan), ({ values }) => !WIDE.test(values['role'])),
    damages: [
      damage('iam.tf', '"roles/storage.objectUser"  ', '"roles/storage.objectAdmin"'),
      damage('iam.tf', '  role     = "roles/bigquery.jobUser"', '  role     = "roles/bigquery.dataEditor"'),
      damage('iam.tf', '"roles/storage.objectCreator" #', '"roles/storage.admin" #'),
    ],
  },
  {
    name: 'a role is granted on the whole project',
    why: 'It would hold for every topic, table and bucket in it.',
    finds: (plan) => unless(of(plan, 'google_project_iam_member'), ({ values }) => ON_THE_PROJECT.includes(values['role']) && (values['role'] !== 'roles/storage.objectViewer' || values['condition']?.[0]?.expression?.includes('gcf-v2-sources-'))),
    damages: [
      damage('iam.tf', '  condition {\n    title      = "only_the_source_buckets_of_cloud_functions"\n    expression = "resource.name.startsWith(\\"projects/_/buckets/gcf-v2-sources-\\")"\n  }\n'),
      damage('iam.tf', '  role     = "roles/bigquery.jobUser"', '  role     = "roles/pubsub.publisher"'),
    ],
  },
  {
    name: 'grants of others are thrown out',
    why: 'A binding or a policy is the whole list of members: whoever else had the role loses it.',
    finds: (plan) => plan.resources.filter(({ type }) => /_iam_(binding|policy)$/.test(type)).map(({ address }) => address),
    damages: [damage('iam.tf', 'resource "google_pubsub_topic_iam_member" "days" {\n  topic  = google_pubsub_topic.days.name\n  role   = "roles/pubsub.publisher"\n  member = google_service_account.function["rollover"].member', 'resource "google_pubsub_topic_iam_binding" "days" {\n  topic   = google_pubsub_topic.days.name\n  role    = "roles/pubsub.publisher"\n  members = [google_service_account.function["rollover"].member]')],
  },
  {
    name: 'an apply takes views, routines and datasets off the dataset\'s access list',
    why: 'They have no role, so a grant by IAM leaves them out when it writes the list back, and whoever queries through them is refused.',
    finds: (plan) => [...plan.resources.filter(({ type }) => /^google_bigquery_dataset_iam_/.test(type)).map(({ address }) => address), ...unless(of(plan, 'google_bigquery_dataset'), ({ values }) => values['access'] === undefined)],
    damages: [
      damage('iam.tf', 'resource "google_bigquery_dataset_access" "function" {\n  for_each      = local.dataset_roles\n', 'resource "google_bigquery_dataset_iam_member" "function" {\n  for_each      = local.dataset_roles\n'),
      damage('dataset.tf', '  delete_contents_on_destroy = false\n', '  delete_contents_on_destroy = false\n\n  access {\n    role          = "OWNER"\n    special_group = "projectOwners"\n  }\n'),
    ],
  },
  {
    name: 'an account has a key file',
    why: 'A file can be copied; the functions need none.',
    finds: (plan) => of(plan, 'google_service_account_key').map(({ address }) => address),
    damages: [damage('service-accounts.tf', 'resource "google_service_account" "scheduler" {', 'resource "google_service_account_key" "function" {\n  service_account_id = google_service_account.build.id\n}\n\nresource "google_service_account" "scheduler" {')],
  },
  {
    name: 'functions share an account, or have the default one',
    why: 'The default account is an editor of the project; a shared one has the rights of all.',
    finds: (plan) => {
      const accounts = of(plan, 'google_cloudfunctions2_function').map(({ address, values }) => [address, String(values['service_config'][0].service_account_email)] as const);
      return accounts.filter(([, account]) => !account.includes('@') || accounts.filter(([, other]) => other === account).length > 1).map(([address]) => address);
    },
    damages: [damage('functions.tf', '    service_account_email = google_service_account.function[each.key].email\n'), damage('functions.tf', 'google_service_account.function[each.key].email', 'google_service_account.function["collect"].email')],
  },
  {
    name: 'a plan prints a write key',
    why: 'The plan of a pull request stands on a page that more people read than those who deploy.',
    finds: (plan) => {
      const keys = (plan.variable('sources') as { write_keys: string[] }[]).flatMap(({ write_keys: own }) => own);
      return Object.entries(plan.outputs).filter(([name, value]) => !plan.sensitive.includes(name) && keys.some((key) => JSON.stringify(value ?? null).includes(key))).map(([name]) => name);
    },
    damages: [damage('outputs.tf', '  sensitive = true\n'), damage('outputs.tf', '  value       = google_secret_manager_secret.sources.secret_id', '  value       = local.first_source.write_keys[0]')],
  },
  {
    name: 'an account is switched off',
    why: 'Whatever acts with it is answered 401.',
    finds: (plan) => unless(of(plan, 'google_service_account'), ({ values }) => values['disabled'] !== true),
    damages: [damage('service-accounts.tf', '  display_name = "Chiplog scheduler"\n', '  display_name = "Chiplog scheduler"\n  disabled     = true\n')],
  },
  {
    name: 'builds run with the default account',
    why: 'It may do far more than build, and new organisations take its rights away.',
    finds: (plan) => unless(of(plan, 'google_cloudfunctions2_function'), ({ set }) => 'service_account' in ((set['build_config'] as any)?.[0]?.fields ?? {})),
    damages: [damage('functions.tf', '    service_account   = google_service_account.build.id\n')],
  },
  {
    name: 'a writer of files may delete or read them',
    why: 'The archive is what everything can be made from again: who writes it must not be able to lose it.',
    finds: (plan) => {
      const account = of(plan, 'google_service_account').find(({ key }) => key === 'write-storage')!.values['account_id'];
      return unless(grants(plan).filter(({ values }) => String(values['member']).startsWith(`serviceAccount:${account}@`)), ({ values }) => values['role'] === 'roles/storage.objectCreator');
    },
    damages: [damage('iam.tf', '"roles/storage.objectCreator" #', '"roles/storage.objectUser" #')],
  },
  {
    name: 'a writer of rows may read or delete tables',
    why: 'It only appends, and makes a table that is missing.',
    finds: (plan) => of(plan, 'google_project_iam_custom_role').filter(({ key }) => key === 'write-bigquery').flatMap(({ values }) => (values['permissions'] as string[]).filter((one) => /delete|getData|setIam|export|update$/.test(one))),
    damages: [damage('iam.tf', '        "bigquery.datasets.get", # the label with the reporting time zone\n', '        "bigquery.datasets.get",\n        "bigquery.tables.delete",\n')],
  },
  {
    name: 'a function may say who reads the dataset',
    why: 'Updating a dataset includes its access list: whoever gets into that function gets everything.',
    finds: (plan) => of(plan, 'google_project_iam_custom_role').flatMap(({ address, values }) => (values['permissions'] as string[]).filter((one) => /^bigquery\.datasets\.(update|setIamPolicy|delete)/.test(one)).map((one) => `${address}: ${one}`)),
    damages: [damage('iam.tf', '        "bigquery.datasets.get", # the same label\n', '        "bigquery.datasets.get",\n        "bigquery.datasets.update",\n')],
  },
  {
    name: 'a function cannot read the dataset\'s labels',
    why: 'Where fine-grained dataset permissions are on, datasets.get alone is refused; the writer then refuses every message.',
    finds: (plan) => ['write-bigquery', 'maintain'].filter((name) => {
      const permissions = of(plan, 'google_project_iam_custom_role').find(({ key }) => key === name)?.values['permissions'] as string[] | undefined;
      return !['bigquery.datasets.get', 'bigquery.datasets.getIamPolicy'].every((one) => permissions?.includes(one));
    }),
    damages: [damage('iam.tf', '# the label with the reporting time zone\n        "bigquery.datasets.getIamPolicy",\n', '\n'), damage('iam.tf', '        "bigquery.datasets.get", # the same label\n')],
  },
  {
    name: 'the collector cannot publish, or can do more than publish',
    why: 'It has a public address: of all functions it must be able to do least.',
    finds: (plan) => {
      const own = grants(plan).filter(({ values }) => String(values['member']) === `serviceAccount:${of(plan, 'google_service_account').find(({ key }) => key === 'collect')!.values['account_id']}@${plan.resources.find(({ type }) => type === 'google_project_service')!.values['project']}.iam.gserviceaccount.com`).map(({ values }) => `${values['role']} ${values['topic'] ?? values['secret_id']}`).sort();
      const topics = of(plan, 'google_pubsub_topic').filter(({ name }) => name === 'stream').map(({ values }) => `roles/pubsub.publisher ${values['name']}`);
      const wanted = [...topics, `roles/secretmanager.secretAccessor ${of(plan, 'google_secret_manager_secret')[0]!.values['secret_id']}`].sort();
      return JSON.stringify(own) === JSON.stringify(wanted) ? [] : [own.join(', ')];
    },
    damages: [damage('iam.tf', '    collect        = keys(local.streams)', '    collect        = ["events"]'), damage('iam.tf', '    write-storage = "roles/storage.objectCreator"', '    collect = "roles/storage.objectCreator"\n    write-storage = "roles/storage.objectCreator"')],
  },
];
