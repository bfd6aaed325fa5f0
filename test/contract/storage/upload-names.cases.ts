// Contract cases of uploads: the names that objects may have, and the conditions under which they are made, also by many at once.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { uniqueName } from '../wait.ts';
import { DOCS, exists, expectError, meta, multipart, put, read, refused, uploadsOf, type Reply, type StorageWorld } from './world.ts';

export const UPLOAD_NAME_CASES: readonly ContractCase<StorageWorld>[] = [
  {
    name: 'created-only-if-absent',
    promise: 'ifGenerationMatch=0 makes an object only where there is none, and 412 tells the others that there is one; the first one\'s bytes stay',
    methods: ['objects.insert'], source: DOCS.preconditions,
    async run(world) {
      const file = world.file('once');
      await put(file, 'first', { preconditionOpts: { ifGenerationMatch: 0 } });
      await refused(put(file, 'second', { preconditionOpts: { ifGenerationMatch: 0 } }), 412);
      expect(await read(file)).toBe('first');
      await file.delete();
      await put(file, 'third', { preconditionOpts: { ifGenerationMatch: 0 } });
      expect(await read(file)).toBe('third');
    },
  },
  {
    name: 'eight-writers-one-winner',
    promise: 'of eight uploads at once with ifGenerationMatch=0 exactly one is stored, whole; the others are told 412',
    methods: ['objects.insert'], source: DOCS.preconditions,
    async run(world) {
      const file = world.file('race');
      const texts = Array.from({ length: 8 }, (_, index) => String(index).repeat(100_000));
      const ends = await Promise.all(texts.map((text) => put(world.shared.file(file.name), text, { preconditionOpts: { ifGenerationMatch: 0 } }).then(() => 200, (error: { code: number }) => error.code)));
      expect(ends.filter((end) => end === 412)).toHaveLength(7);
      expect(await read(file)).toBe(texts[ends.indexOf(200)]);
    },
  },
  {
    name: 'eight-writers-resumable-one-winner',
    promise: 'the same with resumable uploads: the condition is judged when the last byte is there',
    methods: ['objects.insert', 'uploads.resumable'], source: DOCS.preconditions,
    async run(world) {
      const file = world.file('race');
      const ends = await Promise.all(Array.from({ length: 8 }, (_, index) =>
        world.shared.file(file.name).save(String(index).repeat(300_000), { resumable: true, validation: false, preconditionOpts: { ifGenerationMatch: 0 } }).then(() => 200, (error: { code: number | string }) => Number(error.code))));
      expect(ends.toSorted()).toEqual([200, 412, 412, 412, 412, 412, 412, 412]);
      expect(await read(file)).toBe(String(ends.indexOf(200)).repeat(300_000));
    },
  },
  {
    name: 'overwrite-of-a-known-generation',
    promise: 'an upload over the generation that the writer knows succeeds once; another writer with the same knowledge is told 412',
    methods: ['objects.insert'], source: DOCS.preconditions,
    async run(world) {
      const file = await put(world.file('known'), 'one');
      const { generation } = await meta(file);
      const write = (text: string) => put(world.shared.file(file.name), text, { preconditionOpts: { ifGenerationMatch: generation } });
      const ends = await Promise.allSettled([write('two'), write('three')]);
      expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const now = await meta(file);
      expect(BigInt(now['generation'])).toBeGreaterThan(BigInt(generation));
      expect(now['metageneration']).toBe('1');
      await refused(put(file, 'four', { preconditionOpts: { ifGenerationMatch: generation } }), 412);
    },
  },
  {
    name: 'upload-not-match-conditions',
    promise: 'ifGenerationNotMatch and the metageneration conditions hold for uploads too, and a failed one stores nothing',
    methods: ['objects.insert'], source: DOCS.preconditions,
    differs: { independent: { reason: 'fake-gcs-server answers 412 to a failed NotMatch condition, and passes over those on metagenerations' } },
    async run(world) {
      const file = await put(world.file('conditions'), 'before');
      const { generation } = await meta(file);
      const upload = (query: Record<string, string>, name = file.name): Promise<Reply> => world.ask(uploadsOf(world), { query: { uploadType: 'media', name, ...query }, body: 'after' });
      expect((await upload({ ifGenerationNotMatch: generation })).status).toBe(304);
      expect((await upload({ ifGenerationNotMatch: '0' }, uniqueName('absent'))).status).toBe(304);
      expectError(await upload({ ifMetagenerationMatch: '2' }), 412, 'conditionNotMet');
      expect((await upload({ ifMetagenerationNotMatch: '1' })).status).toBe(304);
      expect(await read(file)).toBe('before');
      expect((await upload({ ifGenerationNotMatch: '0', ifMetagenerationMatch: '1' })).status).toBe(200);
      expect(await read(file)).toBe('after');
    },
  },
  {
    name: 'a-condition-that-is-no-number',
    promise: 'a condition that is not a number is 400 and names the parameter',
    methods: ['objects.insert', 'objects.get'], source: DOCS.errors,
    differs: { independent: { reason: 'fake-gcs-server does not name the parameter' } },
    async run(world) {
      for (const reply of [await world.ask(uploadsOf(world), { query: { uploadType: 'media', name: uniqueName('x'), ifGenerationMatch: 'one' }, body: 'x' }), await world.ask(`GET b/${world.shared.name}/o/none`, { query: { ifGenerationMatch: 'one' } })]) {
        expectError(reply, 400, 'invalid');
        expect(reply.json['error'].errors[0].location).toBe('ifGenerationMatch');
      }
    },
  },
  {
    name: 'object-names-of-any-characters',
    promise: 'names with slashes, spaces, percent signs, question marks, hashes, plus, quotes, dots and any Unicode are kept as they are',
    methods: ['objects.insert', 'objects.get', 'objects.list', 'objects.delete'], source: DOCS.objectNames,
    async run(world) {
      const prefix = world.prefix();
      const names = ['a/b//c', 'two words', '100%', '%2F', 'why?', 'x#y', 'a+b', 'it\'s "q"', 'dots/../up', './here', 'größe/日本/😀', 'tab\there', 'semi;colon&and=', 'ends/', 'b/o/compose'].map((name) => prefix + name);
      await Promise.all(names.map((name) => put(world.shared.file(name), name)));
      for (const name of names) expect(await read(world.shared.file(name))).toBe(name);
      const [files] = await world.shared.getFiles({ prefix });
      expect(files.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
      await Promise.all(names.map((name) => world.shared.file(name).delete()));
      expect((await world.shared.getFiles({ prefix }))[0]).toEqual([]);
    },
  },
  {
    name: 'object-name-of-1024-bytes',
    promise: 'a name may have 1,024 bytes of UTF-8 and no more',
    methods: ['objects.insert'], source: DOCS.objectNames,
    differs: { independent: { reason: 'fake-gcs-server has no limit for the length of a name' } },
    async run(world) {
      const stem = uniqueName('long');
      const [fits, fitsToo] = [stem.padEnd(1_024, 'x'), stem.padEnd(1_022, 'x') + 'ü'];
      for (const name of [fits, fitsToo]) {
        await put(world.shared.file(name), 'x');
        expect(await exists(world.shared.file(name))).toBe(true);
        await refused(put(world.shared.file(`${name}x`), 'x'), 400);
      }
    },
  },
  {
    name: 'object-names-that-are-refused',
    promise: 'no name at all, a dot, two dots, line breaks and .well-known/acme-challenge/ are refused with 400',
    methods: ['objects.insert'], source: DOCS.objectNames,
    differs: { independent: { reason: 'fake-gcs-server takes any name, and its error for none has no reason' } },
    async run(world) {
      expectError(await world.ask(uploadsOf(world), { query: { uploadType: 'media' }, body: 'x' }), 400, 'required');
      for (const name of ['.', '..', 'line\nbreak', 'carriage\rreturn', '.well-known/acme-challenge/x']) expectError(await world.ask(uploadsOf(world), { query: { uploadType: 'media', name }, body: 'x' }), 400, 'invalid');
      for (const name of ['.well-known/other', '...', '.hidden']) expect((await world.ask(uploadsOf(world), { query: { uploadType: 'media', name: `${name}` }, body: 'x' })).status).toBe(200);
    },
  },
  {
    name: 'name-in-url-and-metadata-agree',
    promise: 'a name in the metadata that is not the one in the URL is 400',
    methods: ['objects.insert'], source: 'https://github.com/googleapis/storage-testbench/blob/main/gcs/upload.py',
    differs: { independent: { reason: 'fake-gcs-server takes one of the two names' } },
    async run(world) {
      const name = uniqueName('agree');
      const send = (inUrl: string, inBody: string): Promise<Reply> => world.ask(uploadsOf(world), { query: { uploadType: 'multipart', name: inUrl }, ...multipart({ name: inBody }, 'x') });
      expectError(await send(name, `${name}-other`), 400, 'invalid');
      expect((await send(name, name)).status).toBe(200);
    },
  },
];
