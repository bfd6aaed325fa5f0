// A stream's schema file in, the same schema without references out: every `$ref` is replaced by what it names, and
// `unevaluatedProperties: false` by `additionalProperties: false`, which means the same once nothing is left to evaluate and
// is much faster to check. Called by read-catalogue.ts. Refuses references that leave schemas/ or go round in circles.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { SchemaRefusal } from './refuse.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Schema = { [key: string]: Json };

export const isSchema = (value: Json | undefined): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);
export const escapePointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** Reads schema files below one folder; each file once. */
export class SchemaFiles {
  readonly #files = new Map<string, Schema>();
  readonly root: string;
  constructor(root: string) {
    this.root = root;
  }

  /** `path` is absolute. */
  read(path: string): Schema {
    let schema = this.#files.get(path);
    if (schema === undefined) this.#files.set(path, (schema = JSON.parse(readFileSync(path, 'utf8')) as Schema));
    return schema;
  }

  /** The file's root schema, resolved. */
  resolve(path: string): Schema {
    return this.#resolved(this.read(path), path, '', []) as Schema;
  }

  /** One definition of the file, resolved; undefined when the file has none of that name. */
  resolveDefinition(path: string, name: string): Schema | undefined {
    const definition = (this.read(path)['$defs'] as Schema | undefined)?.[name];
    return definition === undefined ? undefined : (this.#resolved(definition, path, `/$defs/${name}`, []) as Schema);
  }

  #resolved(schema: Json, path: string, pointer: string, open: readonly string[]): Json {
    if (Array.isArray(schema)) return schema.map((entry, index) => this.#resolved(entry, path, `${pointer}/${index}`, open));
    if (!isSchema(schema)) return schema;
    if ('$data' in schema) throw new SchemaRefusal(path, `${pointer}/$data`, '$data is not allowed');
    const own: Schema = {};
    for (const [keyword, value] of Object.entries(schema)) {
      if (keyword === '$ref' || keyword === '$defs') continue;
      const isData = keyword === 'examples' || keyword === 'const' || keyword === 'enum' || keyword === 'default';
      own[keyword] = isData ? value : this.#resolved(value, path, `${pointer}/${escapePointer(keyword)}`, open);
    }
    const reference = schema['$ref'];
    const whole = typeof reference === 'string' ? merge(this.#target(reference, path, `${pointer}/$ref`, open), own) : own;
    if (whole['unevaluatedProperties'] === false) {
      delete whole['unevaluatedProperties'];
      whole['additionalProperties'] = false;
    }
    return whole;
  }

  #target(reference: string, path: string, pointer: string, open: readonly string[]): Schema {
    const [file, fragment = ''] = reference.split('#') as [string, string?];
    const target = file === '' ? path : resolve(dirname(path), file);
    const isInside = !/^[a-z][a-z0-9+.-]*:/i.test(file) && !relative(this.root, target).startsWith('..');
    if (!isInside) throw new SchemaRefusal(path, pointer, `${reference} is outside of schemas/; a reference must name a file in it`);
    const key = `${target}#${fragment}`;
    if (open.includes(key)) throw new SchemaRefusal(path, pointer, `${reference} contains itself; a row has no recursive columns`);
    let found: Json | undefined = existsSync(target) ? this.read(target) : undefined;
    for (const step of fragment.split('/').slice(1)) found = isSchema(found) ? found[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
    if (!isSchema(found)) throw new SchemaRefusal(path, pointer, `${reference} names nothing`);
    return this.#resolved(found, target, fragment, [...open, key]) as Schema;
  }
}

/** The referenced schema with the keywords that stand beside the `$ref` on top; `properties` are joined. */
function merge(base: Schema, own: Schema): Schema {
  const properties = isSchema(base['properties']) && isSchema(own['properties']) ? { ...base['properties'], ...own['properties'] } : undefined;
  return properties === undefined ? { ...base, ...own } : { ...base, ...own, properties };
}
