// Tokens in, expression trees out: GoogleSQL's operators by precedence; called by the query and statement parsers.
import type { ScalarKind } from './context.ts';
import { invalidQuery, notSupported } from './google-sql-error.ts';
import type { Cursor } from './cursor.ts';
import { isCallAhead, parseCall } from './parse-call.ts';
import { parseQuery } from './parse-query.ts';
import { parseType } from './parse-type.ts';
import type { Expr, OrderItem, TypeNode } from './tree.ts';

export function parseExpr(cursor: Cursor): Expr {
  return parseOr(cursor);
}

function parseOr(cursor: Cursor): Expr {
  let left = parseAnd(cursor);
  while (cursor.is('OR')) {
    cursor.next();
    left = { kind: 'binary', op: 'OR', left, right: parseAnd(cursor), place: left.place };
  }
  return left;
}

function parseAnd(cursor: Cursor): Expr {
  let left = parseNot(cursor);
  while (cursor.is('AND')) {
    cursor.next();
    left = { kind: 'binary', op: 'AND', left, right: parseNot(cursor), place: left.place };
  }
  return left;
}

function parseNot(cursor: Cursor): Expr {
  if (!cursor.is('NOT')) return parseComparison(cursor);
  const { place } = cursor.next();
  return { kind: 'unary', op: 'NOT', operand: parseNot(cursor), place };
}

const COMPARISONS = new Set(['=', '<', '>', '<=', '>=', '<>', '!=']);

function parseComparison(cursor: Cursor): Expr {
  let left = parseBinary(cursor, 0);
  while (true) {
    const { place } = left;
    const token = cursor.peek();
    if (token.kind === 'symbol' && COMPARISONS.has(token.text)) {
      cursor.next();
      left = { kind: 'binary', op: token.text === '<>' ? '!=' : token.text, left, right: parseBinary(cursor, 0), place };
    } else if (cursor.take('IS')) {
      left = parseIs(cursor, left);
    } else if (cursor.is('BETWEEN') || cursor.is('IN') || cursor.is('LIKE') || cursor.is('NOT', 'BETWEEN') || cursor.is('NOT', 'IN') || cursor.is('NOT', 'LIKE')) {
      left = parseWordComparison(cursor, left);
    } else {
      return left;
    }
  }
}

function parseIs(cursor: Cursor, operand: Expr): Expr {
  const { place } = operand;
  const not = cursor.take('NOT');
  if (cursor.take('NULL')) return { kind: 'is', what: 'NULL', operand, not, place };
  if (cursor.take('TRUE')) return { kind: 'is', what: 'TRUE', operand, not, place };
  if (cursor.take('FALSE')) return { kind: 'is', what: 'FALSE', operand, not, place };
  cursor.expect('DISTINCT', 'FROM');
  return { kind: 'is', what: 'DISTINCT', operand, not, other: parseBinary(cursor, 0), place };
}

function parseWordComparison(cursor: Cursor, operand: Expr): Expr {
  const { place } = operand;
  const not = cursor.take('NOT');
  if (cursor.take('BETWEEN')) {
    const low = parseBinary(cursor, 0);
    cursor.expect('AND');
    return { kind: 'between', operand, low, high: parseBinary(cursor, 0), not, place };
  }
  if (cursor.take('LIKE')) {
    const quantifier = cursor.take('ANY') || cursor.take('SOME') ? 'ANY' : cursor.take('ALL') ? 'ALL' : undefined;
    if (!quantifier) return { kind: 'like', operand, patterns: [parseBinary(cursor, 0)], not, place };
    cursor.expect('(');
    const patterns = cursor.commaSeparated(() => parseExpr(cursor));
    cursor.expect(')');
    return { kind: 'like', operand, patterns, quantifier, not, place };
  }
  cursor.expect('IN');
  if (cursor.take('UNNEST')) {
    cursor.expect('(');
    const unnest = parseExpr(cursor);
    cursor.expect(')');
    return { kind: 'in', operand, unnest, not, place };
  }
  cursor.expect('(');
  if (isQueryAhead(cursor)) {
    const query = parseQuery(cursor);
    cursor.expect(')');
    return { kind: 'in', operand, query, not, place };
  }
  const list = cursor.commaSeparated(() => parseExpr(cursor));
  cursor.expect(')');
  return { kind: 'in', operand, list, not, place };
}

/** From loosest to tightest. */
const LEVELS = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/', '||']];

