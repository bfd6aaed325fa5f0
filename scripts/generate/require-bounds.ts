// A resolved schema in; throws unless everything that a client can send in it is bounded: texts by maxLength, arrays by maxItems,
// objects by maxProperties. Unbounded values are how one event hurts its neighbours. Called by read-catalogue.ts.
import { SchemaRefusal } from './refuse.ts';
import { escapePointer, isSchema, type Json, type Schema } from './resolve-schema.ts';

/** A schema's bound per JSON type. */
const BOUNDS = { string: 'maxLength', array: 'maxItems', object: 'maxProperties' } as const;
/** Names that every object inherits: a check for such a field would find it where it is not. */
const INHERITED: ReadonlySet<string> = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype']);

export function requireBounds(schema: Schema, file: string, pointer = ''): void {
  const types = [schema['type'] ?? []].flat() as string[];
  for (const [type, bound] of Object.entries(BOUNDS)) {
    const isNamed = Array.isArray(schema['enum']) || schema['const'] !== undefined;
    if (types.includes(type) && !isNamed && typeof schema[bound] !== 'number') throw new SchemaRefusal(file, `${pointer}/${bound}`, `a ${type} needs ${bound}`);
  }
  for (const keyword of ['properties', 'patternProperties']) {
    for (const [name, property] of Object.entries((schema[keyword] ?? {}) as Schema)) {
      const at = `${pointer}/${keyword}/${escapePointer(name)}`;
      if (INHERITED.has(name)) throw new SchemaRefusal(file, at, 'every object inherits this name');
      if (isSchema(property)) requireDescribed(property, file, at);
      below(property, file, at);
    }
  }
  for (const keyword of ['items', 'additionalProperties', 'propertyNames', 'contains', 'not']) below(schema[keyword], file, `${pointer}/${keyword}`);
}

function requireDescribed(property: Schema, file: string, at: string): void {
  if (typeof property['description'] !== 'string' || property['description'] === '') throw new SchemaRefusal(file, `${at}/description`, 'every field needs a description');
  if (!Array.isArray(property['examples']) || property['examples'].length === 0) throw new SchemaRefusal(file, `${at}/examples`, 'every field needs an example');
}

const below = (schema: Json | undefined, file: string, pointer: string): void => {
  if (isSchema(schema)) requireBounds(schema, file, pointer);
};
