// The registry of errors is documented whole, and every documented code is reached by a test.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ERRORS, ingestError, type ErrorCode } from '../functions/errors.ts';

const ROOT = resolve(import.meta.dirname, '..');
const FAULTS: Record<string, string> = { 'The sender\'s': 'sender', 'Google\'s, or an instance\'s that is busy': 'upstream', 'The operator\'s': 'operator', Ours: 'bug' };

/** code -> "fault status sentence", from the tables of docs/errors.md. */
function documented(): Record<string, string> {
  const entries: Record<string, string> = {};
  let fault = '';
  for (const line of readFileSync(join(ROOT, 'docs/errors.md'), 'utf8').split('\n')) {
    const title = /^## (.+)$/.exec(line)?.[1];
    if (title !== undefined) fault = FAULTS[title] ?? `unknown section ${title}`;
    const row = /^\| `(\w+)` \| (\d+) \| (.+) \|$/.exec(line);
    if (row !== null) entries[row[1]!] = `${fault} ${row[2]} ${row[3]!.replaceAll('\\|', '|')}`;
  }
  return entries;
}

test('docs/errors.md is equal to the registry, both ways', () => {
  expect(documented()).toEqual(Object.fromEntries(Object.entries(ERRORS).map(([code, { fault, status, says }]) => [code, `${fault} ${status} ${says}`])));
});

test('every code is reached by a test', () => {
  const texts = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'errors.test.ts').map((name) => readFileSync(join(ROOT, 'test', name), 'utf8')).join('\n')
    // What a test only makes, or only speaks of, it does not reach.
    .replaceAll(/ingestError\('\w+'/g, '').replaceAll(/^\s*(\/\/|\*).*$/gm, '');
  expect(Object.keys(ERRORS).filter((code) => !new RegExp(`\\b${code}\\b`).test(texts))).toEqual([]);
});

test('a sentence is filled in, and keeps what nobody gave', () => {
  expect(ingestError('body_too_large', { bodyBytesMax: 7 })).toEqual({ code: 'body_too_large', message: 'The request body is larger than 7 bytes.' });
  expect(ingestError('overloaded').message).toContain('{reason}');
  expect(ingestError('bad_name' satisfies ErrorCode, {}, '/event_name').pointer).toBe('/event_name');
});
