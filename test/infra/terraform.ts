// The real Terraform with the stand-in for Google's provider: a folder of .tf files and variables in, a plan or what was refused out.
// Where either is missing the tests say so and are skipped. Called by with-terraform.test.ts and variables.test.ts.
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve(import.meta.dirname, '../..');
const PROVIDER = join(ROOT, '.contract/terraform-provider');

export type Diagnostic = { severity: 'error' | 'warning'; summary: string; detail?: string; range?: { filename: string; start: { line: number } } };
export type PlannedResource = { address: string; type: string; values: Record<string, any> };
export type Run = { code: number; diagnostics: Diagnostic[]; output: string };

const hasTerraform = spawnSync('terraform', ['version'], { stdio: 'ignore', env: { PATH: process.env['PATH'], CHECKPOINT_DISABLE: '1' } }).status === 0;

/** An older one would answer as it did before its source was changed. */
function isBuiltFromItsSource(): boolean {
  const builtFrom = join(PROVIDER, 'terraform-provider-google.built-from');
  const source = readFileSync(join(import.meta.dirname, 'stand-in-provider/main.go'), 'utf8');
  return existsSync(builtFrom) && readFileSync(builtFrom, 'utf8').includes(source);
}

/** Why nothing can be run here; undefined when it can. */
export const terraformIsMissing = !hasTerraform ? 'terraform is not on this machine'
  : !existsSync(join(PROVIDER, 'terraform-provider-google')) ? 'the stand-in provider is not built: npm run contract -- --install'
  : isBuiltFromItsSource() ? undefined
  : 'the stand-in provider is older than its source: npm run contract -- --install';
export const formatterIsMissing = hasTerraform ? undefined : 'terraform is not on this machine';

const made: string[] = [];

/** Takes away every workspace of this file's tests. */
export function clearWorkspaces(): void {
  for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true });
}

/** A copy of infra/ beside the schemas that it reads, in a temporary folder, without what is built. */
export function workspace(): string {
  const root = mkdtempSync(join(tmpdir(), 'chiplog-infra-'));
  made.push(root);
  cpSync(join(ROOT, 'infra'), join(root, 'infra'), { recursive: true, filter: (source) => !/\.terraform|\.tfstate|\.tfplan/.test(source) });
  symlinkSync(join(ROOT, 'schemas'), join(root, 'schemas'));
  mkdirSync(join(root, 'path'));
  // The one provisioner waits a minute for Google; nothing has to be waited for here.
  writeFileSync(join(root, 'path/sleep'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  writeFileSync(join(root, 'cli.tfrc'), `provider_installation {\n  dev_overrides {\n    "hashicorp/google" = ${JSON.stringify(PROVIDER)}\n  }\n  direct {}\n}\n`);
  return join(root, 'infra');
}

export async function terraform(folder: string, ...args: string[]): Promise<Run> {
  const env = {
    PATH: `${join(folder, '../path')}:${process.env['PATH']}`, HOME: folder, CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1',
    TF_CLI_CONFIG_FILE: join(folder, '../cli.tfrc'), STAND_IN_SCHEMA: join(import.meta.dirname, 'google-provider-schema.json'),
  };
  let code = 0;
  let output: string;
  try {
    output = (await promisify(execFile)('terraform', args, { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const failed = error as { code: number; stdout: string };
    ({ code, stdout: output } = failed);
  }
  return { code, output, diagnostics: diagnosticsIn(output).filter(({ summary }) => !summary.startsWith('Provider development overrides')) };
}

/** The variables file is written beside the configuration, so that a test can give its own text. */
export async function planWithTerraform(folder: string, variables: string, options: { destroy?: boolean } = {}): Promise<Run & { resources: PlannedResource[]; imports: { address: string; id: string }[] }> {
  writeFileSync(join(folder, 'given.tfvars'), variables);
  const run = await terraform(folder, 'plan', '-json', '-input=false', '-lock=false', '-out=plan.tfplan', '-var-file=given.tfvars', ...(options.destroy === true ? ['-destroy'] : []));
  if (run.code !== 0) return { ...run, resources: [], imports: [] };
  const shown = JSON.parse((await terraform(folder, 'show', '-json', 'plan.tfplan')).output) as {
    planned_values: { root_module?: { resources?: PlannedResource[] } };
    resource_changes?: { address: string; change: { importing?: { id: string } } }[];
  };
  const imports = (shown.resource_changes ?? []).flatMap(({ address, change }) => (change.importing === undefined ? [] : [{ address, id: change.importing.id }]));
  return { ...run, resources: shown.planned_values.root_module?.resources ?? [], imports };
}

/** `validate -json` prints one object, the others a line for each thing that they say. */
function diagnosticsIn(output: string): Diagnostic[] {
  if (!output.startsWith('{')) return [];
  try {
    return (JSON.parse(output) as { diagnostics?: Diagnostic[] }).diagnostics ?? [];
  } catch {
    return output.split('\n').filter((line) => line.startsWith('{')).flatMap((line) => {
      const said = JSON.parse(line) as { type?: string; diagnostic?: Diagnostic };
      return said.type === 'diagnostic' && said.diagnostic !== undefined ? [said.diagnostic] : [];
    });
  }
}
