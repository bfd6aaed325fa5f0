// Contract cases of changing and deleting objects: patch, update, custom metadata, generations, delete.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { atClock } from './steering.ts';
import { DOCS, exists, expectError, meta, pathOf, put, read, refused, type StorageWorld } from './world.ts';

export const METADATA_CASES: readonly ContractCase<StorageWorld>[] = [
  {
    name: 'patch-changes-what-it-names',
    promise: 'a patch sets what it names and leaves the rest; bytes and generation stay, the metageneration grows by one and updated moves',
    methods: ['objects.patch'], source: DOCS.patch,
    differs: { independent: { reason: 'fake-gcs-server never moves the metageneration' } },
    async run(world) {
      const file = await put(world.file('patched'), 'bytes', { contentType: 'text/a', metadata: { cacheControl: 'no-store', metadata: { a: '1' } } });
      const before = await meta(file);
      const after = (await world.ask(`PATCH ${pathOf(file)}`, { json: { contentType: 'text/b', contentLanguage: 'de' } })).json;
      expect(after).toMatchObject({ contentType: 'text/b', contentLanguage: 'de', cacheControl: 'no-store', metadata: { a: '1' }, generation: before['generation'], metageneration: '2', crc32c: before['crc32c'], size: '5', timeCreated: before['timeCreated'] });
      expect(Date.parse(after['updated'])).toBeGreaterThanOrEqual(Date.parse(before['updated']));
      expect(await meta(file)).toEqual(after);
      expect(await read(file)).toBe('bytes');
    },
  },
  {
    name: 'patch-removes-by-null',
    promise: 'null removes a field or one entry of the custom metadata, others stay; null for all of it removes all',
    methods: ['objects.patch'], source: DOCS.patch,
    differs: { independent: { reason: 'fake-gcs-server makes an empty text of null' } },
    async run(world) {
      const file = await put(world.file('nulls'), 'x', { metadata: { cacheControl: 'no-store', metadata: { a: '1', b: '2' } } });
      await file.setMetadata({ cacheControl: null, metadata: { a: null, c: '3' } } as never);
      const after = await meta(file);
      expect(after['metadata']).toEqual({ b: '2', c: '3' });
      expect(after).not.toHaveProperty('cacheControl');
      await world.ask(`PATCH ${pathOf(file)}`, { json: { metadata: null } });
      expect(await meta(file)).not.toHaveProperty('metadata');
    },
  },
  {
    name: 'update-replaces',
    promise: 'an update takes away the metadata that it does not name',
    methods: ['objects.update'], source: DOCS.update,
    differs: { independent: { reason: 'fake-gcs-server never moves the metageneration' } },
    async run(world) {
      const file = await put(world.file('updated'), 'bytes', { contentType: 'text/a', metadata: { cacheControl: 'no-store', metadata: { a: '1' } } });
      const after = (await world.ask(`PUT ${pathOf(file)}`, { json: { contentType: 'text/b', metadata: { b: '2' } } })).json;
      expect(after).toMatchObject({ contentType: 'text/b', metageneration: '2', size: '5' });
      expect(after['metadata']).toEqual({ b: '2' });
      expect(after).not.toHaveProperty('cacheControl');
      expect(await read(file)).toBe('bytes');
    },
  },
  {
    name: 'metadata-conditions',
    promise: 'patch and update hold to all four conditions: Match fails with 412, NotMatch with 304, and nothing is changed',
    methods: ['objects.patch', 'objects.update'], source: DOCS.preconditions,
    differs: { independent: { reason: 'fake-gcs-server passes over conditions of patch and update' } },
    async run(world) {
      const file = await put(world.file('conditions'), 'x', { metadata: { metadata: { kept: 'yes' } } });
      const { generation } = await meta(file);
      for (const verb of ['PATCH', 'PUT']) {
        const change = (query: object) => world.ask(`${verb} ${pathOf(file)}`, { query: query as Record<string, string>, json: { metadata: { kept: 'no' } } });
        for (const query of [{ ifGenerationMatch: '1' }, { ifMetagenerationMatch: '7' }, { ifGenerationMatch: '0' }]) expectError(await change(query), 412, 'conditionNotMet');
        for (const query of [{ ifGenerationNotMatch: generation }, { ifMetagenerationNotMatch: '1' }]) expect((await change(query)).status).toBe(304);
      }
      expect(await meta(file)).toMatchObject({ metageneration: '1', metadata: { kept: 'yes' } });
      await file.setMetadata({ metadata: { kept: 'changed' } }, { ifMetagenerationMatch: 1 });
      await refused(file.setMetadata({ metadata: { kept: 'again' } }, { ifMetagenerationMatch: 1 }), 412, 'conditionNotMet');
      expect(await meta(file)).toMatchObject({ metageneration: '2', metadata: { kept: 'changed' } });
    },
  },
  {
    name: 'eight-patches-each-counts',
    promise: 'eight patches at once are all carried out, one after another: the metageneration says so, no entry is lost',
    methods: ['objects.patch'], source: DOCS.consistency,
    differs: { independent: { reason: 'fake-gcs-server never moves the metageneration, and loses patches that meet' } },
    async run(world) {
      const file = await put(world.file('many'));
      await Promise.all(Array.from({ length: 8 }, (_, index) => world.ask(`PATCH ${pathOf(file)}`, { json: { metadata: { [`key-${index}`]: String(index) } } })));
      const after = await meta(file);
      expect(after['metageneration']).toBe('9');
      expect(Object.keys(after['metadata'])).toHaveLength(8);
    },
  },
  {
    name: 'custom-time-only-grows',
    promise: 'a custom time is kept in UTC, can be moved later and neither earlier nor away; one that is no time is 400',
    methods: ['objects.patch'], source: `${DOCS.metadata}#custom-time`,
    differs: { independent: { reason: 'fake-gcs-server moves a custom time back' } },
    async run(world) {
      const file = await put(world.file('custom-time'));
      const set = (customTime: unknown) => world.ask(`PATCH ${pathOf(file)}`, { json: { customTime } });
      expect(Date.parse((await set('2026-01-15T10:00:00+02:00')).json['customTime'])).toBe(Date.parse('2026-01-15T08:00:00Z'));
      expect((await set('2026-01-16T00:00:00Z')).status).toBe(200);
      for (const wrong of ['2026-01-15T00:00:00Z', null, 'yesterday']) expectError(await set(wrong), 400, 'invalid');
      expect(Date.parse((await meta(file))['customTime'])).toBe(Date.parse('2026-01-16T00:00:00Z'));
    },
  },
  {
    name: 'generation-grows',
    promise: 'every upload, also of the same bytes, gives a greater generation and begins the metageneration at 1',
    methods: ['objects.insert'], source: `${DOCS.metadata}#generation-number`,
    async run(world) {
      const file = world.file('generations');
      const seen: bigint[] = [];
      for (let round = 0; round < 4; round += 1) {
        await put(file, 'same');
        const { generation, metageneration } = await meta(file);
        expect(metageneration).toBe('1');
        seen.push(BigInt(generation));
      }
      expect(seen).toEqual(seen.toSorted((a, b) => (a < b ? -1 : 1)));
      expect(new Set(seen).size).toBe(4);
    },
  },
  {
    name: 'generation-grows-though-the-clock-goes-back',
    promise: 'an upload has a greater generation than the one before, also when the service\'s clock was set back between the two',
    methods: ['objects.insert'], source: `${DOCS.metadata}#generation-number`, needs: ['clock'], isAlone: true,
    async run(world) {
      const file = world.file('ahead');
      const generation = async (): Promise<bigint> => BigInt((await meta(await put(file)))['generation']);
      let ahead = 0n;
      await atClock(world, 3_600_000, async () => { ahead = await generation(); });
      expect(await generation()).toBeGreaterThan(ahead);
    },
  },
  {
    name: 'metadata-of-no-object',
    promise: 'patch, update and delete of an object that is not there, or not in that generation, are 404',
    methods: ['objects.patch', 'objects.update', 'objects.delete'], source: DOCS.errors,
    differs: { independent: { reason: 'fake-gcs-server patches the live version, whatever generation is named' } },
    async run(world) {
      for (const file of [world.file('absent'), await put(world.file('present'))]) {
        const query = { generation: '1' };
        for (const verb of ['PATCH', 'PUT']) expectError(await world.ask(`${verb} ${pathOf(file)}`, { query, json: {} }), 404, 'notFound');
        expectError(await world.ask(`DELETE ${pathOf(file)}`, { query }), 404, 'notFound');
      }
      await refused(world.file('absent').delete(), 404, 'notFound');
      await world.file('absent').delete({ ignoreNotFound: true });
    },
  },
  {
    name: 'delete-is-answered-204',
    promise: 'a delete is answered 204 without a body; the second one is 404',
    methods: ['objects.delete'], source: DOCS.delete,
    differs: { independent: { reason: 'fake-gcs-server answers 200 with a body' } },
    async run(world) {
      const file = await put(world.file('deleted'));
      const reply = await world.ask(`DELETE ${pathOf(file)}`);
      expect([reply.status, reply.text]).toEqual([204, '']);
      expect(await exists(file)).toBe(false);
      expectError(await world.ask(`DELETE ${pathOf(file)}`), 404, 'notFound');
    },
  },
  {
    name: 'delete-conditions',
    promise: 'delete holds to all four conditions, and a delete of a known generation deletes no later one',
    methods: ['objects.delete'], source: DOCS.preconditions,
    differs: { independent: { reason: 'fake-gcs-server passes over conditions of delete' } },
    async run(world) {
      const file = await put(world.file('conditions'), 'one');
      const { generation } = await meta(file);
      const remove = (query: object) => world.ask(`DELETE ${pathOf(file)}`, { query: query as Record<string, string> });
      for (const query of [{ ifGenerationMatch: '1' }, { ifGenerationMatch: '0' }, { ifMetagenerationMatch: '2' }]) expectError(await remove(query), 412, 'conditionNotMet');
      for (const query of [{ ifGenerationNotMatch: generation }, { ifMetagenerationNotMatch: '1' }]) expect((await remove(query)).status).toBe(304);
      await put(file, 'two');
      expectError(await remove({ ifGenerationMatch: generation }), 412, 'conditionNotMet');
      expect(await read(file)).toBe('two');
      expect((await remove({ ifGenerationMatch: (await meta(file))['generation'], ifMetagenerationMatch: '1' })).status).toBe(204);
    },
  },
  {
    name: 'eight-deletes-one-counts',
    promise: 'of eight deletes at once one is done, the others are 404',
    methods: ['objects.delete'], source: DOCS.consistency,
    async run(world) {
      const file = await put(world.file('race'));
      const ends = await Promise.all(Array.from({ length: 8 }, () => world.ask(`DELETE ${pathOf(file)}`)));
      expect(ends.map(({ status }) => (status < 300 ? 'done' : status)).sort()).toEqual([404, 404, 404, 404, 404, 404, 404, 'done']);
    },
  },
  {
    name: 'read-only-fields-are-not-written',
    promise: 'size, checksums and generation in the body of a patch change nothing',
    methods: ['objects.patch'], source: DOCS.object,
    differs: { independent: { reason: 'fake-gcs-server never moves the metageneration' } },
    async run(world) {
      const file = await put(world.file('read-only'), 'bytes');
      const before = await meta(file);
      await world.ask(`PATCH ${pathOf(file)}`, { json: { size: '99', generation: '1', metageneration: '50', timeCreated: '2020-01-01T00:00:00Z', contentLanguage: 'fr' } });
      expect(await meta(file)).toMatchObject({ size: '5', generation: before['generation'], metageneration: '2', crc32c: before['crc32c'], timeCreated: before['timeCreated'], contentLanguage: 'fr' });
    },
  },
];
