// Tokens in, query trees out: WITH, set operations, SELECT and its clauses; called by the statement parser and for subqueries.
import { invalidQuery, notSupported } from './google-sql-error.ts';
import type { Cursor } from './cursor.ts';
import { parseWindowSpec } from './parse-call.ts';
import { isQueryAhead, parseExpr, parseOrderItems } from './parse-expression.ts';
import { parseFrom } from './parse-from.ts';
import { parsePipedFrom, parsePipesBehind } from './parse-pipe.ts';
import type { Expr, GroupBy, GroupingSet, Name, Query, Select, SelectItem, SetExpr, SetOperation } from './tree.ts';

const ITEM_STOPS = new Set<string>([]);

export function parseQuery(cursor: Cursor): Query {
  const { place } = cursor;
  const query: Query = { place, recursive: false, withs: [], body: { kind: 'query', query: undefined as never }, orderBy: [] };
  if (cursor.take('WITH')) {
    query.recursive = cursor.take('RECURSIVE');
    query.withs = parseWiths(cursor);
  }
  if (cursor.is('FROM')) {
    query.body = { kind: 'query', query: parsePipedFrom(cursor) };
    return query;
  }
  query.body = parseSetExpr(cursor);
  if (cursor.take('ORDER', 'BY')) query.orderBy = parseOrderItems(cursor);
  if (cursor.take('LIMIT')) {
    query.limit = parseExpr(cursor);
    if (cursor.take('OFFSET')) query.offset = parseExpr(cursor);
  }
  return parsePipesBehind(cursor, query);
}

function parseWiths(cursor: Cursor): Query['withs'] {
  const withs: Query['withs'] = [];
  do {
    if (withs.length > 0 && cursor.is('SELECT')) break;
    const name = cursor.name();
    cursor.expect('AS', '(');
    withs.push({ name, query: parseQuery(cursor) });
    cursor.expect(')');
  } while (cursor.take(','));
  return withs;
}

function parseSetExpr(cursor: Cursor): SetExpr {
  let left = parseSetOperand(cursor);
  for (let mode = takeOuterMode(cursor); isSetOperator(cursor); mode = takeOuterMode(cursor)) {
    const { place } = cursor;
    const head = parseSetHead(cursor, mode);
    if (left.kind === 'set' && (left.op !== head.op || left.all !== head.all)) throw invalidQuery('Syntax error: Different set operations cannot be used in the same query without using parentheses for grouping', place);
    left = { ...head, left, right: parseSetOperand(cursor) };
  }
  return left;
}

function parseSetHead(cursor: Cursor, mode: OuterMode | undefined): Omit<SetOperation, 'left' | 'right'> {
  const { place, upper } = cursor.next();
  const all = cursor.take('ALL');
  if (!all) cursor.expect('DISTINCT');
  const match = parseColumnMatch(cursor, mode);
  return { kind: 'set', op: upper as SetOperation['op'], all, place, ...(match && { match }) };
}

/** The pipe operators UNION, INTERSECT and EXCEPT, which take one or more queries in parentheses. */
export function parseSetTail(cursor: Cursor, first: SetExpr): SetExpr | undefined {
  const mode = takeOuterMode(cursor);
  if (!isSetOperator(cursor)) return undefined;
  const head = parseSetHead(cursor, mode);
  const others = cursor.commaSeparated(() => parseSetOperand(cursor));
  return others.reduce<SetExpr>((left, right) => ({ ...head, left, right }), first);
}

const isSetOperator = (cursor: Cursor): boolean => cursor.is('UNION') || cursor.is('INTERSECT') || cursor.is('EXCEPT');

type OuterMode = 'FULL' | 'LEFT' | 'INNER';

/** FULL, LEFT or INNER before a set operator that matches columns by name. */
function takeOuterMode(cursor: Cursor): OuterMode | undefined {
  for (const mode of ['FULL', 'LEFT', 'INNER'] as const) {
    for (const words of [[mode], [mode, 'OUTER']]) {
      if (!['UNION', 'INTERSECT', 'EXCEPT'].some((op) => cursor.is(...words, op))) continue;
      cursor.expect(...words);
      return mode;
    }
  }
  return undefined;
}

/** BY NAME wants the same columns on both sides unless a mode says otherwise; CORRESPONDING takes those that both have. */
function parseColumnMatch(cursor: Cursor, mode: OuterMode | undefined): SetOperation['match'] | undefined {
  const strict = cursor.take('STRICT');
  const byName = cursor.take('BY', 'NAME');
  if (!byName && !cursor.take('CORRESPONDING')) {
    if (mode || strict) throw cursor.unexpected('BY');
    return undefined;
  }
  const columns = cursor.take(byName ? 'ON' : 'BY') ? parseNames(cursor) : undefined;
  return { mode: mode ?? (byName || strict ? 'STRICT' : 'INNER'), ...(columns && { columns }) };
}

function parseNames(cursor: Cursor): Name[] {
  cursor.expect('(');
  const names = cursor.commaSeparated(() => cursor.anyName());
  cursor.expect(')');
  return names;
}

function parseSetOperand(cursor: Cursor): SetExpr {
  if (cursor.take('(')) {
    const query = parseQuery(cursor);
    cursor.expect(')');
    return { kind: 'query', query };
  }
  return parseSelect(cursor);
}

