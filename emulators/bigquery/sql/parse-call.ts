// Tokens in, one function call out, with its modifiers (DISTINCT, IGNORE NULLS, ORDER BY, LIMIT, OVER); called by the expression parser.
import { invalidQuery, notSupported } from './google-sql-error.ts';
import type { Cursor } from './cursor.ts';
import { isQueryAhead, parseExpr, parseOrderItems } from './parse-expression.ts';
import { parseQuery } from './parse-query.ts';
import type { CallExpr, Expr, FrameBound, Name, WindowFrame, WindowSpec } from './tree.ts';

/** A reserved word that is also a function: IF, LEFT, RIGHT … */
const CALLABLE_KEYWORDS = new Set(['IF', 'LEFT', 'RIGHT', 'GROUPING', 'ANY', 'CONTAINS']);

/** Whether a dotted name followed by an opening parenthesis comes next. */
export function isCallAhead(cursor: Cursor): boolean {
  if (!cursor.isName() && !CALLABLE_KEYWORDS.has(cursor.peek().upper)) return false;
  let ahead = 1;
  while (cursor.peek(ahead).text === '.' && cursor.peek(ahead).kind === 'symbol') {
    const { kind } = cursor.peek(ahead + 1);
    if (kind !== 'word' && kind !== 'quoted') return false;
    ahead += 2;
  }
  const { kind, text } = cursor.peek(ahead);
  return kind === 'symbol' && text === '(';
}

export function parseCall(cursor: Cursor): Expr {
  const { place } = cursor;
  const written: Name[] = [cursor.anyName()];
  while (cursor.take('.')) written.push(cursor.anyName());
  const safe = written.length > 1 && written[0]?.text.toUpperCase() === 'SAFE';
  const path = safe ? written.slice(1) : written;
  const call: CallExpr = {
    kind: 'call', place, name: path.map(({ text }) => text.toUpperCase()), written: path, safe,
    args: [], namedArgs: [], star: false, distinct: false, orderBy: [],
  };
  cursor.expect('(');
  parseArguments(cursor, call);
  cursor.expect(')');
  if (cursor.is('WITHIN', 'GROUP')) throw notSupported('WITHIN GROUP', cursor.place);
  if (cursor.take('OVER')) call.over = cursor.is('(') ? parseWindowParentheses(cursor) : { base: cursor.name().text, partitionBy: [], orderBy: [] };
  return call;
}

function parseArguments(cursor: Cursor, call: CallExpr): void {
  call.distinct = cursor.take('DISTINCT');
  if (cursor.is('*') && call.name.join('.') !== 'COUNT') throw invalidQuery('Argument * can only be used in COUNT(*)', cursor.place);
  call.star = cursor.take('*');
  if (!call.star && !cursor.is(')') && !cursor.is('ORDER', 'BY') && !cursor.is('LIMIT')) cursor.commaSeparated(() => parseArgument(cursor, call));
  if (cursor.take('IGNORE', 'NULLS')) call.nulls = 'IGNORE';
  else if (cursor.take('RESPECT', 'NULLS')) call.nulls = 'RESPECT';
  if (cursor.is('HAVING')) {
    const { place } = cursor.next();
    const max = cursor.take('MAX');
    if (!max) cursor.expect('MIN');
    call.having = { place, max, expr: parseExpr(cursor) };
  }
  if (cursor.take('ORDER', 'BY')) call.orderBy = parseOrderItems(cursor);
  if (cursor.take('LIMIT')) call.limit = parseExpr(cursor);
}

function parseArgument(cursor: Cursor, call: CallExpr): void {
  if (cursor.peek(1).text === '=>' && cursor.peek(1).kind === 'symbol') {
    const name = cursor.anyName().text.toLowerCase();
    cursor.expect('=>');
    call.namedArgs.push({ name, value: parseExpr(cursor) });
    return;
  }
  if (cursor.is('TABLE') && cursor.isName(1)) throw notSupported('A TABLE argument', cursor.place);
  if (cursor.peek(1).text === '->' && cursor.peek(1).kind === 'symbol') throw notSupported('A lambda expression', cursor.place);
  if (isQueryAhead(cursor) && !cursor.is('(')) {
    const { place } = cursor;
    call.args.push({ kind: 'scalarQuery', query: parseQuery(cursor), place });
    return;
  }
  const expr = parseExpr(cursor);
  // `f(x AS y)` names a field of a STRUCT-like call; only STRUCT itself has it.
  call.args.push(expr);
}

function parseWindowParentheses(cursor: Cursor): WindowSpec {
  cursor.expect('(');
  const spec = parseWindowSpec(cursor);
  cursor.expect(')');
  return spec;
}

export function parseWindowSpec(cursor: Cursor): WindowSpec {
  const spec: WindowSpec = { partitionBy: [], orderBy: [] };
  if (cursor.isName() && !cursor.is('PARTITION')) spec.base = cursor.name().text;
  if (cursor.take('PARTITION', 'BY')) spec.partitionBy = cursor.commaSeparated(() => parseExpr(cursor));
  if (cursor.take('ORDER', 'BY')) spec.orderBy = parseOrderItems(cursor);
  const unit = cursor.take('ROWS') ? 'ROWS' : cursor.take('RANGE') ? 'RANGE' : undefined;
  if (unit) spec.frame = parseFrame(cursor, unit);
  return spec;
}

function parseFrame(cursor: Cursor, unit: 'ROWS' | 'RANGE'): WindowFrame {
  if (!cursor.take('BETWEEN')) return { unit, start: parseBound(cursor) };
  const start = parseBound(cursor);
  cursor.expect('AND');
  return { unit, start, end: parseBound(cursor) };
}

function parseBound(cursor: Cursor): FrameBound {
  if (cursor.take('CURRENT', 'ROW')) return { kind: 'CURRENT ROW' };
  if (cursor.take('UNBOUNDED', 'PRECEDING')) return { kind: 'UNBOUNDED PRECEDING' };
  if (cursor.take('UNBOUNDED', 'FOLLOWING')) return { kind: 'UNBOUNDED FOLLOWING' };
  const expr = parseExpr(cursor);
  if (cursor.take('PRECEDING')) return { kind: 'PRECEDING', expr };
  cursor.expect('FOLLOWING');
  return { kind: 'FOLLOWING', expr };
}
