// Tokens in, one query, DML or DDL statement out; called by the parser of scripts.
import { invalidQuery, notSupported } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import type { Cursor } from './cursor.ts';
import { parseCreate, parseAlter, parseDrop, parseExport } from './parse-ddl.ts';
import { isQueryAhead, parseExpr } from './parse-expression.ts';
import { parseFrom, parseTablePath } from './parse-from.ts';
import { parseQuery } from './parse-query.ts';
import type { Assignment, Expr, MergeClause, Name, Statement } from './tree.ts';

const ALIAS_STOPS = new Set(['SET', 'WHERE', 'USING', 'ON', 'WHEN', 'FROM']);

const UNSUPPORTED = ['CALL', 'LOAD', 'GRANT', 'REVOKE', 'UNDROP', 'EXPLAIN'];

/** One statement that is no step of a script by itself, without its semicolon. */
export function parsePlainStatement(cursor: Cursor): Statement {
  const { place, upper } = cursor.peek();
  if (upper === 'SELECT' || upper === 'WITH' || upper === 'FROM' || cursor.is('(')) return { kind: 'query', query: parseQuery(cursor), place };
  switch (upper) {
    case 'INSERT': return parseInsert(cursor, place);
    case 'UPDATE': return parseUpdate(cursor, place);
    case 'DELETE': return parseDelete(cursor, place);
    case 'MERGE': return parseMerge(cursor, place);
    case 'TRUNCATE': cursor.expect('TRUNCATE', 'TABLE'); return { kind: 'truncate', path: parseTablePath(cursor), place };
    case 'CREATE': return parseCreate(cursor, place);
    case 'ALTER': return parseAlter(cursor, place);
    case 'DROP': return parseDrop(cursor, place);
    case 'EXPORT': return parseExport(cursor, place);
    case 'ASSERT': {
      cursor.next();
      const condition = parseExpr(cursor);
      const message = cursor.take('AS') ? cursor.next().value : undefined;
      return { kind: 'assert', condition, place, ...(message !== undefined && { message }) };
    }
  }
  if (UNSUPPORTED.includes(upper)) throw notSupported(`The statement ${upper}`, place);
  throw cursor.unexpected();
}

function parseValue(cursor: Cursor): Expr | 'DEFAULT' {
  return cursor.take('DEFAULT') ? 'DEFAULT' : parseExpr(cursor);
}

function parseTuple(cursor: Cursor): (Expr | 'DEFAULT')[] {
  cursor.expect('(');
  const values = cursor.commaSeparated(() => parseValue(cursor));
  cursor.expect(')');
  return values;
}

function parseColumnList(cursor: Cursor): Name[] | undefined {
  if (!cursor.is('(') || isQueryAhead(cursor, 1)) return undefined;
  cursor.expect('(');
  const columns = cursor.commaSeparated(() => cursor.anyName());
  cursor.expect(')');
  return columns;
}

function parseInsert(cursor: Cursor, place: Place): Statement {
  cursor.expect('INSERT');
  cursor.take('INTO');
  const path = parseTablePath(cursor);
  const columns = parseColumnList(cursor);
  const target = { kind: 'insert' as const, path, place, ...(columns && { columns }) };
  if (cursor.take('VALUES')) return { ...target, rows: cursor.commaSeparated(() => parseTuple(cursor)) };
  return { ...target, query: parseQuery(cursor) };
}

function parseAssignments(cursor: Cursor): Assignment[] {
  return cursor.commaSeparated(() => {
    const path = [cursor.anyName()];
    while (cursor.take('.')) path.push(cursor.anyName());
    cursor.expect('=');
    return { path, value: parseValue(cursor) };
  });
}

function parseUpdate(cursor: Cursor, place: Place): Statement {
  cursor.expect('UPDATE');
  const path = parseTablePath(cursor);
  const alias = cursor.alias(ALIAS_STOPS);
  cursor.expect('SET');
  const sets = parseAssignments(cursor);
  const from = cursor.take('FROM') ? parseFrom(cursor) : undefined;
  if (!cursor.is('WHERE')) throw invalidQuery('UPDATE must have a WHERE clause', place);
  cursor.expect('WHERE');
  return { kind: 'update', path, sets, where: parseExpr(cursor), place, ...(alias && { alias }), ...(from && { from }) };
}

function parseDelete(cursor: Cursor, place: Place): Statement {
  cursor.expect('DELETE');
  cursor.take('FROM');
  const path = parseTablePath(cursor);
  const alias = cursor.alias(ALIAS_STOPS);
  if (!cursor.is('WHERE')) throw invalidQuery('DELETE must have a WHERE clause', place);
  cursor.expect('WHERE');
  return { kind: 'delete', path, where: parseExpr(cursor), place, ...(alias && { alias }) };
}

function parseMerge(cursor: Cursor, place: Place): Statement {
  cursor.expect('MERGE');
  cursor.take('INTO');
  const path = parseTablePath(cursor);
  const alias = cursor.alias(ALIAS_STOPS);
  cursor.expect('USING');
  const source = parseFrom(cursor);
  cursor.expect('ON');
  const on = parseExpr(cursor);
  const clauses: MergeClause[] = [];
  while (cursor.is('WHEN')) clauses.push(parseMergeClause(cursor));
  if (clauses.length === 0) throw cursor.unexpected('WHEN');
  return { kind: 'merge', path, source, on, clauses, place, ...(alias && { alias }) };
}

function parseMergeClause(cursor: Cursor): MergeClause {
  const { place } = cursor.next();
  const not = cursor.take('NOT');
  cursor.expect('MATCHED');
  const bySource = not && cursor.take('BY', 'SOURCE');
  if (not && !bySource) cursor.take('BY', 'TARGET');
  const and = cursor.take('AND') ? parseExpr(cursor) : undefined;
  cursor.expect('THEN');
  const clause = { when: bySource ? 'NOT MATCHED BY SOURCE' as const : not ? 'NOT MATCHED' as const : 'MATCHED' as const, place, ...(and && { and }) };
  if (cursor.take('DELETE')) return { ...clause, action: { kind: 'delete' } };
  if (cursor.take('UPDATE', 'SET')) return { ...clause, action: { kind: 'update', sets: parseAssignments(cursor) } };
  cursor.expect('INSERT');
  if (cursor.take('ROW')) return { ...clause, action: { kind: 'insertRow' } };
  const columns = parseColumnList(cursor);
  cursor.expect('VALUES');
  return { ...clause, action: { kind: 'insert', values: parseTuple(cursor), ...(columns && { columns }) } };
}
