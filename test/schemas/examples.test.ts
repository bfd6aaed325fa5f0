// The examples beside the schemas: the valid ones are valid, the invalid ones are refused at the pointer that they carry; by the generated
// validators and by ajv reading the schema files themselves, so that generation cannot change what a schema means.
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import * as validators from '../../schemas/generated/validators.js';

const SCHEMAS = new URL('../../schemas/', import.meta.url);
const readJson = (path: string): any => JSON.parse(readFileSync(new URL(path, SCHEMAS), 'utf8'));
const examples = (folder: string, kind: string): [string, any][] => readdirSync(new URL(`${folder}/examples/${kind}/`, SCHEMAS)).map((name) => [name, readJson(`${folder}/examples/${kind}/${name}`)]);

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, strictTypes: false, allowUnionTypes: true });
ajv.addVocabulary(['x-column', 'x-bigquery', 'x-filled-by']);
for (const path of ['event/1', 'inference/1', 'rejected/1', 'raw', 'sources', 'streams']) ajv.addSchema(readJson(`${path}.schema.json`));

type SchemaError = { instancePath: string; params: Record<string, unknown>; propertyName?: string };
const pointerOf = ({ instancePath, params, propertyName }: SchemaError): string => {
  const field = params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty'] ?? propertyName;
  return field === undefined ? instancePath : `${instancePath}/${String(field)}`;
};

const STREAMS = [
  ['event', validators.validateEventsBatch, validators.validateEventsEvent, validators.validateEventsEventAll, validators.validateEventsContext, validators.validateEventsContextAll],
  ['inference', validators.validateInferenceBatch, validators.validateInferenceEvent, validators.validateInferenceEventAll, validators.validateInferenceContext, validators.validateInferenceContextAll],
] as const;

describe.each(STREAMS)('%s', (folder, batch, event, eventAll, context, contextAll) => {
  const source = ajv.getSchema(`https://chiplog.invalid/schemas/${folder}/1.schema.json`)!;

  test.each(examples(folder, 'valid'))('accepts valid/%s', (_, example) => {
    expect([batch(example), batch.errors]).toEqual([true, null]);
    expect([source(example), source.errors]).toEqual([true, null]);
    const { events, write_key: _key, ...fields } = example;
    expect(context(fields) && contextAll(fields)).toBe(true);
    for (const one of events) expect(event(one) && eventAll(one)).toBe(true);
  });

  test.each(examples(folder, 'invalid'))('refuses invalid/%s at its pointer', (_, { pointer, batch: example }) => {
    expect(batch(example)).toBe(false);
    expect(pointerOf(batch.errors![0]!)).toBe(pointer);
    expect(source(example)).toBe(false);
    const isOfEvent = pointer.startsWith('/events/0/');
    if (isOfEvent) {
      expect(event(example.events[0])).toBe(false);
      expect(eventAll(example.events[0])).toBe(false);
      expect(eventAll.errors!.map(pointerOf)).toContain(pointer.slice('/events/0'.length));
    } else if (pointer !== '/events') {
      const { events: _events, ...fields } = example;
      expect(context(fields)).toBe(false);
      expect(contextAll(fields)).toBe(false);
      expect(contextAll.errors!.map(pointerOf)).toContain(pointer);
    }
  });
});

test('every property\'s own examples satisfy its schema', () => {
  let count = 0;
  const visit = (schema: any, id: string, pointer: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    if (Array.isArray(schema.examples)) {
      const check = ajv.getSchema(`${id}#${pointer}`)!;
      for (const example of schema.examples) {
        count++;
        expect([`${id}#${pointer}`, check(example), check.errors]).toEqual([`${id}#${pointer}`, true, null]);
      }
    }
    for (const key of ['properties', '$defs']) for (const [name, inner] of Object.entries(schema[key] ?? {})) visit(inner, id, `${pointer}/${key}/${name}`);
    for (const key of ['items', 'additionalProperties']) visit(schema[key], id, `${pointer}/${key}`);
  };
  for (const path of ['event/1', 'inference/1', 'rejected/1', 'raw', 'sources', 'streams']) {
    const schema = readJson(`${path}.schema.json`);
    visit(schema, schema.$id, '');
  }
  expect(count).toBeGreaterThan(200);
});

