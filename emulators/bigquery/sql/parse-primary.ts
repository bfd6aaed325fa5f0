// Tokens in, the tree of an operand out: literals, names, parentheses, CASE, CAST, ARRAY, STRUCT and calls; called by the expression parser.
import type { ScalarKind } from './context.ts';
import { invalidQuery, notSupported } from './google-sql-error.ts';
import type { Cursor } from './cursor.ts';
import { isCallAhead, parseCall } from './parse-call.ts';
import { isQueryAhead, parseExpr } from './parse-expression.ts';
import { parseQuery } from './parse-query.ts';
import { parseType } from './parse-type.ts';
import type { Expr, TypeNode } from './tree.ts';

const TYPED_LITERALS: Record<string, ScalarKind> = {
  DATE: 'DATE', TIMESTAMP: 'TIMESTAMP', DATETIME: 'DATETIME', TIME: 'TIME', NUMERIC: 'NUMERIC', DECIMAL: 'NUMERIC', JSON: 'JSON',
};

export function parsePrimary(cursor: Cursor): Expr {
  const token = cursor.peek();
  const { place } = token;
  if (token.kind === 'string') {
    let value = '';
    for (let end = -1; cursor.peek().kind === 'string';) {
      const part = cursor.next();
      if (part.start === end) throw invalidQuery('Syntax error: concatenated string literals must be separated by whitespace or comments', part.place);
      value += part.value;
      ({ end } = part);
    }
    return { kind: 'literal', type: 'STRING', value, place };
  }
  if (token.kind === 'bytes') return { kind: 'literal', type: 'BYTES', value: cursor.next().value, place };
  if (token.kind === 'integer') {
    cursor.next();
    return { kind: 'literal', type: 'INT64', value: /^0x/i.test(token.text) ? String(BigInt(token.text)) : token.text, place };
  }
  if (token.kind === 'float') return { kind: 'literal', type: 'FLOAT64', value: cursor.next().value, place };
  if (token.kind === 'parameter') {
    cursor.next();
    return { kind: 'parameter', name: token.value, position: token.value === '' ? cursor.positionalCount++ : -1, place };
  }
  if (cursor.is('@@')) {
    cursor.next();
    let name = cursor.anyName().text;
    while (cursor.take('.')) name += `.${cursor.anyName().text}`;
    return { kind: 'systemVariable', name, place };
  }
  if (cursor.is('(')) return parseParenthesised(cursor);
  if (cursor.is('[')) return parseArrayItems(cursor, undefined);
  if (token.kind === 'word') return parseWord(cursor);
  if (token.kind === 'quoted') return isCallAhead(cursor) ? parseCall(cursor) : parsePath(cursor);
  throw cursor.unexpected();
}

function parseWord(cursor: Cursor): Expr {
  const { upper, place } = cursor.peek();
  const literal = TYPED_LITERALS[upper];
  if (literal && cursor.peek(1).kind === 'string') {
    cursor.next();
    return { kind: 'literal', type: literal, value: cursor.next().value, place };
  }
  if (['BIGNUMERIC', 'BIGDECIMAL', 'RANGE'].includes(upper) && (cursor.peek(1).kind === 'string' || cursor.peek(1).text === '<')) throw notSupported(`Type ${upper}`, place);
  switch (upper) {
    case 'NULL': cursor.next(); return { kind: 'literal', type: 'NULL', value: 'NULL', place };
    case 'TRUE': case 'FALSE': cursor.next(); return { kind: 'literal', type: 'BOOL', value: upper.toLowerCase(), place };
    case 'CASE': return parseCase(cursor);
    case 'CAST': case 'SAFE_CAST': if (cursor.is(upper, '(')) return parseCast(cursor); break;
    case 'EXTRACT': return parseExtract(cursor);
    case 'INTERVAL': return parseInterval(cursor);
    case 'ARRAY': return parseArray(cursor);
    case 'STRUCT': return parseStruct(cursor);
    case 'EXISTS': {
      cursor.next();
      cursor.expect('(');
      const query = parseQuery(cursor);
      cursor.expect(')');
      return { kind: 'exists', query, place };
    }
    case 'NEW': throw notSupported('NEW (a protocol buffer constructor)', place);
    case 'WITH': if (cursor.is('WITH', '(')) return parseWith(cursor); break;
  }
  if (isCallAhead(cursor)) return parseCall(cursor);
  if (NOW_WORDS.has(upper)) {
    const { text } = cursor.next();
    return { kind: 'call', place, name: [upper], written: [{ text, place }], safe: false, args: [], namedArgs: [], star: false, distinct: false, orderBy: [] };
  }
  return parsePath(cursor);
}

/** Functions that may go without parentheses. */
const NOW_WORDS = new Set(['CURRENT_DATE', 'CURRENT_TIMESTAMP', 'CURRENT_DATETIME', 'CURRENT_TIME']);

function parsePath(cursor: Cursor): Expr {
  const { place } = cursor;
  const parts = [cursor.name()];
  while (cursor.is('.') && (cursor.peek(1).kind === 'word' || cursor.peek(1).kind === 'quoted')) {
    cursor.next();
    parts.push(cursor.anyName());
  }
  return { kind: 'name', parts, place };
}

