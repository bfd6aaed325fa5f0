// Contract cases of listing objects: order, prefix, delimiter, offsets, pages, globs, partial answers.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import { DOCS, expectError, put, type Reply, type StorageWorld } from './world.ts';

type Listing = { kind: string; items?: { name: string; generation: string }[]; prefixes?: string[]; nextPageToken?: string };

const list = (world: StorageWorld, query: Record<string, string>): Promise<Reply> => world.ask(`GET b/${world.shared.name}/o`, { query });

/** Names and prefixes without the case's own prefix, over all pages. */
async function all(world: StorageWorld, prefix: string, query: Record<string, string> = {}): Promise<{ names: string[]; prefixes: string[]; pages: number }> {
  const found = { names: [] as string[], prefixes: [] as string[], pages: 0 };
  for (let pageToken: string | undefined = ''; pageToken !== undefined;) {
    const reply = await list(world, { prefix, ...query, ...(pageToken === '' ? {} : { pageToken }) });
    expect(reply.status).toBe(200);
    const page = reply.json as Listing;
    if (query['maxResults'] !== undefined) expect((page.items?.length ?? 0) + (page.prefixes?.length ?? 0)).toBeLessThanOrEqual(Number(query['maxResults']));
    found.names.push(...(page.items ?? []).map(({ name }) => name.slice(prefix.length)));
    found.prefixes.push(...(page.prefixes ?? []).map((name) => name.slice(prefix.length)));
    found.pages += 1;
    if (found.pages > 50) throw new Error('The pages do not end.');
    pageToken = page.nextPageToken;
  }
  return found;
}

async function make(world: StorageWorld, names: readonly string[]): Promise<string> {
  const prefix = world.prefix();
  await Promise.all(names.map((name) => put(world.shared.file(prefix + name), name)));
  return prefix;
}

