// The folder schemas/ in, everything that is generated from it as plain data out: streams with their resolved schemas and columns.
// Called by generate.ts and by the schema comparison. Throws SchemaRefusal for what cannot become a table.
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { columnsOf, type Column } from './columns-of.ts';
import { requireBounds } from './require-bounds.ts';
import { SchemaRefusal } from './refuse.ts';
import { isSchema, SchemaFiles, type Json, type Schema } from './resolve-schema.ts';

export type StreamEntry = {
  schema: string;
  description: string;
  route?: string;
  topic: string;
  table_prefix: string;
  clustering: string[];
  daily_expiration_days: number | null;
  raw_retention_days: number | null;
};

export type Stream = StreamEntry & {
  name: string;
  schemaVersion: number;
  columns: Column[];
  /** Only of streams that clients send to: the whole batch, its fields without the events, and one event. */
  client?: { batch: Schema; context: Schema; event: Schema };
};

export type Catalogue = { streams: Stream[]; raw: Column[]; sources: Schema };

export function readCatalogue(root: string): Catalogue {
  const files = new SchemaFiles(root);
  const document = files.read(join(root, 'streams.json'));
  checkDocument(document, files.resolve(join(root, 'streams.schema.json')), join(root, 'streams.json'));
  const entries = Object.entries(document['streams'] as unknown as Record<string, StreamEntry>);
  refuseNestedPrefixes(entries, join(root, 'streams.json'));
  const streams = entries.map(([name, entry]) => readStream(name, entry, root, files));
  const sources = files.resolve(join(root, 'sources.schema.json'));
  requireBounds(sources, join(root, 'sources.schema.json'));
  const rawFile = join(root, 'raw.schema.json');
  const raw = sorted(columnsOf(files.resolve(rawFile)['properties'] as Schema, { file: rawFile, pointer: '/properties' }), rawFile);
  return { streams, raw, sources };
}

function checkDocument(document: Json, schema: Schema, file: string): void {
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
  if (ajv.validate(schema, document)) return;
  const unknown = ajv.errors!.find(({ keyword }) => keyword === 'additionalProperties');
  if (unknown !== undefined) throw new SchemaRefusal(file, `${unknown.instancePath}/${String(unknown.params['additionalProperty'])}`, 'there is no such field');
  throw new SchemaRefusal(file, ajv.errors![0]!.instancePath, ajv.errorsText(ajv.errors, { dataVar: '' }));
}

/** `events_*` must match tables of one stream only. */
function refuseNestedPrefixes(entries: [string, StreamEntry][], file: string): void {
  for (const [name, { table_prefix: prefix }] of entries) {
    for (const [other, { table_prefix: longer }] of entries) {
      const isHidden = name !== other && (longer === prefix || longer.startsWith(`${prefix}_`));
      if (isHidden) throw new SchemaRefusal(file, `/streams/${other}/table_prefix`, `"${longer}" begins with stream ${name}'s prefix "${prefix}"; the wildcard ${prefix}_* would hold both`);
    }
  }
}

function readStream(name: string, entry: StreamEntry, root: string, files: SchemaFiles): Stream {
  const file = join(root, `${entry.schema}.schema.json`);
  const whole = files.resolve(file);
  requireBounds(whole, file);
  const made = files.resolveDefinition(file, 'made');
  const client = entry.route === undefined ? undefined : clientSchemas(whole, file);
  const properties: Schema = { ...(whole['properties'] as Schema), ...(client?.event['properties'] as Schema | undefined), ...(made?.['properties'] as Schema | undefined) };
  const columns = sorted(columnsOf(properties, { file, pointer: '/properties' }), file);
  for (const column of entry.clustering) {
    const isClusterable = columns.some(({ name: known, type, repeated }) => known === column && !repeated && type !== 'RECORD' && type !== 'FLOAT64' && type !== 'JSON');
    if (!isClusterable) throw new SchemaRefusal(join(root, 'streams.json'), `/streams/${name}/clustering`, `"${column}" is no column that a table can be clustered by`);
  }
  return { ...entry, name, schemaVersion: Number(entry.schema.split('/')[1]), columns, ...(client === undefined ? {} : { client }) };
}

function clientSchemas(batch: Schema, file: string): NonNullable<Stream['client']> {
  const { events, ...fields } = batch['properties'] as Schema;
  const event = isSchema(events) ? events['items'] : undefined;
  if (!isSchema(event) || !isSchema(event['properties'])) throw new SchemaRefusal(file, '/properties/events/items', 'a stream with a route has a batch of events');
  const { required: _required, ...context } = batch;
  return { batch, event, context: { ...context, properties: fields } };
}

function sorted(columns: Column[], file: string): Column[] {
  const byNumber = columns.toSorted((a, b) => a.number - b.number);
  byNumber.forEach(({ name, number }, index) => {
    const before = byNumber[index - 1];
    if (before?.number === number) throw new SchemaRefusal(file, `/properties/${name}/x-column`, `columns ${before.name} and ${name} both have number ${number}`);
  });
  if (byNumber.length === 0) throw new SchemaRefusal(file, '/properties', 'the schema has no columns');
  return byNumber;
}
