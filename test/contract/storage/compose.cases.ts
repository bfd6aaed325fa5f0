// Contract cases of compose: objects joined into one, its limits and its conditions.
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { uniqueName } from '../wait.ts';
import { compose, DOCS, exists, expectError, meta, named, parts, put, read, type StorageWorld } from './world.ts';

export const COMPOSE_CASES: readonly ContractCase<StorageWorld>[] = [
  {
    name: 'compose-joins-in-order',
    promise: 'compose joins the sources\' bytes in their order; the composite has the right size, type and CRC32C',
    methods: ['objects.compose'], source: DOCS.composites,
    async run(world) {
      const sources = await parts(world, ['1234', '', '56789']);
      const made = await compose(world, world.file('joined'), named(sources));
      expect(made.json).toMatchObject({ kind: 'storage#object', size: '9', crc32c: '4waSgw==', contentType: 'text/plain' });
      const file = world.shared.file(made.json['name']);
      expect(await read(file)).toBe('123456789');
    },
  },
  {
    name: 'compose-component-count',
    promise: 'a composite has the number of its components as componentCount, those of its sources added up, and no MD5; a read tells the same',
    methods: ['objects.compose', 'objects.get'], source: DOCS.composites,
    differs: { independent: { reason: 'fake-gcs-server has no componentCount, and composites have an MD5' } },
    async run(world) {
      const sources = await parts(world, ['a', 'b', 'c']);
      const three = await compose(world, world.file('three'), named(sources));
      const one = await compose(world, world.file('one'), named(sources.slice(0, 1)));
      const five = await compose(world, world.file('five'), [{ name: three.json['name'] }, { name: one.json['name'] }, ...named(sources.slice(0, 1))]);
      expect([three, one, five].map(({ json }) => [json['componentCount'], json['md5Hash'], json['metageneration']])).toEqual([[3, undefined, '1'], [1, undefined, '1'], [5, undefined, '1']]);
      expect(await meta(world.shared.file(five.json['name']))).toEqual(five.json);
    },
  },
  {
    name: 'compose-of-gzip-members',
    promise: 'composed gzip files are one gzip file with all their lines: what the archive\'s compaction relies on',
    methods: ['objects.compose'], source: DOCS.composites,
    async run(world) {
      const sources = await parts(world, ['one\n', 'two\n', 'three\n'].map((text) => gzipSync(text)));
      const target = world.file('joined.ndjson.gz');
      target.metadata.contentType = 'application/gzip';
      await world.shared.combine(sources, target, { ifGenerationMatch: 0 });
      expect(gunzipSync((await target.download())[0]).toString()).toBe('one\ntwo\nthree\n');
      expect((await meta(target))['contentType']).toBe('application/gzip');
    },
  },
  {
    name: 'compose-takes-32-sources',
    promise: 'compose takes 1 to 32 sources; 33, none and a source without name are 400',
    methods: ['objects.compose'], source: DOCS.compose,
    differs: { independent: { reason: 'fake-gcs-server composes of nothing, or gives no reason' } },
    async run(world) {
      const sources = await parts(world, Array.from({ length: 33 }, (_, index) => `${index},`));
      const target = world.file('of-32');
      const made = await compose(world, target, named(sources.slice(0, 32)));
      expect(made.status).toBe(200);
      expect(await read(target)).toBe(Array.from({ length: 32 }, (_, index) => `${index},`).join(''));
      const tooMany = await compose(world, world.file('of-33'), named(sources));
      expectError(tooMany, 400, 'invalid');
      expect(tooMany.json['error'].message).toMatch(/33.*32/);
      expectError(await compose(world, world.file('of-none'), []), 400);
      expectError(await compose(world, world.file('of-nameless'), [{}]), 400, 'required');
    },
  },
  {
    name: 'compose-into-one-of-its-sources',
    promise: 'the target may be one of the sources, so that an object grows at its end',
    methods: ['objects.compose'], source: DOCS.composites,
    async run(world) {
      const [grown, more] = await parts(world, ['a', 'b']);
      const first = await compose(world, grown!, named([grown!, more!]));
      const second = await compose(world, grown!, named([grown!, more!, grown!]), { query: { ifGenerationMatch: first.json['generation'] } });
      expect(second.json['size']).toBe('5');
      expect(BigInt(second.json['generation'])).toBeGreaterThan(BigInt(first.json['generation']));
      expect(await read(grown!)).toBe('abbab');
    },
  },
  {
    name: 'compose-inherits-nothing',
    promise: 'of the sources only bytes are taken: type, custom metadata and encoding are those of the request',
    methods: ['objects.compose'], source: DOCS.compose,
    async run(world) {
      const source = await put(world.file('rich'), 'x', { contentType: 'text/rich', metadata: { cacheControl: 'no-store', metadata: { a: 'b' } } });
      const made = await compose(world, world.file('plain'), named([source]), { destination: { metadata: { c: 'd' } } });
      expect(made.json['metadata']).toEqual({ c: 'd' });
      expect([made.json['cacheControl'], made.json['contentType'] === 'text/rich']).toEqual([undefined, false]);
    },
  },
  {
    name: 'compose-missing-source',
    promise: 'a source that is not there, or not in that generation, is 404, and the target stays as it was',
    methods: ['objects.compose'], source: DOCS.errors,
    differs: { independent: { reason: 'fake-gcs-server answers 500' } },
    async run(world) {
      const [there] = await parts(world, ['there']);
      const target = await put(world.file('target'), 'before');
      expectError(await compose(world, target, [{ name: there!.name }, { name: uniqueName('gone') }]), 404, 'notFound');
      expectError(await compose(world, target, [{ name: there!.name, generation: '1' }]), 404, 'notFound');
      expect(await read(target)).toBe('before');
    },
  },
  {
    name: 'compose-conditions',
    promise: 'compose holds to ifGenerationMatch and ifMetagenerationMatch of the target (412): created once, grown once by two that know the same',
    methods: ['objects.compose'], source: DOCS.preconditions,
    differs: { independent: { reason: 'fake-gcs-server passes over conditions of compose' } },
    async run(world) {
      const sources = named(await parts(world, ['a', 'b']));
      const target = world.file('conditional');
      const ends = await Promise.all(Array.from({ length: 4 }, () => compose(world, target, sources, { query: { ifGenerationMatch: '0' } })));
      expect(ends.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
      expectError(ends.find(({ status }) => status === 412)!, 412, 'conditionNotMet');
      const { generation } = await meta(target);
      const grown = await Promise.all([1, 2].map(() => compose(world, target, [{ name: target.name }, ...sources], { query: { ifGenerationMatch: generation } })));
      expect(grown.map(({ status }) => status).sort()).toEqual([200, 412]);
      expect(await read(target)).toBe('abab');
      expectError(await compose(world, target, sources, { query: { ifMetagenerationMatch: '2' } }), 412, 'conditionNotMet');
      expect((await compose(world, target, sources, { query: { ifMetagenerationMatch: '1' } })).status).toBe(200);
    },
  },
  {
    name: 'compose-conditions-of-sources',
    promise: 'each source may be held to a generation: another one there is 412, a generation that is named is taken',
    methods: ['objects.compose'], source: DOCS.compose,
    differs: { independent: { reason: 'fake-gcs-server passes over conditions of sources' } },
    async run(world) {
      const [source] = await parts(world, ['pinned']);
      const { generation } = await meta(source!);
      const target = world.file('pinned');
      expectError(await compose(world, target, [{ name: source!.name, objectPreconditions: { ifGenerationMatch: String(BigInt(generation) + 1n) } }]), 412, 'conditionNotMet');
      expect(await exists(target)).toBe(false);
      expect((await compose(world, target, [{ name: source!.name, generation, objectPreconditions: { ifGenerationMatch: generation } }])).status).toBe(200);
    },
  },
];