function parseSelect(cursor: Cursor): Select {
  const { place } = cursor;
  cursor.expect('SELECT');
  if (cursor.is('WITH', 'DIFFERENTIAL_PRIVACY')) throw notSupported('Differential privacy', place);
  const distinct = cursor.take('DISTINCT');
  if (!distinct) cursor.take('ALL');
  const select: Select = { kind: 'select', place, distinct, items: [], windows: [] };
  if (cursor.take('AS', 'STRUCT')) select.as = 'STRUCT';
  else if (cursor.take('AS', 'VALUE')) select.as = 'VALUE';
  select.items = parseItems(cursor);
  if (cursor.take('FROM')) select.from = parseFrom(cursor);
  if (cursor.take('WHERE')) select.where = parseExpr(cursor);
  if (cursor.take('GROUP', 'BY')) select.groupBy = parseGroupBy(cursor);
  if (cursor.take('HAVING')) select.having = parseExpr(cursor);
  if (cursor.take('QUALIFY')) select.qualify = parseExpr(cursor);
  if (cursor.take('WINDOW')) {
    select.windows = cursor.commaSeparated(() => {
      const name = cursor.name().text;
      cursor.expect('AS');
      if (!cursor.take('(')) return { name, spec: { base: cursor.name().text, partitionBy: [], orderBy: [] } };
      const spec = parseWindowSpec(cursor);
      cursor.expect(')');
      return { name, spec };
    });
  }
  return select;
}

export function parseItems(cursor: Cursor, countMax = Infinity): SelectItem[] {
  const items: SelectItem[] = [];
  do {
    // A trailing comma before FROM is allowed.
    if (items.length > 0 && (cursor.is('FROM') || cursor.is(')') || cursor.is('|>') || cursor.is('GROUP') || cursor.atEnd)) break;
    items.push(parseItem(cursor));
  } while (items.length < countMax && cursor.take(','));
  return items;
}

/** The pipe operator SELECT: a list over what came before it. */
export function parseSelectTail(cursor: Cursor, over: { from: Select['from'] & object; where?: Expr }): Query {
  const select = parseSelect(cursor);
  return { place: select.place, recursive: false, withs: [], orderBy: [], body: { ...select, ...over } };
}

function parseItem(cursor: Cursor): SelectItem {
  const { place } = cursor;
  if (cursor.take('*')) return parseStarTail(cursor, place, undefined);
  const expr = parseExpr(cursor);
  if (cursor.take('.', '*')) return parseStarTail(cursor, place, expr);
  const alias = cursor.alias(ITEM_STOPS);
  return { kind: 'expr', expr, ...(alias && { alias }) };
}

function parseStarTail(cursor: Cursor, place: Select['place'], base: Expr | undefined): SelectItem {
  const item: SelectItem = { kind: 'star', place, except: [], replace: [], ...(base && { base }) };
  if (cursor.is('EXCEPT', '(') && !isSetOperationAhead(cursor)) {
    cursor.expect('EXCEPT', '(');
    item.except = cursor.commaSeparated(() => cursor.anyName());
    cursor.expect(')');
  }
  if (cursor.take('REPLACE', '(')) {
    item.replace = cursor.commaSeparated(() => {
      const expr = parseExpr(cursor);
      cursor.expect('AS');
      return { expr, name: cursor.anyName() };
    });
    cursor.expect(')');
  }
  return item;
}

function isSetOperationAhead(cursor: Cursor): boolean {
  const mark = cursor.mark();
  cursor.expect('EXCEPT', '(');
  const isQuery = isQueryAhead(cursor);
  cursor.reset(mark);
  return isQuery;
}

function parseGroupBy(cursor: Cursor): GroupBy {
  if (cursor.take('ALL')) return { kind: 'all' };
  const sets = cursor.commaSeparated(() => parseGroupingSet(cursor));
  if (sets.some(({ kind }) => kind !== 'plain')) return { kind: 'sets', sets };
  return { kind: 'items', items: sets.flatMap((set) => (set.kind === 'nested' ? [] : set.items.flat())) };
}

function parseGroupingSet(cursor: Cursor): GroupingSet {
  if (cursor.take('GROUPING', 'SETS')) {
    cursor.expect('(');
    const sets = cursor.commaSeparated(() => parseGroupingSet(cursor));
    cursor.expect(')');
    return { kind: 'nested', sets };
  }
  const kind = cursor.take('ROLLUP') ? 'rollup' as const : cursor.take('CUBE') ? 'cube' as const : undefined;
  if (!kind) return { kind: 'plain', items: [parseGroupingItem(cursor)] };
  cursor.expect('(');
  const items = cursor.commaSeparated(() => parseGroupingItem(cursor));
  cursor.expect(')');
  return { kind, items };
}

/** `(a, b)` is one item of two keys, `()` one of none. */
function parseGroupingItem(cursor: Cursor): Expr[] {
  if (cursor.take('(', ')')) return [];
  const expr = parseExpr(cursor);
  return expr.kind === 'struct' && expr.isTuple ? expr.items.map((item) => item.expr) : [expr];
}
