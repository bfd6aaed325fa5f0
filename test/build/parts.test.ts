// What a bundle is made of: descriptions without what is never called, a source map of our own files, a zip without accidents.
import { createRequire } from 'node:module';
import { SourceMap } from 'node:module';
import { crc32 } from 'node:zlib';
import { strFromU8, unzipSync } from 'fflate';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { ownSourceMap } from '../../scripts/build/own-source-map.ts';
import { pruneProtos, type ProtoNode } from '../../scripts/build/prune-protos.ts';
import { zip } from '../../scripts/build/zip.ts';

const described = (file: string): ProtoNode => structuredClone(createRequire(import.meta.url)(file) as ProtoNode);
const SERVICES = [
  ['@google-cloud/pubsub-api/build/protos/protos.json', 'google.pubsub.v1.Publisher', 'google.pubsub.v1.PublishRequest'],
  ['@google-cloud/bigquery-storage/build/protos/protos.json', 'google.cloud.bigquery.storage.v1.BigQueryWrite', 'google.cloud.bigquery.storage.v1.AppendRowsRequest'],
] as const;

test.each(SERVICES)('%s without the other services keeps every method and message of %s as it was', (file, service) => {
  const whole = protobuf.Root.fromJSON(described(file) as protobuf.INamespace);
  const pruned = protobuf.Root.fromJSON(pruneProtos(described(file), [service]) as protobuf.INamespace);
  const shapes = (root: protobuf.Root): Map<string, string> => {
    const seen = new Map<string, string>();
    const visit = (type: protobuf.Type | protobuf.Enum): void => {
      if (seen.has(type.fullName)) return;
      if (type instanceof protobuf.Enum) return void seen.set(type.fullName, JSON.stringify(type.values));
      // A name with a dot in front is an annotation that another file adds to Google's options; gRPC knows nothing of them.
      const fields = type.fieldsArray.filter(({ name }) => !name.startsWith('.'));
      seen.set(type.fullName, JSON.stringify(fields.map((field) => [field.name, field.id, field.type, field.repeated, field.map, field.partOf?.name])));
      for (const field of fields) {
        field.resolve();
        if (field.resolvedType !== null) visit(field.resolvedType);
      }
    };
    for (const method of root.lookupService(service).methodsArray) {
      method.resolve();
      visit(method.resolvedRequestType!);
      visit(method.resolvedResponseType!);
      seen.set(method.fullName, JSON.stringify([method.requestType, method.responseType, method.requestStream, method.responseStream]));
    }
    return seen;
  };
  expect(shapes(pruned)).toEqual(shapes(whole));
  expect(shapes(pruned).size).toBeGreaterThan(10);
});

test.each(SERVICES)('%s without the other services is less than a third of it', (file, service) => {
  expect(JSON.stringify(pruneProtos(described(file), [service])).length).toBeLessThan(JSON.stringify(described(file)).length / 3);
});

test('a service that the description does not have is refused', () => {
  expect(() => pruneProtos(described(SERVICES[0][0]), ['google.pubsub.v1.Nobody'])).toThrow('google.pubsub.v1.Nobody');
});

test('a source map keeps the places of our own files and says nothing of packages', () => {
  // One line of the bundle: own file 0, a package's file, own file 2, each ten columns wide.
  const map = { version: 3, sources: ['a.ts', '../node_modules/x/i.js', 'b.ts'], names: ['left'], mappings: 'AAEA,UCAEA,UCIF' };
  const kept = ownSourceMap(map, (source) => !source.includes('node_modules'));
  const before = new SourceMap({ ...map, file: '', sourcesContent: [], sourceRoot: '' });
  const after = new SourceMap({ ...kept, file: '', sourcesContent: [], sourceRoot: '' } as never);
  for (const column of [0, 5, 20, 25]) {
    const { originalSource, originalLine, originalColumn } = before.findEntry(0, column) as { originalSource: string; originalLine: number; originalColumn: number };
    expect(after.findEntry(0, column)).toMatchObject({ originalSource, originalLine, originalColumn });
  }
  expect((after.findEntry(0, 12) as { originalSource?: string }).originalSource).toBeUndefined();
  expect(kept.sources).toEqual(['a.ts', 'b.ts']);
});

test('a zip is read back as it was, in the order of the names, and differs only when a file does', () => {
  const files = { 'b/two.txt': Buffer.from('two'), 'a.sh': Buffer.from('#!/bin/sh\n') };
  const bytes = zip(files);
  expect(Object.keys(unzipSync(bytes))).toEqual(['a.sh', 'b/two.txt']);
  expect(strFromU8(unzipSync(bytes)['b/two.txt']!)).toBe('two');
  expect(crc32(zip({ 'a.sh': files['a.sh'], 'b/two.txt': files['b/two.txt'] }))).toBe(crc32(bytes));
  expect(crc32(zip({ ...files, 'a.sh': Buffer.from('#!/bin/bash\n') }))).not.toBe(crc32(bytes));
});
