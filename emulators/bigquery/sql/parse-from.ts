// Tokens in, the tree of a FROM clause out: tables in every way of writing their names, UNNEST, joins, PIVOT; called by the query parser.
import { invalidQuery, notSupported } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import type { Cursor } from './cursor.ts';
import { isQueryAhead, parseExpr, parseOperandExpr } from './parse-expression.ts';
import { parseQuery } from './parse-query.ts';
import type { Expr, FromItem, JoinType, Name } from './tree.ts';

/** Words that go on with the clause and so cannot be an alias without AS. */
const STOPS = new Set(['PIVOT', 'UNPIVOT', 'WINDOW', 'OFFSET', 'MATCH_RECOGNIZE']);

/** Commas and JOINs bind alike, from left to right: `a, b JOIN c` joins c to both. */
export function parseFrom(cursor: Cursor): FromItem {
  let left = parseOperand(cursor);
  for (let next = parseJoin(cursor, left, true); next; next = parseJoin(cursor, left, true)) left = next;
  return left;
}

/** The pipe operator JOIN in all its kinds. */
export function parseJoinTail(cursor: Cursor, left: FromItem): FromItem | undefined {
  return parseJoin(cursor, left, false);
}

function parseJoin(cursor: Cursor, left: FromItem, takesComma: boolean): FromItem | undefined {
  const { place } = cursor;
  const type = takesComma && cursor.take(',') ? 'CROSS' : takeJoin(cursor);
  if (!type) return undefined;
  const right = parseOperand(cursor);
  return { kind: 'join', type, left, right, place, ...(type !== 'CROSS' && parseJoinCondition(cursor, type, right, place)) };
}

function parseJoinCondition(cursor: Cursor, type: JoinType, right: FromItem, place: Place): { on?: Expr; using?: Name[] } {
  if (cursor.take('ON')) return { on: parseExpr(cursor) };
  if (cursor.take('USING')) {
    cursor.expect('(');
    const using = cursor.commaSeparated(() => cursor.anyName());
    cursor.expect(')');
    return { using };
  }
  if (right.kind !== 'unnest' && right.kind !== 'table') throw invalidQuery(`Syntax error: ${type} JOIN must have an immediately following ON or USING clause`, place);
  return {};
}

function takeJoin(cursor: Cursor): JoinType | undefined {
  if (cursor.take('CROSS', 'JOIN')) return 'CROSS';
  if (cursor.take('JOIN') || cursor.take('INNER', 'JOIN')) return 'INNER';
  for (const type of ['LEFT', 'RIGHT', 'FULL'] as const) {
    if (cursor.take(type, 'JOIN') || cursor.take(type, 'OUTER', 'JOIN')) return type;
  }
  if (cursor.is('NATURAL')) throw invalidQuery('Natural join not supported', cursor.place);
  return undefined;
}

function parseOperand(cursor: Cursor): FromItem {
  return parseFromTail(cursor, parsePlainOperand(cursor));
}

/** What may follow an item of a FROM clause, and stand as a pipe operator, too. */
export function parseFromTail(cursor: Cursor, start: FromItem): FromItem {
  let item = start;
  while (true) {
    if (cursor.take('TABLESAMPLE')) item = parseSample(cursor, item);
    if (cursor.is('MATCH_RECOGNIZE', '(')) throw notSupported('MATCH_RECOGNIZE', cursor.place);
    if (cursor.is('PIVOT', '(')) item = parsePivot(cursor, item);
    else if (cursor.is('UNPIVOT')) item = parseUnpivot(cursor, item);
    else return item;
  }
}

function parsePlainOperand(cursor: Cursor): FromItem {
  const { place } = cursor;
  if (cursor.take('UNNEST')) {
    cursor.expect('(');
    const expr = parseExpr(cursor);
    if (cursor.is(',')) throw notSupported('UNNEST of more than one array', cursor.place);
    cursor.expect(')');
    return withOffset(cursor, { kind: 'unnest', expr, place });
  }
  if (cursor.is('LATERAL')) throw notSupported('LATERAL', place);
  if (cursor.is('(')) {
    if (isQueryAhead(cursor, 1)) {
      cursor.expect('(');
      const query = parseQuery(cursor);
      cursor.expect(')');
      const alias = cursor.alias(STOPS);
      return { kind: 'subquery', query, place, ...(alias && { alias }) };
    }
    cursor.expect('(');
    const inner = parseFrom(cursor);
    cursor.expect(')');
    return inner;
  }
  const path = parseTablePath(cursor);
  if (cursor.take('(')) {
    const args: Expr[] = cursor.is(')') ? [] : cursor.commaSeparated(() => parseExpr(cursor));
    cursor.expect(')');
    const alias = cursor.alias(STOPS);
    return { kind: 'tableFunction', path, args, place, ...(alias && { alias }) };
  }
  return withOffset(cursor, { kind: 'table', path, place });
}

