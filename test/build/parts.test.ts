// What a bundle is made of: descriptions without what is never called, a source map of our own files, a zip without accidents.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { strFromU8, unzipSync } from 'fflate';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { findPlaces } from '../../scripts/build/one-copy-each.ts';
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

test('a package that npm left in several places with the same version and the same needs is one', () => {
  const root = mkdtempSync(join(tmpdir(), 'chiplog-tree-'));
  const put = (place: string, version: string, dependencies: Record<string, string> = {}): void => {
    mkdirSync(join(root, place), { recursive: true });
    writeFileSync(join(root, place, 'package.json'), JSON.stringify({ name: place.split('/').at(-1), version, dependencies }));
  };
  try {
    put('node_modules/leaf', '1.0.0');
    put('node_modules/left', '1.0.0', { twig: '*' });
    put('node_modules/left/node_modules/twig', '2.0.0', { leaf: '*' });
    put('node_modules/right', '1.0.0', { twig: '*' });
    put('node_modules/right/node_modules/twig', '2.0.0', { leaf: '*' });
    // The same version, but two floors below it finds another leaf.
    put('node_modules/top', '1.0.0', { twig: '*' });
    put('node_modules/top/node_modules/leaf', '9.0.0');
    put('node_modules/top/node_modules/twig', '2.0.0', { leaf: '*' });
    expect([...findPlaces(root)].map((pair) => pair.map((place) => place.slice(root.length + 1)))).toEqual([['node_modules/right/node_modules/twig', 'node_modules/left/node_modules/twig']]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
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
