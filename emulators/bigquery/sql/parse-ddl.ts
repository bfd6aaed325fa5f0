// Tokens in, trees of CREATE, ALTER and DROP out; called by the statement parser.
import { invalidQuery, notSupported } from './google-sql-error.ts';
import type { Place } from './google-sql-error.ts';
import type { Cursor } from './cursor.ts';
import { parseExpr } from './parse-expression.ts';
import { parseTablePath } from './parse-from.ts';
import { parseQuery } from './parse-query.ts';
import { parseType } from './parse-type.ts';
import type { AlterNode, ColumnDefinition, FunctionArgument, Name, Option, Statement, TypeNode } from './tree.ts';

export function parseCreate(cursor: Cursor, place: Place): Statement {
  cursor.expect('CREATE');
  const orReplace = cursor.take('OR', 'REPLACE');
  const temporary = cursor.take('TEMP') || cursor.take('TEMPORARY');
  if (cursor.take('TABLE', 'FUNCTION')) return parseCreateTableFunction(cursor, place, orReplace);
  if (cursor.take('TABLE')) return parseCreateTable(cursor, place, orReplace, temporary);
  if (cursor.take('VIEW')) return parseCreateView(cursor, place, orReplace);
  if (cursor.take('MATERIALIZED', 'VIEW')) return withoutRefresh(parseCreateView(cursor, place, orReplace));
  if (cursor.take('FUNCTION')) return parseCreateFunction(cursor, place, orReplace, temporary);
  if (cursor.take('SCHEMA')) {
    const ifNotExists = cursor.take('IF', 'NOT', 'EXISTS');
    return { kind: 'createSchema', path: parseTablePath(cursor), ifNotExists, options: parseOptions(cursor), place };
  }
  throw notSupported(`CREATE ${cursor.peek().upper}`, place);
}

function parseCreateTable(cursor: Cursor, place: Place, orReplace: boolean, temporary: boolean): Statement {
  const ifNotExists = cursor.take('IF', 'NOT', 'EXISTS');
  const path = parseTablePath(cursor);
  const columns = cursor.take('(') ? parseColumns(cursor) : undefined;
  const like = cursor.take('LIKE') ? parseTablePath(cursor) : undefined;
  const copy = !like && (cursor.take('COPY') || cursor.take('CLONE')) ? parseTablePath(cursor) : undefined;
  if (cursor.is('DEFAULT', 'COLLATE')) throw notSupported('DEFAULT COLLATE', cursor.place);
  const partitionBy = cursor.take('PARTITION', 'BY') ? exprText(cursor) : undefined;
  const clusterBy = cursor.take('CLUSTER', 'BY') ? cursor.commaSeparated(() => cursor.anyName()) : [];
  const options = parseOptions(cursor);
  const query = cursor.take('AS') ? parseQuery(cursor) : undefined;
  if (!columns && !query && !like && !copy) throw cursor.unexpected('(');
  return {
    kind: 'createTable', path, orReplace, ifNotExists, temporary, clusterBy, options, place,
    ...(columns && { columns }), ...(query && { query }), ...(like && { like }), ...(copy && { copy }), ...(partitionBy !== undefined && { partitionBy }),
  };
}

function exprText(cursor: Cursor): string {
  const { start } = cursor.peek();
  parseExpr(cursor);
  return cursor.textFrom(start);
}

function parseColumns(cursor: Cursor): ColumnDefinition[] {
  const columns: ColumnDefinition[] = [];
  do {
    if (cursor.is(')')) break;
    if (!takeConstraint(cursor)) columns.push(parseColumn(cursor));
  } while (cursor.take(','));
  cursor.expect(')');
  return columns;
}

/** Keys of BigQuery are never enforced: they say something about the data to who reads the schema, and nothing to a query's answer. */
function takeConstraint(cursor: Cursor): boolean {
  if (cursor.take('CONSTRAINT')) { cursor.take('IF', 'NOT', 'EXISTS'); cursor.name(); }
  const isForeign = cursor.is('FOREIGN', 'KEY');
  if (!cursor.take('PRIMARY', 'KEY') && !cursor.take('FOREIGN', 'KEY')) return false;
  parseNames(cursor);
  if (isForeign) {
    cursor.expect('REFERENCES');
    parseTablePath(cursor);
    parseNames(cursor);
  }
  cursor.expect('NOT', 'ENFORCED');
  return true;
}

function parseNames(cursor: Cursor): Name[] {
  cursor.expect('(');
  const names = cursor.commaSeparated(() => cursor.anyName());
  cursor.expect(')');
  return names;
}

function parseColumn(cursor: Cursor): ColumnDefinition {
  const name = cursor.anyName();
  const type = parseType(cursor);
  let required = cursor.take('NOT', 'NULL');
  const defaultText = cursor.take('DEFAULT') ? exprText(cursor) : undefined;
  required ||= cursor.take('NOT', 'NULL');
  if (cursor.take('PRIMARY', 'KEY')) cursor.expect('NOT', 'ENFORCED');
  return { name, type, required, options: parseOptions(cursor), ...(defaultText !== undefined && { defaultText }) };
}

