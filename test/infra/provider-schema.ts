// Google's own list of resources, attributes and blocks (google-provider-schema.json: provider 8, August 2026), as the tests ask for it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type AttributeType = string | [string, AttributeType | Record<string, AttributeType>];
export type SchemaAttribute = { flags?: string[]; type: AttributeType };
export type SchemaBlock = { attributes?: Record<string, SchemaAttribute>; blocks?: Record<string, SchemaBlock>; nesting?: 'list' | 'set'; min?: number; max?: number };

const { resources } = JSON.parse(readFileSync(join(import.meta.dirname, 'google-provider-schema.json'), 'utf8')) as { resources: Record<string, SchemaBlock> };

export const knowsResource = (type: string): boolean => type in resources;

export function schemaOf(type: string): SchemaBlock {
  const schema = resources[type];
  if (schema === undefined) throw new Error(`The provider has no ${type}.`);
  return schema;
}

export const blocksOf = (schema: SchemaBlock): Record<string, SchemaBlock> => schema.blocks ?? {};
export const attributesOf = (schema: SchemaBlock): Record<string, SchemaAttribute> => schema.attributes ?? {};
