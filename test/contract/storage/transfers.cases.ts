// Contract cases of objects made of objects: compose, copy, rewrite, move.
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { uniqueName } from '../wait.ts';
import { DOCS, exists, expectError, meta, noise, pathOf, put, read, refused, type Reply, type StorageWorld } from './world.ts';

const compose = (world: StorageWorld, target: { name: string }, sources: unknown[], more: { destination?: object; query?: Record<string, string> } = {}): Promise<Reply> =>
  world.ask(`POST ${pathOf({ bucket: world.shared, name: target.name })}/compose`, { query: more.query ?? {}, json: { sourceObjects: sources, destination: more.destination ?? { contentType: 'text/plain' } } });
const transfer = (world: StorageWorld, verb: 'copyTo' | 'rewriteTo', source: { bucket: { name: string }; name: string }, target: { bucket: { name: string }; name: string }, query: Record<string, string> = {}, json?: object): Promise<Reply> =>
  world.ask(`POST ${pathOf(source)}/${verb}/${pathOf(target)}`, { query, ...(json === undefined ? {} : { json }) });
const parts = (world: StorageWorld, texts: readonly (string | Buffer)[]): Promise<ReturnType<StorageWorld['file']>[]> => Promise.all(texts.map((text, index) => put(world.file(`part-${index}`), text)));
const named = (files: readonly { name: string }[]): { name: string }[] => files.map(({ name }) => ({ name }));

