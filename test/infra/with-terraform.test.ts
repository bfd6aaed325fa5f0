// What the real Terraform says of infra/: format, validity, and the plans of both example teams. Google's provider is stood in for by one
// that knows its names and types (stand-in-provider/), so nothing here needs a network or an account.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FUNCTIONS } from '../../scripts/local/function-settings.ts';
import { INFRA, plan } from './hcl/plan.ts';
import { readSources } from './hcl/parse.ts';
import { blocksOf, schemaOf } from './provider-schema.ts';
import { clearWorkspaces, formatterIsMissing, planWithTerraform, terraform, terraformIsMissing, workspace } from './terraform.ts';

const EXAMPLES = ['small', 'big'] as const;
const example = (name: string): string => readFileSync(join(INFRA, 'examples', `${name}.tfvars`), 'utf8');

test.skipIf(formatterIsMissing !== undefined)(`terraform fmt has nothing to change${formatterIsMissing === undefined ? '' : ` (skipped: ${formatterIsMissing})`}`, async () => {
  expect(await terraform(INFRA, 'fmt', '-check', '-recursive')).toMatchObject({ code: 0, output: '' });
});

/** What the provider takes as an id, by its documentation of each resource; project acme-events, prefix and dataset chiplog. */
const IMPORTED_AS: Record<string, RegExp> = {
  google_bigquery_dataset: /^projects\/acme-events\/datasets\/chiplog$/,
  google_bigquery_table: /^projects\/acme-events\/datasets\/chiplog\/tables\/(rollovers|user_days)$/,
  google_storage_bucket: /^acme-events\/acme-events-chiplog-raw$/,
  google_secret_manager_secret: /^projects\/acme-events\/secrets\/chiplog-sources$/,
  google_project_iam_custom_role: /^projects\/acme-events\/roles\/chiplog_(write_bigquery|rollover|maintain)$/,
  google_pubsub_topic: /^projects\/acme-events\/topics\/chiplog-(events|inference|rejected)(-undeliverable)?$/,
  google_pubsub_subscription: /^projects\/acme-events\/subscriptions\/chiplog-(events|inference|rejected)-(to-bigquery|to-storage|undeliverable)$/,
};