function parseOptions(cursor: Cursor): Option[] {
  if (!cursor.take('OPTIONS')) return [];
  cursor.expect('(');
  const options = cursor.is(')') ? [] : cursor.commaSeparated(() => {
    const name = cursor.anyName().text;
    cursor.expect('=');
    return { name, value: parseExpr(cursor) };
  });
  cursor.expect(')');
  return options;
}

export function parseExport(cursor: Cursor, place: Place): Statement {
  cursor.expect('EXPORT');
  if (!cursor.take('DATA')) throw notSupported(`EXPORT ${cursor.peek().upper}`, place);
  if (cursor.is('WITH', 'CONNECTION')) throw notSupported('EXPORT DATA WITH CONNECTION', cursor.place);
  const options = parseOptions(cursor);
  cursor.expect('AS');
  return { kind: 'exportData', options, query: parseQuery(cursor), place };
}

function parseCreateView(cursor: Cursor, place: Place, orReplace: boolean): Statement {
  const ifNotExists = cursor.take('IF', 'NOT', 'EXISTS');
  const path = parseTablePath(cursor);
  const columns = cursor.take('(') ? cursor.commaSeparated(() => {
    const name = cursor.anyName();
    parseOptions(cursor);
    return name;
  }) : undefined;
  if (columns) cursor.expect(')');
  if (cursor.take('PARTITION', 'BY')) parseExpr(cursor);
  if (cursor.take('CLUSTER', 'BY')) cursor.commaSeparated(() => cursor.anyName());
  const options = parseOptions(cursor);
  cursor.expect('AS');
  const { start } = cursor.peek();
  const query = parseQuery(cursor);
  return { kind: 'createView', path, orReplace, ifNotExists, options, query, queryText: cursor.textFrom(start), place, ...(columns && { columns }) };
}

const REFRESH_OPTIONS = new Set(['enable_refresh', 'refresh_interval_minutes', 'max_staleness', 'allow_non_incremental_definition']);

/** A materialised view answers as its query does now; it is kept as that query, so that when it is refreshed changes nothing. */
function withoutRefresh(view: Statement): Statement {
  return view.kind === 'createView' ? { ...view, options: view.options.filter(({ name }) => !REFRESH_OPTIONS.has(name.toLowerCase())) } : view;
}

function parseFunctionArguments(cursor: Cursor): FunctionArgument[] {
  cursor.expect('(');
  const args = cursor.is(')') ? [] : cursor.commaSeparated(() => {
    const { text: name } = cursor.name();
    if (cursor.is('TABLE')) throw notSupported('A TABLE argument', cursor.place);
    return { name, type: parseType(cursor) };
  });
  cursor.expect(')');
  return args;
}

function parseCreateFunction(cursor: Cursor, place: Place, orReplace: boolean, temporary: boolean): Statement {
  const ifNotExists = cursor.take('IF', 'NOT', 'EXISTS');
  const path = parseTablePath(cursor);
  const args = parseFunctionArguments(cursor);
  const returns = cursor.take('RETURNS') ? parseType(cursor) : undefined;
  if (!cursor.take('DETERMINISTIC')) cursor.take('NOT', 'DETERMINISTIC');
  const head = { kind: 'createFunction' as const, path, orReplace, ifNotExists, temporary, args, place, ...(returns && { returns }) };
  if (cursor.is('LANGUAGE')) return { ...head, body: { kind: 'javascript' }, bodyText: parseJavaScript(cursor, head) };
  parseOptions(cursor);
  cursor.expect('AS', '(');
  const { start } = cursor.peek();
  const body = parseExpr(cursor);
  const bodyText = cursor.textFrom(start);
  cursor.expect(')');
  parseOptions(cursor);
  return { ...head, body, bodyText };
}

function parseJavaScript(cursor: Cursor, { place, returns }: { place: Place; returns?: TypeNode }): string {
  cursor.expect('LANGUAGE');
  const language = cursor.anyName().text;
  if (language.toUpperCase() !== 'JS') throw notSupported(`CREATE FUNCTION … LANGUAGE ${language}`, place);
  if (!returns) throw invalidQuery('Non-SQL functions must specify a return type', place);
  const options = parseOptions(cursor);
  cursor.expect('AS');
  if (cursor.peek().kind !== 'string') throw cursor.unexpected();
  const { value } = cursor.next();
  if ([...options, ...parseOptions(cursor)].some(({ name }) => name.toLowerCase() === 'library')) throw notSupported('The option library of a JavaScript function', place);
  return value;
}

