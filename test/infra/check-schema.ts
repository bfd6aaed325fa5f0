// The texts of infra/ in, what Google's provider would not take out, with file and line. Needs neither Terraform nor a network.
// Called by schema.test.ts.
import { parse } from './hcl/parse.ts';
import type { Block, Body, Place, Sources } from './hcl/parse.ts';
import type { Resource } from './hcl/plan.ts';
import { attributesOf, blocksOf, knowsResource, schemaOf } from './provider-schema.ts';
import type { AttributeType, SchemaBlock } from './provider-schema.ts';

const META_ATTRIBUTES = new Set(['count', 'for_each', 'depends_on', 'provider']);
const META_BLOCKS = new Set(['lifecycle', 'provisioner', 'connection']);
/** Of Terraform itself. */
const BUILT_IN = new Set(['terraform_data']);
/** In our list, which is provider 8's, but not in 7.0, which versions.tf allows. */
const NEWER_THAN_7_0 = new Set(['deletion_policy']);

const at = ({ file, line }: Place, what: string): string => `${file}:${line}: ${what}`;

export function checkSchema(sources: Sources): string[] {
  return parse(sources).flatMap((block) => {
    if (block.type === 'data') return [at(block, `data ${block.labels.join('.')} asks Google while planning`)];
    if (block.type !== 'resource' || BUILT_IN.has(block.labels[0]!)) return [];
    if (!knowsResource(block.labels[0]!)) return [at(block, `the provider has no ${block.labels[0]}`)];
    return checkBody(block.body, schemaOf(block.labels[0]!), block.labels.join('.'), block, true);
  });
}

function checkBody(body: Body, schema: SchemaBlock, path: string, place: Place, isTop: boolean): string[] {
  const attributes = attributesOf(schema);
  const blocks = blocksOf(schema);
  const found: string[] = [];
  for (const attribute of body.attributes.values()) {
    if (isTop && META_ATTRIBUTES.has(attribute.name)) continue;
    const flags = attributes[attribute.name]?.flags;
    if (flags === undefined) found.push(at(attribute, attribute.name in blocks ? `${path}.${attribute.name} is a block: write it without =` : `${path} has no ${attribute.name}`));
    else if (!flags.includes('required') && !flags.includes('optional')) found.push(at(attribute, `${path}.${attribute.name} is computed and cannot be set`));
    else if (flags.includes('deprecated')) found.push(at(attribute, `${path}.${attribute.name} is deprecated`));
    else if (NEWER_THAN_7_0.has(attribute.name)) found.push(at(attribute, `${path}.${attribute.name} is unknown to provider 7.0`));
  }
  const counts = new Map<string, number>();
  for (const block of body.blocks) {
    if (isTop && META_BLOCKS.has(block.type)) continue;
    const isDynamic = block.type === 'dynamic';
    const name = isDynamic ? block.labels[0]! : block.type;
    const inner = blocks[name];
    // A dynamic block may make none, one or several; only written ones are counted against a maximum.
    counts.set(name, (counts.get(name) ?? 0) + (isDynamic ? 0 : 1));
    if (inner === undefined) {
      found.push(at(block, name in attributes ? `${path}.${name} is no block: write it with =` : `${path} has no block ${name}`));
      continue;
    }
    found.push(...contents(block, isDynamic).flatMap((content) => checkBody(content, inner, `${path}.${name}`, block, false)));
  }
  for (const [name, { flags }] of Object.entries(attributes)) {
    if (flags?.includes('required') === true && !body.attributes.has(name)) found.push(at(place, `${path} needs ${name}`));
  }
  for (const [name, { min = 0, max = 0 }] of Object.entries(blocks)) {
    const count = counts.get(name);
    if (min > 0 && count === undefined) found.push(at(place, `${path} needs the block ${name}`));
    if (max > 0 && (count ?? 0) > max) found.push(at(place, `${path} has ${count} blocks ${name}, at most ${max} may be`));
  }
  return found;
}

const contents = (block: Block, isDynamic: boolean): Body[] => (isDynamic ? block.body.blocks.filter(({ type }) => type === 'content').map(({ body }) => body) : [block.body]);

/** Values of another kind than the provider takes. */
export function checkTypes(resources: readonly Resource[]): string[] {
  return resources.filter(({ type }) => knowsResource(type)).flatMap((resource) => checkValues(resource.values, schemaOf(resource.type), resource.address, resource));
}

function checkValues(values: Record<string, any>, schema: SchemaBlock, path: string, place: Place): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const block = blocksOf(schema)[name];
    if (block !== undefined) return (value as Record<string, any>[]).flatMap((one) => checkValues(one, block, `${path}.${name}`, place));
    const type = attributesOf(schema)[name]?.type;
    return type === undefined || fits(type, value) ? [] : [at(place, `${path}.${name} is ${JSON.stringify(value)}, the provider wants ${JSON.stringify(type)}`)];
  });
}

function fits(type: AttributeType, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(type)) {
    if (type[0] === 'object') return typeof value === 'object' && !Array.isArray(value);
    const inner = type[1] as AttributeType;
    if (type[0] === 'map') return typeof value === 'object' && !Array.isArray(value) && Object.values(value).every((one) => fits(inner, one));
    return Array.isArray(value) && value.every((one) => fits(inner, one));
  }
  if (type === 'number') return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)));
  if (type === 'bool') return typeof value === 'boolean' || value === 'true' || value === 'false';
  return type !== 'string' || typeof value !== 'object';
}
