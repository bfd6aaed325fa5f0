// Joining an hour's objects, killed before any step and run twice at once, with a pretended Cloud Storage.
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { compactHour } from '../../functions/maintain/compact.ts';
import { hourPrefix } from '../../functions/raw-object.ts';
import { HOUR, Killed, pretendedBucket } from './pretended-bucket.ts';

const expected = (parts: number): string[] => Array.from({ length: parts }, (_, part) => `line ${part}`).sort();

test('an hour becomes one object that holds every line once and says how many events it has', async () => {
  const { api, objects, lines } = pretendedBucket(100);
  expect(await compactHour(api, HOUR)).toMatchObject({ kind: 'compacted', parts: 100 });
  expect(lines()).toEqual(expected(100));
  expect([...objects.keys()]).toHaveLength(1);
  expect([...objects.values()][0]!.metadata).toMatchObject({ events: '200', rejected: '100', parts: '100' });
});

test('an hour of one object has nothing to do', async () => {
  expect(await compactHour(pretendedBucket(1).api, HOUR)).toMatchObject({ kind: 'nothing_to_do' });
});

test('killed before any of its steps, the next run ends with the same single object, and no line is missing at any time', async () => {
  for (let killAfter = 0; killAfter < 50; killAfter += 1) {
    const { api, objects, state, lines } = pretendedBucket(40);
    state.killAfter = killAfter;
    const first = await compactHour(api, HOUR).catch((error: unknown) => error);
    expect(new Set(lines())).toEqual(new Set(expected(40)));
    state.killAfter = Infinity;
    if (first instanceof Killed) expect(['compacted', 'nothing_to_do']).toContain((await compactHour(api, HOUR)).kind);
    expect(lines()).toEqual(expected(40));
    expect([...objects.keys()].filter((name) => name.startsWith('raw/'))).toHaveLength(1);
    expect([...objects.keys()].filter((name) => name.startsWith('compacting/'))).toEqual([]);
  }
});

test('two runs at once leave one object with every line once', async () => {
  const { api, objects, lines } = pretendedBucket(70);
  await Promise.all([compactHour(api, HOUR), compactHour(api, HOUR)]);
  await compactHour(api, HOUR);
  expect(lines()).toEqual(expected(70));
  expect([...objects.keys()]).toHaveLength(1);
});

test('an object that came after a compaction is joined with it the next time', async () => {
  const { api, objects, lines, put } = pretendedBucket(3);
  await compactHour(api, HOUR);
  put(`${hourPrefix(HOUR)}9999.ndjson.gz`, gzipSync('line 3\n'), { events: '2' });
  await compactHour(api, HOUR);
  expect(lines()).toEqual(expected(4));
  expect([...objects.keys()]).toHaveLength(1);
});

test('parts that somebody took away do not block the hour for ever', async () => {
  const { api, objects, state, lines } = pretendedBucket(4);
  state.killAfter = 1;
  await compactHour(api, HOUR).catch(() => undefined);
  state.killAfter = Infinity;
  objects.delete(`${hourPrefix(HOUR)}1002.ndjson.gz`);
  expect(await compactHour(api, HOUR)).toMatchObject({ kind: 'parts_missing' });
  expect(await compactHour(api, HOUR)).toMatchObject({ kind: 'compacted', parts: 3 });
  expect(lines()).toEqual(['line 0', 'line 1', 'line 3']);
});

test('a target that was damaged is made again from its parts', async () => {
  const { api, objects, state, lines } = pretendedBucket(40);
  state.killAfter = 2;
  await compactHour(api, HOUR).catch(() => undefined);
  state.killAfter = Infinity;
  const target = [...objects.keys()].find((name) => name.includes('compacted-'))!;
  objects.get(target)!.bytes = Buffer.from('damaged');
  await compactHour(api, HOUR);
  expect(lines()).toEqual(expected(40));
});

test('a joined object that has fewer bytes than its parts costs none of them', async () => {
  const { api, lines, put } = pretendedBucket(0);
  const texts = Array.from({ length: 5 }, (_, part) => `line ${part} ${'abcdefghij'.slice(0, 10 - 2 * part)}`);
  for (const [part, text] of texts.entries()) put(`${hourPrefix(HOUR)}${1000 + part}.ndjson.gz`, gzipSync(`${text}\n`), { events: '2' });
  const lossy: typeof api = { ...api, compose: (name, sources, ifGeneration) => api.compose(name, sources.slice(1), ifGeneration) };
  expect(await compactHour(lossy, HOUR)).toMatchObject({ kind: 'another_run' });
  expect(new Set(lines())).toEqual(new Set(texts));
  // What was made holds no beginning of the parts: it goes, and the hour is joined anew.
  expect(await compactHour(api, HOUR)).toMatchObject({ kind: 'compacted', parts: 5 });
  expect(lines()).toEqual(texts);
});
