// JSON text as bytes in, what has to be known before parsing out. One pass over the bytes, about 1 ns a byte, and it pays for
// itself: a body without any mark needs no walk over its values. Called by parse-body.ts. Broken JSON is no concern here:
// the pass always ends, and JSON.parse judges the syntax afterwards.
import { LIMITS } from '../limits.ts';

/** What makes a closer look at the parsed values necessary. */
export type BodyMarks = {
  /** CR or LF between tokens (or, in broken JSON, anywhere outside a string). */
  hasLineBreaks: boolean;
  /** An escape of U+0000. */
  hasNul: boolean;
  /** An escape of a surrogate, which may be a lone one. */
  hasSurrogateEscape: boolean;
  /** A key that may be empty, too long, `__proto__` or `constructor`. */
  hasOddKey: boolean;
  /** An integer literal beyond ±(2^53-1). */
  hasUnsafeInteger: boolean;
  /** A number with an exponent: it may be infinite. */
  hasExponent: boolean;
};

export type BodyScan = BodyMarks & {
  /** Deepest nesting outside events that are cut out. */
  isTooDeep: boolean;
  /** Keys that belong to no event. */
  batchKeys: number;
  /** Bytes of the largest event. */
  largestEventBytes: number;
  /** Events that must not be parsed, by their bytes [start, end). */
  cuts: { start: number; end: number; code: 'too_deep' | 'too_many_keys' }[];
};

const QUOTE = 34;
const BACKSLASH = 92;
const OTHER = 0, STRING = 1, OPEN = 2, CLOSE = 3, COLON = 4, LINE_BREAK = 5, DIGIT = 6;

const CLASS = new Uint8Array(256).fill(OTHER);
for (const [characters, kind] of [['"', STRING], ['{[', OPEN], ['}]', CLOSE], [':', COLON], ['\r\n', LINE_BREAK], ['0123456789', DIGIT]] as const) {
  for (const character of characters) CLASS[character.charCodeAt(0)] = kind;
}

/** 2^53-1 as text: a literal of as many digits is compared with it. */
const SAFE_DIGITS = Buffer.from(String(Number.MAX_SAFE_INTEGER));

/** Scans one JSON text whose events begin at nesting level `eventDepth` (3 in `{"events":[{…}]}`, 2 in `[{…}]`). */
export function scanBody(bytes: Uint8Array, eventDepth: number, limits = LIMITS): BodyScan {
  const scan: BodyScan = {
    hasLineBreaks: false, hasNul: false, hasSurrogateEscape: false, hasOddKey: false, hasUnsafeInteger: false, hasExponent: false,
    isTooDeep: false, batchKeys: 0, largestEventBytes: 0, cuts: [],
  };
  const { depthMax, keysPerEventMax, keyLengthMax } = limits;
  const length = bytes.length;
  let depth = 0, keys = 0, eventStart = 0, eventKeys = 0;
  let stringStart = 0, stringEnd = 0, isEscaped = false;
  for (let at = 0; at < length; at++) {
    switch (CLASS[bytes[at]!]) {
      case STRING: {
        stringStart = ++at;
        isEscaped = false;
        let byte = 0;
        while (at < length && (byte = bytes[at]!) !== QUOTE) {
          if (byte === BACKSLASH) {
            isEscaped = true;
            if (bytes[++at] === 117) markEscape(scan, bytes, at + 1);
          }
          at++;
        }
        stringEnd = at;
        break;
      }
      case OPEN:
        if (++depth === eventDepth) {
          eventStart = at;
          eventKeys = keys;
        } else if (depth > depthMax) scan.isTooDeep = true;
        break;
      case CLOSE:
        if (depth-- === eventDepth) {
          if (at - eventStart >= scan.largestEventBytes) scan.largestEventBytes = at + 1 - eventStart;
          if (scan.isTooDeep || keys - eventKeys > keysPerEventMax) {
            scan.cuts.push({ start: eventStart, end: at + 1, code: scan.isTooDeep ? 'too_deep' : 'too_many_keys' });
            scan.isTooDeep = false;
          }
          keys = eventKeys;
        }
        break;
      case COLON: {
        keys++;
        const size = stringEnd - stringStart;
        if (size === 0 || size > keyLengthMax || isEscaped || (size === 9 && bytes[stringStart] === 95)
          || (size === 11 && bytes[stringStart] === 99 && bytes[stringStart + 1] === 111)) scan.hasOddKey = true;
        break;
      }
      case LINE_BREAK:
        scan.hasLineBreaks = true;
        break;
      case DIGIT: {
        const start = at;
        let next = 0;
        while ((next = bytes[at + 1]!) > 47 && next < 58) at++;
        if (next === 101 || next === 69) scan.hasExponent = true;
        else if (at - start >= 15 && next !== 46 && bytes[start - 1] !== 46 && isUnsafe(bytes, start, at + 1)) scan.hasUnsafeInteger = true;
        break;
      }
    }
  }
  scan.batchKeys = keys;
  return scan;
}

/** Looks at the four digits behind `\u`. */
function markEscape(scan: BodyScan, bytes: Uint8Array, at: number): void {
  const first = bytes[at]!;
  if (first === 48 && bytes[at + 1] === 48 && bytes[at + 2] === 48 && bytes[at + 3] === 48) scan.hasNul = true;
  else if (first === 100 || first === 68) scan.hasSurrogateEscape = true; // d, D
}

/** Whether the integer literal of at least 16 digits is beyond 2^53-1. */
function isUnsafe(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > SAFE_DIGITS.length) return true;
  for (let i = 0; i < SAFE_DIGITS.length; i++) {
    const difference = bytes[start + i]! - SAFE_DIGITS[i]!;
    if (difference !== 0) return difference > 0;
  }
  return false;
}
