// Text functions of BigQuery that DuckDB lacks or does otherwise on non-ASCII text; registered by install under the names gsql_….
import { createHash } from 'node:crypto';

/** Case folding by Unicode: one character at a time, so that a final sigma folds like any other; the dotless ı stays itself. */
export const fold = (text: string): string => [...text].map((char) => (char === 'ı' ? char : char.toUpperCase().toLowerCase())).join('');
export const containsFolded = (text: string, search: string): boolean => fold(text.normalize('NFKC')).normalize('NFKC').includes(fold(search.normalize('NFKC')).normalize('NFKC'));
export const normalized = (text: string, mode: string): string => text.normalize(mode);
export const normalizedAndFolded = (text: string, mode: string): string => fold(text.normalize(mode)).normalize(mode);
export const reversed = (text: string): string => [...text].reverse().join('');
export const sha512 = (bytes: { bytes: Uint8Array }): string => createHash('sha512').update(bytes.bytes).digest('hex');

/** The first letter after each delimiter is upper, all others are lower case. */
export function initcap(text: string, delimiters: string): string {
  let isStart = true;
  return [...text].map((char) => {
    const cased = isStart ? char.toUpperCase() : char.toLowerCase();
    isStart = delimiters.includes(char);
    return cased;
  }).join('');
}

/** Where the search stands for the nth time, from a position that counts from the end when it is negative; 0 where it does not. */
export function instr(text: string, search: string, position: bigint, occurrence: bigint): bigint {
  const [chars, wanted] = [[...text], [...search]];
  const isAt = (at: number): boolean => wanted.every((char, index) => chars[at + index] === char);
  const last = chars.length - wanted.length;
  let left = Number(occurrence);
  const [start, step] = position > 0n ? [Number(position) - 1, 1] : [Math.min(chars.length + Number(position), last), -1];
  for (let at = start; at >= 0 && at <= last; at += step) {
    if (isAt(at) && (left -= 1) === 0) return BigInt(at + 1);
  }
  return 0n;
}

const SOUNDS: Record<string, string> = Object.fromEntries(['bfpv', 'cgjkqsxz', 'dt', 'l', 'mn', 'r'].flatMap((letters, index) => [...letters].map((letter) => [letter, String(index + 1)])));

/** American Soundex as BigQuery has it: the first letter as written, then up to three digits; letters without a sound do not part equal ones. */
export function soundex(text: string): string {
  const letters = [...text].filter((char) => /[A-Za-z]/.test(char));
  const [first] = letters;
  if (first === undefined) return '';
  let code = first;
  let before = SOUNDS[first.toLowerCase()];
  for (const letter of letters.slice(1)) {
    const sound = SOUNDS[letter.toLowerCase()];
    if (sound !== undefined && sound !== before) code += sound;
    before = sound ?? before;
  }
  return code.padEnd(4, '0').slice(0, 4);
}

/** Bytes that are no UTF-8 become U+FFFD each. */
export const utf8OrReplacement = (value: { bytes: Uint8Array }): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(value.bytes);

export function utf8OrNull(value: { bytes: Uint8Array }): string | null {
  try {
    return new TextDecoder('utf-8', { ignoreBOM: true, fatal: true }).decode(value.bytes);
  } catch {
    return null;
  }
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export function toBase32({ bytes }: { bytes: Uint8Array }): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const text = (bits.match(/.{1,5}/g) ?? []).map((five) => BASE32[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=');
}

/**
 * The host of a URL as NET.HOST finds it: what stands between `//` (or the start) and the next of `/?#:`, without user and port; the case is
 * kept. What has a scheme but no `//` (mailto:…) has no host.
 */
export function netHost(url: string): string | null {
  const text = url.trim();
  const schemed = /^[^/?#]*:(?=\/\/)/.exec(text)?.[0] ?? '';
  let rest = text.slice(schemed.length);
  if (rest.startsWith('//')) rest = rest.slice(2);
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
  const hostAndPort = authority.slice(authority.lastIndexOf('@') + 1);
  const host = hostAndPort.startsWith('[') ? /^\[[^\]]*\]/.exec(hostAndPort)?.[0] ?? '' : hostAndPort.replace(/:.*$/, '');
  return host === '' ? null : host;
}
