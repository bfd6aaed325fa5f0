// Tokens in, expression trees out: GoogleSQL's operators by precedence; called by the query and statement parsers.
import { notSupported } from './google-sql-error.ts';
import type { Cursor } from './cursor.ts';
import { parsePrimary } from './parse-primary.ts';
import { parseQuery } from './parse-query.ts';
import type { Expr, OrderItem } from './tree.ts';

export function parseExpr(cursor: Cursor): Expr {
  return parseOr(cursor);
}

/** Everything that binds tighter than comparisons. */
export function parseOperandExpr(cursor: Cursor): Expr {
  return parseBinary(cursor, 0);
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
  const { place } = cursor;
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

