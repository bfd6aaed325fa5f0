// docs/infra.md against the grants that are planned, and infra/README.md against the variables and outputs that there are.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { grantsOf } from './grants.ts';
import type { Grant } from './grants.ts';
import { INFRA, plan } from './hcl/plan.ts';
import { parse, readSources } from './hcl/parse.ts';

const sources = readSources(INFRA);
const example = (name: string): string => readFileSync(join(INFRA, 'examples', `${name}.tfvars`), 'utf8');
const page = readFileSync(join(INFRA, '../docs/infra.md'), 'utf8');
const readme = readFileSync(join(INFRA, 'README.md'), 'utf8');

/** With {prefix} and the like for what a team names, and {stream} where all streams have the same. */
function general(grants: Grant[], { project, prefix, dataset }: { project: string; prefix: string; dataset: string }, streams: string[]): string[] {
  const lines = grants.map(({ who, role, on }) => [who.replace(new RegExp(`^${prefix}-`), '{prefix}-'), role,
    on.replace(`dataset ${dataset}`, 'dataset {dataset}').replace(`${project}-${prefix}-`, '{project}-{prefix}-').replace(new RegExp(` ${prefix}-`), ' {prefix}-')].join(' | '));
  const stem = (line: string): string => line.replace(new RegExp(`\\{prefix\\}-(${streams.join('|')})(?=-to-|-undeliverable|$)`), '{prefix}-{stream}');
  const count = new Map<string, number>();
  for (const line of lines) count.set(stem(line), (count.get(stem(line)) ?? 0) + 1);
  return [...new Set(lines.map((line) => (count.get(stem(line)) === streams.length ? stem(line) : line)))].sort();
}

const written = (): string[] => [...page.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| [^|]+ \|$/gm)].map(([, who, role, on]) => `${who} | ${role} | ${on}`).filter((line) => !line.startsWith('who |')).sort();

test('docs/infra.md lists exactly the grants that are planned', () => {
  const made = plan(sources, example('small'), INFRA);
  expect(general(grantsOf(made), { project: 'acme-events', prefix: 'chiplog', dataset: 'chiplog' }, Object.keys(made.locals('streams')))).toEqual(written());
});

test('the big team has the same, and what its options need', () => {
  const made = plan(sources, example('big'), INFRA);
  const all = general(grantsOf(made), { project: 'acme-events-prod', prefix: 'chiplog-prod', dataset: 'chiplog_prod' }, Object.keys(made.locals('streams')));
  expect(written().filter((line) => !all.includes(line))).toEqual([]);
  const more = all.filter((line) => !written().includes(line));
  expect(more.map((line) => line.split(' | ').slice(0, 2).join(' | '))).toEqual([
    'Google\'s agent gcp-sa-pubsub | roles/cloudkms.cryptoKeyEncrypterDecrypter', 'Google\'s agent gcp-sa-secretmanager | roles/cloudkms.cryptoKeyEncrypterDecrypter',
    'Google\'s agent gs-project-accounts | roles/cloudkms.cryptoKeyEncrypterDecrypter', 'google_logging_project_sink.logs[0].writer_identity | roles/storage.objectCreator',
  ]);
});

test('a grant that the page does not have is seen', () => {
  const more = { ...sources, 'iam.tf': `${sources['iam.tf']}\nresource "google_project_iam_member" "more" {\n  project = var.project\n  role    = "roles/viewer"\n  member  = google_service_account.scheduler.member\n}\n` };
  const made = plan(more, example('small'), INFRA);
  expect(general(grantsOf(made), { project: 'acme-events', prefix: 'chiplog', dataset: 'chiplog' }, Object.keys(made.locals('streams'))).filter((line) => !written().includes(line))).toEqual(['{prefix}-scheduler | roles/viewer | project']);
});

test('infra/README.md lists every variable with its default, and every output', () => {
  const blocks = parse(sources);
  const variables = blocks.filter(({ type }) => type === 'variable');
  const rows = new Map([...readme.matchAll(/^\| `([a-z_]+)` \| [^|]+ \|([^|]*)\|$/gm)].map(([, name, fallback]) => [name!, fallback!.replace(/`/g, '').trim()]));
  expect([...rows.keys()].sort()).toEqual(variables.map(({ labels }) => labels[0]!).sort());
  const wrong = variables.filter(({ labels, body }) => {
    const fallback = body.attributes.get('default')?.expression.text;
    const said = rows.get(labels[0]!)!;
    if (fallback === undefined) return said !== '';
    if (fallback === 'null' || labels[0] === 'cmek') return said !== 'off';
    return fallback === '{}' ? !/^0 to \d+$/.test(said) || !body.attributes.get('type')!.expression.text.includes(`max = optional(number, ${said.slice(5)})`) : said !== fallback.replace(/"/g, '');
  });
  expect(wrong.map(({ labels }) => labels[0])).toEqual([]);
  const section = /## Outputs\n([\s\S]*?)\n## /.exec(readme)![1]!;
  expect([...section.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name!).sort()).toEqual(blocks.filter(({ type }) => type === 'output').map(({ labels }) => labels[0]!).sort());
});

test('infra/README.md names every file, and forgets nothing that holds data before a destroy', () => {
  const section = readme.slice(readme.indexOf('## Files'));
  expect(Object.keys(sources).filter((name) => !section.includes(`\`${name}\``))).toEqual([]);
  const forgotten = /terraform state rm ([\s\S]*?)\nterraform destroy/.exec(readme)![1]!.split(/[\s\\]+/).filter((name) => name !== '').sort();
  const kept = new Set(['small', 'big'].flatMap((name) => plan(sources, example(name), INFRA).resources).filter(({ preventDestroy }) => preventDestroy).map(({ type, name }) => `${type}.${name}`));
  expect(forgotten).toEqual([...kept].sort());
});