// Each run starts Terraform and the provider as processes: slow where all cores are busy.
describe.skipIf(terraformIsMissing !== undefined)(`with Terraform${terraformIsMissing === undefined ? '' : ` (skipped: ${terraformIsMissing})`}`, { timeout: 120_000 }, () => {
  let folder: string;
  beforeAll(() => { folder = workspace(); });
  const plans = new Map<string, ReturnType<typeof planWithTerraform>>();
  /** One after another: they share the folder. */
  const planned = (name: string): ReturnType<typeof planWithTerraform> => {
    if (!plans.has(name)) plans.set(name, planWithTerraform(folder, example(name)));
    return plans.get(name)!;
  };
  afterAll(clearWorkspaces);

  test('the configuration is valid, without a warning', async () => {
    const { code, diagnostics } = await terraform(folder, 'validate', '-json');
    expect(diagnostics).toEqual([]);
    expect(code).toBe(0);
  });

  test.each(EXAMPLES)('the plan of the %s team has no error, and no warning but that nothing is built yet', async (name) => {
    const { code, diagnostics, resources } = await planned(name);
    expect(diagnostics.map(({ severity, summary, detail }) => [severity, summary, detail])).toEqual([['warning', 'Check block assertion failed', expect.stringContaining('npm run build')]]);
    expect(code).toBe(0);
    expect(resources.length).toBeGreaterThan(100);
  });

  test.each(EXAMPLES)('what these tests read out of the files for the %s team is what Terraform plans, value for value', async (name) => {
    const ours = plan(readSources(folder), example(name), folder);
    const theirs = new Map((await planned(name)).resources.map(({ address, values }) => [address, values]));
    const own = ours.resources.filter(({ type }) => type.startsWith('google_'));
    expect(own.map(({ address }) => address).sort()).toEqual([...theirs.keys()].filter((address) => address.startsWith('google_')).sort());
    // Terraform's path.module is the folder that it was started in.
    const different = own.flatMap(({ address, type, values }) => differences(address, JSON.parse(JSON.stringify(values).replaceAll(folder, '.')), theirs.get(address)!, type));
    expect(different).toEqual([]);
  });

  test('terraform test passes in infra/ once the bundles are built', async () => {
    const own = workspace();
    mkdirSync(join(own, '../dist'));
    for (const { name } of FUNCTIONS) writeFileSync(join(own, `../dist/${name}.zip`), name);
    const { code, output } = await terraform(own, 'test', '-no-color');
    expect(output).toMatch(/Success! \d+ passed, 0 failed\./);
    expect(code).toBe(0);
    // With all bundles there, a plan has nothing to warn of, and names each bundle by its content.
    const { diagnostics, resources } = await planWithTerraform(own, example('small'));
    expect(diagnostics).toEqual([]);
    const names = resources.filter(({ type }) => type === 'google_storage_bucket_object').map(({ values }) => values['name']);
    expect(names).toHaveLength(FUNCTIONS.length);
    expect(names.filter((name) => !/^[a-z-]+-[0-9a-f]{16}\.zip$/.test(name))).toEqual([]);
  }, 180_000);

  test('after an apply there is nothing to do; another time zone is refused; what holds data cannot be destroyed, the rest can', async () => {
    const own = workspace();
    const variables = example('small');
    expect(await planWithTerraform(own, variables)).toMatchObject({ code: 0 });
    expect(await terraform(own, 'apply', '-json', '-lock=false', 'plan.tfplan')).toMatchObject({ code: 0 });
    const again = await planWithTerraform(own, variables);
    expect(again.output).toContain('"add":0,"change":0,"import":0,"remove":0');
    const elsewhere = await planWithTerraform(own, variables.replace('Europe/Berlin', 'Europe/Lisbon'));
    expect(elsewhere.diagnostics.filter(({ severity }) => severity === 'error').map(({ detail }) => detail)).toEqual([expect.stringContaining('The reporting time zone of a dataset cannot be changed')]);
    const { code, diagnostics } = await planWithTerraform(own, variables, { destroy: true });
    expect(code).not.toBe(0);
    // It stops at what is destroyed first; that the rest is protected too is asserted in traps.ts.
    const kept = diagnostics.flatMap(({ summary, detail }) => (summary === 'Instance cannot be destroyed' ? /Resource (\S+)/.exec(detail ?? '')?.[1]?.replace(/\[.*/, '') ?? [] : []));
    expect([...new Set(kept)].sort()).toEqual(['google_bigquery_table.kept', 'google_pubsub_subscription.push', 'google_pubsub_subscription.undeliverable']);
    // As infra/README.md says: what holds data is forgotten first, then the rest goes.
    const forgotten = /terraform state rm ([\s\S]*?)\nterraform destroy/.exec(readFileSync(join(INFRA, 'README.md'), 'utf8'))![1]!.split(/[\s\\]+/).filter((name) => name !== '');
    expect(await terraform(own, 'state', 'rm', '-lock=false', ...forgotten)).toMatchObject({ code: 0 });
    const end = await terraform(own, 'destroy', '-json', '-auto-approve', '-input=false', '-lock=false', '-var-file=given.tfvars');
    expect(end.diagnostics).toEqual([]);
    expect(end.code).toBe(0);
    expect((await terraform(own, 'state', 'list')).output).toBe('');
    // And as docs/deploy.md says: later it is all taken back, everything that was left and nothing else.
    for (const name of ['take-back.tf', 'take-back-topics.tf']) cpSync(join(own, 'examples', name), join(own, name));
    const back = await planWithTerraform(own, variables);
    expect(back.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const imported = back.imports.map(({ address, id }) => [address.replace(/\[.*/, ''), id] as const);
    expect([...new Set(imported.map(([address]) => address))].sort()).toEqual(forgotten.filter((name) => !/kms|logs/.test(name)).sort());
    expect(imported.filter(([address, id]) => !IMPORTED_AS[address.split('.')[0]!]!.test(id))).toEqual([]);
    expect(await terraform(own, 'apply', '-json', '-lock=false', 'plan.tfplan')).toMatchObject({ code: 0 });
  }, 180_000);

  test('where logs were kept as files, their bucket is taken back too', async () => {
    const own = workspace();
    cpSync(join(own, 'examples/take-back.tf'), join(own, 'take-back.tf'));
    const { imports, diagnostics } = await planWithTerraform(own, example('big'));
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(imports).toContainEqual({ address: 'google_storage_bucket.logs[0]', id: 'acme-events-prod/acme-events-prod-chiplog-prod-logs' });
    expect(imports).toContainEqual({ address: 'google_project_iam_custom_role.dataset["write-bigquery"]', id: 'projects/acme-events-prod/roles/chiplog_prod_write_bigquery' });
  });

  // Another key in its place replaces the grant, which is refused as well; the stand-in does not know what replaces.
  test('of what the big team has, a key is not let go, and a rate limit leaves its backend before it is deleted', async () => {
    const own = workspace();
    const variables = example('big');
    expect(await planWithTerraform(own, variables)).toMatchObject({ code: 0 });
    expect(await terraform(own, 'apply', '-json', '-lock=false', 'plan.tfplan')).toMatchObject({ code: 0 });
    const { code, diagnostics } = await planWithTerraform(own, variables.replace(/^ {2}topics .*$/m, ''));
    expect(code).not.toBe(0);
    expect(diagnostics.filter(({ severity }) => severity === 'error').map(({ summary, detail }) => [summary, /Resource (\S+)/.exec(detail ?? '')?.[1]])).toEqual([['Instance cannot be destroyed', 'google_kms_crypto_key_iam_member.topics[0]']]);

    expect(await planWithTerraform(own, variables.replace(/^rate_limit.*$/m, ''))).toMatchObject({ code: 0 });
    const applied = await terraform(own, 'apply', '-json', '-lock=false', '-parallelism=1', 'plan.tfplan');
    expect(applied.code).toBe(0);
    const done = applied.output.split('\n').filter((line) => line.includes('"type":"apply_complete"')).map((line) => (JSON.parse(line) as { hook: { resource: { addr: string }; action: string } }).hook);
    expect(done.map(({ resource, action }) => `${action} ${resource.addr}`)).toEqual(['update google_compute_backend_service.collector[0]', 'delete google_compute_security_policy.collector[0]']);
  }, 180_000);

  test('the stand-in knows the provider: a wrong name and a wrong block are refused by it', async () => {
    const own = workspace();
    writeFileSync(join(own, 'wrong.tf'), 'resource "google_pubsub_topic" "wrong" {\n  name     = "wrong"\n  retained = true\n  policy {}\n}\n');
    const { diagnostics } = await terraform(own, 'validate', '-json');
    expect(diagnostics.map(({ summary, range }) => [summary, range?.filename, range?.start.line])).toEqual([['Unsupported argument', 'wrong.tf', 3], ['Unsupported block type', 'wrong.tf', 4]]);
  });
});

/** Values of ours that Terraform plans otherwise. It turns numbers into texts where the provider wants texts, and sorts sets. */
function differences(path: string, ours: Record<string, any>, theirs: Record<string, any>, type: string, within = schemaOf(type)): string[] {
  return Object.entries(ours).flatMap(([name, value]) => {
    if (value === undefined || value === null) return [];
    const blocks = blocksOf(within)[name];
    if (blocks !== undefined) {
      const planned = (theirs[name] ?? []) as Record<string, any>[];
      if (planned.length !== value.length) return [`${path}.${name}: ${value.length} blocks, Terraform has ${planned.length}`];
      // A set has no order of its own.
      const pairs: [any, any][] = blocks.nesting === 'set' ? [] : value.map((one: any, index: number) => [one, planned[index]]);
      return pairs.flatMap(([one, other]) => differences(`${path}.${name}`, one, other, type, blocks));
    }
    const texts = (one: unknown): string => JSON.stringify(Array.isArray(one) ? one.map(String).sort() : one !== null && typeof one === 'object' ? Object.entries(one).map(([key, inner]) => [key, String(inner)]).sort() : String(one));
    if (Array.isArray(value) && value.includes(undefined)) return [];
    if (texts(value) === texts(theirs[name])) return [];
    return sameJson(value, theirs[name]) ? [] : [`${path}.${name}: ${texts(value)}, Terraform has ${texts(theirs[name])}`];
  });
}

function sameJson(one: unknown, other: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(String(one))) === JSON.stringify(JSON.parse(String(other)));
  } catch {
    return false;
  }
}
