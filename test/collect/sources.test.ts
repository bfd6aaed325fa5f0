// The sources document: every problem is named at once, and a bad one never replaces a good one.
import { expect, test } from 'vitest';
import { allowsOrigin, createSourceStore, readSources } from '../../functions/collect/sources.ts';
import { LIMITS } from '../../functions/limits.ts';

const source = (fields: object = {}): object => ({ id: 'a', write_keys: ['k'], streams: ['events'], enabled: true, ...fields });
const read = (...sources: object[]): ReturnType<typeof readSources> => readSources(JSON.stringify({ sources }), undefined, () => 0);

test('problems are all named, without the keys', () => {
  const result = read(source({ id: 'Bad Id', enabled: 'yes' }), source({ streams: [] }), source({ surprise: 1, origins: ['no-url'] }));
  const told = 'problems' in result ? result.problems.join('\n') : '';
  for (const place of ['/sources/0/id', '/sources/0/enabled', '/sources/1/streams', '/sources/2', '/sources/2/origins/0']) expect(told).toContain(place);
});

test('no two sources share an id or a key', () => {
  const result = read(source({ write_keys: ['secret'] }), source({ write_keys: ['secret'] }));
  expect(result).toEqual({ problems: ['/sources/1/id "a" is given twice', '/sources/1/write_keys has a key that source "a" has too'] });
  expect(JSON.stringify(result)).not.toContain('secret');
});

test('origins of switched-off sources allow no preflight', () => {
  const result = read(source({ origins: ['https://on.example'] }), source({ id: 'b', write_keys: ['l'], enabled: false, origins: ['https://off.example'] }));
  expect('list' in result && [...result.list.origins]).toEqual(['https://on.example']);
});

test('"*" is every origin but null', () => {
  expect(allowsOrigin(new Set(['*']), 'https://x.example')).toBe(true);
  expect(allowsOrigin(new Set(['*']), 'null')).toBe(false);
  expect(allowsOrigin(new Set(), 'https://x.example')).toBe(false);
});

test('a document that is read again does not refill a source\'s bucket', () => {
  const text = JSON.stringify({ sources: [source({ events_per_second_max: 5 })] });
  const first = readSources(text, undefined, () => 0);
  if (!('list' in first)) throw new Error('not read');
  first.list.byKey.get('k')!.rate!.take(10);
  const second = readSources(text, first.list, () => 0);
  expect('list' in second && second.list.byKey.get('k')!.rate!.waitMs()).toBeGreaterThan(0);
});

test('the last good list serves while the document is broken or gone; before any there is none', async () => {
  let text = '{';
  let now = 0;
  const store = createSourceStore({ version: async () => text, read: async () => text, clock: () => now, log: () => undefined });
  const look = async (): Promise<string> => {
    now += LIMITS.sourcesCheckMs;
    const list = await store.current();
    return 'code' in list ? list.code : [...list.byKey.keys()].join();
  };
  expect(await look()).toBe('sources_unreadable');
  text = JSON.stringify({ sources: [source()] });
  expect(await look()).toBe('k');
  text = '{}';
  expect(await look()).toBe('k');
  text = JSON.stringify({ sources: [source({ write_keys: ['new'] })] });
  expect(store.fresh()).toBeDefined();
  expect(await look()).toBe('new');
});

test('a document that changes behind a file that looks the same is read within a minute, as a mounted secret may be', async () => {
  let text = JSON.stringify({ sources: [source()] });
  let now = 0;
  let reads = 0;
  const store = createSourceStore({ version: async () => 'the same', read: async () => { reads += 1; return text; }, clock: () => now, log: () => undefined });
  const keysAt = async (ms: number): Promise<string> => {
    now = ms;
    const list = await store.current();
    return 'code' in list ? list.code : [...list.byKey.keys()].join();
  };
  expect(await keysAt(1_000)).toBe('k');
  text = JSON.stringify({ sources: [source({ write_keys: ['new'] })] });
  expect(await keysAt(1_000 + LIMITS.sourcesReadMs - 1)).toBe('k');
  expect(reads).toBe(1);
  expect(await keysAt(1_000 + LIMITS.sourcesReadMs + LIMITS.sourcesCheckMs)).toBe('new');
  expect(reads).toBe(2);
});

test('a broken document is told once each time it breaks, and a stream that nobody knows is told', async () => {
  let text = '{';
  let now = 0;
  const told: string[] = [];
  const store = createSourceStore({ version: async () => text, read: async () => text, clock: () => now, log: (severity, _message, data) => told.push(`${severity} ${JSON.stringify(data)}`) });
  const give = async (document: string): Promise<string[]> => {
    text = document;
    now += LIMITS.sourcesCheckMs;
    await store.current();
    return told.splice(0);
  };
  const broken = await give('{');
  expect(broken).toHaveLength(1);
  expect(await give(JSON.stringify({ sources: [source({ streams: ['events', 'nope'] })] }))).toEqual(['WARNING {"unknown":["a: nope"]}']);
  expect(await give('{')).toHaveLength(1);
});