function parseBinary(cursor: Cursor, level: number): Expr {
  const operators = LEVELS[level];
  if (!operators) return parseUnary(cursor);
  let left = parseBinary(cursor, level + 1);
  while (cursor.peek().kind === 'symbol' && operators.includes(cursor.peek().text)) {
    const { text } = cursor.next();
    left = { kind: 'binary', op: text, left, right: parseBinary(cursor, level + 1), place: left.place };
  }
  return left;
}

function parseUnary(cursor: Cursor): Expr {
  const { place } = cursor;
  for (const op of ['-', '+', '~'] as const) {
    if (!cursor.take(op)) continue;
    const operand = parseUnary(cursor);
    if (op === '-' && operand.kind === 'literal' && (operand.type === 'INT64' || operand.type === 'FLOAT64') && !operand.value.startsWith('-')) {
      return { ...operand, value: `-${operand.value}`, place };
    }
    return { kind: 'unary', op, operand, place };
  }
  return parsePostfix(cursor);
}

function parsePostfix(cursor: Cursor): Expr {
  let base = parsePrimary(cursor);
  while (true) {
    const { place } = cursor;
    if (cursor.take('[')) base = parseIndex(cursor, base);
    else if (cursor.take('.')) {
      if (cursor.is('*')) {
        cursor.reset(cursor.mark() - 1);
        return base;
      }
      base = { kind: 'field', base, name: cursor.anyName(), place };
    } else return base;
  }
}

function parseIndex(cursor: Cursor, base: Expr): Expr {
  const { place } = cursor;
  for (const mode of ['OFFSET', 'SAFE_OFFSET', 'ORDINAL', 'SAFE_ORDINAL'] as const) {
    if (!cursor.take(mode, '(')) continue;
    const index = parseExpr(cursor);
    cursor.expect(')', ']');
    return { kind: 'index', base, index, mode, place };
  }
  const index = parseExpr(cursor);
  cursor.expect(']');
  return { kind: 'index', base, index, mode: 'KEY', place };
}

const TYPED_LITERALS: Record<string, ScalarKind> = {
  DATE: 'DATE', TIMESTAMP: 'TIMESTAMP', DATETIME: 'DATETIME', TIME: 'TIME', NUMERIC: 'NUMERIC', DECIMAL: 'NUMERIC',
  BIGNUMERIC: 'NUMERIC', BIGDECIMAL: 'NUMERIC', JSON: 'JSON',
};

function parsePrimary(cursor: Cursor): Expr {
  const token = cursor.peek();
  const { place } = token;
  if (token.kind === 'string') {
    let value = '';
    while (cursor.peek().kind === 'string') value += cursor.next().value;
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
    case 'WITH': if (cursor.is('WITH', '(')) throw notSupported('The WITH expression', place); break;
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

/** After an opening parenthesis: SELECT or WITH behind any number of further ones. */
export function isQueryAhead(cursor: Cursor, from = 0): boolean {
  let ahead = from;
  while (cursor.peek(ahead).kind === 'symbol' && cursor.peek(ahead).text === '(') ahead += 1;
  const { kind, upper } = cursor.peek(ahead);
  if (kind !== 'word' || (upper !== 'SELECT' && upper !== 'WITH' && upper !== 'FROM')) return false;
  return ahead === from || parenthesesHoldQuery(cursor, from);
}

/** `((SELECT 1) + 2)` starts like a query but is an expression: what follows the inner closing parenthesis decides. */
function parenthesesHoldQuery(cursor: Cursor, from: number): boolean {
  let depth = 0;
  for (let ahead = from; ; ahead += 1) {
    const token = cursor.peek(ahead);
    if (token.kind === 'end') return false;
    if (token.kind !== 'symbol') continue;
    if (token.text === '(') depth += 1;
    if (token.text === ')' && --depth === 0) {
      const after = cursor.peek(ahead + 1);
      return after.text === ')' || ['UNION', 'INTERSECT', 'EXCEPT', 'ORDER', 'LIMIT'].includes(after.upper);
    }
  }
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

export function parseOrderItems(cursor: Cursor): OrderItem[] {
  return cursor.commaSeparated(() => {
    const expr = parseExpr(cursor);
    if (cursor.is('COLLATE')) throw notSupported('COLLATE', cursor.place);
    const descending = cursor.take('DESC');
    if (!descending) cursor.take('ASC');
    const nulls = cursor.take('NULLS', 'FIRST') ? 'FIRST' : cursor.take('NULLS', 'LAST') ? 'LAST' : undefined;
    return { expr, descending, ...(nulls && { nulls }) };
  });
}