function withOffset(cursor: Cursor, item: Extract<FromItem, { kind: 'table' | 'unnest' }>): FromItem {
  if (item.kind === 'table') takeTime(cursor, item);
  const alias = cursor.alias(STOPS);
  if (alias) item.alias = alias;
  if (item.kind === 'table') takeTime(cursor, item);
  if (cursor.is('WITH', 'OFFSET')) {
    const { place } = cursor.next();
    cursor.next();
    item.offset = cursor.alias(STOPS) ?? { text: 'offset', place };
  }
  return item;
}

/** BigQuery reads some blocks of a large table; a table of one block, as every local one is, is read whole. */
function parseSample(cursor: Cursor, item: FromItem): FromItem {
  cursor.expect('SYSTEM', '(');
  parseExpr(cursor);
  cursor.expect('PERCENT', ')');
  return item;
}

function takeTime(cursor: Cursor, item: Extract<FromItem, { kind: 'table' }>): void {
  if (cursor.take('FOR', 'SYSTEM_TIME', 'AS', 'OF') || cursor.take('FOR', 'SYSTEM', 'TIME', 'AS', 'OF')) item.asOf = parseExpr(cursor);
}

const DASHED = /[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)+(?=\s*\.)/y;

/** `a.b.c` in back quotes as a whole or in parts, or bare, where the project may have dashes. */
export function parseTablePath(cursor: Cursor): Name[] {
  const parts: Name[] = [];
  let isMore = true;
  while (isMore) {
    const token = cursor.peek();
    DASHED.lastIndex = token.start;
    const dashed = parts.length === 0 && token.kind === 'word' ? DASHED.exec(cursor.source) : null;
    if (dashed) {
      cursor.jumpTo(token.start + dashed[0].length);
      parts.push({ text: dashed[0], place: token.place });
      // In `p-1.d` the tokenizer took "1." for a number, and the dot with it.
      isMore = cursor.take('.') || cursor.peek().start > token.start + dashed[0].length;
      continue;
    }
    const name = parts.length === 0 ? cursor.name() : cursor.anyName();
    if (token.kind === 'quoted' && name.text.includes('.')) parts.push(...name.text.split('.').map((text) => ({ text, place: name.place, isTable: true as const })));
    else parts.push(name);
    isMore = cursor.take('.');
  }
  return parts;
}

function parsePivot(cursor: Cursor, source: FromItem): FromItem {
  const { place } = cursor;
  cursor.expect('PIVOT', '(');
  const aggregates = cursor.commaSeparated(() => {
    const call = parseExpr(cursor);
    const alias = cursor.alias(new Set(['FOR']))?.text;
    return { call, ...(alias !== undefined && { alias }) };
  });
  cursor.expect('FOR');
  // The input ends where IN begins, so a whole comparison must not be read here.
  const input = parseOperandExpr(cursor);
  cursor.expect('IN', '(');
  if (isQueryAhead(cursor)) throw notSupported('PIVOT with a subquery in IN', cursor.place);
  const values = cursor.commaSeparated(() => {
    const expr = parseExpr(cursor);
    const alias = cursor.alias(new Set())?.text;
    return { expr, ...(alias !== undefined && { alias }) };
  });
  cursor.expect(')', ')');
  const alias = cursor.alias(STOPS);
  return { kind: 'pivot', source, aggregates, input, values, place, ...(alias && { alias }) };
}

function parseOneOrMore(cursor: Cursor): Name[] {
  if (!cursor.take('(')) return [cursor.name()];
  const names = cursor.commaSeparated(() => cursor.name());
  cursor.expect(')');
  return names;
}

function parseUnpivot(cursor: Cursor, source: FromItem): FromItem {
  const { place } = cursor;
  cursor.expect('UNPIVOT');
  const includeNulls = cursor.take('INCLUDE', 'NULLS');
  if (!includeNulls) cursor.take('EXCLUDE', 'NULLS');
  cursor.expect('(');
  const values = parseOneOrMore(cursor);
  cursor.expect('FOR');
  const label = cursor.name();
  cursor.expect('IN', '(');
  const columns = cursor.commaSeparated(() => {
    const names = parseOneOrMore(cursor);
    const hasLabel = cursor.take('AS') || cursor.peek().kind === 'string' || cursor.peek().kind === 'integer';
    return { names, ...(hasLabel && { label: parseExpr(cursor) }) };
  });
  cursor.expect(')', ')');
  const alias = cursor.alias(STOPS);
  return { kind: 'unpivot', source, values, label, columns, includeNulls, place, ...(alias && { alias }) };
}
