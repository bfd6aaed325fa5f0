// JSON text in, the same with BigQuery's line breaks or blanks, or a literal of GoogleSQL, out; registered by install for TO_JSON_STRING's pretty print and FORMAT.

/** Strings whole, then numbers and words, then punctuation: numbers keep their spelling. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[^\s[\]{},:"]+|[[\]{},:]/g;

export function prettyJson(json: string): string {
  const tokens = json.match(TOKENS) ?? [];
  let depth = 0;
  return tokens.map((token, index) => {
    const [before, after] = [tokens[index - 1], tokens[index + 1]];
    const line = (): string => `\n${'  '.repeat(depth)}`;
    if (token === '{' || token === '[') {
      if (after === '}' || after === ']') return token;
      depth += 1;
      return token + line();
    }
    if (token === '}' || token === ']') {
      if (before === '{' || before === '[') return token;
      depth -= 1;
      return line() + token;
    }
    return token === ',' ? token + line() : token === ':' ? ': ' : token;
  }).join('');
}

/** What stands between tokens is dropped, as BigQuery does when it reads JSON. */
export const compactJson = (json: string): string => (json.match(TOKENS) ?? []).join('');

const ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\', '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\v': '\\v' };
const quoteFor = (text: string): string => (text.includes('"') && !text.includes("'") ? "'" : '"');

export function stringLiteral(text: string): string {
  const quote = quoteFor(text);
  return quote + text.replace(/[\u0000-\u001f\\"'\u007f]/g, (char) => (char === quote ? `\\${char}` : ESCAPES[char] ?? (char === '"' || char === "'" ? char : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`))) + quote;
}

export function bytesLiteral({ bytes }: { bytes: Uint8Array }): string {
  const text = Buffer.from(bytes).toString('latin1');
  const quote = quoteFor(text);
  return `b${quote}${text.replace(/[^\x20-\x7e]|[\\"']/g, (char) => (char === quote ? `\\${char}` : char === '"' || char === "'" ? char : ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`))}${quote}`;
}
