// Contract cases of copies: copy, rewrite, move.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { uniqueName } from '../wait.ts';
import { compose, DOCS, exists, expectError, meta, named, noise, parts, pathOf, put, read, refused, type Reply, type StorageWorld } from './world.ts';

const transfer = (world: StorageWorld, verb: 'copyTo' | 'rewriteTo', source: { bucket: { name: string }; name: string }, target: { bucket: { name: string }; name: string }, query: Record<string, string> = {}, json?: object): Promise<Reply> =>
  world.ask(`POST ${pathOf(source)}/${verb}/${pathOf(target)}`, { query, ...(json === undefined ? {} : { json }) });

export const TRANSFER_CASES: readonly ContractCase<StorageWorld>[] = [
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
    name: 'copy-of-what-was-uploaded-in-pieces',
    promise: 'an object that came by a resumable upload is copied and rewritten like any other',
    methods: ['objects.rewrite'], source: DOCS.rewrite,
    differs: { independent: { reason: 'fake-gcs-server keeps the class' } },
    async run(world) {
      const bytes = noise(300_000);
      const file = world.file('in-pieces');
      await file.save(bytes, { resumable: true, validation: false, metadata: { metadata: { a: 'b' } } });
      const target = world.file('copied');
      await file.copy(target);
      expect(await meta(target)).toMatchObject({ metadata: { a: 'b' }, size: '300000' });
      expect(Object.keys(await meta(target)).sort()).toEqual(Object.keys(await meta(file)).sort());
      await file.setStorageClass('nearline');
      expect((await meta(file))['storageClass']).toBe('NEARLINE');
      expect((await file.download())[0].equals(bytes)).toBe(true);
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
