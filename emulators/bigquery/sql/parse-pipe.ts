// Pipe syntax (`FROM t |> WHERE … |> AGGREGATE …`) in, the query tree that means the same out; called by the query parser.
import { invalidQuery, notSupported } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import type { Cursor } from './cursor.ts';
import { parseExpr, parseOrderItems } from './parse-expression.ts';
import { parseFrom, parseFromTail, parseJoinTail } from './parse-from.ts';
import { parseItems, parseSelectTail, parseSetTail } from './parse-query.ts';
import type { Expr, FromItem, Name, OrderItem, Query, Select, SelectItem } from './tree.ts';

/** What the operators read so far: a FROM clause and the filters over it. Anything more is wrapped as a subquery. */
type Pipeline = { from: FromItem; where?: Expr };

export function parsePipedFrom(cursor: Cursor): Query {
  cursor.expect('FROM');
  return parsePipes(cursor, { from: parseFrom(cursor) });
}

/** The operators behind a query that is written as usual. */
export function parsePipesBehind(cursor: Cursor, query: Query): Query {
  return cursor.is('|>') ? parsePipes(cursor, { from: { kind: 'subquery', query, place: query.place } }) : query;
}

function parsePipes(cursor: Cursor, start: Pipeline): Query {
  let state = start;
  while (cursor.take('|>')) state = parseOperator(cursor, state);
  return state.where || state.from.kind !== 'subquery' || state.from.alias ? queryOf(state, [star(cursor.place)]) : state.from.query;
}

const star = (place: Place, more: Partial<Extract<SelectItem, { kind: 'star' }>> = {}): SelectItem => ({ kind: 'star', place, except: [], replace: [], ...more });

function queryOf({ from, where }: Pipeline, items: SelectItem[], more: Partial<Select> = {}, tail: Partial<Query> = {}): Query {
  const { place } = from;
  return { place, recursive: false, withs: [], orderBy: [], body: { kind: 'select', place, distinct: false, windows: [], items, from, ...(where && { where }), ...more }, ...tail };
}

/** A single table keeps its name, so that `t.x` can still be said behind an operator that computes something. */
function aliasOf({ from }: Pipeline): Name | undefined {
  if (from.kind === 'table') return from.alias ?? from.path.at(-1);
  return 'alias' in from ? from.alias : undefined;
}

function wrapped(query: Query, alias?: Name): Pipeline {
  return { from: { kind: 'subquery', query, place: query.place, ...(alias && { alias }) } };
}

const settled = (state: Pipeline): Pipeline => (state.where ? wrapped(queryOf(state, [star(state.from.place)]), aliasOf(state)) : state);

function parseOperator(cursor: Cursor, state: Pipeline): Pipeline {
  const { place, upper } = cursor.peek();
  const alias = aliasOf(state);
  const computed = (items: SelectItem[], more: Partial<Select> = {}): Pipeline => wrapped(queryOf(state, items, more), alias);
  const afterJoin = parseJoinTail(cursor, settled(state).from);
  if (afterJoin) return { from: afterJoin };
  const fromSet = parseSetTail(cursor, { kind: 'query', query: queryOf(state, [star(place)]) });
  if (fromSet) return wrapped({ place, recursive: false, withs: [], orderBy: [], body: fromSet });
  switch (upper) {
    case 'WHERE': {
      cursor.next();
      const condition = parseExpr(cursor);
      return { ...state, where: state.where ? { kind: 'binary', op: 'AND', left: state.where, right: condition, place } : condition };
    }
    case 'SELECT': return wrapped(parseSelectTail(cursor, { from: state.from, ...(state.where && { where: state.where }) }));
    case 'EXTEND': case 'WINDOW': cursor.next(); return computed([star(place), ...parseItems(cursor)]);
    case 'SET': cursor.next(); return computed([star(place, { replace: cursor.commaSeparated(() => parseSetItem(cursor)) })]);
    case 'DROP': cursor.next(); return computed([star(place, { except: cursor.commaSeparated(() => cursor.anyName()) })]);
    case 'RENAME': cursor.next(); return computed([star(place, { rename: cursor.commaSeparated(() => parseRename(cursor)) })]);
    case 'AS': cursor.next(); return wrapped(queryOf(state, [star(place)]), cursor.name());
    case 'DISTINCT': cursor.next(); return computed([star(place)], { distinct: true });
    case 'AGGREGATE': cursor.next(); return wrapped(parseAggregate(cursor, state, place));
    case 'ORDER': {
      cursor.expect('ORDER', 'BY');
      const orderBy = parseOrderItems(cursor);
      return wrapped(queryOf(state, [star(place)], {}, { orderBy, ...(cursor.take('|>', 'LIMIT') && parseLimit(cursor)) }), alias);
    }
    case 'LIMIT': cursor.next(); return wrapped(queryOf(state, [star(place)], {}, parseLimit(cursor)), alias);
    case 'PIVOT': case 'UNPIVOT': case 'TABLESAMPLE': return { from: parseFromTail(cursor, settled(state).from) };
  }
  if (['CALL', 'ASSERT', 'WITH', 'IF', 'LOG', 'FORK', 'TEE', 'MATCH_RECOGNIZE', 'STATIC_DESCRIBE', 'RECURSIVE', 'INSERT', 'CREATE', 'EXPORT'].includes(upper)) throw notSupported(`The pipe operator ${upper}`, place);
  throw cursor.unexpected();
}

function parseLimit(cursor: Cursor): Partial<Query> {
  const limit = parseExpr(cursor);
  return { limit, ...(cursor.take('OFFSET') && { offset: parseExpr(cursor) }) };
}

function parseSetItem(cursor: Cursor): { expr: Expr; name: Name } {
  const name = cursor.anyName();
  cursor.expect('=');
  return { name, expr: parseExpr(cursor) };
}

function parseRename(cursor: Cursor): { name: Name; to: Name } {
  const name = cursor.anyName();
  cursor.take('AS');
  return { name, to: cursor.anyName() };
}

/** `AGGREGATE COUNT(*) AS n GROUP AND ORDER BY a DESC`: the keys come first, then what is aggregated. */
function parseAggregate(cursor: Cursor, state: Pipeline, place: Place): Query {
  const items = cursor.is('GROUP') ? [] : parseItems(cursor);
  const keys: SelectItem[] = [];
  const orderBy: OrderItem[] = [];
  if (cursor.take('GROUP')) {
    const ordersAll = cursor.take('AND', 'ORDER');
    cursor.expect('BY');
    cursor.commaSeparated(() => {
      if (cursor.is('ROLLUP') || cursor.is('CUBE') || cursor.is('GROUPING', 'SETS')) throw notSupported(`${cursor.peek().upper} in a pipe`, cursor.place);
      const [key] = parseItems(cursor, 1);
      if (key?.kind !== 'expr') throw invalidQuery('GROUP BY in a pipe takes expressions', place);
      keys.push(key);
      const descending = cursor.take('DESC');
      const ordered = cursor.take('ASC') || descending || ordersAll;
      if (ordered) orderBy.push({ expr: ordinal(keys.length, place), descending });
    });
  }
  const grouped = keys.length > 0 ? { groupBy: { kind: 'items' as const, items: keys.map((_, index) => ordinal(index + 1, place)) } } : {};
  return queryOf(state, [...keys, ...items], grouped, { orderBy });
}

const ordinal = (position: number, place: Place): Expr => ({ kind: 'literal', type: 'INT64', value: String(position), place });

