// Tokens in, a type as written out (INT64, ARRAY<STRUCT<a STRING>>, NUMERIC(10, 2)); called by the parsers.
import type { ScalarKind } from './context.ts';
import { invalidQuery, notSupported } from './google-sql-error.ts';
import type { Cursor } from './cursor.ts';
import type { TypeNode } from './tree.ts';

const NAMES: Record<string, ScalarKind> = {
  STRING: 'STRING', INT64: 'INT64', INT: 'INT64', SMALLINT: 'INT64', INTEGER: 'INT64', BIGINT: 'INT64', TINYINT: 'INT64', BYTEINT: 'INT64',
  FLOAT64: 'FLOAT64', FLOAT: 'FLOAT64', BOOL: 'BOOL', BOOLEAN: 'BOOL', BYTES: 'BYTES', DATE: 'DATE', DATETIME: 'DATETIME',
  TIMESTAMP: 'TIMESTAMP', TIME: 'TIME', NUMERIC: 'NUMERIC', DECIMAL: 'NUMERIC', 
  JSON: 'JSON', INTERVAL: 'INTERVAL',
};

/** DuckDB has nothing that holds these exactly. */
const ABSENT = new Set(['GEOGRAPHY', 'RANGE', 'BIGNUMERIC', 'BIGDECIMAL']);

export function parseType(cursor: Cursor): TypeNode {
  const { place } = cursor;
  if (cursor.take('ANY', 'TYPE')) return { kind: 'ANY', place };
  if (cursor.take('ARRAY')) {
    cursor.expect('<');
    const element = parseType(cursor);
    cursor.expectCloseAngle();
    return { kind: 'ARRAY', element, place };
  }
  if (cursor.take('STRUCT')) {
    cursor.expect('<');
    const fields = cursor.is('>') ? [] : cursor.commaSeparated(() => parseStructField(cursor));
    cursor.expectCloseAngle();
    return { kind: 'STRUCT', fields, place };
  }
  const written = cursor.anyName();
  const kind = NAMES[written.text.toUpperCase()];
  if (ABSENT.has(written.text.toUpperCase())) throw notSupported(`Type ${written.text.toUpperCase()}`, place);
  if (!kind) throw invalidQuery(`Type not found: ${written.text}`, place);
  if (cursor.take('(')) {
    // Lengths and precisions bound what may be stored; the local tables do not check them.
    while (!cursor.take(')')) cursor.next();
  }
  return { kind, place };
}

function parseStructField(cursor: Cursor): { name: string; type: TypeNode } {
  const isNamed = cursor.isName() || cursor.peek().kind === 'word';
  const next = cursor.peek(1);
  if (isNamed && (next.kind === 'word' || next.kind === 'quoted')) {
    const name = cursor.anyName().text;
    return { name, type: parseType(cursor) };
  }
  return { name: '', type: parseType(cursor) };
}