function parseParenthesised(cursor: Cursor): Expr {
  const { place } = cursor;
  cursor.expect('(');
  if (isQueryAhead(cursor)) {
    const query = parseQuery(cursor);
    cursor.expect(')');
    return { kind: 'scalarQuery', query, place };
  }
  const items = cursor.commaSeparated(() => parseExpr(cursor));
  cursor.expect(')');
  const [first] = items;
  if (items.length === 1 && first) return first;
  return { kind: 'struct', isTuple: true, items: items.map((expr) => ({ expr })), place };
}

function parseCase(cursor: Cursor): Expr {
  const { place } = cursor;
  cursor.expect('CASE');
  const operand = cursor.is('WHEN') ? undefined : parseExpr(cursor);
  const whens: { when: Expr; then: Expr }[] = [];
  while (cursor.take('WHEN')) {
    const when = parseExpr(cursor);
    cursor.expect('THEN');
    whens.push({ when, then: parseExpr(cursor) });
  }
  if (whens.length === 0) throw cursor.unexpected('WHEN');
  const otherwise = cursor.take('ELSE') ? parseExpr(cursor) : undefined;
  cursor.expect('END');
  return { kind: 'case', whens, place, ...(operand && { operand }), ...(otherwise && { otherwise }) };
}

function parseCast(cursor: Cursor): Expr {
  const { place, upper } = cursor.next();
  cursor.expect('(');
  const operand = parseExpr(cursor);
  cursor.expect('AS');
  const type = parseType(cursor);
  const format = cursor.take('FORMAT') ? parseExpr(cursor) : undefined;
  const zone = cursor.take('AT', 'TIME', 'ZONE') ? parseExpr(cursor) : undefined;
  cursor.expect(')');
  return { kind: 'cast', operand, type, safe: upper === 'SAFE_CAST', place, ...(format && { format }), ...(zone && { zone }) };
}

function parseExtract(cursor: Cursor): Expr {
  const { place } = cursor;
  cursor.expect('EXTRACT', '(');
  const part = parseExpr(cursor);
  cursor.expect('FROM');
  const operand = parseExpr(cursor);
  const zone = cursor.take('AT', 'TIME', 'ZONE') ? parseExpr(cursor) : undefined;
  cursor.expect(')');
  return { kind: 'extract', part, operand, place, ...(zone && { zone }) };
}

function parseInterval(cursor: Cursor): Expr {
  const { place } = cursor;
  cursor.expect('INTERVAL');
  const value = parseExpr(cursor);
  const unit = cursor.anyName().text.toUpperCase();
  const toUnit = cursor.take('TO') ? cursor.anyName().text.toUpperCase() : undefined;
  return { kind: 'interval', value, unit, place, ...(toUnit && { toUnit }) };
}

function parseArray(cursor: Cursor): Expr {
  const { place } = cursor;
  cursor.expect('ARRAY');
  if (cursor.take('(')) {
    const query = parseQuery(cursor);
    cursor.expect(')');
    return { kind: 'arrayQuery', query, place };
  }
  if (cursor.is('[')) return parseArrayItems(cursor, undefined);
  cursor.expect('<');
  const element = parseType(cursor);
  cursor.expectCloseAngle();
  return parseArrayItems(cursor, element);
}

function parseArrayItems(cursor: Cursor, element: TypeNode | undefined): Expr {
  const { place } = cursor;
  cursor.expect('[');
  const items = cursor.is(']') ? [] : cursor.commaSeparated(() => parseExpr(cursor));
  cursor.expect(']');
  return { kind: 'array', items, place, ...(element && { element }) };
}

/** `WITH(a AS 1, b AS a + 1, a * b)`. */
function parseWith(cursor: Cursor): Expr {
  const { place } = cursor;
  cursor.expect('WITH', '(');
  const items: Extract<Expr, { kind: 'with' }>['items'] = [];
  do {
    const name = cursor.name();
    cursor.expect('AS');
    items.push({ name, expr: parseExpr(cursor) });
    cursor.expect(',');
  } while (cursor.isName() && cursor.peek(1).upper === 'AS');
  const body = parseExpr(cursor);
  cursor.expect(')');
  return { kind: 'with', items, body, place };
}

function parseStruct(cursor: Cursor): Expr {
  const { place } = cursor;
  const typed = cursor.is('STRUCT', '<') ? parseType(cursor) : undefined;
  if (!typed) cursor.expect('STRUCT');
  if (typed && typed.kind !== 'STRUCT') throw invalidQuery('Syntax error: Expected STRUCT', place);
  cursor.expect('(');
  const items = cursor.is(')') ? [] : cursor.commaSeparated(() => {
    const expr = parseExpr(cursor);
    const alias = cursor.take('AS') ? cursor.anyName().text : undefined;
    return { expr, ...(alias !== undefined && { alias }) };
  });
  cursor.expect(')');
  return { kind: 'struct', items, place, ...(typed && typed.kind === 'STRUCT' && { typed }) };
}
