// docs/deploy.md and the GitHub example against what is there: scripts, outputs, files, pinned actions, no keys.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(resolve(ROOT, file), 'utf8');
const guide = read('docs/deploy.md');
const workflow = read('docs/examples/github-actions-deploy.yml');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

describe.each([['docs/deploy.md', guide], ['docs/examples/github-actions-deploy.yml', workflow]])('%s', (_name, text) => {
  test('runs only commands of package.json, with options that they know', () => {
    const runs = [...text.matchAll(/npm run ([a-z]+)((?: +--[^\n`&#]*)?)/g)];
    expect(runs.length).toBeGreaterThan(2);
    for (const [, name, rest] of runs) {
      expect(Object.keys(scripts), name).toContain(name);
      const help = spawnSync(process.execPath, [scripts[name!]!.replace('node ', ''), '--help'], { cwd: ROOT, encoding: 'utf8' }).stdout;
      for (const [option] of rest!.slice(3).matchAll(/--[a-z-]+/g)) expect(help, `npm run ${name} ${option}`).toContain(option);
    }
  });

  test('names only files of infra/ that are there, and outputs and variables that infra/ has', () => {
    for (const [file] of text.matchAll(/infra\/examples\/[a-z.-]+\w/g)) expect(existsSync(resolve(ROOT, file)), file).toBe(true);
    for (const [, output] of text.matchAll(/terraform -chdir=infra output -\w+ (\w+)/g)) expect(read('infra/outputs.tf')).toContain(`output "${output}"`);
    const variables = `${read('infra/variables.tf')}${read('infra/variables-optional.tf')}`;
    for (const name of ['location', 'time_zone', 'prefix', 'retention_days', 'soft_delete_days', 'collector_instances', 'sources'].filter((one) => text.includes(`\`${one}`))) expect(variables).toContain(`variable "${name}"`);
  });
});

test('the links of the guides lead somewhere', () => {
  for (const file of ['docs/deploy.md', 'docs/doctor.md', 'docs/cost.md']) {
    for (const [, link] of read(file).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) expect(existsSync(resolve(ROOT, dirname(file), link!)), `${file}: ${link}`).toBe(true);
  }
});

test('what is to outlive a destroy is what infra/ protects from one', () => {
  const files = readdirSync(resolve(ROOT, 'infra')).filter((name) => name.endsWith('.tf')).map((name) => read(`infra/${name}`)).join('\n');
  const guarded = files.split(/^resource /m).slice(1).filter((block) => block.includes('prevent_destroy = true')).map((block) => /^"(\w+)" "(\w+)"/.exec(block)!.slice(1, 3).join('.'));
  const kept = /-chdir=infra state rm ([\s\S]*?)\nterraform/.exec(guide)![1]!.split(/[\s\\]+/).filter((name) => name !== '');
  expect(guarded.length).toBeGreaterThan(5);
  expect(kept.sort()).toEqual(guarded.sort());
});

test('each option that reaches beyond the project says what a plan and an apply need for it', () => {
  const rows = new Map([...guide.matchAll(/^\| `([a-z_]+)` \| ([^|]*) \| ?([^|]*)\|$/gm)].map(([, option, plans, applies]) => [option!, [plans!, applies!].map((cell) => [...cell.matchAll(/roles\/[\w.]+/g)].map(([role]) => role))]));
  // What makes every call name the project that pays, and what lies on a billing account or on keys.
  const paying = [...new Set([.../user_project_override = (.*)/.exec(read('infra/versions.tf'))![1]!.matchAll(/var\.([a-z_]+)/g)].map(([, name]) => name!))];
  expect([...rows.keys()].sort()).toEqual([...new Set([...paying, 'budget', 'cmek'])].sort());
  for (const option of paying) expect(rows.get(option)![0]).toContain('roles/serviceusage.serviceUsageConsumer');
  expect(rows.get('budget')).toEqual([expect.arrayContaining(['roles/billing.viewer']), ['roles/billing.costsManager']]);
  expect(rows.get('cmek')).toEqual([['roles/iam.securityReviewer'], ['roles/cloudkms.admin']]);
});

describe('the GitHub example', () => {
  const uses = [...workflow.matchAll(/uses: (\S+)(.*)/g)];

  test('pins every action to a commit and says which version that is', () => {
    expect(uses.length).toBeGreaterThan(5);
    for (const [, action, comment] of uses) {
      expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      expect(comment).toMatch(/^ # v\d+\.\d+\.\d+$/);
    }
    // One action, one commit.
    expect(new Set(uses.map(([, action]) => action)).size).toBe(new Set(uses.map(([, action]) => action!.split('@')[0])).size);
  });

  test('uses workload identity and no key, and gives a job nothing that it does not need', () => {
    expect(workflow).not.toMatch(/credentials_json|secrets\.|GOOGLE_CREDENTIALS/);
    expect(workflow).toMatch(/^permissions: \{\}$/m);
    const jobs = workflow.split(/^ {2}(?=\w+:$)/m).slice(1).filter((job) => job.includes('runs-on'));
    const named = new Map(jobs.map((job) => [/^\w+/.exec(job)![0], job]));
    expect([...named.keys()]).toEqual(['check', 'plan', 'apply']);
    for (const [name, job] of named) expect(job.includes('id-token: write'), name).toBe(name !== 'check');
    expect(workflow).not.toMatch(/: write\b(?<!id-token: write)/);
  });

  test('plans pull requests of this repository only, and applies only what was merged and approved', () => {
    expect(workflow).toMatch(/plan:\n.*\n {4}if: github\.event_name == 'pull_request' && github\.event\.pull_request\.head\.repo\.full_name == github\.repository/);
    expect(workflow).toMatch(/apply:\n {4}needs: check\n {4}if: github\.event_name == 'push'/);
    expect(workflow).toContain('environment: production');
    expect(workflow.split('apply:')[0]).not.toContain('terraform -chdir=infra apply');
  });

  test('plans and applies with the provider that was committed, which the guide says how to do', () => {
    const inits = [...workflow.matchAll(/terraform -chdir=infra init (.*)/g)].map(([, options]) => options!);
    expect(inits.length).toBe(2);
    for (const options of inits) expect(options).toContain('-lockfile=readonly');
    const section = guide.slice(guide.indexOf('## From GitHub'));
    expect(section).toMatch(/providers lock .*-platform=linux_amd64/);
    expect(section).toMatch(/git add .*infra\/\.terraform\.lock\.hcl/);
    expect(read('infra/.gitignore')).not.toContain('lock');
  });

  test('writes columns before the code that needs them', () => {
    expect(workflow.indexOf('npm run migrate')).toBeGreaterThan(0);
    expect(workflow.indexOf('npm run migrate')).toBeLessThan(workflow.indexOf('terraform -chdir=infra apply changes'));
    expect(guide.indexOf('npm run migrate')).toBeLessThan(guide.indexOf('terraform -chdir=infra plan -var-file'));
  });
});
