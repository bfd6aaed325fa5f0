// The texts of infra/ and of a .tfvars file in, what a plan of a fresh project would create out: every resource with its values, as far as
// they are known before an apply. So that traps are looked for where Terraform is not; where it is, with-terraform.test.ts compares the two.
import { join } from 'node:path';
import { convert } from './convert.ts';
import { entriesOf, evaluate } from './evaluate.ts';
import type { Scope } from './evaluate.ts';
import { HclError, parse } from './parse.ts';
import type { Attribute, Block, Body, Place, Sources } from './parse.ts';
import { Filled, Unknown, plain } from './values.ts';
import type { Fields, Value } from './values.ts';

export type Resource = Place & {
  address: string;
  type: string;
  name: string;
  key: string | number | undefined;
  /** Nested blocks are lists; what is known only after an apply is undefined. */
  values: Record<string, any>;
  /** The same with Unknown where a value is not known, to see that it is set at all. */
  set: Fields;
  preventDestroy: boolean;
  createBeforeDestroy: boolean;
  ignoresChanges: boolean;
  /** Texts of the conditions of its preconditions and postconditions. */
  conditions: string[];
  /** Texts of the commands that are run when it is made. */
  commands: string[];
  dependsOn: string[];
};
export type Plan = {
  resources: Resource[];
  locals: (name: string) => any;
  variable: (name: string) => any;
  outputs: Record<string, unknown>;
  /** Names of outputs that no plan prints. */
  sensitive: string[];
  refused: string[];
};

const META = new Set(['count', 'for_each', 'depends_on', 'provider', 'lifecycle', 'provisioner', 'connection']);

