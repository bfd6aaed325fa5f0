// The text of a query in, its tokens with their places out; called by the parser only.
import { invalidQuery } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';

export type TokenKind = 'word' | 'quoted' | 'string' | 'bytes' | 'integer' | 'float' | 'parameter' | 'symbol' | 'end';
export type Token = {
  kind: TokenKind;
  /** As written; for words the parser compares `upper`. */
  text: string;
  upper: string;
  /** Decoded content of a literal, a quoted name or a parameter. */
  value: string;
  start: number;
  end: number;
  place: Place;
};

const SYMBOLS = ['<=>', '|>', '||', '<<', '>>', '<=', '>=', '<>', '!=', '=>', '@@', '->'];
const SPACE_OR_COMMENT = /(?:\s+|#[^\n]*|--[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const NUMBER = /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const STRING_START = /(?:[rR][bB]?|[bB][rR]?)?("""|'''|"|')/y;

export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  const places = new PlaceFinder(source);
  let at = 0;
  while (true) {
    at = matchEnd(SPACE_OR_COMMENT, source, at) ?? at;
    if (at >= source.length) break;
    const token = readToken(source, at, places);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '', upper: '', value: '', start: at, end: at, place: places.find(at) });
  return tokens;
}

function readToken(source: string, start: number, places: PlaceFinder): Token {
  const place = places.find(start);
  const make = (kind: TokenKind, end: number, value?: string): Token => {
    const text = source.slice(start, end);
    return { kind, text, upper: kind === 'word' ? text.toUpperCase() : text, value: value ?? text, start, end, place };
  };
  const char = source[start] ?? '';
  STRING_START.lastIndex = start;
  const string = STRING_START.exec(source);
  if (string) return readString(source, start, string[0], string[1] ?? '"', place, make);
  if (char === '`') {
    const end = source.indexOf('`', start + 1);
    if (end < 0) throw invalidQuery('Syntax error: Unclosed identifier literal', place);
    return make('quoted', end + 1, source.slice(start + 1, end));
  }
  const numberEnd = matchEnd(NUMBER, source, start);
  if (numberEnd !== undefined) {
    const text = source.slice(start, numberEnd);
    return make(/^\d+$|^0[xX]/.test(text) ? 'integer' : 'float', numberEnd);
  }
  const wordEnd = matchEnd(WORD, source, start);
  if (wordEnd !== undefined) return make('word', wordEnd);
  if (char === '@' && source[start + 1] !== '@') {
    const nameEnd = matchEnd(WORD, source, start + 1);
    if (nameEnd !== undefined) return make('parameter', nameEnd, source.slice(start + 1, nameEnd));
  }
  if (char === '?') return make('parameter', start + 1, '');
  const symbol = SYMBOLS.find((candidate) => source.startsWith(candidate, start)) ?? char;
  if (!/^[-+*/%=<>!(),.;:[\]{}|&^~@]/.test(symbol)) throw invalidQuery(`Syntax error: Illegal input character "${char}"`, place);
  return make('symbol', start + symbol.length);
}

function readString(
  source: string, start: number, opening: string, quote: string, place: Place,
  make: (kind: TokenKind, end: number, value?: string) => Token,
): Token {
  const prefix = opening.slice(0, opening.length - quote.length).toLowerCase();
  let at = start + opening.length;
  while (!source.startsWith(quote, at)) {
    if (at >= source.length || (quote.length === 1 && source[at] === '\n')) {
      throw invalidQuery(`Syntax error: Unclosed ${quote.length === 3 ? 'triple-quoted ' : ''}string literal`, place);
    }
    at += source[at] === '\\' ? 2 : 1;
  }
  const raw = source.slice(start + opening.length, at);
  const isBytes = prefix.includes('b');
  const value = prefix.includes('r') ? raw : unescape(raw, isBytes, place);
  return make(isBytes ? 'bytes' : 'string', at + quote.length, value);
}

const SIMPLE_ESCAPES: Record<string, string> = {
  a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', '?': '?', '"': '"', "'": "'", '`': '`',
};

/** In a bytes literal each character of the answer is one byte. */
function unescape(raw: string, isBytes: boolean, place: Place): string {
  const text = isBytes ? Buffer.from(raw, 'utf8').toString('latin1') : raw;
  return text.replace(/\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]))/g, (whole, hex, short, long, octal, other) => {
    if (hex) return String.fromCharCode(Number.parseInt(hex, 16));
    if (octal) return String.fromCharCode(Number.parseInt(octal, 8));
    if (short || long) return String.fromCodePoint(Number.parseInt(short ?? long, 16));
    const simple = SIMPLE_ESCAPES[other];
    if (simple === undefined) throw invalidQuery(`Syntax error: Illegal escape sequence: ${whole}`, place);
    return simple;
  });
}

function matchEnd(pattern: RegExp, source: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(source) ? pattern.lastIndex : undefined;
}

class PlaceFinder {
  private readonly lineStarts: number[] = [0];

  constructor(source: string) {
    for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) this.lineStarts.push(at + 1);
  }

  find(offset: number): Place {
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.lineStarts[low] ?? 0) + 1 };
  }
}
