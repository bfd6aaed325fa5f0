// Parts of the small Cloud Storage that have rules of their own: the checksum, the order and pages of a listing, multipart bodies.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Checksummer, crc32c } from '../../../emulators/storage/checksum.ts';
import { splitMultipart } from '../../../emulators/storage/multipart.ts';
import { listPage } from '../../../emulators/storage/listing.ts';
import { compareUtf8, NameList } from '../../../emulators/storage/name-list.ts';

describe('crc32c', () => {
  it('gives the values of RFC 3720, B.4', () => {
    expect(crc32c(Buffer.alloc(32)).toString(16)).toBe('8a9136aa');
    expect(crc32c(Buffer.alloc(32, 0xff)).toString(16)).toBe('62a8ab43');
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, byte) => byte))).toString(16)).toBe('46dd794e');
    expect(crc32c(Buffer.from('123456789')).toString(16)).toBe('e3069283');
  });
  it('does not depend on how the bytes are cut', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
      const pieces = new Checksummer();
      pieces.update(bytes.subarray(0, cut));
      pieces.update(bytes.subarray(cut));
      const whole = new Checksummer();
      whole.update(bytes);
      expect(pieces.finish()).toEqual(whole.finish());
    }), { numRuns: 200 });
  });
});

describe('NameList', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\uffee', '\u{1f600}', '0'), minLength: 1, maxLength: 8 });

  it('orders names as their UTF-8 bytes', () => {
    fc.assert(fc.property(name, name, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }), { numRuns: 500 });
  });

  it('lists, in pages of any size, what one look over all names finds', () => {
    fc.assert(fc.property(fc.uniqueArray(name, { maxLength: 40 }), fc.constantFrom('', 'a', 'a/', '\u{1f600}'), fc.boolean(), fc.integer({ min: 1, max: 7 }), (names, prefix, isGrouped, maxResults) => {
      const list = new NameList();
      for (const item of names) list.add(item);
      const found: string[] = [];
      for (let pageToken: string | undefined; ;) {
        const page = listPage(list, {
          prefix, ...(isGrouped ? { delimiter: '/' } : {}), maxResults, ...(pageToken === undefined ? {} : { pageToken }),
          itemsOf: (item) => [item], generationOf: () => '1',
        });
        expect(page.items.length + page.prefixes.length).toBeLessThanOrEqual(maxResults);
        found.push(...page.items, ...page.prefixes);
        if (page.nextPageToken === undefined) break;
        pageToken = page.nextPageToken;
      }
      const expected = new Set(names.filter((item) => item.startsWith(prefix)).map((item) => {
        const cut = isGrouped ? item.indexOf('/', prefix.length) : -1;
        return cut < 0 ? item : item.slice(0, cut + 1);
      }));
      expect(found).toHaveLength(expected.size);
      expect(new Set(found)).toEqual(expected);
    }), { numRuns: 300 });
  });
});

describe('splitMultipart', () => {
  it('gives the same parts however the body is cut, also when the media looks like a boundary', async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom('\r\n', '\n'), fc.constantFrom('mark', '"mark"', "'mark'"), fc.constantFrom('', 'x', '\r\n', '\r\n--mar', '--mark', 'plain\r\n--mar\r\n\r\n', 'y'.repeat(500)), fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 30 }), async (lineEnd, boundary, media, cuts) => {
      const body = Buffer.from(['--mark', 'Content-Type: application/json', '', '{"name":"ü"}', '--mark', 'Content-Type: text/plain', '', media, '--mark--', ''].join(lineEnd));
      async function* pieces() {
        let at = 0;
        for (const cut of cuts) yield body.subarray(at, at += cut);
        yield body.subarray(at);
      }
      const bytes: Buffer[] = [];
      let head: unknown;
      for await (const part of splitMultipart(pieces(), `multipart/related; boundary=${boundary}`)) {
        if (part.kind === 'media') bytes.push(part.bytes);
        else head = part;
      }
      expect(head).toEqual({ kind: 'metadata', text: '{"name":"ü"}', mediaType: 'text/plain' });
      expect(Buffer.concat(bytes).toString()).toBe(media);
    }), { numRuns: 200 });
  });
});
