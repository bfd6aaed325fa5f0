// Subscription filters: an expression over a message's attributes in, a function that judges them out.
// https://docs.cloud.google.com/pubsub/docs/subscription-message-filter. resources.ts checks with it, the store asks it of each message.
import { invalid } from './refusal.ts';

export type Attributes = ReadonlyMap<string, string>;
export type Filter = (attributes: Attributes) => boolean;

const FILTER_BYTES_MAX = 256;
const CODE_POINT_MAX = 0x10ffff;
const TOKEN = /\s*(?:(!=|[().,:=-])|("(?:[^"\\]|\\.)*")|([\p{L}\p{N}_][\p{L}\p{N}_-]*))/uy;
const ESCAPES: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

type Token = { kind: 'sign' | 'text' | 'word' | 'end'; value: string };

/** Throws INVALID_ARGUMENT where the expression is too long or not in the language. */
export function parseFilter(text: string): Filter {
  if (Buffer.byteLength(text) > FILTER_BYTES_MAX) throw invalid(`Invalid filter: it has ${Buffer.byteLength(text)} bytes, the maximum is ${FILTER_BYTES_MAX}.`);
  const parser = new Parser(tokensOf(text), text);
  const filter = parser.expression();
  parser.expectEnd();
  return filter;
}

class Parser {
  private at = 0;
  private readonly tokens: readonly Token[];
  private readonly text: string;

  constructor(tokens: readonly Token[], text: string) {
    this.tokens = tokens;
    this.text = text;
  }

  /** Terms joined by AND, or by OR: to mix them, Google wants parentheses. */
  expression(): Filter {
    const terms = [this.term()];
    const operator = this.peek('word', 'AND') ? 'AND' : 'OR';
    while (this.skip('word', operator)) terms.push(this.term());
    if (this.peek('word', 'AND') || this.peek('word', 'OR')) throw this.wrong('AND and OR are mixed without parentheses');
    if (terms.length === 1) return terms[0]!;
    return operator === 'AND' ? (attributes) => terms.every((term) => term(attributes)) : (attributes) => terms.some((term) => term(attributes));
  }

  expectEnd(): void {
    if (this.tokens[this.at]!.kind !== 'end') throw this.wrong(`there is ${JSON.stringify(this.tokens[this.at]!.value)} where it should end`);
  }

  private term(): Filter {
    if (this.skip('word', 'NOT') || this.skip('sign', '-')) {
      const inner = this.term();
      return (attributes) => !inner(attributes);
    }
    if (this.skip('sign', '(')) {
      const inner = this.expression();
      this.expect('sign', ')');
      return inner;
    }
    if (this.skip('word', 'hasPrefix')) return this.prefix();
    this.expect('word', 'attributes');
    if (this.skip('sign', ':')) {
      const key = this.key();
      return (attributes) => attributes.has(key);
    }
    this.expect('sign', '.');
    const key = this.key();
    const isEqual = this.skip('sign', '=');
    if (!isEqual) this.expect('sign', '!=');
    const value = this.literal();
    return (attributes) => (attributes.get(key) === value) === isEqual;
  }

  private prefix(): Filter {
    this.expect('sign', '(');
    this.expect('word', 'attributes');
    this.expect('sign', '.');
    const key = this.key();
    this.expect('sign', ',');
    const start = this.literal();
    this.expect('sign', ')');
    return (attributes) => attributes.get(key)?.startsWith(start) === true;
  }

  /** A plain word, or any text in quotation marks. */
  private key(): string {
    const token = this.tokens[this.at]!;
    if (token.kind !== 'word' && token.kind !== 'text') throw this.wrong('the key of an attribute is missing');
    this.at += 1;
    return token.value;
  }

  private literal(): string {
    const token = this.tokens[this.at]!;
    if (token.kind !== 'text') throw this.wrong('a value must be a text in quotation marks');
    this.at += 1;
    return token.value;
  }

  private peek(kind: Token['kind'], value: string): boolean {
    const token = this.tokens[this.at]!;
    return token.kind === kind && token.value === value;
  }

  private skip(kind: Token['kind'], value: string): boolean {
    if (!this.peek(kind, value)) return false;
    this.at += 1;
    return true;
  }

  private expect(kind: Token['kind'], value: string): void {
    if (!this.skip(kind, value)) throw this.wrong(`${JSON.stringify(value)} is missing`);
  }

  private wrong(why: string): Error {
    return invalid(`Invalid filter ${JSON.stringify(this.text)}: ${why}.`);
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < end; ) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw invalid(`Invalid filter ${JSON.stringify(text)}: ${JSON.stringify(text.slice(at).trimStart().slice(0, 1))} can't be read.`);
    const [, sign, quoted, word] = match;
    tokens.push(sign !== undefined ? { kind: 'sign', value: sign } : quoted !== undefined ? { kind: 'text', value: unquoted(quoted) } : { kind: 'word', value: word! });
  }
  return [...tokens, { kind: 'end', value: '' }];
}

/** Unicode, hexadecimal and octal escapes as well as the usual ones. */
function unquoted(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{3})|(.))/gu, (_, short?: string, long?: string, hex?: string, octal?: string, sign?: string) => {
    const code = short ?? long ?? hex;
    const point = code !== undefined ? parseInt(code, 16) : octal !== undefined ? parseInt(octal, 8) : undefined;
    if (point === undefined) return ESCAPES[sign!] ?? sign!;
    if (point > CODE_POINT_MAX) throw invalid(`Invalid filter: ${quoted} has an escape that is no character.`);
    return String.fromCodePoint(point);
  });
}