export const LISTING_CASES: readonly ContractCase<StorageWorld>[] = [
  {
    name: 'list-is-empty',
    promise: 'a list of nothing has its kind, and neither items nor prefixes nor a token',
    methods: ['objects.list'], source: DOCS.list,
    async run(world) {
      expect((await list(world, { prefix: world.prefix() })).json).toEqual({ kind: 'storage#objects' });
    },
  },
  {
    name: 'list-items-are-whole-resources',
    promise: 'an item of a list is the object\'s resource as a read answers it',
    methods: ['objects.list', 'objects.get'], source: DOCS.list,
    differs: { independent: { reason: 'fake-gcs-server has ACLs in one answer and not in the other' } },
    async run(world) {
      const prefix = await make(world, ['one']);
      const [item] = (await list(world, { prefix })).json['items'];
      expect(item).toEqual((await world.ask(`GET b/${world.shared.name}/o/${encodeURIComponent(`${prefix}one`)}`)).json);
    },
  },
  {
    name: 'list-in-order-of-utf-8',
    promise: 'names come in the order of their UTF-8 bytes: capitals before small letters, é after z, emoji after all of the basic plane',
    methods: ['objects.list'], source: DOCS.list,
    async run(world) {
      const names = ['b', 'a', 'B', 'a/1', 'a-1', 'aa', 'é', 'z', '\uffee', '\u{1f600}', '10', '9', '~'];
      const prefix = await make(world, names);
      const expected = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect((await all(world, prefix)).names).toEqual(expected);
      expect((await all(world, prefix, { maxResults: '3' })).names).toEqual(expected);
    },
  },
  {
    name: 'list-pages',
    promise: 'pages of any size join to the whole list without gap or repetition; the last has no token',
    methods: ['objects.list'], source: DOCS.list,
    async run(world) {
      const names = Array.from({ length: 23 }, (_, index) => `n${String(index).padStart(2, '0')}`);
      const prefix = await make(world, names);
      for (const maxResults of ['1', '7', '22', '23', '24']) {
        const found = await all(world, prefix, { maxResults });
        expect(found.names).toEqual(names);
        expect(found.pages).toBe(Math.ceil(23 / Number(maxResults)));
      }
      const [files] = await world.shared.getFiles({ prefix, maxResults: 5 });
      expect(files).toHaveLength(5);
      const [everything] = await world.shared.getFiles({ prefix });
      expect(everything.map(({ name }) => name)).toEqual(names.map((name) => prefix + name));
    },
  },
  {
    name: 'list-pages-while-names-come-and-go',
    promise: 'a page token goes on after the names that were given, whatever was deleted or added before them',
    methods: ['objects.list'], source: DOCS.list,
    async run(world) {
      const prefix = await make(world, ['b', 'd', 'f', 'h']);
      const first = (await list(world, { prefix, maxResults: '2' })).json as Listing;
      await world.shared.file(`${prefix}d`).delete();
      await put(world.shared.file(`${prefix}a`));
      await put(world.shared.file(`${prefix}g`));
      const rest = (await list(world, { prefix, pageToken: first.nextPageToken! })).json as Listing;
      expect(rest.items!.map(({ name }) => name.slice(prefix.length))).toEqual(['f', 'g', 'h']);
    },
  },
  {
    name: 'list-with-delimiter',
    promise: 'with a delimiter names that hold it after the prefix are told once, as prefixes up to it',
    methods: ['objects.list'], source: DOCS.list,
    async run(world) {
      const prefix = await make(world, ['a/b', 'a/c', 'd', 'e', 'e/f', 'e/g/h', 'a/', '/x']);
      expect(await all(world, prefix, { delimiter: '/' })).toMatchObject({ names: ['d', 'e'], prefixes: ['/', 'a/', 'e/'] });
      expect(await all(world, `${prefix}e/`, { delimiter: '/' })).toMatchObject({ names: ['f'], prefixes: ['g/'] });
      expect(await all(world, `${prefix}e`, { delimiter: '/' })).toMatchObject({ names: [''], prefixes: ['/'] });
    },
  },
  {
    name: 'list-with-delimiter-in-pages',
    promise: 'prefixes count towards maxResults, and each is told once over all pages',
    methods: ['objects.list'], source: DOCS.list,
    differs: { independent: { reason: 'fake-gcs-server does not count prefixes, and tells all of them on every page' } },
    async run(world) {
      const prefix = await make(world, ['a/b', 'a/c', 'd', 'e', 'e/f', 'e/g/h', 'a/', '/x']);
      for (const maxResults of ['1', '2', '3', '4', '5']) {
        const found = await all(world, prefix, { delimiter: '/', maxResults });
        expect({ names: found.names, prefixes: found.prefixes }).toEqual({ names: ['d', 'e'], prefixes: ['/', 'a/', 'e/'] });
      }
      for (const maxResults of ['1', '2', '3']) expect(await all(world, prefix, { delimiter: '/', includeTrailingDelimiter: 'true', maxResults })).toMatchObject({ names: ['a/', 'd', 'e'], prefixes: ['/', 'a/', 'e/'] });
    },
  },
  {
    name: 'list-with-long-delimiter',
    promise: 'a delimiter may be any text',
    methods: ['objects.list'], source: DOCS.list,
    differs: { independent: { reason: 'fake-gcs-server takes the first character of a delimiter for the whole' } },
    async run(world) {
      const prefix = await make(world, ['dt=1--h=1', 'dt=1--h=2', 'dt=2--h=1', 'dt=2-h']);
      const found = await all(world, prefix, { delimiter: '--' });
      expect([found.names, found.prefixes]).toEqual([['dt=2-h'], ['dt=1--', 'dt=2--']]);
    },
  },
  {
    name: 'list-trailing-delimiter',
    promise: 'an object whose name ends with the delimiter is told as an item too, when includeTrailingDelimiter is set',
    methods: ['objects.list'], source: DOCS.list,
    async run(world) {
      const prefix = await make(world, ['a/', 'a/b', 'c/', 'd']);
      expect(await all(world, prefix, { delimiter: '/' })).toMatchObject({ names: ['d'], prefixes: ['a/', 'c/'] });
      expect(await all(world, prefix, { delimiter: '/', includeTrailingDelimiter: 'true' })).toMatchObject({ names: ['a/', 'c/', 'd'], prefixes: ['a/', 'c/'] });
      expect(await all(world, prefix, { delimiter: '/', includeTrailingDelimiter: 'false' })).toMatchObject({ names: ['d'] });
    },
  },
  {
    name: 'list-offsets',
    promise: 'startOffset is the first name that may come, endOffset the first that may not',
    methods: ['objects.list'], source: DOCS.list,
    async run(world) {
      const prefix = await make(world, ['a', 'b', 'b/1', 'c', 'd']);
      const offsets = (startOffset?: string, endOffset?: string): Promise<{ names: string[] }> => all(world, prefix, { ...(startOffset === undefined ? {} : { startOffset: prefix + startOffset }), ...(endOffset === undefined ? {} : { endOffset: prefix + endOffset }) });
      expect((await offsets('b')).names).toEqual(['b', 'b/1', 'c', 'd']);
      expect((await offsets(undefined, 'c')).names).toEqual(['a', 'b', 'b/1']);
      expect((await offsets('b/', 'd')).names).toEqual(['b/1', 'c']);
      expect((await offsets('c', 'c')).names).toEqual([]);
      expect((await offsets('c', 'b')).names).toEqual([]);
    },
  },
  {
    name: 'list-glob',
    promise: 'matchGlob keeps the names that match: * and ? stop at slashes, ** does not, [] and {} choose',
    methods: ['objects.list'], source: `${DOCS.list}#list-objects-and-prefixes-using-glob`,
    differs: { independent: { reason: 'fake-gcs-server passes over matchGlob' } },
    async run(world) {
      const prefix = await make(world, ['foo.txt', 'fob.txt', 'foo.csv', 'a/foo.txt', 'a/b/foo.txt', 'fo/o.txt', 'föo.txt']);
      const glob = async (pattern: string): Promise<string[]> => (await all(world, prefix, { matchGlob: `${prefix}${pattern}` })).names;
      expect(await glob('foo*')).toEqual(['foo.csv', 'foo.txt']);
      expect(await glob('*.txt')).toEqual(['fob.txt', 'foo.txt', 'föo.txt']);
      expect(await glob('f?o.txt')).toEqual(['foo.txt', 'föo.txt']);
      expect(await glob('**.txt')).toEqual(['a/b/foo.txt', 'a/foo.txt', 'fo/o.txt', 'fob.txt', 'foo.txt', 'föo.txt']);
      expect(await glob('**/foo.txt')).toEqual(['a/b/foo.txt', 'a/foo.txt', 'foo.txt']);
      expect(await glob('fo[a-c].txt')).toEqual(['fob.txt']);
      expect(await glob('fo[!a-c].txt')).toEqual(['foo.txt']);
      expect(await glob('*.{csv,tsv}')).toEqual(['foo.csv']);
      expect(await glob('foo.t')).toEqual([]);
      expect((await all(world, prefix, { matchGlob: `${prefix}**.txt`, maxResults: '2' })).names).toHaveLength(6);
    },
  },
  {
    name: 'list-fields',
    promise: 'fields cuts the answer to what is asked for, in items and beside them',
    methods: ['fields'], source: 'https://docs.cloud.google.com/storage/docs/json_api#partial-response',
    differs: { independent: { reason: 'fake-gcs-server passes over most of fields' } },
    async run(world) {
      const prefix = await make(world, ['a', 'b', 'c/d']);
      expect((await list(world, { prefix, fields: 'items(name,size)' })).json).toEqual({ items: ['a', 'b', 'c/d'].map((name) => ({ name: prefix + name, size: String(name.length) })) });
      expect((await list(world, { prefix, fields: 'items/name,prefixes', delimiter: '/' })).json).toEqual({ items: [{ name: `${prefix}a` }, { name: `${prefix}b` }], prefixes: [`${prefix}c/`] });
      const page = (await list(world, { prefix, fields: 'nextPageToken,items/generation', maxResults: '1' })).json as Listing;
      expect(Object.keys(page).sort()).toEqual(['items', 'nextPageToken']);
      expect(Object.keys(page.items![0]!)).toEqual(['generation']);
    },
  },
  {
    name: 'fields-of-single-resources',
    promise: 'fields works on single resources, nested and with a star',
    methods: ['fields'], source: 'https://docs.cloud.google.com/storage/docs/json_api#partial-response',
    differs: { independent: { reason: 'fake-gcs-server passes over fields of single resources' } },
    async run(world) {
      const file = await put(world.file('fields'), 'x', { metadata: { metadata: { a: '1', b: '2' } } });
      const get = async (fields: string): Promise<unknown> => (await world.ask(`GET b/${world.shared.name}/o/${file.name}`, { query: { fields } })).json;
      expect(await get('name,metadata/a')).toEqual({ name: file.name, metadata: { a: '1' } });
      expect(await get('metadata(b)')).toEqual({ metadata: { b: '2' } });
      expect(await get('metadata')).toEqual({ metadata: { a: '1', b: '2' } });
      expect(Object.keys(await get('*') as object)).toContain('crc32c');
      expect((await world.ask(`GET b/${world.shared.name}`, { query: { fields: 'name' } })).json).toEqual({ name: world.shared.name });
      expectError(await world.ask(`GET b/${world.shared.name}/o/${file.name}`, { query: { fields: 'name(' } }), 400);
    },
  },
  {
    name: 'list-refuses-wrong-parameters',
    promise: 'a count that is no number and a token that nobody gave are 400 and name the parameter',
    methods: ['objects.list'], source: DOCS.errors,
    differs: { independent: { reason: 'fake-gcs-server does not name the parameter' } },
    async run(world) {
      for (const [name, value] of [['maxResults', 'many'], ['maxResults', '-1'], ['pageToken', 'made-up!']] as const) {
        const reply = await list(world, { [name]: value });
        expectError(reply, 400, 'invalid');
        expect(reply.json['error'].errors[0].location).toBe(name);
      }
    },
  },
  {
    name: 'list-of-more-than-a-page',
    promise: 'a page has at most 1,000 items, however many are asked for',
    methods: ['objects.list'], source: DOCS.list, timeoutMs: 60_000,
    differs: { independent: { reason: 'fake-gcs-server answers more than 1,000 items when it is asked for them' } },
    async run(world) {
      const prefix = world.prefix();
      const one = await put(world.shared.file(`${prefix}0000`), '');
      const names = Array.from({ length: 1_003 }, (_, index) => String(index).padStart(4, '0'));
      for (let at = 1; at < names.length; at += 50) await Promise.all(names.slice(at, at + 50).map((name) => one.copy(world.shared.file(prefix + name))));
      const page = (await list(world, { prefix, maxResults: '5000' })).json as Listing;
      expect(page.items).toHaveLength(1_000);
      expect((await all(world, prefix)).names).toEqual(names);
    },
  },
];
