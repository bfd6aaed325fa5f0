// A resolved schema in, the columns of its table out, in order: the one place where a JSON type becomes a BigQuery type.
// Called by read-catalogue.ts. Refuses, with the keyword's pointer, whatever has no column.
import { SchemaRefusal } from './refuse.ts';
import { escapePointer, isSchema, type Json, type Schema } from './resolve-schema.ts';

export type ColumnType = 'STRING' | 'INT64' | 'FLOAT64' | 'BOOL' | 'JSON' | 'RECORD';
export type FilledBy = 'client' | 'collector' | 'writer' | 'rollover';
export type Column = {
  name: string;
  number: number;
  type: ColumnType;
  repeated: boolean;
  description: string;
  filledBy: FilledBy;
  fields: Column[];
  /** The schema that it was made of; for the documentation. */
  schema: Schema;
};

/** BigQuery's own bounds: 300 characters a name, 15 levels. */
const COLUMN_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,299}$/;
const DEPTH_MAX = 15;
const SCALARS: Record<string, ColumnType> = { string: 'STRING', integer: 'INT64', number: 'FLOAT64', boolean: 'BOOL' };
const FILLED_BY: readonly string[] = ['client', 'collector', 'writer', 'rollover'] satisfies FilledBy[];

type Place = { file: string; pointer: string };
const below = (place: Place, ...steps: string[]): Place => ({ file: place.file, pointer: [place.pointer, ...steps.map(escapePointer)].join('/') });
const refuse = (place: Place, problem: string): never => {
  throw new SchemaRefusal(place.file, place.pointer, problem);
};

/** The properties with an `x-column`, by its number. */
export function columnsOf(properties: Schema, place: Place): Column[] {
  const columns: Column[] = [];
  for (const [name, schema] of Object.entries(properties)) {
    if (!isSchema(schema) || schema['x-column'] === undefined) continue;
    const at = below(place, name);
    const number = schema['x-column'];
    if (!Number.isInteger(number) || (number as number) < 1) refuse(below(at, 'x-column'), 'a column number is an integer from 1');
    const filledBy = schema['x-filled-by'] ?? 'client';
    if (!FILLED_BY.includes(filledBy as string)) refuse(below(at, 'x-filled-by'), `expected one of ${FILLED_BY.join(', ')}`);
    columns.push(columnOf(name, number as number, schema, filledBy as FilledBy, at, 1));
  }
  return columns;
}

function columnOf(name: string, number: number, schema: Schema, filledBy: FilledBy, place: Place, depth: number): Column {
  if (!COLUMN_NAME.test(name)) refuse(place, 'a column name has letters, digits and _ only');
  if (depth > DEPTH_MAX) refuse(place, `BigQuery nests at most ${DEPTH_MAX} records`);
  const description = schema['description'];
  if (typeof description !== 'string' || description === '') return refuse(below(place, 'description'), 'every field needs a description');
  if (!Array.isArray(schema['examples']) || schema['examples'].length === 0) refuse(below(place, 'examples'), 'every field needs an example');
  const base = { name, number, description, filledBy, schema, fields: [] as Column[] };
  if (typeof schema['x-bigquery'] === 'string') return { ...base, ...marked(schema, schema['x-bigquery'], filledBy, place) };
  const type = jsonTypeOf(schema, place);
  if (type === 'array') return { ...base, ...repeatedOf(schema, filledBy, place, depth) };
  if (type === 'object') return { ...base, type: 'RECORD', repeated: false, fields: fieldsOf(schema, filledBy, place, depth) };
  return { ...base, type: scalarType(type, place), repeated: false };
}

const scalarType = (type: string, place: Place): ColumnType => SCALARS[type] ?? refuse(below(place, 'type'), `${type} has no column type`);

/** The one JSON type beside null. */
function jsonTypeOf(schema: Schema, place: Place): string {
  for (const keyword of ['anyOf', 'oneOf', 'allOf', 'if', 'patternProperties']) {
    if (keyword in schema) refuse(below(place, keyword), `${keyword} has no column type`);
  }
  if (schema['type'] === undefined && Array.isArray(schema['enum'])) {
    if (schema['enum'].some((value) => typeof value !== 'string' && value !== null)) refuse(below(place, 'enum'), 'an enum without a type holds texts');
    return 'string';
  }
  const types = [schema['type'] ?? []].flat().filter((type): type is string => typeof type === 'string' && type !== 'null');
  if (types.length !== 1) refuse(below(place, 'type'), `a column has one type, or an x-bigquery that says which; here: ${JSON.stringify(schema['type'] ?? null)}`);
  return types[0]!;
}