function parseCreateTableFunction(cursor: Cursor, place: Place, orReplace: boolean): Statement {
  const ifNotExists = cursor.take('IF', 'NOT', 'EXISTS');
  const path = parseTablePath(cursor);
  const args = parseFunctionArguments(cursor);
  if (cursor.take('RETURNS')) {
    // The columns of the query are the columns of the function; a declared list says the same again.
    if (!cursor.take('TABLE', '<')) throw cursor.unexpected('TABLE');
    cursor.commaSeparated(() => { cursor.anyName(); parseType(cursor); });
    cursor.expectCloseAngle();
  }
  parseOptions(cursor);
  cursor.expect('AS');
  const isParenthesised = cursor.is('(');
  const { start } = isParenthesised ? cursor.peek(1) : cursor.peek();
  if (isParenthesised) cursor.next();
  const query = parseQuery(cursor);
  const bodyText = cursor.textFrom(start);
  if (isParenthesised) cursor.expect(')');
  return { kind: 'createTableFunction', path, orReplace, ifNotExists, args, query, bodyText, place };
}

export function parseAlter(cursor: Cursor, place: Place): Statement {
  cursor.expect('ALTER');
  const object = (['TABLE', 'VIEW', 'SCHEMA'] as const).find((kind) => cursor.take(kind)) ?? (cursor.take('MATERIALIZED', 'VIEW') ? 'VIEW' as const : undefined);
  if (!object) throw notSupported(`ALTER ${cursor.peek().upper}`, place);
  const ifExists = cursor.take('IF', 'EXISTS');
  const path: Name[] = parseTablePath(cursor);
  const actions = cursor.commaSeparated(() => parseAlterAction(cursor));
  if (object === 'SCHEMA') {
    const options = actions.flatMap((action) => (action.kind === 'setOptions' ? action.options : []));
    if (actions.some(({ kind }) => kind !== 'setOptions')) throw notSupported('This ALTER SCHEMA', place);
    return { kind: 'alterSchema', path, ifExists, options, place };
  }
  return { kind: 'alterTable', path, ifExists, actions, place };
}

function parseAlterAction(cursor: Cursor): AlterNode {
  if (cursor.take('ADD', 'COLUMN')) {
    const ifNotExists = cursor.take('IF', 'NOT', 'EXISTS');
    return { kind: 'addColumn', ifNotExists, column: parseColumn(cursor) };
  }
  if (cursor.take('DROP', 'COLUMN')) {
    const columnIfExists = cursor.take('IF', 'EXISTS');
    return { kind: 'dropColumn', ifExists: columnIfExists, name: cursor.anyName() };
  }
  if (cursor.take('RENAME', 'COLUMN')) {
    const columnIfExists = cursor.take('IF', 'EXISTS');
    const name = cursor.anyName();
    cursor.expect('TO');
    return { kind: 'renameColumn', name, to: cursor.anyName(), ifExists: columnIfExists };
  }
  if (cursor.take('RENAME', 'TO')) return { kind: 'renameTable', to: cursor.anyName() };
  if (cursor.is('SET', 'OPTIONS')) {
    cursor.expect('SET');
    return { kind: 'setOptions', options: parseOptions(cursor) };
  }
  if (cursor.take('ALTER', 'COLUMN')) return parseAlterColumn(cursor);
  throw notSupported(`ALTER TABLE … ${cursor.peek().upper} ${cursor.peek(1).upper}`.trim(), cursor.place);
}

function parseAlterColumn(cursor: Cursor): AlterNode {
  const ifExists = cursor.take('IF', 'EXISTS');
  const column = { kind: 'alterColumn' as const, name: cursor.anyName(), ifExists };
  if (cursor.take('SET', 'DATA', 'TYPE')) return { ...column, change: { type: parseType(cursor) } };
  if (cursor.take('DROP', 'NOT', 'NULL')) return { ...column, change: { nullable: true } };
  if (cursor.take('DROP', 'DEFAULT')) return { ...column, change: { defaultText: undefined } };
  if (cursor.take('SET', 'DEFAULT')) return { ...column, change: { defaultText: exprText(cursor) } };
  cursor.expect('SET');
  return { ...column, change: { options: parseOptions(cursor) } };
}

export function parseDrop(cursor: Cursor, place: Place): Statement {
  cursor.expect('DROP');
  const object = cursor.take('TABLE', 'FUNCTION') ? 'TABLE FUNCTION' as const
    : (['TABLE', 'VIEW', 'FUNCTION', 'SCHEMA'] as const).find((kind) => cursor.take(kind)) ?? (cursor.take('MATERIALIZED', 'VIEW') ? 'VIEW' as const : undefined);
  if (!object) throw notSupported(`DROP ${cursor.peek().upper}`, place);
  const ifExists = cursor.take('IF', 'EXISTS');
  const path = parseTablePath(cursor);
  const cascade = cursor.take('CASCADE');
  if (!cascade) cursor.take('RESTRICT');
  if (path.length === 0) throw invalidQuery('Syntax error: Expected a name', place);
  return { kind: 'drop', object, path, ifExists, cascade, place };
}
