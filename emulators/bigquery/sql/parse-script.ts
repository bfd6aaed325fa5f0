// The text of a script in, its statements out, with the procedural ones (DECLARE, SET, IF, loops, blocks, EXECUTE IMMEDIATE); called by translate.
import { Cursor } from './cursor.ts';
import { invalidQuery, notSupported } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import { parseExpr } from './parse-expression.ts';
import { parseQuery } from './parse-query.ts';
import { parsePlainStatement } from './parse-statement.ts';
import { parseType } from './parse-type.ts';
import type { Expr, Statement } from './tree.ts';

/** Everything is parsed before anything runs: a syntax error at the end of a script stops all of it, as in BigQuery. */
export function parseScript(sql: string): Statement[] {
  const cursor = new Cursor(sql);
  const statements: Statement[] = [];
  while (cursor.take(';'));
  while (!cursor.atEnd) {
    statements.push(parseOne(cursor));
    if (cursor.atEnd) break;
    if (!cursor.is(';')) throw cursor.is(')') ? cursor.unexpected() : cursor.unexpected('end of input');
    while (cursor.take(';'));
  }
  if (statements.length === 0) throw invalidQuery('Syntax error: Unexpected end of statement', { line: 1, column: 1 });
  checkDeclarations(statements);
  return statements;
}

function checkDeclarations(body: Statement[]): void {
  const first = body.findIndex(({ kind }) => kind !== 'declare');
  const late = first < 0 ? undefined : body.slice(first).find(({ kind }) => kind === 'declare');
  if (late) throw invalidQuery('Variable declarations are allowed only at the start of a block or script', late.place);
}

function parseOne(cursor: Cursor): Statement {
  const { start } = cursor.peek();
  const statement = parseProcedural(cursor) ?? parsePlainStatement(cursor);
  return { ...statement, text: cursor.textFrom(start) };
}

function parseProcedural(cursor: Cursor): Statement | undefined {
  const { place, upper } = cursor.peek();
  if (cursor.isName() && cursor.peek(1).text === ':' && cursor.peek(1).kind === 'symbol') return parseLabelled(cursor);
  switch (upper) {
    case 'DECLARE': return parseDeclare(cursor, place);
    case 'SET': return parseSet(cursor, place);
    case 'IF': return parseIf(cursor, place);
    case 'CASE': return parseCase(cursor, place);
    case 'WHILE': case 'LOOP': case 'REPEAT': case 'FOR': return parseLoop(cursor, place);
    case 'BEGIN': return parseBegin(cursor, place);
    case 'COMMIT': case 'ROLLBACK': cursor.next(); cursor.take('TRANSACTION'); return { kind: 'transaction', step: upper, place };
    case 'BREAK': case 'LEAVE': case 'CONTINUE': case 'ITERATE': {
      cursor.next();
      const label = cursor.isName() ? cursor.name().text : undefined;
      return { kind: 'jump', how: upper === 'BREAK' || upper === 'LEAVE' ? 'LEAVE' : 'CONTINUE', place, ...(label !== undefined && { label }) };
    }
    case 'RETURN': cursor.next(); return { kind: 'return', place };
    case 'RAISE': {
      cursor.next();
      if (!cursor.take('USING', 'MESSAGE')) return { kind: 'raise', place };
      cursor.expect('=');
      return { kind: 'raise', message: parseExpr(cursor), place };
    }
    case 'EXECUTE': return parseExecute(cursor, place);
  }
  return undefined;
}

function parseLabelled(cursor: Cursor): Statement {
  const label = cursor.name().text;
  cursor.expect(':');
  const statement = parseOne(cursor);
  if (!('body' in statement) || statement.kind === 'createFunction') throw cursor.unexpected('BEGIN');
  if (cursor.isName()) {
    const { text, place } = cursor.name();
    if (text.toLowerCase() !== label.toLowerCase()) throw invalidQuery(`Mismatched end label; expected ${label}, got ${text}`, place);
  }
  return { ...statement, label };
}

function parseBody(cursor: Cursor, ends: string[], isBlock = false): Statement[] {
  const body: Statement[] = [];
  while (!ends.some((end) => cursor.is(end))) {
    if (cursor.atEnd) throw cursor.unexpected('END');
    body.push(parseOne(cursor));
    cursor.expect(';');
    while (cursor.take(';'));
  }
  if (isBlock) checkDeclarations(body);
  else if (body[0]?.kind === 'declare') throw invalidQuery('Variable declarations are allowed only at the start of a block or script', body[0].place);
  return body;
}