test('all problems of an event are reported at once', () => {
  const bad = { event_id: 'x', event_name: '9', event_timestamp: 'now', device: { modell: 1, language: 2 } };
  expect(validators.validateEventsEventAll(bad)).toBe(false);
  expect(new Set(validators.validateEventsEventAll.errors!.map(pointerOf))).toEqual(new Set(['/event_id', '/event_name', '/event_timestamp', '/device/modell', '/device/language']));
});

test('a field that an object inherits does not count as sent', () => {
  for (const key of ['toString', 'hasOwnProperty', 'valueOf', 'then', 'length', '__proto__']) {
    const event = JSON.parse(`{"event_id":"0198f2f0-6f1c-7b2e-9a63-2f6f1d0c4b11","event_name":"a","event_timestamp":1,"event_params":{"${key}":1}}`);
    expect(validators.validateEventsEvent(event)).toBe(true);
    expect(validators.validateEventsEvent({ ...event, toString: 1 })).toBe(false);
  }
  expect(validators.validateEventsEvent(Object.create({ event_id: 'x', event_name: 'a', event_timestamp: 1 }))).toBe(false);
});

test('lengths count characters, not UTF-16 units, on both sides of the bound', () => {
  const event = (text: string): unknown => ({ event_id: '0198f2f0-6f1c-7b2e-9a63-2f6f1d0c4b11', event_name: 'a', event_timestamp: 1, event_params: { text } });
  for (const character of ['a', 'ß', '🙂']) {
    expect(validators.validateEventsEvent(event(character.repeat(4096)))).toBe(true);
    expect(validators.validateEventsEvent(event(character.repeat(4097)))).toBe(false);
  }
});

test('no pattern takes long on hostile text', () => {
  const hostile = ['9'.repeat(100_000), `${'a'.repeat(100_000)}!`, '-'.repeat(100_000), `${'0-'.repeat(50_000)}`, `http://${'a.'.repeat(50_000)} `];
  const patterns = new Set([...JSON.stringify(['event/1', 'inference/1', 'rejected/1', 'raw', 'sources', 'streams'].map((path) => readJson(`${path}.schema.json`))).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(([, text]) => JSON.parse(text!) as string));
  expect(patterns.size).toBeGreaterThan(5);
  for (const pattern of patterns) {
    const expression = new RegExp(pattern, 'u');
    // The best of three: a busy machine may stall one of them.
    const tookMs = [1, 2, 3].map(() => {
      const start = performance.now();
      for (const text of hostile) expression.test(text);
      return performance.now() - start;
    });
    expect(Math.min(...tookMs)).toBeLessThan(50);
  }
});

describe('the sources document', () => {
  const demo = { id: 'demo-app', write_keys: ['demo'], platform: 'ANDROID', streams: ['events', 'inference'], origins: ['*'], enabled: true, events_per_second_max: 1000 };
  test('accepts the documented one, with and without what is optional', () => {
    const { platform: _p, origins: _o, events_per_second_max: _e, ...least } = demo;
    expect(validators.validateSourcesAll({ sources: [demo, least, { ...demo, origins: ['https://www.example.com', 'http://localhost:8080', 'capacitor://localhost'], analytics_storage: 'No' }] })).toBe(true);
  });
  test('names every problem', () => {
    expect(validators.validateSourcesAll({ sources: [{ ...demo, id: 'Demo App', write_keys: [] }, { ...demo, platform: 'Android', stream: 'events', origins: ['www.example.com'] }] })).toBe(false);
    expect(new Set(validators.validateSourcesAll.errors!.map(pointerOf))).toEqual(new Set(['/sources/0/id', '/sources/0/write_keys', '/sources/1/platform', '/sources/1/stream', '/sources/1/origins/0']));
  });
});
