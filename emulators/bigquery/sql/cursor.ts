// Walks over the tokens of one script for the parser: look, take, expect, and GoogleSQL's words for a syntax error.
import { invalidQuery } from './google-sql-error.ts';
import type { GoogleSqlError, Place } from './google-sql-error.ts';
import { tokenize } from './tokens.ts';
import type { Token } from './tokens.ts';
import type { Name } from './tree.ts';

/** Words that cannot be a name without back quotes. */
const RESERVED = new Set(
  `ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT DEFAULT DEFINE DESC
  DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL GROUP GROUPING GROUPS HASH HAVING IF
  IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER
  OVER PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE
  UNBOUNDED UNION UNNEST USING WHEN WHERE WINDOW WITH WITHIN`.split(/\s+/),
);

export class Cursor {
  readonly source: string;
  private readonly tokens: Token[];
  private index = 0;
  /** Positional parameters are numbered in the order of the text. */
  positionalCount = 0;

  constructor(source: string) {
    this.source = source;
    this.tokens = tokenize(source);
  }

  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.index + ahead, this.tokens.length - 1)] as Token;
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.index += 1;
    return token;
  }

  get place(): Place {
    return this.peek().place;
  }

  get atEnd(): boolean {
    return this.peek().kind === 'end';
  }

  /** Whether the next tokens are these keywords or symbols, e.g. `is('GROUP', 'BY')`. */
  is(...words: string[]): boolean {
    return words.every((word, ahead) => {
      const token = this.peek(ahead);
      return (token.kind === 'word' || token.kind === 'symbol') && token.upper === word;
    });
  }

  /** Takes the words when all of them are next. */
  take(...words: string[]): boolean {
    if (!this.is(...words)) return false;
    this.index += words.length;
    return true;
  }

  expect(...words: string[]): void {
    for (const word of words) if (!this.take(word)) throw this.unexpected(word);
  }

  /** Closes one `>` also when the lexer saw `>>`, as in ARRAY<STRUCT<a INT64>>. */
  expectCloseAngle(): void {
    const token = this.peek();
    if (token.kind === 'symbol' && token.text === '>>') {
      const rest: Token = { ...token, text: '>', upper: '>', value: '>', start: token.start + 1, place: { line: token.place.line, column: token.place.column + 1 } };
      this.tokens[this.index] = rest;
      return;
    }
    this.expect('>');
  }

  unexpected(wanted?: string): GoogleSqlError {
    const token = this.peek();
    if (token.kind === 'end') {
      return invalidQuery(wanted ? `Syntax error: Expected "${wanted}" but got end of script` : 'Syntax error: Unexpected end of script', token.place);
    }
    const isKeyword = token.kind === 'word' && RESERVED.has(token.upper);
    const seen = isKeyword ? `keyword ${token.upper}`
      : token.kind === 'word' || token.kind === 'quoted' ? `identifier ${token.kind === 'quoted' ? token.text : `"${token.text}"`}`
      : token.kind === 'string' ? `string literal ${token.text}`
      : token.kind === 'integer' ? `integer literal "${token.text}"`
      : token.kind === 'float' ? `floating point literal "${token.text}"`
      : `"${token.text}"`;
    return invalidQuery(wanted ? `Syntax error: Expected "${wanted}" but got ${seen}` : `Syntax error: Unexpected ${seen}`, token.place);
  }

  isName(ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'quoted' || (token.kind === 'word' && !RESERVED.has(token.upper));
  }

  name(): Name {
    if (!this.isName()) throw this.unexpected();
    return this.anyName();
  }

  /** After a dot, reserved words are names too. */
  anyName(): Name {
    const token = this.peek();
    if (token.kind !== 'word' && token.kind !== 'quoted') throw this.unexpected();
    this.next();
    return { text: token.value, place: token.place };
  }

  /** An alias, with AS or without; without it, words that go on with the clause are left alone. */
  alias(stopWords: ReadonlySet<string>): Name | undefined {
    if (this.take('AS')) return this.anyAliasName();
    const token = this.peek();
    if (token.kind === 'quoted' || (this.isName() && !stopWords.has(token.upper))) return this.anyName();
    return undefined;
  }

  private anyAliasName(): Name {
    if (this.isName()) return this.anyName();
    throw this.unexpected();
  }

  /** Skips to the first token that starts at or after `offset`; used where a table name with dashes spans several tokens. */
  jumpTo(offset: number): void {
    while (this.peek().kind !== 'end' && this.peek().start < offset) this.index += 1;
  }

  textFrom(start: number): string {
    const last = this.tokens[this.index - 1];
    return this.source.slice(start, last ? last.end : start);
  }

  commaSeparated<T>(read: () => T): T[] {
    const items = [read()];
    while (this.take(',')) items.push(read());
    return items;
  }

  mark(): number {
    return this.index;
  }

  reset(mark: number): void {
    this.index = mark;
  }
}