function parseIf(cursor: Cursor, place: Place): Statement {
  cursor.expect('IF');
  const branches: { condition: Expr; body: Statement[] }[] = [];
  do {
    const condition = parseExpr(cursor);
    cursor.expect('THEN');
    branches.push({ condition, body: parseBody(cursor, ['ELSEIF', 'ELSE', 'END']) });
  } while (cursor.take('ELSEIF'));
  const otherwise = cursor.take('ELSE') ? parseBody(cursor, ['END']) : [];
  cursor.expect('END', 'IF');
  return { kind: 'if', branches, otherwise, place };
}

function parseCase(cursor: Cursor, place: Place): Statement {
  cursor.expect('CASE');
  const operand = cursor.is('WHEN') ? undefined : parseExpr(cursor);
  const branches: { when: Expr; body: Statement[] }[] = [];
  while (cursor.take('WHEN')) {
    const when = parseExpr(cursor);
    cursor.expect('THEN');
    branches.push({ when, body: parseBody(cursor, ['WHEN', 'ELSE', 'END']) });
  }
  if (branches.length === 0) throw cursor.unexpected('WHEN');
  const otherwise = cursor.take('ELSE') ? parseBody(cursor, ['END']) : undefined;
  cursor.expect('END', 'CASE');
  return { kind: 'case', branches, place, ...(operand && { operand }), ...(otherwise && { otherwise }) };
}

function parseLoop(cursor: Cursor, place: Place): Statement {
  const { upper } = cursor.next();
  if (upper === 'LOOP') {
    const body = parseBody(cursor, ['END']);
    cursor.expect('END', 'LOOP');
    return { kind: 'loop', body, place };
  }
  if (upper === 'REPEAT') {
    const body = parseBody(cursor, ['UNTIL']);
    cursor.expect('UNTIL');
    const until = parseExpr(cursor);
    cursor.expect('END', 'REPEAT');
    return { kind: 'repeat', body, until, place };
  }
  if (upper === 'WHILE') {
    const condition = parseExpr(cursor);
    cursor.expect('DO');
    const body = parseBody(cursor, ['END']);
    cursor.expect('END', 'WHILE');
    return { kind: 'while', condition, body, place };
  }
  const variable = cursor.name();
  cursor.expect('IN', '(');
  const query = parseQuery(cursor);
  cursor.expect(')', 'DO');
  const body = parseBody(cursor, ['END']);
  cursor.expect('END', 'FOR');
  return { kind: 'for', variable, query, body, place };
}

function parseBegin(cursor: Cursor, place: Place): Statement {
  cursor.expect('BEGIN');
  if (cursor.take('TRANSACTION') || cursor.is(';') || cursor.atEnd) return { kind: 'transaction', step: 'BEGIN', place };
  const body = parseBody(cursor, ['END', 'EXCEPTION'], true);
  const handler = cursor.take('EXCEPTION', 'WHEN', 'ERROR', 'THEN') ? parseBody(cursor, ['END']) : undefined;
  cursor.expect('END');
  return { kind: 'block', body, place, ...(handler && { handler }) };
}

function parseExecute(cursor: Cursor, place: Place): Statement {
  cursor.expect('EXECUTE', 'IMMEDIATE');
  const sql = parseExpr(cursor);
  const into = cursor.take('INTO') ? cursor.commaSeparated(() => cursor.name()) : [];
  const using = cursor.take('USING') ? cursor.commaSeparated(() => {
    const expr = parseExpr(cursor);
    const alias = cursor.take('AS') ? cursor.name().text : undefined;
    return { expr, ...(alias !== undefined && { alias }) };
  }) : [];
  return { kind: 'execute', sql, into, using, place };
}

function parseDeclare(cursor: Cursor, place: Place): Statement {
  cursor.expect('DECLARE');
  const names = cursor.commaSeparated(() => cursor.name());
  const type = cursor.is('DEFAULT') ? undefined : parseType(cursor);
  const value = cursor.take('DEFAULT') ? parseExpr(cursor) : undefined;
  return { kind: 'declare', names, place, ...(type && { type }), ...(value && { value }) };
}

function parseSet(cursor: Cursor, place: Place): Statement {
  cursor.expect('SET');
  if (cursor.take('@@')) {
    const name = cursor.anyName();
    while (cursor.take('.')) name.text += `.${cursor.anyName().text}`;
    cursor.expect('=');
    return { kind: 'set', names: [name], value: parseExpr(cursor), isSystem: true, place };
  }
  const isTuple = cursor.take('(');
  const names = cursor.commaSeparated(() => cursor.name());
  if (isTuple) cursor.expect(')');
  else if (names.length > 1) throw notSupported('SET of several variables without parentheses', place);
  cursor.expect('=');
  return { kind: 'set', names, value: parseExpr(cursor), place, ...(isTuple && { isTuple }) };
}
