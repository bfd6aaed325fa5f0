// The planned values against what Google's provider and services demand of them (provider-rules.ts), for both teams and the extremes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { INFRA, plan } from './hcl/plan.ts';
import { readSources } from './hcl/parse.ts';
import { RULES, valuesAt } from './provider-rules.ts';
import { attributesOf, blocksOf, schemaOf } from './provider-schema.ts';

const sources = readSources(INFRA);
const small = readFileSync(join(INFRA, 'examples/small.tfvars'), 'utf8');
const big = readFileSync(join(INFRA, 'examples/big.tfvars'), 'utf8');
const set = (text: string, name: string, value: string): string => `${text.replace(new RegExp(`^${name} .*$`, 'm'), '')}\n${name} = ${value}\n`;

const TEAMS: [who: string, variables: string][] = [
  ['the small team', small],
  ['the big team', big],
  ['a team with the longest names', set(set(big, 'prefix', '"chiplog-prod-eu"'), 'project', '"acme-behaviour-events-eu-prod1"')],
  ['a team with the shortest prefix', set(big, 'prefix', '"c"')],
  ['a team that keeps messages for a month', set(small, 'retention_days', '31')],
  ['a team that keeps messages for a day', set(small, 'retention_days', '1')],
  ['a team in one region', set(small, 'location', '"europe-west1"')],
];

test.each(TEAMS)('every value that is planned for %s is one that Google takes', (_who, variables) => {
  const { resources, refused } = plan(sources, variables, INFRA);
  expect(refused).toEqual([]);
  const wrong = RULES.flatMap(({ type, path, holds }) => resources.filter((one) => one.type === type)
    .flatMap((resource) => valuesAt(resource, path).filter((value) => !holds(value)).map((value) => `${resource.address}.${path} = ${JSON.stringify(value)}`)));
  expect(wrong).toEqual([]);
});

const examples = [small, big].flatMap((variables) => plan(sources, variables, INFRA).resources);

test.each(RULES.map((one) => [`${one.type}.${one.path}`, one] as const))('the rule for %s refuses something, and is about values that are planned', (_name, { type, path, holds, refuses }) => {
  expect(holds(refuses)).toBe(false);
  const names = path.split('.');
  const last = names.pop()!;
  const schema = names.reduce((one, name) => blocksOf(one)[name]!, schemaOf(type));
  expect(last in attributesOf(schema) || last in blocksOf(schema)).toBe(true);
  const planned = examples.filter((one) => one.type === type);
  // A member of Google's own is known after the apply only.
  expect(planned.length).toBeGreaterThan(0);
  if (last !== 'member') expect(planned.flatMap((one) => valuesAt(one, path)).length).toBeGreaterThan(0);
});

test('no two rules of the rate limit have the same priority, and the last one is for all', () => {
  const [policy] = plan(sources, big, INFRA).resources.filter(({ type }) => type === 'google_compute_security_policy');
  const priorities = policy!.values['rule'].map(({ priority }: { priority: number }) => priority);
  expect(new Set(priorities).size).toBe(priorities.length);
  expect(Math.max(...priorities)).toBe(2_147_483_647);
});

test('names that are global or made twice do not meet', () => {
  for (const [, variables] of TEAMS.slice(0, 2)) {
    const { resources } = plan(sources, variables, INFRA);
    const names = resources.flatMap(({ type, values }) => (values['name'] === undefined || type.endsWith('_iam_member') ? [] : [`${type} ${values['name']}`]));
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  }
});