export const TRANSFER_CASES: readonly ContractCase<StorageWorld>[] = [
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
  {
    name: 'copy-takes-all-over',
    promise: 'a copy has the source\'s bytes, checksums, type and custom metadata, and a generation of its own',
    methods: ['objects.rewrite'], source: DOCS.rewrite,
    async run(world) {
      const other = await world.bucket();
      const bytes = noise(600_000);
      const source = await put(world.file('source'), bytes, { contentType: 'text/x', metadata: { cacheControl: 'no-cache', contentEncoding: 'identity', metadata: { kept: 'yes' } } });
      await source.setMetadata({ metadata: { later: 'too' } });
      for (const target of [world.file('copy'), other.file('copy')]) {
        await source.copy(target);
        const [from, to] = [await meta(source), await meta(target)];
        expect(to).toMatchObject({ contentType: 'text/x', cacheControl: 'no-cache', metadata: { kept: 'yes', later: 'too' }, crc32c: from['crc32c'], md5Hash: from['md5Hash'], size: '600000', metageneration: '1' });
        expect(to['generation']).not.toBe(from['generation']);
        expect((await target.download())[0].equals(bytes)).toBe(true);
      }
    },
  },
  {
    name: 'copy-with-metadata-of-its-own',
    promise: 'metadata in the request of a copy is the whole of the copy\'s',
    methods: ['objects.copy', 'objects.rewrite'], source: DOCS.rewrite,
    differs: { independent: { reason: 'fake-gcs-server mixes the metadata of the request with the source\'s' } },
    async run(world) {
      const source = await put(world.file('source'), 'x', { contentType: 'text/x', metadata: { cacheControl: 'no-cache', metadata: { kept: 'no' } } });
      for (const verb of ['copyTo', 'rewriteTo'] as const) {
        const target = world.file('own');
        expect((await transfer(world, verb, source, target, {}, { contentType: 'text/y', metadata: { own: 'yes' } })).status).toBe(200);
        const made = await meta(target);
        expect(made).toMatchObject({ contentType: 'text/y', metadata: { own: 'yes' } });
        expect(made['metadata']).toEqual({ own: 'yes' });
        expect(made['cacheControl']).toBeUndefined();
      }
    },
  },
  {
    name: 'copy-answers-the-object',
    promise: 'objects.copy answers the new object, a copy of a composite has its componentCount, and a source that is not there is 404',
    methods: ['objects.copy'], source: DOCS.copy,
    differs: { independent: { reason: 'fake-gcs-server answers copyTo as it does rewriteTo, and has no componentCount' } },
    async run(world) {
      const composite = world.file('composite');
      await compose(world, composite, named(await parts(world, ['a', 'b'])));
      const target = world.file('copied');
      const made = await transfer(world, 'copyTo', composite, target);
      expect(made.json).toMatchObject({ kind: 'storage#object', name: target.name, size: '2', componentCount: 2 });
      expectError(await transfer(world, 'copyTo', world.file('gone'), target), 404, 'notFound');
      expectError(await transfer(world, 'copyTo', composite, { bucket: { name: uniqueName('none') }, name: 'x' }), 404, 'notFound');
    },
  },
  {
    name: 'copy-and-rewrite-conditions',
    promise: 'copies hold to conditions of the target and, with Source in the name, of the source; Match fails with 412, NotMatch with 304',
    methods: ['objects.copy', 'objects.rewrite'], source: DOCS.preconditions,
    differs: { independent: { reason: 'fake-gcs-server passes over conditions of copies' } },
    async run(world) {
      const source = await put(world.file('source'), 'new');
      const target = await put(world.file('target'), 'old');
      const [from, to] = [(await meta(source))['generation'] as string, (await meta(target))['generation'] as string];
      for (const verb of ['copyTo', 'rewriteTo'] as const) {
        for (const query of [{ ifGenerationMatch: '0' }, { ifGenerationMatch: from }, { ifMetagenerationMatch: '2' }, { ifSourceGenerationMatch: to }, { ifSourceMetagenerationMatch: '2' }]) expect({ verb, query, status: (await transfer(world, verb, source, target, query as never)).status }).toEqual({ verb, query, status: 412 });
        for (const query of [{ ifGenerationNotMatch: to }, { ifMetagenerationNotMatch: '1' }, { ifSourceGenerationNotMatch: from }, { ifSourceMetagenerationNotMatch: '1' }]) expect({ verb, query, status: (await transfer(world, verb, source, target, query as never)).status }).toEqual({ verb, query, status: 304 });
        expectError(await transfer(world, verb, source, target, { sourceGeneration: to }), 404, 'notFound');
      }
      expect(await read(target)).toBe('old');
      const right = { ifGenerationMatch: to, ifMetagenerationMatch: '1', ifSourceGenerationMatch: from, ifSourceMetagenerationMatch: '1', sourceGeneration: from };
      expect((await transfer(world, 'rewriteTo', source, target, right)).status).toBe(200);
      expect(await read(target)).toBe('new');
    },
  },
  {
    name: 'rewrite-answers-progress',
    promise: 'a rewrite within a place is done at once: done, sizes and the object are in the answer',
    methods: ['objects.rewrite'], source: DOCS.rewrite,
    differs: { independent: { reason: 'fake-gcs-server gives a token with what is done' } },
    async run(world) {
      const source = await put(world.file('source'), noise(3 << 20));
      const target = world.file('rewritten');
      const made = await transfer(world, 'rewriteTo', source, target, { maxBytesRewrittenPerCall: String(1 << 20) });
      expect(made.json).toMatchObject({ kind: 'storage#rewriteResponse', done: true, totalBytesRewritten: String(3 << 20), objectSize: String(3 << 20), resource: { name: target.name, size: String(3 << 20) } });
      expect(made.json).not.toHaveProperty('rewriteToken');
    },
  },
  {
    name: 'rewrite-in-steps',
    promise: 'a rewrite to another class goes on by its token when it may only move so many bytes a call; the object appears with the last',
    methods: ['objects.rewrite'], source: DOCS.rewrite,
    differs: { independent: { reason: 'fake-gcs-server rewrites everything at once' } },
    async run(world) {
      const bytes = noise((2 << 20) + 5);
      const source = await put(world.file('source'), bytes);
      const target = world.file('colder');
      const query: Record<string, string> = { maxBytesRewrittenPerCall: String(1 << 20) };
      const steps: [boolean, string][] = [];
      for (let isDone = false; !isDone;) {
        expect(await exists(target)).toBe(false);
        const { json } = await transfer(world, 'rewriteTo', source, target, query, { storageClass: 'NEARLINE' });
        steps.push([json['done'], json['totalBytesRewritten']]);
        isDone = json['done'] === true;
        if (!isDone) query['rewriteToken'] = json['rewriteToken'];
        if (steps.length > 4) throw new Error('It does not end.');
      }
      expect(steps).toEqual([[false, String(1 << 20)], [false, String(2 << 20)], [true, String((2 << 20) + 5)]]);
      expect((await meta(target))['storageClass']).toBe('NEARLINE');
      expect((await target.download())[0].equals(bytes)).toBe(true);
      expectError(await transfer(world, 'rewriteTo', source, target, { maxBytesRewrittenPerCall: '1000' }, { storageClass: 'NEARLINE' }), 400);
      expect((await transfer(world, 'rewriteTo', source, world.file('elsewhere'), query, { storageClass: 'NEARLINE' })).status).toBeGreaterThanOrEqual(400);
    },
  },
  {
    name: 'rewrite-changes-the-class-in-place',
    promise: 'the client\'s setStorageClass rewrites an object onto itself: same bytes, another class, a new generation',
    methods: ['objects.rewrite'], source: 'https://docs.cloud.google.com/storage/docs/changing-storage-classes',
    differs: { independent: { reason: 'fake-gcs-server keeps the class' } },
    async run(world) {
      const file = await put(world.file('class'), 'bytes');
      const { generation } = await meta(file);
      await file.setStorageClass('coldline');
      const after = await meta(file);
      expect([after['storageClass'], after['generation'] !== generation, await read(file)]).toEqual(['COLDLINE', true, 'bytes']);
    },
  },
  {
    name: 'move-renames',
    promise: 'a move gives an object another name in its bucket: the target has bytes and metadata, the source is gone; conditions hold on both',
    methods: ['objects.move'], source: DOCS.move,
    differs: { independent: { reason: 'fake-gcs-server has no objects.move' } },
    async run(world) {
      const source = await put(world.file('from'), 'moved', { contentType: 'text/m', metadata: { metadata: { a: 'b' } } });
      const target = world.file('to');
      const move = (query: Record<string, string> = {}): Promise<Reply> => world.ask(`POST ${pathOf(source)}/moveTo/o/${encodeURIComponent(target.name)}`, { query });
      const { generation } = await meta(source);
      expectError(await move({ ifSourceGenerationMatch: '1' }), 412, 'conditionNotMet');
      const made = await move({ ifSourceGenerationMatch: generation, ifGenerationMatch: '0' });
      expect(made.json).toMatchObject({ kind: 'storage#object', name: target.name, contentType: 'text/m', metadata: { a: 'b' } });
      expect([await read(target), await exists(source)]).toEqual(['moved', false]);
      expectError(await move(), 404, 'notFound');
      await put(source, 'second');
      expectError(await move({ ifGenerationMatch: '0' }), 412, 'conditionNotMet');
      expect([await read(target), await read(source)]).toEqual(['moved', 'second']);
    },
  },
  {
    name: 'move-by-the-client',
    promise: 'the client\'s move copies and deletes; its atomic one is objects.move',
    methods: ['objects.rewrite', 'objects.move', 'objects.delete'], source: DOCS.move,
    differs: { independent: { reason: 'fake-gcs-server has no objects.move' } },
    async run(world) {
      const first = await put(world.file('first'), 'text');
      const [second, third] = [world.file('second'), world.file('third')];
      await first.move(second);
      expect([await exists(first), await read(second)]).toEqual([false, 'text']);
      await second.moveFileAtomic(third);
      expect([await exists(second), await read(third)]).toEqual([false, 'text']);
      await refused(second.moveFileAtomic(world.file('fourth')), 404);
    },
  },
];