export function plan(sources: Sources, variables: string, folder: string): Plan {
  const blocks = parse(sources);
  const given = parseVariables(variables);
  const of = (type: string): Block[] => blocks.filter((block) => block.type === type);
  const locals = new Map(of('locals').flatMap(({ body }) => [...body.attributes.values()].map((attribute) => [attribute.name, attribute] as const)));
  const known = new Map<string, Value>();
  const once = (name: string, make: () => Value): Value => {
    if (!known.has(name)) known.set(name, make());
    return known.get(name)!;
  };

  const scope: Scope = {
    names: {},
    resolve(root, name) {
      if (root === 'path') return folder;
      if (root === 'local') return once(`local.${name}`, () => valueOf(locals.get(name) ?? missing(`local.${name}`), scope));
      if (root === 'var') return once(`var.${name}`, () => variable(of('variable').find(({ labels }) => labels[0] === name) ?? missing(`var.${name}`)));
      return once(`${root}.${name}`, () => collected(of('resource').find(({ labels }) => labels[0] === root && labels[1] === name) ?? missing(`${root}.${name}`)));
    },
  };

  function variable(block: Block): Value {
    const name = block.labels[0]!;
    const type = block.body.attributes.get('type')!.expression;
    const fallback = block.body.attributes.get('default');
    const value = given.get(name);
    if (value === undefined && fallback === undefined) throw new HclError(block, `the variable ${name} is not given`);
    const before = value === undefined || (value === null && fallback !== undefined) ? evaluate(fallback!.expression, scope) : value;
    return convert(type, before);
  }

  const made = new Map<Block, Resource[]>();
  function instances(block: Block): Resource[] {
    const before = made.get(block);
    if (before !== undefined) return before;
    const { attributes } = block.body;
    const address = block.labels.join('.');
    const count = attributes.get('count');
    const each = attributes.get('for_each');
    const keys: [string | number | undefined, Record<string, Value>][] = [];
    if (count !== undefined) for (let index = 0; index < Number(valueOf(count, scope)); index += 1) keys.push([index, { count: { index } }]);
    else if (each === undefined) keys.push([undefined, {}]);
    else for (const [key, value] of entriesOf(valueOf(each, scope))) {
      const name = typeof key === 'number' ? String(value) : key;
      keys.push([name, { each: { key: name, value } }]);
    }
    const resources = keys.map(([key, names]) => {
      const at = key === undefined ? address : `${address}[${JSON.stringify(key)}]`;
      const set = fill(withoutMeta(block.body), { ...scope, names }, at);
      const inner = (type: string): Block[] => block.body.blocks.filter((one) => one.type === type);
      const textsOf = (blocks: Block[], attribute: string): string[] => blocks.map(({ body }) => body.attributes.get(attribute)?.expression.text ?? '');
      const [{ body: lifecycle } = { body: undefined }] = inner('lifecycle');
      const isSet = (name: string): boolean => lifecycle?.attributes.get(name)?.expression.text === 'true';
      return {
        address: at, type: block.labels[0]!, name: block.labels[1]!, key, file: block.file, line: block.line,
        values: plain(set) as Record<string, any>, set,
        preventDestroy: isSet('prevent_destroy'), createBeforeDestroy: isSet('create_before_destroy'), ignoresChanges: lifecycle?.attributes.has('ignore_changes') === true,
        conditions: textsOf(lifecycle?.blocks ?? [], 'condition'), commands: textsOf(inner('provisioner'), 'command'),
        dependsOn: [...(attributes.get('depends_on')?.expression.text.matchAll(/[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*/g) ?? [])].map(([name]) => name),
      };
    });
    made.set(block, resources);
    return resources;
  }

  function collected(block: Block): Value {
    const all = instances(block).map((resource) => [resource.key, new Filled(resource.address, withKnown(resource, scope))] as const);
    if (block.body.attributes.has('count')) return all.map(([, value]) => value);
    if (!block.body.attributes.has('for_each')) return all[0]![1];
    return Object.fromEntries(all.map(([key, value]) => [String(key), value]));
  }

  const refused = of('variable').flatMap((block) => refusals(block, scope));
  if (refused.length > 0) return { resources: [], locals: () => undefined, variable: () => undefined, outputs: {}, sensitive: [], refused };
  return {
    refused,
    resources: of('resource').flatMap(instances),
    locals: (name) => plain(scope.resolve('local', name)),
    variable: (name) => plain(scope.resolve('var', name)),
    outputs: Object.fromEntries(of('output').map((block) => [block.labels[0]!, plain(valueOf(block.body.attributes.get('value')!, scope))])),
    sensitive: of('output').filter(({ body }) => body.attributes.get('sensitive')?.expression.text === 'true').map(({ labels }) => labels[0]!),
  };
}

function missing(name: string): never {
  throw new Error(`${name} is named and not there`);
}

/** The sentences of the validations that do not hold. */
function refusals(block: Block, scope: Scope): string[] {
  try {
    scope.resolve('var', block.labels[0]!);
  } catch (error) {
    return [(error as Error).message];
  }
  return block.body.blocks.filter(({ type }) => type === 'validation').flatMap(({ body }) =>
    (valueOf(body.attributes.get('condition')!, scope) === true ? [] : [String(valueOf(body.attributes.get('error_message')!, scope))]));
}

function valueOf(attribute: Attribute, scope: Scope): Value {
  try {
    return evaluate(attribute.expression, scope);
  } catch (error) {
    throw error instanceof HclError ? error : new HclError(attribute, `${attribute.name}: ${(error as Error).message}`);
  }
}

/** Terraform's own words mean something else further in: a rate limit has a count, too. */
function withoutMeta({ attributes, blocks }: Body): Body {
  return { attributes: new Map([...attributes].filter(([name]) => !META.has(name))), blocks: blocks.filter(({ type }) => !META.has(type)) };
}

function fill(body: Body, scope: Scope, path: string): Fields {
  const fields: Fields = {};
  for (const attribute of body.attributes.values()) fields[attribute.name] = valueOf(attribute, scope);
  for (const block of body.blocks) {
    if (block.type !== 'dynamic') {
      append(fields, block.type, new Filled(`${path}.${block.type}`, fill(block.body, scope, `${path}.${block.type}`)));
      continue;
    }
    const name = block.labels[0]!;
    const content = block.body.blocks.find(({ type }) => type === 'content')!;
    for (const [key, value] of entriesOf(valueOf(block.body.attributes.get('for_each')!, scope))) {
      append(fields, name, new Filled(`${path}.${name}`, fill(content.body, { ...scope, names: { ...scope.names, [name]: { key, value } } }, `${path}.${name}`)));
    }
  }
  return fields;
}

function append(fields: Fields, name: string, value: Value): void {
  fields[name] = [...((fields[name] as Value[] | undefined) ?? []), value];
}

/** Google's provider tells the address of a service account before it is made. */
function withKnown({ type, set }: Resource, scope: Scope): Fields {
  if (type !== 'google_service_account' || set['account_id'] instanceof Unknown) return set;
  const email = `${String(set['account_id'])}@${String(scope.resolve('var', 'project'))}.iam.gserviceaccount.com`;
  return { ...set, email, member: `serviceAccount:${email}` };
}

/** name = value lines of a .tfvars file. */
function parseVariables(text: string): Map<string, Value> {
  const nothing: Scope = { names: {}, resolve: (root) => { throw new Error(`a .tfvars file names ${root}`); } };
  const [holder] = parse({ 'given.tfvars': `given {\n${text}\n}\n` });
  return new Map([...(holder?.body.attributes.values() ?? [])].map((attribute) => [attribute.name, valueOf(attribute, nothing)]));
}

export const INFRA = join(import.meta.dirname, '../../../infra');