function fieldsOf(schema: Schema, filledBy: FilledBy, place: Place, depth: number): Column[] {
  if (schema['additionalProperties'] !== false) refuse(below(place, 'additionalProperties'), 'a record names all its fields: additionalProperties must be false');
  const properties = schema['properties'];
  if (!isSchema(properties) || Object.keys(properties).length === 0) return refuse(below(place, 'properties'), 'a record needs fields');
  return Object.entries(properties).map(([name, field], index) => {
    const at = below(place, 'properties', name);
    return columnOf(name, index + 1, isSchema(field) ? field : refuse(at, 'a field is a schema'), filledBy, at, depth + 1);
  });
}

function repeatedOf(schema: Schema, filledBy: FilledBy, place: Place, depth: number): Pick<Column, 'type' | 'repeated' | 'fields'> {
  const at = below(place, 'items');
  const items = schema['items'];
  if (!isSchema(items)) return refuse(at, 'an array says what its items are');
  if (items['x-bigquery'] === 'INT64') return { type: 'INT64', repeated: true, fields: [] };
  const type = jsonTypeOf(items, at);
  if (type === 'array') refuse(below(at, 'type'), 'BigQuery has no arrays of arrays');
  if ([items['type']].flat().includes('null')) refuse(below(at, 'type'), 'BigQuery has no null in arrays');
  if (type === 'object') return { type: 'RECORD', repeated: true, fields: fieldsOf(items, filledBy, at, depth) };
  return { type: scalarType(type, at), repeated: true, fields: [] };
}

/** What `x-bigquery` names: types that JSON has no single type for. */
function marked(schema: Schema, mark: string, filledBy: FilledBy, place: Place): Pick<Column, 'type' | 'repeated' | 'fields'> {
  switch (mark) {
    case 'INT64': return { type: 'INT64', repeated: false, fields: [] };
    case 'JSON': return { type: 'JSON', repeated: false, fields: [] };
    case 'JSON_TEXT': return { type: 'STRING', repeated: false, fields: [] };
    case 'VALUE': return { type: 'RECORD', repeated: false, fields: valueFields(filledBy, false) };
    case 'PARAMS':
    case 'USER_PROPERTIES': return { type: 'RECORD', repeated: true, fields: pairFields(filledBy, mark === 'USER_PROPERTIES') };
    default: return refuse(below(place, 'x-bigquery'), `${JSON.stringify(mark as Json)} is not known; expected INT64, JSON, JSON_TEXT, VALUE, PARAMS or USER_PROPERTIES`);
  }
}

function made(name: string, number: number, type: ColumnType, filledBy: FilledBy, description: string, example: Json, fields: Column[] = []): Column {
  return { name, number, type, repeated: false, description, filledBy, fields, schema: { description, examples: [example] } };
}

/** GA4's typed value: of its members one is set. */
function valueFields(filledBy: FilledBy, hasSetTimestamp: boolean): Column[] {
  const fields = [
    made('string_value', 1, 'STRING', filledBy, 'The value when it is a text, a boolean or JSON text.', 'USD'),
    made('int_value', 2, 'INT64', filledBy, 'The value when it is an integer that a double keeps exactly.', 3),
    made('float_value', 3, 'FLOAT64', filledBy, 'Not used, as in the GA4 export.', 0),
    made('double_value', 4, 'FLOAT64', filledBy, 'The value when it is another number.', 12.5),
  ];
  if (hasSetTimestamp) fields.push(made('set_timestamp_micros', 5, 'INT64', filledBy, 'Since when it holds, in microseconds since 1970 (UTC).', 1767225599000000));
  return fields;
}

function pairFields(filledBy: FilledBy, hasSetTimestamp: boolean): Column[] {
  return [
    made('key', 1, 'STRING', filledBy, 'Name.', 'currency'),
    made('value', 2, 'RECORD', filledBy, 'Value.', { string_value: 'USD' }, valueFields(filledBy, hasSetTimestamp)),
  ];
}
